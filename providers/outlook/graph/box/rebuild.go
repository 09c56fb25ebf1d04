package box

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime"
	"strings"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// rebuild makes a mail of its parts: what Exchange cannot write as MIME it can mostly still
// give as JSON.
func (b *Box) rebuild(ctx context.Context, mailbox string, out outlook.Content, reason string, t *turn) (outlook.Content, error) {
	item := out.Item
	path := of(mailbox, "messages", item.ID)
	h, err := b.readItem(ctx, mailbox, with(path, "$select", messageFields+",internetMessageHeaders,body"), longText, t)
	if err != nil {
		fate := b.itemError(ctx, mailbox, item, err)
		if !errors.Is(err, graph.ErrTooLarge) && !errors.Is(fate, outlook.ErrPoison) {
			return outlook.Content{}, give(fate, err)
		}
		out.Notes = append(out.Notes, "Its text is not in it ("+why(err)+")")
		if h, err = b.readItem(ctx, mailbox, with(path, "$select", messageFields+",internetMessageHeaders"), longText, t); err != nil {
			fate := b.itemError(ctx, mailbox, item, err)
			return outlook.Content{}, give(fate, err)
		}
	}
	out.Notes = append(out.Notes, h.tidy()...)
	var m message
	if err := json.Unmarshal(h.raw, &m); err != nil {
		return outlook.Content{}, unreadable(err)
	}
	m.Body.find(h)
	files, notes, err := b.files(ctx, mailbox, item, path+"/attachments", t)
	if err != nil {
		return outlook.Content{}, err
	}
	out.Notes = append(out.Notes, notes...)
	if strings.Contains(m.Type, ".eventMessage") {
		out.Notes = append(out.Notes, "The invitation to a meeting in it is text only")
	}
	if len(out.Item.Raw) == 0 {
		out.Item.Raw = withoutBody(h.raw)
	}
	out.Rebuilt = reason
	out.Body = &sequence{parts: m.mail(files, item.ID+" "+m.ChangeKey)}
	return out, nil
}

// withoutBody is the JSON of a message without what is kept as a mail.
func withoutBody(raw json.RawMessage) json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	delete(all, "body")
	out, err := json.Marshal(all)
	if err != nil || len(out) > mostRaw {
		return nil
	}
	return out
}

// boundary is another one for each multipart of each mail, and the same each time.
func boundary(seed string) string {
	sum := sha256.Sum256([]byte(seed))
	return "kw_" + hex.EncodeToString(sum[:16])
}

// mail writes the message: its header, its text, and the files, those that the text shows
// next to it (RFC 2387).
func (m message) mail(files []file, seed string) []part {
	var shown, others []file
	html := m.Body != nil && strings.EqualFold(m.Body.Type, "html")
	for _, f := range files {
		if html && f.Inline && f.ContentID != "" {
			shown = append(shown, f)
			continue
		}
		others = append(others, f)
	}
	body := m.text()
	if len(shown) > 0 {
		body = multipart("related", boundary(seed+" related"), append([][]part{body}, entities(shown)...))
	}
	if len(others) > 0 {
		body = multipart("mixed", boundary(seed+" mixed"), append([][]part{body}, entities(others)...))
	}
	return append([]part{text(m.header() + "MIME-Version: 1.0\r\n")}, body...)
}

func (m message) text() []part {
	kind, f := "plain", file{}
	if m.Body != nil {
		f.text, f.open = []byte(m.Body.Content), m.Body.open
		if strings.EqualFold(m.Body.Type, "html") {
			kind = "html"
		}
	}
	head := "Content-Type: text/" + kind + "; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	return []part{text(head), f.body(57, "")}
}

func multipart(kind, boundary string, entities [][]part) []part {
	out := []part{text("Content-Type: multipart/" + kind + "; boundary=\"" + boundary + "\"\r\n\r\n")}
	for _, e := range entities {
		out = append(append(out, text("\r\n--"+boundary+"\r\n")), e...)
	}
	return append(out, text("\r\n--"+boundary+"--\r\n"))
}

func entities(files []file) [][]part {
	out := make([][]part, len(files))
	for i, f := range files {
		out[i] = f.entity()
	}
	return out
}

// entity is a file as a part of a mail. A message is in it as it is, because RFC 2046 5.2.1
// allows no base64 for it.
func (f file) entity() []part {
	name, how := oneLine(f.Name), "attachment"
	if f.Inline {
		how = "inline"
	}
	params := map[string]string{}
	if name != "" {
		params["filename"] = name
	}
	var h strings.Builder
	kind := f.media
	switch kind {
	case "text/vcard", "text/calendar":
		if f.item {
			kind += "; charset=utf-8"
		}
	}
	h.WriteString("Content-Type: " + kind + "\r\nContent-Disposition: " + foldedAt(mime.FormatMediaType(how, params), "; ") + "\r\n")
	if id := strings.Trim(oneLine(f.ContentID), "<> "); id != "" && ascii(id) {
		h.WriteString("Content-ID: <" + id + ">\r\n")
	}
	if f.media == "message/rfc822" {
		return []part{text(h.String() + "Content-Transfer-Encoding: 8bit\r\n\r\n"), f.body(0, "")}
	}
	return []part{text(h.String() + "Content-Transfer-Encoding: base64\r\n\r\n"), f.body(57, "")}
}
