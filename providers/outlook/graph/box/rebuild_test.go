package box

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
	"keepwatch/pst"
	"keepwatch/pst/mail"
)

// rich is a mail with one of everything.
func rich() graphtest.Message {
	m := letter()
	m.Subject = "Größe: 10 €\r\nBcc: nobody@example.com"
	m.From = graphtest.Address{Name: "Beä, the \"boss\" of all", Address: "bea@fabrikam.example"}
	m.To = []graphtest.Address{{Name: "Alis", Address: alis}, {Name: "Old entry", Address: "/O=FAB/CN=OLD"}}
	m.Cc = []graphtest.Address{{Address: "cid@fabrikam.example"}}
	m.HTML, m.Body = true, "<p>Grüße<br>of all <img src=\"cid:logo@x\"></p>"
	m.Headers = [][2]string{{"X-Long", strings.Repeat("word ", 400)}, {"X-Umlaut", "für alle"}, {"Content-Type", "text/evil"}, {"List-Id", "<a.b>"}}
	inner := letter()
	inner.Subject, inner.Attachments = "Inner", []graphtest.Attachment{{Name: "in.txt", Type: "text/plain", Content: []byte("inside")}}
	at := time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	m.Attachments = []graphtest.Attachment{
		{Name: "logo.png", Type: "image/png", Content: []byte("\x89PNG"), Inline: true, ContentID: "logo@x"},
		{Name: "Rechnung für März.pdf", Type: "application/pdf", Size: 700_000},
		{Name: "empty.txt", Type: "text/plain"},
		{Name: "Inner", Message: &inner},
		{Name: "Cid", Contact: &graphtest.Contact{GivenName: "Cid", Surname: "Dee", Emails: []graphtest.Address{{Address: "cid@fabrikam.example"}}}},
		{Name: "Lunch", Event: &graphtest.Event{Subject: "Lunch", Start: at, End: at.Add(time.Hour)}},
		{Name: "Plan.docx", Link: "https://contoso.sharepoint.example/plan.docx"},
	}
	return m
}

func TestRebuiltMail(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	item := w.b.Folder("inbox").Message(rich())
	item.Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
	f := w.folder(outlook.Mail, "Inbox")
	c, text := w.content(f, item.ID(true))
	if !strings.Contains(c.Rebuilt, "ErrorMimeContentConversionFailed: MIME content conversion failed") || c.Form != outlook.EML {
		t.Errorf("rebuilt: %q", c.Rebuilt)
	}
	if len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "Plan.docx") {
		t.Errorf("notes: %q", c.Notes)
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d bytes: %.80q", len(line), line)
		}
	}
	for _, bad := range []string{"\r\nBcc: nobody", "text/evil", "\r\n \r\n"} {
		if strings.Contains(text, bad) {
			t.Errorf("the mail has %q", bad)
		}
	}
	got := importMail(t, text)
	if s := mail.Subject(got.props); s != "Größe: 10 € Bcc: nobody@example.com" {
		t.Errorf("subject %q", s)
	}
	if s := got.props.Text(pst.PidTagSenderName); s != "Beä, the \"boss\" of all" {
		t.Errorf("sender %q", s)
	}
	if !slices.Contains(got.to, alis) || !slices.Contains(got.to, "cid@fabrikam.example") {
		t.Errorf("to %q", got.to)
	}
	if want := []string{"logo.png", "Rechnung für März.pdf", "empty.txt", "Cid", "Lunch", "Plan.docx"}; !slices.Equal(got.files, want) || got.sizes["Rechnung für März.pdf"] != 700_000 {
		t.Errorf("files %q %v", got.files, got.sizes)
	}
	if len(got.embedded) != 1 || mail.Subject(got.embedded[0].props) != "Inner" || !slices.Equal(got.embedded[0].files, []string{"in.txt"}) {
		t.Errorf("embedded: %+v", got.embedded)
	}
	if again, same := w.content(f, item.ID(true)); again.Rebuilt == "" || same != text {
		t.Errorf("the second time it is another text")
	}
	p := pythonReads(t, text)
	if p == nil {
		return
	}
	var kinds []string
	for _, x := range p.Parts {
		kinds = append(kinds, x.Type)
	}
	want := []string{"multipart/mixed", "multipart/related", "text/html", "image/png", "application/pdf", "text/plain", "message/rfc822", "multipart/mixed", "text/plain", "text/plain", "text/vcard", "text/calendar", "text/plain"}
	if !slices.Equal(kinds, want) || strings.Join(strings.Fields(p.Subject), " ") != "Größe: 10 € Bcc: nobody@example.com" || !strings.Contains(p.From, "bea@fabrikam.example") || p.Date != "Wed, 31 Dec 2025 23:59:59 +0000" {
		t.Errorf("Python reads %q %q %q %q", kinds, p.Subject, p.From, p.Date)
	}
	if !strings.Contains(p.Parts[2].Text, "Grüße<br>") {
		t.Errorf("the text is %q", p.Parts[2].Text)
	}
}

