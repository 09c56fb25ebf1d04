package writer

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"keepwatch/pst"
)

// benchmark adds one message after the other; size is how many bytes of content
// each has.
func benchmark(b *testing.B, size int64, fill func(s pst.Sink) error) {
	w, err := Create(filepath.Join(b.TempDir(), "b.pst"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	f, err := w.Root().Folder("Inbox", "IPF.Note")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(size)
	for b.Loop() {
		if err := f.Add(fill); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := w.Abort(); err != nil {
		b.Fatal(err)
	}
}

// ordinary gives what an ordinary mail has, with texts of so many bytes.
func ordinary(text, html int) func(s pst.Sink) error {
	body := pst.P(pst.PidTagBody, strings.Repeat("Diolch yn fawr. ", text/16))
	markup := pst.P(pst.PidTagHtml, bytes.Repeat([]byte("<p>Diolch.</p>\r\n"), html/16))
	props := []pst.Property{
		body, markup,
		pst.P(pst.PidTagSubject, "RE: The minutes of last week"),
		pst.P(pst.PidTagConversationTopic, "The minutes of last week"),
		pst.P(pst.PidTagMessageClass, "IPM.Note"),
		pst.P(pst.PidTagSenderName, "Siân Jones"),
		pst.P(pst.PidTagSenderAddressType, "SMTP"),
		pst.P(pst.PidTagSenderEmailAddress, "sian@example.org"),
		pst.P(pst.PidTagSentRepresentingName, "Siân Jones"),
		pst.P(pst.PidTagSentRepresentingAddressType, "SMTP"),
		pst.P(pst.PidTagSentRepresentingEmailAddress, "sian@example.org"),
		pst.P(pst.PidTagClientSubmitTime, day),
		pst.P(pst.PidTagMessageDeliveryTime, day),
		pst.P(pst.PidTagInternetMessageId, "<1234567890@example.org>"),
		pst.P(pst.PidTagMessageFlags, int32(pst.FlagRead)),
		pst.P(pst.PidTagImportance, int32(1)),
		pst.P(pst.PidTagInternetCodepage, int32(65001)),
		pst.P(pst.PidNameKeywords, []string{"Work"}),
		pst.P(pst.PidTagTransportMessageHeaders, strings.Repeat("Received: from mail.example.org\r\n", 30)),
	}
	bob := pst.Properties{
		pst.P(pst.PidTagDisplayName, "Bob"),
		pst.P(pst.PidTagEmailAddress, "bob@example.org"),
		pst.P(pst.PidTagRecipientType, int32(pst.RecipientTo)),
	}
	return func(s pst.Sink) error {
		s.Set(props...)
		s.Recipient(bob)
		return nil
	}
}

func BenchmarkSmallMessages(b *testing.B) { benchmark(b, 1000+2*1000+1000, ordinary(1000, 1000)) }

func BenchmarkHTMLMail(b *testing.B) { benchmark(b, 1000+2*8000+40_000, ordinary(8000, 40_000)) }

func BenchmarkAttachments(b *testing.B) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
	r := bytes.NewReader(data)
	name := pst.Properties{pst.P(pst.PidTagAttachLongFilename, "plan.pdf")}
	text := ordinary(1000, 1000)
	benchmark(b, int64(len(data)), func(s pst.Sink) error {
		if err := text(s); err != nil {
			return err
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return s.Attach(name, r)
	})
}
