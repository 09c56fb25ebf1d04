package discord

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/handlers/discord/discordtest"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// outbox makes an outbox over a state.
func outbox(t *testing.T, r *rig, rec *store.Records) *engine.Outbox {
	t.Helper()
	return outboxTo(t, r, rec, func(string) {})
}

// killed sends what waits in lanes, and ends at a named point.
func (r *rig) killed(rec *store.Records, at string, lanes ...string) {
	r.t.Helper()
	dead := make(chan struct{})
	o := outboxTo(r.t, r, rec, func(point string) {
		if point == at {
			close(dead)
			runtime.Goexit()
		}
	})
	o.Send(lanes...)
	select {
	case <-dead:
	case <-soon(r.t).Done():
		r.t.Error("nothing was sent")
	}
	if err := o.Close(soon(r.t)); err != nil {
		r.t.Error(err)
	}
}

func outboxTo(t *testing.T, r *rig, rec *store.Records, crash func(string)) *engine.Outbox {
	t.Helper()
	o, err := engine.NewOutbox(engine.OutboxConfig{
		Mail: rec, Cards: rec, Posters: map[string]engine.Poster{"discord": r.Frontend}, Log: r.cfg.Log, Now: r.clock.Now,
		Show: func(int64) (keepwatch.Message, keepwatch.RunState, error) {
			return samples()["running"], keepwatch.RunRunning, nil
		},
		Crash: crash,
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// emptied waits until everything is delivered, and ends the outbox.
func (r *rig) emptied(rec *store.Records, o *engine.Outbox) {
	r.t.Helper()
	r.until("everything is delivered", func() bool { l, err := rec.Lanes(); return err == nil && len(l) == 0 })
	if err := o.Close(soon(r.t)); err != nil {
		r.t.Error(err)
	}
}

func saved(t *testing.T, rec *store.Records, out keepwatch.Outgoing) []string {
	t.Helper()
	lanes, err := rec.PostMessages([]keepwatch.Outgoing{out})
	if err != nil {
		t.Fatal(err)
	}
	return lanes
}

// TestOutageDoublesNothing: the first attempt arrives and its answer is lost; then
// Discord is away for longer than it remembers a nonce, with an attempt a minute.
func TestOutageDoublesNothing(t *testing.T) {
	r := assemble(t, nil)
	rec := store.NewRecords(mem.New(), r.clock.Now)
	o := outbox(t, r, rec)
	r.srv.Fail(createRoute, 1, discordtest.Fault{Cut: true, Done: true})
	r.srv.Fail(createRoute, 3, discordtest.Fault{Status: 503})
	out := notice(r, "aaaaaaaaaaaaaaaaaaaa", "once only")
	out.Lane, out.Made = out.Channel, r.clock.Now()
	o.Send(saved(t, rec, out)...)
	for n := 1; n <= 2; n++ { // Discord does not answer a look into the channel either
		r.until(fmt.Sprint("attempt ", n), func() bool { return len(r.srv.CallsTo(createRoute)) >= n })
		r.clock.Advance(100 * time.Second)
	}
	r.emptied(rec, o)
	if m := r.srv.Messages(r.srv.ChannelID()); len(m) != 1 {
		t.Errorf("it stands there %d times: %v", len(m), m)
	}
}

// TestCardByTokenIsFoundAfterADowntime: the card of a run is put into the answer to
// a command, the process is killed before that is saved, and comes back when the
// token is over.
func TestCardByTokenIsFoundAfterADowntime(t *testing.T) {
	for _, away := range []time.Duration{time.Second, 20 * time.Minute} {
		t.Run(fmt.Sprint(away), func(t *testing.T) {
			r := start(t, nil)
			r.command("backup start", map[string]any{"source": "docs"})
			d := r.counter.wait(t, 1)[0]
			rec := store.NewRecords(mem.New(), r.clock.Now)
			between := notice(r, "aaaaaaaaaaaaaaaaaaaa", "posted after the deferral")
			between.Lane = between.Channel
			o := outbox(t, r, rec)
			o.Send(saved(t, rec, between)...)
			r.emptied(rec, o)
			reply := d.Reply
			reply.Private = false
			lanes := saved(t, rec, keepwatch.Outgoing{ID: "bbbbbbbbbbbbbbbbbbbb", Lane: "re:bbbbbbbbbbbbbbbbbbbb", Channel: d.Request.Channel, Reply: &reply, Run: 42, Made: r.clock.Now()})
			r.killed(rec, "outbox.posted", lanes...)
			r.clock.Advance(away)
			next := outbox(t, r, rec)
			next.Send(lanes...)
			r.emptied(rec, next)
			m := r.srv.Messages(r.srv.ChannelID())
			cards, err := rec.RunCards(42)
			if err != nil || len(m) != 2 || len(cards) != 1 || cards[0].Ref != m[0].ID && cards[0].Ref != m[1].ID {
				t.Errorf("there are %d of 2 messages: %v; kept: %+v, %v", len(m), m, cards, err)
			}
		})
	}
}

// TestFindWithAWrongClock: where a message before it is known, no clock of ours
// counts; a time that is still to come says nothing.
func TestFindWithAWrongClock(t *testing.T) {
	for name, c := range map[string]struct{ first, then time.Duration }{
		"ahead": {5 * time.Minute, 5 * time.Minute}, "far ahead": {50 * time.Hour, 50 * time.Hour}, "set back": {0, -2 * time.Hour}, "far behind": {-50 * time.Hour, -50 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := c.first
			var clock *discordtest.Clock
			r := assemble(t, func(d *discordtest.Config, c *Config) {
				clock = d.Clock
				c.Now = func() time.Time { return clock.Now().Add(wrong) }
			})
			after, err := r.Post(context.Background(), notice(r, "aaaaaaaaaaaaaaaaaaaa", "first"))
			if err != nil {
				t.Fatal(err)
			}
			out := notice(r, "bbbbbbbbbbbbbbbbbbbb", "second")
			out.FirstTried, out.Tried, out.After = r.now(), r.now(), after
			r.srv.Fail(createRoute, 1, discordtest.Fault{Cut: true, Done: true})
			if _, err := r.Post(context.Background(), out); err == nil {
				t.Fatal("the fault was not met")
			}
			clock.Advance(10 * time.Minute)
			wrong = c.then
			if ref, found, err := r.Find(context.Background(), out); !found || err != nil || ref == after {
				t.Errorf("found %v %q, %v", found, ref, err)
			}
		})
	}
}

// TestFindBehindABusyHour: many others write after it, and long before.
func TestFindBehindABusyHour(t *testing.T) {
	r := assemble(t, nil)
	noise := func(n int) {
		for range n {
			if _, err := r.srv.Say(r.alis, r.srv.ChannelID(), "x"); err != nil {
				t.Fatal(err)
			}
		}
	}
	after, err := r.Post(context.Background(), notice(r, "aaaaaaaaaaaaaaaaaaaa", "first"))
	if err != nil {
		t.Fatal(err)
	}
	noise(700)
	out := notice(r, "bbbbbbbbbbbbbbbbbbbb", "second")
	out.FirstTried, out.Tried, out.After = r.now(), r.now(), after
	ref, err := r.Post(context.Background(), out)
	if err != nil {
		t.Fatal(err)
	}
	noise(250)
	r.clock.Advance(10 * time.Minute)
	if got, found, err := r.Find(context.Background(), out); !found || err != nil || got != ref {
		t.Errorf("found %v %q, %v; want %s", found, got, err, ref)
	}
}

// TestSameAnswerTwice: two answers to one person that say the same are two, as long
// as Discord knows their nonces, and where the first one is known to come before.
func TestSameAnswerTwice(t *testing.T) {
	r := assemble(t, nil)
	answer := func(id string) keepwatch.Outgoing {
		o := notice(r, id, "Not allowed")
		o.Lane, o.Reply = o.Channel, &keepwatch.Reply{To: keepwatch.Account{Platform: "discord", ID: r.alis}, Private: true}
		return o
	}
	rec := store.NewRecords(mem.New(), r.clock.Now)
	o := outbox(t, r, rec)
	o.Send(saved(t, rec, answer("aaaaaaaaaaaaaaaaaaaa"))...)
	r.emptied(rec, o)
	r.clock.Advance(time.Minute)
	second := answer("bbbbbbbbbbbbbbbbbbbb")
	r.killed(rec, "outbox.tried", saved(t, rec, second)...) // it is saved that it is tried, and it is not sent
	r.clock.Advance(5 * time.Minute)
	next := outbox(t, r, rec)
	next.Send(second.Lane)
	r.emptied(rec, next)
	if m := r.srv.Messages(r.srv.DMChannel(r.alis)); len(m) != 2 {
		t.Errorf("%d of 2 answers arrived: %v", len(m), m)
	}
	if isThis(found{Nonce: "aaaaaaaaaaaaaaaaaaaa", Content: "same"}, keepwatch.Outgoing{ID: "bbbbbbbbbbbbbbbbbbbb"}, payload{Content: "same"}) {
		t.Error("a message with the nonce of another one is taken for this")
	}
}
