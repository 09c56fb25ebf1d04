package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

// card saves the card of a run in a channel.
func (o *office) card(run int64, channel string) []string {
	o.t.Helper()
	return o.save(keepwatch.Outgoing{ID: fmt.Sprint("card", run, channel, len(o.texts(channel))), Lane: channel, Channel: channel, Run: run, Made: o.now()})
}

// lastEdit gives what was edited last, and fails where nothing was.
func (o *office) lastEdit(platform string) edit {
	o.t.Helper()
	all := o.vendors[platform].edited()
	if len(all) == 0 {
		o.t.Fatal("nothing was edited")
	}
	return all[len(all)-1]
}

func (o *office) noneLive() {
	o.t.Helper()
	if live, err := o.kept.LiveCards(); err != nil || len(live) != 0 {
		o.t.Errorf("still live: %+v, %v", live, err)
	}
}

// TestCardsFollow: at most one edit in two seconds, however fast a run moves, and
// the last state within two seconds of it, in every channel.
func TestCardsFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(1, "0", keepwatch.RunRunning)
		p := o.boot(nil).start(t)
		p.Send(append(o.card(1, "slack:A"), o.card(1, "discord:B")...)...)
		for i := range 100 {
			time.Sleep(100 * time.Millisecond)
			o.run(1, fmt.Sprint(i), keepwatch.RunRunning)
			p.RunChanged(keepwatch.Run{ID: 1})
		}
		o.run(1, "done", keepwatch.RunDone)
		p.RunChanged(keepwatch.Run{ID: 1})
		ended := time.Now()
		time.Sleep(time.Minute)
		for _, platform := range []string{"slack", "discord"} {
			var last time.Time
			edits := o.vendors[platform].edited()
			for _, e := range edits {
				if gap := e.at.Sub(last); gap < 2*time.Second {
					t.Errorf("an edit %v after the one before it", gap)
				}
				last = e.at
			}
			if e := o.lastEdit(platform); e.text != "done" || e.at.Sub(ended) > 2*time.Second || len(edits) < 5 {
				t.Errorf("%s: %d edits, the last one %v after the end: %q", platform, len(edits), e.at.Sub(ended), e.text)
			}
		}
		o.noneLive()
		n := len(o.vendors["slack"].edited())
		p.kill()
		next := o.boot(nil).start(t)
		time.Sleep(time.Hour)
		if len(o.vendors["slack"].edited()) != n {
			t.Error("a final card was edited again")
		}
		next.kill()
	})
}

