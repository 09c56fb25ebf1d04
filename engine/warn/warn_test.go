package warn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestYearOfACredential: what runs out is told of 60, 30, 14, 7, 3 and 1 days before,
// when it does, and each day after, until it is renewed.
func TestYearOfACredential(t *testing.T) {
	expires := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	renewed := expires.AddDate(1, 0, 0)
	w := newWorld(t, expires.Add(-300*day))
	date := expires
	w.facts = func(now time.Time) []keepwatch.Fact {
		return keepwatch.ExpiryFacts([]keepwatch.Credential{{Name: "Graph client secret", Expires: date}}, now, time.UTC)
	}
	w.pass(expires.Add(4*day+time.Hour), 3*time.Hour)
	if d := cmp.Diff(days(-60, -30, -14, -7, -3, -1, 0, 1, 2, 3, 4), w.times("slack:C0OPS", expires)); d != "" {
		t.Error(d)
	}
	for _, m := range w.posted[:len(w.posted)-1] {
		if !strings.Contains(m.text, "newer message") {
			t.Errorf("an older message does not say that there is a newer one: %s", m.text)
		}
	}
	date = renewed
	w.pass(expires.Add(5*day), 3*time.Hour)
	if m := w.posted[len(w.posted)-1]; !strings.Contains(m.text, " over: ") {
		t.Errorf("it was renewed, and its message says %q", m.text)
	}
	before := len(w.posted)
	w.pass(renewed.Add(-61*day), 3*time.Hour)
	if len(w.posted) != before {
		t.Errorf("told of after it was renewed: %v", w.posted[before:])
	}
	w.pass(renewed, 3*time.Hour)
	if d := cmp.Diff(days(-60, -30, -14, -7, -3, -1, 0), w.times("slack:C0OPS", renewed)[before:]); d != "" {
		t.Error(d)
	}
	w.once()
}

// TestWithoutATime: what holds already is told of at once, after 1, 3 and 7 days, and
// each week.
func TestWithoutATime(t *testing.T) {
	w := newWorld(t, noon)
	w.always(keepwatch.Fact{Key: "old/notes", Tone: keepwatch.ToneWarn, Title: "old"})
	w.review()
	w.deliver()
	w.pass(noon.Add(29*day), time.Hour)
	if d := cmp.Diff(days(0, 1, 3, 7, 14, 21, 28), w.times("slack:C0OPS", noon)); d != "" {
		t.Error(d)
	}
}

// TestAway: steps that passed while the bot was down are told of once, as the one that
// has come.
func TestAway(t *testing.T) {
	w := newWorld(t, noon)
	w.always(keepwatch.Fact{Key: "expiry/x", Tone: keepwatch.ToneWarn, Title: "x", Until: noon.Add(65 * day)})
	w.review()
	w.set(noon.Add(55 * day)) // 10 days left: 60, 30 and 14 have passed
	w.start()
	w.deliver()
	w.tick()
	w.review()
	w.tick()
	w.deliver()
	w.pass(noon.Add(59*day), time.Hour)
	if d := cmp.Diff(days(55, 55, 58), w.times("slack:C0OPS", noon)); d != "" { // the first message waited in the outbox
		t.Error(d)
	}
	w.once()
}

// TestTwiceInOneTick: a wake that is handed over twice is one notice.
func TestTwiceInOneTick(t *testing.T) {
	w := newWorld(t, noon)
	w.always(keepwatch.Fact{Key: "old/notes", Tone: keepwatch.ToneWarn, Title: "old"})
	w.review()
	w.set(noon.Add(day))
	wakes, err := w.rec.Due(w.clock(), 0)
	if err != nil || len(wakes) != 1 {
		t.Fatalf("%v %v", wakes, err)
	}
	if err := w.keeper.Tick(t.Context(), append(wakes, wakes...)); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	if len(w.posted) != 2 || w.only().Told != 2 {
		t.Errorf("told of %d times: %+v", w.only().Told, w.posted)
	}
}

