package discord

import (
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// TestLostDeferralIsNotDoubled: the deferral never got to Discord; the card went into the channel; the process was
// killed before that was saved and comes back after 5 minutes, or 20.
func TestLostDeferralIsNotDoubled(t *testing.T) {
	for _, away := range []time.Duration{time.Second, 5 * time.Minute, 20 * time.Minute} {
		t.Run(away.String(), func(t *testing.T) {
			r := start(t, nil)
			rec := store.NewRecords(mem.New(), r.clock.Now)
			reply := keepwatch.Reply{To: keepwatch.Account{Platform: "discord", ID: r.alis}, Token: "unknown-to-discord", Until: r.clock.Now().Add(tokenLife), Open: true}
			r.clock.Advance(10 * time.Second)
			lanes := saved(t, rec, keepwatch.Outgoing{ID: "bbbbbbbbbbbbbbbbbbbb", Lane: "re:bbbbbbbbbbbbbbbbbbbb", Channel: "discord:" + r.srv.ChannelID(), Reply: &reply, Run: 42, Made: r.clock.Now()})
			r.killed(rec, "outbox.posted", lanes...)
			r.clock.Advance(away)
			next := outbox(t, r, rec)
			next.Send(lanes...)
			r.emptied(rec, next)
			if m := r.srv.Messages(r.srv.ChannelID()); len(m) != 1 {
				t.Errorf("it stands there %d times", len(m))
			}
		})
	}
}
