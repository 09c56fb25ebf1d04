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
		case !found || old.State.Settled():
			continue
		case old.State == keepwatch.OccurrenceRunning:
			o.State = keepwatch.OccurrenceMissed
			happen(&o, b.now, "", "not started: the one of "+b.s.moment(old.At)+" still runs"+runName(old.Run))
			return b.put(o)
		case isTooLate(old):
			old.State = keepwatch.OccurrenceMissed
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
			Quiet: true,
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

// look asks what came of a command of which nothing was heard, and hands it over once
// more where it never arrived.
func (s *Scheduler) look(ctx context.Context, o keepwatch.Occurrence) {
	arrived, err := s.standing(o)
	if err != nil {
		s.cfg.Log.Warn("it cannot be seen how a command stands; it is looked again", "occurrence", o.ID, "err", err)
	} else if !arrived {
		s.hand(ctx, o)
	}
}

// standing saves what came of a command, where anything is known. arrived is false
// where it was never taken.
func (s *Scheduler) standing(o keepwatch.Occurrence) (arrived bool, err error) {
	out, err := s.cfg.Outcome(o)
	switch {
	case err != nil:
	case out.Found:
		err = s.ran(out.Run)
	case out.Pending:
	case out.Done:
		err = s.answered(o.ID, o.Tries, "", false)
	case out.Refused != "":
		err = s.answered(o.ID, o.Tries, out.Refused, !out.Denied)
	case o.Run == 0:
		return false, nil
	}
	return true, err
}

// clear makes sure that what still counts as running when a rule comes due again does
// run: it may have ended, or have never begun, just before the process did.
func (s *Scheduler) clear(open []keepwatch.Occurrence, now time.Time) error {
	for _, o := range open {
		if o.Kind != keepwatch.RuleCommand || o.State != keepwatch.OccurrenceRunning {
			continue
		}
		arrived, err := s.standing(o)
		if err == nil && !arrived && !o.Wake.After(now) {
			err = s.save1(o.ID, func(b *batch, o *keepwatch.Occurrence) error {
				o.State = keepwatch.OccurrenceMissed
				happen(o, b.now, "", "Keepwatch ended before it could be carried out, and the next one is due")
				return nil
			})
		}
		if err != nil {
			return fmt.Errorf("see how %s stands: %w", o.ID, err)
		}
	}
	return nil
}

// RunChanged says that a run has changed. What cannot be saved now is found out when
// the occurrence wakes.
func (s *Scheduler) RunChanged(run keepwatch.Run) {
	if run.Due == "" {
		return
	}
	how := strconv.FormatInt(run.ID, 10)
	if run.State.Settled() {
		how += " " + string(run.State)
	}
	s.mu.Lock()
	known := s.seen[run.Due] == how
	s.mu.Unlock()
	if known {
		return
	}
	if err := s.ran(run); err != nil {
		s.cfg.Log.Warn("it cannot be saved how the run of a command stands; it is looked again", "occurrence", run.Due, "run", run.ID, "err", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[run.Due] = how; run.State.Ended() {
		delete(s.seen, run.Due)
	}
}

// ran saves how the run of the newest try stands. A run of an earlier try says
// nothing any more.
func (s *Scheduler) ran(run keepwatch.Run) error {
	_, err := s.save(func(b *batch) error {
		o, found, err := b.Occurrence(run.Due)
		if err != nil || !found || o.State != keepwatch.OccurrenceRunning {
			return err
		}
		if run.Request != "" && run.Request != RequestID(o.ID, o.Tries) {
			return nil
		}
		rule, _, err := b.ruleOf(o)
		if err != nil {
			return err
		}
		changed := o.Run != run.ID
		o.Run = run.ID
		name := "run " + strconv.FormatInt(run.ID, 10)
		switch run.State {
		case keepwatch.RunDone:
			o.State = keepwatch.OccurrenceDone
			happen(&o, b.now, "", name+" is done")
		case keepwatch.RunFailed:
			b.fail(&o, rule, name+" failed"+why(run), true)
		case keepwatch.RunCancelled:
			o.State = keepwatch.OccurrenceSkipped
			happen(&o, b.now, run.CancelledBy, name+" was cancelled")
		case keepwatch.RunAttention:
			line := name + " needs attention" + why(run)
			if len(o.Log) > 0 && o.Log[len(o.Log)-1].What == line {
				return nil
			}
			happen(&o, b.now, "", line)
		default:
			if !changed {
				return nil
			}
			happen(&o, b.now, "", name+" was started")
		}
		return b.put(o)
	})
	return err
}

// why gives the sentence of a failure, for a line of what happened.
func why(run keepwatch.Run) string {
	if run.Failure == nil || run.Failure.Message == "" {
		return ""
	}
	return ": " + run.Failure.Message
}

// fail has a command tried again while its window lasts, and gives it up afterwards.
func (b *batch) fail(o *keepwatch.Occurrence, rule keepwatch.Rule, what string, mends bool) {
	if at := b.now.Add(backoff(o.Tries)); mends && at.Before(windowEnd(*o, rule)) {
		o.State, o.Wake = keepwatch.OccurrenceDue, at
		happen(o, b.now, "", what+" (it is tried again at "+b.s.moment(at)+")")
		return
	}
	o.State = keepwatch.OccurrenceFailed
	happen(o, b.now, "", what)
}

// Answered says that the request of an occurrence was answered. A command that
// starts no run is done with that; how one stands that does is told by RunChanged.
func (s *Scheduler) Answered(due string, outcome keepwatch.Outcome, sentence string) {
	o, err := s.cfg.Records.Occurrence(due)
	if err == nil && o.State == keepwatch.OccurrenceRunning {
		switch outcome {
		case keepwatch.OutcomeDone:
			err = s.done(o)
		case keepwatch.OutcomeDenied:
			err = s.answered(due, o.Tries, sentence, false)
		case keepwatch.OutcomeRefused, keepwatch.OutcomeFailed:
			err = s.answered(due, o.Tries, sentence, true)
		}
	}
	if err != nil {
		s.cfg.Log.Warn("it cannot be saved how a command was answered; it is looked again", "occurrence", due, "err", err)
	}
}

// done ends a command that was answered, unless it has started a run.
func (s *Scheduler) done(o keepwatch.Occurrence) error {
	if o.Run != 0 {
		return nil
	}
	out, err := s.cfg.Outcome(o)
	if err != nil {
		return err
	}
	if out.Found {
		return s.ran(out.Run)
	}
	return s.answered(o.ID, o.Tries, "", false)
}

// answered saves that a try was answered without a run; refused is why it was not
// done, and mends whether another try may help.
func (s *Scheduler) answered(id string, try int, refused string, mends bool) error {
	return s.save1(id, func(b *batch, o *keepwatch.Occurrence) error {
		if o.State != keepwatch.OccurrenceRunning || o.Tries != try || o.Run != 0 && refused == "" {
			return nil
		}
		if refused == "" && !mends {
			o.State = keepwatch.OccurrenceDone
			happen(o, b.now, "", "done")
			return nil
		}
		rule, _, err := b.ruleOf(*o)
		if err != nil {
			return err
		}
		if refused == "" {
			refused = "it failed"
		}
		b.fail(o, rule, refused, mends)
		return nil
	})
}
