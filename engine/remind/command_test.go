package remind_test

import (
	"errors"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/remind"
)

func outcomeDone(keepwatch.Occurrence) (remind.Outcome, error) {
	return remind.Outcome{Done: true}, nil
}

const nightly = "1@2026-11-26T03:00"

// newNightly is a world in which a backup has just become due.
func newNightly(t *testing.T) *world {
	w := newWorld(t, wallClock{}, at("2026-11-26 02:59"))
	w.add(keepwatch.Rule{When: cron("0 3 *"), Kind: keepwatch.RuleCommand, Command: "backup start notes", Account: keepwatch.Account{Platform: "slack", ID: "U1"}})
	w.run(time.Minute)
	return w
}

func run(id int64, try int, state keepwatch.RunState) keepwatch.Run {
	return keepwatch.Run{ID: id, Due: nightly, Request: remind.RequestID(nightly, try), State: state, Failure: &keepwatch.Failure{Message: "The server does not answer."}}
}

func TestCommandIsCarriedOut(t *testing.T) {
	w := newNightly(t)
	if len(w.took) != 1 {
		t.Fatalf("carried out: %+v", w.took)
	}
	d := w.took[0]
	if d.Key != "due:1@2026-11-26T03:00#1" || d.Request.ID != "due-1@2026-11-26T03-00.1" || d.Request.Text != "/backup start notes" ||
		d.Request.Account.ID != "U1" || d.Reply.To.ID != "U1" || d.Request.Channel != "slack:A" || d.Request.Due != nightly || !d.Request.At.Equal(w.now) {
		t.Errorf("%+v", d)
	}
	o := w.state(nightly, keepwatch.OccurrenceRunning)
	if o.Tries != 1 {
		t.Errorf("%+v", o)
	}
	w.RunChanged(run(42, 1, keepwatch.RunQueued))
	for range 3 {
		w.RunChanged(run(42, 1, keepwatch.RunRunning))
	}
	if o := w.state(nightly, keepwatch.OccurrenceRunning); o.Run != 42 || len(o.Log) != 2 {
		t.Errorf("%+v", o)
	}
	w.Answered(nightly, keepwatch.OutcomeDone, "") // the answer was the card of the run
	w.state(nightly, keepwatch.OccurrenceRunning)
	w.RunChanged(run(42, 1, keepwatch.RunDone))
	w.RunChanged(run(42, 1, keepwatch.RunDone))
	w.state(nightly, keepwatch.OccurrenceDone)
	w.run(2 * time.Hour)
	w.sees("slack:A")
	if len(w.took) != 1 {
		t.Errorf("carried out again: %+v", w.took)
	}
}

func TestCommandThatStartsNoRun(t *testing.T) {
	w := newNightly(t)
	w.outcome = outcomeDone
	w.Answered(nightly, keepwatch.OutcomeDone, "")
	w.state(nightly, keepwatch.OccurrenceDone)
}

// TestCommandAnsweredBeforeItsRunWasSeen: the run is found, and waited for.
func TestCommandAnsweredBeforeItsRunWasSeen(t *testing.T) {
	w := newNightly(t)
	w.outcome = func(keepwatch.Occurrence) (remind.Outcome, error) {
		return remind.Outcome{Found: true, Run: run(7, 1, keepwatch.RunQueued)}, nil
	}
	w.Answered(nightly, keepwatch.OutcomeDone, "")
	if o := w.state(nightly, keepwatch.OccurrenceRunning); o.Run != 7 {
		t.Errorf("%+v", o)
	}
}

// TestCommandIsTriedAgain: 5, 15 and 45 minutes after it failed, then every hour, and
// not beyond six hours. A try that an earlier run tells of changes nothing.
func TestCommandIsTriedAgain(t *testing.T) {
	w := newNightly(t)
	var tried []string
	for try := 1; try <= 12; try++ {
		o := w.occ(nightly)
		if o.State == keepwatch.OccurrenceFailed {
			break
		}
		if o.State != keepwatch.OccurrenceRunning || o.Tries != try {
			t.Fatalf("try %d: %+v", try, o)
		}
		tried = append(tried, w.now.Format("15:04"))
		if try > 1 {
			w.RunChanged(run(int64(try-1), try-1, keepwatch.RunDone)) // late news of an earlier one
		}
		w.RunChanged(run(int64(try), try, keepwatch.RunRunning))
		w.RunChanged(run(int64(try), try, keepwatch.RunFailed))
		w.RunChanged(run(int64(try), try, keepwatch.RunFailed))
		if o := w.occ(nightly); o.State == keepwatch.OccurrenceDue {
			w.to(o.Wake.Add(-time.Second))
			w.state(nightly, keepwatch.OccurrenceDue)
			w.to(o.Wake)
		}
	}
	want := []string{"03:00", "03:05", "03:20", "04:05", "05:05", "06:05", "07:05", "08:05"}
	if len(tried) != len(want) || len(w.took) != len(want) {
		t.Fatalf("tried at %v, carried out %d times", tried, len(w.took))
	}
	for i := range want {
		if tried[i] != want[i] || w.took[i].Key != remind.DeliveryKey(nightly, i+1) {
			t.Errorf("try %d at %s as %s", i+1, tried[i], w.took[i].Key)
		}
	}
	w.state(nightly, keepwatch.OccurrenceFailed)
	w.sees("slack:A") // nobody is told here; it is a warning
}