// TestCardsGetTheirLastState, whatever stands in the way of it for a while.
func TestCardsGetTheirLastState(t *testing.T) {
	unsure := verdict(keepwatch.VerdictUnsure)
	type answer struct {
		done bool
		err  error
	}
	for name, c := range map[string]struct {
		edits  []answer // the first attempts to edit; then they work
		silent bool     // nobody says that the run has changed
		restart,
		unread bool // the run cannot be read for a while
		within time.Duration
		kept   string // what it shows where it cannot be edited any more
	}{
		"nobody said so":         {silent: true, within: 2 * time.Second},
		"429 says how long":      {edits: []answer{{false, later(33 * time.Second)}}, within: 33 * time.Second},
		"no answer":              {edits: []answer{{true, unsure}, {false, unsure}, {false, errors.New("EOF")}}, within: time.Minute},
		"the process ended":      {restart: true, silent: true, within: time.Minute},
		"429, and an end":        {restart: true, edits: []answer{{false, later(time.Hour)}}, within: time.Minute},
		"it cannot be read":      {unread: true, within: 2 * time.Minute},
		"the message is gone":    {edits: []answer{{false, verdict(keepwatch.VerdictGone)}}, kept: "under way"},
		"it is refused for good": {edits: []answer{{false, verdict(keepwatch.VerdictNever)}}, kept: "under way"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.run(1, "under way", keepwatch.RunRunning)
				n := 0
				p := o.boot(func(p *process, _ *engine.OutboxConfig) {
					p.posters["slack"].onEdit = func(keepwatch.Card, keepwatch.Message) (bool, error) {
						if n++; n <= len(c.edits) {
							return c.edits[n-1].done, c.edits[n-1].err
						}
						return true, nil
					}
				}).start(t)
				p.Send(o.card(1, "slack:A")...)
				time.Sleep(5 * time.Second)
				if c.unread {
					o.mu.Lock()
					o.showErr = errors.New("the disk hangs")
					o.mu.Unlock()
				}
				o.run(1, "done", keepwatch.RunDone)
				ended := time.Now()
				if !c.silent {
					p.RunChanged(keepwatch.Run{ID: 1})
				}
				time.Sleep(time.Second)
				o.mu.Lock()
				o.showErr = nil
				o.mu.Unlock()
				if c.restart {
					p.kill()
					p = o.boot(nil).start(t)
				}
				time.Sleep(3 * time.Minute)
				got := o.vendors["slack"].shows("slack:A")
				if c.kept != "" { // the old message stands, and a new one says how it ended
					if !slices.Equal(got, []string{c.kept, "done"}) {
						t.Errorf("it shows %q", got)
					}
					got = got[len(got)-1:]
				}
				if len(got) != 1 || got[0] != "done" {
					t.Errorf("it shows %q", got)
				} else if c.kept == "" {
					if e := o.lastEdit("slack"); e.at.Sub(ended) > c.within {
						t.Errorf("after %v, want %v", e.at.Sub(ended), c.within)
					}
				} else if n != len(c.edits) {
					t.Errorf("%d attempts at what is refused for good", n)
				}
				o.noneLive()
				p.kill()
			})
		})
	}
}

// TestCardsTakeTurns: where a platform takes few edits, each card gets its share,
// and those that stopped for a person are not behind those that move.
func TestCardsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		p := o.boot(func(_ *process, c *engine.OutboxConfig) {
			c.Edits = map[string]time.Duration{"slack": 1500 * time.Millisecond}
		}).start(t)
		const runs = 10
		for id := range int64(runs) {
			o.run(id+1, "begins", keepwatch.RunRunning)
			p.Send(o.card(id+1, fmt.Sprintf("slack:%02d", id))...)
		}
		time.Sleep(time.Second)
		o.run(runs, "needs attention", keepwatch.RunAttention)
		for i := range 600 {
			for id := range int64(runs - 1) {
				o.run(id+1, fmt.Sprint(i), keepwatch.RunRunning)
			}
			p.RunChanged(keepwatch.Run{})
			time.Sleep(100 * time.Millisecond)
		}
		o.run(9, "done", keepwatch.RunDone) // what has ended comes before what moves
		p.RunChanged(keepwatch.Run{})
		time.Sleep(3 * time.Second)
		if got := o.vendors["slack"].shows("slack:08"); len(got) != 1 || got[0] != "done" {
			t.Errorf("three seconds after the end it shows %q", got)
		}
		counts := map[string]int{}
		var last time.Time
		for _, e := range o.vendors["slack"].edited() {
			if gap := e.at.Sub(last); gap < 1500*time.Millisecond {
				t.Errorf("an edit %v after the one before it", gap)
			}
			last = e.at
			counts[e.ref[:len("slack:00")]]++
		}
		for id := range runs {
			if n := counts[fmt.Sprintf("slack:%02d", id)]; n == 0 || n > 7 {
				t.Errorf("card %d was edited %d times: %v", id, n, counts)
			}
		}
		p.kill()
	})
}

