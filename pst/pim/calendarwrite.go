package pim

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"keepwatch/pst"
)

// Entry is what a calendar can hold: an *Event, and what else this package has.
type Entry interface {
	entry(c *calendarWriter) error
}

// WriteCalendar writes one VCALENDAR (RFC 5545) with the VTIMEZONEs that it names.
// One attachment at a time is held in memory.
func WriteCalendar(w io.Writer, entries ...Entry) error {
	var body bytes.Buffer
	c := &calendarWriter{lineWriter: lineWriter{w: &body}}
	for _, e := range entries {
		if err := e.entry(c); err != nil {
			return fmt.Errorf("write a calendar: %w", err)
		}
	}
	head := &lineWriter{w: w}
	head.line("BEGIN", "VCALENDAR")
	head.line("VERSION", "2.0")
	head.line("PRODID", productID)
	for _, z := range c.zones {
		writeZone(head, z.id, z.loc, z.first, z.last)
	}
	if head.err == nil {
		_, head.err = body.WriteTo(w)
	}
	head.line("END", "VCALENDAR")
	if head.err != nil {
		return fmt.Errorf("write a calendar: %w", head.err)
	}
	return nil
}

// A calendarWriter writes components, and remembers which zones they name.
type calendarWriter struct {
	lineWriter
	zones []*usedZone
}

type usedZone struct {
	id          string
	loc         *time.Location
	first, last int // years
}

// zoneID names a zone at a moment. Two zones of one name get different ones.
func (c *calendarWriter) zoneID(t time.Time) string {
	loc, year := t.Location(), t.Year()
	id, n := loc.String(), 1
	for _, z := range c.zones {
		if z.loc == loc || z.loc.String() == loc.String() && sameOffsets(z.loc, loc, max(year-1, firstZoneYear), min(year+1, lastZoneYear)) {
			z.first, z.last = min(z.first, year), max(z.last, year)
			return z.id
		}
		if z.loc.String() == loc.String() {
			n++
			id = fmt.Sprintf("%s (%d)", loc.String(), n)
		}
	}
	c.zones = append(c.zones, &usedZone{id: id, loc: loc, first: year, last: year})
	return id
}

// time writes times of one line, all in the zone of the first.
func (c *calendarWriter) time(name string, e *Event, times ...time.Time) {
	if len(times) == 0 {
		return
	}
	loc := times[0].Location()
	layout, params := "20060102T150405", []string(nil)
	switch {
	case e.AllDay:
		layout, params = "20060102", []string{"VALUE", "DATE"}
	case e.Floating:
	case loc.String() == "UTC":
		layout += "Z"
	default:
		params = []string{"TZID", c.zoneID(times[0])}
	}
	var values []string
	for _, t := range times {
		values = append(values, t.In(loc).Format(layout))
	}
	c.line(name, strings.Join(values, ","), params...)
}

func (c *calendarWriter) stamp(name string, t time.Time) {
	if !t.IsZero() {
		c.line(name, t.UTC().Format("20060102T150405Z"))
	}
}

func (e *Event) entry(c *calendarWriter) error {
	if err := e.write(c, e); err != nil {
		return err
	}
	for _, x := range e.Exceptions {
		if err := x.write(c, e); err != nil {
			return err
		}
	}
	return nil
}

