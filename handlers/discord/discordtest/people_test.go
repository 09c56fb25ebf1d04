package discordtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestWhoSeesWhat(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	i, alis := ask(t, s)
	ben := s.AddUser("ben")
	respond(t, s, i, object{"type": 4, "data": object{"content": "for you", "flags": FlagEphemeral, "components": rowsOf(aButton("b"))}})
	m, err := i.WaitReply(within(t))
	if err != nil || !m.Ephemeral || len(s.Messages(s.ChannelID())) != 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := s.Click(ben, m.ID, "B"); err == nil {
		t.Error("ben clicks what alis alone sees")
	}
	if _, err := s.Click("1", m.ID, "B"); err == nil {
		t.Error("nobody clicks")
	}
	if _, err := s.Click(alis, m.ID, "B"); err != nil {
		t.Error(err)
	}
	call(t, s, "DELETE", hookPath(s, i, "@original"), nil)
	if _, err := s.Click(alis, m.ID, "B"); err == nil {
		t.Error("a deleted message is clicked")
	}
	if _, err := s.Select(alis, m.ID, "B"); err == nil {
		t.Error("a deleted message's menu is used")
	}
	if _, err := s.Say(ben, s.DMChannel(alis), "hello"); err == nil {
		t.Error("ben writes in alis's direct channel")
	}
	if _, up := s.Modal(alis); up {
		t.Error("there is a modal")
	}
	if _, is := s.Message("1"); is {
		t.Error("there is a message 1")
	}
}

func TestWait(t *testing.T) {
	s := serve(t, Config{})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.WaitConnected(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait gives %v", err)
	}
	connected := make(chan error, 1)
	go func() { connected <- s.WaitConnected(within(t)) }()
	login(t, s, ordinary)
	if err := <-connected; err != nil {
		t.Error(err)
	}
}

func TestWaitMessage(t *testing.T) {
	s := serve(t, Config{})
	alis := s.AddUser("alis")
	go func() {
		for _, text := range []string{"one", "two"} {
			if _, err := s.Say(alis, s.ChannelID(), text); err != nil {
				t.Error(err)
			}
		}
	}()
	if m, err := s.WaitMessage(within(t), s.ChannelID(), "two", func(m Message) bool { return m.Content == "two" }); err != nil || m.Content != "two" {
		t.Errorf("%v %v", m, err)
	}
}

// TestCrowd: many people and calls at once, for the race detector.
func TestCrowd(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true, AllowedIntents: IntentMessageContent})
	register(t, s)
	c, _ := login(t, s, ordinary)
	const people = 16
	ready := make(chan struct{})
	go func() { // the bot
		defer close(ready)
		for n := 0; n < people; {
			o, err := c.read()
			if err != nil {
				t.Error(err)
				return
			}
			if o["t"] != "INTERACTION_CREATE" {
				continue
			}
			n++
			d := asObject(o["d"])
			a, err := tryCall(t, s, "POST", fmt.Sprint("/interactions/", d["id"], "/", d["token"], "/callback"), object{"type": 4, "data": object{"content": d["id"]}}, "")
			if err != nil || a.status != 204 {
				t.Errorf("%d %s %v", a.status, a.raw, err)
			}
		}
	}()
	var all sync.WaitGroup
	for n := range people {
		all.Go(func() {
			who := s.AddUser(fmt.Sprint("p", n))
			i, err := s.Command(who, s.ChannelID(), "backup start", map[string]any{"source": "docs"})
			if err != nil {
				t.Error(err)
				return
			}
			if m, err := i.WaitReply(within(t)); err != nil || m.Content != i.ID {
				t.Errorf("%v, %v", m, err)
			}
			for range 5 {
				if _, err := s.Say(who, s.ChannelID(), "hello"); err != nil {
					t.Error(err)
				}
				_, _, _, _ = s.Messages(s.ChannelID()), s.Calls(), s.GatewayLog(), s.Limits()
				_ = fmt.Sprint(s.Calls())
			}
		})
	}
	all.Wait()
	<-ready
	if n := len(s.Messages(s.ChannelID())); n != people*6 {
		t.Errorf("%d messages", n)
	}
}
