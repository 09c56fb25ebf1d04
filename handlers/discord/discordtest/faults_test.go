package discordtest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const postRoute = "POST /channels/{channel}/messages"

func TestFaults(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	path := "/channels/" + s.ChannelID() + "/messages"
	for name, c := range map[string]struct {
		fault  Fault
		status int // 0: the connection is cut
		done   bool
	}{
		"500":             {Fault{Status: 500}, 500, false},
		"502, done":       {Fault{Status: 502, Done: true}, 502, true},
		"503 as a page":   {Fault{Status: 503, HTML: true}, 503, false},
		"a page with 200": {Fault{HTML: true, Done: true}, 200, true},
		"429":             {Fault{Status: 429, RetryAfter: 1500 * time.Millisecond}, 429, false},
		"cut before":      {Fault{Cut: true}, 0, false},
		"cut after":       {Fault{Cut: true, Done: true}, 0, true},
	} {
		before := len(s.Messages(s.ChannelID()))
		s.Fail(postRoute, 1, c.fault)
		if s.FaultsLeft(postRoute) != 1 {
			t.Errorf("%s is not waiting", name)
		}
		a, err := tryCall(t, s, "POST", path, object{"content": name}, "Bot "+s.Token())
		if a.status != c.status || (err != nil) != (c.status == 0) || strings.HasPrefix(a.raw, "<!DOCTYPE") != c.fault.HTML {
			t.Errorf("%s: %d %q %v", name, a.status, a.raw, err)
		}
		if did := len(s.Messages(s.ChannelID())) - before; (did == 1) != c.done {
			t.Errorf("%s made %d messages", name, did)
		}
		if c.fault.Status == 429 && (a.object()["retry_after"] != 1.5 || a.header.Get("Retry-After") != "2" || a.header.Get("X-RateLimit-Scope") != "user") {
			t.Errorf("the 429 is %s %v", a.raw, a.header)
		}
		calls := s.Calls()
		if got := calls[len(calls)-1].Status; got != c.status {
			t.Errorf("%s is logged as %d", name, got)
		}
	}
	if a := call(t, s, "POST", path, object{"content": "well"}); a.status != 200 {
		t.Errorf("after the faults: %d", a.status)
	}
}

func TestFaultScopes(t *testing.T) {
	s := serve(t, Config{})
	s.Fail("*", 1, Fault{Status: 429, RetryAfter: time.Second, Scope: "global"})
	a := call(t, s, "GET", "/users/@me", nil)
	if a.object()["global"] != true || a.header.Get("X-RateLimit-Global") != "true" || a.header.Get("X-RateLimit-Scope") != "global" {
		t.Errorf("a global 429 is %s %v", a.raw, a.header)
	}
	if l := s.Limits(); l.Invalid != 1 {
		t.Errorf("counted: %+v", l)
	}
	s.Fail("GET /gateway", 1, Fault{Status: 429, RetryAfter: time.Second, Scope: "shared"})
	if a := call(t, s, "GET", "/gateway", nil); a.header.Get("X-RateLimit-Scope") != "shared" || a.object()["global"] != false {
		t.Errorf("a shared 429 is %s %v", a.raw, a.header)
	}
	if l := s.Limits(); l.Invalid != 1 {
		t.Errorf("a shared 429 is counted: %+v", l)
	}
	call(t, s, "GET", "/gateway", nil)
	if l := s.Limits(); l.Early != 1 {
		t.Errorf("a call within the second is not counted: %+v", l)
	}
}

func TestHold(t *testing.T) {
	s := serve(t, Config{})
	path := "/channels/" + s.ChannelID() + "/messages"
	for _, done := range []bool{false, true} {
		hold := s.NewHold()
		s.Fail(postRoute, 1, Fault{Hold: hold, Done: done})
		answered := make(chan answer, 1)
		before, asked := len(s.Messages(s.ChannelID())), len(s.Calls())
		go func() {
			a, err := tryCall(t, s, "POST", path, object{"content": "slow"}, "Bot "+s.Token())
			if err != nil {
				t.Error(err)
			}
			answered <- a
		}()
		err := s.Wait(within(t), "the call", func() bool {
			return len(s.Calls()) > asked && (!done || len(s.Messages(s.ChannelID())) > before)
		})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case a := <-answered:
			t.Errorf("a held call is answered %d", a.status)
		default:
		}
		if calls := s.Calls(); calls[len(calls)-1].Status != 0 {
			t.Error("a held call is logged as answered")
		}
		if made := len(s.Messages(s.ChannelID())) > before; made != done {
			t.Errorf("held with done %v: made is %v", done, made)
		}
		hold.Release()
		if a := <-answered; a.status != 200 {
			t.Errorf("released it is answered %d", a.status)
		}
	}
}

