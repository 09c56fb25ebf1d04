package slack

import (
	"errors"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

// TestInviteOnce: in a channel that the bot is not in, the card of a run does not
// come twice because its answer was lost; and it does come where it was only
// refused.
func TestInviteOnce(t *testing.T) {
	for name, c := range map[string]struct {
		method  string
		fault   slacktest.Fault
		restart bool
		found   bool
		stands  int
	}{
		"the answer is lost":           {method: "response_url", fault: slacktest.Fault{Cut: true, Done: true}, found: true, stands: 1},
		"lost, and a restart":          {method: "response_url", fault: slacktest.Fault{Cut: true, Done: true}, restart: true, found: true, stands: 1},
		"429":                          {method: "response_url", fault: slacktest.Fault{RetryAfter: 1}, stands: 0},
		"it was not got to":            {method: "chat.postMessage", fault: slacktest.Fault{Status: 503}, stands: 0},
		"503, nobody knows what it is": {method: "response_url", fault: slacktest.Fault{Status: 503}, found: true, stands: 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, overHTTP, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
			w.acked(t, w.Command(slacktest.Alis, slacktest.Random, "/backup", "start x"))
			d := w.c.wait(t, 1, 0)[0]
			reply := d.Reply
			reply.To, reply.Private = d.Request.Account, false
			out := keepwatch.Outgoing{ID: "card", Channel: d.Request.Channel, Run: 1, Reply: &reply, Message: keepwatch.Message{Title: "Run 1"}, Made: time.Now(), Tried: time.Now()}
			c.fault.Method, c.fault.Times = c.method, 1
			w.Fail(c.fault)
			if _, err := w.f.Post(w.ctx, out); err == nil {
				t.Fatal("the fault did not happen")
			}
			if c.restart {
				clear(w.f.unsure)
			}
			ref, found, err := w.f.Find(w.ctx, out)
			if err != nil || ref != "" || found != c.found {
				t.Errorf("%q %v %v", ref, found, err)
			}
			if n := len(w.Messages(slacktest.Random)); n != c.stands {
				t.Errorf("it stands there %d times", n)
			}
			out.Run = 0 // no later word would come of it
			if _, found, err := w.f.Find(w.ctx, out); err != nil || found {
				t.Errorf("a message that is no card: %v %v", found, err)
			}
		})
	}
}

// TestFindTooSoon: a call that Slack is still working on when its caller is gone makes
// no second message: not being there says nothing until some seconds have passed.
func TestFindTooSoon(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
	until, posted := make(chan struct{}), make(chan error, 1)
	w.Fail(slacktest.Fault{Method: "chat.postMessage", Times: 1, Until: until})
	out := outgoing("late")
	out.Tried = time.Now()
	go func() { _, err := w.f.Post(w.ctx, out); posted <- err }()
	if _, err := w.WaitCall(w.ctx, "chat.postMessage", nil); err != nil {
		t.Fatal(err)
	}
	var later *keepwatch.PostError
	if _, _, err := w.f.Find(w.ctx, out); !errors.As(err, &later) || later.Verdict != keepwatch.VerdictLater || later.After <= 0 || later.After > carryTime {
		t.Errorf("while it is under way: %v", err)
	}
	close(until)
	if err := <-posted; err != nil {
		t.Fatal(err)
	}
	if ref, found, err := w.f.Find(w.ctx, out); err != nil || !found {
		t.Errorf("once it is there: %q %v %v", ref, found, err)
	}
	for name, c := range map[string]struct {
		tried time.Duration // from now
		up    time.Duration // how long this process runs
		later bool
	}{
		"just now":                           {-time.Second, time.Hour, true},
		"long enough ago":                    {-carryTime, 0, false},
		"the clock was set back, a start":    {time.Hour, time.Second, true},
		"the clock was set back, no restart": {time.Hour, time.Hour, false},
	} {
		out.ID, out.Tried = "never", time.Now().Add(c.tried)
		w.f.began = time.Now().Add(-c.up)
		if _, found, err := w.f.Find(w.ctx, out); found || (err != nil) != c.later {
			t.Errorf("%s: %v %v", name, found, err)
		}
	}
}

// TestFindAside: an answer for one person that had to go as a direct message is
// looked for there.
func TestFindAside(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
	out := outgoing("1")
	out.Channel, out.Tried = "slack:"+slacktest.Random, time.Now()
	out.Reply = &keepwatch.Reply{To: keepwatch.Account{Platform: "slack", ID: slacktest.Alis}, Private: true, Thread: "1.000100"}
	w.Fail(slacktest.Fault{Method: "chat.postMessage", Times: 1, Cut: true, Done: true})
	if _, err := w.f.Post(w.ctx, out); err == nil {
		t.Fatal("the fault did not happen")
	}
	if ref, found, err := w.f.Find(w.ctx, out); err != nil || !found {
		t.Errorf("%q %v %v", ref, found, err)
	}
	out.ID, out.Tried = "another", time.Now().Add(-carryTime)
	if ref, found, err := w.f.Find(w.ctx, out); err != nil || found {
		t.Errorf("%q %v %v", ref, found, err)
	}
}

