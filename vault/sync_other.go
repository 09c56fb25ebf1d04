//go:build !linux

package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// syncAll makes every file below dir durable, one by one: only Linux has a call
// for all of them.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // restored with a mode that keeps us out
		}
		if d.IsDir() {
			return syncDir(path)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil // a file that may only be read; the system writes it in its own time
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// beginWriteback and forget are advice that only Linux takes.
func beginWriteback(*os.File, int64, int64) {}
func forget(*os.File)                       {}

// setLinkTime does nothing: only Linux has a call for it that cannot lead
// outside of a folder.
func setLinkTime(*os.Root, string, time.Time) error { return nil }

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }
