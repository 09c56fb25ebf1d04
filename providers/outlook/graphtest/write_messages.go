package graphtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

// wireProperty is a single-value extended property.
type wireProperty struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

type wirePerson struct {
	EmailAddress struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddress"`
}

func (p wirePerson) address() Address { return Address(p.EmailAddress) }

type wireBody struct {
	ContentType string `json:"contentType"`
	Content     string `json:"content"`
}

// wireMessage is what of a message can be written. What is not here is ignored, as Graph
// does with what is only read: receivedDateTime, isDraft, parentFolderId.
type wireMessage struct {
	Subject    *string      `json:"subject"`
	Body       *wireBody    `json:"body"`
	From       *wirePerson  `json:"from"`
	Sender     *wirePerson  `json:"sender"`
	To         []wirePerson `json:"toRecipients"`
	Cc         []wirePerson `json:"ccRecipients"`
	Bcc        []wirePerson `json:"bccRecipients"`
	ReplyTo    []wirePerson `json:"replyTo"`
	Read       *bool        `json:"isRead"`
	Receipt    *bool        `json:"isReadReceiptRequested"`
	Importance *string      `json:"importance"`
	Categories []string     `json:"categories"`
	MessageID  *string      `json:"internetMessageId"`
	Flag       *struct {
		Status string `json:"flagStatus"`
	} `json:"flag"`
	Headers []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"internetMessageHeaders"`
	Attachments []json.RawMessage `json:"attachments"`
	Properties  []wireProperty    `json:"singleValueExtendedProperties"`
}

// postMessage makes a message of JSON, or of MIME in base64, which is always a draft
// (learn.microsoft.com/graph/api/user-post-messages).
func (c *call) postMessage(f *Folder) answer {
	var m Message
	if strings.HasPrefix(c.r.Header.Get("Content-Type"), "text/plain") {
		raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(c.body)))
		parsed, bad := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil || bad != nil {
			return fail(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
		}
		m = Message{MIME: raw, Draft: true, Subject: parsed.Header.Get("Subject"), MessageID: parsed.Header.Get("Message-ID"), Received: c.n.opts.Now()}
	} else {
		var in wireMessage
		if bad := c.readJSON("message", &in); bad != nil {
			return answer{fail: bad}
		}
		var bad *failure
		if m, bad = c.newMessage(in); bad != nil {
			return answer{fail: bad}
		}
	}
	if c.box.tooLong(m.size()) {
		return tooLong()
	}
	i := f.add(&Item{message: &m})
	v, bad := c.message(i)
	if bad != nil {
		return answer{fail: bad}
	}
	a := c.entity(v, "message")
	a.status = 201
	return a
}

func (b *Mailbox) tooLong(size int) bool { return b.maxMessage > 0 && size > b.maxMessage }

func tooLong() answer {
	return fail(413, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.")
}

// newMessage reads a message. It is a draft unless PR_MESSAGE_FLAGS says otherwise, which
// counts here only; and it came now unless PR_MESSAGE_DELIVERY_TIME says when.
func (c *call) newMessage(in wireMessage) (Message, *failure) {
	now := c.n.opts.Now().UTC()
	m := Message{Draft: true, Received: now, Sent: now, Properties: map[string]string{}}
	if len(in.Headers) > 5 {
		return m, &failure{status: 400, code: "InvalidInternetMessageHeaderCollection", text: "Maximum number of headers in one message should be less than or equal to 5."}
	}
	for _, h := range in.Headers {
		if !strings.HasPrefix(strings.ToLower(h.Name), "x-") {
			return m, &failure{status: 400, code: "InvalidInternetMessageHeader", text: fmt.Sprintf("The internet message header name '%s' should start with 'x-' or 'X-'.", h.Name)}
		}
		m.Headers = append(m.Headers, [2]string{h.Name, h.Value})
	}
	for _, p := range in.Properties {
		if bad := m.set(p, true); bad != nil {
			return m, bad
		}
	}
	for _, raw := range in.Attachments {
		a, bad := c.newAttachment(raw)
		if bad != nil {
			return m, bad
		}
		m.Attachments = append(m.Attachments, a)
	}
	m.fill(in)
	if in.Receipt != nil && *in.Receipt && !m.Draft {
		c.n.sent++ // whoever opens it answers
	}
	return m, nil
}

// fill takes over what is there.
func (m *Message) fill(in wireMessage) {
	take(&m.Subject, in.Subject)
	take(&m.Importance, in.Importance)
	take(&m.MessageID, in.MessageID)
	take(&m.Read, in.Read)
	if in.Body != nil {
		m.Body, m.HTML = in.Body.Content, strings.EqualFold(in.Body.ContentType, "html")
	}
	if in.From != nil {
		m.From = in.From.address()
	}
	if in.Flag != nil {
		m.Flag = in.Flag.Status
	}
	if in.Categories != nil {
		m.Categories = in.Categories
	}
	for to, from := range map[*[]Address][]wirePerson{&m.To: in.To, &m.Cc: in.Cc, &m.Bcc: in.Bcc, &m.ReplyTo: in.ReplyTo} {
		if from == nil {
			continue
		}
		*to = nil
		for _, p := range from {
			*to = append(*to, p.address())
		}
	}
}

func take[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// set takes over an extended property. Those that say what a message is count only when
// it is made.
func (m *Message) set(p wireProperty, making bool) *failure {
	kind, tag, _ := strings.Cut(strings.ToLower(p.ID), " ")
	stamp, err := time.Parse(time.RFC3339, p.Value)
	flags, wrong := strconv.Atoi(p.Value)
	switch {
	case kind == "systemtime" && err != nil, kind == "integer" && wrong != nil, !slices.Contains([]string{"systemtime", "integer", "string", "boolean", "binary", "double", "long", "short", "clsid"}, kind):
		return &failure{status: 400, code: "ErrorInvalidProperty", text: "The property value is invalid: " + p.ID}
	}
	switch key := kind + " " + strings.TrimLeft(strings.TrimPrefix(tag, "0x"), "0"); {
	case key == "integer e07" && making:
		m.Draft, m.Read = flags&8 != 0, flags&1 != 0
	case key == "systemtime e06" && making:
		m.Received = stamp
	case key == "systemtime 39" && making:
		m.Sent = stamp
	case key == "integer e07", key == "systemtime e06", key == "systemtime 39": // without effect
	default:
		if m.Properties == nil {
			m.Properties = map[string]string{}
		}
		m.Properties[p.ID] = p.Value
	}
	return nil
}

// sensitive are the properties that are updatable only while a message is a draft. From
// 31 December 2026 on Graph refuses to change them in any other, unless the application
// has Mail-Advanced.ReadWrite.All (Microsoft's announcement of 24 March 2026).
var sensitive = []string{"subject", "body", "from", "sender", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "internetMessageId"}

// patch changes an item.
func (c *call) patch(i *Item) answer {
	switch i.kind {
	case kindContact:
		return c.patchContact(i)
	case kindEvent:
		return c.patchEvent(i)
	}
	var names map[string]json.RawMessage
	var in wireMessage
	if bad := c.readJSON("message", &names); bad != nil {
		return answer{fail: bad}
	}
	if bad := c.readJSON("", &in); bad != nil {
		return answer{fail: bad}
	}
	m := i.content()
	for _, s := range sensitive {
		if names[s] != nil && !m.Draft && !c.may("Mail-Advanced.ReadWrite.All") {
			return fail(403, "ErrorAccessDenied", "The property '%s' of a message that is no draft cannot be changed without Mail-Advanced.ReadWrite.All.", s)
		}
	}
	for _, p := range in.Properties {
		if bad := m.set(p, false); bad != nil {
			return answer{fail: bad}
		}
	}
	m.fill(in)
	i.message = &m
	i.touch(true)
	v, bad := c.message(i)
	if bad != nil {
		return answer{fail: bad}
	}
	return c.entity(v, "message")
}
