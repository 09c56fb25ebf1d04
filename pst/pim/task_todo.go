package pim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A timeReader reads the time of a line in the zone that the line names, and tells
// whether it is a day only. ok is false where it is neither.
type timeReader func(l *line) (t time.Time, day, ok bool)

// plainTime is a timeReader for a text whose zones have the names of the program's own
// database; times without a zone are in UTC.
func plainTime(l *line) (t time.Time, day, ok bool) {
	zone := time.UTC
	if name := l.param("TZID"); name != "" {
		if z, err := time.LoadLocation(strings.TrimPrefix(name, "/")); err == nil && name != "Local" {
			zone = z
		}
	}
	value := strings.TrimSpace(l.Value)
	if t, err := time.Parse("20060102", value); err == nil {
		return t, true, true
	}
	if utc, ok := strings.CutSuffix(value, "Z"); ok {
		value, zone = utc, time.UTC
	}
	t, err := time.ParseInLocation("20060102T150405", value, zone)
	return t, false, err == nil
}

// A todoReading is a VTODO or a VJOURNAL on its way to an item.
type todoReading struct {
	comp  *component
	when  timeReader
	extra []string
	keep  bool
}

// note keeps what has no place.
func (k *todoReading) note(l *line) {
	value := tidy(l.text())
	if value == "" {
		return
	}
	k.keep = true
	if strings.HasPrefix(l.Name, "X-") {
		return // for programs
	}
	if len(value) > 4000 || l.has("ENCODING", "BASE64") {
		value = "see " + todoName
	}
	title := firstOf(todoTitles[l.Name], l.Name)
	if zone := l.param("TZID"); zone != "" {
		value += " " + tidy(zone)
	}
	if cn := l.param("CN"); cn != "" {
		value = tidy(cn) + " <" + value + ">"
	}
	k.extra = append(k.extra, tidy(title)+": "+strings.ReplaceAll(value, "\n", "\n  "))
}

var todoTitles = map[string]string{"RRULE": "Repeats", "RDATE": "Repeats at", "EXDATE": "Does not repeat at", "LOCATION": "Where", "URL": "Web page",
	"ORGANIZER": "Organiser", "ATTENDEE": "Person", "CONTACT": "Contact", "COMMENT": "Comment", "ATTACH": "Attachment", "GEO": "Position",
	"RESOURCES": "Resources", "DTSTART": "Start", "DUE": "Due", "COMPLETED": "Completed", "STATUS": "Status", "DURATION": "Duration",
	"RECURRENCE-ID": "Instead of the one at", "PERCENT-COMPLETE": "Percent", "CONFERENCE": "Conference", "IMAGE": "Picture"}

// body is the text with what has no place below it.
func (k *todoReading) body(text string) string {
	if len(k.extra) == 0 {
		return text
	}
	return alsoSaid(text, k.extra)
}

// alsoSaid is a text with lines below it, under a heading.
func alsoSaid(text string, lines []string) string {
	return joined("\n\n", strings.TrimRight(text, "\n"), todoHeading+"\n"+strings.Join(lines, "\n"))
}

const todoHeading = "Also in the calendar:"

// taskOf reads a VTODO. What an item has no place for (how it repeats, a time of
// day) goes into Body, and then Original is the text of the component.
func taskOf(comp *component, when timeReader) *Task {
	k := &todoReading{comp: comp, when: when}
	t := &Task{}
	for i := range comp.Lines {
		k.place(t, &comp.Lines[i])
	}
	if l := comp.first("DURATION"); l != nil {
		k.due(t, l)
	}
	for _, l := range comp.all("RRULE") {
		k.repeats(t, l)
	}
	if !t.Due.IsZero() && t.Due.time().Before(t.Start.time()) {
		k.note(comp.first("DTSTART"))
	}
	for _, sub := range comp.Subs {
		if sub.Name != "VALARM" || !t.Reminder.IsZero() || !k.alarm(t, sub) {
			k.keep = true
		}
	}
	t.Body = k.body(t.Body)
	t.Original = k.original()
	return t.consistent()
}

// due takes the length of a task that says when it begins, in place of when it ends.
func (k *todoReading) due(t *Task, l *line) {
	start := k.comp.first("DTSTART")
	length, ok := calendarDuration(l.Value)
	if !ok || start == nil || !t.Due.IsZero() {
		k.note(l)
		return
	}
	if at, _, ok := k.when(start); ok {
		t.Due = dayOf(at.Add(length))
	}
	if length%(24*hour) != 0 {
		k.note(l)
	}
}

