package pim

import (
	"iter"
	"slices"
	"time"
)

// Bounds of an expansion: a rule may say things that never happen (30 February),
// and others that happen each second until the end of time.
const (
	lastYear  = 4500    // Outlook's own end of time is 4500-08-31
	maxEmpty  = 15000   // periods in a row without a date: 29 February on a Sunday is 40 years of days away
	maxPeriod = 2000000 // periods altogether
)

// dates gives when a rule happens, in order, beginning with start, which counts as
// the first even where the rule would not give it (RFC 5545 3.8.5.3: "DTSTART counts
// as the first occurrence"). Times are local and carried as UTC, and so must be
// Until of the rule. The end is that of the rule, or one of the bounds above.
func (r Rule) dates(start time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		n, empty := 0, 0
		give := func(t time.Time) bool {
			if !r.Until.IsZero() && t.After(r.end()) || r.Count > 0 && n >= r.Count || t.Year() > lastYear {
				return false
			}
			n++
			return yield(t)
		}
		if !give(start) {
			return
		}
		for i := range maxPeriod {
			period, ok := r.period(start, i)
			if !ok || !r.Until.IsZero() && period.After(r.end().AddDate(0, 0, 7)) {
				return
			}
			set := r.expand(period, start)
			if empty++; empty > maxEmpty && !r.subDaily() || empty > 24*maxEmpty {
				return
			}
			for _, t := range set {
				if t.After(start) {
					empty = 0
					if !give(t) {
						return
					}
				}
			}
		}
	}
}

// end is the last moment that counts.
func (r Rule) end() time.Time {
	if r.UntilDate {
		return r.Until.AddDate(0, 0, 1).Add(-time.Nanosecond)
	}
	return r.Until
}

func (r Rule) subDaily() bool {
	return r.Frequency == Secondly || r.Frequency == Minutely || r.Frequency == Hourly
}

