package restore

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// home is a mailbox in one whole archive.
func home(a *archives) providers.Set {
	people, days := folder("people", outlook.Contacts, true, "Contacts"), folder("days", outlook.Calendar, true, "Calendar")
	people.Default, days.Default = true, true
	return a.add("alis-mail/2026-11-20", outlook.State{Folders: []outlook.FolderState{folder("in", outlook.Mail, true, "Inbox"), folder("pro", outlook.Mail, true, "Inbox", "Projects"), people, days}}, []outlook.Line{line("in", "a", "one"), line("in", "b", "two"), line("pro", "c", "three"), line("people", "d", "Bob"), line("days", "e", "Party"), line("in", "f", "two")})
}

func TestReturnIntoANewFolder(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, spools := bench(t, x)
	set := home(a)
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{})
	if err != nil {
		t.Fatal(err)
	}
	var names, into []string
	for _, item := range plan.Items {
		names, into = append(names, item.Name), append(into, item.Into)
	}
	wantNames := []string{"Inbox, 3 mails", "Inbox/Projects, 1 mail", "Contacts, 1 mail", "Calendar, 1 mail"}
	wantInto := []string{"alis@contoso.example/Restored 2026-11-23/Inbox", "alis@contoso.example/Restored 2026-11-23/Inbox/Projects", "alis@contoso.example/Restored 2026-11-23", "alis@contoso.example/Restored 2026-11-23"}
	wantNames[2], wantNames[3] = "Contacts, 1 contact", "Calendar, 1 event"
	if d := cmp.Diff(wantNames, names) + cmp.Diff(wantInto, into); d != "" || len(plan.Mind) > 0 || len(plan.Not) > 0 {
		t.Errorf("%s %v %v", d, plan.Mind, plan.Not)
	}
	logs := carry(t, p, plan, a)
	if got := x.in(t, "Restored 2026-11-23/Inbox"); !slices.Equal(got, []string{"one=1-20 one", "two=1-20 two", "two=1-20 two"}) {
		t.Error(got)
	}
	if got := x.in(t, "Restored 2026-11-23/Inbox/Projects"); !slices.Equal(got, []string{"three=1-20 three"}) {
		t.Error(got)
	}
	if x.held != 0 || a.walks != 4 || len(spools.removed) != 4 {
		t.Errorf("an empty folder was asked for %d, %d walks, removed %v", x.held, a.walks, spools.removed)
	}
	if logs[0].Heed != "" || logs[0].Text != "3 mails put into alis@contoso.example/Restored 2026-11-23/Inbox." {
		t.Errorf("%+v", logs[0])
	}
	// The same once more on the same day makes no second ones.
	plan2, _ := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Parts: []string{"mail"}})
	item := plan2.Items[0]
	job := providers.Job{Source: alis, Run: 8, Report: func(keepwatch.Progress) {}}
	log, err := p.Return(t.Context(), job, item, a)
	if got := x.in(t, "Restored 2026-11-23/Inbox"); err != nil || len(got) != 3 || !strings.HasPrefix(log.Heed, "Nothing was put there, since all of it") {
		t.Errorf("%v %v %+v", got, err, log)
	}
}

// TestReturnCutOff: whichever answer is lost, whether or not the server has done what it
// was told, the folder holds everything once in the end.
func TestReturnCutOff(t *testing.T) {
	for _, how := range []struct{ undone, shuffle, single bool }{{false, false, false}, {true, false, false}, {false, true, false}, {false, false, true}} {
		for lose := 1; ; lose++ {
			x, a := &exchange{lose: lose, undone: how.undone}, &archives{shuffle: how.shuffle, single: how.single}
			p, _ := bench(t, x)
			plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{home(a)}, keepwatch.ReturnAsk{})
			if err != nil {
				t.Fatal(err)
			}
			carry(t, p, plan, a)
			got := slices.Concat(x.in(t, "Restored 2026-11-23/Inbox"), x.in(t, "Restored 2026-11-23/Inbox/Projects"), x.in(t, "Restored 2026-11-23"))
			if want := []string{"one=1-20 one", "two=1-20 two", "two=1-20 two", "three=1-20 three", "Bob=1-20 Bob", "Party=1-20 Party"}; !slices.Equal(got, want) {
				if slices.Sort(got[4:]); !slices.Equal(got, want) {
					t.Fatalf("%+v, call %d lost: %v", how, lose, got)
				}
			}
			if x.calls < lose {
				break
			}
		}
	}
}

