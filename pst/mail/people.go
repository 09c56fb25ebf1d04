package mail

import (
	"encoding/binary"
	"fmt"
	"strings"

	"keepwatch/pst"
)

// display is what is shown of somebody.
func (a address) display() string {
	if a.name != "" {
		return a.name
	}
	return a.addr
}

func (a address) entryID() []byte { return pst.OneOff(a.display(), "SMTP", a.addr) }

// list reads all headers of that name as addresses.
func (m *importer) list(name string) []address {
	list, lost := addresses(m.head.join(name))
	if lost {
		m.notes.lose(fmt.Sprintf("there are more than %d addresses in a header", maxAddresses))
	}
	return list
}

// senders sets who wrote the mail (From: sent representing) and who sent it (Sender,
// or else From), [MS-OXCMAIL] 2.2.3.1; and who is to get the answers.
func (m *importer) senders() {
	from, sender := m.list("from"), m.list("sender")
	if len(from) == 0 {
		from = sender
	}
	if len(sender) == 0 {
		sender = from
	}
	if len(from) > 0 {
		a, s := from[0], sender[0]
		m.sink.Set(
			pst.P(pst.PidTagSentRepresentingName, a.display()), pst.P(pst.PidTagSentRepresentingAddressType, "SMTP"),
			pst.P(pst.PidTagSentRepresentingEmailAddress, a.addr), pst.P(pst.PidTagSentRepresentingEntryId, a.entryID()),
			pst.P(pst.PidTagSentRepresentingSearchKey, pst.SearchKey("SMTP", a.addr)), pst.P(pst.PidTagSentRepresentingSmtpAddress, a.addr),
			pst.P(pst.PidTagSenderName, s.display()), pst.P(pst.PidTagSenderAddressType, "SMTP"),
			pst.P(pst.PidTagSenderEmailAddress, s.addr), pst.P(pst.PidTagSenderEntryId, s.entryID()),
			pst.P(pst.PidTagSenderSearchKey, pst.SearchKey("SMTP", s.addr)), pst.P(pst.PidTagSenderSmtpAddress, s.addr))
	}
	if reply := m.list("reply-to"); len(reply) > 0 {
		m.sink.Set(pst.P(pst.PidTagReplyRecipientEntries, flatEntries(reply)), pst.P(pst.PidTagReplyRecipientNames, names(reply)))
	}
}

// names joins what is shown of people as Outlook does.
func names(list []address) string {
	all := make([]string, len(list))
	for i, a := range list {
		all[i] = a.display()
	}
	return strings.Join(all, "; ")
}

// flatEntries makes a FLATENTRYLIST, [MS-OXCDATA] 2.3.3: a count, the bytes that
// follow, and each entry id with its length, at a multiple of four.
func flatEntries(list []address) []byte {
	b := make([]byte, 8)
	for _, a := range list {
		id := a.entryID()
		b = binary.LittleEndian.AppendUint32(b, uint32(len(id)))
		b = append(b, id...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	binary.LittleEndian.PutUint32(b[0:], uint32(len(list)))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// readFlatEntries is the reverse, of entries that are one-off.
func readFlatEntries(b []byte) []address {
	var list []address
	for b = b[min(8, len(b)):]; len(b) >= 4; {
		n := int64(binary.LittleEndian.Uint32(b))
		b = b[4:]
		if n > int64(len(b)) {
			break
		}
		if name, _, addr, ok := pst.ParseOneOff(b[:n]); ok {
			list = append(list, address{name, addr})
		}
		b = b[min((n+3)&^3, int64(len(b))):]
	}
	return list
}

// recipients adds the rows of the recipient table and the display lists.
func (m *importer) recipients() {
	for _, k := range []struct {
		name string
		kind int32
		list pst.Tag
	}{{"to", pst.RecipientTo, pst.PidTagDisplayTo}, {"cc", pst.RecipientCc, pst.PidTagDisplayCc}, {"bcc", pst.RecipientBcc, pst.PidTagDisplayBcc}} {
		list := m.list(k.name)
		m.sink.Set(pst.P(k.list, names(list)))
		for _, a := range list {
			m.res.Recipients++
			m.sink.Recipient(recipient(a, k.kind))
		}
	}
}

// recipient has a value for each column of the recipient table of real files of
// Outlook but the record key, which they leave empty.
func recipient(a address, kind int32) pst.Properties {
	return pst.Properties{
		pst.P(pst.PidTagRecipientType, kind), pst.P(pst.PidTagResponsibility, true), pst.P(pst.PidTagObjectType, int32(6)),
		pst.P(pst.PidTagEntryId, a.entryID()), pst.P(pst.PidTagDisplayName, a.display()), pst.P(pst.PidTagAddressType, "SMTP"),
		pst.P(pst.PidTagEmailAddress, a.addr), pst.P(pst.PidTagSearchKey, pst.SearchKey("SMTP", a.addr)), pst.P(pst.PidTagDisplayType, int32(0)),
		pst.P(pst.PidTagAddressBookDisplayNamePrintable, a.display()), pst.P(pst.PidTagSendRichInfo, false),
		pst.P(pst.PidTagSmtpAddress, a.addr),
	}
}
