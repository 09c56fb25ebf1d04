package mail_test

import (
	"bytes"
	"io"
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
