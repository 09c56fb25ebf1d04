package slacktest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"keepwatch/handlers/slack/slacktest"
)

// TestSettle: what a program has sent that is gone is carried out when Settle returns,
// and it does not return before.
func TestSettle(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}})
	addr, _, _ := strings.Cut(strings.TrimPrefix(s.APIURL(), "http://"), "/")
	for n := range 40 {
		text := fmt.Sprintf(`{"channel":%q,"text":"m%d"}`, slacktest.Ops, n)
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(c, "POST /api/chat.postMessage HTTP/1.1\r\nHost: slack.test\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", slacktest.BotToken, len(text), text)
		if err := errors.Join(err, c.Close()); err != nil {
			t.Fatal(err)
		}
		if err := s.Settle(deadline(t)); err != nil {
			t.Fatal(err)
		}
		if got := len(s.Messages(slacktest.Ops)); got != n+1 {
			t.Fatalf("%d messages stand there, not %d", got, n+1)
		}
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := s.Settle(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it did not wait for a connection: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
