package discordtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Call is one request that the bot made. Tokens are not kept: in paths they are
// replaced by "…".
type Call struct {
	Method string
	Route  string // as in "/channels/{channel}/messages", which with the method names a route for faults
	Path   string // below the version, as in "/channels/123/messages"
	Query  url.Values
	Body   any    // the decoded JSON, of multipart its payload_json; nil if there was none
	Files  []File // of multipart
	At     time.Time
	Status int // what was answered; 0 while it is being worked on, or when the connection was cut
}

// File is something attached to a message.
type File struct {
	Name, Type  string
	Description string // for those who do not see it
	Data        []byte

	index int // the n in files[n]
}

// Calls are all requests so far, in the order of their arrival.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// CallsTo are the requests of one route, such as "POST /channels/{channel}/messages".
func (s *Server) CallsTo(route string) []Call {
	var out []Call
	for _, c := range s.Calls() {
		if c.Method+" "+c.Route == route {
			out = append(out, c)
		}
	}
	return out
}

// request is what a handler of a route gets.
type request struct {
	*http.Request
	call  int
	body  object
	files []File
	token string // of an interaction

	hasBody bool
}

type reply struct {
	status int
	body   any // nil: no body
	header map[string]string
	after  func()
}

type handler func(*request) reply

func ok(body any) reply   { return reply{status: http.StatusOK, body: body} }
func noContent() reply    { return reply{status: http.StatusNoContent} }
func (r reply) bad() bool { return r.status >= 400 }

// routes are all that the fake knows. A route that carries an interaction's token
// needs no Authorization.
func (s *Server) routes() {
	s.authorised("GET /users/@me", func(*request) reply { return ok(s.meJSON()) })
	s.open("GET /gateway", func(*request) reply { return ok(object{"url": s.GatewayURL()}) })
	s.authorised("GET /gateway/bot", s.getGatewayBot)
	s.authorised("GET /applications/@me", func(*request) reply { return ok(s.applicationJSON()) })
	s.authorised("GET /oauth2/applications/@me", func(*request) reply { return ok(s.applicationJSON()) })
	s.commandRoutes()
	s.messageRoutes()
	s.interactionRoutes()
	s.authorised("GET /channels/{channel}", s.getChannel)
	s.authorised("POST /users/@me/channels", s.createDM)
	s.authorised("GET /guilds/{guild}", s.getGuild)
	s.authorised("GET /guilds/{guild}/roles", s.getRoles)
	s.authorised("GET /guilds/{guild}/members/{user}", s.getMember)
	s.mux.HandleFunc("/gateway", s.serveGateway)
	s.mux.HandleFunc("/gateway/", s.serveGateway)
	s.mux.HandleFunc("/resume/", s.serveGateway)
	s.mux.HandleFunc("GET /attachments/{id}/{name}", s.serveAttachment)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		send(w, reply{status: http.StatusNotFound, body: object{"message": "404: Not Found", "code": 0}})
	})
}

func (s *Server) authorised(route string, h handler) { s.route(route, true, h) }
func (s *Server) open(route string, h handler)       { s.route(route, false, h) }

func (s *Server) route(route string, needsToken bool, h handler) {
	method, path, _ := strings.Cut(route, " ")
	for _, version := range []string{"/api/v9", "/api/v10"} {
		s.mux.HandleFunc(method+" "+version+path, func(w http.ResponseWriter, r *http.Request) {
			s.serve(w, r, method, path, strings.TrimPrefix(r.URL.Path, version), needsToken, h)
		})
	}
}

const bodyLimit = 26 << 20