// TestReturnKilled: killed at any point and begun anew, it makes no doubles and leaves
// none out, also where the folder was there with some of the items.
func TestReturnKilled(t *testing.T) {
	for _, kind := range []outlook.Kind{outlook.Mail, outlook.Contacts, outlook.Calendar} {
		t.Run(string(kind), func(t *testing.T) { killedEverywhere(t, kind) })
	}
}

func killedEverywhere(t *testing.T, kind outlook.Kind) {
	for at := 1; ; at++ {
		x, a := &exchange{}, &archives{}
		p, _ := bench(t, x)
		x.folders = []outlook.Folder{{ID: "old", Kind: kind, Path: []string{"Inbox"}}}
		id := "a"
		if kind == outlook.Mail { // which are known by their Message-ID
			id = "0"
		}
		x.items["old"] = []fakeItem{{id: id, subject: "one", messageID: "<a@x>", whole: true, content: "as it was"}}
		twin := line("in", "g", "three") // a second mail of the same Message-ID
		twin.MessageID = "<b@x>"
		set := a.add("alis-mail/2026-11-20", outlook.State{Folders: []outlook.FolderState{folder("in", kind, true, "Inbox")}}, []outlook.Line{line("in", "a", "one"), line("in", "b", "two"), twin})
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Into: "original"})
		if err != nil {
			t.Fatal(err)
		}
		points := 0
		p.cfg.Restorer = &oneHand{x}
		p.cfg.Crash = func(string) {
			if points++; points == at {
				x.failing = errLost // nothing more is done, as if the program had ended
			}
		}
		job := providers.Job{Source: alis, Run: 7, Report: func(keepwatch.Progress) {}}
		_, err = p.Return(t.Context(), job, plan.Items[0], a)
		x.failing = nil
		if err != nil {
			if _, err = p.Return(t.Context(), job, plan.Items[0], a); err != nil {
				t.Fatal(err)
			}
		}
		if got := x.in(t, "Inbox"); !slices.Equal(got, []string{"one=as it was", "three=1-20 three", "two=1-20 two"}) {
			t.Fatalf("killed at %d: %v", at, got)
		}
		if points < at {
			break
		}
	}
}

// oneHand is an exchange that takes one item at a time.
type oneHand struct{ *exchange }

func (oneHand) Lanes() int { return 1 }

