package box

import (
	"context"
	"fmt"
	"testing"
	"time"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
)

func (w *world) meeting(i int) graphtest.Event {
	at := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC).AddDate(0, 0, i)
	return graphtest.Event{Subject: fmt.Sprintf("Meeting %d", i), Start: at, End: at.Add(time.Hour)}
}

func TestCalendarsAreReadWhole(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	c := w.b.Calendar("Team")
	for i := range 250 {
		c.Event(w.meeting(i))
	}
	f := w.folder(outlook.Calendar, "Team")
	r := w.whole(f)
	if len(r.items) != 250 || r.at.State != WholeState || f.Items != 250 {
		t.Fatalf("%d items, %+v", len(r.items), r.at)
	}
	c.Items()[3].Delete()
	again, err := w.read(f, r.at)
	if err != nil || len(again.items) != 249 || !again.at.Full || !again.at.Ended() {
		t.Errorf("%d items, %+v, %v", len(again.items), again.at, err)
	}
	c.Delete()
	if _, err := w.read(f, r.at); err == nil {
		t.Error("a deleted calendar can be read")
	}
}

// TestShiftedPages: an event that is taken out while its calendar is read shifts the pages,
// so that another one would be passed over.
func TestShiftedPages(t *testing.T) {
	for _, resumed := range []bool{false, true} {
		w := newWorld(t, graphtest.Options{})
		c := w.b.Calendar("Team")
		for i := range 450 {
			c.Event(w.meeting(i))
		}
		f := w.folder(outlook.Calendar, "Team")
		seen, at := map[string]bool{}, outlook.Position{}
		for change, err := range w.box.Changes(context.Background(), alis, f, at) {
			if err != nil {
				t.Fatal(err)
			}
			if len(seen) == 0 { // all of the first page
				for _, it := range c.Items()[:100] {
					it.Delete()
				}
			}
			for _, it := range change.Items {
				seen[it.ID] = true
			}
			if at = change.Position; resumed {
				break
			}
		}
		if resumed {
			if at.Ended() || at.Next == "" {
				t.Fatalf("%+v", at)
			}
			r, err := w.read(f, at)
			if err != nil {
				t.Fatal(err)
			}
			for id := range r.items {
				seen[id] = true
			}
			at = r.at
		}
		for _, it := range c.Items() {
			if !seen[it.ID(true)] {
				t.Errorf("resumed=%v: an event was passed over", resumed)
				break
			}
		}
		if !at.Ended() || !at.Full {
			t.Errorf("%+v", at)
		}
	}
}

// TestCalendarWithAnEventThatCannotBeListed: one event must not hide the others.
func TestCalendarWithAnEventThatCannotBeListed(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	c := w.b.Calendar("Team")
	for i := range 40 {
		c.Event(w.meeting(i))
	}
	c.Items()[7].Poison(graphtest.Poison{Code: graphtest.ContentConversion})
	f := w.folder(outlook.Calendar, "Team")
	r := w.whole(f)
	if len(r.items) != 40 {
		t.Fatalf("%d items", len(r.items))
	}
	good, bad := 0, 0
	for _, it := range r.items {
		content, text, err := w.bring(it)
		switch {
		case err != nil:
			bad++
		case contains(text, it.Subject) && contains(string(content.Item.Raw), `"body":`):
			good++
		}
	}
	if good != 39 || bad != 1 {
		t.Errorf("%d good, %d bad", good, bad)
	}
}
