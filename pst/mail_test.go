package pst_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/mail"
	"keepwatch/pst/psttest"
	"keepwatch/pst/writer"
)

// recorder is a Sink that makes an item.
type recorder struct{ item }

func (r *recorder) Set(list ...pst.Property) {
	for _, p := range list {
		if p.IsNamed() {
			r.Properties.Set(p.Named, p.Value)
		} else {
			r.Properties.Set(p.Tag, p.Value)
		}
	}
}

func (r *recorder) Recipient(p pst.Properties) { r.Recipients = append(r.Recipients, p) }

func (r *recorder) Attach(p pst.Properties, content io.Reader) error {
	a := attachment{Properties: p}
	if content != nil {
		data, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		a.Content = append([]byte{}, data...)
	}
	r.Attachments = append(r.Attachments, a)
	return nil
}

func (r *recorder) Embed(p pst.Properties, fill func(pst.Sink) error) error {
	inner := &recorder{}
	if err := fill(inner); err != nil {
		return err
	}
	r.Attachments = append(r.Attachments, attachment{Properties: p, Message: &inner.item})
	return nil
}

// mails are the samples that lie beside the project, those of Python where they are
// installed, and some that are broken.
func mails(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{
		"empty":   nil,
		"rubbish": {0, 1, 2, 0xFF, 0xFE},
		"scripts": []byte("Subject: =?utf-8?B?" + "44GT44KT44Gr44Gh44Gv?= Привет\r\nFrom: =?koi8-r?B?8NLJ18XU?= <a@b.example>\r\nTo: \xE7\xAE\xA1\xE7\x90\x86 <c@d.example>\r\nContent-Type: text/html; charset=windows-1251\r\n\r\n<p>\xCF\xF0\xE8\xE2\xE5\xF2"),
		"nested":  []byte(strings.Repeat("Subject: x\r\nContent-Type: message/rfc822\r\n\r\n", 20) + "Subject: last\r\n\r\ntext"),
	}
	dir := psttest.Sample(t, "mail", "enmime-MIT")
	n := len(all)
	for _, pattern := range []string{filepath.Join(dir, "*.raw"), "/usr/lib/python3*/test/test_email/data/msg_*.txt"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(f)] = data
		}
	}
	if len(all) < n+40 {
		t.Fatalf("there are only %d mails", len(all))
	}
	return all
}

// TestMails: every sample goes into one file, which the checker finds in order. The
// reader gives back each property, recipient and attachment that was given, and the
// mail that is made of it becomes the same message again.
func TestMails(t *testing.T) {
	all := mails(t)
	names := slices.Sorted(maps.Keys(all))
	path := filepath.Join(t.TempDir(), "mails.pst")
	w, err := writer.Create(path, writer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	inbox, err := w.Root().Folder("Inbox", "IPF.Note")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		err := inbox.Add(func(s pst.Sink) error {
			_, err := mail.Import(s, bytes.NewReader(all[name]), int64(len(all[name])), mail.Options{Read: true, Flag: mail.Flagged, Categories: []string{"Red", "Grün"}})
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	report, err := check.File(bytes.NewReader(data), int64(len(data)), check.Options{})
	if err != nil || !report.Clean() || report.Messages < int64(len(all)) {
		t.Errorf("%v, %d messages\n%v", err, report.Messages, report.Findings)
	}
	folders := 0
	top, err := opened(t, path).Top()
	if err != nil {
		t.Fatal(err)
	}
	for f, err := range top.Folders() {
		if err != nil {
			t.Fatal(err)
		}
		if f.Name() != "Inbox" {
			continue
		}
		folders++
		i := 0
		for m, err := range f.Messages() {
			if err != nil {
				t.Fatal(err)
			}
			compareMail(t, names[i], all[names[i]], m)
			i++
		}
		if i != len(names) {
			t.Errorf("%d messages are read, %d were written", i, len(names))
		}
	}
	if folders != 1 {
		t.Errorf("there are %d inboxes", folders)
	}
}

// imported is what Import gives a Sink, in the form in which it can be compared.
func imported(t *testing.T, name string, data []byte) *item {
	t.Helper()
	r := &recorder{}
	if _, err := mail.Import(r, bytes.NewReader(data), int64(len(data)), mail.Options{Read: true, Flag: mail.Flagged, Categories: []string{"Red", "Grün"}}); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return comparable(&r.item)
}

// comparable leaves out what is the writer's, and empty texts, which no file holds.
func comparable(m *item) *item {
	m = expected(m)
	var strip func(*item)
	strip = func(m *item) {
		full := func(ps pst.Properties) pst.Properties {
			return slices.DeleteFunc(plain(ps, pst.PidTagAttachDataObject), func(p pst.Property) bool { return p.Value == "" })
		}
		m.Properties = full(m.Properties)
		for i := range m.Recipients {
			m.Recipients[i] = full(m.Recipients[i])
		}
		for i := range m.Attachments {
			m.Attachments[i].Properties = full(m.Attachments[i].Properties)
			if m.Attachments[i].Message != nil {
				strip(m.Attachments[i].Message)
			}
		}
	}
	strip(m)
	return m
}

func compareMail(t *testing.T, name string, data []byte, m pst.Item) {
	t.Helper()
	want, got := imported(t, name, data), comparable(readItem(t, m))
	if !reflect.DeepEqual(want, got) {
		t.Errorf("%s, given to the writer (-) and read (+):\n%s", name, cmp.Diff(want, got))
	}
	var eml bytes.Buffer
	if err := mail.Export(&eml, m); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	_, dated := want.Properties.Get(pst.PidTagClientSubmitTime)
	if d := cmp.Diff(essence(want, dated), essence(imported(t, name, eml.Bytes()), dated)); d != "" {
		t.Errorf("%s, the mail that came (-) and the mail of the file (+):\n%s", name, d)
	}
}

// essence is what a mail keeps on its way through a file.
func essence(m *item, dated bool) []string {
	text := func(tags ...pst.Tag) (out []string) {
		for _, tag := range tags {
			v, _ := m.Properties.Get(tag)
			if tag == pst.PidTagClientSubmitTime && !dated {
				v = nil // a mail has to have a date: that of its creation in the file
			}
			out = append(out, fmt.Sprintf("%v %v", tag, v))
		}
		return out
	}
	out := text(pst.PidTagSubject, pst.PidTagClientSubmitTime, pst.PidTagSentRepresentingEmailAddress, pst.PidTagSenderEmailAddress, pst.PidTagBody, pst.PidTagHtml, pst.PidTagInternetMessageId)
	for _, r := range m.Recipients {
		out = append(out, fmt.Sprint(r.Int(pst.PidTagRecipientType), r.Text(pst.PidTagDisplayName), r.Text(pst.PidTagEmailAddress)))
	}
	var files []string
	for _, a := range m.Attachments {
		if a.Message != nil {
			files = append(files, essence(a.Message, dated)...)
			continue
		}
		files = append(files, fmt.Sprintf("%s %s %x", a.Properties.Text(pst.PidTagAttachLongFilename), a.Properties.Text(pst.PidTagAttachMimeTag), a.Content))
	}
	slices.Sort(files) // inline ones come first in a mail
	return append(out, files...)
}
