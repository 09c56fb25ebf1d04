package graphtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"keepwatch/pst/pim"
)

type wireMoment struct {
	DateTime string `json:"dateTime"`
	TimeZone string `json:"timeZone"`
}

// read gives a moment in its zone.
func (m wireMoment) read() (time.Time, *failure) {
	l := pim.LoadZone(m.TimeZone)
	if l == nil || strings.HasPrefix(m.TimeZone, "UTC+") {
		return time.Time{}, &failure{status: 400, code: "TimeZoneNotSupportedException", text: "A valid TimeZone value must be specified. The following TimeZone value is not supported: '" + m.TimeZone + "'."}
	}
	t, err := time.ParseInLocation("2006-01-02T15:04:05.9999999", m.DateTime, l)
	if err != nil {
		return t, &failure{status: 400, code: "ErrorInvalidRequest", text: "A dateTime cannot be read."}
	}
	return t, nil
}

type wireEvent struct {
	Subject    *string     `json:"subject"`
	Body       *wireBody   `json:"body"`
	Start      *wireMoment `json:"start"`
	End        *wireMoment `json:"end"`
	AllDay     *bool       `json:"isAllDay"`
	Importance *string     `json:"importance"`
	ShowAs     *string     `json:"showAs"`
	Sensitive  *string     `json:"sensitivity"`
	Remind     *bool       `json:"isReminderOn"`
	Minutes    *int        `json:"reminderMinutesBeforeStart"`
	Categories []string    `json:"categories"`
	Deal       *string     `json:"transactionId"`
	Location   *struct {
		Name string `json:"displayName"`
	} `json:"location"`
	Attendees []struct {
		wirePerson
		Kind string `json:"type"`
	} `json:"attendees"`
	Recurrence *struct {
		Pattern wirePattern `json:"pattern"`
		Range   wireRange   `json:"range"`
	} `json:"recurrence"`
	Attachments []json.RawMessage `json:"attachments"`
	Properties  []wireProperty    `json:"singleValueExtendedProperties"`
}

type wirePattern struct {
	Type     string   `json:"type"`
	Interval int      `json:"interval"`
	Month    int      `json:"month"`
	Day      int      `json:"dayOfMonth"`
	Days     []string `json:"daysOfWeek"`
	Index    string   `json:"index"`
}

type wireRange struct {
	Type  string `json:"type"`
	Start string `json:"startDate"`
	End   string `json:"endDate"`
	Count int    `json:"numberOfOccurrences"`
}

// postEvent makes an event. One of a transactionId that was taken before is not made
// again (learn.microsoft.com/graph/api/resources/event).
func (c *call) postEvent(f *Folder) answer {
	i := &Item{event: &Event{}}
	if bad := c.fillEvent(i); bad != nil {
		return answer{fail: bad}
	}
	for _, x := range f.items {
		if i.deal != "" && x.deal == i.deal {
			return fail(409, "ErrorDuplicateTransactionId", "Your request can't be completed. The TransactionId in your request was already used to create an event.")
		}
	}
	e := i.event
	if e.Start.IsZero() || e.End.Before(e.Start) || e.AllDay && (e.Start.Hour() != 0 || e.End.Hour() != 0 || !e.End.After(e.Start)) {
		return fail(400, "ErrorPropertyValidationFailure", "At least one property failed validation.")
	}
	a := c.entity(c.event(f.add(i)), "event")
	a.status = 201
	return a
}

func (c *call) patchEvent(i *Item) answer {
	if bad := c.fillEvent(i); bad != nil {
		return answer{fail: bad}
	}
	i.touch(true)
	return c.entity(c.event(i), "event")
}

// fillEvent takes over what is there. Whoever attends is told.
func (c *call) fillEvent(i *Item) *failure {
	var in wireEvent
	if bad := c.readJSON("event", &in); bad != nil {
		return bad
	}
	if bad := c.refuseReadOnly(); bad != nil {
		return bad
	}
	e := *i.event
	if bad := in.fill(&e); bad != nil {
		return bad
	}
	for _, raw := range in.Attachments {
		a, bad := c.newAttachment(raw)
		if bad != nil {
			return bad
		}
		e.Attachments = append(e.Attachments, a)
	}
	take(&i.deal, in.Deal)
	c.n.sent += len(e.Attendees)
	i.event = &e
	i.mark(in.Properties)
	return nil
}

