package graph

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shelf keeps fences as the state does: by the wall clock alone.
type shelf struct {
	mu    sync.Mutex
	kept  map[string][2]time.Time
	times int // it was written
	fail  error
}

func (s *shelf) Fence(name string) (since, until time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[name][0], s.kept[name][1], s.fail
}

func (s *shelf) KeepFence(name string, since, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.kept == nil {
		s.kept = map[string][2]time.Time{}
	}
	s.times++
	s.kept[name] = [2]time.Time{since.Round(0), until.Round(0)}
	return nil
}

// set is the system's clock after somebody has set it.
type set struct {
	wallClock
	by time.Duration
}

func (s set) Now() time.Time { return time.Now().Add(s.by) }

// throttled refuses what is asked for by the first client, with a Retry-After and a scope, and
// tells when the first call of the second came.
type throttled struct {
	after int // seconds
	scope string
}

func (th throttled) client(t *testing.T, s *shelf, clock Clock, refuses bool) (c *Client, first func() time.Duration) {
	t.Helper()
	start, at := time.Now(), time.Duration(-1)
	var mu sync.Mutex
	f := &fake{latency: 50 * time.Millisecond, serve: func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if at < 0 {
			at = time.Since(start)
		}
		if !refuses {
			ok(w, r)
			return
		}
		w.Header().Set("Retry-After", strconv.Itoa(th.after))
		w.Header().Set("x-ms-throttle-scope", th.scope)
		refuse(w, http.StatusTooManyRequests, "ApplicationThrottled", "")
	}}
	config := f.config()
	config.Fences, config.Clock = s, clock
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c, func() time.Duration { return at }
}

// killed makes calls of a mailbox that are refused, and ends their client as a kill does.
func (th throttled) killed(t *testing.T, s *shelf) {
	t.Helper()
	c, _ := th.client(t, s, nil, true)
	ended := make(chan error, mailboxInFlight)
	for range mailboxInFlight {
		go func() {
			r := Request{URL: "/x", weight: 1}
			u, err := c.resolve(r)
			if err == nil {
				_, _, err = c.once(t.Context(), c.laneOf(alis), r, u, "")
			}
			ended <- err
		}()
	}
	for range mailboxInFlight {
		if err := <-ended; !errors.Is(err, ErrThrottled) {
			t.Fatal(err)
		}
	}
}

// TestFenceOutlivesItsProgram: the next program makes no call before the end of the pause that
// the one before was asked for, of the mailbox or of all, and not for long where somebody has
// set the clock meanwhile. What is short is not written to the disk, and what is long once.
func TestFenceOutlivesItsProgram(t *testing.T) {
	const mailbox, app = "Exchange", "Tenant_Application/ReadWrite/app/tenant"
	for name, test := range map[string]struct {
		throttled
		other       string        // who calls after the start; "": the same mailbox
		down        time.Duration // between the kill and the start
		set         time.Duration // by how much the clock is set meanwhile
		least, most time.Duration // after the start, for the first call
		writes      int
	}{
		"at once":                   {throttled: throttled{300, mailbox}, least: 298 * time.Second, most: 302 * time.Second, writes: 1},
		"in the middle":             {throttled: throttled{300, mailbox}, down: 100 * time.Second, least: 198 * time.Second, most: 202 * time.Second, writes: 1},
		"after its end":             {throttled: throttled{300, mailbox}, down: 302 * time.Second, most: time.Second, writes: 1},
		"of another mailbox":        {throttled: throttled{300, mailbox}, other: "b@example.com", most: time.Second, writes: 1},
		"the name in other letters": {throttled: throttled{300, mailbox}, other: "Alis@Example.com", least: 298 * time.Second, most: 302 * time.Second, writes: 1},
		"of all":                    {throttled: throttled{300, app}, other: "b@example.com", least: 298 * time.Second, most: 302 * time.Second, writes: 1},
		"short":                     {throttled: throttled{9, mailbox}, most: time.Second},
		"just long enough":          {throttled: throttled{11, mailbox}, least: 9 * time.Second, most: 13 * time.Second, writes: 1},
		"set back by a month":       {throttled: throttled{300, mailbox}, set: -30 * 24 * time.Hour, least: 298 * time.Second, most: 302 * time.Second, writes: 1},
		"set back by a minute":      {throttled: throttled{300, mailbox}, down: 2 * time.Minute, set: -time.Minute, least: 238 * time.Second, most: 242 * time.Second, writes: 1},
		"set on by a month":         {throttled: throttled{300, mailbox}, set: 30 * 24 * time.Hour, most: time.Second, writes: 1},
		"long, and set back":        {throttled: throttled{20 * 3600, mailbox}, set: -30 * 24 * time.Hour, least: mostWait - 2*time.Second, most: mostWait + 2*time.Second, writes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &shelf{}
				test.killed(t, s)
				if s.times != test.writes {
					t.Errorf("it was written %d times, want %d", s.times, test.writes)
				}
				time.Sleep(test.down)
				c, first := test.client(t, s, set{by: test.set}, false)
				if err := c.JSON(t.Context(), or(test.other, alis), Request{URL: "/x"}, nil); err != nil {
					t.Fatal(err)
				}
				if at := first(); at < test.least || at > test.most {
					t.Errorf("the first call came after %v, want %v to %v", at, test.least, test.most)
				}
			})
		})
	}
}

// TestLongFenceOutlivesItsProgram: one that is longer than anybody waits for is told after a
// start as before.
func TestLongFenceOutlivesItsProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, th := &shelf{}, throttled{20 * 3600, ""}
		th.killed(t, s)
		c, first := th.client(t, s, nil, false)
		if err := c.JSON(t.Context(), alis, Request{URL: "/x"}, nil); !errors.Is(err, ErrThrottled) || first() >= 0 {
			t.Errorf("%v after %v", err, first())
		}
		time.Sleep(20*time.Hour + 2*time.Second)
		if err := c.JSON(t.Context(), alis, Request{URL: "/x"}, nil); err != nil {
			t.Error(err)
		}
	})
}

// TestFenceWithoutAState: a state that can neither be read nor written stops no call.
func TestFenceWithoutAState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{fail: errors.New("the disk is full")}
		th := throttled{60, ""}
		th.killed(t, s)
		c, first := th.client(t, s, nil, false)
		if err := c.JSON(t.Context(), alis, Request{URL: "/x"}, nil); err != nil || first() > time.Second {
			t.Errorf("%v after %v", err, first())
		}
	})
}
