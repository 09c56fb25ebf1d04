package pst_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	_ "time/tzdata"

	"keepwatch/pst"
	"keepwatch/pst/pim"
	"keepwatch/pst/psttest"
)

// The series that Outlook wrote, with its two exceptions and its deletion: what is
// made again from the values that were read of it is the same bytes.
func TestRealAppointment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.pst")
	if err := os.WriteFile(path, psttest.Outlook(t, "java-libpst-dist-list.pst"), 0o600); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range messages(t, opened(t, path)) {
		ps, err := m.Properties()
		if err != nil || ps.Text(pst.PidTagMessageClass) != "IPM.Appointment" {
			continue
		}
		found++
		e, err := pim.EventOf(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Exceptions) != 2 || len(e.Deleted) != 1 || len(e.Rules) != 1 || e.Rules[0].String() != "FREQ=WEEKLY;WKST=SU;BYDAY=TU" || e.Start.Location().String() != "America/Los_Angeles" ||
			!strings.HasPrefix(e.Exceptions[0].Body, "This is the appointment at 9") || e.Start.Format("15:04") != "08:00" || e.Exceptions[0].Start.Format("15:04") != "09:00" {
			t.Errorf("%+v", e)
		}
		again := writeAppointments(t, e)
		got, err := messages(t, opened(t, again))[0].Properties()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []pst.Named{pst.PidLidAppointmentRecur, pst.PidLidTimeZoneStruct, pst.PidLidCleanGlobalObjectId, pst.PidLidGlobalObjectId} {
			if want, got := ps.Bytes(k), got.Bytes(k); !bytes.Equal(want, got) {
				t.Errorf("%v: %x\nbecame\n%x", k, want, got)
			}
		}
		for _, k := range []pst.Key{pst.PidLidAppointmentStartWhole, pst.PidLidAppointmentEndWhole, pst.PidLidClipStart, pst.PidLidClipEnd, pst.PidLidRecurrencePattern, pst.PidLidReminderTime,
			pst.PidLidReminderSignalTime, pst.PidLidReminderDelta, pst.PidLidBusyStatus, pst.PidLidRecurrenceType, pst.PidTagIconIndex, pst.PidLidSideEffects, pst.PidLidCommonStart, pst.PidLidCommonEnd} {
			want, _ := ps.Get(k)
			if v, _ := got.Get(k); v != want {
				t.Errorf("%v: %v, want %v", k, v, want)
			}
		}
	}
	if found == 0 {
		t.Errorf("%d appointments", found)
	}
}

func writeAppointments(t *testing.T, events ...*pim.Event) string {
	t.Helper()
	var fills []func(pst.Sink) error
	for _, e := range events {
		fills = append(fills, e.Write)
	}
	return writtenItems(t, "Calendar", "IPF.Appointment", fills...)
}

// Appointments of all kinds come out of a file as they went in, and readpst finds
// them.
func TestAppointmentsThroughAFile(t *testing.T) {
	c, err := pim.ReadCalendar(strings.NewReader(strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0",
		"BEGIN:VEVENT", "UID:a", "SUMMARY:Single über", "DTSTART;TZID=Europe/Berlin:20260702T093000", "DTEND;TZID=Europe/Berlin:20260702T103000", "LOCATION:Room 1", "ORGANIZER;CN=Chef:mailto:chef@example.org", "ATTENDEE;CN=Anna;PARTSTAT=ACCEPTED:mailto:anna@example.org", "END:VEVENT",
		"BEGIN:VEVENT", "UID:b", "SUMMARY:Whole day", "DTSTART;VALUE=DATE:20260801", "DTEND;VALUE=DATE:20260803", "END:VEVENT",
		"BEGIN:VEVENT", "UID:c", "SUMMARY:Series", "DTSTART;TZID=America/New_York:20260302T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=10;BYDAY=MO,WE", "EXDATE;TZID=America/New_York:20260309T100000", "END:VEVENT",
		"BEGIN:VEVENT", "UID:c", "RECURRENCE-ID;TZID=America/New_York:20260316T100000", "SUMMARY:Moved", "DTSTART;TZID=America/New_York:20260317T120000", "DURATION:PT1H", "END:VEVENT",
		"BEGIN:VEVENT", "UID:d", "SUMMARY:Dates", "DTSTART:20260105T100000Z", "RDATE:20260110T100000Z", "END:VEVENT", "END:VCALENDAR"}, "\r\n")))
	if err != nil || len(c.Events) != 4 {
		t.Fatal(c, err)
	}
	path := writeAppointments(t, c.Events...)
	var text bytes.Buffer
	for i, m := range messages(t, opened(t, path)) {
		e, err := pim.EventOf(m)
		if err != nil {
			t.Fatal(err)
		}
		want := c.Events[i]
		if e.Subject != want.Subject || !e.Start.Equal(want.Start) || !e.End.Equal(want.End) || e.AllDay != want.AllDay || e.UID != want.UID || len(e.Exceptions) != len(want.Exceptions) {
			t.Errorf("%+v, want %+v", e, want)
		}
		if err := pim.WriteCalendar(&text, e); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(text.String(), "BEGIN:VEVENT"); n != 5 {
		t.Errorf("%d events in\n%s", n, text.String())
	}
	readpstCalendar(t, path)
}

// readpstCalendar holds what readpst says of the same file against what is known
// of it.
func readpstCalendar(t *testing.T, path string) {
	t.Helper()
	if _, err := exec.LookPath("readpst"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("readpst is not installed")
		}
		t.Skip("readpst is not installed")
	}
	out := t.TempDir()
	if b, err := exec.Command("readpst", "-j", "0", "-e", "-t", "a", "-o", out, path).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, b)
	}
	var all strings.Builder
	err := filepath.Walk(out, func(path string, info os.FileInfo, err error) error {
		if err == nil && strings.HasSuffix(path, ".ics") {
			b, readErr := os.ReadFile(path)
			all.Write(b)
			err = readErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(all.String(), "\r\n", "\n")
	for _, want := range []string{"SUMMARY:Single über", "LOCATION:Room 1", "DTSTART;VALUE=DATE-TIME:20260702T073000Z", "DTEND;VALUE=DATE-TIME:20260702T083000Z", "SUMMARY:Whole day", "SUMMARY:Series", "RRULE:FREQ=WEEKLY;COUNT=10;BYDAY=MO;WE", "SUMMARY:Dates"} { // libpst 0.6.76 joins days by semicolons
		if !strings.Contains(text, want) {
			t.Errorf("readpst does not say %q:\n%s", want, text)
		}
	}
}
