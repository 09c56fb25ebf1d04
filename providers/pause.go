package providers

import (
	"context"
	"slices"
	"sync"

	"keepwatch"
)

// WithPauses has tell hear of the waits of the work that the ctx is of: the longest of those
// that there are, at each change, one at a time; the zero Pause where there is none any more.
func WithPauses(ctx context.Context, tell func(keepwatch.Pause)) context.Context {
	return context.WithValue(ctx, pauseKey{}, &pauses{told: tell})
}

// Paused says that the work which ctx is of stands still until p.Until, because a server asks
// for that, or its limits or faults do; whoever follows a run is told. The function that it gives says
// that the wait is over, and may be called twice. In a ctx that is of no step of a run, nobody
// is told.
func Paused(ctx context.Context, p keepwatch.Pause) (over func()) {
	s, ok := ctx.Value(pauseKey{}).(*pauses)
	if !ok {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := &p
	s.all = append(s.all, mine)
	s.tell()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if i := slices.Index(s.all, mine); i >= 0 {
			s.all = slices.Delete(s.all, i, i+1)
			s.tell()
		}
	}
}

type pauseKey struct{}

// pauses are the waits of some work, several of whose calls may be under way.
type pauses struct {
	mu   sync.Mutex
	all  []*keepwatch.Pause
	last keepwatch.Pause // that was told
	told func(keepwatch.Pause)
}

// tell is called with mu held.
func (s *pauses) tell() {
	var longest keepwatch.Pause
	for _, p := range s.all {
		if p.Until.After(longest.Until) {
			longest = *p
		}
	}
	if !longest.Trouble { // behind a pause that is asked for, an earlier trouble is no news
		s.all = slices.DeleteFunc(s.all, func(p *keepwatch.Pause) bool { return p.Trouble })
	}
	if longest != s.last {
		s.last = longest
		s.told(longest)
	}
}

// pausing has the waits of a step reported along with how far it is. The Report that it gives
// may be called by several at once.
func pausing(ctx context.Context, task keepwatch.Task) (context.Context, func(keepwatch.Progress)) {
	var mu sync.Mutex
	var last keepwatch.Progress
	if task.Run.Progress.Step == task.Step { // a try before this one had come so far
		last = task.Run.Progress
		last.Pause = keepwatch.Pause{}
	}
	ctx = WithPauses(ctx, func(p keepwatch.Pause) {
		mu.Lock()
		defer mu.Unlock()
		last.Pause = p
		task.Report(last)
	})
	return ctx, func(p keepwatch.Progress) {
		mu.Lock()
		defer mu.Unlock()
		p.Pause = last.Pause
		last = p
		task.Report(p)
	}
}
