package remind

import (
	"fmt"
	"slices"
	"time"

	"keepwatch"
)

// AddRule checks a rule, works out when it comes due first, gives it its number and
// saves it. One that asks and has its Next set comes due then. The rule that the same
// Request has made already is given back.
func (s *Scheduler) AddRule(rule keepwatch.Rule) (keepwatch.Rule, error) {
	s.asked.Lock()
	defer s.asked.Unlock()
	made, err := s.cfg.Records.RequestRules(rule.Request)
	if err != nil {
		return keepwatch.Rule{}, fmt.Errorf("read what request %s has made: %w", rule.Request, err)
	}
	if len(made) > 0 {
		return made[0], nil
	}
	now := s.now()
	due, err := s.check(rule, now)
	if err != nil {
		return keepwatch.Rule{}, err
	}
	alive, err := s.cfg.Records.AliveRules()
	if err != nil {
		return keepwatch.Rule{}, fmt.Errorf("count the rules: %w", err)
	}
	if alive >= maxRules {
		return keepwatch.Rule{}, keepwatch.Errorf(keepwatch.KindConflict, "There are %s reminders already, and no more are taken. Remove some first: /reminder list", keepwatch.FormatCount(alive, ""))
	}
	rule.Fixed, rule.Last, rule.LastWall, rule.Skip = false, time.Time{}, "", ""
	if rule.Made.IsZero() {
		rule.Made = now
	}
	var saved keepwatch.Rule
	_, err = s.save(func(b *batch) error {
		r := rule
		r.ID, err = b.NewRuleID()
		if err != nil {
			return fmt.Errorf("number a rule: %w", err)
		}
		b.begins(&r, due)
		saved = r
		return b.putRule(r)
	})
	return saved, err
}

// begins sets when a new rule comes due first.
func (b *batch) begins(rule *keepwatch.Rule, due keepwatch.Due) {
	if rule.Kind == keepwatch.RuleAsk && !rule.Next.IsZero() {
		b.askNext(rule, rule.Next)
		return
	}
	rule.Next, rule.NextWall = wholeSecond(due.At), due.Wall
}

// ChangeRule changes a rule. Where its time changes, or it is taken up after a pause,
// what it comes due next is worked out from now: nothing is caught up. Its ID, and
// what has come due of it, stay. change may be called more than once.
func (s *Scheduler) ChangeRule(id string, change func(*keepwatch.Rule) error) (keepwatch.Rule, error) {
	was, err := s.cfg.Records.Rule(id)
	if err != nil {
		return keepwatch.Rule{}, err
	}
	var open []keepwatch.Occurrence
	if was.Paused { // it may be taken up again
		if open, err = s.openOf(id); err != nil {
			return keepwatch.Rule{}, err
		}
	}
	var saved keepwatch.Rule
	_, err = s.save(func(b *batch) error {
		old, found, err := b.Rule(id)
		if err != nil {
			return fmt.Errorf("read rule %s: %w", id, err)
		}
		if !found {
			return noRule(id)
		}
		rule := old
		rule.Chain = slices.Clone(old.Chain)
		if err := change(&rule); err != nil {
			return err
		}
		rule.Version, rule.ID, rule.Fixed, rule.Made, rule.Request = old.Version, old.ID, old.Fixed, old.Made, old.Request
		rule.Last, rule.LastWall, rule.Next, rule.NextWall = old.Last, old.LastWall, old.Next, old.NextWall
		if old.Fixed && !sameDuty(old, rule) {
			return keepwatch.Errorf(keepwatch.KindConflict, "%s comes from keepwatch.yaml: change it there. Here it can be paused, left out once, or done now.", id)
		}
		if !sameDuty(old, rule) || old.Paused && !rule.Paused {
			if err := b.moved(&rule, old); err != nil {
				return err
			}
		}
		if old.Paused && !rule.Paused {
			if err := b.rearm(rule, open); err != nil {
				return err
			}
		}
		saved = rule
		return b.putRule(rule)
	})
	return saved, err
}

