//go:build unix

package files

import (
	"io"
	"io/fs"
	"os"
	"syscall"
)

// quietFlags: nobody waits for the other end of a pipe that a file was swapped
// for since it was listed.
const quietFlags = syscall.O_NONBLOCK

func stat(info fs.FileInfo) (*syscall.Stat_t, bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	return s, ok
}

func owner(info fs.FileInfo) (uid, gid int) {
	if s, ok := stat(info); ok {
		return int(s.Uid), int(s.Gid)
	}
	return 0, 0
}

// names gives how many names a file has.
func names(info fs.FileInfo) uint64 {
	if s, ok := stat(info); ok {
		return uint64(s.Nlink)
	}
	return 1
}

// seekHole is lseek's SEEK_HOLE, the same number on Linux and FreeBSD; where
// the system knows it not, the seek fails and nothing is said.
const seekHole = 4

// holes reports whether a file has holes, and how much of it lies on disk
// (blocks of 512 bytes, POSIX sys/stat.h). A file that is only compressed by its
// file system has none.
func holes(f *os.File, info fs.FileInfo) (stored int64, has bool) {
	s, ok := stat(info)
	if !ok || int64(s.Blocks)*512 >= info.Size() {
		return 0, false
	}
	at, err := f.Seek(0, seekHole)
	if _, back := f.Seek(0, io.SeekStart); err != nil || back != nil {
		return 0, false
	}
	return int64(s.Blocks) * 512, at < info.Size()
}

func deviceOf(info fs.FileInfo) uint64 {
	if s, ok := stat(info); ok {
		return uint64(s.Dev)
	}
	return 0
}
