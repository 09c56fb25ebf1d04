package slacktest

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// checker gathers what is wrong with a list of blocks.
type checker struct {
	faults   []string
	ids      map[string]bool
	chars    int
	markdown int
	table10k int
	focused  bool
}

func runes(text string) int { return utf8.RuneCountInString(text) }

func (k *checker) say(at, format string, args ...any) {
	k.faults = append(k.faults, fmt.Sprintf("[ERROR] %s [json-pointer:%s]", fmt.Sprintf(format, args...), at))
}

func (k *checker) count(at string, n, least, most int) {
	if n < least {
		k.say(at, "no fewer than %d items allowed", least)
	}
	if n > most {
		k.say(at, "no more than %d items allowed", most)
	}
}

func (k *checker) length(at, text string, least, most int) {
	n := runes(text)
	if n < least {
		k.say(at, "must be more than %d characters", least-1)
	}
	if most > 0 && n > most {
		k.say(at, "must be less than %d characters", most+1)
	}
	k.chars += n
}

// id judges the length of an id and that it is used once.
func (k *checker) id(at, id string, used map[string]bool, what string) {
	if runes(id) > maxID {
		k.say(at, "%s must be less than %d characters", what, maxID+1)
	}
	if id != "" && used[id] {
		k.say(at, "%s %q already exists", what, id)
	}
	used[id] = true
}

type textKind int

const (
	anyText textKind = iota
	plainOnly
)

// text judges a field that holds a text object.
func (k *checker) text(at string, o object, name string, kind textKind, most int, required bool) {
	if !o.has(name) {
		if required {
			k.say(at, "missing required field: %s", name)
		}
		return
	}
	k.textObject(at, o.obj(name), kind, most)
}

func (k *checker) textObject(at string, o object, kind textKind, most int) {
	switch t := o.str("type"); {
	case o == nil:
		k.say(at, "must be an object")
		return
	case t == "plain_text":
	case t == "mrkdwn" && kind == anyText:
	default:
		k.say(at, "unsupported type: %s", t)
		return
	}
	k.length(at, o.str("text"), 1, most)
}

func (k *checker) elements(at string, all []object) {
	used := map[string]bool{}
	for i, e := range all {
		here := fmt.Sprintf("%s/elements/%d", at, i)
		if e == nil {
			k.say(here, "must be an object")
			continue
		}
		k.id(here, e.str("action_id"), used, "action_id")
		k.element(here, e)
	}
}

// element judges an interactive element, or the image of a section.
func (k *checker) element(at string, e object) {
	if runes(e.str("action_id")) > maxID {
		k.say(at, "action_id must be less than %d characters", maxID+1)
	}
	k.confirm(at, e.obj("confirm"))
	k.text(at+"/placeholder", e, "placeholder", plainOnly, 150, false)
	if e.flag("focus_on_load") {
		if k.focused {
			k.say(at, "only one element can have focus_on_load")
		}
		k.focused = true
	}
	switch e.str("type") {
	case "image":
		k.image(at, e)
	case "button", "workflow_button":
		k.button(at, e)
	case "static_select", "multi_static_select":
		k.choices(at, e)
	case "overflow":
		k.options(at+"/options", e.list("options"), 1, 5)
	case "checkboxes", "radio_buttons":
		k.options(at+"/options", e.list("options"), 1, 10)
	case "plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input":
		k.length(at+"/initial_value", e.str("initial_value"), 0, 3000)
	case "datepicker", "timepicker", "datetimepicker", "file_input",
		"external_select", "users_select", "conversations_select", "channels_select",
		"multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select":
	default:
		k.say(at, "unsupported type: %s", e.str("type"))
	}
}

func (k *checker) button(at string, e object) {
	k.text(at+"/text", e, "text", plainOnly, 75, true)
	k.length(at+"/value", e.str("value"), 0, 2000)
	k.length(at+"/url", e.str("url"), 0, maxURL)
	k.length(at+"/accessibility_label", e.str("accessibility_label"), 0, 75)
	if e.has("style") && !slices.Contains([]string{"primary", "danger"}, e.str("style")) {
		k.say(at+"/style", "must be a valid enum value")
	}
}

// choices judges a static select: options or groups of options, not both.
func (k *checker) choices(at string, e object) {
	groups := e.list("option_groups")
	if e.has("options") == e.has("option_groups") {
		k.say(at, "must have either options or option_groups")
	}
	if e.has("options") {
		k.options(at+"/options", e.list("options"), 1, 100)
	}
	if e.has("option_groups") {
		k.count(at+"/option_groups", len(groups), 1, 100)
	}
	for i, g := range groups {
		here := fmt.Sprintf("%s/option_groups/%d", at, i)
		k.text(here+"/label", g, "label", plainOnly, 75, true)
		k.options(here+"/options", g.list("options"), 1, 100)
	}
	if o := e.obj("initial_option"); o != nil && !slices.ContainsFunc(allOptions(e), func(p object) bool { return p.str("value") == o.str("value") }) {
		k.say(at+"/initial_option", "must be one of the options")
	}
}

func allOptions(e object) []object {
	all := e.list("options")
	for _, g := range e.list("option_groups") {
		all = append(all, g.list("options")...)
	}
	return all
}

func (k *checker) options(at string, all []object, least, most int) {
	k.count(at, len(all), least, most)
	for i, o := range all {
		here := fmt.Sprintf("%s/%d", at, i)
		k.text(here+"/text", o, "text", anyText, 75, true)
		k.text(here+"/description", o, "description", anyText, 75, false)
		k.length(here+"/value", o.str("value"), 1, 150)
		k.length(here+"/url", o.str("url"), 0, maxURL)
	}
}

func (k *checker) confirm(at string, o object) {
	if o == nil {
		return
	}
	k.text(at+"/confirm/title", o, "title", plainOnly, 100, true)
	k.text(at+"/confirm/text", o, "text", anyText, 300, true)
	k.text(at+"/confirm/confirm", o, "confirm", plainOnly, 30, true)
	k.text(at+"/confirm/deny", o, "deny", plainOnly, 30, true)
}
