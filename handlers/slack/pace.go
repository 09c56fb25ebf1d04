package slack

import (
	"context"
	"sync"
	"time"
)

// pacer says when a socket may be opened: not soon after the other one, or both
// would be refreshed together; and not again and again without a pause where
// connections end as soon as they stand.
type pacer struct {
	apart time.Duration
	mu    sync.Mutex
	last  [sockets]time.Time
	quick [sockets]int // openings of a socket that came soon after the one before
	alive [sockets]bool
}

const (
	soon         = time.Minute
	longestPause = 20 * time.Second
)

func newPacer(apart time.Duration) *pacer { return &pacer{apart: apart} }

func (p *pacer) up(i int, up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive[i] = up
}

// pause books an opening of socket i, and gives how long to wait before it.
func (p *pacer) pause(i int, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := time.Duration(0)
	if !p.last[i].IsZero() && now.Sub(p.last[i]) < soon {
		if p.quick[i]++; p.quick[i] > 1 {
			wait = min(250*time.Millisecond<<min(p.quick[i]-2, 10), longestPause)
		}
	} else {
		p.quick[i] = 0
	}
	for other, last := range p.last {
		if other != i && !last.IsZero() && p.alive[other] {
			wait = max(wait, last.Add(p.apart).Sub(now))
		} else if other < i && p.last[i].IsZero() { // at the start the first goes first, whichever asks first
			wait = max(wait, p.apart)
		}
	}
	p.last[i] = now.Add(wait)
	return wait
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
