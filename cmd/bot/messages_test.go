package main

import (
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// TestProbeMessages: the check is quiet about messages on their way, and speaks of
// one that waits for long and of one that was refused.
func TestProbeMessages(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	rec := store.NewRecords(mem.New(), func() time.Time { return now })
	look := func() string {
		var all []string
		for _, p := range probeMessages(rec, now) {
			all = append(all, string(p.Status)+" "+p.Text)
		}
		return strings.Join(all, "\n")
	}
	want := func(texts ...string) {
		t.Helper()
		got := look()
		for _, text := range texts {
			if !strings.Contains(got, text) {
				t.Errorf("no %q in %q", text, got)
			}
		}
	}
	want("ok All were delivered")
	out := keepwatch.Outgoing{ID: "a", Lane: "slack:C1", Channel: "slack:C1", Message: keepwatch.Message{Title: "Run 1 is done"}, Made: now.Add(-time.Minute)}
	if _, err := rec.PostMessages([]keepwatch.Outgoing{out}); err != nil {
		t.Fatal(err)
	}
	want("ok 1 channel has messages")
	now = now.Add(20 * time.Minute)
	want("warning A message to slack:C1 has waited for 21 min")
	next, _, err := rec.NextMessage("slack:C1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rec.RefuseMessage(next, "The channel is archived."); err != nil {
		t.Fatal(err)
	}
	want("warning 1 message was refused for good", "Run 1 is done to slack:C1", "archived")
}
