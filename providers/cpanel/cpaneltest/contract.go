package cpaneltest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"keepwatch/providers/cpanel"
)

// breaches says what is wrong with a call by the contract: it is not in it, its verb is
// not, a parameter is missing or unknown, a secret goes by GET. What WHM passes on to an
// account is held against both.
func breaches(c Call) []string {
	switch {
	case c.API == 3 && !c.WHM:
		return breach(cpanel.UAPI, c, c.Module, c.Function, own(c.Params, "cpanel_jsonapi_", "api."))
	case c.API == 3 || c.API == 2:
		return breach(cpanel.API2, c, c.Module, c.Function, own(c.Params, "cpanel_jsonapi_", "api."))
	case c.API == 1 && c.Function == "uapi_cpanel":
		outer := url.Values{}
		for _, name := range []string{"cpanel.user", "cpanel.module", "cpanel.function"} {
			if c.Params.Has(name) {
				outer[name] = c.Params[name]
			}
		}
		bad := breach(cpanel.WHM, c, "", c.Function, outer)
		return append(bad, breach(cpanel.UAPI, c, c.Params.Get("cpanel.module"), c.Params.Get("cpanel.function"), own(c.Params, "cpanel.", "api."))...)
	case c.API == 1:
		return breach(cpanel.WHM, c, "", c.Function, own(c.Params, "api."))
	case c.download():
		route := "/download"
		if !strings.HasPrefix(c.Path, route) {
			route = c.Path[:strings.LastIndex(c.Path, "/")+1]
		}
		return breach(cpanel.Page, c, "", route, c.Params)
	case strings.HasPrefix(c.Path, "/login") && c.Verb == http.MethodPost:
		return breach(cpanel.Page, c, "", "/login/", c.Params)
	}
	return nil
}

// own leaves out parameters that belong to the way of calling.
func own(all url.Values, prefixes ...string) url.Values {
	out := url.Values{}
	for name, values := range all {
		if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			out[name] = values
		}
	}
	return out
}

func breach(api cpanel.API, c Call, module, function string, params url.Values) []string {
	all := cpanel.Contract()
	at := slices.IndexFunc(all, func(e cpanel.Endpoint) bool {
		return e.API == api && e.Module == module && e.Function == function
	})
	if at < 0 {
		return []string{fmt.Sprintf("%s %s::%s of %s is not in the contract", c.Verb, module, function, api)}
	}
	e := all[at]
	var bad []string
	say := func(format string, args ...any) {
		bad = append(bad, c.Verb+" "+e.Name()+": "+fmt.Sprintf(format, args...))
	}
	if !slices.Contains(e.Verbs, c.Verb) {
		say("it takes %s", strings.Join(e.Verbs, " and "))
	}
	if e.Secret && c.Verb == http.MethodGet {
		say("it carries secrets, which an address must not")
	}
	for _, name := range e.Required {
		if !slices.ContainsFunc(keys(params), func(key string) bool { return numbered(name, key) }) {
			say("%s is missing", name)
		}
	}
	for _, key := range keys(params) {
		if !slices.ContainsFunc(slices.Concat(e.Required, e.Optional), func(name string) bool { return numbered(name, key) }) {
			say("%s is not in the contract", key)
		}
	}
	for _, part := range c.Parts {
		if e.Upload == "" || !numbered(e.Upload+"-N", part) {
			say("the file %s is not in the contract", part)
		}
	}
	return bad
}

func keys(params url.Values) []string {
	var all []string
	for name := range params {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// numbered reports whether a key is the parameter of that name; a name with -N stands for
// name, name-0, name-1 …
func numbered(name, key string) bool {
	base, several := strings.CutSuffix(name, "-N")
	rest, more := strings.CutPrefix(key, base+"-")
	return key == base || several && more && rest != "" && strings.Trim(rest, "0123456789") == ""
}
