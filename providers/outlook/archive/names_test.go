package archive

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"keepwatch/providers/outlook"
)

func TestSafeName(t *testing.T) {
	for name, want := range map[string]string{
		"Subject of it":               "Subject of it",
		"Re: Offer: now":              "Re Offer now",
		"12:30":                       "12-30",
		`a/b\c|d<e>f?g*h"i`:           "a-b-c-d_e_f_g_h'i",
		"  two\t\r\n words . ":        "two words",
		"...":                         "",
		".profile":                    "profile",
		"CON":                         "CON_",
		"con.txt":                     "con_.txt",
		"aux .x":                      "aux_ .x",
		"COM¹":                        "COM¹_",
		"COM10":                       "COM10",
		"console":                     "console",
		"a\x00b\x1fc\u202Egnp.exe":    "abcgnp.exe",
		"Cafe\u0301":                  "Caf\u00e9",
		"bad \xff byte":               "bad \uFFFD byte",
		"\U0001F468\u200D\U0001F469":  "\U0001F468\u200D\U0001F469",
		"non\u00a0breaking\u3000wide": "non breaking wide",
		"":                            "",
	} {
		if got := safeName(name, maxName); got != want {
			t.Errorf("%q became %q, not %q", name, got, want)
		}
	}
	for _, long := range []string{strings.Repeat("ä", 500), strings.Repeat("\U0001F600", 200), strings.Repeat("a\u0301", 5000), strings.Repeat("x", 119) + ". y"} {
		got := safeName(long, maxName)
		if len(got) > maxName || len(got) < maxName-4 || !utf8.ValidString(got) || !norm.NFC.IsNormalString(got) || strings.HasSuffix(got, ".") {
			t.Errorf("a long name became %q, of %d bytes", got, len(got))
		}
	}
}

// TestNamesOfItemsAreUnique: thousands of items of one name have different ones, the same in
// each attempt, on every file system.
func TestNamesOfItemsAreUnique(t *testing.T) {
	subjects := []string{"Alert", "ALERT", "Straße", "STRASSE", "alert.", "A\u0301", "\u00c1", "x (aaaa)", "", strings.Repeat("long ", 100), "Alert\u200D"}
	at := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	var before []string
	for range 2 {
		n, seen := newNames(), map[string]bool{}
		var all []string
		for i := range 5000 {
			it := outlook.Item{ID: fmt.Sprint(i), Kind: []outlook.Kind{outlook.Mail, outlook.Contacts, outlook.Calendar}[i%3], Subject: subjects[i%len(subjects)], At: at}
			if i%1000 > 990 {
				it.ID = "one that comes again and again"
			}
			name := n.item(it, time.UTC)
			if key := foldedName(name); seen[key] || len(name) > maxName || safeName(name, maxName) != name {
				t.Fatalf("item %d: %q is taken, or is too long, or is not safe", i, name)
			} else {
				seen[key] = true
			}
			all = append(all, name)
		}
		if before != nil && strings.Join(all, "\n") != strings.Join(before, "\n") {
			t.Error("the names are others in the second attempt")
		}
		before = all
	}
}

func TestNamesOfItemsSayTheDateOfTheirZone(t *testing.T) {
	zone := time.FixedZone("east", 5*3600)
	at := time.Date(2026, 11, 23, 22, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		it   outlook.Item
		want string
	}{
		{outlook.Item{Kind: outlook.Mail, Subject: "a", At: at}, "2026-11-24 0330 a.eml"},
		{outlook.Item{Kind: outlook.Mail, Subject: "a", Sent: at}, "2026-11-24 0330 a.eml"},
		{outlook.Item{Kind: outlook.Mail, Subject: "a"}, "a.eml"},
		{outlook.Item{Kind: outlook.Mail, Subject: "a", At: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}, "a.eml"},
		{outlook.Item{Kind: outlook.Calendar, Subject: "Weekly", At: at}, "2026-11-24 Weekly.ics"},
		{outlook.Item{Kind: outlook.Contacts, At: at}, "no name.vcf"},
	} {
		if got := newNames().item(c.it, zone); got != c.want {
			t.Errorf("%+v is %q, not %q", c.it, got, c.want)
		}
	}
}

func TestTreeGivesEachFolderAPlace(t *testing.T) {
	deep := []outlook.Folder{{ID: "0", Kind: outlook.Mail, Path: []string{strings.Repeat("deep ", 20) + "0"}}}
	for i := 1; i < 30; i++ {
		path := append(deep[i-1].Path[:i:i], strings.Repeat("deep ", 20)+fmt.Sprint(i))
		deep = append(deep, outlook.Folder{ID: fmt.Sprint(i), Parent: fmt.Sprint(i - 1), Kind: outlook.Mail, Path: path})
	}
	folders := append(deep,
		outlook.Folder{ID: "a", Kind: outlook.Mail, Path: []string{"Contacts"}}, outlook.Folder{ID: "b", Kind: outlook.Contacts, Path: []string{"Contacts"}},
		outlook.Folder{ID: "c", Kind: outlook.Mail, Path: []string{"contacts"}}, outlook.Folder{ID: "d", Kind: outlook.Mail, Path: []string{"a/b", "c"}}, outlook.Folder{ID: "e", Kind: outlook.Mail, Path: []string{"a-b"}},
		outlook.Folder{ID: "f", Kind: outlook.Mail, Path: []string{"a/b"}}, outlook.Folder{ID: "g", Kind: outlook.Calendar, Path: []string{"Alis"}}, outlook.Folder{ID: "h", Kind: outlook.Calendar, Path: []string{"Alis"}},
		outlook.Folder{ID: "i", Kind: outlook.Mail, Path: []string{"Deleted Items"}}, outlook.Folder{ID: "j", Kind: outlook.Mail, Path: []string{"Papierkorb"}, WellKnown: "deleteditems"}, outlook.Folder{ID: "k", Kind: outlook.Mail, Path: []string{"\x01"}},
	)
	tr := newTree(folders)
	for id, want := range map[string][2]string{
		"a": {"mail/Contacts", "Contacts"}, "b": {"contacts/Contacts", "Contacts (2)"}, "c": {"mail/contacts (2)", "contacts (3)"}, "d": {"mail/a-b/c", "a/b|c"}, "e": {"mail/a-b (2)", "a-b"},
		"f": {"mail/a-b", "a/b"}, "g": {"calendar/Alis", "Alis"}, "h": {"calendar/Alis (2)", "Alis (2)"}, "i": {"mail/Deleted Items", "Deleted Items (2)"}, "j": {"mail/Papierkorb", "Deleted Items"}, "k": {"mail/no name", "no name"},
	} {
		if at := tr.byID[id]; at.dir != want[0] || strings.Join(at.inPST, "|") != want[1] || at.ID != id {
			t.Errorf("%s is %q and %q", id, at.dir, at.inPST)
		}
	}
	seen := map[string]bool{}
	for _, at := range tr.all {
		if key := foldedName(at.dir); seen[key] || len(at.dir) > maxDir || strings.Count(at.dir, "/") > len(at.inPST) {
			t.Errorf("%q is taken or too long", at.dir)
		} else {
			seen[key] = true
		}
	}
	if last := tr.byID["29"]; len(last.inPST) != 30 {
		t.Errorf("in the PST the deepest folder lies at %q", last.inPST)
	}
}
