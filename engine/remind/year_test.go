package remind_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/when"
)

// slot is what a rule of these tests says, and by which it is checked: minutes, hours
// and days of the week; none is all.
type slot struct {
	minutes, hours, days []int
	zone                 string
}

func (s slot) cron() keepwatch.When {
	field := func(n []int) string {
		if len(n) == 0 {
			return "*"
		}
		return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(n)), ","), "[]")
	}
	return keepwatch.When{Cron: field(s.minutes) + " " + field(s.hours) + " * * " + field(s.days), Zone: s.zone}
}

// shows reports whether a wall that shows a time (as if it were UTC) shows the slot.
func (s slot) shows(wall time.Time) bool {
	in := func(n []int, v int) bool { return len(n) == 0 || slices.Contains(n, v) }
	return in(s.minutes, wall.Minute()) && in(s.hours, wall.Hour()) && in(s.days, int(wall.Weekday()))
}

// brute gives when a slot comes due in (from, to]: it looks at the clock on the wall
// every minute. What the wall has shown before, it does not show again; what it jumps
// over, it has shown when it has jumped.
func (s slot) brute(t testing.TB, from, to time.Time) (dues []time.Time) {
	loc, err := time.LoadLocation(s.zone)
	if err != nil {
		t.Fatal(err)
	}
	wall := func(at time.Time) time.Time {
		_, offset := at.In(loc).Zone()
		return at.UTC().Add(time.Duration(offset) * time.Second)
	}
	high := wall(from)
	for back := from.Add(-3 * time.Hour); back.Before(from); back = back.Add(time.Minute) {
		if w := wall(back); w.After(high) {
			high = w // the wall was set back just before
		}
	}
	for at := from.Add(time.Minute); !at.After(to); at = at.Add(time.Minute) {
		now, hit := wall(at), false
		for high.Before(now) {
			high = high.Add(time.Minute)
			hit = hit || s.shows(high)
		}
		if hit {
			dues = append(dues, at)
		}
	}
	return dues
}

// span is a time that is gone through.
type span struct{ start, end time.Time }

// wholeYear is a leap year. Without KEEPWATCH_SOAK the days of it are gone through on
// which a clock is set in one of the zones, or a month is longer.
func wholeYear() []span {
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		return []span{{at("2027-12-31 23:59"), at("2028-12-31 23:59")}}
	}
	return []span{
		{at("2028-02-28 12:00"), at("2028-03-01 12:00")}, {at("2028-03-11 12:00"), at("2028-03-13 12:00")},
		{at("2028-03-25 12:00"), at("2028-03-27 12:00")}, {at("2028-04-01 00:00"), at("2028-04-02 23:59")},
		{at("2028-04-27 12:00"), at("2028-04-28 23:59")}, {at("2028-09-23 00:00"), at("2028-09-24 23:59")},
		{at("2028-09-30 00:00"), at("2028-10-01 23:59")}, {at("2028-10-26 12:00"), at("2028-10-29 23:59")},
		{at("2028-11-04 12:00"), at("2028-11-06 12:00")},
	}
}

// TestYear goes through a year minute by minute, and once more in steps of random
// length, and counts what came due in zones of both hemispheres. Under the race
// detector, and at random, it goes no further than the spring, except with
// KEEPWATCH_SOAK.
func TestYear(t *testing.T) {
	slots := []slot{
		{minutes: []int{30}, hours: []int{1}, zone: "Europe/London"},
		{minutes: []int{0}, hours: []int{9}, days: []int{1, 2, 3, 4, 5}, zone: "Europe/London"},
		{minutes: []int{0, 30}, hours: []int{0, 1, 2, 3}, zone: "Europe/London"},
		{minutes: []int{30}, hours: []int{2}, zone: "America/New_York"},
		{minutes: []int{15}, hours: []int{0, 1, 2, 3}, zone: "America/New_York"},
		{minutes: []int{15, 45}, hours: []int{1, 2}, zone: "Australia/Lord_Howe"},
		{minutes: []int{30}, hours: []int{2}, days: []int{0}, zone: "Australia/Sydney"},
		{minutes: []int{0}, hours: []int{2, 3}, zone: "Pacific/Auckland"},
		{minutes: []int{0}, hours: []int{0}, zone: "Africa/Cairo"},
		{minutes: []int{30}, hours: []int{1, 2, 3}, zone: "Antarctica/Troll"},
		{minutes: []int{50}, hours: []int{2, 3}, zone: "Pacific/Chatham"},
		{minutes: []int{0}, hours: []int{6, 18}, zone: "Asia/Kolkata"},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, step := range map[string]func() time.Duration{
		"minute by minute": func() time.Duration { return time.Minute },
		"at random":        func() time.Duration { return time.Duration(1+rng.IntN(290)) * time.Second }, // no two of a slot within one
	} {
		t.Run(name, func(t *testing.T) {
			total := 0
			for some := range slices.Chunk(slots, 6) { // a store in memory is the slower the more it holds
				for _, s := range wholeYear() {
					total += year(t, some, s.start, s.end, step)
				}
			}
			t.Logf("%d occurrences", total)
		})
	}
}

// year compares what comes due of some slots with what the wall shows.
func year(t *testing.T, slots []slot, start, end time.Time, step func() time.Duration) (total int) {
	w := newWorld(t, when.New(), start)
	w.kept.twice = false
	for i, s := range slots {
		w.add(keepwatch.Rule{When: s.cron(), Channel: fmt.Sprint("slack:", i)})
	}
	got := map[string][]time.Time{}
	for week := start; w.now.Before(end); {
		if w.now = w.now.Add(step()); w.now.After(end) {
			w.now = end
		}
		w.tick()
		if w.now.Before(week) && w.now.Before(end) {
			continue
		}
		week = week.Add(7 * 24 * time.Hour)
		w.deliver()
		for channel, all := range w.shown {
			for _, m := range all {
				o := w.occ(strings.TrimPrefix(m.topic, "reminder/"))
				got[o.Rule] = append(got[o.Rule], o.At)
				if late := o.Log[0].At.Sub(o.At); late > 290*time.Second || late < 0 {
					t.Errorf("%s was posted %s late", o.ID, late)
				}
			}
			delete(w.shown, channel)
		}
	}
	for i, s := range slots {
		id, want := fmt.Sprint(i+1), s.brute(t, start, end)
		total += len(got[id])
		if !slices.EqualFunc(got[id], want, time.Time.Equal) {
			t.Errorf("%+v came due %d times, and is to be %d times: it %s", s, len(got[id]), len(want), differ(got[id], want))
		}
	}
	return total
}

// differ gives the first difference of two lists.
func differ(got, want []time.Time) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return "lacks " + want[i].String()
		case i >= len(want):
			return "has " + got[i].String()
		case !got[i].Equal(want[i]):
			return "has " + got[i].String() + " instead of " + want[i].String()
		}
	}
	return ""
}
