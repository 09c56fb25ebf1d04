package warn

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"keepwatch"
)

// Review has the facts computed and fits the warnings to them: what is new is told
// of, what is said otherwise is edited, what has become another fact (Fact.Urge) is
// told of again, and what is no longer given is over. Where the facts cannot be
// computed everything stays as it is; where one cannot be saved, the others are.
func (k *Keeper) Review(ctx context.Context) error {
	k.reviewing.Lock()
	defer k.reviewing.Unlock()
	facts, err := k.cfg.Facts(k.now())
	if err != nil {
		return fmt.Errorf("compute what is to be warned of: %w", err)
	}
	open, err := k.cfg.Records.OpenWarnings()
	if err != nil {
		return fmt.Errorf("read the warnings: %w", err)
	}
	k.cfg.Crash("warn.computed")
	work, failed := k.differ(facts, open), []error(nil)
	for len(work) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := work[:min(batch, len(work))]
		work = work[len(part):]
		if err := k.fitAll(part); err != nil {
			failed = append(failed, fmt.Errorf("save what is to be warned of: %w", err))
		}
	}
	return errors.Join(failed...)
}

// fitAll fits the warnings of some facts to them as one. Where that does not work the
// halves are fitted, and theirs, so that one bad record keeps nobody from hearing of the
// others, and many of them still are one message.
func (k *Keeper) fitAll(part []difference) error {
	err := k.transact(func(t *telling) error {
		for _, d := range part {
			if err := t.fit(d); err != nil {
				return err
			}
		}
		return nil
	})
	switch half := len(part) / 2; {
	case err == nil:
		return nil
	case half == 0:
		return fmt.Errorf("%s: %w", clip(part[0].fact.Key), err)
	default:
		return errors.Join(k.fitAll(part[:half]), k.fitAll(part[half:]))
	}
}

// difference is a fact of which nobody knows as it is now. given is false for one
// that is no longer given.
type difference struct {
	fact  keepwatch.Fact
	given bool
}

// differ gives what facts say and the open warnings do not, the most pressing first.
func (k *Keeper) differ(facts []keepwatch.Fact, open []keepwatch.Warning) []difference {
	of := make(map[string]keepwatch.Warning, len(open))
	for _, w := range open {
		of[w.Fact.Key] = w
	}
	var work []difference
	given := make(map[string]bool, len(facts))
	for _, f := range facts {
		if f.Key == "" || f.Title == "" || given[f.Key] {
			k.cfg.Log.Error("a fact without a key or title, or one given twice, is left out", "key", f.Key, "title", f.Title)
			continue
		}
		given[f.Key] = true
		if !f.Until.IsZero() {
			f.Until = f.Until.UTC().Truncate(time.Second)
		}
		if w, found := of[f.Key]; !found || !w.Gone.IsZero() || !same(w.Fact, f) {
			work = append(work, difference{f, true})
		}
	}
	for _, w := range open {
		if !given[w.Fact.Key] && w.Gone.IsZero() {
			work = append(work, difference{w.Fact, false})
		}
	}
	slices.SortStableFunc(work, func(a, b difference) int { return pressingFact(a.fact, b.fact) })
	return work
}

// same reports whether two facts say the same.
func same(a, b keepwatch.Fact) bool {
	if a.Key != b.Key || a.Title != b.Title || a.Text != b.Text || a.Urge != b.Urge || a.Tone != b.Tone || !a.Until.Equal(b.Until) {
		return false
	}
	a.Until, b.Until = time.Time{}, time.Time{}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// compare puts the most pressing warning first.
func compare(a, b keepwatch.Warning) int {
	return cmp.Or(pressingFact(a.Fact, b.Fact), cmp.Compare(a.ID, b.ID))
}

// pressingFact puts the most pressing fact first: what is bad, then what comes true
// soonest, with what holds already at the front.
func pressingFact(a, b keepwatch.Fact) int {
	return cmp.Or(cmp.Compare(b.Tone, a.Tone), a.Until.Compare(b.Until), cmp.Compare(a.Key, b.Key))
}

// fit fits the warning of one fact to it. What the warning is now is read again:
// somebody may have acknowledged it since.
func (t *telling) fit(d difference) error {
	w, found, err := t.change.WarningOf(d.fact.Key)
	if err != nil {
		return err
	}
	switch {
	case !d.given && (!found || !w.Gone.IsZero()):
		return nil
	case !d.given:
		t.end(w)
		return nil
	case !found:
		id, err := t.change.NewWarningID()
		if err != nil {
			return err
		}
		w = keepwatch.Warning{ID: id, Fact: d.fact, First: t.now}
		begin(&w, t.now)
		note(&w, t.now, "", "noticed")
		t.put(w)
		return nil
	}
	was := w.Fact
	w.Fact = d.fact
	if !w.Gone.IsZero() {
		w.Gone = time.Time{}
		w.Log = slices.DeleteFunc(slices.Clone(w.Log), func(h keepwatch.Happening) bool { return h.What == over }) // what flaps fills no log
	}
	if was.Urge != d.fact.Urge {
		begin(&w, t.now)
		note(&w, t.now, "", "became another one")
	} else {
		retime(&w, was, t.now)
	}
	t.put(w)
	return nil
}

// over is what the log says of a fact that is no longer given.
const over = "over"

// end saves that a fact is over. One that nobody was told of needs no watch.
func (t *telling) end(w keepwatch.Warning) {
	w.Gone = t.now
	note(&w, t.now, "", over)
	if len(w.Places) == 0 {
		w.Resolved, w.Wake = t.now, time.Time{}
		t.entries = append(t.entries, &entry{w: w})
		return
	}
	t.put(w)
}

// Times of Run.
const (
	debounce  = time.Second // how long after a poke is looked, so that many at once are one
	every     = time.Hour
	afterFail = time.Minute
)

// Poke says that something may have changed about the facts. It does not wait.
func (k *Keeper) Poke() {
	select {
	case k.poke <- struct{}{}:
	default: // it is going to be looked at
	}
}

// Run reviews the facts at once, a second after something has changed, and every
// hour, until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	soon, last := true, ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.poke:
			if !soon {
				timer.Reset(debounce)
				soon = true
			}
			continue
		case <-timer.C:
		}
		err := k.guarded(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			timer.Reset(every)
			last = ""
		default:
			if err.Error() != last {
				k.cfg.Log.Error("what is to be warned of could not be reviewed; it is tried again each minute", "err", err)
				last = err.Error()
			}
			timer.Reset(afterFail)
		}
		soon = false
	}
}

// guarded is Review, and a panic in what computes facts is an error.
func (k *Keeper) guarded(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			k.cfg.Log.Error("a review of the warnings broke off", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("a review panicked: %v", p)
		}
	}()
	return k.Review(ctx)
}
