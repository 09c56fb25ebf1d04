package pim

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch/pst"
)

// Write gives the event to a sink as an IPM.Appointment ([MS-OXOCAL] 2.2).
//
// A series becomes PidLidAppointmentRecur with the same dates where Outlook has a
// pattern for it: every n days or weeks, a day of the month, the n-th or the last
// weekday of a month, each also once in n months or years. Any other (several rules,
// RDATE, lists of positions, hours of the day) becomes a pattern in which all other
// days are deleted, up to 1,000 dates, 2,000 deletions, and 50 years or 2100; the
// body says so, and e.Source is attached. An exception is a message of its own that
// hangs on the item.
func (e *Event) Write(s pst.Sink) error {
	if !e.IsSeries() {
		s.Set(filled(e.properties())...)
		e.writePeople(s)
		return e.writeAttachments(s)
	}
	a, exceptions, lost := e.patternFor()
	e = e.startingOn(fromMinutes(a.Start))
	ps := e.properties()
	e.setSeries(&ps, a)
	if lost != "" {
		ps.Set(pst.PidTagBody, crlf(strings.TrimSpace(e.Body+"\n\n"+lost)+"\n"))
		if e.HTML != "" {
			ps.Set(pst.PidTagHtml, []byte(e.HTML+"<p>"+escapeHTML(lost)+"</p>"))
		}
	}
	s.Set(filled(ps)...)
	e.writePeople(s)
	for _, x := range exceptions {
		if err := e.writeException(s, x); err != nil {
			return err
		}
	}
	return e.writeAttachments(s)
}

// startingOn is the series with a start on the first day of its pattern, which is
// another than its own where that is deleted or a date of RDATE lies before it: the
// start of an item counts as one of its dates.
func (e *Event) startingOn(day time.Time) *Event {
	start := local(e.Start)
	if midnight(start).Equal(day) {
		return e
	}
	x := *e
	x.Start = in(day.Add(start.Sub(midnight(start))), e.zone())
	x.End = x.Start.Add(e.duration())
	if x.AllDay {
		x.End = wholeDay(x.End)
	}
	x.UID = uidOf(e.cleanID())
	return &x
}

// filled leaves empty texts out: a file has no place for a value of no bytes.
func filled(ps pst.Properties) pst.Properties {
	return slices.DeleteFunc(ps, func(p pst.Property) bool { return p.Value == "" })
}

func escapeHTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// crlf makes line ends those of Outlook.
func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// properties are all that do not depend on whether it is a series.
func (e *Event) properties() pst.Properties {
	var ps pst.Properties
	ps.Set(pst.PidTagMessageClass, pst.ClassAppointment)
	e.setCommon(&ps)
	ps.Set(pst.PidTagConversationTopic, e.Subject)
	ps.Set(pst.PidTagIconIndex, e.icon())
	ps.Set(pst.PidTagMessageFlags, int32(pst.FlagRead))
	ps.Set(pst.PidTagImportance, int32(e.Importance)+1)
	ps.Set(pst.PidTagPriority, int32(e.Importance))
	ps.Set(pst.PidLidPrivate, e.Sensitivity >= Private)
	ps.Set(pst.PidTagMessageLocaleId, int32(0x409)) // of PidLidRecurrencePattern
	if len(e.Categories) > 0 {
		ps.Set(pst.PidNameKeywords, e.Categories)
	}
	if !e.Created.IsZero() {
		ps.Set(pst.PidTagClientSubmitTime, e.Created.UTC())
		ps.Set(pst.PidTagMessageDeliveryTime, e.Created.UTC())
	}
	ps.Set(pst.PidLidAppointmentSequence, int32(e.Sequence))
	ps.Set(pst.PidLidSendMeetingAsIcal, false)
	ps.Set(pst.PidLidAppointmentAuxiliaryFlags, int32(0))
	ps.Set(pst.PidLidAppointmentColor, int32(0))
	ps.Set(pst.PidLidAppointmentStateFlags, e.state())
	ps.Set(pst.PidLidResponseStatus, int32(e.Response))
	ps.Set(pst.PidLidIntendedBusyStatus, int32(-1))
	ps.Set(pst.PidLidFInvited, e.isMeeting()) // else Outlook offers to send the invitations, once more
	ps.Set(pst.PidLidAppointmentCounterProposal, false)
	ps.Set(pst.PidLidAppointmentNotAllowPropose, false)
	ps.Set(pst.PidLidRecurring, false)
	ps.Set(pst.PidLidRecurrenceType, int32(0))
	ps.Set(pst.PidLidSideEffects, int32(0x171))
	ps.Set(pst.PidLidSmartNoAttach, true)
	ps.Set(pst.PidLidAgingDontAgeMe, false)
	ps.Set(pst.PidLidTaskMode, int32(0))
	ps.Set(pst.PidLidWhere, e.Location)
	ps.Set(pst.PidLidIsRecurring, e.IsSeries())
	id, cleaned := e.objectIDs()
	ps.Set(pst.PidLidGlobalObjectId, id)
	ps.Set(pst.PidLidCleanGlobalObjectId, cleaned)
	if lines := e.lines(); len(lines) > 0 {
		ps.Set(pst.PidNameCalendarLines, lines)
	}
	return ps
}

