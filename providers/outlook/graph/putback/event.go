package putback

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/pst/pim"
)

// meeting is an event as it is put back.
type meeting struct {
	fields  map[string]any
	changes []change
	files   []pim.Attachment
	all     *section // the whole file, where it is to be attached
	zone    *time.Location
	days    bool // it takes whole days, whose times are midnight somewhere
	notes   []string
}

// section is a file that is attached as it is.
type section struct {
	name    string
	content io.ReaderAt
	size    int64
}

// change is what is otherwise at one time of a series: it was removed, or has other fields.
type change struct {
	at     time.Time // when it would begin
	day    string    // or the day on which it would, in the zone of the series
	fields map[string]any
	files  []pim.Attachment
}

// putEvent makes an event without attendees, then what hangs on it, and then what is
// otherwise at single times of a series.
func (t target) putEvent(ctx context.Context, item outlook.Item, content io.ReaderAt, size int64) (outlook.Restored, error) {
	m, err := readMeeting(item, content, size)
	if err != nil {
		return outlook.Restored{}, err
	}
	mark := t.marked(parts)
	more := len(m.changes)+len(m.files) > 0 || m.all != nil
	if !more {
		mark = t.marked(whole)
	}
	m.fields["singleValueExtendedProperties"] = []property{mark}
	m.fields["responseRequested"] = false
	// Graph makes no second event of the same transactionId, should a call that was lost
	// arrive after all.
	m.fields["transactionId"] = rand.Text()
	body, err := json.Marshal(m.fields)
	if err != nil {
		return outlook.Restored{}, fmt.Errorf("write the event: %w", err)
	}
	id, err := t.create(ctx, body)
	if err != nil || !more {
		return t.end(id, m.notes, err)
	}
	if err := t.complete(ctx, id, &m); err != nil {
		return outlook.Restored{}, t.fail(ctx, id, err)
	}
	return t.end(id, m.notes, t.close(ctx, id))
}

