package graphtest

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
)

// messages answers what is below a collection of messages: a folder's, or all of the
// mailbox if f is nil.
func (c *call) messages(f *Folder, rest []string) answer {
	if len(rest) == 0 {
		return c.listMessages(f)
	}
	i := c.box.find(rest[0])
	if i == nil || i.kind != kindMessage || f != nil && i.at != f {
		return notFound()
	}
	return c.messageAt(i, rest[1:])
}

func (c *call) messageAt(i *Item, rest []string) answer {
	if c.r.Method != "GET" {
		return c.badMethod()
	}
	if len(rest) == 0 {
		if bad := i.hurt(func(p *Poison) bool { return p.Read }); bad != nil {
			return answer{fail: bad}
		}
		v, bad := c.message(i)
		if bad != nil {
			return answer{fail: bad}
		}
		return c.entity(v, "message")
	}
	if c.basic() {
		return denied()
	}
	switch strings.ToLower(rest[0]) {
	case "$value":
		if bad := i.hurt(func(p *Poison) bool { return p.MIME }); bad != nil {
			return answer{fail: bad}
		}
		return answer{raw: i.content().mime(i), media: "text/plain"}
	case "attachments":
		return c.attachments(i, i.content().Attachments, rest[1:])
	}
	return c.noSegment(rest[0])
}

// basic tells whether the permission is one that reaches neither bodies nor attachments.
func (c *call) basic() bool { return !c.may("Mail.Read", "Mail.ReadWrite") }

// listMessages lists the newest first.
func (c *call) listMessages(f *Folder) answer {
	var all []*Item
	if f != nil {
		all = f.items
	} else {
		for _, i := range c.box.items {
			if !i.gone && i.kind == kindMessage {
				all = append(all, i)
			}
		}
	}
	if keep, ok := c.itemFilter(kindMessage); ok {
		all = slices.DeleteFunc(slices.Clone(all), func(i *Item) bool { return !keep(i) })
	} else if c.q.filter != "" {
		op, at, ok := receivedFilter(c.q.filter)
		if !ok {
			return fail(400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
		}
		all = among(all, op, at)
	}
	if bad := c.tooLarge(c.size(10, 1000), "message"); bad != nil {
		return answer{fail: bad}
	}
	oldest := false
	switch strings.ToLower(c.q.order) {
	case "":
	case "receiveddatetime desc", "receiveddatetime", "receiveddatetime asc":
		all = append([]*Item(nil), all...)
		times := map[*Item]time.Time{}
		for _, i := range all {
			times[i] = i.content().received(i)
		}
		sort.SliceStable(all, func(a, b int) bool { return times[all[a]].Before(times[all[b]]) })
		oldest = !strings.HasSuffix(strings.ToLower(c.q.order), " desc")
	default:
		return fail(400, "ErrorInvalidUrlQuery", "The query parameter '$orderby' is not supported here.")
	}
	return c.list(len(all), "message", 10, func(n int) (map[string]any, *failure) {
		if !oldest {
			n = len(all) - 1 - n
		}
		if p := all[n].poison; p != nil && p.List {
			return nil, &failure{status: 500, code: "InternalServerError", text: "Error while processing response."}
		}
		return c.message(all[n])
	})
}

func among(all []*Item, op string, at time.Time) []*Item {
	var out []*Item
	for _, i := range all {
		switch t := i.content().received(i); {
		case op == "ge" && !t.Before(at), op == "gt" && t.After(at), op == "le" && !t.After(at), op == "lt" && t.Before(at):
			out = append(out, i)
		}
	}
	return out
}

func (m Message) received(i *Item) time.Time {
	if m.Received.IsZero() {
		return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i.serial) * time.Minute)
	}
	return m.Received.UTC()
}

func (m Message) sent(i *Item) time.Time {
	if m.Sent.IsZero() {
		return m.received(i).Add(-time.Second)
	}
	return m.Sent.UTC()
}

func (m Message) messageID(i *Item) string {
	if m.MessageID != "" {
		return m.MessageID
	}
	return fmt.Sprintf("<%08x.%s@fake.example>", i.serial, strings.ReplaceAll(i.box.user.ID, "-", ""))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func (i *Item) changeKey() string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "CQAAABYA%08d%06d", i.serial, i.version))
}

// message writes a message as JSON, in full.
func (c *call) message(i *Item) (map[string]any, *failure) {
	m := i.content()
	id := i.id(c.q.immutable)
	out := map[string]any{
		"@odata.etag": `W/"` + i.changeKey() + `"`, "id": id, "changeKey": i.changeKey(), "createdDateTime": stamp(m.received(i)), "lastModifiedDateTime": stamp(i.changed),
		"categories": list(m.Categories), "subject": m.Subject, "importance": either(m.Importance, "normal"), "parentFolderId": i.at.id(), "conversationId": i.box.spell(name{prefix: "AAQk", kind: 'v', serial: i.serial}),
		"conversationIndex": base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%022d", i.serial)), "isDeliveryReceiptRequested": nil, "isReadReceiptRequested": false, "isRead": m.Read, "isDraft": m.Draft,
		"webLink": "https://outlook.office365.com/owa/?ItemID=" + id + "&exvsurl=1&viewmodel=ReadMessageItem", "inferenceClassification": "focused", "receivedDateTime": stamp(m.received(i)), "sentDateTime": stamp(m.sent(i)),
		"internetMessageId": m.messageID(i), "hasAttachments": m.hasAttachments(), "flag": map[string]any{"flagStatus": either(m.Flag, "notFlagged")},
		"toRecipients": people(m.To), "ccRecipients": people(m.Cc), "bccRecipients": people(m.Bcc), "replyTo": people(m.ReplyTo),
	}
	if m.From != (Address{}) {
		out["from"], out["sender"] = person(m.From), person(m.From)
	}
	if m.Type != "" {
		out["@odata.type"] = "#microsoft.graph." + m.Type
		out["meetingMessageType"] = map[string]string{"eventMessageResponse": "meetingAccepted"}[m.Type]
		if m.Type != "eventMessageResponse" {
			out["meetingMessageType"] = "meetingRequest"
		}
	}
	if !c.basic() {
		out["body"], out["bodyPreview"] = c.htmlOrText(m.Body, m.HTML), preview(m.Body)
	}
	if c.wants("internetMessageHeaders") && !m.Draft {
		out["internetMessageHeaders"] = m.headers(i)
	}
	if c.wants("uniqueBody") && !c.basic() {
		out["uniqueBody"] = c.htmlOrText(m.Body, m.HTML)
	}
	return out, c.expandMessage(i, m, out)
}

