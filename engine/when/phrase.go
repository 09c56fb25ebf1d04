package when

import (
	"strings"
	"time"

	"keepwatch"
)

// longest is how many characters are read at the most.
const longest = 200

// Parse reads a cron expression or plain words, in any case; words without a zone of
// their own are meant in zone, which becomes the rule's. A KindInvalid error says what
// was not understood, or which two things it can mean, with an example. A rule that
// never comes due, and a moment that has passed, are refused.
func (t *Times) Parse(text string, zone *time.Location, now time.Time) (keepwatch.When, error) {
	p, err := t.begin(text, zone, now)
	if err != nil {
		return keepwatch.When{}, err
	}
	var w keepwatch.When
	if words := strings.Fields(p.lower); isCron(words) {
		w, err = t.cronWhen(words)
	} else {
		w, err = p.read()
	}
	if err != nil {
		return keepwatch.When{}, err
	}
	w.Said = p.said
	if p.defaulted {
		w.Said += " (at 09:00, as no time of day was said)"
	}
	if w.Every == 0 {
		w.Zone = p.zone.String()
	}
	if _, ok := t.Next(w, now, ""); !ok {
		return keepwatch.When{}, refuse("%s can never come due: there is no such date. Write one that comes, for example %s.", quote(p.said), quote("last day of the month 18:00"))
	}
	return w, nil
}

// Moment reads one moment that is still to come: what Parse takes for once, and what
// people say when they put something off, such as "3h", "tomorrow", "monday" and "next
// week", which is its Monday at 09:00.
func (t *Times) Moment(text string, zone *time.Location, now time.Time) (time.Time, error) {
	p, err := t.begin(text, zone, now)
	if err != nil {
		return time.Time{}, err
	}
	p.moment = true
	var w keepwatch.When
	if !isCron(strings.Fields(p.lower)) {
		if w, err = p.read(); err != nil {
			return time.Time{}, err
		}
	}
	if w.At.IsZero() {
		return time.Time{}, refuse("%s comes again and again, and one moment is asked for: write it as in the example %s, %s or %s.", quote(p.said), quote("tomorrow at 9"), quote("in 3 hours"), quote("on 3 December at 14:00"))
	}
	return w.At.In(p.zone), nil
}

// begin checks what every reading needs.
func (t *Times) begin(text string, zone *time.Location, now time.Time) (*parser, error) {
	if zone == nil {
		zone = time.UTC
	}
	if _, err := t.zone(zone.String()); err != nil {
		return nil, err
	}
	said := clean(text)
	switch {
	case said == "":
		return nil, refuse("When? Write it in words or as a cron expression, %s.", examples)
	case len(said) > longest:
		return nil, refuse("A time in more than %d characters is not read: write it shorter, %s.", longest, examples)
	}
	return &parser{said: said, lower: strings.ToLower(said), zone: zone, now: now.In(zone)}, nil
}

// parser reads one phrase.
type parser struct {
	said, lower string
	zone        *time.Location
	now         time.Time // in zone
	moment      bool      // one moment is asked for

	toks      []token
	i         int     // the next token
	clocks    []clock // the times of day, which are taken out of toks first
	defaulted bool    // 09:00 was taken because no time of day was said
}

// read is the grammar:
//
//	phrase   = [times] days [times]
//	times    = ["at"] time {("and" | ",") time}
//	time     = "9:30" | "9am" | "noon" | "midnight" | after "at" also 0 to 23
//	days     = rule | once (see rules.go and once.go), or nothing: the next such time
func (p *parser) read() (keepwatch.When, error) {
	toks, err := lex(strings.Fields(p.lower))
	if err != nil {
		return keepwatch.When{}, err
	}
	p.toks = toks
	if err := p.vague(); err != nil {
		return keepwatch.When{}, err
	}
	if err := p.takeTimes(); err != nil {
		return keepwatch.When{}, err
	}
	w, err := p.days()
	if err != nil {
		return keepwatch.When{}, err
	}
	if !p.done() {
		return keepwatch.When{}, p.unexpected()
	}
	return w, nil
}

// vague refuses words that are not in the grammar, and parts of the day that are no
// time of it.
func (p *parser) vague() error {
	for i, t := range p.toks {
		if t.kind == tSlashed && t.y == 0 && strings.Contains(t.text, ".") {
			if i+1 < len(p.toks) && unitOf(p.toks[i+1].text) != noUnit {
				return refuse("Times are counted in whole numbers, and %s is none: write smaller units, for example %s or %s.", quote(t.text), quote("every 90 minutes"), quote("in 90 minutes"))
			}
			return refuse("%s can be a time or a date: write %s for a time, and a date with the name of its month, for example %s.", quote(t.text), quote("every day at "+clockText(t.d%24, t.m%60)), quote("on 3 December at 09:00"))
		}
		if t.kind != tWord {
			continue
		}
		switch strings.TrimSuffix(t.text, "s") {
		case "morning", "afternoon", "evening", "night", "tonight":
			return refuse("%s is no time of day: write the time too, for example %s or %s.", quote(t.text), quote("tomorrow at 9:00"), quote("every day at 20:00"))
		}
		if known(t.text) {
			continue
		}
		if _, err := time.LoadLocation(strings.ToUpper(t.text)); err == nil || strings.Contains(t.text, "/") {
			return refuse("%s is not read as part of a time; a time zone is given beside it. Write the time alone, for example %s.", quote(t.text), quote("every weekday at 9"))
		}
		if like := nearest(t.text); like != "" {
			return refuse("The word %s was not understood (is %s meant?): write it as in these, %s.", quote(t.text), quote(like), examples)
		}
		return refuse("The word %s was not understood: write it as in these, %s.", quote(t.text), examples)
	}
	return nil
}

