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

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
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
func (b *Box) event(ctx context.Context, mailbox string, item outlook.Item, t *turn) (outlook.Content, error) {
	out := outlook.Content{Form: outlook.ICS, Item: item}
	var e event
	var h *held
	known := len(item.Raw) > 0 && json.Unmarshal(item.Raw, &e) == nil
	if !known || e.Recurrence != nil {
		var err error
		if h, out.Notes, err = b.series(ctx, mailbox, item, t); err != nil {
			return outlook.Content{}, give(b.itemError(ctx, mailbox, item, err), err)
		}
		e = event{}
		if err := json.Unmarshal(h.raw, &e); err != nil {
			return outlook.Content{}, unreadable(err)
		}
		out.Item.Raw = h.whole()
		more, err := b.moreExceptions(ctx, mailbox, &e, int64(len(h.raw)), t)
		out.Notes = append(out.Notes, more...)
		if err != nil {
			fate := b.itemError(ctx, mailbox, item, err)
			if !errors.Is(fate, outlook.ErrPoison) {
				return outlook.Content{}, give(fate, err)
			}
			out.Notes = append(out.Notes, "Some of the changed occurrences of the series are not in it ("+why(err)+")")
		}
	}
	w, err := e.calendar(h)
	if err != nil {
		return outlook.Content{}, unreadable(err)
	}
	out.Notes = append(out.Notes, w.notes...)
	if w.event.UID == "" {
		w.event.UID = item.ID
	}
	files := w.texts
	for i, id := range w.ids {
		if !w.attached[i] {
			continue
		}
		if i == 0 {
			id = item.ID
		}
		some, notes, err := b.files(ctx, mailbox, item, of(mailbox, "events", id, "attachments"), t)
		if i > 0 && errors.Is(err, outlook.ErrGone) { // of the series nothing is said
			out.Notes = append(out.Notes, "What may be attached to a changed occurrence is not in it, because Microsoft 365 does not list it")
			continue
		}
		if err != nil {
			return outlook.Content{}, err
		}
		files[i] = append(files[i], some...)
		out.Notes = append(out.Notes, notes...)
	}
	var text bytes.Buffer
	if err := pim.WriteCalendar(&text, w.event); err != nil {
		return outlook.Content{}, unreadable(err)
	}
	out.Body = &sequence{parts: withFiles(text.Bytes(), files)}
	return out, nil
}

// series asks for an event with its exceptions. Where they are too long together, their texts
// are left at the server, and if that is not enough, the exceptions.
func (b *Box) series(ctx context.Context, mailbox string, item outlook.Item, t *turn) (*held, []string, error) {
	path := of(mailbox, "events", item.ID)
	all := with(path, "$select", eventFields+",exceptionOccurrences", "$expand", "exceptionOccurrences")
	h, err := b.readItem(ctx, mailbox, all, longPlan, t)
	if errors.Is(err, graph.ErrTooLarge) {
		h, err = b.readItem(ctx, mailbox, all, shortPlan, t)
	}
	var notes []string
	if errors.Is(err, graph.ErrTooLarge) {
		notes = append(notes, "The changed occurrences of the series are not in it, because they are too long together")
		h, err = b.readItem(ctx, mailbox, with(path, "$select", eventFields), shortPlan, t)
	}
	if err != nil {
		return nil, nil, err
	}
	return h, append(notes, h.tidy()...), nil
}

// moreExceptions reads the exceptions that did not fit into the answer. size is how many
// bytes are held already.
func (b *Box) moreExceptions(ctx context.Context, mailbox string, e *event, size int64, t *turn) (notes []string, err error) {
	if e.ExceptionsNext == "" {
		return nil, nil
	}
	if err := t.large(ctx); err != nil {
		return nil, err
	}
	for page, err := range b.client.PagesOf(ctx, mailbox, graph.Request{URL: e.ExceptionsNext, Longest: shortPlan, Limit: mostItem}) {
		if err != nil {
			return notes, err
		}
		for _, raw := range page.Items {
			if size += int64(len(raw)); size > mostItem {
				return append(notes, "Some of the changed occurrences of the series are not in it, because they are too long together"), nil
			}
			e.Exceptions = append(e.Exceptions, raw)
		}
		if len(page.Cut) > 0 && len(notes) == 0 {
			notes = append(notes, fmt.Sprintf("Texts of its changed occurrences that are longer than %s are not in it", keepwatch.FormatBytes(shortPlan)))
		}
	}
	return notes, nil
}

// written is an event that is being made of its JSON, with the ids of it and of its
// exceptions, and which of them have attachments.
type written struct {
	event    *pim.Event
	zone     *time.Location
	ids      []string
	attached []bool
	texts    [][]file // likewise: texts that are too long to stand in it
	notes    []string
}

func (w *written) note(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(w.notes, s) {
		w.notes = append(w.notes, s)
	}
}

// long puts the text of an event, if it is one that was left out, into a file beside it.
func (w *written) long(b *itemBody, h *held) []file {
	if !b.find(h) {
		return nil
	}
	f := file{attached: attached{Name: "text.txt"}, media: "text/plain", open: b.open}
	if strings.EqualFold(b.Type, "html") {
		f.Name, f.media = "text.html", "text/html"
	}
	w.note("Its text is long, and is attached to it as the file %q", f.Name)
	return []file{f}
}

// calendar makes the event, with its series. h has the texts that were left out.
func (e event) calendar(h *held) (*written, error) {
	if e.Start.local().IsZero() || e.End.local().IsZero() {
		return nil, errors.New("it has no start or no end")
	}
	w := &written{ids: []string{e.ID}}
	w.texts = [][]file{w.long(e.Body, h)}
	w.attached = []bool{e.hasFiles()}
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
		long := w.long(x.Body, h)
		w.except(x)
		w.texts = append(w.texts, long)
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
