package providers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

func TestPruningIsPausedBySuspicion(t *testing.T) {
	l := newLab()
	l.keep = keepwatch.Keep{Last: 3}
	l.confirmed = l.rules()
	l.content = strings.Repeat("x", 1<<20)
	for id := range int64(4) {
		run := backupRun(id + 1)
		if err := l.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.archives) != 3 {
		t.Fatalf("%d archives", len(l.archives))
	}
	l.content = "nearly nothing"
	run := backupRun(5)
	if err := l.carry(t, &run, ""); err != nil || len(run.Result.Findings) == 0 || len(l.archives) != 4 {
		t.Errorf("%v, %+v, %d archives", err, run.Result.Findings, len(l.archives))
	}
	part := backupRun(7)
	part.Ask.Parts = []string{"a"}
	if err := l.carry(t, &part, ""); err != nil || len(part.Result.Notes) != 1 || part.Result.Notes[0].Path != run.Result.Archive || !strings.HasPrefix(part.Result.Notes[0].Text, "pruning is paused") {
		t.Errorf("a backup that is in order itself: %v, %v", err, part.Result.Notes)
	}
	_ = l.DeleteArchive(part.Result.Archive)
	delete(l.inVault, part.Result.Archive)
	prune := keepwatch.Run{ID: 6, Kind: keepwatch.RunPrune, Source: "notes", Ask: keepwatch.Ask{Remove: []string{"notes/" + keepwatch.StampOf(backupRun(2).Started)}}}
	if err := l.carry(t, &prune, ""); keepwatch.KindOf(err) != keepwatch.KindConflict || len(l.archives) != 4 {
		t.Errorf("a paused prune: %v", err)
	}
	_, _ = l.UpdateArchive(run.Result.Archive, func(a *keepwatch.Archive) error { a.Accepted = "Alis"; return nil })
	if err := l.carry(t, &prune, ""); err != nil || len(l.archives) != 3 || len(l.inVault) != 3 || !slices.Equal(prune.Result.Removed, prune.Ask.Remove) {
		t.Errorf("%v, %v", err, prune.Result.Removed)
	}
}

// TestRulesWaitForAPerson: a backup removes nothing by rules that nobody has
// confirmed as they are; a prune that somebody confirmed confirms them.
func TestRulesWaitForAPerson(t *testing.T) {
	l := newLab()
	id := int64(0)
	back := func(removed, waiting int) {
		t.Helper()
		id++
		run := backupRun(id)
		if err := l.carry(t, &run, ""); err != nil || len(run.Result.Removed) != removed || len(run.Result.Waiting) != waiting {
			t.Errorf("%v: removed %v, waiting %v", err, run.Result.Removed, run.Result.Waiting)
		}
	}
	prune := func(rules string) {
		t.Helper()
		run := keepwatch.Run{ID: 90 + id, Kind: keepwatch.RunPrune, Source: "notes", Ask: keepwatch.Ask{Rules: rules}}
		if err := l.carry(t, &run, ""); err != nil {
			t.Error(err)
		}
	}
	l.keep = keepwatch.Keep{Last: 2}
	back(0, 0)
	back(0, 0)
	back(0, 1)
	prune("{}") // shown before the rules changed
	back(0, 2)
	prune(l.rules())
	back(3, 0)
	l.keep = keepwatch.Keep{Last: 1}
	back(0, 2)
	if len(l.inVault) != 3 {
		t.Errorf("%v", l.inVault)
	}
}