func (in wireEvent) fill(e *Event) *failure {
	take(&e.Subject, in.Subject)
	take(&e.AllDay, in.AllDay)
	take(&e.Importance, in.Importance)
	take(&e.ShowAs, in.ShowAs)
	take(&e.Reminder, in.Minutes)
	if in.Remind != nil && !*in.Remind {
		e.Reminder = 0
	}
	if in.Sensitive != nil {
		e.Private = *in.Sensitive == "private"
	}
	if in.Body != nil {
		e.Body, e.HTML = in.Body.Content, strings.EqualFold(in.Body.ContentType, "html")
	}
	if in.Location != nil {
		e.Place = in.Location.Name
	}
	if in.Categories != nil {
		e.Categories = in.Categories
	}
	for _, a := range in.Attendees {
		e.Attendees = append(e.Attendees, Attendee{Address: a.address(), Type: a.Kind})
	}
	for to, from := range map[*time.Time]*wireMoment{&e.Start: in.Start, &e.End: in.End} {
		if from == nil {
			continue
		}
		t, bad := from.read()
		if bad != nil {
			return bad
		}
		*to = t
	}
	if in.Start != nil {
		e.Zone = in.Start.TimeZone
	}
	if in.Recurrence != nil {
		r, bad := in.Recurrence.Pattern.read(in.Recurrence.Range, e.Start)
		if bad != nil {
			return bad
		}
		e.Recurrence = r
	}
	return nil
}

// read reads a recurrence. The range has to begin on the day of the event.
func (p wirePattern) read(span wireRange, start time.Time) (*Recurrence, *failure) {
	wrong := &failure{status: 400, code: "ErrorPropertyValidationFailure", text: "At least one property failed validation: recurrence."}
	r := &Recurrence{Type: p.Type, Interval: p.Interval, Index: p.Index}
	for _, d := range p.Days {
		at := slices.IndexFunc(weekdays, func(w time.Weekday) bool { return strings.EqualFold(w.String(), d) })
		if at < 0 {
			return nil, wrong
		}
		r.Days = append(r.Days, weekdays[at])
	}
	relative := strings.HasPrefix(p.Type, "relative")
	switch {
	case p.Interval < 1, span.Start != start.Format(time.DateOnly), relative && (len(r.Days) == 0 || p.Index == ""), p.Type == "weekly" && len(r.Days) == 0,
		strings.HasPrefix(p.Type, "absolute") && p.Day != start.Day(), strings.HasSuffix(p.Type, "Yearly") && p.Month != int(start.Month()):
		return nil, wrong
	case !slices.Contains([]string{"daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"}, p.Type):
		return nil, wrong
	}
	switch span.Type {
	case "noEnd":
	case "numbered":
		r.Count = span.Count
	case "endDate":
		end, err := time.ParseInLocation(time.DateOnly, span.End, start.Location())
		if err != nil {
			return nil, wrong
		}
		r.Until = end
	default:
		return nil, wrong
	}
	if span.Type == "numbered" && span.Count < 1 {
		return nil, wrong
	}
	return r, nil
}

var weekdays = []time.Weekday{time.Sunday, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday}

// writeOccurrence changes or deletes one time of a series.
func (c *call) writeOccurrence(i *Item, day string) answer {
	at := slices.IndexFunc(i.event.occurrences(i.event.Start, i.event.Start.AddDate(100, 0, 0)), func(o occurrence) bool { return o.day == day })
	if at < 0 {
		return notFound()
	}
	o := i.event.occurrences(i.event.Start, i.event.Start.AddDate(100, 0, 0))[at]
	series := *i.event
	switch c.r.Method {
	case "DELETE":
		c.n.sent += len(series.Attendees)
		series.Deleted = append(slices.Clone(series.Deleted), day)
		i.event = &series
		i.touch(true)
		return answer{status: 204}
	case "PATCH":
		one := &Item{event: &o.event}
		if bad := c.fillEvent(one); bad != nil {
			return answer{fail: bad}
		}
		series.Exceptions = maps.Clone(series.Exceptions)
		if series.Exceptions == nil {
			series.Exceptions = map[string]Event{}
		}
		series.Exceptions[day] = *one.event
		i.event = &series
		i.touch(true)
		o.event, o.changed = *one.event, true
		return c.entity(c.occurrence(i, o, true), "event")
	}
	return c.badMethod()
}

// Meeting is the event as it is now.
func (i *Item) Meeting() Event {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	return *i.event
}
