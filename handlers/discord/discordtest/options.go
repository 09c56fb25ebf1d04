package discordtest

import (
	"fmt"
	"slices"
	"strings"
)

// Types of options, https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-type.
const (
	optString      = 3
	optInteger     = 4
	optBoolean     = 5
	optUser        = 6
	optChannel     = 7
	optRole        = 8
	optMentionable = 9
	optNumber      = 10
	optAttachment  = 11
)

// filler fills in a command's options as a person's client does: nothing that is not
// registered can be typed.
type filler struct {
	srv      *Server
	opts     map[string]any
	typing   string
	typed    any
	resolved object
}

// descend follows the words of a sub-command down to the options.
func (f *filler) descend(def object, words []string) ([]any, error) {
	options := array(def["options"])
	nested := len(options) > 0 && integer(asObject(options[0])["type"]) <= 2
	if !nested {
		if len(words) > 0 {
			return nil, fmt.Errorf("there is no sub-command %q", strings.Join(words, " "))
		}
		return f.fill(options)
	}
	var known []string
	for _, v := range options {
		o := asObject(v)
		if len(words) > 0 && o["name"] == words[0] {
			inner, err := f.descend(o, words[1:])
			return []any{object{"name": o["name"], "type": integer(o["type"]), "options": inner}}, err
		}
		known = append(known, fmt.Sprint(o["name"]))
	}
	return nil, fmt.Errorf("there is no sub-command %v, only %v", words, known)
}

func (f *filler) fill(options []any) ([]any, error) {
	out, used := []any{}, 0
	for _, v := range options {
		o := asObject(v)
		name := fmt.Sprint(o["name"])
		kind := integer(o["type"])
		if name == f.typing {
			if o["autocomplete"] != true {
				return nil, fmt.Errorf("option %q has no autocomplete", name)
			}
			out = append(out, object{"name": name, "type": kind, "value": f.typed, "focused": true})
			continue
		}
		given, is := f.opts[name]
		if !is {
			if o["required"] == true && f.typing == "" {
				return nil, fmt.Errorf("option %q is required", name)
			}
			continue
		}
		used++
		value, err := f.value(o, kind, given)
		if err != nil {
			return nil, fmt.Errorf("option %q: %w", name, err)
		}
		out = append(out, object{"name": name, "type": kind, "value": value})
	}
	if used != len(f.opts) || f.typing != "" && !slices.ContainsFunc(out, func(v any) bool { return asObject(v)["focused"] == true }) {
		return nil, fmt.Errorf("of the options %v, typing %q, not all are registered", sortedKeys(f.opts), f.typing)
	}
	return out, nil
}

func (f *filler) value(o object, kind int, given any) (any, error) {
	wrong := func() (any, error) { return nil, fmt.Errorf("%v (%T) is not of type %d", given, given, kind) }
	switch kind {
	case optString:
		text, is := given.(string)
		if !is {
			return wrong()
		}
		return text, f.textFits(o, text)
	case optInteger, optNumber:
		n, is := number(given)
		if !is || kind == optInteger && n != float64(int64(n)) {
			return wrong()
		}
		return given, numberFits(o, n)
	case optBoolean:
		if _, is := given.(bool); !is {
			return wrong()
		}
		return given, nil
	case optAttachment:
		file, is := given.(File)
		if !is {
			return wrong()
		}
		a := attachment{id: f.srv.id(), file: file}
		f.srv.talk.attached[a.id] = file
		f.resolve("attachments", a.id, f.srv.attachmentJSON(a))
		return a.id, nil
	}
	id, is := given.(string)
	if !is || !f.thing(kind, id) {
		return wrong()
	}
	return id, nil
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func (f *filler) textFits(o object, text string) error {
	if choices := array(o["choices"]); len(choices) > 0 {
		if !slices.ContainsFunc(choices, func(c any) bool { return asObject(c)["value"] == text }) {
			return fmt.Errorf("%q is none of the choices", text)
		}
	}
	n := len([]rune(text))
	if least, is := o["min_length"].(float64); is && n < int(least) {
		return fmt.Errorf("%q is too short", text)
	}
	if most, is := o["max_length"].(float64); is && n > int(most) || n > 6000 {
		return fmt.Errorf("%q is too long", text)
	}
	return nil
}

func numberFits(o object, n float64) error {
	if choices := array(o["choices"]); len(choices) > 0 {
		if !slices.ContainsFunc(choices, func(c any) bool { return asObject(c)["value"] == n }) {
			return fmt.Errorf("%v is none of the choices", n)
		}
	}
	if least, is := o["min_value"].(float64); is && n < least {
		return fmt.Errorf("%v is too small", n)
	}
	if most, is := o["max_value"].(float64); is && n > most {
		return fmt.Errorf("%v is too large", n)
	}
	return nil
}

// thing resolves a user, channel or role.
func (f *filler) thing(kind int, id string) bool {
	w := &f.srv.world
	u := w.users[id]
	c := w.channels[id]
	switch {
	case (kind == optUser || kind == optMentionable) && u != nil:
		f.resolve("users", id, userJSON(u))
		return true
	case kind == optChannel && c != nil && c.dm == "":
		o := f.srv.channelJSON(c)
		f.resolve("channels", id, object{"id": id, "type": 0, "name": c.name, "permissions": bits(permEveryone), "parent_id": o["parent_id"]})
		return true
	case kind == optRole || kind == optMentionable:
		for _, g := range w.guilds {
			for i, r := range g.roles {
				if r.id == id {
					f.resolve("roles", id, roleJSON(r, i))
					return true
				}
			}
		}
	}
	return false
}

func (f *filler) resolve(kind, id string, o object) {
	all, is := f.resolved[kind].(object)
	if !is {
		all = object{}
		f.resolved[kind] = all
	}
	all[id] = o
}