// lines are the content lines that travel in a property of their own.
func (e *Event) lines() []string {
	lines := append([]string(nil), e.Extra...)
	if e.Status == Confirmed || e.Status == TentativeYet {
		lines = append(lines, "STATUS:"+string(e.Status))
	}
	if e.URL != "" {
		lines = append(lines, "URL:"+e.URL)
	}
	if e.Floating {
		lines = append(lines, floatingLine)
	}
	return lines
}

const floatingLine = "X-PST-FLOATING:TRUE"

// setCommon sets what an exception has as well.
func (e *Event) setCommon(ps *pst.Properties) {
	ps.Set(pst.PidTagSubject, e.Subject)
	ps.Set(pst.PidTagSensitivity, int32(e.Sensitivity))
	if e.Body != "" || e.HTML != "" {
		ps.Set(pst.PidTagBody, crlf(e.Body))
		ps.Set(pst.PidTagNativeBody, int32(pst.NativeText))
	}
	if e.HTML != "" {
		ps.Set(pst.PidTagHtml, []byte(e.HTML))
		ps.Set(pst.PidTagInternetCodepage, int32(65001))
		ps.Set(pst.PidTagNativeBody, int32(pst.NativeHTML))
	}
	if !e.Created.IsZero() {
		ps.Set(pst.PidTagCreationTime, e.Created.UTC())
	}
	if !e.Modified.IsZero() {
		ps.Set(pst.PidTagLastModificationTime, e.Modified.UTC())
	}
	start, end := asDefined(e.Start), asDefined(e.Start.Add(e.duration()))
	for _, k := range []pst.Key{pst.PidLidAppointmentStartWhole, pst.PidLidCommonStart, pst.PidLidClipStart, pst.PidTagStartDate} {
		ps.Set(k, start)
	}
	for _, k := range []pst.Key{pst.PidLidAppointmentEndWhole, pst.PidLidCommonEnd, pst.PidLidClipEnd, pst.PidTagEndDate} {
		ps.Set(k, end)
	}
	ps.Set(pst.PidLidAppointmentDuration, int32(e.duration()/time.Minute))
	ps.Set(pst.PidLidAppointmentSubType, e.AllDay)
	ps.Set(pst.PidLidBusyStatus, int32(e.Busy))
	ps.Set(pst.PidLidLocation, e.Location)
	ps.Set(pst.PidLidReminderSet, e.Reminder != nil)
	ps.Set(pst.PidLidReminderDelta, e.reminderMinutes())
	ps.Set(pst.PidLidReminderTime, start)
	if e.Reminder != nil {
		ps.Set(pst.PidLidReminderSignalTime, start.Add(-time.Duration(e.reminderMinutes())*time.Minute))
	}
	if !e.Floating {
		ps.Set(pst.PidLidAppointmentTimeZoneDefinitionStartDisplay, define(e.zone(), e.Start, e.Start, false, false).bytes())
		ps.Set(pst.PidLidAppointmentTimeZoneDefinitionEndDisplay, define(e.End.Location(), e.End, e.End, false, false).bytes())
		ps.Set(pst.PidLidTimeZoneDescription, e.zone().String())
	}
}

