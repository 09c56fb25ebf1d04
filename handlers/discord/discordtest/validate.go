package discordtest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Limits of messages, https://discord.com/developers/docs/resources/message.
const (
	maxContent     = 2000
	maxEmbeds      = 10
	maxEmbedText   = 6000
	maxFiles       = 10
	maxNonce       = 25
	maxRows        = 5
	maxRowButtons  = 5
	maxComponents  = 40 // of version 2, nested ones included
	maxTextDisplay = 4000
)

// checkMessage judges a new message. old are the attachments that it keeps.
func checkMessage(body object, files []File, old []attachment) *reply {
	if bad := fileLimits(files); bad != nil {
		return bad
	}
	var f formErrors
	v2 := integer(body["flags"])&FlagComponentsV2 != 0
	f.text("content", body["content"], 0, maxContent)
	f.nonce(body["nonce"])
	f.embeds(array(body["embeds"]))
	f.allowedMentions(body["allowed_mentions"])
	if v2 {
		f.onlyComponents(body)
	}
	f.components("components", array(body["components"]), v2)
	f.attachments(array(body["attachments"]), files, old)
	if len(files)+len(old) > maxFiles {
		f.add("attachments", "BASE_TYPE_MAX_LENGTH", fmt.Sprintf("Must be %d or fewer in length.", maxFiles))
	}
	if bad := f.reply(); bad != nil {
		return bad
	}
	content, _ := body["content"].(string)
	if blank(content) && len(array(body["embeds"])) == 0 && len(array(body["components"])) == 0 && len(files)+len(old) == 0 && body["poll"] == nil {
		r := failure(http.StatusBadRequest, 50006, "Cannot send an empty message")
		return &r
	}
	return nil
}

// checkEdit judges a message as it would be after the edit.
func checkEdit(m *message, body object, files []File) *reply {
	after := object{"content": m.content, "embeds": m.embeds, "components": m.components, "flags": float64(m.flags)}
	for k, v := range body {
		after[k] = v
	}
	old := slices.Clone(m.attachments)
	if kept, named := body["attachments"].([]any); named {
		after := message{attachments: old}
		after.keep(kept)
		old = after.attachments
	}
	return checkMessage(after, files, old)
}

func blank(text string) bool {
	for _, r := range text {
		if r != ' ' && r != '\n' && r != '\t' && r != '\u200b' {
			return false
		}
	}
	return true
}

func (f *formErrors) nonce(v any) {
	switch v := v.(type) {
	case nil, float64:
	case string:
		if len(v) > maxNonce {
			f.tooLong("nonce", maxNonce)
		}
	default:
		f.add("nonce", "NONCE_TYPE_INVALID", "Nonce must be a string or an integer.")
	}
}

func (f *formErrors) onlyComponents(body object) {
	if c, _ := body["content"].(string); c != "" {
		f.add("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2")
	}
	if len(array(body["embeds"])) > 0 {
		f.add("embeds", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "The 'embeds' field cannot be used when using MessageFlags.IS_COMPONENTS_V2")
	}
}

// embeds checks the limits of https://discord.com/developers/docs/resources/message#embed-object-embed-limits.
func (f *formErrors) embeds(all []any) {
	if len(all) > maxEmbeds {
		f.tooLong("embeds", maxEmbeds)
	}
	total := 0
	for i, v := range all {
		e, path := asObject(v), "embeds."+strconv.Itoa(i)
		count := func(at string, v any, least, most int) { total += len([]rune(f.text(path+"."+at, v, least, most))) }
		count("title", e["title"], 0, 256)
		count("description", e["description"], 0, 4096)
		count("footer.text", asObject(e["footer"])["text"], 0, 2048)
		count("author.name", asObject(e["author"])["name"], 0, 256)
		fields := array(e["fields"])
		if len(fields) > 25 {
			f.tooLong(path+".fields", 25)
		}
		for j, v := range fields {
			at := fmt.Sprintf("fields.%d", j)
			count(at+".name", asObject(v)["name"], 1, 256)
			count(at+".value", asObject(v)["value"], 1, 1024)
		}
		if t, is := e["timestamp"].(string); is {
			if _, err := time.Parse(time.RFC3339, t); err != nil {
				f.add(path+".timestamp", "DATE_TIME_TYPE_PARSE", fmt.Sprintf("Could not parse %s. Should be ISO8601.", t))
			}
		}
		if c := integer(e["color"]); c < 0 || c > 0xffffff {
			f.add(path+".color", "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215.")
		}
		if u, is := e["url"].(string); is && !webAddress(u) {
			f.add(path+".url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
		}
		if emptyEmbed(e) {
			f.required(path + ".description")
		}
	}
	if total > maxEmbedText {
		f.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", fmt.Sprintf("Embed size exceeds maximum size of %d", maxEmbedText))
	}
}

func emptyEmbed(e object) bool {
	for _, k := range []string{"title", "description", "fields", "footer", "author", "image", "thumbnail", "url"} {
		switch v := e[k].(type) {
		case string:
			if v != "" {
				return false
			}
		case []any:
			if len(v) > 0 {
				return false
			}
		case object:
			return false
		}
	}
	return true
}

func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// allowedMentions checks that users and roles are not both listed and parsed.
// https://discord.com/developers/docs/resources/message#allowed-mentions-object
func (f *formErrors) allowedMentions(v any) {
	a := asObject(v)
	for i, p := range array(a["parse"]) {
		kind, _ := p.(string)
		if !slices.Contains([]string{"roles", "users", "everyone"}, kind) {
			f.add(fmt.Sprintf("allowed_mentions.parse.%d", i), "BASE_TYPE_CHOICES", "Value must be one of ('roles', 'users', 'everyone').")
		} else if len(array(a[kind])) > 0 {
			f.add("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", fmt.Sprintf("parse:[%q] and %s: [ids...] are mutually exclusive.", kind, kind))
		}
	}
}

func asObject(v any) object { o, _ := v.(object); return o }

// finishedEmbed is an embed as it comes back: with its type, and what was left out of its fields.
func finishedEmbed(v any) any {
	out := object{"type": "rich"}
	for k, v := range asObject(v) {
		if v != nil {
			out[k] = v
		}
	}
	var fields []any
	for _, v := range array(out["fields"]) {
		field := object{"inline": false}
		maps.Copy(field, asObject(v))
		fields = append(fields, field)
	}
	if fields != nil {
		out["fields"] = fields
	}
	return out
}
