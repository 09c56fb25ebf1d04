package bolt_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"keepwatch/store"
	"keepwatch/store/bolt"
)

// BenchmarkColdStart is the start after one of the machine: nothing of the state is
// in memory. How long it takes is the disk's affair.
func BenchmarkColdStart(b *testing.B) {
	path := filepath.Join(b.TempDir(), "state.db")
	rules, each := bookSize()
	fillBook(b, path, rules, each)
	for b.Loop() {
		b.StopTimer()
		forget(b, path)
		b.StartTimer()
		s, err := bolt.Open(bolt.Config{Path: path})
		if err != nil {
			b.Fatal(err)
		}
		tick(b, store.NewRecords(s, time.Now), noon, 0)
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.Logf("%d rules and %d past occurrences", rules, rules*each)
}

// forget has the system let go of what it keeps of a file in memory.
func forget(b *testing.B, path string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		b.Fatal(err)
	}
}
