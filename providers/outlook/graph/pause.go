package graph

import (
	"context"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// worthTelling is the shortest pause that whoever follows a run is told of. Shorter ones come
// and go with every refusal.
const worthTelling = 10 * time.Second

// Why a mailbox waits, for the card of a run.
const (
	whyAsked  = "Microsoft 365 asks Keepwatch to wait."
	whyUsedUp = "Microsoft 365 takes only so much for one mailbox in a few minutes, and Keepwatch waits until there is room again."
)

// pause waits where all calls of a mailbox do, or of the application, and says so to whoever
// follows the run.
func pause(ctx context.Context, clock Clock, d time.Duration, why string) error {
	if d >= worthTelling {
		until := clock.Now().Add(d + time.Second - 1).Truncate(time.Second) // the same for all who wait for it
		defer providers.Paused(ctx, keepwatch.Pause{Why: why, Until: until})()
	}
	return sleep(ctx, clock, d)
}

// rest waits for d until a call is made again. As long as the fence stands, that is a pause
// of all; behind it, it is this call's own.
func (c *Client) rest(ctx context.Context, l *lane, d time.Duration) error {
	fenced := max(0, min(d, max(l.fenced(), c.app.fenced())))
	if err := pause(ctx, c.clock, fenced, whyAsked); err != nil {
		return err
	}
	return sleep(ctx, c.clock, d-fenced)
}

// sleep waits by the client's clock.
func sleep(ctx context.Context, clock Clock, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return context.Cause(ctx)
	}
	done := make(chan struct{})
	stop := clock.AfterFunc(d, func() { close(done) })
	defer stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
