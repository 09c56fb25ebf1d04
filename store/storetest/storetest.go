// Package storetest is the contract of a store.Store as a suite. A new driver
// is tested by one call of [Run].
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"keepwatch/store"
)

// Run holds a driver to the contract. open gives a new, empty store; the suite
// closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range map[string]func(*testing.T, store.Store){
		"get and put": getAndPut, "scan": scan, "errors undo": errorsUndo, "own writes": ownWrites, "many keys against a model": model,
		"big values": bigValues, "slices are the caller's": slicesKept, "writers meet": writersMeet, "readers see one state": oneState, "closed": closed,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { _ = s.Close() })
			test(t, s)
		})
	}
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
func model(t *testing.T, s store.Store) {
	rng := rand.New(rand.NewPCG(1, 2))
	want := map[string]string{}
	for range 300 {
		puts := map[string]string{}
		err := s.Update(func(tx store.Tx) error {
			clear(puts)
			for range 1 + rng.IntN(8) {
				key := fmt.Sprintf("k/%03d", rng.IntN(200))
				if rng.IntN(4) == 0 {
					puts[key] = ""
					if err := tx.Delete(key); err != nil {
						return err
					}
					continue
				}
				puts[key] = "v" + key
				if err := tx.Put(key, []byte("v"+key)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range puts {
			if want[k] = v; v == "" {
				delete(want, k)
			}
		}
	}
	var sorted []string
	for k := range want {
		sorted = append(sorted, k)
	}
	slices.Sort(sorted)
	if got := keys(t, s, store.Range{Prefix: "k/"}); !slices.Equal(got, sorted) {
		t.Errorf("%d keys, the model has %d", len(got), len(sorted))
	}
	slices.Reverse(sorted)
	if got := keys(t, s, store.Range{Prefix: "k/", Reverse: true}); !slices.Equal(got, sorted) {
		t.Errorf("backwards %d keys, the model has %d", len(got), len(sorted))
	}
}

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
func writersMeet(t *testing.T, s store.Store) {
	const writers, each = 16, 25
	own := errors.New("own")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				err := s.Update(func(tx store.Tx) error {
					v, err := tx.Get("n")
					if err != nil && !errors.Is(err, store.ErrNotFound) {
						return err
					}
					n, _ := strconv.Atoi(string(v))
					if err := tx.Put("n", []byte(strconv.Itoa(n+1))); err != nil {
						return err
					}
					if w == 0 {
						return own // undoes its count
					}
					return nil
				})
				if w == 0 && !errors.Is(err, own) || w != 0 && err != nil {
					t.Errorf("writer %d, %d: %v", w, i, err)
				}
			}
		})
	}
	wg.Wait()
	if v, _ := get(t, s, "n"); v != strconv.Itoa((writers-1)*each) {
		t.Errorf("counted %s, want %d", v, (writers-1)*each)
	}
}

// oneState has readers compare two keys that are always written together.
func oneState(t *testing.T, s store.Store) {
	put(t, s, "x", "0", "y", "0")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				err := s.View(func(r store.Reader) error {
					x, err := r.Get("x")
					y, err2 := r.Get("y")
					if !bytes.Equal(x, y) {
						t.Errorf("x is %s and y is %s", x, y)
					}
					return errors.Join(err, err2)
				})
				if err != nil {
					t.Error(err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range 100 {
		n := strconv.Itoa(i)
		put(t, s, "x", n, "y", n)
	}
	close(stop)
	wg.Wait()
}

func closed(t *testing.T, s store.Store) {
	put(t, s, "k", "v")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.View(func(store.Reader) error { return nil }); err == nil {
		t.Error("a closed store is read")
	}
	if err := s.Update(func(store.Tx) error { return nil }); err == nil {
		t.Error("a closed store is written")
	}
	_ = s.Close() // once more is harmless
}
