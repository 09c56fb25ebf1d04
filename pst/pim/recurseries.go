package pim

import (
	"fmt"
	"slices"
	"time"
)

// What a series that Outlook has no pattern for is cut to: it becomes a pattern with
// all other dates deleted.
const (
	maxDates   = 1000 // dates that are written
	maxDeleted = 2000 // dates that are deleted for them
	maxYears   = 50   // years from the start, or up to coverTo: Apple has birthdays without a year in 1604
	coverTo    = 2100
	maxMoved   = 100 // dates with another time of day than the first
)

// patternFor says when a series repeats as an item does, and gives what takes place
// otherwise. lost is a sentence on what it cannot say, "" for nothing.
func (e *Event) patternFor() (a appointmentPattern, exceptions []*Event, lost string) {
	start := local(e.Start)
	a.Writer2 = 0x3009
	a.StartOffset = uint32(start.Hour()*60 + start.Minute())
	a.EndOffset = a.StartOffset + uint32(e.duration()/time.Minute)
	if p, ok := e.exactPattern(); ok {
		a.pattern = p
	} else {
		a.pattern, exceptions, lost = e.coverPattern()
	}
	exceptions = append(exceptions, e.Exceptions...)
	days := map[uint32]bool{}
	for _, d := range a.Deleted {
		days[d] = true
	}
	changed := map[uint32]bool{}
	exceptions = slices.DeleteFunc(exceptions, func(x *Event) bool { // an item has one of each day
		day := minutesOf(local(x.Original.In(e.zone()))) / dayMinutes
		twice := changed[day]
		changed[day] = true
		return twice
	})
	for _, x := range exceptions {
		info := e.exception(x)
		info.Original = info.Original/dayMinutes*dayMinutes + a.StartOffset
		a.Exceptions = append(a.Exceptions, info)
		days[info.Original/dayMinutes*dayMinutes] = true
	}
	slices.SortFunc(a.Exceptions, func(x, y exceptionInfo) int { return int(int64(x.Start) - int64(y.Start)) })
	a.Deleted = nil
	for d := range days {
		a.Deleted = append(a.Deleted, d)
	}
	slices.Sort(a.Deleted)
	a.Modified = nil
	for _, x := range a.Exceptions {
		a.Modified = append(a.Modified, x.Start/dayMinutes*dayMinutes)
	}
	return a, exceptions, lost
}

// exactPattern is a pattern with exactly the dates of the series.
func (e *Event) exactPattern() (p pattern, ok bool) {
	if len(e.Rules) != 1 || len(e.Dates) > 0 {
		return p, false
	}
	start := local(e.Start)
	r := e.localRule(e.Rules[0])
	if p, ok = patternOf(r, start); !ok {
		return p, false
	}
	p.Start, p.EndType, p.Count, p.End = minutesOf(midnight(start)), endNever, 10, neverEnds
	p.setFirst()
	for d := range p.days() {
		if !d.Equal(midnight(start)) {
			return p, false // the start is a date that the rule does not give
		}
		break
	}
	if r.Count > 0 || !r.Until.IsZero() && r.Until.Year() < lastYear {
		p.finish(r, start)
	}
	return p, e.markDeleted(&p)
}

// finish computes the end of a pattern.
func (p *pattern) finish(r Rule, start time.Time) {
	n, last := uint32(0), start
	limit := uint32(r.Count)
	at := start.Sub(midnight(start))
	for d := range p.days() {
		if limit > 0 && n == limit || limit == 0 && d.Add(at).After(r.end()) {
			break
		}
		n, last = n+1, d
	}
	p.EndType, p.Count, p.End = endByDate, n, minutesOf(midnight(last))
	if limit > 0 {
		p.EndType = endByCount
	}
}

