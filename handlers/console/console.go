// Package console is the terminal chat: the front-end for whoever sits at the
// machine, with no account anywhere.
//
// On a terminal it edits lines, completes, draws cards, and shows a run's
// progress in place, beside the prompt, so that typing goes on meanwhile. Fed
// from a pipe it executes line by line, awaits each run and writes plain text.
package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"keepwatch"
	"keepwatch/handlers"
)

// Chat is what answers: handlers.Router is one.
type Chat interface {
	Handle(ctx context.Context, req keepwatch.Request) keepwatch.Message
	Complete(ctx context.Context, req keepwatch.Request, cursor int) []handlers.Candidate
	RunMessage(run keepwatch.Run) keepwatch.Message
}

// Follower shows how runs go on: engine.Engine is one.
type Follower interface {
	Follow(ctx context.Context, id int64, fn func(keepwatch.Run)) (keepwatch.Run, error)
}

// Config is what a Console needs.
type Config struct {
	In       io.Reader // *os.File where it may be a terminal
	Out      io.Writer // likewise
	Chat     Chat
	Follower Follower
	Account  keepwatch.Account
	Location *time.Location
	Plain    bool   // no colour and no cursor movement: NO_COLOR, TERM=dumb
	Dumb     bool   // no line editing either: TERM=dumb
	History  string // file of the lines typed; "": none
	Welcome  string // first line of the chat
	Log      *slog.Logger
	Now      func() time.Time
}

// Console is a terminal chat.
type Console struct {
	cfg     Config
	buttons []keepwatch.Button // of the newest card
	failed  bool
	mu      sync.Mutex // guards the two above and writes to Out
	outErr  error
}

// New makes one.
func New(cfg Config) *Console {
	if cfg.Location == nil {
		cfg.Location = time.Local
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Console{cfg: cfg}
}

// terminal gives the file behind r or w if it is a terminal.
func terminal(v any) (*os.File, bool) {
	f, ok := v.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, false
	}
	return f, true
}

// Interactive reports whether Run will open the chat: both ends are terminals.
func (c *Console) Interactive() bool {
	_, in := terminal(c.cfg.In)
	_, out := terminal(c.cfg.Out)
	return in && out && !c.cfg.Dumb
}

// Run is the chat, or executes what is piped in. It gives whether anything
// failed; an error means that the console itself did.
func (c *Console) Run(ctx context.Context) (failed bool, err error) {
	if c.Interactive() {
		return false, c.chat(ctx)
	}
	return c.piped(ctx)
}

// Line executes one line and awaits its run.
func (c *Console) Line(ctx context.Context, line string) (failed bool, err error) {
	c.execute(ctx, line)
	return c.failed, c.outErr
}

// Await waits for runs that were left from before, and shows how they ended.
func (c *Console) Await(ctx context.Context, runs []keepwatch.Run) (failed bool, err error) {
	for _, run := range runs {
		c.await(ctx, run.ID)
	}
	return c.failed, c.outErr
}

// maxLine is the longest line that is taken in, in bytes; commands are shorter.
const maxLine = 64 << 10

// piped executes line by line until the input or ctx ends.
func (c *Console) piped(ctx context.Context) (bool, error) {
	in := bufio.NewReaderSize(c.cfg.In, maxLine)
	for ctx.Err() == nil && c.outErr == nil {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			c.say(keepwatch.Message{Title: "That line is too long", Tone: keepwatch.ToneWarn, Failed: true, Refused: keepwatch.KindInvalid,
				Blocks: []keepwatch.Block{keepwatch.Text(fmt.Sprintf("A line may have %s; this one was skipped.", keepwatch.FormatBytes(maxLine)))}})
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = in.ReadSlice('\n')
			}
			line = nil
		}
		text := strings.TrimSpace(string(line))
		if text != "" && !strings.HasPrefix(text, "#") {
			if quit := c.execute(ctx, text); quit {
				break
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return true, fmt.Errorf("read the next line: %w", err)
		}
	}
	if errors.Is(c.outErr, syscall.EPIPE) {
		return true, nil // whoever read the answers has gone
	}
	return c.failed || ctx.Err() != nil, c.outErr
}