// asked are the ids in $expand=singleValueExtendedProperties($filter=id eq '...').
var asked = regexp.MustCompile(`(?i)id eq '([^']*)'`)

func (c *call) expandMessage(i *Item, m Message, out map[string]any) *failure {
	if c.q.expand == "" {
		return nil
	}
	known := false
	if strings.Contains(c.q.expand, "singleValueExtendedProperties") {
		known = true
		values := []any{}
		for _, x := range asked.FindAllStringSubmatch(c.q.expand, -1) {
			if v, ok := m.property(x[1], i); ok {
				values = append(values, map[string]any{"id": x[1], "value": v})
			}
		}
		if len(values) > 0 {
			out["singleValueExtendedProperties"] = values
		}
	}
	if strings.HasPrefix(c.q.expand, "attachments") || strings.Contains(c.q.expand, ",attachments") {
		known = true
		if c.basic() {
			return denied().fail
		}
		if bad := i.hurt(func(p *Poison) bool { return p.Attachments }); bad != nil {
			return bad
		}
		values := []any{}
		for n, a := range m.Attachments {
			values = append(values, c.attachment(i, n, a, true))
		}
		out["attachments"] = values
	}
	if !known {
		return &failure{status: 400, code: "BadRequest", text: "Parsing OData Select and Expand failed: Could not find a property named '" + c.q.expand + "' on type 'microsoft.graph.message'."}
	}
	return nil
}

// property is a single-value extended one: those that were given, and some that follow
// from the rest. Ids are compared without regard to the case of hexadecimal digits.
func (m Message) property(id string, i *Item) (string, bool) {
	for k, v := range m.Properties {
		if strings.EqualFold(k, id) {
			return v, true
		}
	}
	kind, tag, _ := strings.Cut(strings.ToLower(id), " 0x")
	switch kind + " " + strings.TrimLeft(tag, "0") {
	case "integer e07": // PR_MESSAGE_FLAGS
		flags := 0
		if m.Read {
			flags |= 1
		}
		if m.Draft {
			flags |= 8
		}
		return fmt.Sprint(flags), true
	case "integer e08": // PR_MESSAGE_SIZE
		return fmt.Sprint(m.size()), true
	case "systemtime e06":
		return stamp(m.received(i)), true
	case "systemtime 39":
		return stamp(m.sent(i)), true
	case "string 1a":
		return "IPM.Note", true
	}
	return "", false
}

func (m Message) size() int {
	n := 2000 + len(m.Body)
	for _, a := range m.Attachments {
		n += a.size()
	}
	return n
}

func (m Message) hasAttachments() bool {
	for _, a := range m.Attachments {
		if !a.Inline {
			return true
		}
	}
	return false
}

func (m Message) headers(i *Item) []any {
	out := []any{}
	all := m.header(i)
	if kept, ok := m.Properties["String 0x007D"]; ok { // PR_TRANSPORT_MESSAGE_HEADERS of what was written
		all = transport(kept)
	}
	for _, h := range all {
		out = append(out, map[string]any{"name": h[0], "value": h[1]})
	}
	return out
}

func either(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func list(all []string) []any {
	out := []any{}
	for _, s := range all {
		out = append(out, s)
	}
	return out
}

func person(a Address) map[string]any {
	return map[string]any{"emailAddress": map[string]any{"name": either(a.Name, a.Address), "address": a.Address}}
}

func people(all []Address) []any {
	out := []any{}
	for _, a := range all {
		out = append(out, person(a))
	}
	return out
}

var tags = regexp.MustCompile(`<[^>]*>`)

func (c *call) htmlOrText(body string, html bool) map[string]any {
	if c.q.text && html {
		body, html = tags.ReplaceAllString(body, ""), false
	}
	kind := "text"
	if html {
		kind = "html"
	}
	return map[string]any{"contentType": kind, "content": body}
}

func preview(body string) string {
	r := []rune(strings.TrimSpace(tags.ReplaceAllString(body, "")))
	return string(r[:min(len(r), 255)])
}

// transport reads a header block.
func transport(block string) (all [][2]string) {
	for line := range strings.SplitSeq(strings.ReplaceAll(block, "\r\n", "\n"), "\n") {
		switch key, value, ok := strings.Cut(line, ":"); {
		case strings.TrimLeft(line, " \t") != line && len(all) > 0:
			all[len(all)-1][1] += " " + strings.TrimSpace(line)
		case ok:
			all = append(all, [2]string{key, strings.TrimSpace(value)})
		}
	}
	return all
}