// write writes a VEVENT; of an exception, series is what it belongs to.
func (e *Event) write(c *calendarWriter, series *Event) error {
	c.line("BEGIN", "VEVENT")
	uid := series.UID
	if uid == "" {
		uid = uidOf(series.cleanID()) // the same each time
	}
	c.text("UID", uid)
	c.stamp("DTSTAMP", e.stamped())
	c.stamp("CREATED", e.Created)
	c.stamp("LAST-MODIFIED", e.Modified)
	if !e.Original.IsZero() {
		c.time("RECURRENCE-ID", series, e.Original.In(series.zone()))
	}
	c.time("DTSTART", e, e.Start)
	c.time("DTEND", e, e.End)
	e.writeRecurrence(c)
	c.text("SUMMARY", e.Subject)
	c.text("LOCATION", e.Location)
	c.text("DESCRIPTION", e.Body)
	c.text("X-ALT-DESC", e.HTML, "FMTTYPE", "text/html")
	if e.URL != "" {
		c.line("URL", e.URL)
	}
	if len(e.Categories) > 0 {
		var list []string
		for _, s := range e.Categories {
			list = append(list, escape(s))
		}
		c.line("CATEGORIES", strings.Join(list, ","))
	}
	e.writeStates(c)
	e.Organizer.write(c, "ORGANIZER")
	for i := range e.Attendees {
		e.Attendees[i].write(c, "ATTENDEE")
	}
	for _, a := range e.Attachments {
		if err := a.writeLine(c); err != nil {
			return err
		}
	}
	if e.Reminder != nil {
		c.line("BEGIN", "VALARM")
		c.line("ACTION", "DISPLAY")
		c.text("DESCRIPTION", orElse(e.Subject, "Reminder"))
		c.line("TRIGGER", formatDuration(-*e.Reminder))
		c.line("END", "VALARM")
	}
	e.writeExtra(c)
	c.line("END", "VEVENT")
	return c.err
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// stamped is DTSTAMP, which there must be.
func (e *Event) stamped() time.Time {
	for _, t := range []time.Time{e.Modified, e.Created} {
		if !t.IsZero() {
			return t
		}
	}
	return e.Start
}

func (e *Event) writeRecurrence(c *calendarWriter) {
	for _, r := range e.Rules {
		layout := "20060102T150405Z"
		if e.Floating {
			layout = "20060102T150405"
		}
		c.line("RRULE", r.format(layout))
		if !e.AllDay && !e.Floating && e.zone().String() != "UTC" { // the zone is named for as long as the series goes
			end := r.Until
			if end.IsZero() {
				end = e.Start.AddDate(20, 0, 0)
			}
			c.zoneID(end.In(e.zone()))
		}
	}
	c.time("RDATE", e, e.Dates...)
	c.time("EXDATE", e, e.Deleted...)
}

var busyNames = [...]string{"FREE", "TENTATIVE", "BUSY", "OOF", "WORKINGELSEWHERE"}

// writeStates writes what is one of a few.
func (e *Event) writeStates(c *calendarWriter) {
	if e.Sequence > 0 {
		c.line("SEQUENCE", fmt.Sprint(e.Sequence))
	}
	if e.Busy == Free {
		c.line("TRANSP", "TRANSPARENT")
	} else {
		c.line("TRANSP", "OPAQUE")
	}
	c.line("X-MICROSOFT-CDO-BUSYSTATUS", busyNames[min(max(e.Busy, 0), Elsewhere)])
	switch e.Importance {
	case Important:
		c.line("PRIORITY", "1")
	case Unimportant:
		c.line("PRIORITY", "9")
	}
	if e.Sensitivity > Public && e.Sensitivity <= Confidential {
		c.line("CLASS", [...]string{"PUBLIC", "X-PERSONAL", "PRIVATE", "CONFIDENTIAL"}[e.Sensitivity])
	}
	if e.Status != "" {
		c.line("STATUS", string(e.Status))
	}
	if e.Response != NoResponse {
		c.line("X-PST-RESPONSE", fmt.Sprint(int(e.Response)))
	}
}

// write writes an ATTENDEE or the ORGANIZER.
func (a *Attendee) write(c *calendarWriter, name string) {
	if a == nil {
		return
	}
	address := a.Email
	if !strings.Contains(address, ":") {
		address = "mailto:" + address
	}
	params := []string{"CN", a.Name}
	if name == "ATTENDEE" {
		status := map[Response]string{Accepted: "ACCEPTED", Organized: "ACCEPTED", Declined: "DECLINED", TentativelyAccepted: "TENTATIVE", NotResponded: "NEEDS-ACTION"}[a.Status]
		role, kind := string(a.Role), ""
		if a.Role == Resource {
			role, kind = "", "RESOURCE"
		}
		rsvp := ""
		if a.RSVP {
			rsvp = "TRUE"
		}
		params = append(params, "CUTYPE", kind, "ROLE", role, "PARTSTAT", status, "RSVP", rsvp)
	}
	c.line(name, address, params...)
}

func (a Attachment) writeLine(c *calendarWriter) error {
	if a.Open == nil {
		if a.URL != "" {
			c.line("ATTACH", a.URL, "FMTTYPE", a.MediaType, "FILENAME", a.Name)
		}
		return nil
	}
	r, err := a.Open()
	if errors.Is(err, pst.ErrNoContent) {
		return nil // a message of Outlook, which is no bytes
	}
	if err != nil {
		return fmt.Errorf("attachment %q: %w", shorten(a.Name), err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("attachment %q: %w", shorten(a.Name), err)
	}
	c.line("ATTACH", base64.StdEncoding.EncodeToString(b), "VALUE", "BINARY", "ENCODING", "BASE64", "FMTTYPE", a.MediaType, "FILENAME", a.Name)
	return nil
}

// writeExtra writes the lines that have no field. They may come from a file of
// somebody else: what is no line of an event is left out.
func (e *Event) writeExtra(c *calendarWriter) {
	for _, s := range e.Extra {
		if !strings.HasPrefix(s, "BEGIN:") {
			l, err := parseLine(s, 0)
			taken := []string{"BEGIN", "END", "DTSTART", "DTEND", "UID", "DTSTAMP"}
			if err == nil && !slices.Contains(taken, l.Name) && (l.Name != "RRULE" || len(e.Rules) == 0) {
				c.fold(l.String())
			}
			continue
		}
		p, err := newLineReader(strings.NewReader(s)).component(func(*LineError) {})
		if err == nil && !slices.Contains([]string{"VCALENDAR", "VEVENT", "VTODO", "VTIMEZONE"}, p.Name) {
			p.write(&c.lineWriter)
		}
	}
}
