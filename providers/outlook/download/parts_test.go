package download_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/download"
)

// german is a mailbox whose folders have names of another language, a name with a slash,
// one that hides what it is in, and folders that nobody sees.
func german() []outlook.Folder {
	folder := func(kind outlook.Kind, id, parent, wellKnown string, path ...string) outlook.Folder {
		return outlook.Folder{ID: id, Parent: parent, Kind: kind, WellKnown: wellKnown, Path: path}
	}
	hidden := folder(outlook.Mail, "hidden", "", "", "Versteckt")
	hidden.Hidden = true
	purges := folder(outlook.Mail, "deletions", "root", "recoverableitemsdeletions", "Deletions")
	purges.Recoverable = true
	quiet := folder(outlook.Mail, "quiet", "in", "", "Posteingang", "Still")
	quiet.Hidden = true
	people := folder(outlook.Contacts, "people", "", "contacts", "Kontakte")
	people.Default = true
	days := folder(outlook.Calendar, "days", "", "", "Kalender")
	days.Default = true
	return []outlook.Folder{
		folder(outlook.Mail, "in", "", "inbox", "Posteingang"), folder(outlook.Mail, "projects", "in", "", "Posteingang", "Projekte"), folder(outlook.Mail, "old", "projects", "", "Posteingang", "Projekte", "Alt"), quiet,
		folder(outlook.Mail, "sent", "", "sentitems", "Gesendete Elemente"),
		folder(outlook.Mail, "a", "", "", "A"), folder(outlook.Mail, "a-b", "a", "", "A", "B"), folder(outlook.Mail, "slash", "", "", "A/B"), folder(outlook.Mail, "slash-c", "slash", "", "A/B", "C"),
		folder(outlook.Mail, "mail-contacts", "", "", "Contacts"), folder(outlook.Mail, "mail-mail", "", "", "Mail"), folder(outlook.Mail, "mail-x", "mail-mail", "", "Mail", "X"),
		hidden, folder(outlook.Mail, "in-hidden", "hidden", "", "Versteckt", "Tief"), purges,
		people, folder(outlook.Contacts, "family", "people", "", "Kontakte", "Familie"), folder(outlook.Contacts, "club", "", "", "Verein"),
		days, folder(outlook.Calendar, "team", "", "", "Team"),
	}
}

func TestSelect(t *testing.T) {
	mail := "in projects old sent a a-b slash slash-c mail-contacts mail-mail mail-x"
	for _, c := range []struct{ parts, want, missing string }{
		{"", mail + " people family club days team", ""},
		{"mail", mail, ""},
		{"MAIL, Calendars", mail + " days team", ""},
		{"contacts", "people family club", ""},
		{"hidden", "quiet hidden in-hidden", ""},
		{"recoverable", "deletions", ""},
		{"mail,hidden,recoverable", "in projects old quiet sent a a-b slash slash-c mail-contacts mail-mail mail-x hidden in-hidden deletions", ""},
		{"Inbox,Contacts", "in projects old people family club", ""},
		{"inbox,hidden", "in projects old quiet hidden in-hidden", ""},
		{"Posteingang", "in projects old", ""},
		{"INBOX/projekte", "projects old", ""},
		{"Posteingang/Projekte/", "projects old", ""},
		{"Sent Items", "sent", ""},
		{"sentitems", "sent", ""},
		{"mail/Sent Items", "sent", ""},
		{"A/B", "slash slash-c", ""},
		{"a/b/c", "slash-c", ""},
		{"A", "a a-b", ""},
		{"mail/Contacts", "mail-contacts", ""},
		{"mail/x", "mail-x", ""},
		{"Versteckt", "hidden in-hidden", ""},
		{"recoverableitemsdeletions", "deletions", ""},
		{"contacts/Familie", "family", ""},
		{"contacts/contacts/familie", "family", ""},
		{"contacts/Kontakte", "people family", ""},
		{"calendar/team,calendars/Kalender", "days team", ""},
		{"Team", "", "Team"},
		{"Inbox,Inbx,contacts/Inbox", "in projects old", "Inbx contacts/Inbox"},
	} {
		var parts []string
		if c.parts != "" {
			parts = strings.Split(c.parts, ",")
		}
		chosen, missing := download.Select(parts, german())
		var ids []string
		for _, f := range chosen {
			ids = append(ids, f.ID)
		}
		if got := strings.Join(ids, " "); got != c.want || strings.Join(missing, " ") != c.missing {
			t.Errorf("%s: %s, missing %q; want %s", c.parts, got, missing, c.want)
		}
	}
}

