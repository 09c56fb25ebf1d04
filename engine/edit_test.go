package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

// about makes a message about a topic; edits makes an edit of it.
func about(channel, topic, text string) keepwatch.Outgoing {
	return keepwatch.Outgoing{ID: "id-" + text, Lane: channel, Channel: channel, Topic: topic, Message: keepwatch.Message{Title: text}}
}

func edits(channel, topic, text string) keepwatch.Outgoing {
	out := about(channel, topic, text)
	out.Edit = true
	return out
}

// texts gives what was edited on a platform, in order.
func editTexts(v *vendor) (texts []string) {
	for _, e := range v.edited() {
		texts = append(texts, e.ref+" "+e.text)
	}
	return texts
}

// TestEditsKeepTheirOrder: an edit comes behind what it changes and before what is
// said after it, and changes the newest message of its topic.
func TestEditsKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.save(about("slack:A", "t", "due"), about("slack:A", "u", "other"), about("slack:B", "t", "due in B"),
			edits("slack:A", "t", "asked again below"), about("slack:A", "t", "due again"), edits("slack:A", "t", "done"), edits("slack:B", "t", "done"), edits("slack:C", "t", "done"))
		o.say("slack:A behind")
		var order []string
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
				if out.Channel == "slack:A" {
					order = append(order, out.Message.Title)
				}
				return true, nil
			}
			p.posters["slack"].onEdit = func(card keepwatch.Card, msg keepwatch.Message) (bool, error) {
				if card.Channel == "slack:A" {
					order = append(order, "edit: "+msg.Title)
				}
				return true, nil
			}
		}).start(t)
		time.Sleep(time.Minute)
		if got := o.vendors["slack"].shows("slack:A"); !slices.Equal(got, []string{"asked again below", "other", "done", "behind"}) {
			t.Errorf("A shows %q", got)
		}
		if got := o.vendors["slack"].shows("slack:B"); !slices.Equal(got, []string{"done"}) {
			t.Errorf("B shows %q", got)
		}
		if want := []string{"due", "other", "edit: asked again below", "due again", "edit: done", "behind"}; !slices.Equal(order, want) {
			t.Errorf("they came as %q, want %q", order, want)
		}
		o.want("slack:C")
		o.empty()
		p.kill()
	})
}

// TestEditsObeyVerdicts has the first attempts at an edit go wrong in every way. What
// is behind it comes in any case, and nobody is told.
func TestEditsObeyVerdicts(t *testing.T) {
	odd := &keepwatch.PostError{Verdict: keepwatch.VerdictLater, Odd: true, Err: errors.New("nobody knows this code")}
	for name, c := range map[string]struct {
		done  []bool // what becomes of the attempts; then they work
		errs  []error
		gaps  []time.Duration
		shows string   // the message at the end, after a second edit to "second"
		edits []string // that the platform has made
	}{
		"it works":               {shows: "second", edits: []string{"first", "second"}},
		"429 says how long":      {done: []bool{false}, errs: []error{later(7777 * time.Millisecond)}, gaps: []time.Duration{7777 * time.Millisecond}, shows: "second", edits: []string{"first", "second"}},
		"429 does not say":       {done: make([]bool, 3), errs: []error{later(0), later(0), later(0)}, gaps: []time.Duration{1e9, 2e9, 4e9}, shows: "second", edits: []string{"first", "second"}},
		"no answer, and made":    {done: []bool{true}, errs: []error{errors.New("EOF")}, gaps: []time.Duration{1e9}, shows: "second", edits: []string{"first", "first", "second"}},
		"no answer, not made":    {done: []bool{false}, errs: []error{errors.New("EOF")}, gaps: []time.Duration{1e9}, shows: "second", edits: []string{"first", "second"}},
		"refused for good":       {done: []bool{false}, errs: []error{verdict(keepwatch.VerdictNever)}, shows: "second", edits: []string{"second"}},
		"the message is gone":    {done: []bool{false}, errs: []error{verdict(keepwatch.VerdictGone)}, shows: "second", edits: []string{"second"}},
		"gone after no answer":   {done: make([]bool, 2), errs: []error{errors.New("EOF"), verdict(keepwatch.VerdictGone)}, gaps: []time.Duration{1e9}, shows: "second", edits: []string{"second"}},
		"odd, until it works":    {done: make([]bool, 5), errs: slices.Repeat([]error{odd}, 5), shows: "second", edits: []string{"first", "second"}},
		"odd for longer than 1h": {done: make([]bool, 68), errs: slices.Repeat([]error{odd}, 68), shows: "second", edits: []string{"second"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.save(about("slack:A", "t", "due"), edits("slack:A", "t", "first"))
				o.say("slack:A behind")
				var tries []time.Time
				p := o.boot(func(p *process, _ *engine.OutboxConfig) {
					p.posters["slack"].onEdit = func(card keepwatch.Card, _ keepwatch.Message) (bool, error) {
						if card.Ref != "slack:A/0001" || card.Channel != "slack:A" {
							t.Errorf("edited %+v", card)
						}
						if tries = append(tries, time.Now()); len(tries) > len(c.errs) {
							return true, nil
						}
						return c.done[len(tries)-1], c.errs[len(tries)-1]
					}
				}).start(t)
				time.Sleep(2 * time.Hour)
				o.empty()
				p.Send(o.save(edits("slack:A", "t", "second"))...)
				time.Sleep(time.Minute)
				o.want("slack:A", "due", "behind")
				if got := o.vendors["slack"].shows("slack:A")[0]; got != c.shows {
					t.Errorf("it shows %q, want %q", got, c.shows)
				}
				var made []string
				for _, e := range o.vendors["slack"].edited() {
					made = append(made, e.text)
				}
				if !slices.Equal(made, c.edits) {
					t.Errorf("edited to %q, want %q", made, c.edits)
				}
				for i, gap := range c.gaps {
					if got := tries[i+1].Sub(tries[i]); got != gap {
						t.Errorf("attempt %d came %v after the one before it, want %v", i+2, got, gap)
					}
				}
				if dead, err := o.kept.RefusedMessages(0); err != nil || len(dead) > 0 || len(o.refusals) > 0 {
					t.Errorf("kept apart %+v, %v; told %q", dead, err, o.refusals)
				}
				if n := strings.Count(o.logged(), "level=WARN"); n > 3 {
					t.Errorf("the same error was logged over and over: %s", o.logged())
				}
				p.kill()
			})
		})
	}
}

