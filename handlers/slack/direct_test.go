package slack

import (
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

// TestDirectOfTwo: in a direct message of two people, which the bot is not in, an
// answer is for whoever asked alone; only the bot's own are private.
func TestDirectOfTwo(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Clock: slacktest.NewClock(time.Now()), Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
	w.AddChannel(slacktest.Channel{ID: "D0TWO", Name: "two", Members: []string{slacktest.Alis, slacktest.Bram}})
	w.answers(t, func(d keepwatch.Delivery) (keepwatch.Message, int64) {
		if strings.Contains(d.Request.Text, "start") {
			return keepwatch.Message{Title: "The card", Buttons: []keepwatch.Button{{Label: "Details", Command: "keepwatch audit"}}}, 1
		}
		return keepwatch.Message{Title: "For admins alone"}, 0
	})
	w.acked(t, w.Command(slacktest.Alis, "D0TWO", "/backup", "start x"))
	m, err := w.WaitMessage(w.ctx, "D0TWO", slacktest.Saying("The card"))
	if err != nil {
		t.Fatal(err)
	}
	w.acked(t, w.Click(slacktest.Alis, m, "Details"))
	if _, err := w.WaitEphemeral(w.ctx, slacktest.Alis, "D0TWO", slacktest.Saying("For admins alone")); err != nil {
		t.Fatal(err)
	}
	if d := w.c.wait(t, 2, 0)[1]; d.Request.Private || !d.Reply.Private {
		t.Errorf("request private %v, reply private %v", d.Request.Private, d.Reply.Private)
	}
	for _, m := range w.Messages("D0TWO") {
		if strings.Contains(m.Plain(), "admins") {
			t.Errorf("both see %q", m.Plain())
		}
	}
	// Without its response_url the answer goes where the bot may post to one.
	late := outgoing("late")
	late.Channel = "slack:D0TWO"
	late.Reply = &keepwatch.Reply{To: keepwatch.Account{Platform: "slack", ID: slacktest.Alis}, Private: true}
	if _, err := w.f.Post(w.ctx, late); err != nil {
		t.Fatal(err)
	}
	if _, err := w.WaitMessage(w.ctx, slacktest.DirectID(slacktest.Alis), slacktest.Saying("Notice late")); err != nil {
		t.Fatal(err)
	}
}

// TestDirectAfterStart: a click in the bot's own direct message, before it knows
// that it is, is answered to whoever clicked where Slack does not say which it is;
// otherwise as a message, from the first one on.
func TestDirectAfterStart(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Clock: slacktest.NewClock(time.Now()), Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
	dm := slacktest.DirectID(slacktest.Alis)
	if _, err := w.f.Post(w.ctx, keepwatch.Outgoing{ID: "1", Channel: "slack:@" + slacktest.Alis, Message: listing}); err != nil {
		t.Fatal(err)
	}
	m := w.Messages(dm)[0]
	w.f.directs.mu.Lock()
	clear(w.f.directs.mine) // as in a new process
	clear(w.f.directs.byUser)
	w.f.directs.mu.Unlock()
	n := 0
	w.answers(t, func(d keepwatch.Delivery) (keepwatch.Message, int64) {
		n++
		return keepwatch.Message{Title: strings.Repeat("again ", n)}, 0
	})
	w.Fail(slacktest.Fault{Method: "conversations.open", Times: 1, Status: 503})
	w.acked(t, w.Click(slacktest.Alis, m, "Back up notes"))
	if _, err := w.WaitEphemeral(w.ctx, slacktest.Alis, dm, slacktest.Saying("again")); err != nil {
		t.Fatal(err)
	}
	w.acked(t, w.Click(slacktest.Alis, m, "Back up notes"))
	if _, err := w.WaitMessage(w.ctx, dm, slacktest.Saying("again again")); err != nil {
		t.Fatal(err)
	}
	if d := w.c.wait(t, 2, 0)[1]; !d.Request.Private {
		t.Error("the second click is not private")
	}
}
