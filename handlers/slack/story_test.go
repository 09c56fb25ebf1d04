package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

var listing = keepwatch.Message{Title: "2 sources", Blocks: []keepwatch.Block{keepwatch.Text("notes, pst-drop")}, Buttons: []keepwatch.Button{
	{Label: "Back up notes", Command: "backup start notes", Style: keepwatch.StylePrimary},
	{Label: "Restore…", Command: "backup restore notes", Form: &keepwatch.Form{Title: "Restore notes", Fields: []keepwatch.FormField{
		{Name: "to", Flag: true, Label: "Where to", Required: true}, {Name: "date", Flag: true, Label: "As of", Type: keepwatch.FieldDate},
		{Name: "part", Label: "Part", Type: keepwatch.FieldChoice, Choices: []string{"docs", "my mail"}},
	}}},
	{Label: "Prune", Command: "backup prune notes --yes", Style: keepwatch.StyleDanger, Form: &keepwatch.Form{Title: "Prune?", Text: "3 archives go.", Submit: "Remove them"}},
}, Menus: []keepwatch.Menu{{Label: "Look at", Options: []keepwatch.Button{{Label: "notes", Command: "backup list notes"}, {Label: "pst-drop", Command: "backup list pst-drop"}}}}}

// TestConversation goes from a command over buttons, menus and forms to a card.
func TestConversation(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		w := start(t, transport, slacktest.Config{}, nil)
		w.answers(t, func(d keepwatch.Delivery) (keepwatch.Message, int64) {
			switch {
			case strings.HasPrefix(d.Request.Text, "/backup sources"):
				return listing, 0
			case strings.HasPrefix(d.Request.Text, "/backup start"):
				return keepwatch.Message{Title: "Run 42 begins", Buttons: []keepwatch.Button{{Label: "Cancel", Command: "backup cancel 42", Style: keepwatch.StyleDanger}}}, 42
			}
			return keepwatch.Message{Title: "Did: " + d.Request.Text}, 0
		})
		alis, ops := slacktest.Alis, slacktest.Ops
		w.acked(t, w.Command(alis, ops, "/backup", "sources"))
		list, err := w.WaitEphemeral(w.ctx, alis, ops, slacktest.Saying("2 sources"))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(w.Messages(ops)); n != 0 {
			t.Errorf("what concerns one person is seen by all: %d messages", n)
		}

		w.acked(t, w.Select(alis, list, "Look at", "pst-drop"))
		if _, err = w.WaitEphemeral(w.ctx, alis, ops, slacktest.Saying("Did: /backup list pst-drop")); err != nil {
			t.Fatal(err) // in place of the message
		}

		w.acked(t, w.Command(alis, ops, "/backup", "sources"))
		if list, err = w.WaitEphemeral(w.ctx, alis, ops, slacktest.Saying("2 sources")); err != nil {
			t.Fatal(err)
		}
		w.acked(t, w.Click(alis, list, "Restore…"))
		view, err := w.WaitView(w.ctx, alis, func(slacktest.View) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if view.Title != "Restore notes" {
			t.Errorf("the form is %q", view.Title)
		}
		w.acked(t, w.Submit(alis, map[string]any{"Where to": "/srv/re store", "As of": "2026-11-24", "Part": "my mail"}))
		want := `Did: /backup restore notes --to "/srv/re store" --date 2026-11-24 "my mail"`
		if _, err = w.WaitEphemeral(w.ctx, alis, ops, slacktest.Saying(want)); err != nil {
			t.Fatal(err, w.Ephemerals(alis, ops))
		}

		w.acked(t, w.Command(alis, ops, "/backup", "start notes"))
		card, err := w.WaitMessage(w.ctx, ops, slacktest.Saying("Run 42 begins"))
		if err != nil {
			t.Fatal(err)
		}
		w.acked(t, w.Click(slacktest.Bram, card, "Cancel"))
		if _, err = w.WaitEphemeral(w.ctx, slacktest.Bram, ops, slacktest.Saying("Did: /backup cancel 42")); err != nil {
			t.Fatal(err)
		}
		if got := w.Messages(ops); len(got) != 1 || got[0].Edits != 0 {
			t.Errorf("the card was touched by a private answer: %+v", got)
		}
		if v := w.SchemaViolations(); len(v) > 0 {
			t.Error(v)
		}
	})
}

