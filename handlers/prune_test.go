package handlers

import (
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
