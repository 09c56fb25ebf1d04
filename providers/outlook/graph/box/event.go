package box

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch/providers/outlook"
	"keepwatch/pst/pim"
)

// eventFields is all that Graph says of an event. originalStart and cancelledOccurrences
// come only where they are selected (learn.microsoft.com/graph/api/event-get, example 4).
var eventFields = strings.Join([]string{
	"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "categories", "subject", "body", "bodyPreview", "start", "end", "originalStart", "originalStartTimeZone", "originalEndTimeZone",
	"isAllDay", "isCancelled", "isDraft", "isOrganizer", "isOnlineMeeting", "isReminderOn", "reminderMinutesBeforeStart", "hasAttachments", "importance", "sensitivity", "showAs", "type", "seriesMasterId",
	"iCalUId", "transactionId", "webLink", "location", "locations", "organizer", "attendees", "responseRequested", "responseStatus", "recurrence", "allowNewTimeProposals", "hideAttendees",
	"onlineMeeting", "onlineMeetingProvider", "onlineMeetingUrl", "cancelledOccurrences",
}, ",")

// event gives an event as iCalendar, a series with its exceptions. A single event without
// attachments is all in the listing; the others are asked for.
func (b *Box) event(ctx context.Context, mailbox string, item outlook.Item) (outlook.Content, error) {
	out := outlook.Content{Form: outlook.ICS, Item: item}
	var e event
	known := len(item.Raw) > 0 && json.Unmarshal(item.Raw, &e) == nil
	if !known || e.Recurrence != nil {
		raw, err := b.read(ctx, mailbox, with(of(mailbox, "events", item.ID), "$select", eventFields+",exceptionOccurrences", "$expand", "exceptionOccurrences"))
		if err != nil {
			return outlook.Content{}, give(b.itemError(ctx, mailbox, item, err), err)
		}
		out.Item.Raw, e = compact(raw), event{}
		if err := json.Unmarshal(raw, &e); err != nil {
			return outlook.Content{}, unreadable(err)
		}
		if err := b.moreExceptions(ctx, mailbox, &e); err != nil {
			return outlook.Content{}, give(b.itemError(ctx, mailbox, item, err), err)
		}
	}
	w, err := e.calendar()
	if err != nil {
		return outlook.Content{}, unreadable(err)
	}
	out.Notes = w.notes
	if w.event.UID == "" {
		w.event.UID = item.ID
	}
	files := make([][]file, len(w.ids))
	for i, id := range w.ids {
		if !w.attached[i] {
			continue
		}
		if i == 0 {
			id = item.ID
		}
		var notes []string
		if files[i], notes, err = b.files(ctx, mailbox, item, of(mailbox, "events", id, "attachments")); err != nil {
			return outlook.Content{}, err
		}
		out.Notes = append(out.Notes, notes...)
	}
	var text bytes.Buffer
	if err := pim.WriteCalendar(&text, w.event); err != nil {
		return outlook.Content{}, unreadable(err)
	}
	out.Body = &sequence{parts: withFiles(text.Bytes(), files)}
	return out, nil
}

// moreExceptions reads the exceptions that did not fit into the answer.
func (b *Box) moreExceptions(ctx context.Context, mailbox string, e *event) error {
	if e.ExceptionsNext == "" {
		return nil
	}
	for page, err := range b.client.Pages(ctx, mailbox, e.ExceptionsNext) {
		if err != nil {
			return err
		}
		e.Exceptions = append(e.Exceptions, page.Items...)
	}
	return nil
}

// written is an event that is being made of its JSON, with the ids of it and of its
// exceptions, and which of them have attachments.
type written struct {
	event    *pim.Event
	zone     *time.Location
	ids      []string
	attached []bool
	notes    []string
}

func (w *written) note(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(w.notes, s) {
		w.notes = append(w.notes, s)
	}
}

