package graph

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// followed gives a ctx, and what whoever follows its work is told: until when there is a
// pause, as the time since the beginning, 0 when it is over.
func followed(ctx context.Context) (context.Context, func() (at, until []time.Duration, why string)) {
	var mu sync.Mutex
	var at, until []time.Duration
	why, begun := "", time.Now()
	ctx = providers.WithPauses(ctx, func(p keepwatch.Pause) {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, time.Since(begun))
		if p.Until.IsZero() {
			until = append(until, 0)
			return
		}
		until, why = append(until, p.Until.Sub(begun)), p.Why
	})
	return ctx, func() ([]time.Duration, []time.Duration, string) {
		mu.Lock()
		defer mu.Unlock()
		return at, until, why
	}
}

// refuseFirst refuses so many calls, with what they say to wait.
func refuseFirst(n, status int, after string) *fake {
	left, mu := n, sync.Mutex{}
	return &fake{latency: 50 * time.Millisecond, serve: func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		left--
		refused := left >= 0
		mu.Unlock()
		if !refused {
			ok(w, r)
			return
		}
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		refuse(w, status, "ApplicationThrottled", "")
	}}
}

// TestPauseIsTold: once for all lanes, with the time that the vendor has named, and gone when
// it is over. What is short is not told.
func TestPauseIsTold(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		after  int // seconds
		refuse int
		told   bool
	}{
		{"four lanes are throttled", 429, 300, 4, true},
		{"one is, and all wait", 429, 300, 1, true},
		{"the service is busy", 503, 60, 1, true},
		{"short", 429, 9, 4, false},
		{"a gateway is away for a moment, for each call by itself", 504, 0, 8, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				after := ""
				if test.after > 0 {
					after = strconv.Itoa(test.after)
				}
				f := refuseFirst(test.refuse, test.status, after)
				c := f.client(t)
				if _, err := c.tokens.get(t.Context(), ""); err != nil { // else all wait for it, and go on together
					t.Fatal(err)
				}
				ctx, told := followed(t.Context())
				var lanes sync.WaitGroup
				for i := range 4 {
					lanes.Go(func() {
						time.Sleep(time.Duration(i) * 10 * time.Millisecond) // no two are refused at the same moment
						for range 3 {
							if err := c.JSON(ctx, alis, Request{URL: "/x"}, nil); err != nil {
								t.Error(err)
							}
						}
					})
				}
				lanes.Wait()
				at, until, why := told()
				if !test.told {
					if len(until) > 0 {
						t.Errorf("told %v", until)
					}
					return
				}
				wait := time.Duration(test.after) * time.Second
				if len(until) != 2 || why != whyAsked || until[0] < wait || until[0] > wait+2*time.Second || until[1] != 0 || at[0] > time.Second || at[1] < wait || at[1] > until[0]+time.Second {
					t.Errorf("at %v told %v, %q", at, until, why)
				}
			})
		})
	}
}

// TestFullWindowIsTold: our own limit is the vendor's, so its wait is told too.
func TestFullWindowIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{serve: ok}
		c := f.client(t)
		ctx, told := followed(t.Context())
		c.laneOf(alis).calls.add(time.Now(), mailboxCalls-1)
		for range 2 {
			if err := c.JSON(ctx, alis, Request{URL: "/x"}, nil); err != nil {
				t.Fatal(err)
			}
		}
		at, until, why := told()
		if len(until) != 2 || why != whyUsedUp || until[0] < callsWindow || until[0] > callsWindow+2*time.Second || until[1] != 0 || at[1] < callsWindow {
			t.Errorf("at %v told %v, %q", at, until, why)
		}
	})
}

// TestPauseOfABatchIsTold: also where the parts of a batch are refused, and not the batch.
func TestPauseOfABatchIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		f := &fake{serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if calls++; calls == 1 {
				_, _ = w.Write([]byte(`{"responses":[{"id":"0","status":429,"headers":{"Retry-After":"120"},"body":{"error":{"code":"ApplicationThrottled"}}}]}`))
				return
			}
			_, _ = w.Write([]byte(`{"responses":[{"id":"0","status":200,"body":{}}]}`))
		}}
		ctx, told := followed(t.Context())
		if got, err := f.client(t).Batch(ctx, alis, []Request{{URL: "/x"}}); err != nil || got[0].Err != nil {
			t.Fatal(err, got)
		}
		if _, until, _ := told(); len(until) != 2 || until[0] < 2*time.Minute || until[1] != 0 {
			t.Errorf("told %v", until)
		}
	})
}

// TestPauseEndsWithItsRun: who cancels does not wait, and the pause is over at once.
func TestPauseEndsWithItsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := refuseFirst(4, 429, "900")
		c, gone := f.client(t), errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		ctx, told := followed(ctx)
		begun := time.Now()
		ended := make(chan error, 4)
		for range 4 {
			go func() { ended <- c.JSON(ctx, alis, Request{URL: "/x"}, nil) }()
		}
		time.Sleep(time.Minute)
		cancel(gone)
		for range 4 {
			if err := <-ended; !errors.Is(err, gone) {
				t.Error(err)
			}
		}
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("it took %s", took)
		}
		if at, until, _ := told(); len(until) != 2 || until[1] != 0 || at[1] != time.Minute {
			t.Errorf("at %v told %v", at, until)
		}
	})
}
