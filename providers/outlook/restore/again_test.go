package restore

import (
	"context"
	"iter"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// again puts contacts and events back in a further run, and gives what is there then.
func again(t *testing.T, p *Returner, x *exchange, a *archives, run int64, ask keepwatch.ReturnAsk, sets ...providers.Set) (there []string, log keepwatch.ServerLog) {
	t.Helper()
	plan, err := p.PlanReturn(t.Context(), alis, sets, ask)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range plan.Items {
		if log, err = p.Return(t.Context(), providers.Job{Source: alis, Run: run, Report: func(keepwatch.Progress) {}}, item, a); err != nil {
			t.Fatal(err)
		}
	}
	return x.in(t, "Restored 2026-11-23"), log
}

// TestReturnTwice: what an earlier run has put into the folder is not put there again, of
// contacts and events too; another state of it is, and so is what was asked for as a copy.
func TestReturnTwice(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, _ := bench(t, x)
	set := home(a)
	people := folder("people", outlook.Contacts, true, "Contacts")
	people.Default = true
	bob := line("people", "d", "Bob")
	bob.Change = "a later one"
	changed := a.add("alis-mail/2026-11-21", outlook.State{Folders: []outlook.FolderState{people}}, []outlook.Line{bob})
	ask := keepwatch.ReturnAsk{Parts: []string{"contacts", "calendar"}}
	first := []string{"Bob=1-20 Bob", "Party=1-20 Party"}
	if got, _ := again(t, p, x, a, 7, ask, set); !slices.Equal(got, first) {
		t.Fatal(got)
	}
	got, log := again(t, p, x, a, 8, ask, set)
	if !slices.Equal(got, first) {
		t.Errorf("a second run makes of it %v", got)
	}
	if !strings.HasPrefix(log.Heed, "Nothing was put there, since all of it is in the folder already") || !strings.Contains(log.Text, "Party: was put there by an earlier restore") {
		t.Errorf("%+v", log)
	}
	first = []string{"Bob=1-20 Bob", "Bob=1-21 Bob", "Party=1-20 Party"}
	for run := range int64(2) {
		if got, _ := again(t, p, x, a, 9+run, keepwatch.ReturnAsk{Parts: []string{"contacts"}}, changed); !slices.Equal(got, first) {
			t.Errorf("another state, time %d: %v", run+1, got)
		}
	}
	ask.Present = presentCopy
	if got, _ := again(t, p, x, a, 11, ask, set); len(got) != 5 {
		t.Errorf("copies: %v", got)
	}
}

// TestReturnHalfOfAnEarlierRun: what an earlier run has left in part does not stand for it.
func TestReturnHalfOfAnEarlierRun(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, _ := bench(t, x)
	set := home(a)
	ask := keepwatch.ReturnAsk{Parts: []string{"contacts"}}
	again(t, p, x, a, 7, ask, set)
	for _, list := range x.items {
		for i := range list {
			list[i].whole = false
		}
	}
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, ask)
	if err != nil {
		t.Fatal(err)
	}
	log, err := p.Return(t.Context(), providers.Job{Source: alis, Run: 8, Report: func(keepwatch.Progress) {}}, plan.Items[0], a)
	if err != nil || !strings.HasPrefix(log.Text, "1 contact put into") {
		t.Errorf("%+v %v", log, err)
	}
}

