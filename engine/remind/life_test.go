package remind_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

func TestDueOnce(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	r := w.add(keepwatch.Rule{When: cron("0 9 *")})
	if r.ID != "1" || !r.Next.Equal(at("2026-11-26 09:00")) {
		t.Fatalf("saved as %+v", r)
	}
	w.run(2 * time.Hour)
	w.boot()
	w.run(time.Minute)
	w.sees("slack:A", "1@2026-11-26T09:00 posted")
	w.to(at("2026-11-26 08:00")) // the clock is set back
	w.run(3 * time.Hour)
	w.sees("slack:A", "1@2026-11-26T09:00 posted")
	w.to(at("2026-11-27 09:00"))
	w.sees("slack:A", "1@2026-11-26T09:00 posted", "1@2026-11-27T09:00 posted")
	w.state("1@2026-11-26T09:00", keepwatch.OccurrencePassed)
	o := w.state("1@2026-11-27T09:00", keepwatch.OccurrencePosted)
	if o.Posted != 1 || len(o.Places) != 1 || !o.Wake.IsZero() || !o.At.Equal(at("2026-11-27 09:00")) {
		t.Errorf("%+v", o)
	}
}

func TestMissed(t *testing.T) {
	for name, c := range map[string]struct {
		when  string
		grace time.Duration
		back  string // when the bot is back
		want  []string
		kept  map[string]keepwatch.OccurrenceState
	}{
		"a little": {"0 9 *", 0, "2026-11-26 11:00", []string{"1@2026-11-26T09:00 posted"}, nil},
		"days": {"0 9 *", 0, "2026-11-29 11:00", []string{"1@2026-11-29T09:00 posted after 3"},
			map[string]keepwatch.OccurrenceState{"1@2026-11-26T09:00": keepwatch.OccurrenceMissed, "1@2026-11-28T09:00": keepwatch.OccurrenceMissed}},
		"at the end of the grace":  {"0 9 *", 2 * time.Hour, "2026-11-26 11:00", []string{"1@2026-11-26T09:00 posted"}, nil},
		"past the end":             {"0 9 *", 2 * time.Hour, "2026-11-26 11:00:01", []string{"missed 1 of 1"}, map[string]keepwatch.OccurrenceState{"1@2026-11-26T09:00": keepwatch.OccurrenceMissed}},
		"many, past the end":       {"0 9 *", time.Hour, "2027-01-26 11:00", []string{"missed 62 of 1"}, map[string]keepwatch.OccurrenceState{"1@2027-01-26T09:00": keepwatch.OccurrenceMissed}},
		"far more than is counted": {"0 * *", 0, "2029-11-26 09:30", []string{"1@2029-11-26T09:00 posted after 10023"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, wallClock{}, at("2026-11-26 08:30"))
			w.add(keepwatch.Rule{When: cron(c.when), Grace: c.grace})
			w.boot()
			w.to(at(c.back))
			w.to(w.now.Add(time.Minute))
			w.sees("slack:A", c.want...)
			for id, state := range c.kept {
				w.state(id, state)
			}
			all, err := w.Occurrences("1", 0)
			if err != nil || len(all) > 21 {
				t.Errorf("%d are kept, %v", len(all), err)
			}
			if next := w.rule("1").Next; !next.After(w.now) {
				t.Errorf("next at %s", next)
			}
		})
	}
}

// TestMissedInOneLine: many rules of a channel say in one message what they missed,
// and not before it may be disturbed.
func TestMissedInOneLine(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:30"))
	for range 3 {
		w.add(keepwatch.Rule{When: cron("0 9 *"), Grace: time.Hour})
	}
	w.add(keepwatch.Rule{When: cron("0 9 *"), Grace: time.Hour, Channel: "slack:B"})
	w.hours["slack:B"] = keepwatch.Hours{QuietFrom: 20 * time.Hour, QuietTo: 7 * time.Hour}
	w.to(at("2026-11-28 23:00"))
	w.sees("slack:A", "3 reminders came due while Keepwatch was away, too long ago to catch up | missed 3 of 1 | missed 3 of 2 | missed 3 of 3")
	w.sees("slack:B")
	w.boot()
	w.to(at("2026-11-29 07:00"))
	w.sees("slack:B", "missed 3 of 4")
	w.state("4@2026-11-28T09:00", keepwatch.OccurrenceMissed)
}

