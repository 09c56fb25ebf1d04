package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

// TestOutboxKilledAtEveryPoint kills at each passing of each named point in
// turn, and lets the next process go on. The card was asked for by a token that
// still works, but stands in the channel's lane: it is marked, and looked for.
func TestOutboxKilledAtEveryPoint(t *testing.T) {
	points := map[string]int{}
	// The order of the points is not fixed, because lanes are served at the same time:
	// those that no count has met are met by their names.
	named := []string{"outbox.tried", "outbox.posted", "outbox.delivered", "outbox.card.edited", "outbox.topic.edited"}
	for at := 1; len(named) > 0; at++ {
		name, byName := "", ""
		if at > 1 && points["end"] > 0 {
			byName, named = named[0], named[1:]
		}
		synctest.Test(t, func(t *testing.T) {
			o := newOffice(t)
			o.run(1, "under way", keepwatch.RunRunning)
			o.say("slack:A a", "slack:A b")
			o.save(keepwatch.Outgoing{ID: "card", Lane: "slack:A", Channel: "slack:A", Run: 1, Reply: &keepwatch.Reply{Token: "t", Until: o.now().Add(time.Hour)}})
			o.say("slack:A c", "discord:B x", "discord:B y")
			o.save(about("discord:B", "t", "z"), edits("discord:B", "t", "z edited"))
			passed := 0
			p := o.boot(func(p *process, _ *engine.OutboxConfig) {
				p.crashAt = func(point string) bool {
					passed++
					if here := byName == "" && passed == at || byName == point && name == ""; here {
						name = point
						return true
					}
					return false
				}
			}).start(t)
			time.Sleep(10 * time.Second)
			o.run(1, "done", keepwatch.RunDone)
			p.RunChanged(keepwatch.Run{})
			time.Sleep(10 * time.Second)
			p.kill()
			next := o.boot(nil).start(t)
			time.Sleep(10 * time.Minute)
			card := "under way"
			if got := o.texts("slack:A"); len(got) > 2 && got[2] == "done" {
				card = "done" // it was posted by the second process
			}
			o.want("slack:A", "a", "b", card, "c")
			o.want("discord:B", "x", "y", "z")
			if got := o.vendors["discord"].shows("discord:B"); !slices.Equal(got, []string{"x", "y", "z edited"}) {
				t.Errorf("killed at %s: the channel shows %q", name, got)
			}
			if got := o.vendors["slack"].shows("slack:A"); !slices.Equal(got, []string{"a", "b", "done", "c"}) {
				t.Errorf("killed at %s: the channel shows %q", name, got)
			}
			if live, err := o.kept.LiveCards(); err != nil || len(live) != 0 {
				t.Errorf("killed at %s: still live: %+v, %v", name, live, err)
			}
			o.empty()
			next.kill()
		})
		switch {
		case name == "" && byName != "":
			t.Errorf("%s was never passed: %v", byName, points)
		case name == "":
			points["end"]++
		default:
			points[name]++
		}
	}
}

// TestOutboxLooksBehindTheFirstAttempt: what is looked for comes after what was
// confirmed before the first attempt, however many came between the attempts.
func TestOutboxLooksBehindTheFirstAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.say("slack:A a", "slack:A b")
		tries := 0
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
				if out.Message.Title != "b" {
					return true, nil
				}
				if tries++; tries == 1 {
					return false, later(time.Minute)
				}
				return true, verdict(keepwatch.VerdictUnsure)
			}
			p.posters["slack"].onFind = func(out keepwatch.Outgoing) error {
				if out.After != "slack:A/0001" {
					t.Errorf("it is looked for behind %q", out.After)
				}
				return nil
			}
		}).start(t)
		time.Sleep(time.Second)
		o.say("re:x between") // confirmed in the channel between the attempts
		if err := o.kept.MessageDelivered(keepwatch.Outgoing{Lane: "re:x", Seq: 3, Channel: "slack:A"}, "slack:A/0009", "", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		o.want("slack:A", "a", "b")
		p.kill()
	})
}

