package warn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// records joins the store to the keeper, as cmd/bot does. Every transaction is run
// twice, as a store may: once for nothing.
type records struct{ *store.Records }

var errTwice = errors.New("again")

func (r records) Change(fn func(Change) error) ([]string, error) {
	var first error
	var tried, done ids
	_, err := r.Records.Change(func(c *store.Change) error {
		if first = fn(watched{c, &tried}); first != nil {
			return first
		}
		return errTwice
	})
	if !errors.Is(err, errTwice) {
		return nil, err
	}
	lanes, err := r.Records.Change(func(c *store.Change) error { return fn(watched{c, &done}) })
	n := min(len(tried), len(done)) // another transaction between the two may leave less to say
	if err == nil && !slices.Equal(tried[:n], done[:n]) {
		panic(fmt.Sprintf("a transaction that runs again gives its messages other IDs: %v, then %v", tried, done))
	}
	return lanes, err
}

// watched notes the IDs of what is posted.
type watched struct {
	*store.Change
	ids *ids
}

type ids []string

func (w watched) Post(out ...keepwatch.Outgoing) error {
	for _, o := range out {
		*w.ids = append(*w.ids, o.ID)
	}
	return w.Change.Post(out...)
}

// message is one that a platform shows.
type message struct {
	at          time.Time
	channel     string
	topic       string
	first, text string // as it was posted, and as it is now
	edits       int
}

// killed is the panic that stands for the end of the process.
type killed struct{}

// world is a bot with nothing but warnings, on a clock that is set.
type world struct {
	t      testing.TB
	mu     sync.Mutex
	now    time.Time
	facts  func(now time.Time) []keepwatch.Fact
	err    error
	store  store.Store
	rec    records
	keeper *Keeper
	posted []message
	closed func(channel string, t time.Time) time.Time
	wider  []string
	crash  func(point string)
	ids    int
}

func newWorld(t testing.TB, now time.Time) *world {
	return newWorldOn(t, now, mem.New())
}

func newWorldOn(t testing.TB, now time.Time, s store.Store) *world {
	w := &world{t: t, now: now, facts: func(time.Time) []keepwatch.Fact { return nil }, crash: func(string) {}, store: s}
	w.start()
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) set(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
}

// start begins a new process over the same state.
func (w *world) start() {
	w.rec = records{store.NewRecords(w.store, w.clock)}
	k, err := New(Config{
		Facts:    func(now time.Time) ([]keepwatch.Fact, error) { return w.facts(now), w.err },
		Records:  w.rec,
		Show:     func(x keepwatch.Warning) keepwatch.Message { return keepwatch.Message{Title: show(x)} },
		ShowMany: showMany,
		Where: func(f keepwatch.Fact) []string {
			if f.To != "" {
				return []string{"slack:@" + f.To}
			}
			return []string{"slack:C0OPS"}
		},
		Wider: func(keepwatch.Fact) []string { return w.wider },
		Open: func(channel string, t time.Time) time.Time {
			if w.closed == nil {
				return t
			}
			return w.closed(channel, t)
		},
		NewID: func() string {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.ids++
			return fmt.Sprintf("id%018d", w.ids)
		},
		Now: w.clock, Crash: func(p string) { w.crash(p) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.keeper = k
}

// show writes all by which two notices of one warning differ.
func show(x keepwatch.Warning) string {
	state := "holds"
	if _, over := x.Over(); over {
		state = "over"
	} else if x.AckedBy != "" {
		state = "seen by " + x.AckedBy
	}
	return fmt.Sprintf("%s %s urge=%s step=%d %s: %s", x.ID, x.Fact.Key, x.Fact.Urge, x.Rung, state, x.Fact.Title)
}

func showMany(_ keepwatch.Digest, list []keepwatch.Warning) keepwatch.Message {
	var lines []string
	for _, x := range list {
		lines = append(lines, show(x))
	}
	return keepwatch.Message{Title: fmt.Sprintf("%d things", len(list)), Blocks: []keepwatch.Block{keepwatch.Text(strings.Join(lines, "\n"))}}
}

// deliver has the platform take all that was saved to be posted.
func (w *world) deliver() {
	lanes, err := w.rec.Lanes()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, lane := range lanes {
		for {
			out, found, err := w.rec.NextMessage(lane)
			if err != nil {
				w.t.Fatal(err)
			}
			if !found {
				break
			}
			text := out.Message.Title
			for _, b := range out.Message.Blocks {
				text += "\n" + b.Text
			}
			if out.Edit {
				for i := len(w.posted) - 1; i >= 0; i-- {
					if m := &w.posted[i]; m.channel == out.Channel && m.topic == out.Topic {
						if m.text != text {
							m.text, m.edits = text, m.edits+1
						}
						break
					}
				}
			} else {
				w.posted = append(w.posted, message{at: w.clock(), channel: out.Channel, topic: out.Topic, first: text, text: text})
			}
			if err := w.rec.MessageDelivered(out, fmt.Sprintf("ref%d", len(w.posted)), "", false); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// tick does what engine's ticker does once.
func (w *world) tick() {
	wakes, err := w.rec.Due(w.clock(), 0)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.keeper.Tick(context.Background(), wakes); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) review() {
	if err := w.keeper.Review(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// pass lets time pass in steps, with a tick at each and a review each hour.
func (w *world) pass(until time.Time, by time.Duration) {
	for w.clock().Before(until) {
		w.set(w.clock().Add(by))
		if w.clock().Truncate(time.Hour).Equal(w.clock()) {
			w.review()
		}
		w.tick()
		w.deliver()
	}
}

// survives runs fn in a process that may be killed, and starts a new one then.
func (w *world) survives(fn func()) (dead bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(killed); !ok {
				panic(p)
			}
			dead = true
			w.start()
		}
	}()
	fn()
	return false
}

// times gives when messages were posted in a channel, as distances from a moment.
func (w *world) times(channel string, from time.Time) []time.Duration {
	var list []time.Duration
	for _, m := range w.posted {
		if m.channel == channel {
			list = append(list, m.at.Sub(from))
		}
	}
	return list
}

// once fails where a notice of one warning at one step was posted twice in a channel.
func (w *world) once() {
	w.t.Helper()
	seen := map[string]bool{}
	for _, m := range w.posted {
		for _, line := range strings.Split(m.first, "\n") {
			if !strings.HasPrefix(line, "w") {
				continue
			}
			fields := strings.Fields(line)
			key := m.channel + " " + strings.Join(fields[:4], " ")
			if seen[key] {
				w.t.Fatalf("told twice: %s", key)
			}
			seen[key] = true
		}
	}
}

func (w *world) only() keepwatch.Warning {
	w.t.Helper()
	list, err := w.keeper.Warnings()
	if err != nil || len(list) != 1 {
		w.t.Fatalf("%d warnings hold, and not one (%v)", len(list), err)
	}
	return list[0]
}

func (w *world) always(f ...keepwatch.Fact) {
	w.facts = func(time.Time) []keepwatch.Fact { return slices.Clone(f) }
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func days(n ...int) []time.Duration {
	var list []time.Duration
	for _, d := range n {
		list = append(list, time.Duration(d)*day)
	}
	return list
}
