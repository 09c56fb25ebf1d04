package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

// records is a Records in memory that can die, as a disk does for a process
// that is killed, and refuse to save.
type records struct {
	mu     sync.Mutex
	runs   map[int64][]byte // as JSON: what is not saved is lost
	dead   bool
	refuse error
	saves  int
	while  func() // called while a run is being saved; nil: nothing
}

func newRecords() *records { return &records{runs: map[int64][]byte{}} }

func (r *records) CreateRun(run keepwatch.Run) (keepwatch.Run, error) {
	r.mu.Lock()
	run.ID = int64(len(r.runs) + 1)
	r.mu.Unlock()
	return run, r.SaveRun(run)
}

func (r *records) SaveRun(run keepwatch.Run) error {
	if r.while != nil {
		r.while()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		return errors.New("the process is dead")
	}
	if r.refuse != nil {
		return r.refuse
	}
	data, err := json.Marshal(run)
	r.runs[run.ID] = data
	r.saves++
	return err
}

func (r *records) Run(id int64) (run keepwatch.Run, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	data, ok := r.runs[id]
	if !ok {
		return run, keepwatch.Errorf(keepwatch.KindNotFound, "no run %d", id)
	}
	return run, json.Unmarshal(data, &run)
}

func (r *records) OpenRuns() ([]keepwatch.Run, error) {
	var open []keepwatch.Run
	for id := range int64(len(r.runs)) {
		run, err := r.Run(id + 1)
		if err != nil {
			return nil, err
		}
		if !run.State.Ended() {
			open = append(open, run)
		}
	}
	return open, nil
}

// setRefuse has every save fail with err, or go through again for nil.
func (r *records) setRefuse(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = err
}

// reborn gives the records as the next process finds them.
func (r *records) reborn() *records {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dead = true
	return &records{runs: maps.Clone(r.runs)}
}

// work is a Work whose steps are functions, and which remembers what was done.
type work struct {
	mu        sync.Mutex
	did       map[string]int
	discarded int
	steps     []string
	do        map[string]func(ctx context.Context, task keepwatch.Task) error
	fragile   string // the step that may not be done again
}

func newWork(steps ...string) *work {
	return &work{did: map[string]int{}, steps: steps, do: map[string]func(context.Context, keepwatch.Task) error{}}
}

func (w *work) Steps(context.Context, keepwatch.Run) ([]string, error) { return w.steps, nil }

func (w *work) Do(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	w.mu.Lock()
	w.did[task.Step]++
	do := w.do[task.Step]
	w.mu.Unlock()
	result := task.Run.Result
	if do != nil {
		if err := do(ctx, task); err != nil {
			return result, err
		}
	}
	result.Items++
	return result, nil
}

func (w *work) Resumable(_ keepwatch.Run, step string) bool { return step != w.fragile }

func (w *work) Discard(context.Context, keepwatch.Run) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.discarded++
	return nil
}

func (w *work) count(step string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.did[step]
}

func start(t *testing.T, rec *records, w *work, change func(*engine.Config)) *engine.Engine {
	t.Helper()
	cfg := engine.Config{Records: rec, Works: map[keepwatch.RunKind]engine.Work{keepwatch.RunBackup: w}, Now: time.Now}
	if change != nil {
		change(&cfg)
	}
	e, err := engine.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func begin(t *testing.T, e *engine.Engine) keepwatch.Run {
	t.Helper()
	run, err := e.Start(t.Context(), keepwatch.Run{Kind: keepwatch.RunBackup, Source: "notes", By: "Alis"})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func settled(t *testing.T, e *engine.Engine, id int64) keepwatch.Run {
	t.Helper()
	run, err := e.Follow(t.Context(), id, func(keepwatch.Run) {})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestRunGoesThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("plan", "fetch", "seal")
		w.do["fetch"] = func(_ context.Context, task keepwatch.Task) error {
			if task.Run.Result.Items != 1 {
				t.Errorf("fetch is handed the result %+v", task.Run.Result)
			}
			time.Sleep(3 * time.Second) // in the bubble
			return nil
		}
		var states []keepwatch.RunState
		e := start(t, rec, w, func(c *engine.Config) { c.Changed = func(r keepwatch.Run) { states = append(states, r.State) } })
		run := begin(t, e)
		if saved, err := rec.Run(run.ID); err != nil || saved.Source != "notes" {
			t.Errorf("not saved when Start returns: %+v %v", saved, err)
		}
		run = settled(t, e, run.ID)
		if run.State != keepwatch.RunDone || run.Result.Items != 3 || run.Ended.Sub(run.Started) != 3*time.Second {
			t.Errorf("%+v", run)
		}
		saved, _ := rec.Run(run.ID)
		if saved.State != keepwatch.RunDone || saved.Current() != nil {
			t.Errorf("saved %+v", saved)
		}
		if states[0] != keepwatch.RunQueued || states[len(states)-1] != keepwatch.RunDone {
			t.Errorf("told %v", states)
		}
	})
}

