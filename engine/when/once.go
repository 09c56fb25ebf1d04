package when

import (
	"strconv"
	"time"

	"keepwatch"
)

const (
	mostOf    = 999_999 // of a unit
	mostSpans = 6       // "1 hour 30 minutes" are two
	mostAhead = 100     // years
)

// once reads one moment:
//
//	once = "in" spans | spans "from now" | "today" | "tomorrow" | "day after tomorrow"
//	     | "next" weekday | "this" weekday | "on" weekday | ["on"] [weekday] date
//	date = "3 December" | "3rd of December 2026" | "December 3, 2026" | "2026-12-03"
//
// and nothing at all beside a time of day: the next moment at which clocks show it.
func (p *parser) once() (keepwatch.When, error) {
	p.take("on")
	switch {
	case p.done() && len(p.clocks) > 0:
		return p.nextClock()
	case p.take("in"):
		return p.in()
	case p.take("today"):
		if len(p.clocks) == 0 {
			return keepwatch.When{}, refuse("Today, but when? Write the time too, for example %s or %s.", quote("in 2 hours"), quote("tomorrow at 9"))
		}
		return p.onDay(0)
	case p.take("tomorrow"):
		return p.onDay(1)
	case p.take("next"):
		return p.onNext()
	case p.take("now"):
		return keepwatch.When{}, refuse("Now is no time to be reminded of: write a moment that is to come, for example %s.", quote("in 10 minutes"))
	case p.take("yesterday"):
		return keepwatch.When{}, refuse("Yesterday has passed: write a moment that is to come, for example %s.", quote("tomorrow at 9"))
	case p.take("this", "coming"):
		p.take("coming")
		return p.onThis()
	}
	if t := p.peek(0); t.kind == tInstant {
		p.next()
		return p.at(t.at)
	}
	from := p.i
	p.take("the")
	if p.take("day") && p.take("after") {
		if !p.take("tomorrow") {
			return keepwatch.When{}, p.unexpected()
		}
		return p.onDay(2)
	}
	p.i = from
	if spans, ok := p.spans(); ok {
		return p.bareSpans(spans)
	}
	return p.onceDate(nil)
}

// at makes a When of a moment that is to come.
func (p *parser) at(at time.Time) (keepwatch.When, error) {
	at = at.Truncate(time.Second)
	if !at.After(p.now) {
		local := at.In(p.zone)
		return keepwatch.When{}, refuse("That moment, %s %s at %s, has passed: write one that is to come, for example %s.",
			local.Weekday(), dateText(local), clockText(local.Hour(), local.Minute()), quote("tomorrow at "+clockText(local.Hour(), local.Minute())))
	}
	if at.Year() > p.now.Year()+mostAhead {
		return keepwatch.When{}, refuse("The year %d is further off than %d years: write one that is nearer, for example %s.", at.In(p.zone).Year(), mostAhead, quote("on 3 December "+strconv.Itoa(p.now.Year()+1)+" at 14:00"))
	}
	return keepwatch.When{At: at.UTC()}, nil
}

// moment gives the moment of a time of day on a date.
func (p *parser) momentOn(y int, m time.Month, d int, c clock) time.Time {
	return instantOf(time.Date(y, m, d, c.h, c.m, 0, 0, time.UTC), p.zone)
}

// onDay is so many days from today.
func (p *parser) onDay(ahead int) (keepwatch.When, error) {
	c, err := p.oneClock()
	if err != nil {
		return keepwatch.When{}, err
	}
	y, m, d := p.now.Date()
	if c.midnight {
		return keepwatch.When{}, p.whichMidnight(time.Date(y, m, d+ahead, 0, 0, 0, 0, time.UTC))
	}
	return p.at(p.momentOn(y, m, d+ahead, c))
}

func (p *parser) whichMidnight(day time.Time) error {
	begins, ends := "on "+dateText(day)+" at 00:00", "on "+dateText(day.AddDate(0, 0, 1))+" at 00:00"
	if y, m, d := p.now.Date(); !day.After(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) {
		return refuse("Midnight can be that at which the day begins, and that at which it ends: the first has passed, and for the second write %s.", quote(ends))
	}
	return twoWays(p.said, "at the midnight at which the day begins", begins, "at that at which it ends", ends)
}

// nextClock is the next moment at which clocks show a time of day.
func (p *parser) nextClock() (keepwatch.When, error) {
	c, err := p.oneClock()
	if err != nil {
		return keepwatch.When{}, err
	}
	y, m, d := p.now.Date()
	at := p.momentOn(y, m, d, c)
	for n := 1; !at.After(p.now); n++ {
		at = p.momentOn(y, m, d+n, c)
	}
	return p.at(at)
}

// onWeekday is the coming day of that name.
func (p *parser) onWeekday(d time.Weekday) (keepwatch.When, error) {
	ahead := (int(d) - int(p.now.Weekday()) + 7) % 7
	if ahead > 0 {
		return p.onDay(ahead)
	}
	c, err := p.oneClock()
	if err != nil {
		return keepwatch.When{}, err
	}
	y, m, today := p.now.Date()
	if !c.midnight && p.momentOn(y, m, today, c).After(p.now) {
		next := time.Date(y, m, today+7, 0, 0, 0, 0, time.UTC)
		return keepwatch.When{}, twoWays(p.said, "today", "today at "+c.String(), "in a week", "on "+dayText(next.Month(), next.Day())+" at "+c.String())
	}
	return p.onDay(7)
}

