package keepwatch

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// brief writes facts in lines: what the keeper goes by, and the title.
func brief(facts []Fact) string {
	var b strings.Builder
	for _, f := range facts {
		until := "-"
		if !f.Until.IsZero() {
			until = f.Until.UTC().Format("2006-01-02T15:04")
		}
		b.WriteString(strings.Join([]string{f.Key, f.Tone.String(), until, f.Title}, " | ") + "\n")
	}
	return b.String()
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// wellFormed holds every fact to what a person and the keeper need.
func wellFormed(t *testing.T, facts []Fact) {
	t.Helper()
	keys := map[string]bool{}
	for _, f := range facts {
		if f.Key == "" || keys[f.Key] || f.Kind == "" || f.Title == "" || len(f.Title) > 140 || !strings.HasSuffix(f.Text, ".") || strings.Contains(f.Text, "..") || strings.Contains(f.Text, "  ") {
			t.Errorf("not as a fact should be: %+v", f)
		}
		keys[f.Key] = true
		for _, b := range f.Buttons {
			if token, kept := b.Token(); kept {
				t.Errorf("a command that is no token of its own: %s %s", b.Command, token)
			}
		}
	}
}

func TestExpiryFacts(t *testing.T) {
	secret := func(expires string) []Credential {
		return []Credential{{Name: "Graph client secret", Expires: at(expires), Owner: "Alis", How: "Make a new one in Entra"}}
	}
	for _, c := range []struct{ name, now, expires, zone, want string }{
		{"61 days before", "2026-10-07T00:00", "2026-12-07T00:00", "UTC", ""},
		{"60 days before", "2026-10-08T00:00", "2026-12-07T00:00", "UTC", "expiry/graph-client-secret | warn | 2026-12-07T00:00 | Graph client secret runs out on 7 December\n"},
		{"a week before", "2026-11-30T00:00", "2026-12-07T00:00", "UTC", "expiry/graph-client-secret | bad | 2026-12-07T00:00 | Graph client secret runs out on 7 December\n"},
		{"at its moment", "2026-12-07T00:00", "2026-12-07T00:00", "UTC", "expiry/graph-client-secret | bad | 2026-12-07T00:00 | Graph client secret ran out on 7 December\n"},
		{"next year", "2026-12-31T12:00", "2027-02-28T00:00", "UTC", "expiry/graph-client-secret | warn | 2027-02-28T00:00 | Graph client secret runs out on 28 February 2027\n"},
		{"leap day", "2028-02-01T00:00", "2028-02-29T09:00", "UTC", "expiry/graph-client-secret | warn | 2028-02-29T09:00 | Graph client secret runs out on 29 February\n"},
		{"the day before, west of Greenwich", "2026-12-01T00:00", "2026-12-07T00:00", "America/New_York", "expiry/graph-client-secret | bad | 2026-12-07T00:00 | Graph client secret runs out on 6 December\n"},
		{"the day after, east of it", "2026-12-01T00:00", "2026-12-31T22:00", "Pacific/Auckland", "expiry/graph-client-secret | warn | 2026-12-31T22:00 | Graph client secret runs out on 1 January 2027\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := ExpiryFacts(secret(c.expires), at(c.now), zone(t, c.zone))
			wellFormed(t, facts)
			if d := cmp.Diff(c.want, brief(facts)); d != "" {
				t.Error(d)
			}
		})
	}
	if facts := ExpiryFacts([]Credential{{Name: "no date"}}, at("2026-12-01T00:00"), time.UTC); facts != nil {
		t.Errorf("a credential without a date: %v", facts)
	}
	early, late := ExpiryFacts(secret("2026-12-07T00:00"), at("2026-12-01T00:00"), time.UTC), ExpiryFacts(secret("2026-12-07T00:00"), at("2026-12-02T00:00"), time.UTC)
	if d := cmp.Diff(early, late); d != "" {
		t.Errorf("a day that passes changes what is said, so that messages are edited for nothing:\n%s", d)
	}
	if a, b := secret("2026-12-07T00:00"), secret("2026-12-20T00:00"); ExpiryFacts(a, at("2026-12-01T00:00"), time.UTC)[0].Urge == ExpiryFacts(b, at("2026-12-01T00:00"), time.UTC)[0].Urge {
		t.Error("another date is not another urge")
	}
}

// web is a hosting account with a backup on each of some days of 2026.
func web(days ...string) ServerState {
	s := ServerState{Source: "ruthin-web", Seen: at("2026-11-25T00:00")}
	for _, d := range days {
		s.Backups = append(s.Backups, ServerBackup{ID: d, At: at("2026-" + d + "T00:00")})
	}
	return s
}

// stays marks backups that the host does not remove by itself.
func stays(s ServerState, which ...int) ServerState {
	for _, i := range which {
		s.Backups[i].Stays = true
	}
	return s
}

