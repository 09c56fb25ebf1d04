package remind

import (
	"fmt"
	"slices"
	"time"

	"keepwatch"
)

// posting is an occurrence that is to be posted in a place. It is not saved yet.
type posting struct {
	o    keepwatch.Occurrence
	rule keepwatch.Rule
	tell []string // where its messages are to say what happened to it
}

// lost is what a rule has missed and does not catch up.
type lost struct {
	rule keepwatch.Rule
	all  []keepwatch.Occurrence // oldest first
}

// many is how many that come due at once in one place are still posted one by one.
const many = 3

// post has an occurrence posted in a place when the transaction ends.
func (b *batch) post(place string, p posting) {
	if !slices.Contains(b.places, place) {
		b.places = append(b.places, place)
	}
	b.posting[place] = append(b.posting[place], p)
}

// miss has it said in a channel that a rule has missed some.
func (b *batch) miss(channel string, l lost) {
	if !slices.Contains(b.places, channel) {
		b.places = append(b.places, channel)
	}
	b.missing[channel] = append(b.missing[channel], l)
}

// flush saves what is to be posted, with the messages that say it.
func (b *batch) flush() error {
	for _, place := range b.places {
		if err := b.postAll(place, b.posting[place]); err != nil {
			return err
		}
		if all := b.missing[place]; len(all) > 0 {
			b.say(place, "", false, b.missed(all))
		}
	}
	for i := 0; i < len(b.touched); i++ { // it grows while it is gone through
		if err := b.editDigest(b.touched[i]); err != nil {
			return err
		}
	}
	if len(b.out) == 0 {
		return nil
	}
	if err := b.Post(b.out...); err != nil {
		return fmt.Errorf("save what is to be posted: %w", err)
	}
	return nil
}

// postAll posts what comes due in one place at once: many as a digest.
func (b *batch) postAll(place string, all []posting) error {
	if len(all) > many {
		return b.digest(place, all)
	}
	for _, p := range all {
		b.before(place, p)
		if !slices.Contains(p.o.Places, place) {
			p.o.Places = append(slices.Clone(p.o.Places), place)
		}
		if err := b.put(p.o); err != nil {
			return err
		}
		b.say(place, p.o.Topic(), false, b.s.cfg.Show(p.o, p.rule))
		b.touch(p.o.Digest)
	}
	return nil
}

// digest posts many as one message. The digests that they stood in before go on to
// be edited with it.
func (b *batch) digest(place string, all []posting) error {
	d := keepwatch.Digest{ID: b.ids.id(), Channel: place, At: b.now}
	var shown []keepwatch.Occurrence
	for _, p := range all {
		b.before(place, p)
		if old := p.o.Digest; old != "" {
			if err := b.follow(&d, old); err != nil {
				return err
			}
			b.touch(old)
		}
		p.o.Digest = d.ID
		d.Occurrences = append(d.Occurrences, p.o.ID)
		shown = append(shown, p.o)
		if err := b.put(p.o); err != nil {
			return err
		}
	}
	if err := b.PutDigest(d); err != nil {
		return fmt.Errorf("save digest %s: %w", d.ID, err)
	}
	b.say(place, d.Topic(), false, b.s.cfg.ShowDigest(d, shown))
	return nil
}

// follow notes in a digest that some of it stood in an older one.
func (b *batch) follow(d *keepwatch.Digest, old string) error {
	if slices.Contains(d.Earlier, old) {
		return nil
	}
	before, found, err := b.Digest(old)
	if err != nil {
		return fmt.Errorf("read digest %s: %w", old, err)
	}
	if !found {
		return nil
	}
	for _, id := range append([]string{old}, before.Earlier...) {
		if !slices.Contains(d.Earlier, id) {
			d.Earlier = append(d.Earlier, id)
		}
	}
	return nil
}

// before edits the messages that an occurrence has already, when one more is posted:
// in the same place that it is asked again, elsewhere what happened to it.
func (b *batch) before(place string, p posting) {
	for _, there := range p.o.Places {
		switch {
		case there == place:
			b.say(place, p.o.Topic(), true, again(b.s.cfg.Show(p.o, p.rule)))
		case slices.Contains(p.tell, there):
			b.say(there, p.o.Topic(), true, b.s.cfg.Show(p.o, p.rule))
		}
	}
}

// again is what a message says that was posted once more below.
func again(msg keepwatch.Message) keepwatch.Message {
	return keepwatch.Message{
		Title:  msg.Title,
		Blocks: []keepwatch.Block{keepwatch.Text("Nobody has answered here. It is asked again below.")},
	}
}

// editDigest has a digest show what its occurrences are now, and those before it.
func (b *batch) editDigest(id string) error {
	d, found, err := b.Digest(id)
	if err != nil {
		return fmt.Errorf("read digest %s: %w", id, err)
	}
	if !found {
		return nil
	}
	var shown []keepwatch.Occurrence
	for _, id := range d.Occurrences {
		o, found, err := b.Occurrence(id)
		if err != nil {
			return fmt.Errorf("read occurrence %s: %w", id, err)
		}
		if found {
			shown = append(shown, o)
		}
	}
	b.say(d.Channel, d.Topic(), true, b.s.cfg.ShowDigest(d, shown))
	for _, old := range d.Earlier {
		b.touch(old)
	}
	return nil
}

// missed says in one message what was missed in a channel.
func (b *batch) missed(all []lost) keepwatch.Message {
	if len(all) == 1 {
		return b.s.cfg.ShowMissed(all[0].rule, all[0].all)
	}
	msg := keepwatch.Message{Tone: keepwatch.ToneWarn, Title: fmt.Sprintf("%d reminders came due while Keepwatch was away, too long ago to catch up", len(all))}
	for _, l := range all {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(b.s.cfg.ShowMissed(l.rule, l.all).Title))
	}
	return msg
}

// rest gives when an occurrence that was just posted wakes by itself.
func (b *batch) rest(o keepwatch.Occurrence, rule keepwatch.Rule) time.Time {
	if rule.Repeat > 0 {
		if _, more := nextPlace(o, rule); more {
			return wholeSecond(b.now.Add(rule.Repeat))
		}
	}
	if rule.Next.IsZero() && o.Kind == keepwatch.RuleText {
		return b.now.Add(forgotten)
	}
	return time.Time{}
}

// forgotten is how long a reminder of a rule that comes due no more stays open where
// nobody answers it: there is no next one that takes its place.
const forgotten = 30 * 24 * time.Hour

// nextPlace gives where an occurrence that nobody answers is posted next: in its own
// channel again, or in the next place along the chain where it does not stand yet.
func nextPlace(o keepwatch.Occurrence, rule keepwatch.Rule) (place string, more bool) {
	if o.Step == 0 && o.Posted <= rule.Times {
		return o.Channel, true
	}
	step := min(o.Step, len(rule.Chain))
	for _, place := range rule.Chain[step:] {
		if place != o.Channel && !slices.Contains(o.Places, place) && !slices.Contains(rule.Chain[:step], place) {
			return place, true
		}
	}
	return "", false
}
