package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

// needy gives a work whose step needs attention until it is told to go on.
func needy(goOn func(ctx context.Context) error) (w *work, ready func()) {
	w, fail := newWork("fetch"), true
	w.do["fetch"] = func(ctx context.Context, _ keepwatch.Task) error {
		if fail {
			return keepwatch.Errorf(keepwatch.KindAttention, "The disk is full.")
		}
		return goOn(ctx)
	}
	return w, func() { fail = false }
}

// slowRecords calls a function once, after a run was read.
type slowRecords struct {
	*records
	afterRead func()
}

func (s *slowRecords) Run(id int64) (keepwatch.Run, error) {
	run, err := s.records.Run(id)
	if f := s.afterRead; f != nil {
		s.afterRead = nil
		f()
	}
	return run, err
}

// TestCancelWhileSomebodyRetries: the cancel of a run that waits, and a retry of
// it that comes between the cancel's reading and its writing. What was answered
// is what becomes of it, and nothing is cleared away under a run that works.
func TestCancelWhileSomebodyRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *work
		w, ready := needy(func(context.Context) error {
			time.Sleep(time.Minute) // in the bubble
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.discarded > 0 {
				t.Error("what a run under way had done was discarded")
			}
			return nil
		})
		slow := &slowRecords{records: newRecords()}
		e, err := engine.New(engine.Config{Records: slow, Works: map[keepwatch.RunKind]engine.Work{keepwatch.RunBackup: w}})
		if err != nil {
			t.Fatal(err)
		}
		begin(t, e)
		settled(t, e, 1)
		ready()
		retried := make(chan error, 1)
		slow.afterRead = func() {
			go func() { _, err := e.Retry(t.Context(), 1, "Olwen"); retried <- err }()
			for range 1000 { // let it come in between, if it can
				runtime.Gosched()
			}
		}
		run, err := e.Cancel(t.Context(), 1, "Alis", "stop")
		if err != nil || run.State != keepwatch.RunCancelled {
			t.Errorf("cancel gave %s, %v", run.State, err)
		}
		if err := <-retried; keepwatch.KindOf(err) != keepwatch.KindConflict {
			t.Errorf("retry gave %v", err)
		}
		time.Sleep(2 * time.Minute) // in the bubble
		if saved, _ := slow.records.Run(1); saved.State != keepwatch.RunCancelled {
			t.Errorf("Alis was told that it is cancelled, and it is %s", saved.State)
		}
	})
}

// said is a log that calls a function when a line has a certain text.
type said struct {
	text string
	do   func()
}

func (s *said) Enabled(context.Context, slog.Level) bool { return true }
func (s *said) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s *said) WithGroup(string) slog.Handler            { return s }
func (s *said) Handle(_ context.Context, r slog.Record) error {
	if r.Message == s.text {
		s.do()
	}
	return nil
}

// TestCancelWhileParking: a cancel that is accepted while a run stops by itself
// is carried out, and not left to strike at a later start.
func TestCancelWhileParking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecords()
		w, _ := needy(nil)
		var e *engine.Engine
		var run keepwatch.Run
		var err error
		cancelled := make(chan struct{})
		log := &said{text: "a run stopped", do: func() { // why is known, and not saved yet
			go func() { run, err = e.Cancel(t.Context(), 1, "Alis", ""); close(cancelled) }()
			time.Sleep(time.Millisecond) // in the bubble: until the cancel is saved
		}}
		e = start(t, rec, w, func(c *engine.Config) { c.Log = slog.New(log) })
		begin(t, e)
		<-cancelled
		if err != nil || run.State != keepwatch.RunCancelled || w.discarded != 1 {
			t.Errorf("the cancel gave %v, and the run is %q, discarded %d times", err, run.State, w.discarded)
		}
		if saved, _ := rec.Run(1); saved.State != keepwatch.RunCancelled {
			t.Errorf("on disk it is %s", saved.State)
		}
	})
}

// TestCancelWhileLettingGo: a cancel that comes when a run has been parked and
// the engine has not let go of it yet.
func TestCancelWhileLettingGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecords()
		w, _ := needy(nil)
		var e *engine.Engine
		var run keepwatch.Run
		var err error
		cancelled, first := make(chan struct{}), true
		e = start(t, rec, w, func(c *engine.Config) {
			c.Changed = func(r keepwatch.Run) {
				if r.State == keepwatch.RunAttention && first {
					first = false
					go func() { run, err = e.Cancel(t.Context(), 1, "Alis", ""); close(cancelled) }()
					for range 1000 { // until it stands before the lock that is held here
						runtime.Gosched()
					}
				}
			}
		})
		begin(t, e)
		<-cancelled
		if err != nil || run.State != keepwatch.RunCancelled {
			t.Errorf("the cancel gave %v, and the run is %q", err, run.State)
		}
		if saved, _ := rec.Run(1); saved.State != keepwatch.RunCancelled {
			t.Errorf("on disk it is %s", saved.State)
		}
	})
}