// TestABackupOutlivesItsTidying: where old archives cannot be removed the backup
// is done all the same, and says so.
func TestABackupOutlivesItsTidying(t *testing.T) {
	l := newLab()
	l.confirmed = keepwatch.Keep{Last: 1}.Rules(time.UTC)
	l.keep, l.removeErr = keepwatch.Keep{Last: 1}, keepwatch.Errorf(keepwatch.KindAttention, "The disk is read-only.")
	var run keepwatch.Run
	for id := range int64(2) {
		run = backupRun(id + 1)
		if err := l.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.archives) != 2 || len(run.Result.Notes) != 1 || !strings.Contains(run.Result.Notes[0].Text, "could not be tidied up; the next backup tries again. The disk is read-only.") {
		t.Errorf("%d archives, %v", len(l.archives), run.Result.Notes)
	}
	l.removeErr = nil
	run = backupRun(3)
	if err := l.carry(t, &run, ""); err != nil || len(l.archives) != 1 || len(run.Result.Removed) != 2 {
		t.Errorf("%v: %d archives, removed %v", err, len(l.archives), run.Result.Removed)
	}
}

// TestPruneDecidesAnew: what a confirmed plan names stays when the policy no
// longer says so, and while somebody reads it.
func TestPruneDecidesAnew(t *testing.T) {
	l := newLab()
	var refs []string
	for id := range int64(4) {
		run := backupRun(id + 1)
		if err := l.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
		refs = append(refs, run.Result.Archive)
	}
	l.keep = keepwatch.Keep{Last: 2}
	l.open = []keepwatch.Run{{ID: 9, Kind: keepwatch.RunRestore, Ask: keepwatch.Ask{Archive: refs[0]}}}
	prune := keepwatch.Run{ID: 7, Kind: keepwatch.RunPrune, Source: "notes", Ask: keepwatch.Ask{Remove: refs}}
	if err := l.carry(t, &prune, ""); err != nil || !slices.Equal(prune.Result.Removed, refs[1:2]) || len(prune.Result.Notes) != 1 {
		t.Errorf("%v: removed %v, notes %v", err, prune.Result.Removed, prune.Result.Notes)
	}
}

// TestWhatIsGoneDoesNotCount: an archive whose folder somebody removed pushes
// out none that is there, whatever its record says.
func TestWhatIsGoneDoesNotCount(t *testing.T) {
	l := newLab()
	var refs []string
	for id := range int64(3) {
		run := backupRun(id + 1)
		if err := l.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
		refs = append(refs, run.Result.Archive)
	}
	l.keep = keepwatch.Keep{Last: 1}
	delete(l.inVault, refs[2])
	prune := keepwatch.Run{ID: 7, Kind: keepwatch.RunPrune, Source: "notes", Ask: keepwatch.Ask{Remove: refs[:2]}}
	if err := l.carry(t, &prune, ""); err != nil || !l.inVault[refs[1]] || l.inVault[refs[0]] {
		t.Errorf("%v: removed %v, in the vault are %v", err, prune.Result.Removed, l.inVault)
	}
}

// TestPruningWaitsForWhoReads: what is being read, and kept, may be found damaged
// by that, and then the older ones are needed.
func TestPruningWaitsForWhoReads(t *testing.T) {
	l := newLab()
	var refs []string
	for id := range int64(2) {
		run := backupRun(id + 1)
		if err := l.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
		refs = append(refs, run.Result.Archive)
	}
	l.keep = keepwatch.Keep{Last: 1}
	l.confirmed = l.rules()
	reader := keepwatch.Run{ID: 9, Kind: keepwatch.RunVerify, State: keepwatch.RunRunning, Ask: keepwatch.Ask{Archive: refs[1]}}
	l.open = []keepwatch.Run{reader}
	prune := keepwatch.Run{ID: 7, Kind: keepwatch.RunPrune, Source: "notes", Ask: keepwatch.Ask{Remove: refs[:1]}}
	if err := l.carry(t, &prune, ""); keepwatch.KindOf(err) != keepwatch.KindConflict || !strings.Contains(err.Error(), "run 9") || len(l.inVault) != 2 {
		t.Errorf("%v, %v", err, l.inVault)
	}
	backup := backupRun(3)
	l.open[0].Ask.Archive = "notes/" + keepwatch.StampOf(backup.Started)
	if err := l.carry(t, &backup, ""); err != nil || len(l.inVault) != 3 || len(backup.Result.Notes) != 1 {
		t.Errorf("%v, %v, %v", err, l.inVault, backup.Result.Notes)
	}
	l.open[0].State = keepwatch.RunAttention // it does nothing until somebody acts
	prune = keepwatch.Run{ID: 8, Kind: keepwatch.RunPrune, Source: "notes", Ask: keepwatch.Ask{Remove: refs}}
	if err := l.carry(t, &prune, ""); err != nil || len(l.inVault) != 1 {
		t.Errorf("%v, %v", err, l.inVault)
	}
}

