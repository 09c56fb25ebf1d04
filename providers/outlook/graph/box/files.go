package box

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"
	"strings"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// attachmentFields are those of a list of attachments. contentId is one of files only, and
// is named with their type. contentBytes, which would be all of a file in base64, is left
// out.
const attachmentFields = "id,name,contentType,size,isInline,lastModifiedDateTime,microsoft.graph.fileAttachment/contentId"

// How much of files is kept in memory between their being looked at and written.
const (
	smallFile  = 256 << 10
	smallFiles = 4 << 20
)

// A file is an attachment that can be had.
type file struct {
	attached
	media string // media type, without parameters of its own
	text  []byte // all of it, of a small one
	open  func() (io.ReadCloser, error)
	item  bool // a message, a contact or an event; media says which
	url   string
	notes []string // what of it is not in it
}

// files looks at each of the attachments below a path: opens it, so that whoever is given
// the item knows beforehand what of it is missing. notes say what cannot be had. An error is
// one that says nothing about the item.
func (b *Box) files(ctx context.Context, mailbox string, item outlook.Item, path string, t *turn) (all []file, notes []string, err error) {
	var list []attached
	for page, err := range b.client.Pages(ctx, mailbox, with(path, "$select", attachmentFields)) {
		if err != nil {
			fate := b.itemError(ctx, mailbox, item, err)
			if !errors.Is(fate, outlook.ErrPoison) {
				return nil, nil, give(fate, err)
			}
			return nil, []string{"Its attachments are not in it (" + why(err) + ")"}, nil
		}
		for _, raw := range page.Items {
			var a attached
			if err := json.Unmarshal(raw, &a); err != nil {
				notes = append(notes, fmt.Sprintf("An attachment is not in it, because what Microsoft 365 says of it cannot be read (%v)", err))
				continue
			}
			list = append(list, a)
		}
	}
	room := int64(smallFiles)
	for _, a := range list {
		f, err := b.file(ctx, mailbox, path+"/"+url.PathEscape(a.ID), a, &room, t)
		if err == nil {
			all, notes = append(all, f), append(notes, f.notes...)
			if strings.HasSuffix(a.Type, ".referenceAttachment") && f.url == "" {
				notes = append(notes, fmt.Sprintf("The attachment %q is a link to a file elsewhere, and Microsoft 365 does not say where", a.Name))
			}
			continue
		}
		if fate := b.itemError(ctx, mailbox, item, err); fate == nil {
			return nil, nil, err
		}
		notes = append(notes, fmt.Sprintf("The attachment %q is not in it (%s)", a.Name, why(err)))
	}
	return all, notes, nil
}

// file looks at one. What is small is kept, as long as there is room.
func (b *Box) file(ctx context.Context, mailbox, path string, a attached, room *int64, t *turn) (file, error) {
	f := file{attached: a, url: a.URL, item: strings.HasSuffix(a.Type, ".itemAttachment")}
	f.media, _, _ = mime.ParseMediaType(a.MediaType)
	if !strings.Contains(f.media, "/") || strings.HasPrefix(f.media, "multipart/") || f.media == "message/rfc822" {
		f.media = "application/octet-stream"
	}
	if strings.HasSuffix(a.Type, ".referenceAttachment") {
		f.text = []byte(linkText(a))
		f.media = "text/plain"
		return f, nil
	}
	open := func() (io.ReadCloser, error) {
		r, err := b.open(ctx, mailbox, path+"/$value")
		if errors.Is(err, errEmpty) {
			return io.NopCloser(bytes.NewReader(nil)), nil
		}
		return r, err
	}
	r, err := open()
	if err != nil {
		if later(err) || !f.item {
			return f, err
		}
		return b.expanded(ctx, mailbox, path, f, err, room, t)
	}
	defer r.Close()
	kept, err := io.ReadAll(io.LimitReader(r, min(smallFile, *room)+1))
	if err != nil {
		return f, err
	}
	if f.item {
		f.media = mediaOf(kept)
	}
	if f.open = open; int64(len(kept)) <= min(smallFile, *room) {
		*room -= int64(len(kept))
		f.open, f.text = nil, kept
	}
	return f, nil
}

// mediaOf tells the kinds of attached items apart: Graph gives a message as MIME, a contact
// as vCard, an event as iCalendar (learn.microsoft.com/graph/api/attachment-get).
func mediaOf(start []byte) string {
	s := strings.ToUpper(string(bytes.TrimLeft(start[:min(len(start), 64)], "\xef\xbb\xbf \r\n")))
	switch {
	case strings.HasPrefix(s, "BEGIN:VCARD"):
		return "text/vcard"
	case strings.HasPrefix(s, "BEGIN:VCALENDAR"):
		return "text/calendar"
	}
	return "message/rfc822"
}

