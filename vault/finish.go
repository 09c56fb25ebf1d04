package vault

import (
	"errors"
	"io/fs"
	"path/filepath"

	"keepwatch"
)

// linksAndFolders goes through the list of contents again: it makes the links,
// and then sets the modes and times of folders, which everything before would
// have changed. Folders that keep us out are set at the very end, the deepest
// first.
func (x *extraction) linksAndFolders() error {
	if x.links > 0 {
		if err := x.again(keepwatch.EntryLink, x.link); err != nil {
			return err
		}
	}
	if err := x.again(keepwatch.EntryFolder, x.folder); err != nil {
		return err
	}
	for i := len(x.closed) - 1; i >= 0; i-- {
		e := x.closed[i]
		if err := x.dress(e, x.root, filepath.FromSlash(e.Path)); err != nil {
			x.note(e.Path, "its mode or time could not be set: %v", err)
		}
	}
	return nil
}

// again calls do with the entries of a type that are restored.
func (x *extraction) again(kind keepwatch.EntryType, do func(keepwatch.Entry) error) error {
	return x.f.Contents(x.ctx, func(e keepwatch.Entry) error {
		if e.Type != kind || kind == keepwatch.EntryLink && !x.chosen.has(e.Path) {
			return nil
		}
		return do(e)
	}, nil)
}

// folder sets the mode and time of a folder that was made, even where only
// things below it were asked for.
func (x *extraction) folder(e keepwatch.Entry) error {
	name := filepath.FromSlash(e.Path)
	if !x.ours(name) {
		return nil
	}
	if len(x.ask.Parts) > 0 {
		if info, err := x.root.Lstat(name); err != nil || !info.IsDir() {
			return nil
		}
	}
	if e.Mode&0o700 != 0o700 {
		x.closed = append(x.closed, e)
		return nil
	}
	if err := x.dress(e, x.root, name); err != nil {
		x.note(e.Path, "its mode or time could not be set: %v", err)
	}
	return nil
}

// link makes a symbolic link.
func (x *extraction) link(e keepwatch.Entry) error {
	name := filepath.FromSlash(e.Path)
	if x.reserved(name) {
		return nil // told of when it was met
	}
	dir, err := x.in(filepath.Dir(name))
	if err != nil {
		return x.wrong(e, err)
	}
	base := filepath.Base(name)
	if old, err := dir.Readlink(base); err == nil && old == e.Link {
		x.did(e)
		return nil
	}
	err = dir.Symlink(e.Link, base)
	if errors.Is(err, fs.ErrExist) && x.ask.Overwrite && !x.fresh {
		near := x.hidden + "-link"
		_ = dir.Remove(near)
		if err = dir.Symlink(e.Link, near); err == nil {
			if err = dir.Rename(near, base); err != nil {
				_ = dir.Remove(near)
			}
		}
	}
	if err != nil {
		return x.wrong(e, err)
	}
	x.own(e, dir, base)
	if err := setLinkTime(dir, base, e.ModTime); err != nil {
		x.note(e.Path, "its time could not be set: %v", err)
	}
	x.did(e)
	return nil
}

// fileMode makes Go's mode of Unix's.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	if mode&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if mode&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	if mode&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}
