package keepwatch

import (
	"crypto/sha256"
	"encoding/hex"
)

// MaxGaps is how many gaps an archive's record tells apart; those beyond are one.
const MaxGaps = 1000

// Gaps collects what could not be read, or could be read only in part, as
// fingerprints of 16 hex digits, so that two archives can be compared place by
// place: a gap that was closed must not excuse another one that opened. A
// fingerprint of something unreadable is of its path; one of something that was
// read in part is of how far, too.
type Gaps struct {
	list []string
	rest []byte // a sum over the sums of those beyond MaxGaps; nil: none
}

// Add takes in a note, if it is about a gap.
func (g *Gaps) Add(n Note) {
	text := string(n.Kind) + "\x00" + n.Path
	switch n.Kind {
	case NoteUnreadable:
	case NoteHalf:
		text += "\x00" + n.Text
	default:
		return
	}
	sum := sha256.Sum256([]byte(text))
	if len(g.list) < MaxGaps-1 {
		g.list = append(g.list, short(sum[:]))
		return
	}
	sum = sha256.Sum256(append(g.rest, sum[:]...))
	g.rest = sum[:]
}

// List gives the fingerprints in the order in which the notes came, at most
// MaxGaps. The last of so many stands for all of those beyond: it is another one
// if any of them is.
func (g *Gaps) List() []string {
	if g.rest == nil {
		return g.list
	}
	return append(g.list[:len(g.list):len(g.list)], short(g.rest))
}

func short(sum []byte) string { return hex.EncodeToString(sum[:8]) }

// gapsOpened counts the gaps of a that before has not. Where only their number is
// known, as after the state was lost, all of them are taken for new.
func gapsOpened(a, before Archive) int64 {
	if len(a.Gaps) == 0 {
		return a.Counts[NoteUnreadable] + a.Counts[NoteHalf]
	}
	known := map[string]bool{}
	for _, g := range before.Gaps {
		known[g] = true
	}
	var opened int64
	for _, g := range a.Gaps {
		if !known[g] {
			opened++
		}
	}
	return opened
}
