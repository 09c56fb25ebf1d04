package pst_test

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/pim"
	"keepwatch/pst/writer"
)

// series are rules of recurrence, and what libpst makes of the pattern that an item has
// for each. libpst has no UNTIL: of a series that ends on a day it tells the number of
// occurrences, which the pattern has too, so that this is checked. What libpst 0.6.76
// writes is not always a rule: it joins the days of BYDAY with ";", tells the week of a
// month as BYSETPOS with 5 for the last, and a yearly rule without its interval, whose years
// it adds to the month: in a pattern of every second year March of the second is the
// month 15 of the period, as [MS-OXOCAL] 2.2.1.44.1.1 has it in FirstDateTime.
var series = []struct{ start, rule, readpst string }{
	{"20260105T090000", "FREQ=DAILY;COUNT=5;INTERVAL=3", "FREQ=DAILY;COUNT=5;INTERVAL=3"},
	{"20260105T090000", "FREQ=DAILY;UNTIL=20260114T090000", "FREQ=DAILY;COUNT=10"},
	{"20260105T090000", "FREQ=DAILY", "FREQ=DAILY"},
	{"20260105T090000", "FREQ=WEEKLY;COUNT=6;BYDAY=MO,WE,FR", "FREQ=WEEKLY;COUNT=6;BYDAY=MO;WE;FR"},
	{"20260106T090000", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"},
	{"20260106T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU", "FREQ=WEEKLY;COUNT=4;INTERVAL=2;BYDAY=TU"},
	{"20260105T090000", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY;BYDAY=MO;TU;WE;TH;FR"},
	{"20260104T090000", "FREQ=WEEKLY;COUNT=4;BYDAY=SU,SA", "FREQ=WEEKLY;COUNT=4;BYDAY=SU;SA"},
	{"20260105T090000", "FREQ=WEEKLY;UNTIL=20260301T090000;BYDAY=MO", "FREQ=WEEKLY;COUNT=8;BYDAY=MO"},
	{"20260115T090000", "FREQ=MONTHLY;COUNT=7;BYMONTHDAY=15", "FREQ=MONTHLY;COUNT=7;BYMONTHDAY=15"},
	{"20260115T090000", "FREQ=MONTHLY;INTERVAL=3", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15"},
	{"20260113T090000", "FREQ=MONTHLY;COUNT=4;BYDAY=2TU", "FREQ=MONTHLY;COUNT=4;BYSETPOS=2;BYDAY=TU"},
	{"20260130T090000", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYSETPOS=5;BYDAY=FR"},
	{"20260314T090000", "FREQ=YEARLY;COUNT=3", "FREQ=YEARLY;COUNT=3;BYMONTHDAY=14;BYMONTH=3"},
	{"20260314T090000", "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=14", "FREQ=YEARLY;BYMONTHDAY=14;BYMONTH=3"},
	{"20261126T090000", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "FREQ=YEARLY;BYMONTH=11;BYSETPOS=4;BYDAY=TH"},
	{"20260314T090000", "FREQ=YEARLY;INTERVAL=2;COUNT=4", "FREQ=YEARLY;COUNT=4;BYMONTHDAY=14;BYMONTH=15"},
	{"20261225T090000", "FREQ=YEARLY;UNTIL=20301231T000000", "FREQ=YEARLY;COUNT=5;BYMONTHDAY=25;BYMONTH=12"},
}

// TestReadersReadSeries: the pattern of a series is what libpst reads.
func TestReadersReadSeries(t *testing.T) {
	var events []*pim.Event
	for _, s := range series {
		text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:" + s.rule + "\r\nSUMMARY:" + s.rule +
			"\r\nDTSTART:" + s.start + "Z\r\nDURATION:PT1H\r\nRRULE:" + strings.Replace(s.rule, "T090000", "T090000Z", 1) + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
		c, err := pim.ReadCalendar(strings.NewReader(text))
		if err != nil || len(c.Events) != 1 {
			t.Fatalf("%s: %v", s.rule, err)
		}
		events = append(events, c.Events[0])
	}
	file, _ := createEvents(t, events)
	got := withReadpst(t, file).Files
	for i, s := range series {
		start, err := time.Parse("20060102T150405", s.start)
		if err != nil {
			t.Fatal(err)
		}
		e := icsFields(got[fmt.Sprintf("Calendar/%d.ics", i+1)])
		want := []string{s.readpst, start.Format("20060102T150405Z"), start.Add(time.Hour).Format("20060102T150405Z")}
		if found := []string{e["RRULE"], e["DTSTART"], e["DTEND"]}; !slices.Equal(found, want) {
			t.Errorf("%s: libpst reads %q, not %q", s.rule, found, want)
		}
	}
}

// TestReadersReadEvents: each property of each event of the samples, exceptions of a
// series among them, is what libpff and go-pst find; and libpst's iCalendar says what
// the event says.
func TestReadersReadEvents(t *testing.T) {
	var events []*pim.Event
	for _, dir := range []string{"alarms", "calendars", "events", "timezones"} {
		samples := samplesOf(t, "icalendar-BSD2", dir, "*.ics")
		for _, name := range slices.Sorted(maps.Keys(samples)) {
			c, err := pim.ReadCalendar(bytes.NewReader(samples[name]))
			if err != nil {
				t.Logf("%s/%s is no calendar: %v", dir, name, err)
				continue
			}
			events = append(events, c.Events...)
		}
	}
	t.Logf("%d events", len(events))
	file, want := createEvents(t, events)
	sound(t, file, len(events))
	pff, goPST := rawByID(withPffexport(t, file)), rawByID(withGoPST(t, file))
	for _, k := range want {
		id := k.Properties.Text(pst.PidTagInternetMessageId)
		sameProperties(t, "pffexport", k, pff[id], true)
		sameProperties(t, "go-pst", k, goPST[id], false)
	}
	t.Run("pst-extractor", func(t *testing.T) { sameExtracted(t, "PSTAppointment", want, withPSTExtractor(t, file, "values")) })
	got := withReadpst(t, file).Files
	if len(got) != len(events) {
		t.Errorf("libpst finds %d events, there are %d", len(got), len(events))
	}
	for i, e := range events {
		if body := want[i].Properties.Text(pst.PidTagBody); !strings.HasPrefix(strings.ReplaceAll(body, "\r\n", "\n"), e.Body) {
			t.Errorf("the text of the event %d, %q, does not begin with %q", i, body, e.Body)
		}
		found := icsFields(got[fmt.Sprintf("Calendar/%d.ics", i+1)])
		if found["RRULE"] != "" {
			found["RRULE"] = "a rule"
		}
		if diff := gocmp.Diff(readpstEvent(e, want[i]), found); diff != "" {
			t.Errorf("the event %d, %s (- is right):\n%s", i, e.Subject, diff)
		}
	}
}

// TestReadersReadTasks: each property of each task of the samples, and of some that have all
// fields, is what libpff, go-pst and pst-extractor find.
func TestReadersReadTasks(t *testing.T) {
	tasks := manyTasks()
	made := len(tasks)
	samples := samplesOf(t, "icalendar-BSD2", "calendars", "*.ics")
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		for task, err := range pim.ReadTasks(bytes.NewReader(samples[name])) {
			if err == nil {
				tasks = append(tasks, task)
			}
		}
	}
	if len(tasks) == made {
		t.Fatal("the samples have no tasks")
	}
	t.Logf("%d tasks", len(tasks))
	writes := make([]func(pst.Sink) error, len(tasks))
	for i, task := range tasks {
		writes[i] = task.Write
	}
	file, want := createItems(t, "Tasks", "IPF.Task", writes)
	sound(t, file, len(tasks))
	pff, goPST := rawByID(withPffexport(t, file)), rawByID(withGoPST(t, file))
	for _, k := range want {
		id := k.Properties.Text(pst.PidTagInternetMessageId)
		sameProperties(t, "pffexport", k, pff[id], true)
		sameProperties(t, "go-pst", k, goPST[id], false)
	}
	t.Run("pst-extractor", func(t *testing.T) { sameExtracted(t, "PSTTask", want, withPSTExtractor(t, file, "values")) })
}

// createEvents writes events into a calendar, and keeps what they gave.
func createEvents(t testing.TB, events []*pim.Event) (string, []*keptItem) {
	t.Helper()
	writes := make([]func(pst.Sink) error, len(events))
	for i, e := range events {
		writes[i] = e.Write
	}
	return createItems(t, "Calendar", "IPF.Appointment", writes)
}

// createItems writes items into a folder, each with an id by which it is found again, and
// keeps what they gave.
func createItems(t testing.TB, folder, class string, writes []func(pst.Sink) error) (string, []*keptItem) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "items.pst")
	w, err := writer.Create(path, fixedOptions())
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.Root().Folder(folder, class)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]*keptItem, len(writes))
	for i, write := range writes {
		if err := d.Add(keeping(withID(i, write), &all[i])); err != nil {
			t.Fatalf("item %d: %v", i, err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path, all
}

// icsFields are those of an event in libpst's iCalendar that do not come from elsewhere.
func icsFields(text string) map[string]string {
	fields := map[string]string{}
	inAlarm := false
	for l := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimRight(l, "\r\n"), ":")
		name, _, _ = strings.Cut(name, ";")
		switch name {
		case "BEGIN":
			inAlarm = value == "VALARM"
		case "SUMMARY", "DTSTART", "DTEND", "LOCATION", "STATUS", "TRANSP", "RRULE", "TRIGGER":
			fields[name] = value
		case "DESCRIPTION":
			if !inAlarm {
				fields[name] = value
			}
		}
	}
	return fields
}

