package slacktest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"keepwatch/handlers/slack/slacktest"
)

func TestManualClock(t *testing.T) {
	c := slacktest.NewClock(start())
	var got []string
	at := func(name string) func() {
		return func() { got = append(got, fmt.Sprint(name, " ", c.Now().Sub(start()))) }
	}
	c.AfterFunc(3*time.Second, at("third"))
	c.AfterFunc(time.Second, func() {
		at("first")()
		c.AfterFunc(time.Second, at("second"))
	})
	c.AfterFunc(2*time.Second, at("never"))()
	c.Advance(2 * time.Second)
	c.Advance(2 * time.Second)
	if want := "[first 1s second 2s third 3s]"; fmt.Sprint(got) != want || c.Now() != start().Add(4*time.Second) {
		t.Errorf("it went %v, to %v", got, c.Now())
	}
	done := make(chan struct{})
	c.AfterFunc(0, func() { close(done) })
	<-done
}

func TestWaitEnds(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.WaitMessage(ctx, slacktest.Ops, slacktest.Saying("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
	if err := s.Mention(slacktest.Alis, slacktest.Ops, "x").Wait(ctx); err == nil {
		t.Error("nobody has acknowledged, and it ends well")
	}
	s.Say(slacktest.Alis, slacktest.Ops, "x")
	if _, err := s.WaitMessage(ctx, slacktest.Ops, slacktest.Saying("> x")); err == nil {
		t.Error("what is not there is found")
	}
	if m, err := s.WaitMessage(ctx, slacktest.Ops, nil); err != nil || m.User != slacktest.Alis {
		t.Errorf("what is there is not found: %+v, %v", m, err)
	}
}
