package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime/debug"

	"keepwatch"
	"keepwatch/pst"
)

// mailbox notes what is inside an Outlook data file that was just read: one that is
// named so, or that was handed in. A damaged one is kept, and what is damaged is said.
func (r *reading) mailbox(f *os.File, e keepwatch.Entry, before fs.FileInfo, single bool) error {
	if r.p.mail == nil || !single && !keepwatch.NamedMailbox(e.Path) {
		return nil
	}
	_, err := pst.ReadHeader(f, before.Size())
	var bad *pst.HeaderError
	if err != nil && !(errors.As(err, &bad) && (keepwatch.NamedMailbox(e.Path) || bad.Rule != pst.RuleMagic) && headAlone(f, before.Size(), bad)) {
		return nil // what is worth saying about it is said
	}
	m, err := r.lookInto(f, e, before.Size())
	if err := context.Cause(r.ctx); err != nil {
		return stopped{err}
	}
	if err != nil {
		return err
	}
	if bad != nil && !m.Headless {
		if m.Trouble == "" || bad.Rule == pst.RuleMagic || !keepwatch.NamedMailbox(e.Path) {
			return r.noMailbox(e, before.Size(), bad)
		}
		m.Damaged = max(m.Damaged, 1) // its header: all of it was looked through, and nothing is left to look for
	}
	if after, err := f.Stat(); err != nil || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		m = keepwatch.Mailbox{Trouble: "It was written to while it was read, so what is inside cannot be said. Close Outlook, and back it up again."}
	}
	m.Path, m.Size = e.Path, before.Size()
	return r.sink.Note(keepwatch.Note{Kind: keepwatch.NoteMailbox, Path: e.Path, Text: m.Sentence(), Mailbox: &m})
}

// lookInto says what is inside. The file is in the archive already, and may be the only
// copy: what one does that breaks our own code must not keep it out of there.
func (r *reading) lookInto(f *os.File, e keepwatch.Entry, size int64) (m keepwatch.Mailbox, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.p.log.Error("looking into an Outlook data file broke off", "file", e.Path, "panic", p, "stack", string(debug.Stack()))
			m, err = keepwatch.Mailbox{Trouble: "Looking into it broke off, through a mistake of Keepwatch's own; it is kept as it came. An admin finds the cause in the log."}, nil
		}
	}()
	return r.p.mail.List(r.ctx, &looking{r: r, src: f}, size)
}

// looking reads here and there in a file, obeys the context and says that it goes on.
type looking struct {
	r   *reading
	src io.ReaderAt
}

func (l *looking) ReadAt(p []byte, at int64) (int, error) {
	if err := context.Cause(l.r.ctx); err != nil {
		return 0, stopped{err}
	}
	n, err := l.src.ReadAt(p, at)
	l.r.report(keepwatch.Progress{Items: l.r.items, Bytes: l.r.bytes})
	return n, err
}

// begins says what a file is that only its first bytes make known.
const begins = "it begins like an Outlook data file, but: "

// recognise looks into a handed-in file. It gives what is worth saying about it,
// and refuses a file that is not what its name says. One of which the header alone is
// damaged may be the only copy that somebody has: it is taken in.
func (p *Provider) recognise(ctx context.Context, f io.ReaderAt, name string, size int64, quick bool) (string, error) {
	named := keepwatch.NamedMailbox(name)
	h, err := pst.ReadHeader(f, size)
	var bad *pst.HeaderError
	switch {
	case err == nil:
		return p.remarks(h, size, named), nil
	case !errors.As(err, &bad):
		return "", gone(name, err)
	case !named && bad.Rule == pst.RuleMagic:
		return "", nil
	}
	if headAlone(f, size, bad) {
		found, err := quick, error(nil)
		if !quick {
			found, err = p.holdsMail(ctx, f, name, size)
		}
		if err != nil || found && (named || p.mail != nil) { // what is wrong is said beside what is inside
			return "", err
		}
	}
	if !named {
		return begins + bad.Text, nil
	}
	return "", keepwatch.Errorf(keepwatch.KindInvalid, "%s is not an Outlook data file that could be restored. %s Export it again from Outlook, and close Outlook before you hand it in. If it is the only copy, put it into a folder and back up that folder: there it is kept as it is, and `backup show` looks for what is left of it.", keepwatch.Printable(name), bad.Text).Because(bad)
}
