package putback_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keepwatch/providers/outlook"
	"keepwatch/pst/pim"
	"keepwatch/pst/psttest"
)

// samples gives the files below a folder of samples with one of the endings.
func samples(t *testing.T, folder string, endings ...string) map[string][]byte {
	t.Helper()
	root, all := psttest.Sample(t, "mail", folder), map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(" "+strings.Join(endings, " ")+" ", " "+filepath.Ext(path)+" ") {
			return err
		}
		all[strings.TrimPrefix(path, root)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSamples: mails, cards and calendars of other programs' tests are put back, whatever
// is wrong with them, as Microsoft's metadata has it.
func TestSamples(t *testing.T) {
	w := newWorld(t)
	n := map[outlook.Kind]int{}
	f := w.folder(outlook.Mail, "Restored")
	for name, text := range samples(t, "enmime-MIT", ".raw", ".eml") {
		if _, err := w.tryPut(t.Context(), f, letterItem(name), text); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		was := read(t, text)
		all := w.inside(f)
		m := all[len(all)-1].Content()
		if strings.Contains(m.Body, "original message.eml") {
			continue
		}
		n[outlook.Mail]++
		if len(m.Attachments) != len(was.files) || m.Subject != was.subject {
			t.Errorf("%s: %d attachments of %d, %q", name, len(m.Attachments), len(was.files), m.Subject)
		}
		for k, x := range was.files {
			if a := m.Attachments[k]; a.Message == nil && string(a.Content) != string(x.content) && !strings.HasSuffix(a.Name, ".eml") {
				t.Errorf("%s: %q has other bytes", name, a.Name)
			}
		}
	}
	f = w.folder(outlook.Contacts, "Restored")
	for name, text := range samples(t, "ez-vcard-BSD2", ".vcf") {
		if _, err := w.tryPut(t.Context(), f, outlook.Item{ID: name}, text); err == nil {
			n[outlook.Contacts]++
		} else if isCard(text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f = w.folder(outlook.Calendar, "Restored")
	for name, text := range samples(t, "icalendar-BSD2", ".ics") {
		if _, err := w.tryPut(t.Context(), f, outlook.Item{ID: name}, text); err == nil {
			n[outlook.Calendar]++
		} else if c, bad := pim.ReadCalendar(strings.NewReader(string(text))); bad == nil && len(c.Events) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n[outlook.Mail] < 30 || n[outlook.Contacts] < 15 || n[outlook.Calendar] < 80 {
		t.Errorf("%v", n)
	}
}

// isCard tells whether a text begins with a card that can be read.
func isCard(text []byte) bool {
	for c := range pim.ReadCards(strings.NewReader(string(text))) {
		return c != nil
	}
	return false
}
