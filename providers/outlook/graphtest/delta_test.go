package graphtest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func ids(all []map[string]any) map[string]int {
	out := map[string]int{}
	for _, v := range all {
		out[v["id"].(string)]++
	}
	return out
}

func TestDelta(t *testing.T) {
	w := newWorld(t, Options{})
	inbox, other := w.box.Folder("inbox"), w.box.Folder("Projects", "Alpha")
	inbox.Messages(25, letter)
	all, next, pages := w.round("mailFolders/inbox/messages/delta", immutable, "Prefer: odata.maxpagesize=10")
	got := ids(all)
	if len(got) != 25 || len(all) == 25 || pages != 3 {
		t.Fatalf("%d messages, %d entries, %d pages: want 25, some twice, 3", len(got), len(all), pages)
	}
	items := inbox.Items()
	items[0].Move(other)
	items[1].Delete()
	items[2].Update(func(m *Message) { m.Subject = "Changed" })
	late := inbox.Message(letter(99))
	all, next, _ = w.round(next, immutable)
	reasons := map[string]string{}
	for _, v := range all {
		if x, ok := v["@removed"].(map[string]any); ok {
			reasons[v["id"].(string)] = x["reason"].(string)
		}
	}
	if len(all) != 4 || reasons[items[0].ID(true)] != "changed" || reasons[items[1].ID(true)] != "deleted" || ids(all)[late.ID(true)] != 1 || ids(all)[items[2].ID(true)] != 1 {
		t.Fatalf("changes: %v", all)
	}
	if all, next, _ = w.round(next, immutable); len(all) != 0 {
		t.Fatalf("nothing has changed, and there are %v", all)
	}
	items[0].Move(inbox)
	if all, _, _ = w.round(next, immutable); len(all) != 1 || all[0]["id"] != items[0].ID(true) || all[0]["@removed"] != nil {
		t.Fatalf("back again: %v", all)
	}
}

// TestDeltaTop: $top ends the round, which is why nobody should send it.
func TestDeltaTop(t *testing.T) {
	w := newWorld(t, Options{Gentle: true})
	w.box.Folder("inbox").Messages(25, letter)
	all, _, _ := w.round("mailFolders/inbox/messages/delta?$top=7")
	if len(all) != 7 {
		t.Errorf("%d", len(all))
	}
}

func TestDeltaExpires(t *testing.T) {
	w := newWorld(t, Options{})
	f := w.box.Folder("Letters")
	f.Message(letter(1))
	base := "mailFolders/" + esc(f.ID()) + "/messages/delta"
	for _, c := range []struct {
		how    Expiry
		status int
		code   string
	}{{SyncStateNotFound, 410, "SyncStateNotFound"}, {SyncStateInvalid, 400, "SyncStateInvalid"}, {ResyncRequired, 410, "resyncRequired"}} {
		_, next, _ := w.round(base + "?$select=subject")
		w.box.ExpireDelta(c.how)
		r := w.want(next, c.status, c.code)
		if where := r.header.Get("Location"); (where != "") != (c.how == ResyncRequired) {
			t.Errorf("%s: Location %q", c.code, where)
		} else if where != "" {
			if all, _, _ := w.round(where); len(all) != 1 {
				t.Errorf("anew: %v", all)
			}
		}
	}
	_, next, _ := w.round(base)
	f.Delete()
	w.want(next, 404, "ErrorSyncFolderNotFound")
	w.want(base, 404, "ErrorItemNotFound")
}

func TestFolderDelta(t *testing.T) {
	w := newWorld(t, Options{})
	f := w.box.Folder("Projects", "Alpha")
	gone := w.box.Folder("Old")
	_, next, _ := w.round("mailFolders/delta")
	id := f.ID()
	f.Rename("Beta")
	f.Move(w.box.Folder("inbox"))
	gone.Delete()
	all, _, _ := w.round(next)
	if len(all) != 2 || all[0]["id"] != id || all[0]["displayName"] != "Beta" || all[0]["parentFolderId"] != w.box.Folder("inbox").ID() || all[1]["@removed"] == nil {
		t.Fatalf("%v", all)
	}
}

// TestIDs: an id changes with a move unless it is an immutable one, and its case counts.
func TestIDs(t *testing.T) {
	w := newWorld(t, Options{})
	inbox := w.box.Folder("inbox")
	inbox.Messages(60, letter)
	i := inbox.Items()[3]
	before, stays := i.ID(false), i.ID(true)
	i.Move(w.box.Folder("archive"))
	w.want("messages/"+before, 404, "ErrorItemNotFound")
	w.want("messages/"+i.ID(false), 200, "")
	if r := w.want("messages/"+stays, 200, "", immutable); r.text("id") != stays {
		t.Errorf("id %s, want %s", r.text("id"), stays)
	}
	low := map[string]int{}
	for _, i := range inbox.Items() {
		low[strings.ToLower(i.ID(true))]++
	}
	twins := 0
	for _, n := range low {
		if n > 1 {
			twins++
		}
	}
	if twins == 0 {
		t.Error("no two ids differ by their case only")
	}
	r, err := w.try("POST", "translateExchangeIds", `{"inputIds":["`+i.ID(false)+`","x"],"sourceIdType":"restId","targetIdType":"restImmutableEntryId"}`, "Content-Type: application/json")
	if err != nil || r.values()[0]["targetId"] != stays || r.values()[1]["errorDetails"] == nil {
		t.Errorf("%v %s", err, r.raw)
	}
}

func TestLargeMailbox(t *testing.T) {
	w := newWorld(t, Options{Gentle: true})
	w.box.Folder("inbox").Messages(100_000, letter)
	began := time.Now()
	all, _, pages := w.round("mailFolders/inbox/messages/delta?$select=subject", immutable, "Prefer: odata.maxpagesize=1000")
	if len(ids(all)) != 100_000 || pages != 100 {
		t.Fatalf("%d messages on %d pages", len(all), pages)
	}
	t.Logf("100,000 messages in %v", time.Since(began))
	w.want("mailFolders/inbox/messages/delta", http.StatusGatewayTimeout, "GatewayTimeout", "Prefer: odata.maxpagesize=1000")
	if r := w.want("mailFolders/inbox/messages/delta", http.StatusServiceUnavailable, "ServiceUnavailable", "Prefer: odata.maxpagesize=1000"); r.header.Get("Retry-After") != "2" {
		t.Error("no Retry-After")
	}
}
