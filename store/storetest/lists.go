package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
)

func ruleIDs(list []keepwatch.Rule) []string {
	var got []string
	for _, r := range list {
		got = append(got, r.ID)
	}
	return got
}

// rulePages: rules are gone through a part at a time, by number and then by name,
// whatever is taken out meanwhile.
func rulePages(t *testing.T, o *office) {
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprint(i+1))
		o.putRules(t, keepwatch.Rule{ID: want[i]})
	}
	want = append(want, "check:a", "schedule:b")
	o.putRules(t, keepwatch.Rule{ID: "schedule:b", Fixed: true}, keepwatch.Rule{ID: "check:a", Fixed: true})
	o.reopen()
	for _, limit := range []int{1, 7, 27, 100} {
		var got []string
		for after := ""; ; {
			some := must[[]keepwatch.Rule](t)(o.RulesAfter(after, limit))
			if len(some) > limit {
				t.Errorf("%d rules, and %d are the most", len(some), limit)
			}
			if len(some) == 0 {
				break
			}
			got = append(got, ruleIDs(some)...)
			after = some[len(some)-1].ID
			if after == "14" { // one that is gone is a place all the same
				o.change(t, func(c *store.Change) error { return c.DeleteRule("14") })
			}
		}
		same(t, fmt.Sprint("by ", limit), got, want)
		o.putRules(t, keepwatch.Rule{ID: "14"})
	}
	for _, id := range []string{"007", "00", "+7", " 7"} {
		_, err := o.Rule(id)
		wantKind(t, err, keepwatch.KindNotFound, "There is no reminder "+id)
		o.change(t, func(c *store.Change) error {
			if _, found, err := c.Rule(id); found || err != nil {
				t.Errorf("%q: %v, %v", id, found, err)
			}
			return c.DeleteRule(id)
		})
	}
	if n := o.count(t, "rule/"); n != len(want) {
		t.Errorf("%d rules are left", n)
	}
}

