package keepwatch

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// changed is a verified archive of what changed since another one.
func changed(started string, base Archive) Archive {
	a := verified("alis-mail", started)
	a.Base = base.Ref()
	return a
}

// damaged is an archive that was found not to be as it should.
func damaged(a Archive) Archive {
	a.Verified = []Verification{{Problems: []Finding{{Rule: "hash", Text: "It is damaged."}}}}
	return a
}

// said writes decisions in lines.
func said(decisions []Decision) string {
	var b strings.Builder
	for _, d := range decisions {
		word := "remove"
		if d.Keep {
			word = "keep"
		}
		b.WriteString(d.Archive.Stamp[:13] + " " + word + ": " + strings.Join(d.Reasons, "; ") + "\n")
	}
	return b.String()
}

func TestBasesStay(t *testing.T) {
	now := at("2026-11-24T12:00")
	old := verified("alis-mail", "2026-11-01T03:00")
	oldChange := changed("2026-11-02T03:00", old)
	whole := verified("alis-mail", "2026-11-20T03:00")
	first := changed("2026-11-21T03:00", whole)
	second := changed("2026-11-22T03:00", first)
	third := changed("2026-11-23T03:00", second)
	loose := changed("2026-11-23T05:00", verified("alis-mail", "2026-10-01T03:00"))
	pinned := oldChange
	pinned.Pinned = "before the move"
	for _, c := range []struct {
		name     string
		keep     Keep
		archives []Archive
		want     string
	}{
		{"the chain of the newest", Keep{Last: 1}, []Archive{old, oldChange, whole, first, second, third}, `
2026-11-23T03 keep: one of the newest (last 1 of 1)
2026-11-22T03 keep: 2026-11-23T030000Z goes on from it
2026-11-21T03 keep: 2026-11-22T030000Z goes on from it
2026-11-20T03 keep: the newest verified archive that is whole is never removed; 2026-11-21T030000Z goes on from it
2026-11-02T03 remove: no rule keeps it
2026-11-01T03 remove: no rule keeps it
`},
		{"a pinned one has a chain too", Keep{Last: 1}, []Archive{old, pinned, whole}, `
2026-11-20T03 keep: one of the newest (last 1 of 1)
2026-11-02T03 keep: pinned: before the move
2026-11-01T03 keep: 2026-11-02T030000Z goes on from it
`},
		{"a whole one pushes out what was before", Keep{Last: 1}, []Archive{oldChange, old, whole}, `
2026-11-20T03 keep: one of the newest (last 1 of 1)
2026-11-02T03 remove: no rule keeps it
2026-11-01T03 remove: no rule keeps it
`},
		{"one that is lost stands for nothing", Keep{Last: 1}, []Archive{whole, loose}, `
2026-11-23T05 keep: it holds changes alone, and alis-mail/2026-10-01T030000Z is not there: it does not count, and stays until somebody has looked
2026-11-20T03 keep: one of the newest (last 1 of 1)
`},
		{"damage in the chain", Keep{Last: 1}, []Archive{old, whole, damaged(first), second}, `
2026-11-22T03 keep: it holds changes alone, and alis-mail/2026-11-21T030000Z is not as it should be: it does not count, and stays until somebody has looked
2026-11-21T03 keep: not as it should be (It is damaged): it does not count, and stays until somebody has looked; 2026-11-22T030000Z goes on from it
2026-11-20T03 keep: one of the newest (last 1 of 1); 2026-11-21T030000Z goes on from it
2026-11-01T03 remove: no rule keeps it
`},
		{"the newest whole one stays, whatever the newest goes on from", Keep{Last: 1}, []Archive{old, whole, changed("2026-11-23T03:00", old)}, `
2026-11-23T03 keep: one of the newest (last 1 of 1)
2026-11-20T03 keep: the newest verified archive that is whole is never removed
2026-11-01T03 keep: 2026-11-23T030000Z goes on from it
`},
		{"two go on from one", Keep{Last: 2}, []Archive{whole, first, changed("2026-11-22T03:00", whole)}, `
2026-11-22T03 keep: one of the newest (last 1 of 2)
2026-11-21T03 keep: one of the newest (last 2 of 2)
2026-11-20T03 keep: the newest verified archive that is whole is never removed; 2026-11-22T030000Z goes on from it
`},
		{"days are days of changes too", Keep{Daily: 2}, []Archive{whole, first, changed("2026-11-21T07:00", first), changed("2026-11-21T11:00", first)}, `
2026-11-21T11 keep: newest of 21 November (daily 1 of 2)
2026-11-21T07 remove: no rule keeps it
2026-11-21T03 keep: 2026-11-21T110000Z goes on from it
2026-11-20T03 keep: newest of 20 November (daily 2 of 2); 2026-11-21T030000Z goes on from it
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(strings.TrimPrefix(c.want, "\n"), said(c.keep.Decide(c.archives, now, time.UTC))); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestChainsInARing: what a manifest says may be anything, and ends nevertheless.
func TestChainsInARing(t *testing.T) {
	a, b := verified("alis-mail", "2026-11-20T03:00"), verified("alis-mail", "2026-11-21T03:00")
	a.Base, b.Base = b.Ref(), a.Ref()
	self := verified("alis-mail", "2026-11-22T03:00")
	self.Base = self.Ref()
	all := []Archive{a, b, self}
	for _, x := range all {
		if got := BrokenChain(x, all); got != "it goes on from itself" || BrokenChains(all)[x.Ref()] != got {
			t.Errorf("%s: %q", x.Ref(), got)
		}
	}
	for _, d := range (Keep{Last: 1}).Decide(all, at("2026-11-24T12:00"), time.UTC) {
		if !d.Keep {
			t.Errorf("%s goes", d.Archive.Ref())
		}
	}
	gone := []Decision{{Archive: a}, {Archive: b}, {Archive: self}}
	if got := Removals(gone); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

// TestNoPruningSevers: whatever there is and whatever the rules, what is kept has all of
// its chain, and what is removed is removed before what it goes on from.
func TestNoPruningSevers(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	removed := 0
	for range 2000 {
		var all []Archive
		for i := range rng.IntN(12) {
			a := verified("alis-mail", at("2026-11-01T03:00").AddDate(0, 0, i).Format("2006-01-02T15:04"))
			if i > 0 && rng.IntN(3) > 0 {
				a.Base = all[rng.IntN(i)].Ref()
			}
			switch rng.IntN(12) {
			case 0:
				a = damaged(a)
			case 1:
				a.Pinned = "x"
			case 2:
				a.Verified = nil
			}
			all = append(all, a)
		}
		decided := Keep{Last: rng.IntN(3), Weekly: 1 + rng.IntN(2)}.Decide(all, at("2026-11-24T12:00"), time.UTC)
		stays := map[string]bool{}
		for _, d := range decided {
			stays[d.Archive.Ref()] = d.Keep
		}
		going := Removals(decided)
		removed += len(going)
		for _, a := range all {
			if a.Base != "" && stays[a.Ref()] && !stays[a.Base] {
				t.Fatalf("%s stays without %s", a.Ref(), a.Base)
			}
			if i := slices.Index(going, a.Base); i >= 0 && slices.Index(going, a.Ref()) > i {
				t.Fatalf("%s goes before %s: %q", a.Base, a.Ref(), going)
			}
			if !stays[a.Ref()] != slices.Contains(going, a.Ref()) {
				t.Fatalf("%s: %q", a.Ref(), going)
			}
		}
	}
	if removed < 1000 {
		t.Errorf("only %d were removed", removed)
	}
}

func TestBaseFor(t *testing.T) {
	now := at("2026-11-24T12:00")
	source := Source{Name: "alis-mail", Kind: KindOutlook}
	whole := verified("alis-mail", "2026-11-20T03:00")
	first := changed("2026-11-21T03:00", whole)
	with := func(a Archive, change func(*Archive)) Archive { change(&a); return a }
	odd := func(a *Archive) { a.Findings = []Finding{{Rule: "shrunk", Text: "It shrank."}} }
	later := verified("alis-mail", "2026-11-22T03:00")
	for _, c := range []struct {
		name     string
		archives []Archive
		parts    []string
		want     string
	}{
		{"none", nil, nil, ""},
		{"a whole one", []Archive{whole}, nil, whole.Stamp},
		{"one of changes that is newer", []Archive{first, whole}, nil, first.Stamp},
		{"a whole one that is newer", []Archive{whole, first, later}, nil, later.Stamp},
		{"of other parts", []Archive{whole}, []string{"Inbox"}, ""},
		{"not verified", []Archive{whole, with(later, func(a *Archive) { a.Verified = nil })}, nil, whole.Stamp},
		{"damaged", []Archive{whole, damaged(later)}, nil, whole.Stamp},
		{"in doubt", []Archive{whole, with(later, odd)}, nil, whole.Stamp},
		{"in doubt, and accepted", []Archive{whole, with(with(later, odd), func(a *Archive) { a.Accepted = "Alis" })}, nil, later.Stamp},
		{"going", []Archive{whole, with(later, func(a *Archive) { a.Removing = true })}, nil, whole.Stamp},
		{"nobody knows what is said of it", []Archive{whole, with(later, func(a *Archive) { a.Unread = true })}, nil, whole.Stamp},
		{"of the future", []Archive{whole, verified("alis-mail", "2030-11-22T03:00")}, nil, whole.Stamp},
		{"its chain is lost", []Archive{first}, nil, ""},
		{"its chain is damaged", []Archive{damaged(whole), first}, nil, ""},
		{"its chain is in doubt", []Archive{with(whole, odd), first}, nil, ""},
		{"of another path", []Archive{with(whole, func(a *Archive) { a.Path = "/srv" })}, nil, ""},
	} {
		got, found := BaseFor(source, c.parts, c.archives, now)
		if got.Stamp != c.want || found != (c.want != "") {
			t.Errorf("%s: %q, %t", c.name, got.Stamp, found)
		}
	}
	if last, _ := LastLike(source, nil, []Archive{whole, first}); last.Ref() != whole.Ref() {
		t.Errorf("a whole backup is held against %s", last.Ref())
	}
}

func TestOnlyMailboxesHaveChanges(t *testing.T) {
	for kind, can := range map[SourceKind]bool{KindOutlook: true, KindFiles: false, KindCPanel: false, KindDossier: false} {
		err := Source{Name: "notes", Kind: kind}.RefuseChanges()
		if (err == nil) != can {
			t.Errorf("%s: %v", kind, err)
		}
		if !can && (KindOf(err) != KindInvalid || !strings.Contains(Sentence(err), "Microsoft 365 mailboxes") || !strings.Contains(Sentence(err), string(kind))) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestPurviewExportsWhole(t *testing.T) {
	for engine, can := range map[string]bool{"": true, "graph": true, "purview": false} {
		err := Source{Name: "alis-mail", Kind: KindOutlook, Engine: engine}.RefuseChanges()
		if (err == nil) != can || !can && (KindOf(err) != KindInvalid || !strings.Contains(Sentence(err), "Purview")) {
			t.Errorf("%q: %v", engine, err)
		}
	}
}

// TestChangesAreWeighedByNobody: a day on which little happened is no loss, and no measure
// for the next whole one; which is weighed against whole ones all the same.
func TestChangesAreWeighedByNobody(t *testing.T) {
	with := func(a Archive, bytes int64) Archive { a.Bytes, a.Items = bytes, bytes/100; return a }
	whole := with(verified("alis-mail", "2026-11-20T03:00"), 1<<30)
	quiet := with(changed("2026-11-21T03:00", whole), 0)
	busy := with(changed("2026-11-22T03:00", quiet), 100<<30)
	if f := Suspect(quiet, []Archive{whole}); f != nil {
		t.Errorf("%+v", f)
	}
	if p := PeakOf(quiet, []Archive{whole}); p != (Peak{}) {
		t.Errorf("%+v", p)
	}
	next := with(verified("alis-mail", "2026-11-23T03:00"), 1<<30)
	history := []Archive{whole, quiet, busy}
	if f := Suspect(next, history); f != nil {
		t.Errorf("%+v", f)
	}
	shrunk := with(next, 1<<20)
	if f := Suspect(shrunk, history); len(f) == 0 || f[0].Rule != "empty" || PeakOf(shrunk, history).Bytes != 1<<30 {
		t.Errorf("%+v", f)
	}
	shrunk.Findings = Suspect(shrunk, history)
	after := changed("2026-11-24T03:00", busy)
	if odd, paused := Paused(append(history, shrunk, after), at("2026-11-24T12:00")); !paused || odd.Ref() != shrunk.Ref() {
		t.Errorf("what changed after a doubt ends it: %t, %s", paused, odd.Ref())
	}
}

func TestChainFacts(t *testing.T) {
	now := at("2026-11-24T12:00")
	whole := verified("alis-mail", "2026-11-20T03:00")
	first := changed("2026-11-21T03:00", whole)
	second := changed("2026-11-22T03:00", first)
	unproved := whole
	unproved.Verified = nil
	inbox := second
	inbox.Parts = []string{"Inbox"}
	each := func(after time.Time) (time.Time, bool) { return after.Truncate(24*time.Hour).AddDate(0, 0, 1), true }
	const lost = "chain/alis-mail | bad | - | alis-mail: the archive of 22 November, 03:00 cannot be restored whole\n"
	for _, c := range []struct {
		name     string
		archives []Archive
		next     func(time.Time) (time.Time, bool)
		want     string
		says     string
	}{
		{"whole chains", []Archive{second, first, whole}, nil, "", ""},
		{"the whole one is lost", []Archive{second, first}, nil, lost, "alis-mail/2026-11-20T030000Z is not there"},
		{"the whole one is not verified", []Archive{second, first, unproved}, nil, lost, "look whether alis-mail/2026-11-20T030000Z is whole"},
		{"one between is damaged", []Archive{second, damaged(first), whole}, nil, lost, "alis-mail/2026-11-21T030000Z is not as it should be"},
		{"a newer whole one ends it", []Archive{second, first, verified("alis-mail", "2026-11-23T03:00")}, nil, "", ""},
		{"an older whole one does not", []Archive{second, whole}, nil, lost, "alis-mail/2026-11-21T030000Z is not there"},
		{"of a part", []Archive{inbox, whole}, nil, lost, ""},
		{"of a part, and all of it was backed up since", []Archive{inbox, verified("alis-mail", "2026-11-23T03:00")}, nil, "", ""},
		{"changes keep what a schedule promises", []Archive{whole, changed("2026-11-24T03:00", whole)}, each, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := Kept{Source: Source{Name: "alis-mail", Kind: KindOutlook}, Archives: c.archives, Next: c.next, FirstSeen: at("2026-11-01T00:00")}
			facts := ArchiveFacts(k, now, time.UTC)
			wellFormed(t, facts)
			if d := cmp.Diff(c.want, brief(facts)); d != "" {
				t.Error(d)
			}
			if c.says != "" && !strings.Contains(facts[0].Text, c.says) {
				t.Error(facts[0].Text)
			}
		})
	}
}
