package handlers

import (
	"strings"
	"testing"

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
