package keepwatch

import "time"

// Pruning is how the automatic pruning of a source stands: what a backup of it
// would do after it is made.
type Pruning struct {
	Paused    Archive  // the archive that keeps anything from being removed until somebody accepts it; zero: it is not paused
	Confirmed bool     // somebody has confirmed the rules as they are now, or there are none
	Remove    []string // Refs of what the rules would remove, the newest first
}

// Pruning says how that of the source stands that some archives are of. confirmed
// are the rules that somebody has confirmed for it, as Rules gives them.
func (k Keep) Pruning(archives []Archive, confirmed string, now time.Time, loc *time.Location) Pruning {
	p := Pruning{Confirmed: k.IsZero() || confirmed == k.Rules(loc)}
	p.Paused, _ = Paused(archives, now)
	for _, d := range k.Decide(archives, now, loc) {
		if !d.Keep {
			p.Remove = append(p.Remove, d.Archive.Ref())
		}
	}
	return p
}

// IsPaused reports whether nothing may be removed until somebody has accepted an
// archive.
func (p Pruning) IsPaused() bool { return len(p.Paused.Findings) > 0 }
