package discordtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// many repeats what make gives.
func many(n int, make func(int) any) []any {
	out := []any{}
	for i := range n {
		out = append(out, make(i))
	}
	return out
}

func x(n int) string { return strings.Repeat("é", n) }

func aButton(id string) object {
	return object{"type": 2, "style": 1, "label": "B", "custom_id": id}
}

func rowsOf(parts ...any) []any { return []any{object{"type": 1, "components": parts}} }

// errorPaths are where a body's errors are, as "embeds.0.title CODE".
func errorPaths(tree any, at string) []string {
	var out []string
	for k, v := range asObject(tree) {
		if k == "_errors" {
			for _, e := range array(v) {
				out = append(out, strings.TrimPrefix(at, ".")+" "+fmt.Sprint(asObject(e)["code"]))
			}
			continue
		}
		out = append(out, errorPaths(v, at+"."+k)...)
	}
	slices.Sort(out)
	return out
}

func TestMessageLimits(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	embed := func(e object) object { return object{"embeds": []any{e}} }
	menu := func(options []any) object {
		return object{"content": "x", "components": rowsOf(object{"type": 3, "custom_id": "m", "options": options})}
	}
	option := func(i int) any { return object{"label": "L", "value": fmt.Sprint(i)} }
	for name, c := range map[string]struct {
		body object
		want string
	}{
		"content just fits":    {object{"content": x(2000)}, ""},
		"content":              {object{"content": x(2001)}, "content BASE_TYPE_MAX_LENGTH"},
		"content is a number":  {object{"content": 7}, "content STRING_TYPE_CONVERT"},
		"nonce":                {object{"content": "x", "nonce": strings.Repeat("n", 26)}, "nonce BASE_TYPE_MAX_LENGTH"},
		"ten embeds fit":       {object{"embeds": many(10, func(int) any { return object{"title": "t"} })}, ""},
		"eleven embeds":        {object{"embeds": many(11, func(int) any { return object{"title": "t"} })}, "embeds BASE_TYPE_MAX_LENGTH"},
		"title":                {embed(object{"title": x(257)}), "embeds.0.title BASE_TYPE_MAX_LENGTH"},
		"description":          {embed(object{"description": x(4097)}), "embeds.0.description BASE_TYPE_MAX_LENGTH"},
		"footer":               {embed(object{"title": "t", "footer": object{"text": x(2049)}}), "embeds.0.footer.text BASE_TYPE_MAX_LENGTH"},
		"author":               {embed(object{"title": "t", "author": object{"name": x(257)}}), "embeds.0.author.name BASE_TYPE_MAX_LENGTH"},
		"26 fields":            {embed(object{"fields": many(26, func(int) any { return object{"name": "n", "value": "v"} })}), "embeds.0.fields BASE_TYPE_MAX_LENGTH"},
		"field's value":        {embed(object{"fields": []any{object{"name": "n", "value": x(1025)}}}), "embeds.0.fields.0.value BASE_TYPE_BAD_LENGTH"},
		"field without a name": {embed(object{"fields": []any{object{"name": "", "value": "v"}}}), "embeds.0.fields.0.name BASE_TYPE_REQUIRED"},
		"6000 characters fit":  {object{"embeds": many(2, func(int) any { return object{"description": x(3000)} })}, ""},
		"6001 characters":      {object{"embeds": []any{object{"description": x(3000)}, object{"title": "t", "description": x(3000)}}}, "embeds MAX_EMBED_SIZE_EXCEEDED"},
		"an empty embed":       {embed(object{}), "embeds.0.description BASE_TYPE_REQUIRED"},
		"a time":               {embed(object{"title": "t", "timestamp": "noon"}), "embeds.0.timestamp DATE_TIME_TYPE_PARSE"},
		"a colour":             {embed(object{"title": "t", "color": 1 << 24}), "embeds.0.color NUMBER_TYPE_MAX"},
		"a link":               {embed(object{"title": "t", "url": "nowhere"}), "embeds.0.url URL_TYPE_INVALID_URL"},
		"mentions":             {object{"content": "x", "allowed_mentions": object{"parse": []any{"users"}, "users": []any{"1"}}}, "allowed_mentions MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"},
		"mentions of what":     {object{"content": "x", "allowed_mentions": object{"parse": []any{"cats"}}}, "allowed_mentions.parse.0 BASE_TYPE_CHOICES"},
		"five rows of five":    {object{"content": "x", "components": many(5, func(r int) any { return rowsOf(many(5, func(i int) any { return aButton(fmt.Sprint(r, i)) })...)[0] })}, ""},
		"six rows":             {object{"content": "x", "components": many(6, func(r int) any { return rowsOf(aButton(fmt.Sprint(r)))[0] })}, "components BASE_TYPE_MAX_LENGTH"},
		"six buttons":          {object{"content": "x", "components": rowsOf(many(6, func(i int) any { return aButton(fmt.Sprint(i)) })...)}, "components.0.components BASE_TYPE_BAD_LENGTH"},
		"the same custom_id":   {object{"content": "x", "components": rowsOf(aButton("a"), aButton("a"))}, "components.0.components.1.custom_id COMPONENT_CUSTOM_ID_DUPLICATED"},
		"custom_id":            {object{"content": "x", "components": rowsOf(aButton(x(101)))}, "components.0.components.0.custom_id BASE_TYPE_BAD_LENGTH"},
		"no custom_id":         {object{"content": "x", "components": rowsOf(aButton(""))}, "components.0.components.0.custom_id BASE_TYPE_REQUIRED"},
		"label":                {object{"content": "x", "components": rowsOf(object{"type": 2, "style": 1, "custom_id": "a", "label": x(81)})}, "components.0.components.0.label BASE_TYPE_MAX_LENGTH"},
		"no label":             {object{"content": "x", "components": rowsOf(object{"type": 2, "style": 1, "custom_id": "a"})}, "components.0.components.0 BUTTON_COMPONENT_INVALID_EMOJI_OR_LABEL"},
		"a link button":        {object{"content": "x", "components": rowsOf(object{"type": 2, "style": 5, "label": "L", "custom_id": "a"})}, "components.0.components.0 BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE,components.0.components.0.url URL_TYPE_INVALID_URL"},
		"a button outside":     {object{"content": "x", "components": []any{aButton("a")}}, "components.0.type UNION_TYPE_CHOICES"},
		"25 options fit":       {menu(many(25, option)), ""},
		"26 options":           {menu(many(26, option)), "components.0.components.0.options BASE_TYPE_BAD_LENGTH"},
		"no options":           {menu(nil), "components.0.components.0.options BASE_TYPE_BAD_LENGTH"},
		"an option's texts":    {menu([]any{object{"label": x(101), "value": x(101), "description": x(101)}}), "components.0.components.0.options.0.description BASE_TYPE_MAX_LENGTH,components.0.components.0.options.0.label BASE_TYPE_BAD_LENGTH,components.0.components.0.options.0.value BASE_TYPE_BAD_LENGTH"},
		"the same option":      {menu([]any{option(1), option(1)}), "components.0.components.0.options.1.value SELECT_COMPONENT_OPTION_VALUE_DUPLICATED"},
		"a menu and a button":  {object{"content": "x", "components": rowsOf(object{"type": 3, "custom_id": "m", "options": []any{option(1)}}, aButton("a"))}, "components.0 COMPONENT_LAYOUT_WIDTH_EXCEEDED"},
		"version 2":            {object{"flags": FlagComponentsV2, "components": []any{object{"type": 17, "components": []any{object{"type": 10, "content": "text"}}}}}, ""},
		"version 2 with text":  {object{"flags": FlagComponentsV2, "content": "x", "components": []any{object{"type": 10, "content": "text"}}}, "content MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"},
		"version 2, too many":  {object{"flags": FlagComponentsV2, "components": many(41, func(int) any { return object{"type": 14} })}, "components COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED"},
	} {
		a := call(t, s, "POST", "/channels/"+s.ChannelID()+"/messages", c.body)
		got := strings.Join(errorPaths(a.object()["errors"], ""), ",")
		if got != c.want || c.want != "" && (a.status != 400 || a.code() != 50035) || c.want == "" && a.status != 200 {
			t.Errorf("%s: %d %d %q, not %q", name, a.status, a.code(), got, c.want)
		}
	}
}