// period gives a moment within the i-th period of the rule, of a year its first
// day, of a month too, of a week the day of WKST.
func (r Rule) period(start time.Time, i int) (time.Time, bool) {
	n := i * r.Interval
	day := midnight(start)
	var t time.Time
	switch r.Frequency {
	case Yearly:
		t = time.Date(start.Year()+n, 1, 1, 0, 0, 0, 0, time.UTC)
	case Monthly:
		t = time.Date(start.Year(), start.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	case Weekly:
		t = day.AddDate(0, 0, 7*n-(int(day.Weekday()-r.WeekStart)+7)%7)
	case Daily:
		t = day.AddDate(0, 0, n)
	case Hourly:
		t = start.Truncate(time.Hour).AddDate(0, 0, n/24).Add(time.Duration(n%24) * time.Hour)
	case Minutely:
		t = start.Truncate(time.Minute).AddDate(0, 0, n/1440).Add(time.Duration(n%1440) * time.Minute)
	default:
		t = start.AddDate(0, 0, n/86400).Add(time.Duration(n%86400) * time.Second)
	}
	return t, t.Year() <= lastYear
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// expand gives the dates of one period, in order.
func (r Rule) expand(period, start time.Time) []time.Time {
	var set []time.Time
	for _, day := range r.days(period, start) {
		for _, d := range r.times(period, start) {
			set = append(set, day.Add(d))
		}
	}
	if len(r.BySetPos) == 0 {
		return set
	}
	var picked []time.Time
	for _, pos := range r.BySetPos {
		if pos < 0 {
			pos += len(set)
		} else {
			pos--
		}
		if pos >= 0 && pos < len(set) {
			picked = append(picked, set[pos])
		}
	}
	slices.SortFunc(picked, time.Time.Compare)
	return slices.CompactFunc(picked, time.Time.Equal)
}

// times gives the times of day of one period.
func (r Rule) times(period, start time.Time) []time.Duration {
	hours, minutes, seconds := r.ByHour, r.ByMinute, r.BySecond
	pick := func(list *[]int, fixed bool, now, ofStart int) bool {
		switch {
		case fixed && len(*list) > 0 && !slices.Contains(*list, now):
			return false
		case fixed:
			*list = []int{now}
		case len(*list) == 0:
			*list = []int{ofStart}
		}
		return true
	}
	f := r.Frequency
	if !pick(&hours, r.subDaily(), period.Hour(), start.Hour()) ||
		!pick(&minutes, f == Minutely || f == Secondly, period.Minute(), start.Minute()) ||
		!pick(&seconds, f == Secondly, period.Second(), start.Second()) {
		return nil
	}
	var all []time.Duration
	for _, h := range hours {
		for _, m := range minutes {
			for _, s := range seconds {
				all = append(all, time.Duration(h)*time.Hour+time.Duration(m)*time.Minute+time.Duration(min(s, 59))*time.Second)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// days gives the days of one period by the table of RFC 5545 3.3.10: a part limits
// where it is coarser than the frequency, and adds where it is finer.
func (r Rule) days(period, start time.Time) []time.Time {
	first, n := midnight(period), 1
	switch r.Frequency {
	case Yearly:
		n = yearDays(period.Year())
	case Monthly:
		n = monthDays(period.Year(), period.Month())
	case Weekly:
		n = 7
	}
	if r.Frequency == Yearly && len(r.ByWeekNo) > 0 { // weeks reach into the next and the last year
		first, n = first.AddDate(0, 0, -7), n+14
	}
	var all []time.Time
	end := first.AddDate(0, 0, n)
	for d := first; d.Before(end); d = d.Add(24 * time.Hour) {
		for len(r.ByMonth) > 0 && !slices.Contains(r.ByMonth, int(d.Month())) && d.Before(end) { // whole months at once
			d = time.Date(d.Year(), d.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		}
		if d.Before(end) && r.hasDay(d, start, period.Year()) {
			all = append(all, d)
		}
	}
	return all
}

// hasDay tells whether a day belongs to the rule.
func (r Rule) hasDay(d, start time.Time, year int) bool {
	if len(r.ByMonth) > 0 && !slices.Contains(r.ByMonth, int(d.Month())) {
		return false
	}
	if len(r.ByWeekNo) > 0 && r.Frequency == Yearly {
		if !r.inWeek(d, year) {
			return false
		}
	} else if d.Year() != year && r.Frequency == Yearly {
		return false
	}
	if len(r.ByYearDay) > 0 && !counted(r.ByYearDay, d.YearDay(), yearDays(d.Year())) {
		return false
	}
	if len(r.ByMonthDay) > 0 && !counted(r.ByMonthDay, d.Day(), monthDays(d.Year(), d.Month())) {
		return false
	}
	if len(r.ByDay) > 0 {
		return r.hasWeekday(d)
	}
	return r.implied(d, start)
}

// implied tells whether a day is the one that the start of the series names, where
// no part of the rule names days.
func (r Rule) implied(d, start time.Time) bool {
	if len(r.ByYearDay) > 0 || len(r.ByMonthDay) > 0 {
		return true
	}
	switch r.Frequency {
	case Yearly:
		switch {
		case len(r.ByWeekNo) > 0:
			return d.Weekday() == start.Weekday()
		case len(r.ByMonth) > 0:
			return d.Day() == start.Day()
		}
		return d.Day() == start.Day() && d.Month() == start.Month()
	case Monthly:
		return d.Day() == start.Day()
	case Weekly:
		return d.Weekday() == start.Weekday()
	}
	return true
}

// hasWeekday tells whether BYDAY has a day. The number counts within the month, of
// a yearly rule without months within the year; others have none.
func (r Rule) hasWeekday(d time.Time) bool {
	at, n := d.Day(), monthDays(d.Year(), d.Month())
	numbered := r.Frequency == Monthly || r.Frequency == Yearly && len(r.ByWeekNo) == 0
	if r.Frequency == Yearly && len(r.ByMonth) == 0 {
		at, n = d.YearDay(), yearDays(d.Year())
	}
	for _, w := range r.ByDay {
		if w.Day != d.Weekday() {
			continue
		}
		if w.N == 0 || !numbered || w.N == (at-1)/7+1 || w.N == -((n-at)/7+1) {
			return true
		}
	}
	return false
}

// inWeek tells whether a day lies in one of the weeks of a year. Week 1 is the
// first with at least four days in the year; weeks begin with WKST.
func (r Rule) inWeek(d time.Time, year int) bool {
	first := r.weekOne(year)
	weeks := int(r.weekOne(year+1).Sub(first).Hours()) / (7 * 24)
	days := int(d.Sub(first).Hours()) / 24
	if d.Before(first) || days/7 >= weeks {
		return false
	}
	return counted(r.ByWeekNo, days/7+1, weeks)
}

func (r Rule) weekOne(year int) time.Time {
	d := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
	return d.AddDate(0, 0, -(int(d.Weekday()-r.WeekStart)+7)%7)
}

// counted tells whether a list has the i-th of n, counted from either end.
func counted(list []int, i, n int) bool {
	return slices.Contains(list, i) || slices.Contains(list, i-n-1)
}

func monthDays(year int, m time.Month) int {
	return time.Date(year, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func yearDays(year int) int { return time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC).YearDay() }
