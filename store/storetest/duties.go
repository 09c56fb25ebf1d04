package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/store"
)

// RunDuties holds what people's duties and their times are kept by to its promises,
// plainly and with every update's function running twice. open gives a new, empty
// store.
func RunDuties(t *testing.T, open func(t *testing.T) store.Store) {
	for how, wrap := range map[string]func(store.Store) store.Store{"once": func(s store.Store) store.Store { return s }, "twice": Twice} {
		for name, test := range map[string]func(*testing.T, *office){
			"rules": rules, "pages of rules": rulePages, "lists of rules": ruleLists, "lists of what is open": openLists, "what is due": due, "odd times": oddTimes, "occurrences": occurrences, "occurrences since": occurrencesSince,
			"a change is all or nothing": allOrNothing, "changes meet": changesMeet, "names of rules and occurrences": ruleNames,
			"warnings": warnings, "one warning of a fact": oneWarning, "attestations": attestations,
			"walks": walks, "walks of odd people": oddWalks, "dossier and servers": dossier,
			"topics": topics, "edits": edits, "edits that cannot be": badEdits, "old things go": oldThings, "old things that are open stay": oldOpen, "newer duties": newerDuties,
		} {
			t.Run(how+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := open(t)
					defer func() { _ = s.Close() }()
					o := &office{Store: wrap(s), wall: new(time.Duration)}
					o.reopen()
					test(t, o)
				})
			})
		}
	}
}

// change makes a change that must succeed.
func (o *office) change(t *testing.T, fn func(c *store.Change) error) []string {
	t.Helper()
	return must[[]string](t)(o.Change(fn))
}

