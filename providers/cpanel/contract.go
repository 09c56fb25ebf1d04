package cpanel

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// API is one of the ways in which a host is asked.
type API string

// The APIs.
const (
	UAPI API = "UAPI"           // /execute/MODULE/FUNCTION, or through uapi_cpanel of WHM
	API2 API = "cPanel API 2"   // /json-api/cpanel
	WHM  API = "WHM API 1"      // /json-api/FUNCTION on the port of WHM
	Page API = "page of cPanel" // a sign-in or a download, which no API document has
)

// Endpoint is a call that the package may make, and what is known of it. Contract holds
// them all, written by hand from the vendor's documents.
type Endpoint struct {
	API              API
	Module, Function string   // Module is "" for WHM and pages, whose Function is the name of a function or the path
	Verbs            []string // that a host takes; the first is the one that is used
	Required         []string // parameters; a name with -N stands for name, name-0, name-1 …
	Optional         []string
	Upload           string // the part that holds the file, with numbers after it where several; "": none
	Secret           bool   // it carries secrets, which must not come into the host's log of addresses
	// Once says that it changes or starts something, and must not arrive twice.
	Once   bool
	Since  int    // major version of cPanel, such as 78; 0: older than any that is supported
	Source string // of what is written here
}

// Name gives "Backup::list_backups", "WHM version" or "/download".
func (e Endpoint) Name() string {
	switch {
	case e.API == WHM:
		return "WHM " + e.Function
	case e.Module == "":
		return e.Function
	}
	return e.Module + "::" + e.Function
}

func (e Endpoint) verb() string {
	if len(e.Verbs) == 0 {
		return http.MethodGet
	}
	return e.Verbs[0]
}

// Check says what is wrong with the parameters of a call: which required ones are
// missing, and which are not known. Those that UAPI has for every list ("api.…") are
// known, and so are those by which API 2 and uapi_cpanel are told what to call.
func (e Endpoint) Check(form url.Values) error {
	var wrong []error
	for _, name := range e.Required {
		if !slices.ContainsFunc(keysOf(form), func(k string) bool { return matches(name, k) }) {
			wrong = append(wrong, fmt.Errorf("%s: the parameter %s is missing", e.Name(), name))
		}
	}
	for _, k := range keysOf(form) {
		known := slices.ContainsFunc(slices.Concat(e.Required, e.Optional), func(name string) bool { return matches(name, k) })
		if !known && !strings.HasPrefix(k, "api.") && !strings.HasPrefix(k, "cpanel.") && !strings.HasPrefix(k, "cpanel_jsonapi_") {
			wrong = append(wrong, fmt.Errorf("%s: the parameter %s is not in the contract", e.Name(), k))
		}
	}
	return errors.Join(wrong...)
}

// matches reports whether key is the parameter of the contract's name: the name itself,
// or with -N one of several.
func matches(name, key string) bool {
	base, several := strings.CutSuffix(name, "-N")
	if key == base {
		return true
	}
	rest, ok := strings.CutPrefix(key, base+"-")
	return several && ok && rest != "" && strings.Trim(rest, "0123456789") == ""
}

func keysOf(form url.Values) []string { return slices.Sorted(maps.Keys(form)) }

// endpointOf finds a call in the contract.
func endpointOf(api API, module, function string) (Endpoint, bool) {
	all := Contract()
	i := slices.IndexFunc(all, func(e Endpoint) bool { return e.API == api && e.Module == module && e.Function == function })
	if i < 0 {
		return Endpoint{}, false
	}
	return all[i], true
}

// Contract gives every call that the package may make.
func Contract() []Endpoint {
	return slices.Concat(contractBackups(), contractFiles(), contractAccount(), contractWHM(), contractPages())
}
