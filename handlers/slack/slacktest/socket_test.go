package slacktest_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"keepwatch/handlers/slack/slacktest"
)

func TestHello(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{ConnectionTime: 90})
	f := connect(t, s).next(t)
	if f["type"] != "hello" || inner(f, "debug_info", "approximate_connection_time") != 90.0 || inner(f, "connection_info", "app_id") != slacktest.AppID || f["num_connections"] != 1.0 {
		t.Errorf("the first frame is %v", f)
	}
}

func TestTicketWorksOnce(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	a, err := try(s, slacktest.AppToken, "apps.connections.open", args{})
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), a.str("url"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if again, _, err := websocket.DefaultDialer.DialContext(t.Context(), a.str("url"), nil); err == nil {
		again.Close()
		t.Error("the same address opens a second socket")
	}
}

func TestTenSockets(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	var apps []*app
	for range 10 {
		apps = append(apps, online(t, s))
	}
	over := connect(t, s)
	if f := over.next(t); f["type"] != "disconnect" || f["reason"] != "too_many_websockets" {
		t.Errorf("the eleventh gets %v", f)
	}
	if f := over.next(t); f != nil {
		t.Errorf("the eleventh stays open and gets %v", f)
	}
	for i := range 10 {
		s.SendEvent(args{"type": "app_mention", "text": fmt.Sprint(i)})
	}
	for i, c := range apps {
		c.next(t)
		select {
		case f := <-c.frames:
			t.Errorf("socket %d gets a second payload: %v", i, f)
		default:
		}
	}
}

func TestDisconnectFrames(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	c := online(t, s)
	s.Refresh()
	if f := c.next(t); f["reason"] != "warning" {
		t.Errorf("first comes %v", f)
	}
	d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "between")
	f := c.next(t)
	if f["type"] != "slash_commands" {
		t.Errorf("after the warning comes %v", f)
	}
	c.ack(t, f, nil)
	if err := d.Wait(deadline(t)); err != nil {
		t.Error(err)
	}
	clock.Advance(10 * time.Second)
	if f := c.next(t); f["reason"] != "refresh_requested" {
		t.Errorf("10 s later comes %v", f)
	}
	if f := c.next(t); f != nil {
		t.Errorf("after the refresh comes %v", f)
	}
	c = online(t, s)
	s.DisableLink()
	if f := c.next(t); f["reason"] != "link_disabled" {
		t.Errorf("switched off, the socket gets %v", f)
	}
	if s.Opened() != 2 || len(s.Sockets()) != 0 {
		t.Errorf("%d opened, %d open", s.Opened(), len(s.Sockets()))
	}
}

func TestKillGivesNoGoodbye(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	a, err := try(s, slacktest.AppToken, "apps.connections.open", args{})
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), a.str("url"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := s.WaitSockets(deadline(t), 1); err != nil {
		t.Fatal(err)
	}
	s.Sockets()[0].Kill()
	var closed *websocket.CloseError
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
	if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
		t.Errorf("it says goodbye: %v", err)
	}
	if d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", ""); !errors.Is(d.Wait(deadline(t)), slacktest.ErrDispatchFailed) {
		t.Error("without a socket a command does not fail")
	}
}

func TestPings(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{PingEvery: time.Millisecond})
	a, err := try(s, slacktest.AppToken, "apps.connections.open", args{})
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), a.str("url"), nil)
	if err != nil {
		t.Fatal(err)
	}
	pings, pongs := make(chan string, 1), make(chan string, 1)
	var count atomic.Int64
	conn.SetPingHandler(func(data string) error {
		count.Add(1)
		select {
		case pings <- data:
		default:
		}
		return nil
	})
	conn.SetPongHandler(func(data string) error { pongs <- data; return nil })
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	defer func() { conn.Close(); <-done }()
	ping := func(data string) {
		if err := conn.WriteControl(websocket.PingMessage, []byte(data), time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	ctx := deadline(t)
	take := func(c chan string) string {
		select {
		case data := <-c:
			return data
		case <-ctx.Done():
			t.Fatal("nothing comes")
			return ""
		}
	}
	if got := take(pings); !strings.HasPrefix(got, "Ping") {
		t.Errorf("the ping says %q", got)
	}
	ping("are you there")
	if got := take(pongs); got != "are you there" {
		t.Errorf("the pong says %q", got)
	}

	// Silent: neither. A second, live socket shows that the fake went on.
	s.Sockets()[0].Silence()
	ping("and now")
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"envelope_id":"nonsense"}`)); err != nil {
		t.Fatal(err)
	}
	d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "", slacktest.Through(1))
	if len(d.Attempts()) != 1 || d.Attempts()[0].Socket != 1 {
		t.Errorf("a silent socket is still given payloads: %+v", d.Attempts())
	}
	c := online(t, s)
	ok := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "", slacktest.Through(2))
	c.ack(t, c.next(t), nil)
	if err := ok.Wait(ctx); err != nil {
		t.Error(err)
	}
	if len(pongs) != 0 || d.Acked() || s.Stats().Unknown != 0 {
		t.Errorf("the silent socket answers: %d pongs, %+v", len(pongs), s.Stats())
	}
}

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

func button(label string) args {
	return args{"type": "button", "action_id": strings.ToLower(label), "value": "v " + label, "text": args{"type": "plain_text", "text": label}}
}

func TestStrangeFrames(t *testing.T) {
	clock := slacktest.NewClock(start())
	s := slacktest.New(t, slacktest.Config{Clock: clock})
	one, two := online(t, s), online(t, s)

	s.Command(slacktest.Alis, slacktest.Ops, "/backup", "", slacktest.Twice(), slacktest.Through(1))
	if a, b := one.next(t), two.next(t); a["envelope_id"] != b["envelope_id"] {
		t.Errorf("the duplicate is %v and %v", a, b)
	}

	d := s.SendEnvelope("telepathy", args{"x": 1}, slacktest.Through(1))
	f := one.next(t)
	if f["type"] != "telepathy" {
		t.Errorf("the unknown type is %v", f)
	}
	one.ack(t, f, nil)
	if err := d.Wait(deadline(t)); err != nil {
		t.Error(err)
	}

	s.SendEvent(args{"type": "moon_phase_changed"}, slacktest.Through(2))
	if f := two.next(t); inner(f, "payload", "event", "type") != "moon_phase_changed" {
		t.Errorf("the unmapped event is %v", f)
	}

	s.Sockets()[0].Send([]byte(`{"type":"slash_comm`))
	if f := one.next(t); f["malformed"] != `{"type":"slash_comm` {
		t.Errorf("the malformed frame is %v", f)
	}
	s.SendRaw([]byte("]"))

	late := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "late", slacktest.After(time.Minute), slacktest.Through(1))
	if len(late.Attempts()) != 0 {
		t.Error("the delayed one is sent at once")
	}
	clock.Advance(time.Minute)
	for range 2 { // SendRaw may have gone to this socket
		if f := one.next(t); inner(f, "payload", "text") == "late" {
			return
		}
	}
	t.Error("the delayed one does not come")
}
