package remind

import (
	"context"
	"errors"
	"fmt"
	"time"

	"keepwatch"
)

// Sync makes the rules of the configuration what they are now. One that says the same
// as before keeps what came due of it, so that a downtime is caught up; one whose time
// is another comes due from now on; what was paused or left out by chat stays so; and
// one that is no longer there is removed, and what is open of it ends. A rule that
// cannot be kept is told of in the error, and does not keep the others.
func (s *Scheduler) Sync(fixed []keepwatch.Rule) error {
	there, err := s.cfg.Records.FixedRules()
	if err != nil {
		return fmt.Errorf("read the rules of the configuration: %w", err)
	}
	wanted := map[string]bool{}
	for _, r := range fixed {
		wanted[r.ID] = true
	}
	var gone []keepwatch.Rule
	for _, r := range there {
		if !wanted[r.ID] {
			gone = append(gone, r)
		}
	}
	none := func(keepwatch.Rule) string { return "" }
	ctx := context.Background()
	return errors.Join(
		inBatches(ctx, gone, none, s.syncGone),
		inBatches(ctx, fixed, none, func(some []keepwatch.Rule) error {
			_, err := s.save(func(b *batch) error {
				for _, r := range some {
					if err := b.syncRule(r); err != nil {
						return err
					}
				}
				return nil
			})
			return err
		}))
}

// syncGone removes rules that are in the configuration no longer.
func (s *Scheduler) syncGone(some []keepwatch.Rule) error {
	ids := make([]string, len(some))
	for i, r := range some {
		ids[i] = r.ID
	}
	all, err := s.cfg.Records.OpenOf(ids...)
	if err != nil {
		return fmt.Errorf("read what is open: %w", err)
	}
	open := map[string][]keepwatch.Occurrence{}
	for _, o := range all {
		open[o.Rule] = append(open[o.Rule], o)
	}
	_, err = s.save(func(b *batch) error {
		for _, r := range some {
			rule, found, err := b.Rule(r.ID)
			if err != nil {
				return fmt.Errorf("read rule %s: %w", r.ID, err)
			}
			if !found {
				continue
			}
			if err := b.remove(rule, open[r.ID], "it is in keepwatch.yaml no longer"); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// syncRule adds or changes one rule of the configuration, where it differs.
func (b *batch) syncRule(rule keepwatch.Rule) error {
	due, err := b.s.check(rule, b.now)
	old, found, readErr := b.Rule(rule.ID)
	switch {
	case readErr != nil:
		return fmt.Errorf("read rule %s: %w", rule.ID, readErr)
	case found && sameDuty(old, rule) && old.Fixed:
		return nil
	case err != nil:
		return fmt.Errorf("rule %s of the configuration: %w", rule.ID, err)
	}
	rule.Fixed, rule.Made = true, b.now
	if !found {
		rule.Last, rule.LastWall, rule.Skip, rule.Paused, rule.PausedBy = time.Time{}, "", "", false, ""
		b.begins(&rule, due)
		return b.putRule(rule)
	}
	rule.Version, rule.Made, rule.Paused, rule.PausedBy, rule.Skip = old.Version, old.Made, old.Paused, old.PausedBy, old.Skip
	first := rule.Next
	rule.Last, rule.LastWall, rule.Next, rule.NextWall = old.Last, old.LastWall, old.Next, old.NextWall
	switch {
	case sameWhen(old.When, rule.When):
	case rule.Kind == keepwatch.RuleAsk && old.Next.IsZero(): // it is asked just now
	case rule.Kind == keepwatch.RuleAsk:
		b.askNext(&rule, first)
	default:
		due, _ := b.retimed(&rule, old)
		rule.Next, rule.NextWall = wholeOrNever(due.At), due.Wall
	}
	return b.putRule(rule)
}

// walk is how far back of its old moment the new one of a wall is looked for: no
// zone has ever been moved further at once than over a whole day.
const walk = 48 * time.Hour

// perLook is how many rules are looked at between two looks into the state.
const perLook = 500

// Replan looks whether the rules still come due when they are expected to: with an
// update, what is known of time zones may have changed. A wall that was ahead stays
// ahead and only gets its new moment; where that has passed meanwhile it is due at
// once. It goes over all rules, some at a time, so it is called after a start, in the
// background.
func (s *Scheduler) Replan(ctx context.Context) error {
	for after := ""; ; {
		rules, err := s.cfg.Records.RulesAfter(after, perLook)
		if err != nil {
			return fmt.Errorf("read the rules: %w", err)
		}
		if len(rules) == 0 {
			return nil
		}
		after = rules[len(rules)-1].ID
		if err := s.replan(ctx, rules); err != nil {
			return err
		}
	}
}

// replan is Replan for some rules.
func (s *Scheduler) replan(ctx context.Context, rules []keepwatch.Rule) error {
	var moves []move
	for _, r := range rules {
		if err := ctx.Err(); err != nil {
			return err
		}
		if due, ok := s.replanned(r); ok {
			moves = append(moves, move{r, due})
		}
	}
	return inBatches(ctx, moves, func(move) string { return "" }, func(some []move) error {
		_, err := s.save(func(b *batch) error {
			for _, m := range some {
				if err := b.move(m); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	})
}

// move is a rule that comes due at another moment than was expected.
type move struct {
	rule keepwatch.Rule
	due  keepwatch.Due
}

// move saves it, where the rule is still the same.
func (b *batch) move(m move) error {
	rule, found, err := b.Rule(m.rule.ID)
	if err != nil {
		return fmt.Errorf("read rule %s: %w", m.rule.ID, err)
	}
	if !found || !same(rule, m.rule) {
		return nil
	}
	b.s.cfg.Log.Info("a rule comes due at another moment than was expected: its time zone has changed", "rule", rule.ID, "wall", m.due.Wall, "was", rule.Next, "is", m.due.At)
	rule.Next, rule.NextWall = m.due.At, m.due.Wall
	return b.putRule(rule)
}

// replanned gives the new moment of a rule's next wall, where it is another one.
func (s *Scheduler) replanned(rule keepwatch.Rule) (keepwatch.Due, bool) {
	if rule.When.Cron == "" || rule.Next.IsZero() || rule.Kind == keepwatch.RuleAsk {
		return keepwatch.Due{}, false
	}
	after, wall := rule.Next.Add(-walk), rule.LastWall
	for {
		due, ok := s.cfg.Clock.Next(rule.When, after, wall)
		if !ok || !due.At.After(after) {
			return due, false
		}
		if due.Wall >= rule.NextWall {
			due.At = wholeSecond(due.At)
			return due, !due.At.Equal(rule.Next) || due.Wall != rule.NextWall
		}
		after, wall = due.At, due.Wall
	}
}
