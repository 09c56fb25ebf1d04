package graphtest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Expiry is how delta tokens that are too old are refused.
type Expiry int

// The ways in which people have seen it; the last one ends in a Location with the query
// to start anew (learn.microsoft.com/graph/delta-query-overview).
const (
	SyncStateNotFound Expiry = iota // 410, SyncStateNotFound
	SyncStateInvalid                // 400, SyncStateInvalid
	ResyncRequired                  // 410, resyncRequired and Location
)

// ExpireDelta makes all delta tokens and tokens for next pages of delta queries that the
// mailbox has given out too old.
func (b *Mailbox) ExpireDelta(how Expiry) {
	b.tenant.mu.Lock()
	defer b.tenant.mu.Unlock()
	b.generation++
	b.expired = how
}

// state is what a token of a delta query says: where in the log it is, and the options of
// the first call.
type state struct {
	Log    string `json:"l"` // whose
	Gen    int    `json:"g"`
	At     int    `json:"a"`
	From   int    `json:"f"` // removals before it are no news, of an initial round
	Left   int    `json:"t"` // of $top; 0: no end
	Top    int    `json:"n"`
	Page   int    `json:"p"` // number in the round
	Select string `json:"s"`
	Type   string `json:"c"`
	Since  int64  `json:"r"` // of $filter
	Start  int64  `json:"b"` // of calendarView
	End    int64  `json:"e"`
	Expand string `json:"x"`
}

