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
// one folder are in memory at a time, those of the folders above it too.
func (p *Provider) folder(ctx context.Context, root string, job providers.Job, v visitor) error {
	w := &walk{ctx: ctx, root: root, v: v, exclude: job.Source.Exclude, parts: cleanParts(job.Parts), device: deviceOf(root)}
	for _, a := range p.avoid {
		if info, err := os.Stat(a); err == nil {
			w.avoid = append(w.avoid, info)
		}
	}
	for _, part := range w.parts {
		if !fs.ValidPath(part) {
			return keepwatch.Errorf(keepwatch.KindInvalid, "%q is no part of %s. A part is a path below it, such as \"reports/2026\".", part, job.Source.Path)
		}
		if _, err := os.Lstat(filepath.Join(root, filepath.FromSlash(part))); err != nil {
			return gone(filepath.Join(job.Source.Path, part), err)
		}
	}
	names, err := os.ReadDir(root)
	if err != nil {
		return gone(root, err)
	}
	if err := w.children(root, "", names); err != nil {
		return err
	}
	if w.read == 0 && w.unreadable > 0 {
		return nothing(job.Source.Path)
	}
	return nil
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
	root    string
	v       visitor
	exclude []string
	parts   []string
	avoid   []fs.FileInfo
	device  uint64 // of the folder that is walked

	read, unreadable int64
}

func (w *walk) children(dir, rel string, names []fs.DirEntry) error {
	for _, d := range names {
		if err := context.Cause(w.ctx); err != nil {
			return err
		}
		if err := w.one(filepath.Join(dir, d.Name()), path.Join(rel, d.Name())); err != nil {
			return err
		}
	}
	return nil
}

// one visits one name, and what is below it.
func (w *walk) one(name, rel string) error {
	if !w.inParts(rel) {
		return nil
	}
	if w.excluded(rel) {
		return w.note(keepwatch.NoteExcluded, rel, "left out by the configuration")
	}
	info, err := os.Lstat(name)
	if err != nil {
		return w.missing(rel, err)
	}
	switch {
	case info.IsDir():
		return w.dir(name, rel, info)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(name)
		if err != nil {
			return w.missing(rel, err)
		}
		e := entryOf(rel, info)
		e.Link = target
		return w.visit(name, e, info)
	case info.Mode().IsRegular():
		return w.visit(name, entryOf(rel, info), info)
	}
	return w.note(keepwatch.NoteSpecial, rel, special(info.Mode())+", left out")
}

func (w *walk) visit(name string, e keepwatch.Entry, info fs.FileInfo) error {
	w.read++
	return w.v.entry(name, e, info)
}

func (w *walk) dir(name, rel string, info fs.FileInfo) error {
	if slices.ContainsFunc(w.avoid, func(a fs.FileInfo) bool { return os.SameFile(a, info) }) {
		return w.note(keepwatch.NoteExcluded, rel, "left out: Keepwatch's own data")
	}
	names, err := os.ReadDir(name)
	if err != nil {
		if err := w.missing(rel, err); err != nil {
			return err
		}
		names = nil // the folder itself is kept
	}
	above := w.device
	defer func() { w.device = above }()
	if w.device = deviceOf(name); w.device != above {
		if err := w.note(keepwatch.NoteMount, rel, "another file system is mounted here; it was read too"); err != nil {
			return err
		}
	}
	if err := w.v.entry(name, entryOf(rel, info), info); err != nil {
		return err
	}
	if err == nil {
		w.read++
	}
	return w.children(name, rel, names)
}

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

// excluded reports whether a pattern of the configuration matches: its last
// part alone for a pattern without a slash, the whole path otherwise.
func (w *walk) excluded(rel string) bool {
	return slices.ContainsFunc(w.exclude, func(pattern string) bool {
		pattern = strings.Trim(pattern, "/")
		against := rel
		if !strings.Contains(pattern, "/") {
			against = path.Base(rel)
		}
		hit, _ := path.Match(pattern, against)
		return hit
	})
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