// execute carries out one line and waits until its run, if it has one, is
// settled.
func (c *Console) execute(ctx context.Context, text string) (quit bool) {
	command, ok := c.press(text)
	if !ok {
		c.say(noButton(text))
		return false
	}
	msg := c.cfg.Chat.Handle(ctx, c.request(command))
	if msg.Quit {
		return true
	}
	if msg.Run == 0 {
		c.say(msg)
		return false
	}
	c.await(ctx, msg.Run)
	return false
}

// await follows a run and says how it ended. On a terminal its progress is
// shown meanwhile, in one line.
func (c *Console) await(ctx context.Context, id int64) {
	show, clear := c.meter()
	run, err := c.cfg.Follower.Follow(ctx, id, show)
	clear()
	switch {
	case ctx.Err() != nil:
		c.say(keepwatch.Message{Title: fmt.Sprintf("Run %d is not over", id), Tone: keepwatch.ToneWarn, Failed: true,
			Blocks: []keepwatch.Block{keepwatch.Text("Keepwatch is stopping. What is finished stays finished; the run goes on at the next start.")}})
		return
	case err != nil:
		c.cfg.Log.Error("a run could not be followed", "run", id, "err", err)
	}
	msg := c.cfg.Chat.RunMessage(run)
	msg.Failed = run.State != keepwatch.RunDone
	c.say(msg)
}

// meter gives functions that show progress in one line of the terminal and
// remove it again; elsewhere they do nothing.
func (c *Console) meter() (show func(keepwatch.Run), clear func()) {
	out, ok := terminal(c.cfg.Out)
	if !ok || c.cfg.Plain {
		return func(keepwatch.Run) {}, func() {}
	}
	s := c.style()
	return func(run keepwatch.Run) {
			if run.State == keepwatch.RunRunning {
				fmt.Fprintf(out, "\r\x1b[K%s", s.progress(run.Progress, max(s.width-1, 10)))
			}
		}, func() {
			fmt.Fprint(out, "\r\x1b[K")
		}
}

// press gives the command behind a number, or the text itself. It reports false
// for a number that is on no button.
func (c *Console) press(text string) (string, bool) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return text, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n < 1 || n > len(c.buttons) {
		return "", false
	}
	return c.buttons[n-1].Command, true
}

func noButton(text string) keepwatch.Message {
	return keepwatch.Message{Title: "There is no button " + text, Tone: keepwatch.ToneWarn, Failed: true, Refused: keepwatch.KindInvalid,
		Blocks: []keepwatch.Block{keepwatch.Text("A number presses a button of the newest answer.")}}
}

// request makes a request of a line.
func (c *Console) request(text string) keepwatch.Request {
	return keepwatch.Request{Text: text, Account: c.cfg.Account, Channel: "terminal", Private: true, Local: true, At: c.cfg.Now()}
}

// say writes a message, remembers its buttons, and whether it failed.
func (c *Console) say(m keepwatch.Message) {
	lines := c.style().render(m)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buttons = m.Buttons
	c.failed = c.failed || m.Failed
	if c.outErr == nil {
		_, c.outErr = io.WriteString(c.cfg.Out, strings.Join(lines, "\n")+"\n\n")
	}
}

// style looks at the terminal anew, which may have changed its size.
func (c *Console) style() style {
	s := style{loc: c.cfg.Location, now: c.cfg.Now}
	if out, ok := terminal(c.cfg.Out); ok {
		if w, _, err := term.GetSize(int(out.Fd())); err == nil && w > 0 {
			s.width = w
		}
		s.colour, s.bar = !c.cfg.Plain, !c.cfg.Plain
	}
	return s
}
