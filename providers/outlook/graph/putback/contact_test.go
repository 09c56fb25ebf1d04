package putback_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
)

// TestContactOfJSON: a contact that the archive has as the server's JSON is the same again.
func TestContactOfJSON(t *testing.T) {
	w := newWorld(t)
	was := graphtest.Contact{
		GivenName: "Dora", Surname: "Ek", MiddleName: "M", Title: "Dr", Company: "Fabrikam", Emails: []graphtest.Address{{Name: "Dora", Address: "dora@fabrikam.example"}}, BusinessPhones: []string{"+47 1"},
		MobilePhone: "+47 2", Business: graphtest.Postal{City: "Oslo", Country: "Norway"}, Birthday: time.Date(1980, 5, 6, 11, 59, 0, 0, time.UTC), Notes: "likes ü", Categories: []string{"Red"}, Children: []string{"Eve"},
	}
	before := w.box.Contacts().Contact(was)
	raw := w.get("contacts/" + url.PathEscape(before.ID(true)))
	f := w.folder(outlook.Contacts, "Restored")
	done := w.put(f, outlook.Item{ID: "c", Raw: raw}, lines("BEGIN:VCARD", "VERSION:3.0", "FN:Only of the file", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRg==", "END:VCARD"))
	got := w.inside(f)[0].Person()
	if len(got.Photo) != 10 || len(done.Notes) != 0 {
		t.Errorf("%d bytes of picture, %v", len(got.Photo), done.Notes)
	}
	got.Photo, was.DisplayName = nil, "Dora Ek"
	if d := cmp.Diff(was, got); d != "" {
		t.Error(d)
	}
}

func TestContactOfCard(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Contacts, "Restored")
	w.put(f, outlook.Item{ID: "c"}, lines("BEGIN:VCARD", "VERSION:3.0", "N:Ek;Dora;M;Dr;", "FN:Dora Ek", "ORG:Fabrikam;Sales", "TITLE:Head", "TEL;TYPE=WORK:+47 1", "TEL;TYPE=CELL:+47 2", "TEL;TYPE=PAGER:+47 3",
		"EMAIL:dora@fabrikam.example", "ADR;TYPE=HOME:;;Street 1;Oslo;;0150;Norway", "BDAY:1980-05-06", "NOTE:first\\nsecond", "CATEGORIES:Red,Blue", "END:VCARD"))
	x := w.inside(f)[0].Person()
	got := []string{x.GivenName, x.Surname, x.MiddleName, x.Title, x.Company, x.Department, x.JobTitle, strings.Join(x.BusinessPhones, ","), x.MobilePhone, x.Home.Street, x.Home.City, x.Home.PostalCode, x.Home.Country, x.Emails[0].Address, x.Birthday.Format(time.RFC3339), strings.Join(x.Categories, ",")}
	want := []string{"Dora", "Ek", "M", "Dr", "Fabrikam", "Sales", "Head", "+47 1", "+47 2", "Street 1", "Oslo", "0150", "Norway", "dora@fabrikam.example", "1980-05-06T11:59:00Z", "Red,Blue"}
	if d := cmp.Diff(want, got); d != "" || !strings.Contains(x.Notes, "first\r\nsecond") || !strings.Contains(x.Notes, "Pager: +47 3") {
		t.Error(d, x.Notes)
	}
	// a group has no form in Graph
	done := w.put(f, outlook.Item{ID: "g"}, lines("BEGIN:VCARD", "VERSION:4.0", "KIND:group", "FN:Friends", "MEMBER:mailto:eve@fabrikam.example", "END:VCARD"))
	g := w.inside(f)[1].Person()
	if len(done.Notes) != 1 || g.DisplayName != "Friends" || !strings.Contains(g.Notes, "eve@fabrikam.example") {
		t.Errorf("%v %+v", done.Notes, g)
	}
	// a picture that is refused keeps the contact
	w.n.Fail(graphtest.Fault{Status: 400, Code: "ErrorInvalidImage", Match: func(r *http.Request) bool { return r.Method == "PUT" }})
	done = w.put(f, outlook.Item{ID: "p"}, things()["contact"].content)
	if !slices.Equal(done.Notes, []string{"Microsoft 365 does not take its picture"}) {
		t.Error(done.Notes)
	}
	if _, err := w.tryPut(t.Context(), f, outlook.Item{ID: "n"}, []byte("no card")); err == nil || len(w.inside(f)) != 3 {
		t.Errorf("%v, %d contacts", err, len(w.inside(f)))
	}
}

// TestFolders: a folder is made once, whatever happens.
func TestFolders(t *testing.T) {
	w := newWorld(t)
	for _, kind := range []outlook.Kind{outlook.Mail, outlook.Contacts, outlook.Calendar} {
		top := w.folder(kind, "Restored 2026")
		if again := w.folder(kind, "restored 2026"); again.ID != top.ID || top.Kind != kind || top.Name() != "Restored 2026" {
			t.Errorf("%+v %+v", top, again)
		}
		w.n.Fail(graphtest.Fault{Lost: true, Match: isPost})
		below, err := w.r.MakeFolder(t.Context(), ali, kind, top.ID, "Below/it")
		if err != nil || below.ID == "" || below.ID == top.ID {
			t.Fatalf("%s: %+v %v", kind, below, err)
		}
		again, err := w.r.MakeFolder(t.Context(), ali, kind, top.ID, "Below/it")
		if err != nil || again.ID != below.ID {
			t.Errorf("%s: %+v %v", kind, again, err)
		}
		if kind == outlook.Calendar && below.Name() != "Restored 2026 Below/it" {
			t.Error(below.Name())
		}
	}
	w.box.Folder("Secret").Hide()
	if f := w.folder(outlook.Mail, "Secret"); f.ID != w.box.Folder("Secret").ID() {
		t.Error("a hidden folder was not found")
	}
	if _, err := w.r.MakeFolder(t.Context(), ali, outlook.Mail, "", " "); err == nil {
		t.Error("a folder without a name was made")
	}
}

func TestHolds(t *testing.T) {
	w := newWorld(t)
	inbox := w.box.Folder("inbox")
	ids := []string{"", "<gone@x>"}
	for n := range 25 {
		id := "<o'" + string(rune('a'+n)) + "@x>"
		inbox.Message(graphtest.Message{MessageID: id})
		ids = append(ids, id)
	}
	held, err := w.r.Holds(t.Context(), ali, outlook.Folder{ID: inbox.ID(), Kind: outlook.Mail}, ids)
	if err != nil || len(held) != 25 || held["<gone@x>"] || !held["<o'c@x>"] {
		t.Errorf("%d %v", len(held), err)
	}
	if held, err = w.r.Holds(t.Context(), ali, outlook.Folder{ID: "x", Kind: outlook.Contacts}, []string{"a"}); err != nil || len(held) != 0 {
		t.Errorf("%v %v", held, err)
	}
}
