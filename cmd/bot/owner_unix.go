//go:build unix

package main

import (
	"os"
	"syscall"
)

// ownerOf gives the user that a file belongs to, -1 where that is not known.
func ownerOf(info os.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}