// TestRetryForgetsAnOlderCancel: a state that an earlier version left, in which a
// parked run was asked to be cancelled and was not.
func TestRetryForgetsAnOlderCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := newRecords()
		w, ready := needy(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		e := start(t, rec, w, nil)
		begin(t, e)
		run := settled(t, e, 1)
		run.CancelledBy, run.CancelAsked = "Alis", time.Now()
		if err := rec.SaveRun(run); err != nil {
			t.Fatal(err)
		}
		ready()
		if _, err := e.Retry(t.Context(), 1, "Alis"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_ = e.Close(t.Context())
		e = start(t, rec, w, nil)
		if going, err := e.Resume(t.Context()); err != nil || len(going) != 1 {
			t.Errorf("a retried run does not go on at the next start: %v %v", going, err)
		}
		_ = e.Close(t.Context())
	})
}

// TestCancelThatCannotBeSaved says so, and works once there is room.
func TestCancelThatCannotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		full := errors.New("disk full")
		w.do["fetch"] = func(ctx context.Context, _ keepwatch.Task) error {
			<-ctx.Done()
			rec.setRefuse(full)
			return ctx.Err()
		}
		e := start(t, rec, w, nil)
		begin(t, e)
		synctest.Wait()
		run, err := e.Cancel(t.Context(), 1, "Alis", "")
		if keepwatch.KindOf(err) != keepwatch.KindAttention || run.State != keepwatch.RunAttention {
			t.Errorf("%s %v", run.State, err)
		}
		rec.setRefuse(nil)
		if run, err = e.Cancel(t.Context(), 1, "Alis", ""); err != nil || run.State != keepwatch.RunCancelled {
			t.Errorf("%s %v", run.State, err)
		}
	})
}

// TestRetryAfterAFailedSave: the state's disk was full, so that on disk the run
// still runs; with room again it can be taken up.
func TestRetryAfterAFailedSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		w.do["fetch"] = func(context.Context, keepwatch.Task) error { rec.setRefuse(errors.New("disk full")); return nil }
		e := start(t, rec, w, nil)
		begin(t, e)
		run := settled(t, e, 1)
		if run.State != keepwatch.RunAttention || len(run.Failures) != 1 {
			t.Errorf("%s with %d failures", run.State, len(run.Failures))
		}
		if shown, err := e.Run(1); err != nil || shown.State != keepwatch.RunAttention {
			t.Errorf("it is shown as %s, %v", shown.State, err)
		}
		rec.setRefuse(nil)
		delete(w.do, "fetch")
		if _, err := e.Retry(t.Context(), 1, "Alis"); err != nil {
			t.Fatal(err)
		}
		if run := settled(t, e, 1); run.State != keepwatch.RunDone || len(run.Failures) != 1 {
			t.Errorf("%s with %d failures", run.State, len(run.Failures))
		}
	})
}

// TestFailureThatCannotBeSaved: likewise where the step failed by itself.
func TestFailureThatCannotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		w.do["fetch"] = func(context.Context, keepwatch.Task) error {
			rec.setRefuse(errors.New("disk full"))
			return keepwatch.Errorf(keepwatch.KindInvalid, "It is no Outlook file.")
		}
		e := start(t, rec, w, nil)
		begin(t, e)
		if run := settled(t, e, 1); run.State != keepwatch.RunAttention || run.Failure.Message != "It is no Outlook file." {
			t.Errorf("%+v", run)
		}
	})
}

// TestGracefulStopsDoNotCount: however often the bot is stopped, a run goes on.
func TestGracefulStopsDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("fetch")
		w.do["fetch"] = func(ctx context.Context, _ keepwatch.Task) error { <-ctx.Done(); return ctx.Err() }
		e := start(t, rec, w, nil)
		begin(t, e)
		for n := range 8 {
			synctest.Wait()
			if err := e.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			e = start(t, rec, w, nil)
			if going, err := e.Resume(t.Context()); err != nil || len(going) == 0 {
				run, _ := rec.Run(1)
				t.Fatalf("after %d graceful stops it is %s: %+v %v", n+1, run.State, run.Failure, err)
			}
		}
		_ = e.Close(t.Context())
	})
}

// TestGracefulStopOfAFragileStep: it was cut off all the same.
func TestGracefulStopOfAFragileStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("send")
		w.fragile = "send"
		w.do["send"] = func(ctx context.Context, _ keepwatch.Task) error { <-ctx.Done(); return ctx.Err() }
		e := start(t, rec, w, nil)
		begin(t, e)
		synctest.Wait()
		_ = e.Close(t.Context())
		e = start(t, rec, w, nil)
		if going, err := e.Resume(t.Context()); err != nil || len(going) != 0 {
			t.Errorf("%v %v", going, err)
		}
	})
}
