package pim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Calendar is what iCalendar holds.
type Calendar struct {
	Name   string // X-WR-CALNAME or NAME
	Method string // of a message about meetings: REQUEST, CANCEL and so on
	Events []*Event
	Tasks  []*Task

	// Notes say, in sentences for a person, what was not taken over or not as it
	// stands: each with its line.
	Notes []string

	todos   []*component // VTODO
	zones   *zones
	floated bool // it was told of a time without a zone
}

// ErrNoCalendar is what ReadCalendar gives for a text that is no iCalendar at all.
var ErrNoCalendar = errors.New("the text is no iCalendar: it has no VCALENDAR, no event and no task")

// ReadCalendar reads iCalendar (RFC 5545): all VCALENDARs of a text, and events
// that lie in none. A broken event does not keep the others from being read: Notes
// names it. An error is one of reading, or ErrNoCalendar.
//
// Exceptions (RECURRENCE-ID) are joined to their series by UID. One for THISANDFUTURE
// splits its series: the first part ends before it, and a series of its own with
// "_R" and the time behind its UID goes on as it says. Exceptions of a series that
// the text does not have become events of their own.
//
// Journals (VJOURNAL) and busy times (VFREEBUSY) are not taken over.
func ReadCalendar(r io.Reader) (*Calendar, error) {
	c := &Calendar{}
	c.zones = &zones{defs: map[string]*component{}, made: map[string]*time.Location{}, bad: c.bad}
	lines := newLineReader(r)
	var events []*component
	found := false
	for {
		top, err := lines.component(c.bad)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read a calendar: %w", err)
		}
		parts := []*component{top}
		if top.Name == "VCALENDAR" {
			found = true
			c.header(top)
			parts = top.Subs
		}
		for _, p := range parts {
			if c.sort(p, &events) {
				found = true
			}
		}
	}
	if !found {
		return nil, ErrNoCalendar
	}
	c.onlyZone()
	c.join(events)
	c.cancel()
	for _, p := range c.todos {
		c.Tasks = append(c.Tasks, taskOf(p, c.timeOfTask))
	}
	return c, nil
}

// cancel marks the events of a message that cancels them (RFC 5546 3.2.5), which need
// not say so themselves: they would come back as meetings that take place.
func (c *Calendar) cancel() {
	if c.Method != "CANCEL" {
		return
	}
	for _, e := range c.Events {
		e.Status = Cancelled
		for _, x := range e.Exceptions {
			x.Status = Cancelled
		}
	}
}

// timeOfTask reads a time for a task.
func (c *Calendar) timeOfTask(l *line) (t time.Time, day, ok bool) {
	t, form, err := c.time(l, l.Value)
	if form == dateOnly {
		t = local(t)
	}
	return t, form == dateOnly, err == nil
}

// bad notes a line that cannot be read.
func (c *Calendar) bad(e *LineError) {
	if len(c.Notes) < 1000 {
		c.Notes = append(c.Notes, e.Error())
	}
}

func (c *Calendar) note(number int, format string, args ...any) {
	c.bad(&LineError{number, fmt.Sprintf(format, args...)})
}

// header reads what a VCALENDAR says of all in it.
func (c *Calendar) header(top *component) {
	for _, name := range []string{"NAME", "X-WR-CALNAME"} {
		if c.Name == "" {
			c.Name = top.text(name)
		}
	}
	if c.Method == "" {
		c.Method = upperTrim(top.value("METHOD"))
	}
	if zone := top.text("X-WR-TIMEZONE"); zone != "" && c.zones.fallback == nil {
		c.zones.fallback = load(zone)
	}
	if scale := top.text("CALSCALE"); scale != "" && !strings.EqualFold(scale, "GREGORIAN") {
		c.note(top.Begin, "the calendar counts by %q, which is not known: dates are taken as Gregorian", shorten(scale))
	}
}

// sort puts a component where it belongs. It is false for one that is none of a
// calendar.
func (c *Calendar) sort(p *component, events *[]*component) bool {
	switch p.Name {
	case "VEVENT":
		*events = append(*events, p)
	case "VTODO":
		c.todos = append(c.todos, p)
	case "VTIMEZONE":
		if id := p.text("TZID"); id != "" && c.zones.defs[id] == nil {
			c.zones.defs[id] = p
		}
	case "VJOURNAL":
		c.note(p.Begin, "a journal entry (VJOURNAL) is not taken over: %s", shorten(p.text("SUMMARY")))
	case "VFREEBUSY":
		c.note(p.Begin, "a list of busy times (VFREEBUSY) is not taken over")
	case "VALARM", "STANDARD", "DAYLIGHT", "VAVAILABILITY", "VEVENTS":
		c.note(p.Begin, "%s is not taken over", p.Name)
	default:
		c.note(p.Begin, "%s is not known and not taken over", shorten(p.Name))
		return strings.HasPrefix(p.Name, "X-")
	}
	return true
}

// onlyZone takes the zone of whole days and of times without a zone from the only
// VTIMEZONE, where the text says no other.
func (c *Calendar) onlyZone() {
	if c.zones.fallback != nil || len(c.zones.defs) != 1 {
		return
	}
	for id := range c.zones.defs {
		c.zones.dayZone = c.zones.find(id, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	}
}

// A read is an event with the component that it came from.
type read struct {
	event  *Event
	from   *component
	future bool // RANGE=THISANDFUTURE
}

// join reads the events and joins exceptions to their series.
func (c *Calendar) join(parts []*component) {
	series := map[string][]read{}
	changes := map[string][]read{}
	var order []string
	for _, p := range parts {
		x, err := c.event(p)
		if err != nil {
			c.note(p.Begin, "the event %q is left out: %v", shorten(p.text("SUMMARY")), err)
			continue
		}
		uid := x.event.UID
		if uid == "" {
			uid = fmt.Sprintf("\x00%d", p.Begin)
		}
		if len(series[uid])+len(changes[uid]) == 0 {
			order = append(order, uid)
		}
		if x.event.Original.IsZero() {
			series[uid] = append(series[uid], x)
		} else {
			changes[uid] = append(changes[uid], x)
		}
	}
	for _, uid := range order {
		main := newest(series[uid])
		c.joinOne(main, c.versions(changes[uid]))
		for _, x := range series[uid] {
			switch {
			case x.event == main.event:
			case x.event.rivals(main.event):
				c.note(x.from.Begin, "the event %q has the UID of another one: both are taken", shorten(x.event.Subject))
				x.event.UID += fmt.Sprintf("_D%d", x.from.Begin)
				c.joinOne(x, nil)
			default:
				c.note(x.from.Begin, "the event %q comes more than once: its version with the higher SEQUENCE is taken", shorten(x.event.Subject))
			}
		}
	}
}

// rivals tells whether two events of one UID are none of them the newer version of
// the other, as programs make them that give all events one UID.
func (e *Event) rivals(other *Event) bool {
	return e.Sequence == other.Sequence && e.Modified.Equal(other.Modified) && (!e.Start.Equal(other.Start) || e.Subject != other.Subject)
}

// versions leaves one change of each date of a series, the newest.
func (c *Calendar) versions(changes []read) []read {
	at := map[int64][]read{}
	for _, x := range changes {
		k := x.event.Original.Unix()
		at[k] = append(at[k], x)
	}
	return slices.DeleteFunc(changes, func(x read) bool {
		best := newest(at[x.event.Original.Unix()])
		if x.event != best.event {
			c.note(x.from.Begin, "the change of the event %q comes more than once: its version with the higher SEQUENCE is taken", shorten(x.event.Subject))
		}
		return x.event != best.event
	})
}

// newest gives the version of an event that counts.
func newest(all []read) read {
	var best read
	for _, x := range all {
		if best.event == nil || x.event.Sequence > best.event.Sequence || x.event.Sequence == best.event.Sequence && x.event.Modified.After(best.event.Modified) {
			best = x
		}
	}
	return best
}

// joinOne joins a series and its exceptions.
func (c *Calendar) joinOne(main read, changes []read) {
	slices.SortStableFunc(changes, func(a, b read) int { return a.event.Original.Compare(b.event.Original) })
	if main.event == nil || !main.event.IsSeries() {
		if main.event != nil {
			c.Events = append(c.Events, main.event)
			if main.event.unread() {
				c.keepSource(main.event, []*component{main.from})
			}
		}
		for _, x := range changes {
			if main.event != nil && len(main.event.Rules) == 0 && x.event.Original.Equal(main.event.Start) {
				*main.event = *x.event // an exception of something that happens once is its newer version
				main.event.Original = time.Time{}
				continue
			}
			x.event.UID += "_R" + x.event.Original.UTC().Format("20060102T150405Z")
			x.event.Original = time.Time{}
			x.event.Rules, x.event.Dates, x.event.Deleted = nil, nil, nil // of the series, as some writers repeat them
			c.Events = append(c.Events, x.event)
			c.note(x.from.Begin, "the event %q changes a date of a series that is not in the text: it is taken as an event of its own", shorten(x.event.Subject))
		}
		return
	}
	c.Events = append(c.Events, main.event)
	current, text := main.event, []*component{main.from}
	finish := func() { c.finish(current, text) }
	for _, x := range changes {
		if x.future {
			if next := current.split(x.event); next != nil {
				finish()
				c.note(x.from.Begin, "the series %q goes on otherwise from %s: it is taken as two series", shorten(x.event.Subject), x.event.Original.Format("2 January 2006"))
				c.Events = append(c.Events, next)
				current, text = next, []*component{x.from}
				continue
			}
		}
		x.event.Rules, x.event.Dates, x.event.Deleted = nil, nil, nil
		current.Exceptions = append(current.Exceptions, x.event)
		text = append(text, x.from)
	}
	finish()
}

// finish keeps the text of a series that an item cannot tell, and says so.
func (c *Calendar) finish(e *Event, parts []*component) {
	_, _, lost := e.patternFor()
	if lost == "" && !e.unread() {
		return
	}
	if lost == "" {
		c.keepSource(e, parts)
		return
	}
	c.note(parts[0].Begin, "the series %q: %s The original text is attached to it.", shorten(e.Subject), lost)
	c.keepSource(e, parts)
}

// unread tells whether the event has a rule that cannot be read.
func (e *Event) unread() bool {
	return slices.ContainsFunc(e.Extra, func(s string) bool {
		return strings.HasPrefix(s, "RRULE") || strings.HasPrefix(s, "EXRULE")
	})
}

// keepSource makes the text of an event, with the zones that it names.
func (c *Calendar) keepSource(e *Event, parts []*component) {
	var b bytes.Buffer
	w := lineWriter{w: &b}
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", productID)
	used := map[string]bool{}
	for _, p := range parts {
		for _, l := range p.Lines {
			if id := l.param("TZID"); c.zones.defs[id] != nil && !used[id] {
				used[id] = true
				c.zones.defs[id].write(&w)
			}
		}
	}
	for _, p := range parts {
		p.write(&w)
	}
	w.line("END", "VCALENDAR")
	e.Source = b.Bytes()
}

// write gives a component as text again.
func (c *component) write(w *lineWriter) {
	w.line("BEGIN", c.Name)
	for i := range c.Lines {
		w.fold(c.Lines[i].String())
	}
	for _, s := range c.Subs {
		s.write(w)
	}
	w.line("END", c.Name)
}

// String is the line as text, unfolded.
func (l *line) String() string {
	var b strings.Builder
	if l.Group != "" {
		b.WriteString(l.Group + ".")
	}
	b.WriteString(l.Name)
	for _, p := range l.Params {
		b.WriteString(";" + p.Name)
		for i, v := range p.Values {
			b.WriteString([]string{"=", ","}[min(i, 1)] + quoteParam(v))
		}
	}
	return b.String() + ":" + l.Value
}

// split ends the series before the original time of a change for all that follows,
// and gives the series that goes on from it; nil where nothing follows.
func (e *Event) split(x *Event) *Event {
	if len(e.Rules) != 1 || len(e.Dates) > 0 {
		return nil
	}
	at := local(x.Original.In(e.zone()))
	r := e.localRule(e.Rules[0])
	before := 0
	for t := range r.dates(local(e.Start)) {
		if !t.Before(at) || before > maxPeriod {
			break
		}
		before++
	}
	if before == 0 || r.Count > 0 && before >= r.Count {
		return nil
	}
	next := *x
	next.UID = e.UID + "_R" + x.Original.UTC().Format("20060102T150405Z")
	next.Original = time.Time{}
	if len(next.Rules) == 0 {
		rule := e.Rules[0]
		if rule.Count > 0 {
			rule.Count -= before
		}
		next.Rules = []Rule{rule}
	}
	first := &e.Rules[0]
	first.Count, first.Until, first.UntilDate = 0, x.Original.Add(-time.Second).UTC(), false
	if e.AllDay {
		first.Until, first.UntilDate = midnight(at).AddDate(0, 0, -1), true
	}
	next.Deleted = nil
	e.Deleted = slices.DeleteFunc(e.Deleted, func(t time.Time) bool {
		if t.Before(x.Original) {
			return false
		}
		next.Deleted = append(next.Deleted, t.Add(next.Start.Sub(x.Original)))
		return true
	})
	return &next
}
