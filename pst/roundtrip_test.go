package pst_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"keepwatch/pst"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
)

// letter is a message as it is given to the writer.
type letter struct {
	ps         pst.Properties
	recipients []pst.Properties
	files      []enclosure
}

// enclosure is an attachment: bytes, or a message, or neither.
type enclosure struct {
	ps   pst.Properties
	data []byte
	in   *letter
}

func (l *letter) write(s pst.Sink) error {
	s.Set(l.ps...)
	for _, r := range l.recipients {
		s.Recipient(r)
	}
	for _, e := range l.files {
		var err error
		switch {
		case e.in != nil:
			err = s.Embed(e.ps, e.in.write)
		case e.data != nil:
			err = s.Attach(e.ps, bytes.NewReader(e.data))
		default:
			err = s.Attach(e.ps, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// holds checks that a message that was read has all that was written. What the writer
// adds of itself may be there too.
func holds(t *testing.T, name string, got pst.Item, want *letter) {
	t.Helper()
	ps, err := got.Properties()
	hasAll(t, name, ps, err, want.ps)
	n := 0
	for ps, err := range got.Recipients() {
		if n < len(want.recipients) {
			hasAll(t, fmt.Sprintf("%s, recipient %d", name, n), ps, err, want.recipients[n])
		}
		n++
	}
	if n != len(want.recipients) {
		t.Errorf("%s: %d recipients, want %d", name, n, len(want.recipients))
	}
	n = 0
	for a, err := range got.Attachments() {
		if err != nil || n >= len(want.files) {
			t.Errorf("%s: attachment %d of %d: %v", name, n, len(want.files), err)
			return
		}
		enclosed(t, fmt.Sprintf("%s, attachment %d", name, n), a, want.files[n])
		n++
	}
	if n != len(want.files) {
		t.Errorf("%s: %d attachments, want %d", name, n, len(want.files))
	}
}

func enclosed(t *testing.T, name string, a pst.Attachment, want enclosure) {
	t.Helper()
	ps, err := a.Properties()
	hasAll(t, name, ps, err, want.ps)
	in, err := a.Message()
	if want.in != nil {
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		holds(t, name, in, want.in)
	} else if !errors.Is(err, pst.ErrNoContent) {
		t.Errorf("%s is a message: %v", name, err)
	}
	r, size, err := a.Open()
	if want.data == nil {
		if !errors.Is(err, pst.ErrNoContent) {
			t.Errorf("%s has content: %v", name, err)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	data, err := io.ReadAll(r)
	if err != nil || size != int64(len(data)) || !bytes.Equal(data, want.data) {
		t.Errorf("%s: %d bytes of %d come back, %v", name, len(data), len(want.data), err)
	}
}

func hasAll(t *testing.T, name string, got pst.Properties, err error, want pst.Properties) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for _, p := range want {
		var k pst.Key = p.Tag
		if p.IsNamed() {
			k = p.Named
		}
		v, ok := got.Get(k)
		if s, is := v.(string); is && p.Is(pst.PidTagSubject) && strings.HasPrefix(s, "\x01") {
			v = s[2:] // where its prefix ends; there is none here
		}
		if diff := cmp.Diff(p.Value, v, cmpopts.EquateEmpty()); !ok || diff != "" {
			t.Errorf("%s: %v %v: there: %v %s", name, p.Tag, p.Named, ok, diff)
		}
	}
}

// kept is a file that was written and is open for reading.
func kept(t testing.TB, o writer.Options, fill func(w *writer.Writer)) []*reader.File {
	t.Helper()
	w, err := writer.Create(filepath.Join(t.TempDir(), "made.pst"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	fill(w)
	volumes, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	var out []*reader.File
	for _, v := range volumes {
		f, err := os.Open(v.Path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		r, err := reader.Open(f, v.Size, reader.Options{})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func add(t testing.TB, f *writer.Folder, l *letter) {
	t.Helper()
	if err := f.Add(l.write); err != nil {
		t.Fatal(err)
	}
}

func folder(t testing.TB, f *writer.Folder, name, class string) *writer.Folder {
	t.Helper()
	c, err := f.Folder(name, class)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// scripts are texts that are none of ASCII.
var scripts = []string{"Ünïcödé", "Привет, мир", "Γειά σου", "שלום", "مرحبا", "नमस्ते", "สวัสดี", "こんにちは", "你好，世界", "안녕하세요", "🎂 and 𝄞", "Tiếng Việt", "ქართული", "Հայերեն"}

var when = time.Date(2026, 11, 23, 3, 4, 5, 678_901_200, time.UTC)

// everyType is a property of each type that a file can hold.
func everyType() pst.Properties {
	g := pst.PSETIDCommon
	named := func(lid uint32, t pst.Type) pst.Named { return pst.Named{Set: g, LID: lid, Type: t} }
	text := pst.Named{Set: pst.PSInternetHeaders, Name: "x-keepwatch", Type: pst.String}
	return pst.Properties{
		pst.P(named(0x9001, pst.Integer16), int16(-5)), pst.P(named(0x9002, pst.Integer32), int32(-70000)),
		pst.P(named(0x9003, pst.Float32), float32(1.5)), pst.P(named(0x9004, pst.Float64), 2.25),
		pst.P(named(0x9005, pst.Currency), int64(123456)), pst.P(named(0x9006, pst.FloatTime), 45000.5),
		pst.P(named(0x9007, pst.Boolean), true), pst.P(named(0x9008, pst.Integer64), int64(-1)<<60),
		pst.P(named(0x9009, pst.Time), when), pst.P(named(0x900A, pst.Guid), g),
		pst.P(named(0x900B, pst.Binary), []byte{0, 1, 2}), pst.P(named(0x900C, pst.Binary), []byte{}),
		pst.P(named(0x900D, pst.Integer16s), []int16{1, -1}), pst.P(named(0x900E, pst.Integer32s), []int32{1, -1}),
		pst.P(named(0x900F, pst.Float64s), []float64{0.5, -0.5}), pst.P(named(0x9010, pst.Integer64s), []int64{1, -1}),
		pst.P(named(0x9011, pst.Strings), scripts), pst.P(named(0x9012, pst.Times), []time.Time{when, when.Add(time.Hour)}),
		pst.P(named(0x9013, pst.Guids), []pst.GUID{g, pst.PSMapi}), pst.P(named(0x9014, pst.Binaries), [][]byte{{1}, {}, {2, 3}}),
		pst.P(text, "a header"), pst.P(named(0x9015, pst.String), ""),
	}
}

func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	blob := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}
	var letters []*letter
	for i, n := range []int{0, 1, 3579, 3580, 3581, 8175, 8176, 8177, 16352, 16353, 100_000, 8_347_696, 8_347_697} {
		deep := &letter{ps: pst.Properties{pst.P(pst.PidTagMessageClass, "IPM.Note"), pst.P(pst.PidTagSubject, "inmost")}, files: []enclosure{{data: blob(5000), ps: pst.Properties{pst.P(pst.PidTagAttachLongFilename, "in.bin")}}}}
		in := &letter{ps: pst.Properties{pst.P(pst.PidTagMessageClass, "IPM.Note"), pst.P(pst.PidTagSubject, "within")}, files: []enclosure{{in: deep, ps: pst.Properties{pst.P(pst.PidTagDisplayName, "deep")}}}}
		l := &letter{ps: append(everyType(), pst.P(pst.PidTagMessageClass, "IPM.Note"), pst.P(pst.PidTagSubject, scripts[i]),
			pst.P(pst.PidTagBody, string(bytes.Repeat([]byte("å"), n/7))), pst.P(pst.PidTagHtml, blob(n%20_000)), pst.P(pst.PidTagMessageDeliveryTime, when),
			pst.P(pst.PidTagMessageFlags, int32(pst.FlagRead|pst.FlagHasAttach)))}
		for r := range i * 13 {
			l.recipients = append(l.recipients, pst.Properties{
				pst.P(pst.PidTagRecipientType, int32(1+r%3)), pst.P(pst.PidTagDisplayName, scripts[r%len(scripts)]),
				pst.P(pst.PidTagAddressType, "SMTP"), pst.P(pst.PidTagEmailAddress, fmt.Sprintf("person%d@example.org", r)),
			})
		}
		l.files = []enclosure{
			{data: blob(n), ps: pst.Properties{pst.P(pst.PidTagAttachLongFilename, scripts[i]+".bin"), pst.P(pst.PidTagAttachMimeTag, "application/octet-stream")}},
			{in: in, ps: pst.Properties{pst.P(pst.PidTagDisplayName, "a message")}},
		}
		letters = append(letters, l)
	}
	many := letters[1] // enough for a tree of lists of subnodes
	for i := range 700 {
		many.files = append(many.files, enclosure{data: blob(i * 7), ps: pst.Properties{pst.P(pst.PidTagAttachLongFilename, fmt.Sprintf("%d.bin", i))}})
	}
	for _, plain := range []bool{false, true} {
		f := kept(t, writer.Options{Plain: plain}, func(w *writer.Writer) {
			d := w.Root()
			for i, l := range letters {
				d = folder(t, d, scripts[i]+" folder", "IPF.Note")
				add(t, d, l)
			}
		})[0]
		i := 0
		err := f.Walk(func(d *reader.Folder, err error) error {
			if err != nil || d.IsSearch() {
				return err
			}
			for m, err := range d.Messages() {
				if err != nil {
					return err
				}
				if p := d.Path(); len(p) != i+2 || p[i+1] != scripts[i]+" folder" || d.Count() != 1 {
					t.Errorf("message %d lies in %q", i, p)
				}
				holds(t, fmt.Sprintf("message %d", i), m, letters[i])
				i++
			}
			return nil
		})
		if err != nil || i != len(letters) {
			t.Errorf("%d of %d messages come back: %v", i, len(letters), err)
		}
		clean(t, f, int64(len(letters)))
	}
}

// clean checks that a file has so many items and nothing wrong.
func clean(t *testing.T, f *reader.File, items int64) *reader.Summary {
	t.Helper()
	s, err := f.Summary(context.Background(), reader.SummaryOptions{Deep: true})
	if err != nil {
		t.Fatal(err)
	}
	if s.Items != items || s.Orphans != 0 || len(s.Damage) != 0 {
		t.Errorf("%d items, want %d; %d orphans; damage: %v", s.Items, items, s.Orphans, s.Damage)
	}
	return s
}

// note is a small mail.
func note(i int) *letter {
	return &letter{ps: pst.Properties{
		pst.P(pst.PidTagMessageClass, "IPM.Note"), pst.P(pst.PidTagSubject, fmt.Sprintf("mail %07d", i)), pst.P(pst.PidTagSenderName, "Somebody"),
		pst.P(pst.PidTagMessageDeliveryTime, when.Add(time.Duration(i)*time.Minute)), pst.P(pst.PidTagMessageFlags, int32(i%2)),
		pst.P(pst.PidTagBody, "A body with the word walrus in it."),
	}, recipients: []pst.Properties{{pst.P(pst.PidTagRecipientType, int32(1)), pst.P(pst.PidTagDisplayName, "You"), pst.P(pst.PidTagEmailAddress, "you@example.org")}}}
}

// TestManyMessages: tables of many blocks come whole and in order, and volumes add up.
func TestManyMessages(t *testing.T) {
	const n = 5000
	files := kept(t, writer.Options{VolumeSize: 4 << 20}, func(w *writer.Writer) {
		d := folder(t, w.Root(), "Inbox", "IPF.Note")
		for i := range n {
			add(t, d, note(i))
		}
	})
	next := 0
	for _, f := range files {
		had := next
		for h, err := range f.Search(reader.Query{Class: "ipm.note"}) {
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("mail %07d", next); !strings.HasSuffix(h.Properties.Text(pst.PidTagSubject), want) {
				t.Fatalf("%v comes instead of %q", h.Properties, want)
			}
			next++
		}
		clean(t, f, int64(next-had))
	}
	if next != n || len(files) < 2 {
		t.Errorf("%d of %d messages in %d volumes", next, n, len(files))
	}
}

func TestSearch(t *testing.T) {
	f := kept(t, writer.Options{}, func(w *writer.Writer) {
		d := folder(t, w.Root(), "Inbox", "IPF.Note")
		for i := range 20 {
			add(t, d, note(i))
		}
		l := note(20)
		l.ps.Set(pst.PidTagBody, "")
		l.ps = append(l.ps, pst.P(pst.PidTagHtml, []byte("<p>Der Bericht &uuml;ber <b>Wal</b>fische</p>")), pst.P(pst.PidTagInternetCodepage, int32(65001)))
		l.ps = slicesWithout(l.ps, pst.PidTagBody)
		l.files = []enclosure{{data: []byte("x"), ps: pst.Properties{pst.P(pst.PidTagAttachLongFilename, "Invoice 4711.pdf")}}}
		add(t, folder(t, d, "Within", ""), l)
	})[0]
	for _, c := range []struct {
		q     reader.Query
		n     int
		where reader.Field
	}{
		{reader.Query{}, 21, ""},
		{reader.Query{Text: "MAIL 0000003"}, 1, reader.InSubject},
		{reader.Query{Text: "somebody"}, 21, reader.InSender},
		{reader.Query{Text: "you@EXAMPLE"}, 21, reader.InRecipients},
		{reader.Query{Text: "walrus"}, 20, reader.InBody},
		{reader.Query{Text: "ÜBER walfische"}, 1, reader.InBody},
		{reader.Query{Text: "uuml"}, 0, ""},
		{reader.Query{Text: "4711.PDF"}, 1, reader.InAttachments},
		{reader.Query{Text: "walrus", From: when.Add(5 * time.Minute), To: when.Add(8 * time.Minute)}, 3, reader.InBody},
		{reader.Query{Class: "IPM.Not"}, 0, ""},
		{reader.Query{Folder: pst.NIDDeletedItems}, 0, ""},
		{reader.Query{Folder: pst.NIDIPMSubtree, Text: "invoice"}, 1, reader.InAttachments},
	} {
		n := 0
		for h, err := range f.Search(c.q) {
			if err != nil || h.Where != c.where {
				t.Errorf("%+v: found in %q: %v", c.q, h.Where, err)
			}
			n++
		}
		if n != c.n {
			t.Errorf("%+v: %d hits, want %d", c.q, n, c.n)
		}
	}
	s := clean(t, f, 21)
	if s.Unread != 11 || s.Kinds[reader.Mail] != 21 || !s.Earliest.Equal(when) || !s.Latest.Equal(when.Add(20*time.Minute)) || s.Bytes == 0 {
		t.Errorf("%+v", s.Totals)
	}
}

func slicesWithout(ps pst.Properties, t pst.Tag) pst.Properties {
	var out pst.Properties
	for _, p := range ps {
		if !p.Is(t) {
			out = append(out, p)
		}
	}
	return out
}
