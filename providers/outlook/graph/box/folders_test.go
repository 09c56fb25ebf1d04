package box

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
)

func titles(all []outlook.Folder) []string {
	var out []string
	for _, f := range all {
		out = append(out, f.Title())
	}
	return out
}

func TestMailFolders(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	deep := w.b.Folder("inbox", "Projects", "2026/27", "Spring")
	deep.Message(letter())
	w.b.Folder("inbox", "Secret").Hide().Message(letter())
	w.b.SearchFolder("Unread")
	w.b.Folder("recoverableitemsdeletions").Message(letter())
	for i := range 130 { // more than a page, and more than a batch
		w.b.Folder("Customers", fmt.Sprintf("Customer %03d", i), "Mail")
	}
	mail := outlook.Wish{Kinds: []outlook.Kind{outlook.Mail}}
	plain := w.folders(mail)
	all := titles(plain)
	for _, s := range []string{"Inbox", "Inbox/Projects/2026/27/Spring", "Sent Items", "Customers/Customer 129/Mail"} {
		if !slices.Contains(all, s) {
			t.Errorf("%q is not listed", s)
		}
	}
	for _, s := range []string{"Unread", "Inbox/Secret", "Recoverable Items/Deletions"} {
		if slices.Contains(all, s) {
			t.Errorf("%q is listed", s)
		}
	}
	seen := map[string]bool{"": true}
	for _, f := range plain {
		if !seen[f.Parent] {
			t.Errorf("%q comes before what it is in", f.Title())
		}
		if seen[f.ID] {
			t.Errorf("%q comes twice", f.Title())
		}
		seen[f.ID] = true
		if f.Title() == "Inbox" && f.WellKnown != "inbox" {
			t.Errorf("the inbox is known as %q", f.WellKnown)
		}
		if f.ID == deep.ID() && (f.Items != 1 || f.Bytes < 2000 || len(f.Path) != 4) {
			t.Errorf("%+v", f)
		}
	}
	more := w.folders(outlook.Wish{Kinds: mail.Kinds, Hidden: true, Recoverable: true})
	marks := map[string]outlook.Folder{}
	for _, f := range more {
		marks[f.Title()] = f
	}
	if f := marks["Inbox/Secret"]; !f.Hidden || f.Recoverable {
		t.Errorf("%+v", f)
	}
	if f := marks["Recoverable Items/Deletions"]; !f.Recoverable || f.Items != 1 || f.WellKnown != "recoverableitemsdeletions" || f.Parent == "" {
		t.Errorf("%+v", f)
	}
	if n := w.n.Count(func(r graphtest.Request) bool { return !r.Batch }); n > 60 {
		t.Errorf("%d calls for 270 folders, twice", n)
	}
}

func TestFoldersOfPeopleAndTimes(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	w.b.Contacts().Contact(graphtest.Contact{GivenName: "Bea"})
	w.b.Contacts("Suppliers", "Abroad").Contact(graphtest.Contact{GivenName: "Cid"})
	w.b.Calendar("").Event(graphtest.Event{Subject: "A", Start: w.clk.now, End: w.clk.now})
	w.b.Calendar("Team").Lent(graphtest.Address{Name: "Dan", Address: "dan@contoso.example"})
	w.b.Calendar("Own")
	all := w.folders(outlook.Wish{Kinds: []outlook.Kind{outlook.Contacts, outlook.Calendar}})
	var got []string
	for _, f := range all {
		got = append(got, fmt.Sprintf("%s %s default=%v readonly=%v items=%d", f.Kind, f.Title(), f.Default, f.ReadOnly, f.Items))
	}
	want := []string{
		"contacts Contacts default=true readonly=false items=1", "contacts Contacts/Suppliers default=false readonly=false items=0", "contacts Contacts/Suppliers/Abroad default=false readonly=false items=1",
		"calendar Calendar default=true readonly=false items=1", "calendar Team default=false readonly=true items=0", "calendar Own default=false readonly=false items=0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestFoldersSurvive: what goes wrong on the way is told, or waited for; no list is short.
func TestFoldersSurvive(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	for i := range 30 {
		w.b.Folder("inbox", fmt.Sprintf("F%02d", i), "Below")
	}
	wish := outlook.Wish{Kinds: []outlook.Kind{outlook.Mail, outlook.Contacts, outlook.Calendar}, Recoverable: true}
	want := len(w.folders(wish))
	w.n.Throttle(7, 5e9)
	w.n.ExpireTokens()
	if got := len(w.folders(wish)); got != want {
		t.Errorf("%d folders, want %d", got, want)
	}
	for _, f := range []graphtest.Fault{{Status: 403, Times: -1}, {Status: 404, Code: "MailboxNotEnabledForRESTAPI", Times: -1}} {
		w.n.Fail(f)
		_, err := w.box.Folders(context.Background(), alis, wish)
		var k *keepwatch.Error
		if !errors.As(err, &k) || k.Kind != keepwatch.KindAttention {
			t.Errorf("%d %s: %v", f.Status, f.Code, err)
		}
		if errors.Is(err, outlook.ErrGone) {
			t.Errorf("a mailbox that cannot be reached is taken for gone")
		}
		w.n.Heal()
	}
}
