package pim

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"keepwatch/pst"
)

// EventOf reads an appointment, a meeting request or an exception of a series from
// an item, whoever wrote it. What its blobs do not say is left as it would be
// without them: a series whose recurrence is broken comes as one event, together
// with an error that says so.
func EventOf(it pst.Item) (*Event, error) {
	ps, err := it.Properties()
	if err != nil {
		return nil, fmt.Errorf("read an appointment: %w", err)
	}
	class := ps.Text(pst.PidTagMessageClass)
	if !isAppointment(class) {
		return nil, fmt.Errorf("an item of the class %q is no appointment", shorten(class))
	}
	e := &Event{}
	e.readTimes(ps)
	if e.Start.IsZero() {
		return nil, errors.New("the appointment has no start")
	}
	e.readFields(ps)
	var broken error
	a, err := e.readSeries(ps)
	broken = errors.Join(broken, err)
	if err := e.readPeople(it, ps); err != nil {
		return nil, err
	}
	return e, errors.Join(broken, e.readAttachments(it, a))
}

func isAppointment(class string) bool {
	class = strings.ToUpper(class)
	for _, c := range []string{"IPM.APPOINTMENT", "IPM.SCHEDULE.MEETING", "IPM.OLE.CLASS.{00061055-"} {
		if strings.HasPrefix(class, c) {
			return true
		}
	}
	return false
}

// readTimes reads start and end in their zones.
func (e *Event) readTimes(ps pst.Properties) {
	start, end := firstTime(ps, pst.PidLidAppointmentStartWhole, pst.PidLidCommonStart, pst.PidTagStartDate), firstTime(ps, pst.PidLidAppointmentEndWhole, pst.PidLidCommonEnd, pst.PidTagEndDate)
	if start.IsZero() || start.Year() > lastYear {
		return
	}
	if end.Before(start) || end.Year() > lastYear+1 {
		end = start.Add(time.Duration(min(max(ps.Int(pst.PidLidAppointmentDuration), 0), 1<<24)) * time.Minute)
	}
	e.AllDay = ps.Bool(pst.PidLidAppointmentSubType)
	zone := zoneOfItem(ps, start)
	e.Start, e.End = start.In(zone), end.In(zone)
	if loc := endZone(ps, end); loc != nil && !ps.Bool(pst.PidLidRecurring) && !e.AllDay {
		e.End = end.In(loc)
	}
	if e.AllDay {
		e.Start, e.End = wholeDay(e.Start), wholeDay(e.End)
		if !e.End.After(e.Start) {
			e.End = in(local(e.Start).AddDate(0, 0, 1), zone)
		}
	}
}

// endZone is the zone of the end where that is another than that of the start.
func endZone(ps pst.Properties, end time.Time) *time.Location {
	start, err1 := parseZoneDefinition(ps.Bytes(pst.PidLidAppointmentTimeZoneDefinitionStartDisplay))
	other, err2 := parseZoneDefinition(ps.Bytes(pst.PidLidAppointmentTimeZoneDefinitionEndDisplay))
	if err1 != nil || err2 != nil || start.Name == other.Name {
		return nil
	}
	loc, err := other.location("", end)
	if err != nil {
		return nil
	}
	return loc
}

// wholeDay moves a moment to the nearest midnight of its zone: writers who did not
// know the zone took another's.
func wholeDay(t time.Time) time.Time {
	return in(midnight(local(t).Add(12*time.Hour)), t.Location())
}

