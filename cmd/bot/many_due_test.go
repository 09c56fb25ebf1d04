package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/engine/remind"
	"keepwatch/engine/when"
	"keepwatch/handlers"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// workspace is Slack as far as its rate goes: it takes one message a second in a
// channel (docs.slack.dev/apis/web-api/rate-limits), and answers after a while.
type workspace struct {
	answer time.Duration
	mu     sync.Mutex
	posts  map[string][]time.Time // by channel
	number int
	early  []string // messages that came sooner than a second after the one before
}

func (w *workspace) Post(_ context.Context, out keepwatch.Outgoing) (string, error) {
	w.mu.Lock()
	now, all := time.Now(), w.posts[out.Channel]
	if n := len(all); n > 0 && now.Sub(all[n-1]) < time.Second {
		w.early = append(w.early, fmt.Sprintf("%s after %v", out.Channel, now.Sub(all[n-1])))
	}
	w.posts[out.Channel] = append(all, now)
	w.number++
	ref := fmt.Sprint(w.number)
	w.mu.Unlock()
	time.Sleep(w.answer) // the time of the bubble, and not the wall's
	return ref, nil
}

func (w *workspace) Edit(context.Context, keepwatch.Card, keepwatch.Message) error {
	return errors.New("nothing is to be edited")
}

func (w *workspace) Find(context.Context, keepwatch.Outgoing) (string, bool, error) {
	return "", false, nil
}

// TestThousandDueDrained: what is due at once is posted as fast as Slack takes it, and
// not faster: each channel has its next message a second after the one before.
func TestThousandDueDrained(t *testing.T) {
	for _, c := range []struct {
		name     string
		channels int
		answer   time.Duration
		messages int           // in each channel
		last     time.Duration // when the last message goes out
	}{
		{"one channel, as digests", 1, 100 * time.Millisecond, 10, 9 * time.Second},
		{"ten channels, as digests", 10, 100 * time.Millisecond, 1, 0},
		{"500 channels, two each", 500, 0, 2, time.Second},
		// 64 are under way at the same time: 15 times 100 ms until the last begins.
		{"1,000 channels, one each", 1000, 100 * time.Millisecond, 1, 1500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slack := &workspace{answer: c.answer, posts: map[string][]time.Time{}}
				begun := drainDue(t, slack, c.channels)
				slack.check(t, c.channels, c.messages, begun, c.last)
			})
		})
	}
}

// TestThousandMessagesDrained: a thousand messages that are no digest take 999 seconds
// in one channel, however long Slack takes to answer each.
func TestThousandMessagesDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slack := &workspace{answer: 300 * time.Millisecond, posts: map[string][]time.Time{}}
		rec := store.NewRecords(mem.New(), time.Now)
		outbox := newDrain(t, rec, slack)
		var out []keepwatch.Outgoing
		for i := range 1000 {
			out = append(out, keepwatch.Outgoing{ID: fmt.Sprint("m", i), Lane: "slack:C0", Channel: "slack:C0", Message: keepwatch.Message{Title: fmt.Sprint(i)}, Made: time.Now()})
		}
		begun := time.Now()
		lanes, err := rec.PostMessages(out)
		if err != nil {
			t.Fatal(err)
		}
		outbox.Send(lanes...)
		drained(t, rec, outbox)
		slack.check(t, 1, 1000, begun, 999*time.Second)
	})
}

// check looks at when the messages came.
func (w *workspace) check(t *testing.T, channels, each int, begun time.Time, last time.Duration) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.posts) != channels {
		t.Errorf("%d channels have something, and %d are to", len(w.posts), channels)
	}
	if len(w.early) > 0 {
		t.Errorf("%d came too early, the first in %s", len(w.early), w.early[0])
	}
	var end time.Time
	for channel, all := range w.posts {
		if len(all) != each {
			t.Errorf("%s has %d messages, and %d were to come", channel, len(all), each)
		}
		for i := 1; i < len(all); i++ {
			if apart := all[i].Sub(all[i-1]); apart != time.Second {
				t.Errorf("%s: message %d came %v after the one before", channel, i, apart)
				break
			}
		}
		if at := slices.MaxFunc(all, time.Time.Compare); at.After(end) {
			end = at
		}
	}
	if took := end.Sub(begun); took != last {
		t.Errorf("the last one went out after %v, and is to after %v", took, last)
	}
}

// newDrain starts an outbox at the pace of Slack.
func newDrain(t *testing.T, rec *store.Records, slack engine.Poster) *engine.Outbox {
	t.Helper()
	outbox, err := engine.NewOutbox(engine.OutboxConfig{
		Mail: rec, Cards: rec, Posters: map[string]engine.Poster{"slack": slack}, Pace: map[string]time.Duration{"slack": slackPace}, Edits: map[string]time.Duration{"slack": slackEdits},
		Show: func(int64) (keepwatch.Message, keepwatch.RunState, error) {
			return keepwatch.Message{}, "", errors.New("there are no runs")
		},
	})
	if err == nil {
		err = outbox.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return outbox
}

// drained waits until nothing waits any more, and ends the outbox.
func drained(t *testing.T, rec *store.Records, outbox *engine.Outbox) {
	t.Helper()
	for range 10_000 {
		lanes, err := rec.Lanes()
		if err != nil {
			t.Fatal(err)
		}
		if len(lanes) == 0 {
			break
		}
		time.Sleep(time.Second)
	}
	if err := outbox.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// drainDue has a thousand reminders come due at once, by the ticker, and waits until
// all is posted. It gives when they came due.
func drainDue(t *testing.T, slack engine.Poster, channels int) time.Time {
	t.Helper()
	rec, times := store.NewRecords(mem.New(), time.Now), when.New()
	outbox := newDrain(t, rec, slack)
	begun := time.Now().UTC().Truncate(time.Minute).Add(time.Minute)
	title := func(o keepwatch.Occurrence, _ keepwatch.Rule) keepwatch.Message {
		return keepwatch.Message{Title: o.Text}
	}
	scheduler, err := remind.New(remind.Config{
		Records: bookOf{rec}, Clock: times, Show: title, Send: outbox.Send, NewID: handlers.NewID,
		ShowDigest: func(_ keepwatch.Digest, list []keepwatch.Occurrence) keepwatch.Message {
			return keepwatch.Message{Title: fmt.Sprintf("%d are due", len(list))}
		},
		ShowMissed: func(r keepwatch.Rule, _ []keepwatch.Occurrence) keepwatch.Message {
			return keepwatch.Message{Title: "missed " + r.ID}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	makeDue(t, rec, 1000, channels, begun)
	ticker, err := engine.NewTicker(engine.TickerConfig{
		Due: rec.Due, Next: rec.NextDue, Tick: map[keepwatch.WakeKind]func(context.Context, []keepwatch.Wake) error{keepwatch.WakeRule: scheduler.Tick, keepwatch.WakeOccurrence: scheduler.Tick},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { ticker.Run(ctx); close(over) }()
	time.Sleep(time.Until(begun.Add(time.Millisecond)))
	synctest.Wait()
	drained(t, rec, outbox)
	stop()
	<-over
	return begun
}
