package main

import (
	"os"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
)

// TestMailForms: what real Outlook wrote becomes what it should: a group and a contact
// as cards, a series with its exceptions as an iCalendar.
func TestMailForms(t *testing.T) {
	f, err := os.Open(psttest.Sample(t, "pst", "java-libpst-dist-list.pst"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	file, err := reader.Open(f, info.Size(), reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = file.Walk(func(d *reader.Folder, err error) error {
		if err != nil || d.IsSearch() {
			return err
		}
		for m, err := range d.Messages() {
			if err != nil {
				return err
			}
			ps, err := m.Properties()
			if err != nil {
				return err
			}
			kind := keepwatch.KindOfClass(ps.Text(pst.PidTagMessageClass))
			form, ok := mailForms()[kind]
			if !ok { // as a restore does
				form = mailForms()[keepwatch.ItemMail]
			}
			if err := form.Write(&out, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FN:contact name 1", "X-ADDRESSBOOKSERVER-KIND:group", "RRULE:FREQ=WEEKLY;", "RECURRENCE-ID;TZID=America/Los_Angeles:20160823T080000"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in what was written", want)
		}
	}
}
