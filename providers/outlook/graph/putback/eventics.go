package putback

import (
	"slices"
	"strings"
	"time"

	"keepwatch/pst/pim"
)

// ofEvent is an event that was read from iCalendar.
func ofEvent(e *pim.Event) meeting {
	m := meeting{fields: fieldsOf(e), zone: e.Start.Location(), files: e.Attachments, days: e.AllDay}
	if e.Floating {
		m.notes = append(m.notes, "it had no zone of time, and is in UTC now")
	}
	if _, known := zoneName(e); !known && !e.AllDay {
		m.notes = append(m.notes, "its zone of time "+m.zone.String()+" is not known to Microsoft 365, and it is in UTC now")
	}
	if !e.IsSeries() {
		return m
	}
	r, ok := recurrence(e)
	if !ok {
		m.all = &section{name: "series.ics"}
		m.notes = append(m.notes, "it repeats in a way that Outlook cannot say: only its first time was put back, and “series.ics” is attached")
		return m
	}
	m.fields["recurrence"] = r
	m.changes = changesOf(e)
	return m
}

// changesOf are the times of a series that were removed or changed.
func changesOf(e *pim.Event) (all []change) {
	at := func(t time.Time) change {
		if e.AllDay { // whose times are days, whatever the zone
			return change{day: t.In(e.Start.Location()).Format(time.DateOnly)}
		}
		return change{at: t}
	}
	for _, t := range e.Deleted {
		all = append(all, at(t))
	}
	for _, x := range e.Exceptions {
		c := at(x.Original)
		c.fields, c.files = fieldsOf(x), x.Attachments
		all = append(all, c)
	}
	return all
}

// fieldsOf is what a single time says.
func fieldsOf(e *pim.Event) map[string]any {
	out := map[string]any{
		"subject": e.Subject, "isAllDay": e.AllDay, "showAs": map[pim.Busy]string{pim.Free: "free", pim.Tentative: "tentative", pim.Occupied: "busy", pim.OutOfOffice: "oof", pim.Elsewhere: "workingElsewhere"}[e.Busy],
		"importance":  map[pim.Importance]string{pim.Unimportant: "low", pim.Ordinary: "normal", pim.Important: "high"}[e.Importance],
		"sensitivity": map[pim.Sensitivity]string{pim.Public: "normal", pim.Personal: "personal", pim.Private: "private", pim.Confidential: "confidential"}[e.Sensitivity],
		"start":       instant(e, e.Start), "end": instant(e, e.End), "isReminderOn": e.Reminder != nil,
	}
	if e.Reminder != nil {
		out["reminderMinutesBeforeStart"] = int(*e.Reminder / time.Minute)
	}
	if e.Location != "" {
		out["location"] = map[string]any{"displayName": e.Location}
	}
	if len(e.Categories) > 0 {
		out["categories"] = e.Categories
	}
	text := map[string]any{"contentType": "text", "content": strings.ReplaceAll(e.Body, "\n", "\r\n")}
	if e.HTML != "" {
		text = map[string]any{"contentType": "html", "content": e.HTML}
	}
	out["body"] = withLines(text, linesOf(e))
	return out
}

func linesOf(e *pim.Event) (all []string) {
	if len(e.Attendees) > 0 {
		if e.Organizer != nil {
			all = append(all, "Organizer: "+guest(*e.Organizer, false))
		}
		for _, a := range e.Attendees {
			all = append(all, "Attendee: "+guest(a, true))
		}
	}
	if e.URL != "" && !strings.Contains(e.Body+e.HTML, e.URL) {
		all = append(all, "Link: "+e.URL)
	}
	for _, a := range e.Attachments {
		if a.URL != "" {
			all = append(all, "Attachment: "+strings.TrimSpace(a.Name+" "+a.URL))
		}
	}
	return all
}

func guest(a pim.Attendee, answers bool) string {
	i := invited{}
	i.Email.Name, i.Email.Address = a.Name, a.Email
	if answers {
		i.Kind = map[pim.Role]string{pim.Required: "required", pim.Optional: "optional", pim.Informed: "optional", pim.Chair: "required", pim.Resource: "resource"}[a.Role]
		i.Status.Response = map[pim.Response]string{pim.TentativelyAccepted: "tentativelyAccepted", pim.Accepted: "accepted", pim.Declined: "declined"}[a.Status]
	}
	return i.String()
}

// zoneName is the zone of an event as Graph knows it: by the name that Windows has for it.
func zoneName(e *pim.Event) (string, bool) {
	loc := e.Start.Location()
	if loc == time.UTC || e.Floating {
		return "UTC", true
	}
	name := loc.String()
	if pim.LoadZone(name) == nil || strings.HasPrefix(strings.ToUpper(name), "UTC+") || strings.HasPrefix(strings.ToUpper(name), "UTC-") {
		return "UTC", false
	}
	return pim.WindowsZone(name), true
}

