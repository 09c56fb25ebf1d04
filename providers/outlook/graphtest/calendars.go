package graphtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// calendars answers what is below /users/{id}/calendars and /users/{id}/calendar.
func (c *call) calendars(rest []string) answer {
	if !c.mayCalendar() {
		return denied()
	}
	if c.r.Method != "GET" {
		return c.badMethod()
	}
	if len(rest) == 0 {
		var all []*Folder
		for _, f := range c.box.folders {
			if f.kind == kindEvent && !f.gone {
				all = append(all, f)
			}
		}
		return c.list(len(all), "calendar", 10, func(n int) (map[string]any, *failure) { return c.calendar(all[n]), nil })
	}
	f := c.box.findFolder(rest[0], kindEvent)
	if f == nil {
		return notFound()
	}
	switch {
	case len(rest) == 1:
		return c.entity(c.calendar(f), "calendar")
	case strings.EqualFold(rest[1], "events"):
		return c.events(f, rest[2:])
	case strings.EqualFold(rest[1], "calendarView"):
		return c.calendarView(f, rest[2:])
	}
	return c.noSegment(rest[1])
}

func (c *call) mayCalendar() bool { return c.may("Calendars.Read", "Calendars.ReadWrite") }

func (c *call) calendar(f *Folder) map[string]any {
	primary := f.known == "calendar"
	out := map[string]any{
		"id": f.id(), "name": f.name, "color": "auto", "hexColor": "", "isDefaultCalendar": primary, "isRemovable": !primary, "isTallyingResponses": primary, "canEdit": true, "canShare": true, "canViewPrivateItems": true,
		"changeKey": "nfZyf7VcrEKLNoU37KWlkQAAA0x0+w==", "allowedOnlineMeetingProviders": []any{"teamsForBusiness"}, "defaultOnlineMeetingProvider": "teamsForBusiness",
		"owner": map[string]any{"name": c.user.Name, "address": c.user.Mail},
	}
	if f.owner != (Address{}) {
		out["owner"], out["canEdit"], out["canShare"], out["canViewPrivateItems"] = map[string]any{"name": f.owner.Name, "address": f.owner.Address}, false, false, false
	}
	return out
}

// events answers what is below a calendar's events: single ones and series, not the
// occurrences of these.
func (c *call) events(f *Folder, rest []string) answer {
	if !c.mayCalendar() {
		return denied()
	}
	if c.r.Method != "GET" {
		return c.badMethod()
	}
	if len(rest) == 0 {
		all, bad := c.kept(f.items, kindEvent)
		if bad != nil {
			return answer{fail: bad}
		}
		return c.list(len(all), "event", 10, func(n int) (map[string]any, *failure) {
			if p := all[n].poison; p != nil && p.List && (len(c.q.selected) == 0 || c.wants("body")) {
				return nil, &failure{status: 500, code: "InternalServerError", text: "Error while processing response."}
			}
			return c.expandEvent(all[n], c.event(all[n])), nil
		})
	}
	if strings.EqualFold(rest[0], "delta") { // v1.0 has it for views of the primary calendar only
		return fail(400, "BadRequest", "Resource not found for the segment 'delta'.")
	}
	if i, day := c.box.occurrence(rest[0]); i != nil && len(rest) == 1 {
		for _, o := range i.event.occurrences(i.event.Start, day.AddDate(0, 0, 2)) {
			if o.day == day.Format(time.DateOnly) {
				return c.entity(c.occurrence(i, o, true), "event")
			}
		}
		return notFound()
	}
	i := c.box.find(rest[0])
	if i == nil || i.kind != kindEvent {
		return notFound()
	}
	if bad := i.hurt(func(p *Poison) bool { return p.Read }); bad != nil {
		return answer{fail: bad}
	}
	switch {
	case len(rest) == 1:
		return c.entity(c.expandEvent(i, c.event(i)), "event")
	case strings.EqualFold(rest[1], "attachments"):
		return c.attachments(i, i.event.Attachments, rest[2:])
	case strings.EqualFold(rest[1], "instances") && len(rest) == 2:
		return c.instances([]*Item{i}, true)
	}
	return c.noSegment(rest[1])
}

// span is the window of a view; Graph wants both ends.
func (c *call) span() (from, to time.Time, bad *failure) {
	var err error
	read := func(key string) (t time.Time) {
		text := c.q.values.Get(key)
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.9999999", time.DateOnly} {
			if t, err = time.Parse(layout, text); err == nil {
				return t
			}
		}
		bad = &failure{status: 400, code: "ErrorInvalidParameter", text: "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime."}
		return t
	}
	from, to = read("startdatetime"), read("enddatetime")
	if bad == nil && to.Sub(from) > 1825*24*time.Hour {
		bad = &failure{status: 400, code: "ErrorCalendarViewRangeTooBig", text: "The requested time duration specified for FindOccurrences operation exceeds the maximum allowed limit of 1825 days."}
	}
	return from, to, bad
}