func (o *office) putRules(t *testing.T, rules ...keepwatch.Rule) {
	t.Helper()
	o.change(t, func(c *store.Change) error {
		for _, r := range rules {
			if err := c.PutRule(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (o *office) putOccurrences(t *testing.T, list ...keepwatch.Occurrence) {
	t.Helper()
	o.change(t, func(c *store.Change) error {
		for _, oc := range list {
			if err := c.PutOccurrence(oc); err != nil {
				return err
			}
		}
		return nil
	})
}

// occurrence makes one of a rule.
func occurrence(rule string, at time.Time, state keepwatch.OccurrenceState) keepwatch.Occurrence {
	wall := at.Format(keepwatch.WallLayout)
	return keepwatch.Occurrence{ID: keepwatch.OccurrenceID(rule, wall), Rule: rule, Wall: wall, At: at, State: state, Kind: keepwatch.RuleText}
}

// wakes gives what is due, as text.
func (o *office) wakes(t *testing.T, now time.Time, limit int) []string {
	t.Helper()
	var got []string
	for _, w := range must[[]keepwatch.Wake](t)(o.Due(now, limit)) {
		got = append(got, fmt.Sprintf("%s %s %s", w.At.Format("15:04:05"), w.Kind, w.ID))
	}
	return got
}

func ids(list []keepwatch.Occurrence) []string {
	var got []string
	for _, o := range list {
		got = append(got, o.ID)
	}
	return got
}

func rules(t *testing.T, o *office) {
	var number string
	for range 12 {
		o.change(t, func(c *store.Change) (err error) {
			number, err = c.NewRuleID()
			return errors.Join(err, c.PutRule(keepwatch.Rule{ID: number, Text: "text " + number, When: keepwatch.When{Cron: "0 9 * * *"}, Next: noon}))
		})
	}
	if number != "12" {
		t.Errorf("the twelfth rule is %s", number)
	}
	o.putRules(t, keepwatch.Rule{ID: "schedule:ruthin-web", Fixed: true, Next: noon}, keepwatch.Rule{ID: "check:alis-iphone", Fixed: true})
	var got, fixed []string
	for _, r := range must[[]keepwatch.Rule](t)(o.RulesAfter("", 0)) {
		got = append(got, r.ID)
	}
	for _, r := range must[[]keepwatch.Rule](t)(o.FixedRules()) {
		fixed = append(fixed, r.ID)
	}
	same(t, "those of the configuration", fixed, []string{"check:alis-iphone", "schedule:ruthin-web"})
	same(t, "rules", got, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "check:alis-iphone", "schedule:ruthin-web"})
	o.reopen()
	if r := must[keepwatch.Rule](t)(o.Rule("7")); r.Text != "text 7" || !r.Next.Equal(noon) || r.Version != 1 {
		t.Errorf("%+v", r)
	}
	o.change(t, func(c *store.Change) error {
		r, found, err := c.Rule("7")
		if !found || r.Text != "text 7" {
			t.Errorf("within a change: %+v, %v", r, found)
		}
		if _, found, err := c.Rule("99"); found || err != nil {
			t.Errorf("what is not there: %v, %v", found, err)
		}
		return errors.Join(err, c.DeleteRule("7"), c.DeleteRule("99"), c.DeleteRule("a/b"))
	})
	_, err := o.Rule("7")
	wantKind(t, err, keepwatch.KindNotFound, "There is no reminder 7.", "/reminder list")
	if n := len(o.wakes(t, noon, 0)); n != 12 {
		t.Errorf("%d rules are due", n)
	}
	o.change(t, func(c *store.Change) (err error) {
		number, err = c.NewRuleID()
		return err
	})
	if number != "13" {
		t.Errorf("a number was given twice: %s", number)
	}
}

// due: what is to be looked at moves with what it belongs to, and comes in order.
func due(t *testing.T, o *office) {
	if at, found, err := o.NextDue(); found || err != nil || !at.IsZero() {
		t.Errorf("nothing is due, and next is %v, %v, %v", at, found, err)
	}
	one, snoozed := occurrence("1", noon, keepwatch.OccurrencePosted), occurrence("2", noon, keepwatch.OccurrenceSnoozed)
	one.Wake, snoozed.Wake = noon.Add(2*time.Second), noon.Add(time.Second)
	first, second := keepwatch.Rule{ID: "1", Next: noon.Add(3 * time.Second)}, keepwatch.Rule{ID: "schedule:a", Next: noon}
	w := keepwatch.Warning{ID: "w1", Fact: keepwatch.Fact{Key: "rotation/a"}, Wake: noon.Add(time.Second)}
	o.putOccurrences(t, one, snoozed)
	o.putRules(t, first, second)
	o.change(t, func(c *store.Change) error { return c.PutWarning(w) })
	want := []string{"12:00:00 rule schedule:a", "12:00:01 occurrence 2@2026-11-24T12:00", "12:00:01 warning w1", "12:00:02 occurrence 1@2026-11-24T12:00", "12:00:03 rule 1"}
	same(t, "all", o.wakes(t, noon.Add(time.Hour), 0), want)
	same(t, "two", o.wakes(t, noon.Add(time.Hour), 2), want[:2])
	same(t, "by now", o.wakes(t, noon.Add(1999*time.Millisecond), 0), want[:3])
	same(t, "just before", o.wakes(t, noon.Add(-time.Nanosecond), 0), []string(nil))
	if at, found, err := o.NextDue(); !found || err != nil || !at.Equal(noon) {
		t.Errorf("next is %v, %v, %v", at, found, err)
	}
	second.Paused, first.Next, one.Wake = true, time.Time{}, time.Time{}
	snoozed.Wake = noon.Add(time.Hour)
	o.putRules(t, first, second)
	o.putOccurrences(t, one, snoozed)
	w.Wake = noon.Add(time.Minute)
	o.change(t, func(c *store.Change) error { return c.PutWarning(w) })
	o.reopen()
	same(t, "moved", o.wakes(t, noon.Add(time.Hour), 0), []string{"12:01:00 warning w1", "13:00:00 occurrence 2@2026-11-24T12:00"})
	snoozed.State, w.Resolved = keepwatch.OccurrenceAcknowledged, noon // and both say still when to look
	second.Paused = false
	o.putOccurrences(t, snoozed)
	o.putRules(t, second)
	o.change(t, func(c *store.Change) error { return c.PutWarning(w) })
	same(t, "at the end", o.wakes(t, noon.Add(time.Hour), 0), want[:1])
	o.change(t, func(c *store.Change) error { return c.DeleteRule("schedule:a") })
	if n := o.count(t, "due/"); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

// oddTimes: nothing is looked at too early, whatever its zone and its fraction of a
// second, and a year that has not four digits is refused.
func oddTimes(t *testing.T, o *office) {
	east := time.FixedZone("east", 13*3600)
	for i, at := range []time.Time{noon.Add(time.Nanosecond), noon.Add(time.Second - 1), noon.Add(500 * time.Millisecond).In(east), noon.Add(time.Second).In(east)} {
		r := keepwatch.Rule{ID: fmt.Sprint(i + 1), Next: at}
		o.putRules(t, r)
		for _, now := range []time.Time{at.Add(-time.Nanosecond), at.Truncate(time.Second).Add(time.Second - 1)} {
			for _, w := range must[[]keepwatch.Wake](t)(o.Due(now, 0)) {
				if now.Before(at) || w.At.After(now) {
					t.Errorf("%v is given at %v", w, now)
				}
			}
		}
		if n := len(o.wakes(t, at.Add(time.Second), 0)); n != 1 {
			t.Errorf("a second after %v %d are due", at, n)
		}
		r.Next = time.Time{}
		o.putRules(t, r)
		if n := o.count(t, "due/"); n != 0 {
			t.Errorf("%d keys are left of %v", n, at)
		}
	}
	for _, year := range []int{-1, 0, 10_000} {
		at := time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
		if _, err := o.Change(func(c *store.Change) error { return c.PutRule(keepwatch.Rule{ID: "1", Next: at}) }); err == nil {
			t.Errorf("the year %d was taken", year)
		}
		oc := occurrence("1", noon, keepwatch.OccurrenceDue)
		oc.At = at
		if _, err := o.Change(func(c *store.Change) error { return c.PutOccurrence(oc) }); err == nil {
			t.Errorf("an occurrence of the year %d was taken", year)
		}
	}
}

func occurrences(t *testing.T, o *office) {
	var want []string
	for day := range 5 {
		at := noon.AddDate(0, 0, day)
		for _, rule := range []string{"1", "12", "a", "a:2"} { // names that begin alike
			oc := occurrence(rule, at, keepwatch.OccurrencePosted)
			oc.Text = fmt.Sprint("day ", day)
			o.putOccurrences(t, oc)
			if rule == "1" {
				want = append([]string{oc.ID}, want...)
			}
		}
	}
	same(t, "of one rule", ids(must[[]keepwatch.Occurrence](t)(o.Occurrences("1", 0))), want)
	same(t, "the newest two", ids(must[[]keepwatch.Occurrence](t)(o.Occurrences("1", 2))), want[:2])
	same(t, "of no rule", ids(must[[]keepwatch.Occurrence](t)(o.Occurrences("1/", 0))), []string(nil))
	o.reopen()
	open := must[[]keepwatch.Occurrence](t)(o.OpenAfter("", 0))
	if len(open) != 20 || !slices.IsSortedFunc(open, func(a, b keepwatch.Occurrence) int { return a.At.Compare(b.At) }) {
		t.Errorf("open: %q", ids(open))
	}
	for _, oc := range open[:19] {
		oc.State = keepwatch.OccurrencePassed
		o.putOccurrences(t, oc)
	}
	same(t, "open", ids(must[[]keepwatch.Occurrence](t)(o.OpenAfter("", 0))), []string{open[19].ID})
	oc := must[keepwatch.Occurrence](t)(o.Occurrence(open[0].ID))
	if oc.Text != "day 0" || oc.State != keepwatch.OccurrencePassed || oc.Version != 1 {
		t.Errorf("%+v", oc)
	}
	oc.State = keepwatch.OccurrencePosted // opened anew
	o.putOccurrences(t, oc)
	same(t, "open again", ids(must[[]keepwatch.Occurrence](t)(o.OpenAfter("", 0))), []string{oc.ID, open[19].ID})
	for _, id := range []string{"1@2027-01-01T09:00", "", "@", "1@", "@x", "a/b@c", "1@a/b", strings.Repeat("x", 500) + "@y"} {
		_, err := o.Occurrence(id)
		wantKind(t, err, keepwatch.KindNotFound, "Nothing is known", id)
		o.change(t, func(c *store.Change) error {
			if _, found, err := c.Occurrence(id); found || err != nil {
				t.Errorf("%q: %v, %v", id, found, err)
			}
			return nil
		})
	}
	o.change(t, func(c *store.Change) error {
		if _, found, err := c.Digest("d"); found || err != nil {
			t.Errorf("no digest: %v, %v", found, err)
		}
		return c.PutDigest(keepwatch.Digest{ID: "d", Channel: "a", At: noon, Occurrences: []string{oc.ID}})
	})
	o.change(t, func(c *store.Change) error {
		d, found, err := c.Digest("d")
		if !found || d.Channel != "a" || !slices.Equal(d.Occurrences, []string{oc.ID}) {
			t.Errorf("%+v, %v", d, found)
		}
		return err
	})
}

func occurrencesSince(t *testing.T, o *office) {
	var want []string
	for hour := range 48 {
		oc := occurrence(fmt.Sprint(hour%5), noon.Add(time.Duration(hour)*time.Hour), []keepwatch.OccurrenceState{keepwatch.OccurrenceDone, keepwatch.OccurrencePosted}[hour%2])
		o.putOccurrences(t, oc)
		want = append([]string{oc.ID}, want...)
	}
	since := func(at time.Time, limit int) []string {
		return ids(must[[]keepwatch.Occurrence](t)(o.OccurrencesSince(at, limit)))
	}
	same(t, "all", since(time.Time{}, 0), want)
	same(t, "the last ten hours", since(noon.Add(38*time.Hour), 0), want[:10])
	same(t, "just after", since(noon.Add(38*time.Hour+1), 0), want[:9])
	same(t, "three of them", since(noon.Add(38*time.Hour), 3), want[:3])
	same(t, "none", since(noon.Add(48*time.Hour), 0), []string(nil))
}
