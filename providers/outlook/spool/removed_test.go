package spool

import (
	"bytes"
	"strconv"
	"testing"

	"keepwatch/providers/outlook"
)

// TestRemovedInBatches: what was removed comes once each, also where it is read in several
// transactions, and whoever reads it may write meanwhile and stop.
func TestRemovedInBatches(t *testing.T) {
	s, err := New(Config{Dir: t.TempDir()}).Open(1, bytes.Repeat([]byte("k"), keyBytes))
	must(t, err)
	defer s.Close()
	const n = 2*removedBatch + 1
	items := make([]outlook.Item, n)
	for i := range items {
		items[i] = outlook.Item{ID: strconv.Itoa(i), Removed: "deleted"}
	}
	must(t, s.SetFolders([]outlook.Folder{{ID: "a"}}))
	must(t, s.Page("a", items, outlook.Position{State: "s"}))
	seen := map[string]bool{}
	for item, err := range s.Removed("a") {
		must(t, err)
		if seen[item.ID] {
			t.Fatalf("%s comes twice", item.ID)
		}
		if seen[item.ID] = true; len(seen) == 1 {
			must(t, s.Sync())
			must(t, s.Page("a", nil, outlook.Position{State: "later"}))
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d", len(seen), n)
	}
	for range s.Removed("a") {
		break
	}
}
