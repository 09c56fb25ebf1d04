package store

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"keepwatch"
)

// Change is one transaction over rules, occurrences, digests, warnings and
// attestations, and the messages that say what was decided. It is valid only inside
// the function that it was handed to.
//
// What is to be looked at at a time, what is open and what is old is listed under
// keys of its own (see index.go). Each Put keeps these lists right: it reads what was
// there before, in the same transaction.
type Change struct {
	r     *Records
	tx    Tx
	lanes []string
}

// Change runs fn as one transaction, and gives the lanes that have something to
// send. An error of fn leaves nothing behind and is returned as it is. fn may run
// more than once, so it has no side effects.
func (r *Records) Change(fn func(*Change) error) (lanes []string, err error) {
	err = r.store.Update(func(tx Tx) error {
		c := &Change{r: r, tx: tx}
		err := fn(c)
		lanes = c.lanes
		return err
	})
	if err != nil {
		return nil, err
	}
	return lanes, nil
}

// Post saves messages to be posted, or to be edited.
func (c *Change) Post(out ...keepwatch.Outgoing) error {
	lanes, err := c.r.post(c.tx, out)
	c.lanes = addLanes(c.lanes, lanes)
	return err
}

// Rule gives a rule by its id.
func (c *Change) Rule(id string) (rule keepwatch.Rule, found bool, err error) {
	found, err = get(c.tx, ruleKey(id), &rule)
	if found && rule.ID != id { // 007 is not 7
		return keepwatch.Rule{}, false, err
	}
	return rule, found, err
}

// PutRule saves a rule, and that it is to be looked at from rule.Next on; one that is
// paused is not.
func (c *Change) PutRule(rule keepwatch.Rule) error {
	if err := validRuleID(rule.ID); err != nil {
		return err
	}
	old, _, err := c.Rule(rule.ID)
	if err != nil {
		return err
	}
	if err := c.wake(keepwatch.WakeRule, rule.ID, ruleWake(old), ruleWake(rule)); err != nil {
		return err
	}
	if err := c.listRule(old, rule); err != nil {
		return err
	}
	rule.Version = version
	return put(c.tx, ruleKey(rule.ID), rule)
}

// ruleWake gives when a rule is to be looked at; the zero time: never.
func ruleWake(rule keepwatch.Rule) time.Time {
	if rule.Paused {
		return time.Time{}
	}
	return rule.Next
}

// DeleteRule forgets a rule; one that is not there is forgotten already. What came
// due of it stays.
func (c *Change) DeleteRule(id string) error {
	rule, found, err := c.Rule(id)
	if err != nil || !found {
		return err
	}
	if err := c.wake(keepwatch.WakeRule, id, ruleWake(rule), time.Time{}); err != nil {
		return err
	}
	if err := c.listRule(rule, keepwatch.Rule{}); err != nil {
		return err
	}
	return c.tx.Delete(ruleKey(id))
}

// NewRuleID gives the next number.
func (c *Change) NewRuleID() (string, error) {
	n, err := nextNumber(c.tx, ruleCounter)
	return strconv.FormatInt(n, 10), err
}

// Occurrence gives what came due, by its id.
func (c *Change) Occurrence(id string) (o keepwatch.Occurrence, found bool, err error) {
	return occurrence(c.tx, id)
}

// PutOccurrence saves an occurrence, and that it is to be looked at from o.Wake on;
// one without Wake, and one that is settled, is not. One that is settled is open no
// longer.
func (c *Change) PutOccurrence(o keepwatch.Occurrence) error {
	key, err := occurrenceKey(o.ID)
	if err != nil {
		return err
	}
	if want := keepwatch.OccurrenceID(o.Rule, o.Wall); o.ID != want {
		return fmt.Errorf("store: the occurrence %q is that of %q", o.ID, want)
	}
	if o.At.IsZero() {
		return fmt.Errorf("store: the occurrence %s has no time at which it was due", o.ID)
	}
	old, _, err := c.Occurrence(o.ID)
	if err != nil {
		return err
	}
	if err := c.wake(keepwatch.WakeOccurrence, o.ID, occurrenceWake(old), occurrenceWake(o)); err != nil {
		return err
	}
	if err := c.list(openOccurrences, o.ID, openSince(old), openSince(o)); err != nil {
		return err
	}
	if err := move(c.tx, askedKey(old), askedKey(o)); err != nil {
		return err
	}
	if err := c.list(pastOccurrences, o.ID, old.At, o.At); err != nil {
		return err
	}
	o.Version = version
	return put(c.tx, key, o)
}

// occurrenceWake gives when an occurrence is to be looked at; the zero time: never.
func occurrenceWake(o keepwatch.Occurrence) time.Time {
	if o.State.Settled() {
		return time.Time{}
	}
	return o.Wake
}

// openSince gives since when an occurrence is open; the zero time: it is not.
func openSince(o keepwatch.Occurrence) time.Time {
	if o.State.Settled() {
		return time.Time{}
	}
	return o.At
}

// Digest gives a digest by its id.
func (c *Change) Digest(id string) (d keepwatch.Digest, found bool, err error) {
	found, err = get(c.tx, digestKey(id), &d)
	return d, found, err
}

// PutDigest saves a digest.
func (c *Change) PutDigest(d keepwatch.Digest) error {
	if err := validID("digest", d.ID); err != nil {
		return err
	}
	old, _, err := c.Digest(d.ID)
	if err != nil {
		return err
	}
	if err := c.list(pastDigests, d.ID, old.At, d.At); err != nil {
		return err
	}
	d.Version = version
	return put(c.tx, digestKey(d.ID), d)
}

// Attest saves a person's word.
func (c *Change) Attest(a keepwatch.Attestation) error { return attest(c.tx, a) }

// addLanes adds lanes to a list, each once.
func addLanes(list, more []string) []string {
	for _, lane := range more {
		if !slices.Contains(list, lane) {
			list = append(list, lane)
		}
	}
	return list
}
