package slacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Limits of Block Kit: docs.slack.dev/reference/block-kit, the page of each block
// and element.
const (
	maxMessageBlocks = 50
	maxViewBlocks    = 100
	maxBlockChars    = 13200 // of all blocks of a message; not documented, seen in slackapi/bolt-js#2509
	maxMarkdown      = 12000 // of all markdown blocks together
	maxID            = 255   // block_id, action_id, callback_id
	maxURL           = 3000
)

// object is a decoded JSON object of a block.
type object map[string]any

func (o object) str(name string) string { v, _ := o[name].(string); return v }
func (o object) obj(name string) object { v, _ := o[name].(map[string]any); return v }
func (o object) has(name string) bool   { return o[name] != nil }

func (o object) list(name string) []object {
	raw, _ := o[name].([]any)
	var all []object
	for _, v := range raw {
		m, _ := v.(map[string]any)
		all = append(all, m)
	}
	return all
}

func (o object) flag(name string) bool { v, _ := o[name].(bool); return v }

func decodeBlocks(raw json.RawMessage) ([]object, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var blocks []object
	if err := dec.Decode(&blocks); err != nil {
		return nil, err
	}
	return blocks, nil
}

// blocks reads and checks an argument with blocks and gives each block and element
// the id that Slack gives to those without. The lock is held.
func (s *Server) blocks(c *call, name string, most int) (json.RawMessage, error) {
	raw := c.raw(name)
	if raw == nil {
		return nil, nil
	}
	blocks, err := decodeBlocks(raw)
	if err != nil {
		return nil, fail("invalid_blocks_format")
	}
	return s.checked(raw, blocks, most)
}

// checked judges blocks and returns them with all ids. The lock is held.
func (s *Server) checked(raw json.RawMessage, blocks []object, most int) (json.RawMessage, error) {
	if s.cfg.Validate != nil && len(blocks) > 0 {
		if err := s.cfg.Validate(raw); err != nil {
			s.schemaBad = append(s.schemaBad, err.Error()+"\n"+string(raw))
		}
	}
	k := checkBlocks(blocks, most)
	s.images(k, blocks)
	switch {
	case len(k.faults) > 0:
		return nil, &apiError{code: "invalid_blocks", extra: map[string]any{"errors": k.faults, "response_metadata": map[string]any{"messages": k.faults}}}
	case most == maxMessageBlocks && k.chars > maxBlockChars:
		return nil, fail("msg_blocks_too_long")
	}
	for _, b := range blocks {
		if b.str("block_id") == "" {
			b["block_id"] = s.id("blk")
		}
		for _, e := range interactive(b) {
			if e.str("action_id") == "" {
				e["action_id"] = s.id("act")
			}
		}
	}
	out, err := json.Marshal(blocks)
	if err != nil {
		return nil, fail("invalid_blocks_format")
	}
	return out, nil
}

// SchemaViolations are the blocks payloads that Config.Validate did not like, each
// with its reason.
func (s *Server) SchemaViolations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.schemaBad)
}

// CheckBlocks tells every documented limit that a list of blocks breaks: a message
// may have 50, a modal or an app home 100.
func CheckBlocks(raw json.RawMessage, most int) []string {
	blocks, err := decodeBlocks(raw)
	if err != nil {
		return []string{"no list of blocks: " + err.Error()}
	}
	return checkBlocks(blocks, most).faults
}

// interactive are the elements of a block that a person can use.
func interactive(b object) []object {
	var all []object
	switch b.str("type") {
	case "actions", "context_actions":
		all = b.list("elements")
	case "section":
		if a := b.obj("accessory"); a != nil && a.str("type") != "image" {
			all = []object{a}
		}
	case "input":
		if e := b.obj("element"); e != nil {
			all = []object{e}
		}
	}
	return slices.DeleteFunc(all, func(o object) bool { return o == nil })
}

