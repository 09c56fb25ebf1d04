package remind

import (
	"fmt"
	"slices"
	"time"

	"keepwatch"
)

// plan is what has come due of a rule. It is worked out before the transaction,
// which only looks whether the rule is still the same: the clock of a rule that was
// asleep for a year takes its time.
type plan struct {
	rule keepwatch.Rule
	dues []keepwatch.Due // the newest that have passed, oldest first, at most MaxMissed+1
	more int             // how many passed before these
	next keepwatch.Due   // the first one ahead; zero: none
	open []keepwatch.Occurrence
}

// farBack is how many occurrences of one rule that have passed are counted one by
// one. Of a rule that has more, those up to a day ago are not counted.
const farBack = 10000

// recent is how many of the newest occurrences of a rule are looked through for open
// ones; further back only where all of these were missed.
const recent = 8

// plan works out what a rule has to do now; due is false where that is nothing.
func (s *Scheduler) plan(rule keepwatch.Rule, now time.Time) (p plan, due bool, err error) {
	if rule.Paused || rule.Next.IsZero() || rule.Next.After(now) {
		return p, false, nil
	}
	p = plan{rule: rule, dues: []keepwatch.Due{{At: rule.Next, Wall: rule.NextWall}}}
	if rule.Kind != keepwatch.RuleAsk { // what is asked has its next moment when it is settled
		p.pass(s.cfg.Clock, now)
	}
	newest, err := s.newest(rule.ID)
	if err != nil {
		return p, false, err
	}
	for _, o := range newest {
		if !o.State.Settled() {
			p.open = append(p.open, o)
		}
	}
	return p, true, s.clear(p.open, now)
}

// newest gives the newest occurrences of a rule, and among them one that was not
// missed, where that is not very long ago.
func (s *Scheduler) newest(rule string) ([]keepwatch.Occurrence, error) {
	all, err := s.cfg.Records.Occurrences(rule, recent)
	if err == nil && len(all) == recent && !slices.ContainsFunc(all, func(o keepwatch.Occurrence) bool { return o.State != keepwatch.OccurrenceMissed }) {
		all, err = s.cfg.Records.Occurrences(rule, recent+4*MaxMissed)
	}
	if err != nil {
		return nil, fmt.Errorf("read what came due of rule %s: %w", rule, err)
	}
	return all, nil
}

// pass goes from the first due moment to the first that lies ahead.
func (p *plan) pass(clock Clock, now time.Time) {
	at := p.dues[0]
	for count := 1; ; count++ {
		after := at.At
		if yesterday := now.Add(-24 * time.Hour); count == farBack && after.Before(yesterday) {
			after = yesterday
		}
		next, ok := clock.Next(p.rule.When, after, at.Wall)
		if !ok {
			return
		}
		if next.At.After(now) {
			p.next = keepwatch.Due{At: wholeSecond(next.At), Wall: next.Wall}
			return
		}
		if !next.At.After(at.At) || next.Wall <= at.Wall { // a clock that stands still: rather nothing than for ever
			return
		}
		at = next
		p.dues = append(p.dues, at)
		if len(p.dues) > MaxMissed+1 {
			p.dues = slices.Delete(p.dues, 0, 1)
			p.more++
		}
	}
}

// same reports whether a rule is still what a plan was made for.
func same(a, b keepwatch.Rule) bool {
	return a.Next.Equal(b.Next) && a.NextWall == b.NextWall && a.LastWall == b.LastWall && a.Paused == b.Paused && a.Skip == b.Skip && sameDuty(a, b)
}

// sameDuty reports whether two rules say the same.
func sameDuty(a, b keepwatch.Rule) bool {
	return a.Kind == b.Kind && sameWhen(a.When, b.When) && a.Channel == b.Channel && a.Text == b.Text && a.Command == b.Command &&
		a.Ask == b.Ask && a.To == b.To && a.By == b.By && a.Account == b.Account && a.Grace == b.Grace &&
		a.Repeat == b.Repeat && a.Times == b.Times && slices.Equal(a.Chain, b.Chain)
}

// sameWhen reports whether two rules come due at the same moments, in whatever words.
func sameWhen(a, b keepwatch.When) bool {
	return a.Cron == b.Cron && a.Every == b.Every && a.At.Equal(b.At) && a.Zone == b.Zone
}

// grace gives how late a missed occurrence is still caught up.
func grace(rule keepwatch.Rule) time.Duration {
	if rule.Grace > 0 {
		return rule.Grace
	}
	return keepwatch.DefaultGrace
}
