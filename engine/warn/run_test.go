package warn

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/store/bolt"
)

// TestOnBolt: what is kept on disk by one process is gone on with by the next.
func TestOnBolt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	until := noon.Add(8 * day)
	var all []message
	for i := range 9 {
		s, err := bolt.Open(bolt.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		w := newWorldOn(t, noon.Add(time.Duration(i)*day), s)
		w.posted, w.ids = all, 100*i
		w.always(keepwatch.Fact{Key: "expiry/x", Tone: keepwatch.ToneWarn, Title: "x", Until: until})
		w.tick()
		w.review()
		w.tick()
		w.deliver()
		all = w.posted
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if i == 8 {
			if d := cmp.Diff(days(0, 1, 5, 7, 8), w.times("slack:C0OPS", noon)); d != "" {
				t.Error(d)
			}
			w.once()
		}
	}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reviews []time.Duration
		begin := time.Now()
		w := newWorld(t, begin)
		var fail atomic.Bool
		cfg := w.keeper.cfg
		cfg.Now = time.Now
		cfg.Facts = func(time.Time) ([]keepwatch.Fact, error) {
			reviews = append(reviews, time.Since(begin))
			if fail.Load() {
				panic("a fault")
			}
			return nil, nil
		}
		k, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { k.Run(ctx); close(done) }()
		time.Sleep(10 * time.Second)
		for range 50 { // many pokes within a second are one review
			k.Poke()
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(2 * time.Hour)
		fail.Store(true)
		k.Poke()
		time.Sleep(90 * time.Second) // a fault, and another try after a minute
		fail.Store(false)
		time.Sleep(60 * time.Second)
		stop()
		<-done
		second := time.Second
		last := 2*time.Hour + 10*second + 500*time.Millisecond
		want := []time.Duration{0, 11 * second, 3611 * second, last + second, last + 61*second, last + 121*second}
		if d := cmp.Diff(want, reviews); d != "" {
			t.Error(d)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a Config without anything makes a Keeper")
	}
}
