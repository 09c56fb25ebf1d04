package graphtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// call is a request to Graph that is being answered.
type call struct {
	n     *Tenant
	r     *http.Request
	token *token
	user  *User
	box   *Mailbox
	path  []string // below /v1.0, with the notation a('b') taken apart
	body  []byte
	batch bool
	q     query
	app   string
	// session is the upload session that the request is for.
	session *session
	// window is that of a view whose delta query begins, in Unix seconds.
	window [2]int64
}

// serveGraph answers what comes from outside.
func (n *Tenant) serveGraph(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, proxyPath) {
		n.serveProxy(w, r)
		return
	}
	status, header, body, fault := n.answer(r, false)
	switch {
	case fault != nil && (fault.Deny || fault.Lost):
		panic(http.ErrAbortHandler)
	case fault != nil && fault.Drop:
		cut(w, status, header, body, fault.Bytes)
	}
	write(w, status, header, body)
}

func write(w http.ResponseWriter, status int, header http.Header, body []byte) {
	for k, v := range header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone is its own business
}

// cut ends the connection in the middle of a body.
func cut(w http.ResponseWriter, status int, header http.Header, body []byte, after int) {
	if after <= 0 || after >= len(body) {
		after = len(body) / 2
	}
	for k, v := range header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body[:after])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// answer answers a request, alone or as a part of a $batch.
func (n *Tenant) answer(r *http.Request, batch bool) (int, http.Header, []byte, *Fault) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 200<<20))
	if err != nil {
		return 400, nil, nil, nil
	}
	c := &call{n: n, r: r, body: body, batch: batch}
	c.path = split(r.URL.EscapedPath())
	note, limited, id := n.arrive(c)
	fault, a := n.decide(c, limited)
	n.mu.Lock()
	defer n.mu.Unlock()
	if a == nil {
		got := c.route()
		a = &got
	}
	if a.fail != nil {
		a.fail.client = r.Header.Get("client-request-id") // learn.microsoft.com/graph/errors
	}
	status, header, out := a.encode(n, id)
	if c.q.immutable && a.fail == nil {
		header.Set("Preference-Applied", `IdType="ImmutableId"`)
	}
	n.log.all[note].Status = status
	if a.fail != nil {
		n.log.all[note].Code = a.fail.code
	}
	if fault != nil {
		n.log.all[note].Status = 0
	}
	n.leave(c)
	return status, header, out, fault
}

// decide lets time pass and gives what goes wrong before the request is looked at: a
// fault that cuts the connection, or the answer.
func (n *Tenant) decide(c *call, limited *failure) (*Fault, *answer) {
	if limited != nil {
		return nil, &answer{fail: limited}
	}
	n.faults.wait(c.r)
	if n.opts.Latency > 0 && !c.isBatch() {
		n.opts.Sleep(c.r.Context(), n.opts.Latency)
	}
	if c.isBatch() {
		n.mu.Lock()
		refused := n.authenticate(c)
		n.mu.Unlock()
		if refused != nil {
			return nil, &answer{fail: refused}
		}
		a := c.runBatch()
		return nil, &a
	}
	f := n.faults.take(c.r)
	switch {
	case f == nil:
		return nil, nil
	case f.Deny:
		return f, &answer{fail: (&Fault{Status: 503}).failure()}
	case f.Drop || f.Lost:
		return f, nil
	case f.Status == http.StatusTooManyRequests && c.token != nil && c.user != nil:
		n.mu.Lock()
		defer n.mu.Unlock()
		got := n.meter.refuse(c.token.app+" "+c.user.ID, n.opts.Now(), f.Text, f.RetryAfter)
		return nil, &answer{fail: got}
	}
	return nil, &answer{fail: f.failure()}
}

