package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	bbolt "go.etcd.io/bbolt"

	"keepwatch"
	"keepwatch/store"
)

// View reads one consistent state. Writers do not wait for it.
func (s *Store) View(fn func(store.Reader) error) (err error) {
	defer s.survive(&err)
	return s.db.View(func(tx *bbolt.Tx) error { return fn(reader{tx.Bucket(bucket)}) })
}

type reader struct{ b *bbolt.Bucket }

func (r reader) Get(key string) ([]byte, error) {
	v := r.b.Get([]byte(key))
	if v == nil {
		return nil, store.ErrNotFound
	}
	return slices.Clone(v), nil
}

func (r reader) Scan(in store.Range, fn func(string, []byte) error) error {
	c := r.b.Cursor()
	k, v := first(c, in)
	for ; k != nil && within(k, in); k, v = next(c, in) {
		if err := fn(string(k), slices.Clone(v)); err != nil {
			if errors.Is(err, store.ErrStop) {
				return nil
			}
			return err
		}
	}
	return nil
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
	err  error // what fn gave, or why the commit failed
	done chan struct{}
}

// Update queues fn and returns once it is on disk. Whoever finds nobody
// committing commits everything that waits, in one transaction and one sync; so
// a lone writer waits for nobody and many share their syncs.
func (s *Store) Update(fn func(store.Tx) error) error {
	w := &write{fn: fn, done: make(chan struct{})}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	s.queue = append(s.queue, w)
	if s.leading {
		s.mu.Unlock()
		<-w.done
		return w.err
	}
	s.leading = true
	for len(s.queue) > 0 {
		batch := s.queue
		s.queue = nil
		s.mu.Unlock()
		s.commit(batch)
		s.mu.Lock()
	}
	s.leading = false
	s.mu.Unlock()
	return w.err
}

// commit runs the writes one after the other in one transaction. A write that
// gives an error leaves nothing behind; the others are not touched by it.
func (s *Store) commit(batch []*write) {
	failed := func() (err error) {
		defer s.survive(&err)
		s.crash("bolt.update.before-commit")
		err = s.db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucket)
			for _, w := range batch {
				o := overlay{b: b, puts: map[string][]byte{}}
				if w.err = call(w.fn, o); w.err != nil {
					continue
				}
				if err := o.apply(); err != nil {
					return err
				}
			}
			return nil
		})
		s.crash("bolt.update.after-commit")
		return err
	}()
	for _, w := range batch {
		if w.err == nil && failed != nil {
			w.err = s.unsaved(failed)
		}
		close(w.done)
	}
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
	if full(cause) {
		return keepwatch.Errorf(keepwatch.KindAttention, "Nothing could be saved in %s, because the disk is full. Free some room, then try again.", s.path).Because(cause)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "Nothing could be saved in %s (%v). Look at the disk, then try again.", s.path, cause).Because(cause)
}

// survive turns a panic of bbolt over a damaged page into an error.
func (s *Store) survive(err *error) {
	if p := recover(); p != nil {
		*err = unusable(s.path, fmt.Errorf("bbolt panicked: %v", p))
	}
}

// overlay is the transaction of one writer among several: it holds back its
// writes until its function has succeeded. nil is a removal.
type overlay struct {
	b    *bbolt.Bucket
	puts map[string][]byte
}

func (o overlay) Get(key string) ([]byte, error) {
	if v, ok := o.puts[key]; ok {
		if v == nil {
			return nil, store.ErrNotFound
		}
		return slices.Clone(v), nil
	}
	return reader{o.b}.Get(key)
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
			err = o.b.Delete([]byte(key))
		} else {
			err = o.b.Put([]byte(key), value)
		}
		if err != nil {
			return fmt.Errorf("put %s: %w", key, err)
		}
	}
	return nil
}
