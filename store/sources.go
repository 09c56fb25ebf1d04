package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// Keys: source/<name> holds a source that was made from a path in the terminal;
// seen/<source>/<hash of the path> holds what was last taken from a drop folder,
// and try/<source>/<hash of the path> the last try at what was not taken yet;
// value/<name> holds a small fact.

type sourceRecord struct {
	Version int              `json:"v"`
	Source  keepwatch.Source `json:"source"`
}

// SaveSource keeps a source that was made from a path.
func (r *Records) SaveSource(s keepwatch.Source) error {
	if err := validSource(s.Name); err != nil {
		return err
	}
	return r.store.Update(func(tx Tx) error { return put(tx, "source/"+s.Name, sourceRecord{version, s}) })
}

// DeleteSource forgets a source that was made from a path. One that is not there
// is forgotten already.
func (r *Records) DeleteSource(name string) error {
	if err := r.store.Update(func(tx Tx) error { return tx.Delete("source/" + name) }); err != nil {
		return fmt.Errorf("forget source %s: %w", name, err)
	}
	return nil
}

// AdHocSources gives the sources that were made from paths, by name.
func (r *Records) AdHocSources() ([]keepwatch.Source, error) {
	records, err := all[sourceRecord](r.store, Range{Prefix: "source/"}, 0)
	var list []keepwatch.Source
	for _, s := range records {
		list = append(list, s.Source)
	}
	return list, err
}

type seenRecord struct {
	Version int       `json:"v"`
	Path    []byte    `json:"path"` // bytes, because a name need not be text
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mtime"`
}

func seenKey(source, path string) string {
	sum := sha256.Sum256([]byte(path))
	return "seen/" + source + "/" + hex.EncodeToString(sum[:16])
}

// Seen reports whether the file at path was taken from a drop folder as it is
// now.
func (r *Records) Seen(source, path string, size int64, mtime time.Time) (seen bool, err error) {
	err = r.store.View(func(rd Reader) error {
		var rec seenRecord
		found, err := get(rd, seenKey(source, path), &rec)
		seen = found && string(rec.Path) == path && rec.Size == size && rec.ModTime.Equal(mtime)
		return err
	})
	return seen, err
}

// MarkSeen remembers that the file at path was taken as it is now, and forgets the
// tries before that.
func (r *Records) MarkSeen(source, path string, size int64, mtime time.Time) error {
	if err := validSource(source); err != nil {
		return err
	}
	return r.store.Update(func(tx Tx) error {
		return errors.Join(put(tx, seenKey(source, path), seenRecord{version, []byte(path), size, mtime}), tx.Delete(tryKey(source, path)))
	})
}

type tryRecord struct {
	Version int               `json:"v"`
	Path    []byte            `json:"path"` // bytes, because a name need not be text
	Try     keepwatch.DropTry `json:"try"`
}

func tryKey(source, path string) string {
	return "try" + strings.TrimPrefix(seenKey(source, path), "seen")
}

// Try gives the last try to take in the file at path; one that is all zero where
// there was none.
func (r *Records) Try(source, path string) (try keepwatch.DropTry, err error) {
	err = r.store.View(func(rd Reader) error {
		var rec tryRecord
		found, err := get(rd, tryKey(source, path), &rec)
		if found && string(rec.Path) == path {
			try = rec.Try
			try.Path = path
		}
		return err
	})
	return try, err
}

// SaveTry remembers a try, over an earlier one.
func (r *Records) SaveTry(source string, try keepwatch.DropTry) error {
	if err := validSource(source); err != nil {
		return err
	}
	rec := tryRecord{version, []byte(try.Path), try}
	rec.Try.Path = ""
	return r.store.Update(func(tx Tx) error { return put(tx, tryKey(source, try.Path), rec) })
}

type valueRecord struct {
	Version int    `json:"v"`
	Value   string `json:"value"`
}

// Value gives a small fact, "" where there is none.
func (r *Records) Value(key string) (value string, err error) {
	err = r.store.View(func(rd Reader) error {
		var rec valueRecord
		_, err := get(rd, "value/"+key, &rec)
		value = rec.Value
		return err
	})
	return value, err
}

// SetValue keeps a small fact.
func (r *Records) SetValue(key, value string) error {
	if key == "" {
		return errors.New("store: a fact needs a name")
	}
	if err := r.store.Update(func(tx Tx) error { return put(tx, "value/"+key, valueRecord{version, value}) }); err != nil {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	return nil
}
