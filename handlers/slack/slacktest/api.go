package slacktest

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Call is one request to the Web API, to a response address (method
// "response_url") or to an upload address ("upload"). The token is not in it.
type Call struct {
	Method string
	Args   map[string]any // decoded; what Slack takes as JSON in a form field is decoded too
	At     time.Time
	Status int    // HTTP status of the answer; 0 when it has none yet or was cut
	Error  string // Slack's error, "" when ok
}

// call is one request while it is being answered.
type call struct {
	Call
	token  string
	header bool // the token came in the header
	index  int  // in Server.calls
}

// apiError is an answer with ok:false.
type apiError struct {
	code   string
	extra  map[string]any
	after  int // Retry-After in seconds, for 429
	status int // HTTP status; 0 is 200
}

func (e *apiError) Error() string { return e.code }

func fail(code string) error { return &apiError{code: code} }

// answer is what goes back.
type answer struct {
	status int
	after  int
	body   map[string]any
}

func (c *call) str(name string) string {
	switch v := c.Args[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func (c *call) has(name string) bool { v, ok := c.Args[name]; return ok && v != nil && v != "" }

func (c *call) flag(name string) bool { return c.str(name) == "true" || c.str(name) == "1" }

// raw is a JSON argument, nil when it was not given.
func (c *call) raw(name string) json.RawMessage {
	if !c.has(name) {
		return nil
	}
	if text, ok := c.Args[name].(string); ok {
		return json.RawMessage(text)
	}
	raw, err := json.Marshal(c.Args[name])
	if err != nil {
		return nil
	}
	return raw
}

// structured are the arguments that are JSON inside of a form.
func structured() []string {
	return []string{"blocks", "attachments", "metadata", "view", "files", "channels"}
}

// read decodes a request: JSON, form, multipart, or the query.
func read(r *http.Request) (*call, error) {
	c := &call{Call: Call{Args: map[string]any{}}}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		dec := json.NewDecoder(io.LimitReader(r.Body, 8<<20))
		dec.UseNumber()
		if err := dec.Decode(&c.Args); err != nil && !errors.Is(err, io.EOF) {
			return c, fail("invalid_json")
		}
		if c.Args == nil {
			return c, fail("json_not_object")
		}
		delete(c.Args, "token") // with JSON the token must be in the header
	case "multipart/form-data":
		if err := r.ParseMultipartForm(8 << 20); err != nil {
			return c, fail("invalid_form_data")
		}
		c.form(r.Form)
	default:
		if err := r.ParseForm(); err != nil {
			return c, fail("invalid_form_data")
		}
		c.form(r.Form)
	}
	if kind == "application/json" {
		c.form(r.URL.Query())
	}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c.token, c.header = bearer, true
	}
	return c, nil
}

func (c *call) form(values url.Values) {
	for name := range values {
		v := values.Get(name)
		if name == "token" {
			c.token = v
			continue
		}
		c.Args[name] = v
		if slices.Contains(structured(), name) && (strings.HasPrefix(v, "[") || strings.HasPrefix(v, "{")) {
			dec := json.NewDecoder(strings.NewReader(v))
			dec.UseNumber()
			var decoded any
			if dec.Decode(&decoded) == nil {
				c.Args[name] = decoded
			}
		}
	}
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	c, bad := read(r)
	c.Method = r.PathValue("method")
	s.serve(w, r, c, func() (map[string]any, error) {
		if bad != nil {
			return nil, bad
		}
		return s.handle(c)
	})
}

// serve logs a call, does the work unless a fault forbids it, and answers.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c *call, work func() (map[string]any, error)) {
	s.mu.Lock()
	c.At = s.clock.Now()
	c.index = len(s.calls)
	s.calls = append(s.calls, c.Call)
	f := s.pick(c)
	s.touch()
	s.mu.Unlock()
	if f != nil && f.Until != nil && !f.Done {
		s.hold(r, f)
	}
	a := answer{status: 200}
	if f == nil || f.Done || f.only() {
		s.mu.Lock()
		a = answered(work())
		s.touch()
		s.mu.Unlock()
	}
	if f != nil {
		if f.Until != nil && f.Done {
			s.hold(r, f)
		}
		if s.misbehave(w, c, f) {
			return
		}
	}
	s.write(w, c, a)
}

func answered(body map[string]any, err error) answer {
	if err == nil {
		out := map[string]any{"ok": true}
		for k, v := range body {
			out[k] = v
		}
		return answer{status: 200, body: out}
	}
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{code: "internal_error"}
	}
	out := map[string]any{"ok": false, "error": e.code}
	for k, v := range e.extra {
		out[k] = v
	}
	if e.after > 0 {
		return answer{status: http.StatusTooManyRequests, after: e.after, body: out}
	}
	return answer{status: max(e.status, http.StatusOK), body: out}
}

func (s *Server) write(w http.ResponseWriter, c *call, a answer) {
	code, _ := a.body["error"].(string)
	s.finish(c, a.status, code)
	if a.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(a.after))
	}
	s.mu.Lock()
	if t := s.tokens[c.token]; t != nil {
		w.Header().Set("X-OAuth-Scopes", strings.Join(t.scopes, ","))
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body) // the client may have gone
}

// finish notes in the log how a call ended.
func (s *Server) finish(c *call, status int, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[c.index].Status, s.calls[c.index].Error = status, code
	s.touch()
}

// Calls are the logged calls of a method, in order; of all methods for "".
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Call
	for _, c := range s.calls {
		if method == "" || c.Method == method {
			found = append(found, c)
		}
	}
	return found
}

// handle does a method's work. The lock is held.
func (s *Server) handle(c *call) (map[string]any, error) {
	m, ok := methods()[c.Method]
	if !ok {
		return nil, fail("unknown_method")
	}
	t, err := s.authorise(c, m)
	if err != nil {
		return nil, err
	}
	if err := s.allow(c); err != nil {
		return nil, err
	}
	if err := t.need(m.scope); err != nil {
		return nil, err
	}
	return m.do(s, c)
}