// TestReturnOriginalKnows: contacts and events that are in their place still are left out,
// whatever was changed in them; what was moved elsewhere or removed is put back, and so is a
// contact that is only called the same.
func TestReturnOriginalKnows(t *testing.T) {
	for _, kind := range []outlook.Kind{outlook.Contacts, outlook.Calendar} {
		for _, c := range []struct {
			name  string
			there []fakeItem // in the folder
			twin  bool       // the archive has a second event of the UID of "b"
			ask   string
			want  string // subjects of what is there in the end
			text  string
		}{
			{name: "all is there", there: []fakeItem{{id: "a", subject: "one"}, {id: "b", subject: "two, changed since"}}, want: "one, two, changed since", text: "0 THINGs put into alis@contoso.example/Place; 2 there already and left as they were."},
			{name: "one is gone", there: []fakeItem{{id: "b", subject: "two"}}, want: "one, two", text: "1 THING put into alis@contoso.example/Place; 1 there already and left as they were."},
			{name: "ids differ by case", there: []fakeItem{{id: "A", subject: "other"}, {id: "b", subject: "two"}}, want: "one, other, two"},
			{name: "copies are asked for", there: []fakeItem{{id: "a", subject: "one"}, {id: "b", subject: "two"}}, ask: presentCopy, want: "one, one, two, two"},
			{name: "made anew", there: []fakeItem{{id: "z", subject: "two", messageID: "<b@x>"}}, want: map[outlook.Kind]string{outlook.Contacts: "one, two, two", outlook.Calendar: "one, two"}[kind]},
			{name: "one of twins is there", there: []fakeItem{{id: "b", subject: "two", messageID: "<b@x>"}}, twin: true, want: "one, twin, two"},
			{name: "twins and a third", there: []fakeItem{{id: "z", subject: "third", messageID: "<b@x>"}}, twin: true, want: "one, third, twin, two"},
		} {
			x, a := &exchange{}, &archives{}
			p, _ := bench(t, x)
			x.folders = []outlook.Folder{{ID: "place", Kind: kind, Path: []string{"Place"}}}
			for _, it := range c.there {
				it.whole = true
				x.items = map[string][]fakeItem{"place": append(x.items["place"], it)}
			}
			lines := []outlook.Line{line("place", "a", "one"), line("place", "b", "two")}
			if c.twin {
				lines = append(lines, line("place", "g", "twin"))
				lines[2].MessageID = lines[1].MessageID
			}
			set := a.add("alis-mail/2026-11-20", outlook.State{Folders: []outlook.FolderState{folder("place", kind, true, "Place")}}, lines)
			plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Into: "original", Present: c.ask})
			if err != nil {
				t.Fatal(err)
			}
			for run := int64(7); run < 9; run++ { // and once more: nothing is added by a second run
				log, err := p.Return(t.Context(), providers.Job{Source: alis, Run: run, Report: func(keepwatch.Progress) {}}, plan.Items[0], a)
				var got []string
				for _, it := range x.items["place"] {
					got = append(got, it.subject)
				}
				slices.Sort(got)
				if c.ask == presentCopy {
					run++
				}
				text := strings.ReplaceAll(c.text, "THING", map[outlook.Kind]string{outlook.Contacts: "contact", outlook.Calendar: "event"}[kind])
				if err != nil || strings.Join(got, ", ") != c.want || run == 7 && !strings.HasSuffix(log.Text, text) {
					t.Errorf("%s, %s, run %d: %v %v %q", kind, c.name, run, err, got, log.Text)
				}
			}
		}
	}
}

// TestReturnOriginalKnowsNoCopyFromElsewhere: a copy of an event that the archive has in
// another calendar, and that lies in the place of the event by now, does not stand for it:
// the two may differ, and the one that was deleted is nowhere else.
func TestReturnOriginalKnowsNoCopyFromElsewhere(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, _ := bench(t, x)
	x.folders = []outlook.Folder{{ID: "place", Kind: outlook.Calendar, Path: []string{"Place"}}, {ID: "other", Kind: outlook.Calendar, Path: []string{"Other"}}}
	copied := line("other", "c", "copy with other notes")
	copied.MessageID = "<a@x>"
	x.items["place"] = []fakeItem{{id: "c", subject: copied.Subject, messageID: copied.MessageID, content: "as it is", whole: true}}
	set := a.add("alis-mail/2026-11-20", outlook.State{Folders: []outlook.FolderState{folder("place", outlook.Calendar, true, "Place"), folder("other", outlook.Calendar, true, "Other")}},
		[]outlook.Line{line("place", "a", "one"), copied})
	if got, _ := again(t, p, x, a, 7, keepwatch.ReturnAsk{Into: "original", Parts: []string{"Place"}}, set); got != nil {
		t.Fatal(got)
	}
	if got := x.in(t, "Place"); !slices.Equal(got, []string{"copy with other notes=as it is", "one=1-20 one"}) {
		t.Error(got)
	}
}

// TestReturnHalfOfThisRun: what this run has left in part becomes whole, also where the item
// itself has come back meanwhile: half of one does not stay.
func TestReturnHalfOfThisRun(t *testing.T) {
	x, a := &exchange{}, &archives{}
	p, _ := bench(t, x)
	set := home(a)
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Into: "original", Parts: []string{"contacts"}})
	if err != nil {
		t.Fatal(err)
	}
	x.folders = []outlook.Folder{{ID: "place", Kind: outlook.Contacts, Path: []string{"Contacts"}}}
	x.items["place"] = []fakeItem{{id: "new", subject: "Bob", mark: outlook.Mark{Run: 7, Item: "d"}}, {id: "d", subject: "Bob", content: "as it was", whole: true}}
	if _, err := p.Return(t.Context(), providers.Job{Source: alis, Run: 7, Report: func(keepwatch.Progress) {}}, plan.Items[0], a); err != nil {
		t.Fatal(err)
	}
	if got := x.in(t, "Contacts"); !slices.Equal(got, []string{"Bob=1-20 Bob", "Bob=as it was"}) {
		t.Error(got)
	}
}

