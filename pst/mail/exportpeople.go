package mail

import (
	"maps"
	"strings"

	"keepwatch/pst"
)

// person reads somebody from the properties of a message or a recipient. The address
// of Exchange (a distinguished name) is no address of mail.
func person(p pst.Properties, name, kind, addr, smtp pst.Tag, entry []byte) address {
	a := address{name: clean(p.Text(name)), addr: clean(p.Text(smtp))}
	if a.addr == "" && !strings.EqualFold(p.Text(kind), "EX") {
		a.addr = clean(p.Text(addr))
	}
	if _, k, one, ok := pst.ParseOneOff(entry); a.addr == "" && ok && strings.EqualFold(k, "SMTP") {
		a.addr = clean(one)
	}
	if strings.EqualFold(a.addr, "unknown") && !strings.Contains(a.addr, "@") { // what Outlook has for nobody
		return address{}
	}
	return a
}

// author is who wrote a message, and who sent it.
func author(p pst.Properties) (from, sender address) {
	from = person(p, pst.PidTagSentRepresentingName, pst.PidTagSentRepresentingAddressType, pst.PidTagSentRepresentingEmailAddress,
		pst.PidTagSentRepresentingSmtpAddress, p.Bytes(pst.PidTagSentRepresentingEntryId))
	sender = person(p, pst.PidTagSenderName, pst.PidTagSenderAddressType, pst.PidTagSenderEmailAddress, pst.PidTagSenderSmtpAddress, p.Bytes(pst.PidTagSenderEntryId))
	return from, sender
}

func (d *document) senders(t transport, made map[string][]string) {
	p := d.props
	from, sender := author(p)
	if from == (address{}) {
		from = sender
	}
	was := t.addresses("from")
	if len(was) == 0 {
		was = t.addresses("sender")
	}
	if from != (address{}) && (len(was) == 0 || from.addr != "" && !strings.EqualFold(was[0].addr, from.addr)) {
		made["from"] = []string{formatAddresses([]address{from})}
	}
	if _, has := t.get("sender"); !has && sender.addr != "" && !strings.EqualFold(sender.addr, from.addr) && (made["from"] != nil || len(was) <= 1) {
		made["sender"] = []string{formatAddresses([]address{sender})}
	}
	if reply := readFlatEntries(p.Bytes(pst.PidTagReplyRecipientEntries)); len(reply) > 0 {
		if _, has := t.get("reply-to"); !has {
			made["reply-to"] = []string{formatAddresses(reply)}
		}
	}
}

// recipientFields makes To, Cc and Bcc where the recipients of the message are not
// those of the header. Where one has no address of mail they cannot be compared, and the
// header is believed.
func (d *document) recipientFields(t transport, made map[string][]string) {
	for kind, name := range map[int64]string{pst.RecipientTo: "to", pst.RecipientCc: "cc", pst.RecipientBcc: "bcc"} {
		var list []address
		sure := true
		for _, r := range d.recipients {
			if r.Int(pst.PidTagRecipientType)&0xF != kind {
				continue
			}
			a := person(r, pst.PidTagDisplayName, pst.PidTagAddressType, pst.PidTagEmailAddress, pst.PidTagSmtpAddress, r.Bytes(pst.PidTagEntryId))
			if a != (address{}) {
				list = append(list, a)
			}
			sure = sure && a.addr != ""
		}
		_, has := t.get(name)
		if has && (!sure || same(t.addresses(name), list)) || !has && len(list) == 0 {
			continue
		}
		if len(list) == 0 {
			made[name] = nil
			continue
		}
		made[name] = []string{formatAddresses(list)}
	}
}

// same tells whether two lists have the same addresses.
func same(a, b []address) bool {
	set := func(l []address) map[string]int {
		m := map[string]int{}
		for _, x := range l {
			k := strings.ToLower(x.addr)
			if k == "" {
				k = "\x00" + x.name
			}
			m[k]++
		}
		return m
	}
	return maps.Equal(set(a), set(b))
}
