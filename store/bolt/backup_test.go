package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/bolt"
)

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
		if err := errors.Join(err, c.Close()); err != nil {
			t.Error(err)
		}
	}
	stop.Store(true)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestBackupRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "state.db"))
	there := filepath.Join(dir, "there")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Backup(there); keepwatch.KindOf(err) != keepwatch.KindConflict || !strings.Contains(keepwatch.Sentence(err), there) {
		t.Errorf("over an existing file: %v", err)
	}
	if data, err := os.ReadFile(there); err != nil || string(data) != "mine" {
		t.Errorf("the file became %q, %v", data, err)
	}
	if _, err := s.Backup(filepath.Join(dir, "nowhere", "copy.db")); keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), "nowhere") {
		t.Errorf("into a missing folder: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestBackupIsCheckedBeforeItCounts spoils the copy before it gets its name.
func TestBackupIsCheckedBeforeItCounts(t *testing.T) {
	dir := t.TempDir()
	s, err := bolt.Open(bolt.Config{Path: filepath.Join(dir, "state.db"), Crash: func(point string) {
		if point != "bolt.backup.before-sync" {
			return
		}
		temp, err := filepath.Glob(filepath.Join(dir, ".state-backup-*"))
		if err != nil || len(temp) != 1 {
			t.Fatalf("%v, %v", temp, err)
		}
		if err := os.Truncate(temp[0], 8192); err != nil {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Backup(filepath.Join(dir, "copy"))
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "did not read back whole") {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*copy*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
