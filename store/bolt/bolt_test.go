package bolt_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	bbolt "go.etcd.io/bbolt"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/bolt"
	"keepwatch/store/storetest"
)

func open(t testing.TB, path string) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(bolt.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(key, value string) func(store.Tx) error {
	return func(tx store.Tx) error { return tx.Put(key, []byte(value)) }
}

func fresh(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "state.db")) }

func TestContract(t *testing.T) { storetest.Run(t, fresh) }

func TestRecords(t *testing.T) { storetest.RunRecords(t, fresh) }

func TestMail(t *testing.T) { storetest.RunMail(t, fresh) }

func TestDuties(t *testing.T) { storetest.RunDuties(t, fresh) }

// In a bubble time is what bbolt waits, however busy the machine is.
func TestSecondOneIsToldWhoHoldsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		s := open(t, path)
		start := time.Now()
		_, err := bolt.Open(bolt.Config{Path: path})
		if keepwatch.KindOf(err) != keepwatch.KindConflict || !strings.Contains(keepwatch.Sentence(err), fmt.Sprintf("process %d", os.Getpid())) {
			t.Errorf("%v", err)
		}
		if took := time.Since(start); took > 2*time.Second || took < time.Second {
			t.Errorf("it took %v to say so", took)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path + ".owner"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the note outlives its owner: %v", err)
		}
		open(t, path)
	})
}

func TestAnotherProcessIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	child := other(t, path, "")
	child.next(t)
	_, err := bolt.Open(bolt.Config{Path: path, Timeout: 200 * time.Millisecond})
	if want := fmt.Sprintf("process %d, bolt.test, on ", child.cmd.Process.Pid); !strings.Contains(keepwatch.Sentence(err), want) {
		t.Errorf("%v does not say %q", err, want)
	}
}

// TestAKilledOneIsNotAccused: the note of a process that is gone says nothing
// about who has the file now.
func TestAKilledOneIsNotAccused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	gone := exec.Command(os.Args[0], "-test.run=^$")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	note, _ := json.Marshal(map[string]any{"pid": gone.Process.Pid, "host": host, "program": "bot", "since": time.Now()})
	if err := os.WriteFile(path+".owner", note, 0o600); err != nil {
		t.Fatal(err)
	}
	foreign, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	_, err = bolt.Open(bolt.Config{Path: path, Timeout: 200 * time.Millisecond})
	if !strings.HasPrefix(keepwatch.Sentence(err), "Another program is using "+path) {
		t.Errorf("%v", err)
	}
}

func TestTwoFirstStartsAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	var all sync.WaitGroup
	var opened atomic.Int64
	for i := range 8 {
		all.Go(func() {
			s, err := bolt.Open(bolt.Config{Path: path, Timeout: time.Minute})
			if err != nil {
				t.Error(err)
				return
			}
			opened.Add(1)
			if err := errors.Join(s.Update(put(fmt.Sprintf("k/%d", i), "")), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	n := 0
	err := open(t, path).View(func(r store.Reader) error {
		return r.Scan(store.Range{}, func(string, []byte) error { n++; return nil })
	})
	if err != nil || n != 8 {
		t.Errorf("%v, %d of 8 are there", err, n)
	}
}

// TestAFasterFirstStartIsNotUndone: while one makes the state, another has made
// it and written to it.
func TestAFasterFirstStartIsNotUndone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := bolt.Open(bolt.Config{Path: path, Crash: func(point string) {
		if point != "bolt.create.before-rename" {
			return
		}
		faster := open(t, path)
		if err := errors.Join(faster.Update(put("k", "v")), faster.Close()); err != nil {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.View(func(r store.Reader) error { _, err := r.Get("k"); return err }); err != nil {
		t.Error(err)
	}
}

// TestNobodyServesTheOthersForEver: whoever commits for others goes on with its
// own work after one commit.
func TestNobodyServesTheOthersForEver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path)
		began, release, returned, second := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			defer close(returned)
			if err := s.Update(func(store.Tx) error { close(began); <-release; return nil }); err != nil {
				t.Error(err)
			}
		}()
		<-began
		go func() { second <- s.Update(func(store.Tx) error { <-returned; return nil }) }()
		synctest.Wait() // the second waits for the first one's commit
		close(release)
		if err := <-second; err != nil {
			t.Error(err)
		}
	})
}

// TestCloseFinishesWhatWaits: an update that was taken is carried out.
func TestCloseFinishesWhatWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	synctest.Test(t, func(t *testing.T) {
		commits := 0
		s, err := bolt.Open(bolt.Config{Path: path, Crash: func(point string) {
			if point == "bolt.update.before-commit" {
				if commits++; commits == 2 {
					synctest.Wait() // let Close come as far as it can
				}
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		began, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 3)
		go func() { done <- s.Update(func(store.Tx) error { close(began); <-release; return nil }) }()
		<-began
		for _, key := range []string{"a", "b"} {
			go func() { done <- s.Update(put(key, "v")) }()
		}
		synctest.Wait()
		go func() { close(release) }()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		err = open(t, path).View(func(r store.Reader) error {
			_, a := r.Get("a")
			_, b := r.Get("b")
			return errors.Join(a, b)
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestFolderThatIsNotThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "state.db")
	_, err := bolt.Open(bolt.Config{Path: path})
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "folder must be there") {
		t.Errorf("%v", err)
	}
	if strings.Contains(keepwatch.Sentence(err), "Move it away") {
		t.Errorf("%v speaks of a file that is not there", err)
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "state.db"))
			var n atomic.Int64
			var all sync.WaitGroup
			for range writers {
				all.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						if err := s.Update(put(fmt.Sprintf("k/%d", i%10_000), "value")); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// BenchmarkOpen opens a state of 100,000 records of 1 KiB, checks included.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "state.db")
	s := open(b, path)
	err := s.Update(func(tx store.Tx) error {
		value := []byte(strings.Repeat("x", 1024))
		for i := range 100_000 {
			if err := tx.Put(fmt.Sprintf("run/%012d", i), value); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := bolt.Open(bolt.Config{Path: path})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
