package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

// TestKeepStays: what a step keeps of a server is on disk when Keep returns, stays
// whatever the step returns, and is handed to each try, each step behind it, the next
// process, and whoever takes the run up again.
func TestKeepStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("plan", "request", "wait")
		var seen []string
		saw := func(task keepwatch.Task) { seen = append(seen, task.Step+" "+string(task.Run.Result.Remote)) }
		w.do["request"] = func(_ context.Context, task keepwatch.Task) error {
			saw(task)
			switch w.count("request") {
			case 1:
				data := json.RawMessage(`{"pid":1}`)
				if err := task.Keep(data); err != nil {
					t.Error(err)
				}
				copy(data, `{"pid":9}`) // the caller's to use again
				if saved, _ := rec.Run(1); string(saved.Result.Remote) != `{"pid":1}` {
					t.Errorf("saved is %s when Keep returns", saved.Result.Remote)
				}
				return keepwatch.Errorf(keepwatch.KindTransient, "Not now.")
			case 2:
				return keepwatch.Errorf(keepwatch.KindAttention, "The host says no.")
			}
			return nil
		}
		w.do["wait"] = func(_ context.Context, task keepwatch.Task) error {
			saw(task)
			return task.Keep(json.RawMessage(`{"pid":1,"made":true}`))
		}
		e := start(t, rec, w, nil)
		begin(t, e)
		if run := settled(t, e, 1); run.State != keepwatch.RunAttention || string(run.Result.Remote) != `{"pid":1}` {
			t.Fatalf("%s with %s", run.State, run.Result.Remote)
		}
		e = start(t, rec.reborn(), w, nil) // and the bot is started anew before somebody takes it up
		if _, err := e.Retry(t.Context(), 1, "Alis"); err != nil {
			t.Fatal(err)
		}
		run := settled(t, e, 1)
		if run.State != keepwatch.RunDone || string(run.Result.Remote) != `{"pid":1,"made":true}` || run.Result.Items != 3 {
			t.Errorf("%s with %s and %d items", run.State, run.Result.Remote, run.Result.Items)
		}
		want := []string{"request ", `request {"pid":1}`, `request {"pid":1}`, `wait {"pid":1}`}
		if len(seen) != len(want) {
			t.Fatalf("%q", seen)
		}
		for i := range want {
			if seen[i] != want[i] {
				t.Errorf("%d: %q and not %q", i, seen[i], want[i])
			}
		}
	})
}

// TestKeepKilled: killed before it was saved nothing is known of it, and after that
// all is.
func TestKeepKilled(t *testing.T) {
	for point, want := range map[string]string{"engine.request.before-keep": "", "engine.request.kept": `{"told":true}`} {
		synctest.Test(t, func(t *testing.T) {
			rec, w := newRecords(), newWork("request")
			var found string
			w.do["request"] = func(_ context.Context, task keepwatch.Task) error {
				if w.count("request") == 2 {
					found = string(task.Run.Result.Remote)
					return nil
				}
				return task.Keep(json.RawMessage(`{"told":true}`))
			}
			var next *records
			e := start(t, rec, w, func(c *engine.Config) {
				c.Crash = func(p string) {
					if p == point && next == nil {
						next = rec.reborn()
					}
				}
			})
			begin(t, e)
			settled(t, e, 1) // of the process that is dead: nothing of it is on disk
			e = start(t, next, w, nil)
			if _, err := e.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
			if run := settled(t, e, 1); run.State != keepwatch.RunDone || found != want {
				t.Errorf("%s: %s, the step finds %q", point, run.State, found)
			}
		})
	}
}

// TestKeepThatCannotBeSaved is an error of the step, and nobody is shown what is not
// on disk.
func TestKeepThatCannotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("request")
		w.do["request"] = func(_ context.Context, task keepwatch.Task) error {
			rec.setRefuse(errors.New("the disk is full"))
			err := task.Keep(json.RawMessage(`{"told":true}`))
			rec.setRefuse(nil)
			return err
		}
		e := start(t, rec, w, nil)
		begin(t, e)
		if run := settled(t, e, 1); run.State != keepwatch.RunFailed || run.Result.Remote != nil {
			t.Errorf("%s with %s", run.State, run.Result.Remote)
		}
	})
}

// TestReportedWhileSaved: what is reported while the run is being saved is not forgotten: that
// a wait began is said once, and that it is over is too.
func TestReportedWhileSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := newRecords(), newWork("download", "seal")
		var e *engine.Engine
		pause := keepwatch.Pause{Why: "The server asks for it.", Until: time.Now().Add(time.Hour)}
		shown := func(want keepwatch.Pause) {
			t.Helper()
			if run, err := e.Run(1); err != nil || run.Progress.Pause != want || run.Progress.Step != "download" || run.Progress.Items != 7 {
				t.Errorf("%v, %+v", err, run.Progress)
			}
		}
		w.do["download"] = func(_ context.Context, task keepwatch.Task) error {
			for _, p := range []keepwatch.Pause{pause, {}} {
				rec.while = func() { task.Report(keepwatch.Progress{Items: 7, Pause: p}) }
				err := task.Checkpoint(json.RawMessage(`{"items":7}`))
				rec.while = nil
				if err != nil {
					return err
				}
				shown(p)
			}
			task.Report(keepwatch.Progress{Items: 7, Pause: pause})
			if err := task.Keep(json.RawMessage(`{"key":1}`)); err != nil {
				return err
			}
			shown(pause)
			if saved, err := rec.Run(1); err != nil || saved.Progress.Pause != (keepwatch.Pause{}) || strings.Contains(string(rec.runs[1]), "asks for it") {
				t.Errorf("a pause is on disk: %v, %+v", err, saved.Progress)
			}
			return nil
		}
		w.do["seal"] = func(_ context.Context, task keepwatch.Task) error {
			if run, err := e.Run(1); err != nil || run.Progress.Step != "seal" || run.Progress.Pause != (keepwatch.Pause{}) {
				t.Errorf("the next step begins with %+v, %v", run.Progress, err)
			}
			return nil
		}
		e = start(t, rec, w, nil)
		begin(t, e)
		if run := settled(t, e, 1); run.State != keepwatch.RunDone {
			t.Errorf("%s: %+v", run.State, run.Failure)
		}
	})
}
