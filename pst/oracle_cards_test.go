package pst_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/pim"
)

// sampleContacts are those of all sample vCards, in the order of the names of their files, and
// one that has all fields.
func sampleContacts(t testing.TB) []*pim.Contact {
	t.Helper()
	samples := samplesOf(t, "ez-vcard-BSD2", "*.vcf")
	var all []*pim.Contact
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		for c, err := range pim.ReadCards(bytes.NewReader(samples[name])) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, c)
		}
	}
	return append(all, fullContact())
}

func fullContact() *pim.Contact {
	c := &pim.Contact{Prefix: "Dr", Given: "Łucja", Middle: "M", Surname: "O'Neil; Co, Ltd", Suffix: "III", Nickname: "Lu", Company: "Keepwatch, Inc.",
		Title: "Head", Profession: "Archivist", Assistant: "Olwen", Notes: "first\nsecond, third; fourth", Categories: []string{"Red", "Key, customer"},
		Birthday: pim.Date{Year: 1980, Month: 2, Day: 29}, Phones: map[pim.PhoneKind]string{},
		Emails: [3]pim.Email{{Address: "one@keepwatch.example"}, {Address: "two@keepwatch.example"}, {Address: "three@keepwatch.example"}},
		Home:   pim.Address{Street: "1 Home Road", City: "Ruthin", State: "Sir Ddinbych", PostalCode: "LL15", Country: "Cymru"},
		Work:   pim.Address{Street: "2 Work Road", City: "Łódź", State: "Łódzkie", PostalCode: "90-001", Country: "Polska"},
		Other:  pim.Address{Street: "3 Other Road", City: "京都市", State: "京都府", PostalCode: "600", Country: "日本"}}
	for kind := pim.PhoneWork; kind <= pim.FaxPrimary; kind++ {
		c.Phones[kind] = fmt.Sprintf("+44 1824 %06d", kind)
	}
	return c
}

// TestReadersReadContacts: each property of each contact is what libpff finds, by name
// too, and what go-pst finds; and libpst's vCards say what the contact says.
func TestReadersReadContacts(t *testing.T) {
	contacts := sampleContacts(t)
	writes := make([]func(pst.Sink) error, len(contacts))
	for i, c := range contacts {
		writes[i] = c.Write
	}
	path, want := createItems(t, "Contacts", "IPF.Contact", writes)
	sound(t, path, len(contacts))
	pff, goPST := rawByID(withPffexport(t, path)), rawByID(withGoPST(t, path))
	for _, k := range want {
		id := k.Properties.Text(pst.PidTagInternetMessageId)
		sameProperties(t, "pffexport", k, pff[id], true)
		sameProperties(t, "go-pst", k, goPST[id], false)
	}
	t.Run("pst-extractor", func(t *testing.T) { sameExtracted(t, "PSTContact", want, withPSTExtractor(t, path, "values")) })
	cards := withReadpst(t, path).Files
	if len(cards) != len(contacts) {
		t.Errorf("libpst finds %d contacts, there are %d", len(cards), len(contacts))
	}
	for i, c := range contacts {
		got := cardLines(cards[fmt.Sprintf("Contacts/%d.vcf", i+1)])
		if diff := gocmp.Diff(readpstCard(c, want[i]), got); diff != "" {
			t.Errorf("the contact %d, %s (- is right):\n%s", i, c.DisplayName, diff)
		}
	}
}

// withID gives an item that has none an id by which it is found again.
func withID(n int, fill func(pst.Sink) error) func(pst.Sink) error {
	return func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagInternetMessageId, itemID(n)))
		return fill(s)
	}
}

func itemID(n int) string { return fmt.Sprintf("<item%d@keepwatch.example>", n) }

// cardLines are the lines of a vCard in order, without those that are the same in each.
func cardLines(card string) []string {
	lines := strings.FieldsFunc(card, func(r rune) bool { return r == '\n' || r == '\r' })
	lines = slices.DeleteFunc(lines, func(l string) bool {
		return slices.Contains([]string{"BEGIN:VCARD", "END:VCARD", "VERSION:3.0", "VERSION: 3.0"}, l)
	})
	for i, l := range lines {
		if strings.HasPrefix(l, "BDAY:") {
			lines[i], _, _ = strings.Cut(l, "T")
		}
	}
	slices.Sort(lines)
	return lines
}

