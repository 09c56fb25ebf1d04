package putback_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
)

// pattern are bytes that are not the same twice.
func pattern(n int) []byte {
	out := make([]byte, n)
	x := uint32(n)
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = byte(x >> 24)
	}
	return out
}

// part is a part of a multipart with a file in base64.
func part(name, media string, content []byte, more ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "--b\r\nContent-Type: %s; name=\"%s\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"%s\"\r\n%s\r\n", media, name, name, strings.Join(more, ""))
	text := base64.StdEncoding.EncodeToString(content)
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	b.WriteString(text + "\r\n")
	return b.String()
}

// head begins a mail.
func head(more ...string) string {
	return "Received: from mx.example ([192.0.2.7]) by mail.example; Mon, 4 Mar 2019 05:06:07 +0000\r\nX-Origin: kept\r\nFrom: =?utf-8?q?Be=C3=A1?= <bea@fabrikam.example>\r\nSender: office@fabrikam.example\r\n" +
		"To: Ali <ali@contoso.example>, cyd@fabrikam.example\r\nCc: dora@fabrikam.example\r\nBcc: eve@fabrikam.example\r\nReply-To: Answers <answers@fabrikam.example>\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n" +
		"Date: Mon, 4 Mar 2019 05:05:00 +0000\r\nMessage-ID: <one@fabrikam.example>\r\nIn-Reply-To: <zero@fabrikam.example>\r\nReferences: <zero@fabrikam.example>\r\nImportance: high\r\nSensitivity: private\r\n" +
		"Disposition-Notification-To: bea@fabrikam.example\r\nMIME-Version: 1.0\r\n" + strings.Join(more, "")
}

const mixed = "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

func letterItem(id string) outlook.Item {
	return outlook.Item{ID: id, Kind: outlook.Mail, At: when, Read: true, Flag: "flagged", Categories: []string{"Red"}, Subject: "Grüße", MessageID: "<one@fabrikam.example>"}
}

func TestMail(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	text := head(mixed, "--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>Sch\xf6n <img src=\"cid:logo@x\"></p>\r\n", part("logo.png", "image/png", []byte{1, 2, 3}, "Content-ID: <logo@x>\r\n"),
		part("a.bin", "application/x-a", pattern(5000)), "--b--\r\n")
	done := w.put(f, letterItem("A/b=='"), []byte(text))
	if len(done.Notes) != 0 {
		t.Error(done.Notes)
	}
	if n := w.n.Count(func(r graphtest.Request) bool { return r.Method != "GET" }); n != 2 { // the folder, the message
		t.Errorf("%d calls", n)
	}
	m := w.json("messages/" + url.PathEscape(done.ID))
	for k, want := range map[string]any{
		"isDraft": false, "isRead": true, "receivedDateTime": "2019-03-04T05:06:07Z", "sentDateTime": "2019-03-04T05:05:00Z", "subject": "Grüße", "importance": "high", "internetMessageId": "<one@fabrikam.example>",
		"isReadReceiptRequested": false, "hasAttachments": true,
	} {
		if m[k] != want {
			t.Errorf("%s is %v, want %v", k, m[k], want)
		}
	}
	if got := fmt.Sprint(m["body"], m["flag"], m["categories"]); !strings.Contains(got, "Schön <img src=\"cid:logo@x\">") || !strings.Contains(got, "html") || !strings.Contains(got, "flagged") || !strings.Contains(got, "Red") {
		t.Error(got)
	}
	for k, want := range map[string]string{"from": "Beá bea@", "toRecipients": "ali@contoso.example cyd@", "ccRecipients": "dora@", "bccRecipients": "eve@", "replyTo": "Answers answers@"} {
		for _, word := range strings.Fields(want) {
			if !strings.Contains(fmt.Sprint(m[k]), word) {
				t.Errorf("%s is %v", k, m[k])
			}
		}
	}
	i := w.inside(f)[0]
	for id, want := range map[string]string{"Integer 0x0036": "2", "String 0x1042": "<zero@fabrikam.example>", "String 0x1039": "<zero@fabrikam.example>", "String 0x0070": "Grüße"} {
		if got, _ := i.Property(id); got != want {
			t.Errorf("%s is %q", id, got)
		}
	}
	headers := fmt.Sprint(w.json("messages/" + url.PathEscape(done.ID) + "?$select=internetMessageHeaders")["internetMessageHeaders"])
	for _, want := range []string{"X-Origin", "kept", "192.0.2.7"} {
		if !strings.Contains(headers, want) {
			t.Errorf("%s is not in %s", want, headers)
		}
	}
	files := i.Content().Attachments
	if len(files) != 2 || !files[0].Inline || files[0].ContentID != "logo@x" || files[1].Inline || files[1].Name != "a.bin" || files[1].Type != "application/x-a" || !bytes.Equal(files[1].Content, pattern(5000)) {
		t.Errorf("%+v", files)
	}
	all := w.marked(f, 7)
	if len(all) != 1 || all["A/b=='"].ID != done.ID || !all["A/b=='"].Whole {
		t.Error(all)
	}
	if other := w.marked(f, 77); len(other) != 0 {
		t.Error(other)
	}
}

// TestStates: unread mail stays unread, and a draft a draft.
func TestStates(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	text := []byte(head("\r\n", "Hello.\r\n"))
	for _, c := range []struct{ read, draft bool }{{true, false}, {false, false}, {false, true}} {
		w.put(f, outlook.Item{ID: fmt.Sprint(c), At: when, Read: c.read, Draft: c.draft}, text)
		all := w.inside(f)
		if got := all[len(all)-1].Content(); got.Read != c.read || got.Draft != c.draft || !got.Received.Equal(when) || got.HTML || strings.TrimSpace(got.Body) != "Hello." {
			t.Errorf("%v: %+v", c, got)
		}
	}
}

