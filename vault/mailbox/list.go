package mailbox

import (
	"context"
	"errors"
	"io"
	"strings"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/reader"
)

// Lister says what is inside Outlook data files.
type Lister struct{}

// List says what is inside one: its folders with the number and the dates of their
// items, what of it cannot be read, and what a strict check of it finds. It reads all
// of the file once. An error means that it was stopped, or that the disk below gave
// one; what is wrong with the file is in the Mailbox.
func (Lister) List(ctx context.Context, r io.ReaderAt, size int64) (keepwatch.Mailbox, error) {
	m := keepwatch.Mailbox{Size: size}
	if h, err := pst.ReadHeader(r, size); err == nil {
		m.Format = string(h.Format)
	}
	t, err := grow(ctx, r, size)
	if err != nil {
		m.Trouble = trouble(err)
		if _, damaged := errors.AsType[*reader.Damage](err); damaged {
			m.Check, _ = examine(r, size) // where the disk gives an error, that is said already
		}
		if cause := context.Cause(ctx); cause != nil {
			return m, cause
		}
		return m, nil
	}
	m.Format, m.Headless = string(t.file.Header().Format), t.header != nil
	if ps, err := t.file.Store(); err == nil {
		m.Name = strings.TrimSpace(ps.Text(pst.PidTagDisplayName))
	}
	m.Kinds = map[keepwatch.ItemKind]int64{}
	var all span
	left := t.rowsLeft()
	for i := -1; i < len(t.folders); i++ {
		f, err := t.folder(ctx, i, left, func(item keepwatch.MailItem) {
			m.Items++
			m.Kinds[item.Kind]++
			all.add(item)
		})
		if cause := context.Cause(ctx); cause != nil {
			return m, cause
		}
		if err != nil {
			m.Trouble = "Not all of it could be listed: " + trouble(err)
			break
		}
		m.Gone += f.Gone
		if i >= 0 || f.Items > 0 {
			m.Folders = append(m.Folders, f)
		}
	}
	m.First, m.Last = all.of()
	err = t.astray(ctx, func(pst.NID, pst.Properties) error { m.Orphans++; return nil })
	if err == nil {
		m.Check, err = examine(r, size)
	}
	if err == nil && (m.Check.Worst == keepwatch.MailRuined || m.Check.Cut) { // else every block is as it should be
		err = t.sweep(ctx)
	}
	if cause := context.Cause(ctx); cause != nil {
		return m, cause
	}
	if err != nil && m.Trouble == "" {
		m.Trouble = "Not all of it could be looked at: " + trouble(err)
	}
	m.Damage, m.Damaged = t.damage.first, t.damage.n
	m.Sum()
	return m, nil
}

// folder counts the items of a folder.
func (t *tree) folder(ctx context.Context, i int, left *int64, each func(keepwatch.MailItem)) (keepwatch.MailFolder, error) {
	f := keepwatch.MailFolder{Path: t.path(i)}
	var all span
	var gone int64 // items that are listed and not there: a lost page of the file's index has several
	var when dates
	hurt := t.rescued || t.torn || t.damage.n > 0
	lost := func(err error) error { return t.damage.add(f.Path, err) }
	err := t.rows(ctx, t.dir(i), left, lost, func(n pst.NID, ps pst.Properties, wrong error) error {
		if wrong != nil {
			if err := lost(wrong); err != nil {
				return err
			}
		}
		item := describe(ps)
		if hurt {
			_, err := t.file.Message(n)
			if _, damaged := errors.AsType[*reader.Damage](err); damaged {
				gone++
				when.add(item.At)
			} else if err != nil {
				return err
			}
		}
		f.Items++
		all.add(item)
		each(item)
		return nil
	})
	f.First, f.Last = all.of()
	f.Gone = gone
	if err == nil && gone > 0 {
		t.damage.missing(f.Path, missing(gone, when))
	}
	return f, err
}

// missing says how many items of a folder are listed and cannot be found, and of which
// days they are, as far as their rows know.
func missing(n int64, when dates) string {
	text := keepwatch.FormatCount(n, "item") + " that it lists cannot be found in the file"
	if when.first.IsZero() {
		return text
	}
	const day = "2 January 2006"
	first, last := when.first.UTC().Format(day), when.last.UTC().Format(day)
	if first == last {
		return text + " (of " + first + ")"
	}
	return text + " (of " + first + " to " + last + ")"
}

// trouble says why a file cannot be listed, as a sentence.
func trouble(err error) string {
	var header *pst.HeaderError
	switch {
	case errors.As(err, &header):
		if _, looked := errors.AsType[*nothingLeft](err); looked {
			return header.Text + " All of it was looked through, and no folder or item was found that could be taken out."
		}
		return header.Text
	case errors.Is(err, reader.ErrUnsupported):
		return "It is of a kind that Keepwatch cannot look into (" + strings.TrimPrefix(err.Error(), reader.ErrUnsupported.Error()+": ") + "). It is kept as it came."
	}
	if d, ok := errors.AsType[*reader.Damage](err); ok {
		return "It is so damaged that its folders cannot be found (" + strings.TrimSuffix(d.Error(), ".") + "). Outlook's Inbox Repair Tool (scanpst.exe) may still mend a copy of it."
	}
	return "It could not be read (" + err.Error() + ")."
}
