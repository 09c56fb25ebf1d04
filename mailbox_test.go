package keepwatch_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

func TestMailPaths(t *testing.T) {
	for _, c := range []struct {
		name   string
		depths []int
		names  []string
		want   []string
	}{
		{"a tree", []int{0, 1, 2, 1, 0}, []string{"Inbox", "2024", "May", "2025", "Sent"}, []string{"Inbox", "Inbox/2024", "Inbox/2024/May", "Inbox/2025", "Sent"}},
		{"twice, in another case", []int{0, 0, 0}, []string{"Team", "team", "TEAM"}, []string{"Team", "team (2)", "TEAM (3)"}},
		{"a slash in a name", []int{0, 1, 0, 1}, []string{"a", "b", "a/b", "c"}, []string{"a", "a/b", "a/b (2)", "a/b (2)/c"}},
		{"no name", []int{0, 0, 1}, []string{"", " / ", "\x00"}, []string{"(no name)", "(no name) (2)", "(no name) (2)/(no name)"}},
		{"a name that is made up is there", []int{0, 0, 0}, []string{"a (2)", "a", "a"}, []string{"a (2)", "a", "a (3)"}},
		{"depths that cannot be", []int{3, -1, 9}, []string{"a", "b", "c"}, []string{"a", "b", "b/c"}},
		{"called as an item is", []int{0, 1, 0, 0, 0}, []string{"#5", "#5", "#5", "#05x", "a/#7"}, []string{"#5 (2)", "#5 (2)/#5 (2)", "#5 (3)", "#05x", "a/#7 (2)"}},
		{"control characters", []int{0, 0, 0}, []string{"a\nb", "\x1b[2Ja", "a b"}, []string{"a b", "[2Ja", "a b (2)"}},
		{"no UTF-8", []int{0}, []string{"a\xff"}, []string{"a\uFFFD"}},
	} {
		if diff := cmp.Diff(c.want, keepwatch.MailPaths(c.depths, c.names)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestMailPathsOfMany: a thousand folders of one name take no time.
func TestMailPathsOfMany(t *testing.T) {
	names := make([]string, 20_000)
	for i := range names {
		names[i] = "same"
	}
	paths := keepwatch.MailPaths(make([]int, len(names)), names)
	if paths[19_999] != "same (20000)" {
		t.Errorf("the last is %q", paths[19_999])
	}
}

func TestInsideOfAnyCase(t *testing.T) {
	for _, c := range []struct {
		file, path, inside string
		ok                 bool
	}{
		{"Mail.PST", "mail.pst/Inbox/#1", "Inbox/#1", true}, {"a/Mail.PST", "A/mail.pst/", "", true}, {"Mail.PST", "mail.pst", "", true},
		{"Mail.PST", "mail.psts/x", "", false}, {"Mail.PST", "x/mail.pst", "", false}, {"ÜBUNG.pst", "übung.pst/ü", "ü", true}, {"", "", "", true},
	} {
		if inside, ok := keepwatch.InsideOfAnyCase(c.file, c.path); inside != c.inside || ok != c.ok {
			t.Errorf("%q in %q: %q %v", c.path, c.file, inside, ok)
		}
	}
}

func TestMailParts(t *testing.T) {
	for _, c := range []struct {
		folder string
		number int64
		want   string
	}{{"", 0, "m.pst/"}, {"Inbox", 0, "m.pst/Inbox"}, {"Inbox", 17, "m.pst/Inbox/#17"}, {"", 3, "m.pst/#3"}} {
		part := keepwatch.MailPart("m.pst", c.folder, c.number)
		if part != c.want {
			t.Errorf("%q, want %q", part, c.want)
		}
		inside, ok := keepwatch.InsideOf("m.pst", part)
		folder, number := keepwatch.CutMailItem(inside)
		if !ok || folder != c.folder || number != c.number {
			t.Errorf("%q is read as %q and %d", part, folder, number)
		}
	}
	for _, inside := range []string{"Inbox/#", "Inbox/#x", "Inbox/#0", "Inbox/#-1", "Inbox/#+1", "Inbox/17", "#99999999999999999999"} {
		if folder, number := keepwatch.CutMailItem(inside); number != 0 || folder != inside {
			t.Errorf("%q names the item %d of %q", inside, number, folder)
		}
	}
	if _, ok := keepwatch.InsideOf("m.pst", "m.pst"); ok {
		t.Error("a file leads into itself")
	}
}

func TestKindOfClass(t *testing.T) {
	for class, want := range map[string]keepwatch.ItemKind{
		"IPM.Note": keepwatch.ItemMail, "ipm.note.SMIME": keepwatch.ItemMail, "REPORT.IPM.Note.NDR": keepwatch.ItemMail, "IPM.Schedule.Meeting.Request": keepwatch.ItemMail, "": keepwatch.ItemMail, "IPM": keepwatch.ItemMail,
		"IPM.Appointment": keepwatch.ItemEvent, "IPM.Contact": keepwatch.ItemContact, "IPM.DistList": keepwatch.ItemContact, "IPM.Task": keepwatch.ItemTask, "IPM.TaskRequest.Accept": keepwatch.ItemMail, "IPM.StickyNote": keepwatch.ItemNote,
		"IPM.Activity": keepwatch.ItemOther, "IPM.Notebook": keepwatch.ItemOther, "something": keepwatch.ItemOther,
	} {
		if got := keepwatch.KindOfClass(class); got != want {
			t.Errorf("%q is %q, want %q", class, got, want)
		}
	}
	if got := keepwatch.CountKinds(map[keepwatch.ItemKind]int64{keepwatch.ItemOther: 1, keepwatch.ItemMail: 1200, keepwatch.ItemTask: 0}); got != "1,200 mails, 1 other item" {
		t.Errorf("%q", got)
	}
}

// TestMailboxSeals: a mailbox of any size goes into lines of a bounded length, and comes
// back as it was, beside others.
func TestMailboxSeals(t *testing.T) {
	large := keepwatch.Mailbox{Path: "large.pst", Items: 3, First: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)}
	for i := range 30_000 {
		large.Folders = append(large.Folders, keepwatch.MailFolder{Path: fmt.Sprintf("%s %d", strings.Repeat("\u0001\"", 60), i), Items: int64(i)})
	}
	large.Sum()
	small := keepwatch.Mailbox{Path: "small.pst", Folders: []keepwatch.MailFolder{{Path: "Inbox"}}, Count: 1}
	lines := append(large.Seal(), append(small.Seal(), keepwatch.Mailbox{Path: "empty.pst"}.Seal()...)...)
	for _, m := range lines {
		if data, err := json.Marshal(m); err != nil || len(data) > 1<<20 {
			t.Errorf("a line of %d bytes, %v", len(data), err)
		}
	}
	if diff := cmp.Diff([]keepwatch.Mailbox{large, small, {Path: "empty.pst"}}, keepwatch.UnsealMailboxes(lines)); diff != "" {
		t.Error(diff[:min(len(diff), 2000)])
	}
	if large.Count != 30_000 || len(large.Biggest) != 5 || large.Biggest[0].Items != 29_999 || large.Short().Folders != nil {
		t.Errorf("%d folders, the biggest are %+v", large.Count, large.Biggest)
	}
	// what goes on with nothing, as in a list that somebody has cut, is left out
	if got := keepwatch.UnsealMailboxes(lines[1:]); len(got) != 2 {
		t.Errorf("%d mailboxes of a list without its beginning", len(got))
	}
}
