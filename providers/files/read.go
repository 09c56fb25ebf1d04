package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/pst"
)

// reading is one Fetch.
type reading struct {
	p      *Provider
	ctx    context.Context
	sink   providers.Sink
	report func(keepwatch.Progress)

	items, bytes int64
	files        int64 // of the items, and not folders or links
	unread       int64
	hardLinks    int64
}

// store opens a file, reads it into the sink and compares it with what it was
// before. What is no file goes straight in.
func (r *reading) store(at place, e keepwatch.Entry, seen fs.FileInfo, single bool) error {
	add := r.sink.Add
	if single {
		add = r.sink.Single
	}

	if e.Type != keepwatch.EntryFile {
		r.done(e)
		return add(e, nil)
	}
	f, err := r.p.open(at)
	if errors.Is(err, fs.ErrNotExist) {
		return r.sink.Note(keepwatch.Note{Kind: keepwatch.NoteVanished, Path: e.Path, Text: "it was gone before it could be read"})
	}
	if err != nil {
		r.unread++
		return r.sink.Note(keepwatch.Note{Kind: keepwatch.NoteUnreadable, Path: e.Path, Text: cause(err)})
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return r.sink.Note(keepwatch.Note{Kind: keepwatch.NoteUnreadable, Path: e.Path, Text: cause(err)})
	}
	if !before.Mode().IsRegular() { // swapped since it was listed
		return r.sink.Note(keepwatch.Note{Kind: keepwatch.NoteSpecial, Path: e.Path, Text: special(before.Mode()) + ", left out"})
	}
	if !os.SameFile(seen, before) { // saved anew since then, which is well, or swapped for a link
		if now, err := at.dir.Lstat(at.name); err != nil || !os.SameFile(now, before) {
			return r.sink.Note(keepwatch.Note{Kind: keepwatch.NoteVanished, Path: e.Path, Text: errSwapped.Error()})
		}
	}
	if err := r.remark(f, e, before); err != nil {
		return err
	}
	fresh := entryOf(e.Path, before)
	counted := &counting{r: r, src: f}
	if err := add(fresh, counted); err != nil {
		return err
	}
	r.done(fresh)
	if err := r.compare(e, seen, before, f); err != nil {
		return err
	}
	return r.mailbox(f, e, before, single)
}

// remark notes what is worth knowing about a file before it is read.
func (r *reading) remark(f *os.File, e keepwatch.Entry, info fs.FileInfo) error {
	if names(info) > 1 {
		r.hardLinks++
	}
	if stored, holes := holes(f, info); holes {
		note := keepwatch.Note{Kind: keepwatch.NoteSparse, Path: e.Path,
			Text: fmt.Sprintf("it has holes: %s on disk, stored at its full length of %s", keepwatch.FormatBytes(stored), keepwatch.FormatBytes(info.Size()))}
		if err := r.sink.Note(note); err != nil {
			return err
		}
	}
	if !keepwatch.NamedMailbox(e.Path) {
		return nil
	}
	var bad *pst.HeaderError
	if _, err := pst.ReadHeader(f, info.Size()); errors.As(err, &bad) && (r.p.mail == nil || !headAlone(f, info.Size(), bad)) {
		return r.noMailbox(e, info.Size(), bad)
	}
	return nil
}

// noMailbox notes that a file is no whole Outlook data file. One that is named so and
// begins like one is a mailbox of which something is lost, and whoever hands it in has to
// hear that; what begins otherwise may never have been one.
func (r *reading) noMailbox(e keepwatch.Entry, size int64, bad *pst.HeaderError) error {
	note := keepwatch.Note{Kind: keepwatch.NoteInfo, Path: e.Path, Text: begins + bad.Text}
	const left = " What is left of it can be looked for: `backup show` with its name."
	if keepwatch.NamedMailbox(e.Path) {
		note.Text = "it is named " + strings.ToLower(path.Ext(e.Path)) + ", but is no whole Outlook data file. " + bad.Text + left
		if bad.Rule != pst.RuleMagic {
			note.Kind = keepwatch.NoteMailbox
			note.Mailbox = &keepwatch.Mailbox{Path: e.Path, Size: size, Cut: true, Trouble: "It is no whole Outlook data file. " + bad.Text + " It is kept as it came." + left}
		}
	}
	return r.sink.Note(note)
}

// compare notes a file that changed while it was read. One whose length changed
// is noted by the sink.
func (r *reading) compare(e keepwatch.Entry, seen, before fs.FileInfo, f interface{ Stat() (fs.FileInfo, error) }) error {
	after, err := f.Stat()
	if err != nil {
		return nil
	}
	if after.Size() == before.Size() && !after.ModTime().Equal(before.ModTime()) {
		return r.sink.Note(keepwatch.Note{Kind: keepwatch.NoteChanged, Path: e.Path, Text: "it was written to while it was read; the archive may hold some of the old and some of the new"})
	}
	return nil
}

func (r *reading) done(e keepwatch.Entry) {
	r.items++
	if e.Type == keepwatch.EntryFile {
		r.files++
	}
	r.report(keepwatch.Progress{Items: r.items, Bytes: r.bytes})
}

// links sums up the hard links: each name is stored as a file of its own.
func (r *reading) links() error {
	if r.hardLinks == 0 {
		return nil
	}
	return r.sink.Note(keepwatch.Note{Kind: keepwatch.NoteHardLink, Text: fmt.Sprintf("%s with more than one name; each name is stored as a file of its own", keepwatch.FormatCount(r.hardLinks, "file"))})
}

// counting reads a file, obeys the context and says how far it is.
type counting struct {
	r   *reading
	src io.Reader
}

func (c *counting) Read(p []byte) (int, error) {
	if err := context.Cause(c.r.ctx); err != nil {
		return 0, stopped{err}
	}
	n, err := c.src.Read(p)
	c.r.bytes += int64(n)
	c.r.report(keepwatch.Progress{Items: c.r.items, Bytes: c.r.bytes})
	return n, err
}

// stopped is the end of a read because the run was stopped. It is always seen
// as a cancelled context, whatever stopped it.
type stopped struct{ cause error }

func (s stopped) Error() string        { return s.cause.Error() }
func (s stopped) Unwrap() error        { return s.cause }
func (s stopped) Is(target error) bool { return target == context.Canceled }
