// Package store keeps what the bot knows. It has two halves: the contract that
// every driver fulfils ([Store]: a few transactional operations on ordered
// keys), and the typed records that are written once on top of it ([Records]).
//
// Keys are "kind/…" in ASCII; values are JSON with a version field "v". What is
// looked for by time has the time in its key, so that a look-up reads only what
// it is about, however much there is.
package store

import "errors"

// ErrNotFound is what Get gives for a key that is not there.
var ErrNotFound = errors.New("store: no such key")

// ErrStop ends a Scan early without being an error.
var ErrStop = errors.New("store: stop scanning")

// Reader reads one consistent state. It is valid only inside the function that
// it was handed to; the slices that it gives may be kept.
type Reader interface {
	// Get gives the value of key, or ErrNotFound.
	Get(key string) ([]byte, error)
	// Scan calls fn for each key that begins with prefix and is not below
	// from ("" for all), in ascending order of bytes; descending with Reverse.
	// fn may return ErrStop; any other error ends the scan and is returned.
	Scan(r Range, fn func(key string, value []byte) error) error
}

// Range picks the keys of a Scan: those that begin with Prefix, and within
// them From ≤ key < To where these are set.
type Range struct {
	Prefix   string
	From, To string
	Reverse  bool
}

// Tx reads and writes several keys as one: all of it happens, or nothing.
type Tx interface {
	// Get gives the value of key as this transaction sees it, or ErrNotFound.
	Get(key string) ([]byte, error)
	// Put sets key, which must not be empty. The caller may use value again.
	Put(key string, value []byte) error
	// Delete removes key; a key that is not there is no error.
	Delete(key string) error
}

// Store is the contract of a driver. Every driver passes the suite in
// store/storetest.
type Store interface {
	// View reads.
	View(fn func(Reader) error) error
	// Update runs fn as a serialisable transaction and returns nil only once
	// its writes are on disk. fn may run more than once, so it must have no
	// side effects; what it returns as an error undoes its writes and is
	// returned as it is. It must not use the Store itself, only its Tx.
	Update(fn func(Tx) error) error
	// Close lets go of everything; calls after it fail.
	Close() error
}
