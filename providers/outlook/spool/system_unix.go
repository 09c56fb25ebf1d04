//go:build unix

package spool

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// free gives the bytes that an ordinary user may still write to the disk of dir.
func free(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	if s.Blocks == 0 { // no disk, as /proc and its like: how much may be written is not said
		return 0, errors.ErrUnsupported
	}
	return int64(uint64(s.Bavail) * uint64(s.Bsize)), nil
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// unlock gives back the lock that bbolt takes on its file.
func unlock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }
