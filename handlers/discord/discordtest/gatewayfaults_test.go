package discordtest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// silent demands that nothing comes. The socket cannot be read after it.
func (c *socket) silent(d time.Duration) {
	c.t.Helper()
	_ = c.ws.SetReadDeadline(time.Now().Add(d))
	_, raw, err := c.ws.ReadMessage()
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		c.t.Errorf("%s came, %v, where nothing should", raw, err)
	}
}

func TestGatewayFaults(t *testing.T) {
	s := serve(t, Config{})
	alis := s.AddUser("alis")
	s.SetGatewayFaults(GatewayFaults{NoHello: true})
	dial(t, s.GatewayURL()).silent(50 * time.Millisecond)

	s.SetGatewayFaults(GatewayFaults{NoReady: true})
	c := dial(t, s.GatewayURL())
	c.next(opHello, "")
	c.send(identify(s, ordinary))
	c.silent(50 * time.Millisecond)

	s.SetGatewayFaults(GatewayFaults{NoAck: true})
	c, _ = login(t, s, ordinary)
	c.send(beat(2))
	c.silent(50 * time.Millisecond)

	s.SetGatewayFaults(GatewayFaults{})
	c, ready := login(t, s, ordinary)
	s.SetGatewayFaults(GatewayFaults{Silent: true})
	if _, err := s.Mention(alis, s.ChannelID(), "unheard"); err != nil {
		t.Fatal(err)
	}
	c.send(beat(2))
	c.silent(50 * time.Millisecond)
	s.SetGatewayFaults(GatewayFaults{})
	c = dial(t, resumeURL(ready))
	c.next(opHello, "")
	c.send(resumeFrame(s, ready, 2))
	c.next(opDispatch, "MESSAGE_CREATE") // the silence has lost nothing
	c.next(opDispatch, "RESUMED")

}

func TestOddFrames(t *testing.T) {
	s := serve(t, Config{})
	alis := s.AddUser("alis")
	c, _ := login(t, s, ordinary)
	s.DuplicateNext(1)
	for _, text := range []string{"twice", "once"} {
		if _, err := s.Mention(alis, s.ChannelID(), text); err != nil {
			t.Fatal(err)
		}
	}
	var seen []any
	for range 3 {
		seen = append(seen, c.next(opDispatch, "MESSAGE_CREATE")["s"])
	}
	if seen[0] != seen[1] || seen[1] == seen[2] {
		t.Errorf("duplicated are %v", seen)
	}

	s.SendEvent("SOMETHING_NEW", object{"x": 1})
	c.next(opDispatch, "SOMETHING_NEW")
	s.SendRaw(`{"op":42,"d":null}`)
	c.next(42, "")
	s.SendRaw(`{"op":0,"d":`)
	var o object
	if err := c.ws.ReadJSON(&o); err == nil {
		t.Errorf("malformed JSON was read as %v", o)
	} else if syntax := new(json.SyntaxError); !errors.As(err, &syntax) && !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("malformed JSON gives %v", err)
	}
}
