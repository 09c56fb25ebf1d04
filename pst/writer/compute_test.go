package writer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch/pst"
)

// added gives the properties of one message, as they lie in a file.
func added(t *testing.T, fill func(pst.Sink) error) (*parsed, node) {
	t.Helper()
	w, path := create(t, options())
	if err := inbox(t, w, "Inbox").Add(fill); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	p := verified(t, path)
	for nid, n := range p.nodes {
		if nid.Type() == pst.NodeMessage {
			return p, n
		}
	}
	t.Fatal("there is no message")
	return nil, node{}
}

func TestSubjects(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct{ give, prefix, want string }{
		{"Croeso", "", "\x01\x01Croeso"},
		{"", "", ""},
		{"RE: Croeso", "", "\x01\x05RE: Croeso"},
		{"re:   Croeso", "", "\x01\x07re:   Croeso"},
		{"转发: 你好", "", "\x01\x05转发: 你好"},
		{"Fwd1: a", "", "\x01\x01Fwd1: a"},
		{"R1: a", "", "\x01\x01R1: a"},
		{"Four: a", "", "\x01\x01Four: a"},
		{": a", "", "\x01\x01: a"},
		{"RE:", "", "\x01\x04RE:"},
		{"RE", "", "\x01\x01RE"},
		{"Antwort: a", "Antwort: ", "\x01\x0aAntwort: a"},
		{"RE: a", "FW: ", "\x01\x05RE: a"},
		{long + " a", long[:200], "\x01\x01" + long[:255]},
		{"\x01\x05RE: a", "", "\x01\x05RE: a"},
		{"\x01\x01a", "", "\x01\x01a"},
		{"two\r\nlines\tand a tab", "", "\x01\x01two  lines and a tab"},
		{long, "", "\x01\x01" + long[:255]},
		{"RE: " + long, "", "\x01\x05RE: " + long[:251]},
		{long[:254] + "😀", "", "\x01\x01" + long[:254]},
		{long[:253] + "😀b", "", "\x01\x01" + long[:253] + "😀"},
	} {
		p, n := added(t, func(s pst.Sink) error {
			s.Set(pst.P(pst.PidTagSubject, c.give))
			if c.prefix != "" {
				s.Set(pst.P(pst.PidTagSubjectPrefix, c.prefix))
			}
			return nil
		})
		if got := pst.FromUTF16(p.values(t, n)[pst.PidTagSubject]); got != c.want {
			t.Errorf("%q: %q, want %q", c.give, got, c.want)
		}
	}
}

func TestComputed(t *testing.T) {
	p, n := added(t, func(pst.Sink) error { return nil })
	props := p.values(t, n)
	if got := pst.FromUTF16(props[pst.PidTagMessageClass]); got != "IPM.Note" {
		t.Errorf("class %q", got)
	}
	if got := le64(pst.Filetime(day)); !bytes.Equal(props[pst.PidTagCreationTime], got) || !bytes.Equal(props[pst.PidTagLastModificationTime], got) {
		t.Errorf("times %x %x", props[pst.PidTagCreationTime], props[pst.PidTagLastModificationTime])
	}
	if len(props[pst.PidTagSearchKey]) != 16 || binary.LittleEndian.Uint32(props[pst.PidTagMessageFlags]) != 0 {
		t.Errorf("%v", props)
	}
	if _, ok := props[pst.PidTagDisplayTo]; ok {
		t.Error("there is a list of recipients without any")
	}
}

// TestGiven: what is given stays, the last word counts, and what only a reader can
// know is not taken.
func TestGiven(t *testing.T) {
	then := time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)
	p, n := added(t, func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagMessageClass, "IPM.Contact"), pst.P(pst.PidTagImportance, int32(0)),
			pst.P(pst.PidTagMessageFlags, int32(pst.FlagRead|pst.FlagHasAttach)), pst.P(pst.PidTagCreationTime, then),
			pst.P(pst.PidTagDisplayTo, "the team"), pst.P(pst.PidTagHasAttachments, true), pst.P(pst.PidTagLtpRowId, int32(5)),
			pst.P(pst.PidTagSearchKey, []byte("my own")), pst.P(pst.PidTagMessageSize, int32(7)))
		s.Recipient(pst.Properties{pst.P(pst.PidTagEmailAddress, "bob@example.org")})
		s.Set(pst.P(pst.PidTagImportance, int32(2)))
		return nil
	})
	props := p.values(t, n)
	for tag, want := range map[pst.Tag][]byte{
		pst.PidTagMessageClass:         pst.AppendUTF16(nil, "IPM.Contact"),
		pst.PidTagImportance:           {2, 0, 0, 0},
		pst.PidTagMessageFlags:         {pst.FlagRead, 0, 0, 0},
		pst.PidTagCreationTime:         le64(pst.Filetime(then)),
		pst.PidTagLastModificationTime: le64(pst.Filetime(then)),
		pst.PidTagDisplayTo:            pst.AppendUTF16(nil, "the team"),
		pst.PidTagDisplayCc:            nil,
		pst.PidTagHasAttachments:       nil,
		pst.PidTagLtpRowId:             nil,
		pst.PidTagSearchKey:            []byte("my own"),
	} {
		if !bytes.Equal(props[tag], want) {
			t.Errorf("%v: %x, want %x", tag, props[tag], want)
		}
	}
}

func TestRecipients(t *testing.T) {
	p, n := added(t, func(s pst.Sink) error {
		s.Recipient(pst.Properties{pst.P(pst.PidTagDisplayName, "Siân"), pst.P(pst.PidTagEmailAddress, "sian@example.org")})
		s.Recipient(pst.Properties{pst.P(pst.PidTagEmailAddress, "bob@example.org"), pst.P(pst.PidTagRecipientType, int32(pst.RecipientCc)), pst.P(pst.PidTagSmtpAddress, "bob@example.org")})
		s.Recipient(pst.Properties{pst.P(pst.PidTagDisplayName, "Only a name"), pst.P(pst.PidTagRecipientTrackStatus, int32(3))})
		s.Recipient(pst.Properties{pst.P(pst.PidTagDisplayName, strings.Repeat("long ", 1000)), pst.P(pst.PidTagRecipientType, int32(pst.RecipientBcc))})
		return nil
	})
	props := p.values(t, n)
	for tag, want := range map[pst.Tag]string{
		pst.PidTagDisplayTo: "Siân; Only a name", pst.PidTagDisplayCc: "bob@example.org", pst.PidTagDisplayBcc: strings.Repeat("long ", 1000),
	} {
		if got := pst.FromUTF16(props[tag]); got != want {
			t.Errorf("%v: %q, want %q", tag, got, want)
		}
	}
	rows := p.rows(t, p.subnodes(n.sub)[pst.NIDRecipients])
	if len(rows) != 4 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, want := range []map[pst.Tag][]byte{
		{
			pst.PidTagRecipientType: {1, 0, 0, 0}, pst.PidTagObjectType: {6, 0, 0, 0}, pst.PidTagDisplayType: {0, 0, 0, 0},
			pst.PidTagDisplayName: pst.AppendUTF16(nil, "Siân"), pst.PidTagAddressType: pst.AppendUTF16(nil, "SMTP"),
			pst.PidTagEmailAddress: pst.AppendUTF16(nil, "sian@example.org"), pst.PidTagSearchKey: []byte("SMTP:SIAN@EXAMPLE.ORG\x00"),
			pst.PidTagEntryId: pst.OneOff("Siân", "SMTP", "sian@example.org"),
		},
		{pst.PidTagDisplayName: pst.AppendUTF16(nil, "bob@example.org"), pst.PidTagSmtpAddress: pst.AppendUTF16(nil, "bob@example.org")},
		{pst.PidTagRecipientTrackStatus: {3, 0, 0, 0}, pst.PidTagEntryId: nil, pst.PidTagEmailAddress: nil, pst.PidTagSmtpAddress: nil},
		{pst.PidTagDisplayName: pst.AppendUTF16(nil, strings.Repeat("long ", 1000))},
	} {
		for tag, v := range want {
			if !bytes.Equal(rows[i].cells[tag], v) {
				t.Errorf("recipient %d, %v: %x, want %x", i, tag, rows[i].cells[tag], v)
			}
		}
	}
}

