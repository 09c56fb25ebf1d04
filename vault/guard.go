package vault

import (
	"os"
	"path/filepath"
	"slices"

	"keepwatch"
)

// Own names what belongs to Keepwatch itself, so that no restore writes there: an
// archive that holds a file of the key's name would take the key away, and with it
// every archive.
type Own struct {
	Paths []string // folders, with all that is in them, and files; those that are not there do not count
	Free  []string // folders inside of them that restores may go to all the same
}

// guard looks whether a place belongs to Keepwatch. It compares the things
// themselves and not their names, because a name may lead there through a link.
type guard struct {
	own, free []os.FileInfo
	freeNames []string // of those that may not be there yet
	to        string   // the folder that is restored to; empty: it does not exist yet
	dir       string   // the folder that was looked at last
	inOwn     bool     // and what came of it
}

func (o Own) guard(to string) *guard {
	g := &guard{own: infos(o.Paths), free: infos(o.Free)}
	for _, f := range o.Free {
		g.freeNames = append(g.freeNames, resolved(f))
	}
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		g.to = to
	}
	return g
}

func infos(paths []string) (list []os.FileInfo) {
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			list = append(list, info)
		}
	}
	return list
}

// owns reports whether a path is one of Keepwatch's own or lies in one. What is
// not there yet lies where the folder lies in which it would be made.
func (g *guard) owns(path string) bool {
	for real := resolved(path); ; real = filepath.Dir(real) {
		if slices.Contains(g.freeNames, real) {
			return false
		}
		if info, err := os.Stat(real); err == nil {
			is := func(other os.FileInfo) bool { return os.SameFile(info, other) }
			if slices.ContainsFunc(g.free, is) {
				return false
			}
			if slices.ContainsFunc(g.own, is) {
				return true
			}
		}
		if filepath.Dir(real) == real {
			return false
		}
	}
}

// resolved gives a path without links, as far as it exists.
func resolved(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	rest := ""
	for at := path; ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, rest)
		}
		if filepath.Dir(at) == at {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
}

// destination refuses one that is Keepwatch's own, or lies in it.
func (g *guard) destination(to string) error {
	if !g.owns(to) {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindConflict, "Nothing can be restored to %s: that is Keepwatch's own, where its key, its state and the archives lie. Restore to another place.", keepwatch.Printable(to))
}

// entry refuses an entry that would be written to what is Keepwatch's own, which
// lies below a destination. The folder of the last entry is remembered, since
// entries come folder by folder.
func (g *guard) entry(e keepwatch.Entry) error {
	if g.to == "" || len(g.own) == 0 {
		return nil
	}
	at := filepath.Join(g.to, filepath.FromSlash(e.Path))
	if dir := filepath.Dir(at); dir != g.dir {
		g.dir, g.inOwn = dir, g.owns(dir)
	}
	own := g.inOwn
	if info, err := os.Stat(at); err == nil { // a folder of restores in the data folder is free again
		own = own && !slices.ContainsFunc(g.free, func(f os.FileInfo) bool { return os.SameFile(info, f) }) ||
			slices.ContainsFunc(g.own, func(f os.FileInfo) bool { return os.SameFile(info, f) })
	}
	if !own {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindConflict, "The archive holds %s, and in %s that is Keepwatch's own: its key, its state or its archives would be replaced. Nothing was touched. Restore to another place.",
		keepwatch.Printable(e.Path), keepwatch.Printable(g.to))
}
