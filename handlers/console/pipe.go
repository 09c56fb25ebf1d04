package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"keepwatch"
)

// piped executes line by line until the input or ctx ends. On a terminal that
// can do nothing but lines it is the chat.
func (c *Console) piped(ctx context.Context) (bool, error) {
	ask := func() {}
	if _, in := terminal(c.cfg.In); in && c.cfg.Dumb {
		c.write(clean(c.cfg.Welcome) + "\n\n")
		ask = func() { c.write("> ") }
	}
	lines := make(chan inputLine)
	go readLines(ctx, c.cfg.In, lines)
	for c.outErr == nil {
		ask()
		var in inputLine
		select {
		case <-ctx.Done():
			return c.outcome(ctx)
		case in = <-lines:
		}
		switch text := strings.TrimSpace(in.text); {
		case errors.Is(in.err, io.EOF):
			return c.outcome(ctx)
		case in.err != nil:
			return true, fmt.Errorf("read the next line: %w", in.err)
		case in.long:
			c.say(tooLong())
		case !skipped(text):
			if quit := c.execute(ctx, text); quit {
				return c.outcome(ctx)
			}
		}
	}
	return c.outcome(ctx)
}

// skipped reports whether a line asks for nothing.
func skipped(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || strings.HasPrefix(text, "#")
}

// inputLine is a line that was read, or why there is none.
type inputLine struct {
	text string
	long bool // it was longer than a line may be
	err  error
}

// readLines hands over line after line. It may hang in a read when the program
// is to stop, and ends with it.
func readLines(ctx context.Context, from io.Reader, lines chan<- inputLine) {
	in := bufio.NewReaderSize(from, maxLine+1)
	for {
		text, err := in.ReadSlice('\n')
		next := inputLine{text: string(text)}
		for errors.Is(err, bufio.ErrBufferFull) {
			next = inputLine{long: true}
			_, err = in.ReadSlice('\n')
		}
		if err != nil && next.text == "" && !next.long {
			next.err = err
		}
		select {
		case lines <- next:
		case <-ctx.Done():
			return
		}
		if next.err != nil {
			return
		}
	}
}

// execute carries out one line and waits until its run, if it has one, is
// settled.
func (c *Console) execute(ctx context.Context, text string) (quit bool) {
	button, ok := c.press(strings.TrimSpace(text))
	switch {
	case !ok:
		c.say(noButton(text))
		return false
	case asksMore(button): // the buttons stay as they are
		c.write(strings.Join(c.style().render(toType(button)), "\n") + "\n\n")
		return false
	}
	msg := c.cfg.Chat.Handle(ctx, c.request(button.Command))
	switch {
	case msg.Quit:
		return true
	case msg.Run > 0:
		c.await(ctx, msg.Run)
	default:
		c.say(msg)
	}
	return false
}

// await follows a run and says how it ended. On a terminal its progress is shown
// meanwhile.
func (c *Console) await(ctx context.Context, id int64) {
	show, clear := c.meter()
	run, err := c.cfg.Follower.Follow(ctx, id, show)
	clear()
	switch {
	case err == nil && run.State.Settled():
		msg := c.cfg.Chat.RunMessage(run)
		msg.Failed = msg.Failed || run.State != keepwatch.RunDone
		c.say(msg)
	case ctx.Err() != nil:
		text := "Keepwatch is stopping. What is finished stays finished; the run goes on at the next start."
		if c.cfg.Elsewhere {
			text = "It goes on in the running Keepwatch."
		}
		c.say(keepwatch.Message{Title: fmt.Sprintf("Run %d is not over", id), Tone: keepwatch.ToneWarn, Failed: true, Blocks: []keepwatch.Block{keepwatch.Text(text)}})
	default:
		c.cfg.Log.Error("a run could not be followed", "run", id, "err", err)
		c.say(lost(id))
	}
}

// say writes a message, and remembers its buttons and whether it failed.
func (c *Console) say(m keepwatch.Message) {
	c.remember(m)
	m = c.beside(m)
	c.write(strings.Join(c.style().render(m), "\n") + "\n\n")
}

func (c *Console) write(text string) {
	if c.outErr == nil {
		_, c.outErr = io.WriteString(c.cfg.Out, text)
	}
}

// style is how cards look outside the chat: with colours on a terminal that
// wants them, as plain lines elsewhere.
func (c *Console) style() style {
	s := style{loc: c.cfg.Location, now: c.cfg.Now}
	if out, ok := terminal(c.cfg.Out); ok {
		s.width, _ = sizeOf(out)()
		s.colour, s.bar = !c.cfg.Plain && !c.cfg.Dumb, !c.cfg.Plain && !c.cfg.Dumb
	}
	return s
}
