package slacktest_test

import (
	"errors"
	"fmt"
	"strings"
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

// pinged is an app that sees pings and pongs.
type pinged struct {
	conn         *websocket.Conn
	pings, pongs chan string
}

func pingable(t *testing.T, s *slacktest.Server) *pinged {
	t.Helper()
	a, err := try(s, slacktest.AppToken, "apps.connections.open", args{})
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), a.str("url"), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &pinged{conn, make(chan string, 1), make(chan string, 1)}
	keep := func(c chan string) func(string) error {
		return func(data string) error {
			select {
			case c <- data:
			default:
			}
			return nil
		}
	}
	conn.SetPingHandler(keep(p.pings))
	conn.SetPongHandler(keep(p.pongs))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return p
}

func (p *pinged) ping(t *testing.T, data string) {
	t.Helper()
	if err := p.conn.WriteControl(websocket.PingMessage, []byte(data), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
}

func take(t *testing.T, c chan string) string {
	t.Helper()
	select {
	case data := <-c:
		return data
	case <-deadline(t).Done():
		t.Fatal("nothing comes")
		return ""
	}
}

func TestPings(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{PingEvery: time.Millisecond})
	p := pingable(t, s)
	if got := take(t, p.pings); !strings.HasPrefix(got, "Ping") {
		t.Errorf("the ping says %q", got)
	}
	p.ping(t, "are you there")
	if got := take(t, p.pongs); got != "are you there" {
		t.Errorf("the pong says %q", got)
	}

	// Silent: neither. A second, live socket shows that the fake went on.
	s.Sockets()[0].Silence()
	p.ping(t, "and now")
	if err := p.conn.WriteMessage(websocket.TextMessage, []byte(`{"envelope_id":"nonsense"}`)); err != nil {
		t.Fatal(err)
	}
	d := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "", slacktest.Through(1))
	if len(d.Attempts()) != 1 || d.Attempts()[0].Socket != 1 {
		t.Errorf("a silent socket is not given payloads any more: %+v", d.Attempts())
	}
	c := online(t, s)
	ok := s.Command(slacktest.Alis, slacktest.Ops, "/backup", "", slacktest.Through(2))
	c.ack(t, c.next(t), nil)
	if err := ok.Wait(deadline(t)); err != nil {
		t.Error(err)
	}
	if len(p.pongs) != 0 || d.Acked() || s.Stats().Unknown != 0 {
		t.Errorf("the silent socket answers: %d pongs, %+v", len(p.pongs), s.Stats())
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
