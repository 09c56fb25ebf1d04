package discordtest

import (
	"net/http"
	"strconv"
	"time"
)

// Fault is one way in which a call goes wrong. With Done the work is done first, and
// only its answer is lost.
type Fault struct {
	Status     int           // answered in place of the truth: 429, 500, 502, 503; 0: none
	Code       int           // the code in its JSON
	RetryAfter time.Duration // of a 429
	Scope      string        // of a 429: user (when empty), shared or global
	Cut        bool          // the connection is cut without an answer
	HTML       bool          // the answer is a page, as from the machines before Discord
	Done       bool          // the work was done before
	Hold       *Hold         // the answer waits until it is released; with nothing else set it is then the true one
}

// Hold keeps answers back until it is released.
type Hold struct {
	free chan struct{}
}

// NewHold makes a hold. Closing the server releases it as well.
func (s *Server) NewHold() *Hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &Hold{free: make(chan struct{})}
	s.faults.holds = append(s.faults.holds, h)
	return h
}

// Release lets all answers go that are held, and those to come. It is called once.
func (h *Hold) Release() { close(h.free) }

type faults struct {
	queue map[string][]Fault
	holds []*Hold
}

// Fail makes the next n calls of a route, such as
// "POST /channels/{channel}/messages", go wrong. Faults of one route queue up. The route "*"
// stands for all that have no fault of their own.
func (s *Server) Fail(route string, n int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.queue == nil {
		s.faults.queue = map[string][]Fault{}
	}
	for range n {
		s.faults.queue[route] = append(s.faults.queue[route], f)
	}
}

// FaultsLeft is how many ordered faults of a route have not been met yet.
func (s *Server) FaultsLeft(route string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.faults.queue[route])
}

func (f *faults) take(route string) *Fault {
	for _, key := range []string{route, "*"} {
		if q := f.queue[key]; len(q) > 0 {
			f.queue[key] = q[1:]
			return &q[0]
		}
	}
	return nil
}

func (f *faults) releaseAll() {
	for _, h := range f.holds {
		select {
		case <-h.free:
		default:
			close(h.free)
		}
	}
}

// misbehave carries a fault out, and says whether that was the answer.
func (s *Server) misbehave(w http.ResponseWriter, req *request, f *Fault) bool {
	if f.Hold != nil {
		select {
		case <-f.Hold.free:
		case <-req.Context().Done():
		case <-s.ctx.Done():
		}
	}
	if f.Cut {
		cut(w)
		return true
	}
	if f.Status == 0 && !f.HTML {
		return false
	}
	out := reply{status: f.Status, header: map[string]string{}}
	if out.status == 0 {
		out.status = http.StatusOK
	}
	s.mu.Lock()
	if f.Scope != "shared" { // those are not counted against a bot
		s.limits.count(s.Now(), out.status)
	}
	if f.Status == http.StatusTooManyRequests {
		s.limits.order(req.Method+" "+s.calls[req.call].Route, s.Now().Add(f.RetryAfter))
	}
	s.mu.Unlock()
	s.finish(req, out)
	switch {
	case f.HTML:
		sendHTML(w, out)
	case f.Status == http.StatusTooManyRequests:
		send(w, tooMany(f.RetryAfter, f.Scope))
	default:
		out.body = object{"message": strconv.Itoa(f.Status) + ": " + http.StatusText(f.Status), "code": f.Code}
		send(w, out)
	}
	return true
}

// tooMany is a 429, https://discord.com/developers/docs/topics/rate-limits.
func tooMany(after time.Duration, scope string) reply {
	if scope == "" {
		scope = "user"
	}
	seconds := after.Seconds()
	message, header := "You are being rate limited.", map[string]string{
		"Retry-After": strconv.Itoa(int((after + time.Second - 1) / time.Second)), "X-RateLimit-Scope": scope,
		"X-RateLimit-Reset-After": strconv.FormatFloat(seconds, 'f', 3, 64), "Via": "1.1 google",
	}
	if scope == "shared" {
		message = "The resource is being rate limited."
	}
	if scope == "global" {
		header["X-RateLimit-Global"] = "true"
	}
	return reply{status: http.StatusTooManyRequests, header: header, body: object{"message": message, "retry_after": seconds, "global": scope == "global"}}
}

// cut ends a connection without a word.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close() // that is the fault
}

// Age makes nonces and interactions older by d, as if they had come so much
// earlier: a nonce is forgotten and a token runs out without anybody waiting. After
// the end of a program [Server.Settle] comes first.
func (s *Server) Age(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, n := range s.talk.nonces {
		n.at = n.at.Add(-d)
		s.talk.nonces[key] = n
	}
	for _, m := range s.talk.messages {
		m.created = m.created.Add(-d)
	}
	for _, i := range s.talk.interactions {
		i.created = i.created.Add(-d)
	}
	s.notify()
}