// TestCloseReleases: closing a server ends what it holds.
func TestCloseReleases(t *testing.T) {
	s, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	s.Fail("*", 1, Fault{Hold: s.NewHold()})
	ended := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.APIURL(10)+"/gateway", nil)
		if err == nil {
			var res *http.Response
			if res, err = http.DefaultClient.Do(req); err == nil {
				_ = res.Body.Close()
			}
		}
		ended <- err
	}()
	if err := s.Wait(within(t), "the call", func() bool { return len(s.Calls()) == 1 }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close() // twice does no harm
	<-ended
	if err := s.Wait(within(t), "nothing", func() bool { return false }); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("waiting on a closed server: %v", err)
	}
}

func TestBuckets(t *testing.T) {
	clock := noon()
	s := serve(t, Config{Clock: clock})
	other := s.AddChannel(s.GuildID(), "other")
	post := func(channel string) answer {
		return call(t, s, "POST", "/channels/"+channel+"/messages", object{"content": "x"})
	}
	for n := range 5 {
		a := post(s.ChannelID())
		if want := string(rune('4' - n)); a.status != 200 || a.header.Get("X-RateLimit-Remaining") != want || a.header.Get("X-RateLimit-Limit") != "5" || a.header.Get("X-RateLimit-Reset-After") != "5.000" {
			t.Errorf("call %d: %d %v", n, a.status, a.header)
		}
	}
	clock.Advance(3500 * time.Millisecond)
	a := post(s.ChannelID())
	if a.status != 429 || a.object()["retry_after"] != 1.5 || a.header.Get("Retry-After") != "2" || a.object()["global"] != false || a.header.Get("X-RateLimit-Scope") != "user" {
		t.Errorf("the sixth: %d %s %v", a.status, a.raw, a.header)
	}
	b := post(other)
	if b.status != 200 || b.header.Get("X-RateLimit-Bucket") != a.header.Get("X-RateLimit-Bucket") || a.header.Get("X-RateLimit-Bucket") == "" {
		t.Errorf("another channel: %d %v", b.status, b.header)
	}
	if l := s.Limits(); l != (LimitCounts{Limited: 1, Early: 0, Invalid: 1}) {
		t.Errorf("counted: %+v", l)
	}
	post(s.ChannelID())
	if l := s.Limits(); l != (LimitCounts{Limited: 2, Early: 1, Invalid: 2}) {
		t.Errorf("who comes too early is counted: %+v", l)
	}
	clock.Advance(1500 * time.Millisecond)
	if a := post(s.ChannelID()); a.status != 200 {
		t.Errorf("after the wait: %d", a.status)
	}
	s.SetLimit(postRoute, Limit{Calls: 1, Per: time.Minute})
	if a := post(s.ChannelID()); a.status != 429 {
		t.Errorf("with a limit of 1: %d", a.status)
	}
	s.SetRateLimits(false)
	if a := post(s.ChannelID()); a.status != 200 || a.header.Get("X-RateLimit-Remaining") == "0" {
		t.Errorf("without limits: %d %v", a.status, a.header)
	}
	clock.Advance(11 * time.Minute)
	if l := s.Limits(); l.Invalid != 0 {
		t.Errorf("after ten minutes: %+v", l)
	}
}

func TestGlobalLimit(t *testing.T) {
	s := serve(t, Config{Clock: noon()})
	i, _ := ask(t, s) // registering was one call
	for n := range 49 {
		if a := call(t, s, "GET", "/guilds/"+s.GuildID(), nil); a.status != 200 {
			t.Fatalf("call %d: %d", n, a.status)
		}
	}
	if a := call(t, s, "GET", "/users/@me", nil); a.status != 429 || a.object()["global"] != true || a.header.Get("X-RateLimit-Global") != "true" {
		t.Errorf("the 51st: %d %s", a.status, a.raw)
	}
	if a := respond(t, s, i, object{"type": 5}); a.status != 200 { // outside the global limit
		t.Errorf("an interaction's answer: %d %s", a.status, a.raw)
	}
}

func TestBan(t *testing.T) {
	clock := noon()
	s := serve(t, Config{Clock: clock})
	s.SetBanAfter(2)
	for range 2 {
		if _, err := tryCall(t, s, "GET", "/users/@me", nil, "Bot wrong"); err != nil {
			t.Fatal(err)
		}
	}
	if a := call(t, s, "GET", "/users/@me", nil); a.status != 429 || !strings.HasPrefix(a.raw, "<!DOCTYPE") || a.header.Get("X-RateLimit-Scope") != "" || a.header.Get("Retry-After") != "3600" {
		t.Errorf("banned: %d %s %v", a.status, a.raw, a.header)
	}
	clock.Advance(time.Hour)
	if a := call(t, s, "GET", "/users/@me", nil); a.status != 200 {
		t.Errorf("after an hour: %d", a.status)
	}
}