func linkText(a attached) string {
	if a.URL != "" {
		return a.Name + "\r\n" + a.URL + "\r\n"
	}
	return a.Name + "\r\n(A link to a file elsewhere. Microsoft 365 does not say where it leads.)\r\n"
}

// expanded makes an attached item of its JSON, where Graph does not give it as a text.
func (b *Box) expanded(ctx context.Context, mailbox, path string, f file, cause error, room *int64, t *turn) (file, error) {
	path = with(path, "$expand", "microsoft.graph.itemattachment/item")
	parts := func(h *held, err error) ([]part, error) {
		if err != nil {
			return nil, err
		}
		lost := h.tidy()
		var a attached
		if err := json.Unmarshal(h.raw, &a); err != nil || len(a.Item) == 0 {
			return nil, cause
		}
		var all []part
		if f.media, all, f.notes, err = textOfItem(h, a.Item); err != nil {
			return nil, cause
		}
		f.notes = append(f.notes, lost...)
		return all, nil
	}
	longest := longPlan
	all, err := parts(b.readItem(ctx, mailbox, path, longest, t))
	if errors.Is(err, graph.ErrTooLarge) {
		longest = shortPlan
		all, err = parts(b.readItem(ctx, mailbox, path, longest, t))
	}
	if errors.Is(err, graph.ErrTooLarge) {
		err = cause
	}
	if err != nil {
		return f, err
	}
	if size := sizeOf(all); size >= 0 && size <= *room {
		*room -= size
		f.text, err = io.ReadAll(&sequence{parts: all})
		return f, err
	}
	made, most := f, int64(smallItem)
	if t.leave != nil {
		most = mostItem
	}
	made.open = func() (io.ReadCloser, error) {
		all, err := parts(b.read(ctx, mailbox, path, longest, most))
		return &sequence{parts: all}, err
	}
	return made, nil
}

// sizeOf is about how long parts are when they are written; -1 where one of them is to be had
// from the server.
func sizeOf(parts []part) (n int64) {
	for _, p := range parts {
		if p.far {
			return -1
		}
		n += int64(len(p.text)) + p.near*3/2
	}
	return n
}

// withFiles puts attachments into iCalendar as ATTACH lines, those of the n-th event before
// its end. They are streamed: a file of an event may be 150 MB.
func withFiles(calendar []byte, files [][]file) []part {
	var out []part
	end := []byte("\r\nEND:VEVENT\r\n")
	for _, some := range files {
		at := bytes.Index(calendar, end) + len("\r\n")
		if at < len("\r\n") {
			break
		}
		out = append(out, part{text: calendar[:at]})
		for _, f := range some {
			out = append(out, f.attach()...)
		}
		next := at + len("END:VEVENT\r\n")
		out, calendar = append(out, part{text: calendar[at:next]}), calendar[next:]
	}
	return append(out, part{text: calendar})
}

// attach is an ATTACH line (RFC 5545 3.8.1.1), folded.
func (f file) attach() []part {
	quoted := strings.ReplaceAll(oneLine(f.Name), `"`, "_")
	if f.url != "" {
		return []part{text(folded(`ATTACH;FILENAME="` + quoted + `":` + strings.Join(strings.Fields(oneLine(f.url)), "%20")))}
	}
	head := text(folded(`ATTACH;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=` + f.media + `;FILENAME="` + quoted + `":`))
	return []part{head, f.body(54, " ")}
}

// folded breaks a content line at 75 bytes, within no character (RFC 5545 3.1).
func folded(line string) string {
	var b strings.Builder
	n := 0
	for _, r := range line {
		s := string(r)
		if n+len(s) > 74 {
			b.WriteString("\r\n ")
			n = 1
		}
		b.WriteString(s)
		n += len(s)
	}
	return b.String() + "\r\n"
}

// body is a part that reads the file.
func (f file) body(line int, prefix string) part {
	return part{open: f.reader, far: f.open != nil, near: int64(len(f.text)), line: line, prefix: prefix}
}

// reader reads a file, from memory where it is there.
func (f file) reader() (io.ReadCloser, error) {
	if f.open == nil {
		return io.NopCloser(bytes.NewReader(f.text)), nil
	}
	return f.open()
}
