//go:build unix

package main

import (
	"os"
	"syscall"
)

// ourOwn reports whether a file or folder belongs to this user and is closed to
// all others.
func ourOwn(info os.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid() && info.Mode().Perm()&0o077 == 0
}
