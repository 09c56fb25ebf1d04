package graphtest

import (
	"slices"
	"strings"
	"time"
)

// occurrence is one time of a series.
type occurrence struct {
	day     string // on which the pattern has it
	start   time.Time
	event   Event
	changed bool
}

// occurrences are those that touch a window, without the deleted ones.
func (e *Event) occurrences(from, to time.Time) []occurrence {
	var out []occurrence
	length := e.End.Sub(e.Start)
	for n, start := range e.starts(to) {
		if e.Recurrence.Count > 0 && n >= e.Recurrence.Count {
			break
		}
		o := occurrence{day: start.Format(time.DateOnly), start: start, event: *e}
		o.event.Start, o.event.End, o.event.Recurrence = start, start.Add(length), nil
		if slices.Contains(e.Deleted, o.day) {
			continue
		}
		if x, ok := e.Exceptions[o.day]; ok {
			o.event, o.changed = x, true
		}
		if o.event.Start.Before(to) && o.event.End.After(from) {
			out = append(out, o)
		}
	}
	return out
}

// starts are the times of the pattern up to a time, from the first.
func (e *Event) starts(to time.Time) []time.Time {
	r, every := e.Recurrence, max(1, e.Recurrence.Interval)
	end := to
	if !r.Until.IsZero() {
		last := time.Date(r.Until.Year(), r.Until.Month(), r.Until.Day()+1, 0, 0, 0, 0, e.Start.Location())
		if last.Before(end) {
			end = last
		}
	}
	var out []time.Time
	for n := 0; len(out) < 20_000; n++ {
		at, ok := e.nth(n, every)
		if !at.Before(end) {
			return out
		}
		if ok && !at.Before(e.Start) {
			out = append(out, at)
		}
	}
	return out
}

// nth is the n-th day that a pattern looks at, and whether it is one of it.
func (e *Event) nth(n, every int) (at time.Time, ok bool) {
	r := e.Recurrence
	switch r.Type {
	case "daily":
		return e.Start.AddDate(0, 0, n*every), true
	case "weekly":
		at = e.Start.AddDate(0, 0, n)
		return at, r.onWeek(e.Start, at, every)
	}
	months := n * every
	if r.Type == "absoluteYearly" || r.Type == "relativeYearly" {
		months *= 12
	}
	month := time.Date(e.Start.Year(), e.Start.Month()+time.Month(months), 1, e.Start.Hour(), e.Start.Minute(), e.Start.Second(), 0, e.Start.Location())
	last := month.AddDate(0, 1, -1).Day()
	if r.Type == "absoluteMonthly" || r.Type == "absoluteYearly" { // in a shorter month its last day
		return month.AddDate(0, 0, min(e.Start.Day(), last)-1), true
	}
	var days []time.Time
	for d := range last {
		if at := month.AddDate(0, 0, d); slices.Contains(r.days(e.Start), at.Weekday()) {
			days = append(days, at)
		}
	}
	if r.Index == "last" {
		return days[len(days)-1], true
	}
	return days[max(0, slices.Index([]string{"first", "second", "third", "fourth"}, r.Index))], true
}

// days are those of the pattern, by default that on which it begins.
func (r *Recurrence) days(first time.Time) []time.Weekday {
	if len(r.Days) == 0 {
		return []time.Weekday{first.Weekday()}
	}
	return r.Days
}

// onWeek tells whether a day is one of the pattern's.
func (r *Recurrence) onWeek(first, at time.Time, interval int) bool {
	noon := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC) }
	week := noon(first).AddDate(0, 0, -(int(first.Weekday()-r.FirstDay)+7)%7)
	return slices.Contains(r.days(first), at.Weekday()) && int(noon(at).Sub(week).Hours()/24/7)%interval == 0
}

// recurrence writes the pattern and its range.
func (e *Event) recurrence() map[string]any {
	r := e.Recurrence
	pattern := map[string]any{"type": r.Type, "interval": max(1, r.Interval), "month": 0, "dayOfMonth": 0, "firstDayOfWeek": strings.ToLower(r.FirstDay.String()), "index": "first"}
	switch r.Type {
	case "weekly", "relativeMonthly", "relativeYearly":
		days := []any{}
		for _, d := range r.days(e.Start) {
			days = append(days, strings.ToLower(d.String()))
		}
		pattern["daysOfWeek"] = days
		if r.Type != "weekly" {
			pattern["index"] = either(r.Index, "first")
		}
		if r.Type == "relativeYearly" {
			pattern["month"] = int(e.Start.Month())
		}
	case "absoluteMonthly":
		pattern["dayOfMonth"] = e.Start.Day()
	case "absoluteYearly":
		pattern["dayOfMonth"], pattern["month"] = e.Start.Day(), int(e.Start.Month())
	}
	span := map[string]any{"type": "noEnd", "startDate": e.Start.Format(time.DateOnly), "endDate": "0001-01-01", "recurrenceTimeZone": either(e.Zone, "UTC"), "numberOfOccurrences": 0}
	switch {
	case r.Count > 0:
		span["type"], span["numberOfOccurrences"] = "numbered", r.Count
	case !r.Until.IsZero():
		span["type"], span["endDate"] = "endDate", r.Until.Format(time.DateOnly)
	}
	return map[string]any{"pattern": pattern, "range": span}
}
