package graphtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DownloadApp is the first-party application MicrosoftPurviewEDiscovery.
const DownloadApp = "b26e684c-5068-4120-a679-64a5d2c909d9"

// downloadRole is its application role; in an App it stands among the permissions.
const downloadRole = "eDiscovery.Download.Read"

// proxyPath is where exports are downloaded from.
const proxyPath = "/purview-proxy/"

// PurviewOptions are how Purview behaves.
type PurviewOptions struct {
	Unlicensed bool // the tenant has no eDiscovery Premium
	Manager    bool // the app is an eDiscovery Manager and no Administrator: downloads are refused
	NoApp      bool // the tenant has no service principal of MicrosoftPurviewEDiscovery
	Steps      int  // how often an operation is looked at until it is over; default 3
	Fails      string
	Forgets    bool              // operations are listed only after they were looked at Steps times
	Partial    bool              // exports miss something
	Page       bool              // a proxy answers downloads with a page of its own
	Files      map[string][]byte // what an export gives
}

// purview is the state of eDiscovery.
type purview struct {
	PurviewOptions
	cases []*ediscoveryCase
	serve int // of ids
}

type ediscoveryCase struct {
	id, name, status string
	created          time.Time
	searches         []*ediscoverySearch
	operations       []*ediscoveryOperation
}

type ediscoverySearch struct {
	id, name string
	sources  []string
	measured bool // its estimate has succeeded
}

type ediscoveryOperation struct {
	id, action, name string
	search           *ediscoverySearch
	looked           int
	created          time.Time
}

// Purview sets how Purview behaves from now on.
func (n *Tenant) Purview(o PurviewOptions) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.purview.PurviewOptions = o
	if n.purview.Steps == 0 {
		n.purview.Steps = 3
	}
}

// Exports is how many exports were begun, and Cases how many cases there are.
func (n *Tenant) Exports() (exports, cases int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.purview.cases {
		for _, o := range c.operations {
			if o.action == "exportResult" {
				exports++
			}
		}
	}
	return exports, len(n.purview.cases)
}

// rolesFor gives the roles of a token for a resource; the lock is held.
func (n *Tenant) rolesFor(a *App, scope string) ([]string, *entraError) {
	of, _ := strings.CutSuffix(scope, "/.default")
	download := strings.HasPrefix(of, DownloadApp)
	if download && n.purview.NoApp {
		return nil, &entraError{400, "invalid_resource", 500011, "The resource principal named " + DownloadApp + " was not found in the tenant named Fake."}
	}
	roles := []string{}
	for p := range a.permissions {
		if (p == downloadRole) == download {
			roles = append(roles, p)
		}
	}
	slices.Sort(roles)
	return roles, nil
}

func (c *call) id() string {
	c.n.purview.serve++
	return fmt.Sprintf("%08d-cccc-4ddd-8eee-ffff00000000", c.n.purview.serve)
}

// security answers what is below /security.
func (c *call) security() answer {
	if len(c.path) < 3 || c.path[1] != "cases" || c.path[2] != "ediscoveryCases" {
		return c.noSegment(strings.Join(c.path, "/"))
	}
	write := c.r.Method != http.MethodGet
	switch {
	case write && !c.may("eDiscovery.ReadWrite.All"), !c.may("eDiscovery.Read.All", "eDiscovery.ReadWrite.All"):
		return fail(403, "Forbidden", "Insufficient privileges to complete the operation.")
	case c.n.purview.Unlicensed:
		return fail(403, "Forbidden", "The tenant does not have a valid license for eDiscovery (Premium).")
	}
	rest := c.path[3:]
	if len(rest) == 0 {
		return c.cases()
	}
	at := slices.IndexFunc(c.n.purview.cases, func(x *ediscoveryCase) bool { return x.id == rest[0] })
	if at < 0 {
		return fail(404, "NotFound", "Case %s does not exist.", rest[0])
	}
	x := c.n.purview.cases[at]
	switch {
	case len(rest) == 1 && c.r.Method == http.MethodDelete:
		if x.status != "closed" {
			return fail(400, "BadRequest", "Only a closed case can be deleted.")
		}
		c.n.purview.cases = slices.Delete(c.n.purview.cases, at, at+1)
		return answer{status: 204}
	case len(rest) == 1:
		return one("security.ediscoveryCase", "", x.body())
	case strings.EqualFold(strings.TrimPrefix(rest[1], "microsoft.graph.security."), "close"):
		x.status = "closed"
		return answer{status: 204}
	case rest[1] == "searches":
		return c.searches(x, rest[2:])
	case rest[1] == "operations":
		return c.operations(x, rest[2:])
	}
	return c.noSegment(rest[1])
}

func (x *ediscoveryCase) body() map[string]any {
	return map[string]any{"id": x.id, "displayName": x.name, "status": x.status, "createdDateTime": x.created.UTC().Format(time.RFC3339)}
}

