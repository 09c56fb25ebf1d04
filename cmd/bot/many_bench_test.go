package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/handlers"
	"keepwatch/store"
)

// BenchmarkManyRules is what a bot with 100,000 rules and 1,000,000 past occurrences
// pays (KEEPWATCH_SOAK; a tenth of that otherwise), with everything that the program
// joins.
func BenchmarkManyRules(b *testing.B) {
	rules, each := crowdSize()
	begun := time.Now()
	c := newCrowd(b, rules, each)
	info, err := os.Stat(c.settings.statePath())
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d rules: %s, made in %v", c.rules, keepwatch.FormatBytes(info.Size()), time.Since(begun).Round(time.Second))
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			_, end := c.open(b)
			b.StopTimer()
			end()
			b.StartTimer()
		}
	})
	b.Run("memory", func(b *testing.B) { benchHeap(b, c) })
	a, _ := c.open(b)
	ask := func(name, text string) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m := a.router.Handle(b.Context(), keepwatch.Request{ID: handlers.NewID(), Text: text, Account: a.account, Channel: "terminal", At: manyNoon, Local: true})
				if m.Failed {
					b.Fatalf("%+v", m)
				}
			}
		})
	}
	benchTick(b, a)
	ask("list", "/reminder list")
	ask("list of mine", "/reminder list --mine")
	ask("list of what is open", "/reminder list --due")
	ask("show", "/reminder show 77")
	benchDuties(b, a)
}

// benchDuties is what is done in the background, and what the scheduler is asked for.
func benchDuties(b *testing.B, a *app) {
	b.Run("review of the facts", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.facts(manyNoon); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("settle a question", func(b *testing.B) {
		for b.Loop() {
			if err := a.duties.scheduler.Settle("device/alis-iphone", "Alis", "seen", time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	if err := a.duties.scheduler.RemoveRule("2"); err != nil { // there are as many as are taken
		b.Fatal(err)
	}
	b.Run("add and remove", func(b *testing.B) {
		for b.Loop() {
			r, err := a.duties.scheduler.AddRule(keepwatch.Rule{Kind: keepwatch.RuleText, Text: "x", Channel: "slack:A", When: keepwatch.When{Cron: "0 9 * * *"}, Request: handlers.NewID()})
			if err == nil {
				err = a.duties.scheduler.RemoveRule(r.ID)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("times worked out anew, in the background", func(b *testing.B) {
		for b.Loop() {
			if err := a.duties.scheduler.Replan(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchTick is a look of the real ticker with nothing due: from the poke until it has
// read when the next is.
func benchTick(b *testing.B, a *app) {
	b.Run("tick with nothing due", func(b *testing.B) {
		looked := make(chan error)
		ticker, err := engine.NewTicker(engine.TickerConfig{
			Now: a.now,
			Due: func(now time.Time, limit int) ([]keepwatch.Wake, error) {
				wakes, err := a.records.Due(now, limit)
				if err == nil && len(wakes) > 0 {
					err = fmt.Errorf("%d are due", len(wakes))
				}
				return wakes, err
			},
			Next: func() (time.Time, bool, error) {
				at, found, err := a.records.NextDue()
				looked <- err
				return at, found, err
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		over := make(chan struct{})
		go func() { ticker.Run(ctx); close(over) }()
		if err := <-looked; err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			ticker.Poke()
			if err := <-looked; err != nil {
				b.Fatal(err)
			}
		}
		stop()
		for {
			select {
			case <-looked:
				continue
			case <-over:
			}
			break
		}
	})
}

// benchHeap is what lives on the heap after the start, and the most that was on it
// while the times were worked out anew.
func benchHeap(b *testing.B, c *crowd) {
	heap := func() float64 {
		runtime.GC()
		runtime.GC() // what pools held goes with the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / mebibyte
	}
	for b.Loop() {
		before := heap()
		a, end := c.open(b)
		if err := a.duties.scheduler.Replan(b.Context()); err != nil {
			b.Fatal(err)
		}
		if _, err := a.facts(manyNoon); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(heap()-before, "MiB-heap")
		end()
	}
}

// BenchmarkThousandDue is a tick at which 1,000 reminders are due, until all of them
// and their messages are saved: in one channel as digests, and each in a channel of
// its own.
func BenchmarkThousandDue(b *testing.B) {
	for _, channels := range []int{1, 1000} {
		b.Run(fmt.Sprintf("channels=%d", channels), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				c := newCrowd(b, 0, 0)
				a, end := c.open(b)
				if err := a.outbox.Close(b.Context()); err != nil { // nobody is there to send to
					b.Fatal(err)
				}
				wakes := makeDue(b, a.records, 1000, channels, manyNoon)
				b.StartTimer()
				if err := a.duties.scheduler.Tick(b.Context(), wakes); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				lanes, err := a.records.Lanes()
				if err != nil || len(lanes) < channels {
					b.Fatalf("%d lanes have something to send, %v", len(lanes), err)
				}
				end()
				b.StartTimer()
			}
		})
	}
}

// makeDue saves reminders that are due at a moment, each day, and gives what wakes then.
func makeDue(tb testing.TB, rec *store.Records, rules, channels int, at time.Time) []keepwatch.Wake {
	tb.Helper()
	_, err := rec.Change(func(c *store.Change) error {
		for i := range rules {
			r := keepwatch.Rule{
				ID: fmt.Sprint(i + 1), Kind: keepwatch.RuleText, Text: fmt.Sprintf("Look at tape %d.", i), Channel: fmt.Sprintf("slack:C%d", i%channels),
				When: keepwatch.When{Cron: fmt.Sprintf("%d %d * * *", at.Minute(), at.Hour()), Zone: "UTC"}, Next: at, NextWall: at.Format(keepwatch.WallLayout),
			}
			if err := c.PutRule(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	wakes, err := rec.Due(at, rules)
	if err != nil || len(wakes) != rules {
		tb.Fatalf("%d are due, %v", len(wakes), err)
	}
	return wakes
}
