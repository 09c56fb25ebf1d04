package handlers

import (
	"context"
	"net/http"
	"net/url"

	"keepwatch"
)

// Counter is what a front-end hands requests to; *Desk is one.
type Counter interface {
	// Take saves a delivery and returns; see [Desk.Take]. Acknowledge to the
	// platform after it has returned without an error.
	Take(ctx context.Context, d keepwatch.Delivery) (fresh bool, err error)
	// Complete gives what the word before cursor may be completed to.
	Complete(ctx context.Context, req keepwatch.Request, cursor int) []Candidate
	// Button gives the button behind a token of [keepwatch.Button.Token]; a
	// KindNotFound error where it was forgotten.
	Button(token string) (keepwatch.Button, error)
	// Commands gives the table.
	Commands() []Command
}

// Frontend is one platform. handlers/handlertest holds the contract that each of
// them passes.
//
// The three that post are called by the outbox, for one message of a channel at
// a time, and say by a *keepwatch.PostError what a refusal means. They never
// retry, and return soon after ctx ends.
type Frontend interface {
	// Run connects and stays connected, again and again, until ctx ends; then
	// it gives nil. A fault that only a person can mend (a token that is not
	// accepted) ends it with that error, which Ready gives from then on.
	Run(ctx context.Context) error
	// Ready gives nil while requests can arrive, and otherwise the sentence
	// that says what to fix or what is being waited for.
	Ready() error
	// Post sends a new message, or an answer by out.Reply while that is alive,
	// and gives the platform's reference to it ("" where it gives none). For
	// the card of a run out.Message holds what it shows now.
	Post(ctx context.Context, out keepwatch.Outgoing) (ref string, err error)
	// Edit changes a message of ours. Doing it twice does no harm.
	Edit(ctx context.Context, card keepwatch.Card, msg keepwatch.Message) error
	// Find looks whether a message was posted although no answer came. An
	// answer by Reply cannot be looked for; it is not asked for one.
	Find(ctx context.Context, out keepwatch.Outgoing) (ref string, found bool, err error)
}

// Redirect sends every request to another address: its scheme and host stand for
// those of the request, whose path stays. So one setting takes all traffic of a
// platform to a proxy or to a test server, the addresses that the platform itself
// names included.
type Redirect struct {
	To   *url.URL
	Next http.RoundTripper // nil: http.DefaultTransport
}

// RoundTrip satisfies http.RoundTripper.
func (r Redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	next := r.Next
	if next == nil {
		next = http.DefaultTransport
	}
	to := req.Clone(req.Context())
	to.URL = r.URL(req.URL)
	to.Host = to.URL.Host
	return next.RoundTrip(to)
}

// CloseIdleConnections has http.Client.CloseIdleConnections reach what is behind.
func (r Redirect) CloseIdleConnections() {
	if next, ok := r.Next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// URL gives the redirected address; "wss" goes with an "https" of To, and "ws"
// with an "http".
func (r Redirect) URL(u *url.URL) *url.URL {
	out := *u
	out.Host = r.To.Host
	socket := u.Scheme == "ws" || u.Scheme == "wss"
	switch {
	case socket && r.To.Scheme == "http":
		out.Scheme = "ws"
	case socket:
		out.Scheme = "wss"
	default:
		out.Scheme = r.To.Scheme
	}
	return &out
}