// TestConfirmation: a form without fields is a question, and stays with a
// sentence where the answer could not be recorded.
func TestConfirmation(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		w := start(t, transport, slacktest.Config{}, nil)
		w.answers(t, func(d keepwatch.Delivery) (keepwatch.Message, int64) {
			if strings.Contains(d.Request.Text, "prune") {
				return keepwatch.Message{Title: "3 archives removed"}, 0
			}
			return listing, 0
		})
		alis, ops := slacktest.Alis, slacktest.Ops
		w.acked(t, w.Command(alis, ops, "/backup", "sources"))
		list, err := w.WaitEphemeral(w.ctx, alis, ops, slacktest.Saying("2 sources"))
		if err != nil {
			t.Fatal(err)
		}
		w.acked(t, w.Click(alis, list, "Prune"))
		view, err := w.WaitView(w.ctx, alis, func(slacktest.View) bool { return true })
		if err != nil || !strings.Contains(view.Plain(), "3 archives go.") {
			t.Fatal(view.Plain(), err)
		}
		w.c.set(func() { w.c.fail = errors.New("disk") })
		w.acked(t, w.Submit(alis, nil))
		if _, err = w.WaitView(w.ctx, alis, func(v slacktest.View) bool { return strings.Contains(v.Plain(), "nothing was done") }); err != nil {
			t.Fatal(err)
		}
		w.c.set(func() { w.c.fail = nil })
		w.acked(t, w.Click(alis, list, "Prune"))
		if _, err = w.WaitView(w.ctx, alis, func(v slacktest.View) bool { return strings.Contains(v.Plain(), "3 archives go.") }); err != nil {
			t.Fatal(err)
		}
		w.acked(t, w.Submit(alis, nil))
		if _, err = w.WaitEphemeral(w.ctx, alis, ops, slacktest.Saying("3 archives removed")); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFieldErrors: what was typed is not lost where it could not be recorded.
func TestFieldErrors(t *testing.T) {
	w := start(t, overSocket, slacktest.Config{}, nil)
	w.answers(t, func(keepwatch.Delivery) (keepwatch.Message, int64) { return listing, 0 })
	w.acked(t, w.DM(slacktest.Alis, "backup sources"))
	dm := slacktest.DirectID(slacktest.Alis)
	list, err := w.WaitMessage(w.ctx, dm, slacktest.Saying("2 sources"))
	if err != nil {
		t.Fatal(err)
	}
	w.acked(t, w.Click(slacktest.Alis, list, "Restore…"))
	if _, err := w.WaitView(w.ctx, slacktest.Alis, func(slacktest.View) bool { return true }); err != nil {
		t.Fatal(err)
	}
	w.c.set(func() { w.c.fail = errors.New("disk") })
	w.acked(t, w.Submit(slacktest.Alis, map[string]any{"Where to": "/srv"}))
	view, err := w.WaitView(w.ctx, slacktest.Alis, func(v slacktest.View) bool { return len(v.Errors) > 0 })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"field-0": notSaved}, view.Errors); diff != "" {
		t.Error(diff)
	}
}

