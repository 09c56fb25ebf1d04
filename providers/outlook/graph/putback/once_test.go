package putback_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

// thing is something that is put back, and how a whole copy of it is told.
type thing struct {
	kind    outlook.Kind
	item    outlook.Item
	content []byte
	whole   func(*graphtest.Item) error
}

// things are one of each kind, with as much of each as needs more than one call.
func things() map[string]thing {
	files := withFiles(1_300_000, 3_145_728, 10)
	card := lines("BEGIN:VCARD", "VERSION:3.0", "N:Ek;Dora;;;", "FN:Dora Ek", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRg==", "END:VCARD")
	series := lines("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:s", "SUMMARY:Weekly", "DTSTART;TZID=Europe/Berlin:20261019T090000", "DTEND;TZID=Europe/Berlin:20261019T100000",
		"RRULE:FREQ=WEEKLY;COUNT=5", "EXDATE;TZID=Europe/Berlin:20261026T090000", "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.txt:aGVsbG8=", "ATTENDEE;CN=Bea:mailto:bea@fabrikam.example", "END:VEVENT",
		"BEGIN:VEVENT", "UID:s", "SUMMARY:Moved", "RECURRENCE-ID;TZID=Europe/Berlin:20261102T090000", "DTSTART;TZID=Europe/Berlin:20261103T110000", "DTEND;TZID=Europe/Berlin:20261103T120000", "END:VEVENT", "END:VCALENDAR")
	return map[string]thing{
		"small mail": {outlook.Mail, letterItem("m"), withFiles(10, 20), func(i *graphtest.Item) error { return hasFiles(i, 10, 20) }},
		"large mail": {outlook.Mail, letterItem("M"), files, func(i *graphtest.Item) error { return hasFiles(i, 1_300_000, 3_145_728, 10) }},
		"contact": {outlook.Contacts, outlook.Item{ID: "c"}, card, func(i *graphtest.Item) error {
			if p := i.Person(); len(p.Photo) != 10 || p.Surname != "Ek" {
				return fmt.Errorf("%+v", p)
			}
			return nil
		}},
		"series": {outlook.Calendar, outlook.Item{ID: "e"}, series, func(i *graphtest.Item) error {
			e := i.Meeting()
			if x := e.Exceptions["2026-11-02"]; len(e.Attachments) != 1 || string(e.Attachments[0].Content) != "hello" || len(e.Deleted) != 1 || e.Deleted[0] != "2026-10-26" || x.Subject != "Moved" || x.Start.UTC().Hour() != 10 || e.Recurrence.Count != 5 {
				return fmt.Errorf("%+v", e)
			}
			return nil
		}},
	}
}

func hasFiles(i *graphtest.Item, sizes ...int) error {
	files := i.Content().Attachments
	if len(files) != len(sizes) {
		return fmt.Errorf("%d attachments", len(files))
	}
	for n, f := range files {
		if !bytes.Equal(f.Content, pattern(sizes[n])) {
			return fmt.Errorf("%s has %d bytes", f.Name, len(f.Content))
		}
	}
	return nil
}

// TestOnce: cut off at any call, before it had its effect or after, with the process going
// on or killed, there is one whole copy in the end.
func TestOnce(t *testing.T) {
	for name, x := range things() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for mode, how := range map[string]struct{ done, kill bool }{"answer lost": {true, false}, "killed before": {false, true}, "killed after": {true, true}} {
				n := 1
				for ; ; n++ {
					f := w.folder(x.kind, fmt.Sprint(mode, " ", n))
					w.restart()
					if !w.cutOff(f, x, n, how.done, how.kill) {
						break
					}
				}
				if n < 4 && name != "small mail" {
					t.Errorf("it takes %d calls only", n-1)
				}
			}
		})
	}
}

