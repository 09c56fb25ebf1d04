// Package bolt keeps the state in one bbolt file.
//
// The file is made under a temporary name, synced and renamed, because a power
// cut during bbolt's first initialisation can corrupt it (bbolt README, "known
// issues"). It is opened read-only and checked at every start before it is
// opened for writing, so a file that is not whole is never written to. Writers
// that meet commit together: one sync for all of them.
package bolt

import (
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	bbolt "go.etcd.io/bbolt"

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
	file  *os.File // db's
	path  string
	log   *slog.Logger
	crash func(string)

	mu      sync.Mutex // guards what follows
	queue   []*write   // writers that wait for a commit
	leading bool       // one of them commits, or was told to
	idle    *sync.Cond // nobody leads any more
	closed  bool
	broken  error // bbolt panicked while it wrote, and still has its locks
}

// bucket is the only one in the file.
var bucket = []byte("keepwatch")

const (
	fileMode    = 0o600
	defaultWait = 1500 * time.Millisecond
	leastWait   = 100 * time.Millisecond // bbolt tries every 50 ms
)

var errClosed = errors.New("store: closed")

var _ store.Store = (*Store)(nil)

// Open opens the state, or makes it where there is no file. It fails within two
// seconds where another process holds it (KindConflict, naming that process),
// and never touches a file that is not a whole state (KindAttention: the error
// says what is wrong and what to do).
func Open(cfg Config) (*Store, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultWait
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	s := &Store{path: cfg.Path, log: cfg.Log, crash: cfg.Crash}
	s.idle = sync.NewCond(&s.mu)
	if _, err := os.Stat(cfg.Path); errors.Is(err, os.ErrNotExist) {
		if err := s.create(); err != nil {
			return nil, unreachable(cfg.Path, err)
		}
	}
	begun := time.Now()
	err := check(cfg.Path, cfg.Timeout)
	if err != nil {
		return nil, err
	}
	s.db, s.file, err = open(cfg.Path, &bbolt.Options{Timeout: max(cfg.Timeout-time.Since(begun), leastWait)})
	if err != nil {
		return nil, err
	}
	if err := s.noteOwner(); err != nil {
		s.log.Warn("the note about who uses the state could not be written", "err", err)
	}
	s.sweep()
	return s, nil
}

// Close finishes what is being written and lets go of the file. It must not be
// called from within a View or an Update.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for s.leading {
		s.idle.Wait()
	}
	broken := s.broken
	s.mu.Unlock()
	_ = os.Remove(ownerPath(s.path))
	if broken != nil {
		return abandon(s.file)
	}
	return s.db.Close()
}

// usable gives an error once the store is closed or broken.
func (s *Store) usable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	return s.broken
}
