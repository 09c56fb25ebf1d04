package archive

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// maxKnown is of how many removed items an archive of changes says more than their ids: all
// that are looked up are held in memory.
const maxKnown = 50_000

// goneItem names an item in a folder.
type goneItem struct{ folder, id string }

// removed stores the list of what is no longer in its folder.
func (a *archiving) removed(t *tree) error {
	l, err := newLineFile(a.dir, outlook.RemovedPath)
	if err != nil {
		return a.disk(err)
	}
	known, err := a.known()
	if err != nil {
		return errors.Join(err, l.remove())
	}
	for i := range a.state.Folders {
		s := &a.state.Folders[i]
		if s.Whole {
			continue
		}
		if err := a.goneFrom(t.byID[s.ID], s, known, l); err != nil {
			return errors.Join(err, l.remove())
		}
	}
	if err := a.deleted(l); err != nil {
		return errors.Join(err, l.remove())
	}
	return a.lines(outlook.RemovedPath, l)
}

// goneFrom writes the lines of a folder.
func (a *archiving) goneFrom(at *place, s *outlook.FolderState, known map[goneItem]*outlook.Item, l *lineFile) error {
	for it, err := range a.spool.Removed(s.ID) {
		if err != nil {
			return err
		}
		if k := known[goneItem{s.ID, it.ID}]; k != nil && it.Subject == "" && it.At.IsZero() {
			why := it.Removed
			it = *k
			it.Removed = why
		}
		s.Gone++
		if err := l.add(outlook.Line{Item: it, In: at.Path}); err != nil {
			return a.disk(err)
		}
	}
	return context.Cause(a.ctx)
}

// known looks up in the indexes of the archives that this one goes on from what the removed
// items were; of one that is not found its ID is all that is known. An archive that cannot
// be read is a note: the list is right without it.
func (a *archiving) known() (map[goneItem]*outlook.Item, error) {
	wanted := map[goneItem]*outlook.Item{}
	for _, s := range a.state.Folders {
		if s.Whole {
			continue
		}
		for it, err := range a.spool.Removed(s.ID) {
			if err != nil {
				return nil, err
			}
			if len(wanted) == maxKnown {
				break
			}
			wanted[goneItem{s.ID, it.ID}] = nil
		}
	}
	if a.p.cfg.Older == nil || len(wanted) == 0 {
		return wanted, nil
	}
	left := len(wanted)
	seen := map[string]bool{}
	for ref := a.k.Base; ref != "" && left > 0 && !seen[ref]; {
		seen[ref] = true
		n, base, err := a.lookUp(ref, wanted)
		if cause := context.Cause(a.ctx); cause != nil {
			return nil, cause
		}
		if err != nil {
			return wanted, a.info(outlook.RemovedPath, "what some of the removed items were is not known, since the index of an older archive cannot be read: "+whyUnread(err))
		}
		left -= n
		ref = base
	}
	return wanted, nil
}

// lookUp fills in what an archive knows, and gives the one that it goes on from.
func (a *archiving) lookUp(ref string, wanted map[goneItem]*outlook.Item) (found int, base string, err error) {
	s, err := a.stateOf(ref)
	if err != nil {
		return 0, "", err
	}
	err = a.older(ref, outlook.IndexPath, func(r io.Reader) error {
		for dec := json.NewDecoder(bufio.NewReaderSize(r, 64<<10)); ; {
			var line outlook.Line
			if err := dec.Decode(&line); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			key := goneItem{line.Folder, line.ID}
			if it, asked := wanted[key]; asked && it == nil {
				line.Item.Raw = nil // it is in the older archive
				wanted[key] = &line.Item
				found++
			}
		}
	})
	return found, s.Base, err
}

// stateOf reads the state of an older archive, to its end: only there it is known to be what
// was sealed.
func (a *archiving) stateOf(ref string) (s outlook.State, err error) {
	err = a.older(ref, outlook.StatePath, func(r io.Reader) error {
		err := json.NewDecoder(r).Decode(&s)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		return err
	})
	return s, err
}

// whyUnread says why an older archive cannot be read.
func whyUnread(err error) string {
	if text := keepwatch.Sentence(err); text != "" {
		return text
	}
	return "What it says is not understood."
}

// older reads a file of an older archive.
func (a *archiving) older(ref, path string, fn func(r io.Reader) error) error {
	_, r, err := a.p.cfg.Older.OpenEntry(a.ctx, ref, path)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := fn(&watched{ctx: a.ctx, r: r, moved: func(int64) { a.job.Report(a.did) }}); err != nil {
		return fmt.Errorf("read %s of %s: %w", path, ref, err)
	}
	return nil
}
