package box

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
	"keepwatch/pst/pim"
)

// longHTML is a text of about so many bytes in HTML, with what JSON writes otherwise.
func longHTML(size int) string {
	one := "<p>Grüße, \"漢😀\" \\ \t</p>\r\n"
	return strings.Repeat(one, size/len(one))
}

func longEvent(size int) graphtest.Event {
	at := time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	return graphtest.Event{Subject: "Plan", Start: at, End: at.Add(time.Hour), Body: longHTML(size), HTML: true}
}

// TestLongTexts: long texts stay at the server until they are written, and are all there: of
// a mail in it, of an event in a file beside it, of what is attached to a mail likewise.
func TestLongTexts(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	m := letter()
	m.HTML, m.Body = true, longHTML(3<<20)
	inner := longEvent(2 << 20)
	m.Attachments = []graphtest.Attachment{{Name: "Plan", Event: &inner}}
	item := w.b.Folder("inbox").Message(m)
	item.Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
	c, text := w.content(w.folder(outlook.Mail, "Inbox"), item.ID(true))
	want, err := io.ReadAll(&inBase64{from: strings.NewReader(m.Body), raw: make([]byte, 57)})
	if err != nil || !strings.Contains(text, "text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"+string(want)+"\r\n--") {
		t.Errorf("the text of the mail is another one (%v)", err)
	}
	if !strings.Contains(strings.Join(c.Notes, "|"), "text.html") {
		t.Errorf("notes %q", c.Notes)
	}
	if c, text := w.content(w.folder(outlook.Calendar, "Calendar"), w.b.Calendar("").Event(longEvent(3<<20)).ID(true)); len(c.Notes) != 1 || len(c.Item.Raw) > 0 {
		t.Errorf("notes %q, %d bytes of JSON", c.Notes, len(c.Item.Raw))
	} else {
		cal, err := pim.ReadCalendar(strings.NewReader(text))
		if err != nil || len(cal.Events) != 1 || len(cal.Events[0].Attachments) != 1 {
			t.Fatalf("%v, %+v", err, cal)
		}
		a := cal.Events[0].Attachments[0]
		r, err := a.Open()
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(r); a.Name != "text.html" || string(data) != longHTML(3<<20) {
			t.Errorf("%q with %d bytes, %v", a.Name, len(data), err)
		}
	}
	half := longEvent(300 << 10) // too long for a page, and short enough to stand in it
	if c, text := w.content(w.folder(outlook.Calendar, "Calendar"), w.b.Calendar("").Event(half).ID(true)); len(c.Notes) != 0 || len(c.Item.Raw) < 300<<10 || strings.Contains(text, "ATTACH") {
		t.Errorf("notes %q, %d bytes of JSON", c.Notes, len(c.Item.Raw))
	}
}

// TestLongAttached: of a message that is attached, and cannot be had as MIME, its long text and
// its long file are had one by one; and what is long where nothing can be streamed is lost, and
// said to be.
func TestLongAttached(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	file := make([]byte, 1500<<10)
	for i := range file {
		file[i] = byte(i * i >> 7)
	}
	inner := letter()
	inner.Subject, inner.HTML, inner.Body = "Inner", true, longHTML(1200<<10)
	inner.Attachments = []graphtest.Attachment{{Name: "in.bin", Content: file}, {Name: "in.txt", Content: []byte("inside")}}
	m := letter()
	m.Attachments = []graphtest.Attachment{{Name: "Inner", Message: &inner}}
	item := w.b.Folder("inbox").Message(m)
	item.Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
	w.n.Fail(graphtest.Fault{Times: -1, Status: 500, Code: graphtest.MimeConversionFailed, Match: func(r *http.Request) bool {
		return strings.Contains(r.URL.Path, "/attachments/") && strings.HasSuffix(r.URL.Path, "$value")
	}})
	c, text := w.content(w.folder(outlook.Mail, "Inbox"), item.ID(true))
	if len(c.Notes) != 0 {
		t.Errorf("notes %q", c.Notes)
	}
	for name, data := range map[string]string{"text": inner.Body, "file": string(file)} {
		want, err := io.ReadAll(&inBase64{from: strings.NewReader(data), raw: make([]byte, 57)})
		if err != nil || !strings.Contains(text, "\r\n\r\n"+string(want)+"\r\n--") {
			t.Errorf("the %s is another one, %v", name, err)
		}
	}
	if got := importMail(t, text); len(got.embedded) != 1 || fmt.Sprint(got.embedded[0].files) != "[in.bin in.txt]" {
		t.Errorf("%+v", got.embedded)
	}
	long := w.b.Contacts().Contact(graphtest.Contact{GivenName: "Bea", Surname: "Dee", Notes: strings.Repeat("n", longNotes+1)})
	c, text = w.content(w.folder(outlook.Contacts, "Contacts"), long.ID(true))
	if len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "longer than 3") || len(c.Item.Raw) > 0 || !strings.Contains(text, "Dee") || strings.Contains(text, "NOTE") {
		t.Errorf("notes %q, %d bytes of JSON, %.500s", c.Notes, len(c.Item.Raw), text)
	}
}

