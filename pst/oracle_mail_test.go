package pst_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"iter"
	"maps"
	"mime"
	"mime/multipart"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/mail"
	"keepwatch/pst/psttest"
	"keepwatch/pst/writer"
)

// TestReadersReadSampleMails: of each sample the readers find what pst/mail made of it,
// and each of them is there: a broken one too.
func TestReadersReadSampleMails(t *testing.T) {
	samples := samplesOf(t, "enmime-MIT", "*.raw")
	path := filepath.Join(t.TempDir(), "samples.pst")
	w, err := writer.Create(path, fixedOptions())
	if err != nil {
		t.Fatal(err)
	}
	var want, byHeader []seen
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		// Each in a folder of its own, since some have no Message-ID and others the same.
		d, err := w.Root().Folder(name, "IPF.Note")
		if err != nil {
			t.Fatal(err)
		}
		raw := samples[name]
		var k *keptItem
		err = d.Add(keeping(func(s pst.Sink) error {
			_, err := mail.Import(s, bytes.NewReader(raw), int64(len(raw)), mail.Options{Received: firstDay})
			return err
		}, &k))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		it := k.listed()
		it.Folder = name
		want = append(want, it)
		// Who sends for another is Sender; From is the other.
		it.From = seenPerson{k.Properties.Text(pst.PidTagSentRepresentingName), k.Properties.Text(pst.PidTagSentRepresentingEmailAddress)}
		byHeader = append(byHeader, it)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	everyMail(t, path, want, byHeader, noFrom)
	t.Run("pst-extractor", func(t *testing.T) { samePSTExtractor(t, path, want) })
}

// noFrom: one of the samples has no From, for which libpst writes MAILER-DAEMON, and
// one has two addresses without a comma, which are not an address to the standard library.
func noFrom(it *seen) {
	if it.Folder == "erroneous.raw" || it.Folder == "malformed-multiple-address-header-values.raw" {
		it.From = seenPerson{}
	}
}

// TestReadersReadMail: mails go through pst/mail, and come out of each reader with
// what the mail says.
func TestReadersReadMail(t *testing.T) {
	var want []seen
	file := createMail(t, madeMails(50), &want)
	everyMail(t, file, want, want)
	t.Run("pst-extractor", func(t *testing.T) { samePSTExtractor(t, file, want, func(it *seen) { it.Headers = "" }) })
}

// everyMail is everybody for what pst/mail made, with the header block left aside.
// byHeader is what libpst ought to say, which takes it from that block.
func everyMail(t *testing.T, file string, want, byHeader []seen, change ...func(*seen)) {
	t.Helper()
	noHeaders := func(it *seen) { it.Headers = "" }
	sound(t, file, len(want))
	same(t, "our reader", want, withReader(t, file), noHeaders)
	same(t, "go-pst", want, withGoPST(t, file).items(top), noHeaders)
	same(t, "pffexport", want, withPffexport(t, file).items(top), noHeaders, asPffexport)
	byHeader = changed(byHeader, []func(*seen){func(it *seen) { it.Headers = "there are some" }})
	same(t, "readpst", readpstKnows(byHeader), withReadpst(t, file).Items, append(change, asReadpst)...)
}

