package graphtest

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ofEntra reports whether a call is for the directory, whose limits are not a mailbox's.
func (c *call) ofEntra() bool {
	if len(c.path) == 0 {
		return false
	}
	first := strings.ToLower(c.path[0])
	if key := byKey.FindStringSubmatch(c.path[0]); key != nil {
		first = strings.ToLower(key[1])
	}
	switch first {
	case "users":
		return len(c.path) > 2 && strings.EqualFold(c.path[2], "authentication")
	case "applications", "serviceprincipals", "reports", "rolemanagement", "directoryroles", "organization", "domains", "subscribedskus", "directory", "groups":
		return true
	}
	return false
}

// byKey is an entity that is named by another key than its id.
var byKey = regexp.MustCompile(`^(\w+)\((\w+)='([^']*)'\)$`)

// entra answers what is the directory's.
func (c *call) entra() answer {
	if c.r.Method != "GET" {
		return c.badMethod()
	}
	if key := byKey.FindStringSubmatch(c.path[0]); key != nil {
		return c.entraOne(strings.ToLower(key[1]+"("+key[2]+")"), key[3], c.path[1:])
	}
	path := strings.ToLower(strings.Join(c.path, "/"))
	switch {
	case path == "applications":
		return c.applications()
	case path == "reports/authenticationmethods/userregistrationdetails":
		return c.registrations()
	case path == "rolemanagement/directory/roleassignments":
		return c.roleAssignments()
	case path == "rolemanagement/directory/roleeligibilityscheduleinstances":
		return c.roleEligible()
	case path == "rolemanagement/directory/roleassignmentscheduleinstances":
		return c.roleActive()
	case strings.EqualFold(c.path[0], "groups") && len(c.path) == 3 && strings.EqualFold(c.path[2], "transitiveMembers"):
		return c.groupMembers(c.path[1])
	case path == "organization":
		return c.organization()
	case path == "domains":
		return c.domains()
	case path == "subscribedskus":
		return c.skus()
	case path == "directory/subscriptions":
		return c.subscriptions()
	case strings.EqualFold(c.path[0], "users") && c.user == nil:
		return missingObject(c.path[1])
	case strings.EqualFold(c.path[0], "users") && len(c.path) == 4:
		return c.methods(strings.ToLower(c.path[3]))
	}
	return c.noSegment(c.path[len(c.path)-1])
}

func (c *call) entraOne(kind, key string, rest []string) answer {
	switch kind {
	case "applications(appid)":
		return c.application(key, rest)
	case "serviceprincipals(appid)":
		return c.servicePrincipal(key, rest)
	case "directoryroles(roletemplateid)":
		return c.roleMembers(key, rest)
	}
	return fail(400, "Request_BadRequest", "Invalid object identifier '%s'.", key)
}

func missingObject(id string) answer {
	return fail(404, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)
}

// directoryPage is the standard page of the directory, and the largest that may be asked
// for.
const (
	directoryPage     = 100
	directoryMostPage = 999
)

// objects is a page of a list of the directory. Its link carries a token and the rest of
// the query.
func (c *call) objects(shape string, all []map[string]any) answer {
	size, from := directoryPage, 0
	if c.q.top > directoryMostPage {
		return fail(400, "Request_BadRequest", "Invalid page size specified: '%d'. Must be between 1 and 999 inclusive.", c.q.top)
	}
	if c.q.top > 0 {
		size = c.q.top
	}
	if token := c.q.values.Get("skiptoken"); token != "" {
		var err error
		if from, err = strconv.Atoi(strings.TrimPrefix(token, "RFNwdAIAAQ")); err != nil || from > len(all) {
			return fail(400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
		}
	}
	values := []any{}
	for _, v := range all[from:min(from+size, len(all))] {
		picked, bad := c.pickObject(v, shape)
		if bad != nil {
			return answer{fail: bad}
		}
		values = append(values, picked)
	}
	body := map[string]any{"@odata.context": c.n.URL + "/v1.0/$metadata#" + shape + "s", "value": values}
	if from+size < len(all) {
		next := c.q.clone()
		next.Set("$skiptoken", "RFNwdAIAAQ"+strconv.Itoa(from+size))
		body["@odata.nextLink"] = c.n.URL + (&url.URL{Path: c.r.URL.Path, RawQuery: next.Encode()}).String()
	}
	return answer{body: body, shape: shape, many: true}
}

// object is a single one.
func (c *call) object(shape string, v map[string]any) answer {
	picked, bad := c.pickObject(v, shape)
	if bad != nil {
		return answer{fail: bad}
	}
	return one(shape, c.n.URL+"/v1.0/$metadata#"+shape+"s/$entity", picked)
}

// pickObject keeps what was selected. What is beginning with "?" is there only if it is
// selected.
func (c *call) pickObject(v map[string]any, shape string) (map[string]any, *failure) {
	all := map[string]any{}
	for k, x := range v {
		name, rare := strings.CutPrefix(k, "?")
		if !rare || c.wants(name) {
			all[name] = x
		}
	}
	out, bad := c.pick(all, shape)
	if bad == nil && all["principal"] != nil {
		out["principal"] = all["principal"] // it was expanded
	}
	return out, bad
}

// allowed is a refusal unless the token has one of the permissions.
func (c *call) allowed(any ...string) (answer, bool) {
	if slices.ContainsFunc(any, func(p string) bool { return slices.Contains(c.token.roles, p) }) {
		return answer{}, true
	}
	return insufficient(), false
}

// few refuses more than five requests in ten seconds of an application
// (learn.microsoft.com/graph/throttling-limits, identity and access reports).
func (c *call) few() *failure {
	const most, span = 5, 10 * time.Second
	if n, wait := at(c.n.meter.global, "reports "+c.token.app).add(c.n.opts.Now(), span, 1); n > most {
		return &failure{status: 429, code: "TooManyRequests", text: "Too Many Requests", retry: wait}
	}
	return nil
}
