package archive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"keepwatch/providers/outlook"
)

// chained is an archive of the chain.
type chained struct {
	ref     string
	changes bool           // it holds changes alone
	has     map[int32]bool // numbers of the folders of which there are lines in its index
}

// chain finds the archives, and in which of them each folder begins. None is opened that says
// nothing of the folders.
func (d *deletions) chain() error {
	seen := map[string]bool{}
	for ref := d.a.k.Base; ref != "" && !seen[ref]; {
		seen[ref] = true
		s, err := d.a.stateOf(ref)
		if err != nil {
			return d.cut(olderError{len(d.layers), err})
		}
		if len(d.layers) == 0 {
			d.choose(s)
		}
		l := chained{ref, s.Base != "", map[int32]bool{}}
		for _, fs := range s.Folders {
			if f := d.folders[fs.ID]; f != nil && !f.whole {
				f.last, f.whole = len(d.layers), fs.Whole
				l.has[f.no] = fs.Kept+fs.Missing > 0
			}
		}
		d.layers = append(d.layers, l)
		if ref = s.Base; d.begun() {
			break
		}
	}
	return nil
}

// choose leaves out folders that the archive which this one goes on from does not have:
// nothing is gone from them since. It takes in those that items may have been moved into,
// but for those that are whole: of them the chain says nothing that counts.
func (d *deletions) choose(base outlook.State) {
	is := map[string]bool{}
	for _, f := range base.Folders {
		is[f.ID] = true
	}
	d.kinds = map[outlook.Kind]bool{}
	for id, f := range d.folders {
		if !is[id] {
			delete(d.folders, id)
			continue
		}
		d.kinds[f.Kind] = true
	}
	no := int32(len(d.sought))
	for i := range d.a.state.Folders {
		if f := &d.a.state.Folders[i]; !f.Whole && d.kinds[f.Kind] && d.folders[f.ID] == nil {
			d.folders[f.ID] = &standing{FolderState: f, no: no}
			no++
		}
	}
}

// begun reports whether an archive was found for each folder that has all that was in it.
func (d *deletions) begun() bool {
	for _, f := range d.folders {
		if !f.whole {
			return false
		}
	}
	return true
}

// olderError is of an archive of the chain that cannot be read.
type olderError struct {
	layer int
	err   error
}

func (e olderError) Error() string { return e.err.Error() }
func (e olderError) Unwrap() error { return e.err }

// cut leaves out an archive that cannot be read, and those that it goes on from. It gives
// all other errors back, and that of a job that was stopped.
func (d *deletions) cut(err error) error {
	var old olderError
	if !errors.As(err, &old) {
		return err
	}
	if cause := context.Cause(d.a.ctx); cause != nil {
		return cause
	}
	if d.layers = d.layers[:min(old.layer, len(d.layers))]; d.why == nil {
		d.why = old.err
	}
	return nil
}

// walk gives all that the chain says of the items of some folders, the newest archive first,
// and of each what it removed first.
func (d *deletions) walk(which func(*standing) bool, fn func(layer int, removed bool, f *standing, id uint64) error) error {
	for i := range d.layers {
		for _, path := range []string{outlook.RemovedPath, outlook.IndexPath} {
			if !d.needs(i, path, which) {
				continue
			}
			err := d.each(i, path, func(f *standing, id uint64, _ []byte) error {
				if which(f) && i <= f.last {
					return fn(i, path == outlook.RemovedPath, f, id)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// needs reports whether a file of an archive says what was in one of these folders. What was
// removed from one counts only where an older archive may have it.
func (d *deletions) needs(layer int, path string, which func(*standing) bool) bool {
	l := d.layers[layer]
	for _, f := range d.folders {
		switch {
		case !which(f):
		case path == outlook.IndexPath && layer <= f.last && l.has[f.no], path == outlook.RemovedPath && layer < f.last && l.changes:
			return true
		}
	}
	return false
}

// maxLine is how long a line of an index may be, in bytes.
const maxLine = 32 << 20

// each gives the lines of a file of an archive of the chain that are of known folders, with
// the hashes of the items' ids. A line is good until fn returns. What fn gives back comes as
// it is, and that the file cannot be read as an olderError.
func (d *deletions) each(layer int, path string, fn func(f *standing, id uint64, line []byte) error) error {
	var failed error
	err := d.a.older(d.layers[layer].ref, path, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 64<<10), maxLine)
		for lines.Scan() {
			id, folder, err := named(lines.Bytes())
			if err != nil {
				return err
			}
			if f := d.folders[string(folder)]; f != nil {
				if failed = fn(f, hashOf(id), lines.Bytes()); failed != nil {
					return failed
				}
			}
		}
		return lines.Err()
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return d.unread(layer, path, err)
	}
	return nil
}

// unread says that a file of an archive of the chain cannot be read.
func (d *deletions) unread(layer int, path string, err error) error {
	return olderError{layer, fmt.Errorf("read %s of %s: %w", path, d.layers[layer].ref, err)}
}

// named gives the ID and the folder of a line. There may be millions of lines, most of them
// of other folders: one that begins as Keepwatch writes it is read no further.
func named(line []byte) (id, folder []byte, err error) {
	if rest, ok := bytes.CutPrefix(line, []byte(`{"id":"`)); ok {
		id, rest, _ = bytes.Cut(rest, []byte(`","folder":"`))
		folder, _, ok = bytes.Cut(rest, []byte(`"`))
		if ok && !bytes.ContainsAny(id, `"\\`) && !bytes.ContainsRune(folder, '\\') {
			return id, folder, nil
		}
	}
	var n struct {
		ID     string `json:"id"`
		Folder string `json:"folder"`
	}
	err = json.Unmarshal(line, &n)
	return []byte(n.ID), []byte(n.Folder), err
}
