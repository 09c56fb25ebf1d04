package slack

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
)

func noCheck(context.Context) []keepwatch.Probe { return nil }

// counter is a handlers.Counter that remembers what it took. A delivery whose
// key it knows is taken and not fresh.
type counter struct {
	mu      sync.Mutex
	taken   []keepwatch.Delivery
	again   int // deliveries that were known
	fail    error
	crash   bool
	hold    chan struct{} // Take waits until it is closed
	buttons map[string]keepwatch.Button
	table   []handlers.Command
	answer  func(d keepwatch.Delivery) // called after a fresh delivery was taken
	busy    sync.WaitGroup
	news    chan struct{}
}

func newCounter() *counter {
	return &counter{buttons: map[string]keepwatch.Button{}, news: make(chan struct{}, 1000)}
}

func (c *counter) Take(_ context.Context, d keepwatch.Delivery) (bool, error) {
	c.mu.Lock()
	hold, crash := c.hold, c.crash
	c.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if crash {
		panic("a counter that breaks")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return false, c.fail
	}
	for _, known := range c.taken {
		if known.Key == d.Key {
			c.again++
			c.tell()
			return false, nil
		}
	}
	c.taken = append(c.taken, d)
	c.tell()
	if c.answer != nil {
		answer := c.answer
		c.busy.Go(func() { answer(d) })
	}
	return true, nil
}

func (c *counter) tell() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

func (c *counter) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

func (c *counter) deliveries() []keepwatch.Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]keepwatch.Delivery{}, c.taken...)
}

// wait waits until so many deliveries were taken, and so many came again.
func (c *counter) wait(t testing.TB, taken, again int) []keepwatch.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		c.mu.Lock()
		got, repeated := len(c.taken), c.again
		c.mu.Unlock()
		if got >= taken && repeated >= again {
			return c.deliveries()
		}
		select {
		case <-c.news:
		case <-ctx.Done():
			t.Fatalf("%d deliveries were taken and %d came again; %d and %d are waited for", got, repeated, taken, again)
		}
	}
}

func (c *counter) Complete(context.Context, keepwatch.Request, int) []handlers.Candidate { return nil }

func (c *counter) Button(token string) (keepwatch.Button, error) {
	if command, ok := strings.CutPrefix(token, "="); ok {
		return keepwatch.Button{Command: command}, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.buttons[token]; ok {
		return b, nil
	}
	return keepwatch.Button{}, keepwatch.Errorf(keepwatch.KindNotFound, "no such button")
}

// keep remembers the buttons of a message that need it.
func (c *counter) keep(m keepwatch.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range m.AllButtons() {
		if token, kept := b.Token(); kept {
			c.buttons[token] = b
		}
	}
}

func (c *counter) Commands() []handlers.Command { return c.table }
