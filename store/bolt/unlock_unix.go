//go:build darwin || linux || freebsd || netbsd || openbsd

package bolt

import (
	"os"
	"syscall"
)

// unlock gives back the lock that bbolt takes on its file.
func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
