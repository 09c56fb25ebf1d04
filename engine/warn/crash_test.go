package warn

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestKilledAtEachPoint kills the process at each passing of each point while a
// credential runs out: what people are told of, and when, stays the same.
func TestKilledAtEachPoint(t *testing.T) {
	until := noon.Add(8 * day)
	story := func(w *world) {
		for i := range 11 * 4 {
			w.set(noon.Add(time.Duration(i) * 6 * time.Hour))
			for w.survives(w.review) {
			}
			for w.survives(w.tick) {
			}
			if i == 9 { // somebody acknowledges it, and presses again after the crash
				for w.survives(func() {
					if _, err := w.keeper.AckWarning("w1", "Alis", time.Time{}, ""); err != nil {
						t.Fatal(err)
					}
				}) {
				}
			}
			w.deliver()
		}
	}
	want := days(0, 1, 5, 7, 8, 9, 10)
	passings := map[string]int{}
	calm := newWorld(t, noon)
	calm.wider = []string{"discord:998877"}
	calm.always(keepwatch.Fact{Key: "expiry/x", Tone: keepwatch.ToneBad, Title: "x", Until: until})
	calm.crash = func(p string) { passings[p]++ }
	story(calm)
	if len(passings) != 2 {
		t.Fatalf("points: %v", passings)
	}
	for point, n := range passings {
		for nth := 1; nth <= n; nth++ {
			w := newWorld(t, noon)
			w.wider = calm.wider
			w.facts = calm.facts
			count := 0
			w.crash = func(p string) {
				if p == point {
					if count++; count == nth {
						panic(killed{})
					}
				}
			}
			story(w)
			if count < nth {
				t.Fatalf("%s was passed %d times, not %d", point, count, nth)
			}
			w.once()
			if d := cmp.Diff(want, w.times("slack:C0OPS", noon)); d != "" {
				t.Fatalf("killed at %s, passing %d: %s", point, nth, d)
			}
			if d := cmp.Diff(days(5), w.times("discord:998877", noon)); d != "" {
				t.Fatalf("killed at %s, passing %d, passed on: %s", point, nth, d)
			}
		}
	}
}

// chance is a random team: facts that appear, change, go and come back.
type chance struct {
	*rand.Rand
	facts map[string]keepwatch.Fact
}

func (c *chance) change(now time.Time) {
	key := fmt.Sprintf("k/%d", c.IntN(8))
	f, given := c.facts[key]
	switch c.IntN(5) {
	case 0:
		delete(c.facts, key)
		return
	case 1:
		if given {
			f.Urge += "x"
		}
	case 2:
		f.Text += "."
	case 3:
		if given && !f.Until.IsZero() {
			f.Until = f.Until.Add(time.Duration(c.IntN(48)) * time.Minute)
		}
	}
	if !given {
		f = keepwatch.Fact{Key: key, Title: key, Tone: keepwatch.Tone(c.IntN(4)), Urge: fmt.Sprint(c.IntN(1 << 30))} // with another time it is another one
		if c.IntN(3) > 0 {
			f.Until = now.Add(time.Duration(c.IntN(70*24)) * time.Hour).Truncate(time.Second)
		}
	}
	c.facts[key] = f
}

func (c *chance) list() []keepwatch.Fact {
	var list []keepwatch.Fact
	for _, f := range c.facts {
		list = append(list, f)
	}
	return list
}

// TestOncePerStep lets random teams live for months, with restarts, kills, clocks that
// jump both ways, ticks that come twice and at the same time, and holds that no step
// of a warning is told of twice, and that in the end none is missing.
func TestOncePerStep(t *testing.T) {
	seeds := uint64(8)
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		seeds = 300
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 4))
		c := &chance{Rand: r, facts: map[string]keepwatch.Fact{}}
		w := newWorld(t, noon)
		w.wider = []string{"discord:998877"}
		if seed%2 == 1 {
			w.closed = night
		}
		var mu sync.Mutex
		w.crash = func(string) {
			mu.Lock()
			defer mu.Unlock()
			if r.IntN(15) == 0 {
				panic(killed{})
			}
		}
		for range 200 {
			switch r.IntN(12) {
			case 0:
				w.set(w.clock().Add(-time.Duration(r.IntN(180)) * time.Minute)) // the clock is set back
			case 1:
				w.set(w.clock().Add(time.Duration(r.IntN(100)) * time.Hour))
			default:
				w.set(w.clock().Add(time.Duration(r.IntN(600)) * time.Minute))
			}
			if r.IntN(3) == 0 {
				c.change(w.clock())
			}
			w.always(c.list()...)
			step := func(fn func()) {
				if r.IntN(4) > 0 {
					w.survives(fn)
				}
			}
			step(w.review)
			step(w.tick)
			step(func() { together3(w) })
			if r.IntN(6) == 0 {
				w.survives(func() { _, _ = w.keeper.AckWarning(fmt.Sprintf("w%d", 1+r.IntN(12)), "Alis", time.Time{}, "") })
			}
			if r.IntN(3) == 0 {
				w.start()
			}
			w.deliver()
		}
		w.crash = func(string) {}
		w.once()
		settled(t, w, c)
	}
}