func TestModalLimits(t *testing.T) {
	s := serve(t, Config{NoRateLimits: true})
	input := object{"type": 18, "label": "L", "component": object{"type": 4, "custom_id": "a", "style": 1}}
	for name, c := range map[string]struct {
		data object
		want string
	}{
		"title":         {object{"title": x(46), "custom_id": "m", "components": []any{input}}, "data.title BASE_TYPE_BAD_LENGTH"},
		"custom_id":     {object{"title": "T", "custom_id": x(101), "components": []any{input}}, "data.custom_id BASE_TYPE_BAD_LENGTH"},
		"no inputs":     {object{"title": "T", "custom_id": "m", "components": []any{}}, "data.components BASE_TYPE_BAD_LENGTH"},
		"the same":      {object{"title": "T", "custom_id": "m", "components": []any{input, input}}, "data.components.1.component.custom_id COMPONENT_CUSTOM_ID_DUPLICATED"},
		"label":         {object{"title": "T", "custom_id": "m", "components": []any{object{"type": 18, "label": x(46), "component": input["component"]}}}, "data.components.0.label BASE_TYPE_BAD_LENGTH"},
		"a button":      {object{"title": "T", "custom_id": "m", "components": rowsOf(aButton("a"))}, "data.components.0.components.0.type UNION_TYPE_CHOICES"},
		"style":         {object{"title": "T", "custom_id": "m", "components": []any{object{"type": 18, "label": "L", "component": object{"type": 4, "custom_id": "a", "style": 3}}}}, "data.components.0.component.style BASE_TYPE_CHOICES"},
		"label missing": {object{"title": "T", "custom_id": "m", "components": rowsOf(object{"type": 4, "custom_id": "a", "style": 1})}, "data.components.0.components.0.label BASE_TYPE_REQUIRED"},
		"outside":       {object{"title": "T", "custom_id": "m", "components": []any{input["component"]}}, "data.components.0.type UNION_TYPE_CHOICES"},
	} {
		i, _ := ask(t, s)
		a := respond(t, s, i, object{"type": 9, "data": c.data})
		if got := strings.Join(errorPaths(a.object()["errors"], ""), ","); got != c.want || a.code() != 50035 {
			t.Errorf("%s: %d %q, not %q", name, a.status, got, c.want)
		}
	}
}
