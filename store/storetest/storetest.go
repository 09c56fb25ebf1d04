// Package storetest is the contract of a store.Store as a suite. A new driver
// is tested by one call of [Run] and one of [RunRecords].
package storetest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"keepwatch/store"
)

// Run holds a driver to the contract. open gives a new, empty store; the suite
// closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range map[string]func(*testing.T, store.Store){
		"get and put": getAndPut, "scan": scan, "errors undo": errorsUndo, "own writes": ownWrites, "many keys against a model": model,
		"big values": bigValues, "slices are the caller's": slicesKept, "writers meet": writersMeet, "readers see one state": oneState, "closed": closed,
		"keys": oddKeys, "a panic undoes": panics, "views go on beside a writer": besides,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { _ = s.Close() })
			test(t, s)
		})
	}
}

// Twice is s, but for its updates: the function of each runs once for nothing
// before it runs for good, as a driver may have it. What stands on a Store must
// not notice.
func Twice(s store.Store) store.Store { return twice{s} }

type twice struct{ store.Store }

func (s twice) Update(fn func(store.Tx) error) error {
	undo := errors.New("the first of two times")
	err := s.Store.Update(func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return undo
	})
	if !errors.Is(err, undo) {
		return err
	}
	return s.Store.Update(fn)
}