// TestKilledAtEveryPoint kills the engine at each of its named points in turn,
// and lets the next one go on from what was saved.
func TestKilledAtEveryPoint(t *testing.T) {
	total := 0
	for at := 1; ; at++ {
		passed, name := 0, ""
		synctest.Test(t, func(t *testing.T) {
			rec, w := newRecords(), newWork("plan", "fetch", "seal")
			e := start(t, rec, w, func(c *engine.Config) {
				c.Crash = func(point string) {
					if passed++; passed == at {
						name = point
						rec.mu.Lock()
						rec.dead = true
						rec.mu.Unlock()
						runtime.Goexit() // nothing after this line happens
					}
				}
			})
			go func() { _, _ = e.Start(t.Context(), keepwatch.Run{Kind: keepwatch.RunBackup, Source: "notes"}) }()
			synctest.Wait()
			if name == "" {
				return
			}
			next := rec.reborn()
			before := map[string]int{}
			saved, err := next.Run(1)
			if keepwatch.KindOf(err) == keepwatch.KindNotFound {
				return // killed before it was saved: nobody was told
			}
			for _, s := range saved.Steps {
				if s.State == keepwatch.StepDone {
					before[s.Name] = w.count(s.Name)
				}
			}
			e = start(t, next, w, nil)
			if _, err := e.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
			run := settled(t, e, 1)
			if run.State != keepwatch.RunDone || run.Result.Items != 3 {
				t.Errorf("killed at %s: %s with %d results", name, run.State, run.Result.Items)
			}
			for step, n := range before {
				if w.count(step) != n {
					t.Errorf("killed at %s: the finished step %s ran again", name, step)
				}
			}
		})
		if name == "" {
			break
		}
		total++
	}
	if total < 10 {
		t.Errorf("only %d points", total)
	}
}

func TestFragileStepWaitsForAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("plan", "send")
		w.fragile = "send"
		w.do["send"] = func(ctx context.Context, _ keepwatch.Task) error { <-ctx.Done(); return ctx.Err() }
		e := start(t, rec, w, nil)
		begin(t, e)
		synctest.Wait()
		next := rec.reborn()
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		delete(w.do, "send")
		e = start(t, next, w, nil)
		going, err := e.Resume(t.Context())
		run, _ := e.Run(1)
		if err != nil || len(going) != 0 || run.State != keepwatch.RunAttention || !strings.Contains(run.Failure.Message, `"send"`) {
			t.Fatalf("%v %v %+v", going, err, run)
		}
		if _, err := e.Retry(t.Context(), 1, "Alis"); err != nil {
			t.Fatal(err)
		}
		run = settled(t, e, 1)
		if run.State != keepwatch.RunDone || w.count("plan") != 1 || w.count("send") != 2 || len(run.Failures) != 1 {
			t.Errorf("%+v did %v", run, w.did)
		}
	})
}

func TestShutdownLeavesRunsRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		w.do["fetch"] = func(ctx context.Context, _ keepwatch.Task) error { <-ctx.Done(); return ctx.Err() }
		e := start(t, rec, w, func(c *engine.Config) { c.Parallel = 1 })
		begin(t, e)
		second := begin(t, e)
		synctest.Wait()
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[int64]keepwatch.RunState{1: keepwatch.RunRunning, second.ID: keepwatch.RunQueued} {
			if run, _ := rec.Run(id); run.State != want || run.Failure != nil {
				t.Errorf("run %d is %s after a shutdown, %+v", id, run.State, run.Failure)
			}
		}
		if w.discarded != 0 {
			t.Error("a shutdown discarded what a run had done")
		}
		if _, err := e.Start(t.Context(), keepwatch.Run{Kind: keepwatch.RunBackup}); keepwatch.KindOf(err) != keepwatch.KindConflict {
			t.Errorf("a closed engine takes a run: %v", err)
		}
	})
}

func TestCancel(t *testing.T) {
	block := func(ctx context.Context, _ keepwatch.Task) error { <-ctx.Done(); return ctx.Err() }
	t.Run("running", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rec, w := newRecords(), newWork("fetch")
			w.do["fetch"] = block
			e := start(t, rec, w, nil)
			begin(t, e)
			synctest.Wait()
			run, err := e.Cancel(t.Context(), 1, "Alis", "wrong folder")
			if err != nil || run.State != keepwatch.RunCancelled || run.CancelledBy != "Alis" || run.CancelReason != "wrong folder" || w.discarded != 1 {
				t.Errorf("%+v %v", run, err)
			}
			if saved, _ := rec.Run(1); saved.State != keepwatch.RunCancelled || saved.CancelReason != "wrong folder" {
				t.Errorf("saved %+v", saved)
			}
			if _, err := e.Cancel(t.Context(), 1, "Alis", ""); keepwatch.KindOf(err) != keepwatch.KindConflict {
				t.Errorf("cancelled twice: %v", err)
			}
		})
	})
	t.Run("queued", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rec, w := newRecords(), newWork("fetch")
			w.do["fetch"] = block
			e := start(t, rec, w, func(c *engine.Config) { c.Parallel = 1 })
			begin(t, e)
			synctest.Wait()
			second := begin(t, e)
			run, err := e.Cancel(t.Context(), second.ID, "Alis", "")
			if err != nil || run.State != keepwatch.RunCancelled || w.count("fetch") != 1 {
				t.Errorf("%+v %v", run, err)
			}
			_ = e.Close(t.Context())
		})
	})
	t.Run("needs attention", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rec, w := newRecords(), newWork("fetch")
			w.do["fetch"] = func(context.Context, keepwatch.Task) error {
				return keepwatch.Errorf(keepwatch.KindAttention, "Free the disk.")
			}
			e := start(t, rec, w, nil)
			begin(t, e)
			if run := settled(t, e, 1); run.State != keepwatch.RunAttention || run.Failure.Message != "Free the disk." {
				t.Errorf("%+v", run)
			}
			if run, err := e.Cancel(t.Context(), 1, "Alis", "no room"); err != nil || run.State != keepwatch.RunCancelled || w.discarded != 1 {
				t.Errorf("%+v %v", run, err)
			}
		})
	})
	t.Run("killed after the cancel was saved", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rec, w := newRecords(), newWork("fetch")
			w.do["fetch"] = block
			e := start(t, rec, w, func(c *engine.Config) {
				c.Crash = func(p string) {
					if p == "engine.cancel.after-save" {
						runtime.Goexit()
					}
				}
			})
			begin(t, e)
			synctest.Wait()
			go func() { _, _ = e.Cancel(t.Context(), 1, "Alis", "wrong") }()
			synctest.Wait()
			next := rec.reborn()
			_ = e.Close(t.Context())
			e = start(t, next, w, nil)
			if going, err := e.Resume(t.Context()); err != nil || len(going) != 0 {
				t.Errorf("%v %v", going, err)
			}
			if run, _ := e.Run(1); run.State != keepwatch.RunCancelled || run.CancelReason != "wrong" {
				t.Errorf("%+v", run)
			}
		})
	})
}

func TestPanicStopsOneRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		w.do["fetch"] = func(_ context.Context, task keepwatch.Task) error {
			if task.Run.ID == 1 {
				panic("a fault")
			}
			return nil
		}
		e := start(t, rec, w, nil)
		begin(t, e)
		begin(t, e)
		if run := settled(t, e, 1); run.State != keepwatch.RunAttention || !strings.Contains(run.Failure.Stack, "engine_test.go") || !strings.Contains(run.Failure.Cause, "a fault") {
			t.Errorf("%+v", run)
		}
		if run := settled(t, e, 2); run.State != keepwatch.RunDone {
			t.Errorf("%+v", run)
		}
	})
}

func TestTransientErrorsAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		w.do["fetch"] = func(context.Context, keepwatch.Task) error {
			if w.count("fetch") < 3 {
				return keepwatch.Errorf(keepwatch.KindTransient, "Not now.")
			}
			return nil
		}
		e := start(t, rec, w, nil)
		began := time.Now()
		begin(t, e)
		if run := settled(t, e, 1); run.State != keepwatch.RunDone || time.Since(began).Round(100*time.Millisecond) != 3*time.Second {
			t.Errorf("%+v after %v", run, time.Since(began))
		}
		w.do["fetch"] = func(context.Context, keepwatch.Task) error {
			return keepwatch.Errorf(keepwatch.KindTransient, "Not now.")
		}
		begin(t, e)
		if run := settled(t, e, 2); run.State != keepwatch.RunAttention || !strings.Contains(run.Failure.Message, "tried 6 times") {
			t.Errorf("%+v", run)
		}
		if _, err := e.Cancel(t.Context(), 2, "Alis", ""); err != nil {
			t.Fatal(err)
		}
		run, err := e.Start(t.Context(), keepwatch.Run{Kind: keepwatch.RunBackup, Source: "notes", Due: "schedule:notes@2026-11-26T03:00"})
		if err != nil {
			t.Fatal(err)
		}
		if run = settled(t, e, run.ID); run.State != keepwatch.RunFailed || run.Failure.Message != "Not now." {
			t.Errorf("what was scheduled waits for somebody instead of being tried again later: %+v", run)
		}
	})
}

func TestUnsavedStepIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch", "seal")
		w.do["fetch"] = func(context.Context, keepwatch.Task) error {
			rec.setRefuse(errors.New("disk full"))
			return nil
		}
		told := map[keepwatch.RunState]int{}
		e := start(t, rec, w, func(c *engine.Config) {
			c.Changed = func(r keepwatch.Run) {
				if s := r.Step("fetch"); s != nil && s.State == keepwatch.StepDone {
					t.Error("a step whose save failed was told to be done")
				}
				told[r.State]++
			}
		})
		begin(t, e)
		run := settled(t, e, 1)
		if run.State != keepwatch.RunAttention || w.count("seal") != 0 {
			t.Errorf("%+v", run)
		}
		if saved, _ := rec.Run(1); saved.State != keepwatch.RunRunning {
			t.Errorf("on disk it is %s", saved.State)
		}
	})
}

func TestAtMostParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		var mu sync.Mutex
		now, most := 0, 0
		w.do["fetch"] = func(context.Context, keepwatch.Task) error {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second) // in the bubble
			mu.Lock()
			now--
			mu.Unlock()
			return nil
		}
		e := start(t, rec, w, func(c *engine.Config) { c.Parallel = 3 })
		for range 10 {
			begin(t, e)
		}
		for id := range int64(10) {
			settled(t, e, id+1)
		}
		if most != 3 {
			t.Errorf("%d at once", most)
		}
	})
}

func TestCheckpointAndCrashLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		hang := func(ctx context.Context, task keepwatch.Task) error { <-ctx.Done(); return ctx.Err() }
		w.do["fetch"] = func(ctx context.Context, task keepwatch.Task) error {
			if err := task.Checkpoint(json.RawMessage(`{"at":7}`)); err != nil {
				return err
			}
			return hang(ctx, task)
		}
		e := start(t, rec, w, nil)
		begin(t, e)
		synctest.Wait()
		rec = rec.reborn()
		_ = e.Close(t.Context())
		var got string
		w.do["fetch"] = func(ctx context.Context, task keepwatch.Task) error {
			got = string(task.Run.Result.Checkpoint)
			return hang(ctx, task)
		}
		for n := 2; n <= 6; n++ {
			e = start(t, rec, w, nil)
			going, err := e.Resume(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			run, _ := rec.Run(1)
			if stopped := run.State == keepwatch.RunAttention; stopped != (n == 6) || len(going) == 1 == stopped {
				t.Fatalf("cut off %d times: %s", n-1, run.State)
			}
			rec = rec.reborn()
			_ = e.Close(t.Context())
		}
		if got != `{"at":7}` {
			t.Errorf("the checkpoint was %q", got)
		}
	})
}

func TestFollowGetsTheNewestAndTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		w.do["fetch"] = func(_ context.Context, task keepwatch.Task) error {
			for i := range int64(1000) {
				task.Report(keepwatch.Progress{Bytes: i, TotalBytes: 1000})
				time.Sleep(10 * time.Millisecond) // in the bubble
			}
			return nil
		}
		e := start(t, rec, w, nil)
		begin(t, e)
		var seen []keepwatch.Run
		run, err := e.Follow(t.Context(), 1, func(r keepwatch.Run) { seen = append(seen, r) })
		if err != nil || run.State != keepwatch.RunDone || seen[len(seen)-1].State != keepwatch.RunDone {
			t.Fatalf("%v %+v", err, run)
		}
		if len(seen) < 20 || len(seen) > 60 {
			t.Errorf("told %d times in 10 s", len(seen))
		}
		if !slices.IsSortedFunc(seen[:len(seen)-1], func(a, b keepwatch.Run) int { return int(a.Progress.Bytes - b.Progress.Bytes) }) {
			t.Error("progress went backwards")
		}
	})
}

func TestFollowEndsWithTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		w.do["fetch"] = func(ctx context.Context, _ keepwatch.Task) error { <-ctx.Done(); return ctx.Err() }
		e := start(t, rec, w, nil)
		begin(t, e)
		done := make(chan keepwatch.Run)
		go func() { run, _ := e.Follow(t.Context(), 1, func(keepwatch.Run) {}); done <- run }()
		synctest.Wait()
		_ = e.Close(t.Context())
		if run := <-done; run.State != keepwatch.RunRunning {
			t.Errorf("%+v", run)
		}
	})
}

func TestRetryRefusesWhatIsNotWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		e := start(t, rec, w, nil)
		begin(t, e)
		settled(t, e, 1)
		if _, err := e.Retry(t.Context(), 1, "Alis"); keepwatch.KindOf(err) != keepwatch.KindConflict {
			t.Errorf("%v", err)
		}
		if _, err := e.Retry(t.Context(), 9, "Alis"); keepwatch.KindOf(err) != keepwatch.KindNotFound {
			t.Errorf("%v", err)
		}
	})
}

func TestClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch", "seal")
		offset := time.Duration(0)
		w.do["fetch"] = func(context.Context, keepwatch.Task) error { offset = -time.Hour; return nil }
		e := start(t, rec, w, func(c *engine.Config) { c.Now = func() time.Time { return time.Now().Add(offset) } })
		begin(t, e)
		run := settled(t, e, 1)
		for _, s := range run.Steps {
			if s.Ended.Before(s.Started) {
				t.Errorf("step %s ended before it began", s.Name)
			}
		}
	})
}

func BenchmarkRuns(b *testing.B) {
	rec, w := newRecords(), newWork("plan", "fetch", "verify", "seal", "prune")
	e, err := engine.New(engine.Config{Records: rec, Works: map[keepwatch.RunKind]engine.Work{keepwatch.RunBackup: w}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		run, err := e.Start(b.Context(), keepwatch.Run{Kind: keepwatch.RunBackup, Source: "notes"})
		if err != nil {
			b.Fatal(err)
		}
		if run, err = e.Follow(b.Context(), run.ID, func(keepwatch.Run) {}); err != nil || run.State != keepwatch.RunDone {
			b.Fatal(fmt.Sprint(run.State, err))
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}
