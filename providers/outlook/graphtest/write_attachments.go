package graphtest

import (
	"encoding/json"
	"strings"
)

// Sizes of files: one call takes less than largeFile, an upload session at least smallFile
// and at most mostFile. Microsoft says "3 MB" of the first two
// (learn.microsoft.com/graph/outlook-large-attachments).
const (
	largeFile = 3 << 20
	smallFile = 3_000_000
	mostFile  = 150 << 20
)

type wireAttachment struct {
	Type      string          `json:"@odata.type"`
	Name      string          `json:"name"`
	Media     string          `json:"contentType"`
	Inline    bool            `json:"isInline"`
	ContentID string          `json:"contentId"`
	Content   []byte          `json:"contentBytes"`
	Item      json.RawMessage `json:"item"`
}

// newAttachment reads an attachment: a file, or an item with what is attached to it.
func (c *call) newAttachment(raw json.RawMessage) (Attachment, *failure) {
	invalid := func(text string) (Attachment, *failure) {
		return Attachment{}, &failure{status: 400, code: "ErrorInvalidRequest", text: text}
	}
	var in wireAttachment
	if err := json.Unmarshal(raw, &in); err != nil || in.Name == "" {
		return invalid("An attachment cannot be read, or has no name.")
	}
	a := Attachment{Name: in.Name, Type: in.Media, Inline: in.Inline, ContentID: in.ContentID}
	switch strings.TrimPrefix(in.Type, "#") {
	case "microsoft.graph.fileAttachment":
		if in.Content == nil {
			return invalid("A file without contentBytes.")
		}
		if len(in.Content) >= largeFile {
			return Attachment{}, &failure{status: 413, code: "RequestEntityTooLarge", text: "The attachment is too large for a single request."}
		}
		a.Content = in.Content
	case "microsoft.graph.itemAttachment":
		var of struct {
			Type string `json:"@odata.type"`
		}
		var message wireMessage
		if json.Unmarshal(in.Item, &of) != nil || strings.TrimPrefix(of.Type, "#") != "microsoft.graph.message" || json.Unmarshal(in.Item, &message) != nil {
			return invalid("The item of an attachment is none that is served.")
		}
		m, bad := c.newMessage(message)
		if bad != nil {
			return a, bad
		}
		a.Message = &m
	default:
		return invalid("The type of an attachment is missing or not served.")
	}
	return a, nil
}

// postAttachment adds an attachment.
func (c *call) postAttachment(i *Item) answer {
	var raw json.RawMessage
	if bad := c.readJSON("attachment", &raw); bad != nil {
		return answer{fail: bad}
	}
	a, bad := c.newAttachment(raw)
	if bad != nil {
		return answer{fail: bad}
	}
	if c.box.tooLong(i.length() + a.size()) {
		return tooLong()
	}
	n := i.attach(a)
	out := c.entity(c.attachment(i, n, a, true), "attachment")
	out.status = 201
	return out
}

func (i *Item) length() int {
	if i.event == nil {
		return i.content().size()
	}
	sum := 0
	for _, a := range i.event.Attachments {
		sum += a.size()
	}
	return sum
}

// attach adds an attachment and gives its number.
func (i *Item) attach(a Attachment) int {
	defer i.touch(true)
	if i.event != nil {
		i.event.Attachments = append(i.event.Attachments, a)
		return len(i.event.Attachments) - 1
	}
	m := i.content()
	m.Attachments = append(append([]Attachment(nil), m.Attachments...), a)
	i.message = &m
	return len(m.Attachments) - 1
}
