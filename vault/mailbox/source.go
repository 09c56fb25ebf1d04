package mailbox

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/vault"
)

// unpackPart is the part of a file, 1/unpackPart, of which so much may be unpacked here and
// there as it is long, before all of it is unpacked once: whoever reads that much mostly goes
// through all of it, in an order that is not that of the file. So that takes at the most this
// much longer than if the file were unpacked at once, as it is for a search of all folders.
const unpackPart = 2

// source is what an Outlook data file of an archive is read from: the sealed file, here
// and there, as long as that will do, and else a temporary file. It may be read from any goroutine.
type source struct {
	m         *Mailboxes
	ref, name string // of the archive, and of the file in it
	entry     keepwatch.Entry

	mu      sync.Mutex
	sealed  *vault.EntryAt // nil: it is not read so
	whole   *scratch       // nil: not unpacked
	filling *filling       // nil: it is not being unpacked
	waiting int            // users whose context has not ended
	why     error          // the last of them went
	alone   bool           // unpacking it did not succeed and need not be tried again
	broken  error          // why it cannot be read on; nil: it can
	waited  time.Duration  // for it to be unpacked
}

// filling is an unpacking under way, which those who read wait for.
type filling struct {
	stop context.CancelCauseFunc
	done chan struct{} // closed when it has ended

	err error // then
}

// errUnused is why an unpacking ends that nobody needs any more.
var errUnused = errors.New("mailbox: nobody reads the file any more")

// unwanted is why an unpacking ended behind the last user.
type unwanted struct{ error }

func (u *unwanted) Unwrap() error { return u.error }

// enter counts a user, until ctx ends or leave is called. There are none any more where the
// file cannot be read on.
func (s *source) enter(ctx context.Context) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	s.waiting++
	stop := context.AfterFunc(ctx, func() { s.left(context.Cause(ctx)) })
	return func() {
		if stop() {
			s.left(errUnused)
		}
	}, nil
}

// left counts one user less, and ends the unpacking behind the last one.
func (s *source) left(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting--; s.waiting == 0 {
		s.why, s.alone = why, false // there may be room later
		if s.filling != nil {
			s.filling.stop(why)
		}
	}
}

// fault says why the file cannot be read on.
func (s *source) fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// ways gives how it can be read now; all are nil where it cannot.
func (s *source) ways() (*vault.EntryAt, *scratch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sealed, s.whole, s.broken
}

// ReadAt satisfies io.ReaderAt.
func (s *source) ReadAt(p []byte, at int64) (int, error) {
	for {
		sealed, whole, err := s.ways()
		switch {
		case whole != nil:
			return whole.ReadAt(p, at)
		case err != nil:
			return 0, err
		}
		if s.much(sealed) {
			if err := s.wait(); err == nil || errors.Is(err, keepwatch.ErrDamaged) {
				continue
			}
		}
		n, err := sealed.ReadAt(p, at)
		if err == nil || errors.Is(err, io.EOF) {
			return n, err
		}
		if _, whole, _ := s.ways(); whole != nil { // it was unpacked meanwhile
			continue
		}
		if !errors.Is(err, vault.ErrFrontToBack) {
			return n, err
		}
		s.m.cfg.Log.Warn("an Outlook data file cannot be read here and there, and is unpacked", "archive", s.ref, "err", err)
		if err := s.wait(); err != nil {
			s.fail(err)
		}
	}
}

// much reports whether so much was read here and there that it pays to unpack the file. One
// that is kept in memory whole by then is not unpacked.
func (s *source) much(sealed *vault.EntryAt) bool {
	return sealed.Unpacked() >= s.entry.Size/unpackPart && s.pays()
}

// pays reports whether the file may be unpacked for whoever reads all of it.
func (s *source) pays() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entry.Size > vault.KeptAt && s.whole == nil && !s.alone && s.waiting > 0
}

// ahead has the file unpacked for somebody who is going to read all of it. Where that does
// not succeed, it is read here and there, or that tells why it cannot be.
func (s *source) ahead() {
	if s.pays() {
		_ = s.wait()
	}
}

// wait has the file unpacked, and waits for that.
func (s *source) wait() error {
	begin := s.m.cfg.Now()
	s.mu.Lock()
	if s.whole == nil && s.broken == nil && s.filling == nil {
		if s.waiting == 0 { // whoever reads on has been stopped
			defer s.mu.Unlock()
			return &unwanted{s.why}
		}
		s.fill()
	}
	f, err := s.filling, s.broken
	s.mu.Unlock()
	if f == nil {
		return err
	}
	<-f.done
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waited += s.m.cfg.Now().Sub(begin)
	return f.err
}

// fail remembers why the file cannot be read on: whoever reads it may take what is missing
// for a fault of one item. Only where the unpacking was stopped behind the last user, and
// somebody has come since, it is to be tried again for that one.
func (s *source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := errors.AsType[*unwanted](err); ok && s.waiting > 0 {
		return
	}
	if s.broken == nil {
		s.broken = err
	}
}

// patience gives how long readers have waited for the file to be unpacked.
func (s *source) patience() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waited
}

// fill begins to unpack the file. s.mu is held.
func (s *source) fill() {
	ctx, stop := context.WithCancelCause(context.Background())
	f := &filling{stop: stop, done: make(chan struct{})}
	s.filling = f
	go func() {
		defer close(f.done)
		defer stop(errUnused)
		e, data, err := s.m.unpack(ctx, s.ref, s.name, func(keepwatch.Progress) {})
		if err == nil && (e.Size != s.entry.Size || e.SHA256 != s.entry.SHA256) {
			err = errors.Join(replaced(s.ref, s.name), data.close())
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil && context.Cause(ctx) != nil {
			err = &unwanted{err}
		}
		s.filling, f.err = nil, err
		if err != nil {
			s.alone = context.Cause(ctx) == nil
			if errors.Is(err, keepwatch.ErrDamaged) {
				s.broken = err
			}
			return
		}
		s.whole = data
		_ = s.sealed.Close() // what it keeps in memory is not needed any more
		s.sealed = nil
	}()
}

// close gives up what is kept, and removes what is unpacked.
func (s *source) close() error {
	s.mu.Lock()
	f := s.filling
	s.mu.Unlock()
	if f != nil {
		f.stop(errUnused)
		<-f.done
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed != nil {
		_ = s.sealed.Close()
	}
	if s.whole != nil {
		return s.whole.close()
	}
	return nil
}

// replaced says that what is in the archive now is not what was begun with.
func replaced(ref, name string) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "%s in the archive %s was replaced by another file while it was looked into. Look whether that is what should be there (`/backup verify %s`), then retry.", keepwatch.Printable(name), ref, ref)
}
