package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	bbolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"keepwatch"
)

const damagedInside = "it is damaged inside"

// Check opens the state at path read-only and sees whether it is whole. It
// changes nothing. The error says what is wrong and what to do.
func Check(path string) error { return check(path, time.Second) }

// check goes from the outside to the inside, because bbolt maps the file and
// trusts it: a page that lies behind the file's end is a fault that ends the
// process when bbolt's own check, in its own goroutine, meets it. So all pages
// are walked here first, where a fault can be recovered from.
func check(path string, wait time.Duration) error {
	size, err := plausible(path)
	if err != nil {
		return err
	}
	db, file, err := open(path, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true, Timeout: wait})
	if err != nil {
		return err
	}
	enough := readAhead(file, size)
	what := damagedInside
	err = guarded(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			if tx.Size() > size {
				what = fmt.Sprintf("it is cut short, and only %s of %s are there", keepwatch.FormatBytes(size), keepwatch.FormatBytes(tx.Size()))
				return io.ErrUnexpectedEOF
			}
			b := tx.Bucket(bucket)
			if b == nil {
				what = "it belongs to another program"
				return bolterrors.ErrBucketNotFound
			}
			if err := inBounds(tx); err != nil {
				return err
			}
			if err := walk(b); err != nil {
				return err
			}
			return consistent(tx)
		})
	})
	if err != nil {
		err = unusable(path, what, err)
	}
	enough()
	return errors.Join(err, db.Close())
}

// readAhead reads the file from its beginning to its end, beside who looks through
// its pages, until enough is called. bbolt has the system read no page before it is
// asked for (it maps the file with MADV_RANDOM, mmap in bolt_unix.go), which suits
// single look-ups: all pages of a state of 1 GiB took over half a minute to come in
// that way after a start of the machine, and take a few seconds in this one. What
// cannot be read is met by the check itself.
func readAhead(file *os.File, size int64) (enough func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		some := make([]byte, 1<<20)
		for at := int64(0); at < size; at += int64(len(some)) {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := file.ReadAt(some, at); err != nil {
				return
			}
		}
	}()
	return func() { close(stop); <-done }
}

// inBounds sees that no page says that it goes on beyond the last one: bbolt's
// check would count its way through up to four thousand million pages.
func inBounds(tx *bbolt.Tx) error {
	for id := 0; ; id++ {
		p, err := tx.Page(id)
		switch {
		case err != nil:
			return err
		case p == nil:
			return nil // behind the last
		case p.Type == "free":
			continue // its header is old
		case (int64(id)+int64(p.OverflowCount)+1)*int64(tx.DB().Info().PageSize) > tx.Size():
			return fmt.Errorf("page %d goes on for %d more", id, p.OverflowCount)
		}
		id += p.OverflowCount
	}
}

// walk reads every record and compares it with its sum.
func walk(b *bbolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		_, err := unseal(k, v)
		return err
	})
}

// consistent runs bbolt's own check, and gives the first thing that it finds.
func consistent(tx *bbolt.Tx) (first error) {
	for err := range tx.Check() { // read to its end, or its goroutine stays
		if first == nil {
			first = err
		}
	}
	return first
}

// open is bbolt.Open without its panics and with our errors. file is the one
// that bbolt has opened.
func open(path string, o *bbolt.Options) (db *bbolt.DB, file *os.File, err error) {
	o.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, mode)
		file = f
		return f, err
	}
	err = guarded(func() (err error) {
		db, err = bbolt.Open(path, fileMode, o)
		return err
	})
	switch {
	case err == nil:
		return db, file, nil
	case errors.Is(err, errPanicked):
		return nil, nil, errors.Join(unusable(path, "it is cut short or damaged inside", err), abandon(file))
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, nil, held(path, err)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, nil, unusable(path, "it does not begin as one", err)
	}
	return nil, nil, unreachable(path, err)
}

// abandon lets go of a file that bbolt has panicked over and so will never
// close: its lock would stay for as long as its pages are mapped, which is until
// the process ends.
func abandon(file *os.File) error { return errors.Join(unlock(file), file.Close()) }

var errPanicked = errors.New("bbolt panicked")

// guarded runs fn and turns its panics into errors, and so the faults of a
// mapped page that the file does not have or that the disk cannot read.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanicked, p)
		}
	}()
	return fn()
}

// plausible looks at the beginning of the file without locking or changing it,
// and gives its size: bbolt would make a new state out of an empty file. Both
// pages that describe the state must be there (bbolt internal/common/meta.go:
// 16 bytes of page header, then magic, version and page size, in the machine's
// byte order).
func plausible(path string) (size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, unreachable(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, unreachable(path, err)
	}
	if !info.Mode().IsRegular() {
		return 0, unusable(path, "it is not a file", errors.New(info.Mode().String()))
	}
	if info.Size() == 0 {
		return 0, unusable(path, "it is empty", io.ErrUnexpectedEOF)
	}
	const magic = 0xED0CDAED
	var head [28]byte
	if _, err := f.ReadAt(head[:], 0); err != nil || binary.NativeEndian.Uint32(head[16:]) != magic {
		return 0, unusable(path, "it does not begin as one", bolterrors.ErrInvalid)
	}
	page := int64(binary.NativeEndian.Uint32(head[24:]))
	if info.Size() < 2*page {
		return 0, unusable(path, "it is cut short", io.ErrUnexpectedEOF)
	}
	if _, err := f.ReadAt(head[:], page); err != nil || binary.NativeEndian.Uint32(head[16:]) != magic {
		return 0, unusable(path, "its second page is damaged", bolterrors.ErrInvalid)
	}
	return info.Size(), nil
}

// unusable says what to do about a file that is not a whole state. what goes on
// after "because".
func unusable(path, what string, cause error) error {
	return keepwatch.Errorf(keepwatch.KindAttention,
		"The state file %s is not a whole Keepwatch state: %s. It was left as it is. Move it away and put the newest copy that `bot state backup` made in its place. "+
			"Without such a copy, move it away and start with no state: the archives in the vault are found again, with the pins and doubts written beside them, and count once `backup verify` has read each; the history of runs and requests is lost.", path, what).Because(cause)
}

// unreachable says what to do about a file that cannot be opened or made.
func unreachable(path string, cause error) error {
	var known *keepwatch.Error
	switch {
	case errors.As(cause, &known):
		return cause
	case errors.Is(cause, os.ErrPermission), errors.Is(cause, syscall.EROFS):
		return keepwatch.Errorf(keepwatch.KindAttention,
			"The state file %s cannot be read and written (%v). Keepwatch must own its data folder, and the disk must not be read-only.", path, cause).Because(cause)
	case full(cause):
		return keepwatch.Errorf(keepwatch.KindAttention, "The state file %s cannot be written, because the disk is full. Free some room and start again.", path).Because(cause)
	case errors.Is(cause, os.ErrNotExist):
		return keepwatch.Errorf(keepwatch.KindAttention, "The state file %s cannot be made (%v). Its folder must be there; if its disk is not mounted, mount it first.", path, cause).Because(cause)
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The state file %s cannot be opened (%v). Nothing was changed. Look at the disk, then start again.", path, cause).Because(cause)
}

func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