func TestOutboxAnswers(t *testing.T) {
	type attempt = func(n int, out keepwatch.Outgoing) (bool, error)
	gone := verdict(keepwatch.VerdictGone)
	for name, c := range map[string]struct {
		alive time.Duration
		clock time.Duration // the wall clock is set by this much just after the answer was saved
		post  attempt
		kill  string // the point at which the first process ends
		token []bool // for each that arrives: by the token?
	}{
		"at once": {alive: 15 * time.Minute, token: []bool{true}},
		"the platform waits": {alive: 15 * time.Minute, post: func(n int, _ keepwatch.Outgoing) (bool, error) {
			return n > 1, []error{later(time.Hour), nil}[min(n, 2)-1]
		}, token: []bool{false}},
		"no answer to the answer: better twice than never": {alive: 15 * time.Minute,
			post: func(n int, _ keepwatch.Outgoing) (bool, error) {
				return true, []error{errors.New("cut"), nil}[min(n, 2)-1]
			}, token: []bool{true, true}},
		"the token was refused": {alive: 15 * time.Minute, post: func(_ int, out keepwatch.Outgoing) (bool, error) {
			if out.Reply.Token != "" {
				return false, gone
			}
			return true, nil
		}, token: []bool{false}},
		"the token was refused, and a crash": {alive: 15 * time.Minute, kill: "outbox.posted", post: func(_ int, out keepwatch.Outgoing) (bool, error) {
			if out.Reply.Token != "" {
				return false, gone
			}
			return true, nil
		}, token: []bool{false}},
		"the clock was set back":        {alive: 15 * time.Minute, clock: -time.Hour, token: []bool{true}},
		"the clock was set forward":     {alive: 15 * time.Minute, clock: time.Hour, token: []bool{false}},
		"the token has run out":         {alive: -time.Second, token: []bool{false}},
		"it has run out, killed before": {alive: -time.Second, kill: "outbox.tried", token: []bool{false}},
		"it has run out, killed after":  {alive: -time.Second, kill: "outbox.posted", token: []bool{false}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.save(o.answer("re", "slack:A", c.alive))
				o.set(c.clock)
				n := 0
				onPost := func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
					if n++; c.post != nil {
						return c.post(n, out)
					}
					return true, nil
				}
				calls := 0
				p := o.boot(func(p *process, _ *engine.OutboxConfig) {
					p.posters["slack"].onPost = onPost
					p.crashAt = func(point string) bool {
						if point == "outbox.posted" {
							calls++
						}
						return c.kill == point && (c.post == nil || calls == 2)
					}
				}).start(t)
				time.Sleep(2 * time.Hour)
				p.kill()
				next := o.boot(func(p *process, _ *engine.OutboxConfig) { p.posters["slack"].onPost = onPost }).start(t)
				time.Sleep(2 * time.Hour)
				var token []bool
				for _, post := range o.vendors["slack"].all() {
					token = append(token, post.token)
				}
				if !slices.Equal(token, c.token) {
					t.Errorf("arrived by the token: %v, want %v", token, c.token)
				}
				o.empty()
				if dead, err := o.kept.RefusedMessages(0); err != nil || len(dead) > 0 {
					t.Errorf("put apart: %+v, %v", dead, err)
				}
				next.kill()
			})
		})
	}
}

// TestOutboxClockIsSet: pauses and pace are counted by a clock that nobody sets.
func TestOutboxClockIsSet(t *testing.T) {
	for _, by := range []time.Duration{-48 * time.Hour, 48 * time.Hour} {
		t.Run(fmt.Sprint(by), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.say("slack:A a", "slack:A b", "slack:A c")
				tries := 0
				p := o.boot(func(p *process, c *engine.OutboxConfig) {
					c.Pace = map[string]time.Duration{"slack": 10 * time.Second}
					p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
						if tries++; tries == 1 {
							return false, later(20 * time.Second)
						}
						return true, nil
					}
				}).start(t)
				begun := time.Now()
				time.Sleep(5 * time.Second)
				o.set(by)
				time.Sleep(time.Minute)
				var at []time.Duration
				for _, post := range o.vendors["slack"].all() {
					at = append(at, post.at.Sub(begun))
				}
				if !slices.Equal(at, []time.Duration{20e9, 30e9, 40e9}) {
					t.Errorf("they came at %v", at)
				}
				p.kill()
			})
		})
	}
}

// TestOutboxTellsOfARefusingChannel once: the first time, and again only after
// it had worked in between. An end of the process between the refusal and the
// telling takes nothing away from it.
func TestOutboxTellsOfARefusingChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		var refuses atomic.Bool
		refuses.Store(true)
		setup := func(p *process, _ *engine.OutboxConfig) {
			p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
				if refuses.Load() && out.Channel == "slack:A" {
					return false, verdict(keepwatch.VerdictNever)
				}
				return true, nil
			}
		}
		p := o.boot(setup).start(t)
		send := func(text string) {
			p.Send(o.say("slack:A " + text)...)
			time.Sleep(time.Second)
		}
		send("1")
		send("2")
		refuses.Store(false)
		send("3")
		refuses.Store(true)
		send("4")
		p.kill()
		if want := []string{"slack:A true", "slack:A false", "slack:A true"}; !slices.Equal(o.refusals, want) {
			t.Errorf("told %q, want %q", o.refusals, want)
		}
		o.refusals = nil
		o.say("slack:Z x")
		cut := o.boot(func(p *process, c *engine.OutboxConfig) {
			p.posters["slack"].onPost = func(context.Context, keepwatch.Outgoing) (bool, error) { return false, verdict(keepwatch.VerdictNever) }
			c.Refused = func(keepwatch.Outgoing, string, bool) { p.dead.Store(true); p.crash("") }
		}).start(t)
		time.Sleep(time.Second)
		cut.kill()
		for range 2 {
			next := o.boot(setup).start(t)
			time.Sleep(time.Second)
			next.kill()
		}
		if want := []string{"slack:Z true"}; !slices.Equal(o.refusals, want) {
			t.Errorf("told %q, want %q", o.refusals, want)
		}
	})
}