func put(t *testing.T, s store.Store, pairs ...string) {
	t.Helper()
	err := s.Update(func(tx store.Tx) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := tx.Put(pairs[i], []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s store.Store, key string) (value string, ok bool) {
	t.Helper()
	err := s.View(func(r store.Reader) error {
		v, err := r.Get(key)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		value, ok = string(v), err == nil
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value, ok
}

func keys(t *testing.T, s store.Store, in store.Range) []string {
	t.Helper()
	var got []string
	err := s.View(func(r store.Reader) error {
		return r.Scan(in, func(key string, value []byte) error {
			if string(value) != "v"+key {
				t.Errorf("%q has the value %q", key, value)
			}
			got = append(got, key)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func getAndPut(t *testing.T, s store.Store) {
	if _, ok := get(t, s, "a/1"); ok {
		t.Error("a new store is not empty")
	}
	put(t, s, "a/1", "one", "a/2", "", "a/1", "uno")
	if v, _ := get(t, s, "a/1"); v != "uno" {
		t.Errorf("the later value is %q", v)
	}
	if v, ok := get(t, s, "a/2"); !ok || v != "" {
		t.Errorf("an empty value is %q, %v", v, ok)
	}
	err := s.Update(func(tx store.Tx) error { return errors.Join(tx.Delete("a/1"), tx.Delete("a/not there")) })
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := get(t, s, "a/1"); ok {
		t.Error("a deleted key is there")
	}
}

func scan(t *testing.T, s store.Store) {
	var pairs []string
	for _, k := range []string{"a", "b/", "b/1", "b/10", "b/2", "b/é", "b/\xff", "b0", "c/1"} {
		pairs = append(pairs, k, "v"+k)
	}
	put(t, s, pairs...)
	for _, c := range []struct {
		in   store.Range
		want []string
	}{
		{store.Range{Prefix: "b/"}, []string{"b/", "b/1", "b/10", "b/2", "b/é", "b/\xff"}},
		{store.Range{Prefix: "b/", Reverse: true}, []string{"b/\xff", "b/é", "b/2", "b/10", "b/1", "b/"}},
		{store.Range{Prefix: "b/", From: "b/10"}, []string{"b/10", "b/2", "b/é", "b/\xff"}},
		{store.Range{Prefix: "b/", From: "b/10", To: "b/é"}, []string{"b/10", "b/2"}},
		{store.Range{Prefix: "b/", From: "b/10", To: "b/é", Reverse: true}, []string{"b/2", "b/10"}},
		{store.Range{Prefix: "b/", To: "z", Reverse: true, From: "b/2"}, []string{"b/\xff", "b/é", "b/2"}},
		{store.Range{Prefix: "b/", From: "a"}, []string{"b/", "b/1", "b/10", "b/2", "b/é", "b/\xff"}},
		{store.Range{Prefix: "c/", Reverse: true}, []string{"c/1"}},
		{store.Range{Prefix: "d"}, nil},
		{store.Range{Prefix: "d", Reverse: true}, nil},
		{store.Range{Prefix: "a", From: "b"}, nil},
		{store.Range{Reverse: true}, []string{"c/1", "b0", "b/\xff", "b/é", "b/2", "b/10", "b/1", "b/", "a"}},
	} {
		if got := keys(t, s, c.in); !slices.Equal(got, c.want) {
			t.Errorf("%+v gives %q, want %q", c.in, got, c.want)
		}
	}
	n := 0
	stop := s.View(func(r store.Reader) error {
		return r.Scan(store.Range{}, func(string, []byte) error { n++; return store.ErrStop })
	})
	if stop != nil || n != 1 {
		t.Errorf("ErrStop gave %v after %d keys", stop, n)
	}
	own := errors.New("own")
	if err := s.View(func(r store.Reader) error { return r.Scan(store.Range{}, func(string, []byte) error { return own }) }); !errors.Is(err, own) {
		t.Errorf("the caller's error became %v", err)
	}
}

func errorsUndo(t *testing.T, s store.Store) {
	put(t, s, "k", "before", "gone", "no")
	own := errors.New("own")
	err := s.Update(func(tx store.Tx) error {
		if err := errors.Join(tx.Put("k", []byte("after")), tx.Put("new", []byte("x")), tx.Delete("gone")); err != nil {
			return err
		}
		return own
	})
	if !errors.Is(err, own) {
		t.Errorf("the error became %v", err)
	}
	if v, _ := get(t, s, "k"); v != "before" {
		t.Errorf("a failed update left %q", v)
	}
	if _, ok := get(t, s, "new"); ok {
		t.Error("a failed update left a new key")
	}
	if _, ok := get(t, s, "gone"); !ok {
		t.Error("a failed update deleted a key")
	}
}

func ownWrites(t *testing.T, s store.Store) {
	put(t, s, "k", "1")
	err := s.Update(func(tx store.Tx) error {
		if err := errors.Join(tx.Put("k", []byte("2")), tx.Put("n", []byte("3"))); err != nil {
			return err
		}
		for key, want := range map[string]string{"k": "2", "n": "3"} {
			if v, err := tx.Get(key); err != nil || string(v) != want {
				t.Errorf("%s is %q, %v within its own transaction", key, v, err)
			}
		}
		if err := tx.Delete("k"); err != nil {
			return err
		}
		if _, err := tx.Get("k"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a key deleted within the transaction gives %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// model compares a long random history with a map.
func bigValues(t *testing.T, s store.Store) {
	big := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	put(t, s, "big", big)
	if v, _ := get(t, s, "big"); v != big {
		t.Errorf("a value of %d bytes came back with %d", len(big), len(v))
	}
}

func slicesKept(t *testing.T, s store.Store) {
	value := []byte("value")
	if err := s.Update(func(tx store.Tx) error { return tx.Put("k", value) }); err != nil {
		t.Fatal(err)
	}
	copy(value, "xxxxx")
	var kept, scanned []byte
	err := s.View(func(r store.Reader) (err error) {
		kept, err = r.Get("k")
		return errors.Join(err, r.Scan(store.Range{}, func(_ string, v []byte) error { scanned = v; return nil }))
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "k", "other", "l", strings.Repeat("x", 100_000))
	if !bytes.Equal(kept, []byte("value")) || !bytes.Equal(scanned, kept) {
		t.Errorf("kept %q, scanned %q", kept, scanned)
	}
	copy(kept, "yyyyy")
	if v, _ := get(t, s, "k"); v != "other" {
		t.Errorf("a caller changed the store: %q", v)
	}
}

// writersMeet has many writers count up one number: none is lost, and one that
// fails takes no other with it.
// oneState has readers compare two keys that are always written together.
func oddKeys(t *testing.T, s store.Store) {
	if err := s.Update(func(tx store.Tx) error { return tx.Put("", []byte("v")) }); err == nil {
		t.Error("an empty key was taken")
	}
	odd := []string{"a\x00b", "a\nb", "ü/ß", "\xff\xfe", " ", strings.Repeat("k", 4096), "%2F", "a//b", "../a"}
	for _, key := range odd {
		put(t, s, key, "v"+key)
	}
	slices.Sort(odd)
	if got := keys(t, s, store.Range{}); !slices.Equal(got, odd) {
		t.Errorf("got %q, want %q", got, odd)
	}
	if _, ok := get(t, s, "no key of this name"); ok {
		t.Error("a key that nobody put is there")
	}
}

// besides has a view that is under way when a writer commits go on with the
// state that it began with, unless the driver makes the writer wait for it.
