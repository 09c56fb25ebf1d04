package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

// odd is a refusal for a reason that nobody knows.
func odd(v keepwatch.Verdict) error {
	return &keepwatch.PostError{Verdict: v, Odd: true, Err: keepwatch.Errorf(keepwatch.KindAttention, "The platform says no_such_luck.")}
}

// TestOddRefusals: what is refused for an unknown reason is tried again, for an
// hour; a lane is blocked by it no longer than that, however much waits in it, and
// what passes in the meantime loses nothing.
func TestOddRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		first  error         // "bad" gets this
		then   error         // and this after a minute; nil: the same
		passes time.Duration // when it is taken; 0: never
		all    bool          // every message of the lane gets the same
		got    []string
		within time.Duration // the lane is empty
	}{
		"it passes":                {first: odd(keepwatch.VerdictLater), passes: 50 * time.Minute, got: []string{"a", "bad", "b", "c"}, within: 52 * time.Minute},
		"it never passes":          {first: odd(keepwatch.VerdictLater), got: []string{"a", "b", "c"}, within: 63 * time.Minute},
		"it has no code":           {first: odd(keepwatch.VerdictUnsure), got: []string{"a", "b", "c"}, within: 63 * time.Minute},
		"the channel is refused":   {first: odd(keepwatch.VerdictLater), all: true, got: []string{"a"}, within: 63 * time.Minute},
		"the network is away":      {first: later(0), passes: 5 * time.Hour, got: []string{"a", "bad", "b", "c"}, within: 5*time.Hour + 2*time.Minute},
		"refused, then no network": {first: odd(keepwatch.VerdictLater), then: errors.New("EOF"), passes: 5 * time.Hour, got: []string{"a", "bad", "b", "c"}, within: 5*time.Hour + 2*time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				begun := time.Now()
				o.say("slack:A a", "slack:A bad", "slack:A b", "slack:A c")
				p := o.boot(func(p *process, _ *engine.OutboxConfig) {
					p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
						age := time.Since(begun)
						switch {
						case out.Message.Title == "a" || out.Message.Title != "bad" && !c.all || c.passes > 0 && age >= c.passes:
							return true, nil
						case c.then != nil && age > time.Minute:
							return false, c.then
						}
						return false, c.first
					}
				}).start(t)
				time.Sleep(c.within)
				o.want("slack:A", c.got...)
				o.empty()
				dead, err := o.kept.RefusedMessages(0)
				if err != nil || len(dead) != 4-len(c.got) {
					t.Errorf("kept apart: %+v, %v", dead, err)
				}
				for _, d := range dead {
					if d.Refused != "The platform says no_such_luck." {
						t.Errorf("refused for %q", d.Refused)
					}
				}
				p.kill()
			})
		})
	}
}

// TestOddEdits: a card whose edit is refused for an unknown reason is tried again,
// and after an hour what it has to say is posted anew.
func TestOddEdits(t *testing.T) {
	for name, c := range map[string]struct {
		passes time.Duration
		shows  []string
	}{
		"it passes":       {passes: 50 * time.Minute, shows: []string{"done"}},
		"it never passes": {passes: 100 * time.Hour, shows: []string{"under way", "done"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				begun := time.Now()
				o.run(1, "under way", keepwatch.RunRunning)
				p := o.boot(func(p *process, _ *engine.OutboxConfig) {
					p.posters["slack"].onEdit = func(keepwatch.Card, keepwatch.Message) (bool, error) {
						if time.Since(begun) < c.passes {
							return false, odd(keepwatch.VerdictLater)
						}
						return true, nil
					}
				}).start(t)
				p.Send(o.card(1, "slack:A")...)
				time.Sleep(5 * time.Second)
				o.run(1, "done", keepwatch.RunDone)
				p.RunChanged(keepwatch.Run{ID: 1})
				time.Sleep(63 * time.Minute)
				if got := o.vendors["slack"].shows("slack:A"); len(got) != len(c.shows) || got[0] != c.shows[0] || got[len(got)-1] != "done" {
					t.Errorf("it shows %q", got)
				}
				o.noneLive()
				p.kill()
			})
		})
	}
}