// complete adds what follows an event.
func (t target) complete(ctx context.Context, id string, m *meeting) error {
	there := 0
	if m.all != nil {
		f := file{name: m.all.name, media: "text/calendar", size: m.all.size}
		if err := t.attach(ctx, id, f, io.NewSectionReader(m.all.content, 0, m.all.size), there); err != nil {
			return err
		}
		there++
	}
	if err := t.attachAll(ctx, id, m.files, there, &m.notes); err != nil {
		return err
	}
	for _, removed := range []bool{true, false} { // a time that was moved may take the place of one that was removed
		for _, c := range m.changes {
			if removed != (c.fields == nil) {
				continue
			}
			if err := t.change(ctx, id, c, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t target) attachAll(ctx context.Context, id string, files []pim.Attachment, there int, notes *[]string) error {
	for _, a := range files {
		if a.Open == nil {
			continue // a link, which stands in the text
		}
		r, err := a.Open()
		if err != nil {
			*notes = append(*notes, fmt.Sprintf("the attachment %q cannot be read", a.Name))
			continue
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			*notes = append(*notes, fmt.Sprintf("the attachment %q cannot be read", a.Name))
			continue
		}
		f := file{name: named(a.Name, "attachment"), media: a.MediaType, contentID: a.ContentID, inline: a.ContentID != "", size: int64(len(raw))}
		if err := t.attach(ctx, id, f, bytes.NewReader(raw), there); err != nil {
			return err
		}
		there++
	}
	return nil
}

// change changes or removes one time of a series.
func (t target) change(ctx context.Context, series string, c change, m *meeting) error {
	if c.day == "" && c.at.IsZero() { // Graph knows no time of that year, and refuses the question
		m.notes = append(m.notes, "a time of the series that was changed is not put back, since nobody knows which")
		return nil
	}
	id, err := t.instance(ctx, series, c, m)
	if err != nil {
		return err
	}
	if c.fields == nil {
		if id == "" {
			return nil
		}
		err = t.r.remove(ctx, t.mailbox, t.path(id))
	} else if id == "" {
		m.notes = append(m.notes, "what was changed on "+c.when(m.zone)+" is not there: the series does not take place then")
		return nil
	} else {
		err = t.patch(ctx, id, c, &m.notes)
	}
	if err != nil && refused(err) {
		m.notes = append(m.notes, "what was changed on "+c.when(m.zone)+" could not be put back: "+code(err))
		return nil
	}
	return err
}

func (t target) patch(ctx context.Context, id string, c change, notes *[]string) error {
	body, err := json.Marshal(c.fields)
	if err != nil {
		return fmt.Errorf("write a time of the series: %w", err)
	}
	if err := t.r.client.JSON(ctx, t.mailbox, graph.Request{Method: http.MethodPatch, URL: t.path(id), Body: body}, nil); err != nil {
		return fmt.Errorf("change a time of the series: %w", err)
	}
	return t.attachAll(ctx, id, c.files, 0, notes)
}

func (c change) when(zone *time.Location) string {
	if c.day != "" {
		return c.day
	}
	return c.at.In(zone).Format(time.DateOnly)
}

// refused reports whether a call failed because of what it said.
func refused(err error) bool {
	var e *graph.Error
	return errors.As(err, &e) && (e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound || e.Status == http.StatusConflict || e.Status == http.StatusUnsupportedMediaType || e.Status == http.StatusRequestEntityTooLarge)
}

func code(err error) string {
	var e *graph.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return "for a reason that is in the log"
}

// instance finds a time of a series, or "".
func (t target) instance(ctx context.Context, series string, c change, m *meeting) (string, error) {
	at, zone := c.at, m.zone
	if m.days {
		zone = time.UTC
	}
	if c.day != "" {
		var err error
		if at, err = time.ParseInLocation(time.DateOnly, c.day, zone); err != nil {
			return "", nil
		}
	}
	const wide = 36 * time.Hour
	path := t.path(series) + "/instances?startDateTime=" + at.Add(-wide).UTC().Format("2006-01-02T15:04:05Z") + "&endDateTime=" + at.Add(wide).UTC().Format("2006-01-02T15:04:05Z") + "&$select=id,originalStart,start"
	for page, err := range t.r.client.Pages(ctx, t.mailbox, path) {
		if err != nil {
			return "", fmt.Errorf("list the times of the series: %w", err)
		}
		for _, raw := range page.Items {
			var x struct {
				ID       string    `json:"id"`
				Original time.Time `json:"originalStart"`
			}
			if err := json.Unmarshal(raw, &x); err != nil {
				return "", fmt.Errorf("list the times of the series: %w", err)
			}
			switch {
			case m.days && x.Original.Sub(at).Abs() < 12*time.Hour, c.day == "" && x.Original.Equal(c.at), c.day != "" && !m.days && x.Original.In(zone).Format(time.DateOnly) == c.day:
				return x.ID, nil
			}
		}
	}
	return "", nil
}

// readMeeting reads an event: the server's JSON where the archive has it, with what only
// the file says, or the file alone.
func readMeeting(item outlook.Item, content io.ReaderAt, size int64) (meeting, error) {
	e, err := readCalendar(content, size)
	raw := chosen(item.Raw, eventFields)
	switch {
	case raw["start"] != nil && raw["end"] != nil:
		m := ofRaw(item.Raw, raw, e)
		if e == nil {
			m.all = &section{"event.ics", content, size}
			m.notes = append(m.notes, "its file is too large or cannot be read: it is attached as “event.ics”, with what else hangs on the event")
		}
		return m, nil
	case e == nil:
		return meeting{}, keepwatch.Errorf(keepwatch.KindInvalid, "The event cannot be read from its file. It stays in the archive.").Because(poison(err))
	}
	m := ofEvent(e)
	if m.all != nil {
		m.all.content, m.all.size = content, size
	}
	return m, nil
}

func readCalendar(content io.ReaderAt, size int64) (*pim.Event, error) {
	if size > mostCalendar {
		return nil, fmt.Errorf("the calendar has %d bytes", size)
	}
	c, err := pim.ReadCalendar(io.NewSectionReader(content, 0, size))
	switch {
	case err != nil:
		return nil, err
	case len(c.Events) == 0:
		return nil, pim.ErrNoCalendar
	}
	return c.Events[0], nil
}

// withLines adds lines to the end of a body.
func withLines(body map[string]any, lines []string) map[string]any {
	if len(lines) == 0 {
		return body
	}
	out := map[string]any{"contentType": "text", "content": ""}
	for k, v := range body {
		out[k] = v
	}
	text, _ := out["content"].(string)
	if kind, _ := out["contentType"].(string); !strings.EqualFold(kind, "html") {
		out["content"] = strings.TrimLeft(strings.TrimRight(text, "\r\n")+"\r\n\r\n"+strings.Join(lines, "\r\n")+"\r\n", "\r\n")
		return out
	}
	for i, l := range lines {
		lines[i] = html.EscapeString(l)
	}
	list := "<hr><p>" + strings.Join(lines, "<br>\r\n") + "</p>\r\n"
	at := strings.LastIndex(strings.ToLower(text), "</body>")
	if at < 0 || len(strings.ToLower(text)) != len(text) {
		at = len(text)
	}
	out["content"] = text[:at] + list + text[at:]
	return out
}
