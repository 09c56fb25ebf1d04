package pst_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"keepwatch/pst/writer"
)

// What the writer may hold: so many bytes for each message, and what does not grow.
const (
	bytesAMessage = 300
	bytesAnyway   = 48 << 20
)

// TestMemoryOfAMillion: what lies in memory at a million messages, before the file is
// finished and at the most while it is.
func TestMemoryOfAMillion(t *testing.T) {
	soak(t)
	memoryOf(t, 1_000_000)
}

// TestMemoryOfTenThousand is the same, small enough for each run.
func TestMemoryOfTenThousand(t *testing.T) { memoryOf(t, 10_000) }

func memoryOf(t *testing.T, count int) {
	before := liveHeap()
	path := filepath.Join(t.TempDir(), "many.pst")
	w, err := writer.Create(path, fixedOptions())
	if err != nil {
		t.Fatal(err)
	}
	b := &mailbox{w, map[string]*writer.Folder{}}
	start := time.Now()
	for m := range many(20, count, 100) {
		if err := b.add(m); err != nil {
			t.Fatal(err)
		}
	}
	held := liveHeap() - before
	wrote := time.Since(start)
	stop := make(chan struct{})
	peak := peakHeap(stop)
	volumes, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	close(stop)
	most := <-peak - before
	var messages int64
	for _, v := range volumes {
		messages += v.Messages
	}
	if messages != int64(count) {
		t.Errorf("%d messages are in the volumes, there are %d", messages, count)
	}
	t.Logf("%d messages in %.1f s (with %.1f s for closing): %d bytes each held at the end, %d at the most while closing, garbage and all; %s", count, time.Since(start).Seconds(),
		(time.Since(start) - wrote).Seconds(), held/int64(count), most/int64(count), highWater())
	if limit := int64(bytesAMessage*count + bytesAnyway); held > limit || most > 2*limit {
		t.Errorf("%d bytes are held, %d at the most while closing: more than %d", held, most, limit)
	}
}

func liveHeap() int64 {
	runtime.GC()
	return heap()
}

func heap() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// peakHeap samples the heap until it is told to stop, and then says the most that it saw.
func peakHeap(stop <-chan struct{}) <-chan int64 {
	out := make(chan int64, 1)
	go func() {
		most := heap()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				out <- max(most, heap())
				return
			case <-tick.C:
				most = max(most, heap())
			}
		}
	}()
	return out
}

// highWater is the most memory that the system ever gave this process.
func highWater() string {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return fmt.Sprint(err)
	}
	for l := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(l, "VmHWM:"); ok {
			return "VmHWM " + strings.TrimSpace(rest)
		}
	}
	return ""
}
