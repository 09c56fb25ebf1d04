package slacktest

import (
	"net/http"
	"slices"
	"strconv"
)

// Fault makes the next calls of a method go wrong. Exactly one of RetryAfter,
// Status, Error, Cut and HTML says how; with none of them and Until set the answer
// is right but late.
type Fault struct {
	// Method is a method of the Web API, "response_url" or "upload"; "" is any.
	Method string
	// Times is how many calls it hits; 0 is one, a negative number is all.
	Times int
	// Match, when set, chooses among the calls. It is called with the Server locked:
	// it must not call the Server.
	Match func(Call) bool

	RetryAfter int    // 429 with this many seconds
	Status     int    // 500, 502, 503: this status with a body that is no JSON
	Error      string // ok:false with this error: fatal_error, internal_error, ratelimited …
	Cut        bool   // the connection ends without an answer
	HTML       bool   // status 200 with a page instead of JSON

	// Done does the work first: the message is posted, only the answer is lost.
	Done bool
	// Until holds the answer until it is closed (or the Server is). Without Done the
	// work is done only then.
	Until <-chan struct{}
}

// only says that the fault does nothing but hold.
func (f *Fault) only() bool {
	return f.RetryAfter == 0 && f.Status == 0 && f.Error == "" && !f.Cut && !f.HTML
}

// Fail adds a fault. Faults are tried in the order in which they were added; a call
// is hit by the first that fits.
func (s *Server) Fail(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// ClearFaults takes back what has not hit yet.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// pick takes the fault for a call. The lock is held.
func (s *Server) pick(c *call) *Fault {
	for i, f := range s.faults {
		if f.Method != "" && f.Method != c.Method || f.Match != nil && !f.Match(c.Call) {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		if f.RetryAfter > 0 {
			key, _ := s.limitKey(c)
			s.limits.block(key, s.clock.Now(), f.RetryAfter)
		}
		return f
	}
	return nil
}

func (s *Server) hold(r *http.Request, f *Fault) {
	select {
	case <-f.Until:
	case <-r.Context().Done():
	case <-s.ctx.Done():
	}
}

// misbehave gives the fault's answer; it says false when the right one is due.
func (s *Server) misbehave(w http.ResponseWriter, c *call, f *Fault) bool {
	switch {
	case f.Cut:
		s.finish(c, 0, "cut")
		panic(http.ErrAbortHandler) // closes the connection without an answer
	case f.RetryAfter > 0:
		s.write(w, c, answer{status: http.StatusTooManyRequests, after: f.RetryAfter, body: map[string]any{"ok": false, "error": "ratelimited"}})
	case f.Status > 0:
		s.page(w, c, f.Status)
	case f.HTML:
		s.page(w, c, http.StatusOK)
	case f.Error != "":
		s.write(w, c, answer{status: 200, body: map[string]any{"ok": false, "error": f.Error}})
	default:
		return false
	}
	return true
}

func (s *Server) page(w http.ResponseWriter, c *call, status int) {
	s.finish(c, status, "page")
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<html><body><h1>" + strconv.Itoa(status) + "</h1>Slack is having trouble</body></html>")) // the client may have gone
}

// Secrets are the tokens and the signing secret: a test can look for them in logs.
func Secrets() []string { return []string{BotToken, AppToken, SigningSecret} }
