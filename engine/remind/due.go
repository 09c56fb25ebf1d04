package remind

import (
	"fmt"
	"time"

	"keepwatch"
)

// comeDue makes what has come due of a rule, once, and moves the rule on.
func (b *batch) comeDue(p plan) error {
	rule, found, err := b.Rule(p.rule.ID)
	if err != nil {
		return fmt.Errorf("read rule %s: %w", p.rule.ID, err)
	}
	if !found || !same(rule, p.rule) {
		return nil // another tick was faster, or somebody has changed it; what is due of it then wakes again
	}
	dues, skipped := p.dues, false
	rule.Last, rule.LastWall = dues[len(dues)-1].At, dues[len(dues)-1].Wall
	rule.Next, rule.NextWall = p.next.At, p.next.Wall
	for i, d := range dues {
		if d.Wall == rule.Skip && rule.Skip != "" {
			dues, skipped = append(append([]keepwatch.Due{}, dues[:i]...), dues[i+1:]...), true
			rule.Skip = ""
			if err := b.skip(rule, d); err != nil {
				return err
			}
			break
		}
	}
	if rule.Skip != "" && rule.Skip <= rule.LastWall {
		rule.Skip = "" // it named a moment that never came
	}
	if skipped && rule.Kind == keepwatch.RuleAsk {
		b.askNext(&rule, time.Time{})
	}
	if err := b.putRule(rule); err != nil || len(dues) == 0 {
		return err
	}
	newest := dues[len(dues)-1]
	if rule.Kind != keepwatch.RuleAsk && b.now.Sub(newest.At) > grace(rule) {
		return b.tooLate(rule, dues, p.more)
	}
	if err := b.leaveOut(rule, dues[:len(dues)-1], p.more); err != nil {
		return err
	}
	o := b.occurrence(rule, newest)
	o.Earlier = p.more + len(dues) - 1
	return b.enqueue(rule, o, p.open, false)
}

// occurrence makes one of a rule.
func (b *batch) occurrence(rule keepwatch.Rule, due keepwatch.Due) keepwatch.Occurrence {
	return keepwatch.Occurrence{
		ID: keepwatch.OccurrenceID(rule.ID, due.Wall), Rule: rule.ID, Kind: rule.Kind, At: due.At.UTC(), Wall: due.Wall,
		State: keepwatch.OccurrenceDue, Channel: rule.Channel, Text: rule.Text, Command: rule.Command, Ask: rule.Ask, To: rule.To,
	}
}

// made reports whether an occurrence is there already, so that it is not made twice. One
// of another moment has its name where the rule has gone by the wall of another zone
// before: then it gets one of its own.
func (b *batch) made(o *keepwatch.Occurrence) (bool, error) {
	for range 2 {
		old, found, err := b.Occurrence(o.ID)
		if err != nil {
			return false, fmt.Errorf("read occurrence %s: %w", o.ID, err)
		}
		if !found || old.At.Equal(o.At) {
			return found, nil
		}
		o.Wall += o.At.UTC().Format("-2T1504Z")
		o.ID = keepwatch.OccurrenceID(o.Rule, o.Wall)
	}
	return true, nil
}

// keep saves an occurrence that nothing more happens to, unless it is there.
func (b *batch) keep(rule keepwatch.Rule, due keepwatch.Due, state keepwatch.OccurrenceState, what string, earlier int) (keepwatch.Occurrence, error) {
	o := b.occurrence(rule, due)
	o.State, o.Earlier = state, earlier
	happen(&o, b.now, "", what)
	if found, err := b.made(&o); err != nil || found {
		return o, err
	}
	return o, b.put(o)
}

func (b *batch) skip(rule keepwatch.Rule, due keepwatch.Due) error {
	_, err := b.keep(rule, due, keepwatch.OccurrenceSkipped, "left out, as somebody had said", 0)
	return err
}

// leaveOut keeps those that were missed before one that is caught up.
func (b *batch) leaveOut(rule keepwatch.Rule, dues []keepwatch.Due, more int) error {
	for _, d := range dues {
		if _, err := b.keep(rule, d, keepwatch.OccurrenceMissed, "missed while Keepwatch was away; a later one was caught up", more); err != nil {
			return err
		}
		more = 0
	}
	return nil
}

