package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// oldTime is how long what came due, the digests of it, and where the message about a
// topic is are kept: over a year, so that what comes once a year can be compared with
// the last time.
const oldTime = 400 * 24 * time.Hour

// atOnce bounds what one transaction removes, and most what one Tidy does: the first
// one after a long time does not go on for minutes.
const (
	atOnce = 500
	most   = 20_000
)

// forgetOld removes what is listed as past and is over. It reads the old end of each
// list only, however long it is.
func (r *Records) forgetOld(now time.Time) error {
	for _, l := range []struct {
		prefix string
		drop   func(Tx, string) (bool, error)
	}{{pastOccurrences, dropOccurrence}, {pastDigests, dropDigest}, {pastTopics, dropTopic}} {
		in := Range{Prefix: l.prefix, To: timeKey(l.prefix, now.Add(-oldTime))}
		for done := 0; done < most; done += atOnce {
			keys, err := r.first(in, atOnce)
			if err != nil {
				return err
			}
			if len(keys) == 0 {
				break
			}
			in.From = keys[len(keys)-1] + "\x00" // what stays is not looked at again
			err = r.store.Update(func(tx Tx) error { return dropAll(tx, l.prefix, keys, l.drop) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// first gives the first n keys of a range.
func (r *Records) first(in Range, n int) (keys []string, err error) {
	err = r.store.View(func(rd Reader) error {
		return rd.Scan(in, func(key string, _ []byte) error {
			if keys = append(keys, key); len(keys) >= n {
				return ErrStop
			}
			return nil
		})
	})
	return keys, err
}

// dropAll removes what keys of a list name, where it is over, and the keys.
func dropAll(tx Tx, prefix string, keys []string, drop func(Tx, string) (bool, error)) error {
	for _, key := range keys {
		if _, err := tx.Get(key); errors.Is(err, ErrNotFound) {
			continue // it was written anew meanwhile, and is listed elsewhere
		} else if err != nil {
			return err
		}
		_, id, _ := strings.Cut(key[len(prefix):], "/")
		dropped, err := drop(tx, id)
		if err != nil {
			return fmt.Errorf("remove what %s names: %w", key, err)
		}
		if !dropped {
			continue
		}
		if err := tx.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// dropOccurrence removes an occurrence that is settled.
func dropOccurrence(tx Tx, id string) (bool, error) {
	key, err := occurrenceKey(id)
	if err != nil {
		return false, err
	}
	if settled, err := isSettled(tx, key); err != nil || !settled {
		return false, err
	}
	return true, tx.Delete(key)
}

// isSettled reports whether an occurrence is settled, or is not there.
func isSettled(tx Tx, key string) (bool, error) {
	var o keepwatch.Occurrence
	found, err := get(tx, key, &o)
	return !found || o.State.Settled(), err
}

// dropDigest removes a digest of which everything is settled.
func dropDigest(tx Tx, id string) (bool, error) {
	var d keepwatch.Digest
	if _, err := get(tx, digestKey(id), &d); err != nil {
		return false, err
	}
	for _, id := range d.Occurrences {
		key, err := occurrenceKey(id)
		if err != nil {
			continue // nothing of such a name was ever saved
		}
		if settled, err := isSettled(tx, key); err != nil || !settled {
			return false, err
		}
	}
	return true, tx.Delete(digestKey(id))
}

// dropTopic removes where the message about a topic is. Each change of it lists it
// anew, so what is listed as old has not changed since.
func dropTopic(tx Tx, id string) (bool, error) { return true, tx.Delete("topic/" + id) }
