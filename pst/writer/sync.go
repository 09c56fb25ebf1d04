package writer

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// syncFolder sees that the names in a folder are on the disk. Windows has no such
// call for folders: it writes names through.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync the folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync the folder: %w", err)
	}
	return nil
}
