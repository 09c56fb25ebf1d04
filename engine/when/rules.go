package when

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// dayset is the days of a rule, as the fields of a cron expression; nil: "*".
type dayset struct {
	dom    []string
	months []int
	dow    []string
	// again: the words say that it comes again, such as "of the month".
	again bool
}

// days reads what stands beside the times of day:
//
//	rule = ("every" | "each") (days | "2 hours" | "hour" | "month" [on] | "quarter" [on] | "year" on)
//	     | "daily" | "weekdays" | "hourly" | "weekly" on | "monthly" on | "quarterly" [on] | "yearly" on
//	     | "Mondays" | "Monday to Friday" | "first Monday of the month" | "1st and 15th"
//
// What is no rule is read as once.
func (p *parser) days() (keepwatch.When, error) {
	switch {
	case p.take("every", "each"):
		return p.every()
	case p.take("daily"):
		return p.rule(dayset{})
	case p.take("hourly"):
		return p.hourly()
	case p.take("weekly"):
		return p.weekly()
	case p.take("monthly"):
		return p.monthly()
	case p.take("quarterly"):
		return p.quarterly()
	case p.take("yearly", "annually"):
		return p.yearly()
	case p.take("fortnightly"):
		return keepwatch.When{}, p.otherWeek("")
	}
	from := p.i
	p.take("on")
	switch {
	case p.take("weekdays", "workdays"), p.workingDays("days"):
		return p.rule(dayset{dow: []string{"MON-FRI"}})
	case p.take("weekends", "weekend"):
		return keepwatch.When{}, p.weekend()
	}
	if w, ok, err := p.weekdayFirst(p.i > from); ok || err != nil {
		return w, err
	}
	if w, ok, err := p.ordinalFirst(); ok || err != nil {
		return w, err
	}
	p.i = from
	return p.once()
}

// every reads what comes after "every".
func (p *parser) every() (keepwatch.When, error) {
	switch {
	case p.take("day"):
		return p.rule(dayset{})
	case p.take("weekday", "workday"), p.workingDays("day"):
		return p.rule(dayset{dow: []string{"MON-FRI"}})
	case p.take("weekend"):
		return keepwatch.When{}, p.weekend()
	case p.take("hour"):
		return p.hourly()
	case p.take("minute"):
		return p.distance(span{1, minute})
	case p.take("week"):
		return p.weekly()
	case p.take("month"):
		return p.monthly()
	case p.take("year"):
		return p.yearly()
	case p.take("fortnight"):
		return keepwatch.When{}, p.otherWeek("")
	case p.take("other"):
		return keepwatch.When{}, p.other()
	case p.take("quarter"):
		if p.take("of") {
			p.take("an")
		}
		if p.take("hour") {
			return p.distance(span{15, minute})
		}
		return p.quarterly()
	case p.take("half"):
		p.take("an")
		if !p.take("hour") {
			return keepwatch.When{}, p.unexpected()
		}
		return p.distance(span{30, minute})
	}
	return p.everyDays()
}

// everyDays reads what comes after "every" where it is a list or a number.
func (p *parser) everyDays() (keepwatch.When, error) {
	if spans, ok := p.spans(); ok {
		return p.distance(spans...)
	}
	if days, ok, err := p.weekdays(); ok || err != nil {
		if err != nil {
			return keepwatch.When{}, err
		}
		if p.peek(0).text == "week" {
			return keepwatch.When{}, p.unexpected()
		}
		return p.rule(dayset{dow: days.dow})
	}
	if dates, ok, err := p.dates(); ok || err != nil {
		if err != nil {
			return keepwatch.When{}, err
		}
		return p.yearlyDates(dates)
	}
	if n, ok := ordinal(p.peek(0)); ok && n > 1 && !p.ofMonth(2) && (p.weekdayAt(1) || unitOf(p.peek(1).text) != noUnit) {
		return keepwatch.When{}, p.everyNth(n)
	}
	if set, ok, err := p.ordinals(); ok || err != nil {
		if err != nil {
			return keepwatch.When{}, err
		}
		return p.rule(set)
	}
	return keepwatch.When{}, p.unexpected()
}

// rule makes the cron expression of days at the times that were said.
func (p *parser) rule(set dayset) (keepwatch.When, error) {
	var hours, minutes []int
	if len(p.clocks) == 0 {
		p.clocks, p.defaulted = []clock{{h: 9}}, true
	}
	unlike := 0
	for i, c := range p.clocks {
		if c.midnight && (set.dom != nil || set.dow != nil) {
			return keepwatch.When{}, refuse("Midnight can be that at which the day begins, and that at which it ends: write the time, for example %s or %s.", quote("every Friday at 00:00"), quote("every Friday at 23:59"))
		}
		if slices.Index(p.clocks, c) < i {
			continue
		}
		unlike++
		hours, minutes = append(hours, c.h), append(minutes, c.m)
	}
	slices.Sort(hours)
	slices.Sort(minutes)
	hours, minutes = slices.Compact(hours), slices.Compact(minutes)
	if len(hours)*len(minutes) != unlike {
		return keepwatch.When{}, refuse("One rule has the same minutes in each of its hours: make one rule for each time, for example %s and %s.", quote("every day at "+p.clocks[0].String()), quote("every day at "+p.clocks[1].String()))
	}
	slices.Sort(set.months)
	return keepwatch.When{Cron: strings.Join([]string{
		numbers(minutes), numbers(hours), joinOr(set.dom), numbers(slices.Compact(set.months)), joinOr(set.dow),
	}, " ")}, nil
}

