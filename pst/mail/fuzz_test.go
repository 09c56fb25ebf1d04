package mail_test

import (
	"bytes"
	"strings"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// FuzzImport: whatever is handed in becomes a message, which can be written as a mail,
// and that can be read again with the same subject and the same number of attachments.
func FuzzImport(f *testing.F) {
	for _, c := range broken {
		if len(c.data) < 2000 {
			f.Add(c.data)
		}
	}
	f.Add(eml("Subject: =?utf-8?Q?x?=", "From: a@b", "To: \"A\" <a@b>, b@c", "Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: text/html; charset=koi8-r", "Content-Transfer-Encoding: quoted-printable", "", "<img src=cid:x>=F0", "--b", "Content-ID: <x>", "Content-Type: image/png; name*0*=utf-8''a; name*1=b", "Content-Transfer-Encoding: base64", "", "AAAA", "--b", "Content-Type: message/rfc822", "", "Subject: y", "", "z", "--b--"))
	f.Add(eml("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b", "", "--b", "", "x", "--b", "", "y", "--b--"))
	f.Add(eml("Content-Type: application/pkcs7-mime", "Content-Transfer-Encoding: x-uuencode", "", "begin 1 x", "#AAAA", "end"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, res, err := take(data, mail.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if res.Raw && m.text(pst.PidTagMessageClass) == "IPM.Note" && res.Embedded == 0 && !bytes.Equal(m.files[len(m.files)-1].content, data) {
			t.Error("the mail as it came is not what came")
		}
		var out bytes.Buffer
		if err := mail.Export(&out, m); err != nil {
			t.Fatal(err)
		}
		checkEML(t, "exported", out.Bytes())
		n, _, err := take(out.Bytes(), mail.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := mail.Subject(m.props), mail.Subject(n.props); strings.Join(strings.Fields(a), " ") != strings.Join(strings.Fields(b), " ") {
			t.Errorf("the subject %q becomes %q", a, b)
		}
		if len(m.files) != len(n.files) && m.text(pst.PidTagMessageClass) == "IPM.Note" {
			t.Errorf("%d attachments become %d\n%s", len(m.files), len(n.files), out.Bytes())
		}
	})
}

// FuzzRTF: whatever lies in a file as compressed RTF, the message can be written.
func FuzzRTF(f *testing.F) {
	f.Add([]byte("\x2d\x00\x00\x00\x2b\x00\x00\x00LZFu\xf1\xc5\xc7\xa7\x03\x00\x0a\x00rcpg125\x42\x32\x0a\xf3 hel\x09\x00 bw\x05\xb0ld}\x0a\x80\x0f\xa0"))
	f.Add([]byte("\x2d\x00\x00\x00\xff\x00\x00\x00MELA\x00\x00\x00\x00{\\rtf1\\fromhtml1{\\*\\htmltag <p>}\\htmlrtf x\\htmlrtf0 \\u8364 ?\\'e4}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &message{}
		m.Set(pst.P(pst.PidTagRtfCompressed, data))
		var out bytes.Buffer
		if err := mail.Export(&out, m); err != nil {
			t.Fatal(err)
		}
		checkEML(t, "exported", out.Bytes())
	})
}
