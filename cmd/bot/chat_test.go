package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestCancelInTheChat: the built program on a real terminal. The button of a run
// under way stops it, and nothing of it is left.
func TestCancelInTheChat(t *testing.T) {
	b := newBench(t, 300, 1<<20)
	cmd := b.program(nil)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 160, Rows: 40})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	seen, more := "", make(chan string)
	go func() {
		defer close(more)
		for buf := make([]byte, 4096); ; {
			n, err := terminal.Read(buf)
			if n > 0 {
				more <- string(buf[:n])
			}
			if err != nil { // the program has ended, and its terminal with it
				return
			}
		}
	}()
	expect := func(text string) {
		t.Helper()
		for late := time.After(30 * time.Second); !strings.Contains(seen, text); {
			select {
			case s, ok := <-more:
				if seen += s; !ok {
					t.Fatalf("it ended before it wrote %q; there is\n%s", text, seen)
				}
			case <-late:
				t.Fatalf("%q was not written; there is\n%s", text, seen)
			}
		}
		_, seen, _ = strings.Cut(seen, text)
	}
	say := func(text string) {
		t.Helper()
		if _, err := terminal.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	expect("exit leaves")
	say("/backup start ./notes\r")
	expect("[1] Cancel")
	expect("Reading and sealing")
	say("1")
	expect("was cancelled")
	say("/backup list\r")
	expect("There is no archive yet")
	say("exit\r")
	for range more { // until it has ended
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	for _, pattern := range []string{"data/vault/.staging/*", "data/vault/notes/*"} {
		if left, err := filepath.Glob(filepath.Join(b.root, pattern)); err != nil || len(left) > 0 {
			t.Errorf("%v %v", left, err)
		}
	}
	if _, err := os.Stat(filepath.Join(b.root, "data/state.db")); err != nil {
		t.Error(err)
	}
}