func numbers(list []int) string {
	var s []string
	for _, n := range list {
		s = append(s, strconv.Itoa(n))
	}
	return joinOr(s)
}

func joinOr(list []string) string {
	if len(list) == 0 {
		return "*"
	}
	return strings.Join(list, ",")
}

func (p *parser) weekend() error {
	return twoWays(p.said, "once each weekend", "every Saturday "+p.atText(), "on both of its days", "every Saturday and Sunday "+p.atText())
}

// workingDays takes "working days" and "business days".
func (p *parser) workingDays(noun string) bool {
	if t := p.peek(0).text; (t == "working" || t == "business") && p.peek(1).text == noun {
		p.next()
		p.next()
		return true
	}
	return false
}

// weekly needs a day of the week.
func (p *parser) weekly() (keepwatch.When, error) {
	p.take("on")
	days, ok, err := p.weekdays()
	if err != nil {
		return keepwatch.When{}, err
	}
	if !ok {
		if p.done() {
			return keepwatch.When{}, refuse("On which day of the week? Write it too, for example %s.", quote("every Monday "+p.atText()))
		}
		return keepwatch.When{}, p.unexpected()
	}
	return p.rule(dayset{dow: days.dow})
}

// monthly needs days of the month.
func (p *parser) monthly() (keepwatch.When, error) {
	p.take("on")
	if p.done() {
		return keepwatch.When{}, refuse("On which day of the month? Write it too, for example %s or %s.", quote("monthly on the 1st "+p.atText()), quote("last day of the month "+p.atText()))
	}
	set, ok, err := p.ordinals()
	if err != nil {
		return keepwatch.When{}, err
	}
	if !ok {
		return keepwatch.When{}, p.unexpected()
	}
	if set.months != nil {
		return keepwatch.When{}, refuse("%s says both every month and which one: write %s or %s.", quote(p.said), quote("monthly on the 3rd "+p.atText()), quote("yearly on 3 December "+p.atText()))
	}
	return p.rule(set)
}

// quarterly is on the first day of January, April, July and October, or what is said.
func (p *parser) quarterly() (keepwatch.When, error) {
	p.take("on")
	if p.done() {
		return p.rule(dayset{dom: []string{"1"}, months: []int{1, 4, 7, 10}})
	}
	set, ok, err := p.ordinals()
	if err == nil && ok && set.months == nil {
		err = p.ofQuarter(&set)
	}
	switch {
	case err != nil:
		return keepwatch.When{}, err
	case !ok:
		return keepwatch.When{}, p.unexpected()
	}
	return p.rule(set)
}

// ofQuarter gives the months of the first or the last day of a quarter.
func (p *parser) ofQuarter(set *dayset) error {
	first, end := true, true
	for _, s := range append(slices.Clone(set.dom), set.dow...) {
		first = first && (s == "1" || strings.HasSuffix(s, "#1"))
		end = end && strings.HasSuffix(s, "L")
	}
	switch {
	case first:
		set.months = []int{1, 4, 7, 10}
	case end:
		set.months = []int{3, 6, 9, 12}
	default:
		return refuse("Of a quarter the first and the last day can be named: write %s, %s, or a cron expression such as %s.",
			quote("every quarter on the first day "+p.atText()), quote("every quarter on the last day "+p.atText()), quote("0 9 15 1,4,7,10 *"))
	}
	return nil
}

// yearly needs dates, or days of months that are named.
func (p *parser) yearly() (keepwatch.When, error) {
	p.take("on")
	p.take("the")
	if p.done() {
		return keepwatch.When{}, refuse("On which day of the year? Write it too, for example %s.", quote("yearly on 3 December "+p.atText()))
	}
	if dates, ok, err := p.dates(); ok || err != nil {
		if err != nil {
			return keepwatch.When{}, err
		}
		return p.yearlyDates(dates)
	}
	set, ok, err := p.ordinals()
	switch {
	case err != nil:
		return keepwatch.When{}, err
	case !ok:
		return keepwatch.When{}, p.unexpected()
	case set.months == nil:
		return keepwatch.When{}, refuse("Of which month? Write it too, for example %s or %s.", quote("yearly on 3 December "+p.atText()), quote("yearly on the first Monday of December "+p.atText()))
	}
	return p.rule(set)
}

// yearlyDates makes one rule of dates, where one can say them.
func (p *parser) yearlyDates(dates []token) (keepwatch.When, error) {
	var days, months []int
	for _, d := range dates {
		if d.y != 0 {
			return keepwatch.When{}, twoWays(p.said, "once", "on "+dayText(time.Month(d.m), d.d)+" "+strconv.Itoa(max(d.y, p.now.Year()+1))+" "+p.atText(), "every year", "yearly on "+dayText(time.Month(d.m), d.d)+" "+p.atText())
		}
		days, months = append(days, d.d), append(months, d.m)
	}
	slices.Sort(days)
	slices.Sort(months)
	days, months = slices.Compact(days), slices.Compact(months)
	if len(days)*len(months) != len(dates) {
		return keepwatch.When{}, refuse("One rule cannot say these dates together: make one for each, for example %s.", quote("yearly on "+dayText(time.Month(dates[0].m), dates[0].d)+" "+p.atText()))
	}
	var dom []string
	for _, d := range days {
		dom = append(dom, strconv.Itoa(d))
	}
	return p.rule(dayset{dom: dom, months: months})
}
