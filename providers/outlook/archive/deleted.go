package archive

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// mostHeld is of how many items the fates are held in memory at once, some 50 bytes of each.
// Where more were in the folders that are looked into, the older archives are read several
// times, each time for some of the items.
const mostHeld = 200_000

// mostParts is into how many parts items are split at most. Their ids differ, so that no
// part of so many is large.
const mostParts = 1 << 20

// Reasons why an item is no longer in its folder, as the server gives them (Item.Removed).
const (
	whyDeleted = "deleted"
	whyMoved   = "changed"
)

// deletions lists what the archives that this one goes on from hold in folders of whose
// items no server tells one by one which are gone: those that were deleted since, and those
// that were read whole this time, since they are calendars, or since the server has forgotten
// how far they were read.
type deletions struct {
	a       *archiving
	to      *lineFile
	most    int
	layers  []chained             // the archives, the newest first
	folders map[string]*standing  // by ID; others are of no interest
	sought  []*standing           // those whose items are looked for, by their numbers
	kinds   map[outlook.Kind]bool // of those that the newest archive has
	fates   map[goneKey]fate
	moved   map[uint64]bool // by the hash of an ID that is in a folder that is looked into: it is in another one now
	told    map[fate]bool   // the archives that have items of which there are lines to be written
	why     error           // why an older archive cannot be read
}

// standing is a folder, as the chain has it.
type standing struct {
	*outlook.FolderState // in this archive
	no                   int32
	sought               bool // it was deleted, or read whole
	deleted              bool
	last                 int // the place in layers of the oldest archive that says what was in it
	whole                bool
	moved                int64 // of the items that are gone from it
}

func isSought(f *standing) bool { return f.sought }

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

// deleted adds the items of deleted folders, and those that folders which were read whole
// have no longer, to the list of what is no longer in its folder. It says of each folder that
// was deleted that it was.
func (a *archiving) deleted(to *lineFile) error {
	d := deletions{a: a, to: to, most: mostHeld, folders: map[string]*standing{}}
	if a.most > 0 {
		d.most = a.most
	}
	for _, f := range a.k.Gone {
		d.seek(&outlook.FolderState{Folder: f}, true)
	}
	for i := range a.state.Folders {
		if f := &a.state.Folders[i]; f.Whole {
			d.seek(f, false)
		}
	}
	if len(d.sought) == 0 {
		return nil
	}
	if err := d.list(); err != nil {
		return err
	}
	for _, s := range d.sought {
		if !s.deleted {
			continue
		}
		a.state.Gone = append(a.state.Gone, *s.FolderState)
		if err := a.info(string(s.Kind)+"/"+s.Title(), d.left(s)+"; "+d.was(s)); err != nil {
			return err
		}
	}
	if d.why == nil {
		return nil
	}
	return a.info(outlook.RemovedPath, "not all that is gone from folders which were deleted, or read whole, is listed, since an older archive cannot be read: "+whyUnread(d.why))
}

// seek has the items of a folder looked for.
func (d *deletions) seek(f *outlook.FolderState, deleted bool) {
	if d.folders[f.ID] == nil {
		s := &standing{FolderState: f, no: int32(len(d.sought)), sought: true, deleted: deleted}
		d.folders[f.ID], d.sought = s, append(d.sought, s)
	}
}

// left says that a folder is no longer there. Nobody deletes one that every mailbox has, and
// a calendar of others may only be shared no longer.
func (d *deletions) left(s *standing) string {
	what := "folder"
	switch {
	case s.ReadOnly && s.Kind == outlook.Calendar:
		what = "calendar of others"
	case !s.Default && s.WellKnown == "":
		return "the folder was deleted since the archive that this one goes on from"
	}
	return "the " + what + " is no longer in the mailbox, and was in the archive that this one goes on from"
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

// errTwice says that a line is of two items.
var errTwice = errors.New("a line has two ids, or two folders")

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
	if len(d.told) == 0 {
		return nil
	}
	return d.cut(d.write())
}

// decide finds what became of the items of a part.
func (d *deletions) decide(no, of uint64) error {
	d.fates, d.moved, d.told = map[goneKey]fate{}, map[uint64]bool{}, nil
	err := d.walk(isSought, func(layer int, removed bool, f *standing, id uint64) error {
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
	kinds := d.keep()
	return d.walk(func(f *standing) bool { return !f.sought && kinds[f.Kind] }, func(layer int, removed bool, f *standing, id uint64) error {
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

// here finds which of the items this archive has still, or has in another folder, and which
// it says are no longer there. One that could not be had is there all the same.
func (d *deletions) here() error {
	for _, s := range d.a.state.Folders {
		if !d.kinds[s.Kind] {
			continue
		}
		f := d.folders[s.ID]
		for r, err := range d.a.spool.Records(s.ID) {
			if err = errors.Join(err, context.Cause(d.a.ctx)); err != nil {
				return err
			}
			id := hashOf([]byte(r.ID))
			if !d.in(id) {
				continue
			}
			if d.moved[id] = true; f != nil && f.sought {
				d.fates[goneKey{f.no, id}] = fateRemoved // not from here
			}
		}
		if f == nil {
			continue
		}
		for it, err := range d.a.spool.Removed(s.ID) {
			if err != nil {
				return err
			}
			id := hashOf([]byte(it.ID))
			switch {
			case !d.in(id):
			case !f.sought:
				d.fates[goneKey{f.no, id}] = fateRemoved
			case it.Removed == whyMoved: // after it was read whole
				d.moved[id] = true
			}
		}
	}
	return context.Cause(d.a.ctx)
}

// keep forgets the items of which no line is to be written, and gives the kinds of the others.
func (d *deletions) keep() map[outlook.Kind]bool {
	kinds, moved := map[outlook.Kind]bool{}, map[uint64]bool{}
	d.told = map[fate]bool{}
	for key, at := range d.fates {
		if at >= 0 {
			moved[key.id], d.told[at], kinds[d.sought[key.folder].Kind] = d.moved[key.id], true, true
		}
	}
	d.moved = moved
	return kinds
}

// in reports whether a folder that is looked into had an item of this hash.
func (d *deletions) in(id uint64) bool {
	_, is := d.moved[id]
	return is
}

// write writes the lines of the items whose fates are known.
func (d *deletions) write() error {
	for i := range d.layers {
		if !d.told[fate(i)] {
			continue
		}
		err := d.each(i, outlook.IndexPath, func(f *standing, id uint64, text []byte) error {
			key := goneKey{f.no, id}
			if at, known := d.fates[key]; !known || at != fate(i) || !f.sought {
				return nil
			}
			var line outlook.Line
			if err := json.Unmarshal(text, &line); err != nil {
				return d.unread(i, outlook.IndexPath, err)
			}
			if line.Folder != f.ID || hashOf([]byte(line.ID)) != id { // a restore would leave out another item for it
				return d.unread(i, outlook.IndexPath, errTwice)
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
