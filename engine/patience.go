package engine

import (
	"time"

	"keepwatch"
)

// How long a refusal that nobody here understands is met with another attempt,
// and how many there must have been: a process that was stopped for an hour has
// not tried for an hour.
const (
	oddFor   = time.Hour
	oddTimes = 10
)

// patience bounds how long what a platform refuses for an unknown reason is tried
// again. It is kept for a lane, and not for each message: where the channel is what
// is refused, every message that waits would take an hour of its own. Nothing of it
// is saved, so a restart begins anew.
type patience struct {
	since time.Time // of the first such refusal; monotonic
	times int
}

// out reports whether a refusal is now one for good. Errors of the network and
// those that the platform explains neither count nor begin anew: they come in
// between without saying anything about the message.
func (p *patience) out(err *keepwatch.PostError) bool {
	if !err.Odd {
		return false
	}
	if p.times++; p.times == 1 {
		p.since = time.Now()
	}
	return p.times >= oddTimes && time.Since(p.since) >= oddFor
}