// TestPruningWaitsForWhoPutsBack: a restore that is put together from several archives
// needs all of them until its end, and names only the first.
func TestPruningWaitsForWhoPutsBack(t *testing.T) {
	for name, item := range map[string]func(ref string) keepwatch.ReturnItem{
		"archive": func(ref string) keepwatch.ReturnItem { return keepwatch.ReturnItem{Archive: ref} },
		"with": func(ref string) keepwatch.ReturnItem {
			return keepwatch.ReturnItem{Archive: "notes/other", With: []string{ref}}
		},
	} {
		l := newLab()
		var refs []string
		for id := range int64(2) {
			run := backupRun(id + 1)
			if err := l.carry(t, &run, ""); err != nil {
				t.Fatal(err)
			}
			refs = append(refs, run.Result.Archive)
		}
		l.keep = keepwatch.Keep{Last: 1}
		l.confirmed = l.rules()
		l.open = []keepwatch.Run{{ID: 9, Kind: keepwatch.RunRestore, State: keepwatch.RunRunning, Ask: keepwatch.Ask{Archive: "notes/other", Return: []keepwatch.ReturnItem{item(refs[0])}}}}
		prune := keepwatch.Run{ID: 7, Kind: keepwatch.RunPrune, Source: "notes", Ask: keepwatch.Ask{Remove: refs[:1]}}
		if err := l.carry(t, &prune, ""); err != nil || len(l.inVault) != 2 || len(prune.Result.Notes) != 1 || !strings.Contains(prune.Result.Notes[0].Text, "a run is reading it") {
			t.Errorf("%s: %v, %v, %+v", name, err, l.inVault, prune.Result.Notes)
		}
	}
}

// TestARemovalThatCameToNothing: an archive that could not be removed, and is
// kept by the rules later, is no longer one that is meant to be gone.
func TestARemovalThatCameToNothing(t *testing.T) {
	l := newLab()
	l.keep = keepwatch.Keep{Last: 1}
	l.confirmed, l.removeErr = l.rules(), keepwatch.Errorf(keepwatch.KindAttention, "The disk is read-only.")
	for id := range int64(2) {
		run := backupRun(id + 1)
		if err := l.carry(t, &run, ""); err != nil {
			t.Fatal(err)
		}
	}
	first := "notes/" + keepwatch.StampOf(backupRun(1).Started)
	if l.archives[first].Removing {
		t.Fatal("what could not be removed cannot be pinned")
	}
	l.removeErr = nil
	run := backupRun(9)
	if err := l.carry(t, &run, "providers.prune.marked"); err == nil || !l.archives[first].Removing {
		t.Fatalf("that its removal has begun was not saved: %v", err)
	}
	l.keep = keepwatch.Keep{Last: 5}
	for id := range int64(2) {
		if id == 1 { // somebody loses it
			delete(l.inVault, first)
		}
		run := backupRun(id + 3)
		if err := l.carry(t, &run, ""); err != nil || len(run.Result.Removed) > 0 {
			t.Errorf("%v, %v", err, run.Result.Removed)
		}
	}
	if _, known := l.archives[first]; !known {
		t.Error("the loss was taken for a removal, and forgotten")
	}
}