func checkBlocks(blocks []object, most int) *checker {
	k := &checker{ids: map[string]bool{}}
	if len(blocks) > most {
		k.say("", "no more than %d items allowed", most)
	}
	for i, b := range blocks {
		at := fmt.Sprintf("/blocks/%d", i)
		if b == nil {
			k.say(at, "must be an object")
			continue
		}
		k.id(at, b.str("block_id"), k.ids, "block_id")
		k.block(at, b)
	}
	if k.markdown > maxMarkdown {
		k.say("", "markdown blocks have more than %d characters together", maxMarkdown)
	}
	return k
}

// block judges one block.
func (k *checker) block(at string, b object) {
	switch b.str("type") {
	case "divider":
	case "header":
		k.text(at+"/text", b, "text", plainOnly, 150, true)
	case "section":
		k.section(at, b)
	case "context":
		k.count(at+"/elements", len(b.list("elements")), 1, 10)
		for i, e := range b.list("elements") {
			k.contextElement(fmt.Sprintf("%s/elements/%d", at, i), e)
		}
	case "actions":
		k.count(at+"/elements", len(b.list("elements")), 1, 25)
		k.elements(at, b.list("elements"))
	case "context_actions":
		k.count(at+"/elements", len(b.list("elements")), 1, 5)
	case "image":
		k.image(at, b)
		k.text(at+"/title", b, "title", plainOnly, 2000, false)
	case "input":
		k.text(at+"/label", b, "label", plainOnly, 2000, true)
		k.text(at+"/hint", b, "hint", plainOnly, 2000, false)
		if b.obj("element") == nil {
			k.say(at, "missing required field: element")
		} else {
			k.element(at+"/element", b.obj("element"))
		}
	case "markdown":
		k.length(at+"/text", b.str("text"), 1, maxMarkdown)
		k.markdown += runes(b.str("text"))
	case "rich_text":
		if b["elements"] == nil {
			k.say(at, "missing required field: elements")
		}
	case "table":
		k.table(at, b)
	case "file", "video", "call":
	default:
		k.say(at, "unsupported type: %s", b.str("type"))
	}
}

func (k *checker) section(at string, b object) {
	if !b.has("text") && !b.has("fields") {
		k.say(at, "missing required field: text or fields")
	}
	k.text(at+"/text", b, "text", anyText, 3000, false)
	if b.has("fields") {
		k.count(at+"/fields", len(b.list("fields")), 1, 10)
		for i, f := range b.list("fields") {
			k.textObject(fmt.Sprintf("%s/fields/%d", at, i), f, anyText, 2000)
		}
	}
	if a := b.obj("accessory"); a != nil {
		k.element(at+"/accessory", a)
	}
}

func (k *checker) contextElement(at string, e object) {
	if e.str("type") == "image" {
		k.image(at, e)
		return
	}
	k.textObject(at, e, anyText, 0)
}

func (k *checker) image(at string, b object) {
	if !b.has("image_url") && !b.has("slack_file") {
		k.say(at, "missing required field: image_url or slack_file")
	}
	if f := object(b.obj("slack_file")); b.has("image_url") && f != nil || f.has("id") && f.has("url") || f != nil && !f.has("id") && !f.has("url") {
		k.say(at+"/slack_file", "must have one of image_url, slack_file.id and slack_file.url")
	}
	k.length(at+"/image_url", b.str("image_url"), 0, maxURL)
	k.length(at+"/alt_text", b.str("alt_text"), 1, 2000)
}

func (k *checker) table(at string, b object) {
	rows, _ := b["rows"].([]any)
	k.count(at+"/rows", len(rows), 1, 100)
	for i, r := range rows {
		cells, _ := r.([]any)
		k.count(fmt.Sprintf("%s/rows/%d", at, i), len(cells), 1, 20)
		for _, cell := range cells {
			c, _ := cell.(map[string]any)
			k.table10k += runes(object(c).str("text"))
		}
	}
	if k.table10k > 10000 {
		k.say(at, "tables have more than 10000 characters together")
	}
}
