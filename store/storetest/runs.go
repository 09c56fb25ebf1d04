package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"keepwatch"
)

func backupOf(source string) keepwatch.Run {
	return keepwatch.Run{Kind: keepwatch.RunBackup, Source: source, State: keepwatch.RunQueued}
}

func numbers(list []keepwatch.Run) (ids []int64) {
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

func runs(t *testing.T, w world) {
	run := must[keepwatch.Run](t)
	list := must[[]keepwatch.Run](t)
	for i := range 12 {
		if r := run(w.CreateRun(backupOf(fmt.Sprintf("s%d", i)))); r.ID != int64(i+1) || !r.Created.Equal(noon) {
			t.Errorf("run %d is %d, created %v", i+1, r.ID, r.Created)
		}
	}
	for id, end := range map[int64]keepwatch.RunState{4: keepwatch.RunDone, 6: keepwatch.RunFailed, 9: keepwatch.RunCancelled} {
		r := run(w.Run(id))
		r.State = end
		if err := w.SaveRun(r); err != nil {
			t.Fatal(err)
		}
	}
	full := run(w.Run(2))
	full.State, full.By, full.Steps = keepwatch.RunAttention, "Alis", []keepwatch.Step{{Name: "plan", State: keepwatch.StepDone, Started: noon}}
	full.Failure = &keepwatch.Failure{Step: "fetch", Kind: keepwatch.KindAttention, Message: "The disk is full."}
	if err := w.SaveRun(full); err != nil {
		t.Fatal(err)
	}
	same(t, "a saved run", run(w.Run(2)), full)
	same(t, "open runs", numbers(list(w.OpenRuns())), []int64{1, 2, 3, 5, 7, 8, 10, 11, 12})
	same(t, "recent runs", numbers(list(w.RecentRuns("", 3))), []int64{12, 11, 10})
	same(t, "recent runs of one", numbers(list(w.RecentRuns("s5", 3))), []int64{6})
	if got := len(list(w.RecentRuns("", 0))); got != 12 {
		t.Errorf("%d runs without a limit", got)
	}
	_, err := w.Run(99)
	wantKind(t, err, keepwatch.KindNotFound, "no run 99")
	wantKind(t, w.SaveRun(keepwatch.Run{ID: 99}), keepwatch.KindNotFound)
}

func oneRun(t *testing.T, w world) {
	run := must[keepwatch.Run](t)
	first := run(w.CreateRun(backupOf("notes")))
	_, err := w.CreateRun(backupOf("notes"))
	wantKind(t, err, keepwatch.KindConflict, "Run 1 is already backing up notes (queued since 24 Nov 12:00 UTC)", "/backup cancel 1")
	first.State, first.Started = keepwatch.RunRunning, noon.Add(2*time.Minute)
	if err := w.SaveRun(first); err != nil {
		t.Fatal(err)
	}
	prune := keepwatch.Run{Kind: keepwatch.RunPrune, Source: "notes", State: keepwatch.RunQueued}
	_, err = w.CreateRun(prune)
	wantKind(t, err, keepwatch.KindConflict, "Run 1 is already backing up notes (running since 24 Nov 12:02 UTC)")

	// what only reads, and other sources, need not wait, and free nothing
	for _, r := range []keepwatch.Run{{Kind: keepwatch.RunVerify, Source: "notes"}, {Kind: keepwatch.RunRestore, Source: "notes"}, backupOf("mail"), backupOf("notes-2")} {
		r = run(w.CreateRun(r))
		r.State = keepwatch.RunDone
		if err := w.SaveRun(r); err != nil {
			t.Error(err)
		}
	}
	back := keepwatch.Run{Kind: keepwatch.RunRestore, Source: "notes", Ask: keepwatch.Ask{Return: []keepwatch.ReturnItem{{Name: "database ruthin_wp"}}}}
	_, err = w.CreateRun(back) // it does not only read
	wantKind(t, err, keepwatch.KindConflict, "Run 1 is already backing up notes")
	putting := run(w.CreateRun(keepwatch.Run{Kind: keepwatch.RunRestore, Source: "web", Ask: back.Ask}))
	_, err = w.CreateRun(backupOf("web"))
	wantKind(t, err, keepwatch.KindConflict, fmt.Sprintf("Run %d is already putting parts back into web", putting.ID))
	putting.State = keepwatch.RunDone
	if err := w.SaveRun(putting); err != nil {
		t.Fatal(err)
	}
	fetching := run(w.CreateRun(keepwatch.Run{Kind: keepwatch.RunBackup, Source: "web", Ask: keepwatch.Ask{Held: "a"}}))
	_, err = w.CreateRun(backupOf("web"))
	wantKind(t, err, keepwatch.KindConflict, fmt.Sprintf("Run %d is already bringing home a backup of web", fetching.ID))

	first.State = keepwatch.RunAttention
	if err := w.SaveRun(first); err != nil {
		t.Fatal(err)
	}
	_, err = w.CreateRun(backupOf("notes"))
	wantKind(t, err, keepwatch.KindConflict, "needs attention first", "/backup retry 1")

	for range 2 { // an end may be saved again
		first.State = keepwatch.RunDone
		if err := w.SaveRun(first); err != nil {
			t.Fatal(err)
		}
	}
	second := run(w.CreateRun(prune))
	if second.ID != fetching.ID+1 { // the refused ones have used no number
		t.Errorf("the next run is %d", second.ID)
	}
	if err := w.SaveRun(first); err != nil { // nor does that take the source from the next
		t.Fatal(err)
	}
	_, err = w.CreateRun(backupOf("notes"))
	wantKind(t, err, keepwatch.KindConflict, fmt.Sprintf("Run %d is already pruning notes", second.ID))
	first.State = keepwatch.RunRunning
	wantKind(t, w.SaveRun(first), keepwatch.KindConflict, fmt.Sprintf("Run %d", second.ID))
}

func manyAtOnce(t *testing.T, w world) {
	const callers = 64
	var group sync.WaitGroup
	made, refused := make(chan keepwatch.Run, 2*callers), make(chan error, callers)
	for i := range callers {
		group.Go(func() {
			r, err := w.CreateRun(backupOf("notes"))
			if err != nil {
				refused <- err
				return
			}
			made <- r
		})
		group.Go(func() {
			r, err := w.CreateRun(backupOf(fmt.Sprintf("source-%d", i)))
			if err != nil {
				t.Error(err)
			}
			made <- r
		})
	}
	group.Wait()
	close(made)
	close(refused)
	ids, winner := map[int64]bool{}, keepwatch.Run{}
	for r := range made {
		ids[r.ID] = true
		if r.Source == "notes" {
			if winner.ID != 0 {
				t.Errorf("runs %d and %d both have the source", winner.ID, r.ID)
			}
			winner = r
		}
	}
	if len(ids) != callers+1 || winner.ID == 0 {
		t.Errorf("%d numbers for %d runs, the winner is %d", len(ids), callers+1, winner.ID)
	}
	for err := range refused {
		wantKind(t, err, keepwatch.KindConflict, fmt.Sprintf("Run %d is already backing up notes", winner.ID))
	}
}