func TestDeparturesOfWhatStays(t *testing.T) {
	var got []string
	for _, d := range Departures(Source{Rotation: Rotation{Keeps: 2}}, stays(web("11-23", "11-16", "11-09"), 1), nil) {
		got = append(got, d.Backup.ID+" "+d.Says(at("2026-11-25T00:00"), time.UTC))
	}
	want := []string{"11-09 at the host's next run", "11-16 only when somebody removes it", "11-23 at the host's second run from now"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func verified(source, started string) Archive {
	s := at(started)
	return Archive{Source: source, Stamp: StampOf(s), Started: s, Finished: s.Add(time.Minute), Verified: []Verification{{At: s}}}
}

func TestRotationFacts(t *testing.T) {
	const now = "2026-11-25T12:00"
	own := []Archive{verified("ruthin-web", "2026-11-25T09:00")}
	broken := verified("ruthin-web", "2026-11-10T03:00")
	broken.Verified[0].Problems = []Finding{{Text: "Not whole."}}
	home := func(s ServerState, ref string, which ...int) ServerState {
		for _, i := range which {
			s.Backups[i].Home = ref
		}
		return s
	}
	month := 28 * 24 * time.Hour
	for _, c := range []struct {
		name     string
		rotation Rotation
		state    ServerState
		archives []Archive
		next     string
		zone     string
		want     string
	}{
		{name: "by number and by age", rotation: Rotation{3, month}, state: web("11-23", "11-16", "11-09"), archives: own, next: "2026-11-30T00:00",
			want: "rotation/ruthin-web | warn | 2026-11-30T00:00 | ruthin-web: the backup of 9 November goes at the host's next run or by 7 December\n"},
		{name: "the host's next run is estimated", rotation: Rotation{3, month}, state: web("11-23", "11-16", "11-09"), archives: own,
			want: "rotation/ruthin-web | warn | 2026-11-30T00:00 | ruthin-web: the backup of 9 November goes at the host's next run or by 7 December\n"},
		{name: "a date is the same day west of Greenwich", rotation: Rotation{3, month}, state: web("11-23", "11-16", "11-09"), archives: own, zone: "America/Los_Angeles",
			want: "rotation/ruthin-web | warn | 2026-11-30T00:00 | ruthin-web: the backup of 9 November goes at the host's next run or by 7 December\n"},
		{name: "there is room for one more", rotation: Rotation{4, month}, state: web("11-23", "11-16", "11-09"), archives: own,
			want: "rotation/ruthin-web | warn | 2026-12-07T00:00 | ruthin-web: the backup of 9 November goes at the host's second run from now or by 7 December\n"},
		{name: "by age alone", rotation: Rotation{MaxAge: month}, state: web("11-23", "11-09"), archives: own,
			want: "rotation/ruthin-web | warn | 2026-12-07T00:00 | ruthin-web: the backup of 9 November goes by 7 December\n"},
		{name: "over the end of a month and of a year", rotation: Rotation{MaxAge: 60 * 24 * time.Hour}, state: web("11-23", "11-02"), archives: own,
			want: "rotation/ruthin-web | warn | 2027-01-01T00:00 | ruthin-web: the backup of 2 November goes by 1 January 2027\n"},
		{name: "an age that is far away", rotation: Rotation{MaxAge: 365 * 24 * time.Hour}, state: web("11-23"), archives: own},
		{name: "its date has passed, and it is there", rotation: Rotation{MaxAge: 7 * 24 * time.Hour}, state: web("11-23", "11-16"), archives: own,
			want: "rotation/ruthin-web | warn | 2026-11-23T00:00 | ruthin-web: the backup of 16 November goes at any time now: its date was 23 November\n"},
		{name: "more than it keeps", rotation: Rotation{Keeps: 2}, state: web("11-25", "11-24", "11-23"), archives: own, next: "2026-11-26T00:00",
			want: "rotation/ruthin-web | warn | 2026-11-26T00:00 | ruthin-web: the backup of 23 November goes at the host's next run\n"},
		{name: "the next is home, the one after it is not due", rotation: Rotation{Keeps: 3}, state: home(web("11-23", "11-16", "11-09"), "ruthin-web/2026-11-25T090000Z", 2), archives: own},
		{name: "the next is home, and another goes by age", rotation: Rotation{3, month}, state: home(web("11-23", "11-16", "11-09"), "ruthin-web/2026-11-25T090000Z", 2), archives: own,
			want: "rotation/ruthin-web | warn | 2026-12-14T00:00 | ruthin-web: the backup of 16 November goes at the host's second run from now or by 14 December\n"},
		{name: "all are home", rotation: Rotation{3, month}, state: home(web("11-23", "11-16", "11-09"), "ruthin-web/2026-11-25T090000Z", 0, 1, 2), archives: own},
		{name: "brought home and removed by our own rules", rotation: Rotation{Keeps: 1}, state: home(web("11-23"), "ruthin-web/2026-11-01T030000Z", 0), archives: own},
		{name: "brought home, and what was is damaged", rotation: Rotation{Keeps: 1}, state: home(web("11-23"), broken.Ref(), 0), archives: append([]Archive{broken}, own...),
			want: "rotation/ruthin-web | warn | - | ruthin-web: the backup of 23 November goes at the host's next run\n"},
		{name: "no archive of our own at all", rotation: Rotation{Keeps: 1}, state: web("11-23"),
			want: "rotation/ruthin-web | bad | - | ruthin-web: the backup of 23 November goes at the host's next run\n"},
		{name: "nobody has said what the host keeps", state: web("11-23", "11-16"), archives: own,
			want: "rotation/ruthin-web | warn | - | ruthin-web: the backup of 16 November may go at the host's next run\n"},
		{name: "what stays in the home is not counted", rotation: Rotation{3, month}, state: stays(web("11-24", "11-23", "11-16", "11-09", "11-02"), 0, 4), archives: own,
			want: "rotation/ruthin-web | warn | 2026-11-30T00:00 | ruthin-web: the backup of 9 November goes at the host's next run or by 7 December\n"},
		{name: "nothing but what stays", rotation: Rotation{1, month}, state: stays(web("11-23", "10-01"), 0, 1)},
		{name: "nothing was seen", rotation: Rotation{3, month}, state: web()},
	} {
		t.Run(c.name, func(t *testing.T) {
			loc, next := time.UTC, time.Time{}
			if c.zone != "" {
				loc = zone(t, c.zone)
			}
			if c.next != "" {
				next = at(c.next)
			}
			facts := RotationFacts(Source{Name: "ruthin-web", Kind: KindCPanel, Rotation: c.rotation}, c.state, c.archives, next, at(now), loc)
			wellFormed(t, facts)
			if d := cmp.Diff(c.want, brief(facts)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRotationFactSaysWhatIsThere(t *testing.T) {
	source := Source{Name: "ruthin-web", Kind: KindCPanel, Rotation: Rotation{3, 28 * 24 * time.Hour}}
	state := web("11-23", "11-16", "11-09")
	facts := RotationFacts(source, state, []Archive{verified("ruthin-web", "2026-11-25T09:00")}, time.Time{}, at("2026-11-25T12:00"), time.UTC)
	want := "The host holds 3 backups and keeps 3, each for 28 d at the most. The one of 9 November goes at the host's next run or by 7 December, and was not brought home. " +
		"2 that go later were not brought home either. If what it holds matters, download it while it is there and hand it in; where the account does not get at it, ask the host's administrator. " +
		"A backup that Keepwatch makes now holds what there is now, and not what there was on 9 November."
	if d := cmp.Diff(want, facts[0].Text); d != "" {
		t.Error(d)
	}
	first := facts[0].Urge
	state.Backups = state.Backups[:2]
	if next := RotationFacts(source, state, nil, time.Time{}, at("2026-12-01T12:00"), time.UTC); next[0].Key != facts[0].Key || next[0].Urge == first {
		t.Errorf("another backup is the next to go: %q and %q, urge %q and %q", facts[0].Key, next[0].Key, first, next[0].Urge)
	}
	state.Trouble = "The host does not answer"
	if facts := RotationFacts(source, state, nil, time.Time{}, at("2026-11-26T23:00"), time.UTC); len(facts) != 1 || !strings.Contains(facts[0].Text, "The host does not answer.") {
		t.Errorf("a look that failed: %+v", facts)
	}
	facts = RotationFacts(source, state, nil, time.Time{}, at("2026-11-27T01:00"), time.UTC)
	wellFormed(t, facts)
	if len(facts) != 2 || facts[0].Key != "server/ruthin-web" {
		t.Errorf("a server that nobody has seen for two days: %s", brief(facts))
	}
}

// TestRotationOfWhatCannotBeBroughtHome: a backup that the account does not get at is
// no reason to worry where a whole archive of ours of about that day is verified.
func TestRotationOfWhatCannotBeBroughtHome(t *testing.T) {
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	source := Source{Name: "web", Kind: KindCPanel, Rotation: Rotation{Keeps: 1}}
	proof := []Verification{{Level: LevelOpened}}
	whole := Archive{Source: "web", Stamp: "2026-11-21T030000Z", Started: day.Add(27 * time.Hour), Verified: proof}
	parts, late, unproved, other := whole, whole, whole, whole
	parts.Parts, late.Started, unproved.Verified, other.Source = []string{"home"}, day.Add(49*time.Hour), nil, "mail"
	for name, c := range map[string]struct {
		archive Archive
		path    string
		stands  bool
	}{
		"whole": {whole, "", true}, "can be brought home": {whole, "/home/web/b.tar.gz", false}, "parts": {parts, "", false},
		"of another day": {late, "", false}, "not verified": {unproved, "", false}, "of another source": {other, "", false},
	} {
		state := ServerState{Seen: day, Backups: []ServerBackup{{ID: "2026-11-20", At: day, Path: c.path}}}
		facts := RotationFacts(source, state, []Archive{c.archive}, time.Time{}, day.Add(60*time.Hour), time.UTC)
		if got := len(facts) == 0; got != c.stands {
			t.Errorf("%s: %+v", name, facts)
		}
		if near := Departures(source, state, []Archive{c.archive})[0].Near; (near == whole.Ref()) != c.stands {
			t.Errorf("%s: %q", name, near)
		}
	}
}
