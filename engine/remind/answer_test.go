package remind_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/engine/remind"
	"keepwatch/handlers"
)

func (w *world) answer(id string, a keepwatch.Answer) keepwatch.Occurrence {
	w.t.Helper()
	o, err := w.Answer(id, a)
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(w.occ(id), o, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Version" }, cmp.Ignore())); diff != "" {
		w.t.Errorf("given back is not what is saved:\n%s", diff)
	}
	w.deliver()
	return o
}

// refused compares a refusal: its kind, and a part of its sentence.
func refused(t testing.TB, err error, kind keepwatch.Kind, part string) {
	t.Helper()
	if err == nil || keepwatch.KindOf(err) != kind || !strings.Contains(keepwatch.Sentence(err), part) {
		t.Errorf("%v (%s), and is to be %s and say %q", err, keepwatch.KindOf(err), kind, part)
	}
}

func TestAnswers(t *testing.T) {
	const id = "1@2026-11-26T09:00"
	posted := func(t *testing.T) *world {
		w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
		w.add(keepwatch.Rule{When: cron("0 9 *"), Repeat: 3 * time.Hour, Times: 1})
		w.run(time.Minute)
		return w
	}
	alis := func(k keepwatch.AnswerKind) keepwatch.Answer { return keepwatch.Answer{Kind: k, By: "Alis"} }

	t.Run("done", func(t *testing.T) {
		w := posted(t)
		o := w.answer(id, keepwatch.Answer{Kind: keepwatch.AnswerDone, By: "Alis", Note: "all green"})
		w.answer(id, keepwatch.Answer{Kind: keepwatch.AnswerDone, By: "Alis", Note: "all green"})
		if got := w.state(id, keepwatch.OccurrenceAcknowledged); len(got.Log) != len(o.Log) || got.Log[1].What != "done: all green" || !got.Wake.IsZero() {
			t.Errorf("%+v", got)
		}
		w.sees("slack:A", id+" acknowledged")
		_, err := w.Answer(id, keepwatch.Answer{Kind: keepwatch.AnswerDone, By: "Bob"})
		refused(t, err, keepwatch.KindConflict, `acknowledged already: "done: all green", said by Alis on Thu 26 Nov 2026 09:00 UTC`)
		_, err = w.Answer(id, alis(keepwatch.AnswerSkip))
		refused(t, err, keepwatch.KindConflict, "acknowledged already")
	})
	t.Run("unknown", func(t *testing.T) {
		w := posted(t)
		for _, id := range []string{"1@2026-11-25T09:00", "9@2026-11-26T09:00", "nonsense", ""} {
			_, err := w.Answer(id, alis(keepwatch.AnswerDone))
			refused(t, err, keepwatch.KindNotFound, "/reminder list --due")
		}
	})
	t.Run("snooze", func(t *testing.T) {
		w := posted(t)
		until := keepwatch.Answer{Kind: keepwatch.AnswerSnooze, By: "Alis", Until: at("2026-11-26 13:30")}
		w.answer(id, until)
		w.answer(id, until)
		if o := w.state(id, keepwatch.OccurrenceSnoozed); len(o.Log) != 2 || !o.Until.Equal(until.Until) {
			t.Errorf("%+v", o)
		}
		if next := w.rule("1").Next; !next.Equal(at("2026-11-27 09:00")) {
			t.Errorf("the rule has moved to %s", next)
		}
		w.run(4 * time.Hour) // no repetition at 12:00
		w.sees("slack:A", id+" snoozed")
		w.run(30 * time.Minute)
		w.sees("slack:A", id+" posted | Nobody has answered here. It is asked again below.", id+" posted")
		if o := w.state(id, keepwatch.OccurrencePosted); !o.Until.IsZero() || o.Posted != 2 {
			t.Errorf("%+v", o)
		}
	})
	t.Run("snooze over the next one", func(t *testing.T) {
		w := posted(t)
		w.answer(id, keepwatch.Answer{Kind: keepwatch.AnswerSnooze, By: "Alis", Until: at("2026-11-27 13:30")})
		w.to(at("2026-11-27 09:00"))
		w.state(id, keepwatch.OccurrenceSnoozed)
		w.to(at("2026-11-27 13:30"))
		w.state(id, keepwatch.OccurrencePosted)
	})
	t.Run("snooze into quiet hours", func(t *testing.T) {
		w := posted(t)
		w.hours["slack:A"] = keepwatch.Hours{QuietFrom: 18 * time.Hour, QuietTo: 8 * time.Hour}
		w.answer(id, keepwatch.Answer{Kind: keepwatch.AnswerSnooze, By: "Alis", Until: at("2026-11-26 19:00")})
		w.run(22*time.Hour + 30*time.Minute)
		w.sees("slack:A", id+" snoozed")
		w.run(30 * time.Minute)
		w.sees("slack:A", id+" posted | Nobody has answered here. It is asked again below.", id+" posted")
	})
	t.Run("snooze to no moment", func(t *testing.T) {
		w := posted(t)
		_, err := w.Answer(id, keepwatch.Answer{Kind: keepwatch.AnswerSnooze, By: "Alis", Until: at("2026-11-26 09:00")})
		refused(t, err, keepwatch.KindInvalid, "has passed already")
		_, err = w.Answer(id, keepwatch.Answer{Kind: keepwatch.AnswerSnooze, By: "Alis", Until: at("2028-11-26 09:00")})
		refused(t, err, keepwatch.KindInvalid, "more than a year")
	})
	t.Run("assign", func(t *testing.T) {
		w := posted(t)
		w.run(time.Hour)
		w.answer(id, keepwatch.Answer{Kind: keepwatch.AnswerAssign, By: "Alis", To: "Bob"})
		o := w.answer(id, keepwatch.Answer{Kind: keepwatch.AnswerAssign, By: "Alis", To: "Bob"})
		if o.Assignee != "Bob" || len(o.Log) != 2 || !o.Wake.Equal(at("2026-11-26 13:00")) {
			t.Errorf("%+v", o)
		}
		_, err := w.Answer(id, alis(keepwatch.AnswerAssign))
		refused(t, err, keepwatch.KindInvalid, "Say whom")
		w.answer(id, keepwatch.Answer{Kind: keepwatch.AnswerDone, By: "Bob"})
		w.state(id, keepwatch.OccurrenceAcknowledged)
	})
	t.Run("assign where somebody is told", func(t *testing.T) {
		w := posted(t)
		to := keepwatch.Answer{Kind: keepwatch.AnswerAssign, By: "Alis", To: "Bob", Where: "slack:@BOB"}
		w.answer(id, to)
		w.answer(id, to)
		w.sees("slack:@BOB", id+" posted")
		w.answer(id, keepwatch.Answer{Kind: keepwatch.AnswerDone, By: "Bob"})
		w.sees("slack:@BOB", id+" acknowledged")
		w.sees("slack:A", id+" acknowledged")
	})
	t.Run("skip", func(t *testing.T) {
		w := posted(t)
		w.answer(id, alis(keepwatch.AnswerSkip))
		w.state(id, keepwatch.OccurrenceSkipped)
		w.to(at("2026-11-27 09:00"))
		w.state("1@2026-11-27T09:00", keepwatch.OccurrencePosted)
	})
	t.Run("command", func(t *testing.T) {
		w := newNightly(t)
		_, err := w.Answer(nightly, alis(keepwatch.AnswerDone))
		refused(t, err, keepwatch.KindConflict, "carried out just now")
		w.RunChanged(run(42, 1, keepwatch.RunRunning))
		_, err = w.Answer(nightly, alis(keepwatch.AnswerSkip))
		refused(t, err, keepwatch.KindConflict, "/backup cancel 42")
		_, err = w.Answer(nightly, keepwatch.Answer{Kind: keepwatch.AnswerSnooze, By: "Alis", Until: at("2026-11-27 09:00")})
		refused(t, err, keepwatch.KindInvalid, "cannot be put off")
		w.RunChanged(run(42, 1, keepwatch.RunFailed))
		w.answer(nightly, alis(keepwatch.AnswerSkip))
		w.run(time.Hour)
		if len(w.took) != 1 {
			t.Errorf("carried out: %+v", w.took)
		}
	})
}

