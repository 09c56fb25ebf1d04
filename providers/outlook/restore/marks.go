package restore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"slices"
)

// marks are what restores have put into a folder: a hash of each, 8 bytes an item, since
// there may be a million of them.
type marks struct {
	seed    maphash.Seed
	whole   []uint64        // of this run, by Item.ID; sorted
	part    map[string]bool // likewise those that are not whole, of which there are few
	earlier []uint64        // of other runs, by Item.ID and state; sorted
}

// changeMark tells states of an item apart in a mark: an older state of a contact is another
// thing than the one that an earlier restore has put there.
func changeMark(change string) string {
	if change == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(change))
	return hex.EncodeToString(sum[:6])
}

func (m *marks) hash(item, state string) uint64 {
	return maphash.Comparable(m.seed, [2]string{item, state})
}

// findMarks reads them; all asks for those of other runs too.
func (e *errand) findMarks(ctx context.Context, all bool) (*marks, error) {
	m := &marks{seed: maphash.MakeSeed(), part: map[string]bool{}}
	for x, err := range e.cfg.Restorer.Marked(ctx, e.item.Mailbox, e.target, e.job.Run) {
		if err != nil {
			return nil, err
		}
		if !x.Whole {
			m.part[x.Item] = true
			continue
		}
		delete(m.part, x.Item)
		m.whole = append(m.whole, m.hash(x.Item, ""))
	}
	m.whole = sortedOnce(m.whole)
	if !all {
		return m, nil
	}
	for x, err := range e.cfg.Restorer.Known(ctx, e.item.Mailbox, e.target) {
		if err != nil {
			return nil, err
		}
		if x.Run != e.job.Run {
			m.earlier = append(m.earlier, m.hash(x.Item, x.State))
		}
	}
	m.earlier = sortedOnce(m.earlier)
	return m, nil
}

func sortedOnce(list []uint64) []uint64 {
	slices.Sort(list)
	return slices.Compact(list)
}

// isWhole reports whether this run has put all of an item there.
func (m *marks) isWhole(item string) bool {
	_, found := slices.BinarySearch(m.whole, m.hash(item, ""))
	return found && !m.part[item]
}

// has reports whether this run has put some of an item there.
func (m *marks) has(item string) bool { return m.part[item] || m.isWhole(item) }

// any reports whether this run has put anything there.
func (m *marks) any() bool { return len(m.whole)+len(m.part) > 0 }

// before reports whether another run has put an item there as it is in the archive.
func (m *marks) before(h head) bool {
	if len(m.earlier) == 0 {
		return false
	}
	_, found := slices.BinarySearch(m.earlier, m.hash(h.ID, changeMark(h.Change)))
	return found
}