// markDeleted puts the dates of EXDATE that the pattern has into it. It is false
// where there are too many, and where an exception is of a date that the pattern
// does not have.
func (e *Event) markDeleted(p *pattern) bool {
	wanted := map[time.Time]bool{}
	last := time.Time{}
	for _, t := range e.Deleted {
		d := midnight(local(t.In(e.zone())))
		wanted[d] = false
		last = later(last, d)
	}
	for _, x := range e.Exceptions {
		d := midnight(local(x.Original.In(e.zone())))
		wanted[d] = true
		last = later(last, d)
	}
	if len(wanted) == 0 {
		return true
	}
	for d := range p.days() {
		if d.After(last) {
			break
		}
		if isException, ok := wanted[d]; ok {
			if !isException {
				p.Deleted = append(p.Deleted, minutesOf(d))
			}
			delete(wanted, d)
		}
	}
	for _, isException := range wanted {
		if isException {
			return false
		}
	}
	return len(p.Deleted) <= maxInstances/2
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// coverPattern is a pattern that has all days of the series, with the others
// deleted. One start a day is what it can have; where that is at another time than
// the first, it is an exception.
func (e *Event) coverPattern() (pattern, []*Event, string) {
	start := local(e.Start)
	dates, cut := e.localDates(maxDates, later(start.AddDate(maxYears, 0, 0), time.Date(coverTo, 12, 31, 0, 0, 0, 0, time.UTC)))
	for _, x := range e.Exceptions {
		dates = append(dates, local(x.Original.In(e.zone())))
	}
	if len(dates) == 0 { // all are deleted
		dates = append(dates, start)
	}
	days := map[time.Time]time.Time{}
	twice := 0
	slices.SortFunc(dates, time.Time.Compare)
	dates = slices.CompactFunc(dates, time.Time.Equal)
	for _, d := range dates {
		if _, ok := days[midnight(d)]; ok {
			twice++
			continue
		}
		days[midnight(d)] = d
	}
	best, list := bestCover(days, start)
	moved, left := e.movedStarts(list, days)
	lost := fmt.Sprintf("Outlook has no pattern for this series: its %d days are written one by one", len(list))
	if cut || len(list) < len(days) {
		lost += fmt.Sprintf(", up to %s", list[len(list)-1].Format("2 January 2006"))
	}
	if twice > 0 {
		lost += fmt.Sprintf("; %d further times on the same days are not", twice)
	}
	if left > 0 {
		lost += fmt.Sprintf("; %d of them have the time of day of the first", left)
	}
	return best, moved, lost + "."
}

// movedStarts gives exceptions for the days on which the series starts at another
// time of day than first, up to a number, and how many are left without.
func (e *Event) movedStarts(list []time.Time, days map[time.Time]time.Time) (moved []*Event, left int) {
	at := local(e.Start).Sub(midnight(local(e.Start)))
	for _, day := range list {
		start := days[day]
		original := in(day.Add(at), e.zone())
		if start.Sub(day) == at || slices.ContainsFunc(e.Exceptions, func(x *Event) bool { return midnight(local(x.Original.In(e.zone()))).Equal(day) }) {
			continue
		}
		if len(moved) == maxMoved {
			left++
			continue
		}
		x := *e
		x.Rules, x.Dates, x.Deleted, x.Exceptions, x.Attachments, x.Source = nil, nil, nil, nil, nil, nil
		x.Start, x.Original = in(start, e.zone()), original
		x.End = x.Start.Add(e.duration())
		moved = append(moved, &x)
	}
	return moved, left
}

// bestCover picks the pattern that needs the fewest deletions, and gives the days
// that it has.
func bestCover(days map[time.Time]time.Time, start time.Time) (pattern, []time.Time) {
	var list []time.Time
	var weekdays, monthdays uint32
	for d := range days {
		list = append(list, d)
		weekdays |= 1 << d.Weekday()
		monthdays |= 1 << d.Day()
	}
	slices.SortFunc(list, time.Time.Compare)
	candidates := []pattern{{Frequency: recurWeekly, Type: patternWeek, Period: 1, Days: weekdays, FirstDOW: 1}}
	if monthdays&(monthdays-1) == 0 {
		candidates = append(candidates, pattern{Frequency: recurMonthly, Type: patternMonth, Period: 1, Day: uint32(list[0].Day())},
			pattern{Frequency: recurYearly, Type: patternMonth, Period: 12, Day: uint32(list[0].Day())})
	}
	var best pattern
	covered := 0
	for _, p := range candidates {
		p.Start, p.EndType, p.End = minutesOf(list[0]), endByDate, minutesOf(list[len(list)-1])
		p.setFirst()
		n := p.cover(days)
		if n > covered || n == covered && len(p.Deleted) < len(best.Deleted) {
			best, covered = p, n
		}
	}
	return best, list[:covered]
}

// cover deletes what is no day of the series, and ends where too many are deleted.
// It gives how many days the pattern then has, 0 where it misses one.
func (p *pattern) cover(days map[time.Time]time.Time) int {
	n := 0
	var last uint32
	var deleted []uint32
	all := uint32(0)
	for d := range p.days() {
		m := minutesOf(d)
		all++
		if _, ok := days[d]; !ok {
			deleted = append(deleted, m)
			continue
		}
		if len(deleted) > maxDeleted {
			break
		}
		n, last, p.Deleted, p.Count = n+1, m, slices.Clip(deleted), all
	}
	for d := range days {
		if m := minutesOf(d); m <= last && !p.has(d) {
			return 0
		}
	}
	p.End = last
	return n
}

// has tells whether a date is one of a pattern, by its form.
func (p *pattern) has(d time.Time) bool {
	if p.Type == patternWeek {
		return p.Days>>d.Weekday()&1 == 1
	}
	month := time.Date(d.Year(), d.Month(), 1, 0, 0, 0, 0, time.UTC)
	return p.inMonth(month).Equal(d) && (monthsOf(d)-monthsOf(fromMinutes(p.Start)))%int(p.Period) == 0
}