func firstTime(ps pst.Properties, keys ...pst.Key) time.Time {
	for _, k := range keys {
		if t := ps.Time(k); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// zoneOfItem finds the zone that an item is meant in; UTC where it does not say.
func zoneOfItem(ps pst.Properties, near time.Time) *time.Location {
	described := ps.Text(pst.PidLidTimeZoneDescription)
	keys := []pst.Named{pst.PidLidAppointmentTimeZoneDefinitionRecur, pst.PidLidAppointmentTimeZoneDefinitionStartDisplay}
	if !ps.Bool(pst.PidLidRecurring) {
		slices.Reverse(keys)
	}
	for _, k := range keys {
		if loc := definedZone(ps, k, described, near); loc != nil {
			return loc
		}
	}
	if r, err := parseZoneStruct(ps.Bytes(pst.PidLidTimeZoneStruct)); err == nil {
		d := zoneDefinition{Name: described, Rules: []definedRule{{zoneRule: r, Flags: ruleEffective}}}
		if loc, err := d.location(described, near); err == nil {
			return loc
		}
	}
	return time.UTC
}

// definedZone is the zone of a definition, or nil.
func definedZone(ps pst.Properties, k pst.Key, described string, near time.Time) *time.Location {
	d, err := parseZoneDefinition(ps.Bytes(k))
	if err != nil {
		return nil
	}
	loc, err := d.location(described, near)
	if err != nil {
		return nil
	}
	return loc
}

// readFields reads what is neither time nor people.
func (e *Event) readFields(ps pst.Properties) {
	e.Subject = subjectOf(ps)
	e.readBody(ps)
	e.Location = ps.Text(pst.PidLidLocation)
	if e.Location == "" {
		e.Location = ps.Text(pst.PidLidWhere)
	}
	e.UID = uidOf(ps.Bytes(pst.PidLidCleanGlobalObjectId))
	if e.UID == "" {
		e.UID = uidOf(ps.Bytes(pst.PidLidGlobalObjectId))
	}
	e.Sequence = int(ps.Int(pst.PidLidAppointmentSequence))
	e.Busy = Occupied
	if v, ok := ps.Get(pst.PidLidBusyStatus); ok {
		if n, _ := v.(int32); n >= 0 && n <= int32(Elsewhere) {
			e.Busy = Busy(n)
		}
	}
	if v, ok := ps.Get(pst.PidTagImportance); ok {
		n, _ := v.(int32)
		e.Importance = Importance(min(max(n-1, -1), 1))
	}
	e.Sensitivity = Sensitivity(min(max(ps.Int(pst.PidTagSensitivity), 0), 3))
	if ps.Bool(pst.PidLidPrivate) && e.Sensitivity == Public {
		e.Sensitivity = Private
	}
	if ps.Int(pst.PidLidAppointmentStateFlags)&pst.StateCanceled != 0 {
		e.Status = Cancelled
	}
	e.Response = Response(min(max(ps.Int(pst.PidLidResponseStatus), 0), int64(NotResponded)))
	e.Categories = ps.Texts(pst.PidNameKeywords)
	if ps.Bool(pst.PidLidReminderSet) {
		minutes := ps.Int(pst.PidLidReminderDelta)
		if minutes < 0 || minutes > 1<<26 { // 0x5AE980E1: the default
			minutes = 15
		}
		d := time.Duration(minutes) * time.Minute
		e.Reminder = &d
	}
	e.Created, e.Modified = ps.Time(pst.PidTagCreationTime), ps.Time(pst.PidTagLastModificationTime)
	e.readLines(ps.Texts(pst.PidNameCalendarLines))
}

func (e *Event) readLines(lines []string) {
	e.Extra = nil
	for _, s := range lines {
		name, value, _ := strings.Cut(s, ":")
		switch {
		case name == "STATUS" && e.Status == "":
			e.Status = Status(value)
		case name == "STATUS":
		case name == "URL":
			e.URL = value
		case s == floatingLine:
			e.Floating, e.Start, e.End = true, e.Start.UTC(), e.End.UTC()
		default:
			e.Extra = append(e.Extra, s)
		}
	}
}

// subjectOf is the subject without the mark of its prefix, [MS-PST] 2.5.3.1.1.1.
func subjectOf(ps pst.Properties) string {
	s := ps.Text(pst.PidTagSubject)
	if r := []rune(s); len(r) >= 2 && r[0] == 1 {
		s = string(r[2:])
	}
	if s == "" {
		s = ps.Text(pst.PidTagNormalizedSubject)
	}
	return s
}

func (e *Event) readBody(ps pst.Properties) {
	e.Body = strings.ReplaceAll(ps.Text(pst.PidTagBody), "\r\n", "\n")
	e.HTML = ""
	switch v, _ := ps.Get(pst.PidTagHtml); v := v.(type) {
	case string:
		e.HTML = v
	case []byte:
		e.HTML = decodeHTML(v, ps.Int(pst.PidTagInternetCodepage))
	}
}

// decodeHTML reads bytes in a code page. Those that are UTF-8 are taken as that.
func decodeHTML(b []byte, codepage int64) string {
	if codepage >= 1250 && codepage <= 1258 {
		return decodeCharset(b, fmt.Sprintf("windows-%d", codepage))
	}
	if name := map[int64]string{932: "shift_jis", 936: "gbk", 949: "euc-kr", 950: "big5", 874: "windows-874", 20866: "koi8-r", 21866: "koi8-u", 54936: "gb18030"}[codepage]; name != "" {
		return decodeCharset(b, name)
	}
	if codepage > 28590 && codepage < 28606 {
		return decodeCharset(b, fmt.Sprintf("iso-8859-%d", codepage-28590))
	}
	return clean(string(b))
}

// readPeople reads the organizer and the attendees.
func (e *Event) readPeople(it pst.Item, ps pst.Properties) error {
	for row, err := range it.Recipients() {
		if err != nil {
			return fmt.Errorf("read the attendees: %w", err)
		}
		a, organizer := attendeeOf(row)
		if organizer {
			if e.Organizer == nil {
				e.Organizer = &Attendee{Name: a.Name, Email: a.Email}
			}
			continue
		}
		e.Attendees = append(e.Attendees, a)
	}
	if email := ps.Text(pst.PidTagSentRepresentingEmailAddress); e.Organizer == nil && email != "" && !strings.EqualFold(ps.Text(pst.PidTagSentRepresentingAddressType), "UNKNOWN") {
		e.Organizer = &Attendee{Name: ps.Text(pst.PidTagSentRepresentingName), Email: email}
		if e.Organizer.Name == email {
			e.Organizer.Name = ""
		}
	}
	return nil
}

// readAttachments reads what hangs on the item, exceptions of the series among it.
func (e *Event) readAttachments(it pst.Item, a *appointmentPattern) error {
	var broken error
	seen := map[uint32]bool{}
	for att, err := range it.Attachments() {
		if err != nil {
			broken = errors.Join(broken, fmt.Errorf("read the attachments: %w", err))
			break
		}
		ps, err := att.Properties()
		if err != nil {
			broken = errors.Join(broken, fmt.Errorf("read an attachment: %w", err))
			continue
		}
		if a != nil && isException(ps) {
			broken = errors.Join(broken, e.readException(att, ps, a, seen))
			continue
		}
		e.Attachments = append(e.Attachments, attachmentOf(att, ps))
	}
	if a != nil {
		e.missingExceptions(a, seen)
	}
	return broken
}

func isException(ps pst.Properties) bool {
	return ps.Int(pst.PidTagAttachmentFlags)&2 != 0 || !ps.Time(pst.PidTagExceptionStartTime).IsZero() && ps.Bool(pst.PidTagAttachmentHidden)
}

func attachmentOf(att pst.Attachment, ps pst.Properties) Attachment {
	a := Attachment{MediaType: ps.Text(pst.PidTagAttachMimeTag), ContentID: ps.Text(pst.PidTagAttachContentId)}
	for _, k := range []pst.Tag{pst.PidTagAttachLongFilename, pst.PidTagAttachFilename, pst.PidTagDisplayName} {
		if a.Name == "" {
			a.Name = ps.Text(k)
		}
	}
	switch ps.Int(pst.PidTagAttachMethod) {
	case pst.AttachByLink, 3, 4, pst.AttachByWebLink:
		a.URL = ps.Text(pst.PidTagAttachLongPathname)
		if a.URL == "" {
			a.URL = ps.Text(pst.PidTagAttachPathname)
		}
		return a
	}
	a.Open = func() (io.Reader, error) {
		r, _, err := att.Open()
		return r, err
	}
	return a
}
