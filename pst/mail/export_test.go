package mail_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

func export(t *testing.T, m *message) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := mail.Export(&b, m); err != nil {
		t.Fatal(err)
	}
	checkEML(t, "exported", b.Bytes())
	return b.Bytes()
}

func props(list ...pst.Property) *message {
	m := &message{}
	m.Set(list...)
	return m
}

// TestExportWithoutHeaders: what was never sent as a mail has its header from its
// properties, a sender of Exchange among them.
func TestExportWithoutHeaders(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 30, 1, 0, time.UTC)
	m := props(pst.P(pst.PidTagMessageClass, "IPM.Note"), pst.P(pst.PidTagSubject, "\x01\x05RE: Grüße"), pst.P(pst.PidTagClientSubmitTime, at), pst.P(pst.PidTagSenderName, "Jörg"),
		pst.P(pst.PidTagSenderAddressType, "EX"), pst.P(pst.PidTagSenderEmailAddress, "/O=ORG/CN=JOERG"), pst.P(pst.PidTagSenderSmtpAddress, "joerg@example.com"), pst.P(pst.PidTagBody, "Text\n"), pst.P(pst.PidTagImportance, int32(2)),
		pst.P(pst.PidTagSensitivity, int32(2)), pst.P(pst.PidNameKeywords, []string{"Rot", "Grün"}), pst.P(pst.PidTagInternetMessageId, "<1@example.com>"), pst.P(pst.PidTagReadReceiptRequested, true))
	for i, r := range []string{"Alis", "Bob", "Carol"} {
		m.Recipient(pst.Properties{pst.P(pst.PidTagRecipientType, int32(i+1)), pst.P(pst.PidTagDisplayName, r), pst.P(pst.PidTagAddressType, "SMTP"), pst.P(pst.PidTagEmailAddress, strings.ToLower(r)+"@example.com")})
	}
	m.Recipient(pst.Properties{pst.P(pst.PidTagRecipientType, int32(1)), pst.P(pst.PidTagDisplayName, "A list"), pst.P(pst.PidTagAddressType, "EX"), pst.P(pst.PidTagEmailAddress, "/O=ORG/CN=LIST")})
	out := export(t, m)
	got, res := mustTake(t, out, mail.Options{})
	if len(res.Notes) > 0 || mail.Subject(got.props) != "RE: Grüße" || !got.props.Time(pst.PidTagClientSubmitTime).Equal(at) || got.text(pst.PidTagSenderEmailAddress) != "joerg@example.com" || got.text(pst.PidTagSenderName) != "Jörg" {
		t.Errorf("%v\n%s", res, out)
	}
	want := [][]string{{"Alis <alis@example.com>", "A list <>"}, {"Bob <bob@example.com>"}, {"Carol <carol@example.com>"}, {"Rot", "Grün"}}
	if d := cmp.Diff(want, [][]string{got.people(1), got.people(2), got.people(3), got.props.Texts(pst.PidNameKeywords)}); d != "" {
		t.Error(d)
	}
	if got.props.Int(pst.PidTagImportance) != 2 || got.props.Int(pst.PidTagSensitivity) != 2 || got.text(pst.PidTagBody) != "Text\r\n" || !got.props.Bool(pst.PidTagReadReceiptRequested) {
		t.Errorf("%s", out)
	}
}

