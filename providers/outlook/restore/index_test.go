package restore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// TestIndexNumbersAsARestore: the number that a list shows is the one by which a restore
// knows the item, also where an archive of changes has taken items out and put others in.
func TestIndexNumbersAsARestore(t *testing.T) {
	a := &archives{}
	set := office(a)
	x := NewIndex(set.From, time.Now)
	gone := outlook.Item{ID: "a", Folder: "in", Kind: outlook.Mail}
	gone.Removed = "deleted"
	late := line("in", "z", "late")
	late.At = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	changes := a.add("alis-mail/2026-11-21", outlook.State{Base: set.Archive.Ref(), Folders: []outlook.FolderState{folder("in", outlook.Mail, false, "Posteingang")}}, []outlook.Line{late}, gone)
	for _, s := range []providers.Set{set, changes} {
		page, err := x.Page(t.Context(), s.Archive, "mail/Posteingang", 1, 10)
		if err != nil || page.Total == 0 || page.Folder.Path != "Posteingang" {
			t.Fatalf("%v %+v", err, page)
		}
		p, _ := bench(t, &exchange{})
		for _, item := range page.Items {
			plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{s}, keepwatch.ReturnAsk{Parts: []string{fmt.Sprintf("Posteingang/#%d", item.Number)}})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(plan.Items) == 1 {
				got = plan.Items[0].Name
			}
			if item.Broken != "" && got != "" || item.Broken == "" && got != "Posteingang, 1 mail: "+item.Subject {
				t.Errorf("%s: #%d is listed as %q (%s) and restored as %q", s.Archive.Ref(), item.Number, item.Subject, item.Broken, got)
			}
		}
	}
}

func TestIndexPages(t *testing.T) {
	a := &archives{}
	set := office(a)
	x := NewIndex(set.From, time.Now)
	list := func(page keepwatch.MailPage, err error) string {
		var words []string
		for _, i := range page.Items {
			words = append(words, fmt.Sprintf("#%d %s%s", i.Number, i.Subject, i.Broken))
		}
		return strings.Join(words, ", ") + keepwatch.Sentence(err)
	}
	for _, c := range []struct {
		part    string
		from, n int
		want    string
	}{
		{"inbox", 1, 10, "#3 Minutes of March, #1 one, #2 twoit cannot be had"},
		{"Posteingang/", 2, 1, "#1 one"},
		{"Posteingang", 99, 10, "#2 twoit cannot be had"},
		{"Posteingang/#2", 1, 10, "#2 twoit cannot be had"},
		{"Posteingang/#4", 1, 10, "Posteingang holds 3 items, so there is no #4 in it."},
		{"mail/Posteingang/a/b", 1, 10, "#1 four"},
		{"contacts/Posteingang", 1, 10, "There is no folder contacts/Posteingang in the archive."},
		{"contacts", 1, 10, "contacts is not one folder. Name one of these: Kontakte, Kontakte/Team."},
	} {
		if got := list(x.Page(t.Context(), set.Archive, c.part, c.from, c.n)); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s from %d: %s, want %s", c.part, c.from, got, c.want)
		}
	}
	folders, err := x.Folders(t.Context(), set.Archive)
	if err != nil || len(folders) != 10 || folders[1].Path != "Posteingang/a/b" {
		t.Errorf("%v %+v", err, folders)
	}
}

func TestIndexFinds(t *testing.T) {
	a := &archives{}
	set := office(a)
	x := NewIndex(set.From, time.Now)
	for _, c := range []struct {
		part string
		q    keepwatch.MailQuery
		want string
	}{
		{"", keepwatch.MailQuery{Text: "MINUTES"}, "Posteingang/a/b#1 Posteingang#3"},
		{"inbox", keepwatch.MailQuery{Text: "march"}, "Posteingang#3"},
		{"Posteingang/a/b", keepwatch.MailQuery{Text: "march"}, ""},
		{"", keepwatch.MailQuery{Text: "minutes", To: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)}, "Posteingang#3"},
	} {
		hits, err := x.Find(t.Context(), set.Archive, c.part, c.q, 1, 10)
		var words []string
		for _, h := range hits.Hits {
			words = append(words, fmt.Sprintf("%s#%d", h.Folder, h.Item.Number))
		}
		if got := strings.Join(words, " "); err != nil || got != c.want || hits.Total != int64(len(words)) {
			t.Errorf("%s %+v: %v %q, want %q", c.part, c.q, err, got, c.want)
		}
	}
}