// place puts a line where it belongs.
func (k *todoReading) place(t *Task, l *line) {
	switch l.Name {
	case "SUMMARY":
		t.Subject = joined(" ", t.Subject, oneLine(tidy(l.text())))
	case "DESCRIPTION":
		t.Body = joined("\n", t.Body, tidyNote(l.text()))
	case "UID":
		t.UID = tidy(l.text())
	case "X-OWNER":
		t.Owner = tidy(l.text())
	case "CATEGORIES":
		t.Categories = append(t.Categories, calendarCategories(l)...)
	case "CLASS":
		t.Sensitivity = calendarClass(l)
	case "CREATED":
		t.Created = cardTime(l.Value)
	case "LAST-MODIFIED":
		t.Modified = cardTime(l.Value)
	case "DTSTART":
		k.day(t, &t.Start, l)
	case "DUE":
		k.day(t, &t.Due, l)
	case "COMPLETED":
		k.day(t, &t.Completed, l)
	case "STATUS", "X-TASK-STATUS":
		k.status(t, l)
	case "PERCENT-COMPLETE":
		if n, err := strconv.Atoi(strings.TrimSpace(l.Value)); err == nil && n >= 0 && n <= 100 {
			t.Percent = n
		} else {
			k.note(l)
		}
	case "PRIORITY":
		n, _ := strconv.Atoi(strings.TrimSpace(l.Value))
		t.Importance = Ordinary
		if n >= 1 && n <= 4 {
			t.Importance = Important
		} else if n >= 6 {
			t.Importance = Unimportant
		}
	case "X-ACTUAL-WORK", "X-ESTIMATED-WORK":
		if d, ok := calendarDuration(l.Value); ok && l.Name == "X-ACTUAL-WORK" {
			t.ActualWork = d
		} else if ok {
			t.EstimatedWork = d
		}
	case "DTSTAMP", "SEQUENCE", "DURATION", "RRULE": // of the text, and placed last
	default:
		k.note(l)
	}
}

// day takes a day. The time of day has no place.
func (k *todoReading) day(t *Task, to *Date, l *line) {
	at, day, ok := k.when(l)
	d := dayOf(at)
	if !ok || d.Year == 0 || !d.valid() {
		k.note(l)
		return
	}
	*to = d
	if !day && at.Location() != time.UTC {
		t.Zone = at.Location()
	}
	if h, m, s := at.Clock(); !day && h+m+s != 0 {
		k.note(l)
	}
}

func (k *todoReading) status(t *Task, l *line) {
	switch upperTrim(l.Value) {
	case "NEEDS-ACTION", "":
	case "IN-PROCESS":
		t.Status = TaskInProgress
	case "COMPLETED":
		t.Status = TaskComplete
	case "WAITING":
		t.Status = TaskWaiting
	case "DEFERRED":
		t.Status = TaskDeferred
	default:
		k.note(l)
	}
}

// alarm takes the time of a VALARM: itself, or what lies before or behind the start or
// the end. Another kind of alarm than a display or a sound is not taken.
func (k *todoReading) alarm(t *Task, alarm *component) bool {
	l := alarm.first("TRIGGER")
	if l == nil || slices.Contains([]string{"EMAIL", "PROCEDURE"}, upperTrim(alarm.value("ACTION"))) {
		return false
	}
	length, relative := calendarDuration(l.Value)
	if !relative {
		at, day, ok := k.when(l)
		return ok && !day && remind(t, at)
	}
	from := k.comp.first("DTSTART")
	if l.has("RELATED", "END") || from == nil {
		from = k.comp.first("DUE")
	}
	if from == nil {
		return false
	}
	at, _, ok := k.when(from)
	return ok && remind(t, at.Add(length))
}

// remind sets the reminder, if an item can hold its time.
func remind(t *Task, at time.Time) bool {
	if holdable(at.UTC()) {
		t.Reminder = at.UTC()
	}
	return !t.Reminder.IsZero()
}

// calendarDuration reads a duration, RFC 5545 3.3.6: -P1DT2H.
func calendarDuration(s string) (time.Duration, bool) {
	s = upperTrim(s)
	sign := time.Duration(1)
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		sign, s = -1, rest
	}
	s, ok := strings.CutPrefix(strings.TrimPrefix(s, "+"), "P")
	if !ok || s == "" {
		return 0, false
	}
	total, number := time.Duration(0), ""
	for _, r := range s {
		unit, known := map[rune]time.Duration{'W': 7 * 24 * hour, 'D': 24 * hour, 'H': hour, 'M': minute, 'S': time.Second}[r]
		switch {
		case r >= '0' && r <= '9' && len(number) < 6:
			number += string(r)
		case known && number != "":
			n, _ := strconv.Atoi(number)
			total, number = total+time.Duration(n)*unit, ""
		case r == 'T' && number == "":
		default:
			return 0, false
		}
	}
	return sign * total, number == ""
}

func calendarCategories(l *line) []string {
	var all []string
	for _, s := range splitText(l.Value, ',') {
		all = append(all, listed(tidy(s))...)
	}
	return all
}

func calendarClass(l *line) Sensitivity {
	switch strings.TrimPrefix(upperTrim(l.Value), "X-") {
	case "PERSONAL":
		return Personal
	case "PRIVATE":
		return Private
	case "CONFIDENTIAL":
		return Confidential
	}
	return Public
}
