package cpanel

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"time"

	"keepwatch"
)

// How a stream goes on after a cut.
const (
	streamTries = 8 // in a row without a new byte, before which it never gives up
	firstWait   = 200 * time.Millisecond
	longestWait = 30 * time.Second
	// Where at least so much came since the cut before, it asks again at once.
	worthwhile = 4 << 10
)

// stream reads a whole file, and goes on where a connection was cut. A host that gives
// the rest of a file is asked for the rest. One that gives the whole again is read again
// up to where the stream is, and that part must be the same as before.
//
// The bytes of the part before a cut cannot be compared where the host gives the rest:
// who reads the stream proves the whole. It is for one goroutine; the end of its context
// ends a Read from elsewhere.
type stream struct {
	open  func(ctx context.Context, from int64) (*body, error)
	pause func(ctx context.Context, d time.Duration) error
	log   *slog.Logger
	host  string
	known int64 // of the whole; -1: a cut cannot be mended, since the host makes another file each time
	way   string
	// patience is how long it waits after a cut before it gives up, where the tries do
	// not take longer: a host that is started anew, or that answers 429 or 503, is away
	// for longer than they are.
	patience time.Duration

	ctx   context.Context
	cur   *body        // nil after a cut
	at    int64        // bytes given
	sum   maphash.Hash // of the bytes given
	tries int          // in a row
	slept time.Duration
	since int64 // bytes given since the cut before
	err   error
}

// stream gives a reader of the whole file behind a download route. known is its size;
// -1 where the host makes it while it is downloaded. ctx is for all of it.
func (c *client) stream(ctx context.Context, path string, known int64) (*stream, error) {
	open := func(ctx context.Context, from int64) (*body, error) { return c.download(ctx, path, from) }
	s := streamOf(ctx, open, c.log, c.base.Host, known)
	s.patience = stall(c.account)
	if err := s.start(); err != nil {
		return nil, err
	}
	return s, nil
}

func streamOf(ctx context.Context, open func(context.Context, int64) (*body, error), log *slog.Logger, host string, known int64) *stream {
	return &stream{open: open, pause: pause, log: log, host: host, known: known, ctx: ctx}
}

// start makes the first connection. Trouble with that one is the caller's.
func (s *stream) start() error {
	first, err := s.open(s.ctx, 0)
	if err != nil {
		return err
	}
	if err := s.begin(first); err != nil {
		_ = first.Close()
		return err
	}
	return nil
}

// begin takes a connection that stands where the stream does.
func (s *stream) begin(b *body) error {
	if s.known >= 0 && b.size >= 0 && b.size != s.known {
		return s.changed("it has %d bytes now, and had %d", b.size, s.known)
	}
	s.cur, s.way = b, b.way
	return nil
}

// changed says that the file is not the one any more that the stream began with.
func (s *stream) changed(format string, args ...any) error {
	return keepwatch.Errorf(keepwatch.KindTransient, "The file on %s changed while it was downloaded: %s. It is begun anew with the next try.", s.host, fmt.Sprintf(format, args...)).Because(errChanged)
}

// errChanged is in the chain of errors that say that a file is another one by now.
var errChanged = errors.New("the file changed")

// Read gives the next bytes. Its errors are sentences, but for io.EOF and the end of
// the context.
func (s *stream) Read(p []byte) (int, error) {
	for s.err == nil {
		if s.cur == nil {
			if s.err = s.reopen(); s.err != nil {
				break
			}
		}
		n, err := s.cur.Read(p)
		if n > 0 {
			return s.give(p[:n])
		}
		if err == nil {
			continue
		}
		s.ended(err)
	}
	return 0, s.err
}

// give hands out bytes that came.
func (s *stream) give(p []byte) (int, error) {
	if s.known >= 0 && s.at+int64(len(p)) > s.known {
		s.err = s.changed("it is longer than the %d bytes that it had", s.known)
		return 0, s.err
	}
	_, _ = s.sum.Write(p) // which never fails
	s.at += int64(len(p))
	s.since += int64(len(p))
	s.tries, s.slept = 0, 0
	return len(p), nil
}

// ended decides what the end of a connection means.
func (s *stream) ended(err error) {
	switch {
	case s.known >= 0 && s.at == s.known:
		s.err = io.EOF // all of it is here, whatever became of the connection
	case s.known < 0 && errors.Is(err, io.EOF):
		s.err = io.EOF
	case s.ctx.Err() != nil:
		s.err = context.Cause(s.ctx)
	case s.known < 0:
		s.err = keepwatch.Errorf(keepwatch.KindTransient, "The connection to %s was cut after %d bytes of a file that the host makes while it is downloaded, so that it has to be made again.", s.host, s.at).Because(err)
	default:
		s.log.Info("a download was cut", "at", s.at, "of", s.known, "err", withoutAddress(err))
		_ = s.cur.Close()
		s.cur = nil
	}
}

// reopen connects again until the stream stands where it was, or it gives up.
func (s *stream) reopen() error {
	for {
		wait := s.wait()
		if err := s.pause(s.ctx, wait); err != nil {
			return err
		}
		s.slept += wait
		s.since = 0
		s.tries++
		err := s.again()
		switch {
		case err == nil:
			return nil
		case s.ctx.Err() != nil:
			return context.Cause(s.ctx)
		case keepwatch.KindOf(err) != keepwatch.KindTransient, errors.Is(err, errChanged):
			return err
		case s.tries >= streamTries && s.slept >= s.patience:
			return keepwatch.Errorf(keepwatch.KindTransient, "The download from %s was cut at %d of %d bytes, and did not go on in %d tries. It is begun anew with the next try.", s.host, s.at, s.known, s.tries).Because(err)
		}
	}
}

// wait says how long to wait before the next try.
func (s *stream) wait() time.Duration {
	if s.tries == 0 && s.since >= worthwhile {
		return 0
	}
	return min(firstWait<<min(s.tries, streamTries), longestWait)
}

// again connects once, and where the host gives the whole reads up to where the stream
// is.
func (s *stream) again() error {
	b, err := s.open(s.ctx, s.at)
	if err != nil {
		return err
	}
	if b.from != s.at {
		err = s.skip(b)
	}
	if err == nil {
		err = s.begin(b)
	}
	if err != nil {
		_ = b.Close()
	}
	return err
}

// skip reads what was given already, and compares it. The sums are of 64 bits with a
// seed that nobody knows, which is enough against a file that changed and costs a tenth
// of SHA-256; what the bytes are worth in the end is for the proof of the archive.
func (s *stream) skip(b *body) error {
	var same maphash.Hash
	same.SetSeed(s.sum.Seed())
	n, err := io.CopyN(&same, b, s.at-b.from)
	if err != nil {
		return keepwatch.Errorf(keepwatch.KindTransient, "The connection to %s was cut again after %d bytes.", s.host, n).Because(err)
	}
	if same.Sum64() != s.sum.Sum64() {
		return s.changed("its first %d bytes are not the same", s.at)
	}
	return nil
}

// Close ends the connection.
func (s *stream) Close() error {
	if s.err == nil {
		s.err = errors.New("the stream is closed")
	}
	if s.cur == nil {
		return nil
	}
	err := s.cur.Close()
	s.cur = nil
	return err
}
