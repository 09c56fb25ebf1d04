package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
)

// everything changes one of each, and posts.
func everything(c *store.Change) error {
	id, err := c.NewRuleID()
	if err != nil {
		return err
	}
	wid, err := c.NewWarningID()
	if err != nil {
		return err
	}
	oc := occurrence(id, noon, keepwatch.OccurrencePosted)
	oc.Wake = noon
	return errors.Join(
		c.PutRule(keepwatch.Rule{ID: id, Next: noon}), c.PutOccurrence(oc), c.PutDigest(keepwatch.Digest{ID: "d" + id, At: noon}),
		c.PutWarning(keepwatch.Warning{ID: wid, Fact: keepwatch.Fact{Key: "expiry/" + wid}, Wake: noon}),
		c.Attest(keepwatch.Attestation{ID: "a" + id, Subject: "device/x", Said: noon}),
		c.Post(message("a", "1"), message("b", "2")), c.Post(message("a", "3")), c.Post())
}

// allOrNothing: an error leaves nothing, at the beginning and over what there is.
func allOrNothing(t *testing.T, o *office) {
	own := errors.New("own")
	fail := func(c *store.Change) error {
		if err := everything(c); err != nil {
			t.Error(err)
		}
		return own
	}
	if lanes, err := o.Change(fail); !errors.Is(err, own) || lanes != nil {
		t.Errorf("%q, %v", lanes, err)
	}
	if n := o.count(t, ""); n != 0 {
		t.Errorf("%d keys are left", n)
	}
	same(t, "lanes", o.change(t, everything), []string{"a", "b"})
	before := o.dump(t)
	_, err := o.Change(func(c *store.Change) error {
		w, found, err := c.WarningOf("expiry/w1")
		if err != nil || !found {
			t.Errorf("%v, %v", found, err)
		}
		w.Resolved = noon
		oc, _, err := c.Occurrence("1@2026-11-24T12:00")
		oc.State, oc.Wake = keepwatch.OccurrenceAcknowledged, time.Time{}
		return errors.Join(err, c.PutWarning(w), c.PutOccurrence(oc), c.DeleteRule("1"), c.Post(message("c", "4")), fail(c))
	})
	if !errors.Is(err, own) {
		t.Error(err)
	}
	same(t, "after a change that failed", o.dump(t), before)
	if _, err := o.Change(func(c *store.Change) error { return errors.Join(everything(c), c.Post(message("a/b", "5"))) }); err == nil {
		t.Error("a lane that cannot be was taken")
	}
	same(t, "after a message that cannot be", o.dump(t), before)
	same(t, "nothing to do", o.change(t, func(*store.Change) error { return nil }), []string(nil))
}