// TestReturnPresentRefused: where nobody can say what is there, nothing is put there and
// nothing is taken for being there: the step fails.
func TestReturnPresentRefused(t *testing.T) {
	x, a := &exchange{mute: keepwatch.Errorf(keepwatch.KindAttention, "It is not said what is there.")}, &archives{}
	p, _ := bench(t, x)
	set := home(a)
	for _, ask := range []keepwatch.ReturnAsk{{Parts: []string{"contacts"}}, {Parts: []string{"calendar"}, Into: "original"}, {Parts: []string{"contacts"}, Into: "original", Present: presentCopy}, {Parts: []string{"mail"}, Into: "original"}} {
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, ask)
		if err != nil {
			t.Fatal(err)
		}
		log, err := p.Return(t.Context(), providers.Job{Source: alis, Run: 7, Report: func(keepwatch.Progress) {}}, plan.Items[0], a)
		if asks := ask.Present == "" && ask.Parts[0] != "mail"; asks && keepwatch.Sentence(err) != "It is not said what is there." || !asks && err != nil {
			t.Errorf("%v: %v %+v", ask, err, log)
		}
	}
	for _, f := range x.folders {
		if (f.Name() == "Restored 2026-11-23" || f.Kind == outlook.Calendar) && len(x.items[f.ID]) > 0 {
			t.Errorf("%s holds %+v", f.Title(), x.items[f.ID])
		}
	}
}

// fullHand has many items of this run and of an earlier one.
type fullHand struct {
	emptyHand
	n int
}

func (h fullHand) Marked(_ context.Context, _ string, _ outlook.Folder, run int64) iter.Seq2[outlook.Marked, error] {
	return func(yield func(outlook.Marked, error) bool) {
		for i := range h.n {
			if !yield(outlook.Marked{Mark: h.mark(run, i), Restored: outlook.Restored{ID: strconv.Itoa(i), Whole: true}}, nil) {
				return
			}
		}
	}
}

func (h fullHand) Known(context.Context, string, outlook.Folder) iter.Seq2[outlook.Mark, error] {
	return func(yield func(outlook.Mark, error) bool) {
		for i := range h.n {
			if !yield(h.mark(1, i), nil) {
				return
			}
		}
	}
}

func (h fullHand) Present(_ context.Context, _ string, _ outlook.Folder) iter.Seq2[outlook.Item, error] {
	return func(yield func(outlook.Item, error) bool) {
		for i := range 2 * h.n { // each comes twice
			if !yield(outlook.Item{ID: h.mark(0, i%h.n).Item}, nil) {
				return
			}
		}
	}
}

func (fullHand) mark(run int64, i int) outlook.Mark {
	return outlook.Mark{Run: run, Item: "AAMkAGI2TG93AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" + strconv.Itoa(i), State: "0123456789ab"}
}

// TestMarksMemory: what a restore knows of what is there takes some 10 bytes an item.
func TestMarksMemory(t *testing.T) {
	const n = 300_000
	p, _ := bench(t, &exchange{})
	p.cfg.Restorer = fullHand{n: n}
	e := &errand{Returner: p, job: providers.Job{Run: 7}}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m, err := e.findMarks(t.Context(), true)
	if err == nil {
		e.had, err = e.findPresent(t.Context())
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if err != nil || len(e.had.ids) != n || !e.had.has(head{ID: fullHand{}.mark(0, 3).Item}) || len(m.whole) != n || len(m.earlier) != n || !m.isWhole(fullHand{}.mark(7, 3).Item) {
		t.Fatalf("%d and %d, %v", len(m.whole), len(m.earlier), err)
	}
	if used := int64(after.HeapAlloc) - int64(before.HeapAlloc); used > 24*3*n {
		t.Errorf("%d bytes for %d items", used, 3*n)
	}
	runtime.KeepAlive(m)
	runtime.KeepAlive(e)
}
