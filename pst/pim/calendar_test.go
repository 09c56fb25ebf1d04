package pim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"keepwatch/pst"
	"keepwatch/pst/psttest"

	"github.com/google/go-cmp/cmp"
)

// calendarSamples gives the texts that lie beside the project.
func calendarSamples(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	root := psttest.Sample(t, "mail", "icalendar-BSD2")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".ics" {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(all) < 100 {
		t.Fatal(len(all), err)
	}
	return all
}

// sameEvents compares events: moments with the names of their zones, contents of
// attachments, and of a rule its text.
var sameEvents = cmp.Options{
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location().String() == b.Location().String() }),
	cmp.Comparer(func(a, b Attachment) bool {
		return a.Name == b.Name && a.MediaType == b.MediaType && a.URL == b.URL && a.ContentID == b.ContentID && contentOf(a) == contentOf(b)
	}),
	cmp.Comparer(func(a, b Rule) bool { return a.String() == b.String() }),
}

func contentOf(a Attachment) string {
	if a.Open == nil {
		return ""
	}
	r, err := a.Open()
	if err != nil {
		return err.Error()
	}
	b, err := io.ReadAll(r)
	return fmt.Sprint(string(b), err)
}

func readCalendar(t testing.TB, text string) *Calendar {
	t.Helper()
	c, err := ReadCalendar(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// calendarOf wraps the lines of events.
func calendarOf(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"
}

func oneEvent(t testing.TB, lines ...string) *Event {
	t.Helper()
	c := readCalendar(t, calendarOf(append(append([]string{"BEGIN:VEVENT"}, lines...), "END:VEVENT")...))
	if len(c.Events) != 1 {
		t.Fatalf("%d events, %q", len(c.Events), c.Notes)
	}
	return c.Events[0]
}

// throughItem writes an event into an item and reads it again.
func throughItem(t testing.TB, e *Event) *Event {
	t.Helper()
	got, err := EventOf(hold(t, e.Write))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// throughText writes an event as text and reads it again.
func throughText(t testing.TB, e *Event) *Event {
	t.Helper()
	var b bytes.Buffer
	if err := WriteCalendar(&b, e); err != nil {
		t.Fatal(err)
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\r\n"), "\r\n") {
		if len(l) > 75 || strings.ContainsAny(l, "\r\n") {
			t.Errorf("%q is no line", l)
		}
	}
	c := readCalendar(t, b.String())
	if len(c.Events) != 1 {
		t.Fatalf("%d events, %q, of\n%s", len(c.Events), c.Notes, b.String())
	}
	return c.Events[0]
}

func TestSamples(t *testing.T) {
	events, lost := 0, 0
	for path, data := range calendarSamples(t) {
		c, err := ReadCalendar(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, ErrNoCalendar) {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		if n := bytes.Count(data, []byte("BEGIN:VEVENT")); n > len(c.Events)+len(c.Notes) {
			t.Errorf("%s: of %d events, %d came and %d notes", path, n, len(c.Events), len(c.Notes))
		}
		for _, e := range c.Events {
			events++
			again := throughItem(t, e)
			if e.Source != nil {
				lost++
				continue
			}
			for _, back := range []*Event{again, throughText(t, again), throughText(t, e)} {
				if d := cmp.Diff(comparable(e), comparable(back), sameEvents); d != "" {
					t.Errorf("%s: %s", path, d)
				}
			}
		}
	}
	if events < 100 {
		t.Errorf("%d events of all samples", events)
	}
	t.Logf("%d events, %d of which keep their text", events, lost)
}

// comparable is an event without what neither form can hold as the other does: who
// of the attendees is asked to answer, the roles that an item does not tell apart, the end of a series
// that lies behind its last date, and the zone of whole days.
func comparable(e *Event) *Event {
	x := *e
	if x.UID == "" {
		x.UID = uidOf(x.cleanID())
	}
	x.Extra, x.Attendees, x.Exceptions, x.Rules, x.Dates, x.Deleted = nil, nil, nil, nil, nil, nil
	for _, s := range e.Extra {
		x.Extra = append(x.Extra, strings.ReplaceAll(s, "\r\n ", ""))
	}
	for _, a := range e.Attendees {
		a.RSVP = false
		switch a.Role {
		case Chair:
			a.Role = Required
		case Informed:
			a.Role = Optional
		}
		if e.Organizer != nil && strings.EqualFold(a.Email, e.Organizer.Email) {
			a.Status = 0
		}
		x.Attendees = append(x.Attendees, a)
	}
	for _, y := range e.Exceptions {
		z := comparable(y)
		z.UID = ""
		x.Exceptions = append(x.Exceptions, z)
	}
	dates, _ := e.localDates(400, e.Start.AddDate(10, 0, 0))
	if e.IsSeries() {
		x.Dates = dates
	}
	if x.AllDay {
		x.Start, x.End = local(x.Start), local(x.End)
		if !x.Original.IsZero() {
			x.Original = local(x.Original)
		}
	}
	if !x.Original.IsZero() {
		x.Original = x.Original.UTC()
	}
	return &x
}

func TestEventOfAllFields(t *testing.T) {
	text := []string{"UID:1@example.org", "SEQUENCE:3", "SUMMARY:Über\\, Plan; B", "LOCATION:Zimmer 1\\;2", "DESCRIPTION:line 1\\nline 2 " + strings.Repeat("long ", 30),
		"X-ALT-DESC;FMTTYPE=text/html:<p>line 1\\, &amp\\; 2</p>", "URL:https://example.org/a?b=c;d",
		"DTSTART;TZID=Europe/Berlin:20260326T090000", "DTEND;TZID=America/New_York:20260326T060000",
		"CREATED:20260101T000000Z", "LAST-MODIFIED:20260102T030405Z", "CLASS:PRIVATE", "PRIORITY:2", "STATUS:CONFIRMED",
		"CATEGORIES:a\\,b,Rot", "TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
		"ORGANIZER;CN=\"Chef, Der\":mailto:chef@example.org", "ATTENDEE;CN=Anna;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:anna@example.org",
		"ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=DECLINED:mailto:otto@example.org", "ATTENDEE;CUTYPE=ROOM;CN=Saal:mailto:saal@example.org",
		"ATTACH;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=text/plain;FILENAME=a.txt:aGVsbG8=", "ATTACH;FMTTYPE=text/html:https://example.org/agenda.html",
		"GEO:48.1;11.6", "X-UNKNOWN;P=\"a:b\":v",
		"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT30M", "DESCRIPTION:x", "END:VALARM",
		"BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-P1D", "SUMMARY:mail", "END:VALARM"}
	e := oneEvent(t, text...)
	half := 30 * time.Minute
	berlin, newYork := load("Europe/Berlin"), load("America/New_York")
	want := &Event{UID: "1@example.org", Sequence: 3, Subject: "Über, Plan; B", Location: "Zimmer 1;2", Body: "line 1\nline 2 " + strings.Repeat("long ", 30), HTML: "<p>line 1, &amp; 2</p>",
		URL: "https://example.org/a?b=c;d", Start: time.Date(2026, 3, 26, 9, 0, 0, 0, berlin), End: time.Date(2026, 3, 26, 6, 0, 0, 0, newYork),
		Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Modified: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Sensitivity: Private, Importance: Important, Status: Confirmed,
		Categories: []string{"a,b", "Rot"}, Busy: OutOfOffice, Reminder: &half, Organizer: &Attendee{Name: "Chef, Der", Email: "chef@example.org"},
		Attendees:   []Attendee{{Name: "Anna", Email: "anna@example.org", Role: Required, Status: Accepted, RSVP: true}, {Email: "otto@example.org", Role: Optional, Status: Declined}, {Name: "Saal", Email: "saal@example.org", Role: Resource}},
		Attachments: []Attachment{{Name: "a.txt", MediaType: "text/plain", Open: func() (io.Reader, error) { return strings.NewReader("hello"), nil }}, {Name: "agenda.html", MediaType: "text/html", URL: "https://example.org/agenda.html"}},
		Extra:       []string{"GEO:48.1;11.6", `X-UNKNOWN;P="a:b":v`, "BEGIN:VALARM\r\nACTION:EMAIL\r\nTRIGGER:-P1D\r\nSUMMARY:mail\r\nEND:VALARM"}}
	if d := cmp.Diff(want, e, sameEvents); d != "" {
		t.Fatal(d)
	}
	if d := cmp.Diff(e, throughText(t, e), sameEvents); d != "" {
		t.Error(d)
	}
	item := throughItem(t, e)
	if d := cmp.Diff(comparable(e), comparable(item), sameEvents); d != "" {
		t.Error(d)
	}
}

func TestPropertiesOfAnAppointment(t *testing.T) {
	e := oneEvent(t, "UID:x", "DTSTART;TZID=America/Los_Angeles:20160802T080000", "DURATION:PT30M", "SUMMARY:Test appointment", "RRULE:FREQ=WEEKLY;BYDAY=TU;WKST=SU",
		"EXDATE;TZID=America/Los_Angeles:20160906T080000", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM")
	h := hold(t, e.Write)
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	// As Outlook has them of the same series in the sample.
	for k, want := range map[pst.Key]any{
		pst.PidTagMessageClass: "IPM.Appointment", pst.PidTagIconIndex: int32(0x401), pst.PidLidBusyStatus: int32(2), pst.PidLidRecurring: true,
		pst.PidLidRecurrenceType: int32(2), pst.PidLidAppointmentStartWhole: at("2016-08-02T15:00:00Z"), pst.PidLidAppointmentEndWhole: at("2016-08-02T15:30:00Z"),
		pst.PidLidClipStart: at("2016-08-02T07:00:00Z"), pst.PidLidClipEnd: at("4500-09-01T06:59:00Z"), pst.PidLidAppointmentDuration: int32(30),
		pst.PidLidReminderSet: true, pst.PidLidReminderDelta: int32(15), pst.PidLidReminderTime: at("2016-08-02T15:00:00Z"), pst.PidLidReminderSignalTime: at("2016-08-02T14:45:00Z"),
		pst.PidLidCommonStart: at("2016-08-02T15:00:00Z"), pst.PidLidSideEffects: int32(0x171), pst.PidLidAppointmentStateFlags: int32(0),
		pst.PidLidRecurrencePattern: "every Tuesday from 8:00 AM to 8:30 AM", pst.PidLidIntendedBusyStatus: int32(-1),
	} {
		if got, _ := h.props.Get(k); !cmp.Equal(got, want) {
			t.Errorf("%v: %v, want %v", k, got, want)
		}
	}
	if got := h.props.Bytes(pst.PidLidTimeZoneStruct); fmt.Sprintf("%x", got) != "e001000000000000c4ffffff00000b00000001000200000000000000000000000300000002000200000000000000"+"0000" && len(got) != 48 {
		t.Errorf("%x", got)
	}
	if d := cmp.Diff(comparable(e), comparable(throughItem(t, e)), sameEvents); d != "" {
		t.Error(d)
	}
}

func TestExceptions(t *testing.T) {
	text := calendarOf("BEGIN:VEVENT", "UID:s", "SUMMARY:Series", "DTSTART;TZID=Europe/Berlin:20260302T100000", "DTEND;TZID=Europe/Berlin:20260302T110000", "RRULE:FREQ=WEEKLY;COUNT=10", "EXDATE;TZID=Europe/Berlin:20260309T100000", "END:VEVENT",
		"BEGIN:VEVENT", "UID:s", "RECURRENCE-ID:20260406T080000Z", "SUMMARY:Moved – später", "LOCATION:Elsewhere", "DESCRIPTION:other", "DTSTART;TZID=Europe/Berlin:20260407T150000", "DTEND;TZID=Europe/Berlin:20260407T153000", "END:VEVENT",
		"BEGIN:VEVENT", "UID:s", "RECURRENCE-ID;TZID=Europe/Berlin:20260330T100000", "STATUS:CANCELLED", "SUMMARY:Series", "DTSTART;TZID=Europe/Berlin:20260330T100000", "DTEND;TZID=Europe/Berlin:20260330T110000", "END:VEVENT")
	c := readCalendar(t, text)
	if len(c.Events) != 1 || len(c.Events[0].Exceptions) != 2 || len(c.Notes) != 0 {
		t.Fatalf("%+v", c)
	}
	e := c.Events[0]
	back := throughItem(t, e)
	if d := cmp.Diff(comparable(e), comparable(back), sameEvents); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(comparable(e), comparable(throughText(t, back)), sameEvents); d != "" {
		t.Error(d)
	}
	// A file whose attachments are lost still has what the blob says.
	h := hold(t, e.Write)
	h.attached = nil
	bare, err := EventOf(h)
	if err != nil || len(bare.Exceptions) != 2 || bare.Exceptions[1].Subject != "Moved – später" || bare.Exceptions[1].Location != "Elsewhere" || !bare.Exceptions[1].Start.Equal(e.Exceptions[1].Start) {
		t.Errorf("%+v %v", bare, err)
	}
}

func TestThisAndFuture(t *testing.T) {
	c := readCalendar(t, calendarOf("BEGIN:VEVENT", "UID:s", "SUMMARY:old", "DTSTART:20260105T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=10", "EXDATE:20260106T100000Z,20260112T100000Z", "END:VEVENT",
		"BEGIN:VEVENT", "UID:s", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260110T100000Z", "SUMMARY:new", "DTSTART:20260110T120000Z", "DURATION:PT1H", "END:VEVENT"))
	if len(c.Events) != 2 || len(c.Notes) != 1 {
		t.Fatalf("%+v", c)
	}
	days := func(e *Event) (s string) {
		all, _ := e.localDates(100, e.Start.AddDate(1, 0, 0))
		for _, d := range all {
			s += d.Format(" 2T15")
		}
		return e.Subject + s
	}
	if got := days(c.Events[0]) + "; " + days(c.Events[1]); got != "old 5T10 7T10 8T10 9T10; new 10T12 11T12 13T12 14T12" {
		t.Error(got)
	}
	if c.Events[0].UID == c.Events[1].UID {
		t.Error("both parts have one UID")
	}
}

// What Outlook has no pattern for is written day by day, and says so.
func TestSeriesWithoutAPattern(t *testing.T) {
	for _, c := range []struct {
		name, want string
		lines      []string
	}{
		{"two rules", "its 30 days", []string{"RRULE:FREQ=MONTHLY;BYMONTHDAY=5;COUNT=15", "RRULE:FREQ=MONTHLY;BYMONTHDAY=20;COUNT=16"}},
		{"dates of their own", "its 3 days", []string{"RDATE:20260110T100000Z,20260203T143000Z"}},
		{"positions", "its 24 days", []string{"RRULE:FREQ=MONTHLY;BYDAY=MO,WE,FR;BYSETPOS=1,3;COUNT=24"}},
		{"hours", "further times on the same days are not", []string{"RRULE:FREQ=DAILY;BYHOUR=10,16;COUNT=10"}},
		{"seconds", "further times", []string{"RRULE:FREQ=SECONDLY;INTERVAL=3600"}},
		{"day 31", "one by one", []string{"RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=20"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cal := readCalendar(t, calendarOf(append(append([]string{"BEGIN:VEVENT", "UID:u", "DTSTART:20260105T100000Z", "DURATION:PT1H"}, c.lines...), "END:VEVENT")...))
			e := cal.Events[0]
			if e.Source == nil || len(cal.Notes) != 1 || !strings.Contains(cal.Notes[0], c.want) {
				t.Fatalf("%q %q", e.Source, cal.Notes)
			}
			again := readCalendar(t, string(e.Source))
			if d := cmp.Diff(e.Rules, again.Events[0].Rules, sameEvents); d != "" {
				t.Error(d)
			}
			h := hold(t, e.Write)
			if last := h.attached[len(h.attached)-1]; last.props.Text(pst.PidTagAttachLongFilename) != "original.ics" || !bytes.Equal(last.content, e.Source) {
				t.Errorf("%v", last.props)
			}
			if !strings.Contains(h.props.Text(pst.PidTagBody), "one by one") {
				t.Error(h.props.Text(pst.PidTagBody))
			}
			back, err := EventOf(h)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := e.localDates(maxDates, e.Start.AddDate(maxYears, 0, 0))
			days := map[string]bool{}
			for _, d := range want {
				days[d.Format("2006-01-02")] = true
			}
			got, _ := back.localDates(2000, e.Start.AddDate(60, 0, 0))
			if len(got) != len(days) {
				t.Errorf("%d dates, want %d", len(got), len(days))
			}
			for _, d := range got {
				if !days[d.Format("2006-01-02")] {
					t.Errorf("%v is no date of the series", d)
				}
			}
		})
	}
}

func TestBrokenCalendars(t *testing.T) {
	for text, want := range map[string]string{
		"":                       ErrNoCalendar.Error(),
		"hello":                  ErrNoCalendar.Error(),
		"BEGIN:VCARD\nEND:VCARD": ErrNoCalendar.Error(),
	} {
		if _, err := ReadCalendar(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	c := readCalendar(t, calendarOf("BEGIN:VEVENT", "SUMMARY:no start", "END:VEVENT", "BEGIN:VEVENT", "DTSTART:20261399", "END:VEVENT", "BEGIN:VEVENT", "DTSTART:20260101T100000Z", "DTEND:20260101T090000Z", "RRULE:FREQ=NEVER", "END:VEVENT",
		"BEGIN:VJOURNAL", "SUMMARY:diary", "END:VJOURNAL", "BEGIN:VFREEBUSY", "END:VFREEBUSY", "BEGIN:VTODO", "SUMMARY:do", "END:VTODO"))
	if len(c.Events) != 1 || len(c.Tasks) != 1 || c.Tasks[0].Subject != "do" || len(c.Notes) != 6 {
		t.Errorf("%d events, %d tasks, %q", len(c.Events), len(c.Tasks), c.Notes)
	}
}

func FuzzReadCalendar(f *testing.F) {
	f.Add([]byte(calendarOf("BEGIN:VEVENT", "UID:s", "DTSTART;TZID=X:20260302T100000", "RRULE:FREQ=WEEKLY;COUNT=10", "END:VEVENT", "BEGIN:VTIMEZONE", "TZID:X", "BEGIN:STANDARD", "DTSTART:16010101T000000", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE")))
	f.Add([]byte("BEGIN:VEVENT\nDTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;BYWEEKNO=53;BYSETPOS=-1\nEND:VEVENT"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadCalendar(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, e := range c.Events {
			h := &heldItem{}
			if err := e.Write(h); err != nil {
				t.Fatal(err)
			}
			back, err := EventOf(h)
			if err != nil {
				t.Fatal(err)
			}
			if !back.AllDay && !back.Start.Equal(e.Start) {
				t.Errorf("%v became %v", e.Start, back.Start)
			}
			if err := WriteCalendar(io.Discard, e, back); err != nil {
				t.Fatal(err)
			}
		}
	})
}
