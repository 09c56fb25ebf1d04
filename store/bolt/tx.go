package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	bbolt "go.etcd.io/bbolt"

	"keepwatch"
	"keepwatch/store"
)

// View reads one consistent state. Writers do not wait for it.
func (s *Store) View(fn func(store.Reader) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return s.db.View(func(tx *bbolt.Tx) error {
		b, err := s.bucketOf(tx)
		if err != nil {
			return err
		}
		return fn(reader{s, b})
	})
}

func (s *Store) bucketOf(tx *bbolt.Tx) (b *bbolt.Bucket, err error) {
	defer s.survive(&err)
	return tx.Bucket(bucket), nil
}

type reader struct {
	s *Store
	b *bbolt.Bucket
}

func (r reader) Get(key string) (value []byte, err error) {
	defer r.s.survive(&err)
	sealed := r.b.Get([]byte(key))
	if sealed == nil {
		return nil, store.ErrNotFound
	}
	return r.s.open([]byte(key), sealed)
}

// open gives a copy of the value within sealed.
func (s *Store) open(key, sealed []byte) ([]byte, error) {
	value, err := unseal(key, sealed)
	if err != nil {
		return nil, unusable(s.path, damagedInside, err)
	}
	return slices.Clone(value), nil
}

func (r reader) Scan(in store.Range, fn func(string, []byte) error) error {
	c := r.b.Cursor()
	// Only the steps are guarded: a panic of fn is its caller's.
	step := func(move func(*bbolt.Cursor, store.Range) (k, v []byte)) (key string, value []byte, more bool, err error) {
		defer r.s.survive(&err)
		k, v := move(c, in)
		if k == nil || !within(k, in) {
			return "", nil, false, nil
		}
		value, err = r.s.open(k, v)
		return string(k), value, true, err
	}
	key, value, more, err := step(first)
	for ; more && err == nil; key, value, more, err = step(next) {
		if err := fn(key, value); errors.Is(err, store.ErrStop) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return err
}

// first goes to the key where a scan begins.
func first(c *bbolt.Cursor, in store.Range) (k, v []byte) {
	if !in.Reverse {
		return c.Seek([]byte(max(in.Prefix, in.From)))
	}
	end := after(in.Prefix)
	if in.To != "" && (end == nil || in.To < string(end)) {
		end = []byte(in.To)
	}
	if end == nil {
		return c.Last()
	}
	if k, _ := c.Seek(end); k == nil {
		return c.Last()
	}
	return c.Prev()
}

func next(c *bbolt.Cursor, in store.Range) (k, v []byte) {
	if in.Reverse {
		return c.Prev()
	}
	return c.Next()
}

func within(k []byte, in store.Range) bool {
	key := string(k)
	return bytes.HasPrefix(k, []byte(in.Prefix)) && key >= in.From && (in.To == "" || key < in.To)
}

// after gives the first key behind all that begin with prefix, or nil.
func after(prefix string) []byte {
	end := []byte(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}

// write is one Update that waits for its commit.
type write struct {
	fn   func(store.Tx) error
	err  error     // what fn gave, or why the commit failed
	turn chan bool // true: commit what waits; false: it is done
}

// Update queues fn and returns once it is on disk. Whoever finds nobody
// committing commits everything that waits, in one transaction and one sync,
// and then leaves the next commit to the first of those that came meanwhile. So
// a lone writer waits for nobody, many share their syncs, and nobody serves the
// others for longer than its own commit.
func (s *Store) Update(fn func(store.Tx) error) error {
	w := &write{fn: fn, turn: make(chan bool, 1)}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	s.queue = append(s.queue, w)
	lead := !s.leading
	s.leading = true
	s.mu.Unlock()
	if !lead && !<-w.turn {
		return w.err
	}
	defer s.handOver()
	runtime.Gosched() // whoever is ready to write now shares this commit
	s.mu.Lock()
	batch := s.queue
	s.queue = nil
	s.mu.Unlock()
	s.commit(batch)
	return w.err
}

// handOver lets the first that waits commit next.
func (s *Store) handOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		s.queue[0].turn <- true
		return
	}
	s.leading = false
	s.idle.Broadcast()
}

// commit carries out a batch and tells each writer how it went, whatever becomes
// of this goroutine.
func (s *Store) commit(batch []*write) {
	failed := errors.New("the commit was cut off")
	defer func() {
		for _, w := range batch {
			if w.err == nil && failed != nil {
				w.err = s.unsaved(failed)
			}
			w.turn <- false
		}
	}()
	failed = s.save(batch)
}

// save runs the writes one after the other in one transaction. A write that
// gives an error leaves nothing behind; the others are not touched by it.
func (s *Store) save(batch []*write) error {
	if err := s.usable(); err != nil && !errors.Is(err, errClosed) { // Close waits for this commit
		return err
	}
	s.crash("bolt.update.before-commit")
	err := guarded(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucket)
			for _, w := range batch {
				o := overlay{under: reader{s, b}, puts: map[string][]byte{}}
				if w.err = call(w.fn, o); w.err != nil {
					continue
				}
				if err := o.apply(); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if errors.Is(err, errPanicked) {
		err = unusable(s.path, damagedInside, err)
		s.mu.Lock()
		s.broken = err
		s.mu.Unlock()
	}
	s.crash("bolt.update.after-commit")
	return err
}

// call keeps a panic in one writer from the others that commit with it.
func call(fn func(store.Tx) error, tx store.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: an update panicked: %v", p)
		}
	}()
	return fn(tx)
}

// unsaved is what a person is told when a commit fails.
func (s *Store) unsaved(cause error) error {
	var known *keepwatch.Error
	if errors.As(cause, &known) {
		return cause
	}
	if full(cause) {
		return keepwatch.Errorf(keepwatch.KindAttention, "Nothing could be saved in %s, because the disk is full. Free some room, then try again.", s.path).Because(cause)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "Nothing could be saved in %s (%v). Look at the disk, then try again.", s.path, cause).Because(cause)
}

// survive is deferred: a panic of bbolt over a damaged page becomes an error.
func (s *Store) survive(err *error) {
	if p := recover(); p != nil {
		*err = unusable(s.path, damagedInside, fmt.Errorf("%w: %v", errPanicked, p))
	}
}

// overlay is the transaction of one writer among several: it holds back its
// writes until its function has succeeded. nil is a removal.
type overlay struct {
	under reader
	puts  map[string][]byte
}

func (o overlay) Get(key string) ([]byte, error) {
	if v, ok := o.puts[key]; ok {
		if v == nil {
			return nil, store.ErrNotFound
		}
		return slices.Clone(v), nil
	}
	return o.under.Get(key)
}

func (o overlay) Put(key string, value []byte) error {
	if key == "" || len(key) > bbolt.MaxKeySize {
		return fmt.Errorf("store: a key of %d bytes", len(key))
	}
	o.puts[key] = append([]byte{}, value...)
	return nil
}

func (o overlay) Delete(key string) error {
	o.puts[key] = nil
	return nil
}

func (o overlay) apply() error {
	for key, value := range o.puts {
		var err error
		if value == nil {
			err = o.under.b.Delete([]byte(key))
		} else {
			err = o.under.b.Put([]byte(key), seal([]byte(key), value))
		}
		if err != nil {
			return fmt.Errorf("put %s: %w", key, err)
		}
	}
	return nil
}