// TestCardsWaitForTheirPlatform: a 429 over one card holds for all of the
// platform, and for no other.
func TestCardsWaitForTheirPlatform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		var mu sync.Mutex
		var tries []time.Time
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.posters["slack"].onEdit = func(keepwatch.Card, keepwatch.Message) (bool, error) {
				mu.Lock()
				defer mu.Unlock()
				if tries = append(tries, time.Now()); len(tries) == 1 {
					return false, later(30 * time.Second)
				}
				return true, nil
			}
		}).start(t)
		o.run(1, "begins", keepwatch.RunRunning)
		for _, channel := range []string{"slack:A", "slack:B", "discord:C"} {
			p.Send(o.card(1, channel)...)
		}
		time.Sleep(5 * time.Second)
		o.run(1, "done", keepwatch.RunDone)
		ended := time.Now()
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if len(tries) != 3 || tries[1].Sub(tries[0]) != 30*time.Second {
			t.Errorf("tried at %v", tries)
		}
		if e := o.lastEdit("discord"); e.at.Sub(ended) > 2*time.Second {
			t.Errorf("the other platform waited for %v", e.at.Sub(ended))
		}
		o.noneLive()
		p.kill()
	})
}

// TestCardsOfOneRunInOneChannel: a run that is asked about again has a second
// card there; both are kept up to date.
func TestCardsOfOneRunInOneChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(1, "needs attention", keepwatch.RunAttention)
		p := o.boot(nil).start(t)
		p.Send(o.card(1, "slack:A")...)
		time.Sleep(5 * time.Second)
		o.run(1, "under way", keepwatch.RunRunning)
		p.Send(o.card(1, "slack:A")...)
		time.Sleep(5 * time.Second)
		o.run(1, "done", keepwatch.RunDone)
		time.Sleep(5 * time.Second)
		if got := fmt.Sprint(o.vendors["slack"].shows("slack:A")); got != "[done done]" {
			t.Errorf("they show %s", got)
		}
		o.noneLive()
		p.kill()
	})
}

// TestCardFoundIsBroughtUpToDate: a card that arrived without an answer may show
// less than was last tried.
func TestCardFoundIsBroughtUpToDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(1, "begins", keepwatch.RunRunning)
		finds, posts := 0, 0
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			poster := p.posters["slack"]
			poster.onFind = func(keepwatch.Outgoing) error { finds++; return nil }
			poster.onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
				if posts++; posts == 1 {
					return false, verdict(keepwatch.VerdictUnsure)
				}
				// The first attempt arrives late, while the second one fails.
				poster.v.mu.Lock()
				defer poster.v.mu.Unlock()
				poster.v.posts = append(poster.v.posts, post{out.Channel, out.ID, "slack:A/0001", "begins", time.Now(), false, out})
				return false, verdict(keepwatch.VerdictUnsure)
			}
		}).start(t)
		p.Send(o.card(1, "slack:A")...)
		time.Sleep(500 * time.Millisecond)
		o.run(1, "done", keepwatch.RunDone)
		time.Sleep(time.Minute)
		if got := fmt.Sprint(o.vendors["slack"].shows("slack:A")); got != "[done]" || finds != 2 {
			t.Errorf("it shows %s after %d looks", got, finds)
		}
		o.noneLive()
		p.kill()
	})
}

// TestCardThatThePlatformHasAlready: a platform that knows a message by our id
// gives the one that it has, as it was at the first attempt.
func TestCardThatThePlatformHasAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(1, "under way", keepwatch.RunRunning)
		o.card(1, "discord:A")
		tries := 0
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.posters["discord"].knowing = true
			p.posters["discord"].onPost = func(context.Context, keepwatch.Outgoing) (bool, error) {
				if tries++; tries == 1 {
					o.run(1, "done", keepwatch.RunDone)
					return true, verdict(keepwatch.VerdictUnsure)
				}
				return true, nil
			}
		}).start(t)
		time.Sleep(time.Minute)
		if got := o.vendors["discord"].shows("discord:A"); !slices.Equal(got, []string{"done"}) {
			t.Errorf("the channel shows %q", got)
		}
		o.noneLive()
		p.kill()
	})
}

