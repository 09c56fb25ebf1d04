package pst_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/pim"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
)

// searchBox has a contact, a mail with a category, and an appointment.
func searchBox(t testing.TB, w *writer.Writer) {
	const card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Dilys Prys\r\nN:Prys;Dilys;;;\r\nORG:Melin Wen\r\nTEL:+44 1970 555\r\nEMAIL:melinydd@example.org\r\nEND:VCARD\r\n"
	for c, err := range pim.ReadCards(strings.NewReader(card)) {
		if err != nil {
			t.Fatal(err)
		}
		if err := child(t, w.Root(), "Contacts").Add(c.Write); err != nil {
			t.Fatal(err)
		}
	}
	addTo(t, child(t, w.Root(), "Inbox"), 1, func(_ int, s pst.Sink) error {
		s.Set(pst.P(pst.PidTagSubject, "Bore da"), pst.P(pst.PidNameKeywords, []string{"Gwaith", "Pobi"}), pst.P(pst.PidTagInternetMessageId, "<17@melin.example>"),
			pst.P(pst.PidTagTransportMessageHeaders, "X-Mailer: Colomen\r\n"))
		return nil
	})
	addTo(t, child(t, w.Root(), "Calendar"), 1, func(_ int, s pst.Sink) error {
		s.Set(pst.P(pst.PidTagMessageClass, "IPM.Appointment"), pst.P(pst.PidTagSubject, "Cyfarfod"), pst.P(pst.PidLidLocation, "Neuadd y Dref"))
		return nil
	})
}

// TestSearchOfDetails: a person looks for an address in the contacts, for a place in the calendar, for a
// category, for the id of a mail.
func TestSearchOfDetails(t *testing.T) {
	f := rescued(t, written(t, writer.Options{}, searchBox))
	for text, want := range map[string]string{
		"MELINYDD@": "details: Contacts", "555": "details: Contacts", "melin wen": "details: Contacts",
		"pobi": "details: Inbox", "17@melin": "details: Inbox", "neuadd": "details: Calendar",
		"Colomen": "", "bore da": "subject: Inbox",
	} {
		got := ""
		for h, err := range f.Search(reader.Query{Text: text}) {
			if err != nil {
				t.Error(err)
			}
			got += fmt.Sprintf("%s: %s", h.Where, h.Folder.Name())
		}
		if got != want {
			t.Errorf("%q: found %q, want %q", text, got, want)
		}
	}
}

// TestManyAtOnce: a file is used by several at once, a rescued one too.
func TestManyAtOnce(t *testing.T) {
	data := written(t, writer.Options{}, rescueBox)
	whole, err := reader.Open(bytes.NewReader(data), int64(len(data)), reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*reader.File{"open": whole, "rescued": rescued(t, data)} {
		want := saved(t, f)
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				switch i % 3 {
				case 0:
					if n := lacks(want, saved(t, f)); n > 0 {
						t.Errorf("%s: %d items are other", name, n)
					}
				case 1:
					if s, err := f.Summary(t.Context(), reader.SummaryOptions{Deep: true}); err != nil || len(s.Damage) > 0 || s.Orphans > 0 {
						t.Errorf("%s: %v %v", name, s, err)
					}
				case 2:
					for h, err := range f.Search(reader.Query{Text: "in no mail at all"}) {
						t.Error(name, h, err)
					}
				}
			})
		}
		all.Wait()
	}
}