func TestQuietHours(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-27 12:00")) // a Friday
	w.hours["slack:A"] = keepwatch.Hours{QuietFrom: 18 * time.Hour, QuietTo: 8 * time.Hour, Days: []time.Weekday{1, 2, 3, 4, 5}}
	w.add(keepwatch.Rule{When: cron("0 21 5")})
	w.add(keepwatch.Rule{When: cron("30 * *")})
	w.add(keepwatch.Rule{When: cron("0 3 *"), Kind: keepwatch.RuleCommand, Command: "backup start notes"})
	w.run(6*time.Hour + time.Minute)
	w.shown["slack:A"] = nil
	w.run(8 * time.Hour)
	w.sees("slack:A")
	o := w.state("1@2026-11-27T21:00", keepwatch.OccurrenceDue)
	if !o.Wake.Equal(at("2026-11-30 08:00")) || !o.At.Equal(at("2026-11-27 21:00")) {
		t.Errorf("%+v", o)
	}
	w.run(time.Hour)
	w.state("3@2026-11-28T03:00", keepwatch.OccurrenceRunning) // what is to be done is done at its time
	w.outcome = outcomeDone
	w.run(53 * time.Hour)
	w.sees("slack:A", "1@2026-11-27T21:00 posted", "2@2026-11-30T07:30 posted after 61")
}