// dump gives every key with its value.
func (o *office) dump(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := o.View(func(r store.Reader) error {
		return r.Scan(store.Range{}, func(key string, value []byte) error { all[key] = string(value); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// changesMeet has many change one occurrence: each sees what the one before it left,
// and numbers are given once.
func changesMeet(t *testing.T, o *office) {
	o.putOccurrences(t, occurrence("1", noon, keepwatch.OccurrencePosted))
	id := keepwatch.OccurrenceID("1", noon.Format(keepwatch.WallLayout))
	const sides = 32
	crowd(t, sides, func(i int) error {
		_, err := o.Change(func(c *store.Change) error {
			oc, _, err := c.Occurrence(id)
			if err != nil {
				return err
			}
			oc.Posted++
			oc.Wake = noon.Add(time.Duration(oc.Posted) * time.Minute)
			oc.Log = append(oc.Log, keepwatch.Happening{What: fmt.Sprint("answer ", i)})
			number, err := c.NewRuleID()
			return errors.Join(err, c.PutOccurrence(oc), c.PutRule(keepwatch.Rule{ID: number}))
		})
		return err
	})
	oc := must[keepwatch.Occurrence](t)(o.Occurrence(id))
	if oc.Posted != sides || len(oc.Log) != sides || len(must[[]keepwatch.Rule](t)(o.RulesAfter("", 0))) != sides {
		t.Errorf("%d changes and %d lines of %d", oc.Posted, len(oc.Log), sides)
	}
	same(t, "due", o.wakes(t, noon.Add(time.Hour), 0), []string{"12:32:00 occurrence " + id})
	first := 0
	crowd(t, sides, func(int) error { // of two answers to one question one comes first
		won := false
		_, err := o.Change(func(c *store.Change) error {
			won = false
			oc, _, err := c.Occurrence(id)
			if err != nil || oc.State.Settled() {
				return err
			}
			won, oc.State = true, keepwatch.OccurrenceAcknowledged
			return errors.Join(c.PutOccurrence(oc), c.Post(message("a", "done")))
		})
		if won {
			first++
		}
		return err
	})
	if n := o.count(t, "out/"); first != 1 || n != 1 {
		t.Errorf("%d came first, and %d messages say so", first, n)
	}
}

func ruleNames(t *testing.T, o *office) {
	put := func(rule string) error {
		_, err := o.Change(func(c *store.Change) error { return c.PutRule(keepwatch.Rule{ID: rule}) })
		return err
	}
	for _, id := range []string{"1", "schedule:ruthin-web", "check:alis-iphone", "custody:vault-key", "a.b_c:d-e", strings.Repeat("x", 120)} {
		if err := put(id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, id := range []string{"", "a/b", "a b", "a@b", "-1", "7days", "1:2", "a\n", ":a", "A", "ä", "a\x00", "../x", "007", "00", "1234567890123", strings.Repeat("x", 121)} {
		if err := put(id); err == nil {
			t.Errorf("the rule %q was taken", id)
		}
	}
	for _, oc := range []keepwatch.Occurrence{
		{ID: "1@x", Rule: "2", Wall: "x", At: noon}, {ID: "1@x", Rule: "1", Wall: "y", At: noon}, {ID: "1@x/y", Rule: "1", Wall: "x/y", At: noon},
		{ID: "a/b@x", Rule: "a/b", Wall: "x", At: noon}, {ID: "1@", Rule: "1", At: noon}, {At: noon}, {ID: "1@x", Rule: "1", Wall: "x"}, {ID: "1@a b", Rule: "1", Wall: "a b", At: noon},
	} {
		if _, err := o.Change(func(c *store.Change) error { return c.PutOccurrence(oc) }); err == nil {
			t.Errorf("%+v was taken", oc)
		}
	}
	for _, id := range []string{"", "a/b", " "} {
		if _, err := o.Change(func(c *store.Change) error { return c.PutDigest(keepwatch.Digest{ID: id, At: noon}) }); err == nil {
			t.Errorf("the digest %q was taken", id)
		}
	}
}

// newerDuties: what a newer version wrote is refused, and not half understood.
func newerDuties(t *testing.T, o *office) {
	put(t, o.Store, "rule/000000000001", `{"v":99}`, "occ/1/x", `{"v":99}`, "warning/000000000001", `{"v":99}`, "walk/000000000001", `{"v":99}`,
		"fact/f", "w1", "attest/2026-11-24T12:00:00.000000000Z/a", `{"v":99}`, "dossier/microsoft", `{"v":99}`, "tenant/microsoft", `{"v":99}`, "server/a", `{"v":99}`, "digest/d", `{"v":99}`, "topic/a/t", `{"v":99}`)
	errOf := func(_ any, err error) error { return err }
	_, _, _, target := o.EditTarget(keepwatch.Outgoing{Channel: "a", Topic: "t"})
	for what, err := range map[string]error{
		"rule": errOf(o.Rule("1")), "rules": errOf(o.RulesAfter("", 0)), "occurrence": errOf(o.Occurrence("1@x")), "occurrences": errOf(o.Occurrences("1", 0)),
		"warning": errOf(o.Warning("w1")), "open warnings": errOf(o.OpenWarnings()), "walk": errOf(o.Walk("l1")), "walks": errOf(o.Walks("", 0)),
		"attestations": errOf(o.Attestations("", 0)), "dossier": errOf(o.Dossier()), "servers": errOf(o.ServerStates()), "tenant": errOf(o.Tenant()), "topic": target,
		"put a rule": errOf(o.Change(func(c *store.Change) error { return c.PutRule(keepwatch.Rule{ID: "1"}) })),
		"put an occurrence": errOf(o.Change(func(c *store.Change) error {
			return c.PutOccurrence(keepwatch.Occurrence{ID: "1@x", Rule: "1", Wall: "x", At: noon})
		})),
		"put a digest": errOf(o.Change(func(c *store.Change) error { return c.PutDigest(keepwatch.Digest{ID: "d", At: noon}) })),
		"put a warning": errOf(o.Change(func(c *store.Change) error {
			return c.PutWarning(keepwatch.Warning{ID: "w1", Fact: keepwatch.Fact{Key: "f"}})
		})),
		"change a walk":   errOf(o.ChangeWalk("l1", func(*keepwatch.Walk) error { return nil }, nil)),
		"save the tenant": errOf(o.ChangeTenant(func(*keepwatch.Tenant) {})), "save the dossier": errOf(o.SaveDossier(func(*keepwatch.Dossier) error { return nil })),
	} {
		if keepwatch.KindOf(err) != keepwatch.KindAttention {
			t.Errorf("%s: %v", what, err)
		}
	}
}