func TestHidden(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	if err := f.Add(func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagMessageFlags, int32(pst.FlagAssociated|pst.FlagRead)), pst.P(pst.PidTagDisplayName, "a view"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if v := closed(t, w); v.Messages != 0 {
		t.Errorf("%d messages", v.Messages)
	}
	p := verified(t, path)
	rows := p.rows(t, p.nodes[f.state.nid.As(pst.NodeFAIContents)])
	if len(rows) != 1 || rows[0].id != 0x100028 || pst.FromUTF16(rows[0].cells[pst.PidTagDisplayName]) != "a view" {
		t.Errorf("%v", rows)
	}
}

// TestNames: a name has one id in a file, whatever its case, and another name another.
func TestNames(t *testing.T) {
	header := func(name string) pst.Named {
		return pst.Named{Set: pst.PSInternetHeaders, Name: name, Type: pst.String}
	}
	p, n := added(t, func(s pst.Sink) error {
		s.Set(pst.P(header("X-Mailer"), "one"), pst.P(header("x-mailer"), "two"), pst.P(header("X-Other"), "three"))
		s.Set(pst.P(pst.PidLidPrivate, true), pst.P(pst.PidNameKeywords, []string{"a", "b"}))
		s.Set(pst.P(pst.Named{Set: pst.PSETIDCommon, LID: 0x8506, Name: "text before number", Type: pst.Boolean}, true))
		return nil
	})
	props := p.values(t, n)
	var named []string
	for tag, v := range props {
		if tag.ID() >= 0x8000 && tag.Type() == pst.String {
			named = append(named, pst.FromUTF16(v))
		}
	}
	slices.Sort(named)
	if !slices.Equal(named, []string{"three", "two"}) {
		t.Errorf("%q", named)
	}
	texts := pst.FromUTF16(p.values(t, p.nodes[pst.NIDNameMap])[pst.PidTagNameidStreamString])
	if strings.Count(strings.ToLower(texts), "x-mailer") != 1 || !strings.Contains(texts, "text before number") {
		t.Errorf("%q", texts)
	}
}

// TestTooManyNames: what has names that a volume has no place for goes into the next; an
// item with too many for any is an error.
func TestTooManyNames(t *testing.T) {
	w, _ := create(t, options())
	f := inbox(t, w, "Inbox")
	const free = maxNames - 2 // two are there from the start
	next := 0
	for _, c := range []struct {
		count, volumes int
		ok             bool
	}{{free - 1, 1, true}, {1, 1, true}, {0, 1, true}, {2, 2, true}, {free + 1, 3, false}, {free, 3, true}} {
		err := f.Add(func(s pst.Sink) error {
			for i := range c.count {
				s.Set(pst.P(pst.Named{Set: pst.PSPublicStrings, Name: fmt.Sprint("field ", next+i), Type: pst.Integer32}, int32(i)))
			}
			return nil
		})
		if c.ok != (err == nil) || len(w.done)+1 != c.volumes {
			t.Fatalf("%d more than %d: %v, %d volumes", c.count, next, err, len(w.done)+1)
		}
		if err != nil && !strings.Contains(err.Error(), "4096") {
			t.Errorf("%v", err)
		}
		next += c.count
	}
	volumes, err := w.Close()
	if err != nil || len(volumes) != 3 || volumes[0].Messages != 3 || volumes[1].Messages != 1 || volumes[2].Messages != 1 {
		t.Fatalf("%v: %v", volumes, err)
	}
	for _, v := range volumes {
		verified(t, v.Path)
	}
}

// TestEmbedded: 32 messages within one another are possible, and not one more.
func TestEmbedded(t *testing.T) {
	var nest func(depth int) func(pst.Sink) error
	nest = func(depth int) func(pst.Sink) error {
		return func(s pst.Sink) error {
			s.Set(pst.P(pst.PidTagSubject, fmt.Sprint("depth ", depth)))
			if depth == 0 {
				return s.Attach(pst.Properties{pst.P(pst.PidTagAttachLongFilename, "innermost")}, bytes.NewReader(noise(20_000)))
			}
			return s.Embed(pst.Properties{pst.P(pst.PidTagDisplayName, "within")}, nest(depth-1))
		}
	}
	p, n := added(t, nest(maxDepth))
	for depth := maxDepth; ; depth-- {
		if got := subjectOf(t, p, n); got != fmt.Sprint("depth ", depth) {
			t.Fatalf("%q at %d", got, depth)
		}
		a := attachments(t, p, n)
		if depth == 0 {
			if !bytes.Equal(p.values(t, a["innermost"])[pst.PidTagAttachDataBinary], noise(20_000)) {
				t.Error("the innermost attachment is not the one that was given")
			}
			break
		}
		ref := p.values(t, a[""])[pst.PidTagAttachDataObject]
		n = p.subnodes(a[""].sub)[pst.NID(binary.LittleEndian.Uint32(ref))]
	}
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	if err := f.Add(nest(maxDepth + 1)); err == nil || !strings.Contains(err.Error(), "32 deep") {
		t.Errorf("%v", err)
	}
	if err := f.Add(text("after")); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	verified(t, path)
}

// TestAsleep: a Sink that is used after its function has returned does no harm.
func TestAsleep(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	var kept pst.Sink
	if err := f.Add(func(s pst.Sink) error { kept = s; return nil }); err != nil {
		t.Fatal(err)
	}
	kept.Set(pst.P(pst.PidTagSubject, "late"))
	kept.Recipient(nil)
	if err := kept.Attach(nil, bytes.NewReader(noise(10_000))); !errors.Is(err, errAsleep) {
		t.Errorf("%v", err)
	}
	if err := f.Add(text("after")); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	if all := messages(t, verified(t, path)); len(all) != 2 {
		t.Errorf("%v", all)
	}
}
