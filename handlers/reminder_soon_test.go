package handlers

import (
	"testing"
	"time"

	"keepwatch/engine/when"
)

// TestSoonIsNotPastWhenItIsConfirmed: "in 1 minute", said two seconds before the
// minute is full, leaves a minute to confirm it.
func TestSoonIsNotPastWhenItIsConfirmed(t *testing.T) {
	w := newWorld()
	r := w.timed(t, newKeeper())
	r.cfg.Duties.Times = when.New()
	now := time.Date(2026, 11, 26, 4, 23, 58, 0, time.UTC)
	r.cfg.Now = func() time.Time { return now }
	for text, want := range map[string]string{"in 1 minute": "04:25", "in 5 minutes": "04:29", "in 2 hours": "06:23", "4:30": "04:30"} {
		got, err := r.parseWhen(text, time.UTC)
		if err != nil || got.At.Format("15:04:05") != want+":00" {
			t.Errorf("%s: %s, %v; want %s", text, got.At, err, want)
		}
	}
}
