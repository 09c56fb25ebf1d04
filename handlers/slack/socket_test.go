package slack

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/handlers/slack/slacktest"
)

// TestRefresh: while Slack refreshes one connection nothing is lost, on whichever
// it comes. slack-go's client closes a connection at the warning, and loses what
// comes on it just then.
func TestRefresh(t *testing.T) {
	w := start(t, overSocket, slacktest.Config{}, nil)
	for round := range 4 {
		before, old := w.Opened(), w.Sockets()[0]
		old.Disconnect("warning")
		w.acked(t, w.Command(slacktest.Alis, slacktest.Ops, "/backup", "status", slacktest.Through(old.ID)))
		if err := w.Wait(w.ctx, func() bool { return w.Opened() > before }); err != nil {
			t.Fatalf("round %d: the next one is not opened while the old one stands: %v", round, err)
		}
		for range 3 {
			w.acked(t, w.Command(slacktest.Alis, slacktest.Ops, "/backup", "status"))
		}
		w.acked(t, w.Command(slacktest.Alis, slacktest.Ops, "/backup", "status", slacktest.Through(old.ID)))
		old.Disconnect("refresh_requested")
		old.Close()
		if err := w.WaitSockets(w.ctx, sockets); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	w.c.wait(t, 20, 0)
	if s := w.Stats(); s.Timeouts > 0 || s.Misused > 0 || s.Dropped > 0 {
		t.Errorf("%+v", s)
	}
}

// TestDeadSockets: a connection that is cut, or says nothing any more, is
// replaced.
func TestDeadSockets(t *testing.T) {
	w := prepare(t, overSocket, slacktest.Config{PingEvery: 20 * time.Millisecond}, nil)
	w.f.socket.ping = 200 * time.Millisecond
	w.run(t)
	if err := w.WaitSockets(w.ctx, sockets); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(*slacktest.Socket){(*slacktest.Socket).Kill, (*slacktest.Socket).Close, (*slacktest.Socket).Silence} {
		before := w.Opened()
		end(w.Sockets()[0])
		if err := w.Wait(w.ctx, func() bool { return w.Opened() > before }); err != nil {
			t.Fatal(err)
		}
	}
	w.wait(t, "it is ready again", func() bool { return w.f.Ready() == nil })
}

// TestStrangeEnvelopes: what slack-go's client cannot read is acknowledged, and what is
// meant for us in it is done.
func TestStrangeEnvelopes(t *testing.T) {
	w := start(t, overSocket, slacktest.Config{}, nil)
	w.acked(t, w.SendEnvelope("telepathy", map[string]any{"a": 1}))
	w.acked(t, w.SendEvent(map[string]any{"type": "an_event_of_next_year", "user": slacktest.Alis}))
	w.acked(t, w.SendEvent(map[string]any{
		"type": "message", "channel_type": "im", "channel": slacktest.DirectID(slacktest.Alis), "user": slacktest.Alis, "text": "help", "ts": "1.5",
		"blocks": []any{map[string]any{"type": "section", "text": 7}}, // one that no decoder takes
	}))
	w.SendRaw([]byte(`{"type":"slash_commands","envelope_id":"e1","payload":7}`))
	w.SendRaw([]byte(`no JSON at all`))
	w.SendRaw([]byte(`{"type":"interactive","envelope_id":"e2","payload":{"type":"block_actions"}}`))
	w.acked(t, w.Command(slacktest.Alis, slacktest.Ops, "/backup", "status"))
	if got := w.c.wait(t, 2, 0); got[0].Request.Text != "help" {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(w.log.String(), "telepathy") {
		t.Error("an unknown envelope is not logged")
	}
}

// TestNotAcknowledged: an event that could not be saved is not acknowledged, so
// that Slack delivers it again, and is done then.
func TestNotAcknowledged(t *testing.T) {
	w := start(t, overSocket, slacktest.Config{}, nil)
	w.c.set(func() { w.c.fail = errors.New("disk") })
	d := w.Mention(slacktest.Alis, slacktest.Ops, "status")
	w.wait(t, "it was refused", func() bool { return strings.Contains(w.log.String(), "an event of Slack was not taken") })
	if d.Acked() {
		t.Fatal("acknowledged without being saved")
	}
	w.c.set(func() { w.c.fail = nil })
	d.Redeliver()
	w.acked(t, d)
	if got := w.c.wait(t, 1, 0); got[0].Request.Text != "status" {
		t.Errorf("%+v", got)
	}
}

// TestSocketPanic: a panic ends that request, and not the program.
func TestSocketPanic(t *testing.T) {
	w := start(t, overSocket, slacktest.Config{}, nil)
	w.c.set(func() { w.c.crash = true })
	d := w.Command(slacktest.Alis, slacktest.Ops, "/backup", "status")
	w.acked(t, d)
	if !strings.Contains(string(d.Reply()), "it is not known whether") {
		t.Errorf("answered with %s", d.Reply())
	}
	w.c.set(func() { w.c.crash = false })
	w.acked(t, w.Command(slacktest.Alis, slacktest.Ops, "/backup", "status"))
	w.c.wait(t, 1, 0)
}

// TestFatal: a token that is refused ends Run with the sentence that says what to
// do, which Ready gives from then on. slack-go's client tries for ever with
// most of these.
func TestFatal(t *testing.T) {
	for _, c := range []struct{ token, code, want string }{
		{slacktest.AppToken, "invalid_auth", "SLACK_APP_TOKEN"}, {slacktest.AppToken, "token_expired", "expired"},
		{slacktest.AppToken, "not_allowed_token_type", "xapp-"}, {slacktest.AppToken, "missing_scope", "connections:write"},
		{slacktest.AppToken, "token_revoked", "revoked"}, {slacktest.AppToken, "app_not_found", "SLACK_APP_TOKEN"},
		{slacktest.BotToken, "invalid_auth", "SLACK_BOT_TOKEN"}, {slacktest.BotToken, "account_inactive", "Install it again"},
	} {
		t.Run(c.token[:4]+" "+c.code, func(t *testing.T) {
			w := prepare(t, overSocket, slacktest.Config{}, nil)
			w.BreakToken(c.token, c.code)
			w.run(t)
			select {
			case err := <-w.done:
				if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), c.want) {
					t.Errorf("it ends with %v", err)
				}
				if !errors.Is(w.f.Ready(), err) {
					t.Errorf("ready says %v", w.f.Ready())
				}
			case <-w.ctx.Done():
				t.Fatal("it goes on trying")
			}
		})
	}
}

