package cpanel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"keepwatch"
)

// callError is a refusal by the host: it was reached, and did not do what it was asked.
type callError struct {
	Module, Function string   // Module is "WHM" for WHM API 1
	Status           int      // of HTTP; 200 where the refusal is in the answer
	Said             []string // what the host says
	// login says that a login page came, or a redirect to one, or a plain refusal of
	// who asks.
	login bool
}

func (e *callError) Error() string {
	said := strings.Join(e.Said, " ")
	if said == "" {
		said = fmt.Sprintf("HTTP status %d", e.Status)
	}
	if e.Module == "" {
		return said
	}
	return e.Module + "::" + e.Function + ": " + said
}

// isRefused reports whether the host did not take the sign-in.
func isRefused(err error) bool {
	var e *callError
	return errors.As(err, &e) && (e.login || e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

// isAbsent reports whether a function is not on this host, because its version is too
// old or a plugin is missing. Hosts have no code for it, so it is told by their words:
// a module that cannot be loaded or located, a function that could not be found in its
// module, an unknown app (which is what WHM calls a function).
func isAbsent(err error) bool {
	var e *callError
	if !errors.As(err, &e) || e.login {
		return false
	}
	if e.Status == http.StatusNotFound {
		return true
	}
	said := strings.ToLower(strings.Join(e.Said, " "))
	return slices.ContainsFunc([]string{
		"failed to load module", "can't locate cpanel", "can't find the cpanel", "could not find the function", "could not find function",
		"unknown app", "requested module", "locate object method",
	}, func(words string) bool { return strings.Contains(said, words) })
}

// envelope is what UAPI answers: flat from /execute, wrapped in "result" elsewhere and
// in cPanel's own samples.
type envelope struct {
	Status   *flag           `json:"status"`
	Data     json.RawMessage `json:"data"`
	Errors   list[text]      `json:"errors"`
	Messages list[text]      `json:"messages"`
	Result   json.RawMessage `json:"result"`
}

// readUAPI reads an answer of UAPI in both its shapes. Data goes into into, which may be
// nil.
func readUAPI(module, function string, body []byte, into any) error {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("%s::%s: the answer cannot be read: %w", module, function, err)
	}
	if e.Status == nil && len(e.Result) > 0 && e.Result[0] == '{' {
		inner := envelope{}
		if err := json.Unmarshal(e.Result, &inner); err != nil {
			return fmt.Errorf("%s::%s: the answer cannot be read: %w", module, function, err)
		}
		e = inner
	}
	if e.Status == nil || !*e.Status {
		return &callError{Module: module, Function: function, Status: http.StatusOK, Said: hostSaid(e.Errors)}
	}
	return readData(module+"::"+function, e.Data, into)
}

// readAPI2 reads an answer of cPanel API 2.
func readAPI2(module, function string, body []byte, into any) error {
	var e struct {
		Result *struct {
			Event struct {
				Result *flag `json:"result"`
				Reason text  `json:"reason"`
			} `json:"event"`
			Data  json.RawMessage `json:"data"`
			Error list[text]      `json:"error"`
		} `json:"cpanelresult"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("%s::%s: the answer cannot be read: %w", module, function, err)
	}
	if e.Result == nil {
		return &callError{Module: module, Function: function, Status: http.StatusOK, Said: []string{"The answer has no cpanelresult."}}
	}
	r := e.Result
	if why := hostSaid(r.Error); len(why) > 0 || r.Event.Result != nil && !*r.Event.Result {
		if r.Event.Reason != "" {
			why = append(why, string(r.Event.Reason))
		}
		return &callError{Module: module, Function: function, Status: http.StatusOK, Said: why}
	}
	return readData(module+"::"+function, r.Data, into)
}

// readWHM reads an answer of WHM API 1.
func readWHM(function string, body []byte, into any) error {
	var e struct {
		Data     json.RawMessage `json:"data"`
		Metadata struct {
			Result *flag `json:"result"`
			Reason text  `json:"reason"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("WHM %s: the answer cannot be read: %w", function, err)
	}
	if m := e.Metadata; m.Result == nil || !*m.Result {
		return &callError{Module: "WHM", Function: function, Status: http.StatusOK, Said: hostSaid(list[text]{m.Reason})}
	}
	return readData("WHM "+function, e.Data, into)
}

// readData reads the data of an answer. null leaves into as it is.
func readData(name string, data json.RawMessage, into any) error {
	if into == nil || len(data) == 0 || bytes.Equal(data, []byte("null")) {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return &dataError{fmt.Errorf("%s: unexpected data: %w", name, err)}
	}
	return nil
}

// briefly gives what a host said for a sentence of ours: on one line, with nothing in it
// that cannot be seen, and of a long one, such as a dump in an error of MySQL, its
// beginning and its end.
func briefly(said string) string {
	const half = 300 // bytes
	said = keepwatch.Clean(strings.Join(strings.Fields(said), " "))
	if len(said) <= 2*half+len(" […] ") {
		return said
	}
	return strings.ToValidUTF8(said[:half], "") + " […] " + strings.ToValidUTF8(said[len(said)-half:], "")
}

// dataError says that the host did what it was asked, and that its data have another
// form than any that is known.
type dataError struct{ err error }

func (e *dataError) Error() string { return e.err.Error() }
func (e *dataError) Unwrap() error { return e.err }

// hostSaid gives what a host wrote, without what is empty.
func hostSaid(lines list[text]) []string {
	var all []string
	for _, l := range lines {
		if s := strings.TrimSpace(string(l)); s != "" {
			all = append(all, s)
		}
	}
	return all
}