// moved works out when a rule comes due that was changed or taken up again.
func (b *batch) moved(rule *keepwatch.Rule, old keepwatch.Rule) error {
	resumed, sameTimes := old.Paused && !rule.Paused, sameWhen(old.When, rule.When)
	if sameTimes && !resumed {
		return b.s.complete(*rule)
	}
	if _, err := b.s.check(*rule, b.now); err != nil && !sameTimes {
		return err
	}
	if rule.Kind == keepwatch.RuleAsk && (old.Next.IsZero() || sameTimes) {
		if resumed && !old.Next.IsZero() && old.Next.Before(b.now) {
			b.askNext(rule, b.now) // what was to be asked meanwhile still is
		}
		return nil // it is asked just now, or at its time
	}
	due, ok := b.retimed(rule, old)
	if !ok && !sameTimes {
		return keepwatch.Errorf(keepwatch.KindConflict, "It has come due at that time already, and does not twice. Name a later one.")
	}
	rule.Next, rule.NextWall = wholeOrNever(due.At), due.Wall
	return nil
}

// retimed gives when a rule comes due from now on that had another time before; ok is
// false where it never does. What came due of it last is named by the wall of its old
// zone, which may be a day ahead of the new one: it is read on that.
func (b *batch) retimed(rule *keepwatch.Rule, old keepwatch.Rule) (keepwatch.Due, bool) {
	if old.LastWall != "" && b.s.zone(*rule).String() != b.s.zone(old).String() {
		rule.LastWall = b.wall(*rule, old.Last)
	}
	due, ok := b.s.cfg.Clock.Next(rule.When, b.now, rule.LastWall)
	if !ok {
		return keepwatch.Due{}, false
	}
	return due, true
}

func wholeOrNever(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return wholeSecond(t)
}

// rearm has what was open of a rule asked again, after the pause has put it to rest.
func (b *batch) rearm(rule keepwatch.Rule, open []keepwatch.Occurrence) error {
	for _, o := range open {
		o, found, err := b.Occurrence(o.ID)
		if err != nil {
			return fmt.Errorf("read occurrence %s: %w", o.ID, err)
		}
		if !found || o.State.Settled() || !o.Wake.IsZero() {
			continue
		}
		if o.Wake = b.rest(o, rule); o.Wake.IsZero() {
			continue
		}
		if err := b.put(o); err != nil {
			return err
		}
	}
	return nil
}

// RemoveRule removes a rule that was made by chat. What is open of it ends.
func (s *Scheduler) RemoveRule(id string) error {
	open, err := s.openOf(id)
	if err != nil {
		return err
	}
	_, err = s.save(func(b *batch) error {
		rule, found, err := b.Rule(id)
		if err != nil {
			return fmt.Errorf("read rule %s: %w", id, err)
		}
		if !found {
			return noRule(id)
		}
		if rule.Fixed {
			return keepwatch.Errorf(keepwatch.KindConflict, "%s comes from keepwatch.yaml: remove it there. Here it can be paused: /reminder pause %s", id, id)
		}
		return b.remove(rule, open, "its reminder was removed")
	})
	return err
}

// remove deletes a rule and ends what is open of it. A command that runs goes on to
// its end.
func (b *batch) remove(rule keepwatch.Rule, open []keepwatch.Occurrence, what string) error {
	b.rules[rule.ID] = rule // the messages are rendered with it once more
	for _, o := range open {
		o, found, err := b.Occurrence(o.ID)
		if err != nil {
			return fmt.Errorf("read occurrence %s: %w", o.ID, err)
		}
		if !found || o.State.Settled() || o.State == keepwatch.OccurrenceRunning {
			continue
		}
		o.State = keepwatch.OccurrencePassed
		happen(&o, b.now, "", what)
		if err := b.put(o); err != nil {
			return err
		}
		if err := b.edit(o); err != nil {
			return err
		}
	}
	b.changed = true
	if err := b.DeleteRule(rule.ID); err != nil {
		return fmt.Errorf("remove rule %s: %w", rule.ID, err)
	}
	return nil
}

// openOf gives what is open of a rule.
func (s *Scheduler) openOf(rule string) ([]keepwatch.Occurrence, error) {
	of, err := s.cfg.Records.OpenOf(rule)
	if err != nil {
		return nil, fmt.Errorf("read what is open of rule %s: %w", rule, err)
	}
	return of, nil
}
