package putback_test

import (
	"bytes"
	"errors"
	"testing"

	"keepwatch/providers/outlook"
)

// TestPoisonIsOfOneItem: a contact of which nothing can be read is refused as one item, and
// nothing of it is left in the folder; the next one goes in.
func TestPoisonIsOfOneItem(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Contacts, "Restored")
	bad := []byte("this is no card")
	_, err := w.r.Put(t.Context(), ali, f, outlook.Item{ID: "bad"}, outlook.Mark{Run: 7, Item: "bad"}, bytes.NewReader(bad), int64(len(bad)))
	if !errors.Is(err, outlook.ErrPoison) || len(w.inside(f)) != 0 {
		t.Errorf("%v, %d items", err, len(w.inside(f)))
	}
	w.put(f, outlook.Item{ID: "good"}, things()["contact"].content)
	if n := len(w.inside(f)); n != 1 {
		t.Errorf("%d items", n)
	}
}
