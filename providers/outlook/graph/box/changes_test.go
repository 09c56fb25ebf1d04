package box

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

func TestMessagesAreListedWithAllThatIsKnown(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	m := letter()
	m.Received, m.Sent = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 9, 59, 0, 0, time.UTC)
	m.Read, m.Flag, m.Importance, m.Categories, m.MessageID = true, "flagged", "high", []string{"Red", "Blue"}, "<a@b>"
	m.Attachments = []graphtest.Attachment{{Name: "a.bin", Size: 5000}}
	id := w.b.Folder("inbox").Message(m).ID(true)
	it := w.whole(w.folder(outlook.Mail, "Inbox")).items[id]
	raw := string(it.Raw)
	it.Raw = nil
	want := outlook.Item{
		ID: id, Folder: it.Folder, Kind: outlook.Mail, Change: it.Change, Subject: "Hello", At: m.Received, Sent: m.Sent, Created: it.Created, Modified: it.Modified, From: "Bea <bea@fabrikam.example>",
		MessageID: "<a@b>", Size: it.Size, Read: true, Flag: "flagged", Importance: "high", Categories: m.Categories, Attached: true,
	}
	if fmt.Sprint(it) != fmt.Sprint(want) || it.Change == "" || it.Size < 5000 || it.Modified.IsZero() {
		t.Errorf("got  %+v\nwant %+v", it, want)
	}
	for _, part := range []string{`"toRecipients":[`, `"conversationId":"`, `"webLink":"`} {
		if !contains(raw, part) {
			t.Errorf("raw has no %s: %s", part, raw)
		}
	}
	if contains(raw, "Good morning") {
		t.Errorf("raw has the text")
	}
}

func contains(s, part string) bool { return strings.Contains(s, part) }

func TestChangesSinceAState(t *testing.T) {
	for _, kind := range []outlook.Kind{outlook.Mail, outlook.Contacts} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t, graphtest.Options{})
			there, title := w.b.Folder("inbox"), "Inbox"
			other := w.b.Folder("archive")
			add := func() *graphtest.Item { return there.Message(letter()) }
			if kind == outlook.Contacts {
				there, title, other = w.b.Contacts(), "Contacts", w.b.Contacts("Old")
				add = func() *graphtest.Item { return there.Contact(graphtest.Contact{GivenName: "Bea"}) }
			}
			var items []*graphtest.Item
			for range 450 {
				items = append(items, add())
			}
			f := w.folder(kind, title)
			first := w.whole(f)
			if len(first.items) != 450 || first.pages < 3 {
				t.Fatalf("%d items on %d pages", len(first.items), first.pages)
			}
			items[0].Delete()
			items[1].Move(other)
			added := add()
			second, err := w.read(f, first.at)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{items[0].ID(true): "deleted", items[1].ID(true): "changed"}
			if !maps.Equal(second.removed, want) || len(second.items) != 1 || second.items[added.ID(true)].ID == "" {
				t.Errorf("removed %v, want %v; items %d", second.removed, want, len(second.items))
			}
			if second.at.Full || !second.at.Ended() {
				t.Errorf("%+v", second.at)
			}
		})
	}
}

// TestChangesGoOn: a reading that was cut off goes on with its Next, and is Full as it was.
func TestChangesGoOn(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	w.b.Folder("inbox").Messages(900, func(int) graphtest.Message { return letter() })
	f := w.folder(outlook.Mail, "Inbox")
	seen, at := map[string]bool{}, outlook.Position{}
	for range 20 {
		for c, err := range w.box.Changes(context.Background(), alis, f, at) {
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range c.Items {
				seen[it.ID] = true
			}
			at = c.Position
			break // killed after each page
		}
		if at.Ended() {
			break
		}
	}
	if len(seen) != 900 || !at.Ended() || !at.Full {
		t.Errorf("%d items, %+v", len(seen), at)
	}
}

func TestStatesThatAreTooOld(t *testing.T) {
	for _, how := range []graphtest.Expiry{graphtest.SyncStateNotFound, graphtest.SyncStateInvalid, graphtest.ResyncRequired} {
		w := newWorld(t, graphtest.Options{})
		w.b.Folder("inbox").Message(letter())
		f := w.folder(outlook.Mail, "Inbox")
		at := w.whole(f).at
		w.b.ExpireDelta(how)
		_, err := w.read(f, at)
		if !errors.Is(err, outlook.ErrResync) || errors.Is(err, outlook.ErrGone) {
			t.Errorf("%v: %v", how, err)
		}
		if r := w.whole(f); len(r.items) != 1 {
			t.Errorf("read anew: %d items", len(r.items))
		}
	}
	w := newWorld(t, graphtest.Options{})
	f := w.folder(outlook.Mail, "Inbox")
	at := w.whole(f).at
	at.State = "https://graph.microsoft.us/v1.0/" + at.State[len(w.n.URL):]
	if _, err := w.read(f, at); !errors.Is(err, outlook.ErrResync) {
		t.Errorf("a state of another cloud: %v", err)
	}
	at = w.whole(f).at
	w.n.Fail(graphtest.Fault{Status: 404, Code: "ErrorSyncFolderNotFound"})
	if _, err := w.read(f, at); !errors.Is(err, outlook.ErrResync) || errors.Is(err, outlook.ErrGone) {
		t.Errorf("a lost state of a folder that is there: %v", err)
	}
}

