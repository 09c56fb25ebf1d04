package mail

import (
	"strings"
	"unicode/utf8"
)

// eightBit reads headers that have characters of another charset than UTF-8 without
// saying so, as mail of Japan, China and Russia long had them: they are in the charset
// of the text below. What is not valid in it stays, and is read as Windows-1252.
func (s *scanner) eightBit() {
	charset := s.root.textCharset()
	s.head.charset = charset
	for i := range s.head.fields {
		f := &s.head.fields[i]
		f.value = inCharset(f.value, charset)
	}
	s.root.names(charset)
}

// textCharset is the charset of the first text that has one of its own.
func (p *part) textCharset() string {
	for _, k := range p.kids {
		if c := k.textCharset(); c != "" {
			return c
		}
	}
	if enc, _, ok := lookup(p.charset); p.top() == "text" && ok && enc != nil && !strings.HasPrefix(strings.ToLower(p.charset), "utf") {
		return p.charset
	}
	return ""
}

// names reads the names of files again that are in another charset.
func (p *part) names(charset string) {
	if p.raw != [2]string{} {
		_, params := parseParams(inCharset(p.raw[0], charset))
		_, dparams := parseParams(inCharset(p.raw[1], charset))
		p.name = nameOf(params, dparams)
		p.raw = [2]string{}
	}
	for _, k := range p.kids {
		k.names(charset)
	}
}

// inCharset decodes a text that is not UTF-8. The escapes of ISO-2022-JP are those of
// no other charset, whatever the text below has.
func inCharset(s, charset string) string {
	if strings.Contains(s, "\x1B$") {
		charset = "iso-2022-jp"
	} else if utf8.ValidString(s) || charset == "" {
		return s
	}
	if text, whole := decodeText([]byte(s), charset); whole {
		return text
	}
	return s
}

// readable is the text of the header in UTF-8, each line by itself.
func (h *header) readable() string {
	text := string(h.text)
	if utf8.ValidString(text) && !strings.Contains(text, "\x1B$") {
		return text
	}
	var b strings.Builder
	for l := range strings.Lines(text) {
		b.WriteString(readText(inCharset(l, h.charset)))
	}
	return b.String()
}
