package store

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"keepwatch"
)

// Keys: walk/<number> holds a walk; walks/<person>/<number> lists those of a person;
// walking/<person>/<checklist> holds the ID of the one that is not ended;
// counter/walk the last number given. A person's name is any text, so it is escaped.
// Walks are history, and stay.

const walkCounter = "counter/walk"

func walkKey(id string) (string, bool) { return numbered("walk/", "l", id) }

func walkingKey(w keepwatch.Walk) string {
	return "walking/" + url.PathEscape(w.Person) + "/" + w.Checklist
}

func walkMissing(id string) error {
	return keepwatch.Errorf(keepwatch.KindNotFound, "Nobody is on a way through a checklist that is called %s. `/backup guide` and `/authenticator guide` begin one.", id)
}

func walk(g getter, id string) (w keepwatch.Walk, found bool, err error) {
	if key, ok := walkKey(id); ok {
		found, err = get(g, key, &w)
	}
	return w, found, err
}

// walking gives the walk of a person through a checklist that is not ended.
func walking(tx Tx, of keepwatch.Walk) (w keepwatch.Walk, found bool, err error) {
	id, err := tx.Get(walkingKey(of))
	if errors.Is(err, ErrNotFound) {
		return w, false, nil
	}
	if err != nil {
		return w, false, err
	}
	return walk(tx, string(id))
}

// StartWalk saves a new walk and gives it its ID. Where the person has one through
// the same checklist that is not ended, that one is given as it is.
func (r *Records) StartWalk(w keepwatch.Walk) (keepwatch.Walk, error) {
	if err := validID("checklist", w.Checklist); err != nil {
		return keepwatch.Walk{}, err
	}
	if w.Person == "" || len(w.Person) > 3*longestID {
		return keepwatch.Walk{}, fmt.Errorf("store: %q cannot be who goes through a checklist", w.Person)
	}
	if w.Begun.IsZero() {
		w.Begun = r.now().UTC()
	}
	if w.Changed.IsZero() {
		w.Changed = w.Begun
	}
	w.Version = version
	out := w
	err := r.store.Update(func(tx Tx) error {
		out = w
		if there, found, err := walking(tx, w); err != nil || found {
			out = there
			return err
		}
		n, err := nextNumber(tx, walkCounter)
		if err != nil {
			return err
		}
		out.ID = "l" + strconv.FormatInt(n, 10)
		key, _ := walkKey(out.ID)
		if err := tx.Put(strings.Replace(key, "walk/", "walks/"+url.PathEscape(w.Person)+"/", 1), nothing); err != nil {
			return err
		}
		return putWalk(tx, out)
	})
	if err != nil {
		return keepwatch.Walk{}, err
	}
	return out, nil
}

// putWalk saves a walk, and whether it is under way.
func putWalk(tx Tx, w keepwatch.Walk) error {
	there, found, err := walking(tx, w)
	if err != nil {
		return err
	}
	switch {
	case !w.Ended.IsZero() && found && there.ID == w.ID:
		err = tx.Delete(walkingKey(w))
	case w.Ended.IsZero() && found && there.ID != w.ID:
		return keepwatch.Errorf(keepwatch.KindConflict, "%s goes through this checklist anew (%s). Go on there.", w.Person, there.ID)
	case w.Ended.IsZero():
		err = tx.Put(walkingKey(w), []byte(w.ID))
	}
	if err != nil {
		return err
	}
	key, _ := walkKey(w.ID)
	return put(tx, key, w)
}

// Walk gives a walk by its ID, in whatever case it was typed.
func (r *Records) Walk(id string) (w keepwatch.Walk, err error) {
	err = r.store.View(func(rd Reader) (err error) {
		found := false
		if w, found, err = walk(rd, id); err == nil && !found {
			err = walkMissing(id)
		}
		return err
	})
	return w, err
}

// ChangeWalk changes a walk in one transaction, counts its Revision up by one and
// gives it as it is then. What att makes of it is attested in the same transaction;
// att may be nil. Both may run more than once.
func (r *Records) ChangeWalk(id string, change func(*keepwatch.Walk) error, att func(keepwatch.Walk) []keepwatch.Attestation) (keepwatch.Walk, error) {
	var out keepwatch.Walk
	err := r.store.Update(func(tx Tx) error {
		w, found, err := walk(tx, id)
		if err != nil {
			return err
		}
		if !found {
			return walkMissing(id)
		}
		old := w
		if err := change(&w); err != nil {
			return err
		}
		if w.ID != old.ID || w.Person != old.Person || w.Checklist != old.Checklist {
			return fmt.Errorf("change walk %s: it became %s of %s through %s", old.ID, w.ID, w.Person, w.Checklist)
		}
		w.Version, w.Revision = version, old.Revision+1
		if w.Changed.Equal(old.Changed) {
			w.Changed = r.now().UTC()
		}
		if out = w; att != nil {
			for _, a := range att(w) {
				if err := attest(tx, a); err != nil {
					return err
				}
			}
		}
		return putWalk(tx, w)
	})
	if err != nil {
		return keepwatch.Walk{}, err
	}
	return out, nil
}

// Walks gives those of a person, "" for all, newest first, at most limit where it is
// above 0.
func (r *Records) Walks(person string, limit int) (list []keepwatch.Walk, err error) {
	if person == "" {
		return all[keepwatch.Walk](r.store, Range{Prefix: "walk/", Reverse: true}, limit)
	}
	prefix := "walks/" + url.PathEscape(person) + "/"
	err = r.store.View(func(rd Reader) error {
		return rd.Scan(Range{Prefix: prefix, Reverse: true}, func(key string, _ []byte) error {
			var w keepwatch.Walk
			if found, err := get(rd, "walk/"+key[len(prefix):], &w); err != nil || !found {
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