// TestReturnMerges: an archive of changes goes on from others, which are found by
// themselves; what was removed is not put back, and what cannot be had now is as it was.
func TestReturnMerges(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, _ := bench(t, x)
	a.add("alis-mail/2026-11-20", outlook.State{Folders: []outlook.FolderState{folder("in", outlook.Mail, true, "Inbox"), folder("old", outlook.Mail, true, "Old"), folder("re", outlook.Mail, true, "Again")}},
		[]outlook.Line{line("in", "a", "one"), line("in", "b", "two"), line("in", "c", "three"), line("in", "d", "four"), line("old", "e", "five"), line("re", "f", "six")})
	poison := line("in", "d", "four")
	poison.Path, poison.Missing = "", "it cannot be converted"
	a.add("alis-mail/2026-11-21", outlook.State{Base: "alis-mail/2026-11-20", Folders: []outlook.FolderState{folder("in", outlook.Mail, false, "Eingang"), folder("re", outlook.Mail, true, "Again"), folder("new", outlook.Mail, true, "New")}},
		[]outlook.Line{line("in", "b", "two, changed"), poison, line("new", "c", "three"), line("re", "g", "seven")}, outlook.Item{ID: "c", Folder: "in", Kind: outlook.Mail, Removed: "changed"})
	set := a.add("alis-mail/2026-11-22", outlook.State{Base: "alis-mail/2026-11-21", Folders: []outlook.FolderState{folder("in", outlook.Mail, false, "Eingang"), folder("re", outlook.Mail, false, "Again"), folder("new", outlook.Mail, false, "New")}},
		[]outlook.Line{line("in", "h", "eight")}, outlook.Item{ID: "g", Folder: "re", Kind: outlook.Mail, Removed: "deleted"})
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{})
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, item := range plan.Items {
		steps = append(steps, fmt.Sprintf("%s from %v %s", item.Name, item.With, item.Archive))
	}
	if d := cmp.Diff([]string{
		"Eingang, 4 mails from [alis-mail/2026-11-20 alis-mail/2026-11-21] alis-mail/2026-11-22",
		"New, 1 mail from [alis-mail/2026-11-21] alis-mail/2026-11-22",
	}, steps); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"Old was no longer in the mailbox when alis-mail/2026-11-22 was made. To put it back, name alis-mail/2026-11-20 alone."}, plan.Not); d != "" {
		t.Error(d)
	}
	if len(plan.Mind) != 1 || !strings.Contains(plan.Mind[0], "misses 1 item") {
		t.Error(plan.Mind)
	}
	carry(t, p, plan, a)
	if d := cmp.Diff([]string{"eight=1-22 eight", "four=1-20 four", "one=1-20 one", "two, changed=1-21 two, changed"}, x.in(t, "Restored 2026-11-23/Eingang")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"three=1-21 three"}, x.in(t, "Restored 2026-11-23/New")); d != "" {
		t.Error(d)
	}
	delete(a.files, "alis-mail/2026-11-20")
	plan, err = p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{})
	if err != nil || !slices.ContainsFunc(plan.Mind, func(s string) bool { return strings.Contains(s, "only what had changed since alis-mail/2026-11-20") }) {
		t.Errorf("the one it goes on from is gone: %v %v", plan.Mind, err)
	}
}

// TestReturnOfFoldersReadWhole: an archive of changes that has all of a folder tells what is
// gone from it since, or it was made before there was this list. What is put back is the same.
func TestReturnOfFoldersReadWhole(t *testing.T) {
	for _, listed := range []bool{false, true} {
		x, a := &exchange{}, &archives{}
		p, _ := bench(t, x)
		folders := func(gone int64) []outlook.FolderState {
			cal := folder("cal", outlook.Calendar, true, "Calendar")
			if listed {
				cal.Gone = gone
			}
			return []outlook.FolderState{folder("in", outlook.Mail, gone == 0, "Inbox"), cal}
		}
		gone := func(folder string, kind outlook.Kind, ids ...string) (list []outlook.Item) {
			for _, id := range ids {
				if listed || folder != "cal" {
					list = append(list, outlook.Item{ID: id, Folder: folder, Kind: kind, Removed: "deleted"})
				}
			}
			return list
		}
		event := func(id, subject string) outlook.Line {
			l := line("cal", id, subject)
			l.Kind, l.Path = outlook.Calendar, "calendar/"+id+".ics"
			return l
		}
		a.add("alis-mail/2026-11-20", outlook.State{Folders: folders(0)}, []outlook.Line{line("in", "a", "one"), line("in", "b", "two"), event("e", "stays"), event("f", "comes back"), event("g", "is gone")})
		a.add("alis-mail/2026-11-21", outlook.State{Base: "alis-mail/2026-11-20", Folders: folders(2)}, []outlook.Line{event("e", "stays"), event("h", "comes and goes")}, append(gone("cal", outlook.Calendar, "f", "g"), gone("in", outlook.Mail, "b")...)...)
		set := a.add("alis-mail/2026-11-22", outlook.State{Base: "alis-mail/2026-11-21", Folders: folders(1)}, []outlook.Line{event("e", "stays"), event("f", "comes back")}, gone("cal", outlook.Calendar, "h")...)
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{})
		if err != nil {
			t.Fatal(err)
		}
		var steps []string
		for _, item := range plan.Items {
			steps = append(steps, fmt.Sprintf("%s from %v", item.Name, item.With))
		}
		if d := cmp.Diff([]string{"Inbox, 1 mail from [alis-mail/2026-11-20 alis-mail/2026-11-21]", "Calendar, 2 events from []"}, steps); d != "" || len(plan.Not)+len(plan.Mind) != 0 {
			t.Errorf("%v: %s %q %q", listed, d, plan.Not, plan.Mind)
		}
		carry(t, p, plan, a)
		if d := cmp.Diff([]string{"comes back=1-22 comes back", "stays=1-22 stays"}, x.in(t, "Restored 2026-11-23 Calendar")); d != "" {
			t.Errorf("%v: %s", listed, d)
		}
	}
}

