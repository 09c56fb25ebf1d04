package remind

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// DeliveryKey names a try to carry out the command of an occurrence, for
// Delivery.Key.
func DeliveryKey(occurrence string, try int) string {
	return "due:" + occurrence + "#" + strconv.Itoa(try)
}

// RequestID is the ID of the request of a try: the same for the same try, so that
// what came of it can be found after a crash.
func RequestID(occurrence string, try int) string {
	return strings.ReplaceAll("due-"+occurrence, ":", "-") + "." + strconv.Itoa(try)
}

const (
	// handed is how long after a command was handed over it is looked whether
	// anything came of it: the process may have ended in between.
	handed = time.Minute
	// lookEvery is how often it is looked how a command stands of which nothing is
	// heard.
	lookEvery = 10 * time.Minute
	// window is how long after it was first carried out a command that fails is tried
	// again, where the rule does not come due before.
	window = 6 * time.Hour
)

// backoff gives how long a command that has failed rests before it is tried again.
func backoff(tries int) time.Duration {
	return []time.Duration{5 * time.Minute, 15 * time.Minute, 45 * time.Minute, time.Hour}[min(max(tries, 1), 4)-1]
}

// enqueueCommand has a new occurrence carried out, unless the one before still runs.
func (b *batch) enqueueCommand(rule keepwatch.Rule, o keepwatch.Occurrence, before []keepwatch.Occurrence) error {
	for _, old := range before {
		old, found, err := b.Occurrence(old.ID)
		switch {
		case err != nil:
			return fmt.Errorf("read occurrence %s: %w", old.ID, err)
		case !found || old.State.Settled() || old.Kind != keepwatch.RuleCommand || isTooLate(old): // the last is told of in its time
			continue
		case old.State == keepwatch.OccurrenceRunning:
			o.State = keepwatch.OccurrenceMissed
			happen(&o, b.now, "", "not started: the one of "+b.s.moment(old.At)+" still runs"+runName(old.Run))
			return b.put(o)
		default: // it waited for another try
			old.State = keepwatch.OccurrenceFailed
			happen(&old, b.now, "", "given up when the next one came due")
		}
		if err := b.put(old); err != nil {
			return err
		}
	}
	b.begin(&o, "carried out")
	return b.put(o)
}

func runName(run int64) string {
	if run == 0 {
		return ""
	}
	return " as run " + strconv.FormatInt(run, 10)
}

// begin notes that the command of an occurrence is carried out, and has it handed
// over once that is saved. From then on Run is of this try, and not of an earlier one.
func (b *batch) begin(o *keepwatch.Occurrence, what string) {
	o.State, o.Tries, o.Run, o.Wake = keepwatch.OccurrenceRunning, o.Tries+1, 0, b.now.Add(handed)
	happen(o, b.now, "", what)
	b.carry = append(b.carry, *o)
}

// wakeCommand tries again what had failed, or has it looked how it stands.
func (b *batch) wakeCommand(o keepwatch.Occurrence, rule keepwatch.Rule) error {
	if o.State == keepwatch.OccurrenceRunning {
		o.Wake = b.now.Add(lookEvery) // first, so that another tick does not look too
		b.ask = append(b.ask, o)
		return b.put(o)
	}
	if rule.Paused {
		o.State = keepwatch.OccurrenceFailed
		happen(&o, b.now, "", "not tried again: its reminder is paused")
		return b.put(o)
	}
	if b.now.After(windowEnd(o, rule)) {
		o.State = keepwatch.OccurrenceFailed
		happen(&o, b.now, "", "given up: its time had passed before it could be tried again")
		return b.put(o)
	}
	b.begin(&o, "tried again")
	return b.put(o)
}

// windowEnd is when a command is tried no more.
func windowEnd(o keepwatch.Occurrence, rule keepwatch.Rule) time.Time {
	start := o.At
	if len(o.Log) > 0 && o.Log[0].At.After(start) {
		start = o.Log[0].At // it was caught up
	}
	end := start.Add(window)
	if rule.Next.After(start) && rule.Next.Before(end) {
		return rule.Next
	}
	return end
}

// hand gives a command to whoever carries it out. What does not work now is made up
// for when the occurrence wakes.
func (s *Scheduler) hand(ctx context.Context, o keepwatch.Occurrence) {
	log := s.cfg.Log.With("occurrence", o.ID, "try", o.Tries)
	if s.cfg.Carry == nil {
		log.Error("a command is due, and nobody carries out commands")
		return
	}
	rule, err := s.cfg.Records.Rule(o.Rule)
	if keepwatch.KindOf(err) == keepwatch.KindNotFound {
		err = s.save1(o.ID, func(b *batch, o *keepwatch.Occurrence) error {
			o.State = keepwatch.OccurrencePassed
			happen(o, b.now, "", "its rule was removed before it could be carried out")
			return nil
		})
	} else if err == nil {
		s.cfg.Crash("remind.carry")
		err = s.cfg.Carry(ctx, keepwatch.Delivery{
			Key: DeliveryKey(o.ID, o.Tries),
			Request: keepwatch.Request{
				ID: RequestID(o.ID, o.Tries), Text: "/" + strings.TrimPrefix(o.Command, "/"), Account: rule.Account,
				Channel: o.Channel, At: s.now(), Due: o.ID,
			},
			Reply: keepwatch.Reply{To: rule.Account},
			Quiet: true, Silent: o.Tries > 1,
		})
		s.cfg.Crash("remind.carried")
	}
	if err != nil {
		log.Warn("a command that is due could not be handed over; it is tried again", "err", err)
	}
}

// save1 changes one occurrence that is not settled.
func (s *Scheduler) save1(id string, change func(*batch, *keepwatch.Occurrence) error) error {
	_, err := s.save(func(b *batch) error {
		o, found, err := b.Occurrence(id)
		if err != nil || !found || o.State.Settled() {
			return err
		}
		if err := change(b, &o); err != nil {
			return err
		}
		return b.put(o)
	})
	return err
}

// fail has a command tried again while its window lasts, and gives it up afterwards.
func (b *batch) fail(o *keepwatch.Occurrence, rule keepwatch.Rule, what string, mends bool) {
	if at := b.now.Add(backoff(o.Tries)); mends && !rule.Paused && at.Before(windowEnd(*o, rule)) {
		o.State, o.Wake = keepwatch.OccurrenceDue, at
		happen(o, b.now, "", what+" (it is tried again at "+b.s.moment(at)+")")
		return
	}
	o.State = keepwatch.OccurrenceFailed
	happen(o, b.now, "", what)
}