func TestCommandMendsItself(t *testing.T) {
	w := newNightly(t)
	w.Answered(nightly, keepwatch.OutcomeRefused, "Run 3 backs it up just now.")
	w.state(nightly, keepwatch.OccurrenceDue)
	w.run(5 * time.Minute)
	w.state(nightly, keepwatch.OccurrenceRunning)
	w.RunChanged(run(4, 2, keepwatch.RunDone))
	w.state(nightly, keepwatch.OccurrenceDone)
}

func TestCommandEnds(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*world)
		want keepwatch.OccurrenceState
	}{
		"denied":          {func(w *world) { w.Answered(nightly, keepwatch.OutcomeDenied, "You may not.") }, keepwatch.OccurrenceFailed},
		"cancelled":       {func(w *world) { w.RunChanged(run(1, 1, keepwatch.RunCancelled)) }, keepwatch.OccurrenceSkipped},
		"needs attention": {func(w *world) { w.RunChanged(run(1, 1, keepwatch.RunAttention)) }, keepwatch.OccurrenceRunning},
		"attended to": {func(w *world) {
			w.RunChanged(run(1, 1, keepwatch.RunAttention))
			w.RunChanged(run(1, 1, keepwatch.RunRunning))
			w.RunChanged(run(1, 1, keepwatch.RunDone))
		}, keepwatch.OccurrenceDone},
		"unknown": {func(w *world) {
			w.RunChanged(keepwatch.Run{ID: 1, Due: "9@2026-11-26T03:00", State: keepwatch.RunDone})
			w.Answered("9@2026-11-26T03:00", keepwatch.OutcomeDone, "")
		}, keepwatch.OccurrenceRunning},
	} {
		t.Run(name, func(t *testing.T) {
			w := newNightly(t)
			c.do(w)
			w.state(nightly, c.want)
			w.outcome = func(keepwatch.Occurrence) (remind.Outcome, error) { return remind.Outcome{Pending: true}, nil }
			w.run(7 * time.Hour)
			w.state(nightly, c.want)
			if len(w.took) != 1 {
				t.Errorf("carried out %d times", len(w.took))
			}
		})
	}
}

// TestCommandStillRunning: what is due meanwhile is not started, and says why.
func TestCommandStillRunning(t *testing.T) {
	w := newNightly(t)
	w.outcome = func(keepwatch.Occurrence) (remind.Outcome, error) {
		return remind.Outcome{Found: true, Run: run(42, 1, keepwatch.RunRunning)}, nil
	}
	w.run(24 * time.Hour)
	o := w.state("1@2026-11-27T03:00", keepwatch.OccurrenceMissed)
	if len(o.Log) != 1 || o.Log[0].What != "not started: the one of Thu 26 Nov 2026 03:00 UTC still runs as run 42" {
		t.Errorf("%+v", o.Log)
	}
	w.RunChanged(run(42, 1, keepwatch.RunDone))
	w.run(24 * time.Hour)
	w.state("1@2026-11-28T03:00", keepwatch.OccurrenceRunning)
}

// TestCommandOutcomeAfterCrash: what a crash between the run and the occurrence has
// lost is found when it wakes.
func TestCommandOutcomeAfterCrash(t *testing.T) {
	for name, c := range map[string]struct {
		out   remind.Outcome
		err   error
		want  keepwatch.OccurrenceState
		times int
	}{
		"done":                 {remind.Outcome{Found: true, Run: run(1, 1, keepwatch.RunDone)}, nil, keepwatch.OccurrenceDone, 1},
		"of an earlier try":    {remind.Outcome{Found: true, Run: run(1, 7, keepwatch.RunDone)}, nil, keepwatch.OccurrenceRunning, 1},
		"answered without run": {remind.Outcome{Done: true}, nil, keepwatch.OccurrenceDone, 1},
		"refused":              {remind.Outcome{Refused: "Run 3 backs it up just now."}, nil, keepwatch.OccurrenceDue, 1},
		"denied":               {remind.Outcome{Refused: "You may not.", Denied: true}, nil, keepwatch.OccurrenceFailed, 1},
		"on its way":           {remind.Outcome{Pending: true}, nil, keepwatch.OccurrenceRunning, 1},
		"it never arrived":     {remind.Outcome{}, nil, keepwatch.OccurrenceRunning, 2},
		"nobody knows":         {remind.Outcome{}, errors.New("disk"), keepwatch.OccurrenceRunning, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newNightly(t)
			w.boot()
			w.outcome = func(keepwatch.Occurrence) (remind.Outcome, error) { return c.out, c.err }
			w.run(time.Minute)
			w.state(nightly, c.want)
			if len(w.took) != c.times || w.took[len(w.took)-1].Key != remind.DeliveryKey(nightly, 1) {
				t.Errorf("carried out: %+v", w.took)
			}
		})
	}
}