// takeTimes takes the times of day out of the tokens, wherever they stand.
func (p *parser) takeTimes() error {
	var rest []token
	for i := 0; i < len(p.toks); {
		j, at := i, false
		if t := p.toks[i]; t.kind == tWord && (t.text == "at" || t.text == "@") {
			j, at = i+1, true
		}
		c, ok, err := p.clockAt(j, at)
		if err != nil {
			return err
		}
		if !ok && at {
			return refuse("After \"at\" comes a time of day: write it as in the example %s.", quote("every weekday at 9"))
		}
		if !ok {
			rest, i = append(rest, p.toks[i]), i+1
			continue
		}
		if len(p.clocks) > 0 {
			return refuse("Times of day stand in two places: write them together, as in the example %s, or make two rules.", quote("every weekday at 9:00 and 17:00"))
		}
		for ok {
			p.clocks = append(p.clocks, c)
			i = j + 1
			if j = p.overSeparator(i); j == i {
				break
			}
			if c, ok, err = p.clockAt(j, at && !p.beginsDate(j)); err != nil {
				return err
			}
		}
	}
	p.toks = rest
	return nil
}

// clockAt reads the token at j as a time of day; a bare number where number is set.
func (p *parser) clockAt(j int, number bool) (clock, bool, error) {
	if j >= len(p.toks) {
		return clock{}, false, nil
	}
	switch t := p.toks[j]; {
	case t.kind == tClock:
		return t.clock, true, nil
	case t.kind == tNumber && number:
		if t.n > 23 || len(t.text) > 2 {
			return clock{}, false, noTime(t.text)
		}
		return clock{h: t.n}, true, nil
	}
	return clock{}, false, nil
}

// beginsDate reports whether the number at j is the day of a date, as the 3 in "at 9
// and 3 December".
func (p *parser) beginsDate(j int) bool {
	if j+1 >= len(p.toks) {
		return false
	}
	next := p.toks[j+1]
	_, isMonth := monthOf(next.text)
	return isMonth || next.text == "of" || unitOf(next.text) != noUnit
}

// overSeparator gives where the token after "and" or a comma is; i where none stands.
func (p *parser) overSeparator(i int) int {
	for i < len(p.toks) && p.toks[i].kind == tWord && (p.toks[i].text == "," || p.toks[i].text == "and" || p.toks[i].text == "&") {
		i++
	}
	return i
}

// peek gives the token n after the next, beyond commas; the zero token at the end.
func (p *parser) peek(n int) token {
	for i := p.i; i < len(p.toks); i++ {
		if p.toks[i].text == "," {
			continue
		}
		if n == 0 {
			return p.toks[i]
		}
		n--
	}
	return token{}
}

func (p *parser) done() bool { return p.peek(0).text == "" }

// next takes the token that peek(0) gives.
func (p *parser) next() token {
	for p.i < len(p.toks) && p.toks[p.i].text == "," {
		p.i++
	}
	t := p.peek(0)
	p.i = min(p.i+1, len(p.toks))
	return t
}

// take takes the next token where it is one of these words.
func (p *parser) take(words ...string) bool {
	t := p.peek(0)
	for _, w := range words {
		if t.kind == tWord && t.text == w {
			p.next()
			return true
		}
	}
	return false
}

// separated takes an "and" or a comma, where what comes after it is an item of a list.
func (p *parser) separated(item func(token) bool) bool {
	j := p.overSeparator(p.i)
	k := j
	if k < len(p.toks) && (p.toks[k].text == "the" || p.toks[k].text == "on") {
		k++
	}
	if j == p.i || k >= len(p.toks) || !item(p.toks[k]) {
		return false
	}
	p.i = k
	return true
}

// unexpected refuses the next token, which does not fit where it stands.
func (p *parser) unexpected() error {
	if p.done() {
		return refuse("%s ends too early to say when: write it as in these, %s.", quote(p.said), examples)
	}
	t := p.peek(0)
	if t.kind == tNumber && t.n <= 23 {
		return refuse("%s could be a time or a day where it stands: write \"at %d:00\" for the time, or \"%s\" for the day of a month; %s.", quote(t.text), t.n, "on "+dayText(p.now.Month(), max(1, t.n)), examples)
	}
	return refuse("%s does not fit where it stands in %s: write it as in these, %s.", quote(t.text), quote(p.said), examples)
}

// hour gives the time of day of a moment: what was said, or 09:00.
func (p *parser) oneClock() (clock, error) {
	switch len(p.clocks) {
	case 0:
		p.defaulted = true
		return clock{h: 9}, nil
	case 1:
		return p.clocks[0], nil
	}
	return clock{}, refuse("One moment has one time of day, and %s names %d: write one of them, for example %s.", quote(p.said), len(p.clocks), quote("tomorrow at "+p.clocks[0].String()))
}

// atText gives the times of day that were said, for examples: "at 09:00".
func (p *parser) atText() string {
	if len(p.clocks) == 0 {
		return "at 09:00"
	}
	return "at " + p.clocks[0].String()
}
