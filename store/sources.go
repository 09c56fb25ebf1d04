package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"keepwatch"
)

// Keys: source/<name> holds a source that was made from a path in the terminal;
// seen/<source>/<hash of the path> holds what was last taken from a drop folder;
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

// MarkSeen remembers that the file at path was taken as it is now.
func (r *Records) MarkSeen(source, path string, size int64, mtime time.Time) error {
	if err := validSource(source); err != nil {
		return err
	}
	return r.store.Update(func(tx Tx) error {
		return put(tx, seenKey(source, path), seenRecord{version, []byte(path), size, mtime})
	})
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
