package discordtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func (r *registry) check(all []any) *reply {
	var f formErrors
	counts, seen := map[int]int{}, map[string]bool{}
	for i, v := range all {
		c, path := asObject(v), strconv.Itoa(i)
		kind := 1
		if c["type"] != nil {
			kind = integer(c["type"])
		}
		counts[kind]++
		if key := commandKey(c); seen[key] {
			f.add(path, "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
		} else {
			seen[key] = true
		}
		switch kind {
		case 1:
			r.name(&f, path+".name", c["name"])
			f.text(path+".description", c["description"], 1, 100)
			r.options(&f, path, array(c["options"]), 0)
			if weigh(c) > maxCommandSum {
				f.add(path, "APPLICATION_COMMAND_TOO_LARGE", fmt.Sprintf("Command exceeds maximum size (%d)", maxCommandSum))
			}
		case 2, 3:
			f.text(path+".name", c["name"], 1, 32)
			if d, _ := c["description"].(string); d != "" {
				f.add(path+".description", "APPLICATION_COMMAND_DESCRIPTION_INVALID", "Context menu commands cannot have a description")
			}
		default:
			f.add(path+".type", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3}.")
		}
	}
	if counts[1] > maxSlash || counts[2] > maxMenus || counts[3] > maxMenus {
		bad := failure(http.StatusBadRequest, 30032, "Maximum number of application commands reached (100)")
		return &bad
	}
	return f.reply()
}

func (r *registry) name(f *formErrors, path string, v any) {
	name := f.text(path, v, 1, 32)
	if name != "" && (!r.nameRule.MatchString(name) || name != strings.ToLower(name)) {
		f.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
	}
}

// options checks those of a command (depth 0), a group or a sub-command.
func (r *registry) options(f *formErrors, path string, all []any, depth int) {
	if len(all) > maxOptions {
		f.tooLong(path+".options", maxOptions)
	}
	seen, optional, subs := map[string]bool{}, false, 0
	for i, v := range all {
		o, at := asObject(v), fmt.Sprintf("%s.options.%d", path, i)
		r.name(f, at+".name", o["name"])
		f.text(at+".description", o["description"], 1, 100)
		name, _ := o["name"].(string)
		if seen[name] {
			f.add(at, "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATE", "Option names must be unique")
		}
		seen[name] = true
		kind := integer(o["type"])
		if kind <= 2 {
			subs++
		}
		switch {
		case kind == 2 && depth == 0:
			r.options(f, at, array(o["options"]), 1)
		case kind == 1 && depth <= 1:
			r.options(f, at, array(o["options"]), 2)
		case kind >= 3 && kind <= 11 && depth != 1:
			if o["required"] != true {
				optional = true
			} else if optional {
				f.add(at, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed before non-required options")
			}
			r.choices(f, at, o, kind)
		default:
			f.add(at+".type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command and sub-command group option types must be first-level, and cannot be nested further")
		}
	}
	if subs > 0 && subs < len(all) {
		f.add(path+".options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command and sub-command group option types are mutually exclusive to all other types")
	}
}

func (r *registry) choices(f *formErrors, path string, o object, kind int) {
	choices := array(o["choices"])
	if len(choices) > maxChoices {
		f.tooLong(path+".choices", maxChoices)
	}
	if o["autocomplete"] == true && (len(choices) > 0 || kind != optString && kind != optInteger && kind != optNumber) {
		f.add(path, "APPLICATION_COMMAND_AUTOCOMPLETE_INVALID", "Autocomplete options must be strings or numbers and have no choices")
	}
	for i, v := range choices {
		at := fmt.Sprintf("%s.choices.%d", path, i)
		f.choice(at, asObject(v), kind)
	}
}

func (f *formErrors) choice(path string, c object, kind int) {
	f.text(path+".name", c["name"], 1, 100)
	value, isText := c["value"].(string)
	n, isNumber := c["value"].(float64)
	switch {
	case kind == optString && (!isText || len([]rune(value)) > 100):
		f.text(path+".value", c["value"], 1, 100)
	case kind == optInteger && (!isNumber || n != float64(int64(n))), kind == optNumber && !isNumber:
		f.add(path+".value", "NUMBER_TYPE_COERCE", "Value is not a number of this type.")
	}
}

// weigh counts the characters that are limited to 8000: names, descriptions and values,
// nested ones included.
func weigh(v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			n += weigh(x)
		}
	case object:
		for _, k := range []string{"name", "description", "value"} {
			t, _ := v[k].(string)
			n += len([]rune(t))
		}
		n += weigh(v["options"]) + weigh(v["choices"])
	}
	return n
}
