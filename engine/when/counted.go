package when

import (
	"fmt"
	"slices"
	"time"

	"keepwatch"
)

// mostEvery is the longest distance of a rule.
const mostEvery = 366 * 24 * time.Hour

// hourly is on the hour, by the clock.
func (p *parser) hourly() (keepwatch.When, error) {
	if len(p.clocks) > 0 {
		return keepwatch.When{}, p.noClock("*")
	}
	return keepwatch.When{Cron: "0 * * * *"}, nil
}

// noClock refuses a time of day beside a distance.
func (p *parser) noClock(hours string) error {
	return refuse("Something that comes several times a day has no time of day beside it: write it without, for example %s, or as a cron expression, for example %s.",
		quote("every 2 hours"), quote(fmt.Sprintf("%d %s * * *", p.clocks[0].m, hours)))
}

// distance makes a rule of a fixed distance. Days and what is longer are refused: in
// hours they would drift from the clock, and cron begins anew every month.
func (p *parser) distance(spans ...span) (keepwatch.When, error) {
	total := time.Duration(0)
	for _, s := range spans {
		if s.u.exact() == 0 {
			if len(spans) > 1 {
				return keepwatch.When{}, p.unexpected()
			}
			return p.everySome(s)
		}
		total += time.Duration(s.n) * s.u.exact() // at most mostOf hours, mostSpans times
	}
	if len(p.clocks) > 0 {
		return keepwatch.When{}, p.noClock(fmt.Sprintf("%d/2", p.clocks[0].h%22))
	}
	return keepwatch.When{Every: total}, checkEvery(total)
}

func checkEvery(every time.Duration) error {
	switch {
	case every < time.Minute:
		return refuse("A rule comes due once a minute at the most: write %s or longer.", quote("every 1 minute"))
	case every > mostEvery:
		return refuse("A fixed distance is at most 366 days: write a date of every year instead, for example %s.", quote("yearly on 3 December at 9"))
	}
	return nil
}

// everySome reads "every 3 days", of which one is as without a number.
func (p *parser) everySome(s span) (keepwatch.When, error) {
	at := p.atText()
	c := clock{h: 9}
	if len(p.clocks) > 0 {
		c = p.clocks[0]
	}
	switch {
	case s.n == 1 && s.u == day:
		return p.rule(dayset{})
	case s.n == 1 && s.u == week:
		return p.weekly()
	case s.n == 1 && s.u == month:
		return p.monthly()
	case s.n == 1 && s.u == year:
		return p.yearly()
	case s.u == week && s.n > 1:
		return keepwatch.When{}, p.otherWeek("")
	case s.u == day && s.n > 1 && s.n <= 15:
		return keepwatch.When{}, twoWays(p.said, fmt.Sprintf("every %d hours from now on, whatever clocks show", 24*s.n), fmt.Sprintf("every %d hours", 24*s.n),
			fmt.Sprintf("on the 1st, the %s and so on of each month", ordinalText(1+s.n)), fmt.Sprintf("%d %d */%d * *", c.m, c.h, s.n))
	case s.u == month && s.n > 1 && 12%s.n == 0 && s.n < 12:
		var here []int
		for m := 0; m < 12; m += s.n {
			here = append(here, (int(p.now.Month())-1+m)%12+1)
		}
		slices.Sort(here)
		d := min(p.now.Day(), 28)
		return keepwatch.When{}, twoWays(p.said, "in months counted from January on", fmt.Sprintf("%d %d 1 */%d *", c.m, c.h, s.n),
			"in months counted from this one on", fmt.Sprintf("%d %d %d %s *", c.m, c.h, d, numbers(here)))
	}
	return keepwatch.When{}, refuse("%s cannot be counted by the calendar: write the days, for example %s or %s.", quote(p.said), quote("on the 1st and 15th "+at), quote("yearly on 3 December "+at))
}

// other reads "every other …".
func (p *parser) other() error {
	if u := unitOf(p.peek(0).text); u == day || u == week || u == month {
		_, err := p.everySome(span{2, u})
		return err
	}
	if p.weekdayAt(0) {
		return p.otherWeek(p.peek(0).text)
	}
	return p.unexpected()
}

// everyNth refuses "every third Monday", which counts weeks or days of the month, and
// "every third day".
func (p *parser) everyNth(n int) error {
	if !p.weekdayAt(1) {
		_, err := p.everySome(span{n, unitOf(p.peek(1).text)})
		return err
	}
	d, _, _ := weekdayOf(p.peek(1).text)
	at := p.atText()
	if n > 5 {
		n = 5
	}
	return refuse("%s can be read two ways: as one in each month, or as every so many weeks, which cannot be counted. For the first write %s; two in each month are, for example, %s.",
		quote(p.said), quote(ordinalText(n)+" "+d.String()+" of the month "+at), quote("first and third "+d.String()+" of the month "+at))
}

// otherWeek refuses what comes in every second week, which neither cron nor a distance
// that keeps to the clock can say.
func (p *parser) otherWeek(name string) error {
	d, _, ok := weekdayOf(name)
	if !ok {
		d = p.now.Weekday()
	}
	at := p.atText()
	if ok {
		return refuse("Every second %s cannot be counted, and the second of the month is another day: write %s for the latter, or %s for two in each month.",
			d, quote("second "+d.String()+" of the month "+at), quote("first and third "+d.String()+" of the month "+at))
	}
	return refuse("Weeks cannot be counted: write %s for two days in each month, or %s for a fixed distance, which moves by an hour where clocks change.",
		quote("first and third "+d.String()+" of the month "+at), quote("every 336 hours"))
}
