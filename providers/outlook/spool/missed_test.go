package spool_test

import (
	"testing"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/spool"
)

// What an older archive misses is listed before the reading of its folder begins. A reading
// that goes on from a state keeps it until the server says otherwise, and a Full one takes
// out what it does not list.
func TestItemsBeforeTheReadingBegins(t *testing.T) {
	for _, full := range []bool{false, true} {
		sp := open(t, spool.Config{Dir: t.TempDir()})
		must(t, sp.SetFolders([]outlook.Folder{{ID: "f", Kind: outlook.Mail, Path: []string{"Inbox"}}}))
		for range 2 { // as after a kill
			must(t, sp.Page("f", []outlook.Item{item("stays", "1"), item("goes", "1")}, outlook.Position{}))
		}
		if at, err := sp.Position("f"); err != nil || at != (outlook.Position{}) {
			t.Errorf("%+v, %v", at, err)
		}
		must(t, sp.Restart("f", "state"))
		if full {
			must(t, sp.Restart("f", ""))
			must(t, sp.Page("f", []outlook.Item{item("stays", "1")}, outlook.Position{State: "next", Full: true}))
		} else {
			must(t, sp.Page("f", []outlook.Item{{ID: "goes", Removed: "deleted"}}, outlook.Position{State: "next"}))
		}
		var pending []string
		for it, err := range sp.Pending() {
			must(t, err)
			pending = append(pending, it.ID)
		}
		var removed []string
		for it, err := range sp.Removed("f") {
			must(t, err)
			removed = append(removed, it.ID)
		}
		if totals, err := sp.Totals(); err != nil || totals.Items != 1 || len(pending) != 1 || pending[0] != "stays" || len(removed) == 1 == full {
			t.Errorf("full %v: %+v, pending %q, removed %v, %v", full, totals, pending, removed, err)
		}
		must(t, sp.Close())
	}
}