// TestFind: a message whose answer was lost is found by its id, and none that was
// not posted.
func TestFind(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
	before, err := w.f.Post(w.ctx, outgoing("before"))
	if err != nil {
		t.Fatal(err)
	}
	w.Fail(slacktest.Fault{Method: "chat.postMessage", Times: 1, Cut: true, Done: true})
	out := outgoing("lost")
	out.Tried, out.After = time.Now(), before
	if _, err := w.f.Post(w.ctx, out); err == nil {
		t.Fatal("the fault did not happen")
	}
	for range findPage + 20 { // more than a page later
		w.Say(slacktest.Bram, slacktest.Ops, "chat")
	}
	ref, found, err := w.f.Find(w.ctx, out)
	if err != nil || !found {
		t.Fatalf("%q %v %v", ref, found, err)
	}
	if err := w.f.Edit(w.ctx, keepwatch.Card{Ref: ref, Channel: out.Channel}, keepwatch.Message{Title: "Edited"}); err != nil {
		t.Fatal(err)
	}
	if m, err := w.WaitMessage(w.ctx, slacktest.Ops, slacktest.Saying("Edited")); err != nil || m.Edits != 1 {
		t.Errorf("%+v %v", m, err)
	}
	out.ID, out.Tried = "never", time.Now().Add(-carryTime)
	if ref, found, err := w.f.Find(w.ctx, out); err != nil || found {
		t.Errorf("%q %v %v", ref, found, err)
	}
	thread := outgoing("deep")
	thread.Tried = time.Now()
	_, ts, _ := splitReference(before)
	thread.Reply = &keepwatch.Reply{Thread: ts}
	if _, err := w.f.Post(w.ctx, thread); err != nil {
		t.Fatal(err)
	}
	if _, found, err := w.f.Find(w.ctx, thread); err != nil || !found {
		t.Errorf("in a thread: %v %v", found, err)
	}
	direct := outgoing("direct")
	direct.Channel, direct.Tried = "slack:@"+slacktest.Alis, time.Now()
	if _, err := w.f.Post(w.ctx, direct); err != nil {
		t.Fatal(err)
	}
	if _, found, err := w.f.Find(w.ctx, direct); err != nil || !found {
		t.Errorf("in a direct message: %v %v", found, err)
	}
	w.SetScopes("chat:write")
	for range 3 {
		if _, found, err := w.f.Find(w.ctx, out); err != nil || found {
			t.Errorf("without the scope: %v %v", found, err)
		}
	}
	if n := strings.Count(w.log.String(), "may not read back"); n != 1 {
		t.Errorf("%d warnings", n)
	}
	w.Fail(slacktest.Fault{Method: "conversations.history", Times: 1, RetryAfter: 4})
	var refused *keepwatch.PostError
	if _, _, err := w.f.Find(w.ctx, out); !errors.As(err, &refused) || refused.After != 4*time.Second {
		t.Errorf("a search that has to wait: %v", err)
	}
}

// TestOldest: where a search begins.
func TestOldest(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(1_800_000_000+seconds, 0) }
	for name, c := range map[string]struct {
		made, tried time.Time
		after, want string
	}{
		"nothing is known":        {tried: at(0), want: "1799996400.000000"},
		"the one before is known": {tried: at(0), after: "C0OPS:1799999999.000100", want: "1799999999.000100"},
		"it is from long ago":     {tried: at(0), after: "C0OPS:1700000000.000100", want: "1700000000.000100"},
		"our clock is ahead":      {made: at(86400), tried: at(86400), after: "C0OPS:1799999999.000100", want: "1799999999.000100"},
		"another channel's":       {tried: at(0), after: "C9:1799999999.000100", want: "1799996400.000000"},
		"nonsense":                {tried: at(0), after: "nonsense", want: "1799996400.000000"},
		"no time at all":          {tried: at(0), after: "C0OPS:x", want: "1799996400.000000"},
		"it was tried for hours":  {made: at(-36000), tried: at(0), want: "1799960400.000000"},
		"the clock was set back":  {made: at(999999), tried: at(999999), want: "1799996410.000000"},
	} {
		if got := oldest(keepwatch.Outgoing{Made: c.made, Tried: c.tried, After: c.after}, "C0OPS", at(10)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestFindByWrongClock: whatever our clock says, a message whose answer was lost is
// found behind the one that came before it.
func TestFindByWrongClock(t *testing.T) {
	for _, off := range []time.Duration{-24 * time.Hour, 15 * time.Minute, 24 * time.Hour} {
		w := start(t, overHTTP, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(off) } })
		before, err := w.f.Post(w.ctx, outgoing("before"))
		if err != nil {
			t.Fatal(err)
		}
		out := outgoing("lost")
		out.Made, out.Tried, out.After = w.f.cfg.Now(), w.f.cfg.Now(), before
		w.Fail(slacktest.Fault{Method: "chat.postMessage", Times: 1, Cut: true, Done: true})
		if _, err := w.f.Post(w.ctx, out); err == nil {
			t.Fatal("the fault did not happen")
		}
		if _, found, err := w.f.Find(w.ctx, out); err != nil || !found {
			t.Errorf("%v off: %v %v", off, found, err)
		}
	}
}
