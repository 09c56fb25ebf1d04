package graphtest

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query is what the options of OData and the Prefer header say.
type query struct {
	values    url.Values
	selected  []string
	top       int // 0: none given
	skip      int
	count     bool
	expand    string
	filter    string
	order     string
	immutable bool
	page      int // odata.maxpagesize
	text      bool
	zone      *time.Location
	zoneName  string
}

// readQuery reads the options. Names of options are taken with and without their $.
func (c *call) readQuery() *failure {
	raw, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return &failure{status: 400, code: "BadRequest", text: "The query cannot be read."}
	}
	q := query{values: url.Values{}, zone: time.UTC, zoneName: "UTC"}
	for k, v := range raw {
		q.values[strings.ToLower(strings.TrimPrefix(k, "$"))] = v
	}
	for s := range strings.SplitSeq(q.values.Get("select"), ",") {
		if s = strings.TrimSpace(s); s != "" {
			q.selected = append(q.selected, s)
		}
	}
	for _, k := range []string{"top", "skip"} {
		v := q.values.Get(k)
		if v == "" {
			continue
		}
		x, err := strconv.Atoi(v)
		if err != nil || x < 0 || k == "top" && (x < 1 || x > 1000) {
			return &failure{status: 400, code: "ErrorInvalidUrlQuery", text: "The query parameter '$" + k + "' has an invalid value '" + v + "'."}
		}
		if k == "top" {
			q.top = x
		} else {
			q.skip = x
		}
	}
	q.count = strings.EqualFold(q.values.Get("count"), "true")
	q.expand, q.filter, q.order = q.values.Get("expand"), q.values.Get("filter"), q.values.Get("orderby")
	q.prefer(c.r.Header.Values("Prefer"))
	c.q = q
	return nil
}

// preferences are name="value", name=value or name, with commas or semicolons between.
var preferences = regexp.MustCompile(`([A-Za-z][\w.-]*)\s*(?:=\s*(?:"([^"]*)"|([^,;\s]*)))?`)

func (q *query) prefer(headers []string) {
	for _, h := range headers {
		for _, m := range preferences.FindAllStringSubmatch(h, -1) {
			value := m[2] + m[3]
			switch strings.ToLower(m[1]) {
			case "idtype":
				q.immutable = strings.EqualFold(value, "ImmutableId")
			case "odata.maxpagesize", "maxpagesize":
				q.page, _ = strconv.Atoi(value) // a preference that cannot be read is not kept
			case "outlook.body-content-type":
				q.text = strings.EqualFold(value, "text")
			case "outlook.timezone":
				if z, ok := zones[value]; ok {
					if l, err := time.LoadLocation(z); err == nil {
						q.zone, q.zoneName = l, value
					}
				}
			}
		}
	}
}

// zones are the Windows names of some zones.
var zones = map[string]string{
	"UTC": "UTC", "W. Europe Standard Time": "Europe/Berlin", "GMT Standard Time": "Europe/London", "Pacific Standard Time": "America/Los_Angeles",
	"Eastern Standard Time": "America/New_York", "India Standard Time": "Asia/Kolkata", "Tokyo Standard Time": "Asia/Tokyo", "AUS Eastern Standard Time": "Australia/Sydney",
}

// pick keeps what was selected of an entity: the id and annotations are always there. A
// name that the type does not have is refused.
func (c *call) pick(entity map[string]any, shape string) (map[string]any, *failure) {
	if len(c.q.selected) == 0 {
		return entity, nil
	}
	out := map[string]any{}
	for k, v := range entity {
		if k == "id" || strings.HasPrefix(k, "@") || slices.ContainsFunc(c.q.selected, func(s string) bool { return strings.EqualFold(uncast(s), k) }) {
			out[k] = v
		}
		if strings.HasPrefix(k, "attachments") || strings.HasSuffix(k, "ExtendedProperties") || k == "exceptionOccurrences" {
			out[k] = v // what was expanded
		}
	}
	for _, s := range c.q.selected {
		if entity["@removed"] != nil {
			break // it has nothing but its id
		}
		if !hasKey(entity, s) && !hasField(shape, s) {
			return nil, &failure{status: 400, code: "BadRequest", text: "Parsing OData Select and Expand failed: Could not find a property named '" + s + "' on type 'microsoft.graph." + shape + "'."}
		}
	}
	return out, nil
}

