// Package files backs up folders, single files and drop folders of this
// machine.
//
// A folder becomes a tree, read in sorted order and in one pass. Links are kept
// as links and not followed; only where the source's own path is a link, what it
// points to is backed up, and that is noted. What cannot be read, changes meanwhile or is no
// ordinary file is noted and never stops the rest. A file that is handed in
// (alone, or in a drop folder) must be what its name says.
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/pst"
)

// Config says what the provider must leave alone.
type Config struct {
	Avoid []string     // the bot's own folders: left out where they lie in a source, and no source themselves
	Keys  []string     // the bot's own key and state: likewise, wherever they lie
	Mail  Lister       // looks into Outlook data files; nil: only their headers are looked at
	Log   *slog.Logger // nil: silent
}

// Lister looks into Outlook data files.
type Lister interface {
	// List says what is inside one: its folders, and what of it is damaged. An error
	// means that it was stopped; what is wrong with the file is in the Mailbox.
	List(ctx context.Context, r io.ReaderAt, size int64) (keepwatch.Mailbox, error)
}

// Provider is a providers.Provider for this machine's files.
type Provider struct {
	avoid []string
	keys  []string
	mail  Lister
	log   *slog.Logger
	open  func(at place) (*os.File, error) // tests make it fail
}

// New makes one.
func New(cfg Config) *Provider {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Provider{avoid: cfg.Avoid, keys: cfg.Keys, mail: cfg.Mail, log: cfg.Log, open: openQuietly}
}

// Plan measures what there is to read.
func (p *Provider) Plan(ctx context.Context, job providers.Job) (keepwatch.Plan, error) {
	var plan keepwatch.Plan
	err := p.each(ctx, job, visitor{
		entry: func(_ place, e keepwatch.Entry, _ fs.FileInfo) error {
			plan.Items++
			plan.Bytes += e.Size
			if plan.Items%1000 == 0 {
				job.Report(keepwatch.Progress{Items: plan.Items, Bytes: plan.Bytes})
			}
			return nil
		},
		top:  func(keepwatch.Entry) error { return nil },
		note: func(keepwatch.Note) error { return nil },
	})
	return plan, err
}

// Fetch reads it into sink.
func (p *Provider) Fetch(ctx context.Context, job providers.Job, sink providers.Sink) error {
	r := &reading{p: p, ctx: ctx, sink: sink, report: job.Report}
	err := p.each(ctx, job, visitor{
		entry:  func(at place, e keepwatch.Entry, info fs.FileInfo) error { return r.store(at, e, info, false) },
		single: func(at place, e keepwatch.Entry, info fs.FileInfo) error { return r.store(at, e, info, true) },
		top:    sink.Top,
		note:   sink.Note,
	})
	if err != nil {
		return err
	}
	if r.files == 0 && r.unread > 0 {
		return nothing(job.Source.Path)
	}
	return r.links()
}

// place is where a name is: the folder that it is in, which is held open, so that
// it stays the same folder whatever becomes of the names above it.
type place struct {
	dir  *os.Root
	name string
}

// visitor is told what there is. single is for files that are stored on their
// own; where it is nil, entry takes them.
type visitor struct {
	entry  func(at place, e keepwatch.Entry, info fs.FileInfo) error
	single func(at place, e keepwatch.Entry, info fs.FileInfo) error
	top    func(e keepwatch.Entry) error // of the folder that is walked
	note   func(keepwatch.Note) error
	quick  bool // somebody waits: no file is read through to find out what it is
}

// each goes through what a job asks for.
func (p *Provider) each(ctx context.Context, job providers.Job, v visitor) error {
	if v.single == nil {
		v.single = v.entry
	}
	root, info, err := p.look(job.Source.Path)
	if err != nil {
		return err
	}
	if link, err := os.Lstat(job.Source.Path); err == nil && link.Mode()&fs.ModeSymlink != 0 {
		if err := v.note(keepwatch.Note{Kind: keepwatch.NoteInfo, Text: "the path of the source is a link; what it points to was backed up: " + keepwatch.Printable(root)}); err != nil {
			return err
		}
	}
	switch {
	case info.Mode().IsRegular():
		if len(job.Parts) > 0 {
			return keepwatch.Errorf(keepwatch.KindInvalid, "%s is a single file; it has no parts.", job.Source.Path)
		}
		dir, err := os.OpenRoot(filepath.Dir(root))
		if err != nil {
			return gone(root, err)
		}
		defer dir.Close()
		return p.handedIn(ctx, place{dir, filepath.Base(root)}, root, v)
	case job.Source.Drop && len(job.Parts) > 0:
		dir, err := os.OpenRoot(root)
		if err != nil {
			return gone(root, err)
		}
		defer dir.Close()
		for _, part := range job.Parts {
			if err := p.dropped(ctx, dir, part, v); err != nil {
				return err
			}
		}
		return nil
	}
	return p.folder(ctx, root, job, v)
}

