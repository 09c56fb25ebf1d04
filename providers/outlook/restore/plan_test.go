package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// office is a mailbox with everything that a plan minds.
func office(a *archives) providers.Set {
	inbox := folder("in", outlook.Mail, true, "Posteingang")
	inbox.WellKnown = "inbox"
	people, team := folder("people", outlook.Contacts, true, "Kontakte"), folder("team", outlook.Contacts, true, "Kontakte", "Team")
	people.Default = true
	days, others := folder("days", outlook.Calendar, true, "Kalender"), folder("others", outlook.Calendar, true, "Bob")
	days.Default, others.ReadOnly = true, true
	dumpster, hidden := folder("gone", outlook.Mail, true, "Deletions"), folder("hid", outlook.Mail, true, "Quick Steps")
	dumpster.Recoverable, hidden.Hidden = true, true
	missing := line("in", "b", "two")
	missing.Path, missing.Missing = "", "it cannot be had"
	minutes := line("in", "c", "Minutes of March")
	minutes.At = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	file := line("sub", "d", "four")
	file.Path, file.At = "mail/sub/2026-03-05 minutes.eml", time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC)
	return a.add("alis-mail/2026-11-20", outlook.State{Folders: []outlook.FolderState{inbox, folder("sub", outlook.Mail, true, "Posteingang", "a/b"), folder("same", outlook.Mail, true, "Posteingang/a", "b"), folder("num", outlook.Mail, true, "#5"), people, team, days, others, dumpster, hidden}},
		[]outlook.Line{line("in", "a", "one"), missing, minutes, file, line("same", "e", "five"), line("num", "f", "six"), line("people", "g", "Bob"), line("team", "h", "Carol"), line("days", "i", "Party"), line("others", "j", "Trip"), line("gone", "k", "lost"), line("hid", "l", "step")})
}

func TestPlanReturnChooses(t *testing.T) {
	for _, c := range []struct {
		parts string
		want  string // the steps, with where they go behind ">"
	}{
		{"inbox", "Posteingang, 2 mails > Posteingang; Posteingang/a/b, 1 mail > Posteingang/a/b"},
		{"POSTEINGANG", "Posteingang, 2 mails > Posteingang; Posteingang/a/b, 1 mail > Posteingang/a/b"},
		{"Posteingang/a/b", "Posteingang/a/b, 1 mail > Posteingang/a/b"},
		{"/Posteingang/a/b (2)", "Posteingang/a/b (2), 1 mail > Posteingang/a/b"},
		{"#5 (2)", "#5 (2), 1 mail > #5"},
		{"contacts", "Kontakte, 1 contact > ; Kontakte/Team, 1 contact > Team"},
		{"calendar", "Kalender, 1 event > ; Bob, 1 event >  Bob"},
		{"inbox/#3", "Posteingang, 1 mail: Minutes of March > Posteingang"},
		{"inbox/#1|inbox/#3", "Posteingang, 2 mails > Posteingang"},
		{"inbox/#2", ""},
		{"find:MINUTES", "Posteingang, 1 mail > Posteingang; Posteingang/a/b, 1 mail > Posteingang/a/b"},
		{"find:minutes|find:march", "Posteingang, 1 mail > Posteingang"},
		{"find:minutes|since:2026-03-03T00:00:00Z", "Posteingang/a/b, 1 mail > Posteingang/a/b"},
		{"find:minutes|until:2026-03-03T00:00:00Z|inbox", "Posteingang, 1 mail > Posteingang"},
		{"find:bob@|contacts", "Kontakte, 1 contact > ; Kontakte/Team, 1 contact > Team"},
		{"inbox/#9", "Posteingang holds 3 items, so there is no #9 in it."},
		{"Nowhere", "There is no folder Nowhere in the archive. It holds: mail, contacts, calendar, Posteingang, "},
		{"find: ", "Say which text is looked for."},
		{"since:yesterday", "yesterday is no moment"},
	} {
		a := &archives{}
		p, _ := bench(t, &exchange{})
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{office(a)}, keepwatch.ReturnAsk{Parts: strings.Split(c.parts, "|")})
		var steps []string
		for _, item := range plan.Items {
			steps = append(steps, item.Name+" > "+strings.TrimPrefix(strings.TrimPrefix(item.Into, "alis@contoso.example/Restored 2026-11-23"), "/"))
		}
		if got := strings.Join(steps, "; ") + keepwatch.Sentence(err); got != c.want && !(err != nil && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s:\n%s, want\n%s", c.parts, got, c.want)
		}
	}
}

