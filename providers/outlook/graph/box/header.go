package box

import (
	"mime"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// header writes the header of a mail: the fields that came with it, as far as Exchange kept
// them, and those of the message for what is missing in them (a mail that was never sent has
// none). Fields of its body are those of the body as it was, and are left out.
func (m message) header() string {
	var b strings.Builder
	seen := map[string]bool{}
	own := m.ownFields()
	for _, h := range m.Headers {
		key := strings.ToLower(strings.TrimSpace(h.Name))
		if !fieldName(key) || strings.HasPrefix(key, "content-") || key == "mime-version" {
			continue
		}
		if ours, structured := own[key]; structured && (!ascii(h.Value) || seen[key]) {
			if !seen[key] && ours != "" {
				writeField(&b, h.Name, ours)
			}
			seen[key] = true
			continue
		}
		seen[key] = true
		value := oneLine(h.Value)
		if !ascii(value) {
			value = words(value)
		}
		writeField(&b, strings.TrimSpace(h.Name), value)
	}
	for _, name := range ownOrder {
		if key := strings.ToLower(name); !seen[key] && own[key] != "" {
			writeField(&b, name, own[key])
		}
	}
	return b.String()
}

var ownOrder = []string{"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID", "Importance"}

// ownFields are what the message itself says, encoded.
func (m message) ownFields() map[string]string {
	out := map[string]string{
		"to": addresses(m.To), "cc": addresses(m.Cc), "bcc": addresses(m.Bcc), "reply-to": addresses(m.ReplyTo),
		"subject": words(oneLine(m.Subject)), "message-id": oneLine(m.MessageID), "importance": weight(m.Importance), "from": "", "sender": "", "date": "",
	}
	if m.From != nil {
		out["from"] = addresses([]recipient{*m.From})
	}
	if m.Sender != nil && (m.From == nil || m.Sender.Email.Address != m.From.Email.Address) {
		out["sender"] = addresses([]recipient{*m.Sender})
	}
	if out["from"] == "" {
		out["from"], out["sender"] = out["sender"], ""
	}
	for _, t := range []time.Time{m.Sent, m.Received, m.Created} {
		if t.Year() > 1970 {
			out["date"] = t.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700")
			break
		}
	}
	return out
}

// addresses writes a list of them. What is no address of the Internet (an entry of Exchange)
// is a name with an empty group, which RFC 5322 allows.
func addresses(all []recipient) string {
	var out []string
	for _, r := range all {
		name, address := oneLine(r.Email.Name), oneLine(r.Email.Address)
		parsed, err := mail.ParseAddress("<" + address + ">")
		switch {
		case err == nil:
			if name == address {
				name = ""
			}
			out = append(out, (&mail.Address{Name: name, Address: parsed.Address}).String())
		case name+address != "":
			if name == "" {
				name = address
			}
			out = append(out, phrase(name)+":;")
		}
	}
	return strings.Join(slices.DeleteFunc(out, func(s string) bool { return s == "" }), ", ")
}

// phrase is a name as net/mail writes it before an address.
func phrase(name string) string {
	s := (&mail.Address{Name: name, Address: "a@b"}).String()
	return strings.TrimSuffix(s, " <a@b>")
}

// words encodes a text that is not ASCII (RFC 2047).
func words(s string) string { return mime.QEncoding.Encode("utf-8", s) }

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// oneLine takes out what would end a field: line ends and other control characters.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\r' || r == '\n' || r < ' ' && r != '\t' || r == 0x7f }), " ")
}

// fieldName reports whether a text is the name of a field (RFC 5322 3.6.8).
func fieldName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' })
}

func writeField(b *strings.Builder, name, value string) {
	b.WriteString(foldedAt(name+": "+strings.TrimSpace(value), " "))
	b.WriteString("\r\n")
}

// foldedAt breaks a field at its blanks once a line has 76 characters; a line of RFC 5322 has
// 998 at most. at is where it may be broken.
func foldedAt(s, at string) string {
	var b strings.Builder
	for len(s) > 76 {
		cut := strings.LastIndex(s[:76], at)
		if cut <= strings.Index(s, ": ")+1 || strings.TrimSpace(s[:cut]) == "" {
			if cut = strings.Index(s[76:], at); cut < 0 {
				break
			}
			cut += 76
		}
		cut += len(at) - 1
		b.WriteString(s[:cut] + "\r\n")
		s = s[cut:]
	}
	b.WriteString(s)
	return b.String()
}
