package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"keepwatch/store"
)

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

func panics(t *testing.T, s store.Store) {
	put(t, s, "k", "before")
	func() {
		defer func() { _ = recover() }() // a driver may hand the panic on, or make an error of it
		err := s.Update(func(tx store.Tx) error {
			if err := tx.Put("k", []byte("half done")); err != nil {
				return err
			}
			panic("a fault")
		})
		if err == nil {
			t.Error("a panic went unnoticed")
		}
	}()
	func() {
		defer func() { _ = recover() }()
		if err := s.View(func(store.Reader) error { panic("a fault") }); err == nil {
			t.Error("a panic went unnoticed")
		}
	}()
	if v, _ := get(t, s, "k"); v != "before" {
		t.Errorf("a panicking update left %q", v)
	}
	put(t, s, "k", "after")
}

func besides(t *testing.T, s store.Store) {
	put(t, s, "a/1", "va/1", "a/2", "va/2")
	began, written := make(chan struct{}), make(chan error, 1)
	go func() {
		<-began
		written <- s.Update(func(tx store.Tx) error {
			return errors.Join(tx.Delete("a/2"), tx.Put("a/3", []byte("va/3")), tx.Put("a/1", []byte("changed")))
		})
	}()
	var seen []string
	err := s.View(func(r store.Reader) error {
		return r.Scan(store.Range{Prefix: "a/"}, func(key string, value []byte) error {
			if len(seen) == 0 {
				close(began)
			}
			seen = append(seen, key+"="+string(value))
			_, err := r.Get("a/2")
			return err
		})
	})
	if want := []string{"a/1=va/1", "a/2=va/2"}; err != nil || !slices.Equal(seen, want) {
		t.Errorf("%v, the view saw %q, want %q", err, seen, want)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
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
