package slacktest

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Button is one that a person sees.
type Button struct{ Label, ActionID, BlockID, Value, URL, Style string }

// Choice is a select, an overflow menu, checkboxes, radio buttons, a date or time
// picker or an input field.
type Choice struct {
	Type, ActionID, BlockID string
	Label                   string   // of the input block, else the placeholder
	Options                 []string // labels
}

// Plain is what a person reads: the text of the blocks, one block a line, or of a
// message without blocks its text. Links show their label, dates their fallback.
func (m Message) Plain() string {
	if blank(m.Blocks) {
		return plainMrkdwn(m.Text)
	}
	return PlainText(m.Blocks)
}

// Buttons are those of the message, in order.
func (m Message) Buttons() []Button { return Buttons(m.Blocks) }

// Pings are the mentions in the message that notify people: <@U…>, <!here>,
// <!channel>, <!everyone>, <!subteam^…>.
func (m Message) Pings() []string {
	blocks, _ := decodeBlocks(m.Blocks) // a message without blocks has none
	found := pingMark.FindAllString(m.Text, -1)
	for _, b := range blocks {
		walk(b, func(o object) {
			if o.str("type") == "mrkdwn" || o.str("type") == "markdown" {
				found = append(found, pingMark.FindAllString(o.str("text"), -1)...)
			}
			switch o.str("type") {
			case "user", "usergroup", "broadcast": // rich text
				found = append(found, "<@"+o.str("user_id")+o.str("usergroup_id")+o.str("range")+">")
			}
		})
	}
	return found
}

var (
	pingMark = regexp.MustCompile(`<(@[UW][A-Z0-9]+|!here|!channel|!everyone|!subteam\^[A-Z0-9]+)(\|[^>]*)?>`)
	angle    = regexp.MustCompile(`<([^<>|]*)(\|([^<>]*))?>`)
)

func walk(v any, f func(object)) {
	switch v := v.(type) {
	case object:
		walk(map[string]any(v), f)
	case map[string]any:
		f(v)
		for _, inner := range v {
			walk(inner, f)
		}
	case []any:
		for _, inner := range v {
			walk(inner, f)
		}
	}
}

func plainMrkdwn(text string) string {
	text = angle.ReplaceAllStringFunc(text, func(mark string) string {
		parts := angle.FindStringSubmatch(mark)
		if parts[2] != "" {
			return parts[3]
		}
		return strings.TrimPrefix(parts[1], "!")
	})
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

func textOf(o object) string {
	if o.str("type") == "mrkdwn" {
		return plainMrkdwn(o.str("text"))
	}
	return o.str("text")
}

// PlainText is what a person reads in blocks, one block a line; buttons and
// selects are left out.
func PlainText(raw json.RawMessage) string {
	blocks, err := decodeBlocks(raw)
	if err != nil {
		return ""
	}
	var lines []string
	for _, b := range blocks {
		if line := blockText(b); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func blockText(b object) string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	switch b.str("type") {
	case "section":
		add(textOf(b.obj("text")))
		for _, f := range b.list("fields") {
			add(textOf(f))
		}
		return strings.Join(parts, "\n")
	case "header":
		add(textOf(b.obj("text")))
	case "context":
		for _, e := range b.list("elements") {
			add(textOf(e))
			add(e.str("alt_text"))
		}
	case "markdown":
		add(b.str("text"))
	case "input":
		add(textOf(b.obj("label")))
		add(textOf(b.obj("hint")))
	case "image":
		add(textOf(b.obj("title")))
		add(b.str("alt_text"))
	case "divider":
		add("---")
	case "table":
		return tableText(b)
	case "rich_text":
		walkInOrder(b["elements"], func(o object) { add(o.str("text")) })
		return strings.Join(parts, "")
	}
	return strings.Join(parts, " ")
}

func tableText(b object) string {
	var rows []string
	all, _ := b["rows"].([]any)
	for _, r := range all {
		var cells []string
		list, _ := r.([]any)
		for _, cell := range list {
			var text string
			walkInOrder(cell, func(o object) { text += o.str("text") })
			cells = append(cells, text)
		}
		rows = append(rows, strings.Join(cells, " | "))
	}
	return strings.Join(rows, "\n")
}

// walkInOrder visits an object before its elements, which JSON keeps in order.
func walkInOrder(v any, f func(object)) {
	switch v := v.(type) {
	case map[string]any:
		f(v)
		walkInOrder(v["elements"], f)
	case []any:
		for _, inner := range v {
			walkInOrder(inner, f)
		}
	}
}

// Buttons are those of the blocks, in order.
func Buttons(raw json.RawMessage) []Button {
	var all []Button
	for _, u := range usable(raw) {
		if e := u.element; e.str("type") == "button" {
			all = append(all, Button{Label: textOf(e.obj("text")), ActionID: e.str("action_id"), BlockID: u.block.str("block_id"), Value: e.str("value"), URL: e.str("url"), Style: e.str("style")})
		}
	}
	return all
}

// Choices are the elements of the blocks other than buttons, in order.
func Choices(raw json.RawMessage) []Choice {
	var all []Choice
	for _, u := range usable(raw) {
		e := u.element
		if e.str("type") == "button" {
			continue
		}
		c := Choice{Type: e.str("type"), ActionID: e.str("action_id"), BlockID: u.block.str("block_id"), Label: u.label()}
		for _, o := range allOptions(e) {
			c.Options = append(c.Options, textOf(o.obj("text")))
		}
		all = append(all, c)
	}
	return all
}

// use is an element with its block.
type use struct{ block, element object }

func (u use) label() string {
	if u.block.str("type") == "input" {
		return textOf(u.block.obj("label"))
	}
	if u.element.str("type") == "button" {
		return textOf(u.element.obj("text"))
	}
	return textOf(u.element.obj("placeholder"))
}

func usable(raw json.RawMessage) []use {
	blocks, _ := decodeBlocks(raw) // nothing to use where there is nothing
	var all []use
	for _, b := range blocks {
		for _, e := range interactive(b) {
			all = append(all, use{b, e})
		}
	}
	return all
}
