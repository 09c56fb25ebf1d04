package writer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"keepwatch/pst"
)

// noise gives n bytes that are the same in each run.
func noise(n int) []byte {
	b := make([]byte, n)
	rnd := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	rnd.Read(b)
	return b
}

// messages gives those of all folders, by their subjects.
func messages(t testing.TB, p *parsed) map[string]node {
	t.Helper()
	out := map[string]node{}
	for nid, n := range p.nodes {
		if nid.Type() == pst.NodeMessage {
			out[subjectOf(t, p, n)] = n
		}
	}
	return out
}

// subjectOf gives the subject of a message without what it begins with in a file.
func subjectOf(t testing.TB, p *parsed, n node) string {
	t.Helper()
	s := pst.FromUTF16(p.values(t, n)[pst.PidTagSubject])
	if strings.HasPrefix(s, "\x01") {
		return s[2:]
	}
	return s
}

// attachments gives those of a message, by their file names.
func attachments(t testing.TB, p *parsed, n node) map[string]node {
	t.Helper()
	out := map[string]node{}
	for nid, a := range p.subnodes(n.sub) {
		if nid.Type() == pst.NodeAttachment {
			out[pst.FromUTF16(p.values(t, a)[pst.PidTagAttachLongFilename])] = a
		}
	}
	return out
}

var attachmentSizes = []int{0, 1, 3580, 3581, 8176, 8177, 65408, 100_000, 8_347_697, 8_347_696, 20_000_000}

func TestAttachments(t *testing.T) {
	sizes := attachmentSizes[:9] // the large ones take their time under the race detector; TestReadpst has them
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	if err := f.Add(func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagSubject, "with attachments"))
		for _, n := range sizes {
			p := pst.Properties{pst.P(pst.PidTagAttachLongFilename, fmt.Sprint(n, ".bin"))}
			if err := s.Attach(p, iotest.HalfReader(bytes.NewReader(noise(n)))); err != nil {
				return err
			}
		}
		link := pst.Properties{pst.P(pst.PidTagAttachLongFilename, "link"), pst.P(pst.PidTagAttachMethod, int32(pst.AttachByWebLink)), pst.P(pst.PidTagAttachLongPathname, "https://example.org/")}
		return s.Attach(link, nil)
	}); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	p := verified(t, path)
	all := attachments(t, p, messages(t, p)["with attachments"])
	for _, n := range sizes {
		props := p.values(t, all[fmt.Sprint(n, ".bin")])
		if got, ok := props[pst.PidTagAttachDataBinary]; !ok || !bytes.Equal(got, noise(n)) {
			t.Errorf("%d bytes came back as %d", n, len(got))
		}
		if !bytes.Equal(props[pst.PidTagAttachMethod], []byte{1, 0, 0, 0}) || !bytes.Equal(props[pst.PidTagRenderingPosition], []byte{255, 255, 255, 255}) {
			t.Errorf("%d bytes: method %x, position %x", n, props[pst.PidTagAttachMethod], props[pst.PidTagRenderingPosition])
		}
	}
	link := p.values(t, all["link"])
	if _, ok := link[pst.PidTagAttachDataBinary]; ok || link[pst.PidTagAttachMethod][0] != pst.AttachByWebLink {
		t.Errorf("the link is %v", link)
	}
}

// typeCase is a value and how it lies in a file.
type typeCase struct {
	typ   pst.Type
	value any
	want  string
}

func typeCases() []typeCase {
	when := time.Date(2003, 4, 5, 6, 7, 8, 900, time.UTC)
	guid := pst.PSETIDMeeting
	return []typeCase{
		{pst.Integer16, int16(-2), "feff"},
		{pst.Integer32, int32(-2), "feffffff"},
		{pst.Float32, float32(1.5), "0000c03f"},
		{pst.Float64, 1.5, "000000000000f83f"},
		{pst.Currency, int64(-1), "ffffffffffffffff"},
		{pst.FloatTime, 2.0, "0000000000000040"},
		{pst.ErrorCode, int32(5), "05000000"},
		{pst.Boolean, true, "01"},
		{pst.Integer64, int64(258), "0201000000000000"},
		{pst.String8, "é", "e900"},
		{pst.String, "a\x00\xff😀", "6100fdfffdff3dd800de"},
		{pst.Time, when, fmt.Sprintf("%x", le64(pst.Filetime(when)))},
		{pst.Guid, guid, fmt.Sprintf("%x", guid[:])},
		{pst.Binary, []byte{1, 2}, "0102"},
		{pst.Integer16s, []int16{1, -1}, "0100ffff"},
		{pst.Integer32s, []int32{1, -1}, "01000000ffffffff"},
		{pst.Float32s, []float32{1.5}, "0000c03f"},
		{pst.Float64s, []float64{1.5}, "000000000000f83f"},
		{pst.Currencies, []int64{1}, "0100000000000000"},
		{pst.FloatTimes, []float64{2}, "0000000000000040"},
		{pst.Integer64s, []int64{1}, "0100000000000000"},
		{pst.Times, []time.Time{when}, fmt.Sprintf("%x", le64(pst.Filetime(when)))},
		{pst.Guids, []pst.GUID{guid}, fmt.Sprintf("%x", guid[:])},
		{pst.Strings, []string{"a", "bc", ""}, "03000000100000001200000016000000610062006300"},
		{pst.String8s, []string{"a"}, "01000000080000006100"},
		{pst.Binaries, [][]byte{{7}, nil}, "02000000" + "0c000000" + "0d000000" + "07"},
	}
}

