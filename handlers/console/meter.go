package console

import (
	"fmt"
	"io"
	"strings"
	"time"

	"keepwatch"
)

// meter gives functions that show how a run goes on, and remove that again:
// rows that change in place where Out is a terminal, else a line now and then
// where Err is one, else nothing.
func (c *Console) meter() (show func(keepwatch.Run), clear func()) {
	if out, ok := terminal(c.cfg.Out); ok && !c.cfg.Plain && !c.cfg.Dumb {
		foot := &screen{out: out, size: sizeOf(out)}
		return func(run keepwatch.Run) { foot.draw(nil, c.meterFoot(run)) }, func() { foot.draw(nil, nil) }
	}
	if _, ok := terminal(c.cfg.Err); ok {
		return c.occasionally(), func() {}
	}
	return func(keepwatch.Run) {}, func() {}
}

// meterFoot draws a run under way, and nothing once it is settled: its card is
// about to come.
func (c *Console) meterFoot(run keepwatch.Run) func(columns, rows int) foot {
	return func(columns, rows int) foot {
		if run.State.Settled() {
			return foot{}
		}
		s := c.style()
		s.width = columns - 1
		live := s.live(run, c.cfg.Chat.RunMessage(run), 0)
		return foot{rows: append(live[max(len(live)-rows+1, 0):], ""), row: min(len(live), rows-1)}
	}
}

// between is the least time between two lines about the progress of a run.
const between = 10 * time.Second

// occasionally writes a line about a run to Err, not more often than between.
func (c *Console) occasionally() func(keepwatch.Run) {
	last := c.cfg.Now()
	return func(run keepwatch.Run) {
		if now := c.cfg.Now(); now.Sub(last) >= between && run.State == keepwatch.RunRunning {
			last = now
			_, _ = fmt.Fprintf(c.cfg.Err, "Run %d: %s\n", run.ID, style{loc: c.cfg.Location}.standing(run.Progress, 0))
		}
	}
}

// Stderr is where a log may go while there is a chat: its lines come above the
// prompt then, and go to Config.Err otherwise.
func (c *Console) Stderr() io.Writer { return notices{c} }

type notices struct{ c *Console }

// Write takes in lines, each whole.
func (n notices) Write(p []byte) (int, error) {
	c := n.c
	c.mu.Lock()
	if c.listening {
		c.notices = append(c.notices, strings.Split(strings.TrimRight(string(p), "\n"), "\n")...)
	}
	listening := c.listening
	c.mu.Unlock()
	if !listening {
		if c.cfg.Err == nil {
			return len(p), nil
		}
		return c.cfg.Err.Write(p)
	}
	select {
	case c.noticed <- struct{}{}:
	default:
	}
	return len(p), nil
}

// listen has notices come above the prompt until the function that it gives is
// called.
func (c *Console) listen() (stop func()) {
	set := func(on bool) {
		c.mu.Lock()
		c.listening = on
		c.mu.Unlock()
	}
	set(true)
	return func() {
		set(false)
		for _, l := range c.takeNotices() {
			_, _ = fmt.Fprintf(c.cfg.Out, "%s\r\n", l)
		}
	}
}

// takeNotices gives the lines that have come, fit for the terminal.
func (c *Console) takeNotices() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := c.notices
	c.notices = nil
	for i, l := range lines {
		lines[i] = clean(l)
	}
	return lines
}
