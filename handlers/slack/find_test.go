package slack

import (
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
	out.ID = "another"
	if ref, found, err := w.f.Find(w.ctx, out); err != nil || found {
		t.Errorf("%q %v %v", ref, found, err)
	}
}
