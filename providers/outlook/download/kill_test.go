package download_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/providers/outlook"
)

// killer ends a process at a call of the server, the spool or the store. Nothing has an
// effect from then on.
type killer struct {
	mu   sync.Mutex
	at   int // 0: never
	seen int
	dead bool
	end  func() // instead of a panic
}

func (k *killer) call(string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen++
	if k.dead || k.seen == k.at {
		if k.end != nil {
			k.end()
			return
		}
		k.dead = true
		panic(errKilled)
	}
}

// ways in which a download may end.
var ways = []struct {
	name               string
	after, power, stop bool
}{
	{name: "before a call"}, {name: "after a call", after: true}, {name: "by a power cut", power: true}, {name: "by a stop", stop: true},
}

// watch has a killer look at all calls, and sees that nothing is asked for that is here.
func (w *world) watch(k *killer, after bool) {
	w.disk.guard, w.disk.after, w.box.guard, w.keeping = k.call, nil, k.call, func(kept) { k.call("keep") }
	if after {
		w.disk.guard, w.disk.after = func(string) {
			k.mu.Lock()
			defer k.mu.Unlock()
			if k.dead {
				panic(errKilled)
			}
		}, k.call
	}
	w.box.ask = func(item outlook.Item) {
		w.disk.mu.Lock()
		defer w.disk.mu.Unlock()
		if _, here := w.disk.spools[w.job.Run].contents[keyOf(item)]; here {
			w.t.Errorf("%s is asked for, and it is here", keyOf(item))
		}
	}
}

// kill ends a download at its n-th call.
func (w *world) kill(way int, n int) error {
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	k := &killer{at: n}
	if ways[way].stop {
		k.end = cancel
	}
	w.watch(k, ways[way].after)
	err := w.killed(ctx)
	if ways[way].power && err != nil {
		w.disk.powerCut()
	}
	if err != nil && !errors.Is(err, errKilled) && !errors.Is(err, context.Canceled) {
		w.t.Errorf("killed %s, at call %d: %v", ways[way].name, n, err)
	}
	return err
}

func testKills(t *testing.T, build func(*testing.T) *world, check func(*world)) {
	w := build(t)
	count := &killer{}
	w.watch(count, false)
	w.must()
	check(w)
	t.Logf("%d calls", count.seen)
	for way := range ways {
		t.Run(ways[way].name, func(t *testing.T) {
			for n := 1; n <= count.seen+5 && !t.Failed(); n++ {
				w := build(t)
				_ = w.kill(way, n)
				w.watch(&killer{}, false)
				w.must()
				if check(w); t.Failed() {
					t.Logf("killed at call %d", n)
				}
			}
			// Again and again, each time a little later: even one that has nothing left to do
			// reads the folders once more.
			w, kills := build(t), 0
			for w.kill(way, 10+5*kills) != nil {
				if kills++; kills > 200 {
					t.Fatal("it comes to no end")
				}
			}
			check(w)
			t.Logf("killed %d times", kills)
		})
	}
}

func TestKilledAtEveryCall(t *testing.T) {
	testKills(t, func(t *testing.T) *world {
		w := newWorld(t).small()
		w.lively()
		return w
	}, func(w *world) { w.same(nil) })
}

func TestChangesKilledAtEveryCall(t *testing.T) {
	w := changed(t)
	w.must()
	want := w.outcome()
	testKills(t, changed, func(w *world) {
		if diff := cmp.Diff(want, w.outcome()); diff != "" {
			w.t.Errorf("undisturbed and killed (-want +got):\n%s", diff)
		}
	})
}
