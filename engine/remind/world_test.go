package remind_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"keepwatch"
	"keepwatch/engine/remind"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// adapter joins the store as cmd/bot does, but runs each transaction twice: the first
// time it is undone.
type adapter struct {
	*store.Records
	twice bool
	bad   string // the rule that cannot be saved
}

var errUndone = errors.New("undone")

func (a adapter) Change(fn func(remind.Change) error) ([]string, error) {
	var first, second []string
	if a.twice {
		_, err := a.Records.Change(func(c *store.Change) error {
			if err := fn(change{c, a.bad, &first}); err != nil {
				return err
			}
			return errUndone
		})
		if !errors.Is(err, errUndone) {
			return nil, err
		}
	}
	lanes, err := a.Records.Change(func(c *store.Change) error { return fn(change{c, a.bad, &second}) })
	if a.twice && len(first) == len(second) && !slices.Equal(first, second) { // another process may have been faster
		return nil, fmt.Errorf("run again the transaction gives other ids: %v and %v", first, second)
	}
	return lanes, err
}

// change notes the ids that are given in a transaction, and fails for one rule.
type change struct {
	remind.Change
	bad string
	ids *[]string
}

func (c change) Post(out ...keepwatch.Outgoing) error {
	for _, o := range out {
		*c.ids = append(*c.ids, o.ID)
	}
	return c.Change.Post(out...)
}

func (c change) PutDigest(d keepwatch.Digest) error {
	*c.ids = append(*c.ids, d.ID)
	return c.Change.PutDigest(d)
}

func (c change) PutRule(r keepwatch.Rule) error {
	if r.ID == c.bad {
		return errors.New("a bad sector")
	}
	return c.Change.PutRule(r)
}

func (c change) PutOccurrence(o keepwatch.Occurrence) error {
	if o.Rule == c.bad {
		return errors.New("a bad sector")
	}
	return c.Change.PutOccurrence(o)
}

// world is a store, a wall clock that the test sets, the platforms, and the process
// that runs.
type world struct {
	t       testing.TB
	kept    adapter
	now     time.Time
	clock   remind.Clock
	hours   map[string]keepwatch.Hours
	shown   map[string][]message // by channel: what stands there, as a person sees it
	crashAt func(point string) bool
	carry   func(keepwatch.Delivery) error
	outcome func(keepwatch.Occurrence) (remind.Outcome, error)
	took    []keepwatch.Delivery

	mu      sync.Mutex
	ids     int
	changed int
	told    func()   // called at each change
	sent    []string // lanes
	clocked bool     // the clock is time.Now, and not now
	*remind.Scheduler
}

// message is what a person sees in a channel.
type message struct{ topic, text string }

// killed is what a crash point panics with.
type killed struct{ point string }

func newWorld(t testing.TB, clock remind.Clock, now time.Time) *world {
	t.Helper()
	return newWorldOn(t, mem.New(), clock, now)
}

func newWorldOn(t testing.TB, kept store.Store, clock remind.Clock, now time.Time) *world {
	t.Helper()
	w := &world{t: t, now: now, clock: clock, hours: map[string]keepwatch.Hours{}, shown: map[string][]message{}}
	w.kept = adapter{Records: store.NewRecords(kept, func() time.Time { return w.now }), twice: true}
	w.boot()
	return w
}

// boot starts a new process over the same store.
func (w *world) boot() {
	w.t.Helper()
	s, err := remind.New(remind.Config{
		Records: w.kept, Clock: w.clock,
		Show: func(o keepwatch.Occurrence, r keepwatch.Rule) keepwatch.Message {
			title := o.ID + " " + string(o.State)
			if o.Earlier > 0 {
				title += fmt.Sprintf(" after %d", o.Earlier)
			}
			return keepwatch.Message{Title: title}
		},
		ShowDigest: func(d keepwatch.Digest, all []keepwatch.Occurrence) keepwatch.Message {
			var lines []string
			for _, o := range all {
				state := string(o.State)
				if o.Digest != d.ID && !o.State.Settled() {
					state = "elsewhere"
				}
				lines = append(lines, o.ID+" "+state)
			}
			return keepwatch.Message{Title: "digest: " + strings.Join(lines, ", ")}
		},
		ShowMissed: func(r keepwatch.Rule, missed []keepwatch.Occurrence) keepwatch.Message {
			return keepwatch.Message{Title: fmt.Sprintf("missed %d of %s", len(missed)+missed[0].Earlier, r.ID)}
		},
		Hours:    func(channel string) keepwatch.Hours { return w.hours[channel] },
		Location: time.UTC,
		Carry: func(_ context.Context, d keepwatch.Delivery) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.carry != nil {
				if err := w.carry(d); err != nil {
					return err
				}
			}
			w.took = append(w.took, d)
			return nil
		},
		Outcome: func(o keepwatch.Occurrence) (remind.Outcome, error) {
			if w.outcome == nil {
				return remind.Outcome{}, nil
			}
			return w.outcome(o)
		},
		Send: func(lanes ...string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.sent = append(w.sent, lanes...)
		},
		Changed: func() {
			w.mu.Lock()
			w.changed++
			told := w.told
			w.mu.Unlock()
			if told != nil {
				told()
			}
		},
		NewID: func() string {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.ids++
			return "m" + strconv.Itoa(w.ids)
		},
		Now: func() time.Time {
			if w.clocked {
				return time.Now()
			}
			return w.now
		},
		Crash: func(point string) {
			if w.crashAt != nil && w.crashAt(point) {
				panic(killed{point})
			}
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Scheduler = s
}

// alive does something in the process, and reports whether the process lived on.
func (w *world) alive(do func()) (lives bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(killed); !ok {
				panic(p)
			}
			lives = false
		}
	}()
	do()
	return true
}