// TestCardThatCannotBeShownYet waits; one of a run that is not there is refused.
func TestCardThatCannotBeShownYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(1, "done", keepwatch.RunDone)
		o.showErr = errors.New("the disk hangs")
		p := o.boot(nil).start(t)
		p.Send(o.card(1, "slack:A")...)
		time.Sleep(10 * time.Second)
		o.mu.Lock()
		o.showErr = nil
		o.mu.Unlock()
		time.Sleep(time.Minute)
		o.want("slack:A", "done")
		p.Send(o.card(77, "slack:A")...)
		time.Sleep(time.Second)
		if dead, err := o.kept.RefusedMessages(0); err != nil || len(dead) != 1 || dead[0].Run != 77 {
			t.Errorf("put apart: %+v, %v", dead, err)
		}
		o.noneLive()
		o.empty()
		p.kill()
	})
}

// TestCardWithoutANameIsPostedAnew: where the platform gives no name for a
// message, its run is heard of again when it stands still, and not before; where
// it stands still several times, each time once.
func TestCardWithoutANameIsPostedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(1, "begins", keepwatch.RunRunning)
		p := o.boot(func(p *process, _ *engine.OutboxConfig) { p.posters["slack"].nameless = true }).start(t)
		p.Send(o.card(1, "slack:A")...)
		time.Sleep(time.Second)
		for _, step := range []struct {
			text  string
			state keepwatch.RunState
			want  []string
		}{
			{"half", keepwatch.RunRunning, []string{"begins"}},
			{"needs attention", keepwatch.RunAttention, []string{"begins", "needs attention"}},
			{"goes on", keepwatch.RunRunning, []string{"begins", "needs attention"}},
			{"done", keepwatch.RunDone, []string{"begins", "needs attention", "done"}},
		} {
			o.run(1, step.text, step.state)
			p.RunChanged(keepwatch.Run{ID: 1})
			time.Sleep(2 * time.Minute)
			if got := o.texts("slack:A"); !slices.Equal(got, step.want) {
				t.Errorf("at %q: %q", step.text, got)
			}
		}
		o.noneLive()
		if n := len(o.vendors["slack"].edited()); n != 0 {
			t.Errorf("%d edits of what has no name", n)
		}
		p.kill()
	})
}

// TestCardsSayThatTheBotStops: the last look at the cards comes with the end of
// the outbox, and waits for no turn.
func TestCardsSayThatTheBotStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(1, "half", keepwatch.RunRunning)
		p := o.boot(nil).start(t)
		p.Send(o.card(1, "slack:A")...)
		time.Sleep(5 * time.Second)
		o.run(1, "most", keepwatch.RunRunning)
		p.RunChanged(keepwatch.Run{ID: 1})
		time.Sleep(100 * time.Millisecond)
		o.run(1, "stopped", keepwatch.RunRunning)
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := o.vendors["slack"].shows("slack:A"); !slices.Equal(got, []string{"stopped"}) {
			t.Errorf("it shows %q", got)
		}
	})
}

// TestCardThatNobodySees: a card that is said to be there, without a reference, is
// not posted again while its run goes on; how the run ends is.
func TestCardThatNobodySees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(1, "under way", keepwatch.RunRunning)
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.posters["slack"].nameless = true
			p.posters["slack"].onPost = func(context.Context, keepwatch.Outgoing) (bool, error) {
				if len(o.texts("slack:A")) == 0 {
					return true, verdict(keepwatch.VerdictUnsure)
				}
				return true, nil
			}
		}).start(t)
		p.Send(o.card(1, "slack:A")...)
		time.Sleep(10 * time.Minute)
		o.want("slack:A", "under way")
		o.run(1, "done", keepwatch.RunDone)
		p.RunChanged(keepwatch.Run{ID: 1})
		time.Sleep(10 * time.Minute)
		o.want("slack:A", "under way", "done")
		o.noneLive()
		p.kill()
	})
}
