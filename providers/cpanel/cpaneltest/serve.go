package cpaneltest

import (
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

// request is a call of a function that is being answered.
type request struct {
	h      *Host
	a      *Account // whose function it is; nil in WHM API 1
	w      http.ResponseWriter
	r      *http.Request
	params url.Values
	parts  []part
	fault  Fault
	whm    string // the user of WHM, where it came by WHM
	gone   bool   // the connection was ended while the work goes on
}

// part is a file that came as multipart.
type part struct{ field, name, disk string }

// refusal is an error that the host says to the client: status 0.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// need gives a parameter that must be there.
func (q *request) need(name string) (string, error) {
	if v := q.params.Get(name); v != "" {
		return v, nil
	}
	return "", refuse("Provide the “%s” argument.", name)
}

// function is one of UAPI or API 2.
type function struct {
	since   int    // version of cPanel
	feature string // that the account needs; "": none
	post    bool   // only POST is taken
	writes  bool   // read-only tokens and demo accounts may not
	plugin  bool   // of a plugin: its module is absent before since
	long    bool   // it takes the host's lock itself
	do      func(q *request) (any, error)
}

// call says what may be said of a request from its address alone.
func (h *Host) call(r *http.Request, whm bool) (Call, string) {
	c := Call{At: h.Now(), WHM: whm, Verb: r.Method, Path: r.URL.Path, Range: r.Header.Get("Range")}
	cpsess := cpsessPrefix(c.Path)
	c.Path = strings.TrimPrefix(c.Path, cpsess)
	c.Long = c.download()
	return c, cpsess
}

func cpsessPrefix(path string) string { return regexp.MustCompile(`^/cpsess\d+`).FindString(path) }

// servePanel is the port 2083.
func (h *Host) servePanel(w http.ResponseWriter, r *http.Request) {
	c, cpsess := h.call(r, false)
	h.mu.Lock()
	user, how := h.identify(r, cpsess)
	h.mu.Unlock()
	c.User, c.Auth = user, how
	if how == "anonymous" {
		c.Auth = ""
	}
	if rest, ok := strings.CutPrefix(c.Path, "/execute/"); ok {
		c.API = 3
		c.Module, c.Function, _ = strings.Cut(rest, "/")
	}
	h.breakUpload(r, c)
	params, parts, err := h.take(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.Params, c.Parts = redact(params), names(parts)
	if c.Path == "/json-api/cpanel" {
		c.API, c.Module, c.Function = legacy(params)
	}
	c.Long = c.Long || h.functions[c.Module+"::"+c.Function].long && c.API == 3
	h.serve(w, r, c, func(w http.ResponseWriter, fault Fault) {
		switch {
		case strings.HasPrefix(c.Path, "/login"):
			h.login(w, r)
		case user == "":
			h.unknown(w, how)
		case h.isSuspended(user):
			page(w, http.StatusForbidden, "<h1>Account Suspended</h1>")
		case c.download():
			h.download(w, r, c, fault)
		case c.API != 0:
			q := &request{h: h, w: w, r: r, params: params, parts: parts, fault: fault}
			h.mu.Lock()
			q.a = h.accounts[user]
			h.mu.Unlock()
			q.answer(c)
		case strings.HasPrefix(c.Path, "/json-api/"):
			page(w, http.StatusForbidden, "<h1>Permission denied</h1>") // a function of WHM on the wrong port
		default:
			page(w, http.StatusOK, "<h1>Tools</h1>")
		}
	})
}

// legacy reads the call of /json-api/cpanel.
func legacy(params url.Values) (api int, module, function string) {
	api = 2
	if params.Get("cpanel_jsonapi_apiversion") == "3" {
		api = 3
	}
	return api, params.Get("cpanel_jsonapi_module"), params.Get("cpanel_jsonapi_func")
}

// unknown answers whom the host does not know.
func (h *Host) unknown(w http.ResponseWriter, how string) {
	if how == "" { // a wrong one counts, none does not
		h.mu.Lock()
		h.refused++
		h.mu.Unlock()
	}
	loginPage(w, http.StatusUnauthorized)
}

// serve records a request, applies what goes wrong, and answers.
func (h *Host) serve(w http.ResponseWriter, r *http.Request, c Call, answer func(http.ResponseWriter, Fault)) {
	number := h.begin(c, r)
	status := &statusWriter{ResponseWriter: w}
	defer func() { h.end(number, status.status) }()
	h.mu.Lock()
	fault := h.pick(c)
	h.mu.Unlock()
	if fault.Slow > 0 && !h.wait(fault.Slow) {
		panic(http.ErrAbortHandler)
	}
	if fault.Hold != nil {
		select {
		case <-fault.Hold:
		case <-h.ctx.Done():
			panic(http.ErrAbortHandler)
		}
	}
	if h.spoil(status, fault) {
		return
	}
	var to http.ResponseWriter = status
	if fault.Lose {
		answer(&shortener{ResponseWriter: discard{http.Header{}}}, fault)
		panic(http.ErrAbortHandler)
	}
	if fault.Cut > 0 {
		to = &cutter{ResponseWriter: to, left: fault.Cut}
	}
	if fault.Hang > 0 {
		to = &hanger{ResponseWriter: to, left: fault.Hang, ends: []<-chan struct{}{r.Context().Done(), h.ctx.Done()}}
	}
	if fault.Truncate > 0 {
		to = &shortener{ResponseWriter: to, left: fault.Truncate}
	}
	answer(to, fault)
}

// discard is where an answer goes that gets lost.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)               {}

// breakUpload ends the connection in the middle of an upload, where a fault says so.
func (h *Host) breakUpload(r *http.Request, c Call) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return
	}
	h.mu.Lock()
	f := h.pickOf(c, func(f *Fault) bool { return f.DropAt > 0 })
	h.mu.Unlock()
	if f.DropAt > 0 {
		r.Body = &breaking{ReadCloser: r.Body, left: f.DropAt}
	}
}

// breaking is a body that is not read to its end.
type breaking struct {
	io.ReadCloser
	left int64
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.left <= 0 {
		panic(http.ErrAbortHandler)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// take reads query, form and files of a request to their end, as a server does before
// it answers. Files go to the disk.
func (h *Host) take(r *http.Request) (url.Values, []part, error) {
	all := r.URL.Query()
	mime := r.Header.Get("Content-Type")
	if strings.HasPrefix(mime, "multipart/form-data") {
		reader, err := r.MultipartReader()
		if err != nil {
			return nil, nil, err
		}
		parts, err := h.receive(reader, all)
		return all, parts, err
	}
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			return nil, nil, err
		}
		for name, values := range r.PostForm {
			all[name] = append(all[name], values...)
		}
	}
	return all, nil, nil
}

func (h *Host) receive(reader *multipart.Reader, fields url.Values) ([]part, error) {
	var parts []part
	for {
		p, err := reader.NextPart()
		if err == io.EOF {
			return parts, nil
		}
		if err != nil {
			return parts, err
		}
		if p.FileName() == "" {
			value, err := io.ReadAll(io.LimitReader(p, 1<<20))
			if err != nil {
				return parts, err
			}
			fields.Add(p.FormName(), string(value))
			continue
		}
		h.mu.Lock()
		disk := h.onDisk()
		h.mu.Unlock()
		if err := save(disk, p); err != nil {
			return parts, err
		}
		parts = append(parts, part{field: p.FormName(), name: p.FileName(), disk: disk})
	}
}

func save(disk string, from io.Reader) error {
	f, err := os.Create(disk)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func names(parts []part) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p.field)
	}
	slices.Sort(all)
	return all
}
