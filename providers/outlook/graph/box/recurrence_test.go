package box

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
	"keepwatch/pst/pim"
)

// windows are zones with their names in Windows.
var windows = [][2]string{{"UTC", "UTC"}, {"W. Europe Standard Time", "Europe/Berlin"}, {"Pacific Standard Time", "America/Los_Angeles"}, {"India Standard Time", "Asia/Kolkata"}, {"AUS Eastern Standard Time", "Australia/Sydney"}}

// anySeries makes a series of any kind, with exceptions and without some of its days.
func anySeries(t *testing.T, rnd *rand.Rand) graphtest.Event {
	zone := windows[rnd.IntN(len(windows))]
	e := graphtest.Event{Subject: "Series", Zone: zone[0], AllDay: rnd.IntN(4) == 0}
	loc, err := time.LoadLocation(zone[1])
	if err != nil {
		t.Fatal(err)
	}
	e.Start = time.Date(2026, time.Month(1+rnd.IntN(12)), 1+rnd.IntN(31), rnd.IntN(24), 15*rnd.IntN(4), 0, 0, loc)
	e.End = e.Start.Add(time.Duration(1+rnd.IntN(5)) * 30 * time.Minute)
	if e.AllDay {
		e.Zone = "UTC"
		e.Start = time.Date(e.Start.Year(), e.Start.Month(), e.Start.Day(), 0, 0, 0, 0, time.UTC)
		e.End = e.Start.AddDate(0, 0, 1+rnd.IntN(2))
	}
	r := &graphtest.Recurrence{Type: []string{"daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"}[rnd.IntN(6)], Interval: 1 + rnd.IntN(3)}
	switch r.Type {
	case "weekly":
		r.FirstDay = time.Weekday(rnd.IntN(7))
		r.Days = []time.Weekday{e.Start.Weekday(), time.Weekday(rnd.IntN(7))}
		slices.Sort(r.Days)
		r.Days = slices.Compact(r.Days)
	case "relativeMonthly", "relativeYearly":
		nth := (e.Start.Day() - 1) / 7 // the series begins on one of its days
		r.Index = []string{"first", "second", "third", "fourth", "last"}[nth]
		r.Days = []time.Weekday{e.Start.Weekday()}
		if e.Start.AddDate(0, 0, 7).Month() != e.Start.Month() {
			r.Index = "last"
		}
		if weekday := e.Start.Weekday(); e.Start.Day() == 1 && weekday >= time.Monday && weekday <= time.Friday {
			r.Index, r.Days = "first", []time.Weekday{1, 2, 3, 4, 5}
		}
	}
	switch rnd.IntN(3) {
	case 0:
		r.Count = 2 + rnd.IntN(30)
	case 1:
		r.Until = e.Start.AddDate(0, rnd.IntN(14), rnd.IntN(28))
	}
	e.Recurrence = r
	return e
}

// dates are when a series takes place, by the fake's own list of its instances.
func (w *world) dates(id string, from, to time.Time) []string {
	w.t.Helper()
	path := with(of(alis, "events", id, "instances"), "startDateTime", from.Format(time.RFC3339), "endDateTime", to.Format(time.RFC3339))
	var out []string
	for page, err := range w.box.client.Pages(context.Background(), alis, path) {
		if err != nil {
			w.t.Fatal(err)
		}
		for _, raw := range page.Items {
			var e event
			if err := json.Unmarshal(raw, &e); err != nil {
				w.t.Fatal(err)
			}
			out = append(out, e.Start.time().UTC().Format("2006-01-02T15:04")+" "+e.Subject)
		}
	}
	slices.Sort(out)
	return out
}

// expand is when an iCalendar takes place, by python3-dateutil. nil: it is not there.
const expand = `
import sys, json
from datetime import datetime, timezone
from dateutil.rrule import rrulestr
from dateutil import tz
out = []
for x in json.load(sys.stdin):
    zone = tz.gettz(x["zone"])
    start = datetime.fromisoformat(x["start"]).replace(tzinfo=zone)
    until = datetime.fromisoformat(x["to"]).replace(tzinfo=timezone.utc)
    got = []
    for d in rrulestr(x["rule"], dtstart=start):
        d = d.astimezone(timezone.utc)
        if d >= until: break
        got.append(d.strftime("%Y-%m-%dT%H:%M"))
    out.append(got)
json.dump(out, sys.stdout)
`

// change moves one of the times of a series, and takes one out, of every other series.
func (w *world) change(rnd *rand.Rand, events []graphtest.Event, items []*graphtest.Item, from, to time.Time) {
	for i, item := range items {
		var days []string
		for _, d := range w.dates(item.ID(true), from, to) {
			at, _ := time.Parse("2006-01-02T15:04", d[:16])
			days = append(days, at.In(events[i].Start.Location()).Format(time.DateOnly))
		}
		if len(days) > 3 && rnd.IntN(2) == 0 {
			item.UpdateEvent(func(e *graphtest.Event) {
				x := *e
				at, _ := time.ParseInLocation(time.DateOnly, days[2], e.Start.Location())
				x.Subject, x.Recurrence, x.Start = "Moved", nil, at.Add(26*time.Hour)
				if e.AllDay {
					x.Start = at.Add(24 * time.Hour)
				}
				x.End = x.Start.Add(e.End.Sub(e.Start))
				e.Exceptions, e.Deleted = map[string]graphtest.Event{days[2]: x}, []string{days[1]}
			})
		}
	}
}

