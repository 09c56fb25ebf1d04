package remind_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/remind"
)

// story is a day in which everything happens that the scheduler does; each step is
// done again in a new process where the one before was killed in it. It gives what is
// to be seen in the end.
func story(t *testing.T, kill int) (seen, point string) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:00"))
	passed := 0
	w.crashAt = func(name string) bool {
		passed++
		if passed == kill {
			point = name
		}
		return passed == kill
	}
	runs := map[string]keepwatch.Run{}
	w.outcome = func(o keepwatch.Occurrence) (remind.Outcome, error) {
		run, found := runs[remind.RequestID(o.ID, o.Tries)]
		return remind.Outcome{Run: run, Found: found}, nil
	}
	keys, told := map[string]bool{}, map[string]bool{}
	w.carry = func(d keepwatch.Delivery) error {
		if keys[d.Key] { // the desk takes it once
			return nil
		}
		keys[d.Key] = true
		run := keepwatch.Run{ID: int64(len(runs) + 1), Due: d.Request.Due, Request: d.Request.ID, State: keepwatch.RunFailed}
		if strings.HasSuffix(d.Key, "#3") {
			run.State = keepwatch.RunDone
		}
		runs[d.Request.ID] = run
		return nil
	}
	again := func(do func()) {
		for !w.alive(do) {
			w.boot()
		}
	}
	minutes := func(n int) {
		for range n {
			w.now = w.now.Add(time.Minute)
			again(w.tick)
			for _, id := range slices.Sorted(maps.Keys(runs)) {
				if told[id] {
					continue
				}
				told[id] = true
				if !w.alive(func() { w.RunChanged(runs[id]) }) { // told once, and perhaps lost
					w.boot()
				}
			}
			w.deliver()
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fixed := []keepwatch.Rule{
		{ID: "check:x", Kind: keepwatch.RuleAsk, Ask: "device/x", Channel: "slack:@1", When: keepwatch.When{Every: 24 * time.Hour}, Next: at("2026-11-26 08:05")},
		{ID: "schedule:x", Kind: keepwatch.RuleCommand, Command: "backup start x", Channel: "slack:B", When: cron("10 8 *")},
		{ID: "gone", Kind: keepwatch.RuleText, Text: "x", Channel: "slack:G", When: cron("15 8 *")},
	}
	again(func() { must(w.Sync(fixed)) })
	for i := range 4 { // put by hand, so that a crash does not add one twice
		r := keepwatch.Rule{ID: fmt.Sprint(i + 1), Kind: keepwatch.RuleText, Text: "x", Channel: "slack:D", When: cron("20 8 *"), Next: at("2026-11-26 08:20"), NextWall: "2026-11-26T08:20", Repeat: 10 * time.Minute, Times: 1, Chain: []string{"slack:E", "slack:F"}}
		if i == 3 {
			r.Channel = "slack:A"
		}
		_, err := w.kept.Change(func(c remind.Change) error { return c.PutRule(r) })
		must(err)
	}
	minutes(16)
	again(func() { must(w.Sync(fixed[:2])) })
	again(func() {
		must(w.Settle("device/x", "Alis", "last backup of 25 November", time.Time{}))
	})
	minutes(20)
	again(func() {
		_, err := w.Answer("1@2026-11-26T08:20", keepwatch.Answer{Kind: keepwatch.AnswerDone, By: "Alis"})
		must(err)
	})
	again(func() {
		_, err := w.Answer("2@2026-11-26T08:20", keepwatch.Answer{Kind: keepwatch.AnswerSnooze, By: "Alis", Until: at("2026-11-26 09:00")})
		must(err)
	})
	again(func() {
		_, err := w.FireNow("4", "Alis", "r1")
		must(err)
	})
	minutes(120)
	w.now = at("2026-11-28 08:30") // too late for one, not for the others
	again(w.tick)
	w.deliver()
	minutes(40)
	return w.summary(keys), point
}

// summary writes down what people see, what is kept, and what was carried out.
func (w *world) summary(keys map[string]bool) string {
	w.t.Helper()
	var b strings.Builder
	for _, channel := range slices.Sorted(maps.Keys(w.shown)) {
		fmt.Fprintln(&b, channel)
		for _, m := range w.shown[channel] {
			fmt.Fprintln(&b, "  "+m.text)
		}
	}
	rules, err := w.RulesAfter("", 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range rules {
		all, err := w.Occurrences(r.ID, 0)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, o := range all {
			fmt.Fprintln(&b, o.ID, o.State, o.Posted, o.Step, o.Places, o.Tries, o.Run, o.Earlier)
		}
	}
	fmt.Fprintln(&b, slices.Sorted(maps.Keys(keys)))
	return b.String()
}

// TestKilledAtEveryPoint kills at each passing of each named point in turn; without
// KEEPWATCH_SOAK at each fourth. What is seen in the end is what is seen without.
func TestKilledAtEveryPoint(t *testing.T) {
	want, _ := story(t, 0)
	points := map[string]int{}
	each := 4
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		each = 1
	}
	for kill := 1; ; kill += each {
		got, point := story(t, kill)
		if point == "" {
			break
		}
		points[point]++
		if got != want {
			t.Errorf("killed at the %d. point, %s:\n%s", kill, point, got)
		}
	}
	t.Logf("killed %v", points)
	for _, point := range []string{"remind.before", "remind.saved", "remind.sent", "remind.carry", "remind.carried"} {
		if points[point] == 0 {
			t.Errorf("never killed at %s", point)
		}
	}
}
