package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
)

// TestWelcomeSaysWhatIsOpen: whoever opens a chat is told of what waits, and of nothing
// that does not.
func TestWelcomeSaysWhatIsOpen(t *testing.T) {
	a := beside(t, twoSources)
	now := a.now()
	if open := a.stillOpen(); open != "" {
		t.Errorf("with nothing open: %q", open)
	}
	warning := func(n int, change func(*keepwatch.Warning)) keepwatch.Warning {
		w := keepwatch.Warning{ID: fmt.Sprintf("w%d", n), Fact: keepwatch.Fact{Key: fmt.Sprintf("old/s%d", n), Kind: keepwatch.FactOld, Title: "It is old"}, First: now}
		change(&w)
		return w
	}
	_, err := a.records.Change(func(c *store.Change) error {
		return errors.Join(
			c.PutWarning(warning(1, func(*keepwatch.Warning) {})),
			c.PutWarning(warning(2, func(w *keepwatch.Warning) { w.AckedBy, w.Quiet = "Alis", now.Add(-time.Minute) })),
			c.PutWarning(warning(3, func(w *keepwatch.Warning) { w.AckedBy, w.Quiet = "Alis", now.Add(time.Hour) })), // it rests
			c.PutWarning(warning(4, func(w *keepwatch.Warning) { w.Gone = now })),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	if open, want := a.stillOpen(), "2 warnings: /keepwatch warnings"; open != want {
		t.Errorf("%q, want %q", open, want)
	}
	for i, ended := range []time.Time{{}, now} {
		if _, err := a.records.StartWalk(keepwatch.Walk{Checklist: fmt.Sprintf("list%d", i), Person: "Alis", Ended: ended}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = a.records.Change(func(c *store.Change) error {
		for i, state := range []keepwatch.OccurrenceState{keepwatch.OccurrenceDue, keepwatch.OccurrenceDue, keepwatch.OccurrenceDone} {
			id := fmt.Sprintf("%d@2026-11-26T09:00", i+1)
			if err := c.PutOccurrence(keepwatch.Occurrence{ID: id, Rule: fmt.Sprint(i + 1), Wall: "2026-11-26T09:00", Kind: keepwatch.RuleText, At: now, State: state}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "2 reminders are open, 2 warnings, 1 checklist under way: /reminder list --due, /keepwatch warnings, /keepwatch steps"
	if open := a.stillOpen(); open != want {
		t.Errorf("%q, want %q", open, want)
	}
	if !strings.HasSuffix(a.welcome(), "\n"+want) {
		t.Error(a.welcome())
	}
}
