package remind

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// perBatch is how many wakes are dealt with in one transaction.
const perBatch = 100

// Tick deals with rules that are due and with occurrences that wake. What is not due
// any more, because another tick was faster, is left alone. Where something cannot
// be dealt with, the others are all the same, and the error tells of each.
func (s *Scheduler) Tick(ctx context.Context, wakes []keepwatch.Wake) error {
	var rules, occurrences []string
	for _, w := range wakes {
		switch w.Kind {
		case keepwatch.WakeRule:
			rules = append(rules, w.ID)
		case keepwatch.WakeOccurrence:
			occurrences = append(occurrences, w.ID)
		}
	}
	return errors.Join(s.tickRules(ctx, rules), s.tickOccurrences(ctx, occurrences))
}

func (s *Scheduler) tickRules(ctx context.Context, ids []string) error {
	var plans []plan
	var failed []error
	now := s.now()
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		rule, err := s.cfg.Records.Rule(id)
		if keepwatch.KindOf(err) == keepwatch.KindNotFound {
			continue // removed meanwhile
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("read rule %s: %w", id, err))
			continue
		}
		p, due, err := s.plan(rule, now)
		if err != nil {
			failed = append(failed, err)
		} else if due {
			plans = append(plans, p)
		}
	}
	slices.SortStableFunc(plans, func(a, b plan) int { return strings.Compare(a.rule.Channel, b.rule.Channel) })
	channel := func(p plan) string { return p.rule.Channel }
	return errors.Join(append(failed, inBatches(ctx, plans, channel, func(some []plan) error {
		return s.change(ctx, func(b *batch) error {
			for _, p := range some {
				if err := b.comeDue(p); err != nil {
					return err
				}
			}
			return nil
		})
	}))...)
}

func (s *Scheduler) tickOccurrences(ctx context.Context, ids []string) error {
	type one struct{ id, place string }
	var all []one
	now := s.now()
	for _, id := range ids {
		o, err := s.cfg.Records.Occurrence(id)
		if err == nil && (o.Wake.IsZero() || o.Wake.After(now)) || keepwatch.KindOf(err) == keepwatch.KindNotFound {
			continue
		}
		all = append(all, one{id, o.Channel}) // one that cannot be read fails alone, below
	}
	slices.SortStableFunc(all, func(a, b one) int { return strings.Compare(a.place, b.place) })
	return inBatches(ctx, all, func(o one) string { return o.place }, func(some []one) error {
		return s.change(ctx, func(b *batch) error {
			for _, o := range some {
				if err := b.wake(o.id); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// inBatches does things in batches of at most perBatch, and does not tear apart what
// belongs into one channel where that fits: it may become one message. Where a batch
// does not work, each of it is done alone, so that one bad record holds up nothing
// else.
func inBatches[T any](ctx context.Context, all []T, channel func(T) string, do func([]T) error) error {
	var failed []error
	for len(all) > 0 {
		n := 0
		for n < len(all) && n < perBatch {
			group := n
			for group < len(all) && channel(all[group]) == channel(all[n]) {
				group++
			}
			if n > 0 && group > perBatch {
				break
			}
			n = min(group, perBatch)
		}
		some := all[:n]
		all = all[n:]
		if err := ctx.Err(); err != nil {
			return errors.Join(append(failed, err)...)
		}
		err := do(some)
		if err == nil {
			continue
		}
		if len(some) == 1 {
			failed = append(failed, err)
			continue
		}
		for _, one := range some {
			if err := do([]T{one}); err != nil {
				failed = append(failed, err)
			}
		}
	}
	return errors.Join(failed...)
}
