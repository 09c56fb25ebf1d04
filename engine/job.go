package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	"keepwatch"
)

// snapshot gives a copy of the run that shares nothing with it that changes.
func (j *job) snapshot() keepwatch.Run {
	j.mu.Lock()
	defer j.mu.Unlock()
	return clone(j.run)
}

func clone(run keepwatch.Run) keepwatch.Run {
	run.Steps = slices.Clone(run.Steps)
	run.Failures = slices.Clone(run.Failures)
	run.Result.Counts = maps.Clone(run.Result.Counts)
	return run
}

// update changes what others see and wakes those that follow.
func (j *job) update(change func(*keepwatch.Run)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(&j.run)
	close(j.changed)
	j.changed = make(chan struct{})
}

// report takes in progress. It wakes nobody: followers look by themselves, so
// that a step may report as often as it likes.
func (j *job) report(p keepwatch.Progress) {
	j.mu.Lock()
	j.run.Progress = p
	j.mu.Unlock()
}

func (j *job) watch() (keepwatch.Run, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return clone(j.run), j.changed
}

// Run gives a run as it is now, with its progress.
func (e *Engine) Run(id int64) (keepwatch.Run, error) {
	e.mu.Lock()
	j := e.live[id]
	kept, unkept := e.unkept[id]
	e.mu.Unlock()
	switch {
	case j != nil:
		return j.snapshot(), nil
	case unkept:
		return kept, nil
	}
	return e.cfg.Records.Run(id)
}

func (e *Engine) job(id int64) *job {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.live[id]
}

// glance is how often a follower looks at the progress.
const glance = 200 * time.Millisecond

// Follow calls fn with the newest state of a run, at every change of its state
// and about five times a second while it reports progress, until it is settled;
// then it gives the last state. A slow fn misses states in between and holds up
// nobody. It ends early, with ctx's error, when ctx does, and with the state as
// it is when the engine closes.
func (e *Engine) Follow(ctx context.Context, id int64, fn func(keepwatch.Run)) (keepwatch.Run, error) {
	j := e.job(id)
	if j == nil {
		run, err := e.Run(id)
		if err == nil {
			fn(run)
		}
		return run, err
	}
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	var shown keepwatch.Progress
	for first := true; ; first = false {
		run, changed := j.watch()
		if first || run.Progress != shown || run.State.Settled() {
			fn(run)
			shown = run.Progress
		}
		if run.State.Settled() {
			<-j.finished // so that what follows finds the run let go of
			last := j.snapshot()
			if last.State != run.State { // one that waited was cancelled
				fn(last)
			}
			return last, nil
		}
		select {
		case <-changed:
			shown.At = time.Time{} // say it even if no progress was made
		case <-ticker.C:
		case <-j.finished:
			last := j.snapshot()
			if !last.State.Settled() {
				return last, ctx.Err()
			}
		case <-ctx.Done():
			return run, ctx.Err()
		}
	}
}
