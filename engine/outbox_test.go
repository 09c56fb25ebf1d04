package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

func later(after time.Duration) error {
	return &keepwatch.PostError{Verdict: keepwatch.VerdictLater, After: after, Err: errors.New("slow down")}
}

func verdict(v keepwatch.Verdict) error {
	return &keepwatch.PostError{Verdict: v, Err: keepwatch.Errorf(keepwatch.KindAttention, "The channel is archived.")}
}

func TestOutboxKeepsOrderAndPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		var want []string
		for i := range 30 {
			o.say(fmt.Sprintf("slack:A a%d", i), fmt.Sprintf("slack:B b%d", i))
			want = append(want, fmt.Sprintf("a%d", i))
		}
		o.save(o.answer("re1", "slack:A", time.Hour), o.answer("re2", "slack:A", time.Hour))
		p := o.boot(func(p *process, c *engine.OutboxConfig) {
			c.Pace = map[string]time.Duration{"slack": time.Second}
			p.posters["slack"].onPost = func(context.Context, keepwatch.Outgoing) (bool, error) {
				time.Sleep(100 * time.Millisecond)
				return true, nil
			}
		}).start(t)
		time.Sleep(time.Minute)
		got := slices.DeleteFunc(o.texts("slack:A"), func(s string) bool { return strings.HasPrefix(s, "re") })
		if !slices.Equal(got, want) || len(o.texts("slack:A")) != 32 || len(o.texts("slack:B")) != 30 {
			t.Errorf("%q", o.texts("slack:A"))
		}
		last := map[string]time.Time{}
		for _, post := range o.vendors["slack"].all() {
			if strings.HasPrefix(post.text, "re") {
				if since := post.at.Sub(o.vendors["slack"].all()[0].at); since > 0 {
					t.Errorf("the answer %s, which keeps no pace, waited %v", post.text, since)
				}
				continue
			}
			if gap := post.at.Sub(last[post.channel]); gap < time.Second {
				t.Errorf("%s came %v after the one before it", post.text, gap)
			}
			last[post.channel] = post.at
		}
		o.empty()
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestOutboxIsWokenUp saves from many sides while lanes run empty: nothing waits
// for another message, or for a restart.
func TestOutboxIsWokenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		p := o.boot(nil).start(t)
		for side := range 8 {
			go func() {
				for i := range 100 {
					lane := fmt.Sprint("slack:", side%3)
					lanes, err := o.kept.PostMessages([]keepwatch.Outgoing{{ID: fmt.Sprint(side, i), Lane: lane, Channel: lane}})
					if err != nil {
						t.Error(err)
					}
					p.Send(lanes...)
				}
			}()
		}
		time.Sleep(time.Second)
		o.empty()
		if n := len(o.vendors["slack"].all()); n != 800 {
			t.Errorf("%d messages", n)
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestOutboxIsWokenUpInTheGap saves a message just after its lane was found empty,
// and before the lane is left.
func TestOutboxIsWokenUpInTheGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		gaps := 0
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.mail.looked = func(lane string, found bool) {
				if !found && gaps < 3 {
					gaps++
					p.Send(o.say(fmt.Sprint(lane, " gap", gaps))...)
				}
			}
		}).start(t)
		p.Send(o.say("slack:A a")...)
		time.Sleep(time.Second)
		o.want("slack:A", "a", "gap1", "gap2", "gap3")
		o.empty()
		p.kill()
	})
}

