package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/engine"
)

// TestOutboxClockIsSet: pauses and pace are counted by a clock that nobody sets.
func TestOutboxClockIsSet(t *testing.T) {
	for _, by := range []time.Duration{-48 * time.Hour, 48 * time.Hour} {
		t.Run(fmt.Sprint(by), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.say("slack:A a", "slack:A b", "slack:A c")
				tries := 0
				p := o.boot(func(p *process, c *engine.OutboxConfig) {
					c.Pace = map[string]time.Duration{"slack": 10 * time.Second}
					p.posters["slack"].onPost = func(_ context.Context, out keepwatch.Outgoing) (bool, error) {
						if tries++; tries == 1 {
							return false, later(20 * time.Second)
						}
						return true, nil
					}
				}).start(t)
				begun := time.Now()
				time.Sleep(5 * time.Second)
				o.set(by)
				time.Sleep(time.Minute)
				var at []time.Duration
				for _, post := range o.vendors["slack"].all() {
					at = append(at, post.at.Sub(begun))
				}
				if !slices.Equal(at, []time.Duration{20e9, 30e9, 40e9}) {
					t.Errorf("they came at %v", at)
				}
				p.kill()
			})
		})
	}
}
