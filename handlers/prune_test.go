package handlers

import (
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// TestNobodyPinsWhatIsBeingRemoved: "is kept for ever" is not said of an archive
// that is gone a moment later.
func TestNobodyPinsWhatIsBeingRemoved(t *testing.T) {
	w := newWorld()
	a := &w.archives[2]
	a.Removing = true
	m := w.router(t).Handle(t.Context(), ask("/backup pin "+a.Ref()+" precious", "slack:U1"))
	if !m.Failed || m.Refused != keepwatch.KindConflict || a.Pinned != "" {
		t.Errorf("%+v, pinned: %q", m, a.Pinned)
	}
	a.Removing, a.Pinned = false, "precious"
	if m := w.router(t).Handle(t.Context(), ask("/backup pin "+a.Ref()+" --off", "slack:U1")); m.Failed || a.Pinned != "" {
		t.Errorf("%+v, pinned: %q", m, a.Pinned)
	}
}

// TestAConfirmationIsOfOneSource: the code of a plan that removes nothing
// confirms the rules for the source that it was shown for, and for no other.
func TestAConfirmationIsOfOneSource(t *testing.T) {
	w := newWorld()
	other := w.archives[0]
	other.Source = "web"
	w.archives = []keepwatch.Archive{w.archives[0], other}
	r := w.router(t)
	code := strings.TrimPrefix(r.Handle(t.Context(), ask("/backup prune notes", "slack:U1")).Buttons[0].Command, "backup prune notes ")
	if m := r.Handle(t.Context(), ask("/backup prune web "+code, "slack:U1")); !m.Failed || len(w.runs) > 0 {
		t.Errorf("%+v, %v", m, w.runs)
	}
	if m := r.Handle(t.Context(), ask("/backup prune notes "+code, "slack:U1")); m.Run != 1 {
		t.Errorf("%+v", m)
	}
}

// TestWhoPinsAndWhoGivesUp: an operator may keep an archive for ever. To give it
// up may remove it, which is for admins.
func TestWhoPinsAndWhoGivesUp(t *testing.T) {
	w := newWorld()
	a := &w.archives[2]
	r := w.router(t)
	for _, c := range []struct {
		line, who, pinned string
		denied            bool
	}{
		{"/backup pin " + a.Ref() + " precious", "slack:U2", "precious", false},
		{"/backup pin " + a.Ref() + " --off", "slack:U2", "precious", true},
		{"/backup pin " + a.Ref() + " --off", "slack:U1", "", false},
	} {
		m := r.Handle(t.Context(), ask(c.line, c.who))
		if a.Pinned != c.pinned || m.Failed != c.denied || c.denied && m.Refused != keepwatch.KindDenied {
			t.Errorf("%s by %s: %+v, pinned: %q", c.line, c.who, m, a.Pinned)
		}
	}
}

// TestSourcesTellHowPruningStands: whoever looks at the sources sees where
// somebody has to say something before the rules are applied.
func TestSourcesTellHowPruningStands(t *testing.T) {
	w := newWorld()
	look := func(want string) {
		t.Helper()
		if got := plain(w.router(t).Handle(t.Context(), ask("/backup sources", "slack:U2"))); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	look("waits to be confirmed: 1 archive would go")
	w.rules = (keepwatch.Keep{Last: 2}).Rules(time.UTC)
	look("by the rules")
	w.archives[0].Findings = []keepwatch.Finding{{Rule: "empty", Text: "It is empty."}}
	look("paused: " + w.archives[0].Stamp + " looks wrong")
	w.rules, w.archives = "", w.archives[1:2]
	look("not confirmed yet")
	w.archives = nil
	look("nothing yet")
}

// TestABackupThatLooksWrongIsNoSuccess: neither for a person nor for a cron.
func TestABackupThatLooksWrongIsNoSuccess(t *testing.T) {
	run := keepwatch.Run{ID: 1, Kind: keepwatch.RunBackup, Source: "notes", State: keepwatch.RunDone}
	if m := newWorld().router(t).RunMessage(run); m.Failed {
		t.Errorf("%+v", m)
	}
	run.Result.Findings = []keepwatch.Finding{{Rule: "empty", Text: "It is empty."}}
	if m := newWorld().router(t).RunMessage(run); !m.Failed || m.Title != "Run 1: backup of notes is done, and is unlike those before it" {
		t.Errorf("%+v", m)
	}
}
