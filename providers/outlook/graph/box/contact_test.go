package box

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
	"keepwatch/pst/pim"
)

// picture is the beginning of a JPEG.
var picture = []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9")

func person() graphtest.Contact {
	return graphtest.Contact{
		GivenName: "Bea", Surname: "Ünal; jr", MiddleName: "M.", NickName: "Bee", Title: "Dr.", Company: "Fabrikam, Ltd", Department: "Sales", JobTitle: "Head", Office: "2.14",
		Emails:         []graphtest.Address{{Name: "Bea Ünal", Address: "bea@fabrikam.example"}, {Address: "b@home.example"}, {Address: "third@home.example"}},
		BusinessPhones: []string{"+44 1", "+44 2", "+44 3"}, HomePhones: []string{"+44 4", "+44 5"}, MobilePhone: "+44 6",
		Business: graphtest.Postal{Street: "1 High St\r\nFloor 2", City: "Ruthin", State: "Denbs", PostalCode: "LL15", Country: "Wales"},
		Home:     graphtest.Postal{Street: "2 Low St", City: "Chester"}, Other: graphtest.Postal{City: "Bonn", Country: "Germany"},
		Birthday: time.Date(1980, 2, 29, 0, 0, 0, 0, time.UTC), Notes: "First line\r\nsecond; line", Categories: []string{"Red", "Blue one"}, HomePage: "https://fabrikam.example",
		IM: []string{"bea@im.example"}, Children: []string{"Cid", "Dan"}, Spouse: "Eve", Assistant: "Fay", Manager: "Gus", Profession: "Engineer", Photo: picture,
	}
}

func TestContactAsACard(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	item := w.b.Contacts("Friends").Contact(person())
	c, text := w.content(w.folder(outlook.Contacts, "Contacts/Friends"), item.ID(true))
	if c.Form != outlook.VCF || c.Rebuilt != "" || len(c.Notes) > 0 || !json.Valid(c.Item.Raw) {
		t.Errorf("%+v", c)
	}
	var got *pim.Contact
	for x, err := range pim.ReadCards(strings.NewReader(text)) {
		if err != nil || got != nil {
			t.Fatalf("%v", err)
		}
		got = x
	}
	want := &pim.Contact{
		Given: "Bea", Surname: "Ünal; jr", Middle: "M.", Nickname: "Bee", Prefix: "Dr.", Company: "Fabrikam, Ltd", Department: "Sales", Title: "Head", Office: "2.14",
		Work: pim.Address{Street: "1 High St\nFloor 2", City: "Ruthin", State: "Denbs", PostalCode: "LL15", Country: "Wales"}, Home: pim.Address{Street: "2 Low St", City: "Chester"}, Other: pim.Address{City: "Bonn", Country: "Germany"},
		Birthday: pim.Date{Year: 1980, Month: 2, Day: 29}, WorkPage: "https://fabrikam.example", IM: "bea@im.example", Spouse: "Eve", Assistant: "Fay", Manager: "Gus", Profession: "Engineer", UID: item.ID(true),
	}
	for _, x := range []struct{ name, got, want string }{
		{"given", got.Given, want.Given}, {"surname", got.Surname, want.Surname}, {"middle", got.Middle, want.Middle}, {"nickname", got.Nickname, want.Nickname}, {"prefix", got.Prefix, want.Prefix},
		{"company", got.Company, want.Company}, {"department", got.Department, want.Department}, {"title", got.Title, want.Title}, {"office", got.Office, want.Office},
		{"page", got.WorkPage, want.WorkPage}, {"spouse", got.Spouse, want.Spouse}, {"assistant", got.Assistant, want.Assistant}, {"manager", got.Manager, want.Manager}, {"profession", got.Profession, want.Profession},
		{"photo", string(got.Photo), string(picture)}, {"children", strings.Join(got.Children, "|"), "Cid|Dan"}, {"categories", strings.Join(got.Categories, "|"), "Red|Blue one"}, {"uid", got.UID, want.UID},
		{"phone", got.Phones[pim.PhoneWork], "+44 1"}, {"second phone", got.Phones[pim.PhoneWork2], "+44 2"}, {"home phone", got.Phones[pim.PhoneHome2], "+44 5"}, {"mobile", got.Phones[pim.PhoneMobile], "+44 6"},
		{"notes", got.Notes, "First line\nsecond; line\n\nBusiness phone: +44 3"}, {"e-mail", got.Emails[2].Address, "third@home.example"},
	} {
		if x.got != x.want {
			t.Errorf("%s: %q, want %q", x.name, x.got, x.want)
		}
	}
	for _, x := range [][2]pim.Address{{got.Work, want.Work}, {got.Home, want.Home}, {got.Other, want.Other}} {
		x[0].Label = ""
		if x[0] != x[1] {
			t.Errorf("address %+v, want %+v", x[0], x[1])
		}
	}
	if got.Birthday != want.Birthday || !strings.Contains(got.IM, "bea@im.example") {
		t.Errorf("%+v %q", got.Birthday, got.IM)
	}
}

func TestContactsWithAndWithout(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	id := w.b.Contacts().Contact(graphtest.Contact{Company: "Fabrikam"}).ID(true)
	f := w.folder(outlook.Contacts, "Contacts")
	it := w.whole(f).items[id]
	if it.Subject != "Fabrikam" || it.At.IsZero() || it.Change == "" {
		t.Errorf("%+v", it)
	}
	w.n.ForgetRequests()
	if c, text, err := w.bring(it); err != nil || strings.Contains(text, "PHOTO") || len(c.Notes) > 0 {
		t.Errorf("%v %q", err, c.Notes)
	}
	if n := len(w.n.Requests()); n != 1 { // the picture: all else was in the listing
		t.Errorf("%d calls for a contact", n)
	}
	it.Raw = nil
	c, text, err := w.bring(it)
	if err != nil || !strings.Contains(text, "Fabrikam") || len(c.Item.Raw) == 0 {
		t.Errorf("without the listing: %v", err)
	}
	w.n.Fail(graphtest.Fault{Status: 500, Code: "ErrorCorruptData", Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/photo/$value") }})
	if c, _, err = w.bring(it); err != nil || !slices.Equal(c.Notes, []string{"Its picture is not in it (ErrorCorruptData: Internal Server Error)"}) {
		t.Errorf("%q %v", c.Notes, err)
	}
}