// TestForgottenButton: a button that nobody remembers answers with a sentence.
func TestForgottenButton(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		w := start(t, transport, slacktest.Config{}, nil)
		ref, err := w.f.Post(w.ctx, keepwatch.Outgoing{ID: "1", Channel: "slack:" + slacktest.Ops, Message: listing})
		if err != nil || ref == "" {
			t.Fatal(ref, err)
		}
		w.acked(t, w.Click(slacktest.Alis, w.Messages(slacktest.Ops)[0], "Restore…"))
		if _, err := w.WaitEphemeral(w.ctx, slacktest.Alis, slacktest.Ops, slacktest.Saying("long ago")); err != nil {
			t.Fatal(err)
		}
		if n := len(w.c.deliveries()); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestMentionAndDirect: answered in the thread, and in the direct message.
func TestMentionAndDirect(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		w := start(t, transport, slacktest.Config{}, nil)
		w.answers(t, func(d keepwatch.Delivery) (keepwatch.Message, int64) {
			return keepwatch.Message{Title: "Did: " + d.Request.Text, Buttons: []keepwatch.Button{{Label: "More", Command: "backup list"}}}, 0
		})
		w.acked(t, w.Mention(slacktest.Alis, slacktest.Ops, "backup status"))
		m, err := w.WaitMessage(w.ctx, slacktest.Ops, slacktest.Saying("Did: backup status"))
		if err != nil {
			t.Fatal(err)
		}
		if m.ThreadTS == "" {
			t.Error("the answer is not in the thread")
		}
		w.acked(t, w.Click(slacktest.Alis, m, "More"))
		if _, err := w.WaitEphemeral(w.ctx, slacktest.Alis, slacktest.Ops, slacktest.Saying("Did: /backup list")); err != nil {
			t.Fatal(err)
		}
		dm := slacktest.DirectID(slacktest.Alis)
		w.acked(t, w.DM(slacktest.Alis, "backup status"))
		if m, err = w.WaitMessage(w.ctx, dm, slacktest.Saying("Did: backup status")); err != nil {
			t.Fatal(err)
		}
		w.acked(t, w.Click(slacktest.Alis, m, "More"))
		if _, err = w.WaitMessage(w.ctx, dm, slacktest.Saying("Did: /backup list")); err != nil {
			t.Fatal(err)
		}
		if d := w.c.deliveries(); len(d) != 4 { // our own messages are no requests
			t.Errorf("%d requests", len(d))
		}
	})
}

// TestHome: the state of all sources, and what is pressed there is answered in
// the direct message.
func TestHome(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		var asked []keepwatch.Request
		w := start(t, transport, slacktest.Config{}, func(c *Config) {
			c.Home = func(_ context.Context, req keepwatch.Request) keepwatch.Message {
				asked = append(asked, req)
				return keepwatch.Message{Title: req.Text, Buttons: []keepwatch.Button{{Label: "See " + req.Text, Command: "backup list"}}}
			}
		})
		w.answers(t, func(d keepwatch.Delivery) (keepwatch.Message, int64) {
			return keepwatch.Message{Title: "Did: " + d.Request.Text}, 0
		})
		w.acked(t, w.OpenHome(slacktest.Alis))
		home, err := w.WaitHome(w.ctx, slacktest.Alis, func(slacktest.View) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if text := home.Plain(); !strings.Contains(text, "/backup sources") || !strings.Contains(text, "/backup status") {
			t.Errorf("the home says %q", text)
		}
		if len(asked) != 2 || asked[0].Account.ID != slacktest.Alis || !asked[0].Private {
			t.Errorf("asked: %+v", asked)
		}
		w.acked(t, w.Click(slacktest.Alis, home, "See /backup status"))
		if _, err := w.WaitMessage(w.ctx, slacktest.DirectID(slacktest.Alis), slacktest.Saying("Did: /backup list")); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTwice: whatever comes twice is done once.
func TestTwice(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		w := start(t, transport, slacktest.Config{}, nil)
		ref, err := w.f.Post(w.ctx, keepwatch.Outgoing{ID: "1", Channel: "slack:" + slacktest.Ops, Message: listing})
		if err != nil || ref == "" {
			t.Fatal(ref, err)
		}
		w.c.keep(listing)
		m := w.Messages(slacktest.Ops)[0]
		for _, d := range []*slacktest.Delivery{
			w.Command(slacktest.Alis, slacktest.Ops, "/backup", "status", slacktest.Twice()),
			w.Click(slacktest.Alis, m, "Back up notes", slacktest.Twice()),
			w.Mention(slacktest.Alis, slacktest.Ops, "help", slacktest.Twice()),
		} {
			w.acked(t, d)
		}
		w.c.wait(t, 3, 3)
		event := w.Mention(slacktest.Alis, slacktest.Ops, "status")
		w.acked(t, event)
		event.Redeliver()
		w.c.wait(t, 4, 4)
		w.acked(t, w.Click(slacktest.Alis, m, "Prune", slacktest.Twice()))
		if _, err := w.WaitView(w.ctx, slacktest.Alis, func(slacktest.View) bool { return true }); err != nil {
			t.Fatal(err)
		}
		w.acked(t, w.Submit(slacktest.Alis, nil, slacktest.Twice()))
		w.c.wait(t, 5, 5)
	})
}

