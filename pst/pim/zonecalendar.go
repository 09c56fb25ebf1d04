package pim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// zones finds the zones that a calendar names.
type zones struct {
	defs     map[string]*component     // VTIMEZONE by TZID
	made     map[string]*time.Location // from those; nil where one is broken
	fallback *time.Location            // X-WR-TIMEZONE, of all times without a zone; nil for none
	dayZone  *time.Location            // of whole days, where there is no fallback: that of the only VTIMEZONE
	bad      func(*LineError)
}

// find gives the zone of a TZID, or nil. Where the program has a zone of that name
// (RFC 7808: TZIDs are mostly those of the IANA database) and it agrees with the
// VTIMEZONE at that local time, it is taken, since texts often describe no more than
// the current year; else what the text says counts.
func (z *zones) find(tzid string, near time.Time) *time.Location {
	own := z.own(tzid)
	known := load(tzid)
	if known == nil && z.defs[tzid] != nil {
		known = load(z.defs[tzid].text("X-LIC-LOCATION"))
	}
	if known != nil && (own == nil || offsetAt(in(near, own), own) == offsetAt(in(near, known), known)) {
		return known
	}
	return own
}

// own makes the zone of a VTIMEZONE, once.
func (z *zones) own(tzid string) *time.Location {
	c := z.defs[tzid]
	if c == nil {
		return nil
	}
	loc, ok := z.made[tzid]
	if !ok {
		var err error
		if loc, err = zoneOf(tzid, c); err != nil {
			z.bad(&LineError{c.Begin, fmt.Sprintf("the time zone %q cannot be used: %v", shorten(tzid), err)})
		}
		z.made[tzid] = loc
	}
	return loc
}

// zoneOf makes a zone of a VTIMEZONE, RFC 5545 3.6.5.
func zoneOf(tzid string, c *component) (*time.Location, error) {
	var changes []transition
	before, earliest := 0, int64(0)
	for _, sub := range c.Subs {
		if sub.Name != "STANDARD" && sub.Name != "DAYLIGHT" {
			continue
		}
		from, err1 := parseOffset(sub.value("TZOFFSETFROM"))
		to, err2 := parseOffset(sub.value("TZOFFSETTO"))
		onsets, err3 := onsetsOf(sub, from)
		for _, err := range []error{err1, err2, err3} {
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", sub.Begin, err)
			}
		}
		for _, t := range onsets {
			at := t.Unix() - int64(from)
			if len(changes) == 0 || at < earliest {
				before, earliest = from, at
			}
			changes = append(changes, transition{At: at, Offset: to, DST: sub.Name == "DAYLIGHT"})
		}
	}
	if len(changes) == 0 {
		return nil, fmt.Errorf("it says no offset")
	}
	return newLocation(tzid, before, changes)
}

// onsetsOf gives the local times at which a part of a zone begins.
func onsetsOf(c *component, from int) ([]time.Time, error) {
	start, _, err := parseDateTime(c.value("DTSTART"))
	if err != nil {
		return nil, err
	}
	onsets := []time.Time{start}
	for _, l := range c.all("RDATE") {
		for _, v := range strings.Split(l.Value, ",") {
			if t, _, err := parseDateTime(v); err == nil && len(onsets) < 2000 {
				onsets = append(onsets, t)
			}
		}
	}
	for _, l := range c.all("RRULE") {
		r, err := parseRule(l.Value)
		if err != nil {
			return nil, err
		}
		if r.Frequency != Yearly {
			return nil, fmt.Errorf("the clocks do not change %s", r.Frequency)
		}
		if !r.Until.IsZero() && !r.UntilDate {
			r.Until = r.Until.Add(time.Duration(from) * time.Second)
		}
		for t := range r.dates(start) {
			if t.Year() > lastZoneYear || len(onsets) > 2000 {
				break
			}
			if t.Year() >= firstZoneYear {
				onsets = append(onsets, t)
			}
		}
	}
	return onsets, nil
}

// parseOffset reads a UTC-OFFSET, RFC 5545 3.3.14.
func parseOffset(s string) (int, error) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ":", "")
	digits := strings.TrimLeft(s, "+-")
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) != 4 && len(digits) != 6 || len(s)-len(digits) > 1 {
		return 0, fmt.Errorf("%q is no offset from UTC", shorten(s))
	}
	if len(digits) == 4 {
		n *= 100
	}
	n = n/10000*3600 + n/100%100*60 + n%100
	if s[0] == '-' {
		n = -n
	}
	if n > 26*3600 || n < -26*3600 {
		return 0, fmt.Errorf("%q is no offset from UTC", shorten(s))
	}
	return n, nil
}

// A change is a change of the clocks that comes in several years.
type change struct {
	date        zoneDate
	from, to    int // offsets in seconds
	first, last int // years
	lastAt      int64
}

// writeZone writes a VTIMEZONE that is right for the years from one to another.
func writeZone(w *lineWriter, tzid string, loc *time.Location, first, last int) {
	first, last = max(first-1, firstZoneYear), min(max(last, first)+5, lastZoneYear)
	var all []*change
	for year := first; year <= last; year++ {
		for _, c := range changesOf(loc, year) {
			all = addChange(all, c, year, offsetAt(time.Unix(c.At-1, 0), loc))
		}
	}
	w.line("BEGIN", "VTIMEZONE")
	w.text("TZID", tzid)
	if len(all) == 0 || all[0].first > first {
		offset := offsetAt(time.Date(first, 1, 1, 0, 0, 0, 0, time.UTC), loc)
		writeChange(w, &change{date: zoneDate{Month: 1, Day: 1, Weekday: uint16(time.Date(first, 1, 1, 0, 0, 0, 0, time.UTC).Weekday())}, from: offset, to: offset, first: first, last: first}, last)
	}
	for _, c := range all {
		writeChange(w, c, last)
	}
	w.line("END", "VTIMEZONE")
}

// addChange joins a change of the clocks to that of the year before, where one date
// stands for both.
func addChange(all []*change, t transition, year, before int) []*change {
	date := dateOf(t.At, before)
	for _, c := range slices.Backward(all) {
		if c.last != year-1 || c.from != before || c.to != t.Offset {
			continue
		}
		if joined, ok := joinDate(c.date, date, c.first, year); ok {
			c.date, c.last, c.lastAt = joined, year, t.At
			return all
		}
	}
	return append(all, &change{date: date, from: before, to: t.Offset, first: year, last: year, lastAt: t.At})
}

func writeChange(w *lineWriter, c *change, end int) {
	name := "STANDARD"
	if c.to > c.from {
		name = "DAYLIGHT"
	}
	w.line("BEGIN", name)
	w.line("DTSTART", c.date.in(c.first).Format("20060102T150405"))
	w.line("TZOFFSETFROM", formatOffset(c.from))
	w.line("TZOFFSETTO", formatOffset(c.to))
	if c.last > c.first {
		n := int(c.date.Day)
		if n == 5 {
			n = -1
		}
		r := Rule{Frequency: Yearly, WeekStart: time.Monday, ByMonth: []int{int(c.date.Month)}, ByDay: []WeekdayNum{{n, time.Weekday(c.date.Weekday)}}}
		if c.last < end {
			r.Until = time.Unix(c.lastAt, 0).UTC()
		}
		w.line("RRULE", r.String())
	}
	w.line("END", name)
}
