package files

import (
	"io/fs"
	"time"
)

// changedAt gives when a file's name, owner, mode or content last changed.
func changedAt(info fs.FileInfo) time.Time {
	if s, ok := stat(info); ok {
		return time.Unix(s.Ctim.Unix()).UTC()
	}
	return time.Time{}
}
