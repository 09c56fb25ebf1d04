package archive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// mostHeld is of how many items the fates are held in memory at once, some 50 bytes of each.
// Where folders with more were deleted, the older archives are read several times, each time
// for some of the items.
const mostHeld = 200_000

// mostParts is into how many parts items are split at most. Their ids differ, so that no
// part of so many is large.
const mostParts = 1 << 20

// Reasons why an item is no longer in its folder, as the server gives them (Item.Removed).
const (
	whyDeleted = "deleted"
	whyMoved   = "changed"
)

// deletions lists what the archives that this one goes on from hold in folders that were
// deleted since: no server tells of the items of such a folder one by one.
type deletions struct {
	a       *archiving
	to      *lineFile
	most    int
	layers  []chained            // the archives, the newest first
	folders map[string]*standing // by ID; others are of no interest
	gone    []*standing          // those that were deleted
	fates   map[goneKey]fate
	moved   map[uint64]bool // by the hash of an ID that is in a deleted folder: it is in another one now
	why     error           // why an older archive cannot be read
}

// chained is an archive of the chain.
type chained struct {
	ref     string
	changes bool // it holds changes alone
}

// standing is a folder, as the chain has it.
type standing struct {
	outlook.FolderState
	no      int32
	deleted bool
	last    int // the place in layers of the oldest archive that says what was in it
	whole   bool
	moved   int64 // of the items that are gone from it
}

// goneKey names an item in a folder: the number of that, and the hash of the item's ID.
type goneKey struct {
	folder int32
	id     uint64
}

// fate is the newest word of the chain about an item in a folder: the place of the archive
// in layers, or one of those below.
type fate int32

const (
	fateRemoved fate = -1 // it was taken out of the folder
	fateTold    fate = -2 // its line was written
)

// hashOf is 64 bits of an ID, the same in every attempt.
func hashOf(id []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(id)
	return h.Sum64()
}

// deleted adds the items of deleted folders to the list of what is no longer in its folder,
// and says of each such folder that it was deleted.
func (a *archiving) deleted(to *lineFile) error {
	d := deletions{a: a, to: to, most: mostHeld, folders: map[string]*standing{}}
	if a.most > 0 {
		d.most = a.most
	}
	for _, f := range a.k.Gone {
		if d.folders[f.ID] == nil {
			s := &standing{FolderState: outlook.FolderState{Folder: f}, no: int32(len(d.folders)), deleted: true}
			d.folders[f.ID], d.gone = s, append(d.gone, s)
		}
	}
	if len(d.gone) == 0 {
		return nil
	}
	for _, f := range a.state.Folders { // of one that is whole the chain says nothing that counts
		if !f.Whole && d.folders[f.ID] == nil {
			d.folders[f.ID] = &standing{FolderState: outlook.FolderState{Folder: f.Folder}, no: int32(len(d.folders))}
		}
	}
	if err := d.list(); err != nil {
		return err
	}
	for _, s := range d.gone {
		a.state.Gone = append(a.state.Gone, s.FolderState)
		if err := a.info(string(s.Kind)+"/"+s.Title(), "the folder was deleted since the archive that this one goes on from; "+d.was(s)); err != nil {
			return err
		}
	}
	if d.why == nil {
		return nil
	}
	return a.info(outlook.RemovedPath, "not all that was in deleted folders is listed, since an older archive cannot be read: "+whyUnread(d.why))
}

// was says what was in a folder.
func (d *deletions) was(s *standing) string {
	switch {
	case s.Gone == 0 && d.why != nil:
		return "what was in it is not known"
	case s.Gone == 0:
		return "nothing was in it"
	}
	text := outlook.RemovedPath + " lists what was in it: " + keepwatch.FormatCount(s.Gone, "item")
	if d.why != nil {
		text = outlook.RemovedPath + " lists what is known of it: " + keepwatch.FormatCount(s.Gone, "item")
	}
	if s.moved > 0 {
		text += ", of which " + keepwatch.FormatCount(s.moved, "") + " had been moved into other folders"
	}
	return text
}

// list writes the lines.
func (d *deletions) list() error {
	if d.a.p.cfg.Older == nil {
		d.why = keepwatch.Errorf(keepwatch.KindAttention, "Older archives cannot be opened here.")
		return nil
	}
	if err := d.chain(); err != nil {
		return err
	}
	return d.part(0, 1)
}

// chain finds the archives, and in which of them each folder begins.
func (d *deletions) chain() error {
	seen := map[string]bool{}
	for ref := d.a.k.Base; ref != "" && !seen[ref]; {
		seen[ref] = true
		s, err := d.a.stateOf(ref)
		if err != nil {
			return d.cut(olderError{len(d.layers), err})
		}
		for _, fs := range s.Folders {
			if f := d.folders[fs.ID]; f != nil && !f.whole {
				f.last, f.whole = len(d.layers), fs.Whole
			}
		}
		d.layers = append(d.layers, chained{ref, s.Base != ""})
		ref = s.Base
	}
	return nil
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

// errMany says that there are more items than are held in memory.
var errMany = errors.New("there are too many items")

// part writes the lines of those items of whose ids the hash leaves no when divided by of.
func (d *deletions) part(no, of uint64) error {
	for {
		err := d.decide(no, of)
		if errors.Is(err, errMany) {
			d.fates, d.moved = nil, nil
			if err := d.part(no, 2*of); err != nil {
				return err
			}
			return d.part(no+of, 2*of)
		}
		if err == nil {
			break
		}
		if err := d.cut(err); err != nil {
			return err
		}
	}
	if len(d.moved) == 0 {
		return nil
	}
	return d.cut(d.write())
}

// decide finds what became of the items of a part.
func (d *deletions) decide(no, of uint64) error {
	d.fates, d.moved = map[goneKey]fate{}, map[uint64]bool{}
	err := d.walk(true, func(layer int, removed bool, f *standing, id uint64) error {
		key := goneKey{f.no, id}
		if _, known := d.fates[key]; known || id%of != no {
			return nil
		}
		if len(d.fates) >= d.most && of < mostParts {
			return errMany
		}
		d.fates[key] = fateRemoved
		if !removed {
			d.fates[key], d.moved[id] = fate(layer), false
		}
		return nil
	})
	if err != nil || len(d.moved) == 0 {
		return err
	}
	if err := d.here(); err != nil {
		return err
	}
	return d.walk(false, func(layer int, removed bool, f *standing, id uint64) error {
		key := goneKey{f.no, id}
		if _, ours := d.moved[id]; !ours {
			return nil
		}
		if _, known := d.fates[key]; known {
			return nil
		}
		d.fates[key] = fateRemoved
		if !removed {
			d.fates[key], d.moved[id] = fate(layer), true
		}
		return nil
	})
}

// here finds which of the items this archive has in another folder, and which it says are
// no longer there.
func (d *deletions) here() error {
	for _, s := range d.a.state.Folders {
		for r, err := range d.a.spool.Records(s.ID) {
			if err = errors.Join(err, context.Cause(d.a.ctx)); err != nil {
				return err
			}
			if id := hashOf([]byte(r.ID)); d.in(id) {
				d.moved[id] = true
			}
		}
		f := d.folders[s.ID]
		if f == nil {
			continue
		}
		for it, err := range d.a.spool.Removed(s.ID) {
			if err != nil {
				return err
			}
			if id := hashOf([]byte(it.ID)); d.in(id) {
				d.fates[goneKey{f.no, id}] = fateRemoved
			}
		}
	}
	return context.Cause(d.a.ctx)
}

// in reports whether a deleted folder has an item of this hash.
func (d *deletions) in(id uint64) bool {
	_, is := d.moved[id]
	return is
}

// walk gives all that the chain says of the items of folders that were deleted, or of the
// others, the newest archive first, and of each what it removed first.
func (d *deletions) walk(deleted bool, fn func(layer int, removed bool, f *standing, id uint64) error) error {
	for i, l := range d.layers {
		if !d.needs(i, deleted) {
			continue
		}
		for _, path := range []string{outlook.RemovedPath, outlook.IndexPath} {
			removed := path == outlook.RemovedPath
			if removed && !l.changes {
				continue
			}
			err := d.each(i, path, func(f *standing, id uint64, _ []byte) error {
				if f.deleted == deleted && i <= f.last {
					return fn(i, removed, f, id)
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

// needs reports whether an archive says what was in one of these folders.
func (d *deletions) needs(layer int, deleted bool) bool {
	for _, f := range d.folders {
		if f.deleted == deleted && layer <= f.last {
			return true
		}
	}
	return false
}

// write writes the lines of the items whose fates are known.
func (d *deletions) write() error {
	for i := range d.layers {
		if !d.needs(i, true) {
			continue
		}
		err := d.each(i, outlook.IndexPath, func(f *standing, id uint64, text []byte) error {
			key := goneKey{f.no, id}
			if at, known := d.fates[key]; !known || at != fate(i) || !f.deleted {
				return nil
			}
			var line outlook.Line
			if err := json.Unmarshal(text, &line); err != nil {
				return d.unread(i, outlook.IndexPath, err)
			}
			d.fates[key] = fateTold
			it := line.Item
			it.Raw, it.Removed = nil, whyDeleted // all else of it is in the older archive
			if d.moved[id] {
				it.Removed = whyMoved
				f.moved++
			}
			f.Gone++
			return d.a.disk(d.to.add(outlook.Line{Item: it, In: f.Path}))
		})
		if err != nil {
			return err
		}
	}
	return nil
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