// TestEveryPoison: each code ends in a mail as it is, a rebuilt one, or a reason.
func TestEveryPoison(t *testing.T) {
	for _, c := range []struct {
		poison graphtest.Poison
		want   error
		note   string
	}{
		{graphtest.Poison{Code: graphtest.MimeConversionFailed}, nil, ""},
		{graphtest.Poison{Code: graphtest.MessageSizeExceeded}, nil, ""},
		{graphtest.Poison{Code: graphtest.CannotOpenAttachment, MIME: true, Attachments: true}, nil, "Its attachments are not in it (ErrorCannotOpenFileAttachment: OLE conversion failed for the attachment)"},
		{graphtest.Poison{Code: graphtest.ContentConversion}, outlook.ErrPoison, ""},
		{graphtest.Poison{Code: graphtest.CorruptData}, outlook.ErrPoison, ""},
		{graphtest.Poison{Code: graphtest.InvalidRecipients}, outlook.ErrPoison, ""},
		{graphtest.Poison{Code: graphtest.InternalError}, outlook.ErrPoison, ""},
		{graphtest.Poison{Code: graphtest.AccessDenied}, outlook.ErrPoison, ""},
		{graphtest.Poison{Code: graphtest.ItemCorrupt}, outlook.ErrPoison, ""},
		{graphtest.Poison{Code: graphtest.ItemNotFound}, outlook.ErrGone, ""},
		{graphtest.Poison{Code: graphtest.AccessDenied, MIME: true}, nil, ""},
		{graphtest.Poison{Code: graphtest.InternalError, MIME: true}, nil, ""},
		{graphtest.Poison{Code: graphtest.CorruptData, MIME: true, Attachments: true}, nil, "Its attachments are not in it"},
	} {
		t.Run(fmt.Sprintf("%s %v", c.poison.Code, c.poison.Read), func(t *testing.T) {
			w := newWorld(t, graphtest.Options{})
			there := w.b.Folder("inbox")
			there.Message(letter())
			m := letter()
			m.Attachments = []graphtest.Attachment{{Name: "a.txt", Content: []byte("a")}}
			item := there.Message(m)
			item.Poison(c.poison)
			content, text, err := w.try(w.folder(outlook.Mail, "Inbox"), item.ID(true))
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if errors.Is(err, outlook.ErrPoison) && (!strings.Contains(err.Error(), c.poison.Code) || strings.Contains(err.Error(), "request-id")) {
				t.Errorf("the reason is %q", err)
			}
			if err != nil {
				return
			}
			importMail(t, text)
			pythonReads(t, text)
			notes := strings.Join(content.Notes, "|")
			if content.Rebuilt == "" || !strings.HasPrefix(notes, c.note) || (notes == "") != (c.note == "") || !strings.Contains(text, "Subject: Hello\r\n") {
				t.Errorf("rebuilt %q, notes %q", content.Rebuilt, notes)
			}
			item.Poison(graphtest.Poison{})
			if content, _, err := w.try(w.folder(outlook.Mail, "Inbox"), item.ID(true)); err != nil || content.Rebuilt != "" {
				t.Errorf("once it is healed: %q %v", content.Rebuilt, err)
			}
		})
	}
}

