package mail_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// eml joins lines with CR LF.
func eml(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n")) }

func mustTake(t *testing.T, data []byte, o mail.Options) (*message, mail.Result) {
	t.Helper()
	m, res, err := take(data, o)
	if err != nil {
		t.Fatal(err)
	}
	return m, res
}

func TestProperties(t *testing.T) {
	data := eml("Received: from a by b; Thu, 8 Nov 2018 10:00:05 +0100", "Received: from c by a; Thu, 8 Nov 2018 10:00:02 +0100",
		"From: =?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <joerg@example.com>", "Sender: Office <office@example.com>", "Reply-To: Answers <answers@example.com>, b@example.com",
		"To: \"Doe, Jane\" <jane@example.com>, friends: a@example.org, \"B\" <b@example.org>;", "Cc: c@example.org (Carol)", "Bcc: undisclosed-recipients:;",
		"Subject: RE: =?iso-8859-1?Q?Gr=FC=DFe?=", "Date: Thu, 8 Nov 2018 09:59:58 +0100", "Message-ID: <m1@example.com>", "In-Reply-To: <m0@example.com>", "References: <r@example.com>\r\n\t<m0@example.com>",
		"X-Priority: 1 (Highest)", "Sensitivity: Company-Confidential", "Keywords: Red, Blue", "Disposition-Notification-To: joerg@example.com", "", "Hello", "")
	m, res := mustTake(t, data, mail.Options{Read: true, Flag: mail.Flagged, Categories: []string{"Green", "red"}, LastVerb: 102})
	if res.Class != "IPM.Note" || res.Recipients != 4 || len(res.Notes) != 0 || res.Raw {
		t.Errorf("%+v", res)
	}
	texts := map[pst.Tag]string{
		pst.PidTagMessageClass: "IPM.Note", pst.PidTagSubject: "\x01\x05RE: Grüße", pst.PidTagSubjectPrefix: "RE: ", pst.PidTagNormalizedSubject: "Grüße", pst.PidTagConversationTopic: "Grüße",
		pst.PidTagSentRepresentingName: "Jörg Müller", pst.PidTagSentRepresentingEmailAddress: "joerg@example.com", pst.PidTagSenderName: "Office", pst.PidTagSenderEmailAddress: "office@example.com",
		pst.PidTagReplyRecipientNames: "Answers; b@example.com", pst.PidTagDisplayTo: "Doe, Jane; a@example.org; B", pst.PidTagDisplayCc: "Carol", pst.PidTagDisplayBcc: "",
		pst.PidTagInternetMessageId: "<m1@example.com>", pst.PidTagInReplyToId: "<m0@example.com>", pst.PidTagInternetReferences: "<r@example.com> <m0@example.com>", pst.PidTagBody: "Hello\r\n",
	}
	for tag, want := range texts {
		if got := m.text(tag); got != want {
			t.Errorf("%v is %q, want %q", tag, got, want)
		}
	}
	ints := map[pst.Tag]int64{pst.PidTagImportance: 2, pst.PidTagPriority: 1, pst.PidTagSensitivity: 3, pst.PidTagMessageFlags: 3, pst.PidTagFlagStatus: 2, pst.PidTagNativeBody: 1, pst.PidTagLastVerbExecuted: 102}
	for tag, want := range ints {
		if got := m.props.Int(tag); got != want {
			t.Errorf("%v is %d, want %d", tag, got, want)
		}
	}
	if got := m.props.Time(pst.PidTagClientSubmitTime); !got.Equal(time.Date(2018, 11, 8, 8, 59, 58, 0, time.UTC)) {
		t.Errorf("sent %v", got)
	}
	if got := m.props.Time(pst.PidTagMessageDeliveryTime); !got.Equal(time.Date(2018, 11, 8, 9, 0, 5, 0, time.UTC)) {
		t.Errorf("received %v", got)
	}
	if got := m.props.Texts(pst.PidNameKeywords); !slices.Equal(got, []string{"Green", "red", "Blue"}) {
		t.Errorf("categories %q", got)
	}
	if !m.props.Bool(pst.PidTagReadReceiptRequested) {
		t.Error("no receipt is asked for")
	}
	if h := m.text(pst.PidTagTransportMessageHeaders); !strings.HasPrefix(h, "Received: from a") || !strings.HasSuffix(h, "example.com\r\n\r\n") {
		t.Errorf("transport headers %q", h)
	}
	if name, kind, addr, ok := pst.ParseOneOff(m.recipients[0].Bytes(pst.PidTagEntryId)); !ok || name != "Doe, Jane" || kind != "SMTP" || addr != "jane@example.com" {
		t.Errorf("entry id %q %q %q %v", name, kind, addr, ok)
	}
	if got := string(m.recipients[0].Bytes(pst.PidTagSearchKey)); got != "SMTP:JANE@EXAMPLE.COM\x00" {
		t.Errorf("search key %q", got)
	}
	if b := m.props.Bytes(pst.PidTagReplyRecipientEntries); len(b) < 8 || b[0] != 2 || len(b)%4 != 0 || int(b[4])|int(b[5])<<8 != len(b)-8 {
		t.Errorf("reply entries %x", b)
	}
	if got := m.props.Time(pst.PidTagMessageDeliveryTime); got.IsZero() {
		t.Error("no time")
	}
	around(t, "a mail with everything", data)
}

func TestConversation(t *testing.T) {
	// The topic is that of a real file of Outlook; see [MS-PST] 5.4 for the way.
	m, _ := mustTake(t, eml("Subject: Re: Test", "Date: Sat, 31 May 2014 10:00:00 +0000", "", ""), mail.Options{})
	n, _ := mustTake(t, eml("Subject: test", "Message-ID: <x@y>", "", ""), mail.Options{})
	id := m.props.Bytes(pst.PidTagConversationId)
	if len(id) != 16 || !bytes.Equal(id, n.props.Bytes(pst.PidTagConversationId)) {
		t.Errorf("an answer is in another conversation: %x %x", id, n.props.Bytes(pst.PidTagConversationId))
	}
	index := m.props.Bytes(pst.PidTagConversationIndex)
	if len(index) != 22 || !bytes.HasPrefix(index, []byte{1, 0xCF, 0x7C}) || !bytes.Equal(index[6:], id) {
		t.Errorf("index %x", index)
	}
	index = append([]byte{1, 0xD0, 1, 2, 3, 4}, []byte("0123456789abcdefABCDE")...)
	m, _ = mustTake(t, eml("Subject: x", "Thread-Index: "+base64.StdEncoding.EncodeToString(index), "Thread-Topic: y", "", ""), mail.Options{})
	if !bytes.Equal(m.props.Bytes(pst.PidTagConversationIndex), index) || string(m.props.Bytes(pst.PidTagConversationId)) != "0123456789abcdef" || m.text(pst.PidTagConversationTopic) != "y" || !m.props.Bool(pst.PidTagConversationIndexTracking) {
		t.Errorf("%v", m.props)
	}
	m, _ = mustTake(t, eml("Message-ID: <no-topic@x>", "", ""), mail.Options{})
	if _, has := m.props.Get(pst.PidTagConversationId); has || len(m.props.Bytes(pst.PidTagConversationIndex)) != 22 {
		t.Error("a mail without a topic has a conversation by it")
	}
}

func TestSubjects(t *testing.T) {
	for raw, want := range map[string][3]string{
		"Hello":      {"\x01\x01Hello", "", "Hello"},
		"AW:  Hello": {"\x01\x06AW:  Hello", "AW:  ", "Hello"}, "Re:x": {"\x01\x04Re:x", "Re:", "x"}, "Fwd: x": {"\x01\x06Fwd: x", "Fwd: ", "x"},
		"Abcd: x": {"\x01\x01Abcd: x", "", "Abcd: x"}, "R2: x": {"\x01\x01R2: x", "", "R2: x"}, ": x": {"\x01\x01: x", "", ": x"}, "R : x": {"\x01\x01R : x", "", "R : x"},
		"": {"", "", ""}, "回复: x": {"\x01\x05回复: x", "回复: ", "x"}, "RE: ": {"\x01\x04RE:", "RE:", ""}, "a\x00b\x01c": {"\x01\x01a b c", "", "a b c"},
	} {
		m, _ := mustTake(t, eml("Subject: "+raw, "", ""), mail.Options{})
		if got := [3]string{m.text(pst.PidTagSubject), m.text(pst.PidTagSubjectPrefix), m.text(pst.PidTagNormalizedSubject)}; got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
	m, _ := mustTake(t, eml("Subject: Re: "+strings.Repeat("😀", 300), "", ""), mail.Options{})
	if got := mail.Subject(m.props); got != "Re: "+strings.Repeat("😀", 125) {
		t.Errorf("a long subject has %d bytes", len(got))
	}
}

func TestCharsets(t *testing.T) {
	type coded struct {
		name, text string
		page       int64
		raw        []byte
	}
	enc := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	all := []coded{
		{"utf-8", "Grüße 管理 ✓", 65001, []byte("Grüße 管理 ✓")},
		{"iso-8859-1", "Grüße", 1252, enc(charmap.ISO8859_1.NewEncoder().Bytes([]byte("Grüße")))},
		{"ISO8859-15", "10 €", 28605, enc(charmap.ISO8859_15.NewEncoder().Bytes([]byte("10 €")))},
		{"windows-1251", "Привет", 1251, enc(charmap.Windows1251.NewEncoder().Bytes([]byte("Привет")))},
		{"cp1251", "Привет", 1251, enc(charmap.Windows1251.NewEncoder().Bytes([]byte("Привет")))},
		{"koi8-r", "Привет", 20866, enc(charmap.KOI8R.NewEncoder().Bytes([]byte("Привет")))},
		{"iso-8859-7", "Γειά", 28597, enc(charmap.ISO8859_7.NewEncoder().Bytes([]byte("Γειά")))},
		{"iso-2022-jp", "日本語", 50220, enc(japanese.ISO2022JP.NewEncoder().Bytes([]byte("日本語")))},
		{"shift_jis", "日本語", 932, enc(japanese.ShiftJIS.NewEncoder().Bytes([]byte("日本語")))},
		{"euc-kr", "한국어", 51949, enc(korean.EUCKR.NewEncoder().Bytes([]byte("한국어")))},
		{"gb2312", "管理", 936, enc(simplifiedchinese.GBK.NewEncoder().Bytes([]byte("管理")))},
		{"gb18030", "管理", 54936, enc(simplifiedchinese.GB18030.NewEncoder().Bytes([]byte("管理")))},
		{"big5", "繁體", 950, enc(traditionalchinese.Big5.NewEncoder().Bytes([]byte("繁體")))},
		{"ibm850", "Grüße", 65001, enc(charmap.CodePage850.NewEncoder().Bytes([]byte("Grüße")))},
		{"iso-8859-10", "Ęü", 65001, enc(charmap.ISO8859_10.NewEncoder().Bytes([]byte("Ęü")))},
		{"utf-7", "Grüße", 65001, []byte("Gr+APwA3w-e")},
		{"utf-16", "Grüße", 65001, []byte("\xFF\xFEG\x00r\x00\xFC\x00\xDF\x00e\x00")},
		{"nobody-knows", "Grüße", 65001, []byte("Gr\xFC\xDFe")},
		{"", "Grüße", 65001, []byte("Gr\xFC\xDFe")},
		{"utf-8", "Grüße ✓", 65001, []byte("Gr\xFC\xDFe ✓")},
	}
	for _, c := range all {
		data := eml("Subject: =?"+c.name+"?B?"+base64.StdEncoding.EncodeToString(c.raw)+"?=", "MIME-Version: 1.0", "Content-Type: multipart/alternative; boundary=b", "",
			"--b", "Content-Type: text/plain; charset="+c.name, "Content-Transfer-Encoding: base64", "", base64.StdEncoding.EncodeToString(c.raw),
			"--b", "Content-Type: text/html; charset=\""+c.name+"\"", "Content-Transfer-Encoding: base64", "", base64.StdEncoding.EncodeToString(c.raw), "--b--", "")
		m, res := mustTake(t, data, mail.Options{})
		if res.Raw {
			t.Errorf("%s: %v", c.name, res.Notes)
		}
		if got := m.text(pst.PidTagBody); got != c.text {
			t.Errorf("%s: the text is %q, want %q", c.name, got, c.text)
		}
		if got := mail.Subject(m.props); c.name != "" && got != c.text {
			t.Errorf("%s: the subject is %q, want %q", c.name, got, c.text)
		}
		want := c.raw
		if c.page == 65001 {
			want = []byte(c.text)
		}
		if page := m.props.Int(pst.PidTagInternetCodepage); page != c.page || !bytes.Equal(bytes.TrimPrefix(m.html(), []byte("\uFEFF")), want) {
			t.Errorf("%s: the page has %q in %d, want %d", c.name, m.html(), page, c.page)
		}
		around(t, c.name, data)
	}
	m, _ := mustTake(t, eml("Content-Type: text/html", "", "<meta http-equiv=x content='text/html; charset=koi8-r'>\xF0"), mail.Options{})
	if m.props.Int(pst.PidTagInternetCodepage) != 20866 {
		t.Errorf("the charset of the page is not looked at: %d", m.props.Int(pst.PidTagInternetCodepage))
	}
}

func TestNames(t *testing.T) {
	for header, want := range map[string]string{
		`Content-Disposition: attachment; filename*=utf-8'en'Gr%C3%BC%C3%9Fe.pdf; filename="x.pdf"`:          "Grüße.pdf",
		"Content-Disposition: attachment; filename*0=\"a very\"; filename*1=\" long name\"; filename*2=.pdf": "a very long name.pdf",
		"Content-Disposition: attachment; filename*0*=iso-8859-1''Gr%FC; filename*1*=%DFe; filename*2=.pdf":  "Grüße.pdf",
		"Content-Type: application/pdf; name=\"=?utf-8?B?R3LDvMOfZS5wZGY=?=\"":                               "Grüße.pdf",
		"Content-Type: application/pdf; name=Gr\xC3\xBC\xC3\x9Fe.pdf":                                        "Grüße.pdf",
		"Content-Type: application/pdf; name=Gr\xFC\xDFe.pdf":                                                "Grüße.pdf",
		"Content-Type: application/pdf; name=a name with spaces.pdf; x=y":                                    "a name with spaces.pdf",
		"Content-Type: application/pdf name=\"no semicolon.pdf\"":                                            "no semicolon.pdf",
		`Content-Disposition: attachment; filename="a \"quoted\" name.pdf"`:                                  `a "quoted" name.pdf`,
		"Content-Disposition: attachment; filename=\"C:\\temp\\x.pdf\"":                                      `C:\temp\x.pdf`,
		"Content-Disposition: attachment; filename=\"a\tb\x01c.pdf\"":                                        "a b c.pdf",
		"Content-Type: application/pdf":                                                                      "ATT00001.dat",
		"Content-Type: application/pdf; name=\"=?utf-8?Q?part=5F?=\r\n =?utf-8?Q?two.pdf?=\"":                "part_two.pdf",
		"Content-Disposition: attachment; filename=" + strings.Repeat("x", 300) + ".pdf":                     strings.Repeat("x", 230) + ".pdf",
	} {
		data := eml("Content-Type: multipart/mixed; boundary=b", "", "--b", header, "", "content", "--b--", "")
		if !strings.Contains(header, "Content-Type") {
			data = eml("Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: application/octet-stream", header, "", "content", "--b--", "")
		}
		m, _ := mustTake(t, data, mail.Options{})
		if want == "ATT00001.dat" {
			want = "ATT00001.pdf"
		}
		if len(m.files) != 1 || m.files[0].name() != want || string(m.files[0].content) != "content" {
			t.Errorf("%s: %v, want %q", header, m.files, want)
			continue
		}
		around(t, header, data)
	}
}

func TestInline(t *testing.T) {
	data := eml("Subject: inline", "Content-Type: multipart/mixed; boundary=m", "", "--m", "Content-Type: multipart/related; boundary=r; start=\"<root@x>\"", "",
		"--r", "Content-Type: image/png; name=logo.png", "Content-ID: <logo@x>", "Content-Transfer-Encoding: base64", "", "iVBORw==",
		"--r", "Content-Type: text/html", "Content-ID: <root@x>", "", "<img src=\"cid:logo@x\"><img src=cid:enc%40x>",
		"--r", "Content-Type: image/gif", "Content-ID: <enc@x>", "", "GIF",
		"--r", "Content-Type: image/gif", "Content-ID: <other@x>", "Content-Disposition: inline", "", "GIF2", "--r--",
		"--m", "Content-Type: text/plain", "", "a footer", "--m--", "")
	m, res := mustTake(t, data, mail.Options{})
	if res.Inline != 2 || res.Attachments != 4 || len(m.files) != 4 || !bytes.HasPrefix(m.html(), []byte("<img")) {
		t.Fatalf("%+v %v", res, m.files)
	}
	for i, want := range []int64{4, 4, 0, 0} {
		f := m.files[i]
		if f.props.Int(pst.PidTagAttachFlags) != want || f.props.Bool(pst.PidTagAttachmentHidden) != (want == 4) {
			t.Errorf("file %d: %v", i, f.props)
		}
	}
	_, out := around(t, "inline", data)
	if !bytes.Contains(out, []byte("multipart/related")) || !bytes.Contains(out, []byte("Content-ID: <logo@x>")) {
		t.Errorf("%s", out)
	}
}

func TestEmbedded(t *testing.T) {
	inner := "Subject: level %d\r\nFrom: a@b\r\nContent-Type: message/rfc822\r\n\r\n"
	var data []byte
	for i := range 40 {
		data = fmt.Appendf(data, inner, i)
	}
	data = append(data, "Subject: last\r\n\r\nthe text"...)
	m, res := mustTake(t, data, mail.Options{})
	deep, at := 0, m
	for len(at.files) == 1 && at.files[0].message != nil {
		at = at.files[0].message
		deep++
	}
	if deep != 8 || res.Embedded != 8 || len(at.files) != 1 || !bytes.HasSuffix(at.files[0].content, []byte("the text")) || at.files[0].props.Text(pst.PidTagAttachExtension) != ".eml" {
		t.Errorf("%d levels, %+v", deep, res)
	}
	around(t, "nested", data)
	// One that is encoded, which RFC 2046 forbids, is kept as a file.
	m, _ = mustTake(t, eml("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", base64.StdEncoding.EncodeToString([]byte("Subject: x\r\n\r\ny"))), mail.Options{})
	if len(m.files) != 1 || string(m.files[0].content) != "Subject: x\r\n\r\ny" {
		t.Errorf("%v", m.files)
	}
}

func TestSMIME(t *testing.T) {
	signed := eml("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";", "\tmicalg=sha-256; boundary=\"s\"", "", "preamble", "--s", "Content-Type: multipart/mixed; boundary=i", "", "--i", "", "the text  ",
		"--i", "Content-Type: application/pdf; name=a.pdf", "", "PDF", "--i--", "", "--s", "Content-Type: application/pkcs7-signature; name=smime.p7s", "Content-Transfer-Encoding: base64", "", "AAAA", "--s--", "")
	data := append(eml("From: a@b.example", "Subject: signed", "MIME-Version: 1.0", ""), signed...)
	m, res := mustTake(t, data, mail.Options{})
	if res.Class != "IPM.Note.SMIME.MultipartSigned" || m.text(pst.PidTagBody) != "the text  " || len(m.files) != 1 || !bytes.Equal(m.files[0].content, signed) || m.files[0].props.Text(pst.PidTagAttachMimeTag) != "multipart/signed" {
		t.Errorf("%+v\n%q", res, m.files[0].content)
	}
	if _, out := around(t, "clear-signed", data); !bytes.HasSuffix(out, signed) {
		t.Errorf("what was signed is changed:\n%s", out)
	}
	data = eml("Subject: secret", "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=\"smime.p7m\"", "Content-Transfer-Encoding: base64", "", "MIAGCSqGSIb3", "")
	m, res = mustTake(t, data, mail.Options{})
	if res.Class != "IPM.Note.SMIME" || len(m.files) != 1 || m.files[0].name() != "smime.p7m" || len(m.files[0].content) != 9 {
		t.Errorf("%+v %v", res, m.files)
	}
	if _, out := around(t, "encrypted", data); !bytes.Contains(out, []byte("smime-type=enveloped-data")) || bytes.Contains(out, []byte("multipart")) {
		t.Errorf("%s", out)
	}
	data = eml("Subject: pgp", "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=e", "", "--e", "Content-Type: application/pgp-encrypted", "", "Version: 1", "--e", "Content-Type: application/octet-stream; name=encrypted.asc", "", "-----BEGIN PGP MESSAGE-----", "--e--")
	m, res = mustTake(t, data, mail.Options{})
	if len(m.files) != 2 || res.Raw || string(m.files[1].content) != "-----BEGIN PGP MESSAGE-----" {
		t.Errorf("%+v %v", res, m.files)
	}
	around(t, "pgp", data)
}

// TestOptions: what the server knows is there, and goes before what the mail says.
func TestOptions(t *testing.T) {
	at := time.Date(2021, 2, 3, 4, 5, 6, 0, time.FixedZone("x", 3600))
	m, _ := mustTake(t, eml("Received: by x; Thu, 8 Nov 2018 10:00:05 +0100", "", "x"), mail.Options{Received: at, Created: at.Add(1), Modified: at.Add(2), Draft: true, Flag: mail.FlagDone})
	for tag, want := range map[pst.Tag]time.Time{pst.PidTagMessageDeliveryTime: at, pst.PidTagCreationTime: at.Add(1), pst.PidTagLastModificationTime: at.Add(2)} {
		if got := m.props.Time(tag); !got.Equal(want) {
			t.Errorf("%v is %v, want %v", tag, got, want)
		}
	}
	if m.props.Int(pst.PidTagMessageFlags) != pst.FlagUnsent|pst.FlagUnmodified || m.props.Int(pst.PidTagFlagStatus) != 1 {
		t.Errorf("%v", m.props)
	}
	if _, has := m.props.Get(pst.PidTagClientSubmitTime); has {
		t.Error("a mail that does not say when it was sent has a time for it")
	}
}