// TestLargeAttachments: what is larger than a call goes by upload session, and stays in its
// place among the others.
func TestLargeAttachments(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	sizes := []int{10, 3<<20 - 1, 3 << 20, 9_000_000, 0, 700}
	text := head(mixed, "--b\r\n\r\nSee below.\r\n")
	for n, size := range sizes {
		text += part(fmt.Sprintf("%d.bin", n), "application/octet-stream", pattern(size))
	}
	done := w.put(f, letterItem("x"), []byte(text+"--b--\r\n"))
	if len(done.Notes) != 0 {
		t.Error(done.Notes)
	}
	files := w.inside(f)[0].Content().Attachments
	if len(files) != len(sizes) {
		t.Fatalf("%d attachments", len(files))
	}
	for n, a := range files {
		if a.Name != fmt.Sprintf("%d.bin", n) || !bytes.Equal(a.Content, pattern(sizes[n])) {
			t.Errorf("%s has %d bytes", a.Name, len(a.Content))
		}
	}
	if n := w.n.Count(func(r graphtest.Request) bool { return r.Method == "PUT" }); n != 4 {
		t.Errorf("%d ranges", n)
	}
}

// TestEmbedded: a mail within a mail is an item, with what is attached to it; a large one
// is the file that it was.
func TestEmbedded(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	inner := "From: cyd@fabrikam.example\r\nSubject: Inner\r\nDate: Tue, 5 Mar 2019 01:02:03 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\ninside\r\n" +
		strings.ReplaceAll(part("n.bin", "application/x-n", pattern(40)), "--b", "--c") + "--c--\r\n"
	large := "From: cyd@fabrikam.example\r\nSubject: Large\r\n\r\n" + strings.Repeat("a long line\r\n", 200_000)
	signed := "From: cyd@fabrikam.example\r\nSubject: Signed\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB\r\n"
	text := head(mixed, "--b\r\n\r\nThree mails.\r\n")
	for _, x := range []string{inner, large, signed} {
		text += "--b\r\nContent-Type: message/rfc822\r\n\r\n" + x + "\r\n"
	}
	done := w.put(f, letterItem("x"), []byte(text+"--b--\r\n"))
	if len(done.Notes) != 2 || !strings.Contains(done.Notes[0], `"Large"`) {
		t.Error(done.Notes)
	}
	files := w.inside(f)[0].Content().Attachments
	if len(files) != 3 || files[0].Message == nil {
		t.Fatalf("%+v", files)
	}
	m := files[0].Message
	if m.Subject != "Inner" || m.From.Address != "cyd@fabrikam.example" || m.Draft || m.Sent.Day() != 5 || strings.TrimSpace(m.Body) != "inside" || len(m.Attachments) != 1 || !bytes.Equal(m.Attachments[0].Content, pattern(40)) {
		t.Errorf("%+v", m)
	}
	if files[1].Name != "Large.eml" || string(files[1].Content) != large || files[2].Name != "Signed.eml" || string(files[2].Content) != signed {
		t.Errorf("%s %s %q", files[1].Name, files[2].Name, files[2].Content)
	}
}

// TestWrapped: what cannot be said in JSON is attached as it came, and said.
func TestWrapped(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	for name, text := range map[string]string{
		"encrypted": head("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB\r\n"),
		"large":     head("\r\n", strings.Repeat("a line of a text that has no end\r\n", 120_000)),
		"refused":   head("\r\n", "Hello.\r\n"),
	} {
		if name == "refused" {
			w.n.Fail(graphtest.Fault{Status: 400, Code: "ErrorInvalidRecipients", Match: isPost})
		}
		before := len(w.inside(f))
		done := w.put(f, letterItem(name), []byte(text))
		all := w.inside(f)
		if len(all) != before+1 {
			t.Fatalf("%s: %d items", name, len(all)-before)
		}
		m := all[before].Content()
		if len(done.Notes) == 0 || m.Draft || !m.Read || !m.Received.Equal(when) || m.Subject != "Grüße" || !strings.Contains(m.Body, "original message.eml") || len(m.Attachments) != 1 || string(m.Attachments[0].Content) != text {
			t.Errorf("%s: %v %+v", name, done.Notes, m.Subject)
		}
	}
}

// TestRoundTrip: what was put back, fetched as MIME, has the parts of what was there.
func TestRoundTrip(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	for n, text := range []string{
		head("Content-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4\r\n"),
		head(mixed, "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nplain\r\n--c\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<b>rich</b> ü\r\n--c--\r\n", part("ä.txt", "text/plain", []byte("file")), part("b.bin", "application/x-b", pattern(70_000)), "--b--\r\n"),
	} {
		done := w.put(f, letterItem(fmt.Sprint(n)), []byte(text))
		was, is := read(t, []byte(text)), read(t, w.get("messages/"+url.PathEscape(done.ID)+"/$value"))
		if was.subject != is.subject || !slices.Equal(was.people, is.people) || !was.sent.Equal(is.sent) || was.text() != is.text() || len(was.files) != len(is.files) {
			t.Errorf("%d: %+v, was %+v", n, is, was)
		}
		for k := range was.files {
			if was.files[k].name != is.files[k].name || !bytes.Equal(was.files[k].content, is.files[k].content) {
				t.Errorf("%d: attachment %d is %q, was %q", n, k, is.files[k].name, was.files[k].name)
			}
		}
	}
}
