package graph

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"keepwatch"
)

// errTimeout is the cause of a call's end where it took too long.
var errTimeout = errors.New("it took too long")

// withTimeout is context.WithTimeoutCause by the client's clock.
func withTimeout(ctx context.Context, clock Clock, d time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := clock.AfterFunc(d, func() { cancel(errTimeout) })
	return ctx, func() { stop(); cancel(nil) }
}

// body is that of an answer: bounded, watched for silence, and giving the place in the lane
// back at its end.
type body struct {
	under   io.ReadCloser
	clock   Clock
	cancel  context.CancelCauseFunc
	watch   context.Context
	leave   func()
	hush    func(error) error
	limited bool
	left    int64
	err     error // that ended it

	once sync.Once
	mu   sync.Mutex
	last time.Time // a read began, or its bytes came
	stop func()
	over bool
	busy bool // a read waits; a caller that takes its time is no silence
}

// watchIdle ends the call once no byte has come for idleTime.
func (b *body) watchIdle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = b.clock.Now()
	b.stop = b.clock.AfterFunc(idleTime, b.look)
}

func (b *body) look() {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := idleTime - b.clock.Now().Sub(b.last)
	switch {
	case b.over:
	case !b.busy:
		b.stop = b.clock.AfterFunc(idleTime, b.look)
	case left <= 0:
		b.cancel(errTimeout)
	default:
		b.stop = b.clock.AfterFunc(left, b.look)
	}
}

// Read gives ErrTooLarge once there is more than the limit.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.limited && int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	b.mark(true)
	n, err := b.under.Read(p)
	b.mark(false)
	if b.limited && int64(n) > b.left {
		n, err = int(b.left), ErrTooLarge
	}
	b.left -= int64(n)
	if err != nil {
		b.err = b.tell(err)
		err = b.err
		b.end()
	}
	return n, err
}

func (b *body) mark(busy bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last, b.busy = b.clock.Now(), busy
}

// tell gives what a reader hears: of its own context, of silence, or of a broken
// connection.
func (b *body) tell(err error) error {
	if err == io.EOF || errors.Is(err, ErrTooLarge) {
		return err
	}
	if cause := context.Cause(b.watch); cause != nil && !errors.Is(cause, errTimeout) {
		return cause
	} else if cause != nil {
		err = cause
	}
	return keepwatch.Errorf(keepwatch.KindTransient, "The connection to Microsoft 365 broke within an answer. The run goes on later.").Because(&brokenError{b.hush(err)})
}

// Close gives the place back. What was not read is not waited for.
func (b *body) Close() error {
	b.end()
	return nil
}

func (b *body) end() {
	b.once.Do(func() {
		b.mu.Lock()
		b.over = true
		b.stop()
		b.mu.Unlock()
		_ = b.under.Close()
		b.cancel(nil)
		b.leave()
	})
}

// brokenError is what a reader meets whose connection breaks within an answer.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return "the answer broke off: " + e.err.Error() }

func (e *brokenError) Unwrap() []error { return []error{ErrUnreachable, e.err} }
