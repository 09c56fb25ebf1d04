package remind

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"keepwatch"
)

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
			try := o.Tries
			err = s.save1(o.ID, func(b *batch, o *keepwatch.Occurrence) error {
				if o.State != keepwatch.OccurrenceRunning || o.Tries != try {
					return nil
				}
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
