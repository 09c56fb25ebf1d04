package pim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func card(lines ...string) []byte {
	return []byte("BEGIN:VCARD\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n")
}

// TestCardLines reads single lines: what they fill, and what goes into the notes.
func TestCardLines(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  Contact
		notes string
	}{
		{"dates", []string{"BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "ANNIVERSARY:--0229"}, Contact{Birthday: Date{0, 2, 29}, Anniversary: Date{0, 2, 29}}, ""},
		{"a date with an empty time", []string{"BDAY:1980-03-22T00:00:00Z"}, Contact{Birthday: Date{1980, 3, 22}}, ""},
		{"dates without a place", []string{"BDAY:1980", "ANNIVERSARY:1500-01-01"}, Contact{}, "Birthday: 1980\nAnniversary: 1500-01-01"},
		{"the same date twice", []string{"BDAY;ALTID=1:20160801", "BDAY;ALTID=1:2016-08-01", "BDAY:20160802"}, Contact{Birthday: Date{2016, 8, 1}}, "Birthday: 20160802"},
		{"phones", []string{"TEL;WORK;VOICE;PREF:1", "TEL;TYPE=\"work,voice\":2", "TEL;TYPE=WORK:3", "TEL:4", "TEL;PREF:5", "TEL;VOICE:6", "X-MS-TEL;VOICE;ASSISTANT:7", "TEL;TYPE=textphone;VALUE=uri:tel:8"},
			Contact{Phones: map[PhoneKind]string{PhoneWork: "1", PhoneWork2: "2", PhoneOther: "4", PhonePrimary: "5", PhoneAssistant: "7", PhoneText: "8"}},
			"Telephone (work): 3\nTelephone: 6"},
		{"a phone with a name of its own", []string{"a.TEL:1", "a.X-ABLabel:Boat"}, Contact{}, "Telephone (Boat): 1"},
		{"e-mails", []string{"EMAIL:a@x", "EMAIL;PREF=1:mailto:b@x", "EMAIL;TYPE=internet,home:c@x", "EMAIL:d@x"},
			Contact{Emails: [3]Email{{Address: "b@x"}, {Address: "a@x"}, {Address: "c@x", Label: "home"}}}, "E-mail: d@x"},
		{"addresses", []string{"ADR;HOME:;;a;;;;", "ADR;TYPE=work,pref:;x;b;c;;;", "ADR:;;d", "ADR;WORK:;;e;;;;f", "LABEL;WORK:x\\nb\\nc", "LABEL;HOME:z"},
			Contact{Home: Address{Street: "a", Label: "z"}, Work: Address{Street: "x\nb", City: "c"}, Other: Address{Street: "d"}, Mailing: PlaceWork}, "Address (work): e, f"},
		{"web", []string{"URL:a", "URL;WORK:b", "URL:c", "URL;HOME:d", "URL:ftp://x"}, Contact{WorkPage: "b", HomePage: "d", FTP: "ftp://x"}, "Web page: a\nWeb page: c"},
		{"names", []string{"VERSION:3.0", "N:a,b;c;d\\,e,f;g;h,i;j"}, Contact{Surname: "a b", Given: "c", Middle: "d,e f", Prefix: "g", Suffix: "h, i"}, "Name: a,b, c, d,e,f, g, h,i, j"},
		{"names of 2.1", []string{"VERSION:2.1", "N;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:M=FCller,x;=C4"}, Contact{Surname: "Müller,x", Given: "Ä"}, ""},
		{"related", []string{"RELATED;TYPE=spouse;VALUE=text:S", "RELATED;TYPE=friend:urn:uuid:1", "X-MS-CHILD:C"}, Contact{Spouse: "S", Children: []string{"C"}}, "Related (friend): urn:uuid:1"},
		{"for programs", []string{"KEY;ENCODING=b:AAAA", "PRODID:x", "X-EMPTY:"}, Contact{}, ""},
		{"unknown", []string{"X-FOO;TYPE=bar:a\\nb;c"}, Contact{}, "X-FOO (bar): a\n  b, c"},
		{"a photo elsewhere", []string{"PHOTO;VALUE=uri:https://x/y.jpg"}, Contact{}, "Photo: https://x/y.jpg"},
		{"a photo as data", []string{"PHOTO:data:image/png;base64,AAEC"}, Contact{Photo: []byte{0, 1, 2}}, ""},
		{"sex", []string{"GENDER:F", "X-GENDER:other"}, Contact{Gender: GenderFemale}, "Gender: other"},
		{"an agent", []string{"AGENT:", "BEGIN:VCARD", "FN:Agent Smith", "END:VCARD", "TITLE:x"}, Contact{Title: "x"}, "VCARD: Agent Smith"},
		{"broken lines", []string{"no colon", "TITLE:x"}, Contact{Title: "x"}, "Line 2 could not be read: \"no colon\" has no colon"},
		{"control characters", []string{"TITLE:a\x01b", "NOTE:x\x00\x07y"}, Contact{Title: "ab", Notes: "xy"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := readAll(t, card(c.lines...))
			if len(got) != 1 {
				t.Fatalf("%d cards", len(got))
			}
			want := c.want
			if c.notes != "" {
				want.Notes = joined("\n\n", want.Notes, extraHeading+"\n"+c.notes)
			}
			want.Original = got[0].Original
			if c.notes != "" && !bytes.Equal(got[0].Original, card(c.lines...)) {
				t.Errorf("the original is %q", got[0].Original)
			}
			if d := cmp.Diff(want.complete(), got[0]); d != "" {
				t.Error(d)
			}
			roundTrips(t, c.name, got[0])
		})
	}
}

func TestOriginalOnlyWhereNeeded(t *testing.T) {
	for lines, want := range map[string]bool{"FN:a": false, "FN:a\r\nTZ:1": true, "FN:a\r\nKEY:x": true, "FN:a\r\nPRODID:x\r\nREV:20200101T000000Z": false, "FN:a\r\nnothing": true} {
		if got := readAll(t, card(lines))[0]; (got.Original != nil) != want {
			t.Errorf("%q: the original is %q", lines, got.Original)
		}
	}
}

// TestGroups: members are addresses, and cards of the same text, which may come
// behind.
func TestGroups(t *testing.T) {
	text := string(card("VERSION:4.0", "KIND:group", "FN:All", "MEMBER:mailto:a@x", "MEMBER:urn:uuid:B", "MEMBER:urn:uuid:c", "MEMBER:urn:uuid:d", "TEL:1")) +
		string(card("FN:Bee", "UID:urn:uuid:b", "EMAIL:b@x")) + string(card("FN:Cee", "UID:c"))
	got := readAll(t, []byte(text))
	want := (&Contact{Group: true, DisplayName: "All", Members: []Member{{"a@x", "SMTP", "a@x"}, {"Bee", "SMTP", "b@x"}}, Original: got[2].Original,
		Notes: extraHeading + "\nTEL: 1\nMember: Cee\nMember: urn:uuid:d"}).complete()
	if d := cmp.Diff(want, got[2]); d != "" || len(got) != 3 {
		t.Errorf("%d: %s", len(got), d)
	}
	roundTrips(t, "group", got[2])
}

// TestCardsOneAfterAnother: damage of one card does not reach the next.
func TestCardsOneAfterAnother(t *testing.T) {
	text := "junk\nBEGIN:VCARD\nFN:a\nbegin:vcard\rFN:b\rEND:VCARD\r\r\n\r\nEND:VCARD\nBEGIN : VCARD\nFN:c"
	var names, faults []string
	for c, err := range ReadCards(iotest.OneByteReader(strings.NewReader(text))) {
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		names = append(names, c.DisplayName)
	}
	if d := cmp.Diff([]string{"a", "b", "c"}, names); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{`line 1: "junk" lies outside of every vCard`, `line 8: "END:VCARD" lies outside of every vCard`}, faults); d != "" {
		t.Error(d)
	}
}

