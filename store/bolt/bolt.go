// Package bolt keeps the state in one bbolt file.
//
// The file is made under a temporary name, synced and renamed, because a power
// cut during bbolt's first initialisation can corrupt it (bbolt README, "known
// issues"). It is checked at every start, and a file that is not whole is never
// written to. Writers that meet commit together: one sync for all of them.
package bolt

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	bbolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"keepwatch"
	"keepwatch/store"
)

// Config says where the state lies.
type Config struct {
	Path    string             // the file; its folder exists
	Timeout time.Duration      // how long to wait for another process; 0: 1.5 s
	Log     *slog.Logger       // nil: silent
	Crash   func(point string) // tests end the process at a named point; nil: never
}

// Store is a store.Store in one file. It holds the file's lock until Close.
type Store struct {
	db    *bbolt.DB
	path  string
	owner string // path of the note that says who holds the lock
	log   *slog.Logger
	crash func(string)

	mu      sync.Mutex // guards the queue of writers
	queue   []*write
	leading bool
	closed  bool
}

// bucket is the only one in the file.
var bucket = []byte("keepwatch")

const fileMode = 0o600

// Open opens the state, or makes it where there is no file. It fails within two
// seconds where another process holds it, and never touches a file that is not
// a whole state: the error says what is wrong and what to do.
func Open(cfg Config) (*Store, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = 1500 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	s := &Store{path: cfg.Path, owner: cfg.Path + ".owner", log: cfg.Log, crash: cfg.Crash}
	if _, err := os.Stat(cfg.Path); errors.Is(err, os.ErrNotExist) {
		if err := s.create(); err != nil {
			return nil, unusable(cfg.Path, err)
		}
	}
	if err := plausible(cfg.Path); err != nil {
		return nil, err
	}
	db, err := open(cfg.Path, &bbolt.Options{Timeout: cfg.Timeout})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, s.held(err)
	}
	if err != nil {
		return nil, unusable(cfg.Path, err)
	}
	if err := check(db); err != nil {
		return nil, errors.Join(unusable(cfg.Path, err), db.Close())
	}
	s.db = db
	if err := s.noteOwner(); err != nil {
		s.log.Warn("the note about who uses the state could not be written", "err", err)
	}
	return s, nil
}

// create makes an empty state: written and synced under another name, then
// linked into place, which fails where another process was faster, and the
// folder synced.
func (s *Store) create() error {
	f, err := os.CreateTemp(filepath.Dir(s.path), ".state-*.new")
	if err != nil {
		return err
	}
	temp := f.Name()
	defer os.Remove(temp)
	if err := f.Close(); err != nil {
		return err
	}
	s.crash("bolt.create.before-init")
	db, err := open(temp, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bucket)
		return err
	})
	if err := errors.Join(err, db.Sync(), db.Close()); err != nil {
		return err
	}
	s.crash("bolt.create.before-rename")
	if err := rename(temp, s.path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	s.crash("bolt.create.after-rename")
	return syncFolder(filepath.Dir(s.path))
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

// open is bbolt.Open without its panics: it panics over a truncated file.
func open(path string, o *bbolt.Options) (db *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, fmt.Errorf("bbolt panicked: %v", p)
		}
	}()
	return bbolt.Open(path, fileMode, o)
}

// check runs bbolt's consistency check and looks for our bucket.
func check(db *bbolt.DB) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("bbolt panicked: %v", p)
		}
	}()
	return db.View(func(tx *bbolt.Tx) error {
		for e := range tx.Check() {
			err = errors.Join(err, e)
		}
		if err == nil && tx.Bucket(bucket) == nil {
			err = errors.New("it has no bucket named keepwatch")
		}
		return err
	})
}

// plausible looks at the beginning of the file without locking or changing it:
// bbolt would make a new state out of an empty file.
func plausible(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return unusable(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return unusable(path, err)
	}
	if info.Size() == 0 {
		return unusable(path, errors.New("it is empty"))
	}
	// the page header is 16 bytes, then the magic number (bbolt internal/common/meta.go)
	head := make([]byte, 20)
	if _, err := io.ReadFull(f, head); err != nil {
		return unusable(path, errors.New("it is too short"))
	}
	if head[16] != 0xED || head[17] != 0xDA || head[18] != 0x0C || head[19] != 0xED {
		return unusable(path, errors.New("it does not begin as a bbolt file does"))
	}
	return nil
}

// unusable says what to do about a state file that cannot be used.
func unusable(path string, cause error) error {
	if errors.Is(cause, os.ErrPermission) || errors.Is(cause, syscall.EROFS) {
		return keepwatch.Errorf(keepwatch.KindAttention,
			"The state file %s cannot be written (%v). Keepwatch must own its data folder, and the disk must not be read-only.", path, cause).Because(cause)
	}
	if full(cause) {
		return keepwatch.Errorf(keepwatch.KindAttention, "The state file %s cannot be written, because the disk is full. Free some room and start again.", path).Because(cause)
	}
	return keepwatch.Errorf(keepwatch.KindAttention,
		"The state file %s is not a whole Keepwatch state (%v). It was left as it is. Move it away and put a copy that `bot state backup` made in its place; without one, start with none: the archives in the vault are found again, only the history is lost.", path, cause).Because(cause)
}

func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
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

// Check opens the file at path read-only and runs bbolt's consistency check.
func Check(path string) error {
	if err := plausible(path); err != nil {
		return err
	}
	db, err := open(path, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return unusable(path, err)
	}
	if err := check(db); err != nil {
		return errors.Join(unusable(path, err), db.Close())
	}
	return db.Close()
}

// Close finishes what is being written and lets go of the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	_ = os.Remove(s.owner)
	return s.db.Close()
}

var errClosed = errors.New("store: closed")

var _ store.Store = (*Store)(nil)
