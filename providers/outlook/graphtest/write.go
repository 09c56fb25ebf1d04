package graphtest

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// mostRequest is the longest request that Graph takes, and mostAttach that with a single
// attachment: files of up to 3 MB go so, and are a third longer in base64
// (learn.microsoft.com/graph/outlook-large-attachments).
const (
	mostRequest = 4 << 20
	mostAttach  = mostRequest + 64<<10
)

// written are the collections that can be written to below a mailbox, with the
// permission that it takes (learn.microsoft.com/graph/permissions-reference).
var written = map[string]string{
	"mailfolders": "Mail.ReadWrite", "messages": "Mail.ReadWrite", "contactfolders": "Contacts.ReadWrite", "contacts": "Contacts.ReadWrite",
	"calendars": "Calendars.ReadWrite", "calendar": "Calendars.ReadWrite", "events": "Calendars.ReadWrite", "sendmail": "Mail.Send",
}

// writes tells whether a request is to change something in a mailbox.
func (c *call) writes() bool {
	return c.r.Method != "GET" && written[strings.ToLower(c.path[2])] != ""
}

// write answers a request that changes something.
func (c *call) write() answer {
	first, rest := strings.ToLower(c.path[2]), c.path[3:]
	switch {
	case !c.may(written[first]):
		return denied()
	case len(c.body) > mostAttach, len(c.body) > mostRequest && !strings.EqualFold(c.path[len(c.path)-1], "attachments"):
		return fail(413, "BadRequest", "Maximum request length exceeded.")
	case c.r.Method == "POST" && c.box.full:
		return fail(507, "ErrorQuotaExceeded", "The mailbox has exceeded its quota.")
	}
	switch first {
	case "mailfolders":
		return c.writeFolders(rest, kindMessage, c.box.known["msgfolderroot"])
	case "contactfolders":
		return c.writeFolders(rest, kindContact, c.box.known["contacts"])
	case "calendars":
		return c.writeFolders(rest, kindEvent, nil)
	case "calendar":
		return c.writeFolders(append([]string{"calendar"}, rest...), kindEvent, nil)
	case "messages":
		return c.writeItems(c.box.known["drafts"], kindMessage, rest)
	case "contacts":
		return c.writeItems(c.box.known["contacts"], kindContact, rest)
	case "events":
		return c.writeItems(c.box.known["calendar"], kindEvent, rest)
	}
	c.n.sent++ // sendMail
	return answer{status: 202}
}

// writeFolders answers what changes folders, or what is in one.
func (c *call) writeFolders(rest []string, kind byte, root *Folder) answer {
	if len(rest) == 0 {
		return c.makeFolder(kind, root)
	}
	f := c.box.findFolder(rest[0], kind)
	if f == nil {
		return fail(404, "ErrorFolderNotFound", "The specified folder could not be found in the store.")
	}
	if len(rest) > 1 {
		switch strings.ToLower(rest[1]) {
		case "childfolders":
			if len(rest) == 2 && kind != kindEvent {
				return c.makeFolder(kind, f)
			}
		case "messages", "contacts", "events":
			return c.writeItems(f, kind, rest[2:])
		}
	}
	return c.badMethod()
}

// makeFolder makes a folder or a calendar. Names differ by more than case.
func (c *call) makeFolder(kind byte, parent *Folder) answer {
	if c.r.Method != "POST" {
		return c.badMethod()
	}
	shape := map[byte]string{kindMessage: "mailFolder", kindContact: "contactFolder", kindEvent: "calendar"}[kind]
	var in struct {
		DisplayName string `json:"displayName"`
		Name        string `json:"name"`
	}
	if bad := c.readJSON(shape, &in); bad != nil {
		return answer{fail: bad}
	}
	title := in.DisplayName
	if kind == kindEvent {
		title = in.Name
	}
	if strings.TrimSpace(title) == "" {
		return fail(400, "ErrorInvalidRequest", "The display name of a folder must not be empty.")
	}
	for _, f := range c.box.folders {
		if !f.gone && f.kind == kind && f.parent == parent && strings.EqualFold(f.name, title) {
			return fail(409, "ErrorFolderExists", "A folder with the specified name already exists., Could not create folder '%s'.", title)
		}
	}
	f := c.box.folder(parent, kind, title, "")
	a := c.entity(map[string]any{}, shape)
	switch kind {
	case kindMessage:
		a = c.entity(c.mailFolder(f), shape)
	case kindContact:
		a = c.entity(c.contactFolder(f), shape)
	case kindEvent:
		a = c.entity(c.calendar(f), shape)
	}
	a.status = 201
	return a
}

