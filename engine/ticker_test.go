package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

// agenda is what is to be looked at, on a wall clock that can be set.
type agenda struct {
	mu    sync.Mutex
	wakes []keepwatch.Wake
	ahead time.Duration // by how much the wall differs from time.Now
	looks []time.Time
	done  []string // "id at 15:04:05"
	log   strings.Builder
}

func (a *agenda) now() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Add(a.ahead)
}

func (a *agenda) set(ahead time.Duration) { a.mu.Lock(); a.ahead = ahead; a.mu.Unlock() }

func (a *agenda) add(kind keepwatch.WakeKind, id string, in time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wakes = append(a.wakes, keepwatch.Wake{At: time.Now().Add(in).UTC(), Kind: kind, ID: id})
	slices.SortStableFunc(a.wakes, func(x, y keepwatch.Wake) int { return x.At.Compare(y.At) })
}

func (a *agenda) due(now time.Time, limit int) (list []keepwatch.Wake, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looks = append(a.looks, time.Now())
	for _, w := range a.wakes {
		if w.At.After(now) || len(list) == limit {
			break
		}
		list = append(list, w)
	}
	return list, nil
}

func (a *agenda) next() (time.Time, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.wakes) == 0 {
		return time.Time{}, false, nil
	}
	return a.wakes[0].At, true, nil
}

// deal takes wakes off the list.
func (a *agenda) deal(wakes []keepwatch.Wake) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range wakes {
		a.done = append(a.done, w.ID+" at "+time.Now().UTC().Format("15:04:05"))
		a.wakes = slices.DeleteFunc(a.wakes, func(x keepwatch.Wake) bool { return x == w })
	}
}

func (a *agenda) want(t *testing.T, want ...string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.done, want) {
		t.Errorf("dealt with %v, want %v", a.done, want)
	}
}

func (a *agenda) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.Write(p)
}

func (a *agenda) start(t *testing.T, tick map[keepwatch.WakeKind]func(context.Context, []keepwatch.Wake) error) *engine.Ticker {
	t.Helper()
	ticker, err := engine.NewTicker(engine.TickerConfig{Due: a.due, Next: a.next, Tick: tick, Now: a.now, Log: slog.New(slog.NewTextHandler(a, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { ticker.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return ticker
}

type ticks = map[keepwatch.WakeKind]func(context.Context, []keepwatch.Wake) error

// in runs a test on a clock that begins at midnight UTC of 1 January 2000.
func in(t *testing.T, do func(t *testing.T, a *agenda)) {
	synctest.Test(t, func(t *testing.T) { do(t, &agenda{}) })
}

func (a *agenda) plain(_ context.Context, wakes []keepwatch.Wake) error { a.deal(wakes); return nil }

func TestTickerWakesAtTheMoment(t *testing.T) {
	in(t, func(t *testing.T, a *agenda) {
		a.add("rule", "past", -time.Hour)
		a.add("rule", "soon", 7*time.Second)
		a.add("occurrence", "late", 10*time.Minute)
		p := a.start(t, ticks{"rule": a.plain, "occurrence": a.plain})
		time.Sleep(20 * time.Second)
		a.add("rule", "new", 3*time.Second)
		p.Poke()
		time.Sleep(20 * time.Minute)
		a.want(t, "past at 00:00:00", "soon at 00:00:07", "new at 00:00:23", "late at 00:10:00")
		a.mu.Lock()
		defer a.mu.Unlock()
		for i := 1; i < len(a.looks); i++ {
			if gap := a.looks[i].Sub(a.looks[i-1]); gap > 30*time.Second {
				t.Errorf("no look for %s", gap)
			}
		}
		if len(a.looks) > 80 {
			t.Errorf("%d looks in 20 minutes", len(a.looks))
		}
	})
}

// TestTickerAfterStepsOfTheClock: what is due after a step, or a suspend, is dealt
// with within 30 seconds.
func TestTickerAfterStepsOfTheClock(t *testing.T) {
	in(t, func(t *testing.T, a *agenda) {
		a.add("rule", "x", 2*time.Hour)
		a.start(t, ticks{"rule": a.plain})
		time.Sleep(time.Minute + time.Second)
		a.set(-time.Hour)
		time.Sleep(time.Minute)
		a.set(3 * time.Hour)
		time.Sleep(30 * time.Second)
		a.want(t, "x at 00:02:30")
	})
}

func TestTickerGoesOnWithOthers(t *testing.T) {
	for name, bad := range map[string]func() error{
		"an error": func() error { return errors.New("disk is full") },
		"a panic":  func() error { panic("nil map") },
		"silence":  func() error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, a *agenda) {
				calls := 0
				a.add("warning", "w1", 0)
				a.add("warning", "w2", time.Second)
				for i := range 3 {
					a.add("rule", fmt.Sprint("r", i), time.Duration(i)*time.Minute)
				}
				a.start(t, ticks{"rule": a.plain, "warning": func(_ context.Context, wakes []keepwatch.Wake) error {
					if calls++; calls > 6 {
						a.deal(wakes)
						return nil
					}
					return bad()
				}})
				time.Sleep(2*time.Minute + 30*time.Second)
				a.mu.Lock()
				done := slices.DeleteFunc(slices.Clone(a.done), func(s string) bool { return s[0] == 'w' })
				log := a.log.String()
				a.mu.Unlock()
				if want := []string{"r0 at 00:00:00", "r1 at 00:01:00", "r2 at 00:02:00"}; !slices.Equal(done, want) {
					t.Errorf("dealt with %v", done)
				}
				if len(a.done) != 5 {
					t.Errorf("what had failed was not tried again: %v", a.done)
				}
				if strings.Count(log, "could not be dealt with") == 0 || strings.Count(log, "level=ERROR") > 8 {
					t.Errorf("logged:\n%s", log)
				}
			})
		})
	}
}

// TestTickerOneBadOfMany: one that panics each time does not keep those that were due
// with it, however many such there are.
func TestTickerOneBadOfMany(t *testing.T) {
	in(t, func(t *testing.T, a *agenda) {
		for i := range 1010 {
			a.add("rule", fmt.Sprint("bad", i), -time.Minute)
		}
		a.add("rule", "good", 0)
		calls := 0
		a.start(t, ticks{"rule": func(_ context.Context, wakes []keepwatch.Wake) error {
			calls++
			for _, w := range wakes {
				if strings.HasPrefix(w.ID, "bad") {
					panic(w.ID)
				}
			}
			a.deal(wakes)
			return nil
		}})
		time.Sleep(2 * time.Minute)
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.done) != 1 || a.done[0] != "good at 00:00:00" && a.done[0] > "good at 00:00:30" {
			t.Errorf("dealt with %v", a.done)
		}
		if calls > 20000 {
			t.Errorf("%d calls in two minutes", calls)
		}
	})
}

func TestTickerOfNothing(t *testing.T) {
	if _, err := engine.NewTicker(engine.TickerConfig{}); err == nil {
		t.Error("a ticker without parts")
	}
}