// TestSeriesTakePlaceTheSame: what was JSON, and went through iCalendar and back, takes
// place at the same times as the mailbox says, for a year and a half.
func TestSeriesTakePlaceTheSame(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	rnd := rand.New(rand.NewPCG(7, 2026))
	cal := w.b.Calendar("")
	var events []graphtest.Event
	var items []*graphtest.Item
	for range 120 {
		e := anySeries(t, rnd)
		item := cal.Event(e)
		events, items = append(events, e), append(items, item)
	}
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 7, 1, 0, 0, 0, 0, time.UTC)
	w.change(rnd, events, items, from, to)
	f := w.folder(outlook.Calendar, "Calendar")
	all := w.whole(f).items
	var ask []map[string]string
	var wants [][]string
	for i, item := range items {
		id := item.ID(true)
		c, text, err := w.bring(all[id])
		if err != nil || len(c.Notes) > 0 {
			t.Fatalf("%v %q", err, c.Notes)
		}
		read, err := pim.ReadCalendar(strings.NewReader(text))
		if err != nil || len(read.Events) != 1 || len(read.Notes) > 0 {
			t.Fatalf("%v %v\n%s", err, read.Notes, text)
		}
		got, want := datesOf(read.Events[0], from, to), w.dates(id, from, to)
		if !slices.Equal(got, want) {
			t.Errorf("%+v of %s\ngot  %v\nwant %v\n%s", *events[i].Recurrence, events[i].Start, got, want, text)
		}
		if e := read.Events[0]; len(e.Exceptions) == 0 && !e.AllDay {
			ask = append(ask, map[string]string{"zone": e.Start.Location().String(), "start": e.Start.Format("2006-01-02T15:04:05"), "rule": e.Rules[0].String(), "to": to.Format("2006-01-02T15:04:05")})
			for j := range want {
				want[j] = want[j][:16]
			}
			wants = append(wants, want)
		}
	}
	for i, got := range dateutil(t, ask) {
		if !slices.Equal(got, wants[i]) && !(len(got) == 0 && len(wants[i]) == 0) {
			t.Errorf("dateutil: %v\ngot  %v\nwant %v", ask[i], got, wants[i])
		}
	}
}

func dateutil(t *testing.T, ask []map[string]string) (out [][]string) {
	t.Helper()
	const path = "/usr/bin/python3"
	if exec.Command(path, "-c", "import dateutil").Run() != nil {
		t.Log("python3-dateutil is not there")
		return nil
	}
	in, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-c", expand)
	cmd.Stdin = strings.NewReader(string(in))
	data, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// datesOf are when an event takes place. What this package does not export is found with a
// plain walk through the days.
func datesOf(e *pim.Event, from, to time.Time) []string {
	var out []string
	n := 0
	for i := 0; e.Rules[0].Count == 0 || n < e.Rules[0].Count; i++ {
		day := e.Start.AddDate(0, 0, i)
		if !day.Before(to) {
			break
		}
		if u := e.Rules[0].Until; !u.IsZero() && day.After(u) {
			break
		}
		if !takesPlace(e, day) {
			continue
		}
		n++
		is := func(t time.Time) bool { return t.Equal(day) }
		changed := slices.ContainsFunc(e.Exceptions, func(x *pim.Event) bool { return is(x.Original) })
		if !slices.ContainsFunc(e.Deleted, is) && !changed && day.Add(e.End.Sub(e.Start)).After(from) {
			out = append(out, day.UTC().Format("2006-01-02T15:04")+" "+e.Subject)
		}
	}
	for _, x := range e.Exceptions {
		if x.Start.Before(to) && x.End.After(from) {
			out = append(out, x.Start.UTC().Format("2006-01-02T15:04")+" "+x.Subject)
		}
	}
	slices.Sort(out)
	return out
}

// takesPlace reports whether a rule has a day.
func takesPlace(e *pim.Event, day time.Time) bool {
	r := e.Rules[0]
	noon := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC) }
	first, at := noon(e.Start), noon(day)
	months := (at.Year()-first.Year())*12 + int(at.Month()-first.Month())
	switch r.Frequency {
	case pim.Daily:
		return int(at.Sub(first).Hours()/24)%r.Interval == 0
	case pim.Weekly:
		week := first.AddDate(0, 0, -(int(first.Weekday()-r.WeekStart)+7)%7)
		return int(at.Sub(week).Hours()/24/7)%r.Interval == 0 && slices.ContainsFunc(r.ByDay, func(d pim.WeekdayNum) bool { return d.Day == at.Weekday() })
	case pim.Yearly:
		if months%12 != 0 {
			return false
		}
		months /= 12
	}
	return months%r.Interval == 0 && inSet(r, at)
}

// inSet reports whether a day is one of those of its month that a rule has.
func inSet(r pim.Rule, at time.Time) bool {
	first := time.Date(at.Year(), at.Month(), 1, 12, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	var set []int
	for d := 1; d <= last; d++ {
		weekday := first.AddDate(0, 0, d-1).Weekday()
		ok := slices.Contains(r.ByMonthDay, d) || slices.Contains(r.ByMonthDay, d-last-1)
		for _, x := range r.ByDay {
			ok = ok || x.Day == weekday && (x.N == 0 || x.N == (d-1)/7+1 || x.N == -((last-d)/7+1))
		}
		if ok {
			set = append(set, d)
		}
	}
	if len(r.BySetPos) == 0 {
		return slices.Contains(set, at.Day())
	}
	n := r.BySetPos[0]
	if n < 0 {
		n += len(set) + 1
	}
	return n >= 1 && n <= len(set) && set[n-1] == at.Day()
}