func TestAcknowledged(t *testing.T) {
	until := noon.Add(40 * day)
	timed := keepwatch.Fact{Key: "expiry/x", Tone: keepwatch.ToneWarn, Title: "x", Until: until, Urge: "a"}
	open := keepwatch.Fact{Key: "old/x", Tone: keepwatch.ToneBad, Title: "x"}
	vault := keepwatch.Fact{Key: keepwatch.VaultKey, Tone: keepwatch.ToneInfo, Title: "x"}
	for _, c := range []struct {
		name  string
		fact  keepwatch.Fact
		until time.Duration // 0: left open
		want  []time.Duration
	}{
		{"until the next step", timed, 0, days(0, 10, 26, 33)},
		{"past several steps", timed, 35 * day, days(0, 35)},
		{"for less than to the next step", timed, day, days(0, 10, 26, 33)},
		{"a week for what has no time", open, 0, days(0, 7, 9, 13, 20, 27, 34)},
		{"90 days for a vault without copies", vault, 0, days(0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, noon)
			w.wider = []string{"discord:998877"}
			w.always(c.fact)
			w.review()
			w.deliver()
			rest := time.Time{}
			if c.until > 0 {
				rest = noon.Add(c.until)
			}
			got, err := w.keeper.AckWarning("w1", "Alis", rest, "on it")
			if err != nil || got.AckedBy != "Alis" {
				t.Fatalf("%+v %v", got, err)
			}
			w.deliver()
			if len(w.posted) != 1 || !strings.Contains(w.posted[0].text, "seen by Alis") {
				t.Errorf("its message does not say so: %+v", w.posted)
			}
			w.pass(noon.Add(36*day), time.Hour)
			if d := cmp.Diff(c.want, w.times("slack:C0OPS", noon)); d != "" {
				t.Error(d)
			}
			w.once()
		})
	}
}

// TestRestsNoLongerThanItsDay: whoever asks for a rest beyond the day on which
// something comes true hears of it on that day.
func TestRestsNoLongerThanItsDay(t *testing.T) {
	end := noon.Add(10 * day)
	w := newWorld(t, noon)
	w.always(keepwatch.Fact{Key: "expiry/x", Tone: keepwatch.ToneWarn, Title: "x", Until: end, Urge: "a"})
	w.review()
	w.deliver()
	for range 2 { // pressed twice it is said once
		got, err := w.keeper.AckWarning("w1", "Alis", noon.Add(100*day), "the new one is ordered")
		if err != nil || !got.Quiet.Equal(end) || got.Note != "the new one is ordered" {
			t.Fatalf("%+v %v", got, err)
		}
	}
	if n := len(w.only().Log); n != 3 { // noticed, told, seen
		t.Errorf("%+v", w.only().Log)
	}
	w.pass(noon.Add(10*day+time.Hour), time.Hour)
	if d := cmp.Diff(days(0, 10), w.times("slack:C0OPS", noon)); d != "" {
		t.Error(d)
	}
	got, err := w.keeper.AckWarning("w1", "Alis", noon.Add(30*day), "") // it has come true, and may rest
	if err != nil || !got.Quiet.Equal(noon.Add(30*day)) {
		t.Errorf("%+v %v", got, err)
	}
}

