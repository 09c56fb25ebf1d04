package cpanel

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"
)

// transfer is a download's bytes. Where none comes for idleTime while somebody waits
// for one, the connection counts as cut: a dead peer says nothing for ever.
type transfer struct {
	*bufio.Reader
	ctx  context.Context // ended by stuck
	raw  io.ReadCloser
	idle *time.Timer
	done func()
}

func newTransfer(ctx context.Context, raw io.ReadCloser, stuck, done func()) *transfer {
	t := &transfer{ctx: ctx, raw: raw, done: done, idle: time.AfterFunc(idleTime, stuck)}
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
	r.t.idle.Reset(idleTime)
	n, err := r.t.raw.Read(b)
	r.t.idle.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(r.t.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}
