package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "state.db")) })
}

// TestMain lets the test binary be another process that uses a state, and dies
// at a named point or writes until it is killed.
func TestMain(m *testing.M) {
	path := os.Getenv("BOLT_TEST_PATH")
	if path == "" {
		os.Exit(m.Run())
	}
	point := os.Getenv("BOLT_TEST_CRASH")
	s, err := bolt.Open(bolt.Config{Path: path, Crash: func(p string) {
		if p == point {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for n := 0; point == "" || n < 100; n++ { // a point that is never passed must not hang the test
		err := s.Update(func(tx store.Tx) error { return tx.Put("n", []byte(strconv.Itoa(n))) })
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(n) // it is on disk, so it may be said
	}
}

// other starts another process on the state at path.
func other(t *testing.T, path, crash string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BOLT_TEST_PATH="+path, "BOLT_TEST_CRASH="+crash)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, &out
}

func TestKilledAtEveryPointOfTheFirstStart(t *testing.T) {
	for _, point := range []string{"bolt.create.before-init", "bolt.create.before-rename", "bolt.create.after-rename", "bolt.update.before-commit", "bolt.update.after-commit"} {
		path := filepath.Join(t.TempDir(), "state.db")
		cmd, _ := other(t, path, point)
		_ = cmd.Wait()
		if cmd.ProcessState.Success() || !strings.Contains(cmd.ProcessState.String(), "killed") {
			t.Fatalf("%s: %v", point, cmd.ProcessState)
		}
		s := open(t, path)
		if err := s.Update(func(tx store.Tx) error { return tx.Put("k", nil) }); err != nil {
			t.Errorf("%s: %v", point, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := bolt.Check(path); err != nil {
			t.Errorf("%s: %v", point, err)
		}
	}
}

// TestKilledAtRandom kills a process that writes, twenty times, and sees that
// all it has acknowledged is there.
func TestKilledAtRandom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	for i := range 20 {
		cmd, out := other(t, path, "")
		<-time.After(time.Duration(20+i*7) * time.Millisecond) // the instant is what varies
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		said := strings.Fields(out.String())
		if err := bolt.Check(path); err != nil && len(said) > 0 {
			t.Fatal(err)
		}
		if len(said) == 0 {
			continue
		}
		s := open(t, path)
		err := s.View(func(r store.Reader) error {
			v, err := r.Get("n")
			kept, _ := strconv.Atoi(string(v))
			last, _ := strconv.Atoi(said[len(said)-1])
			if kept < last {
				t.Errorf("kill %d: %d was acknowledged, and %d is there", i, last, kept)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		_ = s.Close()
	}
}

func TestSecondProcessIsToldWhoHoldsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	start := time.Now()
	_, err := bolt.Open(bolt.Config{Path: path})
	if keepwatch.KindOf(err) != keepwatch.KindConflict || !strings.Contains(keepwatch.Sentence(err), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	_ = s.Close()
	if _, err := os.Stat(path + ".owner"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the note outlives its owner: %v", err)
	}
	open(t, path)
}

func TestDamagedFilesAreLeftAsTheyAre(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "state.db")
	s := open(t, whole)
	for i := range 200 {
		if err := s.Update(func(tx store.Tx) error {
			return tx.Put(fmt.Sprintf("k/%04d", i), bytes.Repeat([]byte("x"), 500))
		}); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	overwrite := func(at int, with []byte) []byte { c := bytes.Clone(data); copy(c[at:], with); return c }
	for name, content := range map[string][]byte{
		"empty": {}, "truncated": data[:len(data)/3], "cut in the first page": data[:100], "zeroed": make([]byte, len(data)), "text": []byte(strings.Repeat("I am a diary.\n", 5000)),
		"sqlite": append([]byte("SQLite format 3\x00"), make([]byte, 8192)...), "both meta pages wiped": overwrite(0, make([]byte, 8192)),
		"data pages overwritten": overwrite(16384, bytes.Repeat([]byte{0xA5}, 40_000)),
	} {
		path := filepath.Join(t.TempDir(), "state.db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
		s, err := bolt.Open(bolt.Config{Path: path})
		if err == nil {
			_ = s.Close()
		}
		if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "bot state backup") {
			t.Errorf("%s: %v", name, err)
		}
		after, err := os.ReadFile(path)
		info, err2 := os.Stat(path)
		if err != nil || err2 != nil || !bytes.Equal(after, content) || !info.ModTime().Equal(then) {
			t.Errorf("%s: the file was touched (%v, %v)", name, err, err2)
		}
	}
}

func TestReadOnlyFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("root may write anywhere; the story readonly mounts a disk read-only instead")
	}
	_, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "missing", "state.db")})
	if err == nil || keepwatch.Sentence(err) == "" {
		t.Errorf("%v", err)
	}
}

func TestBackupWhileWriting(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "state.db"))
	var stop atomic.Bool
	done := make(chan error)
	go func() {
		var err error
		for n := 0; err == nil && !stop.Load(); n++ {
			err = s.Update(func(tx store.Tx) error {
				v := []byte(strconv.Itoa(n))
				return errors.Join(tx.Put("x", v), tx.Put("y", v), tx.Put(fmt.Sprintf("fill/%d", n), bytes.Repeat(v, 50)))
			})
		}
		done <- err
	}()
	for i := range 20 {
		file := filepath.Join(dir, fmt.Sprintf("copy%d.db", i))
		size, err := s.Backup(file)
		if info, statErr := os.Stat(file); err != nil || statErr != nil || info.Size() != size || info.Mode().Perm() != 0o600 {
			t.Fatalf("%d bytes, %v, %v", size, err, statErr)
		}
		c := open(t, file)
		err = c.View(func(r store.Reader) error {
			x, _ := r.Get("x")
			y, _ := r.Get("y")
			if !bytes.Equal(x, y) {
				t.Errorf("the copy has x %s and y %s", x, y)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		_ = c.Close()
	}
	stop.Store(true)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := s.Backup(filepath.Join(dir, "copy0.db")); keepwatch.KindOf(err) != keepwatch.KindConflict {
		t.Errorf("over an existing file: %v", err)
	}
	if _, err := s.Backup(filepath.Join(dir, "nowhere", "copy.db")); keepwatch.Sentence(err) == "" {
		t.Errorf("into a missing folder: %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".state-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestPanicInAnUpdate(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	if err := s.Update(func(store.Tx) error { panic("a fault") }); err == nil {
		t.Error("a panic went unnoticed")
	}
	if err := s.Update(func(tx store.Tx) error { return tx.Put("k", nil) }); err != nil {
		t.Errorf("after a panic: %v", err)
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
						key := fmt.Sprintf("k/%d", i%10_000)
						if err := s.Update(func(tx store.Tx) error { return tx.Put(key, []byte("value")) }); err != nil {
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
