package discord

import (
	"context"
	"sync"
)

// acks knows the interactions whose first response is on its way. A request is
// carried out as soon as it is saved, so its answer may be ready before Discord
// has the deferral that the answer is to replace.
type acks struct {
	mu      sync.Mutex
	pending map[string]chan struct{} // by token
	lost    map[string]bool          // tokens of interactions whose response Discord did not take
	tried   map[string]bool          // tokens of interactions that we have responded to, or tried to
}

// mostLost is how many interactions are remembered, so that they do not grow for
// ever; a lost one that is forgotten is found lost again.
const mostLost = 1000

func newAcks() *acks {
	return &acks{pending: map[string]chan struct{}{}, lost: map[string]bool{}, tried: map[string]bool{}}
}

// try notes that a response is about to be sent, and reports whether it is the
// first attempt: the gateway may bring an interaction again when it resumes.
func (a *acks) try(token string) (first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tried[token] {
		return false
	}
	if len(a.tried) >= mostLost {
		clear(a.tried)
	}
	a.tried[token] = true
	return true
}

// lose notes that an interaction cannot be answered by its token.
func (a *acks) lose(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.lost) >= mostLost {
		clear(a.lost)
	}
	a.lost[token] = true
}

// isLost reports whether an interaction cannot be answered by its token.
func (a *acks) isLost(token string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lost[token]
}

// begin notes an interaction; done is called when its response is out, once or
// more often.
func (a *acks) begin(token string) (done func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ch := make(chan struct{})
	a.pending[token] = ch
	var once sync.Once
	return func() {
		once.Do(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			if a.pending[token] == ch {
				delete(a.pending, token)
			}
			close(ch)
		})
	}
}

// wait waits until the response is out; for an interaction from before a restart
// there is nothing to wait for. It reports false where ctx ended before.
func (a *acks) wait(ctx context.Context, token string) bool {
	a.mu.Lock()
	ch := a.pending[token]
	a.mu.Unlock()
	if ch == nil {
		return true
	}
	select {
	case <-ch:
		return true
	case <-ctx.Done():
		return false
	}
}