// TestChangedInOutlook: what was changed after the mail came is written, the rest of
// its header stays as it was.
func TestChangedInOutlook(t *testing.T) {
	m, _ := mustTake(t, eml("Received: by x; Thu, 8 Nov 2018 10:00:05 +0100", "X-Own:  kept   as it is", "Subject: old", "From: a@b.example", "To: c@d.example, e@f.example", "Date: Thu, 8 Nov 2018 09:59:58 +0100", "Content-Type: text/html", "", "<p>"), mail.Options{})
	m.Set(pst.P(pst.PidTagSubject, "new"), pst.P(pst.PidTagSensitivity, int32(3)), pst.P(pst.PidTagClientSubmitTime, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)))
	m.recipients = m.recipients[:1]
	m.Recipient(pst.Properties{pst.P(pst.PidTagRecipientType, int32(3)), pst.P(pst.PidTagDisplayName, "B"), pst.P(pst.PidTagEmailAddress, "b@cc.example")})
	out := string(export(t, m))
	for _, l := range []string{"X-Own:  kept   as it is", "Subject: new", "From: a@b.example", "To: <c@d.example>", `Bcc: "B" <b@cc.example>`, "Date: Wed, 01 Jan 2020 00:00:00 +0000", "Sensitivity: Company-Confidential", "Received: by x; Thu, 8 Nov 2018 10:00:05 +0100"} {
		if strings.Count(out, l+"\r\n") != 1 {
			t.Errorf("%q is not there once:\n%s", l, out)
		}
	}
}

