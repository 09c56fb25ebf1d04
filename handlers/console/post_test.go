package console

import (
	"context"
	"errors"
	"testing"

	"keepwatch"
)

// TestPost: a reminder comes while somebody types, and the numbers of the buttons
// that were there before mean what they meant.
func TestPost(t *testing.T) {
	b := newBot()
	s := open(t, b, 80, "")
	s.keys("start\r")
	s.expect("[2]")
	s.keys("half typed")
	s.expect("half typed")
	reminder := keepwatch.Message{Title: "Water the plants", Buttons: []keepwatch.Button{{Label: "Done", Command: "reminder ack 12"}},
		Menus: []keepwatch.Menu{{Label: "Snooze…", Options: []keepwatch.Button{{Label: "1 h", Command: "reminder snooze 12 1h"}}}}}
	if err := s.c.Post(t.Context(), reminder); err != nil {
		t.Fatal(err)
	}
	s.expect("Water the plants")
	s.expect("[3]")
	s.expect("[4]")
	s.expect("Snooze: 1 h")
	s.expect("half typed") // drawn again below it
	s.keys("\x034\r")
	s.expect("echo reminder snooze 12 1h")
	s.keys("exit\r")
	s.end()
	if got := b.did(); got != "start|reminder snooze 12 1h|exit" {
		t.Errorf("asked %q", got)
	}
}

// TestPostToNobody: where there is no chat, a message is not taken for shown.
func TestPostToNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := newBot()
	if err := New(Config{Chat: b, Follower: b}).Post(ctx, keepwatch.Message{Title: "lost"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestPostAfterTheChat: whoever posts to a chat that is over hears of it, and does not
// wait.
func TestPostAfterTheChat(t *testing.T) {
	s := open(t, newBot(), 80, "")
	s.keys("exit\r")
	s.end()
	if err := s.c.Post(t.Context(), keepwatch.Message{Title: "late"}); !errors.Is(err, ErrOver) {
		t.Error(err)
	}
}
