package discordtest

import (
	"slices"
	"strconv"
)

func (s *Server) listMessages(req *request) reply {
	c, bad := s.reach(req.PathValue("channel"))
	if bad != nil {
		return *bad
	}
	q := req.URL.Query()
	limit := 50
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 100 {
			var f formErrors
			f.add("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
			return *f.reply()
		}
		limit = n
	}
	var seen []*message // newest first
	for _, m := range slices.Backward(s.talk.messages) {
		if m.channel == c.id && !m.deleted && m.ephemeralTo == "" {
			seen = append(seen, m)
		}
	}
	out := []any{}
	if c.perms.ReadHistory { // without it Discord answers an empty list
		for _, m := range page(seen, limit, q.Get("before"), q.Get("after"), q.Get("around")) {
			out = append(out, s.messageJSON(m))
		}
	}
	return ok(out)
}

// page cuts a list of messages, newest first, as the query says.
func page(all []*message, limit int, before, after, around string) []*message {
	older := func(id string) int { // the first that is older than id
		i := slices.IndexFunc(all, func(m *message) bool { return snowflakeLess(m.id, id) })
		if i < 0 {
			return len(all)
		}
		return i
	}
	from := 0
	switch {
	case around != "":
		from = max(0, older(around)-1-limit/2)
	case before != "":
		from = older(before)
	case after != "":
		i := slices.IndexFunc(all, func(m *message) bool { return !snowflakeLess(after, m.id) })
		if i < 0 {
			i = len(all)
		}
		return all[max(0, i-limit):i]
	}
	return all[from:min(len(all), from+limit)]
}

func snowflakeLess(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }
