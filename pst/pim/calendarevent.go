package pim

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// event reads a VEVENT.
func (c *Calendar) event(p *component) (read, error) {
	e := &Event{Busy: Occupied}
	x := read{event: e, from: p}
	start := p.first("DTSTART")
	if start == nil {
		return x, errors.New("it has no start (DTSTART)")
	}
	if err := c.times(e, p, start); err != nil {
		return x, err
	}
	if l := p.first("RECURRENCE-ID"); l != nil {
		t, _, err := c.timeOf(e, l, l.Value)
		if err != nil {
			return x, err
		}
		e.Original, x.future = t, l.has("RANGE", "THISANDFUTURE")
	}
	for i := range p.Lines {
		c.line(e, &p.Lines[i])
	}
	c.presence(e, p)
	for _, s := range p.Subs {
		if s.Name != "VALARM" || e.Reminder != nil || !c.alarm(e, s) {
			e.keepComponent(s)
		}
	}
	return x, nil
}

// times reads start and end.
func (c *Calendar) times(e *Event, p *component, start *line) error {
	var form timeForm
	var err error
	if e.Start, form, err = c.time(start, start.Value); err != nil {
		return err
	}
	e.AllDay = form == dateOnly
	e.Floating = form == localTime && start.param("TZID") == "" && c.zones.fallback == nil
	if e.Floating && !c.floated {
		c.floated = true
		c.note(start.Number, "times without a zone come back as such, but Outlook, which has none, shows them as those of UTC")
	}
	e.End = e.Start
	if e.AllDay {
		e.End = in(local(e.Start).AddDate(0, 0, 1), e.zone())
	}
	end, lasts := p.first("DTEND"), p.first("DURATION")
	switch {
	case end != nil:
		t, endForm, err := c.time(end, end.Value)
		if err != nil {
			c.note(end.Number, "the end of the event %q is left out: %v", shorten(p.text("SUMMARY")), err)
			return nil
		}
		if e.AllDay && endForm != dateOnly {
			t = wholeDay(t)
		}
		if t.Before(e.Start) {
			c.note(end.Number, "the event %q ends before it starts: its end is left out", shorten(p.text("SUMMARY")))
			return nil
		}
		if e.AllDay && t.Equal(e.Start) { // writers who take the end for the last day
			return nil
		}
		e.End = t
	case lasts != nil:
		days, d, err := parseDuration(lasts.Value)
		if err != nil || days < 0 || d < 0 {
			c.note(lasts.Number, "the duration of the event %q is left out: %s", shorten(p.text("SUMMARY")), shorten(lasts.Value))
			return nil
		}
		e.End = in(local(e.Start).AddDate(0, 0, days), e.zone()).Add(d)
		if e.AllDay { // PT24H on the day on which the clocks change
			e.End = wholeDay(e.End)
		}
		if e.AllDay && !e.End.After(e.Start) {
			e.End = in(local(e.Start).AddDate(0, 0, 1), e.zone())
		}
	}
	// Outlook's own mark of whole days, on events that last from midnight to midnight.
	if strings.EqualFold(p.value("X-MICROSOFT-CDO-ALLDAYEVENT"), "TRUE") && local(e.Start).Equal(midnight(local(e.Start))) && local(e.End.In(e.zone())).Equal(midnight(local(e.End.In(e.zone())))) && e.End.After(e.Start) {
		e.AllDay = true
	}
	return nil
}

// time reads one time of a line in its zone.
func (c *Calendar) time(l *line, value string) (time.Time, timeForm, error) {
	tzid := l.param("TZID")
	t, form, err := parseDateTime(value)
	if i := strings.LastIndexByte(value, ':'); err != nil && tzid != "" && i > 0 { // TZID=tzone://Microsoft/Utc without quotes
		tzid, value = tzid+":"+value[:i], value[i+1:]
		t, form, err = parseDateTime(value)
	}
	if err == nil && (t.Year() < 1601 || t.Year() > lastYear-1) {
		err = fmt.Errorf("%q lies outside of the time that Outlook knows, 1601 to 4500", shorten(value))
	}
	if err != nil {
		return t, form, &LineError{l.Number, fmt.Sprintf("%s: %v", l.Name, err)}
	}
	loc := time.UTC
	switch {
	case form == dateOnly:
		loc = cmp.Or(c.zones.fallback, c.zones.dayZone, time.UTC)
	case form == utcTime:
	case tzid != "":
		if found := c.zones.find(tzid, t); found != nil {
			loc = found
		} else {
			c.note(l.Number, "the time zone %q is not known: the time is taken as UTC", shorten(tzid))
		}
	case c.zones.fallback != nil:
		loc = c.zones.fallback
	}
	return in(t, loc), form, nil
}

