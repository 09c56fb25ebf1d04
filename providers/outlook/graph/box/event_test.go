package box

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
	"keepwatch/pst/pim"
)

func readEvent(t *testing.T, text string) *pim.Event {
	t.Helper()
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 75 {
			t.Errorf("a line of %d bytes: %.80q", len(line), line)
		}
	}
	c, err := pim.ReadCalendar(strings.NewReader(text))
	if err != nil || len(c.Events) != 1 || len(c.Notes) > 0 {
		t.Fatalf("%v %+v\n%s", err, c, text)
	}
	return c.Events[0]
}

func TestEventAsACalendar(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	e := graphtest.Event{
		Subject: "Review; of, all", Body: "<p>Bring\nthe <b>papers</b></p><p>Grüße</p>", HTML: true, Zone: "W. Europe Standard Time",
		Start: time.Date(2026, 7, 1, 10, 0, 0, 0, berlin), End: time.Date(2026, 7, 1, 11, 30, 0, 0, berlin), Place: "Room 1", Organizer: graphtest.Address{Name: "Bea", Address: "bea@fabrikam.example"},
		Attendees:  []graphtest.Attendee{{Address: graphtest.Address{Name: "Alis", Address: alis}, Response: "accepted"}, {Address: graphtest.Address{Address: "cid@fabrikam.example"}, Type: "optional", Response: "declined"}, {Address: graphtest.Address{Name: "Room 1", Address: "room1@contoso.example"}, Type: "resource"}},
		Categories: []string{"Red"}, Importance: "high", ShowAs: "oof", Private: true, Reminder: 15, UID: "040000008200E00074C5B7101A82E00800000000", OnlineURL: "https://teams.example/l/meetup?x=1",
	}
	item := w.b.Calendar("").Event(e)
	f := w.folder(outlook.Calendar, "Calendar")
	it := w.whole(f).items[item.ID(true)]
	if it.At != e.Start.UTC() || it.MessageID != e.UID || it.From != "Bea <bea@fabrikam.example>" || it.Importance != "high" {
		t.Errorf("%+v", it)
	}
	w.n.ForgetRequests()
	c, text, err := w.bring(it)
	if err != nil || len(c.Notes) > 0 || c.Form != outlook.ICS || len(w.n.Requests()) > 0 {
		t.Fatalf("%v %q, %d calls", err, c.Notes, len(w.n.Requests()))
	}
	got := readEvent(t, text)
	for _, x := range [][3]string{
		{"subject", got.Subject, e.Subject}, {"body", got.Body, "Bring the papers\nGrüße"}, {"html", got.HTML, e.Body}, {"place", got.Location, "Room 1"}, {"url", got.URL, e.OnlineURL}, {"uid", got.UID, e.UID},
		{"zone", got.Start.Location().String(), "Europe/Berlin"}, {"start", got.Start.Format(time.RFC3339), "2026-07-01T10:00:00+02:00"}, {"end", got.End.Format(time.RFC3339), "2026-07-01T11:30:00+02:00"},
		{"organizer", got.Organizer.Email, "bea@fabrikam.example"}, {"busy", fmt.Sprint(got.Busy, got.Importance, got.Sensitivity, *got.Reminder), fmt.Sprint(pim.OutOfOffice, pim.Important, pim.Private, 15*time.Minute)},
		{"attendees", fmt.Sprint(got.Attendees[0].Status, got.Attendees[1].Status, got.Attendees[1].Role, got.Attendees[2].Role), fmt.Sprint(pim.Accepted, pim.Declined, pim.Optional, pim.Resource)},
		{"categories", strings.Join(got.Categories, "|"), "Red"},
	} {
		if x[1] != x[2] {
			t.Errorf("%s: %q, want %q", x[0], x[1], x[2])
		}
	}
	if !strings.Contains(text, "BEGIN:VTIMEZONE") {
		t.Error("no VTIMEZONE")
	}
}

func TestDaysAndZones(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	day := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	whole := w.b.Calendar("").Event(graphtest.Event{Subject: "Holiday", AllDay: true, Start: day, End: day.AddDate(0, 0, 3), Zone: "W. Europe Standard Time", Cancelled: true})
	odd := w.b.Calendar("").Event(graphtest.Event{Subject: "Odd", Start: day.Add(9 * time.Hour), End: day.Add(10 * time.Hour), Zone: "tzone://Microsoft/Custom"})
	f := w.folder(outlook.Calendar, "Calendar")
	_, text := w.content(f, whole.ID(true))
	if got := readEvent(t, text); !got.AllDay || got.Start.Format(time.DateOnly) != "2026-12-24" || got.End.Format(time.DateOnly) != "2026-12-27" || got.Status != pim.Cancelled {
		t.Errorf("%+v", got)
	}
	c, text := w.content(f, odd.ID(true))
	if got := readEvent(t, text); !got.Start.Equal(day.Add(9*time.Hour)) || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "tzone://Microsoft/Custom") {
		t.Errorf("%+v %q", got, c.Notes)
	}
}