func TestCommandCannotBeHandedOver(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 02:59"))
	w.add(keepwatch.Rule{When: cron("0 3 *"), Kind: keepwatch.RuleCommand, Command: "backup start notes"})
	w.carry = func(keepwatch.Delivery) error { return errors.New("stopping") }
	w.run(5 * time.Minute)
	if o := w.state(nightly, keepwatch.OccurrenceRunning); len(w.took) != 0 || o.Tries != 1 {
		t.Errorf("%+v", o)
	}
	w.carry = nil
	w.run(10 * time.Minute)
	if len(w.took) != 1 {
		t.Errorf("carried out: %+v", w.took)
	}
}

// TestCommandWaitsForAnotherTryWhenTheNextComes: the next one takes its place.
func TestCommandWaitsForAnotherTryWhenTheNextComes(t *testing.T) {
	w := newNightly(t)
	w.RunChanged(run(1, 1, keepwatch.RunFailed))
	w.to(at("2026-11-27 03:00")) // away meanwhile
	w.state(nightly, keepwatch.OccurrenceFailed)
	w.state("1@2026-11-27T03:00", keepwatch.OccurrenceRunning)
}

func TestCommandTriedTooLate(t *testing.T) {
	w := newNightly(t)
	w.RunChanged(run(1, 1, keepwatch.RunFailed))
	w.to(at("2026-11-26 09:01"))
	w.state(nightly, keepwatch.OccurrenceFailed)
	if len(w.took) != 1 {
		t.Errorf("carried out: %+v", w.took)
	}
}

// TestCommandCaughtUp: what is carried out late may be tried again as long as what
// comes in time.
func TestCommandCaughtUp(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 02:59"))
	w.add(keepwatch.Rule{When: cron("0 3 *"), Kind: keepwatch.RuleCommand, Command: "backup start notes"})
	w.to(at("2026-11-26 20:00"))
	w.state(nightly, keepwatch.OccurrenceRunning)
	w.RunChanged(run(1, 1, keepwatch.RunFailed))
	w.state(nightly, keepwatch.OccurrenceDue)
	w.run(5 * time.Minute)
	if o := w.state(nightly, keepwatch.OccurrenceRunning); o.Tries != 2 {
		t.Errorf("%+v", o)
	}
}

// TestCommandGivesWayToTheNext: what fails is not tried again beyond the time at which
// its rule comes due again.
func TestCommandGivesWayToTheNext(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 02:59"))
	w.add(keepwatch.Rule{When: cron("0 * *"), Kind: keepwatch.RuleCommand, Command: "backup start notes"})
	for _, next := range []string{"03:00", "03:05", "03:20"} {
		w.to(at("2026-11-26 " + next))
		o := w.state(nightly, keepwatch.OccurrenceRunning)
		w.RunChanged(run(int64(o.Tries), o.Tries, keepwatch.RunFailed))
	}
	w.state(nightly, keepwatch.OccurrenceFailed) // the next try would be at 04:05
}

// TestCommandEndedUnseen: what ended, or never began, just before the process did is
// not in the way of the next one.
func TestCommandEndedUnseen(t *testing.T) {
	t.Run("ended", func(t *testing.T) {
		w := newNightly(t)
		w.outcome = func(o keepwatch.Occurrence) (remind.Outcome, error) {
			return remind.Outcome{Found: o.ID == nightly, Run: run(1, 1, keepwatch.RunDone)}, nil
		}
		w.to(at("2026-11-27 03:00"))
		w.state(nightly, keepwatch.OccurrenceDone)
		w.state("1@2026-11-27T03:00", keepwatch.OccurrenceRunning)
	})
	t.Run("asked for by hand", func(t *testing.T) {
		w := newNightly(t)
		w.outcome = func(keepwatch.Occurrence) (remind.Outcome, error) {
			return remind.Outcome{Found: true, Run: run(1, 1, keepwatch.RunDone)}, nil
		}
		if o, err := w.FireNow("1", "Alis", "r1"); err != nil || o.State != keepwatch.OccurrenceRunning {
			t.Errorf("%+v, %v", o, err)
		}
		w.state(nightly, keepwatch.OccurrenceDone)
	})
	t.Run("never began", func(t *testing.T) {
		w := newWorld(t, wallClock{}, at("2026-11-26 02:59"))
		w.add(keepwatch.Rule{When: cron("0 3 *"), Kind: keepwatch.RuleCommand, Command: "backup start notes"})
		w.crashAt = func(point string) bool { return point == "remind.saved" }
		w.now = at("2026-11-26 03:00")
		if w.alive(w.tick) {
			t.Fatal("it was not killed")
		}
		w.crashAt = nil
		w.boot()
		w.to(at("2026-11-27 03:00"))
		w.state(nightly, keepwatch.OccurrenceMissed)
		w.state("1@2026-11-27T03:00", keepwatch.OccurrenceRunning)
		if len(w.took) != 1 || w.took[0].Request.Due != "1@2026-11-27T03:00" {
			t.Errorf("carried out: %+v", w.took)
		}
	})
}