func TestAckIsRefused(t *testing.T) {
	w := newWorld(t, noon)
	w.always(keepwatch.Fact{Key: "old/x", Tone: keepwatch.ToneWarn, Title: "x"})
	w.review()
	w.deliver()
	for _, c := range []struct {
		id    string
		until time.Time
		want  keepwatch.Kind
	}{{"w9", time.Time{}, keepwatch.KindNotFound}, {"nonsense", time.Time{}, keepwatch.KindNotFound}, {"w1", noon, keepwatch.KindInvalid}, {"w1", noon.Add(401 * day), keepwatch.KindInvalid}} {
		if _, err := w.keeper.AckWarning(c.id, "Alis", c.until, ""); keepwatch.KindOf(err) != c.want || keepwatch.Sentence(err) == "" {
			t.Errorf("%s until %s: %v", c.id, c.until, err)
		}
	}
	first, err := w.keeper.AckWarning("W1", "Alis", time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	w.set(noon.Add(2 * time.Second))
	if second, err := w.keeper.AckWarning("w1", "Alis", time.Time{}, ""); err != nil || cmp.Diff(first, second) != "" {
		t.Errorf("a second press of the button: %v %s", err, cmp.Diff(first, second))
	}
	w.always()
	w.review()
	if _, err := w.keeper.AckWarning("w1", "Alis", time.Time{}, ""); keepwatch.KindOf(err) != keepwatch.KindConflict {
		t.Errorf("an acknowledgement of what is over: %v", err)
	}
}

// TestAnotherUrge: what has become another fact is told of again, whoever has
// acknowledged what it was; what is only said otherwise is edited.
func TestAnotherUrge(t *testing.T) {
	w := newWorld(t, noon)
	fact := keepwatch.Fact{Key: "rotation/web", Tone: keepwatch.ToneWarn, Title: "the one of 9 November", Until: noon.Add(5 * day), Urge: "9"}
	w.always(fact)
	w.review()
	w.deliver()
	if _, err := w.keeper.AckWarning("w1", "Alis", noon.Add(30*day), ""); err != nil {
		t.Fatal(err)
	}
	fact.Title = "the one of 9 November, 2 GB"
	w.always(fact)
	w.set(noon.Add(3 * day)) // a step has passed meanwhile
	w.review()
	w.deliver()
	if len(w.posted) != 1 || !strings.Contains(w.posted[0].text, "seen by Alis: the one of 9 November, 2 GB") {
		t.Fatalf("figures have changed: %+v", w.posted)
	}
	fact.Title, fact.Urge, fact.Until = "the one of 16 November", "16", noon.Add(12*day)
	w.always(fact)
	w.set(noon.Add(3*day + time.Hour))
	w.review()
	w.deliver()
	if len(w.posted) != 2 || !strings.Contains(w.posted[1].first, "holds: the one of 16") || w.only().AckedBy != "" || w.only().ID != "w1" {
		t.Fatalf("another backup is the next to go: %+v", w.posted)
	}
}

// TestFlapping: a fact that comes and goes within minutes is one message; it is
// resolved an hour after it was seen last, and another warning after that.
func TestFlapping(t *testing.T) {
	w := newWorld(t, noon)
	fact := keepwatch.Fact{Key: "old/notes", Tone: keepwatch.ToneBad, Title: "old"}
	for i := range 200 {
		w.set(noon.Add(time.Duration(i) * 3 * time.Minute))
		if w.always(fact); i%2 == 1 {
			w.always()
		}
		w.tick() // it is looked at before it is seen to be back
		w.review()
		w.deliver()
	}
	if len(w.posted) != 1 || !strings.Contains(w.posted[0].text, " over: ") {
		t.Fatalf("%d messages, the last %q", len(w.posted), w.posted[len(w.posted)-1].text)
	}
	if list, err := w.keeper.Warnings(); err != nil || len(list) != 0 {
		t.Errorf("what is watched is said to hold: %v %v", list, err)
	}
	x, err := w.keeper.Warning("w1")
	if err != nil || !x.Resolved.IsZero() || len(x.Log) > 5 {
		t.Errorf("before the hour is over: %+v %v", x, err)
	}
	gone := w.clock()
	w.set(gone.Add(watch))
	w.tick()
	if x, _ = w.keeper.Warning("w1"); !x.Resolved.Equal(gone) {
		t.Errorf("after an hour: %+v", x)
	}
	w.always(fact)
	w.review()
	w.deliver()
	if len(w.posted) != 2 || w.only().ID != "w2" {
		t.Errorf("it comes back after that: %+v", w.posted)
	}
}

// TestNobodyWasTold: what came and went in quiet hours leaves nobody a message.
func TestNobodyWasTold(t *testing.T) {
	w := newWorld(t, noon)
	w.closed = func(_ string, t time.Time) time.Time { return later(t, noon.Add(8*time.Hour)) }
	w.always(keepwatch.Fact{Key: "old/notes", Tone: keepwatch.ToneWarn, Title: "old"})
	w.review()
	w.always()
	w.set(noon.Add(time.Hour))
	w.review()
	w.pass(noon.Add(day), time.Hour)
	if x, err := w.keeper.Warning("w1"); err != nil || x.Resolved.IsZero() || len(w.posted) != 0 {
		t.Errorf("%+v %v %v", x, err, w.posted)
	}
}

// night is closed from 20:00 to 08:00 UTC.
func night(_ string, t time.Time) time.Time {
	start := t.Truncate(day)
	switch h := t.Sub(start); {
	case h < 8*time.Hour:
		return start.Add(8 * time.Hour)
	case h >= 20*time.Hour:
		return start.Add(32 * time.Hour)
	}
	return t
}

func TestQuietHours(t *testing.T) {
	until := time.Date(2026, 12, 10, 2, 0, 0, 0, time.UTC) // in the night
	for _, c := range []struct {
		name string
		tone keepwatch.Tone
		want []string
	}{
		{"a warning waits for the morning", keepwatch.ToneWarn, []string{"12-03T08:00", "12-07T08:00", "12-09T08:00", "12-10T08:00", "12-11T08:00"}},
		{"what is bad does not, within a day", keepwatch.ToneBad, []string{"12-03T08:00", "12-07T08:00", "12-09T02:00", "12-10T02:00", "12-11T08:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, until.Add(-8*day))
			w.closed = night
			w.always(keepwatch.Fact{Key: "expiry/x", Tone: c.tone, Title: "x", Until: until})
			w.review() // at 02:00, a week and a day before: told of in the morning
			w.pass(until.Add(36*time.Hour), time.Hour)
			var got []string
			for _, m := range w.posted {
				got = append(got, m.at.Format("01-02T15:04"))
			}
			want := append([]string{"12-02T08:00"}, c.want...)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			w.once()
		})
	}
}

func TestPassedOn(t *testing.T) {
	const (
		many = "passed on to discord:998877: nobody had acknowledged it after 3 notices"
		near = "passed on to discord:998877: it is urgent, with three days or less left"
	)
	for _, c := range []struct {
		name string
		fact keepwatch.Fact
		ack  time.Duration // somebody acknowledges it then
		want []time.Duration
		why  string
	}{
		{"at the third notice", keepwatch.Fact{Tone: keepwatch.ToneWarn}, 0, days(3), many},
		{"bad, with three days left", keepwatch.Fact{Tone: keepwatch.ToneBad, Until: noon.Add(13 * day)}, 0, days(10), many},
		{"bad, and new with two days left", keepwatch.Fact{Tone: keepwatch.ToneBad, Until: noon.Add(2 * day)}, 0, days(0), near},
		{"a warning has until its third notice", keepwatch.Fact{Tone: keepwatch.ToneWarn, Until: noon.Add(13 * day)}, 0, days(10), many},
		{"acknowledged: the third notice after that", keepwatch.Fact{Tone: keepwatch.ToneWarn}, 2 * day, days(20), many},
		{"a remark never is", keepwatch.Fact{Tone: keepwatch.ToneInfo}, 0, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, noon)
			w.wider = []string{"discord:998877", "slack:C0OPS"}
			c.fact.Key, c.fact.Title = "x/y", "x"
			w.always(c.fact)
			w.review()
			w.deliver()
			if c.ack > 0 {
				w.pass(noon.Add(c.ack), time.Hour)
				if _, err := w.keeper.AckWarning("w1", "Alis", time.Time{}, ""); err != nil {
					t.Fatal(err)
				}
			}
			w.pass(noon.Add(20*day), time.Hour)
			if d := cmp.Diff(c.want, w.times("discord:998877", noon)); d != "" {
				t.Error(d)
			}
			got, err := w.keeper.Warning("w1")
			why := ""
			for _, h := range got.Log {
				if strings.HasPrefix(h.What, "passed on") {
					why += h.What
				}
			}
			if err != nil || why != c.why {
				t.Errorf("it says %q, want %q (%v)", why, c.why, err)
			}
			w.once()
		})
	}
}

