package vault

import (
	"bytes"
	"context"
	"errors"
	"io"

	"keepwatch"
	"keepwatch/pst"
)

// mailbox records what is inside an Outlook data file.
func (w *Writer) mailbox(n keepwatch.Note) error {
	w.result.Counts[n.Kind]++
	if len(w.result.Mailboxes) < keepwatch.MaxMailboxes {
		w.result.Mailboxes = append(w.result.Mailboxes, n.Mailbox.Short())
	}
	for _, part := range n.Mailbox.Seal() {
		n.Mailbox = &part
		if err := w.contents.note(n); err != nil {
			return w.fail("The list of contents cannot be written", err)
		}
		n.Text = "" // those that go on with it
	}
	return nil
}

// Mailboxes gives what was found inside the Outlook data files of an archive when it
// was made, from the sealed list of contents.
func (v *Vault) Mailboxes(ctx context.Context, ref string) ([]keepwatch.Mailbox, error) {
	var lines []keepwatch.Mailbox
	err := v.Contents(ctx, ref, func(keepwatch.Entry) error { return nil }, func(n keepwatch.Note) error {
		if n.Mailbox != nil {
			lines = append(lines, *n.Mailbox)
		}
		return nil
	})
	return keepwatch.UnsealMailboxes(lines), err
}

// longestHeader is how much of an Outlook data file pst.ReadHeader reads.
const longestHeader = 1 << 10

// headers proves that what the list of contents calls an Outlook data file begins
// like a whole one and is as long as it says itself. What lies between was looked at
// where it came from, and its SHA-256 says that it is the same: to look at it once
// more would need the whole file on a disk, unsealed. One that is listed as damaged there
// is what it was.
type headers struct {
	bad  map[string]string // files that are named like one and are none, and why
	head []byte
	p    *proof
}

// look reads the beginning of a file.
func (h *headers) look(e keepwatch.Entry, body *content) {
	if body == nil {
		return
	}
	n, _ := io.ReadFull(body, h.head) // an error of reading is told by whoever compares
	var wrong *pst.HeaderError
	if _, err := pst.ReadHeader(bytes.NewReader(h.head[:n]), e.Size); body.err != nil || !errors.As(err, &wrong) {
		return
	}
	if keepwatch.NamedMailbox(e.Path) || wrong.Rule != pst.RuleMagic {
		h.bad[e.Path] = wrong.Text
	}
}

// note takes in a line of the list; that of a data file comes behind the file.
func (h *headers) note(n keepwatch.Note) {
	if n.Mailbox == nil || n.Mailbox.Format == "" || n.Mailbox.More || n.Mailbox.Headless {
		return
	}
	if text, bad := h.bad[n.Mailbox.Path]; bad {
		h.p.problem(finding("mailbox", n.Mailbox.Path, "%s is listed as an Outlook data file and is none that could be used: %s", keepwatch.Printable(n.Mailbox.Path), text))
	}
}