func TestPlanReturnInto(t *testing.T) {
	for _, c := range []struct{ into, parts, want string }{
		{"bob@contoso.example", "inbox/#1", "bob@contoso.example: bob@contoso.example/Restored 2026-11-23/Posteingang"},
		{"bob@contoso.example/From Alis", "inbox/#1", "bob@contoso.example: bob@contoso.example/From Alis"},
		{"bob@contoso.example/From Alis", "Posteingang/a/b", "bob@contoso.example: bob@contoso.example/From Alis/Posteingang/a/b"},
		{"ALIS@contoso.example", "inbox/#1", "alis@contoso.example: alis@contoso.example/Restored 2026-11-23/Posteingang"},
		{"/Desk / Now/", "inbox/#1", "alis@contoso.example: alis@contoso.example/Desk/Now"},
		{"original", "#5 (2)", "alis@contoso.example: alis@contoso.example/#5"},
		{"/Desk", "Bob", "alis@contoso.example: alis@contoso.example/Desk Bob"},
		{"somewhere", "inbox", "somewhere is neither a mailbox"}, {"/", "inbox", "/ is neither"}, {"@x", "inbox", "@x is neither"}, {"a@", "inbox", "a@ is neither"},
	} {
		a := &archives{}
		p, _ := bench(t, &exchange{})
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{office(a)}, keepwatch.ReturnAsk{Parts: []string{c.parts}, Into: c.into})
		got := keepwatch.Sentence(err)
		if len(plan.Items) > 0 {
			got = plan.Items[0].Mailbox + ": " + plan.Items[0].Into
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s: %s", c.into, c.parts, got)
		}
	}
	a := &archives{}
	p, _ := bench(t, &exchange{})
	if _, err := p.PlanReturn(t.Context(), alis, []providers.Set{office(a)}, keepwatch.ReturnAsk{Present: "replace"}); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Error(err)
	}
	if _, err := (&Returner{}).PlanReturn(t.Context(), alis, nil, keepwatch.ReturnAsk{}); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Error(err)
	}
}

// TestPlanReturnMinds holds what whoever confirms is told.
func TestPlanReturnMinds(t *testing.T) {
	a := &archives{}
	p, _ := bench(t, &exchange{})
	set := office(a)
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Into: "original", Present: "copy"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"misses 1 item, which Microsoft 365 did not give when it was made (1 in Posteingang)", "What is in the folder already comes twice, since --present copy", "retention policies"} {
		if !slices.ContainsFunc(plan.Mind, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("%q is not said: %q", want, plan.Mind)
		}
	}
	for into, parts := range map[string]int{"original": 2, "/Desk": 2, "": 0} {
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Into: into, Parts: []string{"contacts", "Kalender"}})
		if err != nil || len(plan.Mind) != parts || parts > 0 && (!strings.Contains(plan.Mind[0], "One that somebody has made anew is not") || !strings.Contains(plan.Mind[1], "of its single times none is put back")) {
			t.Errorf("into %q: %q %v", into, plan.Mind, err)
		}
	}
	want := []string{
		"Bob is a calendar of others, which is theirs to change. It can be put into a calendar of its own: --to mailbox.",
		"Deletions holds what was deleted for good, and nobody can write there. It can be put into a new folder: --to mailbox.",
		"Quick Steps is a hidden folder, in which programs keep their own things. It can be put into a new folder: --to mailbox.",
	}
	if d := cmp.Diff(want, plan.Not); d != "" {
		t.Error(d)
	}
	other := alis
	other.Mailbox = "carol@contoso.example"
	plan, err = p.PlanReturn(t.Context(), other, []providers.Set{set}, keepwatch.ReturnAsk{Into: "bob@contoso.example", Parts: []string{"inbox"}})
	if err != nil || !strings.HasPrefix(plan.Mind[0], "alis-mail/2026-11-20 is of the mailbox alis@contoso.example, and keepwatch.yaml now says carol@contoso.example") || !strings.Contains(plan.Mind[1], "whoever reads bob@contoso.example") {
		t.Errorf("%q %v", plan.Mind, err)
	}
	p.cfg.Server = nobody{}
	if _, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Into: "bbo@contoso.example"}); keepwatch.Sentence(err) != "There is no mailbox bbo@contoso.example." {
		t.Error(err)
	}
}

