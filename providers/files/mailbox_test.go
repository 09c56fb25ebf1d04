package files

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/providertest"
	"keepwatch/pst"
	"keepwatch/pst/psttest"
)

// lister is a Lister that does what it is told to.
type lister struct {
	during func() // what happens while it looks
	sizes  []int64
	give   keepwatch.Mailbox
	err    error
}

func (l *lister) List(_ context.Context, r io.ReaderAt, size int64) (keepwatch.Mailbox, error) {
	l.sizes = append(l.sizes, size)
	if l.during != nil {
		l.during()
	}
	if _, err := r.ReadAt(make([]byte, 8), 0); err != nil {
		return keepwatch.Mailbox{Trouble: "It could not be read."}, nil
	}
	return l.give, l.err
}

// dataFile makes a file that begins like a whole Outlook data file, closed as Outlook
// closes it or not.
func dataFile(t *testing.T, name string, closed bool) string {
	t.Helper()
	b := make([]byte, 5000)
	copy(b, "!BDN")
	copy(b[8:], "SM")
	binary.LittleEndian.PutUint16(b[10:], 23)
	binary.LittleEndian.PutUint64(b[184:], uint64(len(b)))
	b[512], b[513] = 0x80, 1
	if closed {
		b[248] = 2
	}
	binary.LittleEndian.PutUint32(b[4:], pst.Checksum(b[8:8+471]))
	binary.LittleEndian.PutUint32(b[524:], pst.Checksum(b[8:8+516]))
	return write(t, name, string(b))
}

// mailboxes gives those that were noted.
func mailboxes(s *providertest.Sink) (list []keepwatch.Mailbox) {
	for _, n := range s.Notes {
		if n.Mailbox != nil {
			list = append(list, *n.Mailbox)
		}
	}
	return list
}

// TestMailboxesAreListed: data files in a folder, alone and in a drop folder are looked
// into, and nothing else is.
func TestMailboxesAreListed(t *testing.T) {
	dir := t.TempDir()
	dataFile(t, filepath.Join(dir, "old", "Mail.PST"), true)
	dataFile(t, filepath.Join(dir, "offline.ost"), true)
	dataFile(t, filepath.Join(dir, "mail.bak"), false)
	write(t, filepath.Join(dir, "fake.pst"), "I am only text")
	write(t, filepath.Join(dir, "fake.OST"), "so am I")
	write(t, filepath.Join(dir, "notes.txt"), "text")
	found := keepwatch.Mailbox{Format: "Unicode", Items: 3, Count: 1, Kinds: map[keepwatch.ItemKind]int64{keepwatch.ItemMail: 3}}
	l := &lister{give: found}
	p := New(Config{Mail: l})
	sink, err := fetch(t, p, folder(dir))
	if err != nil || noted(sink, keepwatch.NoteMailbox) != "offline.ost old/Mail.PST" || noted(sink, keepwatch.NoteInfo) != "fake.OST fake.pst" {
		t.Errorf("%v: mailboxes %q, else %q", err, noted(sink, keepwatch.NoteMailbox), noted(sink, keepwatch.NoteInfo))
	}
	if m := mailboxes(sink)[1]; m.Path != "old/Mail.PST" || m.Size != 5000 || m.Items != 3 {
		t.Errorf("%+v", m)
	}
	// one that is handed in is looked into whatever it is called
	sink, err = fetch(t, p, folder(filepath.Join(dir, "mail.bak")))
	if err != nil || noted(sink, keepwatch.NoteMailbox) != "mail.bak" || !strings.Contains(sink.Notes[0].Text, "did not close it properly") || sink.Notes[1].Text != "an Outlook data file with 3 mails in 1 folder" {
		t.Errorf("%v %+v", err, sink.Notes)
	}
	drop := folder(dir)
	drop.Drop = true
	sink, err = fetch(t, p, drop, "old/Mail.PST")
	if err != nil || noted(sink, keepwatch.NoteMailbox) != "Mail.PST" || noted(sink, keepwatch.NoteInfo) != "" {
		t.Errorf("%v %+v", err, sink.Notes)
	}
	if _, err := fetch(t, p, drop, "fake.pst"); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Errorf("a text that is called a data file: %v", err)
	}
}

