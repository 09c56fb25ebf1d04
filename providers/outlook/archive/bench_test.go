package archive

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// archLong is a content that nobody holds: a head, and then a line again and again.
type archLong struct {
	head, line, tail string
	lines            int64
	at               int64
}

func (l *archLong) size() int64 {
	return int64(len(l.head)) + l.lines*int64(len(l.line)) + int64(len(l.tail))
}

func (l *archLong) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n)
		body := at - int64(len(l.head))
		switch end := l.lines * int64(len(l.line)); {
		case body < 0:
			n += copy(p[n:], l.head[at:])
		case body < end:
			n += copy(p[n:], l.line[body%int64(len(l.line)):])
		case body-end < int64(len(l.tail)):
			n += copy(p[n:], l.tail[body-end:])
		default:
			return n, io.EOF
		}
	}
	return n, nil
}

func (l *archLong) Read(p []byte) (int, error) {
	n, err := l.ReadAt(p, l.at)
	l.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// archBig is a mail with an attachment of so many bytes.
func archBig(bytes int64) archItem {
	line := strings.Repeat("QUJD", 19) + "\r\n"
	l := archLong{
		head: strings.Replace(archMail("Big"), "Content-Type: text/plain; charset=utf-8\r\n\r\nHello.\r\n", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n--b\r\nContent-Type: application/octet-stream; name=big.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1),
		line: line, lines: bytes / 57, tail: "--b--\r\n",
	}
	open := func() archContent { fresh := l; return &fresh }
	sum := sha256.New()
	_, _ = io.Copy(sum, open())
	return archItem{outlook.Record{Item: outlook.Item{ID: "big", Folder: "in", Kind: outlook.Mail, Subject: "Big", At: archTime("2026-11-23 09:30")}, Bytes: l.size(), SHA256: hex.EncodeToString(sum.Sum(nil))}, open}
}

// archPeak gives a report function that watches the heap, and its highest value in bytes
// above that at the beginning.
func archPeak() (report func(keepwatch.Progress), peak func() int64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, most, n := int64(m.HeapAlloc), int64(0), 0
	return func(keepwatch.Progress) {
		if n++; n%500 == 0 {
			runtime.ReadMemStats(&m)
			most = max(most, int64(m.HeapAlloc)-before)
		}
	}, func() int64 { return most }
}

// TestArchiveStreamsWhatIsLong: an attachment of 150 MB is in no memory.
func TestArchiveStreamsWhatIsLong(t *testing.T) {
	s := newArchSpool(archFolders()...)
	s.put("in", archBig(150<<20))
	w := newArchWorld(t, s, "eml", "pst")
	report, peak := archPeak()
	w.job.Report = report
	w.mustFetch(t, &archSink{light: true})
	if got := peak(); got > 32<<20 || got == 0 {
		t.Errorf("its heap grew by %s", keepwatch.FormatBytes(got))
	}
}

// archMany is a mailbox of so many mails of about 3 kB, and a tenth of contacts and events.
func archMany(count int) *archSpool {
	s := newArchSpool(archFolders()...)
	body := strings.Repeat("What is in it does not matter, but it takes its room.\r\n", 50)
	make := func(folder string, kind outlook.Kind, from, to int, text func(i int) string) {
		s.items[folder] = func(yield func(archItem) bool) {
			for i := from; i < to; i++ {
				it := archMade(outlook.Item{ID: fmt.Sprintf("%s%d", folder, i), Folder: folder, Kind: kind, Subject: fmt.Sprintf("Subject %d", i), At: archTime("2026-11-23 09:30")}, text(i))
				if !yield(it) {
					return
				}
			}
		}
		s.totals.Items += int64(to - from)
		s.totals.Bytes += int64((to - from) * len(text(0)))
	}
	make("in", outlook.Mail, 0, count*8/10, func(i int) string { return archMail(fmt.Sprintf("Subject %d", i)) + body })
	make("proj", outlook.Mail, 0, count/10, func(i int) string { return archMail(fmt.Sprintf("Project %d", i)) + body })
	make("con", outlook.Contacts, 0, count/20, func(i int) string { return strings.ReplaceAll(archCard, "Alis", fmt.Sprintf("Alis%d", i)) })
	make("cal", outlook.Calendar, 0, count/20, func(i int) string { return strings.Replace(archEvent, "Weekly", fmt.Sprintf("Weekly%d", i), 1) })
	return s
}

// BenchmarkArchive tells how fast an archive is made, and how much memory that takes, with
// ten times as many items too: go test -bench Archive -benchtime 1x ./providers/outlook.
func BenchmarkArchive(b *testing.B) {
	for _, formats := range []string{"eml", "eml pst"} {
		for _, count := range []int{20_000, 200_000} {
			b.Run(fmt.Sprintf("%s of %d", formats, count), func(b *testing.B) {
				var most int64
				for b.Loop() {
					s := archMany(count)
					b.SetBytes(s.totals.Bytes)
					w := newArchWorld(b, s, strings.Fields(formats)...)
					report, peak := archPeak()
					w.job.Report = report
					w.mustFetch(b, &archSink{light: true})
					most = max(most, peak())
				}
				b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
			})
		}
	}
}

// archEndless has an index of so many items, each a line of about 2 kB, that is made when it
// is read. The first are mails of a folder "away", and the others events of "cal".
type archEndless struct {
	archOlder
	mails, events int
	read          *int64 // lines
}

// archLongID is the ID of one of them, as long as those of Microsoft.
func archLongID(i int) string {
	return fmt.Sprintf("AAkAKVMwrEXNNHFjqa3UoGp6faGnPxxT9rl70Xb1GhxKlrYpUzCsRc00cWOpZ%010d==", i)
}

func (o archEndless) OpenEntry(ctx context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	if path != outlook.IndexPath {
		return o.archOlder.OpenEntry(ctx, ref, path)
	}
	r, w := io.Pipe()
	raw := `{"body":"` + strings.Repeat("What Microsoft says of it does not matter, but it takes its room. ", 24) + `"}`
	go func() {
		to := bufio.NewWriterSize(w, 64<<10)
		for i := range o.mails + o.events {
			*o.read++
			folder := "away"
			if i >= o.mails {
				folder = "cal"
			}
			if _, err := fmt.Fprintf(to, `{"id":"%s","folder":"%s","kind":"mail","subject":"Subject %d","at":"2026-11-01T10:00:00Z","raw":%s,"in":["Away"],"path":"mail/Away/%d.eml"}`+"\n", archLongID(i), folder, i, raw, i); err != nil {
				break
			}
		}
		w.CloseWithError(to.Flush()) // nil: the end
	}()
	return keepwatch.Entry{Path: path}, r, nil
}

// archBase is the state of an older archive.
const archBase = `{"v":1,"folders":[{"id":"away","whole":true,"kept":1},{"id":"in","whole":true,"kept":1},{"id":"cal","whole":true,"kept":1}]}`

// BenchmarkDeletedFolder tells how long it takes to list what was in a folder that was
// deleted, and how much memory: go test -bench DeletedFolder -benchtime 1x ./providers/outlook/archive.
func BenchmarkDeletedFolder(b *testing.B) {
	for _, count := range []int{20_000, 150_000, 600_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			var most, read int64
			for b.Loop() {
				s := newArchSpool(archFolders()...)
				w := newArchWorld(b, s)
				w.kept.Base, w.kept.Gone = "alis-mail/1", []outlook.Folder{{ID: "away", Kind: outlook.Mail, Path: []string{"Away"}}}
				w.cfg.Older = archEndless{archOlder{"alis-mail/1/" + outlook.StatePath: archBase}, count, 0, &read}
				report, peak := archPeak()
				w.job.Report = report
				w.mustFetch(b, &archSink{light: true})
				most = max(most, peak())
			}
			b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
			b.ReportMetric(float64(read)/float64(count), "readings")
		})
	}
}

// BenchmarkFolderReadWhole tells how long it takes to find what is gone from a calendar of
// 1,000 events, beside so many mails in the archive before, and from a folder of so many mails
// that was read whole: go test -bench FolderReadWhole -benchtime 1x ./providers/outlook/archive.
func BenchmarkFolderReadWhole(b *testing.B) {
	for _, c := range []struct {
		name                     string
		mails, events, each, out int // each of so many is gone, which is so many lines
	}{
		{"nothing of a calendar beside 100000", 100_000, 1000, 1 << 30, 0},
		{"10 of a calendar beside 100000", 100_000, 1000, 100, 10},
		{"nothing of 100000", 100_000, 0, 1 << 30, 0},
		{"1000 of 100000", 100_000, 0, 100, 1000},
		{"6000 of 600000", 600_000, 0, 100, 6000},
	} {
		b.Run(c.name, func(b *testing.B) {
			var most, read int64
			for b.Loop() {
				folder, from := outlook.Folder{ID: "away", Kind: outlook.Mail}, 0
				if c.events > 0 {
					folder, from = outlook.Folder{ID: "cal", Kind: outlook.Calendar}, c.mails
				}
				s := newArchSpool(folder)
				s.items[folder.ID] = func(yield func(archItem) bool) {
					for i := from; i < c.mails+c.events; i++ {
						if (i+1)%c.each != 0 && !yield(archItem{Record: outlook.Record{Item: outlook.Item{ID: archLongID(i)}}}) {
							return
						}
					}
				}
				w := newArchWorld(b, s)
				w.cfg.Older = archEndless{archOlder{"alis-mail/1/" + outlook.StatePath: archBase}, c.mails, c.events, &read}
				p, err := New(w.cfg)
				if err != nil {
					b.Fatal(err)
				}
				l, err := newLineFile(b.TempDir(), outlook.RemovedPath)
				if err != nil {
					b.Fatal(err)
				}
				report, peak := archPeak()
				w.job.Report = report
				a := &archiving{p: p, ctx: b.Context(), job: w.job, k: outlook.Kept{Base: "alis-mail/1"}, spool: s}
				a.state.Folders = []outlook.FolderState{{Folder: folder, Whole: true}}
				if err := a.deleted(l); err != nil || a.state.Folders[0].Gone != int64(c.out) {
					b.Fatalf("%+v, %v", a.state.Folders, err)
				}
				if err := l.remove(); err != nil {
					b.Fatal(err)
				}
				most = max(most, peak())
			}
			b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
			b.ReportMetric(float64(read)/float64(c.mails+c.events), "readings")
		})
	}
}
