package pim

import (
	"iter"
	"slices"
	"time"
)

// epoch is where minutes of a pattern are counted from: a Monday.
var epoch = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)

const dayMinutes = 24 * 60

// minutesOf gives the minutes since 1601 of a local time that is carried as UTC.
func minutesOf(t time.Time) uint32 {
	m := (t.Unix() - epoch.Unix()) / 60
	return uint32(min(max(m, 0), 1<<32-1))
}

// fromMinutes is the reverse.
func fromMinutes(m uint32) time.Time { return time.Unix(epoch.Unix()+60*int64(m), 0).UTC() }

// setFirst computes FirstDateTime, [MS-OXOCAL] 2.2.1.44.1.1.
func (p *pattern) setFirst() {
	day := fromMinutes(p.Start)
	switch p.Type {
	case patternDay:
		p.First = p.Start % p.Period
	case patternWeek:
		week := minutesOf(day.AddDate(0, 0, -(int(day.Weekday())-int(p.FirstDOW)+7)%7))
		p.First = week % (7 * dayMinutes * p.Period)
	default:
		months := monthsOf(day) % int(p.Period)
		p.First = minutesOf(epoch.AddDate(0, months, 0))
	}
}

func monthsOf(t time.Time) int { return 12*(t.Year()-1601) + int(t.Month()) - 1 }

// sane tells whether a pattern can be walked through: it is of a Gregorian
// calendar, and no number is beyond what Outlook offers.
func (p *pattern) sane() bool {
	gregorian := p.Calendar <= 1 || p.Calendar == 2 || p.Calendar >= 9 && p.Calendar <= 12
	if !gregorian || p.Period == 0 || p.Period > 1000*dayMinutes || p.FirstDOW > 6 {
		return false
	}
	switch p.Type {
	case patternDay:
		return p.Period%dayMinutes == 0
	case patternWeek:
		return p.Days&0x7F != 0 && p.Period < 10000
	case patternMonth, patternMonthEnd:
		return p.Day >= 1 && p.Day <= 31 && p.Period < 10000
	case patternNth:
		return p.Days&0x7F != 0 && p.Nth >= 1 && p.Nth <= 5 && p.Period < 10000
	}
	return false
}

// days gives the dates of a sane pattern from its start to its end, deleted and
// modified ones too.
func (p *pattern) days() iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		start, last := fromMinutes(p.Start), fromMinutes(min(p.End, neverEnds))
		n := 0
		give := func(d time.Time) bool {
			if d.Before(start) {
				return true
			}
			if n++; d.After(last) || p.EndType == endByCount && uint32(n) > p.Count {
				return false
			}
			return yield(d)
		}
		switch p.Type {
		case patternDay:
			for d := start; !d.After(last); d = d.AddDate(0, 0, int(p.Period/dayMinutes)) {
				if !give(d) {
					return
				}
			}
		case patternWeek:
			p.weeks(start, last, give)
		default:
			p.months(start, last, give)
		}
	}
}

func (p *pattern) weeks(start, last time.Time, give func(time.Time) bool) {
	first := start.AddDate(0, 0, -(int(start.Weekday())-int(p.FirstDOW)+7)%7)
	for week := first; !week.After(last); week = week.AddDate(0, 0, 7*int(p.Period)) {
		for i := range 7 {
			if d := week.AddDate(0, 0, i); p.Days>>d.Weekday()&1 == 1 && !give(d) {
				return
			}
		}
	}
}

func (p *pattern) months(start, last time.Time, give func(time.Time) bool) {
	first := time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, time.UTC)
	for m := first; !m.After(last); m = m.AddDate(0, int(p.Period), 0) {
		if !give(p.inMonth(m)) {
			return
		}
	}
}

// inMonth gives the date of a month. A day that the month does not have is its
// last: Outlook says so where such a series is made, and ends the series "day 30 of
// every 2 months from 2012-08-30, 10 times" on 2014-02-28.
func (p *pattern) inMonth(month time.Time) time.Time {
	n := monthDays(month.Year(), month.Month())
	if p.Type != patternNth {
		return month.AddDate(0, 0, min(int(p.Day), n)-1)
	}
	var all []int
	for d := range n {
		if p.Days>>((int(month.Weekday())+d)%7)&1 == 1 {
			all = append(all, d)
		}
	}
	return month.AddDate(0, 0, all[min(int(p.Nth), len(all))-1])
}

// rule says a sane pattern as a rule. Its Until is a local time, carried as UTC, of
// the last date at the time of day that the series has.
func (p *pattern) rule(at time.Duration) Rule {
	r := Rule{Interval: int(p.Period), WeekStart: time.Weekday(p.FirstDOW)}
	switch p.Type {
	case patternDay:
		r.Frequency, r.Interval = Daily, int(p.Period/dayMinutes)
	case patternWeek:
		r.Frequency, r.ByDay = Weekly, maskDays(p.Days)
	default:
		r.Frequency = Monthly
		if p.Period%12 == 0 {
			r.Frequency, r.Interval = Yearly, int(p.Period/12)
			r.ByMonth = []int{int(fromMinutes(p.Start).Month())}
		}
		p.monthParts(&r)
	}
	switch p.EndType {
	case endByCount:
		r.Count = int(min(p.Count, 1<<30))
	case endNever, 0xFFFFFFFF: // the latter of some servers
	default:
		r.Until = fromMinutes(p.End).Add(at)
	}
	return r
}

