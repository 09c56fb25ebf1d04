package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// Keys: seen/<hour in UTC>/<delivery key> is there for what a platform has
// delivered in that hour; asked/<time>/<request id> holds a delivery that is not
// answered; request/<request id> holds the number of the run that a request
// started, until it is answered; press/<token> holds a button whose command is
// too long for a platform.

const (
	seenHour   = "2006-01-02T15"
	pressTime  = 90 * 24 * time.Hour // how long a button is kept that nobody presses
	seenTime   = 2 * time.Hour       // at least one hour, whenever in an hour it came
	deadTime   = 90 * 24 * time.Hour
	finalCards = 7 * 24 * time.Hour
)

func deliveryKey(d keepwatch.Delivery) string {
	return fmt.Sprintf("asked/%s/%s", d.Request.At.UTC().Format(auditTime), d.Request.ID)
}

func requestKey(id string) string { return "request/" + id }

// TakeDelivery saves a delivery and the audit line of its request as one. Where
// its key was taken in this hour or in one beside it (the clock may have been set)
// nothing is changed, and fresh is false.
func (r *Records) TakeDelivery(d keepwatch.Delivery, e keepwatch.AuditEntry) (fresh bool, err error) {
	d.Version, e.Version = version, version
	now := r.now().UTC()
	seen := func(at time.Time) string { return "seen/" + at.Format(seenHour) + "/" + d.Key }
	err = r.store.Update(func(tx Tx) error {
		fresh = false
		for _, off := range []time.Duration{0, -time.Hour, time.Hour} {
			if _, err := tx.Get(seen(now.Add(off))); err == nil {
				return nil
			} else if !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		if err := tx.Put(seen(now), []byte("{}")); err != nil {
			return err
		}
		if err := put(tx, deliveryKey(d), d); err != nil {
			return err
		}
		fresh = true
		return put(tx, auditKey(e), e)
	})
	return fresh && err == nil, err
}

// FinishDelivery completes the audit line, saves what is to be posted and lets
// go of the delivery, as one. It gives the lanes that have something to send.
func (r *Records) FinishDelivery(d keepwatch.Delivery, e keepwatch.AuditEntry, out []keepwatch.Outgoing) (lanes []string, err error) {
	e.Version = version
	err = r.store.Update(func(tx Tx) (err error) {
		if lanes, err = r.post(tx, out); err != nil {
			return err
		}
		if err := tx.Delete(deliveryKey(d)); err != nil {
			return err
		}
		if err := tx.Delete(requestKey(d.Request.ID)); err != nil {
			return err
		}
		return put(tx, auditKey(e), e)
	})
	return lanes, err
}

// Deliveries gives those that were taken and not finished, oldest first.
func (r *Records) Deliveries() ([]keepwatch.Delivery, error) {
	return all[keepwatch.Delivery](r.store, Range{Prefix: "asked/"}, 0)
}

// RequestRun gives the run that a request has started, until it is answered.
func (r *Records) RequestRun(request string) (run keepwatch.Run, found bool, err error) {
	err = r.store.View(func(rd Reader) (err error) {
		run, found, err = startedBy(rd, request)
		return err
	})
	return run, found, err
}

// keptButton is a button under its token.
type keptButton struct {
	Version int              `json:"v"`
	At      time.Time        `json:"at"`
	Button  keepwatch.Button `json:"button"`
}

// KeepButtons keeps those of the buttons whose token is not their command.
func (r *Records) KeepButtons(buttons []keepwatch.Button) error {
	if len(buttons) == 0 {
		return nil
	}
	return r.store.Update(func(tx Tx) error { return r.keep(tx, buttons) })
}

func (r *Records) keep(tx Tx, buttons []keepwatch.Button) error {
	for _, b := range buttons {
		token, kept := b.Token()
		if !kept {
			continue
		}
		if err := put(tx, "press/"+token, keptButton{version, r.now().UTC(), b}); err != nil {
			return err
		}
	}
	return nil
}

// KeptButton gives the button behind a token.
func (r *Records) KeptButton(token string) (keepwatch.Button, error) {
	var k keptButton
	err := r.store.View(func(rd Reader) error {
		found, err := get(rd, "press/"+token, &k)
		if err == nil && !found {
			return keepwatch.Errorf(keepwatch.KindNotFound, "This button is too old: what it does is no longer known. Ask for the list again, or type the command.")
		}
		return err
	})
	return k.Button, err
}

// Tidy removes what is no longer needed: deliveries seen, buttons and refused
// messages that are old, cards of runs that ended long ago. It does so in small
// transactions, so that nobody waits for it.
func (r *Records) Tidy() error {
	now := r.now().UTC()
	var old []string
	err := r.store.View(func(rd Reader) error {
		return errors.Join(
			rd.Scan(Range{Prefix: "seen/", To: "seen/" + now.Add(-seenTime).Format(seenHour)}, func(key string, _ []byte) error {
				old = append(old, key)
				return nil
			}),
			oldOf(rd, "press/", &old, func(k keptButton) bool { return now.Sub(k.At) > pressTime }),
			oldOf(rd, "dead/", &old, func(o keepwatch.Outgoing) bool { return now.Sub(o.RefusedAt) > deadTime }),
			oldOf(rd, "card/", &old, func(c keepwatch.Card) bool { return c.Final && now.Sub(c.Made) > finalCards }),
		)
	})
	if err != nil {
		return fmt.Errorf("tidy the state: %w", err)
	}
	const batch = 500
	for len(old) > 0 {
		some := old[:min(batch, len(old))]
		old = old[len(some):]
		err := r.store.Update(func(tx Tx) error {
			for _, key := range some {
				if err := tx.Delete(key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("tidy the state: %w", err)
		}
	}
	return nil
}

// oldOf adds the keys of the records that are over.
func oldOf[T any](rd Reader, prefix string, old *[]string, over func(T) bool) error {
	return rd.Scan(Range{Prefix: prefix}, func(key string, data []byte) error {
		var record T
		if err := decode(key, data, &record); err != nil {
			return err
		}
		if over(record) {
			*old = append(*old, key)
		}
		return nil
	})
}

// validLane keeps a lane out of the keys that could be taken for another one.
func validLane(lane string) error {
	if lane == "" || strings.ContainsAny(lane, "/\x00") || len(lane) > 200 {
		return fmt.Errorf("store: %q cannot be the lane of a message", lane)
	}
	return nil
}
