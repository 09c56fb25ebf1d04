package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"keepwatch"
)

// settle ends or parks a run whose step stopped with cause.
func (e *Engine) settle(ctx context.Context, j *job, work Work, cause error) {
	log := e.cfg.Log.With("run", j.snapshot().ID, "source", j.snapshot().Source)
	reason := context.Cause(ctx)
	if errors.Is(reason, errShutdown) {
		e.shutDown(j, log)
		return
	}
	var s stepError
	errors.As(cause, &s)
	if errors.Is(reason, errCancelled) {
		e.endJob(j, work, s.result, log)
		return
	}
	f := failureOf(cause, e.now())
	state := keepwatch.RunFailed
	if f.Kind == keepwatch.KindAttention || f.Stack != "" {
		state = keepwatch.RunAttention
	}
	log.Warn("a run stopped", "step", f.Step, "state", state, "err", cause)
	if state == keepwatch.RunFailed {
		e.discard(work, j.snapshot(), log)
	}
	e.park(j, work, state, f, s.result, log)
}

// shutDown leaves a run as it is on disk, to be taken up at the next start. Its
// step was cut off by nothing that it did, so this attempt does not count; the
// step stays marked as begun, for those that may not simply be done again.
func (e *Engine) shutDown(j *job, log *slog.Logger) {
	run := j.snapshot()
	if step := run.Current(); step == nil || step.State != keepwatch.StepRunning || step.Attempts == 0 {
		return
	}
	if err := e.change(j, func(run *keepwatch.Run) { run.Current().Attempts-- }); err != nil {
		log.Warn("that a run was stopped with the bot could not be saved; it counts as cut off", "err", err)
	}
}

// park saves why a run stopped. A person's cancel that came in between goes
// first: what was accepted is done, and never left for a later start.
func (e *Engine) park(j *job, work Work, state keepwatch.RunState, f keepwatch.Failure, result *keepwatch.Result, log *slog.Logger) {
	asked := false
	stopped := func(run *keepwatch.Run) {
		if asked = !run.CancelAsked.IsZero(); asked {
			return
		}
		keepResult(run, result)
		run.State, run.Failure = state, &f
		run.Failures = append(run.Failures, f)
		stopStep(run, f.At)
		if state.Ended() {
			run.Ended = notBefore(f.At, run.Created)
		}
	}
	if err := e.change(j, stopped); err != nil {
		log.Error("why a run stopped could not be saved; on disk it still runs, and the next start takes it up", "err", err)
		e.keep(j, f, result)
		return
	}
	if asked {
		e.endJob(j, work, result, log)
	}
}

// endJob ends a run as cancelled.
func (e *Engine) endJob(j *job, work Work, result *keepwatch.Result, log *slog.Logger) {
	e.discard(work, j.snapshot(), log)
	err := e.change(j, func(run *keepwatch.Run) {
		keepResult(run, result)
		run.State, run.Ended = keepwatch.RunCancelled, notBefore(e.now(), run.Created)
		stopStep(run, run.Ended)
	})
	if err != nil {
		log.Error("the end of a cancelled run could not be saved; the next start ends it", "err", err)
		e.keep(j, failureOf(keepwatch.Errorf(keepwatch.KindAttention, "It was cancelled, which could not be saved. Look at the disk that holds the state, then cancel it again.").Because(err), e.now()), result)
	}
}

// keep shows a run that could not be saved as what it is, for as long as this
// process lives: it waits for somebody who makes the disk good again.
func (e *Engine) keep(j *job, f keepwatch.Failure, result *keepwatch.Result) {
	j.update(func(run *keepwatch.Run) {
		keepResult(run, result)
		run.State, run.Failure = keepwatch.RunAttention, &f
		run.Failures = append(run.Failures, f)
		stopStep(run, f.At)
	})
	run := j.snapshot()
	e.mu.Lock()
	e.unkept[run.ID] = run
	e.mu.Unlock()
}

// keepResult takes in how far a step came. Its checkpoint and what it has kept of
// the server are those that were saved: the step works on a copy of the run as it was
// before.
func keepResult(run *keepwatch.Run, result *keepwatch.Result) {
	if result != nil {
		checkpoint, remote := run.Result.Checkpoint, run.Result.Remote
		run.Result = *result
		run.Result.Checkpoint, run.Result.Remote = checkpoint, remote
	}
}

// stopStep marks the step under way as failed.
func stopStep(run *keepwatch.Run, at time.Time) {
	if step := run.Current(); step != nil && step.State == keepwatch.StepRunning {
		step.State, step.Ended = keepwatch.StepFailed, notBefore(at, step.Started)
	}
	run.Progress = keepwatch.Progress{}
}

// failureOf makes the record of why a step stopped.
func failureOf(cause error, at time.Time) keepwatch.Failure {
	f := keepwatch.Failure{At: at, Kind: keepwatch.KindOf(cause), Message: keepwatch.Sentence(cause), Cause: cause.Error()}
	var s stepError
	if errors.As(cause, &s) {
		f.Step = s.step
	}
	var p panicError
	if errors.As(cause, &p) {
		f.Stack, f.Kind = p.stack, keepwatch.KindInternal
		f.Message = fmt.Sprintf("This is a fault in Keepwatch: the step %q broke off. Nothing else was touched. Retry it; if it happens again, report it with the log.", f.Step)
	}
	if f.Message == "" {
		f.Message = fmt.Sprintf("The step %q failed for a reason inside Keepwatch or this machine. An admin finds the cause with `/backup status` and in the log.", f.Step)
	}
	return f
}

func (e *Engine) discard(work Work, run keepwatch.Run, log *slog.Logger) {
	if work == nil { // a kind that this version does not know
		return
	}
	defer func() {
		if p := recover(); p != nil {
			log.Error("the clearing up after a run broke off", "panic", p)
		}
	}()
	if err := work.Discard(context.Background(), run); err != nil {
		log.Error("what a run left could not be removed; the next start removes it", "err", err)
	}
}

// unsaved stops a run whose state could not be saved. It was not told that its
// step is done, so the step will be done again.
func (e *Engine) unsaved(j *job, work Work, step string, cause error, log *slog.Logger) {
	log.Error("a run could not be saved; it stops here", "step", step, "err", cause)
	err := keepwatch.Errorf(keepwatch.KindAttention, "What the step %q did could not be saved. Look at the disk that holds the state, then retry.", step).Because(cause)
	e.park(j, work, keepwatch.RunAttention, failureOf(stepError{step: step, err: err}, e.now()), nil, log)
}
