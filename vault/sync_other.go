//go:build !linux

package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// syncAll makes every file below dir durable, one by one: only Linux has a call
// for all of them.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil // a file that may only be read; the system writes it in its own time
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }
