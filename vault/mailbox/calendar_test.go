package mailbox

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/pst/writer"
)

// calendar writes a file with appointments that begin at these times, in a table of
// contents without a column for it.
func calendar(t *testing.T, begins ...time.Time) []byte {
	t.Helper()
	items := make([]func(pst.Sink) error, len(begins))
	for i, at := range begins {
		items[i] = func(s pst.Sink) error {
			s.Set(pst.P(pst.PidTagMessageClass, pst.ClassAppointment), pst.P(pst.PidTagSubject, at.Format("2 January")))
			if !at.IsZero() {
				s.Set(pst.P(appointmentStart, at))
			}
			return nil
		}
	}
	return madeOf(t, writer.Options{Now: func() time.Time { return noon }}, "Calendar", "IPF.Appointment", items...)
}

// TestAppointmentsBegin: appointments stand under the day on which they begin, and are
// found and numbered by it, also where the list of their folder does not say it.
func TestAppointmentsBegin(t *testing.T) {
	may := time.Date(2024, 5, 6, 9, 0, 0, 0, time.UTC)
	june := may.AddDate(0, 1, 0)
	data := calendar(t, may, june, time.Time{})
	w := seal(t, map[string][]byte{"a.pst": data})
	page, err := w.Page(t.Context(), w.ref, "a.pst/Calendar", 1, 10)
	if err != nil || len(page.Items) != 3 {
		t.Fatalf("%v %+v", err, page)
	}
	for i, want := range []time.Time{noon, june, may} { // one without a start has the time when it was made
		if !page.Items[i].At.Equal(want) {
			t.Errorf("item %d is of %v, not of %v", i+1, page.Items[i].At, want)
		}
	}
	found, err := w.Find(t.Context(), w.ref, "a.pst", keepwatch.MailQuery{From: may, To: may.Add(time.Hour)}, 1, 10)
	if err != nil || found.Total != 1 || found.Hits[0].Item != page.Items[2] {
		t.Errorf("of its day: %v %+v", err, found)
	}
	m, err := Lister{}.List(context.Background(), bytes.NewReader(data), int64(len(data)))
	if err != nil || m.Hurt() || !m.First.Equal(may) || !m.Last.Equal(noon) {
		t.Errorf("the card says from %v to %v: %v %+v", m.First, m.Last, err, m)
	}
}

// TestAppointmentOfOutlook: real Outlook writes tables without that column too.
func TestAppointmentOfOutlook(t *testing.T) {
	data := psttest.Outlook(t, "go-pst-32-bit-ansi.pst")
	m, err := Lister{}.List(context.Background(), bytes.NewReader(data), int64(len(data)))
	if want := time.Date(2004, 8, 19, 18, 30, 0, 0, time.UTC); err != nil || m.Hurt() || !m.First.Equal(want) {
		t.Errorf("it is of %v, not of %v: %v", m.First, want, err)
	}
}

// TestMissingOnesHaveTheirDay: of an item that cannot be read the report says the day,
// which the list of its folder knows.
func TestMissingOnesHaveTheirDay(t *testing.T) {
	data := made(t, [][]string{{"Inbox"}}, 40, "Minutes")
	var leaves []int // of the node tree: ptypeNBT, cLevel 0 ([MS-PST] 2.2.2.7.7.1)
	for at := 0x4400; at+512 <= len(data); at += 512 {
		if data[at+496] == 0x81 && data[at+497] == 0x81 && data[at+491] == 0 {
			leaves = append(leaves, at)
		}
	}
	if len(leaves) < 5 {
		t.Fatalf("the node tree has %d leaves", len(leaves))
	}
	clear(data[leaves[len(leaves)-2]:][:512]) // the last ones are of the mails
	w := seal(t, map[string][]byte{"a.pst": data})
	to := filepath.Join(w.dir, "out")
	_, result, err := w.restore(t, to, "a.pst/")
	report, _ := os.ReadFile(filepath.Join(to, reportName))
	lost := result.Counts[keepwatch.NoteUnreadable]
	if err != nil || lost == 0 || int64(strings.Count(string(report), "is missing: it is of 1 January 2024: ")) != lost {
		t.Errorf("%v %+v\n%s", err, result, report)
	}
}
