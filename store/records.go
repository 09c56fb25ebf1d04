package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"keepwatch"
)

// version is what this program writes into the field "v" of its records. A
// record of a later one is refused rather than half understood.
const version = 1

// Records is the typed half of the store: what the bot keeps, in the words of
// the root package. All its errors that a person may see are keepwatch.Errors.
type Records struct {
	store Store
	now   func() time.Time

	mu      sync.Mutex
	counted time.Time // up to when time was counted for the turn of deliveries, by a clock that nobody sets
	pressed time.Time // when buttons that are over were looked for last, by the same clock
}

// NewRecords keeps records in s; a process has one. now is the clock for what comes without a time.
func NewRecords(s Store, now func() time.Time) *Records {
	return &Records{store: s, now: now, counted: time.Now()}
}

// validSource keeps a name out of the keys that could be taken for another one,
// such as "a/b", whose archives would be listed among those of "a".
func validSource(name string) error {
	if keepwatch.ValidName(name) {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindInvalid, "%q cannot be the name of a source. It takes 1 to %d of a-z, 0-9, \".\", \"_\" and \"-\", and begins with a letter or a digit.", name, keepwatch.MaxName)
}

// ours is what a record of this version begins with, as json.Marshal writes it: it
// saves a second look through the whole record for its version.
var ours = []byte(`{"v":` + strconv.Itoa(version) + `,`)

// decode reads a record, and refuses one that a newer version wrote.
func decode(key string, data []byte, into any) error {
	if !bytes.HasPrefix(data, ours) {
		var head struct {
			V int `json:"v"`
		}
		if err := json.Unmarshal(data, &head); err != nil {
			return fmt.Errorf("read record %s: %w", key, err)
		}
		if head.V > version {
			return keepwatch.Errorf(keepwatch.KindAttention,
				"The state holds a record (%s) that a newer Keepwatch wrote. Start that version again, or an even newer one.", key)
		}
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read record %s: %w", key, err)
	}
	return nil
}

// put writes a record.
func put(tx Tx, key string, record any) error {
	data, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("write record %s: %w", key, err)
	}
	return tx.Put(key, data)
}

// getter is the half that Reader and Tx share.
type getter interface {
	Get(key string) ([]byte, error)
}

// get reads a record and reports whether there is one.
func get(r getter, key string, into any) (bool, error) {
	data, err := r.Get(key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, decode(key, data, into)
}

// scan reads every record in a range, in its order.
func scan[T any](s Store, in Range, each func(T) error) error {
	return s.View(func(r Reader) error {
		return r.Scan(in, func(key string, data []byte) error {
			var record T
			if err := decode(key, data, &record); err != nil {
				return err
			}
			return each(record)
		})
	})
}

// all reads every record in a range, at most limit of them where it is above 0.
func all[T any](s Store, in Range, limit int) ([]T, error) {
	var list []T
	err := scan(s, in, func(record T) error {
		list = append(list, record)
		if limit > 0 && len(list) >= limit {
			return ErrStop
		}
		return nil
	})
	return list, err
}
