package bolt

import (
	"errors"
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
	if err := s.usable(); err != nil {
		return 0, err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".state-backup-*")
	if err != nil {
		return 0, keepwatch.Errorf(keepwatch.KindInvalid, "No file can be written in %s (%v).", filepath.Dir(file), errors.Unwrap(err)).Because(err)
	}
	defer os.Remove(f.Name())
	err = s.copyTo(f, &size)
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, keepwatch.Errorf(keepwatch.KindAttention, "The copy of the state could not be written to %s (%v). Nothing was left there.", filepath.Dir(file), err).Because(err)
	}
	if err := Check(f.Name()); err != nil {
		return 0, keepwatch.Errorf(keepwatch.KindAttention, "The copy of the state was written but did not read back whole, so it was removed. The state itself goes on. Look at the disk under %s, or name another place.", filepath.Dir(file)).Because(err)
	}
	s.crash("bolt.backup.before-rename")
	if err := rename(f.Name(), file); err != nil {
		return 0, keepwatch.Errorf(keepwatch.KindAttention, "The copy of the state could not be given its name %s (%v). Nothing was left there.", file, err).Because(err)
	}
	s.crash("bolt.backup.before-folder-sync")
	err = syncFolder(filepath.Dir(file))
	s.crash("bolt.backup.after-folder-sync")
	return size, err
}

func (s *Store) copyTo(f *os.File, size *int64) error {
	err := guarded(func() error {
		return s.db.View(func(tx *bbolt.Tx) (err error) {
			*size, err = tx.WriteTo(f)
			return err
		})
	})
	s.crash("bolt.backup.before-sync")
	return errors.Join(err, f.Sync())
}