// TestEditsOfWhatIsNotThere are let go of: the message was refused, was seen by one
// person alone, has no name, shows this already, or is on a platform that is not
// connected.
func TestEditsOfWhatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.vendors["nameless"] = &vendor{}
		private := about("slack:A", "private", "private")
		private.Lane, private.Reply = "re:1", &keepwatch.Reply{Private: true, Token: "t", Until: o.now().Add(time.Hour)}
		o.save(about("slack:A", "t", "never"), edits("slack:A", "t", "x"), private, about("nameless:A", "t", "a"), edits("nameless:A", "t", "x"),
			about("slack:B", "t", "same"), edits("slack:B", "t", "same"), edits("matrix:A", "t", "x"))
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
				if out.Message.Title == "never" {
					return false, verdict(keepwatch.VerdictNever)
				}
				return true, nil
			}
			p.posters["nameless"].nameless = true
		}).start(t)
		time.Sleep(time.Minute)
		p.Send(o.save(edits("slack:A", "private", "x"))...)
		time.Sleep(time.Minute)
		o.empty()
		for name, v := range o.vendors {
			if got := editTexts(v); len(got) > 0 {
				t.Errorf("%s has edited %q", name, got)
			}
		}
		o.want("slack:A", "private")
		if dead, err := o.kept.RefusedMessages(0); err != nil || len(dead) != 1 || !slices.Equal(o.refusals, []string{"slack:A true"}) {
			t.Errorf("kept apart: %+v, %v, told %q", dead, err, o.refusals)
		}
		p.kill()
	})
}

// TestEditsThatFollowEachOther: of those of one topic that wait right behind each
// other the last one is made.
func TestEditsThatFollowEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.save(about("slack:A", "t", "due"), about("slack:A", "u", "other"), edits("slack:A", "t", "1"), edits("slack:A", "t", "2"), edits("slack:A", "u", "3"),
			edits("slack:A", "t", "4"), edits("slack:A", "t", "5"), edits("slack:A", "t", "due"))
		p := o.boot(nil).start(t)
		time.Sleep(time.Minute)
		if got, want := editTexts(o.vendors["slack"]), []string{"slack:A/0001 2", "slack:A/0002 3", "slack:A/0001 due"}; !slices.Equal(got, want) {
			t.Errorf("edited %q, want %q", got, want)
		}
		p.kill()
	})
}

