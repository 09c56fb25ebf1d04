package main

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"keepwatch"
)

// terminalPoster posts to the terminal: above the prompt of the chat that has been
// opened, and into the log of a bot that runs without one.
type terminalPoster struct {
	log  *slog.Logger
	logs func() bool // whether nobody will ever sit there, so that the log has to do

	mu   sync.Mutex
	show func(ctx context.Context, m keepwatch.Message) error // nil: there is no chat
}

// open says where messages are shown from now on; nil: nowhere.
func (t *terminalPoster) open(show func(ctx context.Context, m keepwatch.Message) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.show = show
}

// Post satisfies engine.Poster. What stands in a terminal has no reference.
func (t *terminalPoster) Post(ctx context.Context, out keepwatch.Outgoing) (string, error) {
	t.mu.Lock()
	show := t.show
	t.mu.Unlock()
	if show != nil {
		return "", show(ctx, out.Message)
	}
	if !t.logs() {
		return "", &keepwatch.PostError{Verdict: keepwatch.VerdictLater, After: time.Second}
	}
	var text []string
	for _, b := range out.Message.Blocks {
		text = append(text, b.Text)
	}
	t.log.Warn("a message for the terminal", "title", out.Message.Title, "text", strings.TrimSpace(strings.Join(text, " ")))
	return "", nil
}

// Edit satisfies engine.Poster: what was printed stays as it is.
func (t *terminalPoster) Edit(context.Context, keepwatch.Card, keepwatch.Message) error {
	return &keepwatch.PostError{Verdict: keepwatch.VerdictGone}
}

// Find satisfies engine.Poster. Whether a line was seen before the process ended
// nobody knows; seen twice does less harm than not at all.
func (t *terminalPoster) Find(context.Context, keepwatch.Outgoing) (string, bool, error) {
	return "", false, nil
}
