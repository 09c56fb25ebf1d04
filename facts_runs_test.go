package keepwatch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRunFacts(t *testing.T) {
	rule := Rule{ID: "schedule:ruthin-web", Kind: RuleCommand, Command: "backup start ruthin-web", Next: at("2026-11-26T03:00")}
	// days makes occurrences of the newest days, the first is that of 25 November.
	days := func(states ...OccurrenceState) []Occurrence {
		var list []Occurrence
		for i, s := range states {
			list = append(list, Occurrence{State: s, At: at("2026-11-25T03:00").AddDate(0, 0, -i), Run: int64(50 - i)})
		}
		return list
	}
	paused, text, other := rule, rule, rule
	paused.Paused, text.Kind, other.ID, other.Grace = true, RuleText, "12", time.Hour
	for _, c := range []struct {
		name        string
		rule        Rule
		occurrences []Occurrence
		now         string
		want        string
	}{
		{"nothing yet", rule, nil, "2026-11-25T12:00", ""},
		{"all is well", rule, days(OccurrenceDone, OccurrenceFailed), "2026-11-25T12:00", ""},
		{"under way", rule, days(OccurrenceRunning, OccurrenceDone), "2026-11-25T12:00", ""},
		{"under way after one that failed", rule, days(OccurrenceRunning, OccurrenceFailed, OccurrenceDone), "2026-11-25T12:00", "failing/ruthin-web | bad | - | ruthin-web: the run of 24 November, 03:00 failed\n"},
		{"over when a later one is done", rule, days(OccurrenceDone, OccurrenceMissed, OccurrenceFailed), "2026-11-25T12:00", ""},
		{"missed", rule, days(OccurrenceMissed, OccurrenceDone), "2026-11-25T12:00", "missed/ruthin-web | warn | - | ruthin-web: what was due on 25 November, 03:00 was missed\n"},
		{"still running at the next one", rule, days(OccurrenceRunning), "2026-11-26T03:00", "missed/ruthin-web | warn | - | ruthin-web: what was begun on 25 November, 03:00 is still not over\n"},
		{"a minute before the next one", rule, days(OccurrenceRunning), "2026-11-26T02:59", ""},
		{"not started", rule, days(OccurrenceDue, OccurrenceDone), "2026-11-26T03:01", "missed/ruthin-web | warn | - | ruthin-web: what was due on 25 November, 03:00 has not started\n"},
		{"past its grace", other, days(OccurrenceDue), "2026-11-25T04:01", "missed/rule-12 | warn | - | Reminder 12: what was due on 25 November, 03:00 has not started\n"},
		{"missed because the one before goes on", rule, days(OccurrenceMissed, OccurrenceRunning), "2026-11-25T04:00", "missed/ruthin-web | warn | - | ruthin-web: what was due on 25 November, 03:00 was missed\n"},
		{"failing since", rule, days(OccurrenceFailed, OccurrenceFailed, OccurrenceMissed, OccurrenceFailed, OccurrenceDone, OccurrenceFailed), "2026-11-25T12:00",
			"failing/ruthin-web | bad | - | ruthin-web: scheduled runs have failed since 22 November, 03:00\n"},
		{"skipping ends nothing", rule, days(OccurrenceSkipped, OccurrenceFailed), "2026-11-25T12:00", "failing/ruthin-web | bad | - | ruthin-web: the run of 24 November, 03:00 failed\n"},
		{"waits for somebody", rule, []Occurrence{{State: OccurrenceMissed, At: at("2026-11-25T03:00")}, {State: OccurrenceRunning, At: at("2026-11-24T03:00"), Run: 49, Log: []Happening{{What: "run 49 was started"}, {What: "run 49 needs attention: The disk is full."}}}}, "2026-11-25T03:01",
			"failing/ruthin-web | bad | - | ruthin-web: run 49 of 24 November, 03:00 needs somebody\n"},
		{"goes on", rule, []Occurrence{{State: OccurrenceRunning, At: at("2026-11-25T03:00"), Run: 49, Log: []Happening{{What: "run 49 needs attention: The disk is full."}, {What: "run 49 goes on"}}}}, "2026-11-25T03:01", ""},
		{"paused", paused, days(OccurrenceFailed), "2026-11-25T12:00", ""},
		{"a reminder", text, days(OccurrenceMissed), "2026-11-25T12:00", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := RunFacts(c.rule, c.occurrences, at(c.now), time.UTC)
			wellFormed(t, facts)
			if d := cmp.Diff(c.want, brief(facts)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestRunFactsSay what becomes of it: no next time where there is none, no tries that
// were not made.
func TestRunFactsSay(t *testing.T) {
	rule := Rule{ID: "12", Kind: RuleCommand, Command: "backup start notes", Next: at("2026-11-26T03:00")}
	failed := func(tries int, why string) []Occurrence {
		return []Occurrence{{State: OccurrenceFailed, At: at("2026-11-25T03:00"), Tries: tries, Log: []Happening{{What: why}}}}
	}
	for _, c := range []struct {
		next        time.Time
		occurrences []Occurrence
		want        string
	}{
		{rule.Next, failed(8, "run 12 failed: The host does not answer."), "“backup start notes” was tried 8 times, as long as there was time, and failed. Run 12 failed: The host does not answer. It is tried again at the next time."},
		{rule.Next, failed(1, "whoever made it is not known any more"), "“backup start notes” was carried out, and failed. Whoever made it is not known any more. It is tried again at the next time."},
		{time.Time{}, failed(1, "no"), "“backup start notes” was carried out, and failed. No. It does not come due again: do it now, if it is still wanted, and remove the reminder."},
	} {
		rule.Next = c.next
		facts := RunFacts(rule, c.occurrences, at("2026-11-25T12:00"), time.UTC)
		if len(facts) != 1 || facts[0].Text != c.want {
			t.Errorf("%+v\nis to say\n%s", facts, c.want)
		}
	}
}

// daily is a schedule at 03:00 by the wall clock of a zone.
func daily(loc *time.Location) func(time.Time) (time.Time, bool) {
	return func(after time.Time) (time.Time, bool) {
		after = after.In(loc)
		next := time.Date(after.Year(), after.Month(), after.Day(), 3, 0, 0, 0, loc)
		if !next.After(after) {
			next = time.Date(after.Year(), after.Month(), after.Day()+1, 3, 0, 0, 0, loc)
		}
		return next, true
	}
}

func TestArchiveFacts(t *testing.T) {
	source := Source{Name: "notes", Kind: KindFiles, Path: "/srv/notes"}
	never := func(time.Time) (time.Time, bool) { return time.Time{}, false }
	every := daily(time.UTC)
	one := func(started string, change ...func(*Archive)) []Archive {
		a := verified("notes", started)
		for _, c := range change {
			c(&a)
		}
		return []Archive{a}
	}
	bad := func(a *Archive) { a.Verified = nil }
	part := func(a *Archive) { a.Parts = []string{"reports"} }
	moved := func(a *Archive) { a.Path = "/srv/elsewhere" }
	copied := func(a *Archive) { a.Copies = []Copy{{Place: "/mnt/b", Verified: a.Finished}} }
	unproven := func(a *Archive) { a.Copies = []Copy{{Place: "/mnt/b", At: a.Finished}} }
	troubled := func(a *Archive) {
		a.Copies = []Copy{{Place: "/mnt/b", Verified: a.Finished, Trouble: "The disk is full."}}
	}
	const none = "unverified/notes | bad | - | notes has no verified archive\n"
	const partly = "unverified/notes | bad | - | notes has no verified archive of all of it\n"
	const single = "single/notes | warn | - | notes: the archive of 23 November, 03:01 lies in one place only\n"
	for _, c := range []struct {
		name string
		kept Kept
		now  string
		want string
	}{
		{"on time", Kept{Archives: one("2026-11-23T03:01"), Next: every}, "2026-11-24T12:00", ""},
		{"two times have passed, the second may be under way", Kept{Archives: one("2026-11-23T03:01"), Next: every}, "2026-11-25T08:59", ""},
		{"two times have passed", Kept{Archives: one("2026-11-23T03:01"), Next: every}, "2026-11-25T09:00", "old/notes | bad | - | notes: the newest verified archive is of 23 November, 03:01\n"},
		{"a newer one that is not verified", Kept{Archives: append(one("2026-11-25T03:00", bad), one("2026-11-23T03:01")...), Next: every}, "2026-11-25T09:00", "old/notes | bad | - | notes: the newest verified archive is of 23 November, 03:01\n"},
		{"a newer one of a part", Kept{Archives: append(one("2026-11-25T03:00", part), one("2026-11-23T03:01")...), Next: every}, "2026-11-25T09:00", "old/notes | bad | - | notes: the newest verified archive is of 23 November, 03:01\n"},
		{"one that lies in the future", Kept{Archives: append(one("2027-11-25T03:00"), one("2026-11-23T03:01")...), Next: every}, "2026-11-25T09:00", "old/notes | bad | - | notes: the newest verified archive is of 23 November, 03:01\n"},
		{"without a schedule", Kept{Archives: one("2020-11-23T03:01")}, "2026-11-25T09:00", ""},
		{"a schedule that ends", Kept{Archives: one("2020-11-23T03:01"), Next: never}, "2026-11-25T09:00", ""},
		{"over the end of a month", Kept{Archives: one("2026-02-27T03:00"), Next: every}, "2026-03-01T09:00", "old/notes | bad | - | notes: the newest verified archive is of 27 February, 03:00\n"},
		{"over the end of a leap month", Kept{Archives: one("2028-02-27T03:00"), Next: every}, "2028-02-29T09:00", "old/notes | bad | - | notes: the newest verified archive is of 27 February, 03:00\n"},
		{"new, and its first time has not come", Kept{Next: every, FirstSeen: at("2026-11-24T12:00")}, "2026-11-25T02:00", ""},
		{"new, and its first backup may be under way", Kept{Next: every, FirstSeen: at("2026-11-24T12:00")}, "2026-11-25T08:00", ""},
		{"never backed up", Kept{Next: every, FirstSeen: at("2026-11-24T12:00")}, "2026-11-25T09:00", none},
		{"never verified", Kept{Archives: one("2026-11-24T03:00", bad), Next: every, FirstSeen: at("2026-11-20T12:00")}, "2026-11-25T09:00", none},
		{"of a part alone", Kept{Archives: one("2026-11-24T03:00", part), Next: every, FirstSeen: at("2026-11-20T12:00")}, "2026-11-25T09:00", partly},
		{"of another path alone", Kept{Archives: one("2026-11-24T03:00", moved), Next: every, FirstSeen: at("2026-11-20T12:00")}, "2026-11-25T09:00", partly},
		{"nobody backs it up, and nobody said that it should", Kept{FirstSeen: at("2020-01-01T00:00")}, "2026-11-25T09:00", ""},
		{"unverified for six days", Kept{Archives: one("2026-11-19T12:00", bad)}, "2026-11-25T09:00", ""},
		{"unverified for a week", Kept{Archives: one("2026-11-18T09:00", bad)}, "2026-11-25T09:00", none},
		{"copied", Kept{Archives: one("2026-11-23T03:01", copied), Copies: []string{"/mnt/b"}}, "2026-11-25T09:00", ""},
		{"not copied", Kept{Archives: one("2026-11-23T03:01"), Copies: []string{"/mnt/b"}}, "2026-11-25T09:00", single},
		{"not copied yet", Kept{Archives: one("2026-11-25T03:01"), Copies: []string{"/mnt/b"}}, "2026-11-25T09:00", ""},
		{"copied and not read back", Kept{Archives: one("2026-11-23T03:01", unproven), Copies: []string{"/mnt/b"}}, "2026-11-25T09:00", single},
		{"its copy does not count", Kept{Archives: one("2026-11-23T03:01", troubled), Copies: []string{"/mnt/b"}}, "2026-11-25T09:00", single},
		{"copied to where copies are no longer", Kept{Archives: one("2026-11-23T03:01", copied), Copies: []string{"/mnt/c"}}, "2026-11-25T09:00", single},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.kept.Source = source
			facts := ArchiveFacts(c.kept, at(c.now), time.UTC)
			wellFormed(t, facts)
			if d := cmp.Diff(c.want, brief(facts)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestPromiseByTheWallClock: in the night in which clocks are set forward a day has
// 23 hours, and the promise is of the schedule and not of 48.
func TestPromiseByTheWallClock(t *testing.T) {
	loc := zone(t, "Europe/London")
	k := Kept{Source: Source{Name: "notes"}, Archives: []Archive{verified("notes", "2026-03-28T03:00")}, Next: daily(loc)}
	due := time.Date(2026, 3, 30, 9, 0, 0, 0, loc)
	if facts := ArchiveFacts(k, due.Add(-time.Second), loc); facts != nil {
		t.Errorf("too early: %s", brief(facts))
	}
	if facts := ArchiveFacts(k, due, loc); len(facts) != 1 {
		t.Errorf("two times have passed: %s", brief(facts))
	}
}

func TestVaultFacts(t *testing.T) {
	archives := []Archive{verified("notes", "2026-11-23T03:01"), verified("mail", "2026-10-01T03:00")}
	for _, c := range []struct{ name, now, want string }{
		{"new", "2026-10-20T00:00", "vault/single | info | - | All archives lie in one place only\n"},
		{"just begun", "2026-10-01T12:00", ""},
		{"for a month", "2026-10-31T03:00", "vault/single | warn | - | All archives lie in one place only\n"},
	} {
		facts := VaultFacts(archives, nil, at(c.now))
		wellFormed(t, facts)
		if d := cmp.Diff(c.want, brief(facts)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	if VaultFacts(archives, []string{"/mnt/b"}, at("2026-11-25T00:00")) != nil || VaultFacts(nil, nil, at("2026-11-25T00:00")) != nil {
		t.Error("copies are configured, or there is nothing to copy")
	}
}
