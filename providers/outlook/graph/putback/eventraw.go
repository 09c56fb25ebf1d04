package putback

import (
	"encoding/json"
	"strings"
	"time"

	"keepwatch/pst/pim"
)

// eventFields are the properties of an event that can be written and reach nobody
// (learn.microsoft.com/graph/api/user-post-events).
var eventFields = []string{
	"subject", "body", "start", "end", "isAllDay", "location", "locations", "categories", "importance", "sensitivity", "showAs", "isReminderOn", "reminderMinutesBeforeStart", "recurrence",
}

// told is what else of the server's JSON is of use.
type told struct {
	Zone      string            `json:"originalStartTimeZone"`
	Original  time.Time         `json:"originalStart"`
	Organizer *invited          `json:"organizer"`
	Attendees []invited         `json:"attendees"`
	Changed   []json.RawMessage `json:"exceptionOccurrences"`
	Removed   []string          `json:"cancelledOccurrences"` // "OID.<id>.2026-11-23"
	Meeting   *struct {
		URL string `json:"joinUrl"`
	} `json:"onlineMeeting"`
	Recurrence *struct {
		Range struct {
			Zone string `json:"recurrenceTimeZone"`
		} `json:"range"`
	} `json:"recurrence"`
}

type invited struct {
	Email struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddress"`
	Kind   string `json:"type"`
	Status struct {
		Response string `json:"response"`
	} `json:"status"`
}

func (i invited) String() string {
	who := i.Email.Address
	if i.Email.Name != "" && i.Email.Name != who {
		who = i.Email.Name + " <" + who + ">"
	}
	var also []string
	for _, s := range []string{i.Kind, i.Status.Response} {
		if s != "" && s != "none" {
			also = append(also, s)
		}
	}
	if len(also) > 0 {
		who += " (" + strings.Join(also, ", ") + ")"
	}
	return who
}

// lines name who was there, for the end of the text: nobody can be invited again.
func (t told) lines(body map[string]any) (all []string) {
	if len(t.Attendees) > 0 {
		if t.Organizer != nil {
			all = append(all, "Organizer: "+t.Organizer.String())
		}
		for _, a := range t.Attendees {
			all = append(all, "Attendee: "+a.String())
		}
	}
	text, _ := body["content"].(string)
	if t.Meeting != nil && t.Meeting.URL != "" && !strings.Contains(text, t.Meeting.URL) {
		all = append(all, "Online meeting: "+t.Meeting.URL)
	}
	return all
}

// ofRaw is an event of the server's JSON. e is its file, or nil.
func ofRaw(raw json.RawMessage, fields map[string]any, e *pim.Event) meeting {
	var t told
	_ = json.Unmarshal(raw, &t) // what cannot be read is not there; the fields are read apart
	m := meeting{fields: fields, zone: time.UTC}
	name := t.Zone
	if t.Recurrence != nil && t.Recurrence.Range.Zone != "" {
		name = t.Recurrence.Range.Zone
	}
	day, _ := fields["isAllDay"].(bool)
	m.days = day
	if loc := pim.LoadZone(name); loc != nil && !day {
		m.zone = loc
		for _, field := range []string{"start", "end"} {
			fields[field] = inZone(fields[field], name, loc)
		}
	} else if !day && fields["recurrence"] != nil && name != "" && name != "UTC" {
		m.notes = append(m.notes, "its zone of time "+name+" is not known here, and the series goes by UTC")
	}
	if r, ok := fields["recurrence"].(map[string]any); ok {
		fields["recurrence"] = tidy(r)
	}
	text, _ := fields["body"].(map[string]any)
	if lines := t.lines(text); len(lines) > 0 {
		fields["body"] = withLines(text, lines)
	}
	for _, id := range t.Removed {
		if at := strings.LastIndexByte(id, '.'); at >= 0 {
			m.changes = append(m.changes, change{day: id[at+1:]})
		}
	}
	for _, x := range t.Changed {
		m.changes = append(m.changes, exception(x, name, m.zone))
	}
	if e != nil {
		m.files = e.Attachments
		if fields["recurrence"] != nil && len(t.Changed)+len(t.Removed) == 0 {
			m.changes = changesOf(e)
		} else {
			m.hangOn(e.Exceptions)
		}
	}
	return m
}

// hangOn gives changes the attachments that their files have.
func (m *meeting) hangOn(all []*pim.Event) {
	for _, e := range all {
		for i := range m.changes {
			if m.changes[i].fields != nil && m.changes[i].at.Equal(e.Original) {
				m.changes[i].files = e.Attachments
			}
		}
	}
}

// exception is a time of a series that was changed.
func exception(raw json.RawMessage, name string, zone *time.Location) change {
	var t told
	_ = json.Unmarshal(raw, &t) // without its original time nothing is found that it could change
	fields := chosen(raw, eventFields)
	delete(fields, "recurrence")
	if day, _ := fields["isAllDay"].(bool); !day && zone != time.UTC {
		for _, field := range []string{"start", "end"} {
			fields[field] = inZone(fields[field], name, zone)
		}
	}
	text, _ := fields["body"].(map[string]any)
	if lines := t.lines(text); len(lines) > 0 {
		fields["body"] = withLines(text, lines)
	}
	return change{at: t.Original, fields: fields}
}

// clockTime is dateTime of a dateTimeTimeZone.
const clockTime = "2006-01-02T15:04:05.9999999"

// inZone gives a moment in the zone that the event was made in: a series keeps its hour
// there when summer time begins.
func inZone(v any, name string, zone *time.Location) any {
	m, _ := v.(map[string]any)
	text, _ := m["dateTime"].(string)
	from, _ := m["timeZone"].(string)
	loc := pim.LoadZone(from)
	at, err := time.ParseInLocation(clockTime, text, orUTC(loc))
	if err != nil || loc == nil || from == name {
		return v
	}
	return clock(at, name, zone)
}

func orUTC(l *time.Location) *time.Location {
	if l == nil {
		return time.UTC
	}
	return l
}

func clock(at time.Time, name string, zone *time.Location) map[string]any {
	return map[string]any{"dateTime": at.In(zone).Format(clockTime), "timeZone": name}
}

// patternFields are those that each type of recurrence has
// (learn.microsoft.com/graph/api/resources/recurrencepattern). Others come with values
// that mean nothing.
var patternFields = map[string][]string{
	"daily": {}, "weekly": {"daysOfWeek", "firstDayOfWeek"}, "absoluteMonthly": {"dayOfMonth"}, "relativeMonthly": {"daysOfWeek", "index"},
	"absoluteYearly": {"dayOfMonth", "month"}, "relativeYearly": {"daysOfWeek", "index", "month"},
}

// tidy keeps what a recurrence of its type has.
func tidy(r map[string]any) map[string]any {
	pattern, _ := r["pattern"].(map[string]any)
	span, _ := r["range"].(map[string]any)
	kind, _ := pattern["type"].(string)
	end, _ := span["type"].(string)
	p, s := map[string]any{"type": pattern["type"], "interval": pattern["interval"]}, map[string]any{"type": span["type"], "startDate": span["startDate"]}
	for _, k := range patternFields[kind] {
		p[k] = pattern[k]
	}
	for _, k := range []string{map[string]string{"endDate": "endDate", "numbered": "numberOfOccurrences"}[end], "recurrenceTimeZone"} {
		if span[k] != nil {
			s[k] = span[k]
		}
	}
	return map[string]any{"pattern": p, "range": s}
}
