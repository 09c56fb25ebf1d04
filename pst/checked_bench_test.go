package pst_test

import (
	"bytes"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/writer"
)

// BenchmarkCheckMail checks a file of 20,000 small messages, BenchmarkCheckAttachments one whose bytes are attachments.
func BenchmarkCheckMail(b *testing.B) {
	benchmarkCheck(b, func(t testing.TB, w *writer.Writer) {
		add(t, child(t, w.Root(), "Inbox"), 20_000, func(i int, s pst.Sink) error {
			s.Set(pst.P(pst.PidTagSubject, "Cofnodion"), pst.P(pst.PidTagBody, "Diolch yn fawr."))
			s.Recipient(recipient(i))
			return nil
		})
	})
}

func BenchmarkCheckAttachments(b *testing.B) {
	benchmarkCheck(b, func(t testing.TB, w *writer.Writer) {
		add(t, child(t, w.Root(), "Inbox"), 50, func(i int, s pst.Sink) error { return attach(s, "a", 5<<20) })
	})
}

func benchmarkCheck(b *testing.B, fill func(t testing.TB, w *writer.Writer)) {
	data := written(b, writer.Options{}, fill)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		report, err := check.File(bytes.NewReader(data), int64(len(data)), check.Options{})
		if err != nil || !report.Clean() {
			b.Fatal(report.Findings, err)
		}
	}
}
