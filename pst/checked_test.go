package pst_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/writer"
)

// written makes a file with the writer and gives its bytes.
func written(t testing.TB, o writer.Options, fill func(t testing.TB, w *writer.Writer)) []byte {
	t.Helper()
	o.Now = func() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }
	o.RecordKey = func() pst.GUID { return pst.GUID{1, 2, 3} }
	w, err := writer.Create(filepath.Join(t.TempDir(), "a.pst"), o)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, w)
	volumes, err := w.Close()
	if err != nil || len(volumes) != 1 {
		t.Fatal(volumes, err)
	}
	data, err := os.ReadFile(volumes[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// add adds messages to a folder.
func add(t testing.TB, f *writer.Folder, count int, fill func(i int, s pst.Sink) error) {
	t.Helper()
	for i := range count {
		if err := f.Add(func(s pst.Sink) error { return fill(i, s) }); err != nil {
			t.Fatal(err)
		}
	}
}

// child makes a folder.
func child(t testing.TB, f *writer.Folder, name string) *writer.Folder {
	t.Helper()
	c, err := f.Folder(name, "IPF.Note")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func recipient(i int) pst.Properties {
	return pst.Properties{
		pst.P(pst.PidTagDisplayName, fmt.Sprintf("Dilys %d", i)), pst.P(pst.PidTagEmailAddress, fmt.Sprintf("d%d@example.org", i)),
		pst.P(pst.PidTagRecipientType, int32(1+i%3)),
	}
}

func attach(s pst.Sink, name string, size int) error {
	return s.Attach(pst.Properties{pst.P(pst.PidTagAttachLongFilename, name)}, bytes.NewReader(bytes.Repeat([]byte{7, 1}, size/2)))
}

// few is a file with everything that needs many of something: subnode trees of both depths, heaps and
// tables of many blocks, B-trees of three levels; and with messages in messages.
func few(t testing.TB, w *writer.Writer) {
	r := rand.New(rand.NewPCG(1, 2))
	in := child(t, w.Root(), "Inbox")
	add(t, in, 460, func(i int, s pst.Sink) error {
		s.Set(pst.P(pst.PidTagSubject, strings.Repeat("Cyfarfod ", 1+i%20)), pst.P(pst.PidTagBody, strings.Repeat("text ", r.IntN(900))),
			pst.P(pst.PidTagMessageFlags, int32(i%2)), pst.P(pst.PidNameKeywords, []string{"Gwaith", fmt.Sprint(i)}))
		s.Recipient(recipient(i))
		return nil
	})
	many := child(t, in, "Many")
	add(t, many, 1, func(i int, s pst.Sink) error {
		for k := range 400 {
			s.Recipient(recipient(k))
			if err := attach(s, fmt.Sprintf("%d.txt", k), 10); err != nil {
				return err
			}
		}
		return nil
	})
	add(t, many, 1, func(i int, s pst.Sink) error {
		s.Recipient(recipient(0))
		if err := attach(s, "a.txt", 30_000); err != nil {
			return err
		}
		return s.Embed(pst.Properties{}, func(s pst.Sink) error {
			s.Set(pst.P(pst.PidTagSubject, "within"))
			return s.Embed(pst.Properties{}, func(s pst.Sink) error { return attach(s, "x", 100) })
		})
	})
	for i := range 20 {
		child(t, child(t, w.Deleted(), fmt.Sprintf("Folder %d", i%5)), fmt.Sprintf("Below %d", i))
	}
}

// large is a file with data trees of both depths and an FMap page.
func large(t testing.TB, w *writer.Writer) {
	add(t, child(t, w.Root(), "Inbox"), 400, func(int, pst.Sink) error { return nil })
	add(t, child(t, w.Root(), "Big"), 4, func(i int, s pst.Sink) error {
		return attach(s, "big.bin", []int{8176, 8178, 8347698, 25_000_000}[i])
	})
}

// findings checks a file.
func findings(t testing.TB, data []byte) check.Report {
	t.Helper()
	report, err := check.File(bytes.NewReader(data), int64(len(data)), check.Options{Max: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestWrittenFilesAreClean(t *testing.T) {
	for name, c := range map[string]struct {
		o    writer.Options
		fill func(t testing.TB, w *writer.Writer)
	}{
		"empty": {fill: func(testing.TB, *writer.Writer) {}},
		"few":   {fill: few},
		"everything": {fill: func(t testing.TB, w *writer.Writer) {
			g := generator{rand.New(rand.NewPCG(5, 6))}
			add(t, child(t, w.Root(), "Inbox"), 100, func(_ int, s pst.Sink) error { return g.item(2).write(s) })
		}},
		"large": {fill: large},
		"plain": {o: writer.Options{Plain: true}, fill: func(t testing.TB, w *writer.Writer) {
			add(t, w.Root(), 3, func(i int, s pst.Sink) error {
				s.Set(pst.P(pst.PidTagSubject, "Plain"))
				return attach(s, "a", 100_000)
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			report := findings(t, written(t, c.o, c.fill))
			for _, f := range report.Findings {
				t.Error(f)
			}
			if report.Truncated || report.Folders < 5 {
				t.Errorf("%+v", report)
			}
		})
	}
}
