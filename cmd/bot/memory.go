package main

import "runtime/debug"

// mostHeap is from where on the garbage collector works harder, and gives back to the
// system what is free. Without a bound, what age leaves behind for each 64 KiB that it
// opens is collected late on a machine that has much other work: the process of a backup
// of 10 GiB once took 75 MiB instead of 51 (docs/decisions/0019-memory-has-a-bound.md).
const mostHeap = 24 << 20

// boundMemory sets the bound, unless whoever starts the program has set one of their
// own by GOMEMLIMIT. It is no limit for what is needed: that is had all the same.
func boundMemory(environ func(string) string) {
	if environ("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(mostHeap)
	}
}