// cutOff puts something back with the n-th call cut off, and looks at what there is. It
// reports whether there was such a call.
func (w *world) cutOff(f outlook.Folder, x thing, n int, done, killed bool) bool {
	t := w.t
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	kill := cancel
	if !killed {
		kill = nil
	}
	w.wire.cutAt(n, done, kill)
	_, err := w.tryPut(ctx, f, x.item, x.content)
	hit := w.wire.count() >= n
	w.wire.cutAt(0, false, nil)
	if err != nil && !killed {
		t.Fatalf("call %d: %v", n, err)
	}
	if err != nil {
		w.restart()
		all := w.marked(f, 7)
		if !all[x.item.ID].Whole {
			w.put(f, x.item, x.content)
		}
	}
	items := w.inside(f)
	if len(items) != 1 {
		t.Fatalf("call %d: %d copies", n, len(items))
	}
	if err := x.whole(items[0]); err != nil {
		t.Fatalf("call %d: %v", n, err)
	}
	if all := w.marked(f, 7); len(all) != 1 || !all[x.item.ID].Whole {
		t.Fatalf("call %d: %v", n, all)
	}
	return hit
}

// TestSameProcess: after a failure the next Put of the same process does not need Marked.
func TestSameProcess(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	w.n.Fail(graphtest.Fault{Times: 20, Status: 503, Match: func(r *http.Request) bool { return isPost(r) && strings.HasSuffix(r.URL.Path, "/attachments") }})
	x := things()["large mail"]
	if _, err := w.tryPut(t.Context(), f, x.item, x.content); keepwatch.KindOf(err) != keepwatch.KindTransient {
		t.Fatal(err)
	}
	w.n.Heal()
	w.put(f, x.item, x.content)
	if all := w.inside(f); len(all) != 1 || x.whole(all[0]) != nil {
		t.Errorf("%d copies", len(all))
	}
}

// TestLateTwice: a copy that came late is removed, and ids that differ in case are two.
func TestLateTwice(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	text := []byte(head("\r\n", "Hello.\r\n"))
	for _, id := range []string{"Ab", "aB", "Ab"} {
		w.put(f, letterItem(id), text)
	}
	if all := w.marked(f, 7); len(all) != 2 || len(w.inside(f)) != 2 || all["Ab"].ID == all["aB"].ID {
		t.Errorf("%v, %d copies", all, len(w.inside(f)))
	}
}

// TestSentences: what an administrator can do is said.
func TestSentences(t *testing.T) {
	w := newWorld(t, "Mail.Read", "Contacts.Read", "Calendars.Read")
	text := map[outlook.Kind][]byte{outlook.Mail: []byte(head("\r\n", "x\r\n")), outlook.Contacts: things()["contact"].content, outlook.Calendar: things()["series"].content}
	for kind, want := range map[outlook.Kind]string{outlook.Mail: "Mail.ReadWrite", outlook.Contacts: "Contacts.ReadWrite", outlook.Calendar: "Calendars.ReadWrite"} {
		_, err := w.r.MakeFolder(t.Context(), ali, kind, "", "Restored")
		if err == nil || !strings.Contains(err.Error(), want) || keepwatch.KindOf(err) != keepwatch.KindAttention {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for path, want := range map[string]string{"/users/a/events/x/attachments": "Calendars.ReadWrite", "/users/a/messages/x/attachments": "Mail.ReadWrite"} {
		if got := graph.Permission("POST", path); got != want {
			t.Errorf("%s takes %s", path, got)
		}
	}
	w.n.AddApp(app, secret, nil, everything...)
	w.restart()
	for kind, content := range text {
		f := w.folder(kind, "Restored")
		w.box.Fill(true)
		_, err := w.tryPut(t.Context(), f, outlook.Item{ID: "x", At: when}, content)
		var e *keepwatch.Error
		if err == nil || !errors.As(err, &e) || !strings.Contains(err.Error(), "The mailbox ali@contoso.example is full.") || e.Kind != keepwatch.KindAttention || len(w.inside(f)) != 0 {
			t.Errorf("%s: %v", kind, err)
		}
		w.box.Fill(false)
	}
	if _, err := w.tryPut(t.Context(), outlook.Folder{ID: "gone", Kind: outlook.Mail}, letterItem("x"), text[outlook.Mail]); keepwatch.KindOf(err) != keepwatch.KindNotFound {
		t.Error(err)
	}
	if _, err := w.tryPut(t.Context(), outlook.Folder{ID: "x", Kind: outlook.Mail}, letterItem(strings.Repeat("x", 300)), text[outlook.Mail]); err == nil {
		t.Error("an id that does not fit into a mark was taken")
	}
}
