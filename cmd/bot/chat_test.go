package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"

	"keepwatch"
)

// openedChat is the built program on a terminal.
type openedChat struct {
	t        *testing.T
	cmd      *exec.Cmd
	terminal *os.File
	seen     string // what was written and not expected yet
	more     chan string
}

func openChat(t *testing.T, cmd *exec.Cmd) *openedChat {
	t.Helper()
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 160, Rows: 40})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	c := &openedChat{t: t, cmd: cmd, terminal: terminal, more: make(chan string)}
	go func() {
		defer close(c.more)
		for buf := make([]byte, 4096); ; {
			n, err := terminal.Read(buf)
			if n > 0 {
				c.more <- string(buf[:n])
			}
			if err != nil { // the program has ended, and its terminal with it
				return
			}
		}
	}()
	return c
}

// expect waits until a text is written, behind what was expected before.
func (c *openedChat) expect(text string) {
	c.t.Helper()
	for late := time.After(30 * time.Second); !strings.Contains(c.seen, text); {
		select {
		case s, ok := <-c.more:
			if c.seen += s; !ok {
				c.t.Fatalf("it ended before it wrote %q; there is\n%s", text, c.seen)
			}
		case <-late:
			c.t.Fatalf("%q was not written; there is\n%s", text, c.seen)
		}
	}
	_, c.seen, _ = strings.Cut(c.seen, text)
}

func (c *openedChat) say(text string) {
	c.t.Helper()
	if _, err := c.terminal.WriteString(text); err != nil {
		c.t.Fatal(err)
	}
}

// ended waits until the program has ended.
func (c *openedChat) ended() {
	c.t.Helper()
	for range c.more {
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Error(err)
	}
}

// TestReminderInTheChat: a reminder that comes due while somebody types is shown above
// the prompt, what was typed stays, and its number answers it; the picture of a report
// is a file beside the state.
func TestReminderInTheChat(t *testing.T) {
	b := newBench(t, 1, 10)
	c := openChat(t, b.program(nil, "KEEPWATCH_TEST_NOW=2026-11-26T08:59:56Z", "BOT_TIMEZONE=Europe/London"))
	c.expect("exit leaves")
	c.say("/reminder add \"every weekday at 9\" here Look at the backups\r")
	c.expect("Not made yet")
	c.expect("[1] Make it")
	c.say("1\r")
	c.expect("Reminder 1 is made")
	c.say("/backup sou") // half a line, when it comes
	c.expect("Due   26 Nov 09:00")
	c.expect("[6] Done") // [1] to [5] are of the message above it
	c.expect("/backup sou")
	c.say("\x15") // Ctrl-U: away with it
	c.say("6\r")
	c.expect("Done: Look at the backups")
	c.say("/reminder list --due\r")
	c.expect("Nothing is open")
	c.say("/keepwatch report\r")
	c.expect("Backups in November 2026")
	c.expect("As a picture it is in this file:")
	c.expect("data/reports/report-2026-11.png")
	c.say("exit\r")
	c.ended()
	picture, err := os.ReadFile(filepath.Join(b.data(), "reports", "report-2026-11.png"))
	if err == nil {
		err = isPicture(picture)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestCancelInTheChat: the built program on a real terminal. The button of a run
// under way stops it, and nothing of it is left.
func TestCancelInTheChat(t *testing.T) {
	b := newBench(t, 300, 1<<20)
	c := openChat(t, b.program(nil))
	expect, say := c.expect, c.say
	expect("exit leaves")
	say("/backup start ./notes\r")
	expect("[1] Cancel")
	expect("Reading and sealing")
	say("1")
	expect("was cancelled")
	say("/backup list\r")
	expect("There is no archive yet")
	say("exit\r")
	c.ended()
	for _, pattern := range []string{"data/vault/.staging/*", "data/vault/notes/*"} {
		if left, err := filepath.Glob(filepath.Join(b.root, pattern)); err != nil || len(left) > 0 {
			t.Errorf("%v %v", left, err)
		}
	}
	if _, err := os.Stat(filepath.Join(b.root, "data/state.db")); err != nil {
		t.Error(err)
	}
}

// TestOrphanedChat: a chat that talks to another process says so when that ends, and
// can be left.
func TestOrphanedChat(t *testing.T) {
	for _, word := range []string{"exit", "quit"} {
		b := newBench(t, 1, 10)
		first := openChat(t, b.program(nil))
		first.expect("exit leaves")
		first.say("/authenticator guide sms\r")
		first.expect("Stop")
		second := openChat(t, b.program(nil))
		second.expect("Keepwatch runs already")
		second.expect("1 checklist under way: /keepwatch steps")
		second.say("/keepwatch whoami\r")
		second.expect("admin")
		first.say("exit\r")
		first.ended()
		second.expect("this terminal is it.") // at once, with nothing asked
		second.say("/keepwatch whoami\r")
		second.expect("That Keepwatch has ended")
		second.say(word + "\r")
		second.ended()
	}
}

// hanging is a bot that takes what it is asked and never answers.
type hanging struct{}

func (hanging) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// TestLeaveHangingBot: whoever asks to leave does, when the running bot is there and
// does not answer.
func TestLeaveHangingBot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &remote{client: &http.Client{Transport: hanging{}}, log: slog.New(slog.DiscardHandler)}
		for _, line := range []string{"exit", "/keepwatch exit", " /Exit "} {
			if msg := r.Handle(t.Context(), keepwatch.Request{Text: line}); !msg.Quit {
				t.Errorf("%q does not leave: %+v", line, msg)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if msg := r.Handle(ctx, keepwatch.Request{Text: "exit the building"}); msg.Quit || !msg.Failed {
			t.Errorf("%+v", msg)
		}
	})
}

// TestDropInTheChat: the cards of the runs that a drop folder starts come in the chat,
// where no platform is configured; of one that fails too.
func TestDropInTheChat(t *testing.T) {
	b := newBench(t, 1, 10)
	drop := filepath.Join(b.root, "drop")
	text := "sources:\n  - {name: inbox, kind: files, path: drop, drop: true, settle: 1s}\n"
	if err := os.WriteFile(filepath.Join(b.root, "keepwatch.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeFiles(drop, 1, 10, 1); err != nil {
		t.Fatal(err)
	}
	c := openChat(t, b.program(nil))
	c.expect("exit leaves")
	c.expect("Run 1: backup of inbox (d000/f00000.bin) is done")
	if err := os.WriteFile(filepath.Join(drop, "mail.pst"), []byte("!BDN and nothing behind it"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.expect("Run 2: backup of inbox (mail.pst) begins")
	c.expect("Run 2: backup of inbox (mail.pst) failed")
	c.expect("mail.pst is not an Outlook data file")
	c.say("exit\r")
	c.ended()
}
