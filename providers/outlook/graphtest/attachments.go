package graphtest

import (
	"encoding/base64"
	"strings"
)

// attachments answers what is below an item's attachments.
func (c *call) attachments(i *Item, all []Attachment, rest []string) answer {
	if bad := i.hurt(func(p *Poison) bool { return p.Attachments }); bad != nil {
		return answer{fail: bad}
	}
	if len(rest) == 0 {
		return c.list(len(all), "attachment", 1000, func(n int) (map[string]any, *failure) {
			return c.attachment(i, n, all[n], len(c.q.selected) == 0 || c.wants("contentBytes") || c.wants("microsoft.graph.fileAttachment/contentBytes")), nil
		})
	}
	n, ok := c.box.read(rest[0])
	if !ok || n.kind != kindAttachment || n.serial != i.serial || int(n.part) >= len(all) || rest[0] != i.attachmentID(int(n.part), n.prefix == prefixImmutable) {
		return notFound()
	}
	a := all[n.part]
	switch {
	case len(rest) == 1:
		return c.entity(c.attachment(i, int(n.part), a, true), "attachment")
	case len(rest) == 2 && strings.EqualFold(rest[1], "$value"):
		return c.attachmentValue(i, a)
	}
	return c.noSegment(rest[1])
}

// attachmentValue is the raw content: of a file as it is, of a message as MIME. Graph
// gives vCard and iCalendar of the other items; those are left out here.
func (c *call) attachmentValue(i *Item, a Attachment) answer {
	switch {
	case a.Link != "", a.Contact != nil, a.Event != nil:
		return fail(405, "ErrorInvalidRequest", "The attachment has no raw content.")
	case a.Message != nil:
		return answer{raw: a.Message.mime(i), media: "text/plain"}
	}
	return answer{raw: a.bytes(), media: a.media()}
}

// attachment writes one; an item that is attached is in it only if it was expanded.
func (c *call) attachment(i *Item, n int, a Attachment, content bool) map[string]any {
	out := map[string]any{
		"id": i.attachmentID(n, c.q.immutable), "name": a.Name, "contentType": a.media(), "size": a.size(), "isInline": a.Inline, "lastModifiedDateTime": stamp(i.changed),
	}
	expanded := strings.Contains(strings.ToLower(c.q.expand), "microsoft.graph.itemattachment/item")
	switch {
	case a.Link != "":
		out["@odata.type"], out["contentType"] = "#microsoft.graph.referenceAttachment", nil
	case a.Message != nil, a.Contact != nil, a.Event != nil:
		out["@odata.type"], out["contentType"] = "#microsoft.graph.itemAttachment", nil
		if expanded {
			out["item"] = c.attached(i, a)
		}
	default:
		out["@odata.type"] = "#microsoft.graph.fileAttachment"
		out["contentId"], out["contentLocation"], out["@odata.mediaContentType"] = nil, nil, a.media()
		if a.ContentID != "" {
			out["contentId"] = a.ContentID
		}
		if content {
			out["contentBytes"] = base64.StdEncoding.EncodeToString(a.bytes())
		}
	}
	return out
}

// attached is the item in an item attachment, with its own attachments but not what is
// attached to those.
func (c *call) attached(i *Item, a Attachment) map[string]any {
	inner := &Item{box: i.box, at: i.at, kind: i.kind, serial: i.serial, changed: i.changed, created: i.created, message: a.Message, contact: a.Contact, event: a.Event}
	plain := *c
	plain.q.expand, plain.q.selected = "", nil
	var out map[string]any
	switch {
	case a.Contact != nil:
		out = plain.contact(inner)
		out["@odata.type"] = "#microsoft.graph.contact"
	case a.Event != nil:
		out = plain.event(inner)
		out["@odata.type"] = "#microsoft.graph.event"
	default:
		out, _ = plain.message(inner) // it can only go wrong with what is expanded
		if out["@odata.type"] == nil {
			out["@odata.type"] = "#microsoft.graph.message"
		}
		files := []any{}
		for n, x := range a.Message.Attachments {
			files = append(files, plain.attachment(inner, n, x, true))
		}
		if len(files) > 0 {
			out["attachments"] = files
		}
	}
	// what is inside has no place of its own
	out["id"] = ""
	delete(out, "parentFolderId")
	return out
}
