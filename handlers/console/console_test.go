package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"keepwatch"
	"keepwatch/handlers"
)

// bot answers "start" with a run that goes on until it is let go, and anything
// else with an echo.
type bot struct {
	mu    sync.Mutex
	asked []string
	run   keepwatch.Run
	moved chan struct{} // closed and replaced at each change of run
	began chan struct{}
}

func newBot() *bot {
	return &bot{moved: make(chan struct{}), began: make(chan struct{}, 10), run: keepwatch.Run{ID: 7, Kind: keepwatch.RunBackup, Source: "notes", State: keepwatch.RunRunning}}
}

func (b *bot) set(change func(*keepwatch.Run)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.run)
	close(b.moved)
	b.moved = make(chan struct{})
}

func (b *bot) Handle(_ context.Context, req keepwatch.Request) keepwatch.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, req.Text)
	switch {
	case req.Text == "start":
		return keepwatch.Message{Title: "Run 7 begins", Run: 7, Buttons: []keepwatch.Button{{Label: "Cancel", Command: "cancel 7"}, {Label: "Details", Command: "details"}}}
	case req.Text == "exit":
		return keepwatch.Message{Quit: true}
	case req.Text == "bad":
		return keepwatch.Message{Title: "No", Tone: keepwatch.ToneBad, Failed: true}
	}
	return keepwatch.Message{Title: "echo " + req.Text}
}

func (b *bot) Complete(_ context.Context, req keepwatch.Request, cursor int) []handlers.Candidate {
	var found []handlers.Candidate
	for _, w := range []string{"start", "status", "stop-everything"} {
		if strings.HasPrefix(w, req.Text[:cursor]) {
			found = append(found, handlers.Candidate{Text: w, Summary: "does " + w, Space: true})
		}
	}
	return found
}

func (b *bot) RunMessage(run keepwatch.Run) keepwatch.Message {
	gaps := run.Result.Counts[keepwatch.NoteUnreadable] > 0
	return keepwatch.Message{Title: fmt.Sprintf("Run %d is %s", run.ID, run.State), Failed: gaps, Buttons: []keepwatch.Button{{Label: "Again", Command: "again"}}}
}

func (b *bot) Follow(ctx context.Context, _ int64, fn func(keepwatch.Run)) (keepwatch.Run, error) {
	b.began <- struct{}{}
	for {
		b.mu.Lock()
		run, moved := b.run, b.moved
		b.mu.Unlock()
		fn(run)
		if run.State.Settled() {
			return run, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return run, ctx.Err()
		}
	}
}

func (b *bot) did() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.asked, "|")
}

func piped(b *bot, in string) (out string, failed bool, err error) {
	var buf bytes.Buffer
	c := New(Config{In: strings.NewReader(in), Out: &buf, Chat: b, Follower: b, Location: time.UTC, Now: func() time.Time { return noon }})
	failed, err = c.Run(context.Background())
	return buf.String(), failed, err
}

func TestPiped(t *testing.T) {
	b := newBot()
	go func() { <-b.began; b.set(func(r *keepwatch.Run) { r.State = keepwatch.RunDone }) }()
	out, failed, err := piped(b, "# comment\n\nstart\n1\nhello\r\nno newline at the end")
	if failed || err != nil || b.did() != "start|again|hello|no newline at the end" {
		t.Errorf("%q %v %v", b.did(), failed, err)
	}
	want := "• Run 7 is done\n  1) Again: /again\n\n• echo again\n\n• echo hello\n\n• echo no newline at the end\n\n"
	if out != want {
		t.Errorf("%q, want %q", out, want)
	}
}

func TestPipedFailures(t *testing.T) {
	for in, asked := range map[string]string{"bad\nhello\n": "bad|hello", "3\nhello\n": "hello", strings.Repeat("x", 200_000) + "\nhello\n": "hello"} {
		b := newBot()
		if _, failed, err := piped(b, in); !failed || err != nil || b.did() != asked {
			t.Errorf("%.20q: %v %v %q", in, failed, err, b.did())
		}
	}
	b := newBot()
	b.set(func(r *keepwatch.Run) { r.State = keepwatch.RunAttention })
	if _, failed, _ := piped(b, "start\n"); !failed {
		t.Error("a run that needs attention is no failure")
	}
	b = newBot()
	b.set(func(r *keepwatch.Run) {
		r.State, r.Result.Counts = keepwatch.RunDone, map[keepwatch.NoteKind]int64{keepwatch.NoteUnreadable: 1}
	})
	if _, failed, _ := piped(b, "start\n"); !failed {
		t.Error("a backup with gaps is no failure")
	}
	b = newBot()
	if _, failed, _ := piped(b, "hello\nexit\nbad\n"); failed || b.did() != "hello|exit" {
		t.Errorf("exit does not end it: %q", b.did())
	}
}

func TestPipedStops(t *testing.T) {
	b := newBot()
	ctx, cancel := context.WithCancel(t.Context())
	var buf bytes.Buffer
	c := New(Config{In: strings.NewReader("start\nhello\n"), Out: &buf, Chat: b, Follower: b})
	go func() { <-b.began; cancel() }()
	failed, err := c.Run(ctx)
	if !failed || err != nil || !strings.Contains(buf.String(), "goes on at the next start") || b.did() != "start" {
		t.Errorf("%v %v %q %q", failed, err, buf.String(), b.did())
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Err: syscall.EPIPE}
}

func TestNobodyReads(t *testing.T) {
	b := newBot()
	c := New(Config{In: strings.NewReader("hello\nhello\nhello\n"), Out: brokenPipe{}, Chat: b, Follower: b})
	if failed, err := c.Run(t.Context()); !failed || err != nil || b.did() != "hello" {
		t.Errorf("%v %v %q", failed, err, b.did())
	}
}

// desk is a real pseudo-terminal with the chat on it.
type desk struct {
	t    *testing.T
	pty  *os.File
	mu   sync.Mutex
	out  bytes.Buffer
	more chan struct{}
	done chan error
	log  io.Writer
	c    *Console
}

func open(t *testing.T, b *bot, cols uint16, history string) *desk {
	t.Helper()
	return openWith(t, cols, Config{Chat: b, Follower: b, History: history})
}

func openWith(t *testing.T, cols uint16, cfg Config) *desk {
	t.Helper()
	p, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close(); _ = p.Close() })
	if err := pty.Setsize(p, &pty.Winsize{Cols: cols, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	s := &desk{t: t, pty: p, more: make(chan struct{}, 1), done: make(chan error, 1)}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := p.Read(buf)
			s.mu.Lock()
			s.out.Write(buf[:n])
			s.mu.Unlock()
			select {
			case s.more <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	cfg.In, cfg.Out, cfg.Location, cfg.Welcome, cfg.Now = tty, tty, time.UTC, "Welcome.", time.Now
	c := New(cfg)
	if !c.Interactive() {
		t.Fatal("a pseudo-terminal is no terminal")
	}
	s.log, s.c = c.Stderr(), c
	go func() { _, err := c.Run(context.Background()); s.done <- err }()
	s.expect("Welcome.")
	return s
}

func (s *desk) keys(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.pty, text); err != nil {
		s.t.Fatal(err)
	}
}

// expect waits until the text was written, and forgets all up to its end.
func (s *desk) expect(text string) string {
	s.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		all := s.out.String()
		at := strings.Index(all, text)
		if at >= 0 {
			s.out.Next(at + len(text))
		}
		s.mu.Unlock()
		if at >= 0 {
			return all[:at]
		}
		select {
		case <-s.more:
		case <-deadline:
			s.t.Fatalf("%q was not written; there is %q", text, all)
		}
	}
}

func (s *desk) end() {
	s.t.Helper()
	select {
	case err := <-s.done:
		if err != nil {
			s.t.Error(err)
		}
	case <-time.After(20 * time.Second):
		s.t.Fatal("the chat does not end")
	}
}

func TestChat(t *testing.T) {
	b := newBot()
	history := filepath.Join(t.TempDir(), "history")
	s := open(t, b, 80, history)
	s.keys("hel")
	s.keys("lo\r")
	s.expect("echo hello")
	s.keys("start\r")
	s.expect("Run 7 begins")
	s.expect("[1]")
	b.set(func(r *keepwatch.Run) { r.Progress = keepwatch.Progress{Bytes: 41, TotalBytes: 100} })
	s.expect("41 %")
	s.keys("half typed")
	s.expect("half typed")
	b.set(func(r *keepwatch.Run) { r.State = keepwatch.RunDone })
	s.expect("Run 7 is done")
	s.expect("half typed") // drawn again behind the card
	s.keys("\x03")         // Ctrl-C clears the line
	s.keys("1\r")          // the newest card's button
	s.expect("echo again")
	s.keys("exit\r")
	s.end()
	if got := b.did(); got != "hello|start|again|exit" {
		t.Errorf("asked %q", got)
	}
	data, err := os.ReadFile(history)
	info, err2 := os.Stat(history)
	if err != nil || err2 != nil || string(data) != "hello\nstart\nexit\n" || info.Mode().Perm() != 0o600 {
		t.Errorf("the history is %q (%v), %v, %v", data, info.Mode(), err, err2)
	}
	s = open(t, b, 80, history)
	s.keys("\x1b[A\x1b[A\x1b[A\r") // up, up, up
	s.expect("echo hello")
	s.keys("\x04") // Ctrl-D
	s.end()
}

