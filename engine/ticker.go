package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"keepwatch"
)

// TickerConfig is what a Ticker needs. Due and Next are required.
type TickerConfig struct {
	// Due gives what is to be looked at by now, what has waited longest first, at most
	// limit.
	Due func(now time.Time, limit int) ([]keepwatch.Wake, error)
	// Next gives the next moment from which something is to be looked at, which may
	// have passed; false: there is none.
	Next func() (time.Time, bool, error)
	// Tick deals with wakes of one kind. What it has dealt with is due no longer, or
	// later.
	Tick map[keepwatch.WakeKind]func(context.Context, []keepwatch.Wake) error
	Log  *slog.Logger     // nil: silent
	Now  func() time.Time // nil: time.Now
}

// Ticker has what is due dealt with: at its moment, and after a suspend or a step of
// the clock within 30 seconds. It keeps nothing: what it wakes is saved elsewhere, and
// decides itself whether it is due. What cannot be dealt with is tried again after a
// rest of its own, and holds up nothing else.
type Ticker struct {
	cfg  TickerConfig
	poke chan struct{}

	failed map[keepwatch.Wake]*failure // of Run's goroutine alone
}

// failure is a wake that could not be dealt with.
type failure struct {
	times int
	next  time.Time // not tried before; monotonic
	said  string    // the failure that was logged
}

const (
	// longestLook is the longest time between two looks at the clock on the wall:
	// timers do not run while a machine sleeps, and do not know when it is set.
	longestLook = 30 * time.Second
	// perLook is how much is dealt with at once.
	perLook = 1000
	// together is how often what has failed is tried together with others, which may
	// become one message. After that each is tried alone: one of them may be what
	// makes all of them fail.
	together = 3
)

// NewTicker makes a ticker. It starts nothing.
func NewTicker(cfg TickerConfig) (*Ticker, error) {
	if cfg.Due == nil || cfg.Next == nil {
		return nil, errors.New("engine: a TickerConfig that lacks one of its parts")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Ticker{cfg: cfg, poke: make(chan struct{}, 1), failed: map[keepwatch.Wake]*failure{}}, nil
}

// Poke says that something was saved that may be due sooner. It returns at once.
func (t *Ticker) Poke() {
	select {
	case t.poke <- struct{}{}:
	default: // it will look anyway
	}
}

// Run deals with what is due until ctx ends. It is called once.
func (t *Ticker) Run(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(t.look(ctx))
		select {
		case <-timer.C:
		case <-t.poke:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// look deals with what is due now, and gives how long to rest.
func (t *Ticker) look(ctx context.Context) time.Duration {
	limit := perLook
	for ctx.Err() == nil {
		now := t.cfg.Now()
		wakes, err := t.cfg.Due(now, limit)
		if err != nil {
			t.cfg.Log.Error("what is due cannot be read; it is tried again", "err", err)
			return longestLook
		}
		whole := len(wakes) < limit
		if whole {
			t.forget(wakes)
		}
		ready := slices.DeleteFunc(wakes, t.rests)
		if len(ready) > 0 {
			if err := t.deal(ctx, ready, now, limit); err != nil {
				t.cfg.Log.Error("what is due cannot be read; it is tried again", "err", err)
				return longestLook
			}
			continue
		}
		if whole {
			break
		}
		limit *= 2 // all of these rest, and others may be behind them
	}
	return t.pause()
}

// pause gives how long there is nothing to do.
func (t *Ticker) pause() time.Duration {
	pause := longestLook
	for _, f := range t.failed {
		pause = min(pause, max(time.Until(f.next), time.Millisecond))
	}
	if len(t.failed) > 0 { // the next that is due is one of them
		return min(pause, time.Second)
	}
	next, found, err := t.cfg.Next()
	switch {
	case err != nil:
		t.cfg.Log.Error("what is due next cannot be read; it is tried again", "err", err)
	case found:
		pause = min(pause, max(next.Sub(t.cfg.Now()), time.Millisecond))
	}
	return pause
}

// deal hands wakes to whoever deals with their kind. What is still due afterwards has
// failed, whether that was said or not: it would be handed over without end.
func (t *Ticker) deal(ctx context.Context, wakes []keepwatch.Wake, now time.Time, limit int) error {
	var groups [][]keepwatch.Wake
	of := map[keepwatch.WakeKind]int{}
	for _, w := range wakes {
		at, there := of[w.Kind]
		switch f := t.failed[w]; {
		case f != nil && f.times >= together:
			groups = append(groups, []keepwatch.Wake{w})
		case there:
			groups[at] = append(groups[at], w)
		default:
			of[w.Kind] = len(groups)
			groups = append(groups, []keepwatch.Wake{w})
		}
	}
	errs := make([]error, len(groups))
	for i, group := range groups {
		if ctx.Err() != nil {
			return nil
		}
		errs[i] = t.tick(ctx, group)
	}
	left, err := t.cfg.Due(now, limit)
	if err != nil {
		return err
	}
	still := map[keepwatch.Wake]bool{}
	for _, w := range left {
		still[w] = true
	}
	for i, group := range groups {
		t.settle(ctx, group, still, errs[i])
	}
	return nil
}

// tick calls whoever deals with a kind, and turns a panic into an error.
func (t *Ticker) tick(ctx context.Context, wakes []keepwatch.Wake) (err error) {
	do := t.cfg.Tick[wakes[0].Kind]
	if do == nil {
		return fmt.Errorf("nobody deals with what wakes as %q", wakes[0].Kind)
	}
	defer func() {
		if p := recover(); p != nil {
			err = panicError{p, string(debug.Stack())}
		}
	}()
	return do(ctx, wakes)
}

// settle notes how it went: what is still due rests, for longer each time.
func (t *Ticker) settle(ctx context.Context, wakes []keepwatch.Wake, still map[keepwatch.Wake]bool, err error) {
	kind := wakes[0].Kind
	for _, w := range wakes {
		if !still[w] {
			delete(t.failed, w)
			continue
		}
		if err == nil {
			err = fmt.Errorf("%s %s is still due after it was dealt with", w.Kind, w.ID)
		}
		f := t.failed[w]
		if f == nil {
			f = &failure{}
			t.failed[w] = f
		}
		f.times++
		f.next = time.Now().Add(min(firstPause<<min(f.times-1, 10), longestPause))
	}
	f := t.failed[wakes[0]]
	if err == nil || ctx.Err() != nil || f != nil && f.said == err.Error() {
		return
	}
	if f != nil {
		f.said = err.Error()
	}
	log := t.cfg.Log.With("kind", kind, "first", wakes[0].ID, "number", len(wakes))
	if p := (panicError{}); errors.As(err, &p) {
		log = log.With("stack", p.stack)
	}
	log.Error("what is due could not be dealt with; it is tried again", "err", err)
}

// rests reports whether something that has failed is not to be tried yet.
func (t *Ticker) rests(w keepwatch.Wake) bool {
	f := t.failed[w]
	return f != nil && time.Now().Before(f.next)
}

// forget lets go of what has failed and is due no longer. due is all that is.
func (t *Ticker) forget(due []keepwatch.Wake) {
	if len(t.failed) == 0 {
		return
	}
	still := map[keepwatch.Wake]bool{}
	for _, w := range due {
		still[w] = true
	}
	for w := range t.failed {
		if !still[w] {
			delete(t.failed, w)
		}
	}
}
