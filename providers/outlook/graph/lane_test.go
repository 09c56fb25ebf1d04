package graph

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestHour reads with 32 workers for an hour at 100 ms latency: the documented limits
// hold in every ten minutes, and at least nine tenths of them are used.
func TestHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{latency: 100 * time.Millisecond, serve: ok}
		start := time.Now()
		var mu sync.Mutex
		var began []time.Duration
		f.fail = func(*http.Request) error {
			mu.Lock()
			defer mu.Unlock()
			began = append(began, time.Since(start))
			return nil
		}
		c := f.client(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				for c.JSON(ctx, alis, Request{URL: "/users/" + alis + "/messages"}, nil) == nil {
				}
			})
		}
		all.Wait()
		if f.highest != 4 {
			t.Errorf("%d were in flight at a time, want 4 exactly", f.highest)
		}
		most, from := 0, 0
		for i, at := range began {
			for began[from] <= at-10*time.Minute {
				from++
			}
			most = max(most, i-from+1)
		}
		if most > 10000 {
			t.Errorf("%d calls were within ten minutes", most)
		}
		if len(began) < 54000 {
			t.Errorf("%d calls in an hour; 60,000 are allowed", len(began))
		}
		t.Logf("%d calls in an hour (%d%% of 60,000), at most %d in ten minutes, %d in flight", len(began), len(began)/600, most, f.highest)
	})
}

func TestAppLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{latency: time.Second, serve: ok}
		config := f.config()
		config.InFlight = 6
		c, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, mailbox := range []string{"a", "b", "c", "d"} {
			for range 10 {
				all.Go(func() {
					if err := c.JSON(t.Context(), mailbox, Request{URL: "/users/" + mailbox + "/messages"}, nil); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		if f.highest != 6 {
			t.Errorf("%d were in flight, want 6", f.highest)
		}
	})
}

// TestFence: after a 429 no call of the mailbox begins before its end, and others go on.
func TestFence(t *testing.T) {
	for _, test := range []struct {
		name, message, scope string
		all                  bool
	}{
		{name: "mailbox", message: "Application is over its MailboxConcurrency limit."},
		{name: "application", message: "Application is over its limit.", all: true},
		{name: "scope", message: "Too many.", scope: "Tenant_Application/ReadWrite/app/tenant", all: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, thrown := time.Now(), false
				at := map[string][]time.Duration{}
				f := &fake{latency: 100 * time.Millisecond}
				f.serve = func(w http.ResponseWriter, r *http.Request) {
					f.mu.Lock()
					defer f.mu.Unlock()
					if !thrown {
						thrown = true
						w.Header().Set("Retry-After", "50")
						if test.scope != "" {
							w.Header().Set("x-ms-throttle-scope", test.scope)
						}
						refuse(w, 429, "ApplicationThrottled", test.message)
						return
					}
					at[r.URL.Path] = append(at[r.URL.Path], time.Since(start))
					ok(w, r)
				}
				c := f.client(t)
				get := func(mailbox string) {
					if err := c.JSON(t.Context(), mailbox, Request{URL: "/" + mailbox}, nil); err != nil {
						t.Error(err)
					}
				}
				var all sync.WaitGroup
				all.Go(func() { get("a") })
				if err := sleep(t.Context(), wallClock{}, time.Second); err != nil {
					t.Fatal(err)
				}
				for range 8 {
					all.Go(func() { get("a") })
					all.Go(func() { get("b") })
				}
				all.Wait()
				if len(at["/v1.0/a"]) != 9 || len(at["/v1.0/b"]) != 8 {
					t.Fatalf("answered: %v", at)
				}
				if first := at["/v1.0/a"][0]; first < 50*time.Second || first > 52*time.Second {
					t.Errorf("the fence fell after %s", first)
				}
				if first := at["/v1.0/b"][0]; (first >= 50*time.Second) != test.all {
					t.Errorf("the other mailbox went on after %s", first)
				}
			})
		})
	}
}

func TestTakeGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(wallClock{}, 4)
		if err := l.take(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		ended, second := make(chan error, 1), make(chan error, 1)
		go func() { ended <- l.take(ctx, 4) }()
		synctest.Wait()
		go func() { second <- l.take(t.Context(), 1) }()
		synctest.Wait()
		cancel(gone)
		if err := <-ended; !errors.Is(err, gone) {
			t.Errorf("%v", err)
		}
		l.give(1)
		if err := <-second; err != nil {
			t.Error(err)
		}
		l.give(4)
		if l.free != l.most {
			t.Errorf("%d of %d places are free", l.free, l.most)
		}
	})
}

func TestWindow(t *testing.T) {
	start := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	w := newWindow(10, 10*time.Second)
	steps := []struct {
		at   time.Duration
		n    int64
		wait time.Duration
	}{
		{0, 6, 0}, {time.Second, 4, 0}, {1500 * time.Millisecond, 1, 9500 * time.Millisecond}, {10 * time.Second, 1, time.Second},
		{11 * time.Second, 6, 0}, {11 * time.Second, 1, time.Second}, {12 * time.Second, 4, 0}, {12 * time.Second, 10, 11 * time.Second},
		{time.Hour, 25, 0}, {time.Hour, 1, 11 * time.Second}, {30 * time.Minute, 1, 30*time.Minute + 11*time.Second},
	}
	for _, s := range steps {
		now := start.Add(s.at)
		got := w.wait(now, s.n)
		if got != s.wait {
			t.Errorf("at %s %d wait %s, want %s", s.at, s.n, got, s.wait)
		}
		if got == 0 {
			w.add(now, s.n)
		}
	}
}