// TestEditsWaitTogether: where a platform counts its edits as one, none is made while
// it asks to wait; where it counts those of each channel, the others go on.
func TestEditsWaitTogether(t *testing.T) {
	for platform, within := range map[string]int{"slack": 0, "discord": 9} {
		t.Run(platform, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				for i := range 10 {
					channel := fmt.Sprint(platform, ":", i)
					o.save(about(channel, "t", "due"), edits(channel, "t", "done"))
				}
				tries := 0
				p := o.boot(func(p *process, c *engine.OutboxConfig) {
					c.Edits = map[string]time.Duration{"slack": time.Second}
					p.posters[platform].onEdit = func(keepwatch.Card, keepwatch.Message) (bool, error) {
						if tries++; tries == 1 {
							return false, later(30 * time.Second)
						}
						return true, nil
					}
				}).start(t)
				time.Sleep(29 * time.Second)
				if n := len(o.vendors[platform].edited()); n != within {
					t.Errorf("%d edits while the platform asks to wait, want %d", n, within)
				}
				time.Sleep(time.Minute)
				if n := len(o.vendors[platform].edited()); n != 10 {
					t.Errorf("%d edits in the end", n)
				}
				p.kill()
			})
		})
	}
}

// TestEditBackToWhatItWas: where an attempt without an answer may have changed the
// message, an edit to what it showed before is made all the same; and one to what it
// is known to show is not.
func TestEditBackToWhatItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.save(about("slack:A", "t", "due"), edits("slack:A", "t", "done"))
		tries := 0
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.posters["slack"].onEdit = func(keepwatch.Card, keepwatch.Message) (bool, error) {
				if tries++; tries == 1 {
					return true, errors.New("EOF")
				}
				return true, nil
			}
		}).start(t)
		time.Sleep(500 * time.Millisecond) // it is to be tried again in half a second
		for range 2 {
			p.Send(o.save(edits("slack:A", "t", "due"))...)
			time.Sleep(time.Minute)
			if got, want := editTexts(o.vendors["slack"]), []string{"slack:A/0001 done", "slack:A/0001 due"}; !slices.Equal(got, want) {
				t.Errorf("edited %q, want %q", got, want)
			}
		}
		o.empty()
		p.kill()
	})
}

// TestEditKilledBeforeItIsSaved: the next process makes it once more, and then no
// more. What is behind it waits for it.
func TestEditKilledBeforeItIsSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.save(about("slack:A", "t", "due"), edits("slack:A", "t", "done"))
		o.say("slack:A behind")
		p := o.boot(func(p *process, _ *engine.OutboxConfig) {
			p.crashAt = func(point string) bool { return point == "outbox.topic.edited" }
		}).start(t)
		time.Sleep(time.Minute)
		p.kill()
		o.want("slack:A", "due")
		for range 2 {
			next := o.boot(nil).start(t)
			time.Sleep(time.Minute)
			next.kill()
		}
		if got, want := editTexts(o.vendors["slack"]), slices.Repeat([]string{"slack:A/0001 done"}, 2); !slices.Equal(got, want) {
			t.Errorf("edited %q, want %q", got, want)
		}
		o.want("slack:A", "due", "behind")
		o.empty()
	})
}

// TestEditsKeepThePace of their platform, those of cards among them, and where the
// store refuses nothing is lost.
func TestEditsKeepThePace(t *testing.T) {
	for _, op := range []string{"", "EditTarget", "EditDone"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.run(1, "under way", keepwatch.RunRunning)
				o.card(1, "slack:card")
				for i := range 20 {
					channel := fmt.Sprint("slack:", i)
					o.save(about(channel, "t", "due"), edits(channel, "t", "done"))
				}
				mends := time.Now().Add(10 * time.Minute)
				p := o.boot(func(p *process, c *engine.OutboxConfig) {
					c.Edits = map[string]time.Duration{"slack": 1200 * time.Millisecond}
					p.mail.refuse = func(what string) error {
						if what == op && time.Now().Before(mends) {
							return errors.New("the disk is full")
						}
						return nil
					}
				}).start(t)
				for i := range 10 {
					time.Sleep(2 * time.Second)
					o.run(1, fmt.Sprint(i), keepwatch.RunRunning)
				}
				o.run(1, "done", keepwatch.RunDone)
				time.Sleep(20 * time.Minute)
				var last time.Time
				made := map[string]int{}
				for _, e := range o.vendors["slack"].edited() {
					if made[e.ref]++; made[e.ref] > 1 && !strings.Contains(e.ref, "card") {
						t.Errorf("%s was edited %d times", e.ref, made[e.ref])
					}
					if gap := e.at.Sub(last); gap < 1200*time.Millisecond {
						t.Errorf("%s was edited %v after the one before it", e.ref, gap)
					}
					last = e.at
				}
				for i := range 20 {
					if got := o.vendors["slack"].shows(fmt.Sprint("slack:", i)); !slices.Equal(got, []string{"done"}) {
						t.Errorf("%d shows %q", i, got)
					}
				}
				if got := o.vendors["slack"].shows("slack:card"); !slices.Equal(got, []string{"done"}) {
					t.Errorf("the card shows %q", got)
				}
				o.empty()
				p.kill()
			})
		})
	}
}