func TestNoCard(t *testing.T) {
	for _, c := range []struct {
		r     io.Reader
		fault error
		text  string
	}{
		{strings.NewReader(""), nil, "the text holds no vCard"},
		{strings.NewReader("\r\n\r\n"), nil, "the text holds no vCard"},
		{iotest.ErrReader(io.ErrClosedPipe), io.ErrClosedPipe, ""},
	} {
		n := 0
		for got, err := range ReadCards(c.r) {
			n++
			if got != nil || err == nil || c.fault != nil && !errors.Is(err, c.fault) || c.text != "" && err.Error() != c.text {
				t.Errorf("%v %v", got, err)
			}
		}
		if n != 1 {
			t.Errorf("%d results", n)
		}
	}
}

func TestOtherClass(t *testing.T) {
	_, err := ContactOf(dumped(t, "0x2000c4"))
	var other *ClassError
	if !errors.As(err, &other) || other.Class != "IPM.Appointment" {
		t.Error(err)
	}
}

// vobject reads vCards with a parser that shares nothing with ours.
const vobject = `
import sys, vobject
for c in vobject.readComponents(sys.stdin.buffer.read().decode("utf-8")):
    c.validate(raiseException=True)
    n, a = c.n.value, [x.value for x in c.contents.get("adr", [])]
    p = c.contents.get("photo")
    print("|".join([c.fn.value, n.family, n.given, n.additional, n.prefix, n.suffix,
        ",".join(x.value for x in c.contents.get("email", [])),
        ",".join(x.value for x in c.contents.get("tel", [])),
        "/".join(";".join([x.street, x.city, x.region, x.code, x.country]) for x in a),
        c.note.value if "note" in c.contents else "", str(len(p[0].value)) if p else "0"]).replace("\n", "~"))
`

