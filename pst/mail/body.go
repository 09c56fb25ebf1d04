package mail

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"keepwatch/pst"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// bodies gives the message its texts.
func (m *importer) bodies(pl *plan) error {
	if pl.text != nil {
		raw, err := m.read(pl.text)
		if err != nil {
			return err
		}
		text := m.plain(raw, pl.text.charset)
		m.sink.Set(pst.P(pst.PidTagBody, text))
		m.hasBody = strings.TrimSpace(text) != ""
	}
	if pl.html != nil {
		raw, err := m.read(pl.html)
		if err != nil {
			return err
		}
		if html, page := m.htmlBytes(raw, pl.html.charset); len(html) > 0 {
			m.sink.Set(pst.P(pst.PidTagHtml, html), pst.P(pst.PidTagInternetCodepage, page), pst.P(pst.PidTagNativeBody, int32(pst.NativeHTML)))
			m.html = string(html)
			m.cids = cids(m.html)
			m.hasBody = m.hasBody || len(bytes.TrimSpace(html)) > 0
			return nil
		}
	}
	m.sink.Set(pst.P(pst.PidTagInternetCodepage, int32(utf8Page)))
	if m.hasBody {
		m.sink.Set(pst.P(pst.PidTagNativeBody, int32(pst.NativeText)))
	}
	return nil
}

// read decodes a body.
func (m *importer) read(p *part) ([]byte, error) {
	var d defects
	r, known := decoder(m.r, p, &d)
	if !known {
		m.notes.add(fmt.Sprintf("the encoding %q is unknown, and the text is kept as it came", p.encoding))
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the text: %w", err)
	}
	if p.encoding != "base64" && p.encoding != "x-uuencode" && p.encoding != "x-uue" && p.encoding != "uuencode" {
		return raw, nil
	}
	rubbish := binaryRubbish(raw, p.charset)
	if d.junk > 0 || d.short || rubbish {
		came, err := io.ReadAll(io.NewSectionReader(m.r, p.body, p.end-p.body))
		if err != nil {
			return nil, fmt.Errorf("read the text: %w", err)
		}
		if rubbish && !binaryRubbish(came, p.charset) && (d.junk > 0 || d.short || spaced(came)) {
			m.notes.add("the text says that it is in " + p.encoding + " and is not")
			return came, nil
		}
	}
	if d.junk > 0 || d.short {
		m.notes.lose("the " + p.encoding + " of the text is damaged")
	}
	return raw, nil
}

// spaced tells whether there are spaces within lines, which base64 has not.
func spaced(b []byte) bool {
	for l := range bytes.Lines(b) {
		if bytes.IndexByte(bytes.TrimSpace(l), ' ') >= 0 {
			return true
		}
	}
	return false
}

// binaryRubbish tells what cannot be text: control characters.
func binaryRubbish(b []byte, charset string) bool {
	if enc, _, ok := lookup(charset); ok && enc != nil && wide(charset) {
		return false
	}
	bad := 0
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1B {
			bad++
		}
	}
	return bad > 0 && bad*50 >= len(b)
}

// plain makes the value of PidTagBody: UTF-8 with CRLF, without U+0000, which a text
// of a file cannot have.
func (m *importer) plain(raw []byte, charset string) string {
	if _, _, ok := lookup(charset); !ok && charset != "" && !isUTF7(charset) && !ascii(raw) {
		m.notes.add(fmt.Sprintf("the charset %q is unknown", charset))
	}
	text, whole := decodeText(raw, charset)
	if !whole {
		m.notes.lose("the text has bytes that its charset " + charset + " does not know")
	}
	if strings.IndexByte(text, 0) >= 0 {
		m.notes.lose("the text has zero bytes")
		text = strings.ReplaceAll(text, "\x00", "")
	}
	if n := strings.Count(text, "\n"); n > 0 && n == strings.Count(text, "\r\r\n") { // a gateway made CR LF of LF twice
		text = strings.ReplaceAll(text, "\r\r\n", "\r\n")
	}
	return crlf(strings.TrimPrefix(text, "\uFEFF"))
}

// htmlBytes makes the values of PidTagHtml and PidTagInternetCodepage. The bytes are
// kept as they came, with their code page: so nothing inside them, a meta element
// with a charset for instance, has to be changed, and Outlook goes by the code page.
// Only what has no code page of Windows, or is not valid in the one it says, is
// changed to UTF-8.
func (m *importer) htmlBytes(raw []byte, charset string) ([]byte, int32) {
	if bytes.IndexByte(raw, 0) >= 0 && !strings.HasPrefix(strings.ToLower(charset), "utf-") && !wide(charset) {
		m.notes.lose("the text has zero bytes")
		raw = bytes.ReplaceAll(raw, []byte{0}, nil)
	}
	enc, page, ok := lookup(charset)
	if !ok && !isUTF7(charset) {
		if charset != "" && !ascii(raw) {
			m.notes.add(fmt.Sprintf("the charset %q is unknown", charset))
		}
		charset = metaCharset(raw)
		enc, page, ok = lookup(charset)
	}
	if ok && enc != nil && page != 0 {
		if page == 936 && !gbkOnly(raw) {
			page = 54936
		}
		return raw, page
	}
	if (!ok || enc == nil) && utf8.Valid(raw) && !isUTF7(charset) {
		return raw, utf8Page
	}
	text, whole := decodeText(raw, charset)
	if !whole {
		m.notes.lose("the text has bytes that its charset " + charset + " does not know")
	}
	return []byte(strings.ReplaceAll(text, "\x00", "")), utf8Page
}

// gbkOnly tells whether a text that says GB2312 or GBK has no characters of four bytes,
// which are those of GB18030 alone.
func gbkOnly(raw []byte) bool {
	text, err := simplifiedchinese.GBK.NewDecoder().Bytes(raw)
	return err == nil && !bytes.Contains(text, []byte("\uFFFD"))
}

// metaCharset looks for a charset at the beginning of a page, as HTML says in 13.2.3.2
// (prescan): <meta charset=x> or content="text/html; charset=x". UTF-16 there is a lie,
// or it could not be read.
func metaCharset(raw []byte) string {
	head := strings.ToLower(string(raw[:min(len(raw), 2048)]))
	for {
		i := strings.Index(head, "charset")
		if i < 0 {
			return ""
		}
		head = head[i+len("charset"):]
		if rest, ok := strings.CutPrefix(strings.TrimLeft(head, " "), "="); ok {
			rest = strings.TrimLeft(rest, " \"'")
			if j := strings.IndexAny(rest, "\"'>; /\r\n"); j >= 0 {
				rest = rest[:j]
			}
			if _, _, known := lookup(rest); known && !strings.HasPrefix(rest, "utf-16") {
				return rest
			}
		}
	}
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// crlf makes every end of a line CR LF.
func crlf(s string) string {
	n := strings.Count(s, "\n")
	if n == strings.Count(s, "\r\n") && n == strings.Count(s, "\r") {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	return strings.ReplaceAll(s, "\n", "\r\n")
}