// tick does what a ticker does at one look: until nothing is due.
func (w *world) tick() {
	w.t.Helper()
	for range 100 {
		wakes, err := w.kept.Due(w.now, 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(wakes) == 0 {
			return
		}
		if err := w.Tick(context.Background(), wakes); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Fatalf("at %s something stays due for ever", w.now)
}

// to sets the clock, looks once and delivers.
func (w *world) to(at time.Time) {
	w.t.Helper()
	w.now = at
	w.tick()
	w.deliver()
}

// run goes on minute by minute.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.to(w.now.Add(time.Minute))
	}
}

// deliver takes what is to be sent, in order, and shows it.
func (w *world) deliver() {
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
			w.show(out)
			if err := w.kept.MessageDelivered(out, out.ID, "", false); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func (w *world) show(out keepwatch.Outgoing) {
	text := out.Message.Title
	for _, b := range out.Message.Blocks {
		text += " | " + b.Text
	}
	all := w.shown[out.Channel]
	if !out.Edit {
		w.shown[out.Channel] = append(all, message{out.Topic, text})
		return
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].topic == out.Topic {
			all[i].text = text
			return
		}
	}
}

// sees compares what stands in a channel.
func (w *world) sees(channel string, want ...string) {
	w.t.Helper()
	var got []string
	for _, m := range w.shown[channel] {
		got = append(got, m.text)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("at %s %s shows\n  %s\nand is to show\n  %s", w.now.Format(time.DateTime), channel, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (w *world) add(r keepwatch.Rule) keepwatch.Rule {
	w.t.Helper()
	if r.Kind == "" {
		r.Kind = keepwatch.RuleText
	}
	if r.Channel == "" {
		r.Channel = "slack:A"
	}
	if r.Text == "" {
		r.Text = "look at it"
	}
	saved, err := w.AddRule(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return saved
}

func (w *world) occ(id string) keepwatch.Occurrence {
	w.t.Helper()
	o, err := w.Occurrence(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *world) rule(id string) keepwatch.Rule {
	w.t.Helper()
	r, err := w.Rule(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// state compares where an occurrence is in its life.
func (w *world) state(id string, want keepwatch.OccurrenceState) keepwatch.Occurrence {
	w.t.Helper()
	o := w.occ(id)
	if o.State != want {
		w.t.Errorf("at %s %s is %s, and is to be %s: %+v", w.now.Format(time.DateTime), id, o.State, want, o.Log)
	}
	return o
}

// wallClock is a clock as simple as can be: "M H DAYS" is a minute, an hour and days
// of the week from 0, Sunday, such as "12345"; "M * *" is every hour. It looks at each
// minute that the wall may show.
type wallClock struct{}

func (wallClock) Next(when keepwatch.When, after time.Time, wall string) (keepwatch.Due, bool) {
	loc := time.UTC
	if when.Zone != "" {
		var err error
		if loc, err = time.LoadLocation(when.Zone); err != nil {
			return keepwatch.Due{}, false
		}
	}
	switch {
	case when.Every > 0:
		at := after.Add(when.Every)
		return keepwatch.Due{At: at, Wall: at.In(loc).Format(keepwatch.WallLayout)}, true
	case !when.At.IsZero():
		due := keepwatch.Due{At: when.At, Wall: when.At.In(loc).Format(keepwatch.WallLayout)}
		return due, when.At.After(after) && due.Wall > wall
	}
	var minute int
	var hour, days string
	if n, _ := fmt.Sscan(when.Cron, &minute, &hour, &days); n != 3 {
		return keepwatch.Due{}, false
	}
	day := after.In(loc).AddDate(0, 0, -2)
	for range 400 {
		day = time.Date(day.Year(), day.Month(), day.Day()+1, 12, 0, 0, 0, time.UTC)
		if days != "*" && !strings.Contains(days, strconv.Itoa(int(day.Weekday()))) {
			continue
		}
		for h := range 24 {
			if hour != "*" && hour != strconv.Itoa(h) {
				continue
			}
			due := keepwatch.Due{At: instant(day.Year(), day.Month(), day.Day(), h, minute, loc)}
			due.Wall = day.Format(time.DateOnly) + fmt.Sprintf("T%02d:%02d", h, minute)
			if due.At.After(after) && due.Wall > wall {
				return due, true
			}
		}
	}
	return keepwatch.Due{}, false
}

// instant gives the first moment at which the wall shows a time, or has gone past it.
func instant(y int, m time.Month, d, hour, minute int, loc *time.Location) time.Time {
	wall := time.Date(y, m, d, hour, minute, 0, 0, time.UTC)
	for at := wall.Add(-15 * time.Hour); ; {
		_, offset := at.In(loc).Zone()
		shows := at.Add(time.Duration(offset) * time.Second)
		if !shows.Before(wall) {
			return at
		}
		step := at.Add(wall.Sub(shows))
		if _, end := at.In(loc).ZoneBounds(); !end.IsZero() && end.Before(step) {
			step = end.UTC()
		}
		at = step
	}
}

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		if t, err = time.Parse("2006-01-02 15:04", s); err != nil {
			panic(err)
		}
	}
	return t
}

func cron(s string) keepwatch.When { return keepwatch.When{Cron: s} }