// waiting is a context that says when somebody waits for its end.
type waiting struct {
	context.Context
	begun chan struct{}
	once  sync.Once
}

func (w *waiting) Done() <-chan struct{} {
	w.once.Do(func() { close(w.begun) })
	return w.Context.Done()
}

// TestOneLargeAtATime: while much is held of an item nobody else is let in who wants to hold
// much, until it is closed.
func TestOneLargeAtATime(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	picture := graphtest.Contact{GivenName: "Bea", Photo: make([]byte, 300<<10)}
	with := letter()
	with.Attachments = []graphtest.Attachment{{Name: "Plan", Event: new(longEvent(300 << 10))}}
	mail := w.b.Folder("inbox").Message(with)
	mail.Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
	letters := w.whole(w.folder(outlook.Mail, "Inbox")).items[mail.ID(true)]
	event, contact := w.b.Calendar("").Event(longEvent(300<<10)), w.b.Contacts().Contact(picture)
	plans, people := w.whole(w.folder(outlook.Calendar, "Calendar")), w.whole(w.folder(outlook.Contacts, "Contacts"))
	for name, item := range map[string]outlook.Item{"event": plans.items[event.ID(true)], "picture": people.items[contact.ID(true)], "mail": letters} {
		c, err := w.box.Content(t.Context(), alis, item)
		if err != nil {
			t.Fatal(name, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		wait, enough, waits := &waiting{Context: ctx, begun: make(chan struct{})}, errors.New("enough"), make(chan error)
		go func() {
			_, err := w.box.client.Large(wait)
			waits <- err
		}()
		select {
		case <-waits:
			t.Fatalf("%s: somebody else is let in", name)
		case <-wait.begun:
		}
		cancel(enough)
		if err := <-waits; !errors.Is(err, enough) {
			t.Errorf("%s: whoever waits hears %v", name, err)
		}
		if _, err := io.Copy(io.Discard, c.Body); err != nil {
			t.Error(name, err)
		}
		for range 2 {
			if err := c.Body.Close(); err != nil {
				t.Error(name, err)
			}
		}
		leave, err := w.box.client.Large(t.Context())
		if err != nil {
			t.Fatal(name, err)
		}
		leave()
	}
}

// TestGoneWhileRead: what goes, or cannot be read any more, between its being looked at and
// written is told of that item alone.
func TestGoneWhileRead(t *testing.T) {
	for name, then := range map[string]func(item *graphtest.Item){
		"deleted":  func(item *graphtest.Item) { item.Delete() },
		"poisoned": func(item *graphtest.Item) { item.Poison(graphtest.Poison{Code: graphtest.CorruptData}) },
	} {
		for what, add := range map[string]func(w *world) (*graphtest.Item, outlook.Folder){
			"a long text": func(w *world) (*graphtest.Item, outlook.Folder) {
				m := letter()
				m.Body = strings.Repeat("x", 100<<10)
				return w.b.Folder("inbox").Message(m), w.folder(outlook.Mail, "Inbox")
			},
			"a file": func(w *world) (*graphtest.Item, outlook.Folder) {
				m := letter()
				m.Attachments = []graphtest.Attachment{{Name: "one.bin", Size: 400_000}}
				return w.b.Folder("inbox").Message(m), w.folder(outlook.Mail, "Inbox")
			},
			"an event": func(w *world) (*graphtest.Item, outlook.Folder) {
				return w.b.Calendar("").Event(longEvent(1200 << 10)), w.folder(outlook.Calendar, "Calendar")
			},
		} {
			t.Run(what+" is "+name, func(t *testing.T) {
				w := newWorld(t, graphtest.Options{})
				item, f := add(w)
				if f.Kind == outlook.Mail {
					item.Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
				}
				c, err := w.box.Content(t.Context(), alis, w.whole(f).items[item.ID(true)])
				if err != nil {
					t.Fatal(err)
				}
				then(item)
				_, err = io.Copy(io.Discard, c.Body)
				if err := c.Body.Close(); err != nil {
					t.Error(err)
				}
				if err == nil || errors.Is(err, outlook.ErrGone) != (name == "deleted") || name != "deleted" && keepwatch.KindOf(err) != keepwatch.KindTransient {
					t.Errorf("%v (%v)", err, keepwatch.KindOf(err))
				}
			})
		}
	}
}

// TestCloseWhileRead: a run that is stopped closes what a worker reads.
func TestCloseWhileRead(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	m := letter()
	m.Body = strings.Repeat("x", 100<<10)
	m.Attachments = []graphtest.Attachment{{Name: "one.bin", Size: 400_000}}
	item := w.b.Folder("inbox").Message(m)
	item.Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
	it := w.whole(w.folder(outlook.Mail, "Inbox")).items[item.ID(true)]
	for range 20 {
		c, err := w.box.Content(t.Context(), alis, it)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(io.Discard, c.Body) // it may or may not come to its end
		}()
		_ = c.Body.Close()
		<-done
	}
}
