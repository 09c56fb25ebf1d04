package slacktest_test

import (
	"testing"
	"time"

	"keepwatch/handlers/slack/slacktest"
)

// start is when the clocks of the tests begin.
func start() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

func TestOneMessageASecondAndChannel(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock, Rates: slacktest.Rates{Burst: 2}})
	post := func(channel string) answer {
		return call(t, s, "chat.postMessage", args{"channel": channel, "text": "x"})
	}
	for i := range 2 {
		if a := post(slacktest.Ops); a.Status != 200 {
			t.Fatalf("message %d of the burst: %d", i, a.Status)
		}
	}
	if a := post("#ops"); a.Status != 429 || a.After != 1 || a.err() != "ratelimited" {
		t.Errorf("over the burst, by the channel's name: %+v", a)
	}
	if a := post(slacktest.Secret); a.Status != 200 {
		t.Errorf("another channel: %+v", a)
	}
	clock.Advance(500 * time.Millisecond)
	if a := post(slacktest.Ops); a.Status != 429 {
		t.Errorf("before the wait is over: %+v", a)
	}
	clock.Advance(500 * time.Millisecond)
	if a := post(slacktest.Ops); a.Status != 200 {
		t.Errorf("after the wait: %+v", a)
	}
	v := s.Violations()
	if len(v) != 2 || v[0].Early || !v[1].Early || v[0].Channel != slacktest.Ops || v[1].Wait != 500*time.Millisecond {
		t.Errorf("the violations are %+v", v)
	}
	if got := len(s.Messages(slacktest.Ops)); got != 3 {
		t.Errorf("%d messages are there: a refused one must not be", got)
	}
}

func TestTiers(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	var last answer
	for range 21 {
		last = call(t, s, "usergroups.list", args{})
	}
	if last.Status != 429 || last.After != 3 {
		t.Errorf("the 21st call of tier 2 in a minute: %+v", last)
	}
	clock.Advance(3 * time.Second)
	if a := call(t, s, "usergroups.list", args{}); a.Status != 200 {
		t.Errorf("after the wait: %+v", a)
	}
}

func TestRatesCountedAndOff(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{Clock: slacktest.NewClock(start()), Rates: slacktest.Rates{Mode: slacktest.RatesCounted, Burst: 1}})
	post := func() answer {
		return call(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": "x"})
	}
	for range 3 {
		if a := post(); a.Status != 200 {
			t.Errorf("counted only: %+v", a)
		}
	}
	if n := len(s.Violations()); n != 2 {
		t.Errorf("%d violations are counted, 2 were", n)
	}
	s.SetRates(slacktest.Rates{Mode: slacktest.RatesOff})
	s.Fail(slacktest.Fault{RetryAfter: 30})
	if a := post(); a.Status != 429 || a.After != 30 {
		t.Errorf("the fault: %+v", a)
	}
	if a := post(); a.Status != 200 {
		t.Errorf("after it, without limits: %+v", a)
	}
	if v := s.Violations(); len(v) != 3 || !v[2].Early {
		t.Errorf("the call before its time is not counted: %+v", v)
	}
}
