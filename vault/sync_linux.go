package vault

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// syncAll makes everything on the file system of dir durable: one call for any
// number of restored files.
func syncAll(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}

// beginWriteback asks the system to begin writing a part of a file to the disk.
// It is advice: the sync at the end is what counts.
func beginWriteback(f *os.File, from, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), from, n, unix.SYNC_FILE_RANGE_WRITE)
}

// forget asks the system to drop what it keeps of a file in memory, so that the
// next read is one of the disk. It is advice too; pages not yet written stay.
func forget(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// setLinkTime sets the time of a symbolic link itself.
func setLinkTime(dir *os.Root, base string, at time.Time) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Sec: at.Unix(), Nsec: int64(at.Nanosecond())}}
	return errors.Join(unix.UtimesNanoAt(int(d.Fd()), base, times, unix.AT_SYMLINK_NOFOLLOW), d.Close())
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
