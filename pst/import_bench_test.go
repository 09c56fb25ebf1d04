package pst_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/mail"
	"keepwatch/pst/writer"
)

// mime is the letter as a server hands it out: the texts quoted-printable, what is attached in
// base64.
func (l *benchMail) mime() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Received: from mx.keepwatch.example by mail.keepwatch.example; %s\r\nFrom: %s <%s>\r\nTo: %s <%s>\r\nSubject: =?utf-8?B?%s?=\r\nDate: %s\r\nMessage-ID: %s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n",
		l.sent.Format(time.RFC1123Z), base64Word(l.from.Name), l.from.Address, base64Word(l.to.Name), l.to.Address, base64.StdEncoding.EncodeToString([]byte(l.subject)), l.sent.Format(time.RFC1123Z), l.id)
	quoted := func(kind string, text []byte) {
		fmt.Fprintf(&b, "--m\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", kind)
		q := quotedprintable.NewWriter(&b)
		q.Write(text) // into memory
		q.Close()
		b.WriteString("\r\n")
	}
	quoted("text/plain", []byte(l.text))
	if l.html != nil {
		quoted("text/html", l.html)
	}
	if l.attached != nil {
		b.WriteString("--m\r\nContent-Type: application/pdf; name=scan.pdf\r\nContent-Disposition: attachment; filename=scan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		for text := base64.StdEncoding.EncodeToString(l.attached); len(text) > 0; {
			n := min(76, len(text))
			b.WriteString(text[:n] + "\r\n")
			text = text[n:]
		}
	}
	b.WriteString("--m--\r\n")
	return b.Bytes()
}

func base64Word(s string) string {
	return "=?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte(s)) + "?="
}

// mimes are some 64 MiB of mails; a benchmark of more has them several times.
func mimes(b *testing.B) (all [][]byte, size int64) {
	total := benchBytes(b)
	some, _ := letters(min(total, 64<<20))
	for _, l := range some {
		all = append(all, l.mime())
	}
	for i := 0; size < total; i++ {
		if i >= len(some) {
			all = append(all, all[i-len(some)])
		}
		size += int64(len(all[i]))
	}
	return all, size
}

// BenchmarkImport is the whole way of a mail: from RFC 5322 into a file. MB/s are of the mails
// as a server hands them out.
func BenchmarkImport(b *testing.B) {
	all, size := mimes(b)
	b.SetBytes(size)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "bench.pst")
		w, err := writer.Create(path, fixedOptions())
		if err != nil {
			b.Fatal(err)
		}
		d, err := w.Root().Folder("Inbox", "IPF.Note")
		if err != nil {
			b.Fatal(err)
		}
		for _, data := range all {
			if err := d.Add(func(s pst.Sink) error {
				_, err := mail.Import(s, bytes.NewReader(data), int64(len(data)), mail.Options{})
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := w.Close(); err != nil {
			b.Fatal(err)
		}
		os.Remove(path)
	}
	runtime.ReadMemStats(&after)
	messages := float64(len(all) * b.N)
	b.ReportMetric(messages/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/messages, "allocs/message")
}

// BenchmarkImportCopy is what BenchmarkImport is measured against: the same bytes into a file
// and through SHA-256.
func BenchmarkImportCopy(b *testing.B) {
	all, size := mimes(b)
	b.SetBytes(size)
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "copy")
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		sum := sha256.New()
		for _, data := range all {
			copyThrough(b, f, sum, bytes.NewReader(data))
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
