package pim

import (
	"errors"
	"fmt"
	"time"

	"keepwatch/pst"
)

// readSeries reads when the event repeats; nil where it does not.
func (e *Event) readSeries(ps pst.Properties) (*appointmentPattern, error) {
	data := ps.Bytes(pst.PidLidAppointmentRecur)
	if len(data) == 0 {
		return nil, nil
	}
	a, err := parseAppointmentPattern(data)
	if !a.sane() {
		return nil, errors.Join(err, fmt.Errorf("the recurrence %s is one that cannot be told in iCalendar: the event comes as its first date", shorten(fmt.Sprintf("%X", data))))
	}
	at := local(e.Start).Sub(midnight(local(e.Start)))
	r := a.rule(at)
	if !r.Until.IsZero() {
		if e.AllDay {
			r.Until, r.UntilDate = midnight(r.Until), true
		} else if !e.Floating {
			r.Until = in(r.Until, e.zone()).UTC()
		}
	}
	e.Rules = []Rule{r}
	changed := map[uint32]bool{}
	for _, x := range a.Exceptions {
		changed[x.Original/dayMinutes*dayMinutes] = true
	}
	for _, d := range a.Deleted {
		if !changed[d/dayMinutes*dayMinutes] {
			e.Deleted = append(e.Deleted, in(midnight(fromMinutes(d)).Add(at), e.zone()))
		}
	}
	return &a, err
}

// readException reads an exception that hangs on the series. What it does not say
// is as in the series.
func (e *Event) readException(att pst.Attachment, ps pst.Properties, a *appointmentPattern, seen map[uint32]bool) error {
	message, err := att.Message()
	if err != nil {
		return fmt.Errorf("read an exception of the series: %w", err)
	}
	own, err := message.Properties()
	if err != nil {
		return fmt.Errorf("read an exception of the series: %w", err)
	}
	info := a.find(ps, own, e.zone())
	if info == nil || seen[info.Original] {
		return nil // one that the series has forgotten
	}
	seen[info.Original] = true
	x := e.inherit(info)
	if t := own.Time(pst.PidLidAppointmentStartWhole); !t.IsZero() {
		x.Start, x.End = t.In(e.zone()), own.Time(pst.PidLidAppointmentEndWhole).In(e.zone())
	}
	x.Original = in(fromMinutes(info.Original), e.zone())
	if x.End.Before(x.Start) {
		x.End = x.Start.Add(e.duration())
	}
	if own.Bool(pst.PidLidFExceptionalBody) || info.Flags&overrideBody != 0 {
		x.readBody(own)
	}
	if s := subjectOf(own); s != "" && info.Flags&overrideSubject != 0 {
		x.Subject = s
	}
	if s := own.Text(pst.PidLidLocation); s != "" && info.Flags&overrideLocation != 0 {
		x.Location = s
	}
	if list := own.Texts(pst.PidNameKeywords); len(list) > 0 {
		x.Categories = list
	}
	x.readMarks(own)
	x.Created, x.Modified = own.Time(pst.PidTagCreationTime), own.Time(pst.PidTagLastModificationTime)
	if _, ok := own.Get(pst.PidLidAppointmentSequence); ok {
		x.Sequence = int(own.Int(pst.PidLidAppointmentSequence))
		x.Status, x.URL = "", ""
		if own.Int(pst.PidLidAppointmentStateFlags)&pst.StateCanceled != 0 {
			x.Status = Cancelled
		}
		x.readLines(own.Texts(pst.PidNameCalendarLines))
	}
	x.Attendees, x.Organizer = nil, nil
	if err := x.readPeople(message, own); err != nil {
		return err
	}
	if x.Organizer == nil {
		x.Organizer = e.Organizer
	}
	if len(x.Attendees) == 0 {
		x.Attendees = e.Attendees
	}
	e.Exceptions = append(e.Exceptions, x)
	return x.readAttachments(message, nil)
}

// readMarks reads what an exception has of its own: it is never less secret than the series.
func (e *Event) readMarks(own pst.Properties) {
	if v, ok := own.Get(pst.PidTagImportance); ok {
		n, _ := v.(int32)
		e.Importance = Importance(min(max(n-1, -1), 1))
	}
	if n := own.Int(pst.PidTagSensitivity); n > 0 && n <= int64(Confidential) {
		e.Sensitivity = Sensitivity(n)
	}
}

// find gives the exception that an attachment is: by the time that it replaces, else
// by its start.
func (a *appointmentPattern) find(att, own pst.Properties, zone *time.Location) *exceptionInfo {
	replaced := minutesOf(att.Time(pst.PidTagExceptionReplaceTime))
	if t := own.Time(pst.PidLidExceptionReplaceTime); !t.IsZero() {
		replaced = minutesOf(local(t.In(zone)))
	}
	start := minutesOf(att.Time(pst.PidTagExceptionStartTime))
	for i := range a.Exceptions {
		if a.Exceptions[i].Original == replaced {
			return &a.Exceptions[i]
		}
	}
	for i := range a.Exceptions {
		if a.Exceptions[i].Start == start {
			return &a.Exceptions[i]
		}
	}
	return nil
}

// inherit makes an exception of the series and of what its blob says of it.
func (e *Event) inherit(info *exceptionInfo) *Event {
	x := *e
	x.Rules, x.Dates, x.Deleted, x.Exceptions, x.Attachments = nil, nil, nil, nil, nil
	x.Original = in(fromMinutes(info.Original), e.zone())
	x.Start, x.End = in(fromMinutes(info.Start), e.zone()), in(fromMinutes(info.End), e.zone())
	if info.Flags&overrideSubject != 0 {
		x.Subject = clean(info.Subject)
	}
	if info.Flags&overrideLocation != 0 {
		x.Location = clean(info.Location)
	}
	if info.Flags&overrideBusy != 0 && info.Busy <= uint32(Elsewhere) {
		x.Busy = Busy(info.Busy)
	}
	if info.Flags&overrideAllDay != 0 {
		x.AllDay = info.AllDay != 0
	}
	if info.Flags&overrideMeetingType != 0 && info.MeetingType&pst.StateCanceled != 0 {
		x.Status = Cancelled
	}
	set := e.Reminder != nil
	if info.Flags&overrideReminder != 0 {
		set = info.ReminderSet != 0
	}
	minutes := e.reminderMinutes()
	if info.Flags&overrideReminderDelta != 0 {
		minutes = int32(min(info.ReminderDelta, 1<<26))
	}
	x.Reminder = nil
	if set {
		d := time.Duration(minutes) * time.Minute
		x.Reminder = &d
	}
	return &x
}

// missingExceptions adds those that only the blob has.
func (e *Event) missingExceptions(a *appointmentPattern, seen map[uint32]bool) {
	for i := range a.Exceptions {
		if info := &a.Exceptions[i]; !seen[info.Original] {
			seen[info.Original] = true
			e.Exceptions = append(e.Exceptions, e.inherit(info))
		}
	}
}
