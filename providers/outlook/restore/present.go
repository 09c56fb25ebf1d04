package restore

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"keepwatch/providers/outlook"
)

// inPlace is what is in a folder of contacts or a calendar, whoever has put it there: hashes,
// 8 bytes each, since there may be a million of them. The zero one knows nothing.
type inPlace struct {
	seed maphash.Seed
	ids  []uint64 // by Item.ID; sorted
	uids []uint64 // by the UID of events that the archive has once; sorted
}

// findPresent lists the folder. The id of an item is the same as long as it is in its
// mailbox, so that what has it is what is in the archive, whatever was changed in it since.
// An event is known by its UID too, under which a program puts it into the calendar anew;
// a contact has nothing of the kind, and nobody guesses by names.
func (e *errand) findPresent(ctx context.Context) (inPlace, error) {
	p := inPlace{seed: maphash.MakeSeed()}
	for x, err := range e.cfg.Restorer.Present(ctx, e.item.Mailbox, e.target) {
		if err != nil {
			return p, err
		}
		p.ids = append(p.ids, maphash.String(p.seed, x.ID))
		if e.in.Kind == outlook.Calendar && x.MessageID != "" {
			p.uids = append(p.uids, maphash.String(p.seed, x.MessageID))
		}
	}
	p.ids, p.uids = sortedOnce(p.ids), sortedOnce(p.uids)
	if len(p.uids) == 0 {
		return p, nil
	}
	named, err := e.named(ctx, p)
	if err != nil {
		return p, err
	}
	p.uids = slices.DeleteFunc(p.uids, func(uid uint64) bool {
		at, found := slices.BinarySearch(named, uid)
		return !found || at+1 < len(named) && named[at+1] == uid
	})
	return p, nil
}

// named are the UIDs of what is in the folder that the archive has, in this folder or any
// other one, sorted: of two events of the same one that which is there may be the other.
func (e *errand) named(ctx context.Context, p inPlace) (all []uint64, err error) {
	for layer, ref := range e.from.refs {
		for h, err := range heads(ctx, e.from.from, ref, outlook.IndexPath) {
			if err != nil {
				return nil, fmt.Errorf("read the index of %s: %w", ref, err)
			}
			if h.MessageID == "" || h.Folder == e.in.Folder && !e.later.lives(h, layer) {
				continue
			}
			uid := maphash.String(p.seed, h.MessageID)
			if _, there := slices.BinarySearch(p.uids, uid); there {
				all = append(all, uid)
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

// has reports whether an item of the archive is in the folder.
func (p inPlace) has(h head) bool {
	if len(p.ids) == 0 {
		return false
	}
	if _, found := slices.BinarySearch(p.ids, maphash.String(p.seed, h.ID)); found {
		return true
	}
	if h.MessageID == "" || len(p.uids) == 0 {
		return false
	}
	_, found := slices.BinarySearch(p.uids, maphash.String(p.seed, h.MessageID))
	return found
}