// TestManyAtOnce: more than five in one place are one message, which is kept up to
// date.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, noon)
	var facts []keepwatch.Fact
	for i := range 30 {
		facts = append(facts, keepwatch.Fact{Key: fmt.Sprintf("stale/device-%02d", i), Tone: keepwatch.ToneWarn, Title: "stale"})
	}
	facts = append(facts, keepwatch.Fact{Key: "stale/of-alis", Tone: keepwatch.ToneWarn, Title: "stale", To: "U1"})
	w.always(facts...)
	w.review()
	w.deliver()
	if len(w.posted) != 2 || w.posted[0].channel != "slack:@U1" || !strings.HasPrefix(w.posted[1].first, "30 things") {
		t.Fatalf("the first start: %d messages", len(w.posted))
	}
	if _, err := w.keeper.AckWarning("w7", "Alis", time.Time{}, ""); err != nil {
		t.Fatal(err)
	}
	w.always(facts[1:]...)
	w.set(noon.Add(time.Hour))
	w.review()
	w.deliver()
	if len(w.posted) != 2 || !strings.Contains(w.posted[1].text, "w7 stale/device-06 urge= step=0 seen by Alis") || !strings.Contains(w.posted[1].text, "w1 stale/device-00 urge= step=0 over") {
		t.Fatalf("the digest does not show what happened:\n%s", w.posted[1].text)
	}
	w.always(facts[1:3]...)
	w.pass(noon.Add(25*time.Hour), time.Hour)
	if len(w.posted) != 4 || !strings.HasPrefix(w.posted[2].first, "w2 ") {
		t.Fatalf("few are told of again one by one: %d messages, %+v", len(w.posted), w.posted[2:])
	}
	w.once()
}

