package pst_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
)

// item is a message as a value: what was written, or what was read.
type item struct {
	Properties  pst.Properties
	Recipients  []pst.Properties
	Attachments []attachment
}

type attachment struct {
	Properties pst.Properties
	Content    []byte // nil if there is none
	Message    *item
}

// write gives it to a Sink.
func (m *item) write(s pst.Sink) error {
	s.Set(m.Properties...)
	for _, r := range m.Recipients {
		s.Recipient(r)
	}
	for _, a := range m.Attachments {
		var err error
		switch {
		case a.Message != nil:
			err = s.Embed(a.Properties, a.Message.write)
		case a.Content == nil:
			err = s.Attach(a.Properties, nil)
		default:
			err = s.Attach(a.Properties, bytes.NewReader(a.Content))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readItem gets it from an Item.
func readItem(t testing.TB, from pst.Item) *item {
	t.Helper()
	m := &item{}
	var err error
	if m.Properties, err = from.Properties(); err != nil {
		t.Fatal(err)
	}
	for r, err := range from.Recipients() {
		if err != nil {
			t.Fatal(err)
		}
		m.Recipients = append(m.Recipients, r)
	}
	for a, err := range from.Attachments() {
		if err != nil {
			t.Fatal(err)
		}
		m.Attachments = append(m.Attachments, readAttachment(t, a))
	}
	return m
}

func readAttachment(t testing.TB, from pst.Attachment) (a attachment) {
	t.Helper()
	var err error
	if a.Properties, err = from.Properties(); err != nil {
		t.Fatal(err)
	}
	r, size, err := from.Open()
	if err == nil {
		if a.Content, err = io.ReadAll(r); err != nil || int64(len(a.Content)) != size {
			t.Fatalf("%d of %d bytes: %v", len(a.Content), size, err)
		}
		a.Content = append([]byte{}, a.Content...) // not nil if it is empty
	} else if !errors.Is(err, pst.ErrNoContent) {
		t.Fatal(err)
	}
	inner, err := from.Message()
	if err == nil {
		a.Message = readItem(t, inner)
	} else if !errors.Is(err, pst.ErrNoContent) {
		t.Fatal(err)
	}
	return a
}

// expected brings an item into the form in which two can be compared: without what
// the writer computes and with its lists in order.
func expected(m *item) *item {
	out := &item{Properties: plain(m.Properties, pst.PidTagMessageSize, pst.PidTagMessageStatus, pst.PidTagMessageFlags,
		pst.PidTagCreationTime, pst.PidTagLastModificationTime, pst.PidTagSearchKey, pst.PidTagDisplayTo, pst.PidTagDisplayCc, pst.PidTagDisplayBcc,
		pst.PidTagMessageClass, pst.PidTagSubjectPrefix, pst.PidTagNormalizedSubject)}
	for _, r := range m.Recipients {
		out.Recipients = append(out.Recipients, plain(r, pst.PidTagObjectType, pst.PidTagDisplayType, pst.PidTagRecipientType,
			pst.PidTagSearchKey, pst.PidTagEntryId, pst.PidTagAddressType, pst.PidTagLtpRowId, pst.PidTagLtpRowVer))
	}
	for _, a := range m.Attachments {
		b := attachment{Properties: plain(a.Properties, pst.PidTagAttachSize, pst.PidTagAttachNumber, pst.PidTagAttachMethod,
			pst.PidTagRenderingPosition, pst.PidTagAttachFilename, pst.PidTagAttachDataBinary), Content: a.Content}
		if a.Message != nil {
			b.Message = expected(a.Message)
		}
		out.Attachments = append(out.Attachments, b)
	}
	return out
}

// plain gives a copy in the order of names, without some.
func plain(ps pst.Properties, without ...pst.Tag) pst.Properties {
	var out pst.Properties
	for _, p := range ps {
		if p.Is(pst.PidTagSubject) { // as it lies in the file: U+0001 and the length of the prefix come first
			if text := p.Value.(string); strings.HasPrefix(text, "\x01") {
				p.Value = text[2:]
			}
		}
		if !slices.ContainsFunc(without, func(t pst.Tag) bool { return p.Is(t) }) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b pst.Property) int {
		return strings.Compare(fmt.Sprint(a.Tag, a.Named), fmt.Sprint(b.Tag, b.Named))
	})
	return out
}

// opened opens a file until the end of the test.
func opened(t testing.TB, path string) *reader.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	r, err := reader.Open(f, info.Size(), reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestWrittenAndRead: what the writer was given the reader gives back.
func TestWrittenAndRead(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(6, 1))}
	path := filepath.Join(t.TempDir(), "mail.pst")
	w, err := writer.Create(path, writer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	want := map[string][]*item{}
	for i := range 60 {
		name := fmt.Sprint("Folder ", i%7)
		f, err := w.Root().Folder(name, "IPF.Note")
		if err != nil {
			t.Fatal(err)
		}
		m := g.item(0)
		if err := f.Add(m.write); err != nil {
			t.Fatal(err)
		}
		want[name] = append(want[name], m)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	top, err := opened(t, path).Top()
	if err != nil {
		t.Fatal(err)
	}
	for f, err := range top.Folders() {
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for m, err := range f.Messages() {
			if err != nil {
				t.Fatal(err)
			}
			if a, b := expected(want[f.Name()][i]), expected(readItem(t, m)); !reflect.DeepEqual(a, b) {
				t.Fatalf("%s, item %d, written (-) and read (+):\n%s", f.Name(), i, cmp.Diff(a, b))
			}
			i++
		}
		if i != len(want[f.Name()]) || i != f.Count() {
			t.Errorf("%s: %d items, want %d", f.Name(), i, len(want[f.Name()]))
		}
		delete(want, f.Name())
	}
	if len(want) != 0 {
		t.Errorf("folders are missing: %d", len(want))
	}
}

// rootOf gives the root folder of a file.
func rootOf(t testing.TB, path string) *reader.Folder {
	t.Helper()
	f, err := opened(t, path).Root()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// walk calls do with all items below a folder. The reference of an attachment to
// its embedded message is left out: it is the writer's.
func walk(t testing.TB, f *reader.Folder, do func(f *reader.Folder, m *item)) {
	t.Helper()
	for from, err := range f.Messages() {
		if err != nil {
			t.Fatal(err)
		}
		m := readItem(t, from)
		for i := range m.Attachments {
			m.Attachments[i].Properties = plain(m.Attachments[i].Properties, pst.PidTagAttachDataObject)
		}
		do(f, m)
	}
	for c, err := range f.Folders() {
		if err != nil {
			t.Fatal(err)
		}
		if !c.IsSearch() {
			walk(t, c, do)
		}
	}
}

// TestCopied: what real Outlook wrote comes through reader, writer and reader again
// as it was.
func TestCopied(t *testing.T) {
	from := psttest.Sample(t, "pst", "java-libpst-dist-list.pst")
	path := filepath.Join(t.TempDir(), "copy.pst")
	w, err := writer.Create(path, writer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	want := map[string]*item{}
	key := func(f *reader.Folder, m *item) string {
		return fmt.Sprintf("%s/%x", f.Name(), m.Properties.Bytes(pst.PidTagSearchKey))
	}
	walk(t, rootOf(t, from), func(f *reader.Folder, m *item) {
		to, err := w.Root().Folder(f.Name(), f.Class())
		if err != nil {
			t.Fatal(err)
		}
		if err := to.Add(m.write); err != nil {
			t.Fatal(err)
		}
		want[key(f, m)] = expected(m)
	})
	if _, err := w.Close(); err != nil || len(want) < 4 {
		t.Fatalf("%d items: %v", len(want), err)
	}
	walk(t, rootOf(t, path), func(f *reader.Folder, m *item) {
		if d := cmp.Diff(want[key(f, m)], expected(m)); d != "" {
			t.Errorf("%s, Outlook's (-) and the copy (+):\n%s", f.Name(), d)
		}
		delete(want, key(f, m))
	})
	if len(want) != 0 {
		t.Errorf("%d items are missing", len(want))
	}
}
