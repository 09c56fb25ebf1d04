package when

import (
	"strconv"
	"time"

	"keepwatch"
)

// date reads one date; its y is 0 where no year was said. Where none stands it takes
// nothing.
func (p *parser) date() (t token, ok bool, err error) {
	from := p.i
	p.take("the")
	first := p.next()
	switch {
	case first.kind == tDate:
		t = first
	case first.kind == tSlashed:
		if t, err = p.slashed(first); err != nil {
			return t, false, err
		}
	case first.kind == tNumber && len(first.text) <= 2 || first.kind == tOrdinal:
		p.take("of")
		m, isMonth := monthOf(p.peek(0).text)
		if !isMonth {
			p.i = from
			return t, false, nil
		}
		p.next()
		t = token{kind: tDate, d: first.n, m: int(m)}
	case first.kind == tWord:
		m, isMonth := monthOf(first.text)
		if !isMonth {
			p.i = from
			return t, false, nil
		}
		p.take("the")
		second := p.next()
		if second.kind == tNumber && len(second.text) > 2 || second.kind != tNumber && second.kind != tOrdinal {
			return t, false, refuse("Which day of %s? Write it too, for example %s.", m, quote("on "+dayText(m, 3)+" "+p.atText()))
		}
		t = token{kind: tDate, d: second.n, m: int(m)}
	default:
		p.i = from
		return t, false, nil
	}
	if y := p.peek(0); t.y == 0 && y.kind == tNumber {
		p.next()
		if len(y.text) != 4 {
			return t, false, refuse("Is %s a year or a time? Write a year with four digits and a time with \"at\", for example %s.", quote(y.text), quote("on 3 December "+strconv.Itoa(p.now.Year()+1)+" at 14:00"))
		}
		t.y = y.n
	}
	return t, true, p.exists(t)
}

// exists refuses dates that never come.
func (p *parser) exists(t token) error {
	if t.m < 1 || t.m > 12 {
		return refuse("There is no month %d: write the date with the name of the month, for example %s.", t.m, quote("on 3 December "+p.atText()))
	}
	m, most := time.Month(t.m), 31
	if t.y != 0 {
		most = daysIn(t.y, m)
	} else {
		most = daysIn(2024, m) // a leap year
	}
	if t.d >= 1 && t.d <= most {
		return nil
	}
	in := m.String()
	if t.y != 0 {
		in += " " + strconv.Itoa(t.y)
	}
	return refuse("%s has no day %d, so that date never comes; its last day is the %s. Write for example %s.", in, t.d, map[int]string{28: "28th", 29: "29th", 30: "30th", 31: "31st"}[most], quote("on "+p.future(token{y: t.y, m: t.m, d: min(most, 28)})+" "+p.atText()))
}

// slashed finds out which of two numbers is the month, where only one can be.
func (p *parser) slashed(t token) (token, error) {
	if t.y != 0 && t.y < 1000 {
		return t, refuse("The date %s can be read several ways: write the year with four digits and the month by its name, for example %s.", quote(t.text), quote("on 3 December "+strconv.Itoa(p.now.Year()+1)+" "+p.atText()))
	}
	first := token{kind: tDate, y: t.y, m: t.m, d: t.d}
	second := token{kind: tDate, y: t.y, m: t.d, d: t.m}
	firstFits, secondFits := p.exists(first) == nil, p.exists(second) == nil
	switch {
	case firstFits && secondFits && t.d != t.m:
		return t, twoWays(t.text, p.reading(first), "on "+p.future(first)+" "+p.atText(), p.reading(second), "on "+p.future(second)+" "+p.atText())
	case !firstFits && secondFits:
		return second, nil
	}
	return first, nil
}

// reading says what a date may be.
func (p *parser) reading(t token) string {
	text := "as " + dayText(time.Month(t.m), t.d)
	if t.y == 0 {
		return text
	}
	text += " " + strconv.Itoa(t.y)
	if !p.now.Before(time.Date(t.y, time.Month(t.m), t.d+1, 0, 0, 0, 0, p.zone)) {
		text += ", which has passed"
	}
	return text
}