// ruleLists: a rule is found by what it is about, and by nothing that it was about
// before.
func ruleLists(t *testing.T, o *office) {
	device, daily := "device/alis iphone%", keepwatch.When{Cron: "0 9 * * *", Zone: "Europe/London"}
	text := keepwatch.Rule{ID: "1", Kind: keepwatch.RuleText, Text: "tapes", When: daily, Channel: "slack:A", Request: "r/1", Next: noon}
	o.putRules(t, text,
		keepwatch.Rule{ID: "2", Kind: keepwatch.RuleText, Text: "tapes", When: daily, Channel: "slack:B", Next: noon},
		keepwatch.Rule{ID: "3", Kind: keepwatch.RuleCommand, Command: "backup start a", When: daily, Paused: true},
		keepwatch.Rule{ID: "4", Kind: keepwatch.RuleText, Text: "once", When: keepwatch.When{At: noon}}, // over
		keepwatch.Rule{ID: "5", Kind: keepwatch.RuleAsk, Ask: device, When: daily, Next: noon},
		keepwatch.Rule{ID: "check:a", Kind: keepwatch.RuleAsk, Ask: device, When: daily, Fixed: true, Next: noon},
		keepwatch.Rule{ID: "check:b", Kind: keepwatch.RuleAsk, Ask: "device/alis", Fixed: true, Next: noon},
		keepwatch.Rule{ID: "schedule:a", Kind: keepwatch.RuleCommand, Command: "backup start a", When: daily, Fixed: true, Next: noon})
	o.reopen()
	lists := func(what string, made, asking, commands, like []string, alive int64) {
		t.Helper()
		same(t, what+": made by the request", ruleIDs(must[[]keepwatch.Rule](t)(o.RequestRules("r/1"))), made)
		same(t, what+": asking", ruleIDs(must[[]keepwatch.Rule](t)(o.AskingRules(device))), asking)
		same(t, what+": commands", ruleIDs(must[[]keepwatch.Rule](t)(o.CommandRules())), commands)
		same(t, what+": like the first", ruleIDs(must[[]keepwatch.Rule](t)(o.RulesLike(text))), like)
		if n := must[int64](t)(o.AliveRules()); n != alive {
			t.Errorf("%s: %d are alive, and are to be %d", what, n, alive)
		}
	}
	lists("at first", []string{"1"}, []string{"5", "check:a"}, []string{"3", "schedule:a"}, []string{"1", "2"}, 4)
	same(t, "of no request", ruleIDs(must[[]keepwatch.Rule](t)(o.RequestRules(""))), []string(nil))
	same(t, "of a part of a request", ruleIDs(must[[]keepwatch.Rule](t)(o.RequestRules("r"))), []string(nil))
	other := text
	other.Text = "tapes!"
	o.putRules(t, other, keepwatch.Rule{ID: "3", Kind: keepwatch.RuleCommand, Command: "backup start b"})
	lists("changed", []string{"1"}, []string{"5", "check:a"}, []string{"3", "schedule:a"}, []string{"2"}, 3)
	if _, err := o.Change(func(c *store.Change) error { return errors.Join(c.DeleteRule("2"), errors.New("no")) }); err == nil {
		t.Error("a change that failed is none")
	}
	lists("after a change that failed", []string{"1"}, []string{"5", "check:a"}, []string{"3", "schedule:a"}, []string{"2"}, 3)
	o.change(t, func(c *store.Change) error {
		var errs []error
		for _, id := range []string{"1", "2", "3", "4", "5", "5", "check:a", "check:b", "schedule:a"} {
			errs = append(errs, c.DeleteRule(id))
		}
		return errors.Join(errs...)
	})
	lists("at the end", nil, nil, nil, nil, 0)
	if n := o.count(t, "ruleby/"); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

// of gives the occurrences of some rules.
func of(all []string, rules ...string) (some []string) {
	for _, id := range all {
		if rule, _, _ := keepwatch.SplitOccurrence(id); slices.Contains(rules, rule) {
			some = append(some, id)
		}
	}
	return some
}

// openLists: what is open is found by its place, its rule, what it asks and its digest.
func openLists(t *testing.T, o *office) {
	var want []string
	for i := range 12 {
		oc := occurrence([]string{"1", "12", "check:a"}[i%3], noon.Add(time.Duration(i/2)*time.Hour), keepwatch.OccurrencePosted)
		if i%3 == 2 {
			oc.Kind, oc.Ask = keepwatch.RuleAsk, "device/a"
		}
		o.putOccurrences(t, oc)
		want = append(want, oc.ID)
	}
	slices.SortFunc(want, func(a, b string) int { // by moment, and then by name
		_, x, _ := keepwatch.SplitOccurrence(a)
		_, y, _ := keepwatch.SplitOccurrence(b)
		return slices.Compare([]string{x, a}, []string{y, b})
	})
	o.reopen()
	settle := func(id string) {
		oc := must[keepwatch.Occurrence](t)(o.Occurrence(id))
		oc.State = keepwatch.OccurrenceAcknowledged
		o.putOccurrences(t, oc)
	}
	for range 2 {
		for _, limit := range []int{1, 5, 100} {
			var got []string
			for after := ""; ; {
				some := ids(must[[]keepwatch.Occurrence](t)(o.OpenAfter(after, limit)))
				if len(some) == 0 {
					break
				}
				got, after = append(got, some...), some[len(some)-1]
			}
			same(t, fmt.Sprint("open, by ", limit), got, want)
		}
		newest := slices.Clone(want[len(want)-3:])
		slices.Reverse(newest)
		same(t, "the newest", ids(must[[]keepwatch.Occurrence](t)(o.NewestOpen(3))), newest)
		same(t, "of one rule", ids(must[[]keepwatch.Occurrence](t)(o.OpenOf("1"))), of(want, "1"))
		same(t, "of two", ids(must[[]keepwatch.Occurrence](t)(o.OpenOf("12", "check:a"))), of(want, "12", "check:a"))
		same(t, "of none", ids(must[[]keepwatch.Occurrence](t)(o.OpenOf())), []string(nil))
		asking := ids(must[[]keepwatch.Occurrence](t)(o.OpenAsking("device/a")))
		slices.Sort(asking)
		same(t, "asking", asking, of(want, "check:a"))
		if n := must[int64](t)(o.CountOpen()); n != int64(len(want)) {
			t.Errorf("%d are open, and are to be %d", n, len(want))
		}
		gone := of(want, "1", "check:a")[:3]
		for _, id := range gone {
			settle(id)
		}
		behind := want[slices.Index(want, gone[2])+1]
		want = slices.DeleteFunc(want, func(id string) bool { return slices.Contains(gone, id) })
		same(t, "behind one that is settled", ids(must[[]keepwatch.Occurrence](t)(o.OpenAfter(gone[2], 1)))[0], behind)
	}
	_, err := o.OpenAfter("1@2020-01-01T00:00", 1)
	wantKind(t, err, keepwatch.KindNotFound, "Nothing is known")
	o.change(t, func(c *store.Change) error {
		return c.PutDigest(keepwatch.Digest{ID: "d", At: noon, Occurrences: []string{want[1], "1@2020-01-01T00:00", want[0]}})
	})
	same(t, "of a digest", ids(must[[]keepwatch.Occurrence](t)(o.DigestOccurrences("d"))), []string{want[1], want[0]})
	same(t, "of no digest", ids(must[[]keepwatch.Occurrence](t)(o.DigestOccurrences("x"))), []string(nil))
	for _, id := range want {
		settle(id)
	}
	if n := o.count(t, "unsettled/") + o.count(t, "asked/"); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}
