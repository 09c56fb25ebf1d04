package restore

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// library is an archive of mails: seven of ten are short and plain, two have 20 kB of HTML, one has
// 200 kB attached. They are made beforehand, ten of them.
type library struct {
	*endless
	mails [10][]byte
	bytes int64
	most  uint64 // of the heap, as it was seen
}

func newLibrary(n int) *library {
	e, _ := many(n)
	l := &library{endless: e}
	for i := range l.mails {
		head := fmt.Sprintf("From: Bob <bob@contoso.example>\r\nTo: Alis <alis@contoso.example>\r\nSubject: Subject %d\r\nMessage-ID: <%d@x>\r\nMIME-Version: 1.0\r\n", i, i)
		plain := strings.Repeat("What was agreed on at the last meeting stands, and no more than that.\r\n", 20)
		switch page := "<html><body>" + strings.Repeat("<p style=3D\"margin:0\">Gr=C3=BC=C3=9Fe aus <b>K=C3=B6ln</b>, wie immer.</p>\r\n", 280) + "</body></html>\r\n"; {
		case i < 7:
			l.mails[i] = []byte(head + "Content-Type: text/plain; charset=us-ascii\r\n\r\n" + plain)
		case i < 9:
			l.mails[i] = []byte(head + "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + page)
		default:
			data := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("twelve bytes"), 12_500))
			var lines strings.Builder
			for len(data) > 76 {
				lines.WriteString(data[:76] + "\r\n")
				data = data[76:]
			}
			l.mails[i] = []byte(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + plain + "--b\r\nContent-Type: application/pdf; name=report.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines.String() + "--b--\r\n")
		}
	}
	return l
}

func (l *library) WalkEntries(_ context.Context, _ string, want func(string) bool, visit func(keepwatch.Entry, io.Reader) error) error {
	for i := range l.n {
		path := fmt.Sprintf("mail/in/%d.eml", i)
		if !want(path) {
			continue
		}
		if i%10_000 == 0 {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			l.most = max(l.most, now.HeapInuse)
		}
		mail := l.mails[i%len(l.mails)]
		l.bytes += int64(len(mail))
		if err := visit(keepwatch.Entry{Path: path}, bytes.NewReader(mail)); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkFind looks for words that are in none of 100,000 mails, so that all are read, and
// reports the rate. Decrypting and unpacking come on top.
func BenchmarkFind(b *testing.B) {
	const n = 100_000
	l := newLibrary(n)
	a := keepwatch.Archive{Source: "alis-mail", Stamp: "1", Started: time.Unix(1, 0)}
	for b.Loop() {
		x := NewIndex(l, time.Now)
		x.finder.within = time.Hour
		hits, err := x.Find(b.Context(), a, "", keepwatch.MailQuery{Text: "words of no mail"}, 1, 10)
		if err != nil || hits.Looked != n || hits.Broken > 0 || hits.Total > 0 {
			b.Fatal(err, hits)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "mails/s")
	b.ReportMetric(float64(l.bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
	b.ReportMetric(float64(l.most)/(1<<20), "MiB-in-use")
}
