package graph

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// lane is what limits the calls of a mailbox, or of the application: so many in flight,
// so many in a window, none before the fence has gone.
type lane struct {
	clock  Clock
	calls  *window // nil: not limited
	upload *window // bytes; nil: not limited

	mu    sync.Mutex
	most  int
	free  int
	queue []*waiter // the first waits longest; nobody overtakes it
	until time.Time // the fence: no call begins before

	name    string // of the fence, where it is kept
	keeping sync.Mutex
	kept    time.Time // until when it stands there; held by keeping
}

type waiter struct {
	n     int
	ready chan struct{}
}

func newLane(clock Clock, most int) *lane { return &lane{clock: clock, most: most, free: most} }

// take waits for n places.
func (l *lane) take(ctx context.Context, n int) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	l.mu.Lock()
	if len(l.queue) == 0 && l.free >= n {
		l.free -= n
		l.mu.Unlock()
		return nil
	}
	w := &waiter{n: n, ready: make(chan struct{})}
	l.queue = append(l.queue, w)
	l.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, w); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	} else {
		l.free += n // it was called up at the same moment
	}
	l.callUp()
	return context.Cause(ctx)
}

// give returns n places.
func (l *lane) give(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free += n
	l.callUp()
}

func (l *lane) callUp() {
	for len(l.queue) > 0 && l.queue[0].n <= l.free {
		l.free -= l.queue[0].n
		close(l.queue[0].ready)
		l.queue = l.queue[1:]
	}
}

// pass waits until the fence is gone and the windows have room, and books n calls and
// bytes of upload in them.
func (l *lane) pass(ctx context.Context, n int, bytes int64) error {
	for {
		l.mu.Lock()
		now := l.clock.Now()
		wait, why := l.until.Sub(now), whyAsked
		if room := max(l.calls.wait(now, int64(n)), l.upload.wait(now, bytes)); room > wait {
			wait, why = room, whyUsedUp
		}
		if wait <= 0 {
			l.calls.add(now, int64(n))
			l.upload.add(now, bytes)
		}
		l.mu.Unlock()
		if wait <= 0 {
			return nil
		}
		if beyond(ctx, wait) {
			return notOver(wait)
		}
		if err := pause(ctx, l.clock, wait, why); err != nil {
			return err
		}
	}
}

// beyond reports whether a pause is longer than anybody waits for, or than ctx has time.
func beyond(ctx context.Context, wait time.Duration) bool {
	end, ends := ctx.Deadline()
	return wait > mostWait || ends && wait > 0 && wait > time.Until(end)
}

// notOver is for whoever does not wait for the end of a pause.
func notOver(wait time.Duration) *Error {
	return &Error{Status: http.StatusTooManyRequests, Code: "TooManyRequests", Message: "the pause that was asked for is not over", RetryAfter: wait, unsent: true}
}

// fenced gives how long no call may begin; not positive: one may.
func (l *lane) fenced() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until.Sub(l.clock.Now())
}

// fence lets no call begin for d. A fence that stands longer stays.
func (l *lane) fence(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.clock.Now().Add(d); t.After(l.until) {
		l.until = t
	}
}

// enter waits for a place for a call that counts as n, of which Outlook works on four at
// once at most. The function that it returns gives the place back; it may be called
// twice. A pause that is longer than anybody waits for, or than ctx has time, is an *Error.
func (c *Client) enter(ctx context.Context, l *lane, n int, bytes int64) (leave func(), err error) {
	places := min(max(n, 1), mailboxInFlight)
	if err := l.take(ctx, places); err != nil {
		return nil, err
	}
	if wait := max(l.fenced(), c.app.fenced()); beyond(ctx, wait) {
		l.give(places)
		return nil, notOver(wait)
	}
	if err := l.pass(ctx, max(n, 1), bytes); err != nil {
		l.give(places)
		return nil, err
	}
	for {
		if err := c.app.take(ctx, places); err != nil {
			l.give(places)
			return nil, err
		}
		wait := max(l.fenced(), c.app.fenced())
		if wait <= 0 {
			return sync.OnceFunc(func() { c.app.give(places); l.give(places) }), nil
		}
		c.app.give(places) // others need not wait for this mailbox
		if beyond(ctx, wait) {
			l.give(places)
			return nil, notOver(wait)
		}
		if err := pause(ctx, c.clock, wait, whyAsked); err != nil {
			l.give(places)
			return nil, err
		}
	}
}

// Large waits until nobody else holds much of an answer in memory: what is more than a few
// hundred kilobytes, with all that is made of it, is had by one at a time, whatever mailbox it
// is of. The function that it returns lets the next one in; it may be called twice. Whoever
// waits must hold no Response: whoever is let in may need its place in the lane.
func (c *Client) Large(ctx context.Context) (leave func(), err error) {
	if err := c.large.take(ctx, 1); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { c.large.give(1) }), nil
}
