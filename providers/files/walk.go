package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/providers"
)

// folder visits a folder and all that is in it, sorted by name. The names of
// one folder are in memory at a time, those of the folders above it too; a few of
// them are open. Each folder is opened from the one above it, and each file from its folder
// ([os.Root]), so that nobody who swaps a folder for a link while it is walked
// leads the walk out of the source.
func (p *Provider) folder(ctx context.Context, root string, job providers.Job, v visitor) error {
	top, err := os.OpenRoot(root)
	if err != nil {
		return gone(root, err)
	}
	defer top.Close()
	info, err := top.Stat(".")
	if err != nil {
		return gone(root, err)
	}
	w := &walk{ctx: ctx, v: v, exclude: job.Source.Exclude, parts: cleanParts(job.Parts), device: deviceOf(info)}
	for _, a := range slices.Concat(p.avoid, p.keys) {
		if info, err := os.Stat(a); err == nil {
			w.avoid = append(w.avoid, info)
		}
	}
	for _, part := range w.parts {
		if !fs.ValidPath(part) {
			return keepwatch.Errorf(keepwatch.KindInvalid, "%q is no part of %s. A part is a path below it, such as \"reports/2026\".", part, job.Source.Path)
		}
		if _, err := top.Lstat(filepath.FromSlash(part)); err != nil {
			return gone(filepath.Join(job.Source.Path, part), err)
		}
	}
	if err := v.top(entryOf(".", info)); err != nil {
		return err
	}
	names, err := namesIn(top)
	if err != nil && len(names) == 0 {
		return gone(root, err)
	}
	if err != nil {
		if err := w.missing(".", err); err != nil {
			return err
		}
	}
	if err := w.children(&held{info: info, dir: top}, "", names); err != nil {
		return err
	}
	if w.read == 0 && w.unreadable > 0 {
		return nothing(job.Source.Path)
	}
	return nil
}

// namesIn gives the names in a folder, sorted. With an error it gives those that
// it had read by then.
func namesIn(dir *os.Root) ([]string, error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

func cleanParts(parts []string) []string {
	out := make([]string, len(parts))
	for i, part := range parts {
		out[i] = strings.TrimSuffix(path.Clean(filepath.ToSlash(part)), "/")
	}
	return out
}

// walk is one way through a folder.
type walk struct {
	ctx     context.Context
	v       visitor
	exclude []string
	parts   []string
	avoid   []fs.FileInfo
	device  uint64 // of the folder that is walked

	read, unreadable int64
}

// children visits names in a folder. Where it cannot be opened again on the way
// back from far below, each of those that are left is told of.
func (w *walk) children(folder *held, rel string, names []string) error {
	for _, name := range names {
		if err := context.Cause(w.ctx); err != nil {
			return err
		}
		at := path.Join(rel, name)
		dir, err := folder.open()
		if err != nil {
			err = w.missing(at, err)
		} else {
			err = w.one(folder, place{dir, name}, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// one visits one name, and what is below it.
func (w *walk) one(folder *held, at place, rel string) error {
	if !w.inParts(rel) {
		return nil
	}
	if w.excluded(rel) {
		return w.note(keepwatch.NoteExcluded, rel, "left out by the configuration")
	}
	info, err := at.dir.Lstat(at.name)
	if err != nil {
		return w.missing(rel, err)
	}
	switch {
	case info.IsDir():
		return w.dir(folder, at, rel, info)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := at.dir.Readlink(at.name)
		if err != nil {
			return w.missing(rel, err)
		}
		e := entryOf(rel, info)
		e.Link = target
		return w.visit(at, e, info)
	case info.Mode().IsRegular() && w.own(info):
		return w.note(keepwatch.NoteExcluded, rel, "left out: Keepwatch's own key or state")
	case info.Mode().IsRegular():
		return w.visit(at, entryOf(rel, info), info)
	}
	return w.note(keepwatch.NoteSpecial, rel, special(info.Mode())+", left out")
}

// own reports whether something is the bot's own.
func (w *walk) own(info fs.FileInfo) bool {
	return slices.ContainsFunc(w.avoid, func(a fs.FileInfo) bool { return os.SameFile(a, info) })
}

func (w *walk) visit(at place, e keepwatch.Entry, info fs.FileInfo) error {
	w.read++
	return w.v.entry(at, e, info)
}

func (w *walk) dir(folder *held, at place, rel string, info fs.FileInfo) error {
	if w.own(info) {
		return w.note(keepwatch.NoteExcluded, rel, "left out: Keepwatch's own data")
	}
	dir, names, err := at.list(info)
	if err != nil {
		if err := w.missing(rel, err); err != nil {
			return err
		}
	}
	inside := folder.below(at.name, info, dir)
	defer inside.close()
	above := w.device
	defer func() { w.device = above }()
	if w.device = deviceOf(info); w.device != above {
		if err := w.note(keepwatch.NoteMount, rel, "another file system is mounted here; it was read too"); err != nil {
			return err
		}
	}
	// where it cannot be read, the folder itself is kept
	if err := w.v.entry(at, entryOf(rel, info), info); err != nil {
		return err
	}
	if err == nil {
		w.read++
	}
	return w.children(inside, rel, names)
}

// list opens a folder that was seen at a place and gives the names in it; with
// an error, those that could be read.
func (at place) list(seen fs.FileInfo) (*os.Root, []string, error) {
	dir, err := at.enter(seen)
	if err != nil {
		return nil, nil, err
	}
	names, err := namesIn(dir)
	return dir, names, err
}

// enter opens the folder that was seen at a place.
func (at place) enter(seen fs.FileInfo) (*os.Root, error) {
	dir, err := at.dir.OpenRoot(at.name)
	if err != nil {
		return nil, err
	}
	info, err := dir.Stat(".")
	if err == nil && !os.SameFile(info, seen) {
		err = errSwapped
	}
	if err != nil {
		_ = dir.Close()
		return nil, err
	}
	return dir, nil
}

// errSwapped is a folder that was replaced by another, or by a link, since it
// was listed.
var errSwapped = errors.New("something else was put in its place while it was read")

// missing notes what could not be looked at.
func (w *walk) missing(rel string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return w.note(keepwatch.NoteVanished, rel, "it was gone before it could be read")
	}
	w.unreadable++
	return w.note(keepwatch.NoteUnreadable, rel, cause(err))
}

func (w *walk) note(kind keepwatch.NoteKind, rel, text string) error {
	return w.v.note(keepwatch.Note{Kind: kind, Path: rel, Text: text})
}

// inParts reports whether a path is asked for, or leads to what is.
func (w *walk) inParts(rel string) bool {
	return len(w.parts) == 0 || slices.ContainsFunc(w.parts, func(part string) bool {
		return part == "." || rel == part || strings.HasPrefix(rel, part+"/") || strings.HasPrefix(part, rel+"/")
	})
}

// excluded reports whether a pattern of the configuration matches.
func (w *walk) excluded(rel string) bool {
	return keepwatch.Source{Exclude: w.exclude}.Excludes(rel)
}

// entryOf makes the entry of a file as it was when it was looked at.
func entryOf(rel string, info fs.FileInfo) keepwatch.Entry {
	e := keepwatch.Entry{Path: rel, Type: keepwatch.EntryFile, Mode: unixMode(info.Mode()), ModTime: info.ModTime().UTC()}
	e.UID, e.GID = owner(info)
	switch {
	case info.IsDir():
		e.Type = keepwatch.EntryFolder
	case info.Mode()&fs.ModeSymlink != 0:
		e.Type = keepwatch.EntryLink
	default:
		e.Size = info.Size()
	}
	return e
}

// unixMode makes Unix's mode of Go's.
func unixMode(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		mode |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		mode |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		mode |= 0o1000
	}
	return mode
}

// special names what is no ordinary file.
func special(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "no ordinary file"
}

// cause gives the reason in an error of the file system, without the path.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
