package discordtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

// TestSettle: what a program has sent that is gone is carried out when Settle returns.
// A message that it sent once more with the same nonce is not made twice by time that
// is made to pass right behind.
func TestSettle(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	const messages = 40
	for n := range messages {
		body := object{"content": fmt.Sprint(n), "nonce": fmt.Sprint(n), "enforce_nonce": true}
		if a := call(t, s, "POST", "/channels/"+s.ChannelID()+"/messages", body); a.status != 200 {
			t.Fatal(a.raw)
		}
		s.client.CloseIdleConnections()
		text := fmt.Sprintf(`{"content":"%d","nonce":"%d","enforce_nonce":true}`, n, n)
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(c, "POST /api/v10/channels/%s/messages HTTP/1.1\r\nHost: discord.test\r\nAuthorization: Bot %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", s.ChannelID(), s.Token(), len(text), text)
		if err := errors.Join(err, c.Close()); err != nil {
			t.Fatal(err)
		}
		if err := s.Settle(within(t)); err != nil {
			t.Fatal(err)
		}
		s.Age(2 * nonceWindow)
	}
	if got := len(s.CallsTo(postRoute)); got != 2*messages {
		t.Errorf("%d calls came in, not %d", got, 2*messages)
	}
	if got := len(s.Messages(s.ChannelID())); got != messages {
		t.Errorf("%d messages stand there, not %d", got, messages)
	}
}

// TestSettleWaits: it does not return while somebody has a connection, and a gateway's
// is none.
func TestSettleWaits(t *testing.T) {
	s := serve(t, Config{})
	login(t, s, 0)
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := s.Settle(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it did not wait: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(within(t)); err != nil {
		t.Error(err)
	}
}
