package putback_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graphtest"
)

// withFiles is a mail with files of those sizes.
func withFiles(sizes ...int) []byte {
	text := head(mixed, "--b\r\n\r\nSee below.\r\n")
	for n, size := range sizes {
		text += part(string(rune('a'+n))+".bin", "application/octet-stream", pattern(size))
	}
	return []byte(text + "--b--\r\n")
}

func isPut(r *http.Request) bool { return r.Method == "PUT" }

// TestUploadFaults: whatever happens to a range, the file is there once and as it was.
func TestUploadFaults(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	last := func(r *http.Request) bool {
		return isPut(r) && strings.HasPrefix(r.Header.Get("Content-Range"), "bytes 7864320-")
	}
	for name, fault := range map[string]graphtest.Fault{
		"throttled":         {Match: isPut, Status: 429},
		"unavailable":       {Match: isPut, Status: 503, Times: 2},
		"answer lost":       {Match: isPut, Lost: true},
		"last answer lost":  {Match: last, Lost: true},
		"connection broken": {Match: isPut, Deny: true, Times: 3},
		"session gone":      {Match: last, Status: 404, Code: "ErrorItemNotFound"},
	} {
		before := len(w.inside(f))
		w.n.Fail(fault)
		if name == "session gone" {
			w.n.Fail(graphtest.Fault{Status: 404, Match: func(r *http.Request) bool { return r.Method == "GET" && strings.Contains(r.URL.Path, "outlook-upload") }})
		}
		w.put(f, letterItem(name), withFiles(9_000_000))
		all := w.inside(f)
		if len(all) != before+1 {
			t.Fatalf("%s: %d copies", name, len(all)-before)
		}
		if files := all[before].Content().Attachments; len(files) != 1 || !bytes.Equal(files[0].Content, pattern(9_000_000)) {
			t.Errorf("%s: %d attachments", name, len(files))
		}
		w.n.Heal()
	}
}

// TestSessionsThatEnd: a session that ended while it was used is begun anew with the mail,
// a few times.
func TestSessionsThatEnd(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	ends := 0
	w.n.Fail(graphtest.Fault{Times: -1, Status: 503, Match: func(r *http.Request) bool {
		if isPut(r) && strings.HasPrefix(r.Header.Get("Content-Range"), "bytes 3932160-") && ends < 2 {
			ends++
			w.n.ExpireUploads()
		}
		return false
	}})
	w.put(f, letterItem("x"), withFiles(9_000_000))
	if all := w.inside(f); len(all) != 1 || len(all[0].Content().Attachments) != 1 || ends != 2 {
		t.Errorf("%d copies, %d sessions that ended", len(all), ends)
	}
	ends = -10
	if _, err := w.tryPut(t.Context(), f, letterItem("y"), withFiles(9_000_000)); err == nil || len(w.inside(f)) != 1 {
		t.Errorf("%v, %d copies", err, len(w.inside(f)))
	}
}

// TestDoubtfulSize: where one call is too small for a file of nearly 3 MB, it is uploaded.
func TestDoubtfulSize(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	w.n.Fail(graphtest.Fault{Status: 413, Code: "BadRequest", Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/attachments") }})
	w.put(f, letterItem("x"), withFiles(3_100_000))
	if files := w.inside(f)[0].Content().Attachments; len(files) != 1 || !bytes.Equal(files[0].Content, pattern(3_100_000)) {
		t.Errorf("%d attachments", len(files))
	}
}

// TestTooLarge: what Microsoft 365 does not take is said, and nothing of it stays.
func TestTooLarge(t *testing.T) {
	w := newWorld(t)
	f := w.folder(outlook.Mail, "Restored")
	w.box.SetMaxMessage(6_000_000)
	for _, sizes := range [][]int{{9_000_000}, {3_000_000, 3_000_100}} {
		_, err := w.tryPut(t.Context(), f, letterItem("x"), withFiles(sizes...))
		if !errors.Is(err, outlook.ErrPoison) || !strings.Contains(err.Error(), "larger than the mailbox ali@contoso.example allows") || !strings.Contains(err.Error(), "Set-Mailbox") {
			t.Error(err)
		}
		if all := w.inside(f); len(all) != 0 {
			t.Errorf("%d items stay", len(all))
		}
	}
}