// timeOf reads a time that names a date of the event. Of whole days some writers give
// midnight in UTC, which in most zones is no midnight, and west of Greenwich another day.
func (c *Calendar) timeOf(e *Event, l *line, value string) (time.Time, timeForm, error) {
	t, form, err := c.time(l, value)
	if err == nil && e.AllDay && form == utcTime && t.Equal(midnight(t.UTC())) {
		return in(midnight(t.UTC()), e.zone()), dateOnly, nil
	}
	return t, form, err
}

// line reads one property that is not a time of the event itself.
func (c *Calendar) line(e *Event, l *line) {
	switch l.Name {
	case "DTSTART", "DTEND", "DURATION", "DTSTAMP", "RECURRENCE-ID", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS",
		"X-MICROSOFT-CDO-ALLDAYEVENT", "X-MICROSOFT-CDO-IMPORTANCE", "X-MICROSOFT-CDO-INTENDEDSTATUS":
	case "UID":
		e.UID = strings.TrimSpace(l.text())
	case "SUMMARY":
		e.Subject = strings.ReplaceAll(l.text(), "\n", " ")
	case "LOCATION":
		e.Location = strings.ReplaceAll(l.text(), "\n", ", ")
	case "DESCRIPTION":
		e.Body = l.text()
	case "X-ALT-DESC", "STYLED-DESCRIPTION":
		if !l.has("FMTTYPE", "text/html") || e.HTML != "" {
			e.keep(l)
			return
		}
		e.HTML = l.text()
	case "URL":
		e.URL = l.Value
	case "SEQUENCE":
		e.Sequence, _ = strconv.Atoi(strings.TrimSpace(l.Value))
		e.Sequence = min(max(e.Sequence, 0), 1<<30)
	case "CLASS":
		e.Sensitivity = map[string]Sensitivity{"PRIVATE": Private, "CONFIDENTIAL": Confidential, "X-PERSONAL": Personal}[upperTrim(l.Value)]
	case "PRIORITY":
		e.Importance = importanceOf(l.Value)
	case "STATUS":
		if s := Status(upperTrim(l.Value)); s == Confirmed || s == TentativeYet || s == Cancelled {
			e.Status = s
		}
	case "CATEGORIES":
		for _, s := range splitText(l.Value, ',') {
			if s = strings.TrimSpace(s); s != "" {
				e.Categories = append(e.Categories, s)
			}
		}
	case "CREATED", "LAST-MODIFIED":
		c.stamp(e, l)
	case "RRULE", "RDATE", "EXDATE", "EXRULE":
		c.recurrence(e, l)
	case "ORGANIZER":
		a := attendeeOfLine(l)
		e.Organizer = &Attendee{Name: a.Name, Email: a.Email}
	case "ATTENDEE":
		e.Attendees = append(e.Attendees, attendeeOfLine(l))
	case "ATTACH":
		c.attach(e, l)
	case "X-PST-RESPONSE":
		n, _ := strconv.Atoi(l.Value)
		e.Response = Response(min(max(n, 0), int(NotResponded)))
	default:
		e.keep(l)
	}
}

// keep keeps a line for which there is no field.
func (e *Event) keep(l *line) {
	if len(e.Extra) < 500 && len(l.Value) < 1<<20 {
		e.Extra = append(e.Extra, l.String())
	}
}

// keepComponent keeps a part for which there is no field.
func (e *Event) keepComponent(p *component) {
	var b bytes.Buffer
	w := lineWriter{w: &b}
	p.write(&w)
	if len(e.Extra) < 500 && b.Len() < 1<<20 {
		e.Extra = append(e.Extra, strings.TrimSuffix(b.String(), "\r\n"))
	}
}

