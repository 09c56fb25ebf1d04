package handlers

import (
	"testing"
	"time"

	"keepwatch"
)

// TestThisWeekIsNoStepBack: whoever has said Monday's successor, and then presses
// "This week", does not say that the date went back.
func TestThisWeekIsNoStepBack(t *testing.T) {
	for _, c := range []struct{ known, want time.Time }{
		{dayOf(11, 24), dayOf(11, 24)}, // noon is a Tuesday
		{dayOf(11, 23), dayOf(11, 23)},
		{dayOf(11, 19), dayOf(11, 23)},
	} {
		d := newDuty()
		d.devices[0].Seen = c.known
		d.router(t, newWorld()).Handle(t.Context(), ask("/authenticator checked alis-iphone this week", "slack:U1"))
		if len(d.said) != 1 || !d.said[0].Seen.Equal(c.want) || d.said[0].State != keepwatch.AttestedOn {
			t.Errorf("%s is known: %+v", c.known.Format(time.DateOnly), d.said)
		}
	}
}
