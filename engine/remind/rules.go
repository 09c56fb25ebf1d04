package remind

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"keepwatch"
)

const (
	maxText  = 3000  // characters of a text
	maxRules = 10000 // made by chat, that can still come due
	maxChain = 10    // places that a rule goes along
	maxTimes = 20    // how often one occurrence is asked again in its channel
	// shortest is the least distance of a text rule: below it a channel is flooded.
	shortest = 5 * time.Minute
)

// AddRule checks a rule, works out when it comes due first, gives it its number and
// saves it. One that asks and has its Next set comes due then.
func (s *Scheduler) AddRule(rule keepwatch.Rule) (keepwatch.Rule, error) {
	now := s.now()
	due, err := s.check(rule, now)
	if err != nil {
		return keepwatch.Rule{}, err
	}
	there, err := s.cfg.Records.Rules()
	if err != nil {
		return keepwatch.Rule{}, fmt.Errorf("read the rules: %w", err)
	}
	alive := 0
	for _, r := range there {
		if !r.Fixed && (r.Paused || !r.Next.IsZero()) {
			alive++
		}
	}
	if alive >= maxRules {
		return keepwatch.Rule{}, keepwatch.Errorf(keepwatch.KindConflict, "There are %s reminders already, and no more are taken. Remove some first: /reminder list", keepwatch.FormatCount(int64(alive), ""))
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
	open, err := s.openOf(id)
	if err != nil {
		return keepwatch.Rule{}, err
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
		rule.Version, rule.ID, rule.Fixed, rule.Made = old.Version, old.ID, old.Fixed, old.Made
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
	due, ok := b.s.cfg.Clock.Next(rule.When, b.now, rule.LastWall)
	if !ok && !sameTimes {
		return keepwatch.Errorf(keepwatch.KindConflict, "It has come due at that time already, and does not twice. Name a later one.")
	}
	rule.Next, rule.NextWall = wholeOrNever(due.At), due.Wall
	return nil
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
func (s *Scheduler) openOf(rule string) (of []keepwatch.Occurrence, err error) {
	all, err := s.cfg.Records.OpenOccurrences()
	if err != nil {
		return nil, fmt.Errorf("read what is open: %w", err)
	}
	for _, o := range all {
		if o.Rule == rule {
			of = append(of, o)
		}
	}
	return of, nil
}

// check refuses a rule that cannot be kept, and gives when it comes due first.
func (s *Scheduler) check(rule keepwatch.Rule, now time.Time) (keepwatch.Due, error) {
	if err := s.complete(rule); err != nil {
		return keepwatch.Due{}, err
	}
	if zone := rule.When.Zone; zone != "" {
		if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
			return keepwatch.Due{}, keepwatch.Errorf(keepwatch.KindInvalid, "There is no time zone %q. Write one such as Europe/London or America/New_York.", zone)
		}
	}
	due, ok := s.cfg.Clock.Next(rule.When, now, "")
	switch {
	case !ok && !rule.When.At.IsZero():
		return due, keepwatch.Errorf(keepwatch.KindInvalid, "%s has passed already. Name a moment ahead, such as \"tomorrow at 9\".", s.moment(rule.When.At))
	case !ok:
		return due, keepwatch.Errorf(keepwatch.KindInvalid, "This never comes due: there is no such date, or no such time. Write for example \"every weekday at 9\".")
	}
	if rule.Kind == keepwatch.RuleText && s.tooOften(rule.When, due) {
		return due, keepwatch.Errorf(keepwatch.KindInvalid, "That is more often than every 5 minutes, which would drown the channel. Write for example \"every 30 minutes\".")
	}
	return due, nil
}

// tooOften looks at the next sixty times that a rule comes due: as many as there are
// minutes in an hour, by which a cron expression repeats itself.
func (s *Scheduler) tooOften(when keepwatch.When, due keepwatch.Due) bool {
	if when.Every > 0 {
		return when.Every < shortest
	}
	for range 60 {
		next, ok := s.cfg.Clock.Next(when, due.At, due.Wall)
		if !ok {
			return false
		}
		if next.At.Sub(due.At) < shortest {
			return true
		}
		due = next
	}
	return false
}

// complete refuses a rule that does not say what is to be done, where, or how often it
// is to be asked again.
func (s *Scheduler) complete(rule keepwatch.Rule) error {
	switch n := utf8.RuneCountInString(rule.Text); {
	case rule.Channel == "":
		return keepwatch.Errorf(keepwatch.KindInvalid, "Say where it is to be posted: /reminder add \"every weekday at 9\" here Look at the backups")
	case !place(rule.Channel) || slices.ContainsFunc(rule.Chain, func(p string) bool { return !place(p) }):
		return keepwatch.Errorf(keepwatch.KindInvalid, "A place is written as slack:C0OPS, as discord:@445566 for a direct message, or as terminal.")
	case rule.Kind == keepwatch.RuleText && n == 0:
		return keepwatch.Errorf(keepwatch.KindInvalid, "Say what it is to remind of: /reminder add \"every weekday at 9\" here Look at the backups")
	case n > maxText:
		return keepwatch.Errorf(keepwatch.KindInvalid, "The text has %s, and %s are the most. Write a shorter one that links to the rest.", keepwatch.FormatCount(int64(n), "character"), keepwatch.FormatCount(maxText, ""))
	case rule.Kind == keepwatch.RuleCommand && rule.Command == "":
		return keepwatch.Errorf(keepwatch.KindInvalid, "Say which command is to be carried out: /reminder add \"every day at 3\" here \"/backup start notes\"")
	case rule.Kind == keepwatch.RuleAsk && rule.Ask == "":
		return keepwatch.Errorf(keepwatch.KindInvalid, "A rule that asks has to say what for.")
	case rule.Repeat != 0 && rule.Repeat < shortest:
		return keepwatch.Errorf(keepwatch.KindInvalid, "Asking again sooner than after 5 minutes would drown the channel. Write for example --repeat 30m.")
	case rule.Times < 0 || rule.Times > maxTimes:
		return keepwatch.Errorf(keepwatch.KindInvalid, "It can be asked again %d times at the most. Write for example --times 3.", maxTimes)
	case len(rule.Chain) > maxChain:
		return keepwatch.Errorf(keepwatch.KindInvalid, "It can be passed on along %d places at the most.", maxChain)
	case rule.Grace < 0:
		return keepwatch.Errorf(keepwatch.KindInvalid, "How late it is still caught up cannot be negative. Write for example --grace 6h.")
	}
	return nil
}

// place reports whether something can be the name of a channel, which becomes a part
// of keys.
func place(channel string) bool {
	return channel != "" && len(channel) <= 200 && !strings.ContainsFunc(channel, func(c rune) bool { return c <= ' ' || c == '/' || c == 0x7f })
}
