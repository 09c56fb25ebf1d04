package mailbox

import (
	"strings"
	"time"

	"keepwatch"
	"keepwatch/pst"
)

// describe says of an item what a list shows, from its properties or those of its row
// in the table of contents.
func describe(ps pst.Properties) keepwatch.MailItem {
	item := keepwatch.MailItem{Kind: keepwatch.KindOfClass(ps.Text(pst.PidTagMessageClass)), At: dated(ps), Subject: subject(ps), Bytes: max(ps.Int(pst.PidTagMessageSize), 0)}
	switch item.Kind {
	case keepwatch.ItemMail, keepwatch.ItemEvent, keepwatch.ItemOther: // Outlook writes "Unknown" into others
		item.From = sender(ps)
	}
	if at := ps.Time(appointmentStart); item.Kind == keepwatch.ItemEvent && plausible(at) {
		item.At = at
		if strings.EqualFold(item.From, "unknown") {
			item.From = ""
		}
	}
	return item
}

// appointmentStart is PidLidAppointmentStartWhole ([MS-OXOCAL] 2.2.1.5).
var appointmentStart = pst.Named{Set: pst.PSETIDAppointment, LID: 0x820D, Type: pst.Time}

// dated gives when an item was received, or else sent, or else made or changed.
func dated(ps pst.Properties) time.Time {
	for _, tag := range []pst.Tag{pst.PidTagMessageDeliveryTime, pst.PidTagClientSubmitTime, pst.PidTagCreationTime, pst.PidTagLastModificationTime} {
		if at := ps.Time(tag); plausible(at) {
			return at
		}
	}
	return time.Time{}
}

// plausible leaves out what stands for no time at all: 1601 and 4501 among them
// ([MS-OXOCAL] 2.2.1).
func plausible(at time.Time) bool { return at.Year() > 1970 && at.Year() < 4000 }

// subject gives it without the mark before its prefix ([MS-PST] 2.5.3.1.1); of what has
// none, the name.
func subject(ps pst.Properties) string {
	s := ps.Text(pst.PidTagSubject)
	if strings.HasPrefix(s, "\x01") {
		s = s[1:]
		for i := range s { // the length of the prefix is one character
			if i > 0 {
				s = s[i:]
				break
			}
		}
	}
	if s == "" {
		s = ps.Text(pst.PidTagNormalizedSubject)
	}
	if s == "" {
		s = ps.Text(pst.PidTagDisplayName)
	}
	return strings.TrimSpace(s)
}

// sender gives who sent an item, by name.
func sender(ps pst.Properties) string {
	for _, tag := range []pst.Tag{pst.PidTagSentRepresentingName, pst.PidTagSenderName, pst.PidTagSentRepresentingEmailAddress, pst.PidTagSenderEmailAddress} {
		if s := strings.TrimSpace(ps.Text(tag)); s != "" {
			return s
		}
	}
	return ""
}

// span is the dates of the items of a folder or a file: of the mails, where there are
// any.
type span struct{ mail, any dates }

type dates struct{ first, last time.Time }

func (d *dates) add(at time.Time) {
	if at.IsZero() {
		return
	}
	if d.first.IsZero() || at.Before(d.first) {
		d.first = at
	}
	if at.After(d.last) {
		d.last = at
	}
}

func (s *span) add(item keepwatch.MailItem) {
	s.any.add(item.At)
	if item.Kind == keepwatch.ItemMail {
		s.mail.add(item.At)
	}
}

// of gives the first and the last date.
func (s *span) of() (first, last time.Time) {
	d := s.mail
	if d.first.IsZero() {
		d = s.any
	}
	return d.first, d.last
}
