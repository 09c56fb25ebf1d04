package slack

import (
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

// TestWatch: what becomes of the token while nothing is asked and nothing posted is
// said by Ready, and so is that it is mended.
func TestWatch(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		w := prepare(t, transport, slacktest.Config{Clock: slacktest.NewClock(time.Now()), Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
		w.f.every = 5 * time.Millisecond
		w.run(t)
		w.wait(t, "it is ready", func() bool { return w.f.Ready() == nil })
		for word, fault := range map[string]slacktest.Fault{"token_revoked": {Error: "token_revoked"}, "account_inactive": {Error: "account_inactive"}, "does not answer": {Status: 503}} {
			fault.Method, fault.Times = "auth.test", -1
			w.Fail(fault)
			w.wait(t, word, func() bool { return w.f.Ready() != nil && strings.Contains(keepwatch.Sentence(w.f.Ready()), word) })
			w.ClearFaults()
			w.wait(t, "it is ready again after "+word, func() bool { return w.f.Ready() == nil })
		}
		// A moment without an answer is nothing to speak of.
		asked := len(w.Calls("auth.test"))
		w.Fail(slacktest.Fault{Method: "auth.test", Times: unreachable - 1, Status: 503})
		w.wait(t, "it was asked again", func() bool {
			if err := w.f.Ready(); err != nil {
				t.Errorf("ready: %v", err)
			}
			return len(w.Calls("auth.test")) > asked+unreachable
		})
	})
}

// TestWatchKeepsScope: that a scope is missing is not forgotten because the token
// is taken.
func TestWatchKeepsScope(t *testing.T) {
	w := prepare(t, overHTTP, slacktest.Config{Scopes: []string{"commands"}, Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
	w.f.every = 5 * time.Millisecond
	w.run(t)
	w.wait(t, "it is ready", func() bool { return w.f.Ready() == nil })
	if _, err := w.f.Post(w.ctx, outgoing("1")); err == nil {
		t.Fatal("it was posted")
	}
	asked := len(w.Calls("auth.test"))
	w.wait(t, "it was asked again", func() bool { return len(w.Calls("auth.test")) > asked+3 })
	if err := w.f.Ready(); err == nil || !strings.Contains(err.Error(), "chat:write") {
		t.Errorf("ready: %v", err)
	}
}
