package keepwatch

import (
	"fmt"
	"slices"
	"time"
)

// Kept is what is known about the archives of a source, for ArchiveFacts.
type Kept struct {
	Source   Source
	Archives []Archive // of this source, in any order
	// Next gives the first moment after another at which the source is backed up by
	// its schedule; nil: it has none, or that is paused.
	Next func(after time.Time) (time.Time, bool)
	// FirstSeen is when the source came into the configuration; zero: unknown.
	FirstSeen time.Time
	Copies    []string // the places where copies are to be, as in Copy.Place
}

// Times of ArchiveFacts.
const (
	slowest     = 6 * time.Hour       // at most so long after its slot a backup may take to be verified
	unscheduled = 7 * 24 * time.Hour  // how long a source without a schedule may have archives of which none is verified
	copyTime    = 24 * time.Hour      // how long a copy may take to be made and verified
	singleLong  = 30 * 24 * time.Hour // after so long a vault without copies is no longer new
)

// ArchiveFacts gives what is wrong with the archives of a source: there is no
// verified one, the newest verified one is older than the schedule promises, or it
// lies in one place although copies are configured; or it holds changes alone, and what
// it goes on from is lost. An archive of changes counts as one of its day all the same.
//
// A schedule promises an archive at each of its times. Where two of them have passed
// since the newest one was begun, and a while for the second to be made, the promise
// is broken. Archives of parts, or of what the source was before, do not keep it,
// and neither do those whose date lies in the future.
func ArchiveFacts(k Kept, now time.Time, loc *time.Location) []Fact {
	newest, latest := k.newest(now, true), k.newest(now, false)
	var facts []Fact
	switch {
	case latest == nil:
		if k.unverified(now) {
			facts = append(facts, k.unverifiedFact(now, loc))
		}
	case newest == nil:
		if k.Next != nil && passed(k.Next, k.FirstSeen, 1, now) {
			facts = append(facts, k.partsFact(*latest))
		}
	case k.Next != nil && passed(k.Next, newest.AsOf(), 2, now):
		facts = append(facts, k.oldFact(*newest, now, loc))
	}
	if a, at := k.severed(now); at.why != "" {
		facts = append(facts, k.chainFact(a, at, now, loc))
	}
	if latest != nil && len(k.Copies) > 0 && now.Sub(latest.Finished) >= copyTime && !k.copied(*latest) {
		facts = append(facts, k.singleFact(*latest, now, loc))
	}
	return facts
}

// newest gives the newest verified archive, of the whole source where whole is set;
// nil: there is none.
func (k Kept) newest(now time.Time, whole bool) *Archive {
	var best *Archive
	for i, a := range k.Archives {
		if !a.IsVerified() || a.Started.After(now) || whole && !k.whole(a) {
			continue
		}
		if best == nil || a.AsOf().After(best.AsOf()) {
			best = &k.Archives[i]
		}
	}
	return best
}

// whole reports whether an archive is of all that its source is now.
func (k Kept) whole(a Archive) bool {
	if k.Source.Drop { // each file that was dropped has its own
		return true
	}
	if a.Path != "" && k.Source.Path != "" && a.Path != k.Source.Path {
		return false
	}
	return len(a.Parts) == 0 || len(k.Source.Parts) > 0 && !slices.ContainsFunc(k.Source.Parts, func(p string) bool { return !slices.Contains(a.Parts, p) })
}

// passed reports whether n slots of a schedule have passed since a moment, and the
// last of them so long ago that its backup should be there: half of the time
// between two of them, and six hours at the most.
func passed(next func(time.Time) (time.Time, bool), since time.Time, n int, now time.Time) bool {
	if since.IsZero() {
		return false
	}
	slot := since
	for range n {
		s, ok := next(slot)
		if !ok || s.After(now) {
			return false
		}
		slot = s
	}
	slack := slowest
	if after, ok := next(slot); ok {
		slack = min(slack, after.Sub(slot)/2)
	}
	return !now.Before(slot.Add(slack))
}

// unverified reports whether it is time to say that there is no verified archive.
func (k Kept) unverified(now time.Time) bool {
	since := k.FirstSeen
	if k.Next != nil {
		return passed(k.Next, since, 1, now)
	}
	for _, a := range k.Archives {
		if since.IsZero() || a.Started.Before(since) {
			since = a.Started
		}
	}
	return len(k.Archives) > 0 && now.Sub(since) >= unscheduled
}

func (k Kept) unverifiedFact(now time.Time, loc *time.Location) Fact {
	f := Fact{
		Key: "unverified/" + k.Source.Name, Kind: FactUnverified, Tone: ToneBad,
		Title:   k.Source.Name + " has no verified archive",
		Text:    "By its schedule there should be one. Start a backup, and look at what it says.",
		Buttons: []Button{{Label: "Back up now", Command: "backup start " + k.Source.Name, Style: StylePrimary}},
	}
	if n := len(k.Archives); n > 0 {
		newest := slices.MaxFunc(k.Archives, func(a, b Archive) int { return a.Started.Compare(b.Started) })
		f.Text = fmt.Sprintf("There is %s, and none counts, because none was read back and found whole. The newest is of %s. Verify it, or make a new one.",
			FormatCount(int64(n), "archive"), moment(newest.Started, now, loc))
		f.Buttons = append([]Button{{Label: "Verify the newest", Command: "backup verify " + newest.Ref(), Style: StylePrimary}}, Button{Label: "Back up now", Command: "backup start " + k.Source.Name})
		if n > 1 {
			f.Text = "There are" + f.Text[len("There is"):]
		}
	}
	return f
}

