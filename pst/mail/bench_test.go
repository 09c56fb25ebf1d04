package mail_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// nothing is a Sink that keeps nothing, so that only the reading of mail is measured.
type nothing struct{ buf []byte }

func (n *nothing) Set(...pst.Property)      {}
func (n *nothing) Recipient(pst.Properties) {}
func (n *nothing) Attach(_ pst.Properties, r io.Reader) error {
	for {
		if _, err := r.Read(n.buf); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
func (n *nothing) Embed(_ pst.Properties, fill func(pst.Sink) error) error { return fill(n) }

// wrapped is base64 of n bytes in lines of 76 characters.
func wrapped(n int) string {
	raw := make([]byte, n)
	for i := range raw {
		raw[i] = byte(i * 7)
	}
	s := base64.StdEncoding.EncodeToString(raw)
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s
}

var (
	headerLines = strings.Join([]string{"Received: from mx1.example.com (mx1.example.com [192.0.2.1]) by mail.example.org; Thu, 8 Nov 2018 10:00:05 +0100", "Received: from a by b; Thu, 8 Nov 2018 10:00:01 +0100",
		"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=sel; h=from:to:subject;\r\n bh=" + strings.Repeat("x", 44) + ";\r\n b=" + strings.Repeat("y", 340), "From: =?utf-8?Q?J=C3=B6rg?= <joerg@example.com>", "To: \"Doe, Jane\" <jane@example.org>, Bob <bob@example.org>",
		"Subject: Re: the figures of =?utf-8?Q?M=C3=A4rz?=", "Date: Thu, 8 Nov 2018 09:59:58 +0100", "Message-ID: <CAF=abcdef0123456789@mail.example.com>", "References: <a@b> <c@d>", "MIME-Version: 1.0"}, "\r\n") + "\r\n"
	smallMail = headerLines + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.Repeat("A line of a usual mail, with an =C3=A4 in it.\r\n", 40)
)

func largeMail(n int) string {
	return headerLines + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\ntext\r\n--b\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(n) + "\r\n--b--\r\n"
}

func mixedMail() string {
	var b strings.Builder
	b.WriteString(headerLines + "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
		strings.Repeat("A line of a usual mail, with an =C3=A4 in it.\r\n", 60) + "--a\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.Repeat("<p style=3D\"margin:0\">A line, with an =C3=A4.</p>\r\n", 300) + "--a--\r\n")
	for i := range 3 {
		fmt.Fprintf(&b, "--r\r\nContent-Type: image/png; name=i%d.png\r\nContent-ID: <i%d>\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n", i, i, wrapped(8000))
	}
	b.WriteString("--r--\r\n--m\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(60_000) + "\r\n--m--\r\n")
	return b.String()
}

func BenchmarkImport(b *testing.B) {
	for name, data := range map[string]string{"small": smallMail, "1MB": largeMail(1 << 20), "30MB": largeMail(30 << 20), "mixed": mixedMail()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			s := &nothing{buf: make([]byte, 32<<10)}
			for b.Loop() {
				if _, err := mail.Import(s, strings.NewReader(data), int64(len(data)), mail.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkExport(b *testing.B) {
	for name, data := range map[string]string{"small": smallMail, "1MB": largeMail(1 << 20), "mixed": mixedMail()} {
		b.Run(name, func(b *testing.B) {
			m, _, err := take([]byte(data), mail.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := mail.Export(io.Discard, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestAttachmentsStream: the memory that a mail takes does not grow with its attachments.
func TestAttachmentsStream(t *testing.T) {
	bytesFor := func(n int) uint64 {
		data := largeMail(n)
		s := &nothing{buf: make([]byte, 32<<10)}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := mail.Import(s, strings.NewReader(data), int64(len(data)), mail.Options{}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := bytesFor(1000), bytesFor(8<<20)
	if large > small+200_000 {
		t.Errorf("a mail with 8 MB takes %d bytes, one with 1 kB %d", large, small)
	}
}
