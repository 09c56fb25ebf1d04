package graphtest

import (
	"regexp"
	"strings"
)

// clause is a condition of a $filter on an extended property, or on a name of an item
// (learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get). Of a property
// the value is compared without regard to case, as the vendor does.
var clause = regexp.MustCompile(`^(?i:singleValueExtendedProperties/any)\(\s*(\w+)\s*:\s*(\w+)/id eq '((?:[^']|'')*)' and (?:(\w+)/value eq '((?:[^']|'')*)'|(startswith|contains)\((\w+)/value,\s*'((?:[^']|'')*)'\))\s*\)$|^(internetMessageId|iCalUId) eq '((?:[^']|'')*)'$`)

// itemFilter reads a $filter of such conditions, joined by "or". ok is false for another.
func (c *call) itemFilter(kind byte) (keep func(*Item) bool, ok bool) {
	var all []func(*Item) bool
	for part := range strings.SplitSeq(c.q.filter, " or ") {
		m := clause.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return nil, false
		}
		plain := func(n int) string { return strings.ReplaceAll(m[n], "''", "'") }
		switch {
		case m[9] == "internetMessageId" && kind == kindMessage:
			all = append(all, func(i *Item) bool { return i.content().messageID(i) == plain(10) })
		case m[9] == "iCalUId" && kind == kindEvent:
			all = append(all, func(i *Item) bool { return c.event(i)["iCalUId"] == plain(10) })
		case m[9] != "", m[1] != m[2], m[4]+m[7] != m[1]:
			return nil, false
		default:
			test, value := strings.EqualFold, plain(5)
			if m[6] == "startswith" {
				test, value = hasPrefixFold, plain(8)
			} else if m[6] == "contains" {
				test, value = func(s, x string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(x)) }, plain(8)
			}
			all = append(all, func(i *Item) bool {
				v, has := i.property(plain(3))
				return has && test(v, value)
			})
		}
	}
	return func(i *Item) bool {
		for _, f := range all {
			if f(i) {
				return true
			}
		}
		return false
	}, true
}

func hasPrefixFold(s, x string) bool {
	return len(s) >= len(x) && strings.EqualFold(s[:len(x)], x)
}

// kept are those of a list that the filter of the request keeps.
func (c *call) kept(all []*Item, kind byte) ([]*Item, *failure) {
	if c.q.filter == "" {
		return all, nil
	}
	keep, ok := c.itemFilter(kind)
	if !ok {
		return nil, &failure{status: 400, code: "ErrorInvalidUrlQueryFilter", text: "The query filter contains one or more invalid nodes."}
	}
	var out []*Item
	for _, i := range all {
		if keep(i) {
			out = append(out, i)
		}
	}
	return out, nil
}

// property is an extended property of any item.
func (i *Item) property(id string) (string, bool) {
	if i.kind == kindMessage {
		return i.content().property(id, i)
	}
	v, ok := i.marks[id]
	return v, ok
}

// expandMarks adds the extended properties of a contact or an event that were asked for.
func (c *call) expandMarks(i *Item, out map[string]any) map[string]any {
	values := []any{}
	if strings.Contains(c.q.expand, "singleValueExtendedProperties") {
		for _, x := range asked.FindAllStringSubmatch(c.q.expand, -1) {
			if v, ok := i.property(x[1]); ok {
				values = append(values, map[string]any{"id": x[1], "value": v})
			}
		}
	}
	if len(values) > 0 {
		out["singleValueExtendedProperties"] = values
	}
	return out
}

// Property is an extended property of the item, as in "Integer 0x0E07".
func (i *Item) Property(id string) (string, bool) {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	return i.property(id)
}
