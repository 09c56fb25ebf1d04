package graphtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// part is a request in a $batch.
type part struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// A batch has 20 parts at most, of which Outlook runs 4 at once
// (learn.microsoft.com/graph/json-batching).
const (
	maxParts  = 20
	partsOnce = 4
)

// runBatch answers a $batch. The answers are not in the order of the requests.
func (c *call) runBatch() answer {
	c.n.mu.Lock()
	bad := c.n.authenticate(c)
	c.n.mu.Unlock()
	if bad != nil {
		return answer{fail: bad}
	}
	parts, why := readBatch(c.r.Method, c.body)
	if why != "" {
		return fail(400, "BadRequest", "%s", why)
	}
	c.countEarly(parts)
	answers := make([]map[string]any, len(parts))
	if sequential(parts) {
		failed := false
		for n, p := range parts {
			if failed {
				answers[n] = map[string]any{"id": p.ID, "status": 424, "headers": map[string]any{}, "body": map[string]any{"error": map[string]any{"code": "FailedDependency", "message": "The request failed because a request that it depends on failed."}}}
				continue
			}
			answers[n] = c.runPart(p)
			failed = answers[n]["status"].(int) >= 400
		}
	} else {
		var work sync.WaitGroup
		slots := make(chan struct{}, partsOnce)
		for n, p := range parts {
			work.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				answers[n] = c.runPart(p)
			})
		}
		work.Wait()
	}
	slices.Reverse(answers)
	return answer{body: map[string]any{"responses": answers}}
}

// countEarly counts the parts of a $batch that came before a fence was over; what is refused
// to one of them, the others cannot know.
func (c *call) countEarly(parts []part) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	now := c.n.opts.Now()
	for _, p := range parts {
		path := split("/v1.0/" + strings.TrimPrefix(strings.SplitN(p.URL, "?", 2)[0], "/"))
		if len(path) < 3 || !strings.EqualFold(path[0], "users") {
			continue
		}
		if u := c.n.user(path[1]); u != nil && now.Before(c.n.meter.fence[c.token.app+" "+u.ID]) {
			c.n.meter.early++
		}
	}
}

// readBatch reads the parts, or says why they are refused.
func readBatch(method string, body []byte) ([]part, string) {
	var in struct {
		Requests []part `json:"requests"`
	}
	if method != http.MethodPost || json.Unmarshal(body, &in) != nil {
		return nil, "Invalid batch payload format."
	}
	if len(in.Requests) == 0 || len(in.Requests) > maxParts {
		return nil, "Number of batch request steps exceeds the maximum of 20, or there is none."
	}
	seen := map[string]bool{}
	depends := 0
	for n, p := range in.Requests {
		switch {
		case p.ID == "" || seen[p.ID]:
			return nil, "Duplicate or missing request id in batch."
		case p.Method == "" || p.URL == "":
			return nil, "A request in the batch has no method or no url."
		case len(p.Body) > 0 && p.Headers["Content-Type"] == "" && p.Headers["content-type"] == "":
			return nil, "A request with a body needs a Content-Type header."
		}
		seen[p.ID] = true
		if len(p.DependsOn) > 0 {
			depends++
			if n == 0 || len(p.DependsOn) > 1 || p.DependsOn[0] != in.Requests[n-1].ID {
				return nil, "The dependencies of a batch are either none, or each request on the one before it."
			}
		}
	}
	if depends != 0 && depends != len(in.Requests)-1 {
		return nil, "The dependencies of a batch are either none, or each request on the one before it."
	}
	return in.Requests, ""
}

func sequential(parts []part) bool { return len(parts) > 1 && len(parts[1].DependsOn) > 0 }

func (c *call) runPart(p part) map[string]any {
	body := []byte(p.Body)
	var text string
	if json.Unmarshal(p.Body, &text) == nil { // what is not JSON comes in base64
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
			body = raw
		}
	}
	u, err := url.Parse("/v1.0/" + strings.TrimPrefix(p.URL, "/"))
	if err != nil {
		return map[string]any{"id": p.ID, "status": 400, "headers": map[string]any{}, "body": map[string]any{"error": map[string]any{"code": "BadRequest", "message": "Invalid URL."}}}
	}
	r, err := http.NewRequestWithContext(c.r.Context(), strings.ToUpper(p.Method), u.String(), bytes.NewReader(body))
	if err != nil {
		return map[string]any{"id": p.ID, "status": 400, "headers": map[string]any{}, "body": map[string]any{"error": map[string]any{"code": "BadRequest", "message": "Invalid request."}}}
	}
	for k, v := range p.Headers {
		r.Header.Set(k, v)
	}
	r.Header.Set("Authorization", c.r.Header.Get("Authorization"))
	w := c.n.inner(r)
	headers := map[string]any{}
	for k := range w.Header() {
		headers[k] = w.Header().Get(k)
	}
	out := map[string]any{"id": p.ID, "status": w.Code, "headers": headers}
	switch data := w.Body.Bytes(); {
	case len(data) == 0:
	case strings.HasPrefix(w.Header().Get("Content-Type"), "application/json"):
		out["body"] = json.RawMessage(data)
	default:
		out["body"] = base64.StdEncoding.EncodeToString(data)
	}
	return out
}