func TestSkipPauseResume(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:30"))
	w.add(keepwatch.Rule{When: cron("0 9 *")})
	change := func(f func(*keepwatch.Rule)) keepwatch.Rule {
		t.Helper()
		r, err := w.ChangeRule("1", func(r *keepwatch.Rule) error { f(r); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	change(func(r *keepwatch.Rule) { r.Skip = r.NextWall })
	w.run(time.Hour)
	w.sees("slack:A")
	w.state("1@2026-11-26T09:00", keepwatch.OccurrenceSkipped)
	if r := w.rule("1"); r.Skip != "" || !r.Next.Equal(at("2026-11-27 09:00")) {
		t.Errorf("%+v", r)
	}
	change(func(r *keepwatch.Rule) { r.Paused, r.PausedBy = true, "Alis" })
	w.to(at("2026-11-29 10:00"))
	w.sees("slack:A")
	if r := change(func(r *keepwatch.Rule) { r.Paused, r.PausedBy = false, "" }); !r.Next.Equal(at("2026-11-30 09:00")) {
		t.Errorf("%+v", r)
	}
	w.run(time.Hour)
	w.sees("slack:A")
	w.to(at("2026-11-30 09:00"))
	w.sees("slack:A", "1@2026-11-30T09:00 posted")
	if r := change(func(r *keepwatch.Rule) { r.When = cron("30 9 *") }); !r.Next.Equal(at("2026-11-30 09:30")) {
		t.Errorf("%+v", r)
	}
	if r := change(func(r *keepwatch.Rule) { r.Text = "another"; r.Next, r.ID = time.Time{}, "x" }); !r.Next.Equal(at("2026-11-30 09:30")) || r.ID != "1" {
		t.Errorf("%+v", r)
	}
}

func TestRepeatAndEscalate(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	w.hours["slack:B"] = keepwatch.Hours{QuietFrom: 12 * time.Hour, QuietTo: 14 * time.Hour}
	w.add(keepwatch.Rule{When: cron("0 9 *"), Repeat: time.Hour, Times: 2, Chain: []string{"slack:A", "slack:B", "discord:@1", "slack:B"}})
	const id = "1@2026-11-26T09:00"
	asked := id + " posted | Nobody has answered here. It is asked again below."
	w.run(time.Hour)
	w.sees("slack:A", id+" posted")
	w.run(time.Hour)
	w.sees("slack:A", asked, id+" posted")
	w.run(time.Hour)
	w.sees("slack:A", asked, asked, id+" posted")
	w.run(time.Hour) // 12:00: the next place is quiet until 14:00
	w.run(time.Hour)
	w.sees("slack:B")
	w.sees("slack:A", asked, asked, id+" posted")
	w.run(time.Minute)
	w.sees("slack:A", asked, asked, id+" escalated")
	w.sees("slack:B", id+" escalated")
	w.run(10 * time.Hour)
	w.sees("discord:@1", id+" escalated")
	w.sees("slack:B", id+" escalated")
	o := w.state(id, keepwatch.OccurrenceEscalated)
	if !o.Wake.IsZero() || o.Posted != 3 || len(o.Places) != 3 {
		t.Errorf("%+v", o)
	}
	if _, err := w.Answer(id, keepwatch.Answer{Kind: keepwatch.AnswerDone, By: "Alis"}); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	w.sees("slack:A", asked, asked, id+" acknowledged")
	w.sees("slack:B", id+" acknowledged")
	w.sees("discord:@1", id+" acknowledged")
}

// TestPassedIsShownWhereItWasLoud: one that was only posted keeps its message.
func TestPassedIsShownWhereItWasLoud(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	w.add(keepwatch.Rule{When: cron("0 9 *"), Repeat: 10 * time.Hour, Times: 1})
	w.add(keepwatch.Rule{When: cron("0 9 *"), Channel: "slack:B"})
	w.run(24*time.Hour + 2*time.Minute)
	w.sees("slack:A", "1@2026-11-26T09:00 posted | Nobody has answered here. It is asked again below.", "1@2026-11-26T09:00 passed", "1@2026-11-27T09:00 posted")
	w.sees("slack:B", "2@2026-11-26T09:00 posted", "2@2026-11-27T09:00 posted")
	w.state("2@2026-11-26T09:00", keepwatch.OccurrencePassed)
}

func TestDigest(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	for range 5 {
		w.add(keepwatch.Rule{When: cron("0 9 *"), Repeat: time.Hour, Times: 1, Chain: []string{"slack:A", "slack:B"}})
	}
	for range 3 {
		w.add(keepwatch.Rule{When: cron("0 9 *"), Channel: "slack:C"})
	}
	w.run(time.Minute)
	w.sees("slack:A", "digest: 1@2026-11-26T09:00 posted, 2@2026-11-26T09:00 posted, 3@2026-11-26T09:00 posted, 4@2026-11-26T09:00 posted, 5@2026-11-26T09:00 posted")
	w.sees("slack:C", "6@2026-11-26T09:00 posted", "7@2026-11-26T09:00 posted", "8@2026-11-26T09:00 posted")
	answer := func(id string) {
		t.Helper()
		if _, err := w.Answer(id+"@2026-11-26T09:00", keepwatch.Answer{Kind: keepwatch.AnswerDone, By: "Alis"}); err != nil {
			t.Fatal(err)
		}
		w.deliver()
	}
	answer("2")
	w.sees("slack:A", "digest: 1@2026-11-26T09:00 posted, 2@2026-11-26T09:00 acknowledged, 3@2026-11-26T09:00 posted, 4@2026-11-26T09:00 posted, 5@2026-11-26T09:00 posted")
	w.run(time.Hour)
	w.sees("slack:A",
		"digest: 1@2026-11-26T09:00 elsewhere, 2@2026-11-26T09:00 acknowledged, 3@2026-11-26T09:00 elsewhere, 4@2026-11-26T09:00 elsewhere, 5@2026-11-26T09:00 elsewhere",
		"digest: 1@2026-11-26T09:00 posted, 3@2026-11-26T09:00 posted, 4@2026-11-26T09:00 posted, 5@2026-11-26T09:00 posted")
	answer("1")
	w.run(time.Hour) // three are left: each for itself
	w.sees("slack:B", "3@2026-11-26T09:00 escalated", "4@2026-11-26T09:00 escalated", "5@2026-11-26T09:00 escalated")
	answer("3")
	w.sees("slack:A",
		"digest: 1@2026-11-26T09:00 acknowledged, 2@2026-11-26T09:00 acknowledged, 3@2026-11-26T09:00 acknowledged, 4@2026-11-26T09:00 elsewhere, 5@2026-11-26T09:00 elsewhere",
		"digest: 1@2026-11-26T09:00 acknowledged, 3@2026-11-26T09:00 acknowledged, 4@2026-11-26T09:00 escalated, 5@2026-11-26T09:00 escalated")
	w.sees("slack:B", "3@2026-11-26T09:00 acknowledged", "4@2026-11-26T09:00 escalated", "5@2026-11-26T09:00 escalated")
}

func TestOneOffIsForgotten(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	w.add(keepwatch.Rule{When: keepwatch.When{At: at("2026-11-26 09:00")}})
	w.run(time.Minute)
	w.sees("slack:A", "1@2026-11-26T09:00 posted")
	if next := w.rule("1").Next; !next.IsZero() {
		t.Errorf("next at %s", next)
	}
	w.to(at("2026-12-26 08:59"))
	w.state("1@2026-11-26T09:00", keepwatch.OccurrencePosted)
	w.to(at("2026-12-26 09:00"))
	w.state("1@2026-11-26T09:00", keepwatch.OccurrencePassed)
	w.sees("slack:A", "1@2026-11-26T09:00 passed") // its buttons would be refused
}

// TestPassedOverManyMissed: what was open before many were missed ends when the next
// one comes.
func TestPassedOverManyMissed(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	w.add(keepwatch.Rule{When: cron("0 9 *"), Grace: time.Hour})
	w.run(time.Minute)
	w.to(at("2026-12-30 11:00"))
	w.state("1@2026-11-26T09:00", keepwatch.OccurrencePosted)
	w.to(at("2026-12-31 09:00"))
	w.state("1@2026-11-26T09:00", keepwatch.OccurrencePassed)
}

// TestOneBadOfMany: what cannot be saved holds up nothing else.
func TestOneBadOfMany(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	for range 3 {
		w.add(keepwatch.Rule{When: cron("0 9 *"), Repeat: time.Hour, Times: 1})
	}
	w.kept.bad = "2"
	w.boot()
	look := func(want string) {
		t.Helper()
		wakes, err := w.kept.Due(w.now, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Tick(t.Context(), wakes); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v", err)
		}
		w.deliver()
	}
	w.now = at("2026-11-26 09:00")
	look("save rule 2: a bad sector")
	w.sees("slack:A", "1@2026-11-26T09:00 posted", "3@2026-11-26T09:00 posted")
	w.kept.bad = ""
	w.boot()
	w.to(at("2026-11-26 09:01"))
	w.sees("slack:A", "1@2026-11-26T09:00 posted", "3@2026-11-26T09:00 posted", "2@2026-11-26T09:00 posted")
	w.kept.bad = "1"
	w.boot()
	w.now = at("2026-11-26 10:01")
	look("save occurrence 1@2026-11-26T09:00: a bad sector")
	w.state("2@2026-11-26T09:00", keepwatch.OccurrencePosted)
	if n := w.occ("3@2026-11-26T09:00").Posted; n != 2 {
		t.Errorf("posted %d times", n)
	}
}

// TestRuleMovesToAnotherZone: what comes due next is by the new wall, and no day is
// left out because the old wall was ahead of it.
func TestRuleMovesToAnotherZone(t *testing.T) {
	for name, c := range map[string]struct {
		from, to keepwatch.When
		next     string // in UTC
	}{
		"westwards":            {keepwatch.When{Cron: "0 9 *", Zone: "Europe/London"}, keepwatch.When{Cron: "0 8 *", Zone: "Pacific/Honolulu"}, "2026-11-26 18:00"},
		"eastwards":            {keepwatch.When{Cron: "0 9 *", Zone: "Europe/London"}, keepwatch.When{Cron: "0 8 *", Zone: "Pacific/Auckland"}, "2026-11-26 19:00"},
		"to the same time":     {keepwatch.When{Cron: "0 9 *", Zone: "Europe/London"}, keepwatch.When{Cron: "0 9 *", Zone: "America/New_York"}, "2026-11-26 14:00"}, // under a name of its own
		"to a single moment":   {keepwatch.When{Cron: "0 22 *", Zone: "Pacific/Auckland"}, keepwatch.When{At: at("2026-11-26 13:00"), Zone: "UTC"}, "2026-11-26 13:00"},
		"to another time":      {keepwatch.When{Cron: "0 9 *", Zone: "Europe/London"}, keepwatch.When{Cron: "0 12 *", Zone: "Europe/London"}, "2026-11-26 12:00"},
		"to the time that was": {keepwatch.When{Cron: "0 9 *", Zone: "Europe/London"}, keepwatch.When{Cron: "5 9 *", Zone: "Europe/London"}, "2026-11-27 09:05"},
	} {
		for _, fixed := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " fixed ", fixed), func(t *testing.T) {
				w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
				id := "schedule:notes"
				rule := keepwatch.Rule{ID: id, Kind: keepwatch.RuleText, Text: "look", Channel: "slack:A", When: c.from}
				change := func() error { rule.When = c.to; return w.Sync([]keepwatch.Rule{rule}) }
				if fixed {
					if err := w.Sync([]keepwatch.Rule{rule}); err != nil {
						t.Fatal(err)
					}
				} else {
					id = w.add(rule).ID
					change = func() error {
						_, err := w.ChangeRule(id, func(r *keepwatch.Rule) error { r.When = c.to; return nil })
						return err
					}
				}
				w.to(at("2026-11-26 09:00"))
				before, err := w.Occurrences(id, 0)
				if err != nil || len(before) != 1 {
					t.Fatal(before, err)
				}
				w.to(at("2026-11-26 09:10"))
				if err := change(); err != nil {
					t.Fatal(err)
				}
				if next := w.rule(id).Next; !next.Equal(at(c.next)) {
					t.Errorf("it comes due next at %s", next)
				}
				w.boot()
				if err := w.Replan(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.to(at(c.next).Add(-time.Second))
				w.to(at(c.next))
				if all, err := w.Occurrences(id, 0); err != nil || len(all) != 2 {
					t.Errorf("%d came due, %v", len(all), err)
				}
			})
		}
	}
}

// TestOnceUnanswered: one of a rule that comes due no more ends after a month, whether
// it was asked again before that or not.
func TestOnceUnanswered(t *testing.T) {
	for name, rule := range map[string]keepwatch.Rule{
		"not asked again": {}, "asked again": {Repeat: time.Hour, Times: 2}, "passed on": {Repeat: time.Hour, Chain: []string{"slack:B"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
			rule.When.At = at("2026-11-26 09:00")
			id := keepwatch.OccurrenceID(w.add(rule).ID, "2026-11-26T09:00")
			w.run(4 * time.Hour)
			if open, err := w.OpenAfter("", 100); err != nil || len(open) != 1 {
				t.Fatal(open, err)
			}
			w.to(at("2026-12-26 08:59"))
			if o := w.occ(id); o.State.Settled() {
				t.Errorf("%+v", o)
			}
			w.to(at("2026-12-27 09:00"))
			w.state(id, keepwatch.OccurrencePassed)
			for channel, shown := range w.shown {
				if last := shown[len(shown)-1].text; last != id+" passed" {
					t.Errorf("%s shows %q", channel, last)
				}
			}
		})
	}
}