// wanted is what a body asks for.
type wanted struct {
	DisplayName       string `json:"displayName"`
	Email             string `json:"email"`
	Type              string `json:"@odata.type"`
	ExportFormat      string `json:"exportFormat"`
	ExportCriteria    string `json:"exportCriteria"`
	AdditionalOptions string `json:"additionalOptions"`
	ExportLocation    string `json:"exportLocation"`
}

// posted reads the body of a POST of a type of the metadata.
func (c *call) posted(shape string) (wanted, *failure) {
	var w wanted
	if err := json.Unmarshal(c.body, &w); err != nil {
		return w, &failure{status: 400, code: "BadRequest", text: "Unable to read JSON request payload."}
	}
	if c.n.opts.Schema != nil && shape != "" {
		c.n.bad = append(c.n.bad, c.n.opts.Schema.Check(shape, c.body)...)
	}
	return w, nil
}

// all are bodies of a list, two a page.
func (c *call) all(shape string, bodies []map[string]any) answer {
	const size = 2
	skip, _ := strconv.Atoi(c.r.URL.Query().Get("$skiptoken"))
	end := min(skip+size, len(bodies))
	value := []any{}
	for _, b := range bodies[min(skip, len(bodies)):end] {
		value = append(value, b)
	}
	body := map[string]any{"value": value}
	if end < len(bodies) {
		body["@odata.nextLink"] = c.n.URL + "/v1.0/" + strings.Join(c.path, "/") + "?$skiptoken=" + strconv.Itoa(end)
	}
	return answer{body: body, shape: shape, many: true}
}

func (c *call) cases() answer {
	if c.r.Method != http.MethodPost {
		var bodies []map[string]any
		for _, x := range c.n.purview.cases {
			bodies = append(bodies, x.body())
		}
		return c.all("security.ediscoveryCase", bodies)
	}
	w, f := c.posted("security.ediscoveryCase")
	switch {
	case f != nil:
		return answer{fail: f}
	case slices.ContainsFunc(c.n.purview.cases, func(x *ediscoveryCase) bool { return x.name == w.DisplayName }):
		return fail(409, "Conflict", "A case of that name exists.")
	}
	x := &ediscoveryCase{id: c.id(), name: w.DisplayName, status: "active", created: c.n.opts.Now()}
	c.n.purview.cases = append(c.n.purview.cases, x)
	a := one("security.ediscoveryCase", "", x.body())
	a.status = 201
	return a
}

func (s *ediscoverySearch) body() map[string]any {
	return map[string]any{"id": s.id, "displayName": s.name, "contentQuery": ""}
}

func (c *call) searches(x *ediscoveryCase, rest []string) answer {
	const shape = "security.ediscoverySearch"
	if len(rest) == 0 && c.r.Method == http.MethodPost {
		w, f := c.posted(shape)
		if f != nil {
			return answer{fail: f}
		}
		s := &ediscoverySearch{id: c.id(), name: w.DisplayName}
		x.searches = append(x.searches, s)
		a := one(shape, "", s.body())
		a.status = 201
		return a
	}
	if len(rest) == 0 {
		var bodies []map[string]any
		for _, s := range x.searches {
			bodies = append(bodies, s.body())
		}
		return c.all(shape, bodies)
	}
	at := slices.IndexFunc(x.searches, func(s *ediscoverySearch) bool { return s.id == rest[0] })
	if at < 0 || len(rest) != 2 {
		return fail(404, "NotFound", "The search does not exist.")
	}
	s := x.searches[at]
	switch what := strings.TrimPrefix(rest[1], "microsoft.graph.security."); what {
	case "additionalSources":
		return c.sources(s)
	case "estimateStatistics", "exportResult":
		return c.act(x, s, what)
	}
	return c.noSegment(rest[1])
}

func (c *call) sources(s *ediscoverySearch) answer {
	const shape = "security.dataSource"
	if c.r.Method == http.MethodPost {
		w, f := c.posted(shape)
		switch {
		case f != nil:
			return answer{fail: f}
		case w.Type != "#microsoft.graph.security.userSource" || c.n.user(w.Email) == nil:
			return fail(400, "BadRequest", "The source %s could not be found.", w.Email)
		}
		s.sources = append(s.sources, w.Email)
		return answer{status: 201, body: map[string]any{"@odata.type": w.Type, "id": "source-1", "email": w.Email, "includedSources": "mailbox"}, shape: shape}
	}
	var bodies []map[string]any
	for _, m := range s.sources {
		bodies = append(bodies, map[string]any{"@odata.type": "#microsoft.graph.security.userSource", "id": "source-1", "email": m, "includedSources": "mailbox"})
	}
	return c.all(shape, bodies)
}

// act is an action of a search: 202, with the address of the operation.
func (c *call) act(x *ediscoveryCase, s *ediscoverySearch, action string) answer {
	w := wanted{}
	if action == "exportResult" {
		var f *failure
		if w, f = c.posted(""); f != nil {
			return answer{fail: f}
		}
		switch {
		case !s.measured:
			return fail(400, "BadRequest", "The search must be estimated first.")
		case w.ExportFormat != "pst" || w.ExportCriteria == "" || w.DisplayName == "":
			return fail(400, "BadRequest", "displayName, exportCriteria and exportFormat are required.")
		case slices.ContainsFunc(x.operations, func(o *ediscoveryOperation) bool { return o.name == w.DisplayName }):
			return fail(409, "Conflict", "An export of that name exists.")
		}
	}
	o := &ediscoveryOperation{id: strings.ReplaceAll(c.id(), "-", ""), action: action, name: w.DisplayName, search: s, created: c.n.opts.Now()}
	x.operations = append(x.operations, o)
	return answer{status: 202, header: http.Header{"Location": {fmt.Sprintf("%s/v1.0/security/cases/ediscoveryCases('%s')/operations('%s')", c.n.URL, x.id, o.id)}}}
}

func (c *call) operations(x *ediscoveryCase, rest []string) answer {
	if len(rest) == 0 {
		var bodies []map[string]any
		for _, o := range x.operations {
			if !c.n.purview.Forgets || o.looked > 0 {
				bodies = append(bodies, c.operation(o))
			}
		}
		return c.all("security.caseOperation", bodies)
	}
	at := slices.IndexFunc(x.operations, func(o *ediscoveryOperation) bool { return o.id == rest[0] })
	if at < 0 {
		return fail(404, "NotFound", "The operation does not exist.")
	}
	o := x.operations[at]
	o.looked++
	return one("security.caseOperation", "", c.operation(o))
}

// operation is one as it is now: it goes on whenever somebody looks.
func (c *call) operation(o *ediscoveryOperation) map[string]any {
	p := c.n.purview
	steps := max(p.Steps, 1)
	done := o.looked >= steps
	body := map[string]any{
		"id": o.id, "action": o.action, "createdDateTime": o.created.UTC().Format(time.RFC3339),
		"percentProgress": min(100, 100*o.looked/steps), "status": "running",
	}
	if !strings.Contains(strings.Join(c.r.Header.Values("Prefer"), ","), "include-unknown-enum-members") && o.action == "exportResult" {
		body["action"] = "unknownFutureValue"
	}
	if o.action == "exportResult" {
		body["@odata.type"], body["displayName"] = "#microsoft.graph.security.ediscoverySearchExportOperation", o.name
	} else {
		body["@odata.type"] = "#microsoft.graph.security.ediscoveryEstimateOperation"
	}
	switch {
	case done && p.Fails == o.action:
		body["status"], body["resultInfo"] = "failed", map[string]any{"code": 500, "message": "The location could not be searched."}
	case done && o.action == "exportResult":
		body["status"] = "succeeded"
		files := []any{}
		for _, name := range c.exported() {
			files = append(files, map[string]any{"fileName": name, "size": len(p.Files[name]), "downloadUrl": c.n.URL + proxyPath + o.id + "/" + name})
		}
		body["exportFileMetadata"] = files
		if p.Partial {
			body["status"], body["resultInfo"] = "partiallySucceeded", map[string]any{"code": 206, "message": "3 items could not be exported."}
		}
	case done:
		o.search.measured = true
		body["status"], body["indexedItemCount"], body["mailboxCount"] = "succeeded", 12, len(o.search.sources)
	}
	return body
}

func (c *call) exported() (names []string) {
	for name := range c.n.purview.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// serveProxy is the host of downloads: it takes no token of Graph.
func (n *Tenant) serveProxy(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	t := n.bearer(r)
	_, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, proxyPath), "/")
	data, found := n.purview.Files[name]
	refused := t == nil || t.ended || !slices.Contains(t.roles, downloadRole) || r.Header.Get("X-AllowWithAADToken") != "true" || n.purview.Manager
	n.log.all = append(n.log.all, Request{Method: r.Method, Path: r.URL.Path, Query: r.Header.Get("Range"), Time: n.opts.Now(), Status: 200})
	n.mu.Unlock()
	fault := n.faults.take(r)
	switch {
	case refused:
		w.WriteHeader(http.StatusUnauthorized)
		return
	case !found:
		w.WriteHeader(http.StatusNotFound)
		return
	case n.purview.Page:
		write(w, http.StatusOK, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, []byte("<html>Sign in to your account</html>"))
		return
	}
	status, h := http.StatusOK, http.Header{"Content-Type": {"application/octet-stream"}}
	if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		at, err := strconv.Atoi(strings.TrimSuffix(from, "-"))
		if err != nil || at > len(data) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(data)-1, len(data)))
		data = data[at:]
	}
	if fault != nil && fault.Drop {
		cut(w, status, h, data, fault.Bytes)
	}
	if fault != nil && fault.Status > 0 {
		w.WriteHeader(fault.Status)
		return
	}
	write(w, status, h, data)
}