// TestHeaderInjection: no value of a property makes a line of its own.
func TestHeaderInjection(t *testing.T) {
	for _, evil := range []string{"x\r\nBcc: evil@example.com\r\n\r\nbody", "x\nBcc: evil@example.com", "x\r Bcc: evil", "\" <evil@example.com>, \"", "=?utf-8?Q?=0D=0ABcc:_evil@example.com?=", "a\u2028b", strings.Repeat("x", 5000), "a>\r\nBcc: b", "\x00x\x01\x7F"} {
		m := props(pst.P(pst.PidTagSubject, strings.ReplaceAll(evil, "\x00", "")), pst.P(pst.PidTagSenderName, strings.ReplaceAll(evil, "\x00", "")), pst.P(pst.PidTagSenderEmailAddress, "a@b"+strings.ReplaceAll(evil, "\x00", "")), pst.P(pst.PidTagInternetMessageId, "<1"+strings.ReplaceAll(evil, "\x00", "")+">"),
			pst.P(pst.PidTagConversationTopic, strings.ReplaceAll(evil, "\x00", "")), pst.P(pst.PidNameKeywords, []string{strings.ReplaceAll(evil, "\x00", "")}), pst.P(pst.PidTagBody, "the body"), pst.P(pst.PidNameContentType, strings.ReplaceAll(evil, "\x00", "")), pst.P(pst.PidTagMessageClass, "IPM.Note"))
		evil = strings.ReplaceAll(evil, "\x00", "")
		m.Recipient(pst.Properties{pst.P(pst.PidTagRecipientType, int32(1)), pst.P(pst.PidTagDisplayName, evil), pst.P(pst.PidTagEmailAddress, evil)})
		if err := m.Attach(pst.Properties{pst.P(pst.PidTagAttachLongFilename, evil), pst.P(pst.PidTagAttachMimeTag, evil), pst.P(pst.PidTagAttachContentId, evil), pst.P(pst.PidTagAttachContentLocation, evil)}, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		for _, class := range []string{"IPM.Note", "IPM.Note.SMIME"} {
			m.Set(pst.P(pst.PidTagMessageClass, class))
			got, _ := mustTake(t, export(t, m), mail.Options{})
			if len(got.people(3)) > 0 || len(got.files) != 1 || len(got.people(1)) != 1 || class == "IPM.Note" && got.text(pst.PidTagBody) != "the body" {
				t.Errorf("%.60q of %s: %q %q, %d files", evil, class, got.people(1), got.people(3), len(got.files))
			}
		}
		// The same in what claims to be the header of the transport.
		m = props(pst.P(pst.PidTagTransportMessageHeaders, "X-A: "+evil+"\r\nSubject: s\r\n"), pst.P(pst.PidTagSubject, "s"), pst.P(pst.PidTagBody, "the body"))
		if got, _ := mustTake(t, export(t, m), mail.Options{}); got.text(pst.PidTagBody) != "the body" {
			t.Errorf("%.60q ends the header: %q", evil, got.text(pst.PidTagBody))
		}
	}
}

// TestCompressedRTF has the examples of [MS-OXRTFCP] 4.1.1 and 4.2.
func TestCompressedRTF(t *testing.T) {
	hello := []byte("\x2d\x00\x00\x00\x2b\x00\x00\x00LZFu\xf1\xc5\xc7\xa7\x03\x00\x0a\x00rcpg125\x42\x32\x0a\xf3 hel\x09\x00 bw\x05\xb0ld}\x0a\x80\x0f\xa0")
	again := []byte("\x1a\x00\x00\x00\x1c\x00\x00\x00LZFu\xe2\xd4\x4bQ\x41\x00\x04\x20\x57XYZ\x0d\x6e\x7d\x01\x0e\xb0")
	for _, c := range []struct {
		packed []byte
		text   string
	}{{hello, "hello world"}, {again, "WXYZWXYZWXYZWXYZWXYZ"}, {mela("{\\rtf1\\ansi a\\par b\\'e4\\u8364?}"), "a\r\nbä€"}} {
		out := export(t, props(pst.P(pst.PidTagRtfCompressed, c.packed)))
		m, _ := mustTake(t, out, mail.Options{})
		if got := strings.TrimSpace(m.text(pst.PidTagBody)); got != c.text {
			t.Errorf("%q, want %q\n%s", got, c.text, out)
		}
		if len(m.files) != 1 || m.files[0].name() != "body.rtf" || !bytes.HasPrefix(m.files[0].content, []byte("{\\rtf1")) {
			t.Errorf("the RTF is not kept: %v", m.files)
		}
	}
	for _, broken := range [][]byte{{1}, bytes.Repeat([]byte{0xFF}, 100), append(bytes.Clone(hello[:16]), bytes.Repeat([]byte{0xFF}, 50)...)} {
		export(t, props(pst.P(pst.PidTagRtfCompressed, broken), pst.P(pst.PidTagBody, "x")))
	}
}

// mela wraps RTF without compressing it.
func mela(rtf string) []byte {
	b := make([]byte, 16, 16+len(rtf))
	b[0], b[1], b[4], b[5] = byte(len(rtf)+12), byte((len(rtf)+12)>>8), byte(len(rtf)), byte(len(rtf)>>8)
	copy(b[8:], "MELA")
	return append(b, rtf...)
}

// TestHTMLInRTF has the ways of [MS-OXRTFEX] to hold HTML.
func TestHTMLInRTF(t *testing.T) {
	rtf := `{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fnil\fcharset128 MS Gothic;}}{\colortbl\red0\green0\blue0;}` +
		`{\*\generator Riched20;}{\*\htmltag64 <html>}{\*\htmltag241 <style>p \{margin:0\}</style>}` + "\r\n" + `\htmlrtf {\htmlrtf0{\*\htmltag64 <p>}\htmlrtf \par\htmlrtf0 ` +
		`\'cf\'f0\'e8 {\*\htmltag84 &amp;}\htmlrtf &\htmlrtf0  {\f1 \'93\'fa}\u8364\'88\tab\{x\}{\*\mhtmltag64 <p class=x>}\lquote{\*\htmltag72 </p>}{\*\htmltag64 <p>one` + `\par two}` + `\htmlrtf }\htmlrtf0{\*\htmltag27 </html>}}`
	out := export(t, props(pst.P(pst.PidTagRtfCompressed, mela(rtf)), pst.P(pst.PidTagBody, "text")))
	m, _ := mustTake(t, out, mail.Options{})
	want := "<html><style>p {margin:0}</style><p>При & 日€\t{x}&lsquo;</p><p>one\r\ntwo</html>"
	if got := string(m.html()); got != strings.Replace(want, " & ", " &amp; ", 1) || m.text(pst.PidTagBody) != "text" || len(m.files) != 0 {
		t.Errorf("%q\n%q", got, want)
	}
	m, _ = mustTake(t, export(t, props(pst.P(pst.PidTagRtfCompressed, mela(`{\rtf1\ansi\fromtext \fbidi \deff0{\fonttbl{\f0 Courier;}}\pard\plain\f0 A text\par\par with <tags>\par}`)))), mail.Options{})
	if m.text(pst.PidTagBody) != "A text\r\n\r\nwith <tags>\r\n" || len(m.files) != 0 {
		t.Errorf("%q %v", m.text(pst.PidTagBody), m.files)
	}
}

func TestExportOtherItems(t *testing.T) {
	m := props(pst.P(pst.PidTagMessageClass, "IPM.Appointment"), pst.P(pst.PidTagSubject, "\x01\x01Lunch"), pst.P(pst.Named{Set: pst.PSETIDAppointment, LID: 0x820D, Type: pst.Time}, time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)), pst.P(pst.Named{Set: pst.PSETIDAppointment, LID: 0x8208, Type: pst.String}, "Ruthin"))
	if err := m.Attach(pst.Properties{pst.P(pst.PidTagAttachMethod, int32(7)), pst.P(pst.PidTagAttachLongPathname, "https://example.com/a b"), pst.P(pst.PidTagAttachLongFilename, "link")}, nil); err != nil {
		t.Fatal(err)
	}
	got, _ := mustTake(t, export(t, m), mail.Options{})
	if body := got.text(pst.PidTagBody); mail.Subject(got.props) != "Lunch" || !strings.Contains(body, "Start: 2024-05-06 07:08 UTC") || !strings.Contains(body, "Location: Ruthin") {
		t.Errorf("%q", body)
	}
	if len(got.files) != 1 || got.files[0].name() != "link.txt" || !strings.Contains(string(got.files[0].content), "https://example.com/a b") {
		t.Errorf("%v", got.files)
	}
	got, res := mustTake(t, export(t, &message{}), mail.Options{})
	if len(res.Notes) > 0 || len(got.files) > 0 {
		t.Errorf("%+v", res)
	}
}