// TestChatInTheBackground: a run is left alone by Ctrl-C, and its card comes when
// it ends; a second Ctrl-C leaves.
func TestChatInTheBackground(t *testing.T) {
	b := newBot()
	s := open(t, b, 80, "")
	s.keys("start\r")
	s.expect("Run 7 begins")
	b.set(func(r *keepwatch.Run) { r.Progress = keepwatch.Progress{Bytes: 41, TotalBytes: 100} })
	s.expect("41 %")
	s.keys("\x03")
	s.expect("Run 7 goes on")
	b.set(func(r *keepwatch.Run) { r.State = keepwatch.RunDone })
	s.expect("Run 7 is done")
	s.keys("\x03")
	s.end()
}

// TestChatTakesUpWhatWasLeft: a run from before is followed as one begun here is,
// and the log comes above the prompt and cannot move the cursor.
func TestChatTakesUpWhatWasLeft(t *testing.T) {
	b := newBot()
	s := openWith(t, 80, Config{Chat: b, Follower: b, Left: []keepwatch.Run{{ID: 7}}})
	b.set(func(r *keepwatch.Run) { r.Progress = keepwatch.Progress{Bytes: 41, TotalBytes: 100} })
	s.expect("41 %")
	s.keys("half typed")
	s.expect("half typed")
	if _, err := io.WriteString(s.log, "level=ERROR msg=\"no \x1b[2J\"\n"); err != nil {
		t.Fatal(err)
	}
	s.expect(`msg="no \x1b[2J"`)
	s.expect("half typed")
	b.set(func(r *keepwatch.Run) { r.State = keepwatch.RunDone })
	s.expect("Run 7 is done")
	s.keys("\x03\x03")
	s.end()
}

func TestChatCompletes(t *testing.T) {
	b := newBot()
	s := open(t, b, 80, "")
	s.keys("st\t")
	s.expect("does status") // two agree only on what is typed
	s.keys("o\t")
	s.expect("stop-everything")
	s.keys("\r")
	s.expect("echo stop-everything")
	s.keys("\x03\x03")
	s.end()
}

func TestChatOnANarrowTerminal(t *testing.T) {
	b := newBot()
	s := open(t, b, 20, "")
	s.keys("start\r")
	s.expect("[2]")
	b.set(func(r *keepwatch.Run) { r.Progress = keepwatch.Progress{Bytes: 41, TotalBytes: 100} })
	if err := pty.Setsize(s.pty, &pty.Winsize{Cols: 60, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	b.set(func(r *keepwatch.Run) { r.State = keepwatch.RunFailed })
	s.expect("Run 7 is")
	s.keys("exit\r")
	s.end()
}

func TestLineShowsProgressInPlace(t *testing.T) {
	p, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := pty.Setsize(p, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	b := newBot()
	var got bytes.Buffer
	read := make(chan error, 1)
	go func() { _, err := io.Copy(&got, p); read <- err }()
	go func() {
		<-b.began
		b.set(func(r *keepwatch.Run) { r.Progress = keepwatch.Progress{Bytes: 41, TotalBytes: 100} })
		b.set(func(r *keepwatch.Run) { r.State = keepwatch.RunDone })
	}()
	c := New(Config{In: strings.NewReader(""), Out: tty, Chat: b, Follower: b})
	if failed, err := c.Line(t.Context(), "start"); failed || err != nil {
		t.Errorf("%v %v", failed, err)
	}
	_ = tty.Close()
	if err := <-read; err != nil && !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	v := newVT(80, 24)
	_, _ = v.Write(got.Bytes())
	if !strings.Contains(got.String(), "Run 7, notes: ") || len(v.unknown) > 0 {
		t.Errorf("it was not followed: %q, unknown %q", got.String(), v.unknown)
	}
	if seen := v.String(); seen != "▌ • Run 7 is done\n▌ [1] Again\n\n|\n" {
		t.Errorf("there remains\n%s", seen)
	}
	got.Reset()
	if term.IsTerminal(int(p.Fd())) {
		plain := New(Config{In: strings.NewReader(""), Out: p, Chat: b, Follower: b, Plain: true})
		if s := plain.style(); s.colour || s.bar {
			t.Error("NO_COLOR is not respected")
		}
	}
}
