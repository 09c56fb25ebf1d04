// Package mem keeps everything in memory: the driver for tests, and the plain
// model that the other drivers are compared with.
package mem

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"keepwatch/store"
)

// Store is a store.Store that forgets everything when it is closed.
type Store struct {
	mu     sync.RWMutex
	keys   []string // sorted
	values map[string][]byte
	closed bool
}

var errClosed = errors.New("store: closed")

// New makes an empty one.
func New() *Store { return &Store{values: map[string][]byte{}} }

// View reads one consistent state; writers wait meanwhile.
func (s *Store) View(fn func(store.Reader) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	return fn(reader{s})
}

// Update runs fn once, alone, and applies its writes if it gives no error.
func (s *Store) Update(fn func(store.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	t := tx{s: s, puts: map[string][]byte{}}
	if err := fn(t); err != nil {
		return err
	}
	for key, value := range t.puts {
		s.set(key, value)
	}
	return nil
}

// Close forgets everything.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.keys, s.values = true, nil, nil
	return nil
}

// set puts a value, or removes the key where value is nil.
func (s *Store) set(key string, value []byte) {
	at, found := slices.BinarySearch(s.keys, key)
	switch {
	case value == nil && found:
		s.keys = slices.Delete(s.keys, at, at+1)
		delete(s.values, key)
	case value != nil && !found:
		s.keys = slices.Insert(s.keys, at, key)
		s.values[key] = value
	case value != nil:
		s.values[key] = value
	}
}

type reader struct{ s *Store }

func (r reader) Get(key string) ([]byte, error) {
	v, ok := r.s.values[key]
	if !ok {
		return nil, store.ErrNotFound
	}
	return slices.Clone(v), nil
}

func (r reader) Scan(in store.Range, fn func(string, []byte) error) error {
	var picked []string
	at, _ := slices.BinarySearch(r.s.keys, max(in.Prefix, in.From))
	for _, key := range r.s.keys[at:] {
		if !strings.HasPrefix(key, in.Prefix) || (in.To != "" && key >= in.To) {
			break
		}
		picked = append(picked, key)
	}
	if in.Reverse {
		slices.Reverse(picked)
	}
	for _, key := range picked {
		if err := fn(key, slices.Clone(r.s.values[key])); err != nil {
			if errors.Is(err, store.ErrStop) {
				return nil
			}
			return err
		}
	}
	return nil
}

// tx holds back its writes until it is known to succeed; nil is a removal.
type tx struct {
	s    *Store
	puts map[string][]byte
}

func (t tx) Get(key string) ([]byte, error) {
	if v, ok := t.puts[key]; ok {
		if v == nil {
			return nil, store.ErrNotFound
		}
		return slices.Clone(v), nil
	}
	return reader{t.s}.Get(key)
}

func (t tx) Put(key string, value []byte) error {
	if key == "" {
		return errors.New("store: an empty key")
	}
	t.puts[key] = append([]byte{}, value...)
	return nil
}

func (t tx) Delete(key string) error {
	t.puts[key] = nil
	return nil
}