// TestOutboxObeysVerdicts has the first attempts at "b", between "a" and "c",
// go wrong in every way.
func TestOutboxObeysVerdicts(t *testing.T) {
	unsure := verdict(keepwatch.VerdictUnsure)
	for name, c := range map[string]struct {
		done  []bool // what becomes of the attempts; then they work
		errs  []error
		gaps  []time.Duration // between the attempts
		got   []string
		finds int
	}{
		"it works":                       {got: []string{"a", "b", "c"}},
		"delivered, but no answer":       {done: []bool{true}, errs: []error{unsure}, got: []string{"a", "b", "c"}, finds: 1},
		"no answer, and not delivered":   {done: []bool{false}, errs: []error{unsure}, gaps: []time.Duration{time.Second}, got: []string{"a", "b", "c"}, finds: 1},
		"an error that nobody sorted":    {done: []bool{true}, errs: []error{errors.New("EOF")}, got: []string{"a", "b", "c"}, finds: 1},
		"no answer, then later":          {done: []bool{true, false}, errs: []error{unsure, later(0)}, got: []string{"a", "b", "c"}, finds: 1},
		"429 says how long":              {done: []bool{false}, errs: []error{later(7777 * time.Millisecond)}, gaps: []time.Duration{7777 * time.Millisecond}, got: []string{"a", "b", "c"}},
		"429 twice":                      {done: []bool{false, false}, errs: []error{later(time.Minute), later(time.Hour)}, gaps: []time.Duration{time.Minute, time.Hour}, got: []string{"a", "b", "c"}},
		"429 does not say":               {done: make([]bool, 8), errs: slices.Repeat([]error{later(0)}, 8), gaps: []time.Duration{1e9, 2e9, 4e9, 8e9, 16e9, 32e9, 60e9, 60e9}, got: []string{"a", "b", "c"}},
		"refused for good":               {done: []bool{false}, errs: []error{verdict(keepwatch.VerdictNever)}, got: []string{"a", "c"}},
		"what it answered is gone":       {done: []bool{false}, errs: []error{verdict(keepwatch.VerdictGone)}, got: []string{"a", "c"}},
		"later, unsure, then refused":    {done: make([]bool, 3), errs: []error{later(0), unsure, verdict(keepwatch.VerdictNever)}, gaps: []time.Duration{1e9, 2e9}, got: []string{"a", "c"}, finds: 1},
		"a wrapped one is one":           {done: []bool{false}, errs: []error{fmt.Errorf("post: %w", later(3*time.Second))}, gaps: []time.Duration{3 * time.Second}, got: []string{"a", "b", "c"}},
		"429 without an end is no hurry": {done: []bool{false}, errs: []error{later(-time.Hour)}, gaps: []time.Duration{time.Second}, got: []string{"a", "b", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.say("slack:A a", "slack:A b", "slack:A c")
				var tries []time.Time
				finds := 0
				p := o.boot(func(p *process, _ *engine.OutboxConfig) {
					p.posters["slack"].onFind = func(keepwatch.Outgoing) error { finds++; return nil }
					p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
						if out.Message.Title != "b" {
							return true, nil
						}
						if tries = append(tries, time.Now()); len(tries) > len(c.errs) {
							return true, nil
						}
						return c.done[len(tries)-1], c.errs[len(tries)-1]
					}
				}).start(t)
				time.Sleep(2 * time.Hour)
				o.want("slack:A", c.got...)
				for i, gap := range c.gaps {
					if got := tries[i+1].Sub(tries[i]); got != gap {
						t.Errorf("attempt %d came %v after the one before it, want %v", i+2, got, gap)
					}
				}
				if finds != c.finds {
					t.Errorf("looked for it %d times, want %d", finds, c.finds)
				}
				o.empty()
				dead, err := o.kept.RefusedMessages(0)
				if refused := !slices.Contains(c.got, "b"); err != nil || refused != (len(dead) == 1) {
					t.Errorf("kept apart: %+v, %v", dead, err)
				} else if refused && (dead[0].Message.Title != "b" || dead[0].Refused != "The channel is archived." || len(o.refusals) != 1) {
					t.Errorf("kept apart: %+v, told %q", dead[0], o.refusals)
				}
				p.kill()
			})
		})
	}
}

// TestOutboxWhereTheStoreRefuses: whatever cannot be saved for a while, each
// message comes once, in order, without a restart.
func TestOutboxWhereTheStoreRefuses(t *testing.T) {
	for _, op := range []string{"NextMessage", "TryMessage", "MessageDelivered", "RefuseMessage", "RefusalTold", "LiveCards", "CardShown", "KeepButtons"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.run(1, "done", keepwatch.RunDone)
				o.say("slack:A a", "slack:A never", "slack:A b")
				o.save(keepwatch.Outgoing{ID: "card", Lane: "slack:A", Channel: "slack:A", Run: 1})
				o.say("slack:A c")
				mends := time.Now().Add(10 * time.Minute)
				p := o.boot(func(p *process, _ *engine.OutboxConfig) {
					p.mail.refuse = func(what string) error {
						if what == op && time.Now().Before(mends) {
							return errors.New("the disk is full")
						}
						return nil
					}
					p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
						if out.Message.Title == "never" {
							return false, verdict(keepwatch.VerdictNever)
						}
						return true, nil
					}
				}).start(t)
				time.Sleep(15 * time.Minute)
				o.want("slack:A", "a", "b", "done", "c")
				o.empty()
				if dead, err := o.kept.RefusedMessages(0); err != nil || len(dead) != 1 || len(o.refusals) != 1 {
					t.Errorf("%+v, %v, told %q", dead, err, o.refusals)
				}
				if live, err := o.kept.LiveCards(); err != nil || len(live) != 0 {
					t.Errorf("still live: %+v, %v", live, err)
				}
				if n := strings.Count(o.logged(), "level=WARN"); n > 3 {
					t.Errorf("the same error was logged over and over: %s", o.logged())
				}
				p.kill()
			})
		})
	}
}

// TestOutboxServesOnePlatformWhileAnotherIsDown, and one channel while many
// others wait.
func TestOutboxServesOnePlatformWhileAnotherIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		for i := range 200 {
			o.say(fmt.Sprintf("discord:%d x", i), fmt.Sprintf("slack:%d x", i))
		}
		o.say("slack:A a", "slack:A b")
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.posters["discord"].onPost = func(ctx context.Context, _ keepwatch.Outgoing) (bool, error) { <-ctx.Done(); return false, ctx.Err() }
			p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
				if out.Channel != "slack:A" {
					return false, later(time.Hour)
				}
				return true, nil
			}
		}).start(t)
		time.Sleep(time.Second)
		o.want("slack:A", "a", "b")
		p.kill()
	})
}

