package putback_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
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

// TestHoldsNoHalf: a mail that was cut off before it had all its attachments does not stand
// for the mail, and one that is whole does.
func TestHoldsNoHalf(t *testing.T) {
	w := newWorld(t)
	x := things()["large mail"]
	f := w.folder(x.kind, "Restored")
	held := func() bool {
		t.Helper()
		got, err := w.r.Holds(t.Context(), ali, f, []string{x.item.MessageID})
		if err != nil {
			t.Fatal(err)
		}
		return got[x.item.MessageID]
	}
	w.cutAfterCreate(f, x.item, x.content)
	w.restart()
	if n := len(w.inside(f)); held() || n != 1 {
		t.Errorf("half of a mail among %d is taken for the mail", n)
	}
	other := x.item
	other.ID = "again"
	w.put(f, other, x.content)
	if !held() {
		t.Error("the whole one is not seen beside the half one")
	}
}

// present gives what is in a folder, as ID and UID.
func (w *world) present(f outlook.Folder) (all []string, err error) {
	w.t.Helper()
	for x, err := range w.r.Present(w.t.Context(), ali, f) {
		if err != nil {
			return all, err
		}
		all = append(all, x.ID+" "+x.MessageID)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// TestPresent: what is in its folder still is known by the id of the archive, however many
// there are, and what was deleted or lies elsewhere is not there, although its id is good.
func TestPresent(t *testing.T) {
	w := newWorld(t)
	people, days := w.box.Contacts("Family"), w.box.Calendar("Team")
	book, calendar := outlook.Folder{ID: people.ID(), Kind: outlook.Contacts, Path: []string{"Family"}}, outlook.Folder{ID: days.ID(), Kind: outlook.Calendar, Path: []string{"Team"}}
	var wantBook, wantDays []string
	for n := range 6 {
		c, e := people.Contact(graphtest.Contact{Surname: "Ek"}), days.Event(graphtest.Event{UID: fmt.Sprint("uid-", n), Start: when, End: when.Add(time.Hour)})
		switch n {
		case 1:
			c.Delete()
			e.Delete()
		case 2:
			c.Move(w.box.Contacts())
			e.Move(w.box.Calendar(""))
		case 3:
			id := c.ID(true)
			c.Trash()
			e.Trash()
			if was := w.json("contacts/" + id + "?$select=id,parentFolderId"); was["id"] != id || was["parentFolderId"] != w.box.Folder("deleteditems").ID() {
				t.Errorf("the fake says of one that was deleted %v", was)
			}
		default:
			wantBook, wantDays = append(wantBook, c.ID(true)+" "), append(wantDays, e.ID(true)+" "+fmt.Sprint("uid-", n))
		}
	}
	slices.Sort(wantBook)
	slices.Sort(wantDays)
	for _, c := range []struct {
		f    outlook.Folder
		want []string
	}{{book, wantBook}, {calendar, wantDays}} {
		if got, err := w.present(c.f); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q, %v", c.f.Kind, got, c.want, err)
		}
	}
	people.Contact(graphtest.Contact{Surname: "Late"})
	for n := range 2500 {
		people.Contact(graphtest.Contact{Surname: fmt.Sprint(n)})
	}
	w.n.ForgetRequests()
	if got, err := w.present(book); err != nil || len(got) != 2504 || w.n.Count(func(r graphtest.Request) bool { return strings.HasSuffix(r.Path, "/contacts") }) != 6 {
		t.Errorf("%d of many, %v", len(got), err)
	}
}

// TestPresentShifted: one that is passed over, because another is taken out while the pages
// are counted through, is there all the same.
func TestPresentShifted(t *testing.T) {
	w := newWorld(t)
	people := w.box.Contacts("Family")
	for n := range 1500 {
		people.Contact(graphtest.Contact{Surname: fmt.Sprint(n)})
	}
	all, over := people.Items(), outlook.Folder{ID: people.ID(), Kind: outlook.Contacts}
	w.n.Fail(graphtest.Fault{Times: 1, Status: 503, Match: func(r *http.Request) bool {
		if hit := strings.Contains(r.URL.RawQuery, "skip"); hit {
			all[0].Delete() // the one at the border has moved up to the page that was read
			return true
		}
		return false
	}})
	if got, err := w.present(over); err != nil || !slices.Contains(got, all[1000].ID(true)+" ") {
		t.Errorf("%d, %v", len(got), err)
	}
}

// TestPresentRefused: a refusal is a sentence, or says that the folder is gone, and what
// cannot be read of a list is not there.
func TestPresentRefused(t *testing.T) {
	w := newWorld(t)
	f := outlook.Folder{ID: w.box.Calendar("Team").ID(), Kind: outlook.Calendar, Path: []string{"Team"}}
	w.box.Calendar("Team").Event(graphtest.Event{UID: "u", Start: when, End: when.Add(time.Hour)})
	for _, c := range []struct {
		status int
		code   string
		kind   keepwatch.Kind
		want   string
	}{
		{400, "ErrorInvalidUrlQuery", keepwatch.KindAttention, "Microsoft 365 does not say what is in Team (ErrorInvalidUrlQuery)"},
		{500, "InternalServerError", keepwatch.KindAttention, "Microsoft 365 does not say what is in Team (InternalServerError)"},
		{403, "ErrorAccessDenied", keepwatch.KindAttention, "Calendars.Read"},
		{404, "ErrorItemNotFound", keepwatch.KindNotFound, "it was deleted or moved"},
		{404, "ErrorInvalidUser", keepwatch.KindNotFound, "knows no mailbox"},
	} {
		w.n.Fail(graphtest.Fault{Times: 20, Status: c.status, Code: c.code, Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/events") }})
		got, err := w.present(f)
		w.n.Heal()
		if len(got) > 0 || keepwatch.KindOf(err) != c.kind || !strings.Contains(keepwatch.Sentence(err), c.want) || errors.Is(err, outlook.ErrGone) != (c.code == "ErrorItemNotFound") {
			t.Errorf("%d %s: %q %v", c.status, c.code, got, err)
		}
	}
	if got, err := w.present(f); err != nil || len(got) != 1 {
		t.Errorf("%q %v", got, err)
	}
}