// look finds what a source's path leads to, and refuses what is no source.
func (p *Provider) look(name string) (root string, info fs.FileInfo, err error) {
	root, err = filepath.EvalSymlinks(name)
	if err != nil {
		return "", nil, gone(name, err)
	}
	info, err = os.Stat(root)
	switch {
	case err != nil:
		return "", nil, gone(root, err)
	case among(info, p.avoid) || among(info, p.keys):
		return "", nil, keepwatch.Errorf(keepwatch.KindInvalid, "%s is Keepwatch's own: backing it up would seal the key into an archive that only that key opens. Copy the key file by hand to another place; `bot state backup FILE` copies the state.", name)
	case !info.IsDir() && !info.Mode().IsRegular():
		return "", nil, keepwatch.Errorf(keepwatch.KindInvalid, "%s is neither a folder nor a file: it cannot be backed up.", name)
	}
	return root, info, nil
}

// Check says why a path can be no source as it is now: it is not there, is
// Keepwatch's own, or is a file that is not what its name says. Nil is no promise
// that all of it can be read.
func (p *Provider) Check(name string) error {
	root, info, err := p.look(name)
	if err != nil || info.IsDir() {
		return err
	}
	dir, err := os.OpenRoot(filepath.Dir(root))
	if err != nil {
		return gone(root, err)
	}
	defer dir.Close()
	return p.handedIn(context.Background(), place{dir, filepath.Base(root)}, root, visitor{
		quick:  true,
		single: func(place, keepwatch.Entry, fs.FileInfo) error { return nil },
		note:   func(keepwatch.Note) error { return nil },
	})
}

// among reports whether a file or folder is one of those that are named.
func among(info fs.FileInfo, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		other, err := os.Stat(name)
		return err == nil && os.SameFile(info, other)
	})
}

// gone says that a source is not where it should be.
func gone(name string, err error) error {
	name = keepwatch.Printable(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return keepwatch.Errorf(keepwatch.KindAttention, "There is nothing at %s. If it is on another disk or a network share, connect that, then retry.", name).Because(err)
	case errors.Is(err, fs.ErrPermission):
		return keepwatch.Errorf(keepwatch.KindAttention, "Keepwatch may not read %s. Give its user the right to, then retry.", name).Because(err)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s cannot be read (%v).", name, err).Because(err)
}

// nothing says that an archive of a source would be worth nothing.
func nothing(path string) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "Nothing in %s could be read. Give Keepwatch's user the right to, then retry.", path)
}

// handedIn visits a file that stands alone, after a look at whether it is what
// its name says. name is its whole path, for sentences.
func (p *Provider) handedIn(ctx context.Context, at place, name string, v visitor) error {
	f, err := p.open(at)
	if err != nil {
		return gone(name, err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(gone(name, err), f.Close())
	}
	said, err := p.recognise(ctx, f, filepath.Base(name), info.Size(), v.quick)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if said != "" {
		if err := v.note(keepwatch.Note{Kind: keepwatch.NoteInfo, Path: filepath.Base(name), Text: said}); err != nil {
			return err
		}
	}
	return v.single(at, entryOf(filepath.Base(name), info), info)
}

// dropped visits one file of a drop folder.
func (p *Provider) dropped(ctx context.Context, root *os.Root, part string, v visitor) error {
	if !fs.ValidPath(filepath.ToSlash(part)) || part == "." {
		return keepwatch.Errorf(keepwatch.KindInvalid, "%q is no file of the drop folder %s.", part, root.Name())
	}
	at := place{root, filepath.FromSlash(part)}
	name := filepath.Join(root.Name(), at.name)
	info, err := root.Lstat(at.name)
	if err == nil && info.Mode().IsRegular() {
		var f *os.File
		if f, err = p.open(at); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		return refused(name, err)
	}
	if !info.Mode().IsRegular() {
		return keepwatch.Errorf(keepwatch.KindInvalid, "%s is no ordinary file; a drop folder takes in files only.", keepwatch.Printable(name))
	}
	return p.handedIn(ctx, at, name, v)
}

// refused says that a dropped file cannot be taken in. Its run fails and does not
// wait for anybody, because the files dropped after it would wait with it.
func refused(name string, err error) error {
	return keepwatch.Errorf(keepwatch.KindInvalid, "%s cannot be read (%s), so it was not taken in. Once that is mended it is tried again.", keepwatch.Printable(name), cause(err)).Because(err)
}

// remarks says what is worth knowing about the header of an Outlook data file. What
// is inside is told elsewhere, where somebody looks.
func (p *Provider) remarks(h pst.Header, size int64, named bool) string {
	said := fmt.Sprintf("Outlook data file (%s, version %d, %s, %s)", h.Format, h.Version, keepwatch.FormatBytes(size), h.Crypt)
	odd := ""
	if h.Excess > 0 {
		odd += fmt.Sprintf("; it is %s longer than its header says", keepwatch.FormatCount(h.Excess, "byte"))
	}
	if !h.MapsValid {
		odd += "; Outlook did not close it properly, and will mend it when it opens it"
	}
	if !named {
		odd += "; its name does not say so"
	}
	if p.mail != nil && odd == "" {
		return ""
	}
	return said + odd
}

// openQuietly opens a file for reading without waiting for a pipe's other end.
// A link in its place leads no further than its folder, and whoever reads sees
// that it is another file than was listed.
func openQuietly(at place) (*os.File, error) {
	return at.dir.OpenFile(at.name, os.O_RDONLY|quietFlags, 0)
}