func TestFoldersThatChangeMeanwhile(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	there := w.b.Folder("inbox", "Old name")
	there.Message(letter())
	f := w.folder(outlook.Mail, "Inbox/Old name")
	at := w.whole(f).at
	there.Rename("New name")
	there.Move(w.b.Folder("archive"))
	id := there.Message(letter()).ID(true)
	r, err := w.read(f, at)
	if err != nil || len(r.items) != 1 || r.items[id].ID == "" {
		t.Errorf("a folder that was moved: %v, %v", r.items, err)
	}
	if g := w.folder(outlook.Mail, "Archive/New name"); g.ID != f.ID {
		t.Errorf("it has another id")
	}
	there.Delete()
	for _, from := range []outlook.Position{r.at, {}} {
		if _, err := w.read(f, from); !errors.Is(err, outlook.ErrGone) {
			t.Errorf("a folder that was deleted: %v", err)
		}
	}
}

// TestErrorsKeepTheirSentences: and a mailbox that cannot be reached is not taken for one
// whose folders are gone.
func TestErrorsKeepTheirSentences(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	f := w.folder(outlook.Mail, "Inbox")
	for _, c := range []struct {
		fault graphtest.Fault
		kind  keepwatch.Kind
		is    error
	}{
		{graphtest.Fault{Status: 404, Code: "MailboxNotEnabledForRESTAPI"}, keepwatch.KindAttention, graph.ErrNotFound},
		{graphtest.Fault{Status: 404, Code: "ErrorInvalidUser"}, keepwatch.KindNotFound, graph.ErrNotFound},
		{graphtest.Fault{Status: 404, Code: "Request_ResourceNotFound"}, keepwatch.KindNotFound, graph.ErrNotFound},
		{graphtest.Fault{Status: 403}, keepwatch.KindAttention, graph.ErrDenied},
		{graphtest.Fault{Status: 404, Code: "ErrorItemNotFound"}, keepwatch.KindNotFound, outlook.ErrGone},
	} {
		w.n.Fail(c.fault)
		_, err := w.read(f, outlook.Position{})
		var k *keepwatch.Error
		if !errors.As(err, &k) || k.Kind != c.kind || k.Message == "" || !errors.Is(err, c.is) {
			t.Errorf("%s: %v", c.fault.Code, err)
		}
		if errors.Is(err, outlook.ErrGone) != (c.is == outlook.ErrGone) || errors.Is(err, outlook.ErrPoison) {
			t.Errorf("%s: taken for gone, or for poison: %v", c.fault.Code, err)
		}
		w.n.Heal()
	}
}

func TestListingUnderPressure(t *testing.T) {
	w := newWorld(t, graphtest.Options{LargePage: 60})
	w.b.Folder("inbox").Messages(1500, func(i int) graphtest.Message { return letter() })
	f := w.folder(outlook.Mail, "Inbox")
	w.n.Throttle(5, 10*time.Second)
	w.n.Fail(graphtest.Fault{Times: 2, Drop: true})
	w.n.ExpireTokens()
	if r := w.whole(f); len(r.items) != 1500 {
		t.Errorf("%d items", len(r.items))
	}
}

// TestSizesAreNotWorthAFolder: where Graph refuses to give sizes, all else is listed.
func TestSizesAreNotWorthAFolder(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	w.b.Folder("inbox").Messages(450, func(int) graphtest.Message { return letter() })
	f := w.folder(outlook.Mail, "Inbox")
	w.n.Fail(graphtest.Fault{Times: -1, Status: 400, Code: "ErrorInvalidUrlQuery", Match: func(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, "expand") }})
	r := w.whole(f)
	for _, it := range r.items {
		if it.Size != 0 || it.Subject != "Hello" {
			t.Fatalf("%+v", it)
		}
	}
	if len(r.items) != 450 {
		t.Errorf("%d items", len(r.items))
	}
	w.n.Heal()
	w.n.Fail(graphtest.Fault{Times: -1, Status: 400})
	if _, err := w.read(f, outlook.Position{}); err == nil {
		t.Error("what is refused whatever is asked is no error")
	}
}