// together3 has three ticks look at the same wakes at the same time.
func together3(w *world) {
	wakes, err := w.rec.Due(w.clock(), 0)
	if err != nil {
		w.t.Error(err)
		return
	}
	crash := w.crash
	w.crash = func(string) {} // a kill is a panic, and belongs to the test's own goroutine
	defer func() { w.crash = crash }()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := w.keeper.Tick(context.Background(), wakes); err != nil {
				w.t.Error(err)
			}
		})
	}
	all.Wait()
}

// settled lets a week pass in peace, and holds every fact that is given against the
// oracle: whoever is not resting was told of the step that has come.
func settled(t *testing.T, w *world, c *chance) {
	t.Helper()
	w.always(c.list()...)
	w.review()
	w.pass(w.clock().Truncate(time.Hour).Add(7*day), time.Hour)
	w.set(w.clock().Truncate(day).Add(12 * time.Hour))
	w.review()
	w.tick()
	w.deliver()
	w.once()
	list, err := w.keeper.Warnings()
	if err != nil || len(list) != len(c.facts) {
		t.Fatalf("%d warnings hold for %d facts (%v)", len(list), len(c.facts), err)
	}
	now := w.clock()
	for _, x := range list {
		if x.Wake.IsZero() || !x.Wake.After(now) {
			t.Errorf("%s is never looked at again: %+v", x.ID, x)
		}
		if now.Before(x.Quiet) {
			continue
		}
		if x.Fact.Until.IsZero() && !x.Next.After(now) || !x.Fact.Until.IsZero() && x.Rung > step(x.Fact.Until, now) {
			t.Errorf("%s was not told of at step %d (its last was %d)", x.ID, step(x.Fact.Until, now), x.Rung)
		}
		told := false
		for _, m := range w.posted {
			told = told || strings.Contains(m.first, x.ID+" "+x.Fact.Key+" urge="+x.Fact.Urge+" ")
		}
		if !told {
			t.Errorf("nobody was told of %s %s as it is", x.ID, x.Fact.Key)
		}
	}
}

func TestStepsAgainstTheLadder(t *testing.T) {
	until := noon
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{-61 * day, 61}, {-60*day - 1, 61}, {-60 * day, 60}, {-31 * day, 60}, {-30 * day, 30}, {-14 * day, 14}, {-8 * day, 14}, {-7 * day, 7}, {-3 * day, 3}, {-day - 1, 3}, {-day, 1}, {-1, 1}, {0, 0}, {day - 1, 0}, {day, -1}, {10 * day, -10}} {
		if got := step(until, until.Add(c.at)); got != c.want {
			t.Errorf("%s: step %d, not %d", c.at, got, c.want)
		}
	}
	for from, want := range map[int]int{61: 60, 60: 30, 30: 14, 14: 7, 7: 3, 3: 1, 1: 0, 0: -1, -1: -2} {
		if got := following(from); got != want {
			t.Errorf("after %d: %d, not %d", from, got, want)
		}
	}
}

func BenchmarkReview(b *testing.B) {
	for _, c := range []struct {
		name   string
		change func(i int, f []keepwatch.Fact)
	}{
		{"1000 facts as they were", func(int, []keepwatch.Fact) {}},
		{"1000 facts, one is new to say", func(i int, f []keepwatch.Fact) { f[i%1000].Text = fmt.Sprint(i) }},
		{"1000 facts, all are", func(i int, f []keepwatch.Fact) {
			for j := range f {
				f[j].Text = fmt.Sprint(i)
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b, noon)
			var facts []keepwatch.Fact
			for i := range 1000 {
				facts = append(facts, keepwatch.Fact{Key: fmt.Sprintf("stale/device-%d", i), Tone: keepwatch.ToneWarn, Title: "stale", Until: noon.Add(20 * day),
					Buttons: []keepwatch.Button{{Label: "Check now", Command: "keepwatch check"}}})
			}
			w.always(facts...)
			w.review()
			w.deliver()
			i := 0
			for b.Loop() {
				i++
				c.change(i, facts)
				w.always(facts...)
				w.review()
			}
		})
	}
}
