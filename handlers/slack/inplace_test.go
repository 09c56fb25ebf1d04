package slack

import (
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
	"keepwatch/handlers/slack/slacktest"
)

// TestInPlaceTooLate: an answer that was to take a message's place, and whose
// response_url works no more, comes as a message; so does one after a restart, which
// has not learnt yet whose direct message it is, for whoever asked alone.
func TestInPlaceTooLate(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{Clock: slacktest.NewClock(time.Now()), Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
	w.c.table = []handlers.Command{{Group: "backup", Name: "guide", InPlace: true}}
	dm := slacktest.DirectID(slacktest.Alis)
	ask := keepwatch.Message{Title: "Step 1", Buttons: []keepwatch.Button{{Label: "Done", Command: "backup guide step 2"}}}
	if _, err := w.f.Post(w.ctx, keepwatch.Outgoing{ID: "1", Channel: "slack:@" + slacktest.Alis, Message: ask}); err != nil {
		t.Fatal(err)
	}
	m := w.Messages(dm)[0]
	answer := func(n int, title string) {
		t.Helper()
		w.acked(t, w.Click(slacktest.Alis, m, "Done"))
		d := w.c.wait(t, n, 0)[n-1]
		if !d.Reply.Replace || d.Reply.Private || !d.Request.Private || d.Reply.Token == "" {
			t.Fatalf("taken: %+v", d.Reply)
		}
		if n == 2 {
			w.ExpireResponseURLs()
		}
		if _, err := w.f.Post(w.ctx, keepwatch.Outgoing{ID: title, Channel: d.Request.Channel, Reply: &d.Reply, Message: keepwatch.Message{Title: title, Buttons: ask.Buttons}}); err != nil {
			t.Fatal(err)
		}
	}
	answer(1, "Step 2")
	if all := w.Messages(dm); len(all) != 1 || all[0].TS != m.TS || !slacktest.Saying("Step 2")(all[0]) {
		t.Errorf("there is %v", all)
	}
	answer(2, "Step 3")
	if all := w.Messages(dm); len(all) != 2 || !slacktest.Saying("Step 2")(all[0]) || !slacktest.Saying("Step 3")(all[1]) {
		t.Errorf("there is %v", all)
	}
	w.f.directs.mu.Lock()
	clear(w.f.directs.mine)
	clear(w.f.directs.byUser)
	w.f.directs.mu.Unlock()
	w.Fail(slacktest.Fault{Method: "conversations.open", Times: 1, Status: 503}) // Slack does not say whose it is
	w.acked(t, w.Click(slacktest.Alis, m, "Done"))
	if d := w.c.wait(t, 3, 0)[2]; d.Reply.Replace || !d.Reply.Private {
		t.Errorf("in a direct message that may be anybody's: %+v", d.Reply)
	}
}
