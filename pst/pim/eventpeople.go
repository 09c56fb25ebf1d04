package pim

import (
	"strings"

	"keepwatch/pst"
)

// writePeople gives the organizer and the attendees.
func (e *Event) writePeople(s pst.Sink) {
	var ps pst.Properties
	if o := e.Organizer; o != nil {
		name := o.display()
		id := pst.OneOff(name, "SMTP", o.Email)
		for _, p := range []struct {
			name, kind, address, id, key pst.Key
		}{
			{pst.PidTagSentRepresentingName, pst.PidTagSentRepresentingAddressType, pst.PidTagSentRepresentingEmailAddress, pst.PidTagSentRepresentingEntryId, pst.PidTagSentRepresentingSearchKey},
			{pst.PidTagSenderName, pst.PidTagSenderAddressType, pst.PidTagSenderEmailAddress, pst.PidTagSenderEntryId, pst.PidTagSenderSearchKey},
		} {
			ps.Set(p.name, name)
			ps.Set(p.kind, "SMTP")
			ps.Set(p.address, o.Email)
			ps.Set(p.id, id)
			ps.Set(p.key, pst.SearchKey("SMTP", o.Email))
		}
	}
	if e.isMeeting() {
		var to, cc []string
		rsvp := false
		for _, a := range e.Attendees {
			rsvp = rsvp || a.RSVP
			switch a.recipientType() {
			case pst.RecipientTo:
				to = append(to, a.display())
			case pst.RecipientCc:
				cc = append(cc, a.display())
			}
		}
		ps.Set(pst.PidLidAllAttendeesString, strings.Join(append(to[:len(to):len(to)], cc...), "; "))
		ps.Set(pst.PidLidToAttendeesString, strings.Join(to, "; "))
		ps.Set(pst.PidLidCcAttendeesString, strings.Join(cc, "; "))
		ps.Set(pst.PidTagResponseRequested, rsvp)
		ps.Set(pst.PidTagReplyRequested, rsvp)
	}
	s.Set(filled(ps)...)
	e.writeRecipients(s)
}

// writeRecipients gives the rows of the recipient table, the organizer first.
func (e *Event) writeRecipients(s pst.Sink) {
	if !e.isMeeting() {
		return
	}
	if o := e.Organizer; o != nil {
		row := o.recipient()
		row.Set(pst.PidTagRecipientFlags, int32(pst.RecipientSendable|pst.RecipientOrganizer))
		row.Set(pst.PidTagRecipientTrackStatus, int32(Organized))
		row.Set(pst.PidTagRecipientType, int32(pst.RecipientTo))
		s.Recipient(filled(row))
	}
	for _, a := range e.Attendees {
		row := a.recipient()
		row.Set(pst.PidTagRecipientFlags, int32(pst.RecipientSendable))
		s.Recipient(filled(row))
	}
}

func (a Attendee) recipientType() int32 {
	switch a.Role {
	case Optional, Informed:
		return pst.RecipientCc
	case Resource:
		return pst.RecipientBcc
	}
	return pst.RecipientTo
}

// display is the name, or else the address.
func (a Attendee) display() string {
	if a.Name != "" {
		return a.Name
	}
	return a.Email
}

func (a Attendee) recipient() pst.Properties {
	name := a.display()
	return pst.Properties{
		pst.P(pst.PidTagDisplayName, name),
		pst.P(pst.PidTagAddressType, "SMTP"),
		pst.P(pst.PidTagEmailAddress, a.Email),
		pst.P(pst.PidTagSmtpAddress, a.Email),
		pst.P(pst.PidTagSearchKey, pst.SearchKey("SMTP", a.Email)),
		pst.P(pst.PidTagEntryId, pst.OneOff(name, "SMTP", a.Email)),
		pst.P(pst.PidTagObjectType, int32(6)),
		pst.P(pst.PidTagDisplayType, int32(0)),
		pst.P(pst.PidTagRecipientType, a.recipientType()),
		pst.P(pst.PidTagRecipientTrackStatus, int32(a.Status)),
	}
}

// attendeeOf reads a row of the recipient table, and whether it is the organizer.
func attendeeOf(row pst.Properties) (a Attendee, organizer bool) {
	a.Name = row.Text(pst.PidTagDisplayName)
	a.Email = row.Text(pst.PidTagSmtpAddress)
	if a.Email == "" && !strings.EqualFold(row.Text(pst.PidTagAddressType), "EX") {
		a.Email = row.Text(pst.PidTagEmailAddress)
	}
	if name, kind, address, ok := pst.ParseOneOff(row.Bytes(pst.PidTagEntryId)); ok && a.Email == "" && strings.EqualFold(kind, "SMTP") {
		a.Email = address
		if a.Name == "" {
			a.Name = name
		}
	}
	if a.Email == "" {
		a.Email = row.Text(pst.PidTagEmailAddress)
	}
	if a.Name == a.Email {
		a.Name = ""
	}
	a.Role = Required
	switch row.Int(pst.PidTagRecipientType) & 0xF {
	case pst.RecipientCc:
		a.Role = Optional
	case pst.RecipientBcc:
		a.Role = Resource
	}
	if s := row.Int(pst.PidTagRecipientTrackStatus); s >= 0 && s <= int64(NotResponded) {
		a.Status = Response(s)
	}
	flags := row.Int(pst.PidTagRecipientFlags)
	return a, flags&pst.RecipientOrganizer != 0 || row.Int(pst.PidTagRecipientType) == pst.RecipientOriginator
}
