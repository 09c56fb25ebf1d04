package cpanel

import (
	"archive/tar"
	"io"
	"path"
	"strings"

	"keepwatch"
)

// homeWriter makes a home-directory backup of the entries of a full backup, without
// those that could reach outside of the home directory.
type homeWriter struct {
	tar   *tar.Writer
	home  string
	taken *takenOut
	links map[string]bool // symbolic links that are in it: nothing may be written through one
	block []byte
	holes int64 // bytes of files with holes, at their full lengths
}

const (
	// maxLinks is how many symbolic links are put back. Each is kept in memory.
	maxLinks = 100_000
	// maxHoles is how many bytes files with holes may have in all. They are put back at
	// their full lengths.
	maxHoles = 16 << 30
)

func newHomeWriter(out io.Writer, home string, t *takenOut) *homeWriter {
	return &homeWriter{tar: tar.NewWriter(out), home: path.Clean(home), taken: t, links: map[string]bool{}, block: make([]byte, 64<<10)}
}

// add writes one entry; name is its path in the home directory, clean.
func (w *homeWriter) add(name string, h *tar.Header, content io.Reader) error {
	clean := &tar.Header{
		Name: name, Mode: h.Mode & 0o7777, ModTime: h.ModTime,
		Uid: h.Uid, Gid: h.Gid, Uname: h.Uname, Gname: h.Gname,
	}
	if w.throughLink(name) {
		w.taken.left.add(name, "it would be written through a link")
		return nil
	}
	switch {
	case isFile(h) && hasHoles(h) && h.Size > maxHoles-w.holes:
		w.taken.left.add(name, "a file with holes that would take "+keepwatch.FormatBytes(h.Size))
		return nil
	case isFile(h):
		clean.Typeflag, clean.Size = tar.TypeReg, h.Size
		if hasHoles(h) {
			w.holes += h.Size
		}
	case h.Typeflag == tar.TypeDir:
		clean.Typeflag, clean.Name = tar.TypeDir, name+"/"
	case h.Typeflag == tar.TypeSymlink:
		clean.Typeflag, clean.Linkname = tar.TypeSymlink, h.Linkname
		switch {
		case !w.inside(name, h.Linkname):
			w.taken.left.add(name, "a link that leads out of the home directory")
			return nil
		case len(w.links) >= maxLinks:
			w.taken.left.add(name, "one link too many")
			return nil
		}
		w.links[name] = true
	case h.Typeflag == tar.TypeLink:
		target, ok := w.hardLink(h.Linkname)
		if !ok {
			w.taken.left.add(name, "a hard link to something outside of the home directory")
			return nil
		}
		clean.Typeflag, clean.Linkname = tar.TypeLink, target
	default:
		w.taken.left.add(name, "a device, pipe or socket")
		return nil
	}
	if err := w.tar.WriteHeader(clean); err != nil {
		return err
	}
	w.taken.entries++
	if clean.Typeflag != tar.TypeReg {
		return nil
	}
	n, err := io.CopyBuffer(w.tar, content, w.block)
	w.taken.files, w.taken.bytes = w.taken.files+1, w.taken.bytes+n
	return err
}

// throughLink reports whether a folder of the path, or the path itself, is a link
// that was written before.
func (w *homeWriter) throughLink(name string) bool {
	if len(w.links) == 0 {
		return false
	}
	for i, c := range name {
		if c == '/' && w.links[name[:i]] {
			return true
		}
	}
	return w.links[name]
}

// inside reports whether a symbolic link stays in the home directory. ".." may stand
// at the beginning of what it points to only: behind the name of another link it
// leads nobody knows where.
func (w *homeWriter) inside(name, target string) bool {
	if target == "" {
		return false
	}
	if rest, ok := strings.CutPrefix(target, "/"); ok {
		full := "/" + path.Clean(rest)
		return !hasUp(rest) && (full == w.home || strings.HasPrefix(full, w.home+"/"))
	}
	depth, rest := strings.Count(name, "/"), target
	for strings.HasPrefix(rest+"/", "../") {
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, ".."), "/")
		depth--
	}
	return depth >= 0 && !hasUp(rest)
}

// hardLink gives what a hard link of a full backup points to, as a path in the home
// directory.
func (w *homeWriter) hardLink(target string) (string, bool) {
	clean, ok := cleanName(target)
	if !ok {
		return "", false
	}
	_, name, _ := strings.Cut(clean, "/") // without the top folder
	rel, ok := strings.CutPrefix(name, innerHome+"/")
	return rel, ok && !w.throughLink(rel)
}