// TestTrigger: the form of a button comes too late, and somebody is told.
func TestTrigger(t *testing.T) {
	w := start(t, overSocket, slacktest.Config{}, nil)
	w.c.keep(listing)
	if _, err := w.f.Post(w.ctx, keepwatch.Outgoing{ID: "1", Channel: "slack:" + slacktest.Ops, Message: listing}); err != nil {
		t.Fatal(err)
	}
	w.Fail(slacktest.Fault{Method: "views.open", Times: 1, Error: "expired_trigger_id"})
	w.acked(t, w.Click(slacktest.Alis, w.Messages(slacktest.Ops)[0], "Prune"))
	if _, err := w.WaitEphemeral(w.ctx, slacktest.Alis, slacktest.Ops, slacktest.Saying("Press the button again")); err != nil {
		t.Fatal(err)
	}
}

// TestHTTPForgery: replayed and forged requests through the fake.
func TestHTTPForgery(t *testing.T) {
	w := start(t, overHTTP, slacktest.Config{}, nil)
	for name, o := range map[string]slacktest.Option{
		"a tampered body": slacktest.TamperedBody(), "no signature": slacktest.Unsigned(), "an old one": slacktest.SignedAgo(6 * time.Minute),
		"one of tomorrow": slacktest.SignedAgo(-6 * time.Minute), "another signature": slacktest.WithSignature("v0=" + strings.Repeat("0", 64)),
	} {
		if err := w.Command(slacktest.Alis, slacktest.Ops, "/backup", "start x", o).Wait(w.ctx); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if n := len(w.c.deliveries()); n != 0 {
		t.Fatalf("%d forged requests were taken", n)
	}
	d := w.Command(slacktest.Alis, slacktest.Ops, "/backup", "start x")
	w.acked(t, d)
	status, _, err := d.Replay(w.ctx)
	if err != nil || status != 200 {
		t.Errorf("a replay: %d %v", status, err)
	}
	w.c.wait(t, 1, 1)
	if status, body, err := w.Challenge(w.ctx, "abc"); err != nil || status != 200 || !json.Valid(body) {
		t.Errorf("the challenge: %d %s %v", status, body, err)
	}
}

// TestMany: many people at once, each answered once and in time.
func TestMany(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		w := start(t, transport, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}}, nil)
		w.answers(t, func(d keepwatch.Delivery) (keepwatch.Message, int64) {
			return keepwatch.Message{Title: "Did: " + d.Request.Text}, 0
		})
		const people, each = 16, 5
		var group sync.WaitGroup
		for p := range people {
			user := fmt.Sprintf("U0MANY%d", p)
			w.AddUser(slacktest.User{ID: user, Name: user})
			group.Go(func() {
				for i := range each {
					if err := w.Command(user, slacktest.Ops, "/backup", fmt.Sprintf("show %d", i)).Wait(w.ctx); err != nil {
						t.Errorf("%s: %v", user, err)
					}
				}
			})
		}
		group.Wait()
		w.c.wait(t, people*each, 0)
		w.c.busy.Wait()
		for p := range people {
			user := fmt.Sprintf("U0MANY%d", p)
			if n := len(w.Ephemerals(user, slacktest.Ops)); n != each {
				t.Errorf("%s sees %d answers", user, n)
			}
		}
		if s := w.Stats(); s.Timeouts > 0 || s.Misused > 0 || s.Unknown > 0 {
			t.Errorf("%+v", s)
		}
	})
}
