package cpaneltest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault makes requests go wrong. Of the fields below Match those that are set say how.
type Fault struct {
	// On chooses requests: "Module::function" (UAPI and API 2), a function of WHM API 1,
	// a route ("/download", "/getsqlbackup", "/getbackup", "/getaliasbackup",
	// "/getfilterbackup", "/login"), "call" (any function), "download" (any of the
	// download routes), or "" (any request).
	On   string
	User string // only of this account; "": of any
	// Match, when set, chooses among them. It must not call the Host.
	Match func(Call) bool
	// Times is how many requests it hits; 0 is one, a negative number is all until
	// ClearFaults. Skip lets so many pass before.
	Times, Skip int

	Refuse int             // the login page, with this status: 200, 401, 403, or 302 to it
	Status int             // this status, with a page that is no JSON: 500, 503, 429
	Error  string          // status 0 with this text (WHM: result 0)
	Slow   time.Duration   // waits before it answers, by the wall
	Hold   <-chan struct{} // waits until it is closed (or the Host ends) before it does anything
	Drop   bool            // the connection ends without an answer, and nothing is done
	DropAt int64           // of a multipart upload: the connection ends after so many bytes of it
	Lose   bool            // the connection ends without an answer, and the work is done
	Cut    int64           // the connection ends after so many bytes of the body; 0: it does not
	Hang   int64           // after so many bytes of the body nothing more comes, until the client goes or the Host ends; 0: it does not
	Junk   bool            // status 200 with half of the JSON

	// Downloads.
	NoRange    bool  // Range is ignored: 200 and everything
	WrongRange bool  // 206 with a Content-Range that begins elsewhere than was asked, and the bytes from there
	Truncate   int64 // only so many bytes, as if that were all; 0: all
	HTML       bool  // status 200 with a page of HTML in place of the file

	// Full backups (Backup::fullbackup_*, start_background_pkgacct).
	Never    bool  // pid and status 1, and nothing happens
	StallAt  int64 // it grows to so many bytes and no further, and its marker stays
	VanishAt int64 // at so many bytes the file and its marker are gone
	FullAt   int64 // at so many bytes the quota is full: it stays as it is, and its marker is gone
	Timeout  int64 // at so many bytes it stops, and the marker says timeout (136 and later)

	// DatabaseError is a text that /getsqlbackup writes into the dump after the 200, in
	// the middle of it; with Raw it goes into the compressed stream as it is, which then ends.
	DatabaseError string
	Raw           bool

	// RestoreCut ends the connection in the middle of a restore, which goes on on the
	// server. RestoreFails lets it fail in the middle with this text.
	RestoreCut   bool
	RestoreFails string

	hit bool // it is one, and not the empty one of a request that nothing happens to
}

// Fault adds a fault. They are tried in the order in which they were added; a request
// is hit by the first that fits.
func (h *Host) Fault(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, &f)
}

// ClearFaults takes back what has not hit yet, and what hits always.
func (h *Host) ClearFaults() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = nil
}

// TokenDownloads says whether an API token may use the download routes; at first it
// may. Where it may not the answer is a login page with status 200.
func (h *Host) TokenDownloads(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.noToken = !on
}

// SessionDownloads says whether a session or a password may use the download routes; at
// first it may. Where it may not the answer is 403.
func (h *Host) SessionDownloads(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.noSession = !on
}

func (f *Fault) fits(c Call) bool {
	switch f.On {
	case "":
	case "call":
		if c.Function == "" {
			return false
		}
	case "download":
		if !c.download() {
			return false
		}
	default:
		name := c.Function
		if c.Module != "" {
			name = c.Module + "::" + c.Function
		}
		if f.On != name && (!strings.HasPrefix(f.On, "/") || !strings.HasPrefix(c.Path, f.On)) {
			return false
		}
	}
	return (f.User == "" || f.User == c.User) && (f.Match == nil || f.Match(c))
}

// pick takes the fault for a request; without one it is an empty one. The lock is held.
func (h *Host) pick(c Call) Fault { return h.pickOf(c, func(*Fault) bool { return true }) }

func (h *Host) pickOf(c Call, kind func(*Fault) bool) Fault {
	for i, f := range h.faults {
		if !kind(f) || !f.fits(c) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				h.faults = slices.Delete(h.faults, i, i+1)
			}
		}
		hit := *f
		hit.hit = true
		return hit
	}
	return Fault{}
}

// spoil gives the answer of a fault that needs nothing done, and reports whether there
// was one.
func (h *Host) spoil(w http.ResponseWriter, f Fault) bool {
	switch {
	case f.Drop:
		panic(http.ErrAbortHandler) // closes the connection without an answer
	case f.Refuse != 0:
		loginPage(w, f.Refuse)
	case f.Status != 0:
		page(w, f.Status, "<h1>"+strconv.Itoa(f.Status)+" "+http.StatusText(f.Status)+"</h1>")
	case f.HTML:
		page(w, http.StatusOK, "<h1>Something else</h1>")
	default:
		return false
	}
	return true
}

// loginPage is what cpsrvd shows to whom it does not know.
func loginPage(w http.ResponseWriter, status int) {
	if status == http.StatusFound {
		w.Header().Set("Location", "/login/")
	}
	page(w, status, `<form action="/login/" method="post"><input name="user"><input name="pass" type="password"></form>`)
}

func page(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", `text/html; charset="utf-8"`)
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>cPanel</title></head><body>%s</body></html>\n", body) // the client may have gone
}

// cutter ends the connection after so many bytes of the body.
type cutter struct {
	http.ResponseWriter
	left int64
}

func (c *cutter) Write(p []byte) (int, error) {
	if int64(len(p)) < c.left {
		c.left -= int64(len(p))
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left]) // it ends anyway
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// Unwrap is for http.ResponseController.
func (c *cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// hanger goes silent after so many bytes of the body.
type hanger struct {
	http.ResponseWriter
	left int64
	ends []<-chan struct{} // of the client and of the Host
}

func (s *hanger) Write(p []byte) (int, error) {
	if int64(len(p)) < s.left {
		s.left -= int64(len(p))
		return s.ResponseWriter.Write(p)
	}
	_, _ = s.ResponseWriter.Write(p[:s.left]) // it ends anyway
	_ = http.NewResponseController(s.ResponseWriter).Flush()
	select {
	case <-s.ends[0]:
	case <-s.ends[1]:
	}
	panic(http.ErrAbortHandler)
}

// Unwrap is for http.ResponseController.
func (s *hanger) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// shortener lets so many bytes through and drops the others.
type shortener struct {
	http.ResponseWriter
	left int64
}

func (s *shortener) Write(p []byte) (int, error) {
	n := min(int64(len(p)), s.left)
	s.left -= n
	if _, err := s.ResponseWriter.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}
