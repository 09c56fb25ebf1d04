package graphtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// failure is an error in Graph's envelope.
type failure struct {
	status   int
	code     string
	text     string
	retry    time.Duration
	location string
	inner    string // a code inside
	client   string // the client-request-id of the request; default: the request's own id
}

func fail(status int, code, text string, args ...any) answer {
	return answer{fail: &failure{status: status, code: code, text: fmt.Sprintf(text, args...)}}
}

func notFound() answer {
	return fail(404, "ErrorItemNotFound", "The specified object was not found in the store.")
}

// answer is what a request gets: a failure, bytes, or a value of a type of the metadata.
type answer struct {
	fail   *failure
	status int // default 200
	header http.Header
	raw    []byte
	media  string
	body   map[string]any
	shape  string // the type of body, or of each of its "value" if many
	many   bool
}

// one is an entity or a complex value.
func one(shape, context string, body map[string]any) answer {
	out := map[string]any{"@odata.context": context}
	for k, v := range body {
		out[k] = v
	}
	return answer{body: out, shape: shape}
}

// encode gives status, headers and body as they are sent.
func (a answer) encode(n *Tenant, request string) (int, http.Header, []byte) {
	h := http.Header{}
	for k, v := range a.header {
		h[k] = v
	}
	h.Set("Request-Id", request)
	h.Set("Cache-Control", "private")
	now := n.opts.Now().UTC()
	h.Set("Date", now.Format(http.TimeFormat))
	if f := a.fail; f != nil {
		if f.retry > 0 {
			h.Set("Retry-After", strconv.Itoa(int((f.retry+time.Second-1)/time.Second)))
		}
		if f.location != "" {
			h.Set("Location", f.location)
		}
		if f.status == http.StatusUnauthorized {
			h.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+n.LoginURL+`/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`)
		}
		inner := map[string]any{"date": now.Format("2006-01-02T15:04:05"), "request-id": request, "client-request-id": either(f.client, request)}
		if f.inner != "" {
			inner["code"] = f.inner
		}
		h.Set("Content-Type", "application/json")
		return f.status, h, encode(map[string]any{"error": map[string]any{"code": f.code, "message": f.text, "innerError": inner}})
	}
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	if a.body == nil {
		if a.media != "" {
			h.Set("Content-Type", a.media)
		}
		return status, h, a.raw
	}
	h.Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	data := encode(a.body)
	if n.opts.Schema != nil && a.shape != "" {
		n.judge(a, data)
	}
	return status, h, data
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // what is answered is made of maps, strings and numbers here
	}
	return data
}
