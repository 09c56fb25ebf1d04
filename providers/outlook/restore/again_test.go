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
	runtime.GC()
	runtime.ReadMemStats(&after)
	if err != nil || len(m.whole) != n || len(m.earlier) != n || !m.isWhole(fullHand{}.mark(7, 3).Item) {
		t.Fatalf("%d and %d, %v", len(m.whole), len(m.earlier), err)
	}
	if used := int64(after.HeapAlloc) - int64(before.HeapAlloc); used > 24*2*n {
		t.Errorf("%d bytes for %d items", used, 2*n)
	}
	runtime.KeepAlive(m)
}
