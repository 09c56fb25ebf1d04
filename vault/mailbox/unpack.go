package mailbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"

	"keepwatch"
)

// elbowRoom is what is left free on the disk of the temporary file, for the state.
const elbowRoom = 64 << 20

// unpack reads a file out of an archive into a temporary file. One is written at a time,
// so that two do not fill the disk.
func (m *Mailboxes) unpack(ctx context.Context, ref, path string, report func(keepwatch.Progress)) (keepwatch.Entry, *scratch, error) {
	select {
	case m.room <- struct{}{}:
	case <-ctx.Done():
		return keepwatch.Entry{}, nil, context.Cause(ctx)
	}
	defer func() { <-m.room }()
	e, content, err := m.cfg.Vault.OpenEntry(ctx, ref, path)
	if err != nil {
		return e, nil, err
	}
	defer content.Close()
	head := make([]byte, longestHeader)
	n, _ := io.ReadFull(content, head) // an error comes again with the rest
	if err := notOne(bytes.NewReader(head[:n]), e, int64(n)); err != nil {
		return e, nil, notInto(ref, path, err) // a full backup of an account has tens of gigabytes
	}
	data, err := newScratch(m.cfg.Dir)
	if err != nil {
		return e, nil, m.noRoom(e, err)
	}
	free, err := m.cfg.Free(m.cfg.Dir)
	if err == nil && free < e.Size+elbowRoom {
		return e, nil, errors.Join(m.tooSmall(ref, e, free), data.close())
	}
	m.cfg.Crash("mailbox.unpack.begun")
	if err := data.fill(&told{io.MultiReader(bytes.NewReader(head[:n]), content), func(n int64) { report(keepwatch.Progress{Bytes: n, TotalBytes: e.Size}) }, 0}, make([]byte, 1<<20)); err != nil {
		if full, ok := errors.AsType[*writing](err); ok {
			err = m.noRoom(e, full.error)
		}
		return e, nil, errors.Join(err, data.close())
	}
	m.cfg.Crash("mailbox.unpack.done")
	return e, data, nil
}

// longestHeader is how much of a file pst.ReadHeader reads.
const longestHeader = 1 << 10

// notInto says why a file cannot be looked into.
func notInto(ref, path string, err error) error {
	return keepwatch.Errorf(keepwatch.KindInvalid, "%s cannot be looked into. %s As a file it can be restored: `/backup restore %s`.", keepwatch.Printable(path), trouble(err), quote(ref, path)).Because(err)
}

// told says how much was read.
type told struct {
	io.Reader
	report func(int64)
	n      int64
}

func (t *told) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.n += int64(n)
	t.report(t.n)
	return n, err
}

func (m *Mailboxes) tooSmall(ref string, e keepwatch.Entry, free int64) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "To look inside %s, Keepwatch has to unpack it for a while: %s are needed in %s, and %s are free there. Free some room, or restore the whole file to a disk that has it: `/backup restore %s --to FOLDER`.",
		keepwatch.Printable(e.Path), keepwatch.FormatBytes(e.Size+elbowRoom), m.cfg.Dir, keepwatch.FormatBytes(free), quote(ref, e.Path))
}

func (m *Mailboxes) noRoom(e keepwatch.Entry, err error) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "%s cannot be unpacked into %s to look inside it (%v). %s are needed there for a while. Free some room, or see that Keepwatch's user may write there, then retry.",
		keepwatch.Printable(path.Base(e.Path)), m.cfg.Dir, cause(err), keepwatch.FormatBytes(e.Size)).Because(err)
}