// dates reads "1 January and 1 July".
func (p *parser) dates() (list []token, ok bool, err error) {
	begins := func(t token) bool {
		_, isMonth := monthOf(t.text)
		return isMonth || t.kind == tNumber || t.kind == tOrdinal || t.kind == tDate || t.kind == tSlashed
	}
	for {
		t, ok, err := p.date()
		if err != nil {
			return nil, false, err
		}
		if !ok {
			if len(list) == 0 {
				return nil, false, nil
			}
			return nil, false, p.unexpected()
		}
		list = append(list, t)
		if !p.separated(begins) {
			return list, true, nil
		}
	}
}

// spans reads "2 hours", "1 hour 30 minutes", "1h30m".
func (p *parser) spans() (list []span, ok bool) {
	for len(list) < mostSpans {
		from := p.i
		p.take("and")
		t := p.peek(0)
		u := unitOf(p.peek(1).text)
		switch {
		case t.kind == tSpan:
			p.next()
			list = append(list, t.spans...)
		case t.kind == tNumber && u != noUnit:
			p.next()
			p.next()
			list = append(list, span{t.n, u})
		case t.kind == tNumber && (p.peek(1).text == "fortnights" || p.peek(1).text == "fortnight"):
			p.next()
			p.next()
			list = append(list, span{2 * t.n, week})
		default:
			p.i = from
			return list, len(list) > 0
		}
	}
	return list, true
}

// in reads what comes after "in". Hours and shorter units are counted whatever clocks
// show; days and longer ones go by the calendar, and keep the time of day.
func (p *parser) in() (keepwatch.When, error) {
	spans, ok := p.spans()
	if !ok {
		half := p.take("half")
		p.take("a", "an")
		u := unitOf(p.peek(0).text)
		switch {
		case half && u == hour:
			spans = []span{{30, minute}}
		case p.peek(0).text == "fortnight" && !half:
			spans = []span{{2, week}}
		case u != noUnit && !half:
			spans = []span{{1, u}}
		default:
			return keepwatch.When{}, p.unexpected()
		}
		p.next()
	}
	return p.ahead(spans)
}

func (p *parser) ahead(spans []span) (keepwatch.When, error) {
	var exact time.Duration
	days, months := 0, 0
	for _, s := range spans {
		switch s.u {
		case day:
			days += s.n
		case week:
			days += 7 * s.n
		case month:
			months += s.n
		case year:
			months += 12 * s.n
		default:
			exact += time.Duration(s.n) * s.u.exact()
		}
		if exact > mostAhead*366*24*time.Hour || days > mostAhead*366 || months > mostAhead*12 {
			return keepwatch.When{}, refuse("That is further off than %d years: write one that is nearer, for example %s.", mostAhead, quote("in 2 hours"))
		}
	}
	shown := wallOf(p.now, p.zone).Truncate(time.Second)
	if len(p.clocks) > 0 {
		c, err := p.oneClock()
		if err != nil {
			return keepwatch.When{}, err
		}
		if exact > 0 || days+months == 0 {
			return keepwatch.When{}, refuse("A distance in hours has no time of day beside it: write %s or %s.", quote("in 2 hours"), quote("tomorrow "+p.atText()))
		}
		shown = time.Date(shown.Year(), shown.Month(), shown.Day(), c.h, c.m, 0, 0, time.UTC)
		if c.midnight {
			return keepwatch.When{}, p.whichMidnight(shown.AddDate(0, months, days))
		}
	}
	at := p.now.Truncate(time.Second)
	if days+months > 0 {
		at = instantOf(addMonths(shown, months).AddDate(0, 0, days), p.zone)
	}
	at = at.Add(exact)
	if at.Sub(p.now) < 59*time.Second {
		return keepwatch.When{}, refuse("A moment is at least a minute away: write for example %s.", quote("in 10 minutes"))
	}
	return p.at(at)
}

// addMonths gives the same day of a later month, or its last where it has no such day.
func addMonths(t time.Time, months int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	return first.AddDate(0, 0, min(t.Day(), daysIn(first.Year(), first.Month()))-1)
}

// bareSpans reads a length of time without "in" or "every".
func (p *parser) bareSpans(spans []span) (keepwatch.When, error) {
	if p.take("from") {
		if !p.take("now") {
			return keepwatch.When{}, p.unexpected()
		}
		return p.ahead(spans)
	}
	if p.moment {
		return p.ahead(spans)
	}
	if !p.done() {
		return keepwatch.When{}, p.unexpected()
	}
	said := p.toksText(0)
	return keepwatch.When{}, refuse("%s can be meant once or again and again: write %s for once, and %s for again and again.", quote(said), quote("in 2 hours"), quote("every 2 hours"))
}