func (e *Event) reminderMinutes() int32 {
	if e.Reminder == nil {
		return 15
	}
	return int32(min(max(*e.Reminder/time.Minute, 0), 1<<30))
}

// icon is PidTagIconIndex, [MS-OXOCAL] 2.2.1.49.
func (e *Event) icon() int32 {
	icon := int32(0x400)
	if e.IsSeries() {
		icon++
	}
	if e.isMeeting() {
		icon += 2
	}
	return icon
}

func (e *Event) isMeeting() bool { return len(e.Attendees) > 0 }

func (e *Event) state() int32 {
	var state int32
	if e.isMeeting() {
		state |= pst.StateMeeting
		if e.Response > Organized {
			state |= pst.StateReceived
		}
	}
	if e.Status == Cancelled {
		state |= pst.StateCanceled
	}
	return state
}

// endOfTime is PidLidClipEnd of a series without an end, in its zone ([MS-OXOCAL]
// 2.2.1.15, and a file of Outlook).
var endOfTime = time.Date(4500, 8, 31, 23, 59, 0, 0, time.UTC)

// setSeries sets what a series has.
func (e *Event) setSeries(ps *pst.Properties, a appointmentPattern) {
	ps.Set(pst.PidLidRecurring, true)
	ps.Set(pst.PidLidRecurrenceType, int32(a.Frequency-recurDaily+1))
	ps.Set(pst.PidLidAppointmentRecur, a.bytes())
	ps.Set(pst.PidLidRecurrencePattern, a.text(e.AllDay))
	endless := a.EndType == endNever
	last := fromMinutes(a.End)
	zone := define(e.zone(), e.Start, last, endless, true)
	ps.Set(pst.PidLidTimeZoneStruct, zone.effective().zoneStruct())
	ps.Set(pst.PidLidTimeZoneDescription, e.zone().String())
	ps.Set(pst.PidLidAppointmentTimeZoneDefinitionRecur, zone.bytes())
	ps.Set(pst.PidLidClipStart, asDefined(in(fromMinutes(a.Start), e.zone())))
	if endless {
		ps.Set(pst.PidLidClipEnd, asDefined(in(endOfTime, e.zone())))
	} else {
		ps.Set(pst.PidLidClipEnd, asDefined(in(last, e.zone())))
	}
}

// exception says what is otherwise in an exception.
func (e *Event) exception(x *Event) exceptionInfo {
	zone := e.zone()
	info := exceptionInfo{
		Start:     minutesOf(local(x.Start.In(zone))),
		End:       minutesOf(local(x.Start.Add(x.duration()).In(zone))),
		Original:  minutesOf(local(x.Original.In(zone))),
		Highlight: make([]byte, 4),
		Subject:   cut255(x.Subject), Location: cut255(x.Location),
		ReminderDelta: uint32(x.reminderMinutes()), Busy: uint32(x.Busy), Attachment: 1, MeetingType: uint32(x.state()),
	}
	if x.Reminder != nil {
		info.ReminderSet = 1
	}
	if x.AllDay {
		info.AllDay = 1
	}
	for _, c := range []struct {
		flag  uint16
		other bool
	}{
		{overrideSubject, x.Subject != e.Subject},
		{overrideLocation, x.Location != e.Location},
		{overrideReminder, (x.Reminder == nil) != (e.Reminder == nil)},
		{overrideReminderDelta, x.Reminder != nil && x.reminderMinutes() != e.reminderMinutes()},
		{overrideBusy, x.Busy != e.Busy},
		{overrideAllDay, x.AllDay != e.AllDay},
		{overrideMeetingType, x.state() != e.state()},
		{overrideAttachment, len(x.Attachments) > 0},
		{overrideBody, x.Body != e.Body || x.HTML != e.HTML},
	} {
		if c.other {
			info.Flags |= c.flag
		}
	}
	return info
}

// cut255 cuts a text to what Outlook allows in a line.
func cut255(s string) string {
	if r := []rune(s); len(r) > 255 {
		return string(r[:255])
	}
	return s
}