// calendarView answers what is below a calendar's view.
func (c *call) calendarView(f *Folder, rest []string) answer {
	if !c.mayCalendar() {
		return denied()
	}
	switch {
	case len(rest) == 0:
		return c.instances(f.items, false)
	case strings.EqualFold(rest[0], "delta") && f.known == "calendar":
		return c.viewDelta(f)
	}
	return c.noSegment(rest[0])
}

// instances lists occurrences in a window, and single events unless of a series only.
func (c *call) instances(items []*Item, series bool) answer {
	from, to, bad := c.span()
	if bad != nil {
		return answer{fail: bad}
	}
	var all []map[string]any
	for _, i := range items {
		if i.event.Recurrence == nil {
			if !series && i.event.Start.Before(to) && i.event.End.After(from) {
				all = append(all, c.event(i))
			}
			continue
		}
		for _, o := range i.event.occurrences(from, to) {
			all = append(all, c.occurrence(i, o, true))
		}
	}
	return c.list(len(all), "event", 10, func(n int) (map[string]any, *failure) { return all[n], nil })
}

// viewDelta is the delta query of the primary calendar, with a window that its first call
// gives. A series is its master and short occurrences; what is removed may lie outside of
// the window.
func (c *call) viewDelta(f *Folder) answer {
	var from, to time.Time
	if c.q.values.Get("deltatoken")+c.q.values.Get("skiptoken") == "" {
		var bad *failure
		if from, to, bad = c.span(); bad != nil {
			return answer{fail: bad}
		}
		for _, option := range []string{"select", "filter", "expand", "orderby", "search"} {
			if c.q.values.Has(option) {
				return fail(400, "ErrorInvalidUrlQuery", "The following parameters are not supported with change tracking over the 'CalendarView' resource: '$%s'.", option)
			}
		}
	}
	x := c.itemFeed(f, "event", func(i *Item) (map[string]any, *failure) { return c.event(i), nil })
	x.name = "view"
	inner := x.show
	x.show = func(s state, at int, entry change) ([]map[string]any, *failure) {
		out, bad := inner(s, at, entry)
		if bad != nil || len(out) == 0 || entry.what == removed {
			return out, bad
		}
		e, from, to := entry.item.event, time.Unix(s.Start, 0).UTC(), time.Unix(s.End, 0).UTC()
		if e.Recurrence == nil {
			if !e.Start.Before(to) || !e.End.After(from) {
				return nil, nil
			}
			return out, nil
		}
		short := e.occurrences(from, to)
		if len(short) == 0 {
			return nil, nil
		}
		for _, o := range short {
			out = append(out, c.occurrence(entry.item, o, o.changed))
		}
		return out, nil
	}
	c.window = [2]int64{from.Unix(), to.Unix()}
	return c.delta(x)
}

// event writes a single event or the master of a series.
func (c *call) event(i *Item) map[string]any {
	e := i.event
	out := c.eventFields(i, *e)
	out["id"] = i.id(c.q.immutable)
	out["type"], out["recurrence"] = "singleInstance", nil
	if e.Recurrence != nil {
		out["type"], out["recurrence"] = "seriesMaster", e.recurrence()
		if c.wants("cancelledOccurrences") {
			gone := []any{}
			for _, d := range e.Deleted {
				gone = append(gone, "OID."+i.id(c.q.immutable)+"."+d)
			}
			out["cancelledOccurrences"] = gone
		}
	}
	return c.expandMarks(i, out)
}

