package cpanel

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"
)

// transfer is a download's bytes. Where none comes for its limit while somebody waits
// for one, the connection counts as cut: a dead peer says nothing for ever.
type transfer struct {
	*bufio.Reader
	ctx  context.Context // ended by stuck
	raw  io.ReadCloser
	idle *time.Timer
	done func()

	limit time.Duration // idleTime, unless it is set
}

// makeTime is how long no byte may come of what the host makes while it is downloaded: a
// large table, or folders that it passes over, keep its packing program busy.
const makeTime = 15 * time.Minute

// idleOf gives how long no byte may come by a download route.
func idleOf(route string) time.Duration {
	if route == "/download" {
		return idleTime
	}
	return makeTime
}

func newTransfer(ctx context.Context, raw io.ReadCloser, stuck, done func()) *transfer {
	t := &transfer{ctx: ctx, raw: raw, done: done, limit: idleTime, idle: time.AfterFunc(idleTime, stuck)}
	t.idle.Stop()
	t.Reader = bufio.NewReaderSize(timedReader{t}, 256<<10)
	return t
}

// Close ends it.
func (t *transfer) Close() error {
	t.idle.Stop()
	err := t.raw.Close()
	t.done()
	return err
}

type timedReader struct{ t *transfer }

func (r timedReader) Read(b []byte) (int, error) {
	r.t.idle.Reset(r.t.limit)
	n, err := r.t.raw.Read(b)
	r.t.idle.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(r.t.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}
