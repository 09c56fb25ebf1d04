package box

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

// One item whose JSON is not as it is documented must not keep all others from being backed
// up: it is listed, and its content is asked for.
func TestAnItemOfOtherTypesIsListed(t *testing.T) {
	for kind, raw := range map[outlook.Kind]string{
		outlook.Mail:     `{"id":"A/+=","changeKey":"k","subject":7,"receivedDateTime":"soon","hasAttachments":"yes"}`,
		outlook.Contacts: `{"id":"A/+=","changeKey":"k","birthday":"the first of May","emailAddresses":{}}`,
		outlook.Calendar: `{"id":"A/+=","changeKey":"k","start":"tomorrow","recurrence":[]}`,
	} {
		it, err := itemOf(outlook.Folder{ID: "f", Kind: kind}, json.RawMessage(raw))
		if err != nil || it.ID != "A/+=" || it.Change != "k" || it.Folder != "f" || it.Kind != kind || string(it.Raw) != raw {
			t.Errorf("%s: %+v, %v", kind, it, err)
		}
	}
	f := outlook.Folder{Kind: outlook.Mail}
	if it, err := itemOf(f, json.RawMessage(`{"id":"A","@removed":{"reason":"changed"},"categories":1}`)); err != nil || it.Removed != "changed" {
		t.Errorf("%+v, %v", it, err)
	}
	one, _ := itemOf(f, json.RawMessage(`{"id":"A","subject":"a"}`))
	other, err := itemOf(f, json.RawMessage(`{"id":"A","subject":"b"}`))
	if err != nil || one.Change == "" || one.Change == other.Change {
		t.Errorf("%q, %q, %v", one.Change, other.Change, err)
	}
	for _, raw := range []string{`{"subject":"nobody"}`, `{"id":7}`, `[]`, `"A"`} {
		if it, err := itemOf(f, json.RawMessage(raw)); err == nil {
			t.Errorf("%s: %+v", raw, it)
		}
	}
}

// An item of which no file can be made is missing, and no fault of the mailbox.
func TestAnItemOfOtherTypesIsMissing(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	for _, it := range []outlook.Item{
		{ID: "A", Kind: outlook.Contacts, Raw: json.RawMessage(`{"id":"A","emailAddresses":{}}`)},
		{ID: w.b.Calendar("").Event(graphtest.Event{Subject: "x"}).ID(true), Kind: outlook.Calendar, Raw: json.RawMessage(`{"id":"A","start":{"dateTime":"never"},"end":null}`)},
	} {
		if _, _, err := w.bring(it); !errors.Is(err, outlook.ErrPoison) {
			t.Errorf("%s: %v", it.Kind, err)
		}
	}
	if fate := w.box.itemError(t.Context(), alis, outlook.Item{}, graph.ErrTooLarge); !errors.Is(fate, outlook.ErrPoison) {
		t.Errorf("one that is too long: %v", fate)
	}
}

// An answer without a list says nothing about folders. Taken for an empty one, all that is
// below would be missing without a word.
func TestAnswersThatAreNoListsOfFolders(t *testing.T) {
	for _, body := range []string{`{}`, `{"value":null}`, `{"error":"x"}`, `{"value":[{"displayName":"A"}]}`, `{"value":{}}`, `<html>`} {
		if page, err := readFolders([]byte(body)); err == nil {
			t.Errorf("%s: %+v", body, page)
		}
	}
	if page, err := readFolders([]byte(`{"value":[]}`)); err != nil || len(page.Value) != 0 {
		t.Errorf("%+v, %v", page, err)
	}
}

// A link of an earlier day that Graph calls a bad request, in whatever words, is a state
// that it has forgotten; a query of ours is not.
func TestALinkThatIsABadRequest(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	w.b.Folder("inbox").Message(letter())
	f := w.folder(outlook.Mail, "Inbox")
	state := w.whole(f).at
	w.n.Fail(graphtest.Fault{Times: -1, Status: 400, Code: "ErrorSomethingNew", Match: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "delta") }})
	if _, err := w.read(f, state); !errors.Is(err, outlook.ErrResync) {
		t.Errorf("since a state: %v", err)
	}
	if _, err := w.read(f, outlook.Position{}); err == nil || errors.Is(err, outlook.ErrResync) {
		t.Errorf("from the beginning: %v", err)
	}
}

// TestRawIsShort: of the server's JSON up to 1 MiB is kept with an item, whichever way it
// comes, and nothing of what is longer.
func TestRawIsShort(t *testing.T) {
	for _, one := range []struct {
		size int
		kept bool
	}{{mostRaw, true}, {mostRaw + 1, false}} {
		head, tail := `{"id":"A","changeKey":"c","x":[`, `1]}`
		n := one.size - len(head) - len(tail)
		raw := json.RawMessage(head + strings.Repeat("1,", n/2) + strings.Repeat("1", n%2) + tail)
		if len(raw) != one.size {
			t.Fatal(len(raw))
		}
		it, err := itemOf(outlook.Folder{ID: "f", Kind: outlook.Contacts}, raw)
		if err != nil || it.ID != "A" || (len(it.Raw) > 0) != one.kept {
			t.Errorf("listed with %d bytes: %d kept, %v", one.size, len(it.Raw), err)
		}
		h := &held{raw: raw}
		if got := h.whole(); (len(got) > 0) != one.kept {
			t.Errorf("asked for with %d bytes: %d kept", one.size, len(got))
		}
	}
	if got := withoutBody(json.RawMessage(`{"a":[` + strings.Repeat("1,", mostRaw/2) + `1],"body":{}}`)); got != nil {
		t.Errorf("of a mail that is rebuilt %d bytes are kept", len(got))
	}
}