func TestFireNow(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	w.hours["slack:A"] = keepwatch.Hours{QuietFrom: 9 * time.Hour, QuietTo: 18 * time.Hour}
	w.add(keepwatch.Rule{When: cron("0 20 *")})
	w.run(2 * time.Minute)
	fire := func(rule, request string) keepwatch.Occurrence {
		t.Helper()
		o, err := w.FireNow(rule, "Alis", request)
		if err != nil {
			t.Fatal(err)
		}
		w.deliver()
		return o
	}
	first := fire("1", "r1")
	w.to(w.now.Add(7 * time.Minute))
	w.boot()
	if again := fire("1", "r1"); again.ID != first.ID || again.ID[:len("1@2026-11-26T09:01-")] != "1@2026-11-26T09:01-" {
		t.Errorf("%s, and again %s", first.ID, again.ID)
	}
	other := fire("1", "r2")
	w.sees("slack:A", first.ID+" posted", other.ID+" posted")
	w.to(at("2026-11-26 20:00"))
	w.sees("slack:A", first.ID+" posted", other.ID+" posted", "1@2026-11-26T20:00 posted")
	w.state(first.ID, keepwatch.OccurrencePassed)
	_, err := w.FireNow("9", "Alis", "r3")
	refused(t, err, keepwatch.KindNotFound, "9")

	night := w.add(keepwatch.Rule{When: cron("0 3 *"), Kind: keepwatch.RuleCommand, Command: "backup start notes"})
	o := fire(night.ID, "r4")
	if again := fire(night.ID, "r4"); again.ID != o.ID || len(w.took) != 1 || o.State != keepwatch.OccurrenceRunning {
		t.Errorf("%+v, carried out %d times", again, len(w.took))
	}
	_, err = w.FireNow(night.ID, "Alis", "r5")
	refused(t, err, keepwatch.KindConflict, "still runs")
}

