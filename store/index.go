package store

import (
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// Keys of what is looked for by time. They hold no more than they say, so that who
// looks reads nothing else:
//
//	due/<second>/<kind>:<id>   what is to be looked at from then on
//	unsettled/<time>/<id>      an occurrence that is open, since it was due
//	past/<kind>/<time>/<id>    what goes when it is old: occ, digest, topic
//	fact/<key of a fact>       holds the ID of the warning of it that is not resolved
//
// A second is that in which what is due has come: a moment between two seconds
// counts as the later one, so that nobody looks too early.

const (
	openOccurrences = "unsettled/"
	pastOccurrences = "past/occ/"
	pastDigests     = "past/digest/"
	pastTopics      = "past/topic/"
	dueTime         = "2006-01-02T15:04:05Z"
)

// nothing is the value of a key that says everything itself.
var nothing = []byte("{}")

// dueKey is where it is listed that something is to be looked at.
func dueKey(kind keepwatch.WakeKind, id string, at time.Time) string {
	return "due/" + second(at).Format(dueTime) + "/" + string(kind) + ":" + id
}

// second gives the first full second that is not before a time.
func second(at time.Time) time.Time {
	at = at.UTC()
	if full := at.Truncate(time.Second); !full.Equal(at) {
		return full.Add(time.Second)
	}
	return at
}

// sortable refuses a time that has no four digits of year: its key would stand in the
// wrong place.
func sortable(at time.Time) error {
	if y := second(at).Year(); y < 1 || y > 9999 {
		return fmt.Errorf("store: nothing can be kept for the year %d", y)
	}
	return nil
}

// wake moves what is to be looked at from one time to another; the zero time is
// never.
func (c *Change) wake(kind keepwatch.WakeKind, id string, from, to time.Time) error {
	old, now := "", ""
	if !from.IsZero() {
		old = dueKey(kind, id, from)
	}
	if !to.IsZero() {
		if err := sortable(to); err != nil {
			return err
		}
		now = dueKey(kind, id, to)
	}
	return move(c.tx, old, now)
}

// list moves something within a list from one time to another; the zero time is
// outside.
func (c *Change) list(prefix, id string, from, to time.Time) error {
	return list(c.tx, prefix, id, from, to)
}

func list(tx Tx, prefix, id string, from, to time.Time) error {
	old, now := "", ""
	if !from.IsZero() {
		old = timeKey(prefix, from) + "/" + id
	}
	if !to.IsZero() {
		if err := sortable(to); err != nil {
			return err
		}
		now = timeKey(prefix, to) + "/" + id
	}
	return move(tx, old, now)
}

// timeKey is where what is of a time begins in a list.
func timeKey(prefix string, at time.Time) string { return prefix + at.UTC().Format(auditTime) }

// move takes a key out of a list and puts another in; "" is none.
func move(tx Tx, old, now string) error {
	if old == now {
		return nil
	}
	if old != "" {
		if err := tx.Delete(old); err != nil {
			return err
		}
	}
	if now == "" {
		return nil
	}
	return tx.Put(now, nothing)
}

// Due gives what is to be looked at by now, what has waited longest first, at most
// limit where it is above 0. It reads no record, and nothing that is not due.
func (r *Records) Due(now time.Time, limit int) (list []keepwatch.Wake, err error) {
	end := "due/" + now.UTC().Truncate(time.Second).Add(time.Second).Format(dueTime)
	err = r.store.View(func(rd Reader) error {
		return rd.Scan(Range{Prefix: "due/", To: end}, func(key string, _ []byte) error {
			w, err := wakeOf(key)
			if err != nil {
				return err
			}
			if list = append(list, w); limit > 0 && len(list) >= limit {
				return ErrStop
			}
			return nil
		})
	})
	return list, err
}

// NextDue gives the next moment from which something is to be looked at, which may
// have passed; false where there is none.
func (r *Records) NextDue() (at time.Time, found bool, err error) {
	err = r.store.View(func(rd Reader) error {
		return rd.Scan(Range{Prefix: "due/"}, func(key string, _ []byte) error {
			w, err := wakeOf(key)
			at, found = w.At, err == nil
			if err != nil {
				return err
			}
			return ErrStop
		})
	})
	return at, found, err
}

// wakeOf reads a key of what is due.
func wakeOf(key string) (w keepwatch.Wake, err error) {
	moment, rest, _ := strings.Cut(strings.TrimPrefix(key, "due/"), "/")
	kind, id, ok := strings.Cut(rest, ":")
	at, err := time.Parse(dueTime, moment)
	if err != nil || !ok {
		return w, fmt.Errorf("read %s: it says nothing that is due", key)
	}
	return keepwatch.Wake{At: at, Kind: keepwatch.WakeKind(kind), ID: id}, nil
}
