package pst_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
)

// benchBytes is how much mail a benchmark writes: 64 MiB, or as many MiB as
// KEEPWATCH_BENCH_MIB says.
func benchBytes(b *testing.B) int64 {
	if s := os.Getenv("KEEPWATCH_BENCH_MIB"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		return int64(n) << 20
	}
	return 64 << 20
}

// benchMail is a mail whose parts lie in memory, so that a benchmark measures nobody but the
// writer: seven of ten are short and plain, two have HTML, one has an attachment.
type benchMail struct {
	id, subject string
	sent        time.Time
	text        string
	html        []byte
	attached    []byte
	from, to    seenPerson
}

func (l *benchMail) size() int64 { return int64(2*len(l.text) + len(l.html) + len(l.attached)) }

// letters make up so many bytes: their parts are slices of a few MiB.
func letters(total int64) (all []*benchMail, size int64) {
	rng := rand.New(rand.NewPCG(6, 6))
	k := newMaker(6)
	text := k.text(1 << 20)
	random := make([]byte, 8<<20)
	rand.NewChaCha8([32]byte{6}).Read(random) // cannot fail
	for size < total {
		n := len(all)
		l := &benchMail{id: fmt.Sprintf("<%d@keepwatch.example>", n), subject: manyScripts[n%len(manyScripts)].text, sent: firstDay.Add(time.Duration(n) * time.Minute), from: k.person(), to: k.person()}
		at := rng.IntN(1 << 19)
		l.text = text[at : at+500+rng.IntN(6000)]
		if n%10 >= 7 {
			l.html = []byte(text)[at : at+8000+rng.IntN(60_000)]
		}
		if n%10 == 9 {
			at := rng.IntN(4 << 20)
			l.attached = random[at : at+20_000+rng.IntN(1_500_000)]
		}
		all = append(all, l)
		size += l.size()
	}
	return all, size
}

func (l *benchMail) fill(s pst.Sink) error {
	s.Set(pst.P(pst.PidTagMessageClass, "IPM.Note"), pst.P(pst.PidTagInternetMessageId, l.id), pst.P(pst.PidTagSubject, l.subject),
		pst.P(pst.PidTagMessageFlags, int32(pst.FlagRead)), pst.P(pst.PidTagClientSubmitTime, l.sent), pst.P(pst.PidTagMessageDeliveryTime, l.sent),
		pst.P(pst.PidTagSenderName, l.from.Name), pst.P(pst.PidTagSenderAddressType, "SMTP"), pst.P(pst.PidTagSenderEmailAddress, l.from.Address),
		pst.P(pst.PidTagBody, l.text))
	if l.html != nil {
		s.Set(pst.P(pst.PidTagHtml, l.html), pst.P(pst.PidTagInternetCodepage, int32(65001)))
	}
	s.Recipient(recipientProperties(seenRecipient{pst.RecipientTo, l.to}))
	if l.attached != nil {
		return s.Attach(pst.Properties{pst.P(pst.PidTagAttachLongFilename, "scan.pdf"), pst.P(pst.PidTagAttachMimeTag, "application/pdf")}, bytes.NewReader(l.attached))
	}
	return nil
}

// BenchmarkWrite writes mixed mail. MB/s are of what goes in, text as UTF-16.
func BenchmarkWrite(b *testing.B) {
	all, size := letters(benchBytes(b))
	b.SetBytes(size)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "bench.pst")
		writeLetters(b, path, all)
		os.Remove(path) // so that only one lies there at a time
	}
	runtime.ReadMemStats(&after)
	messages := float64(len(all) * b.N)
	b.ReportMetric(messages/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/messages, "allocs/message")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/messages, "B/message")
}

func writeLetters(t testing.TB, path string, all []*benchMail) {
	w, err := writer.Create(path, fixedOptions())
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.Root().Folder("Inbox", "IPF.Note")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if err := d.Add(l.fill); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkCopy is what the writer is measured against: the same bytes into a file and
// through SHA-256, with the file synced too.
func BenchmarkCopy(b *testing.B) {
	all, size := letters(benchBytes(b))
	b.SetBytes(size)
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "copy")
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		sum := sha256.New()
		for _, l := range all {
			for range 2 { // a letter of the text is two bytes in the file
				copyThrough(b, f, sum, strings.NewReader(l.text))
			}
			copyThrough(b, f, sum, bytes.NewReader(l.html))
			copyThrough(b, f, sum, bytes.NewReader(l.attached))
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		os.Remove(path)
	}
}

func copyThrough(b *testing.B, to io.Writer, sum io.Writer, from io.Reader) {
	if _, err := io.Copy(to, io.TeeReader(from, sum)); err != nil {
		b.Fatal(err)
	}
}

// mixed is a file of mixed mail that a benchmark reads, and its size.
func mixed(b *testing.B) (*os.File, int64) {
	all, _ := letters(benchBytes(b))
	path := filepath.Join(b.TempDir(), "mixed.pst")
	writeLetters(b, path, all)
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	return f, info.Size()
}

// BenchmarkReadMixed reads all properties, recipients and attachments of mixed mail, and takes
// the SHA-256 of each attachment.
func BenchmarkReadMixed(b *testing.B) {
	f, size := mixed(b)
	messages := 0
	for b.Loop() {
		file, err := reader.Open(f, size, reader.Options{})
		if err != nil {
			b.Fatal(err)
		}
		messages = 0
		err = file.Walk(func(d *reader.Folder, err error) error {
			if err != nil || d.IsSearch() {
				return err
			}
			for m, err := range d.Messages() {
				if err != nil {
					return err
				}
				if _, err := listItem(m); err != nil {
					return err
				}
				messages++
			}
			return nil
		})
		if err != nil || messages == 0 {
			b.Fatal(messages, err)
		}
	}
	b.ReportMetric(float64(messages*b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkCheckMixed checks mixed mail.
func BenchmarkCheckMixed(b *testing.B) {
	f, size := mixed(b)
	for b.Loop() {
		report, err := check.File(f, size, check.Options{})
		if err != nil || !report.Clean() {
			b.Fatal(report.Findings, err)
		}
	}
}