// arrive counts a request and writes it down.
func (n *Tenant) arrive(c *call) (note int, limited *failure, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seq++
	id = fmt.Sprintf("%08x-5c2f-4d7a-9a1e-%012x", n.seq, n.seq)
	if c.token = n.bearer(c.r); c.token != nil && len(c.path) > 1 && strings.EqualFold(c.path[0], "users") {
		if c.user = n.user(c.path[1]); c.user != nil {
			c.box = n.boxes[c.user.ID]
		}
	}
	entry := Request{
		Method: c.r.Method, Path: unescaped(c.r.URL), Query: c.r.URL.RawQuery, Prefer: strings.Join(c.r.Header.Values("Prefer"), ", "),
		Time: n.opts.Now(), Batch: c.batch,
	}
	if c.token != nil {
		c.app = c.token.app
	} else if c.session = n.session(c.r); c.session != nil {
		c.app, c.user = c.session.app, c.session.user
	}
	if c.app != "" {
		entry.App = c.app
		limited = n.meter.enter(c.app, c.mailbox(), entry.Time, int64(len(c.body)), c.batch)
		entry.User, entry.Flying = c.mailbox(), n.meter.flying[c.app+" "+c.mailbox()]
	}
	n.log.all = append(n.log.all, entry)
	return len(n.log.all) - 1, limited, id
}

func (n *Tenant) leave(c *call) {
	if c.app != "" {
		n.meter.leave(c.app, c.mailbox())
	}
}

// mailbox is the id of whose mailbox a request is for, as the limits see it: the user
// object itself is the directory's.
func (c *call) mailbox() string {
	if c.user == nil || len(c.path) < 3 && c.session == nil || c.ofEntra() {
		return ""
	}
	return c.user.ID
}

func unescaped(u *url.URL) string {
	if p, err := url.PathUnescape(u.EscapedPath()); err == nil {
		return p
	}
	return u.Path
}

// split takes a path apart, in both notations of OData: a/b and a('b').
func split(path string) []string {
	var out []string
	for s := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		s, err := url.PathUnescape(s)
		if err != nil {
			return nil
		}
		if at := strings.Index(s, "('"); at > 0 && strings.HasSuffix(s, "')") {
			out = append(out, s[:at], strings.ReplaceAll(s[at+2:len(s)-2], "''", "'"))
			continue
		}
		out = append(out, strings.TrimSuffix(s, "()"))
	}
	if len(out) > 0 && out[0] == "v1.0" {
		return out[1:]
	}
	return nil
}

func (c *call) isBatch() bool { return len(c.path) == 1 && strings.EqualFold(c.path[0], "$batch") }

// route finds who answers; the lock is held.
func (c *call) route() answer {
	if strings.HasPrefix(c.r.URL.Path, uploadPath) {
		return c.upload()
	}
	if f := c.n.authenticate(c); f != nil {
		return answer{fail: f}
	}
	if f := c.readQuery(); f != nil {
		return answer{fail: f}
	}
	switch {
	case len(c.path) == 0:
		return fail(400, "BadRequest", "Invalid version: only v1.0 is served.")
	case c.ofEntra():
		return c.entra()
	case strings.EqualFold(c.path[0], "users"):
		return c.users()
	case strings.EqualFold(c.path[0], "security"):
		return c.security()
	case strings.EqualFold(c.path[0], "me"):
		return fail(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
	}
	return c.noSegment(c.path[0])
}

func (c *call) noSegment(s string) answer {
	return fail(400, "BadRequest", "Resource not found for the segment '%s'.", s)
}

func (c *call) badMethod() answer {
	return fail(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
}

// may asks for one of the permissions, of the token or by RBAC for Applications.
func (c *call) may(any ...string) bool {
	return slices.ContainsFunc(any, func(p string) bool {
		if slices.Contains(c.token.roles, p) {
			return true
		}
		a := c.n.apps[strings.ToLower(c.token.app)]
		return a != nil && c.user != nil && slices.Contains(a.scoped[p], c.user.ID)
	})
}

func denied() answer {
	return fail(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
}

// inner answers a part of a $batch.
func (n *Tenant) inner(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	status, header, body, fault := n.answer(r, true)
	if fault != nil {
		status, header, body = (&answer{fail: (&Fault{Status: 503}).failure()}).encode(n, "0")
	}
	write(w, status, header, body)
	return w
}