func TestEventWithFiles(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	at := time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	e := graphtest.Event{Subject: "Files", Start: at, End: at.Add(time.Hour), Body: "END:VEVENT\r\nEND:VEVENT", Recurrence: &graphtest.Recurrence{Type: "daily", Count: 5}, Attachments: []graphtest.Attachment{
		{Name: "Größe \"x\":;,.txt", Type: "text/plain", Content: []byte("hello")}, {Name: "big.bin", Size: 600_000}, {Name: "lost.bin", Size: 400_000}, {Name: "Inner", Message: &graphtest.Message{Subject: "Inner"}},
	}}
	x := e
	x.Recurrence, x.Subject, x.Start, x.End, x.Attachments = nil, "Moved", at.AddDate(0, 0, 2).Add(time.Hour), at.AddDate(0, 0, 2).Add(2*time.Hour), nil
	e.Exceptions = map[string]graphtest.Event{"2026-05-06": x}
	item := w.b.Calendar("").Event(e)
	f := w.folder(outlook.Calendar, "Calendar")
	it := w.whole(f).items[item.ID(true)]
	n := 0
	w.n.Fail(graphtest.Fault{Status: 500, Code: graphtest.CannotOpenAttachment, Match: func(r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/$value") {
			n++
		}
		return n == 3
	}})
	c, text, err := w.bring(it)
	if err != nil || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "lost.bin") {
		t.Fatalf("%v %q", err, c.Notes)
	}
	got := readEvent(t, text)
	var names []string
	for _, a := range got.Attachments {
		r, err := a.Open()
		if err != nil {
			t.Fatal(err)
		}
		data := new(strings.Builder)
		if _, err := fmt.Fprint(data, readAll(t, r)); err != nil {
			t.Fatal(err)
		}
		names = append(names, fmt.Sprintf("%s %s %d", a.Name, a.MediaType, data.Len()))
	}
	if want := []string{`Größe _x_:;,.txt text/plain 5`, "big.bin application/octet-stream 600000"}; !slices.Equal(names[:2], want) || !strings.HasPrefix(names[2], "Inner message/rfc822 ") {
		t.Errorf("%q", names)
	}
	if len(got.Exceptions) != 1 || got.Exceptions[0].Subject != "Moved" || len(got.Exceptions[0].Attachments) != 0 {
		t.Errorf("%+v", got.Exceptions)
	}
	var raw map[string]any
	if err := json.Unmarshal(c.Item.Raw, &raw); err != nil || raw["exceptionOccurrences"] == nil {
		t.Errorf("the raw JSON has no exceptions: %v", err)
	}
}

