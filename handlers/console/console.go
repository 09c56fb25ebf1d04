// Package console is the terminal chat: the front-end for whoever sits at the
// machine, with no account anywhere.
//
// On a terminal it edits lines, completes, draws cards, and shows a run's
// progress in place, beside the prompt, so that typing goes on meanwhile. Fed
// from a pipe it executes line by line, awaits each run and writes plain text.
package console

import (
	"context"
	"errors"
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
	Err      io.Writer // likewise; where Out is no terminal and this is, piped runs say here how they go on; nil: nowhere
	Chat     Chat
	Follower Follower
	Left     []keepwatch.Run // those that go on from before, for the chat to follow; otherwise Await does
	Account  keepwatch.Account
	// Elsewhere: the runs go on in another process when this one ends.
	Elsewhere bool
	Location  *time.Location
	Plain     bool   // no colour, and outside the chat no cursor movement: NO_COLOR
	Dumb      bool   // no cursor movement in the chat either, so no line editing: TERM=dumb
	History   string // file of the lines typed; "": none
	Welcome   string // first lines of the chat
	// Keep writes a file of a message, and gives its path; nil: the message says
	// what the file shows.
	Keep func(keepwatch.File) (path string, err error)
	Log  *slog.Logger
	Now  func() time.Time
}

// Console is a terminal chat. Run, Line and Await are called one after the
// other.
type Console struct {
	cfg     Config
	buttons []keepwatch.Button // of the newest card
	failed  bool
	outErr  error

	posts     chan post     // messages that come by themselves
	over      chan struct{} // closed when the chat is
	noticed   chan struct{} // there are notices
	mu        sync.Mutex    // guards the two below
	listening bool
	notices   []string
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
	return &Console{cfg: cfg, noticed: make(chan struct{}, 1), posts: make(chan post), over: make(chan struct{})}
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
	if len(line) > maxLine {
		c.say(tooLong())
	} else {
		c.execute(ctx, line)
	}
	return c.outcome(ctx)
}

// Await waits for runs that were left from before, and shows how they ended.
func (c *Console) Await(ctx context.Context, runs []keepwatch.Run) (failed bool, err error) {
	for _, run := range runs {
		c.await(ctx, run.ID)
	}
	return c.outcome(ctx)
}

// outcome is what Run, Line and Await give. Whoever was reading the answers may
// have gone; that needs no words.
func (c *Console) outcome(ctx context.Context) (failed bool, err error) {
	if errors.Is(c.outErr, syscall.EPIPE) {
		return true, nil
	}
	return c.failed || ctx.Err() != nil, c.outErr
}

// press gives the button behind a number, or one for the text itself. It reports
// false for a number that is on no button.
func (c *Console) press(text string) (keepwatch.Button, bool) {
	if strings.EqualFold(strings.TrimPrefix(text, "/"), "quit") { // what other programs call it
		return keepwatch.Button{Command: "exit"}, true
	}
	if strings.Trim(text, "0123456789") != "" {
		return keepwatch.Button{Command: text}, true
	}
	return c.button(text)
}

// button gives the button behind a number.
func (c *Console) button(number string) (keepwatch.Button, bool) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(c.buttons) {
		return keepwatch.Button{}, false
	}
	return c.buttons[n-1], true
}

func noButton(text string) keepwatch.Message {
	return keepwatch.Message{Title: "There is no button " + text, Tone: keepwatch.ToneWarn, Failed: true, Refused: keepwatch.KindInvalid,
		Blocks: []keepwatch.Block{keepwatch.Text("A number presses a button of the newest answer.")}}
}

// maxLine is the longest line that is taken in, in bytes; commands are shorter.
const maxLine = 64 << 10

func tooLong() keepwatch.Message {
	return keepwatch.Message{Title: "That line is too long", Tone: keepwatch.ToneWarn, Failed: true, Refused: keepwatch.KindInvalid,
		Blocks: []keepwatch.Block{keepwatch.Text("A line may have " + keepwatch.FormatBytes(maxLine) + "; this one was skipped.")}}
}

// request makes a request of a line.
func (c *Console) request(text string) keepwatch.Request {
	return keepwatch.Request{Text: text, Account: c.cfg.Account, Channel: "terminal", Private: true, Local: true, At: c.cfg.Now()}
}

// remember keeps what a card means for what comes after it: its buttons, and
// whether something failed.
func (c *Console) remember(m keepwatch.Message) {
	c.buttons = numbered(m)
	c.failed = c.failed || m.Failed || m.Refused != keepwatch.KindInternal
}
