package graphtest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"time"
)

// header are the header fields that a message has as MIME, without those of its body.
func (m Message) header(i *Item) [][2]string {
	var out [][2]string
	add := func(k, v string) {
		if v != "" {
			out = append(out, [2]string{k, v})
		}
	}
	add("Received", "from mx.fake.example (192.0.2.1) by mail.fake.example (192.0.2.2) with SMTP; "+m.received(i).Format(time.RFC1123Z))
	if m.From != (Address{}) {
		add("From", addresses([]Address{m.From}))
	}
	add("To", addresses(m.To))
	add("Cc", addresses(m.Cc))
	add("Bcc", addresses(m.Bcc))
	add("Reply-To", addresses(m.ReplyTo))
	add("Subject", mime.QEncoding.Encode("utf-8", m.Subject))
	add("Date", m.sent(i).Format(time.RFC1123Z))
	add("Message-ID", m.messageID(i))
	if m.Importance != "" && m.Importance != "normal" {
		add("Importance", m.Importance)
	}
	return append(out, m.Headers...)
}

func addresses(all []Address) string {
	var out []string
	for _, a := range all {
		out = append(out, (&mail.Address{Name: a.Name, Address: a.Address}).String())
	}
	return strings.Join(out, ", ")
}

// mime is the message as RFC 5322 has it, the same bytes every time.
func (m Message) mime(i *Item) []byte {
	if m.MIME != nil {
		return m.MIME
	}
	var b bytes.Buffer
	m.write(&b, i, "0")
	return b.Bytes()
}

func (m Message) write(b *bytes.Buffer, i *Item, level string) {
	for _, h := range m.header(i) {
		fmt.Fprintf(b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("MIME-Version: 1.0\r\n")
	kind := "text/plain"
	if m.HTML {
		kind = "text/html"
	}
	parts := m.Attachments
	if len(parts) == 0 {
		m.writeText(b, kind)
		return
	}
	boundary := fmt.Sprintf("_%s_%08x_fake_", level, i.serial)
	fmt.Fprintf(b, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n", boundary, boundary)
	m.writeText(b, kind)
	for n, a := range parts {
		if a.Link != "" {
			continue // a link to a file in a cloud is in the body only
		}
		fmt.Fprintf(b, "--%s\r\n", boundary)
		a.write(b, i, fmt.Sprintf("%s.%d", level, n))
	}
	fmt.Fprintf(b, "--%s--\r\n", boundary)
}

func (m Message) writeText(b *bytes.Buffer, kind string) {
	fmt.Fprintf(b, "Content-Type: %s; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n", kind)
	lines(b, []byte(m.Body))
}

func (a Attachment) write(b *bytes.Buffer, i *Item, level string) {
	if a.Message != nil {
		b.WriteString("Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n")
		a.Message.write(b, i, level)
		b.WriteString("\r\n")
		return
	}
	how := "attachment"
	if a.Inline {
		how = "inline"
	}
	fmt.Fprintf(b, "Content-Type: %s\r\nContent-Disposition: %s\r\n", mime.FormatMediaType(a.media(), map[string]string{"name": a.Name}), mime.FormatMediaType(how, map[string]string{"filename": a.Name}))
	if a.ContentID != "" {
		fmt.Fprintf(b, "Content-ID: <%s>\r\n", a.ContentID)
	}
	b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
	lines(b, a.bytes())
}

// lines writes base64 in lines of 76.
func lines(b *bytes.Buffer, data []byte) {
	for len(data) > 0 {
		n := min(57, len(data))
		b.WriteString(base64.StdEncoding.EncodeToString(data[:n]))
		b.WriteString("\r\n")
		data = data[n:]
	}
}

func (a Attachment) media() string {
	switch {
	case a.Contact != nil:
		return "text/vcard"
	case a.Event != nil:
		return "text/calendar"
	}
	return either(a.Type, "application/octet-stream")
}

func (a Attachment) size() int {
	if a.Content != nil || a.Size == 0 {
		return len(a.Content) + 100
	}
	return a.Size + 100
}

// bytes are the content of a file; what was given a size only is made.
func (a Attachment) bytes() []byte {
	if a.Content != nil || a.Size == 0 {
		return a.Content
	}
	out := make([]byte, a.Size)
	x := uint32(a.Size)
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = byte(x >> 24)
	}
	return out
}
