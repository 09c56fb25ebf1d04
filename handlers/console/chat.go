package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"keepwatch"
)

const prompt = "› "

// session is one chat. One goroutine, that of loop, has the line, the runs and
// the screen; the others hand it what they have to say through events.
type session struct {
	c       *Console
	ctx     context.Context
	in      *os.File
	screen  *screen
	events  chan func()
	over    chan struct{} // closed when loop has ended
	history *history

	line    line
	recall  recall
	menu    *menu
	waiting []string // lines of a paste that come after the one at the prompt

	working sync.WaitGroup
	busy    bool               // a command is being carried out
	stop    context.CancelFunc // of that command
	stopped bool               // Ctrl-C has asked it to stop
	queue   []key              // pressed meanwhile
	held    []func()           // ends of runs meanwhile
	pressed bool               // the last key pressed a button at once

	runs   map[int64]*followed
	cardOf int64  // the run that the newest card is about
	title  string // of the newest card
	quit   bool
}

// chat is the chat on a terminal.
func (c *Console) chat(ctx context.Context) error {
	in, _ := terminal(c.cfg.In)
	out, _ := terminal(c.cfg.Out)
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("set up the terminal: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &session{
		c: c, ctx: ctx, in: in, screen: &screen{out: out, size: sizeOf(out)}, history: openHistory(c.cfg.History),
		events: make(chan func()), over: make(chan struct{}), runs: map[int64]*followed{},
	}
	s.recall.at = -1
	defer s.working.Wait() // what was begun may still use the state
	defer func() { _ = term.Restore(int(in.Fd()), before) }()
	defer cancel()
	const pasteOn, pasteOff = "\x1b[?2004h", "\x1b[?2004l"
	if _, err := io.WriteString(out, pasteOn); err != nil {
		return err
	}
	defer func() { _, _ = io.WriteString(out, pasteOff) }()
	defer close(s.over)
	defer close(c.over)
	defer c.listen()()
	s.welcome()
	return s.loop()
}

// sizeOf reads the size of a terminal anew each time; 80 by 24 where it is not
// told, and never so small that nothing can be drawn.
func sizeOf(out *os.File) func() (columns, rows int) {
	return func() (int, int) {
		w, h, err := term.GetSize(int(out.Fd()))
		if err != nil || w <= 0 || h <= 0 {
			return 80, 24
		}
		return max(w, 4), max(h, 2)
	}
}

// welcome prints the first lines, and takes up the runs left from before.
func (s *session) welcome() {
	var lines []string
	for l := range strings.SplitSeq(s.c.cfg.Welcome, "\n") {
		lines = append(lines, s.style().wrap(clean(l), 0)...)
	}
	s.print(append(lines, ""))
	for _, run := range s.c.cfg.Left {
		s.follow(run.ID)
	}
}

// style is how cards look in the chat.
func (s *session) style() style {
	columns, _ := s.screen.size()
	return style{width: columns, bar: true, colour: !s.c.cfg.Plain, loc: s.c.cfg.Location, now: s.c.cfg.Now}
}

// pauseAfter is how long the rest of an escape sequence is waited for, until a
// lone ESC counts as the key.
const pauseAfter = 50 * time.Millisecond

// loop takes in keys, events and changes of size until the person leaves.
func (s *session) loop() error {
	input, failed := make(chan []byte), make(chan error, 1)
	go s.read(input, failed)
	resized, stopWatching := watchSize()
	defer stopWatching()
	var d decoder
	for !s.quit {
		s.draw(s.c.takeNotices())
		if s.screen.err != nil {
			return nil // the terminal has gone; what runs goes on
		}
		var pause <-chan time.Time
		if d.waiting() {
			pause = time.After(pauseAfter)
		}
		select {
		case p := <-input:
			s.keys(d.feed(p))
		case <-pause:
			s.keys(d.pause())
		case do := <-s.events:
			do()
		case p := <-s.c.posts:
			s.posted(p)
		case <-resized:
		case <-s.c.noticed:
		case err := <-failed:
			s.leave()
			if hungUp(err) {
				return nil
			}
			return fmt.Errorf("read from the terminal: %w", err)
		case <-s.ctx.Done():
			s.quit = true
		}
	}
	s.leave()
	return nil
}

// read hands over what is typed. It may hang in a read of the terminal when the
// chat is over; it ends with the program.
func (s *session) read(input chan<- []byte, failed chan<- error) {
	for {
		buf := make([]byte, 4096)
		n, err := s.in.Read(buf)
		if n > 0 {
			select {
			case input <- buf[:n]:
			case <-s.over:
				return
			}
		}
		if err != nil {
			failed <- err
			return
		}
	}
}

// do has loop carry out something. It does nothing once the chat is over.
func (s *session) do(what func()) {
	select {
	case s.events <- what:
	case <-s.over:
	}
}

func (s *session) draw(lines []string) { s.screen.draw(lines, s.foot) }

func (s *session) print(lines []string) { s.draw(lines) }

// leave clears the foot and says what goes on.
func (s *session) leave() {
	if s.stop != nil {
		s.stop()
	}
	var lines []string
	if n := len(s.runs); n > 0 {
		text := keepwatch.FormatCount(int64(n), "run is", "runs are") + " not over. What is finished stays finished; the rest goes on at the next start."
		if s.c.cfg.Elsewhere {
			text = keepwatch.FormatCount(int64(n), "run is", "runs are") + " not over. They go on in the running Keepwatch."
		}
		lines = s.style().wrap(text, 0)
	}
	s.screen.draw(lines, nil)
}