// TestFatalLater: a token that is revoked while the bot runs.
func TestFatalLater(t *testing.T) {
	w := start(t, overSocket, slacktest.Config{}, nil)
	w.BreakToken(slacktest.AppToken, "token_revoked")
	w.Sockets()[0].Kill()
	select {
	case err := <-w.done:
		if !strings.Contains(keepwatch.Sentence(err), "revoked") {
			t.Error(err)
		}
	case <-w.ctx.Done():
		t.Fatal("it goes on trying")
	}
}

// TestSwitchedOff: Socket Mode is switched off in the app.
func TestSwitchedOff(t *testing.T) {
	w := start(t, overSocket, slacktest.Config{}, nil)
	w.DisableLink()
	select {
	case err := <-w.done:
		if !strings.Contains(keepwatch.Sentence(err), "switched off") {
			t.Error(err)
		}
	case <-w.ctx.Done():
		t.Fatal("it goes on trying")
	}
}

// TestUnreachable: no network is no reason to give up.
func TestUnreachable(t *testing.T) {
	w := prepare(t, overSocket, slacktest.Config{}, nil)
	w.Fail(slacktest.Fault{Method: "apps.connections.open", Times: 3, Status: 503})
	w.Fail(slacktest.Fault{Method: "auth.test", Times: 1, Cut: true})
	if err := w.f.Ready(); err == nil || !strings.Contains(err.Error(), "being connected") {
		t.Errorf("before it runs it says %v", err)
	}
	w.run(t)
	w.wait(t, "it is ready", func() bool { return w.f.Ready() == nil })
	w.stop()
	if err := <-w.done; err != nil {
		t.Errorf("a stop gives %v", err)
	}
	w.done <- nil
}

// TestPacer: the two sockets are opened apart, and one that ends at once is not
// opened again and again.
func TestPacer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const apart = 45 * time.Second
		p := newPacer(apart)
		open := func(i int) time.Time {
			p.up(i, false)
			time.Sleep(p.pause(i, time.Now()))
			p.up(i, true)
			return time.Now()
		}
		begin := time.Now()
		if first := open(0); first != begin {
			t.Errorf("the first waits for %v", first.Sub(begin))
		}
		if second := open(1); second.Sub(begin) < apart {
			t.Errorf("the second comes after %v", second.Sub(begin))
		}
		time.Sleep(time.Hour)
		refreshed := time.Now()
		if again := open(0); again != refreshed {
			t.Errorf("a refresh waits for %v", again.Sub(refreshed))
		}
		if other := open(1); other.Sub(refreshed) < apart {
			t.Errorf("the other one is opened %v after it", other.Sub(refreshed))
		}
		time.Sleep(time.Hour)
		begin = time.Now()
		for range 20 {
			open(0)
		}
		if took := time.Since(begin); took < time.Minute {
			t.Errorf("20 connections that end at once within %v", took)
		}
		// One alone need not wait for another that has no connection.
		p.up(0, false)
		time.Sleep(2 * time.Minute)
		if wait := p.pause(1, time.Now()); wait != 0 {
			t.Errorf("it waits %v for one that is not there", wait)
		}
	})
}
