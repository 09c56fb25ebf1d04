package keepwatch

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// held is an archive of a backup that the host holds.
func held(id, started string, bad ...Finding) Archive {
	a := verified("ruthin-web", started)
	a.Held, a.Verified[0].Problems = id, bad
	return a
}

func TestHomes(t *testing.T) {
	damage := Finding{Rule: "hash", Text: "It is damaged."}
	other := held("11-09", "2026-11-24T03:00")
	other.Source = "other-web"
	for _, c := range []struct {
		name     string
		archives []Archive
		before   string // Home of that of 11-09
		want     string
	}{
		{name: "nobody has brought it home"},
		{name: "one of it is there", archives: []Archive{held("11-16", "2026-11-24T01:00"), held("11-09", "2026-11-24T03:00")}, want: "ruthin-web/2026-11-24T030000Z"},
		{name: "the newest of two", archives: []Archive{held("11-09", "2026-11-24T03:00"), held("11-09", "2026-11-24T05:00"), held("11-09", "2026-11-24T04:00")}, want: "ruthin-web/2026-11-24T050000Z"},
		{name: "the verified one of two", archives: []Archive{held("11-09", "2026-11-24T05:00", damage), held("11-09", "2026-11-24T03:00")}, want: "ruthin-web/2026-11-24T030000Z"},
		{name: "damaged, and there is no other", archives: []Archive{held("11-09", "2026-11-24T05:00", damage)}, before: "ruthin-web/2026-11-20T030000Z", want: "ruthin-web/2026-11-24T050000Z"},
		{name: "removed by our own rules since", archives: []Archive{held("11-16", "2026-11-24T01:00")}, before: "ruthin-web/2026-11-20T030000Z", want: "ruthin-web/2026-11-20T030000Z"},
		{name: "the same name on another server", archives: []Archive{other}},
		{name: "an archive of no such backup", archives: []Archive{verified("ruthin-web", "2026-11-24T03:00")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			backups := web("11-23", "11-09").Backups
			before := web("11-09").Backups
			before[0].Home = c.before
			got := Homes("ruthin-web", backups, before, c.archives)
			if got[1].Home != c.want || got[0].Home != "" {
				t.Errorf("that of 9 November is %q, that of 23 November %q", got[1].Home, got[0].Home)
			}
			if backups[1].Home != "" {
				t.Error("what was handed over was changed")
			}
		})
	}
}

// TestHomeIsKnownAtOnce: no look at the server lies between an archive and the word
// that it is home, and one that is damaged is not.
func TestHomeIsKnownAtOnce(t *testing.T) {
	source := Source{Name: "ruthin-web", Kind: KindCPanel, Rotation: Rotation{Keeps: 2}}
	state := web("11-23", "11-16")
	good, bad := held("11-16", "2026-11-24T03:00"), held("11-16", "2026-11-24T03:00", Finding{Rule: "hash", Text: "It is damaged."})
	if all := Departures(source, state, []Archive{good}); !all[0].Home || all[1].Home || all[0].Backup.Home != good.Ref() {
		t.Errorf("%+v", all)
	}
	if all := Departures(source, state, []Archive{bad}); all[0].Home {
		t.Errorf("a damaged one is home: %+v", all[0])
	}
}

func TestAway(t *testing.T) {
	source := Source{Name: "ruthin-web", Kind: KindCPanel, Rotation: Rotation{Keeps: 3}}
	state := web("11-23", "11-16", "11-09")
	if d, found := Away(Departures(source, state, nil)); found {
		t.Errorf("the account gets at none of them, and is to fetch %+v", d)
	}
	for i := range state.Backups {
		state.Backups[i].Path = "backup-" + state.Backups[i].ID
	}
	for n, want := range []string{"11-09", "11-16", "11-23", ""} {
		var have []Archive
		for _, b := range state.Backups[len(state.Backups)-n:] {
			have = append(have, held(b.ID, "2026-11-24T03:00"))
		}
		if d, _ := Away(Departures(source, state, have)); d.Backup.ID != want {
			t.Errorf("with %d at home the next is %q and not %q", n, d.Backup.ID, want)
		}
	}
}

// TestFactBringsHome: whoever reads that a backup goes is one click away from having
// it.
func TestFactBringsHome(t *testing.T) {
	source := Source{Name: "ruthin-web", Kind: KindCPanel, Rotation: Rotation{Keeps: 1}}
	state := web("11-23")
	state.Backups[0].ID, state.Backups[0].Path = "a name", "/home/ruthin/a name"
	facts := RotationFacts(source, state, nil, time.Time{}, at("2026-11-25T12:00"), time.UTC)
	wellFormed(t, facts)
	if b := facts[0].Buttons[0]; b.Label != "Bring it home" || b.Command != `backup fetch ruthin-web "a name"` {
		t.Errorf("%+v", b)
	}
	if !strings.Contains(facts[0].Text, "`/backup fetch ruthin-web \"a name\"` brings it home while it is there") {
		t.Error(facts[0].Text)
	}
}

