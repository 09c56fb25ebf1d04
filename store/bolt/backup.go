package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bbolt "go.etcd.io/bbolt"

	"keepwatch"
)

// Backup writes a consistent copy of the state to file while the bot goes on,
// and gives its size. The copy is written beside file under another name,
// synced, checked as every start checks the state, and only then renamed. A
// file that exists is refused.
func (s *Store) Backup(file string) (size int64, err error) {
	if _, err := os.Lstat(file); err == nil {
		return 0, keepwatch.Errorf(keepwatch.KindConflict, "%s exists already and is left as it is. Name another file.", file)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".state-backup-*")
	if err != nil {
		return 0, keepwatch.Errorf(keepwatch.KindInvalid, "No file can be written in %s (%v).", filepath.Dir(file), errors.Unwrap(err)).Because(err)
	}
	temp := f.Name()
	defer func() { _ = os.Remove(temp) }()
	err = s.copyTo(f, &size)
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, keepwatch.Errorf(keepwatch.KindAttention, "The copy of the state could not be written to %s (%v).", filepath.Dir(file), err).Because(err)
	}
	if err := Check(temp); err != nil {
		return 0, fmt.Errorf("check the copy: %w", err)
	}
	s.crash("bolt.backup.before-rename")
	if err := rename(temp, file); err != nil {
		return 0, fmt.Errorf("rename the copy: %w", err)
	}
	s.crash("bolt.backup.after-rename")
	return size, syncFolder(filepath.Dir(file))
}

func (s *Store) copyTo(f *os.File, size *int64) error {
	err := s.db.View(func(tx *bbolt.Tx) (err error) {
		*size, err = tx.WriteTo(f)
		return err
	})
	return errors.Join(err, f.Sync())
}
