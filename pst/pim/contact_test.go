package pim

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
)

var update = flag.Bool("update-cards", false, "write the golden files anew")

func readAll(t testing.TB, text []byte) []*Contact {
	t.Helper()
	var all []*Contact
	for c, err := range ReadCards(bytes.NewReader(text)) {
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		all = append(all, c)
	}
	return all
}

// TestSampleCards reads each card that other programs wrote: what it gives is in the
// golden file.
func TestSampleCards(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(psttest.Sample(t, "mail", "ez-vcard-BSD2"), "*.vcf"))
	if err != nil || len(files) < 17 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var got strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "==== %s\n", filepath.Base(f))
		for _, c := range readAll(t, text) {
			got.WriteString("--\n" + describe(c))
			roundTrips(t, filepath.Base(f), c)
		}
	}
	golden := filepath.Join("testdata", "cards.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); d != "" {
		t.Error(d)
	}
}

// describe lists the fields that are not empty.
func describe(c *Contact) string {
	var b strings.Builder
	v := reflect.ValueOf(*c)
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		if f.IsZero() {
			continue
		}
		switch f := f.Interface().(type) {
		case []byte:
			fmt.Fprintf(&b, "%s: %d bytes", name, len(f))
			if name == "Photo" {
				fmt.Fprintf(&b, " %08x", crc32.ChecksumIEEE(f))
			}
		case string:
			if len(f) > 1500 {
				f = f[:100] + "…" + strconv.Itoa(len(f))
			}
			fmt.Fprintf(&b, "%s: %q", name, f)
		default:
			fmt.Fprintf(&b, "%s: %+v", name, f)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// roundTrips proves that a contact comes through an item, and through both versions of
// vCard, as it was.
func roundTrips(t testing.TB, name string, c *Contact) {
	t.Helper()
	h := hold(t, c.Write)
	back, err := ContactOf(h)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(c, back); d != "" {
		t.Errorf("%s through an item: %s", name, d)
	}
	for version, write := range map[string]func(*bytes.Buffer) error{
		"3.0": func(b *bytes.Buffer) error { return c.Card(b) }, "4.0": func(b *bytes.Buffer) error { return c.Card4(b) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		again := readAll(t, b.Bytes())
		want := *c
		want.Original = nil
		if len(again) != 1 {
			t.Errorf("%s: %d cards come of one:\n%s", name, len(again), &b)
		} else if d := cmp.Diff(&want, again[0]); d != "" {
			t.Errorf("%s through vCard %s: %s\n%.3000s", name, version, d, &b)
		}
		for l := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\r\n"), "\r\n") {
			if len(l) > 75 || strings.ContainsAny(l, "\r\n") {
				t.Errorf("%s: the line %q is not folded", name, l)
			}
		}
	}
}

// fullContact has every field, none of them derived.
func fullContact() *Contact {
	c := &Contact{
		Prefix: "Dr.", Given: "Jöhn", Middle: "Richter, James", Surname: "Doe; \\Smith", Suffix: "Sr., MBA", Nickname: "Johny, \"JD\"",
		DisplayName: "Dr. John Doe 🙂", FileAs: "Doe (Acme)", Initials: "J.D.", GivenPhonetic: "Jon", SurnamePhonetic: "Dow",
		Company: "Acme: Ltd; Sons", CompanyPhonetic: "Ackmee", Department: "R&D; Lab", Title: "Money Counter", Profession: "Counting", Office: "3rd floor, 5",
		Manager: "Big Blue", Assistant: "Little Red", Spouse: "Jane", ReferredBy: "Aunt May", Children: []string{"Kim", "Lee, jun."},
		Emails: [3]Email{{"J. Doe", "work", "SMTP", "j@example.com"}, {"Dr. John Doe 🙂", "Boat, summer", "SMTP", "b@example.com"}, {"X", "", "X400", "g=j;s=doe"}},
		Phones: map[PhoneKind]string{},
		Home:   Address{Street: "1 Home St\nApt 2", City: "Vienna", State: "W", PostalCode: "1010", Country: "Austria", Code: "AT", Box: "Box 7"},
		Work:   Address{Street: "2 Work St", City: "Graz", Label: "Acme\n2 Work St\n8010 Graz"},
		Other:  Address{Country: "Italy"}, Mailing: PlaceHome,
		IM: "xmpp:j@example.com", HomePage: "http://home.example.com/?a=1,2", WorkPage: "https://example.com", FTP: "ftp://example.com", FreeBusy: "https://example.com/fb",
		Birthday: Date{1980, 2, 29}, Anniversary: Date{0, 2, 29}, Gender: GenderFemale, Languages: []string{"de", "en-GB"},
		Hobbies: "chess", Account: "jd", CustomerID: "C1", GovernmentID: "G1", OrganizationID: "O1", BillingInfo: "B1", UserFields: [4]string{"u1", "u2", "u3", "u4"},
		Categories: []string{"VIP", "Red Team"}, Notes: "First line\n\n  Third: a;b,c\\n \tend", Photo: []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00 not a whole picture"),
		Sensitivity: Private, UID: "urn:uuid:1", Created: pst.FromFiletime(116444736000000000), Modified: pst.FromFiletime(130000000000000000),
	}
	for i := range phoneKinds {
		c.Phones[phoneKinds[i].kind] = fmt.Sprintf("+1 555 %04d", i)
	}
	return c
}

func TestFullContact(t *testing.T) {
	c := fullContact()
	v := reflect.ValueOf(*c)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "Group" && name != "Members" && name != "Original" {
			t.Errorf("%s is empty: this test is to have every field", name)
		}
	}
	roundTrips(t, "full", c)
	c.Original = []byte("BEGIN:VCARD\r\nEND:VCARD\r\n")
	back, err := ContactOf(hold(t, c.Write))
	if err != nil || !bytes.Equal(back.Original, c.Original) {
		t.Errorf("%q %v", back.Original, err)
	}
}

// dumped reads an item of a dump of a real file. Longer binary values are cut there and left
// out here.
func dumped(t *testing.T, node string) *heldItem {
	t.Helper()
	text, err := os.ReadFile(psttest.Sample(t, "pst", "java-libpst-dist-list.msgs.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, mine, ok := strings.Cut(string(text), "MESSAGE "+node+" ")
	if !ok {
		t.Fatalf("the dump has no %s", node)
	}
	mine, _, _ = strings.Cut(mine, "\nMESSAGE ")
	h := &heldItem{}
	for l := range strings.SplitSeq(mine, "\n") {
		fields := strings.Fields(l)
		if len(fields) < 2 || len(fields[0]) != 9 || !strings.HasPrefix(l, "  ") || strings.HasPrefix(l, "   ") {
			continue
		}
		id, _ := strconv.ParseUint(fields[0][:4], 16, 16)
		kind, _ := strconv.ParseUint(fields[0][5:], 16, 16)
		var key pst.Key = pst.NewTag(uint16(id), pst.Type(kind))
		if i := strings.Index(l, "/LID 0x"); i > 0 {
			set, err := pst.ParseGUID(l[i-36 : i])
			if err != nil {
				t.Fatal(err)
			}
			lid, _ := strconv.ParseUint(strings.TrimSpace(l[i+7:]), 16, 32)
			key = pst.Named{Set: set, LID: uint32(lid), Type: pst.Type(kind)}
		}
		value := fields[1]
		raw, _ := hex.DecodeString(value)
		switch pst.Type(kind) {
		case pst.String:
			s, err := strconv.Unquote(`"` + strings.ReplaceAll(l[strings.Index(l, "'")+1:strings.LastIndex(l, "'")], `"`, `\"`) + `"`)
			if err != nil {
				t.Fatal(err)
			}
			h.props.Set(key, s)
		case pst.Integer32:
			n, _ := strconv.ParseUint(value, 0, 32)
			h.props.Set(key, int32(n))
		case pst.Boolean:
			h.props.Set(key, value == "0x1")
		case pst.Time:
			n := uint64(0)
			for i := range raw {
				n |= uint64(raw[i]) << (8 * i)
			}
			h.props.Set(key, pst.FromFiletime(n))
		}
	}
	return h
}

// TestRealContact reads what Outlook 2007 wrote, and writes it as Outlook did: each property
// that both have is the same.
func TestRealContact(t *testing.T) {
	real := dumped(t, "0x200064")
	c, err := ContactOf(real)
	if err != nil {
		t.Fatal(err)
	}
	want := &Contact{
		Given: "contact", Middle: "name", Surname: "1", DisplayName: "contact name 1", FileAs: "1, contact name", Initials: "c.n.1.",
		Emails:  [3]Email{{Name: "contact name 1", Type: "SMTP", Address: "contact1@rjohnson.id.au"}},
		Created: c.Created, Modified: c.Modified,
	}
	if d := cmp.Diff(want, c); d != "" {
		t.Error(d)
	}
	if got := c.Created.Format("2006-01-02 15:04:05"); got != "2014-05-25 13:58:28" {
		t.Errorf("created %s", got)
	}
	same := 0
	bare := &Contact{Given: "contact", Middle: "name", Surname: "1", Emails: [3]Email{{Address: "contact1@rjohnson.id.au"}}}
	for _, p := range hold(t, bare.Write).props {
		var key pst.Key = p.Tag
		if p.IsNamed() {
			key = p.Named
		}
		theirs, ok := real.props.Get(key)
		if !ok {
			continue
		}
		if p.Is(pst.PidTagSubject) {
			theirs = strings.TrimPrefix(theirs.(string), "\x01\x01")
		}
		if same++; !cmp.Equal(p.Value, theirs) {
			t.Errorf("%v %v: %v, Outlook wrote %v", p.Tag, p.Named, p.Value, theirs)
		}
	}
	if same < 20 {
		t.Errorf("only %d properties are in both", same)
	}
}

// The binary values of the real group and of the real contact.
const (
	realMember1 = "00000000c091add3519dcf11a4a900aa0047faa4c300000000a41d63dbc53b8e4ab8071e15e55750ce64002000"
	realMember2 = "00000000812b1fa4bea310199d6e00dd010f540200000180640069007300740020006e0061006d00650020003100000053004d0054005000000064006900730074003100400072006a006f0068006e0073006f006e002e00690064002e00610075000000"
	realMember3 = "00000000812b1fa4bea310199d6e00dd010f540200000180640069007300740020006e0061006d00650020003200000053004d0054005000000064006900730074003200400072006a006f0068006e0073006f006e002e00690064002e00610075000000"
	realOneOff  = "00000000812b1fa4bea310199d6e00dd010f54020000018063006f006e00740061006300740020006e0061006d00650020003100000053004d0054005000000063006f006e0074006100630074003100400072006a006f0068006e0073006f006e002e00690064002e00610075000000"
)

func TestRealGroup(t *testing.T) {
	var ids, oneOffs [][]byte
	for _, s := range []string{realMember1, realMember2, realMember3} {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b)
	}
	own := hex.EncodeToString(pst.OneOff("contact name 1", "SMTP", "contact1@rjohnson.id.au"))
	if own != realOneOff {
		t.Errorf("%s, Outlook wrote %s", own, realOneOff)
	}
	first, err := hex.DecodeString(realOneOff)
	if err != nil {
		t.Fatal(err)
	}
	oneOffs = append(oneOffs, first, ids[1], ids[2])
	real := dumped(t, "0x200024")
	if got, want := groupChecksum(ids), int32(real.props.Int(pst.PidLidDistributionListChecksum)); got != want || want == 0 {
		t.Errorf("the checksum is %08x, Outlook wrote %08x", uint32(got), uint32(want))
	}
	real.props.Set(pst.PidLidDistributionListMembers, ids)
	real.props.Set(pst.PidLidDistributionListOneOffMembers, oneOffs)
	c, err := ContactOf(real)
	if err != nil {
		t.Fatal(err)
	}
	want := &Contact{Group: true, DisplayName: "test dist list", FileAs: "test dist list", Created: c.Created, Modified: c.Modified, Members: []Member{
		{"contact name 1", "SMTP", "contact1@rjohnson.id.au"}, {"dist name 1", "SMTP", "dist1@rjohnson.id.au"}, {"dist name 2", "SMTP", "dist2@rjohnson.id.au"}}}
	if d := cmp.Diff(want, c); d != "" {
		t.Error(d)
	}
	roundTrips(t, "the real group", c)
	for n := range 200 {
		c.Members = append(c.Members, Member{fmt.Sprint("Member ", n), "SMTP", fmt.Sprintf("m%d@example.com", n)})
	}
	if h := hold(t, c.Write); len(h.props.Bytes(pst.PidLidDistributionListStream)) == 0 || len(get[[][]byte](h.props, pst.PidLidDistributionListMembers)) > 0 {
		t.Error("a long group is no stream")
	}
	roundTrips(t, "a long group", c)
}
