package remind_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/engine/when"
)

// TestUnderTheTicker: everything happens at its second.
func TestUnderTheTicker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // from midnight UTC of 1 January 2000, a Saturday
		w := newWorld(t, when.New(), time.Now())
		w.clocked = true
		ticker, err := engine.NewTicker(engine.TickerConfig{
			Due: w.kept.Due, Next: w.kept.NextDue,
			Tick: map[keepwatch.WakeKind]func(context.Context, []keepwatch.Wake) error{keepwatch.WakeRule: w.Tick, keepwatch.WakeOccurrence: w.Tick},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.told = ticker.Poke
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { ticker.Run(ctx) })
		time.Sleep(7 * time.Second)
		w.add(keepwatch.Rule{When: keepwatch.When{At: time.Now().Add(3 * time.Second), Zone: "UTC"}})
		w.add(keepwatch.Rule{When: keepwatch.When{Cron: "0 9 * * *", Zone: "Asia/Kolkata"}, Repeat: 10 * time.Minute, Times: 1, Chain: []string{"slack:B"}})
		time.Sleep(12 * time.Hour)
		stop()
		running.Wait()
		for id, want := range map[string][]string{
			"1@2000-01-01T00:00": {"00:00:10"},
			"2@2000-01-01T09:00": {"03:30:00", "03:40:00", "03:50:00"},
		} {
			var got []string
			for _, h := range w.occ(id).Log {
				got = append(got, h.At.UTC().Format("15:04:05"))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", id, got, want)
			}
		}
	})
}

// TestTellsOthers: the outbox hears of what is to be sent, and whoever watches of
// what is different; of what changes nothing, nobody.
func TestTellsOthers(t *testing.T) {
	w := newWorld(t, wallClock{}, at("2026-11-26 08:59"))
	w.add(keepwatch.Rule{When: cron("0 9 *")})
	if w.changed != 1 || len(w.sent) != 0 {
		t.Errorf("told %d times, and of the lanes %v", w.changed, w.sent)
	}
	w.to(at("2026-11-26 09:00"))
	if w.changed != 2 || !slices.Equal(w.sent, []string{"slack:A"}) {
		t.Errorf("told %d times, and of the lanes %v", w.changed, w.sent)
	}
	done := keepwatch.Answer{Kind: keepwatch.AnswerDone, By: "Alis"}
	w.answer("1@2026-11-26T09:00", done)
	w.answer("1@2026-11-26T09:00", done)
	w.tick()
	if w.changed != 3 || len(w.sent) != 2 {
		t.Errorf("told %d times, and of the lanes %v", w.changed, w.sent)
	}
}