// serve is the way of every request: it is noted, met by the faults that a test has
// ordered, authorised, limited, worked on, and answered.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, method, route, path string, needsToken bool, h handler) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		send(w, failure(http.StatusRequestEntityTooLarge, 40005, "Request entity too large"))
		return
	}
	req := &request{Request: r, token: r.PathValue("token")}
	body, malformed := req.decode(raw)
	s.mu.Lock()
	req.call = len(s.calls)
	if req.token != "" {
		path = strings.Replace(path, req.token, "…", 1)
	}
	s.calls = append(s.calls, Call{Method: method, Route: route, Path: path, Query: r.URL.Query(), Body: body, Files: req.files, At: s.Now()})
	fault := s.faults.take(method + " " + route)
	s.notify()
	s.mu.Unlock()

	if fault != nil && !fault.Done && s.misbehave(w, req, fault) {
		return
	}
	out, deliver := s.answer(req, method, route, needsToken, malformed, h)
	if out.after != nil {
		defer out.after()
	}
	if fault != nil && fault.Done && s.misbehave(w, req, fault) {
		return
	}
	s.finish(req, out)
	deliver(w, out)
}

// answer works on a request under the lock.
func (s *Server) answer(req *request, method, route string, needsToken, malformed bool, h handler) (reply, func(http.ResponseWriter, reply)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if s.limits.banned(now) {
		return reply{status: http.StatusTooManyRequests, header: map[string]string{"Retry-After": "3600"}}, sendHTML
	}
	out, header := s.limits.admit(now, method, route, req.Request, needsToken)
	if out == nil {
		r := s.perform(req, needsToken, malformed, h)
		out = &r
	}
	out.header = header
	s.limits.count(now, out.status)
	if s.cfg.Spec != nil {
		s.broken = append(s.broken, s.cfg.Spec.check(method, route, req, *out)...)
	}
	s.notify()
	return *out, send
}

func (s *Server) perform(req *request, needsToken, malformed bool, h handler) reply {
	if needsToken && req.Header.Get("Authorization") != "Bot "+s.token {
		return reply{status: http.StatusUnauthorized, body: object{"message": "401: Unauthorized", "code": 0}}
	}
	if malformed {
		return failure(http.StatusBadRequest, 50109, "The request body contains invalid JSON.")
	}
	return h(req)
}

func (s *Server) finish(req *request, out reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[req.call].Status = out.status
	s.notify()
}

func send(w http.ResponseWriter, out reply) {
	for k, v := range out.header {
		w.Header().Set(k, v)
	}
	if out.body == nil {
		w.WriteHeader(out.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(out.status)
	_ = json.NewEncoder(w).Encode(out.body) // the other side may be gone
}

// sendHTML is how what stands before Discord answers.
func sendHTML(w http.ResponseWriter, out reply) {
	for k, v := range out.header {
		w.Header().Set(k, v)
	}
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(out.status)
	_, _ = io.WriteString(w, "<!DOCTYPE html><html><head><title>"+http.StatusText(out.status)+"</title></head><body>cloudflare</body></html>")
}

// sent is the decoded body, if there was one.
func (req *request) sent() (any, bool) {
	if list, is := req.body[""]; is {
		return list, true
	}
	return req.body, req.hasBody
}

// decode reads JSON, or multipart with payload_json and files.
func (req *request) decode(raw []byte) (body any, malformed bool) {
	kind, params, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if kind == "multipart/form-data" {
		form, err := multipart.NewReader(bytes.NewReader(raw), params["boundary"]).ReadForm(bodyLimit)
		if err != nil {
			return nil, true
		}
		defer func() { _ = form.RemoveAll() }() // temporary files of a test
		raw = nil
		if p := form.Value["payload_json"]; len(p) > 0 {
			raw = []byte(p[0])
		}
		for _, field := range sortedKeys(form.File) {
			for _, h := range form.File[field] {
				open, err := h.Open()
				if err != nil {
					return nil, true
				}
				data, err := io.ReadAll(open)
				_ = open.Close() // it was only read
				if err != nil {
					return nil, true
				}
				f := File{Name: h.Filename, Type: h.Header.Get("Content-Type"), Data: data, index: -1}
				_, _ = fmt.Sscanf(field, "files[%d]", &f.index) // other names have no metadata
				req.files = append(req.files, f)
			}
		}
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		req.body = object{}
		return nil, false
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, true
	}
	req.hasBody = true
	if o, isObject := body.(object); isObject {
		req.body = o
	} else {
		req.body = object{"": body} // an array: the overwriting of commands
	}
	return body, false
}
