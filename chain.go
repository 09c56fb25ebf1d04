package keepwatch

import (
	"slices"
	"time"
)

// An archive of changes holds what changed since another one, its Base, and what was
// removed. It is worth something with that one alone, and so on down to a whole one: that
// is its chain.

// Changeable reports whether backups of a kind of source can hold changes alone.
func (k SourceKind) Changeable() bool { return k == KindOutlook }

// RefuseChanges says why a backup of what changed cannot be had of a source; nil: it can.
func (s Source) RefuseChanges() error {
	switch {
	case s.Kind.Changeable() && s.Engine == EnginePurview:
		return Errorf(KindInvalid, "Purview exports %s whole each time: leave --changes out.", s.Name)
	case s.Kind.Changeable():
		return nil
	}
	return Errorf(KindInvalid, "--changes works for Microsoft 365 mailboxes alone. %s is a source of kind %s, and a backup of it is always whole: leave --changes out.", s.Name, s.Kind)
}

// chains knows which archives go on from which.
type chains struct {
	by  map[string]Archive
	why map[string]breach // what breaks the chain of those that were looked at
}

// breach is where a chain ends that does not lead to a whole archive.
type breach struct {
	ref string // of the archive that is missing in it
	why string // in a few words, with that Ref
}

func chainsOf(archives []Archive) chains {
	c := chains{map[string]Archive{}, map[string]breach{}}
	for _, a := range archives {
		c.by[a.Ref()] = a
	}
	return c
}

// broken says what keeps the chain of an archive from leading to a whole one: "" is
// nothing.
func (c chains) broken(a Archive) string { return c.breach(a).why }

func (c chains) breach(a Archive) breach {
	if a.Base == "" {
		return breach{}
	}
	if found, known := c.why[a.Ref()]; known {
		return found
	}
	c.why[a.Ref()] = breach{a.Base, "it goes on from itself"} // as long as nothing else is known: manifests may say anything
	base, there := c.by[a.Base]
	var found breach
	switch {
	case !there:
		found = breach{a.Base, a.Base + " is not there"}
	case len(base.Verified) == 0:
		found = breach{a.Base, a.Base + " is not verified"}
	case !base.IsVerified():
		found = breach{a.Base, a.Base + " is not as it should be"}
	default:
		found = c.breach(base)
	}
	c.why[a.Ref()] = found
	return found
}

// BrokenChain says in a few words what keeps an archive of changes from being restored
// whole: an archive of its chain is not there, or not verified. "" is nothing, and of an
// archive that is whole itself always. archives are those of its source.
func BrokenChain(a Archive, archives []Archive) string { return chainsOf(archives).broken(a) }

// BrokenChains gives all archives with a broken chain, by Ref, with what BrokenChain says.
func BrokenChains(archives []Archive) map[string]string {
	broken, c := map[string]string{}, chainsOf(archives)
	for _, a := range archives {
		if why := c.broken(a); why != "" {
			broken[a.Ref()] = why
		}
	}
	return broken
}

// BaseFor gives the archive that a backup of what changed goes on from: the newest of the
// same path and parts, whole or itself of changes, and false where there is none. There
// must be no doubt about it, nor about any of its chain: it is verified, it is not being
// removed, its date does not lie in the future, what is written beside it can be
// understood, and it is like those before it, or somebody has said that it is right.
func BaseFor(source Source, parts []string, archives []Archive, now time.Time) (base Archive, found bool) {
	sound := slices.DeleteFunc(slices.Clone(archives), func(a Archive) bool {
		return !a.IsVerified() || a.Removing || a.Unread || a.Started.After(now) || len(a.Findings) > 0 && a.Accepted == ""
	})
	like, chain := Archive{Source: source.Name, Path: source.Path, Parts: parts}.groupKey(), chainsOf(sound)
	for _, a := range sound {
		if a.groupKey() == like && chain.broken(a) == "" && (!found || a.AsOf().After(base.AsOf())) {
			base, found = a, true
		}
	}
	return base, found
}

// hold keeps what archives that stay go on from. decisions are the newest first, and those
// that stay have reasons.
func hold(decisions []Decision) {
	at := map[string]int{}
	var stay []int
	for i, d := range decisions {
		at[d.Archive.Ref()] = i
		if len(d.Reasons) > 0 {
			stay = append(stay, i)
		}
	}
	for n := 0; n < len(stay); n++ {
		a := decisions[stay[n]].Archive
		i, there := at[a.Base]
		if !there || decisions[i].BaseOf != "" {
			continue
		}
		base := &decisions[i]
		if len(base.Reasons) == 0 {
			stay = append(stay, i)
		}
		base.BaseOf = a.Ref()
		base.Reasons = append(base.Reasons, a.Stamp+" goes on from it")
	}
}

// Removals gives the Refs of what decisions remove, in the order in which it may go: the
// oldest first, so that the newer ones outlive a removal that stops half-way, but what
// goes on from an archive before that, so that it is never left without it.
func Removals(decisions []Decision) []string {
	following := map[string][]string{}
	for _, d := range decisions {
		if !d.Keep && d.Archive.Base != "" {
			following[d.Archive.Base] = append(following[d.Archive.Base], d.Archive.Ref())
		}
	}
	var list []string
	seen := map[string]bool{}
	var add func(ref string)
	add = func(ref string) {
		if seen[ref] {
			return
		}
		seen[ref] = true
		for _, next := range following[ref] {
			add(next)
		}
		list = append(list, ref)
	}
	for _, d := range slices.Backward(decisions) {
		if !d.Keep {
			add(d.Archive.Ref())
		}
	}
	return list
}
