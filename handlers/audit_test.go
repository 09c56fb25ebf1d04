package handlers

import (
	"strings"
	"testing"

	"keepwatch"
)

// TestAuditOfASource finds what was asked about a source, carried out or not:
// denied, misspelt, by a stranger, about one of its archives or runs.
func TestAuditOfASource(t *testing.T) {
	for _, c := range []struct{ who, text, want string }{
		{"slack:U1", "/backup start notes", "notes"},
		{"slack:U999", "/backup prune notes --confirm yes", "notes"},
		{"slack:U3", "/backup start notes reports", "notes"},
		{"slack:U1", "/backup start notes --wrong", "notes"},
		{"slack:U3", "/backup restore notes/2026-11-24T030000Z --to /back", "notes"},
		{"slack:U3", "/backup cancel 1", "notes"},
		{"slack:U2", "/backup verify notes/2026 one too many", "notes"},
		{"slack:U1", "/backup prune notes --accept notes/2026", "notes"},
		{"slack:U1", "/backup start ../../etc", ""},
		{"slack:U1", "/backup list", ""},
		{"slack:U1", `/backup start "notes`, ""},
		{"slack:U1", "make coffee", ""},
	} {
		w := newWorld()
		w.runs[1] = keepwatch.Run{ID: 1, Source: "notes", State: keepwatch.RunRunning}
		w.router(t).Handle(t.Context(), ask(c.text, c.who))
		if len(w.audit) != 1 || w.audit[0].Source != c.want {
			t.Errorf("%s by %s: %+v, want the source %q", c.text, c.who, w.audit, c.want)
		}
	}
}

// TestAuditSaysWhatBecameOfIt: a request that started a run is done when the run
// has begun; what the run came to stands beside it.
func TestAuditSaysWhatBecameOfIt(t *testing.T) {
	w := newWorld()
	r := w.router(t)
	r.Handle(t.Context(), ask("/backup verify notes", "slack:U2"))
	run := w.runs[1]
	run.State = keepwatch.RunFailed
	w.runs[1] = run
	if got := plain(r.Handle(t.Context(), ask("/keepwatch audit", "slack:U1"))); !strings.Contains(got, "done, run 1: failed") {
		t.Error(got)
	}
}

// TestAuditOfACheck: a check that finds something was carried out all the same.
func TestAuditOfACheck(t *testing.T) {
	w := newWorld()
	if m := w.router(t).Handle(t.Context(), ask("/keepwatch check", "slack:U3")); !m.Failed || w.audit[0].Outcome != keepwatch.OutcomeDone {
		t.Errorf("%+v", w.audit)
	}
}
