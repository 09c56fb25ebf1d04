package remind

import (
	"errors"
	"fmt"
	"time"

	"keepwatch"
)

// Settle ends whatever is asked about a subject, because somebody has said it: what
// is open is acknowledged, its messages are edited, and the rules that ask about it
// come due next at a moment; zero: by what they say themselves, from now.
func (s *Scheduler) Settle(ask, by, what string, next time.Time) error {
	if ask == "" {
		return errors.New("remind: settle nothing")
	}
	open, err := s.cfg.Records.OpenAsking(ask)
	if err != nil {
		return fmt.Errorf("read what is open about %s: %w", ask, err)
	}
	rules, err := s.cfg.Records.AskingRules(ask)
	if err != nil {
		return fmt.Errorf("read the rules that ask for %s: %w", ask, err)
	}
	_, err = s.save(func(b *batch) error {
		for _, o := range open {
			o, found, err := b.Occurrence(o.ID)
			if err != nil {
				return fmt.Errorf("read occurrence %s: %w", o.ID, err)
			}
			if !found || o.State.Settled() {
				continue
			}
			o.State = keepwatch.OccurrenceAcknowledged
			happen(&o, b.now, by, what)
			if err := b.put(o); err != nil {
				return err
			}
			if err := b.edit(o); err != nil {
				return err
			}
		}
		for _, rule := range rules {
			rule, found, err := b.Rule(rule.ID)
			if err != nil {
				return fmt.Errorf("read rule %s: %w", rule.ID, err)
			}
			if !found || rule.Kind != keepwatch.RuleAsk || rule.Ask != ask {
				continue // it was changed meanwhile
			}
			b.askNext(&rule, next)
			if err := b.putRule(rule); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// AskAgain has what is asked about a subject asked now, within the hours of whoever is
// asked: something has happened since the last answer. Nothing changes where the question
// is open, or has come up since that happened, or where its rule is paused.
func (s *Scheduler) AskAgain(ask string, since time.Time) error {
	open, err := s.cfg.Records.OpenAsking(ask)
	if err != nil {
		return fmt.Errorf("read what is open about %s: %w", ask, err)
	}
	if len(open) > 0 {
		return nil
	}
	rules, err := s.cfg.Records.AskingRules(ask)
	if err != nil {
		return fmt.Errorf("read the rules that ask for %s: %w", ask, err)
	}
	_, err = s.save(func(b *batch) error {
		for _, rule := range rules {
			rule, found, err := b.Rule(rule.ID)
			if err != nil {
				return fmt.Errorf("read rule %s: %w", rule.ID, err)
			}
			due := !rule.Next.IsZero() && !rule.Next.After(b.now)
			if !found || rule.Kind != keepwatch.RuleAsk || rule.Ask != ask || rule.Paused || due || !rule.Last.Before(wholeSecond(since)) {
				continue
			}
			b.askNext(&rule, b.now)
			if err := b.putRule(rule); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// askAfter has the rule of a settled question come due again.
func (b *batch) askAfter(o keepwatch.Occurrence, next time.Time) error {
	if o.Kind != keepwatch.RuleAsk {
		return nil
	}
	rule, found, err := b.ruleOf(o)
	if err != nil || !found {
		return err
	}
	b.askNext(&rule, next)
	return b.putRule(rule)
}

// askNext sets when a rule asks next. It never comes due twice in one minute of the
// wall, by which occurrences are named.
func (b *batch) askNext(rule *keepwatch.Rule, next time.Time) {
	if next.IsZero() {
		due, ok := b.s.cfg.Clock.Next(rule.When, b.now, rule.LastWall)
		if !ok {
			rule.Next, rule.NextWall = time.Time{}, ""
			return
		}
		rule.Next, rule.NextWall = wholeSecond(due.At), due.Wall
		return
	}
	rule.Next, rule.NextWall = wholeSecond(next), b.wall(*rule, wholeSecond(next))
	last, err := time.ParseInLocation(keepwatch.WallLayout, rule.LastWall, b.s.zone(*rule))
	for minute := 1; err == nil && rule.NextWall <= rule.LastWall && minute <= 24*60; minute++ { // past an hour that is doubled, too
		rule.Next = last.Add(time.Duration(minute) * time.Minute).UTC()
		rule.NextWall = b.wall(*rule, rule.Next)
	}
}
