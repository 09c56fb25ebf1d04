package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/bolt"
)

// TestFullDisk fills a disk of 1 MiB. What was saved stays, what was not is
// said, and once there is room everything goes on.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI must be able to mount a small disk: %v", err)
		}
		t.Skipf("needs root to mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	path, filler := filepath.Join(dir, "state.db"), filepath.Join(dir, "filler")
	s := open(t, path)
	if err := os.WriteFile(filler, make([]byte, 500<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	saved := 0
	var err error
	for ; err == nil && saved < 1000; saved++ {
		err = s.Update(func(tx store.Tx) error { return tx.Put(fmt.Sprintf("k/%d", saved), bytes.Repeat([]byte("x"), 20_000)) })
	}
	saved--
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "the disk is full") {
		t.Fatalf("after %d: %v", saved, err)
	}
	if _, err := s.Backup(filepath.Join(dir, "copy")); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Errorf("a copy on the full disk: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*copy*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := bolt.Open(bolt.Config{Path: filepath.Join(dir, "second.db")}); !strings.Contains(keepwatch.Sentence(err), "disk is full") {
		t.Errorf("a first start on the full disk: %v", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(put("after", "v")); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := errors.Join(s.Close(), bolt.Check(path)); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = open(t, path).View(func(r store.Reader) error {
		return r.Scan(store.Range{Prefix: "k/"}, func(string, []byte) error { n++; return nil })
	})
	if err != nil || n != saved || saved == 0 {
		t.Errorf("%v, %d of %d are there", err, n, saved)
	}
}
