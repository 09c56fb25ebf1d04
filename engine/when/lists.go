package when

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// weekdayList is days of the week as they were said.
type weekdayList struct {
	dow   []string // as in cron
	first time.Weekday
	count int
	many  bool // in the plural, or from one to another: they come again
}

// weekdays reads "Monday", "Mondays and Thursdays", "Mon, Wed and Fri", "Monday to
// Friday".
func (p *parser) weekdays() (list weekdayList, ok bool, err error) {
	isDay := func(t token) bool {
		_, _, ok := weekdayOf(t.text)
		return ok && t.kind == tWord
	}
	if !isDay(p.peek(0)) {
		return list, false, nil
	}
	for {
		d, many, _ := weekdayOf(p.next().text)
		list.many = list.many || many
		if list.count++; list.count == 1 {
			list.first = d
		}
		item := cronDay(d)
		if p.take("-", "to", "through") {
			end, _, ok := weekdayOf(p.peek(0).text)
			if !ok {
				return list, false, p.unexpected()
			}
			p.next()
			list.many = true
			item += "-" + cronDay(end)
		}
		if !slices.Contains(list.dow, item) {
			list.dow = append(list.dow, item)
		}
		if !p.separated(isDay) {
			return list, true, nil
		}
	}
}

func cronDay(d time.Weekday) string { return strings.ToUpper(d.String()[:3]) }

func (p *parser) weekdayAt(n int) bool {
	t := p.peek(n)
	_, _, ok := weekdayOf(t.text)
	return ok && t.kind == tWord
}

// ofMonth reports whether "of the month" or the like begins n tokens ahead.
func (p *parser) ofMonth(n int) bool { return p.peek(n).text == "of" }

// ordinal reads "3rd", "first" and "last".
func ordinal(t token) (int, bool) {
	if t.kind == tOrdinal {
		return t.n, true
	}
	if t.kind != tWord {
		return 0, false
	}
	return ordinalOf(t.text)
}

func isOrdinal(t token) bool {
	_, ok := ordinal(t)
	return ok
}

// ordinals reads days of a month:
//
//	ordinals = group {("and" | ",") group} [of]
//	group    = ["the"] ordinal {("and" | ",") ordinal} ["day" | weekday]
//	of       = "of" ["the" | "each" | "every"] ("month" | "quarter" | months) | "every month" | "monthly" | months
func (p *parser) ordinals() (set dayset, ok bool, err error) {
	p.take("the")
	if !isOrdinal(p.peek(0)) {
		return set, false, nil
	}
	for {
		if err := p.group(&set); err != nil {
			return set, false, err
		}
		if !p.separated(isOrdinal) {
			break
		}
	}
	return set, true, p.ofWhat(&set)
}

func (p *parser) group(set *dayset) error {
	var list []int
	for {
		n, _ := ordinal(p.next())
		list = append(list, n)
		if !p.separated(isOrdinal) {
			break
		}
	}
	switch p.peek(0).text {
	case "weekday", "weekdays", "working", "workday", "workdays", "business":
		return refuse("Working days of a month cannot be counted: write %s, or a day of the month, for example %s.", quote("first Monday of the month "+p.atText()), quote("last day of the month "+p.atText()))
	case "weekend", "week":
		return refuse("Weeks of a month cannot be counted: write %s.", quote("first Saturday of the month "+p.atText()))
	}
	if p.weekdayAt(0) {
		d, _, _ := weekdayOf(p.next().text)
		for _, n := range list {
			nth := strconv.Itoa(n)
			if n == last {
				nth = "L"
			} else if n < 1 || n > 5 {
				return refuse("A month has at most five of each day of the week: write %s.", quote("last "+d.String()+" of the month "+p.atText()))
			}
			set.dow = append(set.dow, cronDay(d)+"#"+nth)
		}
		return nil
	}
	day := p.take("day", "days")
	for _, n := range list {
		switch {
		case n == last && day:
			set.dom = append(set.dom, "L")
		case n == last:
			return refuse("The last what? Write it too, for example %s or %s.", quote("last day of the month "+p.atText()), quote("last Friday of the month "+p.atText()))
		case n < 1 || n > 31:
			return refuse("No month has a day %d: write one from 1 to 31, for example %s.", n, quote("monthly on the 1st "+p.atText()))
		default:
			set.dom = append(set.dom, strconv.Itoa(n))
		}
	}
	return nil
}

