package mail

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"path"
	"strings"

	"keepwatch/pst"
)

// files attaches what is no body.
func (m *importer) files(pl *plan) error {
	if pl.entity != nil {
		return m.entity(pl.entity)
	}
	for _, p := range pl.files {
		if (p.media == "message/rfc822" || p.media == "message/global") && m.depth < maxDepth && identity(p.encoding) {
			if err := m.embed(p); err != nil {
				return err
			}
			continue
		}
		if err := m.file(p, pl.class); err != nil {
			return err
		}
	}
	return nil
}

func identity(encoding string) bool {
	switch encoding {
	case "base64", "quoted-printable", "x-uuencode", "x-uue", "uuencode":
		return false
	}
	return true
}

// file attaches a part by value, and streams its content through the decoder.
func (m *importer) file(p *part, class string) error {
	name := m.fileName(p)
	props := fileProperties(name, p.media)
	if p.media == "message/rfc822" || p.media == "message/global" {
		props.Set(pst.PidTagAttachMimeTag, "application/octet-stream") // a message by value: Outlook opens it by its name
	}
	if p.id != "" {
		props.Set(pst.PidTagAttachContentId, p.id)
	}
	if p.location != "" {
		props.Set(pst.PidTagAttachContentLocation, p.location)
	}
	if m.shown(p) {
		props.Set(pst.PidTagAttachFlags, int32(pst.AttachShownInline))
		props.Set(pst.PidTagAttachmentHidden, true)
		m.res.Inline++
	}
	if class == classOpaque {
		if v := m.head.get("content-type"); v != "" { // [MS-OXOSMIME] 2.1.3.2.1
			m.sink.Set(pst.P(pst.PidNameContentType, clip(readText(v), maxParam)))
		}
	}
	var d defects
	r, known := decoder(m.r, p, &d)
	if !known {
		m.notes.add(fmt.Sprintf("the encoding %q of %q is unknown, and its bytes are kept as they came", p.encoding, name))
	}
	m.res.Attachments++
	if err := m.attach(props, r); err != nil {
		return err
	}
	switch {
	case d.junk > 0:
		m.notes.lose(fmt.Sprintf("%q has characters that are no %s", name, p.encoding))
	case d.short:
		m.notes.lose(fmt.Sprintf("the end of %q is missing", name))
	}
	return nil
}

// shown tells whether the HTML body shows a part: it names its Content-ID
// (RFC 2392) or its Content-Location. Outlook hides such an attachment from the list,
// so that one that is only called inline must not be marked so.
func (m *importer) shown(p *part) bool {
	if p.id != "" && m.cids[p.id] {
		return true
	}
	if len(p.location) <= 8 || m.searches == maxSearches {
		return false
	}
	m.searches++
	return strings.Contains(m.html, p.location)
}

// maxSearches is for how many parts an HTML body is searched for their location.
const maxSearches = 100

// cids are the ids of all URLs cid:id in a page, without their escapes.
func cids(page string) map[string]bool {
	ids := map[string]bool{}
	for {
		i := strings.IndexByte(page, ':')
		if i < 0 {
			return ids
		}
		head := page[:i]
		page = page[i+1:]
		if len(head) < 3 || !strings.EqualFold(head[len(head)-3:], "cid") {
			continue
		}
		n := strings.IndexAny(page[:min(len(page), maxParam)], "\"'<> \t\r\n)")
		if n < 0 {
			n = min(len(page), maxParam)
		}
		if len(ids) < maxParts {
			ids[readText(unpercent(html.UnescapeString(page[:n])))] = true
		}
	}
}

// fileName is the name of a part, or one that says where it lies and of what kind it
// is, as Exchange names it.
func (m *importer) fileName(p *part) string {
	if name := strings.TrimSpace(p.name); name != "" {
		return name
	}
	if name := fixedNames[p.media]; name != "" {
		return name
	}
	m.unnamed++
	ext := extensions[p.media]
	if ext == "" {
		ext = ".dat"
	}
	return fmt.Sprintf("ATT%05d%s", m.unnamed, ext)
}