// nobody is a Server that knows one mailbox, with a folder that was renamed.
type nobody struct{ outlook.Server }

func (nobody) Folders(_ context.Context, mailbox string, wish outlook.Wish) ([]outlook.Folder, error) {
	if mailbox != "alis@contoso.example" {
		return nil, keepwatch.Errorf(keepwatch.KindNotFound, "There is no mailbox %s.", mailbox)
	}
	return []outlook.Folder{{ID: "in", Kind: wish.Kinds[0], Path: []string{"Inbox"}, Items: -1}}, nil
}

// TestReturnToRenamed: a folder that was renamed since is known by its ID.
func TestReturnToRenamed(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, _ := bench(t, x)
	p.cfg.Server = nobody{}
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{office(a)}, keepwatch.ReturnAsk{Into: "original", Parts: []string{"Posteingang/#1"}})
	if err != nil {
		t.Fatal(err)
	}
	carry(t, p, plan, a)
	if len(x.folders) > 0 || len(x.items["in"]) != 1 || x.held != 1 {
		t.Errorf("%+v, %d asked for", x, x.held)
	}
}

// anew is a Server of a mailbox that was made anew, in another language.
type anew struct{ outlook.Server }

func (anew) Folders(_ context.Context, _ string, wish outlook.Wish) (list []outlook.Folder, err error) {
	for _, f := range []outlook.Folder{
		{ID: "new-in", Kind: outlook.Mail, Path: []string{"Inbox"}, WellKnown: "inbox"}, {ID: "new-people", Kind: outlook.Contacts, Path: []string{"Contacts"}, Default: true},
		{ID: "new-others", Kind: outlook.Calendar, Path: []string{"Kalender"}, ReadOnly: true, Default: true}, {ID: "new-days", Kind: outlook.Calendar, Path: []string{"Calendar"}, Default: true},
	} {
		if slices.Contains(wish.Kinds, f.Kind) {
			list = append(list, f)
		}
	}
	return list, nil
}

// TestReturnToAnotherLanguage: the folders that every mailbox has are found by what they
// are, where nothing has the ID or the name of the archive.
func TestReturnToAnotherLanguage(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, _ := bench(t, x)
	p.cfg.Server = anew{}
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{office(a)}, keepwatch.ReturnAsk{Into: "original", Parts: []string{"inbox", "contacts", "Kalender"}})
	if err != nil {
		t.Fatal(err)
	}
	carry(t, p, plan, a)
	var made []string
	for _, f := range x.folders {
		made = append(made, f.Parent+" > "+f.Name())
	}
	if d := cmp.Diff([]string{"new-in > a/b", "new-people > Team"}, made); d != "" || len(x.items["new-in"]) != 2 || len(x.items["new-people"]) != 1 || len(x.items["new-days"]) != 1 {
		t.Errorf("%s %+v", d, x.items)
	}
}

