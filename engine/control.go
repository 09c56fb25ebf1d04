package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keepwatch"
)

// crashLimit is how often a step may be cut off, without a checkpoint in
// between, before it waits for a person: it may be what kills the process.
const crashLimit = 5

// Resume takes up the runs that an earlier process left, oldest first, and
// gives those that go on. It is called once, before anything is started.
func (e *Engine) Resume(ctx context.Context) ([]keepwatch.Run, error) {
	open, err := e.cfg.Records.OpenRuns()
	if err != nil {
		return nil, err
	}
	var going []keepwatch.Run
	for _, run := range open {
		work, ok := e.cfg.Works[run.Kind]
		if !ok {
			e.cfg.Log.Warn("a run is left alone: this version does not know its kind", "run", run.ID, "kind", run.Kind)
			continue
		}
		goes, err := e.takeUp(ctx, run, work)
		if err != nil {
			return going, err
		}
		if goes {
			going = append(going, run)
		}
	}
	return going, nil
}

// takeUp decides what becomes of one run that was left.
func (e *Engine) takeUp(ctx context.Context, run keepwatch.Run, work Work) (goes bool, err error) {
	if !run.CancelAsked.IsZero() {
		return false, e.endCancelled(run, work)
	}
	if run.State.Settled() {
		return false, nil
	}
	if run.Current() == nil { // killed between the last step and the run's end; cannot be with the saves as they are
		run.State, run.Ended = keepwatch.RunDone, e.now()
		return false, e.save(run)
	}
	if step := run.Current(); step.State == keepwatch.StepRunning {
		var why string
		switch {
		case !work.Resumable(run, step.Name):
			why = fmt.Sprintf("The bot was stopped in the middle of the step %q, which cannot simply be done again. Look at what it has done so far, then retry or cancel.", step.Name)
		case step.Attempts >= crashLimit:
			why = fmt.Sprintf("The step %q was cut off %d times; it may be what stops the bot. Look into the log, then retry or cancel.", step.Name, step.Attempts)
		}
		if why != "" {
			f := keepwatch.Failure{Step: step.Name, At: e.now(), Kind: keepwatch.KindAttention, Message: why}
			run.State, run.Failure = keepwatch.RunAttention, &f
			run.Failures = append(run.Failures, f)
			stopStep(&run, f.At)
			return false, e.save(run)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false, stopping()
	}
	e.queue(run, work)
	return true, nil
}

func (e *Engine) save(run keepwatch.Run) error {
	if err := e.cfg.Records.SaveRun(run); err != nil {
		return err
	}
	e.cfg.Changed(run)
	return nil
}

// endCancelled ends a run that nothing works on, as cancelled.
func (e *Engine) endCancelled(run keepwatch.Run, work Work) error {
	e.discard(work, run, e.cfg.Log.With("run", run.ID))
	run.State, run.Ended = keepwatch.RunCancelled, notBefore(e.now(), run.Created)
	stopStep(&run, run.Ended)
	return e.save(run)
}

// Cancel stops a run because a person says so. Who and why are saved first; it
// returns when the run has stopped, or when ctx ends.
func (e *Engine) Cancel(ctx context.Context, id int64, by, reason string) (keepwatch.Run, error) {
	mark := func(run *keepwatch.Run) { run.CancelledBy, run.CancelReason, run.CancelAsked = by, reason, e.now() }
	for {
		j, marked, err := e.toCancel(id, mark)
		if err != nil {
			return j.snapshot(), err
		}
		if marked {
			e.cfg.Crash("engine.cancel.after-save")
			j.cancel(errCancelled)
		}
		select {
		case <-j.finished:
		case <-ctx.Done():
			return j.snapshot(), ctx.Err()
		}
		if run := j.snapshot(); marked {
			return run, howCancelled(run)
		}
	}
}

// toCancel saves that a run is to be cancelled, and gives the job that ends as
// cancelled: the one that is under way, or a new one for a run that waits for
// somebody. marked is false where the engine is about to let go of a run that
// has just stopped by itself; then the caller waits for that and asks again.
func (e *Engine) toCancel(id int64, mark func(*keepwatch.Run)) (j *job, marked bool, err error) {
	e.mu.Lock()
	if j = e.live[id]; j == nil {
		defer e.mu.Unlock()
		j, err = e.reopen(id, mark)
		return j, err == nil, err
	}
	e.mu.Unlock()
	var late error
	err = e.change(j, func(run *keepwatch.Run) {
		if marked, late = !run.State.Settled(), nil; run.State.Ended() {
			late = tooLate(*run)
		}
		if marked {
			mark(run)
		}
	})
	return j, marked && err == nil, errors.Join(err, late)
}

// reopen makes a job of a run that nothing works on, only to cancel it, so that
// nobody can take it up again meanwhile. The caller holds e.mu.
func (e *Engine) reopen(id int64, mark func(*keepwatch.Run)) (*job, error) {
	run, err := e.parked(id)
	switch {
	case err != nil:
	case run.State.Ended():
		err = tooLate(run)
	case e.closed:
		err = stopping()
	default:
		mark(&run)
		err = e.save(run)
	}
	if err != nil {
		return &job{run: run}, err
	}
	return e.queueCancelled(run, e.cfg.Works[run.Kind]), nil
}

// howCancelled says what else became of a run than being cancelled, or nil.
func howCancelled(run keepwatch.Run) error {
	switch {
	case run.State == keepwatch.RunCancelled:
		return nil
	case run.State.Ended():
		return tooLate(run)
	case run.State == keepwatch.RunAttention:
		return keepwatch.Errorf(keepwatch.KindAttention, "Run %d has stopped, but that could not be saved. Look at the disk that holds the state, then cancel it again; otherwise the next start does.", run.ID)
	}
	return keepwatch.Errorf(keepwatch.KindConflict, "Keepwatch is stopping. That run %d is to be cancelled is saved; the next start does it.", run.ID)
}

func tooLate(run keepwatch.Run) error {
	return keepwatch.Errorf(keepwatch.KindConflict, "Run %d is over already: it is %s. There is nothing to cancel.", run.ID, run.State)
}

// parked gives a run that nothing works on. The caller holds e.mu.
func (e *Engine) parked(id int64) (keepwatch.Run, error) {
	if run, ok := e.unkept[id]; ok {
		return run, nil
	}
	return e.cfg.Records.Run(id)
}

// Retry takes up a run that needs attention at the step that stopped. So it does
// a run whose stop could not be saved: on disk that one still runs.
func (e *Engine) Retry(ctx context.Context, id int64, by string) (keepwatch.Run, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return keepwatch.Run{}, stopping()
	}
	if j := e.live[id]; j != nil {
		return j.snapshot(), keepwatch.Errorf(keepwatch.KindConflict, "Run %d is under way already.", id)
	}
	run, err := e.parked(id)
	if err != nil {
		return run, err
	}
	work, ok := e.cfg.Works[run.Kind]
	if run.State.Ended() || !ok {
		return run, keepwatch.Errorf(keepwatch.KindConflict, "Run %d is %s. Only a run that needs attention can be taken up again; to begin anew, start another one.", id, run.State)
	}
	e.cfg.Log.Info("a run is taken up again", "run", id, "by", by)
	run.State, run.Failure = keepwatch.RunQueued, nil
	run.CancelledBy, run.CancelReason, run.CancelAsked = "", "", time.Time{}
	if step := run.Current(); step != nil {
		step.State, step.Attempts, step.Ended = keepwatch.StepPending, 0, run.Ended
	}
	if err := e.save(run); err != nil {
		return run, err
	}
	e.queue(run, work)
	return run, nil
}

// Close stops gracefully: steps are told to stop, nothing is marked as failed
// or cancelled, and the runs go on at the next start. It returns when all have
// stopped, or with ctx's error.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	e.closed = true
	for _, j := range e.live {
		j.cancel(errShutdown)
	}
	e.mu.Unlock()
	stopped := make(chan struct{})
	go func() { e.done.Wait(); close(stopped) }()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("some runs did not stop in time; they are taken up at the next start: %w", ctx.Err())
	}
}
