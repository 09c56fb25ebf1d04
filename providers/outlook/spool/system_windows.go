package spool

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// free gives the bytes that the user may still write to the disk of dir.
func free(dir string) (int64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var available uint64
	err = windows.GetDiskFreeSpaceEx(name, &available, nil, nil)
	return int64(available), err
}

func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) || errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED)
}

// unlock has nothing to do: closing the file gives back its lock.
func unlock(*os.File) error { return nil }
