package spool_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/spool"
)

// BenchmarkPut saves 10,000 contents of 20 KB, or ten of 50 MB, in lanes, to the last sync.
func BenchmarkPut(b *testing.B) {
	for _, c := range []struct{ many, size, lanes int }{{10_000, 20_000, 1}, {10_000, 20_000, 4}, {10, 50_000_000, 4}} {
		b.Run(fmt.Sprintf("%dx%d/%d", c.many, c.size, c.lanes), func(b *testing.B) {
			content := bytes.Repeat([]byte("0123456789abcdef"), c.size/16)
			for range b.N {
				b.StopTimer()
				dir, err := os.MkdirTemp("", "spool")
				must(b, err)
				sp, err := spool.New(spool.Config{Dir: dir}).Open(1, key(0))
				must(b, err)
				fill(b, sp, c.many, func(n int) outlook.Item { return item(fmt.Sprint(n), "1") })
				b.StartTimer()
				download(b, sp, c.lanes, func(outlook.Item) io.Reader { return bytes.NewReader(content) })
				must(b, sp.Sync())
				b.StopTimer()
				must(b, sp.Close())
				must(b, os.RemoveAll(dir))
				b.StartTimer()
			}
			b.SetBytes(int64(c.many * len(content)))
			b.ReportMetric(float64(c.many*b.N)/b.Elapsed().Seconds(), "items/s")
		})
	}
}

// BenchmarkOpen opens a spool, and reads a content of it.
func BenchmarkOpen(b *testing.B) {
	sp := open(b, spool.Config{Dir: b.TempDir()})
	content := bytes.Repeat([]byte("0123456789abcdef"), 50_000_000/16)
	fill(b, sp, 1, func(int) outlook.Item { return item("1", "1") })
	put(b, sp, item("1", "1"), outlook.Note{}, content)
	b.SetBytes(int64(len(content)))
	b.ResetTimer()
	for range b.N {
		for r, err := range sp.Records("a") {
			must(b, err)
			rc, err := sp.Open(r)
			must(b, err)
			_, err = io.Copy(io.Discard, rc)
			must(b, err)
			must(b, rc.Close())
		}
	}
}

// BenchmarkLarge does all that is done with a mailbox of 100,000 items, or as many as
// KEEPWATCH_BENCH_ITEMS says, and reports the most memory
// that was in use, in all and in each step.
func BenchmarkLarge(b *testing.B) {
	many := 100_000
	if s := os.Getenv("KEEPWATCH_BENCH_ITEMS"); s != "" {
		n, err := strconv.Atoi(s)
		must(b, err)
		many = n
	}
	raw := []byte(`"` + string(bytes.Repeat([]byte("r"), 1000)) + `"`)
	for range b.N {
		cfg := spool.Config{Dir: b.TempDir()}
		most, stop := watch(b)
		step := func(name string, do func()) {
			begun := time.Now()
			runtime.GC()
			most, stop := watch(b)
			do()
			b.ReportMetric(time.Since(begun).Seconds(), name+"-s")
			close(stop)
			b.ReportMetric(float64(<-most)/(1<<20), name+"-MiB")
		}
		sp := open(b, cfg)
		of := func(n int) outlook.Item {
			i := item(fmt.Sprint(n), "1")
			i.Raw = raw
			return i
		}
		step("list", func() { fill(b, sp, many, of) })
		step("put", func() {
			lanesOf(b, sp, 4, func(outlook.Item) io.Reader { return bytes.NewReader(raw[:100]) }, func(outlook.Item) {})
		})
		must(b, sp.Close())
		step("reopen", func() { sp = open(b, cfg) })
		step("records", func() {
			n := 0
			for _, err := range sp.Records("a") {
				must(b, err)
				n++
			}
			if n != many {
				b.Fatalf("%d records", n)
			}
		})
		must(b, sp.Restart("a", ""))
		step("full", func() { must(b, sp.Page("a", nil, outlook.Position{Full: true, State: "t"})) })
		if got, err := sp.Totals(); err != nil || got.Items != 0 {
			b.Fatalf("%+v, %v", got, err)
		}
		step("forget", func() { must(b, sp.SetFolders(nil)) })
		info, err := os.Stat(files(b, cfg.Dir, "index.db")[0])
		must(b, err)
		must(b, sp.Close())
		close(stop)
		b.ReportMetric(float64(<-most)/(1<<20), "peak-MiB")
		b.ReportMetric(float64(info.Size())/(1<<20), "index-MiB")
	}
}

// watch looks at the heap until stop is closed, and gives the most that was there.
func watch(b *testing.B) (most chan uint64, stop chan struct{}) {
	b.Helper()
	most, stop = make(chan uint64, 1), make(chan struct{})
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		peak := uint64(0)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			select {
			case <-stop:
				most <- peak
				return
			case <-tick.C:
			}
		}
	}()
	return most, stop
}
