package cpanel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
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

// roundTrip answers requests without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRestOfAPart: what the host makes while it is downloaded may rest for longer than a
// file that lies there; a host that is dead is given up all the same.
func TestRestOfAPart(t *testing.T) {
	for _, c := range []struct {
		path  string
		known int64
		rest  time.Duration
		whole bool
	}{{"/getsqlbackup/ruthin_wp.sql.gz", -1, 10 * time.Minute, true}, {"/getsqlbackup/ruthin_wp.sql.gz", -1, time.Hour, false}} {
		synctest.Test(t, func(t *testing.T) {
			account := keepwatch.Hosting{URL: "https://127.0.0.1", User: "ruthin", Token: keepwatch.NewSecret(testToken)}
			client, err := newClient(account, nil, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			client.again = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				in, out := io.Pipe()
				go func() {
					_, _ = io.WriteString(out, "\x1f\x8babc")
					time.Sleep(c.rest)
					_, _ = io.WriteString(out, "def")
					_ = out.Close()
				}()
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: &pipeOf{in, r.Context()}, ContentLength: -1}, nil
			})}
			s, err := client.stream(t.Context(), c.path, c.known)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			got, err := io.ReadAll(s)
			if c.whole != (err == nil && string(got) == "\x1f\x8babcdef") || !c.whole && keepwatch.KindOf(err) != keepwatch.KindTransient {
				t.Errorf("rests for %v: %q, %v", c.rest, got, err)
			}
			time.Sleep(c.rest) // what the fake does is done
		})
	}
}
