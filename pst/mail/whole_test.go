package mail_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// wholeSink takes messages within a mail as they came.
type wholeSink struct {
	message
	mails []string
}

func (s *wholeSink) EmbedMail(p pst.Properties, m *io.SectionReader) error {
	raw, err := io.ReadAll(m)
	s.mails = append(s.mails, p.Text(pst.PidTagDisplayName)+"|"+string(raw))
	return err
}

// TestWhole: a Sink that asks for it gets a message within the mail byte for byte.
func TestWhole(t *testing.T) {
	const inner = "Subject: Inner\r\n\r\ninside\r\n"
	text := []byte("Subject: Outer\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + "\r\n--b--\r\n")
	var s wholeSink
	res, err := mail.Import(&s, bytes.NewReader(text), int64(len(text)), mail.Options{})
	if err != nil || res.Embedded != 1 || len(s.files) != 0 || len(s.mails) != 1 || s.mails[0] != "Inner|"+inner {
		t.Errorf("%v %+v %q", err, res, s.mails)
	}
}

// TestLongBodies: a text is a body as long as the bodies of a mail, and of those that it lies
// in, can be held together; a longer one is attached, whole, and said to be.
func TestLongBodies(t *testing.T) {
	const mib = 1 << 20
	text := func(kind, encoding string, size int) []string {
		data := strings.Repeat("<p>Gr\xc3\xbc\xc3\x9fe</p>\r\n", size/16)
		if encoding == "base64" {
			data = base64.StdEncoding.EncodeToString([]byte(data))
		}
		return []string{"Content-Type: text/" + kind + "; charset=utf-8", "Content-Transfer-Encoding: " + encoding, "", data}
	}
	alternative := func(parts ...[]string) []string {
		lines := []string{"Content-Type: multipart/alternative; boundary=a", ""}
		for _, p := range parts {
			lines = append(append(lines, "--a"), p...)
		}
		return append(lines, "--a--", "")
	}
	for name, one := range map[string]struct {
		mail        []string
		html, plain int // MiB of the bodies
		files       []int
	}{
		"HTML":                 {text("html", "8bit", 11*mib), 11, 0, nil},
		"longer HTML":          {text("html", "8bit", 13*mib), 0, 0, []int{13}},
		"HTML in base64":       {text("html", "base64", 11*mib), 11, 0, nil},
		"longer in base64":     {text("html", "base64", 13*mib), 0, 0, []int{13}},
		"plain":                {text("plain", "8bit", 5*mib), 0, 5, nil},
		"longer plain":         {text("plain", "8bit", 7*mib), 0, 0, []int{7}},
		"both":                 {alternative(text("plain", "8bit", 2*mib), text("html", "8bit", 7*mib)), 7, 2, nil},
		"both, longer":         {alternative(text("plain", "8bit", 5*mib), text("html", "8bit", 7*mib)), 0, 5, []int{7}},
		"both, far longer":     {alternative(text("plain", "8bit", 7*mib), text("html", "8bit", 11*mib)), 11, 0, []int{7}},
		"both, short and long": {alternative(text("plain", "8bit", 1*mib), text("html", "8bit", 13*mib)), 0, 1, []int{13}},
	} {
		m, res, err := take(eml(append([]string{"Subject: x", "MIME-Version: 1.0"}, one.mail...)...), mail.Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		near := func(n, want int) bool { return n > want*mib-mib/4 && n < want*mib+mib/4 }
		if !near(len(m.html()), one.html) || !near(len(m.text(pst.PidTagBody)), one.plain) || len(m.files) != len(one.files) {
			t.Errorf("%s: %d bytes of HTML, %d of text, %d files", name, len(m.html()), len(m.text(pst.PidTagBody)), len(m.files))
			continue
		}
		for i, want := range one.files {
			if f := m.files[i]; !near(len(f.content), want) {
				t.Errorf("%s: %q with %d bytes", name, f.name(), len(f.content))
			}
		}
		if (len(res.Notes) > 0) != (len(one.files) > 0) || res.Raw {
			t.Errorf("%s: %q", name, res.Notes)
		}
	}
	inner := eml(append([]string{"Subject: inner"}, alternative(text("plain", "8bit", 50_000), text("html", "8bit", 2*mib))...)...)
	outer := append([]string{"Content-Type: multipart/mixed; boundary=m", "", "--m"}, text("html", "8bit", 12*mib-20_000)...)
	outer = append(outer, "--m", "Content-Type: message/rfc822", "", string(inner), "--m", "Content-Type: message/rfc822", "", string(inner), "--m--", "")
	m, res, err := take(eml(append([]string{"Subject: x"}, outer...)...), mail.Options{})
	if err != nil || len(m.html()) < 10*mib || len(m.files) != 2 || len(res.Notes) != 1 {
		t.Fatalf("%v, %+v, %d bytes, %d files", err, res, len(m.html()), len(m.files))
	}
	for _, f := range m.files {
		if x := f.message; x == nil || len(x.html()) > 0 || len(x.text(pst.PidTagBody)) < 40_000 || len(x.files) != 1 || len(x.files[0].content) < 2*mib-100 {
			t.Errorf("%+.200v", x)
		}
	}
}
