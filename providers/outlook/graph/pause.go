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
		defer providers.Paused(ctx, keepwatch.Pause{Why: why, Until: after(clock, d)})()
	}
	return sleep(ctx, clock, d)
}

// after gives when d is over, in whole seconds: the same for all who wait for it.
func after(clock Clock, d time.Duration) time.Time {
	return clock.Now().Add(d + time.Second - 1).Truncate(time.Second)
}

// rest waits for d until a call that failed with e is made again. Where the fence stands for
// about as long, that is a pause of all, and is over with the wait. Where it does not, the wait
// is the call's own, and t tells of it until the call has ended.
func (c *Client) rest(ctx context.Context, l *lane, d time.Duration, e *Error, t *trouble) error {
	fenced := max(0, min(d, max(l.fenced(), c.app.fenced())))
	switch {
	case d < worthTelling:
	case d-fenced > time.Second:
		t.tell(ctx, keepwatch.Pause{Why: e.trouble(), Until: after(c.clock, d), Trouble: true})
	default:
		t.tell(ctx, keepwatch.Pause{Why: whyAsked, Until: after(c.clock, fenced)})
		defer t.end()
	}
	return sleep(ctx, c.clock, d)
}

// trouble is what whoever follows a run is told of the further tries of one call. It stays while
// a try is under way, so that it does not come and go with each.
type trouble struct{ over func() }

func (t *trouble) tell(ctx context.Context, p keepwatch.Pause) {
	over := providers.Paused(ctx, p)
	t.end() // only now, so that there is no moment without one
	t.over = over
}

// end is for a call that has ended, as for a wait that is over.
func (t *trouble) end() {
	if t.over != nil {
		t.over()
		t.over = nil
	}
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