// partsFact is about a source that is scheduled, and has verified archives of other
// things alone.
func (k Kept) partsFact(latest Archive) Fact {
	return Fact{
		Key: "unverified/" + k.Source.Name, Kind: FactUnverified, Tone: ToneBad,
		Title: k.Source.Name + " has no verified archive of all of it",
		Text:  fmt.Sprintf("Those that there are hold parts of it, or what was under this name before; the newest is %s. Start a backup of all of it.", latest.Ref()),
		Buttons: []Button{{Label: "Back up now", Command: "backup start " + k.Source.Name, Style: StylePrimary},
			{Label: "List archives", Command: "backup list " + k.Source.Name}},
	}
}

func (k Kept) oldFact(newest Archive, now time.Time, loc *time.Location) Fact {
	first, _ := k.Next(newest.AsOf())
	return Fact{
		Key: "old/" + k.Source.Name, Kind: FactOld, Tone: ToneBad,
		Title: fmt.Sprintf("%s: the newest verified archive is of %s", k.Source.Name, moment(newest.AsOf(), now, loc)),
		Text: fmt.Sprintf("By its schedule there should be a newer one since %s, and two times have passed without one. What has changed since then is nowhere else. Start a backup, or look why there is none.",
			moment(first, now, loc)),
		Buttons: []Button{{Label: "Back up now", Command: "backup start " + k.Source.Name, Style: StylePrimary}, {Label: "Recent runs", Command: "backup status"}},
	}
}

// severed gives the newest archive of changes that cannot be restored whole, and where
// its chain is broken, if there is no newer archive of the same parts, or of the whole
// source, that can.
func (k Kept) severed(now time.Time) (worst Archive, at breach) {
	chain := chainsOf(k.Archives)
	counts := func(a Archive) bool { return a.IsVerified() && !a.Started.After(now) }
	for _, a := range k.Archives {
		found := chain.breach(a)
		if !counts(a) || found.why == "" || at.why != "" && !a.AsOf().After(worst.AsOf()) {
			continue
		}
		key := a.groupKey()
		if !slices.ContainsFunc(k.Archives, func(b Archive) bool {
			return counts(b) && b.AsOf().After(a.AsOf()) && chain.broken(b) == "" && (b.groupKey() == key || k.whole(b))
		}) {
			worst, at = a, found
		}
	}
	return worst, at
}

func (k Kept) chainFact(a Archive, at breach, now time.Time, loc *time.Location) Fact {
	f := Fact{
		Key: "chain/" + k.Source.Name, Kind: FactChain, Tone: ToneBad, Urge: a.Base,
		Title: fmt.Sprintf("%s: the archive of %s cannot be restored whole", k.Source.Name, moment(a.AsOf(), now, loc)),
		Text: fmt.Sprintf("It holds only what changed since %s, and that leads to no whole archive: %s. What did not change since then is in no archive that counts. Back up all of it now; what changes after that goes on from there.",
			a.Base, at.why),
		Buttons: []Button{{Label: "Back up now", Command: "backup start " + k.Source.Name, Style: StylePrimary}},
	}
	if slices.ContainsFunc(k.Archives, func(b Archive) bool { return b.Ref() == at.ref }) {
		f.Text = paragraph(f.Text, "Or look whether "+at.ref+" is whole after all.")
		f.Buttons = append(f.Buttons, Button{Label: "Verify what is missing", Command: "backup verify " + at.ref})
	}
	return f
}

// copied reports whether a verified copy of an archive lies in one of the places.
func (k Kept) copied(a Archive) bool {
	return slices.ContainsFunc(a.Copies, func(c Copy) bool {
		return slices.Contains(k.Copies, c.Place) && !c.Verified.IsZero() && c.Trouble == ""
	})
}

func (k Kept) singleFact(a Archive, now time.Time, loc *time.Location) Fact {
	trouble := ""
	for _, c := range a.Copies {
		if c.Trouble != "" {
			trouble = sentence(c.Trouble)
		}
	}
	return Fact{
		Key: "single/" + k.Source.Name, Kind: FactSingle, Tone: ToneWarn,
		Title:   fmt.Sprintf("%s: the archive of %s lies in one place only", k.Source.Name, moment(a.Started, now, loc)),
		Text:    paragraph("Copies are configured, and none of it has been made and read back yet.", trouble, "The check says what is wrong with the places of copies."),
		Buttons: []Button{{Label: "Check now", Command: "keepwatch check", Style: StylePrimary}, {Label: "Show the archive", Command: "backup show " + a.Ref()}},
	}
}

// VaultKey is the Key of the fact that a vault has no copies at all. It is none that
// a source can have.
const VaultKey = "vault/single"

// VaultFacts gives the fact that there are archives and no place for copies is
// configured, once for the whole vault: from the day after the first archive on, so
// that whoever tries Keepwatch out is not told of it at once. It is a remark at first;
// where it stays so for a month it is a warning.
func VaultFacts(archives []Archive, copies []string, now time.Time) []Fact {
	var oldest time.Time
	for _, a := range archives {
		if a.IsVerified() && (oldest.IsZero() || a.Started.Before(oldest)) {
			oldest = a.Started
		}
	}
	if oldest.IsZero() || len(copies) > 0 || now.Sub(oldest) < copyTime {
		return nil
	}
	f := Fact{
		Key: VaultKey, Kind: FactSingle, Tone: ToneInfo,
		Title:   "All archives lie in one place only",
		Text:    "No place for copies is configured, so whatever happens to the disk of the vault happens to every archive. Name another place under vault: copies: in keepwatch.yaml, on another disk or machine.",
		Buttons: []Button{{Label: "Check now", Command: "keepwatch check"}},
	}
	if now.Sub(oldest) >= singleLong {
		f.Tone = ToneWarn
	}
	return []Fact{f}
}
