package reader_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
)

func open(t testing.TB, data []byte) *reader.File {
	t.Helper()
	f, err := reader.Open(bytes.NewReader(data), int64(len(data)), reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// outline is every folder of a file with the ids of its items.
func outline(f *reader.File, d *reader.Folder) []string {
	var out []string
	line := strings.Join(d.Path(), "/")
	if d.Class() != "" {
		line += " (" + d.Class() + ")"
	}
	for m, err := range d.Messages() {
		if err != nil {
			line += " " + err.Error()
			continue
		}
		line += " " + m.Node().String()
	}
	out = append(out, line)
	for c, err := range d.Folders() {
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		out = append(out, outline(f, c)...)
	}
	return out
}

func TestOutline(t *testing.T) {
	for name, want := range map[string][]string{
		"ms-Empty.pst": {
			"", "SPAM Search Folder 2", "Top of Outlook data file", "Top of Outlook data file/Deleted Items", "Search Root", "IPM_COMMON_VIEWS",
		},
		"go-pst-32-bit-ansi.pst": {
			"", "Top of Personal Folders", "Top of Personal Folders/Deleted Items", "Top of Personal Folders/Calendar (IPF.Appointment) 0x200024", "Search Root",
		},
	} {
		f := open(t, psttest.Outlook(t, name))
		root, err := f.Root()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, outline(f, root)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestEncodings: the same file says the same in each encoding.
func TestEncodings(t *testing.T) {
	for _, name := range []string{"java-libpst-dist-list.pst", "go-pst-32-bit-ansi.pst"} {
		data := psttest.Outlook(t, name)
		want := deep(t, data)
		for _, to := range []pst.Crypt{pst.CryptNone, pst.CryptCyclic} {
			other := recoded(data, want.Header.Format == pst.ANSI, to)
			if bytes.Equal(other, data) {
				t.Fatalf("%s is not recoded", name)
			}
			got := deep(t, other)
			if got.Header.Crypt != to {
				t.Errorf("%s: %v, want %v", name, got.Header.Crypt, to)
			}
			got.Header = want.Header
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %v: %s", name, to, diff)
			}
		}
	}
}

// TestSome: those that are asked for are as among all of them, by tag or by name, and
// nothing else comes.
func TestSome(t *testing.T) {
	d, err := open(t, psttest.Outlook(t, "java-libpst-dist-list.pst")).Find("Calendar")
	if err != nil {
		t.Fatal(err)
	}
	for m, err := range d.Messages() {
		if err != nil {
			t.Fatal(err)
		}
		all, err := m.Properties()
		if err != nil {
			t.Fatal(err)
		}
		some, err := m.Some(pst.PidTagSubject, pst.PidLidAppointmentStartWhole, pst.PidTagAccount)
		if err != nil || len(some) != 2 || some.Text(pst.PidTagSubject) != all.Text(pst.PidTagSubject) || some.Time(pst.PidLidAppointmentStartWhole).IsZero() ||
			!some.Time(pst.PidLidAppointmentStartWhole).Equal(all.Time(pst.PidLidAppointmentStartWhole)) {
			t.Errorf("%v %v", some, err)
		}
	}
}
