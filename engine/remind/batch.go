package remind

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keepwatch"
)

// batch is one transaction under way, and what is to be done once it is saved.
type batch struct {
	Change
	s   *Scheduler
	now time.Time
	ids *names

	rules   map[string]keepwatch.Rule
	places  []string // where something is to be posted, in the order in which that was found
	posting map[string][]posting
	missing map[string][]lost
	touched []string // digests that show something that has changed
	out     []keepwatch.Outgoing

	changed bool
	carry   []keepwatch.Occurrence // commands that are to be handed over
	ask     []keepwatch.Occurrence // commands of which the outcome is to be asked
}

// names gives the ids of one transaction, the same each time that it runs.
type names struct {
	make func() string
	made []string
	next int
}

func (n *names) id() string {
	if n.next == len(n.made) {
		n.made = append(n.made, n.make())
	}
	n.next++
	return n.made[n.next-1]
}

// change runs fn as one transaction, and then does what follows from it. Where the
// process ends after the save, all of that is made up for: the outbox finds what is
// to be sent, and a command wakes once more.
func (s *Scheduler) change(ctx context.Context, fn func(*batch) error) error {
	b, err := s.save(fn)
	if err != nil {
		return err
	}
	for _, o := range b.carry {
		s.hand(ctx, o)
	}
	for _, o := range b.ask {
		s.look(ctx, o)
	}
	return nil
}

// save is change without the commands.
func (s *Scheduler) save(fn func(*batch) error) (*batch, error) {
	ids := &names{make: s.cfg.NewID}
	now := s.now()
	var saved *batch
	s.cfg.Crash("remind.before")
	lanes, err := s.cfg.Records.Change(func(c Change) error {
		ids.next = 0
		b := &batch{Change: c, s: s, now: now, ids: ids, rules: map[string]keepwatch.Rule{}, posting: map[string][]posting{}, missing: map[string][]lost{}}
		if err := fn(b); err != nil {
			return err
		}
		saved = b
		return b.flush()
	})
	if err != nil {
		return nil, err
	}
	s.cfg.Crash("remind.saved")
	if len(lanes) > 0 {
		s.cfg.Send(lanes...)
	}
	s.cfg.Crash("remind.sent")
	if saved.changed {
		s.cfg.Changed()
	}
	return saved, nil
}

// put saves an occurrence.
func (b *batch) put(o keepwatch.Occurrence) error {
	b.changed = true
	if o.State.Settled() {
		o.Wake, o.Until = time.Time{}, time.Time{}
	}
	if err := b.PutOccurrence(o); err != nil {
		return fmt.Errorf("save occurrence %s: %w", o.ID, err)
	}
	return nil
}

// putRule saves a rule.
func (b *batch) putRule(rule keepwatch.Rule) error {
	b.changed = true
	b.rules[rule.ID] = rule
	if err := b.PutRule(rule); err != nil {
		return fmt.Errorf("save rule %s: %w", rule.ID, err)
	}
	return nil
}

// ruleOf gives the rule of an occurrence. Where it was removed, what is known of it
// from the occurrence, and found is false.
func (b *batch) ruleOf(o keepwatch.Occurrence) (rule keepwatch.Rule, found bool, err error) {
	if rule, found = b.rules[o.Rule]; found {
		return rule, true, nil
	}
	rule, found, err = b.Rule(o.Rule)
	if err != nil {
		return rule, false, fmt.Errorf("read rule %s: %w", o.Rule, err)
	}
	if !found {
		return keepwatch.Rule{ID: o.Rule, Kind: o.Kind, Channel: o.Channel, Text: o.Text, Command: o.Command, Ask: o.Ask, To: o.To}, false, nil
	}
	b.rules[rule.ID] = rule
	return rule, true, nil
}

// say adds a message.
func (b *batch) say(channel, topic string, edit bool, msg keepwatch.Message) {
	b.out = append(b.out, keepwatch.Outgoing{
		ID: b.ids.id(), Lane: channel, Channel: channel, Topic: topic, Edit: edit, Message: msg, Made: b.now,
	})
}

// edit has every message of an occurrence show what it is now.
func (b *batch) edit(o keepwatch.Occurrence) error {
	rule, _, err := b.ruleOf(o)
	if err != nil {
		return err
	}
	for _, place := range o.Places {
		b.say(place, o.Topic(), true, b.s.cfg.Show(o, rule))
	}
	b.touch(o.Digest)
	return nil
}

// touch notes that a digest shows something that has changed.
func (b *batch) touch(digest string) {
	if digest != "" && !slices.Contains(b.touched, digest) {
		b.touched = append(b.touched, digest)
	}
}

// happen adds a line to what happened. What happened first is kept, and the newest.
func happen(o *keepwatch.Occurrence, at time.Time, by, what string) {
	o.Log = append(slices.Clone(o.Log), keepwatch.Happening{At: at, By: by, What: what})
	if len(o.Log) > maxLog {
		o.Log = slices.Delete(o.Log, 1, len(o.Log)-maxLog+1)
	}
}

// maxLog is how many lines of what happened are kept of an occurrence.
const maxLog = 50