// TestAnotherTime: a time that moves a little tells nobody anything, one that moves by
// days is another ladder.
func TestAnotherTime(t *testing.T) {
	for _, c := range []struct {
		name       string
		was, is    time.Duration
		seen       bool // somebody has acknowledged it until the end
		wantNotice []time.Duration
	}{
		{"an hour later", 20 * day, 20*day + time.Hour, false, append(days(0), 6*day+time.Hour, 13*day+time.Hour)},
		{"an hour sooner", 20 * day, 20*day - time.Hour, false, append(days(0), 6*day-time.Hour, 13*day-time.Hour)},
		{"weeks later", 5 * day, 40 * day, false, days(0, 10)},
		{"weeks sooner", 40 * day, 9 * day, false, append(days(0), time.Hour, 2*day, 6*day, 8*day, 9*day, 10*day, 11*day, 12*day, 13*day, 14*day)},
		{"weeks sooner than who has seen it knew", 40 * day, 18 * day, true, append(days(0), time.Hour, 4*day, 11*day)},
		{"it holds already", 20 * day, 0, false, append(days(0), day+time.Hour, 3*day+time.Hour, 7*day+time.Hour, 14*day+time.Hour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, noon)
			fact := keepwatch.Fact{Key: "rotation/web", Tone: keepwatch.ToneWarn, Title: "x", Until: noon.Add(c.was)}
			w.always(fact)
			w.review()
			w.deliver()
			if c.seen {
				if _, err := w.keeper.AckWarning("w1", "Alis", noon.Add(100*day), ""); err != nil {
					t.Fatal(err)
				}
			}
			if fact.Until = noon.Add(c.is); c.is == 0 {
				fact.Until = time.Time{}
			}
			w.always(fact)
			w.pass(noon.Add(14*day+2*time.Hour), time.Hour)
			got := w.times("slack:C0OPS", noon)
			if d := cmp.Diff(c.wantNotice, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestFactsThatFail: where facts cannot be computed nothing is over.
func TestFactsThatFail(t *testing.T) {
	w := newWorld(t, noon)
	w.always(keepwatch.Fact{Key: "old/notes", Tone: keepwatch.ToneWarn, Title: "old"})
	w.review()
	w.always()
	w.err = errors.New("the disk is gone")
	if err := w.keeper.Review(context.Background()); !errors.Is(err, w.err) {
		t.Errorf("%v", err)
	}
	if x := w.only(); !x.Gone.IsZero() {
		t.Errorf("%+v", x)
	}
}

// TestBrokenFacts: a fact without a key, and the second of two with one key, is left
// out, and the others are told of.
func TestBrokenFacts(t *testing.T) {
	w := newWorld(t, noon)
	w.always(keepwatch.Fact{Title: "no key"}, keepwatch.Fact{Key: "a/b", Title: "first"}, keepwatch.Fact{Key: "a/b", Title: "second"})
	w.review()
	if x := w.only(); x.Fact.Title != "first" {
		t.Errorf("%+v", x)
	}
}

// TestOneBadFact: one that cannot be saved keeps nobody from hearing of the others, and
// those are not a message each because of it.
func TestOneBadFact(t *testing.T) {
	w := newWorld(t, noon)
	var facts []keepwatch.Fact
	for i := range 60 {
		facts = append(facts, keepwatch.Fact{Key: fmt.Sprintf("old/%02d", i), Tone: keepwatch.ToneBad, Title: fmt.Sprint("fact ", i)})
	}
	facts[17].Key += strings.Repeat("x", 1000) // no key that the store takes
	w.facts = func(time.Time) []keepwatch.Fact { return facts }
	if err := w.keeper.Review(t.Context()); err == nil || !strings.Contains(err.Error(), "old/17") {
		t.Errorf("%v", err)
	}
	w.deliver()
	if open, err := w.keeper.Warnings(); err != nil || len(open) != 59 {
		t.Errorf("%d are told of, %v", len(open), err)
	}
	if len(w.posted) > 12 {
		t.Errorf("they are %d messages", len(w.posted))
	}
}