func (p *parser) ofWhat(set *dayset) error {
	of := p.take("of")
	if of {
		p.take("the", "each", "every")
	} else if p.peek(1).text == "month" && p.take("each", "every") {
		of = true
	}
	switch {
	case of && p.take("month"), !of && p.take("monthly"):
		set.again = true
		return nil
	case of && p.take("quarter"):
		set.again = true
		return p.ofQuarter(set)
	}
	isMonth := func(t token) bool {
		_, ok := monthOf(t.text)
		return ok && t.kind == tWord
	}
	if !isMonth(p.peek(0)) {
		if of {
			return p.unexpected()
		}
		return nil
	}
	for {
		m, _ := monthOf(p.next().text)
		set.months = append(set.months, int(m))
		if !p.separated(isMonth) {
			return nil
		}
	}
}

// weekdayFirst reads what begins with a day of the week: a rule where it is in the
// plural or a span of them, otherwise one day, which may be followed by its date.
func (p *parser) weekdayFirst(on bool) (keepwatch.When, bool, error) {
	from := p.i
	list, ok, err := p.weekdays()
	if !ok || err != nil {
		return keepwatch.When{}, false, err
	}
	at := p.atText()
	switch {
	case p.peek(0).text == "week":
		return keepwatch.When{}, false, p.weekFrom(list.first)
	case list.many:
		w, err := p.rule(dayset{dow: list.dow})
		return w, true, err
	case list.count > 1:
		return keepwatch.When{}, false, refuse("Every week, or once? Write %s for every week, and otherwise one day, for example %s.", quote("every "+list.first.String()+" and "+list.other().String()+" "+at), quote("on "+p.dateExample(list.first)+" "+at))
	case !p.done():
		p.take("the")
		w, err := p.onceDate(&list.first)
		return w, true, err
	case !on && !p.moment:
		return keepwatch.When{}, false, twoWays(p.toksText(from), "every week", "every "+list.first.String()+" "+at, "once", "on "+p.dateExample(list.first)+" "+at)
	}
	w, err := p.onWeekday(list.first)
	return w, true, err
}

// other gives the second day of a list.
func (l weekdayList) other() time.Weekday {
	d, _ := shortWeekday(strings.ToLower(l.dow[len(l.dow)-1]))
	return time.Weekday(d)
}

// toksText gives what was said from a token on.
func (p *parser) toksText(from int) string {
	var words []string
	for _, t := range p.toks[from:] {
		words = append(words, t.text)
	}
	return strings.Join(words, " ")
}

// dateExample gives the date of a day of the week that is certainly to come, such as
// "3 December".
func (p *parser) dateExample(d time.Weekday) string {
	ahead := (int(d)-int(p.now.Weekday())+6)%7 + 1
	t := p.now.AddDate(0, 0, ahead)
	return dayText(t.Month(), t.Day())
}

// ordinalFirst reads what begins with an ordinal: a rule where it says of every month
// or names several days, otherwise a date.
func (p *parser) ordinalFirst() (keepwatch.When, bool, error) {
	from := p.i
	p.take("the")
	if _, ok, _ := p.date(); ok {
		return keepwatch.When{}, false, nil // "3rd of December": once
	}
	set, ok, err := p.ordinals()
	if !ok || err != nil {
		return keepwatch.When{}, false, err
	}
	at := p.atText()
	what := strings.TrimPrefix(strings.TrimSuffix(p.toksText(from), " "), "the ")
	switch {
	case set.months != nil && !set.again:
		return keepwatch.When{}, false, refuse("%s can be meant once or every year: write %s for every year, and otherwise the date, for example %s.", quote(what), quote("yearly on the "+what+" "+at), quote("on 3 December "+at))
	case set.again, len(set.dom) > 1:
		w, err := p.rule(set)
		return w, true, err
	case len(set.dom) == 1 && set.dom[0] != "L":
		n, _ := strconv.Atoi(set.dom[0])
		return keepwatch.When{}, false, twoWays(p.said, "every month", fmt.Sprintf("monthly on the %s %s", ordinalText(n), at), "once", "on "+p.dayExample(n)+" "+at)
	}
	return keepwatch.When{}, false, refuse("%s can be meant once or every month: write %s for every month, and otherwise the date, for example %s.", quote(what), quote(what+" of the month "+at), quote("on 3 December "+at))
}

// dayExample gives the next date with a day of the month, after today.
func (p *parser) dayExample(n int) string {
	for t := p.now.AddDate(0, 0, 1); ; t = t.AddDate(0, 0, 1) {
		if t.Day() == n {
			return dayText(t.Month(), n)
		}
	}
}