// tooLateLine is the first line of an occurrence that is not caught up.
const tooLateLine = "missed while Keepwatch was away, and too late to be caught up"

// isTooLate reports whether an occurrence is open only until it can be said that it
// was missed.
func isTooLate(o keepwatch.Occurrence) bool {
	return o.State == keepwatch.OccurrenceDue && len(o.Log) > 0 && o.Log[0].What == tooLateLine
}

// tooLate keeps those that are not caught up, and has it said in one line. Where the
// channel may not be disturbed now, the newest of them stays open until it may.
func (b *batch) tooLate(rule keepwatch.Rule, dues []keepwatch.Due, more int) error {
	if len(dues) > MaxMissed {
		dues, more = dues[len(dues)-MaxMissed:], more+len(dues)-MaxMissed
	}
	total := len(dues) + more
	var missed []keepwatch.Occurrence
	for _, d := range dues {
		o, err := b.keep(rule, d, keepwatch.OccurrenceMissed, tooLateLine, more)
		if err != nil {
			return err
		}
		missed, more = append(missed, o), 0
	}
	open, from := b.s.open(rule.Channel, b.now)
	if open {
		b.miss(rule.Channel, lost{rule, missed})
		return nil
	}
	last := missed[len(missed)-1]
	last.State, last.Wake, last.Earlier = keepwatch.OccurrenceDue, from, total-1
	return b.put(last)
}

// enqueue makes an occurrence start its life: it is posted, or waits until its
// channel may be disturbed, or its command is carried out. atOnce: whoever asked for
// it sits there and waits.
func (b *batch) enqueue(rule keepwatch.Rule, o keepwatch.Occurrence, before []keepwatch.Occurrence, atOnce bool) error {
	if found, err := b.made(&o); err != nil || found {
		return err
	}
	if rule.Kind != keepwatch.RuleAsk && !atOnce {
		if err := b.supersede(&o, before); err != nil {
			return err
		}
	}
	if rule.Kind == keepwatch.RuleCommand {
		return b.enqueueCommand(rule, o, before)
	}
	if late := b.now.Sub(o.At); late > lateEnough {
		happen(&o, b.now, "", "caught up "+keepwatch.FormatDuration(late.Truncate(time.Second))+" late")
	}
	if open, from := b.s.open(o.Channel, b.now); !open && !atOnce {
		o.Wake = from
		happen(&o, b.now, "", "waits until "+b.s.moment(from)+", when the channel may be disturbed")
		return b.put(o)
	}
	b.first(o, rule)
	return nil
}

// lateEnough is from when on it is worth a line that an occurrence came late.
const lateEnough = 5 * time.Minute

// first posts an occurrence for the first time.
func (b *batch) first(o keepwatch.Occurrence, rule keepwatch.Rule) {
	o.State, o.Posted = keepwatch.OccurrencePosted, o.Posted+1
	happen(&o, b.now, "", "posted")
	o.Wake = b.rest(o, rule)
	b.post(o.Channel, posting{o: o, rule: rule})
}

// supersede ends those that nobody has answered before a new one comes. What is put
// off stays: somebody has answered. One that was never shown, because its channel
// was not to be disturbed, counts as an earlier one. Commands end by themselves.
func (b *batch) supersede(o *keepwatch.Occurrence, before []keepwatch.Occurrence) error {
	for _, old := range before {
		old, found, err := b.Occurrence(old.ID)
		if err != nil {
			return fmt.Errorf("read occurrence %s: %w", old.ID, err)
		}
		if !found || old.State.Settled() || old.State == keepwatch.OccurrenceSnoozed || old.Kind == keepwatch.RuleCommand {
			continue
		}
		loud := old.State == keepwatch.OccurrenceEscalated || old.Posted > 1
		if old.State == keepwatch.OccurrenceDue {
			o.Earlier += 1 + old.Earlier
		}
		old.State = keepwatch.OccurrencePassed
		happen(&old, b.now, "", "nobody had answered when the next one came")
		if err := b.put(old); err != nil {
			return err
		}
		if loud {
			if err := b.edit(old); err != nil {
				return err
			}
		}
	}
	return nil
}