// TestASourceDoesNotShrinkUnnoticed: where the rules keep one archive only, what
// those before it held is remembered all the same.
func TestASourceDoesNotShrinkUnnoticed(t *testing.T) {
	l := newLab()
	l.keep = keepwatch.Keep{Last: 1}
	l.confirmed = l.rules()
	for i, size := range []int{1 << 20, 600 << 10, 350 << 10} {
		l.content = strings.Repeat("x", size)
		run := backupRun(int64(i + 1))
		if err := l.carry(t, &run, ""); err != nil || (len(run.Result.Findings) > 0) != (i == 2) {
			t.Errorf("backup %d: %v, %v", i+1, err, run.Result.Findings)
		}
	}
	if len(l.inVault) != 2 {
		t.Errorf("%v", l.inVault)
	}
}

// TestAnOldGapHidesNoNewOne: a backup compares what it could not read place by
// place with the one before it.
func TestAnOldGapHidesNoNewOne(t *testing.T) {
	l := newLab()
	l.keep = keepwatch.Keep{Last: 1}
	l.confirmed = l.rules()
	for i, path := range []string{"f", "f", "z", "z"} {
		l.notes = []keepwatch.Note{{Kind: keepwatch.NoteUnreadable, Path: path}}
		run := backupRun(int64(i + 1))
		if err := l.carry(t, &run, ""); err != nil || (len(run.Result.Findings) > 0) != (path == "z") {
			t.Errorf("backup %d: %v, %v", i+1, err, run.Result.Findings)
		}
	}
	if len(l.inVault) != 3 {
		t.Errorf("%v", l.inVault)
	}
}

// TestGapsComeBackWithAProof: after the state was lost nobody knows which the
// gaps of an archive are, until it is read back.
func TestGapsComeBackWithAProof(t *testing.T) {
	l := newLab()
	l.notes = []keepwatch.Note{{Kind: keepwatch.NoteUnreadable, Path: "f"}}
	var gaps keepwatch.Gaps
	gaps.Add(l.notes[0])
	l.gaps = gaps.List()
	var last keepwatch.Run
	for id := range int64(2) {
		last = backupRun(id + 1)
		if err := l.carry(t, &last, ""); err != nil {
			t.Fatal(err)
		}
	}
	for ref, a := range l.archives {
		a.Verified, a.Gaps, a.Adopted = nil, nil, true
		l.archives[ref] = a
	}
	for ref := range l.archives {
		verify := keepwatch.Run{ID: 9, Kind: keepwatch.RunVerify, Source: "notes", Ask: keepwatch.Ask{Archive: ref}}
		if err := l.carry(t, &verify, ""); err != nil {
			t.Fatal(err)
		}
	}
	if a := l.archives[last.Result.Archive]; len(a.Findings) > 0 || len(a.Gaps) != 1 {
		t.Errorf("%+v", a)
	}
}