// uncast takes the type off a property of a derived type.
func uncast(s string) string { return s[strings.LastIndex(s, "/")+1:] }

func hasKey(m map[string]any, key string) bool {
	for k := range m {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// rare are properties that are answered only if they are selected.
var rare = map[string][]string{
	"message":        {"internetMessageHeaders", "uniqueBody", "from", "sender", "body", "bodyPreview"},
	"event":          {"cancelledOccurrences", "exceptionOccurrences", "originalStart"},
	"user":           {"accountEnabled", "userType", "createdDateTime", "assignedLicenses", "proxyAddresses", "onPremisesSyncEnabled", "mailboxSettings"},
	"contact":        {"primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress"},
	"fileAttachment": {"contentId", "contentLocation", "contentBytes"},
	"attachment":     {"microsoft.graph.fileAttachment/contentId", "microsoft.graph.fileAttachment/contentBytes", "item"},
}

func hasField(shape, key string) bool {
	return slices.ContainsFunc(rare[shape], func(s string) bool { return strings.EqualFold(s, key) })
}

func (c *call) wants(property string) bool {
	return slices.ContainsFunc(c.q.selected, func(s string) bool { return strings.EqualFold(s, property) })
}

// size is the page of a list.
func (c *call) size(standard, most int) int {
	n := standard
	if c.q.page > 0 {
		n = c.q.page
	}
	if c.q.top > 0 {
		n = c.q.top
	}
	return min(n, most)
}

// list is a page of n entities, of which render writes one. Its nextLink counts, as the
// vendor's does: what is added or taken out meanwhile shifts it.
func (c *call) list(n int, shape string, standard int, render func(i int) (map[string]any, *failure)) answer {
	size := c.size(standard, 1000)
	values := []any{}
	at := min(c.q.skip, n)
	for ; at < n && len(values) < size; at++ {
		v, f := render(at)
		if f != nil {
			return answer{fail: f}
		}
		if v, f = c.pick(v, shape); f != nil {
			return answer{fail: f}
		}
		values = append(values, v)
	}
	body := map[string]any{"@odata.context": c.context(""), "value": values}
	if c.q.count {
		body["@odata.count"] = n
	}
	if at < n {
		next := c.q.clone()
		next.Set("$skip", strconv.Itoa(at))
		body["@odata.nextLink"] = c.link() + "?" + next.Encode()
	}
	return answer{body: body, shape: shape, many: true}
}

// clone is the query with the $ of its options.
func (q *query) clone() url.Values {
	out := url.Values{}
	for k, v := range q.values {
		switch k {
		case "startdatetime", "enddatetime", "includehiddenfolders", "changetype":
			out[k] = v
		default:
			out["$"+k] = v
		}
	}
	return out
}

// context is the address of what an answer is of.
func (c *call) context(suffix string) string {
	return c.n.URL + "/v1.0/$metadata#" + contextPath(c.path) + suffix
}

func contextPath(path []string) string {
	var b strings.Builder
	for i, s := range path {
		switch {
		case i%2 == 1 && i < len(path)-1 || i%2 == 1 && len(path)%2 == 0:
			b.WriteString("('" + url.PathEscape(s) + "')")
		case i > 0:
			b.WriteString("/" + s)
		default:
			b.WriteString(s)
		}
	}
	return b.String()
}

// link is the address of the request in the other notation of OData, as links to the
// next page are.
func (c *call) link() string {
	var b strings.Builder
	for i, s := range c.path {
		if i%2 == 1 && !strings.EqualFold(s, "delta") {
			b.WriteString("('" + url.PathEscape(strings.ReplaceAll(s, "'", "''")) + "')")
			continue
		}
		b.WriteString("/" + url.PathEscape(s))
	}
	return c.n.URL + "/v1.0" + b.String()
}
