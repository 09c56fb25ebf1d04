package discordtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func slash(name string, options ...any) object {
	return object{"name": name, "description": "D", "options": options}
}

func opt(kind int, name string, more ...any) object {
	o := object{"type": kind, "name": name, "description": "D"}
	for i := 0; i+1 < len(more); i += 2 {
		o[more[i].(string)] = more[i+1]
	}
	return o
}

func TestCommandRules(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	path := "/applications/" + s.ApplicationID() + "/guilds/" + s.GuildID() + "/commands"
	sub := opt(1, "start", "options", []any{opt(3, "source")})
	for name, c := range map[string]struct {
		body any
		want string
	}{
		"nested":                 {[]any{slash("backup", opt(2, "run", "options", []any{sub}))}, ""},
		"nulls":                  {[]any{slash("x", opt(3, "a", "choices", nil, "channel_types", nil, "options", nil))}, ""},
		"names":                  {[]any{slash("Backup")}, "0.name APPLICATION_COMMAND_INVALID_NAME"},
		"names with a space":     {[]any{slash("back up")}, "0.name APPLICATION_COMMAND_INVALID_NAME"},
		"a name in Welsh":        {[]any{slash("wrth_gefn-ŵyn")}, ""},
		"a long name":            {[]any{slash(strings.Repeat("n", 33))}, "0.name APPLICATION_COMMAND_INVALID_NAME,0.name BASE_TYPE_BAD_LENGTH"},
		"no description":         {[]any{object{"name": "x"}}, "0.description BASE_TYPE_REQUIRED"},
		"a long description":     {[]any{object{"name": "x", "description": x(101)}}, "0.description BASE_TYPE_BAD_LENGTH"},
		"twice":                  {[]any{slash("x"), slash("x")}, "1 APPLICATION_COMMANDS_DUPLICATE_NAME"},
		"26 options":             {[]any{slash("x", many(26, func(i int) any { return opt(3, fmt.Sprint("o", i)) })...)}, "0.options BASE_TYPE_MAX_LENGTH"},
		"an option twice":        {[]any{slash("x", opt(3, "a"), opt(3, "a"))}, "0.options.1 APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATE"},
		"required last":          {[]any{slash("x", opt(3, "a"), opt(3, "b", "required", true))}, "0.options.1 APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"},
		"subs and options":       {[]any{slash("x", sub, opt(3, "a"))}, "0.options APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		"groups in groups":       {[]any{slash("x", opt(2, "a", "options", []any{opt(2, "b", "options", []any{sub})}))}, "0.options.0.options.0.type APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		"an unknown type":        {[]any{slash("x", opt(12, "a"))}, "0.options.0.type APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		"26 choices":             {[]any{slash("x", opt(3, "a", "choices", many(26, func(i int) any { return object{"name": fmt.Sprint(i), "value": "v"} })))}, "0.options.0.choices BASE_TYPE_MAX_LENGTH"},
		"a long choice":          {[]any{slash("x", opt(3, "a", "choices", []any{object{"name": x(101), "value": x(101)}}))}, "0.options.0.choices.0.name BASE_TYPE_BAD_LENGTH,0.options.0.choices.0.value BASE_TYPE_BAD_LENGTH"},
		"a choice of type":       {[]any{slash("x", opt(4, "a", "choices", []any{object{"name": "one", "value": "1"}}))}, "0.options.0.choices.0.value NUMBER_TYPE_COERCE"},
		"choices and completion": {[]any{slash("x", opt(3, "a", "autocomplete", true, "choices", []any{object{"name": "n", "value": "v"}}))}, "0.options.0 APPLICATION_COMMAND_AUTOCOMPLETE_INVALID"},
		"8000 characters": {[]any{slash("x", many(4, func(i int) any {
			return opt(3, fmt.Sprint("o", i), "choices", many(25, func(int) any { return object{"name": x(50), "value": x(50)} }))
		})...)}, "0 APPLICATION_COMMAND_TOO_LARGE"},
		"a type":           {[]any{object{"name": "x", "description": "D", "type": 9}}, "0.type BASE_TYPE_CHOICES"},
		"a menu described": {[]any{object{"name": "Keep it", "description": "D", "type": 3}}, "0.description APPLICATION_COMMAND_DESCRIPTION_INVALID"},
		"no array":         {object{"name": "x"}, " LIST_TYPE_CONVERT"},
	} {
		a := call(t, s, http.MethodPut, path, c.body)
		if got := strings.Join(errorPaths(a.object()["errors"], ""), ","); got != c.want || (a.status == 200) != (c.want == "") {
			t.Errorf("%s: %d %q, not %q", name, a.status, got, c.want)
		}
	}
	if a := call(t, s, http.MethodPut, path, many(101, func(i int) any { return slash(fmt.Sprint("c", i)) })); a.code() != 30032 {
		t.Errorf("101 commands: %d %d", a.status, a.code())
	}
}

func TestOverwrite(t *testing.T) {
	clock := noon()
	s := serve(t, Config{NoRateLimits: true, Clock: clock})
	path := "/applications/" + s.ApplicationID() + "/commands"
	put := func(names ...string) []any {
		t.Helper()
		a := call(t, s, http.MethodPut, path, many(len(names), func(i int) any { return slash(names[i]) }))
		return array(a.body)
	}
	first, second := put("one", "two"), put("two", "three")
	if asObject(first[1])["id"] != asObject(second[0])["id"] || asObject(first[1])["version"] != asObject(second[0])["version"] {
		t.Errorf("what stays changes its id or version: %v, %v", first[1], second[0])
	}
	if got := call(t, s, http.MethodGet, path, nil); len(array(got.body)) != 2 || len(s.Commands("")) != 2 || s.Commands("")[1]["name"] != "three" {
		t.Errorf("registered is %s", got.raw)
	}
	for n := range 197 { // with the three from before, 200
		put(fmt.Sprint("n", n))
	}
	if a := call(t, s, http.MethodPut, path, []any{slash("more")}); a.code() != 30034 {
		t.Errorf("after 200 creates: %d %s", a.status, a.raw)
	}
	if put("n196") == nil {
		t.Error("overwriting what is there counts as creating")
	}
	clock.Advance(24 * time.Hour)
	if put("more") == nil {
		t.Error("the next day is no better")
	}
}

func TestPeopleAreBoundByWhatIsRegistered(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	alis := s.AddUser("alis")
	admin := s.AddUser("admin", s.AddRole(s.GuildID(), "admin", PermAdministrator))
	role, other := s.AddRole(s.GuildID(), "r", 0), s.AddChannel(s.GuildID(), "other")
	call(t, s, http.MethodPut, "/applications/"+s.ApplicationID()+"/commands", []any{
		slash("all", opt(3, "text", "min_length", 2, "max_length", 3), opt(3, "pick", "choices", []any{object{"name": "A", "value": "a"}}), opt(4, "n", "min_value", 1, "max_value", 5),
			opt(10, "f"), opt(5, "b"), opt(6, "u"), opt(7, "c"), opt(8, "r"), opt(9, "m"), opt(11, "file"), opt(4, "one", "choices", []any{object{"name": "1", "value": 1}})),
		object{"name": "secret", "description": "D", "default_member_permissions": "0"},
		object{"name": "manage", "description": "D", "default_member_permissions": "32"},
		object{"name": "here", "description": "D", "contexts": []any{0}},
		slash("deep", opt(2, "group", "options", []any{opt(1, "sub", "options", []any{opt(3, "a", "required", true, "autocomplete", true)})})),
	})
	call(t, s, http.MethodPut, "/applications/"+s.ApplicationID()+"/guilds/"+s.GuildID()+"/commands", []any{slash("local")})
	dm := s.DMChannel(alis)
	for _, c := range []struct {
		user, channel, line string
		opts                map[string]any
		ok                  bool
	}{
		{alis, s.ChannelID(), "all", nil, true},
		{alis, s.ChannelID(), "/all", map[string]any{"text": "abc", "pick": "a", "n": 5, "f": 1.5, "b": true, "u": alis, "c": other, "r": role, "m": alis, "file": File{Name: "x", Data: []byte("y")}, "one": 1}, true},
		{alis, s.ChannelID(), "all", map[string]any{"m": role}, true},
		{alis, s.ChannelID(), "all", map[string]any{"text": "a"}, false},
		{alis, s.ChannelID(), "all", map[string]any{"text": "abcd"}, false},
		{alis, s.ChannelID(), "all", map[string]any{"text": 1}, false},
		{alis, s.ChannelID(), "all", map[string]any{"pick": "b"}, false},
		{alis, s.ChannelID(), "all", map[string]any{"n": 0}, false},
		{alis, s.ChannelID(), "all", map[string]any{"n": 6}, false},
		{alis, s.ChannelID(), "all", map[string]any{"n": 1.5}, false},
		{alis, s.ChannelID(), "all", map[string]any{"n": "1"}, false},
		{alis, s.ChannelID(), "all", map[string]any{"one": 2}, false},
		{alis, s.ChannelID(), "all", map[string]any{"b": "true"}, false},
		{alis, s.ChannelID(), "all", map[string]any{"u": "1"}, false},
		{alis, s.ChannelID(), "all", map[string]any{"c": alis}, false},
		{alis, s.ChannelID(), "all", map[string]any{"r": alis}, false},
		{alis, s.ChannelID(), "all", map[string]any{"file": "x"}, false},
		{alis, s.ChannelID(), "all", map[string]any{"unknown": "x"}, false},
		{alis, s.ChannelID(), "all more", nil, false},
		{alis, s.ChannelID(), "", nil, false},
		{alis, s.ChannelID(), "none", nil, false},
		{alis, s.ChannelID(), "secret", nil, false}, {admin, s.ChannelID(), "secret", nil, true},
		{alis, s.ChannelID(), "manage", nil, false}, {admin, s.ChannelID(), "manage", nil, true},
		{alis, s.ChannelID(), "here", nil, true}, {alis, dm, "here", nil, false},
		{alis, s.ChannelID(), "local", nil, true}, {alis, dm, "local", nil, false}, {alis, dm, "all", nil, true},
		{alis, s.ChannelID(), "deep group sub", map[string]any{"a": "x"}, true},
		{alis, s.ChannelID(), "deep group sub", nil, false},
		{alis, s.ChannelID(), "deep group", nil, false},
		{alis, s.ChannelID(), "deep group nothing", nil, false},
		{alis, "1", "all", nil, false}, {"1", s.ChannelID(), "all", nil, false}, {admin, dm, "all", nil, false},
	} {
		if i, err := s.Command(c.user, c.channel, c.line, c.opts); (err == nil) != c.ok {
			t.Errorf("/%s %v: %v", c.line, c.opts, err)
		} else if c.ok && i.State() != Waiting {
			t.Errorf("/%s is %s", c.line, i.State())
		}
	}
}

func TestAutocomplete(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	register(t, s)
	alis := s.AddUser("alis")
	if _, err := s.Autocomplete(within(t), alis, s.ChannelID(), "backup start", nil, "count", "1"); err == nil {
		t.Error("an option without autocomplete completes")
	}
	for _, c := range []struct {
		body object
		want string
		code int
	}{
		{object{"type": 8, "data": object{"choices": []any{object{"name": "Docs", "value": "docs"}}}}, "[{Docs docs}]", 0},
		{object{"type": 8, "data": object{"choices": []any{}}}, "[]", 0},
		{object{"type": 8, "data": object{"choices": many(26, func(i int) any { return object{"name": fmt.Sprint(i), "value": "v"} })}}, "", 50035},
		{object{"type": 8, "data": object{"choices": []any{object{"name": "Docs", "value": 1}}}}, "", 50035},
		{object{"type": 4, "data": object{"content": "x"}}, "", 50035},
	} {
		c0, _ := login(t, s, ordinary)
		answered := make(chan int, 1)
		go func() {
			d := asObject(c0.next(opDispatch, "INTERACTION_CREATE")["d"])
			a, err := tryCall(t, s, "POST", fmt.Sprint("/interactions/", d["id"], "/", d["token"], "/callback"), c.body, "")
			if err != nil {
				t.Error(err)
			}
			answered <- a.code()
		}()
		choices, err := s.Autocomplete(within(t), alis, s.ChannelID(), "backup start", map[string]any{"count": 2}, "source", "do")
		if code := <-answered; code != c.code || (err == nil) != (c.code == 0) || err == nil && fmt.Sprint(choices) != c.want {
			t.Errorf("%v gives %v, %v, %d", c.body, choices, err, code)
		}
		s.CutGateway()
		s.ForgetSessions()
	}
}
