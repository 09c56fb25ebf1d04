package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/pst/check"
	"keepwatch/pst/mail"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
)

// finishData finishes the PST, and puts it into the archive if it is what it should be. If
// not, the archive has none and says so: what is in it as files is whole without it.
func (a *archiving) finishData() error {
	if a.data == nil {
		return nil
	}
	volumes, err := a.data.w.Close()
	if err != nil {
		return a.disk(err)
	}
	a.p.cfg.Crash("outlook.fetch.pst-made")
	why, err := a.prove(volumes)
	if err != nil {
		return err
	}
	if why != "" {
		a.p.cfg.Log.Error("a PST that was made is not good", "run", a.job.Run, "source", a.job.Source.Name, "why", why)
		return a.sink.Note(keepwatch.Note{Kind: keepwatch.NoteUnreadable, Path: a.dataName(), Text: "this archive has no PST, since the one that was made is not good: " + why + "; the items are all here as EML, VCF and ICS"})
	}
	for _, v := range volumes {
		if err := a.volume(v.Path, filepath.Base(v.Path), a.alone); err != nil {
			return err
		}
	}
	if a.k.Base == "" {
		return nil
	}
	return a.sink.Note(keepwatch.Note{Kind: keepwatch.NoteInfo, Path: a.dataName(), Text: "this PST holds what is new or has changed since the archive before, and not the whole mailbox"})
}

// prove says why a PST is not good: its format is checked, and what it holds is compared
// with what went into it. "" is good.
func (a *archiving) prove(volumes []writer.Volume) (why string, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			a.p.cfg.Log.Error("checking a PST broke off", "run", a.job.Run, "panic", broken, "stack", string(debug.Stack()))
			why, err = "checking it broke off, through a mistake of Keepwatch's own", nil
		}
	}()
	found := map[string]tally{}
	for _, v := range volumes {
		why, err := a.look(v.Path, func(r io.ReaderAt, size int64) (string, error) {
			if why, err := sound(r, size); why != "" || err != nil {
				return why, err
			}
			return list(r, size, found)
		})
		if why != "" || err != nil {
			return filepath.Base(v.Path) + ": " + why, err
		}
	}
	return differ(a.data.tallies, found), nil
}

// look opens a file of the scratch folder for fn, which obeys the context through it.
func (a *archiving) look(path string, fn func(r io.ReaderAt, size int64) (string, error)) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	r := &looking{ctx: a.ctx, r: f, report: func() { a.job.Report(a.did) }}
	why, err := fn(r, info.Size())
	if r.err != nil {
		return "", r.err
	}
	return why, err
}

// looking reads here and there, obeys a context, keeps its error and says that it goes on.
type looking struct {
	ctx    context.Context
	r      io.ReaderAt
	report func()
	err    error
}

// ReadAt reads.
func (l *looking) ReadAt(p []byte, off int64) (int, error) {
	if l.err == nil {
		l.err = context.Cause(l.ctx)
	}
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.r.ReadAt(p, off)
	if err != nil && err != io.EOF {
		l.err = err
	}
	l.report()
	return n, err
}

// sound says what a strict check finds that Outlook would mind.
func sound(r io.ReaderAt, size int64) (string, error) {
	report, err := check.File(r, size, check.Options{})
	if err != nil {
		return "", err
	}
	for _, f := range report.Findings {
		if f.Severity == check.Error {
			return "a check of its format found: " + f.String(), nil
		}
	}
	if report.Truncated {
		return "a check of its format gave up", nil
	}
	return "", nil
}

// list counts what is in a volume.
func list(r io.ReaderAt, size int64, into map[string]tally) (string, error) {
	f, err := reader.Open(r, size, reader.Options{})
	if err != nil {
		return "it cannot be opened: " + err.Error(), nil
	}
	top, err := f.Top()
	if err != nil {
		return "it has no top: " + err.Error(), nil
	}
	above := len(top.Path())
	err = f.Walk(func(d *reader.Folder, err error) error {
		if err != nil {
			return err
		}
		path := d.Path()
		if d.IsSearch() || len(path) <= above || !slices.Equal(path[:above], top.Path()) {
			return nil
		}
		key := pathKey(path[above:])
		t := into[key]
		for row, err := range d.Rows() {
			if err != nil {
				return err
			}
			t.add(mail.Subject(row.Properties))
		}
		into[key] = t
		return nil
	})
	if err != nil {
		return "it cannot be listed: " + err.Error(), nil
	}
	return "", nil
}

// differ says in which folder a PST is not what went into it.
func differ(want, got map[string]tally) string {
	for _, key := range slices.Sorted(keysOf(want, got)) {
		w, g := want[key], got[key]
		name := strings.ReplaceAll(key, "\x00", "/")
		if _, there := got[key]; !there {
			return fmt.Sprintf("it has no folder %q", name)
		}
		if w.items != g.items {
			return fmt.Sprintf("its folder %q has %s, and %s were put into it", name, keepwatch.FormatCount(g.items, "item"), keepwatch.FormatCount(w.items, ""))
		}
		if w.sum != g.sum {
			return fmt.Sprintf("the subjects in its folder %q are not those of what was put into it", name)
		}
	}
	return ""
}

// keysOf gives the keys of two maps; those of both twice.
func keysOf(a, b map[string]tally) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, m := range []map[string]tally{a, b} {
			for key := range m {
				if !yield(key) {
					return
				}
			}
		}
	}
}

// storing stores a file: archiving.file, or archiving.alone.
type storing func(path string, at time.Time, size int64, content io.Reader) error

// volume puts a file of the scratch folder into the archive, says what is inside where it is
// an Outlook data file, and removes it from the disk.
func (a *archiving) volume(path, name string, store storing) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := store(name, a.taken(), info.Size(), f); err != nil {
		return err
	}
	if err := a.mailbox(name, path); err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(path))
}

// mailbox notes what is inside a PST that is in the archive.
func (a *archiving) mailbox(name, path string) error {
	if a.p.cfg.Lister == nil || !keepwatch.NamedMailbox(name) {
		return nil
	}
	var m keepwatch.Mailbox
	_, err := a.look(path, func(r io.ReaderAt, size int64) (_ string, err error) {
		defer func() {
			if broken := recover(); broken != nil {
				a.p.cfg.Log.Error("looking into an Outlook data file broke off", "file", name, "panic", broken, "stack", string(debug.Stack()))
				m, err = keepwatch.Mailbox{Trouble: "Looking into it broke off, through a mistake of Keepwatch's own. An admin finds the cause in the log."}, nil
			}
			m.Path, m.Size = name, size
		}()
		m, err = a.p.cfg.Lister.List(a.ctx, r, size)
		return "", err
	})
	if err != nil {
		return err
	}
	if a.p.Prepares(a.job) { // else they are counted one by one
		for kind, n := range m.Kinds {
			a.inside.Items[kind] += n
		}
	}
	return a.sink.Note(keepwatch.Note{Kind: keepwatch.NoteMailbox, Path: name, Text: m.Sentence(), Mailbox: &m})
}
