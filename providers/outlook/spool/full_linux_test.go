package spool_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/spool"
)

// TestFullDisk fills a disk. What was saved stays, what was not is said, nothing torn
// counts, and once there is room everything goes on.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI must be able to mount a small disk: %v", err)
		}
		t.Skipf("needs root to mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	filler := filepath.Join(dir, "filler")
	must(t, os.WriteFile(filler, make([]byte, 5<<20), 0o600))
	cfg := spool.Config{Dir: filepath.Join(dir, "spools")}
	sp, m := open(t, cfg), newModel()
	var items []outlook.Item
	for n := range 60 {
		items = append(items, item(fmt.Sprint(n), "1"))
	}
	must(t, sp.SetFolders([]outlook.Folder{folder("a")}))
	m.SetFolders([]outlook.Folder{folder("a")})
	at := outlook.Position{Full: true, Next: "n"}
	must(t, sp.Page("a", items, at))
	m.Page("a", items, at)
	content := bytes.Repeat([]byte("x"), 300<<10)
	put := func() (failed int) {
		for _, i := range items {
			_, _, err := sp.Put(i, outlook.Note{}, bytes.NewReader(content))
			if err == nil {
				m.Put(i, outlook.Note{}, content)
				continue
			}
			failed++
			if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "is full") {
				t.Fatalf("%v", err)
			}
		}
		return failed
	}
	if failed := put(); failed < 30 || failed == len(items) {
		t.Fatalf("%d of %d failed", failed, len(items))
	}
	// Fill what is left, so that the index cannot grow either.
	stuff(t, filepath.Join(dir, "rest"))
	var more []outlook.Item
	for n := range 1000 {
		more = append(more, item(fmt.Sprint("more ", n), "1"))
	}
	if err := sp.Page("a", more, at); keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "is full") {
		t.Fatalf("a page: %v", err)
	}
	if _, err := spool.New(cfg).Open(2, key(0)); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Errorf("a new one: %v", err)
	}
	must(t, os.Remove(filepath.Join(dir, "rest")))
	check(t, sp, m, "on the full disk")
	must(t, os.Remove(filler))
	items = items[len(items)-10:]
	if failed := put(); failed > 0 {
		t.Errorf("%d failed with room again", failed)
	}
	check(t, sp, m, "with room again")
	must(t, sp.Close())
	check(t, open(t, cfg), m, "opened again")
}

// stuff makes a file of all that is left of a disk.
func stuff(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	for {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			break
		}
	}
	must(t, f.Close())
}