// What libpst calls the numbers; it has no word for those that are not here.
var readpstPhones = map[pim.PhoneKind]string{
	pim.FaxWork: "work,fax", pim.PhoneWork: "work,voice", pim.PhoneWork2: "work,voice", pim.PhoneCar: "car,voice", pim.FaxHome: "home,fax",
	pim.PhoneHome: "home,voice", pim.PhoneHome2: "home,voice", pim.PhoneISDN: "isdn", pim.PhoneMobile: "cell,voice", pim.PhoneOther: "msg",
	pim.PhonePager: "pager", pim.FaxPrimary: "fax,pref", pim.PhonePrimary: "phone,pref", pim.PhoneRadio: "pcs", pim.PhoneTelex: "bbs",
}

// readpstCard is what libpst ought to write of a contact. Its FN is the name under which
// Outlook lists the contact, and the assistant becomes a card without an end in the
// card. Two errors of libpst 0.6.76 are taken into account:
//
//   - It reads no categories: of a property with a name it takes texts alone, not the
//     lists of texts that Keywords are ("What does this mean? Internet header Keywords
//     value", says its log). libpff reads them.
//   - It takes 0x3A29 and its neighbours for the business address; they are the mailing
//     address ([MS-OXOCNTC] 2.2.1.3), whichever of the three that is.
func readpstCard(c *pim.Contact, k *keptItem) []string {
	var lines []string
	add := func(name string, parts ...string) {
		for i := range parts {
			parts[i] = cardEscaped(parts[i])
		}
		lines = append(lines, name+":"+strings.Join(parts, ";"))
	}
	some := func(name, value string) {
		if value != "" {
			add(name, value)
		}
	}
	add("FN", cmp.Or(c.FileAs, k.Properties.Text(pst.PidLidFileUnder)))
	add("N", c.Surname, c.Given, c.Middle, c.Prefix, c.Suffix)
	some("NICKNAME", c.Nickname)
	for _, e := range c.Emails {
		some("EMAIL", e.Address)
	}
	if !c.Birthday.IsZero() {
		lines = append(lines, fmt.Sprintf("BDAY:%04d-%02d-%02d", cmp.Or(c.Birthday.Year, 1604), c.Birthday.Month, c.Birthday.Day))
	}
	for _, a := range []struct {
		name  string
		at    pim.Address
		whole pst.Key
	}{{"home", c.Home, pst.PidLidHomeAddress}, {"work", c.Work, pst.PidLidWorkAddress}, {"postal", c.Other, pst.PidLidOtherAddress}} {
		if a.at != (pim.Address{}) {
			if a.name == "work" {
				a.at = mailing(k.Properties)
			}
			add("ADR;TYPE="+a.name, a.at.Box, "", a.at.Street, a.at.City, a.at.State, a.at.PostalCode, a.at.Country)
			add("LABEL;TYPE="+a.name, k.Properties.Text(a.whole))
		}
	}
	for kind, name := range readpstPhones {
		some("TEL;TYPE="+name, c.Phones[kind])
	}
	if c.Assistant != "" || c.Phones[pim.PhoneAssistant] != "" {
		lines = append(lines, "AGENT:BEGIN:VCARD")
		some("FN", c.Assistant)
		some("TEL", c.Phones[pim.PhoneAssistant])
	}
	some("TITLE", c.Title)
	some("ROLE", c.Profession)
	some("ORG", c.Company)
	some("NOTE", c.Notes)
	slices.Sort(lines)
	return lines
}

// mailing is the address that mail goes to.
func mailing(p pst.Properties) pim.Address {
	return pim.Address{Street: p.Text(pst.PidTagStreetAddress), City: p.Text(pst.PidTagLocality), State: p.Text(pst.PidTagStateOrProvince),
		PostalCode: p.Text(pst.PidTagPostalCode), Country: p.Text(pst.PidTagCountry), Box: p.Text(pst.PidTagPostOfficeBox)}
}

func cardEscaped(s string) string {
	return strings.NewReplacer("\r\n", `\n`, "\n", `\n`, `\`, `\\`, ",", `\,`, ";", `\;`).Replace(s)
}
