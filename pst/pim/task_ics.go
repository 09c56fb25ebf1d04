package pim

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// Calendar writes the task as an iCalendar object (RFC 5545) with one VTODO.
func (t *Task) Calendar(w io.Writer) error {
	lw := &lineWriter{w: w}
	lw.calendar(func() { lw.todo(t) })
	return lw.err
}

// todo writes the VTODO of a task. Its days are days, its times are in UTC, so that no
// VTIMEZONE is needed.
func (w *lineWriter) todo(t *Task) {
	t = t.consistent()
	w.line("BEGIN", "VTODO")
	w.line("DTSTAMP", stamp(t.Modified, t.Created))
	w.text("UID", t.UID)
	w.text("SUMMARY", t.Subject)
	w.text("DESCRIPTION", t.Body)
	for _, d := range []struct {
		name string
		day  Date
	}{{"DTSTART", t.Start}, {"DUE", t.Due}} {
		if !d.day.IsZero() {
			w.line(d.name, d.day.time().Format("20060102"), "VALUE", "DATE")
		}
	}
	if t.Rule != nil && !t.first().IsZero() {
		if t.Start.IsZero() { // RRULE needs DTSTART
			w.line("DTSTART", t.Due.time().Format("20060102"), "VALUE", "DATE")
		}
		w.line("RRULE", t.Rule.String())
	}
	if !t.Completed.IsZero() {
		w.line("COMPLETED", t.Completed.time().Format(stampLayout))
	}
	w.line("STATUS", firstOf(map[TaskStatus]string{TaskInProgress: "IN-PROCESS", TaskComplete: "COMPLETED"}[t.Status], "NEEDS-ACTION"))
	w.text("X-TASK-STATUS", map[TaskStatus]string{TaskWaiting: "WAITING", TaskDeferred: "DEFERRED"}[t.Status])
	w.line("PERCENT-COMPLETE", strconv.Itoa(t.Percent))
	switch {
	case t.Importance == Important:
		w.line("PRIORITY", "1")
	case t.Importance == Unimportant:
		w.line("PRIORITY", "9")
	}
	w.text("X-OWNER", t.Owner)
	w.text("X-ACTUAL-WORK", workText(t.ActualWork))
	w.text("X-ESTIMATED-WORK", workText(t.EstimatedWork))
	w.common(t.Categories, t.Sensitivity, t.Created, t.Modified)
	if !t.Reminder.IsZero() {
		w.line("BEGIN", "VALARM")
		w.line("ACTION", "DISPLAY")
		w.line("DESCRIPTION", escape(firstOf(t.Subject, "Reminder")))
		w.line("TRIGGER", t.Reminder.UTC().Format(stampLayout), "VALUE", "DATE-TIME")
		w.line("END", "VALARM")
	}
	w.line("END", "VTODO")
}

// workText is a time of work as a duration, or nothing.
func workText(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return "PT" + strconv.FormatInt(int64(d/minute), 10) + "M"
}

// stamp is DTSTAMP, which each component must have: when it was last changed.
func stamp(times ...time.Time) string {
	for _, t := range times {
		if !t.IsZero() {
			return t.UTC().Format(stampLayout)
		}
	}
	return time.Unix(0, 0).UTC().Format(stampLayout)
}

// common writes what tasks and notes have in common.
func (w *lineWriter) common(categories []string, sensitivity Sensitivity, created, modified time.Time) {
	if len(categories) > 0 {
		w.line("CATEGORIES", escapeAll(categories, ","))
	}
	w.text("CLASS", map[Sensitivity]string{Personal: "X-PERSONAL", Private: "PRIVATE", Confidential: "CONFIDENTIAL"}[sensitivity])
	if !created.IsZero() {
		w.line("CREATED", created.UTC().Format(stampLayout))
	}
	if !modified.IsZero() {
		w.line("LAST-MODIFIED", modified.UTC().Format(stampLayout))
	}
}

// original is the text of the component, where that is to be kept.
func (k *todoReading) original() []byte {
	if !k.keep {
		return nil
	}
	var b strings.Builder
	w := &lineWriter{w: &b}
	w.calendar(func() { w.component(k.comp) })
	return []byte(b.String())
}

// calendar writes what stands around components.
func (w *lineWriter) calendar(fill func()) {
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", productID)
	fill()
	w.line("END", "VCALENDAR")
}

// component writes a component as it was read.
func (w *lineWriter) component(c *component) {
	w.line("BEGIN", c.Name)
	for i := range c.Lines {
		l := &c.Lines[i]
		name, value := l.Name, l.Value
		quoted := l.has("ENCODING", "QUOTED-PRINTABLE")
		for _, p := range l.Params {
			if quoted && (p.Name == "ENCODING" || p.Name == "CHARSET") {
				continue
			}
			values := make([]string, len(p.Values))
			for i, v := range p.Values {
				values[i] = quoteParam(v)
			}
			name += ";" + p.Name + "=" + strings.Join(values, ",")
		}
		if quoted {
			value = strings.NewReplacer("\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(value)
		}
		w.line(name, value)
	}
	for _, sub := range c.Subs {
		w.component(sub)
	}
	w.line("END", c.Name)
}

// entry writes the task into a calendar with others.
func (t *Task) entry(c *calendarWriter) error {
	c.todo(t)
	return c.err
}

// entry writes the note into a calendar with others.
func (n *Note) entry(c *calendarWriter) error {
	c.journal(n)
	return c.err
}
