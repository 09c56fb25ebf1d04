package bolt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	bbolt "go.etcd.io/bbolt"
)

// A state that is being made is called .<name>-<random>.new.
const newSuffix = ".new"

func (s *Store) newPrefix() string { return "." + filepath.Base(s.path) + "-" }

// create makes an empty state: written and synced under another name, then
// linked into place, which fails where another process was faster, and the
// folder synced.
func (s *Store) create() error {
	dir := filepath.Dir(s.path)
	f, err := os.CreateTemp(dir, s.newPrefix()+"*"+newSuffix)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	s.crash("bolt.create.before-init")
	if err := errors.Join(s.initialise(f), f.Close()); err != nil {
		return err
	}
	s.crash("bolt.create.before-rename")
	if err := rename(f.Name(), s.path); err != nil {
		if _, taken := os.Stat(s.path); taken != nil {
			return err
		}
	}
	s.crash("bolt.create.before-folder-sync")
	err = syncFolder(dir)
	s.crash("bolt.create.after-folder-sync")
	return err
}

// initialise has bbolt write an empty state into f.
func (s *Store) initialise(f *os.File) error {
	db, _, err := open(f.Name(), &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bucket)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	s.crash("bolt.create.before-sync")
	return f.Sync()
}

// sweep removes what first starts that were cut off have left behind. The lock
// is held, so there is a state, and nobody needs another.
func (s *Store) sweep() {
	dir := filepath.Dir(s.path)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), s.newPrefix()) && strings.HasSuffix(e.Name(), newSuffix) {
			s.log.Info("a state that was never finished is removed", "file", e.Name(), "err", os.Remove(filepath.Join(dir, e.Name())))
		}
	}
}

// rename gives temp its final name, but never over a file that is there: two
// first starts at once must not take the state from each other.
func rename(temp, path string) error {
	err := os.Link(temp, path)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM) {
		return os.Rename(temp, path) // a file system without links
	}
	return err
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		err = nil // a system that cannot sync folders has nothing to sync
	}
	return errors.Join(err, d.Close())
}
