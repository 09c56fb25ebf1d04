package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/mem"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func records() (*store.Records, *mem.Store) {
	s := mem.New()
	return store.NewRecords(s, func() time.Time { return noon }), s
}

func TestOneRunPerSource(t *testing.T) {
	r, _ := records()
	var wg sync.WaitGroup
	var mu sync.Mutex
	won, lost := 0, 0
	for range 64 {
		wg.Go(func() {
			_, err := r.CreateRun(keepwatch.Run{Kind: keepwatch.RunBackup, Source: "notes", State: keepwatch.RunRunning, Created: noon})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case keepwatch.KindOf(err) == keepwatch.KindConflict && strings.Contains(keepwatch.Sentence(err), "Run 1 is already backing up notes (running since"):
				lost++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 || lost != 63 {
		t.Errorf("%d won and %d lost", won, lost)
	}
	for _, kind := range []keepwatch.RunKind{keepwatch.RunVerify, keepwatch.RunRestore} {
		if _, err := r.CreateRun(keepwatch.Run{Kind: kind, Source: "notes"}); err != nil {
			t.Errorf("%s beside a backup: %v", kind, err)
		}
	}
	if _, err := r.CreateRun(keepwatch.Run{Kind: keepwatch.RunPrune, Source: "notes"}); keepwatch.KindOf(err) != keepwatch.KindConflict {
		t.Errorf("a prune beside a backup: %v", err)
	}
	if _, err := r.CreateRun(keepwatch.Run{Kind: keepwatch.RunBackup, Source: "other"}); err != nil {
		t.Errorf("another source: %v", err)
	}
}

func TestSourceIsGivenBack(t *testing.T) {
	r, _ := records()
	for i, state := range []keepwatch.RunState{keepwatch.RunDone, keepwatch.RunFailed, keepwatch.RunCancelled} {
		run, err := r.CreateRun(keepwatch.Run{Kind: keepwatch.RunBackup, Source: "notes"})
		if err != nil || run.ID != int64(i+1) {
			t.Fatalf("%+v %v", run, err)
		}
		run.State = keepwatch.RunAttention
		if err := r.SaveRun(run); err != nil {
			t.Fatal(err)
		}
		if _, err := r.CreateRun(keepwatch.Run{Kind: keepwatch.RunBackup, Source: "notes"}); !strings.Contains(keepwatch.Sentence(err), fmt.Sprintf("backup retry %d", run.ID)) {
			t.Errorf("while one needs attention: %v", err)
		}
		if open, _ := r.OpenRuns(); len(open) != 1 || open[0].ID != run.ID {
			t.Errorf("open: %+v", open)
		}
		run.State = state
		if err := r.SaveRun(run); err != nil {
			t.Fatal(err)
		}
		if open, _ := r.OpenRuns(); len(open) != 0 {
			t.Errorf("open after %s: %+v", state, open)
		}
	}
	recent, err := r.RecentRuns("notes", 2)
	if err != nil || len(recent) != 2 || recent[0].ID != 3 {
		t.Errorf("%+v %v", recent, err)
	}
	if _, err := r.Run(99); keepwatch.KindOf(err) != keepwatch.KindNotFound {
		t.Errorf("%v", err)
	}
}

func TestArchives(t *testing.T) {
	r, _ := records()
	for i, s := range []string{"2026-11-24T120000Z-2", "2026-11-24T120000Z", "2026-11-24T120000Z-10"} {
		a := keepwatch.Archive{Source: "notes", Stamp: s, Started: noon.Add(time.Duration(i) * time.Millisecond), Run: int64(i)}
		if err := r.SaveArchive(a); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.SaveArchive(keepwatch.Archive{Source: "notes-2", Stamp: "2026-11-24T120000Z"}); err != nil {
		t.Fatal(err)
	}
	list, err := r.Archives("notes")
	var got []string
	for _, a := range list {
		got = append(got, a.Stamp)
	}
	if d := cmp.Diff([]string{"2026-11-24T120000Z-10", "2026-11-24T120000Z", "2026-11-24T120000Z-2"}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if all, _ := r.Archives(""); len(all) != 4 {
		t.Errorf("%d archives", len(all))
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := r.UpdateArchive("notes/2026-11-24T120000Z", func(a *keepwatch.Archive) error { a.Items++; return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a, err := r.Archive("notes/2026-11-24T120000Z"); err != nil || a.Items != 50 {
		t.Errorf("%+v %v", a, err)
	}
	if err := r.DeleteArchive("notes/2026-11-24T120000Z"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Archive("notes/2026-11-24T120000Z"); keepwatch.KindOf(err) != keepwatch.KindNotFound {
		t.Errorf("%v", err)
	}
	if _, err := r.UpdateArchive("notes/2026-11-24T120000Z", func(*keepwatch.Archive) error { return nil }); keepwatch.KindOf(err) != keepwatch.KindNotFound {
		t.Errorf("%v", err)
	}
}

func TestAudits(t *testing.T) {
	r, _ := records()
	for i := range 100 {
		e := keepwatch.AuditEntry{ID: fmt.Sprint("r", i), At: noon.Add(time.Duration(i) * time.Minute), Person: []string{"Alis", "Olwen"}[i%2], Source: []string{"notes", "web", ""}[i%3], Outcome: keepwatch.OutcomeStarted}
		if err := r.BeginAudit(e); err != nil {
			t.Fatal(err)
		}
		if e.Outcome = keepwatch.OutcomeDone; i != 99 {
			if err := r.EndAudit(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	ids := func(f keepwatch.AuditFilter) string {
		list, err := r.Audits(f)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range list {
			got = append(got, e.ID)
		}
		return strings.Join(got, " ")
	}
	for want, f := range map[string]keepwatch.AuditFilter{
		"r99 r98":     {Limit: 2},
		"r98 r96":     {Person: "Alis", Limit: 2},
		"r96 r90":     {Person: "Alis", Source: "notes", Limit: 2},
		"r12 r11 r10": {Since: noon.Add(10 * time.Minute), Until: noon.Add(12 * time.Minute)},
		"r1 r0":       {Until: noon.Add(90 * time.Second)},
		"":            {Person: "Nobody"},
	} {
		if got := ids(f); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
	if list, _ := r.Audits(keepwatch.AuditFilter{}); len(list) != 50 || list[0].Outcome != keepwatch.OutcomeStarted || list[1].Outcome != keepwatch.OutcomeDone {
		t.Errorf("%d lines, %+v", len(list), list[0])
	}
}

func TestSmallThings(t *testing.T) {
	r, s := records()
	if v, err := r.Value("key/recipient"); v != "" || err != nil {
		t.Errorf("%q %v", v, err)
	}
	if err := r.SetValue("key/recipient", "age1"); err != nil {
		t.Fatal(err)
	}
	if v, _ := r.Value("key/recipient"); v != "age1" {
		t.Error(v)
	}
	src := keepwatch.Source{Name: "docs", Kind: keepwatch.KindFiles, Path: "/x/docs", AdHoc: true}
	if err := r.SaveSource(src); err != nil {
		t.Fatal(err)
	}
	if list, err := r.AdHocSources(); err != nil || len(list) != 1 || list[0].Path != "/x/docs" {
		t.Errorf("%+v %v", list, err)
	}
	for _, step := range []struct {
		size int64
		mark bool
		want bool
	}{{1, false, false}, {1, true, true}, {2, false, false}, {2, true, true}, {1, false, false}} {
		if step.mark {
			if err := r.MarkSeen("drop", "../odd/\xff name", step.size, noon); err != nil {
				t.Fatal(err)
			}
		}
		if seen, err := r.Seen("drop", "../odd/\xff name", step.size, noon); seen != step.want || err != nil {
			t.Errorf("%+v: %v %v", step, seen, err)
		}
	}
	err := s.Update(func(tx store.Tx) error { return tx.Put("run/000000000007", []byte(`{"v":99,"id":7}`)) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(7); keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "newer Keepwatch") {
		t.Errorf("a record of a newer version: %v", err)
	}
}