// TestRebuiltInPieces: a text, or one attachment, that cannot be had is named, and the rest
// is there; what breaks off within an attachment is an error.
func TestRebuiltInPieces(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	m := letter()
	m.Attachments = []graphtest.Attachment{{Name: "one.bin", Size: 400_000}, {Name: "two.bin", Size: 300_000}}
	item := w.b.Folder("inbox").Message(m)
	item.Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
	f := w.folder(outlook.Mail, "Inbox")
	it := w.whole(f).items[item.ID(true)]
	value := func(r *http.Request) bool {
		return strings.Contains(r.URL.Path, "/attachments/") && strings.HasSuffix(r.URL.Path, "$value")
	}
	w.n.Fail(graphtest.Fault{Match: value, Status: 500, Code: graphtest.CannotOpenAttachment})
	c, text, err := w.bring(it)
	if err != nil || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], `"one.bin"`) {
		t.Errorf("%q, %v", c.Notes, err)
	}
	if got := importMail(t, text); !slices.Equal(got.files, []string{"two.bin"}) {
		t.Errorf("files %q", got.files)
	}
	w.n.Fail(graphtest.Fault{Match: func(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, "%2Cbody") }, Status: 500, Code: graphtest.ContentConversion})
	c, text, err = w.bring(it)
	if err != nil || len(c.Notes) != 1 || !strings.HasPrefix(c.Notes[0], "Its text is not in it") {
		t.Errorf("%q, %v", c.Notes, err)
	}
	if got := importMail(t, text); len(got.files) != 2 {
		t.Errorf("files %q", got.files)
	}
	calls := 0
	w.n.Fail(graphtest.Fault{Times: -1, Drop: true, Bytes: 350_000, Match: func(r *http.Request) bool {
		if value(r) {
			calls++
		}
		return value(r) && calls > 2 // while it is written
	}})
	if _, _, err = w.bring(it); err == nil || errors.Is(err, outlook.ErrPoison) {
		t.Errorf("an attachment that broke off: %v", err)
	}
}

func TestRebuiltDraft(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	item := w.b.Folder("drafts").Message(graphtest.Message{Subject: "", Draft: true, Body: "not yet"})
	item.Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
	_, text := w.content(w.folder(outlook.Mail, "Drafts"), item.ID(true))
	importMail(t, text)
	if p := pythonReads(t, text); p != nil && !strings.Contains(p.Parts[0].Text, "not yet") {
		t.Errorf("%+v", p)
	}
}

// TestAttachedMessages: a message that is attached, and cannot be had as MIME, is made of its
// JSON, and what is missing in it is named.
func TestAttachedMessages(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	inner := letter()
	inner.Subject, inner.HTML, inner.Body = "Inner", true, "<p>inside</p>"
	inner.Attachments = []graphtest.Attachment{{Name: "in.txt", Type: "text/plain", Content: []byte("inside")}, {Name: "Deep", Message: &graphtest.Message{Subject: "Deep"}}}
	m := letter()
	m.Attachments = []graphtest.Attachment{{Name: "Inner", Message: &inner}}
	item := w.b.Folder("inbox").Message(m)
	item.Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
	w.n.Fail(graphtest.Fault{Times: -1, Status: 500, Code: graphtest.MimeConversionFailed, Match: func(r *http.Request) bool {
		return strings.Contains(r.URL.Path, "/attachments/") && strings.HasSuffix(r.URL.Path, "$value")
	}})
	c, text := w.content(w.folder(outlook.Mail, "Inbox"), item.ID(true))
	if len(c.Notes) != 1 || !strings.Contains(c.Notes[0], `"Deep"`) {
		t.Errorf("notes: %q", c.Notes)
	}
	pythonReads(t, text)
	got := importMail(t, text)
	if len(got.embedded) != 1 || mail.Subject(got.embedded[0].props) != "Inner" || !slices.Equal(got.embedded[0].files, []string{"in.txt", "Deep"}) {
		t.Errorf("%+v", got.embedded)
	}
}
