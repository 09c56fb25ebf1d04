package slacktest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"keepwatch/handlers/slack/slacktest"
)

func TestEventsAreRedelivered(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	c := online(t, s)
	d := s.Mention(slacktest.Alis, slacktest.Ops, "status")
	seen := map[any]bool{}
	for num, wait := range []time.Duration{0, 4 * time.Second, time.Minute + 4*time.Second, 5*time.Minute + 4*time.Second} {
		clock.Advance(wait)
		f := c.next(t)
		reason := "timeout"
		if num == 0 {
			reason = ""
		}
		if f["retry_attempt"] != float64(num) || f["retry_reason"] != reason || inner(f, "payload", "event_id") != d.EventID || f["accepts_response_payload"] != false {
			t.Errorf("delivery %d is %v", num, f)
		}
		if seen[f["envelope_id"]] {
			t.Errorf("delivery %d has an envelope id that was there before", num)
		}
		seen[f["envelope_id"]] = true
	}
	clock.Advance(4 * time.Second)
	if err := d.Wait(deadline(t)); !errors.Is(err, slacktest.ErrOperationTimeout) {
		t.Errorf("after the last retry: %v", err)
	}
	clock.Advance(time.Hour)
	if n := len(d.Attempts()); n != 4 {
		t.Errorf("there were %d attempts", n)
	}
	if n := s.Unacknowledged(); n != 1 {
		t.Errorf("%d are not acknowledged", n)
	}
}

func TestEventWaitsForASocket(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	d := s.DM(slacktest.Alis, "anybody there?")
	if err := s.Wait(deadline(t), func() bool { return len(d.Attempts()) == 2 }); err != nil {
		t.Fatal(err) // the first and the one at once
	}
	c := online(t, s)
	clock.Advance(time.Minute)
	f := c.next(t)
	if f["retry_attempt"] != 2.0 || inner(f, "payload", "event", "channel_type") != "im" {
		t.Errorf("after a minute comes %v", f)
	}
	c.ack(t, f, nil)
	if err := d.Wait(deadline(t)); err != nil {
		t.Error(err)
	}
}

func TestCommandsAreNotRedelivered(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	c := online(t, s)
	d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "start notes")
	f := c.next(t)
	clock.Advance(time.Hour)
	if err := d.Wait(deadline(t)); !errors.Is(err, slacktest.ErrOperationTimeout) {
		t.Errorf("nobody acknowledged, and: %v", err)
	}
	c.ack(t, f, args{"text": "too late"})
	if err := s.Wait(deadline(t), func() bool { return s.Stats().Acks == 1 }); err != nil {
		t.Fatal(err)
	}
	a := d.Attempts()
	if st := s.Stats(); len(a) != 1 || !a[0].Late || a[0].Latency != time.Hour || st.Timeouts != 1 || st.MaxLatency != time.Hour {
		t.Errorf("the attempts are %+v, the count %+v", a, st)
	}
	if got := s.Ephemerals(slacktest.Alis, slacktest.Ops); len(got) != 0 {
		t.Errorf("a late response is shown: %+v", got)
	}
	d.Redeliver()
	if again := c.next(t); again["envelope_id"] == f["envelope_id"] || inner(again, "payload", "trigger_id") != inner(f, "payload", "trigger_id") {
		t.Errorf("repeated by force it is %v", again)
	}
}

func TestForcedRedelivery(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	c := online(t, s)
	d := s.Mention(slacktest.Alis, slacktest.Ops, "status")
	c.ack(t, c.next(t), nil)
	if err := d.Wait(deadline(t)); err != nil {
		t.Fatal(err)
	}
	d.Redeliver()
	f := c.next(t)
	if f["retry_attempt"] != 1.0 || inner(f, "payload", "event_id") != d.EventID {
		t.Errorf("the repetition is %v", f)
	}
}

func TestResponsesInAcknowledgements(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{Clock: slacktest.NewClock(start())})
	c := online(t, s)
	ctx := deadline(t)

	d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "")
	c.ack(t, c.next(t), args{"response_type": "in_channel", "text": "for all"})
	if err := d.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if got := s.Messages(slacktest.Ops); len(got) != 1 || got[0].Text != "for all" {
		t.Errorf("the channel shows %+v", got)
	}

	d = s.Mention(slacktest.Alis, slacktest.Ops, "x")
	f := c.next(t)
	c.ack(t, f, args{"text": "not allowed here"})
	c.ack(t, f, nil)
	if err := s.Wait(ctx, func() bool { return s.Stats().Repeated == 1 }); err != nil {
		t.Fatal(err)
	}
	if d.Reply() != nil {
		t.Errorf("the response to an event is taken: %s", d.Reply())
	}

	d = s.Command(slacktest.Alis, slacktest.Ops, "/backup", "long")
	c.ack(t, c.next(t), args{"text": strings.Repeat("x", 20<<10)})
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte("{")); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(ctx, func() bool { return s.Stats().Unknown == 1 }); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); d.Acked() || st.Dropped != 1 {
		t.Errorf("20 KB are taken: %+v", st)
	}
}

func TestMisusedResponse(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	c := online(t, s)
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "blocks": []args{{"type": "actions", "elements": []args{button("Cancel")}}}})
	d := s.Click(slacktest.Alis, s.Messages(slacktest.Ops)[0], "Cancel")
	f := c.next(t)
	if f["accepts_response_payload"] != false {
		t.Errorf("a click takes a response: %v", f)
	}
	c.ack(t, f, args{"text": "cancelled"})
	if err := d.Wait(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if s.Stats().Misused != 1 || len(s.Messages(slacktest.Ops)) != 1 || d.Reply() != nil {
		t.Errorf("the response is taken: %+v", s.Stats())
	}
}
