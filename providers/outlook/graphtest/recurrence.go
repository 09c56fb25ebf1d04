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
	if !r.Until.IsZero() && r.Until.AddDate(0, 0, 1).Before(end) {
		end = r.Until.AddDate(0, 0, 1)
	}
	var out []time.Time
	for n := 0; len(out) < 20_000; n++ {
		var at time.Time
		switch r.Type {
		case "daily":
			at = e.Start.AddDate(0, 0, n*every)
		case "weekly":
			at = e.Start.AddDate(0, 0, n)
		case "absoluteMonthly":
			at = e.Start.AddDate(0, n*every, 0)
		case "relativeMonthly":
			at = r.relative(e.Start, n*every)
		case "relativeYearly":
			at = r.relative(e.Start, 12*n*every)
		default:
			at = e.Start.AddDate(n*every, 0, 0)
		}
		if !at.Before(end) {
			return out
		}
		if r.Type == "weekly" && !r.onWeek(e.Start, at, every) {
			continue
		}
		out = append(out, at)
	}
	return out
}

// onWeek tells whether a day is one of the pattern's. Weeks begin on Sunday.
func (r *Recurrence) onWeek(first, at time.Time, interval int) bool {
	days := r.Days
	if len(days) == 0 {
		days = []time.Weekday{first.Weekday()}
	}
	sunday := first.AddDate(0, 0, -int(first.Weekday()))
	return slices.Contains(days, at.Weekday()) && int(at.Sub(sunday).Hours()/24/7)%interval == 0
}

// relative is the day of the index in the month that is so many after that of the first.
func (r *Recurrence) relative(first time.Time, months int) time.Time {
	y, m, _ := first.Date()
	var all []time.Time
	for d := 1; d <= 31; d++ {
		at := time.Date(y, m+time.Month(months), d, first.Hour(), first.Minute(), first.Second(), 0, first.Location())
		if at.Day() == d && slices.Contains(r.Days, at.Weekday()) {
			all = append(all, at)
		}
	}
	at := slices.Index([]string{"first", "second", "third", "fourth"}, r.Index)
	if at < 0 {
		at = len(all) - 1
	}
	return all[at]
}

// recurrence writes the pattern and its range.
func (e *Event) recurrence() map[string]any {
	r := e.Recurrence
	pattern := map[string]any{"type": r.Type, "interval": max(1, r.Interval), "month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday", "index": "first"}
	switch r.Type {
	case "weekly":
		days := []any{}
		for _, d := range r.Days {
			days = append(days, strings.ToLower(d.String()))
		}
		if len(days) == 0 {
			days = append(days, strings.ToLower(e.Start.Weekday().String()))
		}
		pattern["daysOfWeek"] = days
	case "relativeMonthly", "relativeYearly":
		days := []any{}
		for _, d := range r.Days {
			days = append(days, strings.ToLower(d.String()))
		}
		pattern["daysOfWeek"], pattern["index"] = days, r.Index
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
