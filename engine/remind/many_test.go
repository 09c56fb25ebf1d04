package remind_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/remind"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// counting counts what is read of a store: in all, and at most in one view.
type counting struct {
	store.Store
	read, most int
}

type countingReader struct {
	store.Reader
	n *int
}

func (r countingReader) Get(key string) ([]byte, error) { *r.n++; return r.Reader.Get(key) }

func (r countingReader) Scan(in store.Range, fn func(string, []byte) error) error {
	return r.Reader.Scan(in, func(key string, value []byte) error { *r.n++; return fn(key, value) })
}

type countingTx struct {
	store.Tx
	n *int
}

func (t countingTx) Get(key string) ([]byte, error) { *t.n++; return t.Tx.Get(key) }

func (c *counting) View(fn func(store.Reader) error) error {
	n := 0
	err := c.Store.View(func(r store.Reader) error { return fn(countingReader{r, &n}) })
	c.read, c.most = c.read+n, max(c.most, n)
	return err
}

func (c *counting) Update(fn func(store.Tx) error) error {
	n := 0
	err := c.Store.Update(func(tx store.Tx) error { return fn(countingTx{tx, &n}) })
	c.read += n
	return err
}

// crowded is a world with many rules, each of which has something open, and two that
// ask, one of them of the configuration.
func crowded(t *testing.T, rules int) (*world, *counting) {
	c := &counting{Store: mem.New()}
	w := newWorldOn(t, c, wallClock{}, at("2026-11-26 08:00"))
	w.kept.twice = false
	w.fill(rules, 50, "0 9 *")
	_, err := w.kept.Change(func(c remind.Change) error {
		for i := range rules {
			o := keepwatch.Occurrence{ID: keepwatch.OccurrenceID(fmt.Sprint(i+1), "2026-11-25T09:00"), Rule: fmt.Sprint(i + 1), Wall: "2026-11-25T09:00", At: at("2026-11-25 09:00"), Kind: keepwatch.RuleText, State: keepwatch.OccurrencePosted}
			if err := c.PutOccurrence(o); err != nil {
				return err
			}
		}
		for range rules {
			if _, err := c.NewRuleID(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, c
}

// TestReadsWhatItIsAbout: what is read does not grow with the number of rules.
func TestReadsWhatItIsAbout(t *testing.T) {
	ask := keepwatch.Rule{ID: "check:x", Kind: keepwatch.RuleAsk, Ask: "device/x", Channel: "slack:@1", When: keepwatch.When{Every: 24 * time.Hour}, Next: at("2026-11-26 08:00")}
	pause := func(on bool) func(*keepwatch.Rule) error {
		return func(r *keepwatch.Rule) error { r.Paused = on; return nil }
	}
	steps := []struct {
		name  string
		keyed bool // goes over the keys of what is open, which is as much
		do    func(w *world) error
	}{
		{"start", false, func(w *world) error { return w.Sync([]keepwatch.Rule{ask}) }},
		{"tick", false, func(w *world) error { w.tick(); return nil }},
		{"nothing due", false, func(w *world) error { w.tick(); _, _, err := w.kept.NextDue(); return err }},
		{"settle", false, func(w *world) error { return w.Settle("device/x", "Alis", "seen", time.Time{}) }},
		{"add", false, func(w *world) error {
			_, err := w.AddRule(keepwatch.Rule{Kind: keepwatch.RuleText, Text: "x", Channel: "slack:A", When: cron("0 9 *"), Request: "r1"})
			return err
		}},
		{"add again", false, func(w *world) error {
			again, err := w.AddRule(keepwatch.Rule{Kind: keepwatch.RuleText, Text: "x", Channel: "slack:A", When: cron("0 9 *"), Request: "r1"})
			if again.Request != "r1" {
				t.Errorf("%+v", again)
			}
			return err
		}},
		{"pause", false, func(w *world) error { _, err := w.ChangeRule("1", pause(true)); return err }},
		{"resume", true, func(w *world) error { _, err := w.ChangeRule("1", pause(false)); return err }},
		{"remove", true, func(w *world) error { return w.RemoveRule("1") }},
		{"gone from the configuration", true, func(w *world) error { return w.Sync(nil) }},
	}
	const few, many = 20, 600
	reads := map[int][]int{}
	for _, rules := range []int{few, many} {
		w, c := crowded(t, rules)
		for _, step := range steps {
			c.read = 0
			if err := step.do(w); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			reads[rules] = append(reads[rules], c.read)
		}
	}
	for i, step := range steps {
		allowed := reads[few][i]
		if step.keyed {
			allowed += many - few
		}
		if got := reads[many][i]; got > allowed || got == 0 {
			t.Errorf("%s reads %d of %d rules, and %d of %d", step.name, reads[few][i], few, got, many)
		}
	}
}

// TestReplanInParts: all rules are looked at, and no view of the state is held for all
// of them.
func TestReplanInParts(t *testing.T) {
	const rules = 600
	w, c := crowded(t, rules)
	if err := w.Sync([]keepwatch.Rule{{ID: "schedule:x", Kind: keepwatch.RuleCommand, Command: "backup start x", Channel: "slack:B", When: cron("0 9 *")}}); err != nil {
		t.Fatal(err)
	}
	w.clock = shifted{}
	w.boot()
	c.most = 0
	if err := w.Replan(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c.most > 500 {
		t.Errorf("%d are read in one view", c.most)
	}
	for _, id := range []string{"1", "499", "500", "501", "600", "schedule:x"} {
		if r := w.rule(id); !r.Next.Equal(at("2026-11-26 10:00")) || r.NextWall != "2026-11-26T09:00" {
			t.Errorf("%s comes due at %s, %s", id, r.Next, r.NextWall)
		}
	}
}

// shifted is the clock of a zone that has been moved by an hour.
type shifted struct{ wallClock }

func (s shifted) Next(when keepwatch.When, after time.Time, wall string) (keepwatch.Due, bool) {
	due, ok := s.wallClock.Next(when, after.Add(-time.Hour), wall)
	due.At = due.At.Add(time.Hour)
	return due, ok
}

// TestMostRules: no more are taken than are measured.
func TestMostRules(t *testing.T) {
	kept := mem.New()
	w := newWorldOn(t, kept, wallClock{}, at("2026-11-26 08:00"))
	w.add(keepwatch.Rule{When: cron("0 9 *")})
	if err := kept.Update(func(tx store.Tx) error { return tx.Put("counter/alive", []byte("100000")) }); err != nil {
		t.Fatal(err)
	}
	_, err := w.AddRule(keepwatch.Rule{Kind: keepwatch.RuleText, Text: "x", Channel: "slack:A", When: cron("0 9 *")})
	refused(t, err, keepwatch.KindConflict, "100,000 reminders already")
	if err := w.RemoveRule("1"); err != nil {
		t.Fatal(err)
	}
	w.add(keepwatch.Rule{When: cron("0 9 *")})
}