// instant is a moment in the zone of the event, or a day.
func instant(e *pim.Event, t time.Time) map[string]any {
	if e.AllDay {
		y, m, d := t.In(e.Start.Location()).Date()
		return clock(time.Date(y, m, d, 0, 0, 0, 0, time.UTC), "UTC", time.UTC)
	}
	name, known := zoneName(e)
	zone := e.Start.Location()
	if !known || name == "UTC" {
		zone = time.UTC
	}
	return clock(t, name, zone)
}

// recurrence is when a series repeats, if Outlook has a pattern for it. Weeks and days go
// by the zone of the event.
func recurrence(e *pim.Event) (map[string]any, bool) {
	if len(e.Rules) != 1 || len(e.Dates) > 0 {
		return nil, false
	}
	r := e.Rules[0]
	p, ok := pattern(r, e.Start)
	if !ok {
		return nil, false
	}
	p["interval"] = max(r.Interval, 1)
	span := map[string]any{"type": "noEnd", "startDate": e.Start.Format(time.DateOnly)}
	if name, _ := zoneName(e); !e.AllDay {
		span["recurrenceTimeZone"] = name
		if name == "UTC" {
			span["startDate"] = e.Start.UTC().Format(time.DateOnly)
		}
	}
	switch {
	case r.Count > 0:
		span["type"], span["numberOfOccurrences"] = "numbered", r.Count
	case !r.Until.IsZero():
		until := r.Until
		if !r.UntilDate {
			until = until.In(e.Start.Location())
		}
		span["type"], span["endDate"] = "endDate", until.Format(time.DateOnly)
	}
	return map[string]any{"pattern": p, "range": span}, true
}

// pattern reads a rule; ok is false for what the six types of Outlook cannot say.
func pattern(r pim.Rule, start time.Time) (p map[string]any, ok bool) {
	if len(r.BySecond)+len(r.ByMinute)+len(r.ByHour)+len(r.ByYearDay)+len(r.ByWeekNo) > 0 || len(r.ByMonthDay) > 1 || len(r.ByMonth) > 1 || len(r.BySetPos) > 1 {
		return nil, false
	}
	month := int(start.Month())
	if len(r.ByMonth) == 1 && (r.Frequency != pim.Yearly || r.ByMonth[0] != month) {
		return nil, false
	}
	switch r.Frequency {
	case pim.Daily:
		return map[string]any{"type": "daily"}, len(r.ByDay)+len(r.ByMonthDay) == 0
	case pim.Weekly:
		days := daysOf(r.ByDay)
		if len(days) == 0 {
			days = []string{strings.ToLower(start.Weekday().String())}
		}
		return map[string]any{"type": "weekly", "daysOfWeek": days, "firstDayOfWeek": strings.ToLower(r.WeekStart.String())}, len(r.ByMonthDay)+len(r.BySetPos) == 0
	case pim.Monthly:
		return monthly(r, start, "Monthly")
	case pim.Yearly:
		if len(r.ByDay) > 0 && len(r.ByMonth) == 0 {
			return nil, false // the n-th of a year
		}
		p, ok = monthly(r, start, "Yearly")
		if ok {
			p["month"] = month
		}
		return p, ok
	}
	return nil, false
}

// monthly is a day of a month, by its number or as the n-th of some weekdays.
func monthly(r pim.Rule, start time.Time, kind string) (map[string]any, bool) {
	if len(r.ByDay) == 0 {
		if len(r.BySetPos) > 0 || len(r.ByMonthDay) == 1 && r.ByMonthDay[0] != start.Day() {
			return nil, false
		}
		return map[string]any{"type": "absolute" + kind, "dayOfMonth": start.Day()}, true
	}
	n := r.ByDay[0].N
	if len(r.BySetPos) == 1 && n == 0 {
		n = r.BySetPos[0]
	} else if len(r.BySetPos) > 0 || len(r.ByDay) > 1 {
		return nil, false
	}
	index := map[int]string{1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}[n]
	mixed := slices.ContainsFunc(r.ByDay, func(d pim.WeekdayNum) bool { return d.N != r.ByDay[0].N })
	return map[string]any{"type": "relative" + kind, "daysOfWeek": daysOf(r.ByDay), "index": index}, index != "" && !mixed && len(r.ByMonthDay) == 0
}

func daysOf(all []pim.WeekdayNum) (days []string) {
	for _, d := range all {
		days = append(days, strings.ToLower(d.Day.String()))
	}
	return days
}