// keys carries out keys; while a command is being carried out they wait, but for
// Ctrl-C, which stops it.
func (s *session) keys(keys []key) {
	for i, k := range keys {
		switch {
		case s.quit:
			return
		case s.busy && k.code == keyInterrupt:
			s.quit = s.stopped // it does not heed the first one
			s.queue, s.stopped = nil, true
			s.stop()
		case s.busy:
			s.queue = append(s.queue, keys[i])
		default:
			s.key(k)
		}
	}
}

func (s *session) key(k key) {
	pressed := s.pressed
	s.pressed = false
	if k.code == keyTab || k.code == keyBackTab {
		s.tab(k.code)
		return
	}
	menu := s.menu
	s.menu = nil
	if k.code != keyUp && k.code != keyDown {
		s.recall.at = -1
	}
	switch k.code {
	case keyText:
		s.typed(k.text)
	case keyPaste:
		s.paste(k.text)
	case keyEnter:
		if !pressed { // whoever types a number and Enter means the button
			s.enter()
		}
	case keyEscape:
		if menu == nil && s.line.text == "" {
			s.toBackground("")
		}
	case keyInterrupt:
		s.interrupt()
	case keyEnd:
		s.quit = s.line.text == ""
		s.line.edit(keyDelete)
	case keyClear:
		s.screen.clear()
	case keyUp, keyDown:
		s.recall.step(s.history, &s.line, k.code == keyUp)
	default:
		s.line.edit(k.code)
	}
}

// typed puts a text into the line, or presses a button at once: a digit on an
// empty line, while the newest card is that of a run under way.
func (s *session) typed(text string) {
	f := s.runs[s.cardOf]
	button, ok := s.c.button(text)
	if ok && len(text) == 1 && s.line.text == "" && f != nil && f.shown && len(s.c.buttons) < 10 {
		s.pressed = true
		s.push("/"+strings.TrimPrefix(button.Command, "/"), button)
		return
	}
	s.insert(text)
}

func (s *session) insert(text string) {
	if !s.line.insert(typeable(text)) {
		s.show(tooLong())
	}
}

// paste puts what is pasted into the line. Of several lines the first comes to
// the prompt and each Enter brings the next, so that nothing that is pasted is
// carried out unseen.
func (s *session) paste(text string) {
	if len(text) > maxLine {
		s.show(tooLong())
		return
	}
	lines := slices.DeleteFunc(strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' }), skipped)
	if len(lines) > 0 {
		s.insert(lines[0])
		s.waiting = lines[1:]
	}
}

// enter carries out the line; an empty one sends the run that is shown to the
// background.
func (s *session) enter() {
	text := strings.TrimSpace(s.line.text)
	s.line.set("")
	if text == "" {
		s.toBackground("")
		return
	}
	if skipped(text) {
		s.print([]string{s.echo(text)})
		s.next()
		return
	}
	s.history.add(text)
	button, ok := s.c.press(text)
	if !ok {
		s.print([]string{s.echo(text)})
		s.show(noButton(text))
		return
	}
	s.push(text, button)
}

// push carries out the command of a button, or shows what to type where that asks for
// more. The buttons that are there stay as they are then.
func (s *session) push(shown string, b keepwatch.Button) {
	if !asksMore(b) {
		s.submit(shown, b.Command)
		return
	}
	s.print(append(append([]string{s.echo(shown)}, s.style().render(toType(b))...), ""))
	s.next()
}

// interrupt: Ctrl-C clears the line, then sends the run that is shown to the
// background, then leaves.
func (s *session) interrupt() {
	switch {
	case s.line.text != "":
		s.line.set("")
		s.waiting = nil
	case s.shown() != nil:
		s.toBackground(" Ctrl-C once more leaves.")
	default:
		s.quit = true
	}
}

// echo is a line that was entered, as it stays on the screen.
func (s *session) echo(text string) string {
	return s.style().paint(toneColour[keepwatch.ToneInfo], prompt) + clean(text)
}

// submit carries out a command beside the loop, so that the terminal still
// listens.
func (s *session) submit(shown, command string) {
	s.print([]string{s.echo(shown)})
	ctx, stop := context.WithCancel(s.ctx)
	s.busy, s.stop, s.stopped = true, stop, false
	s.working.Go(func() {
		msg := s.c.cfg.Chat.Handle(ctx, s.c.request(command))
		s.do(func() { s.answered(msg) })
	})
}

// answered shows an answer, and takes up what has waited for it.
func (s *session) answered(msg keepwatch.Message) {
	s.stop()
	s.busy, s.stop = false, nil
	if msg.Quit {
		s.quit = true
		return
	}
	s.show(msg)
	if msg.Run > 0 {
		s.follow(msg.Run)
	}
	held := s.held
	s.held = nil
	for _, end := range held {
		end()
	}
	s.next()
	queue := s.queue
	s.queue = nil
	s.keys(queue)
}

// next brings the next line of a paste to the prompt.
func (s *session) next() {
	if len(s.waiting) > 0 && s.line.text == "" {
		s.line.insert(typeable(s.waiting[0]))
		s.waiting = s.waiting[1:]
	}
}

// show prints a card. The bar of a run that is followed stands at the foot.
func (s *session) show(m keepwatch.Message) {
	s.c.remember(m)
	m = s.c.beside(m)
	s.cardOf, s.title = m.Run, m.Title
	if m.Run > 0 {
		m.Blocks = slices.DeleteFunc(slices.Clone(m.Blocks), func(b keepwatch.Block) bool { return b.Progress != nil })
	}
	s.print(append(s.style().render(m), ""))
}

// hungUp reports whether an error of reading means that the terminal has gone.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) || isHangup(err)
}
