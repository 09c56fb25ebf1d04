package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	bbolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	fileMode = 0o600
	lockWait = 500 * time.Millisecond // bbolt tries every 50 ms
	// An index that is being made is called .index-<random>.new.
	newPrefix, newSuffix = ".index-", ".new"
)

// open opens the spool in its folder, or begins it where the folder is empty.
func (s *spool) open() error {
	if _, err := os.Stat(s.indexPath()); errors.Is(err, os.ErrNotExist) {
		segments, err := s.files()
		if err != nil {
			return err
		}
		if len(segments) > 0 {
			return lost("there are contents in %s and no index", s.dir)
		}
		if err := s.create(); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	file, err := os.Open(s.indexPath())
	if err != nil {
		return err
	}
	err = errors.Join(plausible(file), file.Close())
	if err != nil {
		return err
	}
	if s.db, s.file, err = openIndex(s.indexPath(), s.verify); err != nil {
		return err
	}
	s.sweep()
	if err := s.recover(); err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

// verify reads the whole index before bbolt does, under its lock.
func (s *spool) verify(file *os.File) error {
	return verifyIndex(file, func(path, key, sealed []byte) error {
		_, err := s.keys.open(append(append([]byte{}, path...), key...), sealed)
		return err
	})
}

// openIndex opens an index with bbolt. verify looks at the file once its lock is held; what
// it finds wrong is what is wrong, however far bbolt came.
func openIndex(path string, verify func(*os.File) error) (db *bbolt.DB, file *os.File, err error) {
	o := &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType, NoStatistics: true}
	o.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, mode)
		file = f
		return f, err
	}
	// Read-only first: bbolt then touches nothing but the two pages that describe the file.
	o.ReadOnly = true
	err = guarded(func() (err error) {
		db, err = bbolt.Open(path, fileMode, o)
		return err
	})
	if err == nil {
		err = errors.Join(verify(file), db.Close())
	}
	if err == nil {
		o.ReadOnly = false
		err = guarded(func() (err error) {
			db, err = bbolt.Open(path, fileMode, o)
			return err
		})
	}
	switch {
	case errors.Is(err, errPanicked):
		return nil, nil, errors.Join(err, unlock(file), file.Close())
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, nil, lost("the index: %w", err)
	case err != nil:
		return nil, nil, err
	}
	return db, file, nil
}

// create makes an empty index: under another name, synced, then renamed, because a power
// cut during bbolt's first initialisation can corrupt it (bbolt README, "known issues").
func (s *spool) create() error {
	f, err := os.CreateTemp(s.dir, newPrefix+"*"+newSuffix)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	s.Crash("spool.create.before-init")
	if err := errors.Join(f.Close(), s.initialise(f.Name())); err != nil {
		return err
	}
	s.Crash("spool.create.before-rename")
	err = os.Link(f.Name(), s.indexPath()) // unlike a rename, never over another's
	switch {
	case errors.Is(err, os.ErrExist):
		return nil
	case err != nil: // a file system without links
		if err := os.Rename(f.Name(), s.indexPath()); err != nil {
			return err
		}
	}
	s.Crash("spool.create.before-folder-sync")
	return syncDir(s.dir)
}

func (s *spool) initialise(path string) error {
	db, err := bbolt.Open(path, fileMode, &bbolt.Options{Timeout: lockWait})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range tables {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return s.keys.table(tx, tableMeta).write(total, counts{})
	})
	return errors.Join(err, db.Close())
}

// sweep removes what beginnings that were cut off have left behind. The lock is held, so
// there is an index, and nobody needs another.
func (s *spool) sweep() {
	entries, _ := os.ReadDir(s.dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), newPrefix) && strings.HasSuffix(e.Name(), newSuffix) {
			s.Log.Info("an index that was never finished is removed", "file", e.Name(), "err", os.Remove(filepath.Join(s.dir, e.Name())))
		}
	}
}

// plausible sees that a file can be an index: bbolt would make a new one of an empty file.
func plausible(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return lost("the index is not a file: %v", info.Mode())
	}
	if _, err := describe(file, info.Size()); err != nil {
		return fmt.Errorf("the index: %w", err)
	}
	return nil
}