// TestCutMailboxIsTold: one that is cut off is kept in a folder, and told of as a mailbox
// that is damaged; one that does not begin like a data file may never have been one.
func TestCutMailboxIsTold(t *testing.T) {
	dir := t.TempDir()
	if err := os.Truncate(dataFile(t, filepath.Join(dir, "box", "Cut.PST"), true), 4000); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "box", "empty.pst"), "")
	write(t, filepath.Join(dir, "box", "text.pst"), "I am only text")
	for _, p := range []*Provider{New(Config{}), New(Config{Mail: &lister{}})} {
		sink, err := fetch(t, p, folder(dir))
		got := mailboxes(sink)
		if err != nil || len(got) == 0 || noted(sink, keepwatch.NoteInfo) == "" {
			t.Fatalf("%v %+v", err, sink.Notes)
		}
		if m := got[0]; m.Path != "box/Cut.PST" || !m.Cut || !m.Hurt() || m.Size != 4000 || !strings.Contains(m.Trouble, "It is cut off") {
			t.Errorf("%+v", m)
		}
		if slices.ContainsFunc(got, func(m keepwatch.Mailbox) bool { return m.Path == "box/text.pst" }) {
			t.Errorf("a text passes for a mailbox: %+v", got)
		}
	}
}

// TestMailboxChangesWhileItIsRead: half an old file and half a new one have no list.
func TestMailboxChangesWhileItIsRead(t *testing.T) {
	name := dataFile(t, filepath.Join(t.TempDir(), "mail.pst"), true)
	l := &lister{give: keepwatch.Mailbox{Format: "Unicode", Items: 3}, during: func() {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString("more")
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Error(err)
		}
	}}
	sink, err := fetch(t, New(Config{Mail: l}), folder(name))
	if got := mailboxes(sink); err != nil || len(got) != 1 || got[0].Items != 0 || got[0].Format != "" || !strings.Contains(got[0].Trouble, "written to while it was read") {
		t.Errorf("%v %+v", err, got)
	}
}

// TestMailboxBreaksUs: a file on which looking into it breaks off is backed up all the
// same, and that is said.
func TestMailboxBreaksUs(t *testing.T) {
	name := dataFile(t, filepath.Join(t.TempDir(), "mail.pst"), true)
	sink, err := fetch(t, New(Config{Mail: &lister{during: func() { panic("index out of range") }}}), folder(name))
	if got := mailboxes(sink); err != nil || len(got) != 1 || got[0].Size != 5000 || !strings.Contains(got[0].Trouble, "broke off") || strings.Contains(got[0].Trouble, "index") {
		t.Errorf("%v %+v", err, got)
	}
}

// TestMailboxIsStopped: a run that is stopped while somebody looks into a file stops.
func TestMailboxIsStopped(t *testing.T) {
	name := dataFile(t, filepath.Join(t.TempDir(), "mail.pst"), true)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("shutdown")
	l := &lister{during: func() { cancel(why) }}
	var sink providertest.Sink
	err := New(Config{Mail: l}).Fetch(ctx, providers.Job{Source: folder(name), Report: func(keepwatch.Progress) {}}, &sink)
	if !errors.Is(err, why) || !errors.Is(err, context.Canceled) || len(mailboxes(&sink)) != 0 {
		t.Errorf("%v %+v", err, sink.Notes)
	}
}

// TestDamagedHeaderIsTakenIn: a data file of which the header alone is damaged is taken in
// and looked into, handed in or in a folder; one in which nothing is found is noted.
func TestDamagedHeaderIsTakenIn(t *testing.T) {
	real := psttest.Outlook(t, "ms-Empty.pst")
	real[300] ^= 1
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "mail.pst"), string(real))
	other := write(t, filepath.Join(t.TempDir(), "mail.bak"), string(real))
	l := &lister{give: keepwatch.Mailbox{Format: "Unicode", Headless: true, Damaged: 1}}
	p := New(Config{Mail: l})
	for _, path := range []string{name, dir, other} {
		s, err := fetch(t, p, folder(path))
		if got := mailboxes(s); err != nil || len(got) != 1 || !got[0].Headless || got[0].Size != int64(len(real)) || len(s.Notes) != 1 {
			t.Errorf("%s: %v %+v", path, err, s.Notes)
		}
	}
	l.give = keepwatch.Mailbox{Trouble: "Its header is damaged."}
	s, err := fetch(t, p, folder(dir))
	if got := mailboxes(s); err != nil || len(got) != 1 || len(s.Notes) != 1 || got[0].Damaged != 1 || got[0].Cut || got[0].Trouble != "Its header is damaged." {
		t.Errorf("%v %+v", err, s.Notes)
	}
	if err := p.Check(name); err != nil { // which reads no file through
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("shutdown"))
	if _, err := p.Plan(ctx, providers.Job{Source: folder(name), Report: func(keepwatch.Progress) {}}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
