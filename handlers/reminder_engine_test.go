package handlers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/remind"
	"keepwatch/engine/when"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// ruleRecords joins the store to the scheduler, as cmd/bot does.
type ruleRecords struct{ *store.Records }

func (a ruleRecords) Change(fn func(remind.Change) error) ([]string, error) {
	return a.Records.Change(func(c *store.Change) error { return fn(c) })
}

// engineWorld is the commands over the real scheduler, the real reading of times
// and the real store.
type engineWorld struct {
	t    *testing.T
	now  time.Time
	kept ruleRecords
	s    *remind.Scheduler
	r    *Router
	n    int
}

func newEngineWorld(t *testing.T) *engineWorld {
	t.Helper()
	w := &engineWorld{t: t, now: noon}
	clock := func() time.Time { return w.now }
	w.kept = ruleRecords{store.NewRecords(mem.New(), clock)}
	w.r = newWorld().timed(t, newKeeper())
	times := when.New()
	var err error
	w.s, err = remind.New(remind.Config{
		Records: w.kept, Clock: times, Show: w.r.OccurrenceMessage, ShowDigest: w.r.DigestMessage, ShowMissed: w.r.MissedMessage,
		Hours: w.r.cfg.Duties.Hours, Location: w.r.cfg.Location, NewID: NewID, Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.r.cfg.Duties.Rules, w.r.cfg.Duties.Occurrences, w.r.cfg.Duties.Times, w.r.cfg.Now = w.s, w.s, times, clock
	return w
}

// say carries out what Olwen asks for.
func (w *engineWorld) say(text string) keepwatch.Message {
	w.t.Helper()
	w.n++
	req := from(text, "slack:U2")
	req.ID = fmt.Sprint("request", w.n)
	m := w.r.Handle(w.t.Context(), req)
	if m.Refused == keepwatch.KindInternal && m.Failed {
		w.t.Fatalf("%s: %s", text, all(m))
	}
	return m
}

// push presses a button of a message.
func (w *engineWorld) push(m keepwatch.Message, label string) keepwatch.Message {
	w.t.Helper()
	i := slices.IndexFunc(m.AllButtons(), func(b keepwatch.Button) bool { return b.Label == label })
	if i < 0 {
		w.t.Fatalf("no button %q in %s", label, all(m))
	}
	return w.say("/" + m.AllButtons()[i].Command)
}

// until lets time pass, a look at the clock each minute, and gives what was posted.
func (w *engineWorld) until(to time.Time) []keepwatch.Outgoing {
	w.t.Helper()
	for ; w.now.Before(to); w.now = w.now.Add(time.Minute) {
		wakes, err := w.kept.Due(w.now, 100)
		if err == nil && len(wakes) > 0 {
			err = w.s.Tick(w.t.Context(), wakes)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return w.posted()
}

func (w *engineWorld) posted() (list []keepwatch.Outgoing) {
	w.t.Helper()
	lanes, err := w.kept.Lanes()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, lane := range lanes {
		for {
			out, found, err := w.kept.NextMessage(lane)
			if err != nil {
				w.t.Fatal(err)
			}
			if !found {
				break
			}
			list = append(list, out)
			if err := w.kept.MessageDelivered(out, "ref", "", false); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	return list
}

// TestALifeOfAReminder goes from the words to the answer, with nothing in between
// that is a fake: made, posted, asked again, passed on, answered, changed, removed.
func TestALifeOfAReminder(t *testing.T) {
	w := newEngineWorld(t)
	made := w.push(w.say("/reminder add every weekday at 9 default Don't forget the backups --repeat 1h --times 1 --then escalation"), "Make it")
	if made.Title != "Reminder 1 is made" {
		t.Fatal(all(made))
	}
	out := w.until(noon.Add(23 * time.Hour))
	if len(out) != 3 { // posted at 9:00, asked again at 10:00: the first says so, and points below
		t.Fatalf("%d messages: %+v", len(out), out)
	}
	last := out[len(out)-1].Message
	if last.Title != "Don't forget the backups" || !strings.Contains(all(last), "2nd time") {
		t.Error(all(last))
	}
	out = w.until(noon.Add(24 * time.Hour))
	i := slices.IndexFunc(out, func(o keepwatch.Outgoing) bool { return o.Channel == "slack:C0ESC" && !o.Edit })
	if i < 0 || !strings.Contains(all(out[i].Message), "Nobody has answered since Wed 25 Nov 2026 09:00 GMT: passed on to the escalation channel") {
		t.Fatalf("not passed on: %+v", out)
	}
	for _, o := range out {
		if strings.Contains(all(o.Message), "slack:C0ESC") {
			t.Errorf("a channel's id instead of its name: %s", all(o.Message))
		}
	}
	if m := w.push(out[i].Message, "Done"); m.Failed {
		t.Error(all(m))
	}
	edits := w.posted()
	if len(edits) != 2 { // in both places
		t.Errorf("%d edits", len(edits))
	}
	for _, o := range edits {
		if !o.Edit || len(o.Message.AllButtons()) > 0 || !strings.HasPrefix(o.Message.Title, "Done: ") || !strings.Contains(all(o.Message), "Olwen") {
			t.Errorf("%s", all(o.Message))
		}
	}
	if m := w.push(out[i].Message, "Skip this one"); m.Refused != keepwatch.KindConflict || !strings.Contains(all(m), "Olwen") {
		t.Errorf("a second answer: %s", all(m))
	}
	for _, line := range []string{"/reminder pause 1", "/reminder resume 1", "/reminder skip 1", "/reminder skip --off 1", "/reminder show 1", "/reminder list --all", "/reminder run 1", "/reminder ack 1 seen", `/reminder edit 1 --when "every day at 10" --confirm yes`} {
		if m := w.say(line); m.Failed {
			t.Errorf("%s: %s", line, all(m))
		}
	}
	if m := w.push(w.say("/reminder remove 1"), "Remove it"); m.Failed {
		t.Error(all(m))
	}
	if out := w.until(noon.Add(72 * time.Hour)); slices.ContainsFunc(out, func(o keepwatch.Outgoing) bool {
		return !o.Edit && !strings.HasPrefix(o.Topic, "reminder/1@2026-11-25T12")
	}) {
		t.Errorf("it comes due after its end: %+v", out)
	}
}

// TestManyAtOnce: what comes due at once is one message, and one press answers it.
func TestManyAtOnce(t *testing.T) {
	w := newEngineWorld(t)
	for i := range 5 {
		w.push(w.say(fmt.Sprintf("/reminder add tomorrow at 9 default Look at server %d", i)), "Make it")
	}
	out := w.until(noon.Add(22 * time.Hour))
	if len(out) != 1 || !strings.HasPrefix(out[0].Message.Title, "5 reminders are due: Look at server 0") {
		t.Fatalf("%+v", out)
	}
	if m := w.push(out[0].Message, "All 5 done"); m.Title != "5 reminders are done" {
		t.Error(all(m))
	}
	edits := w.posted()
	if end := edits[len(edits)-1].Message; len(end.AllButtons()) > 0 || end.Tone != keepwatch.ToneGood {
		t.Error(all(end))
	}
	if m := w.say("/reminder list --due"); m.Title != "Nothing is open" {
		t.Error(all(m))
	}
}
