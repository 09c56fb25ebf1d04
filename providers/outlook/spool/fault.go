package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"

	bolterrors "go.etcd.io/bbolt/errors"

	"keepwatch"
	"keepwatch/providers/outlook"
)

var (
	errClosed   = errors.New("the spool is closed")
	errPanicked = errors.New("bbolt panicked")
)

// lost is an error with outlook.ErrLost in its chain.
func lost(format string, args ...any) error {
	return fmt.Errorf("%w: %w", outlook.ErrLost, fmt.Errorf(format, args...))
}

// fault says what a person can do about an error of the disk. Those that say so themselves,
// and those that are no errors of a disk, stay as they are.
func (c Config) fault(path string, err error) error {
	var disk *os.PathError
	var number syscall.Errno
	switch {
	case err == nil, keepwatch.Sentence(err) != "", errors.Is(err, outlook.ErrLost), errors.Is(err, errClosed):
		return err
	case isFull(err):
		left := "no room"
		if n, err := free(c.Dir); err == nil && n > 0 {
			left = "only " + keepwatch.FormatBytes(n)
		}
		return keepwatch.Errorf(keepwatch.KindAttention,
			"The download cannot be saved, because the disk of %s is full: there is %s left. Free some room, then retry. What was downloaded stays.", c.Dir, left).Because(err)
	case errors.Is(err, bolterrors.ErrTimeout):
		return keepwatch.Errorf(keepwatch.KindConflict,
			"Another Keepwatch is using the download in %s. Let that one finish, or stop it first.", path).Because(err)
	case errors.As(err, &disk), errors.As(err, &number):
		return keepwatch.Errorf(keepwatch.KindAttention,
			"The download in %s cannot be read and written (%v). Look at the disk, then retry. What was downloaded stays.", path, err).Because(err)
	}
	return err
}

// guarded runs fn and turns its panics into errors, and so the faults of a mapped page that
// the disk cannot read.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = lost("%w: %v", errPanicked, p)
		}
	}()
	return fn()
}

// makeDirs makes a folder and those above it that are missing, for its owner only, and
// makes their names durable.
func makeDirs(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if info.IsDir() {
			return nil
		}
		return &os.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDirs(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it has no such call, and writes names through
	}
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