// TestOccurrenceFilesGone: a changed occurrence whose attachments are not listed does not cost
// its series.
func TestOccurrenceFilesGone(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	at := time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	e := graphtest.Event{Subject: "Series", Start: at, End: at.Add(time.Hour), Recurrence: &graphtest.Recurrence{Type: "daily", Count: 5}}
	x := graphtest.Event{Subject: "Moved", Start: at.AddDate(0, 0, 2).Add(time.Hour), End: at.AddDate(0, 0, 2).Add(2 * time.Hour), Attachments: []graphtest.Attachment{{Name: "a.txt", Content: []byte("a")}}}
	e.Exceptions = map[string]graphtest.Event{"2026-05-06": x}
	item := w.b.Calendar("").Event(e)
	f := w.folder(outlook.Calendar, "Calendar")
	it := w.whole(f).items[item.ID(true)]
	w.n.Fail(graphtest.Fault{Times: -1, Status: 404, Code: "ErrorItemNotFound", Match: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/attachments") }})
	c, _, err := w.bring(it)
	if err != nil || len(c.Notes) != 1 {
		t.Errorf("%v %q", err, c.Notes)
	}
}

// TestPoisonedSeries: a series that cannot be opened is gone, or poison, and no single event
// without its times.
func TestPoisonedSeries(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	cal, at := w.b.Calendar("Team"), time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	cal.Event(graphtest.Event{Subject: "Other", Start: at, End: at.Add(time.Hour)})
	item := cal.Event(graphtest.Event{Subject: "Series", Start: at, End: at.Add(time.Hour), Recurrence: &graphtest.Recurrence{Type: "daily"}})
	it := w.whole(w.folder(outlook.Calendar, "Team")).items[item.ID(true)]
	for code, want := range map[string]error{
		graphtest.CorruptData: outlook.ErrPoison, graphtest.ItemCorrupt: outlook.ErrPoison, graphtest.InternalError: outlook.ErrPoison, graphtest.AccessDenied: outlook.ErrPoison,
		graphtest.ContentConversion: outlook.ErrPoison, graphtest.ItemNotFound: outlook.ErrGone,
	} {
		item.Poison(graphtest.Poison{Code: code})
		if _, _, err := w.bring(it); !errors.Is(err, want) {
			t.Errorf("%s: %v", code, err)
		}
	}
	item.Poison(graphtest.Poison{})
	item.Delete()
	if _, _, err := w.bring(it); !errors.Is(err, outlook.ErrGone) {
		t.Errorf("deleted: %v", err)
	}
}

// TestManyExceptions: those that come on further pages are not forgotten.
func TestManyExceptions(t *testing.T) {
	var e event
	if err := json.Unmarshal([]byte(`{"id":"1","exceptionOccurrences":[{"id":"a"}],"exceptionOccurrences@odata.nextLink":"https://x/next"}`), &e); err != nil || e.ExceptionsNext != "https://x/next" || len(e.Exceptions) != 1 {
		t.Fatalf("%+v %v", e, err)
	}
}

// more is a transport that puts a link to further exceptions into the answer of a series, and
// answers there.
type more struct {
	http.RoundTripper
	answer func() *http.Response
}

func (m more) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Has("more") {
		return m.answer(), nil
	}
	a, err := m.RoundTripper.RoundTrip(r)
	if err != nil || !strings.Contains(r.URL.RawQuery, "exceptionOccurrences") {
		return a, err
	}
	data, err := io.ReadAll(a.Body)
	if err != nil {
		return nil, err
	}
	link := *r.URL
	link.RawQuery = "more=1"
	data = append([]byte(`{"exceptionOccurrences@odata.nextLink":"`+link.String()+`",`), data[1:]...)
	a.Header.Del("Content-Length")
	a.Body, a.ContentLength = io.NopCloser(bytes.NewReader(data)), -1
	return a, nil
}

// TestMoreExceptionsLost: further exceptions that cannot be had do not cost the series.
func TestMoreExceptionsLost(t *testing.T) {
	for name, body := range map[string]struct {
		status int
		text   string
		notes  int
	}{
		"there":     {200, `{"value":[{"id":"x","subject":"Moved","originalStart":"2026-05-06T08:00:00Z","start":{"dateTime":"2026-05-06T09:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-05-06T10:00:00","timeZone":"UTC"}}]}`, 0},
		"corrupt":   {500, `{"error":{"code":"ErrorCorruptData","message":"Data is corrupt."}}`, 1},
		"too large": {200, `{"value":[{"id":"x","all":[` + strings.Repeat("1,", mostItem/2) + `1]}]}`, 1},
	} {
		w := newWorld(t, graphtest.Options{})
		at := time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
		item := w.b.Calendar("").Event(graphtest.Event{Subject: "Series", Start: at, End: at.Add(time.Hour), Recurrence: &graphtest.Recurrence{Type: "daily", Count: 5}})
		it := w.whole(w.folder(outlook.Calendar, "Calendar")).items[item.ID(true)]
		client, err := graph.New(graph.Config{Tenant: graphtest.DefaultTenant, Client: appID, Secret: keepwatch.NewSecret(secret), GraphURL: w.n.URL + "/v1.0", LoginURL: w.n.LoginURL, Clock: w.clk,
			Transport: more{w.n.Client().Transport, func() *http.Response {
				return &http.Response{StatusCode: body.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body.text))}
			}}})
		if err != nil {
			t.Fatal(err)
		}
		if w.box, err = New(Config{Client: client}); err != nil {
			t.Fatal(err)
		}
		c, text, err := w.bring(it)
		if err != nil || len(c.Notes) != body.notes || !strings.Contains(text, "RRULE") || strings.Contains(text, "SUMMARY:Moved") != (body.notes == 0) {
			t.Errorf("%s: %v, %q\n%s", name, err, c.Notes, text)
		}
		leave, err := client.Large(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leave()
	}
}

func TestRulesThatAreNone(t *testing.T) {
	for _, text := range []string{
		`{"pattern":{"type":"hourly"},"range":{"type":"noEnd"}}`, `{"pattern":{"type":"daily","interval":1},"range":{"type":"numbered","numberOfOccurrences":0}}`,
		`{"pattern":{"type":"daily"},"range":{"type":"endDate","endDate":"soon"}}`, `{"pattern":{"type":"relativeMonthly","index":"fifth","daysOfWeek":["monday"]},"range":{"type":"noEnd"}}`,
		`{"pattern":{"type":"relativeMonthly","index":"first"},"range":{"type":"noEnd"}}`, `{"pattern":{"type":"weekly","daysOfWeek":["someday"]},"range":{"type":"noEnd"}}`,
	} {
		var e event
		if err := json.Unmarshal([]byte(`{"id":"1","start":{"dateTime":"2026-01-01T10:00:00"},"end":{"dateTime":"2026-01-01T11:00:00"},"recurrence":`+text+`}`), &e); err != nil {
			t.Fatal(err)
		}
		if _, err := e.calendar(nil); err == nil {
			t.Errorf("%s makes a rule", text)
		}
	}
}

func readAll(t *testing.T, r interface{ Read([]byte) (int, error) }) string {
	t.Helper()
	var b strings.Builder
	for buf := make([]byte, 4096); ; {
		n, err := r.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}
