package putback_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
)

// TestLongNames: a Message-ID that somebody has made long makes no address that is refused,
// and keeps nobody from finding the others.
func TestLongNames(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	w.put(f, letterItem("m"), []byte(head("\r\n", "Hello.\r\n")))
	w.n.Fail(graphtest.Fault{Times: -1, Status: 414, Code: "UriTooLong", Match: func(r *http.Request) bool { return len(r.URL.RawQuery) > 2048 }})
	var ids []string
	for range 12 {
		ids = append(ids, "<"+strings.Repeat("x", 400)+"@evil.example>", "<"+strings.Repeat("'", 5000)+"@evil.example>", "<other@fabrikam.example>")
	}
	held, err := w.r.Holds(t.Context(), ali, f, append(ids, "<one@fabrikam.example>"))
	if err != nil || len(held) != 1 || !held["<one@fabrikam.example>"] {
		t.Errorf("%v %v", held, err)
	}
}

// TestLargePicture: a contact whose picture is larger than Microsoft 365 takes is put back
// without it, and does not stop all others.
func TestLargePicture(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Contacts, "Restored")
	picture := append([]byte{0xff, 0xd8, 0xff, 0xe0}, pattern(5<<20)...)
	done := w.put(f, outlook.Item{ID: "c"}, lines("BEGIN:VCARD", "VERSION:3.0", "N:Ek;Dora;;;", "FN:Dora Ek", "PHOTO;ENCODING=b;TYPE=JPEG:"+base64.StdEncoding.EncodeToString(picture), "END:VCARD"))
	if len(w.inside(f)) != 1 || len(done.Notes) != 1 || !strings.Contains(done.Notes[0], "picture") {
		t.Errorf("%d contacts, %q", len(w.inside(f)), done.Notes)
	}
}

// TestChangeWithoutTime: a time of a series of which nobody knows when it was is told of,
// and Graph is not asked for the year 0.
func TestChangeWithoutTime(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Calendar, "Restored")
	raw, err := json.Marshal(map[string]any{
		"subject": "Weekly", "start": map[string]any{"dateTime": "2026-10-12T07:00:00.0000000", "timeZone": "UTC"}, "end": map[string]any{"dateTime": "2026-10-12T08:00:00.0000000", "timeZone": "UTC"},
		"recurrence":           map[string]any{"pattern": map[string]any{"type": "weekly", "interval": 1, "daysOfWeek": []string{"monday"}, "firstDayOfWeek": "monday"}, "range": map[string]any{"type": "numbered", "numberOfOccurrences": 3, "startDate": "2026-10-12"}},
		"exceptionOccurrences": []any{map[string]any{"subject": "Moved"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	done := w.put(f, outlook.Item{ID: "e", Raw: raw}, event("DTSTART:20261012T070000Z", "DTEND:20261012T080000Z"))
	if len(done.Notes) != 1 || !strings.Contains(done.Notes[0], "nobody knows which") || w.n.Count(func(r graphtest.Request) bool { return strings.HasSuffix(r.Path, "/instances") }) != 0 {
		t.Errorf("%q", done.Notes)
	}
}

// TestMailWithoutDate: a mail that does not say when it was sent, or something that cannot
// be, was sent when the archive says, and not at the moment when it is put back.
func TestMailWithoutDate(t *testing.T) {
	const date = "Date: Mon, 4 Mar 2019 05:05:00 +0000\r\n"
	for _, c := range []struct {
		date, want string
		sent       time.Time
	}{
		{"", "2019-03-04T05:06:07Z", time.Time{}},
		{"Date: Mon, 4 Mar 0101 05:05:00 +0000\r\n", "2019-03-04T05:06:07Z", time.Time{}},
		{"Date: yesterday\r\n", "2019-03-04T05:04:07Z", when.Add(-2 * time.Minute)},
		{date, "2019-03-04T05:05:00Z", when.Add(-2 * time.Minute)},
	} {
		w := newWorld(t)
		f := w.folder(outlook.Mail, "Restored")
		item := letterItem("m")
		item.Sent = c.sent
		w.put(f, item, []byte(strings.Replace(head("\r\n", "Hello.\r\n"), date, c.date, 1)))
		if got, _ := w.inside(f)[0].Property("SystemTime 0x0039"); got != c.want {
			t.Errorf("%q: it was sent on %s, want %s", c.date, got, c.want)
		}
	}
}