func (s state) text() string {
	data := encode(map[string]any{"l": s.Log, "g": s.Gen, "a": s.At, "f": s.From, "t": s.Left, "n": s.Top, "p": s.Page, "s": s.Select, "c": s.Type, "r": s.Since, "b": s.Start, "e": s.End, "x": s.Expand})
	for i := range data {
		data[i] ^= byte(0x5a + i*7) // so that nobody reads it
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func readState(text string) (state, bool) {
	var s state
	data, err := base64.RawURLEncoding.DecodeString(text)
	for i := range data {
		data[i] ^= byte(0x5a + i*7)
	}
	return s, err == nil && json.Unmarshal(data, &s) == nil
}

// feed is what a delta query reads.
type feed struct {
	name  string // what tokens are bound to
	log   []change
	shape string
	gone  bool
	// show writes a change, or more than one (a series); none: it is none for this query.
	show func(s state, at int, x change) ([]map[string]any, *failure)
}

// delta answers a delta query.
func (c *call) delta(f feed) answer {
	s, bad := c.state(f)
	if bad != nil {
		return answer{fail: bad}
	}
	if s.Select != "" {
		c.q.selected = strings.Split(s.Select, ",")
	}
	c.q.expand = s.Expand
	size := c.n.opts.DeltaPage
	if c.q.page > 0 {
		size = c.q.page
	}
	size = min(size, c.n.opts.MaxDeltaPage)
	if f := c.tooLarge(size, f.shape); f != nil {
		return answer{fail: f}
	}
	values := []any{}
	if again := s.At - 1; !c.n.opts.Gentle && s.Page%3 == 1 && again >= 0 { // a replay of what the page before ended with
		values, bad = c.append(values, f, s, again)
	}
	for ; bad == nil && s.At < len(f.log) && len(values) < size; s.At++ {
		before := len(values)
		values, bad = c.append(values, f, s, s.At)
		if s.Top > 0 && len(values) > before {
			if s.Left--; s.Left == 0 { // the trap of $top: the round ends here
				s.At++
				break
			}
		}
	}
	if bad != nil {
		return answer{fail: bad}
	}
	body := map[string]any{"@odata.context": c.n.URL + "/v1.0/$metadata#Collection(" + f.shape + ")", "value": values}
	if s.At < len(f.log) && (s.Top == 0 || s.Left > 0) {
		s.Page++
		body["@odata.nextLink"] = c.link() + "?$skiptoken=" + s.text()
	} else {
		s.Page, s.From, s.Left = 0, 0, s.Top
		body["@odata.deltaLink"] = c.link() + "?$deltatoken=" + s.text()
	}
	return answer{body: body, shape: f.shape, many: true}
}

// append adds what an entry of the log shows.
func (c *call) append(values []any, f feed, s state, at int) ([]any, *failure) {
	x := f.log[at]
	if x.what == removed && at < s.From || s.Type != "" && s.Type != [...]string{"created", "updated", "deleted"}[x.what] {
		return values, nil
	}
	all, bad := f.show(s, at, x)
	if bad != nil {
		return values, bad
	}
	for _, v := range all {
		if v, bad = c.pick(v, f.shape); bad != nil {
			return values, bad
		}
		values = append(values, v)
	}
	return values, nil
}

// state reads the token of a query, or begins with its options.
func (c *call) state(f feed) (state, *failure) {
	text := c.q.values.Get("deltatoken") + c.q.values.Get("skiptoken")
	if text == "" {
		if f.gone {
			return state{}, notFound().fail
		}
		return c.begin(f)
	}
	s, ok := readState(text)
	switch {
	case !ok || s.Log != f.name:
		return s, &failure{status: 400, code: "SyncStateInvalid", text: "The sync state is not valid."}
	case f.gone:
		return s, &failure{status: 404, code: "ErrorSyncFolderNotFound", text: "The specified folder could not be found in the store."}
	case s.Gen != c.box.generation:
		return s, c.expired(s)
	}
	return s, nil
}

func (c *call) expired(s state) *failure {
	switch c.box.expired {
	case SyncStateInvalid:
		return &failure{status: 400, code: "SyncStateInvalid", text: "The sync state data is invalid."}
	case ResyncRequired:
		anew := c.link()
		if s.Select != "" {
			anew += "?$select=" + url.QueryEscape(s.Select)
		}
		if s.Start != 0 {
			anew += "?startDateTime=" + url.QueryEscape(stamp(time.Unix(s.Start, 0))) + "&endDateTime=" + url.QueryEscape(stamp(time.Unix(s.End, 0)))
		}
		return &failure{status: 410, code: "resyncRequired", text: "Resync required. Full synchronization must be started anew.", location: anew}
	}
	return &failure{status: 410, code: "SyncStateNotFound", text: "The sync state generation is not found; generation=" + strconv.Itoa(s.Gen+149) + ";[highest=157][157][155][156]."}
}

// begin reads the options that a first call may have.
func (c *call) begin(f feed) (state, *failure) {
	s := state{Log: f.name, Gen: c.box.generation, From: len(f.log), Top: c.q.top, Left: c.q.top, Select: strings.Join(c.q.selected, ","), Type: c.q.values.Get("changetype"), Expand: c.q.expand, Start: c.window[0], End: c.window[1]}
	bad := func(option, why string) (state, *failure) {
		return s, &failure{status: 400, code: "ErrorInvalidUrlQuery", text: "The following parameters are not supported with change tracking over the '" + f.shape + "' resource: '" + option + "'. " + why}
	}
	if s.Type != "" && !slices.Contains([]string{"created", "updated", "deleted"}, s.Type) {
		return bad("changeType", "It is one of created, updated and deleted.")
	}
	for _, option := range []string{"search", "count", "skip"} {
		if c.q.values.Has(option) {
			return bad("$"+option, "")
		}
	}
	if c.q.order != "" && (f.shape != "message" || !strings.EqualFold(c.q.order, "receivedDateTime desc")) {
		return bad("$orderby", "")
	}
	if c.q.filter != "" {
		op, at, ok := receivedFilter(c.q.filter)
		if f.shape != "message" || !ok || op[0] != 'g' {
			return bad("$filter", "")
		}
		s.Since = at.Unix()
		if op == "gt" {
			s.Since++
		}
	}
	return s, nil
}

// receivedFilter reads receivedDateTime OP TIME.
func receivedFilter(filter string) (op string, at time.Time, ok bool) {
	f := strings.Fields(filter)
	if len(f) != 3 || !strings.EqualFold(f[0], "receivedDateTime") || !slices.Contains([]string{"ge", "gt", "le", "lt"}, f[1]) {
		return "", at, false
	}
	at, err := time.Parse(time.RFC3339, f[2])
	return f[1], at, err == nil
}

// itemFeed is the feed of a folder's items. Only the newest entry of an item shows it; a
// removal shows unless the item has come back.
func (c *call) itemFeed(f *Folder, shape string, render func(i *Item) (map[string]any, *failure)) feed {
	return feed{name: shape + " " + strconv.Itoa(int(f.serial)), log: f.log, shape: shape, gone: f.gone, show: func(s state, at int, x change) ([]map[string]any, *failure) {
		here := x.item.at == f && !x.item.gone
		switch {
		case x.what == removed && here, x.what != removed && (!here || x.item.newest != at):
			return nil, nil
		case x.what == removed:
			return []map[string]any{{"@removed": map[string]any{"reason": x.reason}, "id": x.item.idAfter(x.moves, c.q.immutable), "@odata.type": "#microsoft.graph." + shape}}, nil
		case s.Since != 0 && x.item.content().received(x.item).Unix() < s.Since:
			return nil, nil
		}
		v, bad := render(x.item)
		return []map[string]any{v}, bad
	}}
}

// folderFeed is that of the folders of mail or of contacts.
func (c *call) folderFeed(shape string, log []change, render func(f *Folder) map[string]any) feed {
	return feed{name: shape, log: log, shape: shape, show: func(_ state, at int, x change) ([]map[string]any, *failure) {
		switch {
		case x.folder.newest != at:
			return nil, nil
		case x.folder.gone:
			return []map[string]any{{"@removed": map[string]any{"reason": "deleted"}, "id": x.folder.id(), "@odata.type": "#microsoft.graph." + shape}}, nil
		}
		return []map[string]any{render(x.folder)}, nil
	}}
}

// tooLarge is what happens to large pages of full messages: 504 and 503 in turn.
func (c *call) tooLarge(size int, shape string) *failure {
	most := c.n.opts.LargePage
	full := len(c.q.selected) == 0 || c.wants("body") || c.q.expand != ""
	if shape != "message" || most < 0 || size <= most || !full {
		return nil
	}
	if c.n.slow++; c.n.slow%2 == 0 {
		return &failure{status: 503, code: "ServiceUnavailable", text: "The service is temporarily unavailable.", retry: 2 * time.Second}
	}
	return &failure{status: 504, code: "GatewayTimeout", text: "The server did not answer in time."}
}
