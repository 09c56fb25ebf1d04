package discordtest

import (
	"sync"
	"time"
)

// Clock is a time that stands still until [Clock.Advance] moves it. A nil *Clock
// is the wall clock. It may be shared with the program under test, as its Now.
type Clock struct {
	mu   sync.Mutex
	now  time.Time
	wake []func()
}

// NewClock gives a clock that shows start.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now is the clock's time; of a nil clock, the time of the wall.
func (c *Clock) Now() time.Time {
	if c == nil {
		return time.Now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock, and wakes all who wait for what time brings.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	wake := c.wake
	c.mu.Unlock()
	for _, f := range wake {
		f()
	}
}

func (c *Clock) onAdvance(f func()) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wake = append(c.wake, f)
}
