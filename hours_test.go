package keepwatch_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"keepwatch"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestHours(t *testing.T) {
	weekdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	night := keepwatch.Hours{Zone: "Europe/London", QuietFrom: 18 * time.Hour, QuietTo: 8 * time.Hour, Days: weekdays, Holidays: []string{"2026-12-25", "2026-12-28"}}
	noon := keepwatch.Hours{Zone: "Europe/London", QuietFrom: 12 * time.Hour, QuietTo: 13*time.Hour + 30*time.Minute}
	gap := keepwatch.Hours{Zone: "Europe/London", QuietFrom: 0, QuietTo: 90 * time.Minute}
	for name, c := range map[string]struct {
		hours    keepwatch.Hours
		at, want string // want "": at itself
	}{
		"always":                       {keepwatch.Hours{}, "2026-11-26T03:00:00Z", ""},
		"in the day":                   {night, "2026-11-26T09:00:00Z", ""},
		"the last second":              {night, "2026-11-26T17:59:59Z", ""},
		"the first quiet second":       {night, "2026-11-26T18:00:00Z", "2026-11-27T08:00:00Z"},
		"after midnight":               {night, "2026-11-26T02:11:12Z", "2026-11-26T08:00:00Z"},
		"Friday night":                 {night, "2026-11-27T18:30:00Z", "2026-11-30T08:00:00Z"},
		"Christmas and what is behind": {night, "2026-12-24T20:00:00Z", "2026-12-29T08:00:00Z"},
		"over noon":                    {noon, "2026-11-26T12:00:00Z", "2026-11-26T13:30:00Z"},
		"before noon":                  {noon, "2026-11-26T11:59:59Z", ""},
		"summer":                       {night, "2026-06-26T01:00:00Z", "2026-06-26T07:00:00Z"},
		// On 29 March 2026 the clock goes from 01:00 to 02:00, so 01:30 is not shown.
		"the end is skipped": {gap, "2026-03-29T00:10:00Z", "2026-03-29T01:00:00Z"},
		// On 25 October 2026 it goes from 02:00 back to 01:00: quiet once more.
		"the end comes twice":         {gap, "2026-10-25T00:10:00Z", "2026-10-25T00:30:00Z"},
		"the end comes a second time": {gap, "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z"},
		"an unknown zone":             {keepwatch.Hours{Zone: "Europe/Nowhere", QuietFrom: 0, QuietTo: time.Hour}, "2026-11-26T00:10:00Z", "2026-11-26T00:00:00Z"},
		"never":                       {keepwatch.Hours{Holidays: year(2026)}, "2026-06-01T00:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				c.want = c.at
			}
			fallback := time.UTC
			if name == "an unknown zone" { // goes by the fallback, which is an hour ahead
				fallback, c.want = zone(t, "Europe/Paris"), c.at
			}
			if got := c.hours.Next(at, fallback).Format(time.RFC3339); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// year gives every day of a year.
func year(y int) (days []string) {
	for d := time.Date(y, 1, 1, 12, 0, 0, 0, time.UTC); d.Year() == y; d = d.AddDate(0, 0, 1) {
		days = append(days, d.Format(time.DateOnly))
	}
	return days
}

// TestHoursAgainstBruteForce: the same as going from minute to minute and looking at
// what the wall shows, around every change of the clocks and elsewhere.
func TestHoursAgainstBruteForce(t *testing.T) {
	shown := func(h keepwatch.Hours, at time.Time, loc *time.Location) bool { // as somebody would with a calendar and a clock
		local := at.In(loc)
		minute := local.Hour()*60 + local.Minute()
		from, to := int(h.QuietFrom.Minutes()), int(h.QuietTo.Minutes())
		quiet := from <= minute && minute < to
		if from > to {
			quiet = minute >= from || minute < to
		}
		return !quiet && (len(h.Days) == 0 || slices.Contains(h.Days, local.Weekday())) && !slices.Contains(h.Holidays, local.Format("2006-01-02"))
	}
	rng := rand.New(rand.NewPCG(7, 11))
	for _, name := range []string{"Europe/London", "America/New_York", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Auckland", "America/Sao_Paulo", "Asia/Kolkata", "Africa/Cairo", "Antarctica/Troll", "Pacific/Apia", "Pacific/Chatham"} {
		loc := zone(t, name)
		var starts []time.Time
		for at := time.Date(2011, 12, 1, 0, 0, 0, 0, loc); at.Year() < 2028; {
			_, end := at.ZoneBounds()
			if end.IsZero() {
				break
			}
			starts = append(starts, end)
			at = end
		}
		for range 20 {
			starts = append(starts, time.Date(2026, time.Month(1+rng.IntN(12)), 1+rng.IntN(28), rng.IntN(24), 0, 0, 0, loc))
		}
		for _, start := range starts {
			h := keepwatch.Hours{Zone: name, QuietFrom: time.Duration(rng.IntN(1440)) * time.Minute, QuietTo: time.Duration(rng.IntN(1440)) * time.Minute}
			if rng.IntN(3) == 0 {
				h.Days = []time.Weekday{time.Weekday(rng.IntN(7)), time.Weekday(rng.IntN(7)), time.Weekday(rng.IntN(7))}
			}
			if rng.IntN(3) == 0 {
				h.Holidays = []string{start.In(loc).Format(time.DateOnly)}
			}
			at := start.Add(time.Duration(rng.IntN(72*60)-36*60) * time.Minute).Truncate(time.Minute)
			want := at
			for !shown(h, want, loc) && want.Sub(at) < 20*24*time.Hour {
				want = want.Add(time.Minute)
			}
			if got := h.Next(at, time.UTC); !got.Equal(want) {
				t.Errorf("%s, %+v, from %s: %s, want %s", name, h, at.In(loc), got.In(loc), want.In(loc))
			}
			if h.Open(at, time.UTC) != shown(h, at, loc) {
				t.Errorf("%s, %+v, %s: open is %v", name, h, at.In(loc), h.Open(at, time.UTC))
			}
		}
	}
}
