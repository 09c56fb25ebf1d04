package spool

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	bbolt "go.etcd.io/bbolt"

	"keepwatch/providers/outlook"
)

// spool is that of one run. It holds the lock of its index until Close.
type spool struct {
	Config
	dir  string
	keys *keys
	db   *bbolt.DB
	file *os.File // db's

	flushing sync.Mutex    // held by who brings what waits into the index
	flushes  atomic.Uint64 // how often that was done

	mu      sync.Mutex // guards what follows
	queue   []entry    // what is in a segment and not in the index
	waiting map[name]int
	bytes   int64      // of contents in the queue
	held    int64      // of the queue itself, for what is known of its items
	idle    []*segment // open, and nobody writes to them
	spare   []spare    // those of an earlier process that have room
	next    uint32     // the number of the next segment
	made    bool       // a segment was made whose name is not on disk
	closed  bool
	broken  error // bbolt panicked, and may still have its locks
}

var _ outlook.Spool = (*spool)(nil)

func (s *spool) usable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	return s.broken
}

// view reads the index. fn must be quick: the file grows while one reads.
func (s *spool) view(fn func(*bbolt.Tx) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	return s.fault(s.dir, guarded(func() error { return s.db.View(fn) }))
}

// change changes the index in one step, which is on disk afterwards. what is in the names
// of its crash points.
func (s *spool) change(what string, fn func(*ledger) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	s.Crash("spool." + what + ".before-commit")
	err := guarded(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			l, err := newLedger(tx, s.keys)
			if err != nil {
				return err
			}
			if err := fn(l); err != nil {
				return err
			}
			return l.close()
		})
	})
	if errors.Is(err, errPanicked) {
		s.mu.Lock()
		s.broken = err
		s.mu.Unlock()
	}
	s.Crash("spool." + what + ".after-commit")
	return s.fault(s.dir, err)
}

// Totals says how far the download is. It brings what waits into the index first, so it
// costs a sync where something was saved since.
func (s *spool) Totals() (t outlook.Totals, err error) {
	if err := s.flush(); err != nil {
		return t, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		_, err := s.keys.table(tx, tableMeta).read(total, &t)
		return err
	})
	return t, err
}

// Sync sees that all that was saved is on disk.
func (s *spool) Sync() error {
	if err := s.usable(); err != nil {
		return err
	}
	return s.flush()
}

// Close brings what was saved to the disk and lets go of the spool. No call of it may be
// under way. Where the disk is full, what is not in the index yet is found again by the
// next Open.
func (s *spool) Close() error {
	s.mu.Lock()
	closed, broken := s.closed, s.broken
	s.mu.Unlock()
	if closed {
		return nil
	}
	err := s.flush()
	s.mu.Lock()
	s.closed = true
	for _, g := range s.idle {
		err = errors.Join(err, g.file.Close())
	}
	s.idle = nil
	s.mu.Unlock()
	if broken != nil {
		return errors.Join(err, unlock(s.file), s.file.Close())
	}
	return errors.Join(err, s.db.Close())
}

func (s *spool) indexPath() string { return filepath.Join(s.dir, "index.db") }
