package main

import (
	"runtime/debug"
	"testing"
)

// TestMemoryIsBound: the bound is set, and gives way to that of whoever starts the
// program.
func TestMemoryIsBound(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for said, want := range map[string]int64{"": mostHeap, "512MiB": 1 << 40} {
		debug.SetMemoryLimit(1 << 40)
		boundMemory(func(name string) string {
			if name != "GOMEMLIMIT" {
				t.Errorf("%s is asked for", name)
			}
			return said
		})
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("with %q it is %d, not %d", said, got, want)
		}
	}
}