// readJSON reads a body, and checks it where there is a Schema.
func (c *call) readJSON(shape string, into any) *failure {
	if kind := c.r.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		return &failure{status: 400, code: "BadRequest", text: "Write requests (excluding DELETE) must contain the Content-Type header declaration."}
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return &failure{status: 400, code: "BadRequest", text: "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."}
	}
	if shape != "" {
		c.judge(shape, c.body)
	}
	return nil
}

// judge checks what was sent, where there is a Schema.
func (c *call) judge(shape string, data []byte) {
	if s := c.n.opts.Schema; s != nil {
		for _, x := range s.Check(shape, data) {
			c.n.bad = append(c.n.bad, "request "+c.r.Method+" "+x)
		}
	}
}

// writeItems answers what changes items; f is where new ones go.
func (c *call) writeItems(f *Folder, kind byte, rest []string) answer {
	if len(rest) == 0 {
		if c.r.Method != "POST" {
			return c.badMethod()
		}
		switch kind {
		case kindMessage:
			return c.postMessage(f)
		case kindContact:
			return c.postContact(f)
		}
		return c.postEvent(f)
	}
	if series, day := c.box.occurrence(rest[0]); series != nil && len(rest) == 1 {
		return c.writeOccurrence(series, day.Format(time.DateOnly))
	}
	i := c.box.find(rest[0])
	if i == nil || i.kind != kind {
		return notFound()
	}
	return c.writeItem(i, rest[1:])
}

func (c *call) writeItem(i *Item, rest []string) answer {
	below := strings.ToLower(strings.Join(rest, "/"))
	switch {
	case below == "" && c.r.Method == "DELETE":
		if i.event != nil && len(i.event.Attendees) > 0 {
			c.n.sent += len(i.event.Attendees) // cancellations
		}
		i.delete()
		return answer{status: 204}
	case below == "" && c.r.Method == "PATCH":
		return c.patch(i)
	case below == "attachments" && c.r.Method == "POST" && i.kind != kindContact:
		return c.postAttachment(i)
	case below == "attachments/createuploadsession" && c.r.Method == "POST" && i.kind != kindContact:
		return c.createUploadSession(i)
	case below == "photo/$value" && c.r.Method == "PUT" && i.kind == kindContact:
		i.contact.Photo = slices.Clone(c.body)
		i.touch(true)
		return answer{status: 200}
	case below == "send" && c.r.Method == "POST" && i.kind == kindMessage:
		c.n.sent++
		return answer{status: 202}
	}
	return c.badMethod()
}

// Sent is how many mails, invitations, updates of meetings, cancellations and receipts
// went out to anybody.
func (n *Tenant) Sent() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sent
}

// Fill says whether the mailbox is full: nothing can be made in one that is.
func (b *Mailbox) Fill(full bool) {
	b.tenant.mu.Lock()
	defer b.tenant.mu.Unlock()
	b.full = full
}

// SetMaxMessage is how long a message or an event may be with its attachments, in bytes;
// 0: there is no limit. Exchange Online begins with 35 MB, and administrators change it.
func (b *Mailbox) SetMaxMessage(most int) {
	b.tenant.mu.Lock()
	defer b.tenant.mu.Unlock()
	b.maxMessage = most
}
