package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// Keys: given/<turn>/<delivery key> is there for what a platform has delivered in
// that turn, counter/given holds the number of the turn, which takes an hour or
// more, and turn/given how much of it is over; asked/<time>/<request id> holds a
// delivery that is not answered; request/<request id> the number of the run that a
// request started, until it is answered; press/<token> a button whose command is
// too long for a platform.

const (
	givenCounter = "counter/given"
	givenTurn    = time.Hour      // what is delivered is remembered for one turn at least
	givenCount   = time.Minute    // time of the turn is counted in steps of this
	pressTime    = oldTime        // how long a button is kept: as long as what it is pressed for
	pressEvery   = 24 * time.Hour // how often those that are over are looked for, and how old one is before it is saved anew
	finalCards   = 7 * 24 * time.Hour
)

func givenKey(turn int64, delivery string) string {
	return fmt.Sprintf("given/%012d/%s", turn, delivery)
}

func deliveryKey(d keepwatch.Delivery) string {
	return fmt.Sprintf("asked/%s/%s", d.Request.At.UTC().Format(auditTime), d.Request.ID)
}

func requestKey(id string) string { return "request/" + id }

// TakeDelivery saves a delivery and the audit line of its request as one. Where
// its key was taken in this turn or in the one before nothing is changed, and fresh
// is false. Turns are counted, and not read off the wall clock: that may be set
// between a delivery and its repetition.
func (r *Records) TakeDelivery(d keepwatch.Delivery, e keepwatch.AuditEntry) (fresh bool, err error) {
	d.Version, e.Version = version, version
	spent, keep := r.spend(givenCount)
	defer func() { keep(err == nil && fresh) }()
	err = r.store.Update(func(tx Tx) error {
		fresh = false
		turn, err := lastNumber(tx, givenCounter)
		if err != nil {
			return err
		}
		for _, t := range []int64{turn, turn - 1} {
			if _, err := tx.Get(givenKey(t, d.Key)); err == nil {
				return nil
			} else if !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		if err := tx.Put(givenKey(turn, d.Key), []byte("{}")); err != nil {
			return err
		}
		if err := put(tx, deliveryKey(d), d); err != nil {
			return err
		}
		fresh = true
		if _, err := addTurn(tx, spent); err != nil {
			return err
		}
		return put(tx, auditKey(e), e)
	})
	return fresh && err == nil, err
}

// FinishDelivery completes the audit line, saves what is to be posted and lets
// go of the delivery, as one. It gives the lanes that have something to send. One
// that was finished before, by an attempt that seemed to fail, stays as it is.
func (r *Records) FinishDelivery(d keepwatch.Delivery, e keepwatch.AuditEntry, out []keepwatch.Outgoing) (lanes []string, err error) {
	e.Version = version
	err = r.store.Update(func(tx Tx) (err error) {
		if _, err := tx.Get(deliveryKey(d)); errors.Is(err, ErrNotFound) {
			lanes = lanesOf(out)
			return nil
		} else if err != nil {
			return err
		}
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
	if !slices.ContainsFunc(buttons, func(b keepwatch.Button) bool { _, kept := b.Token(); return kept }) {
		return nil // and no commit: an edit of a card mostly has nothing to keep
	}
	return r.store.Update(func(tx Tx) error { return r.keep(tx, buttons) })
}

func (r *Records) keep(tx Tx, buttons []keepwatch.Button) error {
	for _, b := range buttons {
		token, kept := b.Token()
		if !kept {
			continue
		}
		var there keptButton
		now := r.now().UTC()
		if found, err := get(tx, "press/"+token, &there); err != nil {
			return err
		} else if age := now.Sub(there.At); found && age >= 0 && age < pressEvery {
			continue // the same button, and as good as new
		}
		if err := put(tx, "press/"+token, keptButton{version, now, b}); err != nil {
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

// validLane keeps a lane out of the keys that could be taken for another one.
func validLane(lane string) error {
	if lane == "" || strings.ContainsAny(lane, "/\x00") || len(lane) > 200 {
		return fmt.Errorf("store: %q cannot be the lane of a message", lane)
	}
	return nil
}
