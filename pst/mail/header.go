package mail

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// header is the header of a mail or of a part.
type header struct {
	fields  []field
	text    []byte   // as it came
	limit   int      // bytes of text that are read
	cut     bool     // there was more
	last    int      // where the last field began in text
	starts  [][2]int // where each of fields lies in text
	charset string   // of what is not UTF-8 in it, "" for unknown
}

// field is one of a header: its name in lower case, and its value, unfolded, in the
// bytes that came. At most maxFields are looked at.
type field struct{ name, value string }

const maxFields = 10_000

// add takes a line. It gives false for one that cannot be of a header.
func (h *header) add(l *lines) bool {
	if l.goesOn || h.cut {
		h.keep(l.text)
		return true
	}
	line := l.trimmed()
	if len(line) == 0 { // only line ends: the caller has seen to the empty line
		return true
	}
	if line[0] == ' ' || line[0] == '\t' {
		if len(h.text) == 0 {
			return false
		}
		h.keep(l.text)
		return true
	}
	if fieldName(line) == "" {
		if len(h.text) == 0 || !l.fieldFollows() {
			return false
		}
		// A line that lost its indent, or rubbish between two fields: it stays in
		// the text of the header and is no field.
		h.done()
		h.keep(l.text)
		h.last = len(h.text)
		return true
	}
	h.done()
	h.last = len(h.text)
	h.keep(l.text)
	return true
}

// keep appends to the text, up to the limit.
func (h *header) keep(b []byte) {
	if n := h.limit - len(h.text); len(b) > n {
		b, h.cut = b[:max(n, 0)], true
	}
	h.text = append(h.text, b...)
}

// done makes a field of what was read since the last one.
func (h *header) done() {
	from := h.last
	raw := h.text[from:]
	h.last = len(h.text)
	name := fieldName(raw)
	if name == "" || len(h.fields) >= maxFields {
		h.cut = h.cut || name != ""
		return
	}
	_, value, _ := bytes.Cut(raw, []byte(":"))
	h.fields = append(h.fields, field{strings.ToLower(name), unfold(value)})
	h.starts = append(h.starts, [2]int{from, h.last})
}

// fieldName is the name that a line of a header begins with, or "". A space before
// the colon is bad form, but seen.
func fieldName(line []byte) string {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || i > 200 {
		return ""
	}
	name := bytes.TrimRight(line[:i], " \t")
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	return string(name)
}

// unfold joins the lines of a value (RFC 5322 2.2.3). White space at a fold is one
// space: old Exchange folds with a tab.
func unfold(b []byte) string {
	b = bytes.TrimSpace(b)
	if bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0 {
		return string(b)
	}
	var out strings.Builder
	for i, l := range bytes.FieldsFunc(b, func(r rune) bool { return r == '\r' || r == '\n' }) {
		l = bytes.TrimRight(l, " \t")
		if i > 0 {
			l = bytes.TrimLeft(l, " \t")
			if len(l) > 0 {
				out.WriteByte(' ')
			}
		}
		out.Write(l)
	}
	return out.String()
}

// get is the value of the first field of that name, in lower case.
func (h *header) get(name string) string {
	for i := range h.fields {
		if h.fields[i].name == name {
			return h.fields[i].value
		}
	}
	return ""
}

// all are the values of all fields of that name.
func (h *header) all(name string) []string {
	var all []string
	for i := range h.fields {
		if h.fields[i].name == name {
			all = append(all, h.fields[i].value)
		}
	}
	return all
}

// join joins the values of all fields of that name: a mail ought to have one To, but
// one with three has three.
func (h *header) join(name string) string { return strings.Join(h.all(name), ", ") }

// fieldFollows tells whether the next line is one of the fields that every mail has,
// so that the current line, which is none, is no beginning of the body.
func (l *lines) fieldFollows() bool {
	if l.partly {
		return false
	}
	if len(l.buf)-l.off < 100 && l.at+int64(len(l.buf)) < l.size {
		text := bytes.Clone(l.text)
		l.fill()
		l.text = text
	}
	switch strings.ToLower(fieldName(l.buf[l.off:])) {
	case "from", "to", "cc", "subject", "date", "message-id", "received", "return-path", "mime-version",
		"content-type", "content-transfer-encoding", "reply-to", "in-reply-to", "references", "dkim-signature":
		return true
	}
	return false
}

// content is what the header of a part says of its body.
type content struct {
	media       string // in lower case: text/plain where nothing is said
	charset     string
	boundary    string
	name        string    // of the file
	encoding    string    // in lower case: base64, quoted-printable …
	disposition string    // in lower case: inline, attachment or nothing
	id          string    // Content-ID without its angle brackets
	location    string    // Content-Location
	smime       string    // the parameter smime-type
	protocol    string    // of a multipart/signed
	root        string    // the parameter start of a multipart/related, without brackets
	typed       bool      // there is a Content-Type
	raw         [2]string // Content-Type and Content-Disposition where they are not UTF-8
}

// top is the first half of the media type.
func (c *content) top() string {
	t, _, _ := strings.Cut(c.media, "/")
	return t
}

// maxParam is how much of a parameter is held.
const maxParam = 2000

func (h *header) content() content {
	typ := h.get("content-type")
	media, params := parseParams(typ)
	disposed := h.get("content-disposition")
	disposition, dparams := parseParams(disposed)
	c := content{
		media: media, charset: firstWord(params["charset"]), boundary: strings.TrimRight(params["boundary"], " \t"),
		encoding: strings.ToLower(firstWord(h.get("content-transfer-encoding"))), disposition: disposition,
		id:       clip(trimAngles(h.get("content-id")), maxParam),
		location: clip(strings.Join(strings.Fields(readText(h.get("content-location"))), ""), maxParam),
		smime:    strings.ToLower(params["smime-type"]), protocol: strings.ToLower(params["protocol"]),
		root: trimAngles(params["start"]), typed: typ != "",
	}
	c.name = nameOf(params, dparams)
	if !utf8.ValidString(typ+disposed) || strings.Contains(typ+disposed, "\x1B$") {
		c.raw = [2]string{typ, disposed}
	}
	if !strings.Contains(c.media, "/") { // nothing, or "Content-Type: text", as old mailers have it
		c.media = "text/plain"
		if c.name != "" && typ != "" {
			c.media = "application/octet-stream"
		}
	}
	if top, sub, _ := strings.Cut(c.media, "/"); !isToken(top) || !isToken(sub) || len(c.media) > 200 {
		c.media = "application/octet-stream"
	}
	return c
}

// nameOf is the name of a file by the parameters of both headers that may have it.
func nameOf(params, dparams map[string]string) string {
	name := dparams["filename"]
	if strings.TrimSpace(name) == "" {
		name = params["name"]
	}
	return clip(clean(words(name)), maxParam)
}

// firstWord cuts a value at white space, a quote or a comment: what follows a missing
// semicolon, and charset="charset=us-ascii", which one mailer really writes.
func firstWord(s string) string {
	s = strings.Trim(strings.TrimSpace(s), "\"'")
	s = strings.TrimPrefix(s, "charset=")
	if i := strings.IndexAny(s, " \t;,\"("); i >= 0 {
		s = s[:i]
	}
	return clip(s, 100)
}

func trimAngles(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.IndexByte(s, '<'); i >= 0 {
		s = s[i+1:]
		if j := strings.IndexByte(s, '>'); j >= 0 {
			s = s[:j]
		}
	}
	return strings.Map(noAngles, clean(readText(s)))
}