// TestOutboxPostsAFewAtOnce: a crowd of lanes does not become a crowd of
// connections.
func TestOutboxPostsAFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		for i := range 1000 {
			o.say(fmt.Sprintf("slack:%d x", i))
		}
		for i := range 5 { // the pace of a channel is kept by those that had to wait, too
			o.save(o.answer(fmt.Sprint("z", i), "slack:Z", 0)) // their tokens have run out
		}
		var mu sync.Mutex
		now, most := 0, 0
		var last time.Time
		p := o.boot(func(p *process, c *engine.OutboxConfig) {
			c.Pace = map[string]time.Duration{"slack": time.Second}
			p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
				mu.Lock()
				now++
				most = max(most, now)
				if out.Channel == "slack:Z" {
					if gap := time.Since(last); gap < time.Second {
						t.Errorf("a message began %v after the one before it", gap)
					}
					last = time.Now()
				}
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				now--
				mu.Unlock()
				return true, nil
			}
		}).start(t)
		time.Sleep(time.Minute)
		if n := len(o.vendors["slack"].all()); n != 1005 || most > 64 {
			t.Errorf("%d messages, %d at the same time", n, most)
		}
		p.kill()
	})
}

func TestOutboxCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.say("slack:A a", "slack:A b", "discord:B c", "slack:D d")
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.posters["slack"].onPost = func(ctx context.Context, out keepwatch.Outgoing) (bool, error) {
				if out.Channel == "slack:D" {
					return false, later(time.Hour)
				}
				time.Sleep(5 * time.Second)
				return true, nil
			}
			p.posters["discord"].onPost = func(ctx context.Context, _ keepwatch.Outgoing) (bool, error) { <-ctx.Done(); return true, ctx.Err() }
		}).start(t)
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		begun := time.Now()
		if err := p.Close(ctx); err == nil || time.Since(begun) != 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		o.want("slack:A", "a") // "b" was not begun
		o.want("discord:B", "c")
		p.Send("slack:A")
		if err := p.Start(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		o.want("slack:A", "a")
		next := o.boot(nil).start(t)
		time.Sleep(time.Minute)
		o.want("slack:A", "a", "b")
		o.want("discord:B", "c") // it was looked for
		o.want("slack:D", "d")
		o.empty()
		begun = time.Now()
		if err := next.Close(t.Context()); err != nil || time.Since(begun) != 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// TestOutboxOutlivesPanics: a message that breaks what sends it is put apart,
// and takes neither its lane nor the process with it.
func TestOutboxOutlivesPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(1, "under way", keepwatch.RunRunning)
		o.say("slack:A a", "slack:A poison", "slack:A b")
		o.save(keepwatch.Outgoing{ID: "card", Lane: "discord:B", Channel: "discord:B", Run: 1})
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
				if out.Message.Title == "poison" {
					panic("a fault in a renderer")
				}
				return true, nil
			}
			p.posters["discord"].onEdit = func(keepwatch.Card, keepwatch.Message) (bool, error) { panic("another") }
		}).start(t)
		time.Sleep(5 * time.Second)
		o.run(1, "done", keepwatch.RunDone)
		time.Sleep(time.Minute)
		o.want("slack:A", "a", "b")
		dead, err := o.kept.RefusedMessages(0)
		if err != nil || len(dead) != 1 || strings.Contains(dead[0].Refused, "renderer") || !strings.Contains(o.logged(), "a fault in a renderer") {
			t.Errorf("%+v, %v", dead, err)
		}
		p.kill()
	})
}

func TestOutboxWithoutThePlatform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.say("matrix:A a", "slack:A b")
		p := o.boot(nil).start(t)
		time.Sleep(time.Second)
		o.want("slack:A", "b")
		o.empty()
		dead, err := o.kept.RefusedMessages(0)
		if err != nil || len(dead) != 1 || !strings.Contains(dead[0].Refused, "matrix") {
			t.Errorf("%+v, %v", dead, err)
		}
		p.kill()
	})
}

// TestOutboxLeavesWhatAnotherProcessPosts: it waits, and nothing is lost.
func TestOutboxLeavesWhatAnotherProcessPosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.say("slack:A a", "discord:B b")
		p := o.boot(func(_ *process, cfg *engine.OutboxConfig) {
			cfg.Away = func(platform string) bool { return platform == "discord" }
		}).start(t)
		time.Sleep(time.Minute)
		o.want("slack:A", "a")
		o.want("discord:B")
		p.kill()
		p = o.boot(nil).start(t)
		time.Sleep(time.Second)
		o.want("discord:B", "b")
		o.empty()
		p.kill()
	})
}
