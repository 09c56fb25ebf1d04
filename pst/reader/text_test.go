package reader_test

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
)

// TestCodepages: texts of 8 bits are read as the item says, or as the options do.
func TestCodepages(t *testing.T) {
	for _, c := range []struct {
		page int // of the item; 0 for none
		text []byte
		want string
	}{
		{0, []byte{0xE4, 0xF6, 0x80}, "дцЂ"}, // 1251, from the options
		{1252, []byte{0xE4, 0xF6, 0x80}, "äö€"},
		{932, []byte{0x93, 0xFA, 0x96, 0x7B}, "日本"},
		{936, []byte{0xC4, 0xE3}, "你"},
		{949, []byte{0xB0, 0xA1}, "가"},
		{950, []byte{0xA7, 0x41}, "你"},
		{50220, []byte("\x1b$B\x46\x7c\x1b(B"), "日"},
		{52936, []byte("~{<:~}"), "己"},
		{54936, []byte{0x81, 0x30, 0x84, 0x36}, "¥"},
		{65001, []byte("\xE2\x82\xAC\x00"), "€"},
		{65001, []byte("a\xFFb"), "a\uFFFDb"},
		{20866, []byte{0xC1}, "а"},
		{99999, []byte{0xE4}, "ä"},
		{1252, []byte("a\x00b\x00\x00"), "ab"},
		{1252, nil, ""},
	} {
		m := mailbox(true)
		m.set(mailOne, inbox, contextOf(cell{0x0037001E, c.text}, cell{0x3FFD0003, c.page}, cell{0x6000101E, append([]byte{1, 0, 0, 0, 8, 0, 0, 0}, c.text...)}))
		data := m.bytes()
		f, err := reader.Open(bytes.NewReader(data), int64(len(data)), reader.Options{Codepage: 1251})
		if err != nil {
			t.Fatal(err)
		}
		one, err := f.Message(mailOne)
		if err != nil {
			t.Fatal(err)
		}
		ps, err := one.Properties()
		v, _ := ps.Get(pst.PidTagSubject)
		if err != nil || v != c.want || ps[0].Tag != pst.PidTagSubject {
			t.Errorf("code page %d: %q, want %q: %v", c.page, v, c.want, err)
		}
		if got := ps.Texts(pst.Tag(0x6000101F)); !slices.Equal(got, []string{c.want}) {
			t.Errorf("code page %d: %q, want %q", c.page, got, c.want)
		}
	}
}

// TestUTF16: a text has no U+0000 and is valid UTF-8, whatever lies in the file.
func TestUTF16(t *testing.T) {
	for _, c := range []struct {
		text []byte
		want string
	}{
		{[]byte{'a', 0, 0, 0, 'b', 0, 0, 0}, "ab"},
		{[]byte{0x3C, 0xD8, 0x82, 0xDF}, "🎂"},
		{[]byte{0x3C, 0xD8, 'a', 0}, "\uFFFDa"},
		{[]byte{0x82, 0xDF}, "\uFFFD"},
		{[]byte{0x3C, 0xD8}, "\uFFFD"},
		{[]byte{'a', 0, 'b'}, "a"},
	} {
		m := mailbox(false)
		m.set(mailOne, inbox, contextOf(cell{0x0037001F, c.text}))
		one, err := m.open(t).Message(mailOne)
		if err != nil {
			t.Fatal(err)
		}
		if ps, err := one.Properties(); err != nil || ps.Text(pst.PidTagSubject) != c.want {
			t.Errorf("% x: %v %v", c.text, ps, err)
		}
	}
}

func TestFind(t *testing.T) {
	f := mailbox(false).open(t)
	for _, c := range []struct {
		path []string
		want pst.NID
	}{{[]string{"Top", "inbox"}, inbox}, {[]string{"INBOX"}, inbox}, {[]string{"top"}, 0x8022}, {nil, 0x122}, {[]string{"Outbox"}, 0}} {
		d, err := f.Find(c.path...)
		if err != nil || d == nil && c.want != 0 || d != nil && d.Node() != c.want {
			t.Errorf("%q: %v %v", c.path, d, err)
		}
	}
}

// TestTruncated: of a file that is cut off comes what lies before the cut.
func TestTruncated(t *testing.T) {
	m := mailbox(false)
	m.blocks[0xFFFFFF04] = make([]byte, 8000) // the last block, behind which the trees lie
	data := m.bytes()
	whole := int64(len(data))
	data = data[:whole-512]
	var h *pst.HeaderError
	if _, err := reader.Open(bytes.NewReader(data), whole-512, reader.Options{}); !errors.As(err, &h) || h.Rule != pst.RuleTruncated {
		t.Fatal(err)
	}
	f, err := reader.Open(bytes.NewReader(data), whole-512, reader.Options{Truncated: true})
	if err != nil {
		t.Fatal(err)
	}
	// The last page is the root of the tree of blocks, without which there is nothing.
	if _, errs := subjects(t, f); len(errs) == 0 {
		t.Error("nothing is said of what is cut off")
	}
}

// TestTogether: several goroutines may read one file.
func TestTogether(t *testing.T) {
	f := open(t, psttest.Outlook(t, "java-libpst-dist-list.pst"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, damages, err := everything(f); err != nil || damages != 0 {
				t.Errorf("%d damages, %v", damages, err)
			}
		})
	}
	wg.Wait()
}