func TestAsk(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:00"))
	ask := keepwatch.Rule{ID: "check:alis-iphone", Kind: keepwatch.RuleAsk, Ask: "device/alis-iphone", Channel: "slack:@U1", When: keepwatch.When{Every: 30 * 24 * time.Hour}, Next: at("2026-11-26 09:00"), Repeat: 24 * time.Hour, Times: 2}
	sync := func(rules ...keepwatch.Rule) {
		t.Helper()
		if err := w.Sync(rules); err != nil {
			t.Fatal(err)
		}
		w.deliver()
	}
	sync(ask)
	const id = "check:alis-iphone@2026-11-26T09:00"
	w.to(at("2026-12-06 10:00")) // away for ten days: what is asked is asked all the same
	w.sees("slack:@U1", id+" posted")
	if r := w.rule(ask.ID); !r.Next.IsZero() {
		t.Errorf("asked twice: %+v", r)
	}
	sync(ask)
	w.to(at("2026-12-06 11:00"))
	if _, err := w.FireNow(ask.ID, "Bob", "r1"); true {
		refused(t, err, keepwatch.KindConflict, "asked already")
	}
	if err := w.Settle("device/alis-iphone", "Alis", "last backup of 5 December", time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	w.sees("slack:@U1", id+" acknowledged")
	if r := w.rule(ask.ID); !r.Next.Equal(at("2027-01-05 11:00")) {
		t.Errorf("%+v", r)
	}
	sync(ask)
	if r := w.rule(ask.ID); !r.Next.Equal(at("2027-01-05 11:00")) {
		t.Errorf("%+v", r)
	}
	// It was said before it was asked, and is to be asked again at once.
	if err := w.Settle("device/alis-iphone", "Alis", "off", w.now); err != nil {
		t.Fatal(err)
	}
	w.to(w.now)
	w.state("check:alis-iphone@2026-12-06T11:00", keepwatch.OccurrencePosted)
	if err := w.Settle("device/alis-iphone", "Alis", "off", w.now); err != nil {
		t.Fatal(err)
	}
	w.to(w.now.Add(time.Minute)) // not in the same minute: that name is used
	w.state("check:alis-iphone@2026-12-06T11:01", keepwatch.OccurrencePosted)
	w.answer("check:alis-iphone@2026-12-06T11:01", keepwatch.Answer{Kind: keepwatch.AnswerDone, By: "Alis"})
	if r := w.rule(ask.ID); !r.Next.Equal(at("2027-01-05 11:01")) {
		t.Errorf("%+v", r)
	}
	if o, err := w.FireNow(ask.ID, "Bob", "r2"); err != nil || !w.rule(ask.ID).Next.IsZero() {
		t.Errorf("%+v, %v", o, err)
	}
	sync() // the device is gone
	open, err := w.OpenAfter("", 0)
	if err != nil || len(open) != 0 {
		t.Errorf("still open: %+v, %v", open, err)
	}
	last := w.shown["slack:@U1"][len(w.shown["slack:@U1"])-1]
	if !strings.HasSuffix(last.text, " passed") {
		t.Errorf("the last message says %q", last.text)
	}
	_, err = w.Rule(ask.ID)
	refused(t, err, keepwatch.KindNotFound, ask.ID)
}

func TestSync(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:00"))
	a := keepwatch.Rule{ID: "schedule:a", Kind: keepwatch.RuleCommand, Command: "backup start a", Channel: "slack:A", When: cron("0 3 *")}
	b := a
	b.ID, b.Command = "schedule:b", "backup start b"
	bad := a
	bad.ID, bad.When = "schedule:bad", cron("never")
	err := w.Sync([]keepwatch.Rule{a, bad, b})
	refused(t, err, keepwatch.KindInvalid, "never comes due")
	if err == nil || !strings.Contains(err.Error(), "schedule:bad") {
		t.Errorf("it does not say which: %v", err)
	}
	if _, err := w.ChangeRule(b.ID, func(r *keepwatch.Rule) error { r.Paused, r.PausedBy = true, "Alis"; return nil }); err != nil {
		t.Fatal(err)
	}
	_, err = w.ChangeRule(a.ID, func(r *keepwatch.Rule) error { r.Command = "backup start c"; return nil })
	refused(t, err, keepwatch.KindConflict, "keepwatch.yaml")
	refused(t, w.RemoveRule(a.ID), keepwatch.KindConflict, "keepwatch.yaml")

	w.now = at("2026-11-27 08:00") // a downtime over a slot
	w.boot()
	b.When = cron("0 9 *")
	if err := w.Sync([]keepwatch.Rule{a, b}); err != nil {
		t.Fatal(err)
	}
	w.to(w.now)
	w.state("schedule:a@2026-11-27T03:00", keepwatch.OccurrenceRunning)
	if r := w.rule(b.ID); !r.Paused || r.PausedBy != "Alis" || !r.Next.Equal(at("2026-11-27 09:00")) || !r.Fixed {
		t.Errorf("%+v", r)
	}
	w.RunChanged(keepwatch.Run{ID: 1, Due: "schedule:a@2026-11-27T03:00", State: keepwatch.RunDone})
	a.When = cron("0 2 *")
	if err := w.Sync([]keepwatch.Rule{a}); err != nil {
		t.Fatal(err)
	}
	if r := w.rule(a.ID); !r.Next.Equal(at("2026-11-28 02:00")) || r.LastWall != "2026-11-27T03:00" {
		t.Errorf("%+v", r)
	}
	all, err := w.RulesAfter("", 0)
	if err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestRemoveRule(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	w.add(keepwatch.Rule{When: cron("0 9 *")})
	w.run(time.Minute)
	if err := w.RemoveRule("1"); err != nil {
		t.Fatal(err)
	}
	w.run(25 * time.Hour)
	w.sees("slack:A", "1@2026-11-26T09:00 passed")
	refused(t, w.RemoveRule("1"), keepwatch.KindNotFound, "1")
	if r := w.add(keepwatch.Rule{When: cron("0 9 *")}); r.ID != "2" {
		t.Errorf("a number is given twice: %+v", r)
	}
}

func TestPauseRests(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	w.add(keepwatch.Rule{When: cron("0 9 4"), Repeat: time.Hour, Times: 5})
	w.run(time.Minute)
	pause := func(paused bool) {
		if _, err := w.ChangeRule("1", func(r *keepwatch.Rule) error { r.Paused = paused; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	pause(true)
	w.run(5 * time.Hour)
	w.sees("slack:A", "1@2026-11-26T09:00 posted")
	pause(false)
	w.run(time.Hour)
	w.sees("slack:A", "1@2026-11-26T09:00 posted | Nobody has answered here. It is asked again below.", "1@2026-11-26T09:00 posted")
}

func TestAddRuleRefuses(t *testing.T) {
	good := keepwatch.Rule{Kind: keepwatch.RuleText, When: cron("0 9 *"), Channel: "slack:A", Text: "look"}
	for name, c := range map[string]struct {
		change func(*keepwatch.Rule)
		part   string
	}{
		"never":       {func(r *keepwatch.Rule) { r.When = cron("0 9 8") }, "never comes due"},
		"past":        {func(r *keepwatch.Rule) { r.When = keepwatch.When{At: at("2026-11-26 08:00")} }, "has passed already"},
		"zone":        {func(r *keepwatch.Rule) { r.When.Zone = "Europe/Nowhere" }, "Europe/London"},
		"local":       {func(r *keepwatch.Rule) { r.When.Zone = "Local" }, "Europe/London"},
		"no channel":  {func(r *keepwatch.Rule) { r.Channel = "" }, "where"},
		"odd channel": {func(r *keepwatch.Rule) { r.Channel = "slack:A/B" }, "slack:C0OPS"},
		"odd place":   {func(r *keepwatch.Rule) { r.Chain = []string{"a b"} }, "slack:C0OPS"},
		"no text":     {func(r *keepwatch.Rule) { r.Text = "" }, "what"},
		"long text":   {func(r *keepwatch.Rule) { r.Text = strings.Repeat("é", 3001) }, "3,001 characters"},
		"no command":  {func(r *keepwatch.Rule) { r.Kind = keepwatch.RuleCommand }, "which command"},
		"no ask":      {func(r *keepwatch.Rule) { r.Kind = keepwatch.RuleAsk }, "what for"},
		"too often":   {func(r *keepwatch.Rule) { r.When = keepwatch.When{Every: 4 * time.Minute} }, "every 5 minutes"},
		"repeat":      {func(r *keepwatch.Rule) { r.Repeat = time.Minute }, "5 minutes"},
		"times":       {func(r *keepwatch.Rule) { r.Times = 21 }, "20 times"},
		"chain":       {func(r *keepwatch.Rule) { r.Chain = slices.Repeat([]string{"slack:B"}, 11) }, "10 places"},
		"grace":       {func(r *keepwatch.Rule) { r.Grace = -1 }, "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
			r := good
			c.change(&r)
			_, err := w.AddRule(r)
			refused(t, err, keepwatch.KindInvalid, c.part)
			if all, err := w.RulesAfter("", 0); err != nil || len(all) != 0 {
				t.Errorf("saved all the same: %+v, %v", all, err)
			}
		})
	}
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	good.Text = strings.Repeat("é", 3000)
	good.Request = "r1"
	first := w.add(good)
	if again := w.add(good); again.ID != first.ID {
		t.Errorf("one request makes the rules %s and %s", first.ID, again.ID)
	}
	good.Request = ""
	good.Kind, good.Command, good.When = keepwatch.RuleCommand, "backup start x", keepwatch.When{Every: time.Minute}
	w.add(good)
}

// moving is a clock of which the zones change.
type moving struct {
	wallClock
	by time.Duration
}

func (m *moving) Next(when keepwatch.When, after time.Time, wall string) (keepwatch.Due, bool) {
	due, ok := m.wallClock.Next(when, after.Add(m.by), wall)
	due.At = due.At.Add(-m.by)
	return due, ok
}

func TestReplan(t *testing.T) {
	for name, c := range map[string]struct {
		by   time.Duration
		next string
	}{
		"the same":                {0, "2026-11-27 09:00"},
		"earlier":                 {time.Hour, "2026-11-27 08:00"},
		"later":                   {-3 * time.Hour, "2026-11-27 12:00"},
		"so early that it is due": {24 * time.Hour, "2026-11-26 09:00"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &moving{}
			w := newWorld(t, clock, at("2026-11-26 08:59"))
			w.add(keepwatch.Rule{When: cron("0 9 *")})
			w.add(keepwatch.Rule{When: keepwatch.When{At: at("2026-11-27 09:00")}})
			w.add(keepwatch.Rule{When: cron("0 9 *")})
			if _, err := w.ChangeRule("3", func(r *keepwatch.Rule) error { r.Paused = true; return nil }); err != nil {
				t.Fatal(err)
			}
			w.run(2 * time.Minute)
			clock.by = c.by
			w.boot()
			if err := w.Replan(context.Background()); err != nil {
				t.Fatal(err)
			}
			if r := w.rule("1"); !r.Next.Equal(at(c.next)) || r.NextWall != "2026-11-27T09:00" {
				t.Errorf("%+v", r)
			}
			if r := w.rule("2"); !r.Next.Equal(at("2026-11-27 09:00")) {
				t.Errorf("%+v", r)
			}
			w.to(w.now)
			if c.by < 24*time.Hour {
				w.to(at("2026-11-27 13:00"))
			}
			w.state("1@2026-11-27T09:00", keepwatch.OccurrencePosted)
			if n := len(w.shown["slack:A"]); n != 3 && c.by < 24*time.Hour {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// The commands stand on it.
var (
	_ handlers.Rules       = (*remind.Scheduler)(nil)
	_ handlers.Occurrences = (*remind.Scheduler)(nil)
)

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := remind.New(remind.Config{}); err == nil {
		t.Error("a scheduler without parts")
	}
}

// TestAskAgain: what has happened since an answer has it asked again, once, and not
// where it is open, paused, or was asked since then.
func TestAskAgain(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:00"))
	ask := keepwatch.Rule{ID: "check:alis-iphone", Kind: keepwatch.RuleAsk, Ask: "device/alis-iphone", Channel: "slack:@U1", When: keepwatch.When{Every: 30 * 24 * time.Hour}, Next: at("2026-11-26 09:00")}
	again := func(since time.Time) {
		t.Helper()
		if err := w.AskAgain(ask.Ask, since); err != nil {
			t.Fatal(err)
		}
		w.to(w.now)
	}
	occurrences := func(want int) {
		t.Helper()
		if list, err := w.Occurrences(ask.ID, 0); err != nil || len(list) != want {
			t.Fatalf("%d of it, want %d: %+v, %v", len(list), want, list, err)
		}
	}
	if err := w.Sync([]keepwatch.Rule{ask}); err != nil {
		t.Fatal(err)
	}
	w.to(at("2026-11-26 09:30"))
	again(w.now) // it is open
	occurrences(1)
	if err := w.Settle(ask.Ask, "Alis", "seen", time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.to(at("2026-11-27 09:00"))
	changed := w.now
	again(changed)
	occurrences(2)
	w.state("check:alis-iphone@2026-11-27T09:00", keepwatch.OccurrencePosted)
	w.to(at("2026-11-27 10:00"))
	if err := w.Settle(ask.Ask, "Alis", "seen", time.Time{}); err != nil {
		t.Fatal(err)
	}
	again(changed) // made up for after a crash: it was asked since
	occurrences(2)
	if _, err := w.ChangeRule(ask.ID, func(r *keepwatch.Rule) error { r.Paused = true; return nil }); err != nil {
		t.Fatal(err)
	}
	again(w.now)
	occurrences(2)
	if err := w.AskAgain("device/no-such", w.now); err != nil {
		t.Error(err)
	}
}