// calendar makes the event, with its series.
func (e event) calendar() (*written, error) {
	if e.Start.local().IsZero() || e.End.local().IsZero() {
		return nil, errors.New("it has no start or no end")
	}
	w := &written{ids: []string{e.ID}, attached: []bool{e.hasFiles()}}
	w.zone = w.zoneOf(e)
	w.event = w.single(e)
	if e.Recurrence == nil {
		return w, nil
	}
	r, err := e.Recurrence.Pattern.rule(e.Recurrence.Range, w.zone, e.AllDay)
	if err != nil {
		return nil, err
	}
	w.event.Rules = []pim.Rule{r}
	for _, id := range e.Gone {
		if err := w.without(id); err != nil {
			w.note("An occurrence that was taken out of the series is still in it (%v)", err)
		}
	}
	for _, raw := range e.Exceptions {
		var x event
		if err := json.Unmarshal(raw, &x); err != nil || x.Start.local().IsZero() {
			w.note("A changed occurrence of the series is not in it, because it cannot be read")
			continue
		}
		if x.Original.IsZero() {
			w.note("The changed occurrence of %s stands in it twice, because Microsoft 365 does not say when it would have been", x.Start.local().Format(time.DateOnly))
			x.Original = x.Start.time()
		}
		w.except(x)
	}
	return w, nil
}

// zoneOf is the zone whose clock an event goes by: that of the series, or else in which it
// was made. Graph gives times in UTC.
func (w *written) zoneOf(e event) *time.Location {
	if e.AllDay {
		return time.UTC
	}
	names := []string{e.StartZone}
	if e.Recurrence != nil {
		names = []string{e.Recurrence.Range.Zone, e.StartZone}
	}
	for _, s := range names {
		if zone := pim.Zone(s); zone != nil {
			return zone
		}
	}
	if s := strings.Join(names, ""); s != "" {
		w.note("Its time zone %q is not known here, so that its times are in UTC", names[0])
	}
	return time.UTC
}

// single makes what every event has, without a series.
func (w *written) single(e event) *pim.Event {
	out := &pim.Event{
		UID: e.UID, Subject: e.Subject, AllDay: e.AllDay, Start: e.Start.time().In(w.zone), End: e.End.time().In(w.zone),
		Created: e.Created.UTC(), Modified: e.Modified.UTC(), Categories: e.Categories, Location: e.where(), URL: e.OnlineURL,
		Busy: busy(e.ShowAs), Importance: importance(e.Importance), Sensitivity: sensitivity(e.Sensitivity),
	}
	if e.AllDay { // days, whatever zone they are told in
		out.Start, out.End = e.Start.local().Truncate(24*time.Hour), e.End.local().Truncate(24*time.Hour)
	}
	if e.OnlineMeeting != nil && e.OnlineMeeting.JoinURL != "" {
		out.URL = e.OnlineMeeting.JoinURL
	}
	if e.Body != nil {
		out.Body = strings.ReplaceAll(e.Body.Content, "\r\n", "\n")
		if strings.EqualFold(e.Body.Type, "html") {
			out.Body, out.HTML = textOf(e.Body.Content), e.Body.Content
		}
	}
	if e.Cancelled {
		out.Status = pim.Cancelled
	}
	if e.Response != nil {
		out.Response = response(e.Response.Response)
	}
	if e.ReminderOn {
		before := time.Duration(e.Reminder) * time.Minute
		out.Reminder = &before
	}
	for _, a := range e.Attendees {
		out.Attendees = append(out.Attendees, pim.Attendee{Name: a.Email.Name, Email: a.Email.Address, Role: role(a.Type), Status: response(a.Status.Response), RSVP: e.Asked && a.Status.Response != "organizer"})
	}
	if o := e.Organizer; o != nil && o.Email.Address != "" && len(e.Attendees) > 0 { // with nobody invited it is an appointment
		out.Organizer = &pim.Attendee{Name: o.Email.Name, Email: o.Email.Address}
	}
	return out
}

// without takes an occurrence out: its id is OID.<id of the series>.<day>.
func (w *written) without(id string) error {
	day, err := time.Parse(time.DateOnly, id[max(0, len(id)-len(time.DateOnly)):])
	if err != nil {
		return err
	}
	s := w.event.Start
	w.event.Deleted = append(w.event.Deleted, time.Date(day.Year(), day.Month(), day.Day(), s.Hour(), s.Minute(), s.Second(), 0, s.Location()))
	return nil
}

// except adds an occurrence that takes place otherwise.
func (w *written) except(x event) {
	inner := &written{zone: w.zone}
	if x.AllDay != w.event.AllDay {
		inner.zone = inner.zoneOf(x)
	}
	out := inner.single(x)
	out.Original = x.Original.In(w.event.Start.Location())
	if w.event.AllDay {
		out.Original = x.Original.UTC().Truncate(24 * time.Hour)
	}
	w.event.Exceptions = append(w.event.Exceptions, out)
	w.ids, w.attached = append(w.ids, x.ID), append(w.attached, x.hasFiles())
	w.notes = append(w.notes, inner.notes...)
}
