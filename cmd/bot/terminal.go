package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"keepwatch"
	"keepwatch/handlers/console"
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

// openFor shows messages in a chat, until end is called.
func (t *terminalPoster) openFor(c *console.Console) (end func()) {
	t.open(c.Post)
	return func() { t.open(nil) }
}

// Post satisfies engine.Poster. What stands in a terminal has no reference.
func (t *terminalPoster) Post(ctx context.Context, out keepwatch.Outgoing) (string, error) {
	t.mu.Lock()
	show := t.show
	t.mu.Unlock()
	if show != nil {
		err := show(ctx, out.Message)
		if errors.Is(err, console.ErrOver) { // the next chat shows it
			err = &keepwatch.PostError{Verdict: keepwatch.VerdictLater, After: time.Second, Err: err}
		}
		return "", err
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

// stillOpen is a line about what waits for somebody, for whoever opens a chat; "" where
// there is nothing.
func (a *app) stillOpen() string {
	reminders, err := a.duties.scheduler.CountOpen()
	warnings, errW := a.duties.warnings.Warnings()
	const looked = 500 // as many as /keepwatch steps looks at
	walks, errC := a.records.Walks("", looked)
	if err := errors.Join(err, errW, errC); err != nil {
		a.log.Warn("what is open could not be counted", "err", err)
	}
	now, told, ways := a.now(), int64(0), int64(0)
	for _, w := range warnings {
		if w.AckedBy == "" || !now.Before(w.Quiet) {
			told++
		}
	}
	for _, w := range walks {
		if w.Ended.IsZero() {
			ways++
		}
	}
	var what, how []string
	add := func(n int64, command, one, more string) {
		if n > 0 {
			what, how = append(what, keepwatch.FormatCount(n, one, more)), append(how, command)
		}
	}
	add(reminders, "/reminder list --due", "reminder is open", "reminders are open")
	add(told, "/keepwatch warnings", "warning", "warnings")
	add(ways, "/keepwatch steps", "checklist under way", "checklists under way")
	if len(what) == 0 {
		return ""
	}
	return strings.Join(what, ", ") + ": " + strings.Join(how, ", ")
}

// keepFile writes a file of a message, such as the picture of a report, for whoever
// sits at the terminal: into the data folder, over one of the same name.
func (s settings) keepFile(f keepwatch.File) (string, error) {
	dir := filepath.Join(s.DataDir, "reports")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name := filepath.Base(f.Name)
	if !filepath.IsLocal(name) || name == "." {
		return "", fmt.Errorf("keep a file named %q", f.Name)
	}
	tmp := filepath.Join(dir, "."+name+".new")
	if err := os.WriteFile(tmp, f.Data, 0o600); err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return relative(path), os.Rename(tmp, path)
}
