package bolt_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"keepwatch/store"
	"keepwatch/store/bolt"
)

// TestMain lets the test binary be another process that uses a state: it kills
// itself at a named point, or writes until it is killed.
func TestMain(m *testing.M) {
	path := os.Getenv("BOLT_TEST_PATH")
	if path == "" {
		os.Exit(m.Run())
	}
	point := os.Getenv("BOLT_TEST_CRASH")
	err := use(path, func(p string) {
		if p == point {
			self, err := os.FindProcess(os.Getpid())
			fmt.Fprintln(os.Stderr, errors.Join(err, self.Kill()))
			select {} // until the signal comes
		}
	}, point)
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// use opens the state at path and makes a copy of it, where the crash point is in
// that, or counts up in eight goroutines and says each number once it is saved.
// A crash point that is never passed must not hang the test.
func use(path string, crash func(string), point string) error {
	s, err := bolt.Open(bolt.Config{Path: path, Crash: crash})
	if err != nil {
		return err
	}
	if strings.HasPrefix(point, "bolt.backup.") {
		_, err := s.Backup(path + ".copy")
		return err
	}
	var all sync.WaitGroup
	failed := make(chan error, 8)
	for w := range 8 {
		all.Go(func() {
			for n := 1; point == "" || n < 20; n++ {
				if err := s.Update(put(fmt.Sprintf("n/%d", w), strconv.Itoa(n))); err != nil {
					failed <- err
					return
				}
				fmt.Printf("%d %d\n", w, n)
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

// process is another process that uses a state.
type process struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

func other(t *testing.T, path, crash string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BOLT_TEST_PATH="+path, "BOLT_TEST_CRASH="+crash)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &process{cmd, bufio.NewReader(pipe)}
}

// next gives what the process has saved next: a goroutine and its number.
func (p *process) next(t *testing.T) (w, n int) {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(line, "%d %d\n", &w, &n); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return w, n
}

// end waits until the process has been killed, and gives what it said.
func (p *process) end(t *testing.T) []string {
	t.Helper()
	said, _ := io.ReadAll(p.out)
	if err := p.cmd.Wait(); err == nil || p.cmd.ProcessState.Exited() {
		t.Fatalf("it was not killed but ended with %v", err)
	}
	return strings.Split(strings.TrimSpace(string(said)), "\n")
}

// points gives every crash point that the use of a state comes by.
func points(t *testing.T, path string, use func(s *bolt.Store) error) (names []string) {
	t.Helper()
	s, err := bolt.Open(bolt.Config{Path: path, Crash: func(p string) {
		if !slices.Contains(names, p) {
			names = append(names, p)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(use(s), s.Close()); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestKilledAtEveryPointOfTheFirstStart(t *testing.T) {
	all := points(t, filepath.Join(t.TempDir(), "state.db"), func(s *bolt.Store) error { return s.Update(put("k", "v")) })
	want := []string{"bolt.create.before-init", "bolt.create.before-sync", "bolt.create.before-rename", "bolt.create.before-folder-sync",
		"bolt.create.after-folder-sync", "bolt.update.before-commit", "bolt.update.after-commit"}
	if !slices.Equal(all, want) {
		t.Errorf("the points are %q", all)
	}
	for _, point := range all {
		dir := t.TempDir()
		path := filepath.Join(dir, "state.db")
		other(t, path, point).end(t)
		s := open(t, path)
		if err := errors.Join(s.Update(put("k", "v")), s.Close(), bolt.Check(path)); err != nil {
			t.Errorf("%s: %v", point, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("%s: left behind are %v, %v", point, left, err)
		}
	}
}

func TestKilledAtEveryPointOfABackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	if err := errors.Join(s.Update(put("k", "v")), s.Close()); err != nil {
		t.Fatal(err)
	}
	copied := path + ".copy"
	all := points(t, path, func(s *bolt.Store) error { _, err := s.Backup(copied); return err })
	if len(all) != 4 {
		t.Errorf("the points are %q", all)
	}
	for _, point := range all {
		if err := os.Remove(copied); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		other(t, path, point).end(t)
		_, err := os.Stat(copied)
		if isThere, want := err == nil, strings.Contains(point, "folder-sync"); isThere != want {
			t.Errorf("%s: the copy is there: %v", point, isThere)
		}
		if err == nil {
			err = bolt.Check(copied)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", point, err)
		}
		if err := bolt.Check(path); err != nil {
			t.Errorf("%s: %v", point, err)
		}
	}
}

// TestKilledAtRandom kills a process that writes with eight goroutines, after
// as many commits as chance has it. All that it said to be saved is there.
func TestKilledAtRandom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	for range 25 {
		child := other(t, path, "")
		var saved [8]int
		for range 1 + rand.IntN(60) {
			w, n := child.next(t)
			saved[w] = n
		}
		if err := child.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for _, line := range child.end(t) { // said before the kill, read after it
			var w, n int
			if _, err := fmt.Sscanf(line, "%d %d", &w, &n); err == nil {
				saved[w] = n
			}
		}
		if err := bolt.Check(path); err != nil {
			t.Fatal(err)
		}
		s := open(t, path)
		err := s.View(func(r store.Reader) error {
			for w, n := range saved {
				value, err := r.Get(fmt.Sprintf("n/%d", w))
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
				if kept, _ := strconv.Atoi(string(value)); n > 0 && kept != n && kept != n+1 {
					t.Errorf("goroutine %d: %d was said to be saved, and %q is there", w, n, value)
				}
			}
			return nil
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLeftoversOfAnotherStateAreNotOurs: two states may lie in one folder.
func TestLeftoversOfAnotherStateAreNotOurs(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, ".other.db-1.new")
	if err := os.WriteFile(mine, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, filepath.Join(dir, "state.db"))
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
}
