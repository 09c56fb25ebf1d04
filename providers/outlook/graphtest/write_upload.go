package graphtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// uploadPath is where the ranges of upload sessions go; it is none of Graph's version.
const uploadPath = "/outlook-upload/"

// mostRange is the longest range (learn.microsoft.com/graph/outlook-large-attachments).
const mostRange = 4 << 20

// session is an upload session. Its address is its own leave.
type session struct {
	app   string
	user  *User
	item  *Item
	file  Attachment
	total int64
	got   []byte
	until time.Time
}

// createUploadSession begins one.
func (c *call) createUploadSession(i *Item) answer {
	var in struct {
		Item struct {
			Kind      string `json:"attachmentType"`
			Name      string `json:"name"`
			Size      int64  `json:"size"`
			Media     string `json:"contentType"`
			Inline    bool   `json:"isInline"`
			ContentID string `json:"contentId"`
		} `json:"AttachmentItem"`
	}
	if bad := c.readJSON("", &in); bad != nil {
		return answer{fail: bad}
	}
	var item struct {
		Item json.RawMessage `json:"AttachmentItem"`
	}
	if json.Unmarshal(c.body, &item) == nil && item.Item != nil {
		c.judge("attachmentItem", item.Item)
	}
	switch x := in.Item; {
	case !strings.EqualFold(x.Kind, "file") || x.Name == "":
		return fail(400, "ErrorInvalidRequest", "Only files with a name can be uploaded.")
	case x.Size < smallFile:
		return fail(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "The attachment is too small for an upload session.")
	case x.Size > mostFile:
		return fail(400, "ErrorAttachmentSizeLimitExceeded", "The attachment is larger than 150 MB.")
	case c.box.tooLong(i.length() + int(x.Size)):
		return tooLong()
	}
	s := &session{
		app: c.app, user: c.user, item: i, total: in.Item.Size, until: c.n.opts.Now().Add(c.n.opts.SessionLife),
		file: Attachment{Name: in.Item.Name, Type: in.Item.Media, Inline: in.Item.Inline, ContentID: in.Item.ContentID},
	}
	c.n.seq++
	key := fmt.Sprintf("AttachmentSessions-%d", c.n.seq)
	c.n.sessions[key] = s
	a := one("uploadSession", c.n.URL+"/v1.0/$metadata#microsoft.graph.uploadSession", s.state())
	a.body["nextExpectedRanges"] = []any{"0-"}
	a.body["uploadUrl"], a.status = c.n.URL+uploadPath+key+"?authtoken=leave-of-"+key, 201
	return a
}

// state says where the next range begins: of Outlook a single number.
func (s *session) state() map[string]any {
	return map[string]any{"expirationDateTime": s.until.UTC().Format(time.RFC3339Nano), "nextExpectedRanges": []any{fmt.Sprint(len(s.got))}}
}

// session finds the session of an address.
func (n *Tenant) session(r *http.Request) *session {
	key, ok := strings.CutPrefix(r.URL.Path, uploadPath)
	if !ok || r.URL.Query().Get("authtoken") != "leave-of-"+key {
		return nil
	}
	return n.sessions[key]
}

// upload answers what comes to the address of a session.
func (c *call) upload() answer {
	s := c.session
	switch {
	case c.r.Header.Get("Authorization") != "":
		return fail(401, "InvalidAuthenticationToken", "The address of an upload session takes no token.")
	case s == nil || s.item.gone || !c.n.opts.Now().Before(s.until) || int64(len(s.got)) == s.total:
		return fail(404, "ErrorItemNotFound", "The upload session was not found.")
	case c.r.Method == "GET":
		return one("uploadSession", c.n.URL+"/v1.0/$metadata#microsoft.graph.uploadSession", s.state())
	case c.r.Method == "DELETE":
		s.until = time.Time{}
		return answer{status: 204}
	case c.r.Method != "PUT":
		return c.badMethod()
	}
	var from, to, total int64
	n, err := fmt.Sscanf(c.r.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total)
	switch {
	case err != nil || n != 3 || len(c.body) == 0 || total != s.total || to-from+1 != int64(len(c.body)) || to >= total:
		return fail(400, "ErrorInvalidRequest", "The Content-Range header is missing or does not fit.")
	case len(c.body) > mostRange:
		return fail(413, "RequestEntityTooLarge", "A range has 4 MB at most.")
	case from != int64(len(s.got)):
		return fail(416, "ErrorInvalidRange", "The range does not begin where the one before it ended.")
	}
	s.got = append(s.got, c.body...)
	s.until = c.n.opts.Now().Add(c.n.opts.SessionLife)
	if int64(len(s.got)) < s.total {
		return one("uploadSession", c.n.URL+"/v1.0/$metadata#microsoft.graph.uploadSession", s.state())
	}
	s.file.Content = s.got
	number := s.item.attach(s.file)
	return answer{status: 201, header: http.Header{"Location": {c.n.URL + "/v1.0/Users('" + s.user.ID + "')/Messages('" + s.item.id(false) + "')/Attachments('" + s.item.attachmentID(number, false) + "')"}}}
}

// ExpireUploads ends all upload sessions that are open.
func (n *Tenant) ExpireUploads() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.sessions {
		s.until = time.Time{}
	}
}
