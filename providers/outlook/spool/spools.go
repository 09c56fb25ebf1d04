// Package spool keeps what is downloaded of a mailbox on this machine until the archive is
// made of it.
//
// A run has a folder: an index (bbolt), and segments, files of some 64 MiB in which the
// contents lie one behind the other. All of it is encrypted with the run's key
// (XChaCha20-Poly1305), and bound to its place, so that what was changed, swapped or cut is
// met as outlook.ErrLost and never as other content.
//
// A content is written to a segment first and stated in the index later, many in one step
// and after a sync of their segments. What a kill leaves between the two is found again at
// the ends of the segments and counts; what is torn there is cut off. The index is read
// and verified from its beginning to its end when it is opened, because bbolt maps its
// file and trusts it.
//
// Memory does not grow with the number of items or their sizes: a content goes through in
// frames of 256 KiB, and what is not in the index yet is at most some thousand entries.
package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"keepwatch/providers/outlook"
)

// Config says where spools lie.
type Config struct {
	Dir   string             // holds a folder for each run; it is made where it is missing
	Log   *slog.Logger       // nil: silent
	Crash func(point string) // tests end the process, or copy the folder, at a named point; nil: never
}

// New gives the spools below a folder. It does not touch the disk.
func New(cfg Config) outlook.Spools {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	return spools{cfg}
}

type spools struct{ Config }

const (
	runPrefix     = "run-"
	removedPrefix = "removed-" // a run's folder that is being removed
	scratchName   = "scratch"
)

func (s spools) folder(run int64) string {
	return filepath.Join(s.Dir, runPrefix+strconv.FormatInt(run, 10))
}

// Open opens the spool of a run, or begins it.
func (s spools) Open(run int64, key []byte) (outlook.Spool, error) {
	if len(key) != keyBytes {
		return nil, fmt.Errorf("a key of %d bytes for the spool of run %d", len(key), run)
	}
	dir := s.folder(run)
	if err := makeDirs(dir); err != nil {
		return nil, s.fault(dir, err)
	}
	k, err := newKeys(key, run)
	if err != nil {
		return nil, err
	}
	p := &spool{Config: s.Config, dir: dir, keys: k, waiting: map[name]int{}}
	if err := p.open(); err != nil {
		return nil, s.fault(dir, err)
	}
	return p, nil
}

// Scratch gives an empty folder of a run.
func (s spools) Scratch(run int64) (string, error) {
	dir := filepath.Join(s.folder(run), scratchName)
	err := os.RemoveAll(dir)
	if err == nil {
		err = makeDirs(dir)
	}
	if err != nil {
		return "", s.fault(dir, err)
	}
	return dir, nil
}

// Remove removes the spool of a run with its scratch folder. It takes its name away first,
// so that what a kill leaves of it is not taken for a spool that is damaged.
func (s spools) Remove(run int64) error {
	dir := s.folder(run)
	if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	gone, err := os.MkdirTemp(s.Dir, removedPrefix)
	if err != nil {
		gone = dir // on a full disk, which is what it may be removed for
	} else if err := os.Rename(dir, filepath.Join(gone, "spool")); err != nil {
		return errors.Join(s.fault(dir, err), os.Remove(gone))
	}
	s.Crash("spool.remove.renamed")
	if err := os.RemoveAll(gone); err != nil {
		return s.fault(dir, err)
	}
	return nil
}

// Sweep removes the spools of runs that keep does not know, and what removals that were
// cut off have left; of the others the scratch folders, since a PST in one lies there for
// all to read, and its run may be waiting for a person. It is for when nobody uses a spool:
// at the start. What does not look like one of ours stays.
func (s spools) Sweep(keep func(run int64) bool) error {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return s.fault(s.Dir, err)
	}
	var failed []error
	for _, e := range entries {
		if digits, ok := strings.CutPrefix(e.Name(), runPrefix); ok {
			run, err := strconv.ParseInt(digits, 10, 64)
			switch {
			case err != nil || s.folder(run) != filepath.Join(s.Dir, e.Name()):
			case keep(run):
				failed = append(failed, os.RemoveAll(filepath.Join(s.folder(run), scratchName)))
			default:
				s.Log.Info("the download of a run that is over is removed", "run", run)
				failed = append(failed, s.Remove(run))
			}
		} else if strings.HasPrefix(e.Name(), removedPrefix) {
			failed = append(failed, os.RemoveAll(filepath.Join(s.Dir, e.Name())))
		}
	}
	return errors.Join(failed...)
}

// Free is how many bytes are free where spools lie.
func (s spools) Free() (int64, error) {
	if err := makeDirs(s.Dir); err != nil {
		return 0, s.fault(s.Dir, err)
	}
	return free(s.Dir)
}
