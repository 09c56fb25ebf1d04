package graph

import (
	"strings"
	"time"
)

// worthKeeping is the shortest pause that is kept over a restart. Shorter ones are over before
// a program is up again, and come too often to be written to a disk each time.
const worthKeeping = 10 * time.Second

// Fences keep over restarts until when no call may be made. A name stands for a mailbox, or
// for the application, and has no secret in it.
type Fences interface {
	// Fence gives when a fence was put up and until when it stands, by the wall clock; zero
	// times where none is kept under the name.
	Fence(name string) (since, until time.Time, err error)
	// KeepFence keeps one in the place of what was kept under the name. It returns after it is
	// on disk.
	KeepFence(name string, since, until time.Time) error
}

// nameOf is what the fence of a lane is kept as, the application's without a mailbox.
func (c *Client) nameOf(mailbox ...string) string {
	return strings.ToLower(strings.Join(append([]string{"graph", c.config.Tenant, c.config.Client}, mailbox...), "/"))
}

// recall puts up the fence again that a lane had before the program was started.
func (c *Client) recall(l *lane) {
	if c.config.Fences == nil {
		return
	}
	since, until, err := c.config.Fences.Fence(l.name)
	if err != nil {
		c.log.Warn("whether Microsoft 365 has asked for a pause before the start cannot be read, and the first call may come too early", "lane", l.name, "err", err)
		return
	}
	if wait := standing(c.clock.Now(), since, until); wait > 0 {
		l.fence(wait)
		c.log.Info("a pause that Microsoft 365 asked for before the start is not over", "lane", l.name, "left", wait)
	}
}

// standing gives how long a fence still stands. Where the clock shows a time before it was put
// up, the clock was set, and nobody knows how much of it is over: no more than what is waited
// for within a call counts.
func standing(now, since, until time.Time) time.Duration {
	if now.Before(since) {
		return min(until.Sub(since), mostWait)
	}
	return min(until.Sub(now), longestFence)
}

// keep keeps the fence of a lane, if it stands for long enough. Calls that are refused at the
// same time keep it once.
func (c *Client) keep(l *lane) {
	if c.config.Fences == nil || l.fenced() < worthKeeping {
		return
	}
	l.keeping.Lock()
	defer l.keeping.Unlock()
	now := c.clock.Now()
	wait := l.fenced()
	until := now.Add(wait + time.Second - 1).Truncate(time.Second) // the wall clock's: no monotonic part is left
	if !until.After(l.kept) {
		return
	}
	if err := c.config.Fences.KeepFence(l.name, now.Round(0).UTC(), until.UTC()); err != nil {
		c.log.Warn("a pause that Microsoft 365 asks for cannot be kept, and would be forgotten by a restart", "lane", l.name, "err", err)
		return
	}
	l.kept = until
}