func (c *call) eventFields(i *Item, e Event) map[string]any {
	organizer := e.Organizer
	if organizer == (Address{}) {
		organizer = Address{c.user.Name, c.user.Mail}
	}
	mine := strings.EqualFold(organizer.Address, c.user.Mail)
	zone := either(e.Zone, "UTC")
	out := map[string]any{
		"@odata.etag": `W/"` + i.changeKey() + `"`, "changeKey": i.changeKey(), "createdDateTime": stamp(i.created), "lastModifiedDateTime": stamp(i.changed), "categories": list(e.Categories), "transactionId": nil,
		"originalStartTimeZone": zone, "originalEndTimeZone": zone, "iCalUId": either(e.UID, fmt.Sprintf("040000008200E00074C5B7101A82E008%08X", i.serial)), "reminderMinutesBeforeStart": e.Reminder, "isReminderOn": e.Reminder > 0,
		"hasAttachments": len(e.Attachments) > 0, "subject": e.Subject, "bodyPreview": preview(e.Body), "body": c.htmlOrText(e.Body, e.HTML), "importance": either(e.Importance, "normal"), "sensitivity": "normal",
		"isAllDay": e.AllDay, "isCancelled": e.Cancelled, "isOrganizer": mine, "isDraft": false, "responseRequested": true, "seriesMasterId": nil, "showAs": either(e.ShowAs, "busy"), "hideAttendees": false, "allowNewTimeProposals": true,
		"webLink": "https://outlook.office365.com/owa/?itemid=" + i.id(c.q.immutable), "onlineMeetingUrl": nil, "isOnlineMeeting": e.OnlineURL != "", "onlineMeetingProvider": "unknown", "onlineMeeting": nil,
		"responseStatus": map[string]any{"response": "organizer", "time": "0001-01-01T00:00:00Z"}, "start": c.moment(e.Start, e.AllDay), "end": c.moment(e.End, e.AllDay),
		"location": place(e.Place), "locations": []any{}, "attendees": attendees(e.Attendees), "organizer": person(organizer),
	}
	if e.Private {
		out["sensitivity"] = "private"
	}
	if !mine {
		out["responseStatus"] = map[string]any{"response": "accepted", "time": stamp(i.created)}
	}
	if e.Private {
		out["sensitivity"] = "private"
	}
	if e.Place != "" {
		out["locations"] = []any{place(e.Place)}
	}
	if e.OnlineURL != "" {
		out["onlineMeetingProvider"], out["onlineMeeting"] = "teamsForBusiness", map[string]any{"joinUrl": e.OnlineURL}
	}
	return out
}

// moment is a time in UTC or in the zone that the request prefers, without an offset.
func (c *call) moment(t time.Time, day bool) map[string]any {
	zone, label := c.q.zone, c.q.zoneName
	if day {
		zone, label = time.UTC, "UTC"
	}
	return map[string]any{"dateTime": t.In(zone).Format("2006-01-02T15:04:05.0000000"), "timeZone": label}
}

func place(text string) map[string]any {
	if text == "" {
		return map[string]any{"displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": map[string]any{}, "coordinates": map[string]any{}}
	}
	return map[string]any{"displayName": text, "locationType": "default", "uniqueId": text, "uniqueIdType": "private"}
}

func attendees(all []Attendee) []any {
	out := []any{}
	for _, a := range all {
		p := person(a.Address)
		p["type"], p["status"] = either(a.Type, "required"), map[string]any{"response": either(a.Response, "none"), "time": "0001-01-01T00:00:00Z"}
		out = append(out, p)
	}
	return out
}

// expandEvent adds the exceptions of a series, if they were asked for.
func (c *call) expandEvent(i *Item, out map[string]any) map[string]any {
	if !strings.Contains(c.q.expand, "exceptionOccurrences") || i.event.Recurrence == nil {
		return out
	}
	all := []any{}
	for _, o := range i.event.occurrences(i.event.Start.AddDate(-1, 0, 0), i.event.Start.AddDate(50, 0, 0)) {
		if o.changed {
			all = append(all, c.occurrence(i, o, true))
		}
	}
	out["exceptionOccurrences"] = all
	return out
}

// occurrence writes an occurrence of a series; a short one has the times only.
func (c *call) occurrence(i *Item, o occurrence, full bool) map[string]any {
	id := i.box.spell(name{prefix: prefixImmutable, kind: kindOccurrence, serial: i.serial, part: dayNumber(o.day)})
	if !c.q.immutable {
		id = i.box.spell(name{prefix: prefixMutable, kind: kindOccurrence, serial: i.serial, part: dayNumber(o.day), moves: i.moves + 1})
	}
	kind := "occurrence"
	if o.changed {
		kind = "exception"
	}
	if !full {
		return map[string]any{"@odata.type": "#microsoft.graph.event", "id": id, "type": kind, "seriesMasterId": i.id(c.q.immutable), "start": c.moment(o.event.Start, o.event.AllDay), "end": c.moment(o.event.End, o.event.AllDay)}
	}
	out := c.eventFields(i, o.event)
	out["id"], out["type"], out["seriesMasterId"], out["recurrence"], out["originalStart"] = id, kind, i.id(c.q.immutable), nil, stamp(o.start)
	return out
}

// occurrence finds the series and the day that an id is of.
func (b *Mailbox) occurrence(id string) (*Item, time.Time) {
	n, ok := b.read(id)
	if !ok || n.kind != kindOccurrence || int(n.serial) >= len(b.items) || b.items[n.serial].gone || b.items[n.serial].event == nil {
		return nil, time.Time{}
	}
	day, err := time.Parse("20060102", strconv.Itoa(int(n.part)))
	if err != nil {
		return nil, time.Time{}
	}
	return b.items[n.serial], day
}

func dayNumber(day string) uint32 {
	n, _ := strconv.Atoi(strings.ReplaceAll(day, "-", "")) // a day that was written here
	return uint32(n)
}
