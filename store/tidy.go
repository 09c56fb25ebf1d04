package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// Tidy removes what is no longer needed: deliveries seen, buttons and refused
// messages that are old, cards of runs that ended long ago, tokens for answers that
// have run out, pauses that are over, what came due over a year ago. It does so in small transactions, so
// that nobody waits for it. One Records of a process calls it, about once an hour.
func (r *Records) Tidy() error {
	if err := r.turn(); err != nil {
		return fmt.Errorf("tidy the state: %w", err)
	}
	now := r.now().UTC()
	if err := r.forgetTokens(now); err != nil {
		return fmt.Errorf("tidy the state: %w", err)
	}
	if err := r.forgetOld(now); err != nil {
		return fmt.Errorf("tidy the state: %w", err)
	}
	lists := []Range{{Prefix: "dead/"}, {Prefix: "card/"}, {Prefix: "fence/"}}
	if r.looksForPresses() {
		lists = append(lists, Range{Prefix: "press/"})
	}
	turn := int64(0)
	var old []string
	err := r.store.View(func(rd Reader) (err error) {
		if turn, err = lastNumber(rd, givenCounter); err != nil {
			return err
		}
		for _, in := range append(lists, Range{Prefix: "given/", To: givenKey(turn-1, "")}) {
			err := rd.Scan(in, func(key string, data []byte) error {
				over, err := isOver(key, data, turn, now)
				if over {
					old = append(old, key)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	const batch = 500
	for len(old) > 0 && err == nil {
		some := old[:min(batch, len(old))]
		old = old[len(some):]
		err = r.store.Update(func(tx Tx) error { return remove(tx, some, turn, now) })
	}
	if err != nil {
		return fmt.Errorf("tidy the state: %w", err)
	}
	return nil
}

// looksForPresses reports whether it is time to look for buttons that are over. They
// are kept for long, and may be many, so they are not all read every hour.
func (r *Records) looksForPresses() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.pressed.IsZero() && time.Since(r.pressed) < pressEvery {
		return false
	}
	r.pressed = time.Now()
	return true
}

// turn begins the next turn of deliveries where processes of ours have lived
// through an hour since this one began. So none is shorter, however often the
// process ends and whatever the wall clock is set to; and where no process lives
// for an hour, what was counted at the deliveries in between ends it all the same.
func (r *Records) turn() error {
	spent, keep := r.spend(0)
	err := r.store.Update(func(tx Tx) error {
		sum, err := addTurn(tx, spent)
		if err != nil || sum < givenTurn {
			return err
		}
		if _, err := nextNumber(tx, givenCounter); err != nil {
			return err
		}
		return put(tx, givenSpent, spentTime{version, 0})
	})
	keep(err == nil)
	return err
}

// givenSpent is the key of how much of the turn is over.
const givenSpent = "turn/given"

type spentTime struct {
	Version int           `json:"v"`
	Spent   time.Duration `json:"spent"`
}

// spend gives the time that was not counted yet, if it is step at least. keep says
// whether that was saved; otherwise it is counted the next time.
func (r *Records) spend(step time.Duration) (spent time.Duration, keep func(saved bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if spent = time.Since(r.counted); spent < max(step, 1) {
		return 0, func(bool) {}
	}
	r.counted = r.counted.Add(spent)
	return spent, func(saved bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !saved {
			r.counted = r.counted.Add(-spent)
		}
	}
}

// addTurn adds to what is over of the turn, and gives the sum.
func addTurn(tx Tx, spent time.Duration) (time.Duration, error) {
	var so spentTime
	if _, err := get(tx, givenSpent, &so); err != nil || spent == 0 {
		return so.Spent, err
	}
	sum := so.Spent + spent
	return sum, put(tx, givenSpent, spentTime{version, sum})
}

// remove removes those that are still over: they may have been written anew since
// they were looked at.
func remove(tx Tx, keys []string, turn int64, now time.Time) error {
	for _, key := range keys {
		data, err := tx.Get(key)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		over, err := isOver(key, data, turn, now)
		if err != nil {
			return err
		}
		if !over {
			continue
		}
		if err := tx.Delete(key); err != nil {
			return err
		}
		if number, ok := strings.CutPrefix(key, "dead/"); ok {
			if err := tx.Delete("tell/" + number); err != nil {
				return err
			}
		}
	}
	return nil
}

// isOver reports whether a record is no longer needed.
func isOver(key string, data []byte, turn int64, now time.Time) (bool, error) {
	switch kind, _, _ := strings.Cut(key, "/"); kind {
	case "given":
		return key < givenKey(turn-1, ""), nil
	case "press":
		var k keptButton
		err := decode(key, data, &k)
		return err == nil && now.Sub(k.At) > pressTime, err
	case "fence":
		var f keptFence
		err := decode(key, data, &f)
		return err == nil && !now.Before(f.Until), err
	case "dead":
		var o keepwatch.Outgoing
		err := decode(key, data, &o)
		return err == nil && now.Sub(o.RefusedAt) > deadTime, err
	default:
		var c keepwatch.Card
		err := decode(key, data, &c)
		return err == nil && c.Final && now.Sub(c.Made) > finalCards, err
	}
}