// writeException hangs an exception on the item. Outlook gives the times of the
// attachment in the zone of the series as if they were UTC, other than
// [MS-OXOCAL] 2.2.10.1.6 says of the one that is replaced.
func (e *Event) writeException(s pst.Sink, x *Event) error {
	zone := e.zone()
	at := local(e.Start).Sub(midnight(local(e.Start)))
	original := midnight(local(x.Original.In(zone))).Add(at)
	att := pst.Properties{
		pst.P(pst.PidTagDisplayName, "Untitled"),
		pst.P(pst.PidTagAttachFlags, int32(0)),
		pst.P(pst.PidTagAttachmentLinkId, int32(0)),
		pst.P(pst.PidTagExceptionReplaceTime, original),
		pst.P(pst.PidTagExceptionStartTime, local(x.Start.In(zone))),
		pst.P(pst.PidTagExceptionEndTime, local(x.Start.Add(x.duration()).In(zone))),
		pst.P(pst.PidTagAttachmentFlags, int32(2)),
		pst.P(pst.PidTagAttachmentHidden, true),
		pst.P(pst.PidTagAttachmentContactPhoto, false),
	}
	return s.Embed(att, func(s pst.Sink) error {
		var ps pst.Properties
		ps.Set(pst.PidTagMessageClass, pst.ClassException)
		x.setCommon(&ps)
		ps.Set(pst.PidTagMessageFlags, int32(pst.FlagRead|pst.FlagUnsent))
		ps.Set(pst.PidTagImportance, int32(x.Importance)+1)
		ps.Set(pst.PidLidExceptionReplaceTime, in(original, zone).UTC())
		ps.Set(pst.PidLidFExceptionalBody, x.Body != e.Body || x.HTML != e.HTML)
		ps.Set(pst.PidLidAppointmentStateFlags, x.state())
		if len(x.Categories) > 0 {
			ps.Set(pst.PidNameKeywords, x.Categories)
		}
		ps.Set(pst.PidLidIsException, true)
		ps.Set(pst.PidLidAppointmentSequence, int32(x.Sequence))
		same := *x
		same.UID, same.Original = e.UID, original
		id, cleaned := same.objectIDs()
		ps.Set(pst.PidLidGlobalObjectId, id)
		ps.Set(pst.PidLidCleanGlobalObjectId, cleaned)
		if lines := x.lines(); len(lines) > 0 {
			ps.Set(pst.PidNameCalendarLines, lines)
		}
		s.Set(filled(ps)...)
		x.writePeople(s)
		return x.writeAttachments(s)
	})
}

// writeAttachments gives attachments and links, and the original text.
func (e *Event) writeAttachments(s pst.Sink) error {
	for _, a := range e.Attachments {
		if err := a.write(s); err != nil {
			return err
		}
	}
	if len(e.Source) == 0 {
		return nil
	}
	return s.Attach(attachmentProperties("original.ics", "text/calendar"), bytes.NewReader(e.Source))
}

func attachmentProperties(name, mediaType string) pst.Properties {
	ps := pst.Properties{
		pst.P(pst.PidTagDisplayName, name),
		pst.P(pst.PidTagAttachLongFilename, name),
		pst.P(pst.PidTagAttachFilename, name),
	}
	if mediaType != "" {
		ps.Set(pst.PidTagAttachMimeTag, mediaType)
	}
	return ps
}

func (a Attachment) write(s pst.Sink) error {
	name := a.Name
	if name == "" {
		name = "attachment"
	}
	ps := attachmentProperties(name, a.MediaType)
	if a.ContentID != "" {
		ps.Set(pst.PidTagAttachContentId, a.ContentID)
	}
	if a.Open == nil {
		ps.Set(pst.PidTagAttachMethod, int32(pst.AttachByWebLink))
		ps.Set(pst.PidTagAttachLongPathname, a.URL)
		return s.Attach(filled(ps), nil)
	}
	content, err := a.Open()
	if errors.Is(err, pst.ErrNoContent) {
		return nil // a message, which this struct cannot carry
	}
	if err != nil {
		return fmt.Errorf("attachment %q: %w", shorten(name), err)
	}
	return s.Attach(ps, content)
}
