package writer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"keepwatch/pst"
)

// TestBusy: while a message is added nothing else can be done, by whomever, and the
// message comes to no harm.
func TestBusy(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	again := func(t *testing.T) {
		for name, err := range map[string]error{
			"Add":    f.Add(text("inner")),
			"Folder": func() error { _, err := f.Folder("inner", ""); return err }(),
			"Close":  func() error { _, err := w.Close(); return err }(),
			"Abort":  w.Abort(),
		} {
			if !errors.Is(err, ErrBusy) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if err := f.Add(func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagSubject, "outer"))
		again(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			again(t)
		}()
		<-done
		return s.Embed(nil, func(s pst.Sink) error {
			again(t)
			return s.Attach(nil, &sly{func() { again(t) }})
		})
	}); err != nil {
		t.Fatal(err)
	}
	if v := closed(t, w); v.Messages != 1 {
		t.Errorf("%d messages", v.Messages)
	}
	if all := messages(t, verified(t, path)); len(all) != 1 {
		t.Errorf("%d messages", len(all))
	}
}

// sly is content that does something when it is read.
type sly struct{ do func() }

func (s *sly) Read([]byte) (int, error) {
	s.do()
	return 0, io.EOF
}

// TestStaleSink: a Sink whose turn is over writes into no other message: the one that
// is being written then fails, and it says why.
func TestStaleSink(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	var old, inner pst.Sink
	if err := f.Add(func(s pst.Sink) error {
		old = s
		s.Set(pst.P(pst.PidTagSubject, "good"))
		return s.Embed(nil, func(s pst.Sink) error {
			inner = s
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	for _, stale := range []pst.Sink{old, inner} {
		for name, use := range map[string]func() error{
			"Set":       func() error { stale.Set(pst.P(pst.PidTagBody, "wrong")); return nil },
			"Recipient": func() error { stale.Recipient(pst.Properties{pst.P(pst.PidTagDisplayName, "wrong")}); return nil },
			"Attach":    func() error { stale.Attach(nil, bytes.NewReader(noise(10))); return nil },
			"Embed":     func() error { stale.Embed(nil, text("wrong")); return nil },
		} {
			use() // while nothing is being written
			if err := f.Add(func(s pst.Sink) error { return use() }); !errors.Is(err, errAsleep) {
				t.Errorf("%s: %v", name, err)
			}
			if err := f.Add(func(s pst.Sink) error { return s.Embed(nil, func(pst.Sink) error { return use() }) }); !errors.Is(err, errAsleep) {
				t.Errorf("%s within an embedded message: %v", name, err)
			}
		}
	}
	if v := closed(t, w); v.Messages != 1 {
		t.Errorf("%d messages", v.Messages)
	}
	verified(t, path)
}

// TestSameNameInFile: names that would be the same text in the file are one name.
func TestSameNameInFile(t *testing.T) {
	n, err := newNames()
	if err != nil {
		t.Fatal(err)
	}
	before, ids := len(n.list), map[uint16]bool{}
	for _, name := range []string{"X-\xff", "x-\uFFFD", "X-\x00"} {
		id, err := n.id(pst.Named{Set: pst.PSPublicStrings, Name: name})
		if err != nil {
			t.Fatal(err)
		}
		ids[id] = true
	}
	size := n.size
	if len(ids) != 1 || len(n.list) != before+1 {
		t.Errorf("%d ids, %d names", len(ids), len(n.list)-before)
	}
	if n.cut(before, len(n.guids)); n.size >= size {
		t.Errorf("%d bytes of names after one is forgotten, %d before", n.size, size)
	}
}

// TestContentThatNeverComes: content that gives nothing for ever is an error.
func TestContentThatNeverComes(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	if err := f.Add(func(s pst.Sink) error { return s.Attach(nil, never{}) }); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%v", err)
	}
	if err := f.Add(func(s pst.Sink) error { return s.Attach(nil, iotest.OneByteReader(bytes.NewReader(noise(5000)))) }); err != nil {
		t.Error(err)
	}
	closed(t, w)
	verified(t, path)
}

type never struct{}

func (never) Read([]byte) (int, error) { return 0, nil }

// TestMethodFits: the method of an attachment is that of what it holds, also where
// another was given.
func TestMethodFits(t *testing.T) {
	w, path := create(t, options())
	given := func(method int32, name string) pst.Properties {
		return pst.Properties{pst.P(pst.PidTagAttachMethod, method), pst.P(pst.PidTagAttachLongFilename, name)}
	}
	if err := inbox(t, w, "Inbox").Add(func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagSubject, "methods"))
		return errors.Join(
			s.Attach(given(pst.AttachEmbedded, "bytes"), strings.NewReader("bytes")),
			s.Attach(given(pst.AttachEmbedded, "nothing"), nil),
			s.Attach(given(pst.AttachByWebLink, "link"), nil),
			s.Embed(given(pst.AttachByValue, "message"), text("inner")),
		)
	}); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	p := verified(t, path)
	all := attachments(t, p, messages(t, p)["methods"])
	for name, want := range map[string]byte{"bytes": pst.AttachByValue, "nothing": pst.AttachNone, "link": pst.AttachByWebLink, "message": pst.AttachEmbedded} {
		if got := p.values(t, all[name])[pst.PidTagAttachMethod]; len(got) != 4 || got[0] != want {
			t.Errorf("%s: %x, want %d", name, got, want)
		}
	}
}
