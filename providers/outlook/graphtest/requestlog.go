package graphtest

import (
	"slices"
	"time"
)

// Request is one that was made to Graph.
type Request struct {
	Method string
	Path   string // unescaped, without the query
	Query  string // as it came
	Prefer string
	App    string
	User   string // id of the mailbox's owner; "": none
	Status int    // 0: the connection was cut
	Code   string // of the error
	Time   time.Time
	Batch  bool // it was in a $batch
	Flying int  // requests of the application for this mailbox, with this one
}

type requestLog struct{ all []Request }

// Requests are all that were made to Graph, in the order of their coming; those in a
// $batch follow it.
func (n *Tenant) Requests() []Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.log.all)
}

// Count is how many requests match.
func (n *Tenant) Count(match func(Request) bool) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	sum := 0
	for _, r := range n.log.all {
		if match(r) {
			sum++
		}
	}
	return sum
}

// ForgetRequests empties the log.
func (n *Tenant) ForgetRequests() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log.all = nil
}
