package remind

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// longestSnooze is how far an occurrence can be put off.
const longestSnooze = 366 * 24 * time.Hour

// Answer saves what somebody says to an occurrence, and has every message of it
// edited. The answer that was given last, by the same person in the same words,
// changes nothing. To an occurrence that is settled another answer is a conflict that
// says what became of it.
func (s *Scheduler) Answer(id string, a keepwatch.Answer) (keepwatch.Occurrence, error) {
	var o keepwatch.Occurrence
	_, err := s.save(func(b *batch) error {
		var found bool
		var err error
		if o, found, err = b.Occurrence(id); err != nil {
			return fmt.Errorf("read occurrence %s: %w", id, err)
		}
		if !found {
			return noOccurrence(id)
		}
		what, err := s.words(a)
		if err != nil {
			return err
		}
		if given(o, a.By, what) {
			return nil
		}
		if o.State.Settled() {
			return s.settled(o)
		}
		if err := s.answerable(o, a, b.now); err != nil {
			return err
		}
		rule, _, err := b.ruleOf(o)
		if err != nil {
			return err
		}
		happen(&o, b.now, a.By, what)
		switch a.Kind {
		case keepwatch.AnswerSnooze:
			o.State, o.Until, o.Wake = keepwatch.OccurrenceSnoozed, a.Until.UTC(), wholeSecond(a.Until)
		case keepwatch.AnswerAssign:
			o.Assignee = a.To
			if o.State == keepwatch.OccurrencePosted || o.State == keepwatch.OccurrenceEscalated {
				o.Wake = b.rest(o, rule)
			}
		case keepwatch.AnswerSkip:
			o.State = keepwatch.OccurrenceSkipped
		default:
			o.State = keepwatch.OccurrenceAcknowledged
		}
		if err := b.put(o); err != nil {
			return err
		}
		if o.State.Settled() {
			o.Wake, o.Until = time.Time{}, time.Time{}
			if err := b.askAfter(o, time.Time{}); err != nil {
				return err
			}
		}
		if err := b.edit(o); err != nil || a.Kind != keepwatch.AnswerAssign || a.Where == "" || a.Where == o.Channel || slices.Contains(o.Places, a.Where) {
			return err
		}
		// Whoever is to see to it has it before them, with its buttons.
		o.Places = append(slices.Clone(o.Places), a.Where)
		b.say(a.Where, o.Topic(), false, s.cfg.Show(o, rule))
		return b.put(o)
	})
	return o, err
}

// words gives an answer as a line of what happened.
func (s *Scheduler) words(a keepwatch.Answer) (string, error) {
	var what string
	switch a.Kind {
	case keepwatch.AnswerDone:
		what = "done"
	case keepwatch.AnswerSkip:
		what = "left out"
	case keepwatch.AnswerSnooze:
		what = "put off until " + s.moment(a.Until)
	case keepwatch.AnswerAssign:
		if a.To == "" {
			return "", keepwatch.Errorf(keepwatch.KindInvalid, "Say whom it is for: /reminder assign 12@2026-11-26T09:00 Alis")
		}
		what = "assigned to " + a.To
	default:
		return "", fmt.Errorf("remind: an answer of kind %q", a.Kind)
	}
	if a.Note != "" {
		what += ": " + a.Note
	}
	return what, nil
}

// given reports whether an answer was the last that somebody gave. Where it can be
// given again with another meaning, because the occurrence was posted again since,
// it is a new one.
func given(o keepwatch.Occurrence, by, what string) bool {
	for i := len(o.Log) - 1; i >= 0; i-- {
		if h := o.Log[i]; h.By != "" {
			return h.By == by && h.What == what && (o.State.Settled() || i == len(o.Log)-1)
		}
	}
	return false
}

// settled says what became of an occurrence that takes no answer any more.
func (s *Scheduler) settled(o keepwatch.Occurrence) error {
	if len(o.Log) == 0 {
		return keepwatch.Errorf(keepwatch.KindConflict, "This one is %s already.", o.State)
	}
	last := o.Log[len(o.Log)-1]
	who := last.By
	if who == "" {
		who = "Keepwatch"
	}
	return keepwatch.Errorf(keepwatch.KindConflict, "This one is %s already: %q, said by %s on %s.", o.State, last.What, who, s.moment(last.At))
}