// TestAPruneLooksAnewBeforeEachRemoval: what others find out or say while it
// goes on counts up to the last moment.
func TestAPruneLooksAnewBeforeEachRemoval(t *testing.T) {
	const marked, removed = "providers.prune.marked", "providers.prune.after-record"
	damaged := keepwatch.Verification{At: noon, Level: keepwatch.LevelOpened, Problems: []keepwatch.Finding{{Rule: "hash", Text: "It is damaged."}}}
	reading := func(l *lab, kind keepwatch.RunKind, ref string) {
		l.open = []keepwatch.Run{{ID: 9, Kind: kind, State: keepwatch.RunRunning, Ask: keepwatch.Ask{Archive: ref}}}
	}
	const kept = "the rules keep it as the archives are now."
	for _, c := range []struct {
		name  string
		point string
		do    func(l *lab, refs []string)
		left  []int // of four archives, the oldest first, of which the rules keep the last
		why   string
	}{
		{"nothing", marked, func(*lab, []string) {}, []int{3}, ""},
		{"the next one is pinned", removed, func(l *lab, refs []string) {
			l.set(refs[1], func(a *keepwatch.Archive) { a.Pinned = "precious" })
		}, []int{1, 3}, "it was pinned meanwhile."},
		{"the kept one is found damaged", removed, func(l *lab, refs []string) {
			l.set(refs[3], func(a *keepwatch.Archive) { a.Add(damaged) })
		}, []int{2, 3}, kept},
		{"those that are left are found damaged as the first goes", marked, func(l *lab, refs []string) {
			for _, ref := range refs[1:] {
				l.set(ref, func(a *keepwatch.Archive) { a.Add(damaged) })
			}
		}, []int{0, 1, 2, 3}, kept},
		{"the kept one is lost", removed, func(l *lab, refs []string) { delete(l.inVault, refs[3]) }, []int{2}, kept},
		{"the kept one is read", removed, func(l *lab, refs []string) { reading(l, keepwatch.RunVerify, refs[3]) },
			[]int{1, 2, 3}, "run 9 is reading notes/" + keepwatch.StampOf(backupRun(4).Started) + ", which the rules count on."},
		{"one that goes is read", marked, func(l *lab, refs []string) { reading(l, keepwatch.RunRestore, refs[0]) }, []int{0, 3}, "a run is reading it"},
		{"the kept one is found unlike the others", removed, func(l *lab, refs []string) {
			l.set(refs[3], func(a *keepwatch.Archive) { a.Findings = []keepwatch.Finding{{Rule: "empty", Text: "It is empty."}} })
		}, []int{1, 2, 3}, "pruning is paused. It is empty."},
	} {
		l := newLab()
		var refs []string
		for id := range int64(4) {
			run := backupRun(id + 1)
			if err := l.carry(t, &run, ""); err != nil {
				t.Fatal(err)
			}
			refs = append(refs, run.Result.Archive)
		}
		l.keep = keepwatch.Keep{Last: 1}
		l.meanwhile = func(point string) {
			if point == c.point {
				c.do(l, refs)
				l.meanwhile = nil
			}
		}
		prune := keepwatch.Run{ID: 7, Kind: keepwatch.RunPrune, Source: "notes", Ask: keepwatch.Ask{Remove: refs[:3]}}
		if err := l.carry(t, &prune, ""); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var left []int
		for i, ref := range refs {
			if l.inVault[ref] {
				left = append(left, i)
			}
			if l.archives[ref].Removing {
				t.Errorf("%s: %s stays, and counts as one that is meant to be gone", c.name, ref)
			}
		}
		why := ""
		if len(prune.Result.Notes) > 0 {
			why = strings.TrimPrefix(prune.Result.Notes[0].Text, "not removed now: ")
		}
		if !slices.Equal(left, c.left) || why != c.why {
			t.Errorf("%s: left are %v, because %q; want %v", c.name, left, why, c.left)
		}
	}
}

// TestAnotherZoneIsAnotherRule: whose days are counted decides what goes, so the
// rules wait again when that is changed.
func TestAnotherZoneIsAnotherRule(t *testing.T) {
	l := newLab()
	l.keep = keepwatch.Keep{Last: 1, Daily: 2}
	l.confirmed = l.rules()
	l.zone = time.FixedZone("here", 3600)
	for id := range int64(3) {
		run := backupRun(id + 1)
		if err := l.carry(t, &run, ""); err != nil || len(run.Result.Removed) > 0 || id == 2 && len(run.Result.Waiting) != 1 {
			t.Errorf("%v: removed %v, waiting %v", err, run.Result.Removed, run.Result.Waiting)
		}
	}
	l.zone = time.UTC
	run := backupRun(4)
	if err := l.carry(t, &run, ""); err != nil || len(run.Result.Removed) != 2 {
		t.Errorf("%v: removed %v, waiting %v", err, run.Result.Removed, run.Result.Waiting)
	}
}
