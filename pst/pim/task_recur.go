package pim

import (
	"time"

	"keepwatch/pst"
)

// first is the day that a task repeats from: when it starts, or is due.
func (t *Task) first() Date {
	if t.Start.IsZero() {
		return t.Due
	}
	return t.Start
}

// recurrence is the rule of a task as an item has it ([MS-OXOTASK] 2.2.2.2.15: the
// pattern of appointments, without exceptions). ok is false where it has none, and where the
// first day is none that the rule gives.
func (t *Task) recurrence() (p pattern, ok bool) {
	if t.Rule == nil || t.first().IsZero() {
		return p, false
	}
	start := t.first().time()
	if p, ok = patternOf(*t.Rule, start); !ok || !p.sane() {
		return p, false
	}
	p.Start, p.EndType, p.Count, p.End = minutesOf(start), endNever, 10, neverEnds
	p.setFirst()
	for d := range p.days() {
		if !d.Equal(start) {
			return p, false
		}
		break
	}
	limit := uint32(max(0, t.Rule.Count))
	if limit == 0 && t.Rule.Until.IsZero() {
		return p, true
	}
	n, last := uint32(0), start
	for d := range p.days() {
		if limit > 0 && n == limit || limit == 0 && d.After(t.Rule.end()) || n == maxInstances {
			break
		}
		n, last = n+1, d
	}
	p.EndType, p.Count, p.End = endByDate, n, minutesOf(last)
	if limit > 0 {
		p.EndType = endByCount
	}
	return p, n > 0 && n < maxInstances && (limit == 0 || n == limit)
}

// taskRule is the rule of a pattern, as RRULE of a task says it: in days.
func taskRule(p pattern) *Rule {
	r := p.rule(0)
	r.UntilDate = !r.Until.IsZero()
	return &r
}

// ruleOf reads how a task repeats. words is a sentence where it does so in a way that
// no rule says: only when it is done, for instance.
func (t *Task) ruleOf(ps pst.Properties) (words string) {
	data := ps.Bytes(pst.PidLidTaskRecurrence)
	if !ps.Bool(pst.PidLidTaskFRecurring) || len(data) == 0 {
		return ""
	}
	p, err := parsePattern(&blob{b: data})
	switch {
	case err != nil || !p.sane():
		return "in a way that could not be read"
	case p.Sliding != 0:
		return "some time after it is done"
	}
	t.Rule = taskRule(p)
	return ""
}

// repeats takes an RRULE that an item can say, in the form that it comes back in.
func (k *todoReading) repeats(t *Task, l *line) {
	r, err := parseRule(l.Value)
	if err != nil || t.Rule != nil {
		k.note(l)
		return
	}
	if !r.Until.IsZero() {
		r.Until, r.UntilDate = r.end().Truncate(24*time.Hour), true
	}
	t.Start = t.first()
	whole := Task{Start: t.Start, Due: t.Due, Rule: &r}
	p, ok := whole.consistent().recurrence()
	if !ok {
		k.note(l)
		return
	}
	t.Rule = taskRule(p)
}
