package cpaneltest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Call is a request that has arrived.
type Call struct {
	At       time.Time
	WHM      bool       // on the port of WHM
	Verb     string     // "GET", "POST"
	Path     string     // without query and without /cpsess…
	Module   string     // of UAPI and API 2
	Function string     // of UAPI, API 2 and WHM API 1; "": it was no call of a function
	API      int        // 3: UAPI, 2: API 2, 1: WHM API 1, 0: no call of a function
	Params   url.Values // of query and body; secrets are "<secret>"
	Parts    []string   // names of the files that came as multipart
	User     string     // the account, where it could be told
	Auth     string     // "token", "password", "session", "whm", or "" where it was refused
	Range    string     // of the request
	Status   int        // of the answer; 0: there was none, or it is under way
	Long     bool       // a restore, an upload or a download
}

// download reports whether it is on one of the download routes.
func (c Call) download() bool {
	return slices.ContainsFunc(downloadRoutes(), func(route string) bool { return strings.HasPrefix(c.Path, route) })
}

func downloadRoutes() []string {
	return []string{"/download", "/getbackup/", "/getsqlbackup/", "/getaliasbackup/", "/getfilterbackup/"}
}

// String is the call in a line, without its parameters.
func (c Call) String() string {
	if c.Module != "" {
		return fmt.Sprintf("%s %s::%s %d", c.Verb, c.Module, c.Function, c.Status)
	}
	if c.Function != "" {
		return fmt.Sprintf("%s %s %d", c.Verb, c.Function, c.Status)
	}
	return fmt.Sprintf("%s %s %d", c.Verb, c.Path, c.Status)
}

// Calls are all requests so far, in the order in which they arrived.
func (h *Host) Calls() []Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.calls)
}

// CallsTo are those of a function ("Module::function", or of WHM API 1), or of a route
// ("/download").
func (h *Host) CallsTo(what string) []Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := Fault{On: what}
	return slices.DeleteFunc(slices.Clone(h.calls), func(c Call) bool { return !f.fits(c) })
}

// Violations are the calls that break the contract of the endpoints (cpanel.Contract),
// or that put a secret into an address.
func (h *Host) Violations() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.bad)
}

// Overlaps is how often a call of an account began while another short one of it was
// under way, which cPanel is said not to support (README of the Terraform provider
// LoicBoursin/terraform-provider-cpanel). The fake takes it.
func (h *Host) Overlaps() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.overlaps
}

// secretParams are parameters that no log may show.
func secretParams() []string {
	return []string{"pass", "password", "key_passphrase", "tfa_token", "passphrase", "session"}
}

func redact(all url.Values) url.Values {
	out := url.Values{}
	for name, values := range all {
		if slices.Contains(secretParams(), name) {
			values = []string{"<secret>"}
		}
		out[name] = slices.Clone(values)
	}
	return out
}

// begin records a request; the number is for end.
func (h *Host) begin(c Call, r *http.Request) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, c)
	for name := range r.URL.Query() {
		if slices.Contains(secretParams(), name) && !(name == "session" && strings.Contains(c.Path, "/login")) {
			h.bad = append(h.bad, fmt.Sprintf("%s %s has the secret %s in its address, where logs show it", c.Verb, c.Path, name))
		}
	}
	h.bad = append(h.bad, breaches(c)...)
	if c.Function != "" && !c.Long && c.User != "" {
		if h.busy[c.User] > 0 {
			h.overlaps++
		}
		h.busy[c.User]++
	}
	return len(h.calls) - 1
}

func (h *Host) end(number, status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &h.calls[number]
	c.Status = status
	if c.Function != "" && !c.Long && c.User != "" {
		h.busy[c.User]--
	}
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusWriter) Write(p []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
