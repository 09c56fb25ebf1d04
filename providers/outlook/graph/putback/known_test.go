package putback_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
)

// known gives Item and State of all that restores have put into a folder.
func (w *world) known(f outlook.Folder) (all []string) {
	w.t.Helper()
	for m, err := range w.r.Known(w.t.Context(), ali, f) {
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, m.Item+" "+m.State)
	}
	slices.Sort(all)
	return all
}

// TestKnown: items of every kind are known again by whoever asks in another run, those that
// were cut off are not, and it changes nothing. A refused filter is done without.
func TestKnown(t *testing.T) {
	for name, x := range things() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			f := w.folder(x.kind, "Restored")
			w.put(f, x.item, x.content)
			w.put(f, x.item, x.content) // as a copy that a person has made
			other := x.item
			other.ID = "cut/off"
			if name != "small mail" { // which is there at once
				w.cutAfterCreate(f, other, x.content)
			}
			w.restart()
			n := len(w.inside(f))
			if got := w.known(f); len(got) != 2 || got[0] != x.item.ID+" " || got[1] != got[0] {
				t.Errorf("%q", got)
			}
			w.n.Fail(graphtest.Fault{Times: 1, Status: 400, Code: "ErrorInvalidUrlQueryFilter", Match: func(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, "filter") }})
			if got := w.known(f); len(got) != 2 {
				t.Errorf("without a filter: %q", got)
			}
			if len(w.inside(f)) != n {
				t.Errorf("%d items became %d", n, len(w.inside(f)))
			}
		})
	}
}

// cutAfterCreate leaves an item that is made and not whole.
func (w *world) cutAfterCreate(f outlook.Folder, item outlook.Item, content []byte) {
	w.t.Helper()
	before := len(w.inside(f))
	for n := 1; len(w.inside(f)) == before; n++ {
		ctx, cancel := context.WithCancel(w.t.Context())
		w.wire.cutAt(n, true, cancel)
		if _, err := w.tryPut(ctx, f, item, content); err == nil {
			w.t.Fatal("it was whole before it could be cut off")
		}
		w.wire.cutAt(0, false, nil)
		cancel()
	}
}
