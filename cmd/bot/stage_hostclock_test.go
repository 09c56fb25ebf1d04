package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// ticking is a host's clock that goes on by a second at each look, so that no two
// backups have one name.
func ticking() func() time.Time {
	var clock hostClock
	return clock.now
}

// hostClock is one that can be set.
type hostClock struct {
	ahead atomic.Int64 // of the machine's
	looks atomic.Int64
}

func (c *hostClock) now() time.Time {
	return time.Now().Add(time.Duration(c.ahead.Load()) + time.Duration(c.looks.Add(1))*time.Second)
}

func (c *hostClock) set(text string) error {
	at, err := time.Parse(time.RFC3339, text)
	if err == nil {
		c.ahead.Store(int64(time.Until(at)))
		c.looks.Store(0)
	}
	return err
}

// gate is what each step in the background of a host passes.
type gate struct {
	mu     sync.Mutex
	closed chan struct{} // closed when it is opened; nil: it is open
	let    int           // so many pass while it is closed
}

// pass waits as long as the gate is closed, and for as long as a step takes.
func (g *gate) pass() {
	<-time.After(12 * time.Millisecond)
	g.mu.Lock()
	closed := g.closed
	if closed != nil && g.let > 0 {
		g.let, closed = g.let-1, nil
	}
	g.mu.Unlock()
	if closed != nil {
		<-closed
	}
}

// hold closes the gate but for the next so many, or opens it.
func (g *gate) hold(on bool, let int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.let = let
	switch {
	case on && g.closed == nil:
		g.closed = make(chan struct{})
	case !on && g.closed != nil:
		close(g.closed)
		g.closed = nil
	}
}