// fileProperties are those of an attachment by value. Its name has at most 255
// characters, its short one the form 8.3 ([MS-OXCMSG] 2.2.2.11).
func fileProperties(name, media string) pst.Properties {
	name = clipName(name)
	ext := clip16(path.Ext(name), 20)
	p := pst.Properties{
		pst.P(pst.PidTagDisplayName, name), pst.P(pst.PidTagAttachLongFilename, name), pst.P(pst.PidTagAttachFilename, shortName(name, ext)),
		pst.P(pst.PidTagAttachMethod, int32(pst.AttachByValue)), pst.P(pst.PidTagRenderingPosition, int32(pst.RenderNowhere)),
		pst.P(pst.PidTagAttachMimeTag, clip(clean(readText(media)), 200)),
	}
	if len(ext) > 1 {
		p.Set(pst.PidTagAttachExtension, ext)
	}
	return p
}

// clipName cuts a name to 255 characters and leaves it its extension.
func clipName(name string) string {
	if clip16(name, 255) == name {
		return name
	}
	ext := clip16(path.Ext(name), 20)
	return clip16(strings.TrimSuffix(name, ext), 230) + ext
}

// shortName makes a name of DOS.
func shortName(name, ext string) string {
	keep := func(s string, n int) string {
		s = strings.Map(func(r rune) rune {
			switch {
			case r > ' ' && r < 0x7F && !strings.ContainsRune(`"*+,./:;<=>?[\]|`, r):
				return r
			case r > 0x7F:
				return '_'
			}
			return -1
		}, s)
		return s[:min(len(s), n)]
	}
	base := strings.TrimSuffix(name, ext)
	short := keep(base, 8)
	if short != base && len(short) > 6 {
		short = short[:6] + "~1"
	}
	if short == "" {
		short = "file"
	}
	if e := keep(strings.TrimPrefix(ext, "."), 3); e != "" {
		short += "." + e
	}
	return short
}

// entity attaches a clear-signed mail: [MS-OXOSMIME] 2.1.3.1 says that it has exactly
// one attachment, which is the multipart/signed as it came with its Content-Type and
// no other header.
func (m *importer) entity(p *part) error {
	var typ []byte
	if raw := m.head.find("content-type"); raw != nil {
		typ = append(bytes.TrimRight(bytes.Clone(raw), "\r\n"), "\r\n\r\n"...)
	}
	props := fileProperties("smime.p7m", "multipart/signed")
	m.res.Attachments++
	return m.attach(props, io.MultiReader(bytes.NewReader(typ), io.NewSectionReader(m.r, p.body, p.end-p.body)))
}

// find is the text of a field, as it came.
func (h *header) find(name string) []byte {
	for i := range h.fields {
		if h.fields[i].name == name {
			return h.text[h.starts[i][0]:h.starts[i][1]]
		}
	}
	return nil
}

// embed makes a message of a message/rfc822.
func (m *importer) embed(p *part) error {
	size := p.end - p.body
	r := io.NewSectionReader(m.r, p.body, size)
	sc, err := scan(r, size)
	if err != nil {
		return err
	}
	m.res.Embedded++
	name := clip16(clean(words(sc.head.get("subject"))), 255)
	if name == "" {
		name = m.fileName(p)
	}
	props := pst.Properties{pst.P(pst.PidTagDisplayName, name), pst.P(pst.PidTagAttachMethod, int32(pst.AttachEmbedded)),
		pst.P(pst.PidTagRenderingPosition, int32(pst.RenderNowhere)), pst.P(pst.PidTagAttachMimeTag, "message/rfc822")}
	if p.name != "" {
		props.Set(pst.PidTagAttachLongFilename, clipName(p.name))
	}
	if p.id != "" {
		props.Set(pst.PidTagAttachContentId, p.id)
	}
	if whole, ok := m.sink.(Whole); ok {
		if err := whole.EmbedMail(props, r); err != nil {
			return fmt.Errorf("embed %q: %w", name, err)
		}
		return nil
	}
	err = m.sink.Embed(props, func(s pst.Sink) error {
		inner := importer{sink: s, r: r, size: sc.lines.size, o: Options{Read: true}, res: m.res, depth: m.depth + 1, room: m.room}
		err := inner.run(sc)
		for _, n := range inner.notes.list {
			m.notes.add("in a message inside: " + strings.TrimPrefix(n, "in a message inside: "))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("embed %q: %w", name, err)
	}
	return nil
}