// TestReturnHostile: an index that nobody has written like that is refused in a sentence.
func TestReturnHostile(t *testing.T) {
	for name, index := range map[string]string{
		"no JSON": "{\"id\":\"a\"}\nhello\n", "no id": "{\"folder\":\"in\"}\n", "cut": `{"id":"a","fol`, "empty line": "\n\n", "long": strings.Repeat(" ", maxLine+1<<20),
	} {
		a := &archives{}
		p, _ := bench(t, &exchange{})
		set := home(a)
		for i, f := range a.files["alis-mail/2026-11-20"] {
			if f.path == outlook.IndexPath {
				a.files["alis-mail/2026-11-20"][i].data = []byte(index)
			}
		}
		if _, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{}); keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "index.jsonl") {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := &archives{}
	p, _ := bench(t, &exchange{})
	set := home(a)
	for _, state := range []string{"", "{}", `{"v":2}`} {
		a.files["alis-mail/2026-11-20"] = []archived{{path: outlook.StatePath, data: []byte(state)}}
		if _, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{}); keepwatch.KindOf(err) != keepwatch.KindAttention {
			t.Errorf("%q: %v", state, err)
		}
	}
}

// TestPlanReturnOfManyFolders: a run that could not be saved is refused.
func TestPlanReturnOfManyFolders(t *testing.T) {
	a := &archives{}
	p, _ := bench(t, &exchange{})
	var state outlook.State
	var list []outlook.Line
	for i := range mostSteps + 1 {
		id := fmt.Sprint(i)
		state.Folders, list = append(state.Folders, folder(id, outlook.Mail, true, "Folder "+id)), append(list, line(id, id, id))
	}
	set := a.add("alis-mail/2026-11-20", state, list)
	if _, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{}); keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.HasPrefix(keepwatch.Sentence(err), "That is 1,001 folders") {
		t.Error(err)
	}
	if plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Parts: []string{"Folder 7"}}); err != nil || len(plan.Items) != 1 {
		t.Errorf("%d %v", len(plan.Items), err)
	}
}

// TestReturnOrder: files that lie in another order than the index, and more of them than
// are waited for at once, come all the same; in order they come in one pass.
func TestReturnOrder(t *testing.T) {
	for _, shuffle := range []bool{false, true} {
		x, a := &exchange{}, &archives{shuffle: shuffle}
		p, _ := bench(t, x)
		var list []outlook.Line
		for i := range 3 * mostAhead {
			list = append(list, line("in", fmt.Sprint(i), fmt.Sprint(i)))
		}
		set := a.add("alis-mail/2026-11-20", outlook.State{Folders: []outlook.FolderState{folder("in", outlook.Mail, true, "Inbox")}}, list)
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{})
		if err != nil {
			t.Fatal(err)
		}
		carry(t, p, plan, a)
		got := x.in(t, "Restored 2026-11-23/Inbox")
		if got = slices.Compact(got); len(got) != len(list) || !shuffle && a.walks != 1 {
			t.Errorf("%d items in %d walks", len(got), a.walks)
		}
	}
}

// TestPlanReturnOfTwoChains: an old whole archive that is named together with one of changes
// that goes on from another is no base of that. Else mails that had come between are
// missing, and such as were removed come back.
func TestPlanReturnOfTwoChains(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, _ := bench(t, x)
	in := func(whole bool) []outlook.FolderState {
		return []outlook.FolderState{folder("in", outlook.Mail, whole, "Inbox")}
	}
	old := a.add("alis-mail/2026-11-01", outlook.State{Folders: in(true)}, []outlook.Line{line("in", "a", "removed since"), line("in", "b", "old")})
	a.add("alis-mail/2026-11-10", outlook.State{Folders: in(true)}, []outlook.Line{line("in", "b", "old"), line("in", "c", "between")})
	a.add("alis-mail/2026-11-11", outlook.State{Base: "alis-mail/2026-11-10", Folders: in(false)}, []outlook.Line{line("in", "d", "next")})
	last := a.add("alis-mail/2026-11-12", outlook.State{Base: "alis-mail/2026-11-11", Folders: in(false)}, []outlook.Line{line("in", "e", "last")})
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{last, old}, keepwatch.ReturnAsk{})
	if err != nil || len(plan.Items) != 1 {
		t.Fatalf("%+v %v", plan, err)
	}
	carry(t, p, plan, a)
	want := []string{"between=1-10 between", "last=1-12 last", "next=1-11 next", "old=1-10 old"}
	if d := cmp.Diff(want, x.in(t, "Restored 2026-11-23/Inbox")); d != "" {
		t.Error(d)
	}
}
