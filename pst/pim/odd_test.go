package pim

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
)

// starts gives the first dates of a series as an item has it, with those that take
// place otherwise marked.
func starts(e *Event, n int) string {
	all, _ := e.localDates(n, local(e.Start).AddDate(200, 0, 0))
	var out []string
	for _, t := range all {
		s := t.Format("2006-01-02 15:04")
		for _, x := range e.Exceptions {
			if midnight(local(x.Original.In(e.zone()))).Equal(midnight(t)) {
				s = "*" + x.Start.In(e.zone()).Format("2006-01-02 15:04")
			}
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// berlin is a zone as calendars of Outlook and Apple describe it.
var berlin = []string{"BEGIN:VTIMEZONE", "TZID:Europe/Berlin",
	"BEGIN:DAYLIGHT", "DTSTART:19700329T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT",
	"BEGIN:STANDARD", "DTSTART:19701025T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "END:STANDARD", "END:VTIMEZONE"}

// Series of real calendars that are easily read wrong. exact ones have a pattern of
// their own in Outlook, and nothing is attached to them.
func TestOddSeries(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string
		exact bool
	}{
		{"a birthday on 31 December", []string{"DTSTART;VALUE=DATE:19601231", "RRULE:FREQ=YEARLY"}, "1960-12-31 00:00, 1961-12-31 00:00, 1962-12-31 00:00", true},
		{"30 April of every second year", []string{"DTSTART:20240430T090000Z", "RRULE:FREQ=YEARLY;INTERVAL=2;BYMONTH=4;BYMONTHDAY=30;COUNT=3"}, "2024-04-30 09:00, 2026-04-30 09:00, 2028-04-30 09:00", true},
		{"31 January by months", []string{"DTSTART:20240131T090000Z", "RRULE:FREQ=MONTHLY;INTERVAL=12;COUNT=3"}, "2024-01-31 09:00, 2025-01-31 09:00, 2026-01-31 09:00", true},
		{"29 February", []string{"DTSTART:20240229T090000Z", "RRULE:FREQ=YEARLY;COUNT=3"}, "2024-02-29 09:00, 2028-02-29 09:00, 2032-02-29 09:00", false},
		{"day 31 of months", []string{"DTSTART:20240131T090000Z", "RRULE:FREQ=MONTHLY;COUNT=3"}, "2024-01-31 09:00, 2024-03-31 09:00, 2024-05-31 09:00", false},
		{"a start that is no date and deleted", []string{"DTSTART;TZID=Europe/Berlin:20240325T090000", "DTEND;TZID=Europe/Berlin:20240325T100000", "RRULE:FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4", "EXDATE;TZID=Europe/Berlin:20240325T090000"},
			"2024-03-26 09:00, 2024-03-28 09:00, 2024-04-02 09:00", false},
		{"a date before the start", []string{"DTSTART:20240325T090000Z", "RDATE:20240320T090000Z", "RRULE:FREQ=WEEKLY;COUNT=2"}, "2024-03-20 09:00, 2024-03-25 09:00, 2024-04-01 09:00", false},
		{"whole days deleted as midnight in UTC", []string{"DTSTART;VALUE=DATE:20240401", "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20240408T000000Z"}, "2024-04-01 00:00, 2024-04-15 00:00", true},
		{"all deleted but one", []string{"DTSTART:20240325T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20240325T090000Z,20240327T090000Z"}, "2024-03-26 09:00", true},
		{"days deleted by date", []string{"DTSTART;TZID=Europe/Berlin:20240325T090000", "RRULE:FREQ=DAILY;COUNT=4", "EXDATE;VALUE=DATE:20240326,20240327"}, "2024-03-25 09:00, 2024-03-28 09:00", true},
		{"the second weekend day", []string{"DTSTART:20240303T090000Z", "RRULE:FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=2;COUNT=3"}, "2024-03-03 09:00, 2024-04-07 09:00, 2024-05-05 09:00", true},
		{"an end in local time", []string{"DTSTART;TZID=Europe/Berlin:20240330T090000", "RRULE:FREQ=DAILY;UNTIL=20240401T090000"}, "2024-03-30 09:00, 2024-03-31 09:00, 2024-04-01 09:00", true},
	} {
		for _, zone := range []string{"Europe/Berlin", "America/New_York", "Pacific/Auckland", "UTC"} {
			t.Run(c.name+"/"+zone, func(t *testing.T) {
				lines := append(append([]string{"X-WR-TIMEZONE:" + zone}, berlin...), "BEGIN:VEVENT", "UID:u", "SUMMARY:s")
				cal := readCalendar(t, calendarOf(append(append(lines, c.lines...), "END:VEVENT")...))
				e := cal.Events[0]
				if (e.Source == nil) != c.exact || (len(cal.Notes) == 0) != c.exact {
					t.Errorf("source %q, notes %q", e.Source, cal.Notes)
				}
				n := len(strings.Split(c.want, ", "))
				if strings.Contains(c.lines[1], "COUNT") || strings.Contains(c.lines[1], "UNTIL") {
					n += 3 // and no more than those
				}
				if got := starts(e, n); got != c.want {
					t.Errorf("read: %s, want %s", got, c.want)
				}
				h := hold(t, e.Write)
				item, err := EventOf(h)
				if err != nil {
					t.Fatal(err)
				}
				if got := starts(item, n); got != c.want {
					t.Errorf("item: %s, want %s", got, c.want)
				}
				if got := starts(throughText(t, item), n); got != c.want {
					t.Errorf("item as text: %s, want %s", got, c.want)
				}
				if id, old := item.UID, e.UID; id != old {
					t.Errorf("the UID is %q, was %q", id, old)
				}
				if id := h.props.Time(pst.PidLidClipStart); !id.Equal(in(midnight(local(item.Start)), item.zone())) {
					t.Errorf("it starts at %v, and is clipped at %v", item.Start, id)
				}
			})
		}
	}
}

// An exception of whole days that is named as midnight in UTC is one of that date.
func TestExceptionOfWholeDaysInUTC(t *testing.T) {
	lines := append([]string{"X-WR-TIMEZONE:America/New_York", "BEGIN:VEVENT", "UID:u", "DTSTART;VALUE=DATE:20240401", "RRULE:FREQ=WEEKLY;COUNT=3", "END:VEVENT"},
		"BEGIN:VEVENT", "UID:u", "RECURRENCE-ID:20240408T000000Z", "DTSTART;VALUE=DATE:20240409", "END:VEVENT")
	e := readCalendar(t, calendarOf(lines...)).Events[0]
	if got, want := starts(throughItem(t, e), 5), "2024-04-01 00:00, *2024-04-09 00:00, 2024-04-15 00:00"; got != want || e.Source != nil {
		t.Errorf("%s, want %s; %q", got, want, e.Source)
	}
}

// A pattern of whole years with a day that its month always has is told by that day,
// which every program reads.
func TestRuleOfWholeYears(t *testing.T) {
	e := throughItem(t, oneEvent(t, "DTSTART;VALUE=DATE:19601231", "RRULE:FREQ=YEARLY"))
	if got, want := e.Rules[0].String(), "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Apple has birthdays of which it does not know the year in 1604. That of 29 February
// must not have ended centuries ago.
func TestBirthdayOfNoYear(t *testing.T) {
	e := throughItem(t, oneEvent(t, "DTSTART;VALUE=DATE:16040229", "RRULE:FREQ=YEARLY"))
	all, _ := e.localDates(500, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	if !slices.Contains(all, time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the last of %d is %v", len(all), all[len(all)-1])
	}
}

func TestReminders(t *testing.T) {
	minutes := func(n int) *time.Duration { d := time.Duration(n) * time.Minute; return &d }
	for _, c := range []struct {
		alarm []string
		want  *time.Duration
		note  string
	}{
		{[]string{"ACTION:DISPLAY", "TRIGGER:-PT15M"}, minutes(15), ""},
		{[]string{"ACTION:DISPLAY", "TRIGGER:-PT15M30S"}, minutes(16), "30s earlier"},
		{[]string{"ACTION:NONE", "TRIGGER;VALUE=DATE-TIME:19760401T005500Z"}, nil, ""}, // Apple: none at all
		{[]string{"ACTION:NONE", "TRIGGER:-PT15M"}, nil, ""},
		{[]string{"ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:19760401T005545Z"}, nil, ""},
		{[]string{"ACTION:DISPLAY", "TRIGGER:PT9H"}, nil, "Outlook does not show it"},
		{[]string{"ACTION:EMAIL", "TRIGGER:-PT15M"}, nil, ""},
	} {
		lines := append(append([]string{"BEGIN:VEVENT", "UID:u", "DTSTART;VALUE=DATE:20240325", "BEGIN:VALARM"}, c.alarm...), "END:VALARM", "END:VEVENT")
		cal := readCalendar(t, calendarOf(lines...))
		e := cal.Events[0]
		if (e.Reminder == nil) != (c.want == nil) || c.want != nil && *e.Reminder != *c.want {
			t.Errorf("%q: %v", c.alarm, e.Reminder)
		}
		if got := strings.Join(cal.Notes, "\n"); !strings.Contains(got, c.note) || (got == "") != (c.note == "") {
			t.Errorf("%q: %q", c.alarm, got)
		}
		if kept := throughItem(t, e).Extra; c.want == nil && len(kept) != 1 {
			t.Errorf("%q is kept as %q", c.alarm, kept)
		}
	}
}

// Outlook asks to send the invitations of a meeting that it takes for one of its owner
// and not invited to yet: nobody shall send those of an old calendar again.
func TestMeetingsAreInvitedTo(t *testing.T) {
	for line, want := range map[string]bool{"ATTENDEE:mailto:a@example.org": true, "LOCATION:here": false} {
		h := hold(t, oneEvent(t, "DTSTART:20240325T090000Z", line).Write)
		if got := h.props.Bool(pst.PidLidFInvited); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// Whole days that are told by hours have whole days all the same where the clocks change.
func TestWholeDaysByHours(t *testing.T) {
	for lasts, want := range map[string]string{"PT24H": "2024-04-01", "P2D": "2024-04-02", "PT0S": "2024-04-01"} {
		e := readCalendar(t, calendarOf("X-WR-TIMEZONE:Europe/Berlin", "BEGIN:VEVENT", "DTSTART;VALUE=DATE:20240331", "DURATION:"+lasts, "END:VEVENT")).Events[0]
		if got := e.End.Format("2006-01-02T15:04"); got != want+"T00:00" {
			t.Errorf("%s: until %s", lasts, got)
		}
	}
}

func TestZonesByOffset(t *testing.T) {
	for name, want := range map[string]string{"GMT+0200": "07:00", "GMT-0500": "14:00", "UTC+3": "06:00", "UTC+05:30": "03:30", "UTC -3": "12:00", "Etc/GMT+2": "11:00",
		"\"tzone://Microsoft/Utc\"": "09:00", "tzone://Microsoft/Utc": "09:00", "GMT+99": "", "UTC+": "", "GMT+0200x": ""} {
		cal := readCalendar(t, calendarOf("BEGIN:VEVENT", "UID:u", "DTSTART;TZID="+name+":20240330T090000", "END:VEVENT"))
		if len(cal.Events) != 1 {
			t.Fatalf("%s: %q", name, cal.Notes)
		}
		e := cal.Events[0]
		if known := len(cal.Notes) == 0; known != (want != "") {
			t.Errorf("%s: %q", name, cal.Notes)
		}
		if got := throughItem(t, e).Start; want != "" && (got.UTC().Format("15:04") != want || got.Format("15:04") != "09:00") {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// An event without a UID has the same id wherever its pattern starts.
func TestIDOfAMovedStart(t *testing.T) {
	e := readCalendar(t, calendarOf("BEGIN:VEVENT", "DTSTART:20240325T090000Z", "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=4", "EXDATE:20240325T090000Z", "END:VEVENT")).Events[0]
	if got, want := throughItem(t, e).UID, uidOf(e.cleanID()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Before zones there were noons of towns, with seconds. A whole day begins at midnight
// all the same, by the rules that the item holds: Apple has birthdays in 1604.
func TestDaysBeforeZones(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Europe/Amsterdam", "Asia/Kolkata", "Africa/Monrovia", "UTC"} {
		for _, day := range []string{"16040229", "18500101", "19000101", "19100615", "19710101", "20240229"} {
			e := readCalendar(t, calendarOf("X-WR-TIMEZONE:"+zone, "BEGIN:VEVENT", "UID:u", "DTSTART;VALUE=DATE:"+day, "RRULE:FREQ=DAILY;COUNT=2", "END:VEVENT")).Events[0]
			h := hold(t, e.Write)
			d, err := parseZoneDefinition(h.props.Bytes(pst.PidLidAppointmentTimeZoneDefinitionStartDisplay))
			if err != nil {
				t.Fatal(err)
			}
			r := d.effective()
			at := h.props.Time(pst.PidLidAppointmentStartWhole)
			for _, bias := range []int32{r.Bias + r.Standard, r.Bias + r.Daylight} {
				if l := at.Add(-time.Duration(bias) * time.Minute); l.Equal(midnight(l)) && l.Format("20060102") == day {
					at = time.Time{}
				}
			}
			if !at.IsZero() {
				t.Errorf("%s in %s begins at %v", day, zone, at)
			}
			if got := throughItem(t, e).Start.Format("20060102T1504"); got != day+"T0000" {
				t.Errorf("%s in %s comes back as %s", day, zone, got)
			}
		}
	}
}

// Where texts were put together, a date of a series may have two changes: an item whose
// blob has more changes than deleted dates is a broken one ([MS-OXOCAL] 2.2.1.44.1).
func TestTwoChangesOfOneDate(t *testing.T) {
	change := func(n, subject string) []string {
		return []string{"BEGIN:VEVENT", "UID:u", "RECURRENCE-ID:20240326T090000Z", "SEQUENCE:" + n, "DTSTART:20240326T1" + n + "0000Z", "SUMMARY:" + subject, "END:VEVENT"}
	}
	lines := []string{"BEGIN:VEVENT", "UID:u", "DTSTART:20240325T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:s", "END:VEVENT"}
	for _, order := range [][]string{append(change("1", "old"), change("2", "new")...), append(change("2", "new"), change("1", "old")...)} {
		cal := readCalendar(t, calendarOf(append(lines[:len(lines):len(lines)], order...)...))
		if len(cal.Events) != 1 || len(cal.Notes) != 1 || !strings.Contains(cal.Notes[0], `"old" comes more than once`) {
			t.Fatalf("%d events, %q", len(cal.Events), cal.Notes)
		}
		e := cal.Events[0]
		if len(e.Exceptions) != 1 || e.Exceptions[0].Subject != "new" {
			t.Fatalf("%+v", e.Exceptions)
		}
		e.Exceptions = append(e.Exceptions, e.Exceptions[0]) // from a program
		h := hold(t, e.Write)
		a, err := parseAppointmentPattern(h.props.Bytes(pst.PidLidAppointmentRecur))
		if err != nil || len(a.Exceptions) != 1 || len(a.Deleted) != 1 || len(a.Modified) != 1 || len(h.attached) != 1 {
			t.Errorf("%v: %d exceptions, %d deleted, %d modified, %d attached", err, len(a.Exceptions), len(a.Deleted), len(a.Modified), len(h.attached))
		}
	}
}

// Some programs give all events one UID: none may be lost for that.
func TestOneUIDForAll(t *testing.T) {
	event := func(lines ...string) []string {
		return append(append([]string{"BEGIN:VEVENT", "UID:0"}, lines...), "END:VEVENT")
	}
	for _, c := range []struct {
		second []string
		events int
		note   string
	}{
		{[]string{"DTSTART:20240326T090000Z", "SUMMARY:a"}, 2, "both are taken"},
		{[]string{"DTSTART:20240325T090000Z", "SUMMARY:b"}, 2, "both are taken"},
		{[]string{"DTSTART:20240325T090000Z", "SUMMARY:a"}, 1, "more than once"},
		{[]string{"DTSTART:20240326T090000Z", "SUMMARY:a", "SEQUENCE:1"}, 1, "more than once"},
	} {
		cal := readCalendar(t, calendarOf(append(event("DTSTART:20240325T090000Z", "SUMMARY:a"), event(c.second...)...)...))
		if len(cal.Events) != c.events || len(cal.Notes) != 1 || !strings.Contains(cal.Notes[0], c.note) {
			t.Errorf("%q: %d events, %q", c.second, len(cal.Events), cal.Notes)
		}
		if c.events == 2 && cal.Events[0].UID == cal.Events[1].UID {
			t.Errorf("%q: both have the UID %q", c.second, cal.Events[0].UID)
		}
	}
}

// A change of a series has an importance and a secrecy of its own.
func TestMarksOfAChange(t *testing.T) {
	cal := readCalendar(t, calendarOf("BEGIN:VEVENT", "UID:u", "DTSTART:20240325T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "END:VEVENT",
		"BEGIN:VEVENT", "UID:u", "RECURRENCE-ID:20240326T090000Z", "DTSTART:20240326T090000Z", "PRIORITY:1", "CLASS:PRIVATE", "END:VEVENT"))
	e := throughItem(t, cal.Events[0])
	if x := e.Exceptions[0]; x.Importance != Important || x.Sensitivity != Private || e.Importance != Ordinary || e.Sensitivity != Public {
		t.Errorf("%v %v of %v %v", x.Importance, x.Sensitivity, e.Importance, e.Sensitivity)
	}
}

// An end in the year 9999 is none.
func TestEndOfTime(t *testing.T) {
	h := hold(t, oneEvent(t, "DTSTART:20240325T090000Z", "RRULE:FREQ=DAILY;UNTIL=99991231T235959Z").Write)
	a, err := parseAppointmentPattern(h.props.Bytes(pst.PidLidAppointmentRecur))
	if err != nil || a.EndType != endNever || a.End != neverEnds {
		t.Errorf("%v %#x %#x", err, a.EndType, a.End)
	}
}

// Outlook has no time without a zone, and the person is told once.
func TestTimesWithoutAZoneAreTold(t *testing.T) {
	event := []string{"BEGIN:VEVENT", "DTSTART:20240325T090000", "END:VEVENT", "BEGIN:VEVENT", "DTSTART:20240326T090000", "END:VEVENT"}
	for zone, want := range map[string]int{"": 1, "Asia/Tokyo": 0} {
		cal := readCalendar(t, calendarOf(append([]string{"X-WR-TIMEZONE:" + zone}, event...)...))
		if len(cal.Notes) != want || want == 1 && !strings.Contains(cal.Notes[0], "without a zone") {
			t.Errorf("%q: %q", zone, cal.Notes)
		}
		if e := throughItem(t, cal.Events[0]); e.Floating != (want == 1) {
			t.Errorf("%q: %v", zone, e.Start)
		}
	}
}

// What a message cancels does not come back as a meeting that takes place.
func TestMessageThatCancels(t *testing.T) {
	for method, want := range map[string]bool{"CANCEL": true, "cancel": true, "REQUEST": false} {
		e := readCalendar(t, calendarOf("METHOD:"+method, "BEGIN:VEVENT", "UID:u", "DTSTART:20240325T090000Z", "ATTENDEE:mailto:a@example.org", "END:VEVENT")).Events[0]
		state := hold(t, e.Write).props.Int(pst.PidLidAppointmentStateFlags)
		if got := state&pst.StateCanceled != 0; got != want || throughItem(t, e).Status == Cancelled != want {
			t.Errorf("%s: %#x", method, state)
		}
	}
}