// answerable refuses what makes no sense for an open occurrence.
func (s *Scheduler) answerable(o keepwatch.Occurrence, a keepwatch.Answer, now time.Time) error {
	if o.Kind == keepwatch.RuleCommand {
		switch {
		case a.Kind == keepwatch.AnswerSnooze || a.Kind == keepwatch.AnswerAssign:
			return keepwatch.Errorf(keepwatch.KindInvalid, "This one carries out a command, which cannot be put off or handed on. Leave it out instead: /reminder skip %s", o.ID)
		case o.State == keepwatch.OccurrenceRunning && o.Run != 0:
			return keepwatch.Errorf(keepwatch.KindConflict, "It is being carried out as run %d. To end that: /backup cancel %d", o.Run, o.Run)
		case o.State == keepwatch.OccurrenceRunning:
			return keepwatch.Errorf(keepwatch.KindConflict, "It is being carried out just now. Look again in a minute: /reminder show %s", o.ID)
		}
	}
	if a.Kind == keepwatch.AnswerSnooze {
		switch {
		case !a.Until.After(now):
			return keepwatch.Errorf(keepwatch.KindInvalid, "%s has passed already. Name a moment ahead: /reminder snooze %s 3h", s.moment(a.Until), o.ID)
		case a.Until.Sub(now) > longestSnooze:
			return keepwatch.Errorf(keepwatch.KindInvalid, "%s is more than a year ahead. Name an earlier moment: /reminder snooze %s \"next week\"", s.moment(a.Until), o.ID)
		}
	}
	return nil
}

// FireNow makes an occurrence of a rule now, beside those that are due, whatever the
// hour. Its name has the wall's time and something of the request, which makes one
// however often it is carried out.
func (s *Scheduler) FireNow(rule, by, request string) (keepwatch.Occurrence, error) {
	s.asked.Lock()
	defer s.asked.Unlock()
	newest, err := s.cfg.Records.Occurrences(rule, 50)
	if err != nil {
		return keepwatch.Occurrence{}, fmt.Errorf("read what came due of rule %s: %w", rule, err)
	}
	sum := sha256.Sum256([]byte(request))
	mark := "-" + hex.EncodeToString(sum[:5])
	for _, o := range newest {
		if strings.HasSuffix(o.Wall, mark) {
			return o, nil
		}
	}
	for _, o := range newest { // it may have ended unseen, just before the process did
		if o.Kind == keepwatch.RuleCommand && o.State == keepwatch.OccurrenceRunning {
			if _, err := s.standing(o); err != nil {
				return keepwatch.Occurrence{}, fmt.Errorf("see how %s stands: %w", o.ID, err)
			}
		}
	}
	var id string
	err = s.change(context.Background(), func(b *batch) error {
		r, found, err := b.Rule(rule)
		if err != nil {
			return fmt.Errorf("read rule %s: %w", rule, err)
		}
		if !found {
			return noRule(rule)
		}
		if err := s.fireable(b, r, newest); err != nil {
			return err
		}
		o := b.occurrence(r, keepwatch.Due{At: b.now, Wall: b.wall(r, b.now) + mark})
		id = o.ID
		happen(&o, b.now, by, "asked for now")
		if r.Kind == keepwatch.RuleAsk {
			r.Next, r.NextWall = time.Time{}, ""
			if err := b.putRule(r); err != nil {
				return err
			}
		}
		return b.enqueue(r, o, nil, true)
	})
	if err != nil {
		return keepwatch.Occurrence{}, err
	}
	return s.Occurrence(id)
}

// fireable refuses to do what is being done.
func (s *Scheduler) fireable(b *batch, rule keepwatch.Rule, newest []keepwatch.Occurrence) error {
	if rule.Kind == keepwatch.RuleText {
		return nil
	}
	for _, o := range newest {
		o, found, err := b.Occurrence(o.ID)
		switch {
		case err != nil:
			return fmt.Errorf("read occurrence %s: %w", o.ID, err)
		case !found || o.State.Settled():
		case rule.Kind == keepwatch.RuleAsk:
			return keepwatch.Errorf(keepwatch.KindConflict, "This is asked already, since %s. See it: /reminder show %s", s.moment(o.At), o.ID)
		case o.State == keepwatch.OccurrenceRunning:
			return keepwatch.Errorf(keepwatch.KindConflict, "The one of %s still runs%s. See how it stands: /reminder show %s", s.moment(o.At), runName(o.Run), o.ID)
		default: // it waits for another try
			return keepwatch.Errorf(keepwatch.KindConflict, "The one of %s has failed and is tried again at %s, after %s. To give that up: /reminder skip %s", s.moment(o.At), s.moment(o.Wake), keepwatch.FormatCount(int64(o.Tries), "try", "tries"), o.ID)
		}
	}
	return nil
}

// wall gives what the wall shows at a moment, in the zone of a rule.
func (b *batch) wall(rule keepwatch.Rule, at time.Time) string {
	return at.In(b.s.zone(rule)).Format(keepwatch.WallLayout)
}

// zone gives the zone whose wall names what comes due of a rule. A distance of time
// knows none: the wall of a zone shows the same time twice in autumn.
func (s *Scheduler) zone(rule keepwatch.Rule) *time.Location {
	if rule.When.Every > 0 {
		return time.UTC
	}
	if rule.When.Zone != "" {
		if loc, err := time.LoadLocation(rule.When.Zone); err == nil {
			return loc
		}
	}
	return s.cfg.Location
}
