package pst_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
)

// TestMillion: listing takes memory with a bound, however many items there are.
func TestMillion(t *testing.T) {
	n := 20_000
	if os.Getenv("KEEPWATCH_LONG") != "" {
		n = 1_000_000
	}
	f := kept(t, writer.Options{}, func(w *writer.Writer) {
		d := folder(t, w.Root(), "Inbox", "IPF.Note")
		for i := range n {
			add(t, d, note(i))
		}
	})[0]
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak, count := uint64(0), 0
	start := time.Now()
	err := f.Walk(func(d *reader.Folder, err error) error {
		if err != nil || d.IsSearch() {
			return err
		}
		for r, err := range d.Rows() {
			if err != nil || len(r.Properties) < 5 {
				return fmt.Errorf("row %v: %w", r, err)
			}
			if count++; count%(n/10) == 0 {
				runtime.GC()
				runtime.ReadMemStats(&during)
				peak = max(peak, during.HeapAlloc)
			}
		}
		return nil
	})
	if err != nil || count != n {
		t.Fatalf("%d of %d rows: %v", count, n, err)
	}
	t.Logf("%d rows in %v, %d KiB of memory", n, time.Since(start), int64(peak-before.HeapAlloc)>>10)
	if more := int64(peak) - int64(before.HeapAlloc); more > 24<<20 {
		t.Errorf("listing %d items holds %d bytes", n, more)
	}
}

// BenchmarkSummary and BenchmarkSearch go through 20,000 small mails.
func BenchmarkSummary(b *testing.B) {
	f := thousands(b)
	b.SetBytes(f.Header().Size)
	for b.Loop() {
		if s, err := f.Summary(b.Context(), reader.SummaryOptions{}); err != nil || s.Items != 20_000 {
			b.Fatal(err)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	f := thousands(b)
	b.SetBytes(f.Header().Size)
	for b.Loop() {
		for h, err := range f.Search(reader.Query{Text: "in no mail"}) {
			b.Fatal(h, err)
		}
	}
}

func thousands(b *testing.B) *reader.File {
	return kept(b, writer.Options{}, func(w *writer.Writer) {
		d := folder(b, w.Root(), "Inbox", "IPF.Note")
		for i := range 20_000 {
			add(b, d, note(i))
		}
	})[0]
}

// BenchmarkWalk reads all properties, recipients and attachments of a mailbox with
// mixed mail. The file has 64 MB, or 1 GB under KEEPWATCH_LONG.
func BenchmarkWalk(b *testing.B) {
	size := int64(64 << 20)
	if os.Getenv("KEEPWATCH_LONG") != "" {
		size = 1 << 30
	}
	text := string(bytes.Repeat([]byte("Some words of a mail that is not short. "), 60))
	page := bytes.Repeat([]byte("<p>Some words of a mail that is not short.</p>"), 120)
	var written int64
	f := kept(b, writer.Options{}, func(w *writer.Writer) {
		d := folder(b, w.Root(), "Inbox", "IPF.Note")
		for i := 0; written < size; i++ {
			l := note(i)
			l.ps.Set(pst.PidTagBody, text)
			l.ps.Set(pst.PidTagHtml, page)
			written += int64(2*len(text) + len(page) + 2000)
			if i%4 == 0 {
				data := make([]byte, 80_000)
				l.files = []enclosure{{data: data, ps: pst.Properties{pst.P(pst.PidTagAttachLongFilename, "file.bin")}}}
				written += int64(len(data))
			}
			add(b, d, l)
		}
	})[0]
	b.SetBytes(f.Header().Size)
	b.ResetTimer()
	messages := 0
	for b.Loop() {
		messages = 0
		err := f.Walk(func(d *reader.Folder, err error) error {
			if err != nil || d.IsSearch() {
				return err
			}
			for m, err := range d.Messages() {
				if err == nil {
					messages++
					err = readWhole(m)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(messages)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func readWhole(m pst.Item) error {
	_, err := m.Properties()
	for _, wrong := range m.Recipients() {
		err = errors.Join(err, wrong)
	}
	for a, wrong := range m.Attachments() {
		if wrong != nil {
			return wrong
		}
		r, _, wrong := a.Open()
		if wrong == nil {
			_, wrong = io.Copy(io.Discard, r)
		}
		err = errors.Join(err, wrong)
	}
	return err
}
