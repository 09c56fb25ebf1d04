package cpaneltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// answer runs a function of UAPI or API 2 and sends what it gives.
func (q *request) answer(c Call) {
	data, err := q.run(c)
	if q.gone {
		panic(http.ErrAbortHandler) // the connection ends without an answer
	}
	var body any
	if c.API == 2 {
		body = api2Envelope(c, q.shape(data), err)
	} else {
		body = flat(q.shape(data), err)
		if q.h.cfg.Wrapped || c.Path == "/json-api/cpanel" {
			body = map[string]any{"apiversion": 3, "module": c.Module, "func": c.Function, "result": body}
		}
	}
	q.send(body)
}

func (q *request) send(body any) {
	if !q.fault.Junk {
		sendJSON(q.w, http.StatusOK, body)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	q.w.Header().Set("Content-Type", "application/json")
	_, _ = q.w.Write(text[:len(text)/2]) // the client may have gone
}

// run checks what every call is checked for, and runs it.
func (q *request) run(c Call) (any, error) {
	if q.fault.Error != "" {
		return nil, refusal(q.fault.Error)
	}
	name := c.Module + "::" + c.Function
	if c.API == 2 {
		name = "2:" + name
	}
	f, known := q.h.functions[name]
	q.h.mu.Lock()
	err := q.may(c, f, known)
	if err != nil || !f.long {
		defer q.h.mu.Unlock()
	}
	if err != nil {
		return nil, err
	}
	if f.long {
		q.h.mu.Unlock()
	}
	return f.do(q)
}

// may says why a call is refused. The texts are those that people saw on live hosts (and
// wrote into public issues and guides): "Failed to load module", "The system could not find
// the function", "You do not have the feature". The lock is held.
func (q *request) may(c Call, f function, known bool) error {
	if !known || q.h.major() < f.since {
		if c.API == 2 {
			return refuse("Could not find function %q in module %q", c.Function, c.Module)
		}
		if f.plugin || !q.h.hasModule(c.Module) {
			return refuse(`Failed to load module "%[1]s": Can't locate Cpanel/API/%[1]s.pm in @INC (you may need to install the Cpanel::API::%[1]s module) (@INC contains: /usr/local/cpanel) at (eval 12) line 1.`, c.Module)
		}
		return refuse("The system could not find the function “%s” in the module “%s”.", c.Function, c.Module)
	}
	if f.feature != "" && !q.a.feature(f.feature) {
		return refuse("You do not have the feature “%s”.", f.feature)
	}
	if f.post && q.r.Method != http.MethodPost {
		return refuse("This function requires a POST request.")
	}
	if f.writes && q.a.demo {
		return refuse("This feature is disabled in demo mode.")
	}
	if _, text, ok := strings.Cut(q.r.Header.Get("Authorization"), ":"); ok && f.writes {
		if t := q.a.tokens[text]; t != nil && t.readonly {
			return refuse("This API token is read-only.")
		}
	}
	return nil
}

// hasModule reports whether any function of a module is there.
func (h *Host) hasModule(module string) bool {
	for name, f := range h.functions {
		if strings.HasPrefix(name, module+"::") && h.major() >= f.since {
			return true
		}
	}
	return false
}

// flat is the envelope of UAPI over /execute.
func flat(data any, err error) map[string]any {
	out := map[string]any{"status": 1, "data": data, "errors": nil, "messages": nil, "warnings": nil, "metadata": map[string]any{"transformed": 1}}
	if all, ok := data.([]any); ok {
		out["metadata"] = map[string]any{"transformed": 1, "cnt": len(all)}
	}
	if err != nil {
		out["status"], out["data"], out["errors"], out["metadata"] = 0, nil, []string{err.Error()}, map[string]any{}
		var with withData
		if errors.As(err, &with) {
			out["data"] = with.data
		}
	}
	return out
}

// withData is a refusal that has data all the same.
type withData struct {
	error
	data any
}

func api2Envelope(c Call, data any, err error) map[string]any {
	result := map[string]any{"apiversion": 2, "module": c.Module, "func": c.Function, "event": map[string]any{"result": 1}, "data": data}
	if err != nil {
		result["error"], result["event"], result["data"] = err.Error(), map[string]any{"result": 0, "reason": err.Error()}, []any{}
	}
	return map[string]any{"cpanelresult": result}
}

// shape brings data into the form of JSON, loose where the host is.
func (q *request) shape(data any) any {
	text, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("an answer that is no JSON: %v", err))
	}
	var plain any
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	if err := dec.Decode(&plain); err != nil {
		panic(err)
	}
	if q.h.cfg.Loose {
		return loosen(plain)
	}
	return plain
}

// loosen makes numbers strings and booleans numbers, as live hosts do here and there.
func loosen(v any) any {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case bool:
		if v {
			return 1
		}
		return 0
	case []any:
		for i := range v {
			v[i] = loosen(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = loosen(v[name])
		}
	}
	return v
}

// megabytes is a size as Quota gives it.
func megabytes(bytes int64) json.Number {
	return json.Number(strconv.FormatFloat(float64(bytes)/(1<<20), 'f', 2, 64))
}
