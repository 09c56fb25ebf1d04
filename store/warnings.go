package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// Keys: warning/<number> holds a warning; fact/<key of its fact> the ID of the one
// that is not resolved; past/warning/<time>/<id> lists it under when it was resolved;
// counter/warning holds the last number given.

const (
	warningCounter = "counter/warning"
	pastWarnings   = "past/warning/"
)

func factKey(key string) string { return "fact/" + key }

// numbered gives the key of what has an ID of a letter and a number, in whatever case
// somebody has typed it; false for what is no such ID.
func numbered(prefix, letter, id string) (key string, ok bool) {
	digits, ok := strings.CutPrefix(strings.ToLower(id), letter)
	n, err := strconv.ParseUint(digits, 10, 63)
	return fmt.Sprintf("%s%012d", prefix, n), ok && err == nil && digits == strconv.FormatUint(n, 10)
}

func warningKey(id string) (string, bool) { return numbered("warning/", "w", id) }

// Warning gives a warning by its ID.
func (c *Change) Warning(id string) (w keepwatch.Warning, found bool, err error) {
	return warning(c.tx, id)
}

func warning(g getter, id string) (w keepwatch.Warning, found bool, err error) {
	if key, ok := warningKey(id); ok {
		found, err = get(g, key, &w)
	}
	return w, found, err
}

// WarningOf gives the warning of a fact that is not resolved.
func (c *Change) WarningOf(key string) (w keepwatch.Warning, found bool, err error) {
	id, err := c.tx.Get(factKey(key))
	if errors.Is(err, ErrNotFound) {
		return w, false, nil
	}
	if err != nil {
		return w, false, err
	}
	return c.Warning(string(id))
}

// NewWarningID gives the next ID: "w12".
func (c *Change) NewWarningID() (string, error) {
	n, err := nextNumber(c.tx, warningCounter)
	return "w" + strconv.FormatInt(n, 10), err
}

// PutWarning saves a warning, and that it is to be looked at from w.Wake on; one
// without Wake, and one that is resolved, is not. A fact has one warning at a time
// that is not resolved: a second one is refused.
func (c *Change) PutWarning(w keepwatch.Warning) error {
	key, ok := warningKey(w.ID)
	if !ok || w.ID != strings.ToLower(w.ID) {
		return fmt.Errorf("store: %q cannot be the name of a warning", w.ID)
	}
	if w.Fact.Key == "" || len(w.Fact.Key) > 3*longestID || strings.ContainsFunc(w.Fact.Key, func(c rune) bool { return c < ' ' }) {
		return fmt.Errorf("store: %q cannot be the key of a fact", w.Fact.Key)
	}
	old, found, err := c.Warning(w.ID)
	if err != nil {
		return err
	}
	if found && old.Resolved.IsZero() && (old.Fact.Key != w.Fact.Key || !w.Resolved.IsZero()) {
		if err := c.tx.Delete(factKey(old.Fact.Key)); err != nil {
			return err
		}
	}
	if w.Resolved.IsZero() {
		if other, found, err := c.WarningOf(w.Fact.Key); err != nil {
			return err
		} else if found && other.ID != w.ID {
			return fmt.Errorf("store: the fact %s has the warning %s already, so it cannot have %s", w.Fact.Key, other.ID, w.ID)
		}
		if err := c.tx.Put(factKey(w.Fact.Key), []byte(w.ID)); err != nil {
			return err
		}
	}
	if err := c.wake(keepwatch.WakeWarning, w.ID, warningWake(old), warningWake(w)); err != nil {
		return err
	}
	if err := c.list(pastWarnings, w.ID, old.Resolved, w.Resolved); err != nil {
		return err
	}
	w.Version = version
	return put(c.tx, key, w)
}

// warningWake gives when a warning is to be looked at; the zero time: never.
func warningWake(w keepwatch.Warning) time.Time {
	if !w.Resolved.IsZero() {
		return time.Time{}
	}
	return w.Wake
}

// Warning gives a warning by its ID, in whatever case it was typed.
func (r *Records) Warning(id string) (w keepwatch.Warning, err error) {
	err = r.store.View(func(rd Reader) (err error) {
		found := false
		if w, found, err = warning(rd, id); err == nil && !found {
			err = keepwatch.Errorf(keepwatch.KindNotFound, "There is no warning %s. `/keepwatch warnings` shows those that hold.", id)
		}
		return err
	})
	return w, err
}

// OpenWarnings gives those that are not resolved, in the order of their facts.
func (r *Records) OpenWarnings() (list []keepwatch.Warning, err error) {
	err = r.store.View(func(rd Reader) error { return openWarnings(rd, &list) })
	return list, err
}

func openWarnings(rd Reader, list *[]keepwatch.Warning) error {
	return rd.Scan(Range{Prefix: "fact/"}, func(_ string, id []byte) error {
		w, found, err := warning(rd, string(id))
		if err == nil && found {
			*list = append(*list, w)
		}
		return err
	})
}

// WarningsSince gives those that held at a time or after it: first those that still
// do, then the others, what was resolved last first. It reads no others.
func (r *Records) WarningsSince(t time.Time) (list []keepwatch.Warning, err error) {
	err = r.store.View(func(rd Reader) error {
		if err := openWarnings(rd, &list); err != nil {
			return err
		}
		return rd.Scan(Range{Prefix: pastWarnings, From: timeKey(pastWarnings, t), Reverse: true}, func(key string, _ []byte) error {
			w, found, err := warning(rd, key[strings.LastIndexByte(key, '/')+1:])
			if err == nil && found {
				list = append(list, w)
			}
			return err
		})
	})
	return list, err
}