// cutItem has an attachment whose content ends with an error.
type cutItem struct{ *message }

func (c cutItem) Attachments() iter.Seq2[pst.Attachment, error] {
	return func(yield func(pst.Attachment, error) bool) { yield(cutFile{&file{}}, nil) }
}

type cutFile struct{ *file }

func (cutFile) Open() (io.Reader, int64, error) {
	return io.MultiReader(strings.NewReader("some"), failedReader{}), 100, nil
}

type failedReader struct{}

func (failedReader) Read([]byte) (int, error) { return 0, errDisk }

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errDisk }

func TestExportErrors(t *testing.T) {
	if err := mail.Export(io.Discard, cutItem{props(pst.P(pst.PidTagBody, "x"))}); !errors.Is(err, errDisk) {
		t.Errorf("an attachment that cannot be read: %v", err)
	}
	big := props(pst.P(pst.PidTagBody, strings.Repeat("x\r\n", 100_000)))
	if err := mail.Export(fullDisk{}, big); !errors.Is(err, errDisk) {
		t.Errorf("a full disk: %v", err)
	}
	if err := big.Attach(nil, strings.NewReader(strings.Repeat("x", 1<<20))); err != nil {
		t.Fatal(err)
	}
	if err := mail.Export(fullDisk{}, big); !errors.Is(err, errDisk) {
		t.Errorf("a full disk: %v", err)
	}
	loop := &message{}
	loop.files = []*file{{props: pst.Properties{pst.P(pst.PidTagAttachMethod, int32(pst.AttachEmbedded))}, message: loop}}
	if err := mail.Export(io.Discard, loop); err == nil || !strings.Contains(err.Error(), "too deep") {
		t.Errorf("a message that lies in itself: %v", fmt.Sprint(err)[:40])
	}
}