func TestFetchWord(t *testing.T) {
	for id, want := range map[string]string{
		"backup-11.9.2026_03-00-00_ruthin.tar.gz": "backup-11.9.2026_03-00-00_ruthin.tar.gz", "weekly/2026-11-09": "weekly/2026-11-09", "a b": `"a b"`, `it"s`: `"it\"s"`, `a\b c`: `"a\\b c"`,
	} {
		if got := fetchWord(ServerBackup{ID: id}); got != want {
			t.Errorf("%q as a word is %s", id, got)
		}
	}
}

func TestLastLike(t *testing.T) {
	source := Source{Name: "ruthin-web", Kind: KindCPanel}
	old, newer, damaged, home := verified("ruthin-web", "2026-11-20T03:00"), verified("ruthin-web", "2026-11-22T03:00"), held("", "2026-11-23T03:00", Finding{Rule: "hash", Text: "x"}), verified("ruthin-web", "2026-11-24T03:00")
	home.Parts = []string{PartHome}
	fetched := verified("ruthin-web", "2026-11-25T03:00") // newer, and of what was before
	fetched.Inside = &Inside{Files: 1, Made: at("2026-11-09T00:00")}
	all := []Archive{old, newer, damaged, home, fetched}
	for _, c := range []struct {
		parts []string
		want  Archive
	}{{nil, newer}, {[]string{PartHome}, home}, {[]string{PartFilters}, Archive{}}} {
		got, found := LastLike(source, c.parts, all)
		if d := cmp.Diff(c.want.Stamp, got.Stamp); d != "" || found != (c.want.Stamp != "") {
			t.Errorf("%v: %s", c.parts, d)
		}
	}
}

// TestFetchedIsOfItsDay: what was brought home today and is of a month ago is not the
// newest, is no reason to remove anything that we have made, and is not removed itself
// by the backup behind it.
func TestFetchedIsOfItsDay(t *testing.T) {
	own, older := verified("ruthin-web", "2026-11-24T03:00"), verified("ruthin-web", "2026-11-23T03:00")
	fetched := held("b1", "2026-11-24T12:00")
	fetched.Fetched, fetched.Inside = true, &Inside{Files: 1, Made: at("2026-10-24T00:00")}
	again := held("b2", "2026-11-24T13:00")
	again.Fetched, again.Inside = true, &Inside{Files: 1, Made: at("2026-10-17T00:00")}
	for name, keep := range map[string]Keep{"the last one": {Last: 1}, "one a day": {Daily: 1}} {
		kept := map[string]bool{}
		for _, d := range keep.Decide([]Archive{own, older, fetched, again}, at("2026-11-24T14:00"), time.UTC) {
			kept[d.Archive.Ref()] = d.Keep
		}
		want := map[string]bool{own.Ref(): true, older.Ref(): false, fetched.Ref(): true, again.Ref(): false}
		if d := cmp.Diff(want, kept); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	each := func(after time.Time) (time.Time, bool) { return after.Truncate(24*time.Hour).AddDate(0, 0, 1), true }
	k := Kept{Source: Source{Name: "ruthin-web", Kind: KindCPanel}, Archives: []Archive{older, fetched}, Next: each}
	if facts := ArchiveFacts(k, at("2026-11-26T12:00"), time.UTC); len(facts) != 1 || !strings.Contains(facts[0].Title, "23 November") {
		t.Errorf("%+v", facts)
	}
	if got, _ := LastLike(k.Source, nil, []Archive{older, fetched}); got.Ref() != older.Ref() {
		t.Errorf("the next backup is held against %s", got.Ref())
	}
}

// TestAsOf: what the server makes for a run is of when the run began.
func TestAsOf(t *testing.T) {
	a := verified("ruthin-web", "2026-11-24T03:00")
	for made, want := range map[string]string{"2026-11-24T04:30": "2026-11-24T03:00", "2026-11-09T03:00": "2026-11-09T03:00"} {
		a.Inside = &Inside{Made: at(made)}
		if !a.AsOf().Equal(at(want)) {
			t.Errorf("made %s, it is of %s", made, a.AsOf())
		}
	}
	a.Inside = nil
	if !a.AsOf().Equal(a.Started) {
		t.Errorf("it is of %s", a.AsOf())
	}
}