// createMail writes mails by way of their MIME.
func createMail(t *testing.T, all iter.Seq[message], want *[]seen) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mail.pst")
	w, err := writer.Create(path, fixedOptions())
	if err != nil {
		t.Fatal(err)
	}
	b := &mailbox{w, map[string]*writer.Folder{}}
	for m := range all {
		raw := m.mime(t)
		d, err := b.folder(m.Folder, "IPF.Note")
		if err != nil {
			t.Fatal(err)
		}
		err = d.Add(func(s pst.Sink) error {
			_, err := mail.Import(s, bytes.NewReader(raw), int64(len(raw)), mail.Options{Received: m.Received, Read: true})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		*want = append(*want, m.listed())
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// madeMails are those of the kinds that a mail can be: it names nobody in Bcc, has a whole
// second as its date, and its text is not cut within the end of a line.
func madeMails(seed uint64) iter.Seq[message] {
	return func(yield func(message) bool) {
		for m := range kinds(seed) {
			if !yield(m.mailed()) {
				return
			}
		}
	}
}

func (m message) mailed() message {
	m.Sent, m.Mailed = m.Sent.Truncate(time.Second), true
	m.Recipients = slices.DeleteFunc(slices.Clone(m.Recipients), func(r seenRecipient) bool { return r.Type == pst.RecipientBcc })
	m.Text, m.HTML = strings.TrimRight(m.Text, "\r\n"), strings.TrimRight(m.HTML, "\r\n")
	m.Attachments = slices.Clone(m.Attachments)
	for i := range m.Attachments {
		if inner := m.Attachments[i].Inner; inner != nil {
			within := inner.mailed()
			within.Received = within.Sent // of a mail in a mail nobody says when it came
			m.Attachments[i].Inner = &within
		}
	}
	return m
}

// mime composes the mail, with the standard library alone.
func (m message) mime(t testing.TB) []byte {
	t.Helper()
	var b, body bytes.Buffer
	b.WriteString(strings.TrimSuffix(m.headers(), "\r\n"))
	w := multipart.NewWriter(&body)
	fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=%q\r\n\r\n", w.Boundary())
	part := func(header textproto.MIMEHeader, write func(io.Writer) error) {
		p, err := w.CreatePart(header)
		if err == nil {
			err = write(p)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	alternatives(t, part, m)
	for _, a := range m.Attachments {
		disposition := mime.FormatMediaType("attachment", map[string]string{"filename": a.Name})
		h := textproto.MIMEHeader{"Content-Type": {"application/octet-stream"}, "Content-Transfer-Encoding": {"base64"}, "Content-Disposition": {disposition}}
		if a.Inner != nil {
			h = textproto.MIMEHeader{"Content-Type": {"message/rfc822"}, "Content-Disposition": {disposition}}
			part(h, func(w io.Writer) error { _, err := w.Write(a.Inner.mime(t)); return err })
			continue
		}
		if a.CID != "" {
			h.Set("Content-Id", "<"+a.CID+">")
		}
		part(h, func(w io.Writer) error { return inBase64(w, seeded(a.Seed, a.Size)) })
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), body.Bytes()...)
}

// alternatives are the bodies: one of them, both in multipart/alternative, or an empty
// text.
func alternatives(t testing.TB, part func(textproto.MIMEHeader, func(io.Writer) error), m message) {
	in := func(w io.Writer, kind, text string) {
		fmt.Fprintf(w, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n", kind)
		if err := inBase64(w, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	header := func(kind string) textproto.MIMEHeader {
		return textproto.MIMEHeader{"Content-Type": {kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"base64"}}
	}
	switch {
	case m.HTML == "":
		part(header("text/plain"), func(w io.Writer) error { return inBase64(w, strings.NewReader(m.Text)) })
	case m.Text == "":
		part(header("text/html"), func(w io.Writer) error { return inBase64(w, strings.NewReader(m.HTML)) })
	default:
		part(textproto.MIMEHeader{"Content-Type": {"multipart/alternative; boundary=either"}}, func(w io.Writer) error {
			for _, body := range [][2]string{{"text/plain", m.Text}, {"text/html", m.HTML}} {
				fmt.Fprint(w, "--either\r\n")
				in(w, body[0], body[1])
			}
			_, err := fmt.Fprint(w, "--either--\r\n")
			return err
		})
	}
}

// inBase64 writes lines of 76 letters.
func inBase64(w io.Writer, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	text := base64.StdEncoding.EncodeToString(data)
	for len(text) > 76 {
		if _, err := io.WriteString(w, text[:76]+"\r\n"); err != nil {
			return err
		}
		text = text[76:]
	}
	_, err = io.WriteString(w, text+"\r\n")
	return err
}

// samplesOf are the files of a folder of samples, which lies beside the project and not
// in it. CI has it, so that without it the test fails.
func samplesOf(t testing.TB, pattern ...string) map[string][]byte {
	t.Helper()
	dir := psttest.Sample(t, "mail")
	all := map[string][]byte{}
	files, err := filepath.Glob(filepath.Join(append([]string{dir}, pattern...)...))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample matches %q: %v", pattern, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = data
	}
	return all
}
