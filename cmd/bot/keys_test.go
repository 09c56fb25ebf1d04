package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// openTestApp opens and starts the program in a folder of its own; crash is called
// at the points at which other tests kill it.
func openTestApp(t *testing.T, crash func(a *app, point string)) *app {
	t.Helper()
	dir := t.TempDir()
	var a *app
	p := process{Environ: []string{"HOME=" + dir}, Out: io.Discard, Err: io.Discard, Now: time.Now, Crash: func(point string) { crash(a, point) }}
	s, err := loadSettings(p, options{DataDir: filepath.Join(dir, "data"), given: map[string]bool{}})
	if err != nil {
		t.Fatal(err)
	}
	if a, err = openApp(p, s, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	if _, err := a.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "notes"), 0o755), os.WriteFile(filepath.Join(dir, "notes", "a"), []byte("a"), 0o644)); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *app) say(t *testing.T, text string) keepwatch.Message {
	return a.router.Handle(t.Context(), keepwatch.Request{Text: text, Account: a.account, Channel: "terminal", Local: true})
}

// TestTheKeyGoesWhileTheBotRuns: nothing is put into the vault that a key opens
// which is not there any more, whenever it goes; once it is back, the run goes on.
func TestTheKeyGoesWhileTheBotRuns(t *testing.T) {
	for _, when := range []string{"before", "providers.fetch.begun", "engine.verify.begun"} {
		for _, how := range []string{"gone", "replaced"} {
			t.Run(when+" "+how, func(t *testing.T) {
				passed := false
				away := func(a *app) {
					file := a.settings.keyPath()
					if err := os.Rename(file, file+".away"); err != nil {
						t.Error(err)
					}
					if how == "replaced" {
						if _, err := makeKey(file, a.records); err != nil {
							t.Error(err)
						}
					}
				}
				a := openTestApp(t, func(a *app, point string) {
					if point == when && !passed {
						passed = true
						away(a)
					}
				})
				if when == "before" {
					away(a)
				}
				notes := filepath.Join(filepath.Dir(a.settings.DataDir), "notes")
				msg := a.say(t, "/backup start "+notes)
				if when == "before" {
					if !msg.Failed || !strings.Contains(msg.Title+fmtBlocks(msg), "age-identity.txt") {
						t.Errorf("begun without its key: %+v", msg)
					}
				} else {
					run, err := a.engine.Follow(t.Context(), 1, func(keepwatch.Run) {})
					if err != nil || run.State != keepwatch.RunAttention || !strings.Contains(run.Failure.Message, "age-identity.txt") {
						t.Errorf("%s %+v, %v", run.State, run.Failure, err)
					}
				}
				if list, err := a.vault.List(); err != nil || len(list) > 0 {
					t.Errorf("sealed to a key that is not there: %v, %v", list, err)
				}
				if err := a.ready(); keepwatch.KindOf(err) != keepwatch.KindAttention {
					t.Errorf("ready: %v", err)
				}
				if err := os.Rename(a.settings.keyPath()+".away", a.settings.keyPath()); err != nil {
					t.Fatal(err)
				}
				again := "/backup retry 1"
				if when == "before" {
					again = "/backup start " + notes
				}
				a.say(t, again)
				if run, err := a.engine.Follow(t.Context(), 1, func(keepwatch.Run) {}); err != nil || run.State != keepwatch.RunDone {
					t.Errorf("with the key back: %s %+v, %v", run.State, run.Failure, err)
				}
			})
		}
	}
}

func fmtBlocks(m keepwatch.Message) string {
	var b strings.Builder
	for _, block := range m.Blocks {
		b.WriteString(block.Text)
	}
	return b.String()
}