func (c *Calendar) stamp(e *Event, l *line) {
	t, _, err := c.time(l, l.Value)
	if err != nil {
		c.note(l.Number, "%s is left out: %v", l.Name, err)
		return
	}
	if l.Name == "CREATED" {
		e.Created = t.UTC()
	} else {
		e.Modified = t.UTC()
	}
}

// importanceOf reads PRIORITY, RFC 5545 3.8.1.9: 1 to 4 are high, 5 is the middle.
func importanceOf(s string) Importance {
	switch n, _ := strconv.Atoi(strings.TrimSpace(s)); {
	case n >= 1 && n <= 4:
		return Important
	case n > 5:
		return Unimportant
	}
	return Ordinary
}

// maxRules bounds how many rules one event may have.
const maxRules = 20

// recurrence reads when the event repeats.
func (c *Calendar) recurrence(e *Event, l *line) {
	if l.Name == "RRULE" {
		r, err := parseRule(l.Value)
		if err == nil && len(e.Rules) == maxRules {
			err = fmt.Errorf("the event has more than %d", maxRules)
		}
		if err != nil {
			c.note(l.Number, "the rule of a series is left out: %v", err)
			e.keep(l)
			return
		}
		e.Rules = append(e.Rules, c.ruleIn(e, r, l.Value))
		return
	}
	if l.Name == "EXRULE" {
		c.note(l.Number, "a rule of exceptions (EXRULE), which is obsolete, is not applied")
		e.keep(l)
		return
	}
	for _, v := range strings.Split(l.Value, ",") {
		v, period, isPeriod := strings.Cut(strings.TrimSpace(v), "/")
		if v == "" {
			continue
		}
		t, form, err := c.timeOf(e, l, v)
		if err != nil || len(e.Dates)+len(e.Deleted) >= maxInstances {
			c.note(l.Number, "a date of %s is left out: %v", l.Name, err)
			continue
		}
		if form == dateOnly && !e.AllDay { // the day of a series with a time
			day := local(t)
			t = in(day.Add(local(e.Start).Sub(midnight(local(e.Start)))), e.zone())
		}
		t = t.In(e.zone())
		if l.Name == "EXDATE" {
			e.Deleted = append(e.Deleted, t)
			continue
		}
		if isPeriod {
			c.note(l.Number, "a date of the series has a length of its own (%s), which is not taken over", shorten(period))
		}
		e.Dates = append(e.Dates, t)
	}
}

// ruleIn makes UNTIL of a rule UTC.
func (c *Calendar) ruleIn(e *Event, r Rule, value string) Rule {
	if r.Until.IsZero() {
		return r
	}
	_, until, _ := strings.Cut(strings.ToUpper(value), "UNTIL=")
	until, _, _ = strings.Cut(until, ";")
	switch {
	case r.UntilDate && !e.AllDay: // the whole last day
		r.Until, r.UntilDate = r.Until.AddDate(0, 0, 1).Add(-time.Second), false
		if !e.Floating {
			r.Until = in(r.Until, e.zone()).UTC()
		}
	case e.AllDay:
		if strings.HasSuffix(strings.TrimSpace(until), "Z") {
			r.Until = local(r.Until.In(e.zone()))
		}
		r.Until, r.UntilDate = midnight(r.Until), true
	case !strings.HasSuffix(strings.TrimSpace(until), "Z") && !e.Floating:
		r.Until = in(r.Until, e.zone()).UTC()
	}
	return r
}

// presence reads how the time counts.
func (c *Calendar) presence(e *Event, p *component) {
	status := upperTrim(p.value("X-MICROSOFT-CDO-BUSYSTATUS"))
	if status == "" {
		status = upperTrim(p.value("X-MICROSOFT-CDO-INTENDEDSTATUS"))
	}
	busy, ok := map[string]Busy{"FREE": Free, "TENTATIVE": Tentative, "BUSY": Occupied, "OOF": OutOfOffice, "WORKINGELSEWHERE": Elsewhere}[status]
	switch {
	case ok:
		e.Busy = busy
	case upperTrim(p.value("TRANSP")) == "TRANSPARENT":
		e.Busy = Free
	case e.Status == TentativeYet:
		e.Busy = Tentative
	}
	if p.first("PRIORITY") == nil {
		switch strings.TrimSpace(p.value("X-MICROSOFT-CDO-IMPORTANCE")) {
		case "0":
			e.Importance = Unimportant
		case "2":
			e.Importance = Important
		}
	}
}