// TestReturnDamaged: what is damaged is told of, when all else is back; a retry goes on
// without it.
func TestReturnDamaged(t *testing.T) {
	for _, missing := range []bool{false, true} {
		x, a := &exchange{}, &archives{}
		p, _ := bench(t, x)
		set := home(a)
		files := a.files["alis-mail/2026-11-20"]
		if files[1].err = keepwatch.Errorf(keepwatch.KindAttention, "It is damaged.").Because(keepwatch.ErrDamaged); missing {
			files[1].path = "elsewhere"
		}
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Parts: []string{"Inbox"}})
		if err != nil {
			t.Fatal(err)
		}
		job := providers.Job{Source: alis, Run: 7, Report: func(keepwatch.Progress) {}}
		job.Keep = func(remote json.RawMessage) error { job.Remote = remote; return nil }
		_, err = p.Return(t.Context(), job, plan.Items[0], a)
		if keepwatch.KindOf(err) != keepwatch.KindAttention || !errors.Is(err, keepwatch.ErrDamaged) || !strings.Contains(keepwatch.Sentence(err), "1 mail of Inbox cannot be read") {
			t.Errorf("%v", err)
		}
		if got := x.in(t, "Restored 2026-11-23/Inbox"); len(got) != 2 {
			t.Error(got)
		}
		job.Retried = true
		log, err := p.Return(t.Context(), job, plan.Items[0], a)
		if got := x.in(t, "Restored 2026-11-23/Inbox"); err != nil || len(got) != 2 || log.Heed != "1 mail was not put back. Details name them." {
			t.Errorf("%v %v %+v", got, err, log)
		}
		job.Retried = false // killed behind the retry
		if _, err = p.Return(t.Context(), job, plan.Items[0], a); err != nil {
			t.Error(err)
		}
	}
}

func TestReturnRefusedAndNoted(t *testing.T) {
	x, a := &exchange{poison: map[string]bool{"b": true}, notes: []string{"its colour"}}, &archives{}
	p, _ := bench(t, x)
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{home(a)}, keepwatch.ReturnAsk{Parts: []string{"inbox"}})
	if err != nil {
		t.Fatal(err)
	}
	log := carry(t, p, plan, a)[0]
	if want := "1 mail was not put back; 2 mails were put back without a part of what they were. Details name them."; log.Heed != want {
		t.Error(log.Heed)
	}
	for _, want := range []string{"two: not put back. it is too large for the mailbox", "one: its colour", "2 mails put into alis@contoso.example/Restored 2026-11-23/Inbox; 1 not taken by the mailbox; 2 not with all that they were."} {
		if !strings.Contains(log.Text, want) {
			t.Errorf("%q is not in %s", want, log.Text)
		}
	}
	x.failing = keepwatch.Errorf(keepwatch.KindAttention, "The mailbox is full.")
	job := providers.Job{Source: alis, Run: 9, Report: func(keepwatch.Progress) {}}
	if _, err := p.Return(t.Context(), job, plan.Items[0], a); keepwatch.Sentence(err) != "The mailbox is full." {
		t.Error(err)
	}
}

// TestReturnLarge: an item that does not fit into memory comes whole, and nothing of it
// stays on this machine.
func TestReturnLarge(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, spools := bench(t, x)
	set := home(a)
	large := strings.Repeat("large ", heldInMemory/4)
	a.files["alis-mail/2026-11-20"][0].data = []byte(large)
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Parts: []string{"Inbox/#1"}, Into: "/Desk"})
	if err != nil || len(plan.Items) != 1 || plan.Items[0].Name != "Inbox, 1 mail: one" {
		t.Fatal(plan.Items, err)
	}
	carry(t, p, plan, a)
	if got := x.in(t, "Desk"); len(got) != 1 || got[0] != "one="+large {
		t.Errorf("%d items", len(got))
	}
	if left, err := os.ReadDir(spools.dir); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
	p.cfg.Spools, plan.Items[0].Present = &scratches{dir: spools.dir + "/nowhere"}, presentCopy
	job := providers.Job{Source: alis, Run: 9, Report: func(keepwatch.Progress) {}}
	if _, err := p.Return(t.Context(), job, plan.Items[0], a); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a scratch folder: %v", err)
	}
}

// TestReturnWithoutDeletedFolders: where single folders are backed up, no archive is a look
// at the whole mailbox; a later one says which of them were deleted. What was in those is
// put back from the older one alone.
func TestReturnWithoutDeletedFolders(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, _ := bench(t, x)
	in, old := folder("in", outlook.Mail, true, "Inbox"), folder("old", outlook.Mail, true, "Inbox", "Old")
	whole := a.add("alis-mail/2026-11-20", outlook.State{Folders: []outlook.FolderState{in, old}}, []outlook.Line{line("in", "a", "one"), line("old", "b", "two")})
	in.Whole = false
	removed := outlook.Item{ID: "b", Folder: "old", Kind: outlook.Mail, Removed: "deleted"}
	set := a.add("alis-mail/2026-11-21", outlook.State{Base: whole.Archive.Ref(), Folders: []outlook.FolderState{in}, Gone: []outlook.FolderState{{Folder: old.Folder, Gone: 1}}}, []outlook.Line{line("in", "c", "three")}, removed)
	set.Archive.Parts = []string{"Inbox"}
	for name, c := range map[string]struct {
		set         providers.Set
		steps, nots []string
	}{
		"the newest":     {set, []string{"Inbox, 2 mails"}, []string{"Inbox/Old was no longer in the mailbox when alis-mail/2026-11-21 was made. To put it back, name alis-mail/2026-11-20 alone."}},
		"the one before": {whole, []string{"Inbox, 1 mail", "Inbox/Old, 1 mail"}, nil},
	} {
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{c.set}, keepwatch.ReturnAsk{})
		if err != nil {
			t.Fatal(err)
		}
		var steps []string
		for _, item := range plan.Items {
			steps = append(steps, item.Name)
		}
		if d := cmp.Diff(c.steps, steps); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := cmp.Diff(c.nots, plan.Not); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestReturnOfAFolderThatCameBack: an archive that says that a folder was deleted is named
// together with a later one that has it again and goes on from one before both. What was in
// the folder comes back, all of it, and is counted so.
func TestReturnOfAFolderThatCameBack(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, _ := bench(t, x)
	in, old := folder("in", outlook.Mail, true, "Inbox"), folder("old", outlook.Mail, true, "Inbox", "Old")
	whole := a.add("alis-mail/2026-11-20", outlook.State{Folders: []outlook.FolderState{in, old}}, []outlook.Line{line("in", "a", "one"), line("old", "b", "two")})
	in.Whole, old.Whole = false, false
	removed := outlook.Item{ID: "b", Folder: "old", Kind: outlook.Mail, Removed: "deleted"}
	away := a.add("alis-mail/2026-11-21", outlook.State{Base: whole.Archive.Ref(), Folders: []outlook.FolderState{in}, Gone: []outlook.FolderState{{Folder: old.Folder, Gone: 1}}}, nil, removed)
	back := a.add("alis-mail/2026-11-22", outlook.State{Base: whole.Archive.Ref(), Folders: []outlook.FolderState{in, old}}, nil)
	away.Archive.Parts, back.Archive.Parts = []string{"Inbox"}, []string{"Inbox"}
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{away, back}, keepwatch.ReturnAsk{})
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, item := range plan.Items {
		steps = append(steps, item.Name)
	}
	if d := cmp.Diff([]string{"Inbox, 1 mail", "Inbox/Old, 1 mail"}, steps); d != "" || len(plan.Not) != 0 {
		t.Errorf("%s %q", d, plan.Not)
	}
	carry(t, p, plan, a)
	if d := cmp.Diff([]string{"two=1-20 two"}, x.in(t, "Restored 2026-11-23/Inbox/Old")); d != "" {
		t.Error(d)
	}
}