// readpstEvent is what libpst ought to say of an event. Of a series the rule is
// compared elsewhere. The text of an item may say more than that of the event: that
// Outlook has no pattern for it.
func readpstEvent(e *pim.Event, k *keptItem) map[string]string {
	fields := map[string]string{"DTSTART": e.Start.UTC().Format("20060102T150405Z"), "DTEND": e.End.UTC().Format("20060102T150405Z")}
	for name, text := range map[string]string{"SUMMARY": e.Subject, "DESCRIPTION": k.Properties.Text(pst.PidTagBody), "LOCATION": e.Location} {
		if text != "" {
			fields[name] = cardEscaped(text)
		}
	}
	switch e.Busy {
	case pim.Free:
		fields["TRANSP"], fields["STATUS"] = "TRANSPARENT", "CONFIRMED"
	case pim.Tentative:
		fields["STATUS"] = "TENTATIVE"
	case pim.Occupied, pim.OutOfOffice:
		fields["STATUS"] = "CONFIRMED"
	}
	if e.Reminder != nil {
		fields["TRIGGER"] = fmt.Sprintf("-PT%dM", int(e.Reminder.Minutes()))
	}
	if k.Properties.Bool(pst.PidLidRecurring) {
		fields["RRULE"] = "a rule"
	}
	return fields
}