// appleNever is when programs of Apple remind of what they shall not remind of, a
// moment long before every event.
const appleNever = "19760401T005545Z"

// alarm reads a reminder. It is false for one that an item cannot have: a mail, none at
// all, with which Apple says that its default does not count, and one after the start.
func (c *Calendar) alarm(e *Event, p *component) bool {
	l := p.first("TRIGGER")
	action := upperTrim(p.value("ACTION"))
	if l == nil || action == "EMAIL" || action == "NONE" || strings.TrimSpace(l.Value) == appleNever || len(p.Subs) > 0 || p.first("REPEAT") != nil {
		return false
	}
	var before time.Duration
	if l.has("VALUE", "DATE-TIME") {
		t, _, err := c.time(l, l.Value)
		if err != nil {
			c.note(l.Number, "a reminder is not taken over: %v", err)
			return false
		}
		before = e.Start.Sub(t)
	} else {
		days, d, err := parseDuration(l.Value)
		if err != nil {
			c.note(l.Number, "a reminder is not taken over: %v", err)
			return false
		}
		before = -d - time.Duration(days)*24*time.Hour
		if l.has("RELATED", "END") {
			before -= e.duration()
		}
	}
	if before < 0 || before > 1<<25*time.Minute {
		c.note(l.Number, "a reminder after the start of the event, or 60 years before it, is kept, but Outlook does not show it")
		return false
	}
	if rest := before % time.Minute; rest != 0 {
		c.note(l.Number, "a reminder is %v earlier: Outlook counts in minutes", time.Minute-rest)
		before += time.Minute - rest
	}
	e.Reminder = &before
	return true
}

// attendeeOfLine reads ATTENDEE and ORGANIZER.
func attendeeOfLine(l *line) Attendee {
	a := Attendee{Name: l.param("CN"), Email: strings.TrimSpace(l.Value), Role: Required, RSVP: l.has("RSVP", "TRUE")}
	if len(a.Email) > 7 && strings.EqualFold(a.Email[:7], "mailto:") {
		a.Email = a.Email[7:]
	} else if mail := l.param("EMAIL"); mail != "" { // RFC 7986 6.2
		a.Email = mail
	}
	if a.Name == a.Email {
		a.Name = ""
	}
	switch r := Role(strings.ToUpper(l.param("ROLE"))); r {
	case Optional, Informed, Chair:
		a.Role = r
	}
	if l.has("CUTYPE", "RESOURCE") || l.has("CUTYPE", "ROOM") {
		a.Role = Resource
	}
	a.Status = map[string]Response{"ACCEPTED": Accepted, "DECLINED": Declined, "TENTATIVE": TentativelyAccepted, "NEEDS-ACTION": NotResponded}[strings.ToUpper(l.param("PARTSTAT"))]
	return a
}

// attach reads ATTACH, bytes or a link.
func (c *Calendar) attach(e *Event, l *line) {
	a := Attachment{MediaType: l.param("FMTTYPE")}
	for _, name := range []string{"FILENAME", "X-FILENAME", "X-APPLE-FILENAME", "X-ORACLE-FILENAME", "LABEL"} {
		a.Name = cmp.Or(a.Name, l.param(name))
	}
	if l.has("VALUE", "BINARY") || l.has("ENCODING", "BASE64") {
		b, err := l.bytes()
		if err != nil {
			c.note(l.Number, "an attachment is not taken over: %v", err)
			return
		}
		a.Name = cmp.Or(a.Name, "attachment")
		a.Open = func() (io.Reader, error) { return bytes.NewReader(b), nil }
	} else {
		a.URL = strings.TrimSpace(l.Value)
		if a.Name == "" {
			a.Name = a.URL[strings.LastIndexByte(strings.TrimRight(a.URL, "/"), '/')+1:]
		}
		a.Name = cmp.Or(a.Name, "link")
	}
	e.Attachments = append(e.Attachments, a)
}
