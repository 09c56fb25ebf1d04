package remind

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"keepwatch"
)

// wake does what is to happen to an occurrence by itself.
func (b *batch) wake(id string) error {
	o, found, err := b.Occurrence(id)
	if err != nil {
		return fmt.Errorf("read occurrence %s: %w", id, err)
	}
	if !found || o.Wake.IsZero() || o.Wake.After(b.now) {
		return nil // another tick was faster
	}
	rule, found, err := b.ruleOf(o)
	switch {
	case err != nil:
		return err
	case isTooLate(o):
		return b.tellMissed(o, rule)
	case o.State.Settled():
		return b.put(o)
	case o.Kind == keepwatch.RuleCommand:
		return b.wakeCommand(o, rule)
	case o.State == keepwatch.OccurrenceDue:
		if later, err := b.later(o, o.Channel); later {
			return err
		}
		b.first(o, rule)
		return nil
	case o.State == keepwatch.OccurrenceSnoozed:
		if later, err := b.later(o, o.Channel); later {
			return err
		}
		o.Until = time.Time{}
		b.again(o, rule, "asked again, as it was put off until now")
		return nil
	case !found || rule.Paused:
		o.Wake = time.Time{}
		happen(&o, b.now, "", "rests: its reminder is paused or gone")
		return b.put(o)
	}
	return b.insist(o, rule)
}

// later puts off what would disturb a channel now.
func (b *batch) later(o keepwatch.Occurrence, place string) (bool, error) {
	open, from := b.s.open(place, b.now)
	if open {
		return false, nil
	}
	o.Wake = from
	return true, b.put(o)
}

// tellMissed says what waited until the channel may be disturbed.
func (b *batch) tellMissed(o keepwatch.Occurrence, rule keepwatch.Rule) error {
	if later, err := b.later(o, o.Channel); later {
		return err
	}
	o.State = keepwatch.OccurrenceMissed
	if err := b.put(o); err != nil {
		return err
	}
	b.miss(o.Channel, lost{rule, []keepwatch.Occurrence{o}})
	return nil
}

// again posts an occurrence in its own channel once more.
func (b *batch) again(o keepwatch.Occurrence, rule keepwatch.Rule, what string) {
	o.State, o.Posted = keepwatch.OccurrencePosted, o.Posted+1
	if o.Step > 0 {
		o.State = keepwatch.OccurrenceEscalated
	}
	happen(&o, b.now, "", what)
	o.Wake = b.rest(o, rule)
	b.post(o.Channel, posting{o: o, rule: rule, tell: o.Places})
}

// insist posts an occurrence again that nobody has answered, or passes it on.
func (b *batch) insist(o keepwatch.Occurrence, rule keepwatch.Rule) error {
	place, more := nextPlace(o, rule)
	if !more {
		if o.Kind == keepwatch.RuleText && b.now.Sub(o.At) >= forgotten {
			o.State = keepwatch.OccurrencePassed
			happen(&o, b.now, "", "nobody has answered for "+keepwatch.FormatDuration(forgotten))
			return errors.Join(b.put(o), b.edit(o))
		}
		o.Wake = b.rest(o, rule)
		return b.put(o)
	}
	if rule.Repeat <= 0 { // somebody has changed the rule meanwhile
		o.Wake = b.rest(o, rule)
		return b.put(o)
	}
	if later, err := b.later(o, place); later {
		return err
	}
	if place == o.Channel {
		b.again(o, rule, "nobody has answered: asked again")
		return nil
	}
	o.State, o.Step = keepwatch.OccurrenceEscalated, slices.Index(rule.Chain, place)+1
	happen(&o, b.now, "", "nobody has answered: passed on to "+place)
	o.Wake = b.rest(o, rule)
	b.post(place, posting{o: o, rule: rule, tell: o.Places})
	return nil
}
