package main

import (
	"runtime"
	"testing"
)

// heapAfter gives the bytes of living objects once so many commands in all were
// answered, and how many more were sent for it.
func heapAfter(tb testing.TB, l *loaded, from, to int) float64 {
	tb.Helper()
	const clients = 64 // they share their syncs
	drive(tb, l.addr, clients, from, to, slackCommand)
	l.await(tb, to)
	runtime.GC()
	runtime.GC() // what pools held goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

const mebibyte = 1 << 20

// BenchmarkMemory is what lives on the heap after 1,000 commands, and after
// 10,000.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		l := load(b, "slack")
		few := heapAfter(b, l, 0, 1000)
		many := heapAfter(b, l, 1000, 10_000)
		b.ReportMetric(few/mebibyte, "MiB-after-1000")
		b.ReportMetric(many/mebibyte, "MiB-after-10000")
		l.close()
	}
	b.ReportMetric(0, "ns/op")
}

// TestMemoryIsFlat: thousands of requests leave nothing behind in memory. What is
// allowed for is noise: 5,000 requests that left 500 bytes each would show.
func TestMemoryIsFlat(t *testing.T) {
	l := load(t, "slack")
	before := heapAfter(t, l, 0, 1000)
	after := heapAfter(t, l, 1000, 6000)
	t.Logf("%.2f MiB after 1,000 commands, %.2f MiB after 6,000", before/mebibyte, after/mebibyte)
	if after-before > 2*mebibyte {
		t.Errorf("the heap grew by %.2f MiB with 5,000 more commands", (after-before)/mebibyte)
	}
}
