package putback_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
)

// event is a calendar of one event.
func event(more ...string) []byte {
	all := append([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:u", "SUMMARY:Meeting"}, more...)
	return lines(append(all, "END:VEVENT", "END:VCALENDAR")...)
}

// TestEventOfJSON: a series that the archive has as the server's JSON takes place at the
// same times again, in its zone, and nobody is invited.
func TestEventOfJSON(t *testing.T) {
	w := newWorld(t)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 10, 12, 9, 0, 0, 0, berlin) // summer time ends within it
	moved := graphtest.Event{Subject: "Moved", Start: start.AddDate(0, 0, 8), End: start.AddDate(0, 0, 8).Add(time.Hour), Zone: "W. Europe Standard Time"}
	before := w.box.Calendar("").Event(graphtest.Event{
		Subject: "Weekly", Body: "<html><body><p>Hi</p></body></html>", HTML: true, Start: start, End: start.Add(time.Hour), Zone: "W. Europe Standard Time", Place: "Room 1", Reminder: 15, ShowAs: "oof", Private: true, Categories: []string{"Red"},
		Organizer: graphtest.Address{Name: "Bea", Address: "bea@fabrikam.example"}, Attendees: []graphtest.Attendee{{Address: graphtest.Address{Name: "Cyd <x>", Address: "cyd@fabrikam.example"}, Response: "accepted"}},
		Recurrence: &graphtest.Recurrence{Type: "weekly", Days: []time.Weekday{time.Monday}, Count: 5}, Exceptions: map[string]graphtest.Event{"2026-10-19": moved}, Deleted: []string{"2026-11-02"},
	})
	raw := w.get("events?$expand=exceptionOccurrences&$select=" + "id,subject,body,start,end,isAllDay,location,locations,categories,importance,sensitivity,showAs,isReminderOn,reminderMinutesBeforeStart,recurrence,attendees,organizer,originalStartTimeZone,cancelledOccurrences,iCalUId")
	item := outlook.Item{ID: before.ID(true), Raw: raw[strings.Index(string(raw), `[{`)+1 : len(raw)-2]}
	f := w.folder(outlook.Calendar, "Restored")
	done := w.put(f, item, event("DTSTART:20261012T070000Z", "DTEND:20261012T080000Z", "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.txt:aGVsbG8="))
	if len(done.Notes) != 0 {
		t.Error(done.Notes)
	}
	got := w.inside(f)[0].Meeting()
	if got.Subject != "Weekly" || got.Place != "Room 1" || got.Reminder != 15 || got.ShowAs != "oof" || !got.Private || !slices.Equal(got.Categories, []string{"Red"}) || len(got.Attendees) != 0 || got.Zone != "W. Europe Standard Time" || len(got.Attachments) != 1 {
		t.Errorf("%+v", got)
	}
	if !strings.HasPrefix(got.Body, "<html><body><p>Hi</p><hr>") || !strings.Contains(got.Body, "Attendee: Cyd &lt;x&gt; &lt;cyd@fabrikam.example&gt; (required, accepted)") || !strings.Contains(got.Body, "Organizer: Bea") || !strings.HasSuffix(got.Body, "</body></html>") {
		t.Error(got.Body)
	}
	const view = "/instances?startDateTime=2026-10-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z&$top=100"
	if was, is := times(w, "events/"+url.PathEscape(before.ID(true))+view), times(w, "events/"+url.PathEscape(done.ID)+view); len(was) != 4 || !slices.Equal(was, is) {
		t.Errorf("%v, were %v", is, was)
	}
}

func times(w *world, path string) (all []string) {
	for _, x := range w.json(path)["value"].([]any) {
		m := x.(map[string]any)
		all = append(all, fmt.Sprint(m["subject"], m["start"], m["end"]))
	}
	return all
}

// TestRules: what Outlook has a pattern for takes place on those days.
func TestRules(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Calendar, "Restored")
	for n, c := range []struct {
		start, rule, days string
		all               bool
	}{
		{"20261012T090000", "FREQ=DAILY;INTERVAL=2;COUNT=3", "10-12 10-14 10-16", false},
		{"20261012T090000", "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261019T070000Z", "10-12 10-14 10-19", false},
		{"20261012T090000", "FREQ=WEEKLY;COUNT=2", "10-12 10-19", false},
		{"20261012T090000", "FREQ=MONTHLY;COUNT=2", "10-12 11-12", false},
		{"20261012T090000", "FREQ=MONTHLY;BYDAY=2MO;COUNT=2", "10-12 11-09", false},
		{"20261030T090000", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", "10-30 11-30", false},
		{"20261012T090000", "FREQ=YEARLY;COUNT=2", "10-12 10-12", false},
		{"20261012T090000", "FREQ=YEARLY;BYMONTH=10;BYDAY=2MO;COUNT=2", "10-12 10-11", false},
		{"20261012", "FREQ=DAILY;COUNT=2", "10-12 10-13", true},
		{"20261012", "FREQ=DAILY;COUNT=3\r\nEXDATE;VALUE=DATE:20261013", "10-12 10-14", true},
		{"20261012T233000", "FREQ=DAILY;COUNT=3\r\nEXDATE;TZID=Europe/Berlin:20261013T233000", "10-12 10-14", false},
	} {
		begin := "DTSTART;TZID=Europe/Berlin:" + c.start
		if c.all {
			begin = "DTSTART;VALUE=DATE:" + c.start
		}
		done := w.put(f, outlook.Item{ID: fmt.Sprint(n)}, event(begin, "RRULE:"+c.rule))
		var days []string
		for _, x := range w.json("events/" + url.PathEscape(done.ID) + "/instances?startDateTime=2026-10-01T00:00:00Z&endDateTime=2027-12-01T00:00:00Z&$top=100")["value"].([]any) {
			days = append(days, x.(map[string]any)["start"].(map[string]any)["dateTime"].(string)[5:10])
		}
		if got := strings.Join(days, " "); got != c.days || len(done.Notes) != 0 {
			t.Errorf("%s: %s, want %s; %v", c.rule, got, c.days, done.Notes)
		}
	}
}

// TestEventsApart: what Outlook cannot say is said, and nothing is lost.
func TestEventsApart(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Calendar, "Restored")
	for name, c := range map[string]struct {
		text []byte
		note string
		file string
	}{
		"dates":    {event("DTSTART:20261012T090000Z", "RDATE:20261015T090000Z"), "a way that Outlook cannot say", "series.ics"},
		"zone":     {event("DTSTART;TZID=Nowhere:20261012T090000", "DTEND;TZID=Nowhere:20261012T100000"), "", ""},
		"floating": {event("DTSTART:20261012T090000"), "no zone of time", ""},
	} {
		before := len(w.inside(f))
		done := w.put(f, outlook.Item{ID: name}, c.text)
		e := w.inside(f)[before].Meeting()
		if c.note != "" && !strings.Contains(fmt.Sprint(done.Notes), c.note) {
			t.Errorf("%s: %v", name, done.Notes)
		}
		if c.file != "" && (len(e.Attachments) != 1 || e.Attachments[0].Name != c.file || string(e.Attachments[0].Content) != string(c.text)) {
			t.Errorf("%s: %+v", name, e.Attachments)
		}
	}
	// a change that is refused is said
	w.n.Fail(graphtest.Fault{Status: 400, Code: "ErrorOccurrenceCrossingBoundary", Match: func(r *http.Request) bool { return r.Method == "PATCH" }})
	done := w.put(f, outlook.Item{ID: "crossing"}, things()["series"].content)
	if !strings.Contains(fmt.Sprint(done.Notes), "2026-11-02 could not be put back: ErrorOccurrenceCrossingBoundary") {
		t.Error(done.Notes)
	}
	// a file that is too large to be read is attached to what the JSON says
	large := append(event("DTSTART:20261012T090000Z"), make([]byte, 13<<20)...)
	raw := []byte(`{"subject":"Large","start":{"dateTime":"2026-10-12T09:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-10-12T10:00:00.0000000","timeZone":"UTC"}}`)
	done = w.put(f, outlook.Item{ID: "large", Raw: raw}, large)
	all := w.inside(f)
	if e := all[len(all)-1].Meeting(); len(done.Notes) != 1 || len(e.Attachments) != 1 || len(e.Attachments[0].Content) != len(large) || e.Subject != "Large" {
		t.Errorf("%v %+v", done.Notes, e.Subject)
	}
	if _, err := w.tryPut(t.Context(), f, outlook.Item{ID: "none"}, []byte("no calendar")); err == nil || len(w.inside(f)) != len(all) {
		t.Error(err)
	}
}
