package pim

import (
	"slices"
	"time"
)

// A zoneDate is a SYSTEMTIME as zones have it, [MS-DTYP] 2.3.13: with Year 0 the
// Day-th of a weekday in a month, of which 5 is the last; else that date itself.
// With Month 0 the clocks do not change.
type zoneDate struct {
	Year, Month, Weekday, Day, Hour, Minute, Second, Milli uint16
}

// A zoneRule is how a zone goes in the years from Year on. Biases are minutes, by
// which UTC is later than local time.
type zoneRule struct {
	Year                       int
	Bias, Standard, Daylight   int32
	StandardDate, DaylightDate zoneDate
}

// in gives when the clocks change in a year, as the local time before it, carried
// as UTC.
func (d zoneDate) in(year int) time.Time {
	clock := time.Duration(d.Hour)*time.Hour + time.Duration(d.Minute)*time.Minute + time.Duration(d.Second)*time.Second
	if d.Year != 0 {
		return time.Date(year, time.Month(d.Month), int(d.Day), 0, 0, 0, 0, time.UTC).Add(clock)
	}
	first := time.Date(year, time.Month(d.Month), 1, 0, 0, 0, 0, time.UTC)
	day := (int(d.Weekday)-int(first.Weekday())+7)%7 + 7*(int(d.Day)-1)
	for day >= monthDays(year, first.Month()) {
		day -= 7
	}
	return first.AddDate(0, 0, max(day, 0)).Add(clock)
}

// sane tells whether the numbers are those of a date.
func (d zoneDate) sane() bool {
	return d.Month <= 12 && d.Weekday <= 6 && d.Day <= 31 && d.Hour <= 24 && d.Minute < 60 && d.Second < 60 && (d.Month == 0 || d.Day > 0)
}

func (r zoneRule) changes() bool {
	return r.StandardDate.Month != 0 && r.DaylightDate.Month != 0
}

func (r zoneRule) standardOffset() int { return -60 * int(r.Bias+r.Standard) }
func (r zoneRule) daylightOffset() int { return -60 * int(r.Bias+r.Daylight) }

// locationOf makes a zone of rules, which come with rising years. The first holds
// for all years before it too.
func locationOf(name string, rules []zoneRule) (*time.Location, error) {
	var changes []transition
	for i, r := range rules {
		from, to := max(r.Year, firstZoneYear), lastZoneYear
		if i == 0 {
			from = firstZoneYear
		}
		if i+1 < len(rules) {
			to = min(rules[i+1].Year-1, lastZoneYear)
		}
		if !r.changes() {
			changes = append(changes, transition{At: time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC).Unix() - int64(r.standardOffset()), Offset: r.standardOffset()})
			continue
		}
		for year := from; year <= to; year++ {
			changes = append(changes,
				transition{At: r.DaylightDate.in(year).Unix() - int64(r.standardOffset()), Offset: r.daylightOffset(), DST: true},
				transition{At: r.StandardDate.in(year).Unix() - int64(r.daylightOffset()), Offset: r.standardOffset()})
		}
	}
	return newLocation(name, rules[0].standardOffset(), changes)
}

// yearRule says how a zone goes in one year. near is a moment whose offset must be
// right where a year has more changes than a rule can say.
func yearRule(loc *time.Location, year int, near time.Time) zoneRule {
	changes := changesOf(loc, year)
	r := zoneRule{Year: year}
	first := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	january := offsetAt(in(first, loc), loc)
	if len(changes) > 0 {
		january = offsetAt(time.Unix(changes[0].At-1, 0), loc)
		if changes[0].At+int64(january) == first.Unix() { // with the year: what is before does not count
			january, changes = changes[0].Offset, changes[1:]
		}
	}
	switch {
	case len(changes) == 1: // the clocks changed for good: the time before lasts from 1 January
		c := changes[0]
		r.Bias, r.Daylight = minutesWest(c.Offset), minutesWest(january)-minutesWest(c.Offset)
		r.DaylightDate = zoneDate{Month: 1, Weekday: uint16(first.Weekday()), Day: 1}
		r.StandardDate = dateOf(c.At, january)
		return r
	case len(changes) == 2 && changes[1].Offset == january:
		standard, daylight := changes[1], changes[0]
		if daylight.Offset < standard.Offset {
			standard, daylight = daylight, standard
		}
		r.Bias, r.Daylight = minutesWest(standard.Offset), minutesWest(daylight.Offset)-minutesWest(standard.Offset)
		r.StandardDate, r.DaylightDate = dateOf(standard.At, daylight.Offset), dateOf(daylight.At, standard.Offset)
		return r
	case len(changes) > 0:
		r.Bias = minutesWest(offsetAt(near, loc))
		return r
	}
	r.Bias = minutesWest(january)
	return r
}

func minutesWest(offset int) int32 { return int32(-offset / 60) }

// dateOf says a moment as the local time before it, as the n-th weekday.
func dateOf(at int64, before int) zoneDate {
	t := time.Unix(at+int64(before), 0).UTC()
	d := zoneDate{Month: uint16(t.Month()), Weekday: uint16(t.Weekday()), Day: uint16((t.Day()-1)/7 + 1),
		Hour: uint16(t.Hour()), Minute: uint16(t.Minute()), Second: uint16(t.Second())}
	if d.Day == 4 && t.Day()+7 > monthDays(t.Year(), t.Month()) {
		d.Day = 5 // the fourth that is the last; ruleFits takes it for both
	}
	return d
}

// zoneRules says how a zone goes from a year to another, with as few rules as can
// be. More than 40 are not made: the last holds on.
func zoneRules(loc *time.Location, from, to int, near time.Time) []zoneRule {
	from = min(max(from, firstZoneYear), lastZoneYear)
	to = min(max(to, from), from+60, lastZoneYear)
	var rules []zoneRule
	for year := from; year <= to+5; year++ { // some more years tell a last weekday from a fourth
		r := yearRule(loc, year, near)
		if n := len(rules); n > 0 {
			if joined, ok := join(rules[n-1], r, year); ok {
				rules[n-1] = joined
				continue
			}
		}
		if year > to || len(rules) == 40 {
			break
		}
		rules = append(rules, r)
	}
	return rules
}

// join makes one rule of two, where that is right for all years up to one.
func join(a, b zoneRule, year int) (zoneRule, bool) {
	if a.Bias != b.Bias || a.Daylight != b.Daylight || a.changes() != b.changes() {
		return a, false
	}
	standard, ok1 := joinDate(a.StandardDate, b.StandardDate, a.Year, year)
	daylight, ok2 := joinDate(a.DaylightDate, b.DaylightDate, a.Year, year)
	a.StandardDate, a.DaylightDate = standard, daylight
	return a, ok1 && ok2
}

// joinDate finds the date that stands for b in a year and for a in the years before:
// one of the two, or what lies between a fourth and a last.
func joinDate(a, b zoneDate, from, year int) (zoneDate, bool) {
	if a == b || a.Month == 0 {
		return a, a == b
	}
	candidates := []zoneDate{a, b, a}
	candidates[2].Day = 4
	for _, c := range candidates {
		if !c.in(year).Equal(b.in(year)) {
			continue
		}
		if !slices.ContainsFunc(years(from, year), func(y int) bool { return !c.in(y).Equal(a.in(y)) }) {
			return c, true
		}
	}
	return a, false
}

func years(from, to int) []int {
	var all []int
	for y := from; y < to; y++ {
		all = append(all, y)
	}
	return all
}
