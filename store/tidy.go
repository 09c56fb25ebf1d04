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
// have run out. It does so in small transactions, so that nobody waits for it. One
// Records of a process calls it, about once an hour.
func (r *Records) Tidy() error {
	if err := r.turn(); err != nil {
		return fmt.Errorf("tidy the state: %w", err)
	}
	now := r.now().UTC()
	if err := r.forgetTokens(now); err != nil {
		return fmt.Errorf("tidy the state: %w", err)
	}
	turn := int64(0)
	var old []string
	err := r.store.View(func(rd Reader) (err error) {
		if turn, err = lastNumber(rd, givenCounter); err != nil {
			return err
		}
		for _, in := range []Range{{Prefix: "given/", To: givenKey(turn-1, "")}, {Prefix: "press/"}, {Prefix: "dead/"}, {Prefix: "card/"}} {
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

// turn begins the next turn of deliveries where this one has taken its time in
// this process. So none is shorter, however often the process ends.
func (r *Records) turn() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.turned) < givenTurn {
		return nil
	}
	err := r.store.Update(func(tx Tx) error {
		_, err := nextNumber(tx, givenCounter)
		return err
	})
	if err == nil {
		r.turned = time.Now()
	}
	return err
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