func (p *pattern) monthParts(r *Rule) {
	switch {
	case p.Type != patternNth && p.alwaysHas(fromMinutes(p.Start)):
		r.ByMonthDay = []int{int(p.Day)}
	case p.Type != patternNth && p.Day == 31:
		r.ByMonthDay = []int{-1}
	case p.Type != patternNth:
		for d := 28; d <= int(p.Day); d++ {
			r.ByMonthDay = append(r.ByMonthDay, d)
		}
		r.BySetPos = []int{-1}
	default:
		n := int(p.Nth)
		if n == 5 {
			n = -1
		}
		r.ByDay = maskDays(p.Days)
		if len(r.ByDay) == 1 {
			r.ByDay[0].N = n
		} else {
			r.BySetPos = []int{n}
		}
	}
}

func maskDays(mask uint32) []WeekdayNum {
	var all []WeekdayNum
	for _, d := range []time.Weekday{1, 2, 3, 4, 5, 6, 0} {
		if mask>>d&1 == 1 {
			all = append(all, WeekdayNum{Day: d})
		}
	}
	return all
}

func daysMask(list []WeekdayNum) uint32 {
	var mask uint32
	for _, d := range list {
		mask |= 1 << d.Day
	}
	return mask
}

// patternOf says a rule as a pattern that has the same dates: from its form alone,
// without looking at dates. It has no start and no end yet. ok is false for a rule
// that has no such form.
func patternOf(r Rule, start time.Time) (p pattern, ok bool) {
	p.FirstDOW = uint32(r.WeekStart)
	if len(r.ByYearDay)+len(r.ByWeekNo) > 0 || r.Interval > 999 || !onlyOf(r.ByHour, start.Hour()) ||
		!onlyOf(r.ByMinute, start.Minute()) || !onlyOf(r.BySecond, start.Second()) {
		return p, false
	}
	switch r.Frequency {
	case Daily:
		return p, p.daily(r)
	case Weekly:
		return p, p.weekly(r, start)
	case Monthly:
		p.Frequency, p.Period = recurMonthly, uint32(r.Interval)
		return p, len(r.ByMonth) == 0 && p.monthly(r, start)
	case Yearly:
		if len(r.ByMonth) == 0 && (len(r.ByDay) > 0 || len(r.ByMonthDay) > 0) || !onlyOf(r.ByMonth, int(start.Month())) {
			return p, false
		}
		p.Frequency, p.Period = recurYearly, uint32(12*r.Interval)
		return p, p.monthly(r, start)
	}
	return p, false
}

func onlyOf(list []int, v int) bool { return len(list) == 0 || len(list) == 1 && list[0] == v }

func (p *pattern) daily(r Rule) bool {
	if len(r.ByMonth)+len(r.ByMonthDay)+len(r.BySetPos) > 0 {
		return false
	}
	if len(r.ByDay) == 0 {
		p.Frequency, p.Type, p.Period = recurDaily, patternDay, uint32(r.Interval)*dayMinutes
		return true
	}
	p.Frequency, p.Type, p.Period, p.Days = recurWeekly, patternWeek, 1, daysMask(r.ByDay)
	return r.Interval == 1
}

func (p *pattern) weekly(r Rule, start time.Time) bool {
	p.Frequency, p.Type, p.Period, p.Days = recurWeekly, patternWeek, uint32(r.Interval), daysMask(r.ByDay)
	if p.Days == 0 {
		p.Days = 1 << start.Weekday()
	}
	return len(r.ByMonth)+len(r.ByMonthDay)+len(r.BySetPos) == 0
}

// monthly takes what a rule says of days within a month.
func (p *pattern) monthly(r Rule, start time.Time) bool {
	switch {
	case len(r.ByDay) > 0 && len(r.ByMonthDay) > 0:
		return false
	case len(r.ByDay) > 0:
		return p.nth(r)
	}
	p.Type = patternMonth
	days := r.ByMonthDay
	switch {
	case len(days) == 0 && len(r.BySetPos) == 0:
		p.Day = uint32(start.Day())
		return p.alwaysHas(start)
	case len(days) == 1 && onlyOf(r.BySetPos, 1) || len(days) == 1 && onlyOf(r.BySetPos, -1):
		p.Day = uint32(days[0])
		if days[0] == -1 {
			p.Day = 31
		}
		return days[0] == -1 || days[0] > 0 && p.alwaysHas(start)
	case len(r.BySetPos) == 1 && r.BySetPos[0] == -1: // 28,29,30: the 30th, or the last day before it
		for i, d := range slices.Sorted(slices.Values(days)) {
			if d != 28+i {
				return false
			}
			p.Day = uint32(d)
		}
		return p.Day > 28
	}
	return false
}

// alwaysHas tells whether every month of the pattern has its day: those of whole
// years are all the one in which it starts.
func (p *pattern) alwaysHas(start time.Time) bool {
	return p.Day <= 28 || p.Period%12 == 0 && start.Month() != time.February && int(p.Day) <= monthDays(start.Year(), start.Month())
}

// nth takes days of the week.
func (p *pattern) nth(r Rule) bool {
	p.Type, p.Days = patternNth, daysMask(r.ByDay)
	n := 0
	switch {
	case len(r.BySetPos) == 1 && !slices.ContainsFunc(r.ByDay, func(d WeekdayNum) bool { return d.N != 0 }):
		n = r.BySetPos[0]
	case len(r.BySetPos) == 0 && len(r.ByDay) == 1 && r.ByDay[0].N != 0:
		n = r.ByDay[0].N
	case len(r.BySetPos) == 0 && r.Interval == 1 && r.Frequency == Monthly && r.ByDay[0].N == 0 && len(r.ByDay) == 1: // every Monday of every month
		p.Frequency, p.Type, p.Period = recurWeekly, patternWeek, 1
		return true
	default:
		return false
	}
	if n == -1 {
		n = 5
	} else if n == 5 {
		return false // the fifth, which not each month has, is no last
	}
	p.Nth = uint32(n)
	return n >= 1 && n <= 5
}