// sinceMonday gives how many days of the week lie before a day.
func sinceMonday(d time.Weekday) int { return (int(d) + 6) % 7 }

// onNext reads what comes after "next". The next Friday is the coming one where that is
// in the next week, beginning on Monday; within this week it may be either.
func (p *parser) onNext() (keepwatch.When, error) {
	at := p.atText()
	if p.take("week") {
		days := 7 - sinceMonday(p.now.Weekday())
		if p.moment {
			return p.onDay(days)
		}
		return keepwatch.When{}, twoWays(p.said, "on its Monday", "on "+p.dateExample(time.Monday)+" "+at, "a week from now", "in 7 days "+at)
	}
	switch {
	case p.take("weekend"):
		saturday := p.now.AddDate(0, 0, (6-int(p.now.Weekday())+6)%7+1)
		later := saturday.AddDate(0, 0, 7)
		return keepwatch.When{}, twoWays(p.said, "the coming one", "on "+dayText(saturday.Month(), saturday.Day())+" "+at, "the one after it", "on "+dayText(later.Month(), later.Day())+" "+at)
	case p.take("month", "year", "quarter", "day"):
		return keepwatch.When{}, refuse("On which day? Write the date, for example %s.", quote("on 3 December "+at))
	}
	if !p.weekdayAt(0) {
		return keepwatch.When{}, p.unexpected()
	}
	d, _, _ := weekdayOf(p.next().text)
	if p.peek(0).text == "week" {
		return keepwatch.When{}, p.weekFrom(d)
	}
	ahead := (int(d)-int(p.now.Weekday())+6)%7 + 1
	if sinceMonday(p.now.Weekday())+ahead > 6 {
		return p.onDay(ahead)
	}
	return keepwatch.When{}, p.thisOrLater(d, "in this week", "in the next")
}

// weekFrom refuses "Monday week".
func (p *parser) weekFrom(d time.Weekday) error {
	return p.thisOrLater(d, "as the coming "+d.String(), "as the one a week after it")
}

func (p *parser) thisOrLater(d time.Weekday, first, second string) error {
	ahead := (int(d)-int(p.now.Weekday())+6)%7 + 1
	this, later := p.now.AddDate(0, 0, ahead), p.now.AddDate(0, 0, ahead+7)
	return twoWays(p.said, first, "on "+dayText(this.Month(), this.Day())+" "+p.atText(), second, "on "+dayText(later.Month(), later.Day())+" "+p.atText())
}

// onThis reads what comes after "this".
func (p *parser) onThis() (keepwatch.When, error) {
	if !p.weekdayAt(0) {
		if p.take("week", "month", "weekend", "year") {
			return keepwatch.When{}, refuse("On which day? Write it, for example %s or %s.", quote("tomorrow "+p.atText()), quote("on 3 December "+p.atText()))
		}
		return keepwatch.When{}, p.unexpected()
	}
	d, _, _ := weekdayOf(p.next().text)
	ahead := (int(d) - int(p.now.Weekday()) + 7) % 7
	if sinceMonday(p.now.Weekday())+ahead > 6 {
		return keepwatch.When{}, p.thisOrLater(d, "as the coming "+d.String()+", since that of this week has passed", "as the one after it")
	}
	return p.onDay(ahead)
}

// onceDate reads a date, which falls on a day of the week where one was said before.
func (p *parser) onceDate(weekday *time.Weekday) (keepwatch.When, error) {
	t, ok, err := p.date()
	if err != nil {
		return keepwatch.When{}, err
	}
	if !ok {
		return keepwatch.When{}, p.unexpected()
	}
	c, err := p.oneClock()
	if err != nil {
		return keepwatch.When{}, err
	}
	if t.y == 0 {
		t.y = p.coming(time.Month(t.m), t.d)
	}
	day := time.Date(t.y, time.Month(t.m), t.d, 0, 0, 0, 0, time.UTC)
	if weekday != nil && day.Weekday() != *weekday {
		return keepwatch.When{}, refuse("%s is a %s, not a %s: write it without the day of the week, for example %s.", dateText(day), day.Weekday(), *weekday, quote("on "+p.future(t)+" "+p.atText()))
	}
	if c.midnight {
		return keepwatch.When{}, p.whichMidnight(day)
	}
	return p.at(p.momentOn(t.y, time.Month(t.m), t.d, c))
}

// coming gives the year of the next such date, today's included.
func (p *parser) coming(m time.Month, d int) int {
	y, month, today := p.now.Date()
	if m < month || m == month && d < today {
		y++
	}
	for daysIn(y, m) < d {
		y++
	}
	return y
}

// future writes a date with a year in which it is to come, for examples.
func (p *parser) future(t token) string {
	now := p.now.Year()
	if p.now.Before(time.Date(t.y, time.Month(t.m), t.d, 0, 0, 0, 0, p.zone)) && t.y <= now+mostAhead {
		now = t.y - 1
	}
	y := now + 1
	for daysIn(y, time.Month(t.m)) < t.d {
		y++
	}
	return dayText(time.Month(t.m), t.d) + " " + strconv.Itoa(y)
}
