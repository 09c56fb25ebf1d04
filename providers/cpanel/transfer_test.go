package cpanel

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// TestDeadSocket: where no byte comes for two minutes, the connection counts as cut.
func TestDeadSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		r, w := io.Pipe()
		tr := newTransfer(ctx, &pipeOf{r, ctx}, func() { cancel(errIdle) }, func() { cancel(nil) })
		defer tr.Close()
		go func() {
			_, _ = io.WriteString(w, "ab")
			time.Sleep(idleTime - time.Second) // still alive
			_, _ = io.WriteString(w, "cd")
		}()
		began := time.Now()
		got, err := io.ReadAll(tr)
		if string(got) != "abcd" || !errors.Is(err, errIdle) || time.Since(began) != 2*idleTime-time.Second {
			t.Errorf("%q after %v, %v", got, time.Since(began), err)
		}
	})
}

// pipeOf is a pipe that ends with a context, as a connection of net/http does.
type pipeOf struct {
	*io.PipeReader
	ctx context.Context
}

func (p *pipeOf) Read(b []byte) (int, error) {
	stop := context.AfterFunc(p.ctx, func() { _ = p.CloseWithError(p.ctx.Err()) })
	defer stop()
	return p.PipeReader.Read(b)
}