// TestAnotherParser has our vCards read by python3-vobject.
func TestAnotherParser(t *testing.T) {
	if err := exec.Command("/usr/bin/python3", "-c", "import vobject").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("python3-vobject is not installed: %v", err)
		}
		t.Skipf("python3-vobject is not installed: %v", err)
	}
	var all bytes.Buffer
	var want strings.Builder
	cards := []*Contact{fullContact(), (&Contact{Company: "Only Ltd", Photo: bytes.Repeat([]byte{0x89}, 5000), Notes: strings.Repeat("ä🙂 ", 200)}).complete()}
	for _, c := range cards {
		if err := c.Card(&all); err != nil {
			t.Fatal(err)
		}
		var emails, phones, addresses []string
		for _, e := range c.Emails {
			if e.Address != "" {
				emails = append(emails, e.Address)
			}
		}
		for i := range phoneKinds {
			if k := phoneKinds[i]; k.name == "TEL" && c.Phones[k.kind] != "" {
				phones = append(phones, c.Phones[k.kind])
			}
		}
		for _, a := range []Address{c.Home, c.Work, c.Other} {
			if !a.isEmpty() {
				addresses = append(addresses, strings.Join([]string{a.Street, a.City, a.State, a.PostalCode, a.Country}, ";"))
			}
		}
		fmt.Fprintln(&want, strings.ReplaceAll(strings.Join([]string{c.DisplayName, c.Surname, c.Given, c.Middle, c.Prefix, c.Suffix, strings.Join(emails, ","),
			strings.Join(phones, ","), strings.Join(addresses, "/"), c.Notes, fmt.Sprint(len(c.Photo))}, "|"), "\n", "~"))
	}
	cmd := exec.Command("/usr/bin/python3", "-c", vobject)
	cmd.Stdin = &all
	cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8")
	var fault bytes.Buffer
	cmd.Stderr = &fault
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &fault)
	}
	if d := cmp.Diff(want.String(), string(got)); d != "" {
		t.Error(d)
	}
}

func FuzzCards(f *testing.F) {
	f.Add(card("VERSION:3.0", "FN:a", "N:b;c;d;e;f", "item1.EMAIL;TYPE=INTERNET:a@b", "item1.X-ABLabel:_$!<x>!$_", "ADR;TYPE=WORK:a;b;c;d;e;f;g", "LABEL:x\\ny"))
	f.Add(card("VERSION:2.1", "TEL;CELL;PREF:1", "NOTE;ENCODING=QUOTED-PRINTABLE:a=\r\n=C3", "PHOTO;BASE64:\r\n AAAA\r\n", "AGENT:\r\nBEGIN:VCARD\r\nFN:x\r\nEND:VCARD"))
	f.Add(card("VERSION:4.0", "KIND:group", "MEMBER;X-CN=x:mailto:a@b", "BDAY:--0229", "ANNIVERSARY:20090808T1430-0500", "LANG:fr,de", "GENDER:M;x", "IMPP:x:y", "URL:ftp:z"))
	f.Add([]byte("junk\r\nBEGIN:VCARD\r\nX"))
	f.Add([]byte("BEGIN:VCARD\n\x7f0:0"))
	f.Add(card("NOTE:" + strings.Repeat("x", 70) + "\r\n END: VCARD"))
	f.Fuzz(func(t *testing.T, text []byte) {
		n := 0
		for c, err := range ReadCards(bytes.NewReader(text)) {
			if err == nil {
				roundTrips(t, "fuzz", c)
			}
			if n++; n > len(text)+1 {
				t.Fatal("more results than bytes")
			}
		}
		if n == 0 {
			t.Error("a text without a result")
		}
	})
}

func BenchmarkCards(b *testing.B) {
	var text bytes.Buffer
	c := fullContact()
	c.Photo = append(c.Photo, bytes.Repeat([]byte{1, 2, 3}, 10000)...)
	if err := c.Card(&text); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		for c, err := range ReadCards(bytes.NewReader(text.Bytes())) {
			if err != nil {
				b.Fatal(err)
			}
			if err := c.Write(&heldItem{}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