func TestSelectEndsWhereFoldersLieInEachOther(t *testing.T) {
	folders := []outlook.Folder{{ID: "a", Parent: "b", Kind: outlook.Mail, Path: []string{"a"}}, {ID: "b", Parent: "a", Kind: outlook.Mail, Path: []string{"b"}}}
	if chosen, _ := download.Select([]string{"a"}, folders); len(chosen) != 2 {
		t.Errorf("%v", chosen)
	}
}

func TestWishOf(t *testing.T) {
	all := []outlook.Kind{outlook.Mail, outlook.Contacts, outlook.Calendar}
	for _, c := range []struct {
		parts []string
		want  outlook.Wish
	}{
		{nil, outlook.Wish{Kinds: all}},
		{[]string{"calendar", "mail"}, outlook.Wish{Kinds: []outlook.Kind{outlook.Mail, outlook.Calendar}}},
		{[]string{"contacts/Family"}, outlook.Wish{Kinds: []outlook.Kind{outlook.Contacts}}},
		{[]string{"hidden"}, outlook.Wish{Kinds: all[:1], Hidden: true}},
		{[]string{"Recoverable"}, outlook.Wish{Kinds: all[:1], Recoverable: true}},
		{[]string{"Inbox", "Contacts"}, outlook.Wish{Kinds: all[:2], Hidden: true}},
		{[]string{"recoverableitemspurges"}, outlook.Wish{Kinds: all[:1], Hidden: true, Recoverable: true}},
	} {
		if got := download.WishOf(c.parts); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %+v", c.parts, got)
		}
	}
}

func TestPlan(t *testing.T) {
	w := newWorld(t).small()
	w.box.get("Inbox").Bytes, w.box.get("Sent").Bytes = 1000, 500
	for _, c := range []struct {
		parts        []string
		text         string
		items, bytes int64
	}{
		{nil, "alis@contoso.example: 6 folders", 38, 1500},
		{[]string{"Inbox"}, "alis@contoso.example: 2 folders", 18, 1000},
		{[]string{"contacts"}, "alis@contoso.example: 1 folder", 5, 0},
	} {
		w.job.Parts = c.parts
		got, err := w.provider().Plan(t.Context(), w.job)
		if want := (keepwatch.Plan{Items: c.items, Bytes: c.bytes, Text: c.text}); err != nil || got != want {
			t.Errorf("%q: %+v, %v", c.parts, got, err)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	for _, c := range []struct {
		part string
		want []string
	}{
		{"Inbx", []string{`no folder "Inbx"`, "Did you mean Inbox?"}},
		{"project", []string{"Did you mean Inbox/Projects?"}},
		{"Quarterly", []string{"It has Inbox, Inbox/Projects, Sent and Empty.", "calendar/Team"}},
		{"calendar/Team", []string{`no calendar "calendar/Team"`, "It has calendar/Calendar."}},
		{"recoverable", []string{"nothing to back up"}},
		{"a\x1bb", []string{"no part of a mailbox"}},
	} {
		w := newWorld(t).small()
		w.job.Parts = []string{c.part}
		_, err := w.provider().Plan(t.Context(), w.job)
		if keepwatch.KindOf(err) != keepwatch.KindInvalid || slices.ContainsFunc(c.want, func(s string) bool { return !strings.Contains(keepwatch.Sentence(err), s) }) {
			t.Errorf("%q: %v", c.part, err)
		}
		if c.part != "a\x1bb" {
			if of := w.download(t.Context()); keepwatch.Sentence(of) != keepwatch.Sentence(err) {
				t.Errorf("%q: a download says %v", c.part, of)
			}
		}
	}
}

func TestNotConfigured(t *testing.T) {
	w := newWorld(t)
	w.box = nil
	_, err := w.provider().Plan(t.Context(), w.job)
	for _, want := range []string{"MICROSOFT_TENANT_ID", "MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET", "MICROSOFT_CLIENT_CERTIFICATE", "docs/outlook.md"} {
		if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), want) {
			t.Errorf("%v: no %s", err, want)
		}
	}
	if of := w.download(t.Context()); keepwatch.Sentence(of) != keepwatch.Sentence(err) {
		t.Errorf("a download says %v", of)
	}
}