// TestTypes: a value of every type comes to lie in the file as [MS-PST] says.
func TestTypes(t *testing.T) {
	cases := typeCases()
	w, path := create(t, options())
	if err := inbox(t, w, "Inbox").Add(func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagSubject, "types"))
		for i, c := range cases {
			s.Set(pst.P(pst.NewTag(0x6000+uint16(i), c.typ), c.value))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	p := verified(t, path)
	props := p.values(t, messages(t, p)["types"])
	for i, c := range cases {
		typ := c.typ
		switch typ {
		case pst.String8:
			typ = pst.String
		case pst.String8s:
			typ = pst.Strings
		}
		if got := fmt.Sprintf("%x", props[pst.NewTag(0x6000+uint16(i), typ)]); got != c.want {
			t.Errorf("type %#x: %s, want %s", uint16(c.typ), got, c.want)
		}
	}
}

func le64(v uint64) []byte {
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
	return b
}

// refusal is a message that is undone, and what is said about it.
type refusal struct {
	fill func(s pst.Sink) error
	want string
	is   error
}

func refused() map[string]refusal {
	broken := errors.New("the source broke off")
	return map[string]refusal{
		"wrong type of a property":    {fill: func(s pst.Sink) error { s.Set(pst.P(pst.PidTagImportance, 1)); return nil }, want: "Go type int,"},
		"nil value":                   {fill: func(s pst.Sink) error { s.Set(pst.P(pst.PidTagSubject, nil)); return nil }, want: "<nil>"},
		"wrong type of a list":        {fill: func(s pst.Sink) error { s.Set(pst.P(pst.PidNameKeywords, "one")); return nil }, want: "Keywords"},
		"wrong type of a recipient":   {fill: func(s pst.Sink) error { s.Recipient(pst.Properties{pst.P(pst.PidTagDisplayName, 1)}); return nil }, want: "0x3001001F"},
		"wrong type of an attachment": {fill: func(s pst.Sink) error { return s.Attach(pst.Properties{pst.P(pst.PidTagAttachMethod, "x")}, nil) }, want: "0x37050003"},
		"object":                      {fill: func(s pst.Sink) error { s.Set(pst.P(pst.PidTagAttachDataObject, pst.Ref{})); return nil }, want: "Embed"},
		"unknown type":                {fill: func(s pst.Sink) error { s.Set(pst.P(pst.NewTag(0x6000, 0x00FD), []byte{1})); return nil }, want: "0x60000"},
		"id that goes by a name":      {fill: func(s pst.Sink) error { s.Set(pst.P(pst.Tag(0x80050003), int32(1))); return nil }, want: "0x80050003"},
		"reader that breaks at once":  {fill: func(s pst.Sink) error { return s.Attach(nil, iotest.ErrReader(broken)) }, is: broken},
		"reader that breaks later": {fill: func(s pst.Sink) error {
			return s.Attach(nil, io.MultiReader(bytes.NewReader(noise(300_000)), iotest.ErrReader(broken)))
		}, is: broken},
		"reader that was cut off": {fill: func(s pst.Sink) error {
			return s.Attach(nil, io.MultiReader(bytes.NewReader(noise(300_000)), iotest.ErrReader(io.ErrUnexpectedEOF)))
		}, is: io.ErrUnexpectedEOF},
		"error that fill does not mind": {fill: func(s pst.Sink) error {
			s.Attach(nil, io.MultiReader(bytes.NewReader(noise(9_000)), iotest.ErrReader(broken)))
			return nil
		}, is: broken},
		"error of fill itself": {fill: func(s pst.Sink) error {
			if err := s.Attach(nil, bytes.NewReader(noise(600_000))); err != nil {
				return err
			}
			return broken
		}, is: broken},
		"named properties": {fill: func(s pst.Sink) error {
			s.Set(pst.P(pst.PidLidPrivate, true), pst.P(pst.Named{Set: pst.GUID{1}, Name: "x", Type: pst.Boolean}, true))
			return broken
		}, is: broken},
		"error in an embedded message": {fill: func(s pst.Sink) error {
			return s.Embed(nil, func(s pst.Sink) error { return s.Attach(nil, iotest.ErrReader(broken)) })
		}, is: broken},
		"outer message written to from within": {fill: func(s pst.Sink) error {
			return s.Embed(nil, func(pst.Sink) error { return s.Attach(nil, nil) })
		}, is: errAsleep},
	}
}

// TestRefused: what undoes a message, and that the file is good afterwards.
func TestRefused(t *testing.T) {
	for name, c := range refused() {
		w, path := create(t, options())
		f := inbox(t, w, "Inbox")
		for _, add := range []func(pst.Sink) error{text("before"), nil, text("after")} {
			if add != nil {
				if err := f.Add(add); err != nil {
					t.Fatal(name, err)
				}
				continue
			}
			err := f.Add(c.fill)
			if err == nil || c.want != "" && !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if v := closed(t, w); v.Messages != 2 {
			t.Errorf("%s: %d messages", name, v.Messages)
		}
		p := verified(t, path)
		if got := slices.Sorted(maps.Keys(messages(t, p))); !slices.Equal(got, []string{"after", "before"}) {
			t.Errorf("%s: %q are in the file", name, got)
		}
		if same := clean(t); !bytes.Equal(p.data, same) {
			t.Errorf("%s: the message left a trace", name)
		}
	}
}

// clean is the file of TestRefused into which nothing was added that is refused.
func clean(t *testing.T) []byte {
	t.Helper()
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	for _, subject := range []string{"before", "after"} {
		if err := f.Add(text(subject)); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, w)
	return verified(t, path).data
}
