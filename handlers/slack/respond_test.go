package slack

import (
	"fmt"
	"testing"
	"time"
)

// TestUses: a response_url is used five times, and is forgotten when it works no
// more anyhow.
func TestUses(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	u := newUses(func() time.Time { return now })
	for i := range maxUses {
		if !u.take("https://hooks.example/1") {
			t.Errorf("use %d is refused", i+1)
		}
	}
	if u.take("https://hooks.example/1") {
		t.Error("there is a sixth use")
	}
	if u.exhaust("https://hooks.example/2"); u.take("https://hooks.example/2") {
		t.Error("what Slack refuses is used again")
	}
	now = now.Add(responseLife / 2)
	for i := range 5000 {
		u.take(fmt.Sprint("https://hooks.example/later/", i))
	}
	if u.take("https://hooks.example/1") {
		t.Error("it was forgotten while it works")
	}
	now = now.Add(responseLife/2 + time.Minute)
	for i := range 20_000 {
		u.take(fmt.Sprint("https://hooks.example/latest/", i))
	}
	if _, there := u.seen[u.hash("https://hooks.example/1")]; there {
		t.Error("it is kept for ever")
	}
}
