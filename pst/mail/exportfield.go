package mail

import (
	"encoding/base64"
	"fmt"
	"mime"
	"strings"
)

// addressFields are those in which encoded words must not take an address in.
var addressFields = map[string]bool{"from": true, "to": true, "cc": true, "bcc": true, "sender": true, "reply-to": true, "resent-from": true, "resent-to": true, "resent-cc": true, "return-path": true}

// idFields are those in which there are no encoded words.
var idFields = map[string]bool{"message-id": true, "in-reply-to": true, "references": true}

// maxRewritten is how much is kept of a field that has to be written new. Only
// rubbish is longer.
const maxRewritten = 60_000

// rawField writes a field as it came, where it is safe: ASCII, lines of at most 998
// characters. Another one is written new.
func (x *exporter) rawField(f transportField) {
	text := strings.TrimRight(f.raw.text, "\r\n")
	safe := true
	length := len(f.raw.name) + 1
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n':
			length = 0
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n', c == '\t':
		case c < ' ' || c > '~':
			safe = false
		}
		if length++; length > 998 {
			safe = false
		}
	}
	for l := range strings.SplitSeq(text, "\n") { // an empty line would end the header
		safe = safe && (strings.TrimSpace(l) != "" || l == text)
	}
	// An encoded line end is no danger here, but to programs that decode it: Python
	// refuses to read the whole field.
	safe = safe && !(strings.Contains(text, "=?") && strings.ContainsFunc(words(f.value), control))
	switch {
	case safe:
		x.line(f.raw.name + ":" + crlf(text))
	case addressFields[f.name]:
		list, _ := addresses(f.value)
		x.field(f.raw.name, formatAddresses(list))
	case f.name == "date" && dateOf(f.value) != "":
		x.field(f.raw.name, dateOf(f.value))
	case idFields[f.name]:
		x.field(f.raw.name, clip(clean(readText(f.value)), maxRewritten))
	default:
		x.field(f.raw.name, unstructured(clip(clean(words(f.value)), maxRewritten)))
	}
}

// field writes a field, folded at spaces to lines of at most 78 characters where
// there are any, and always to at most 998 (RFC 5322 2.1.1).
func (x *exporter) field(name, value string) {
	line := name + ":"
	blank := true // nothing of the value is in the line yet
	for w := range strings.SplitSeq(guard(value), " ") {
		for {
			if !blank && w != "" && len(line)+1+len(w) > 78 {
				x.line(line)
				line = ""
			}
			if len(w) <= maxWord {
				break
			}
			piece := clip(w, maxWord)
			x.line(line + " " + piece)
			line, w, blank = "", w[len(piece):], true
		}
		line += " " + w
		blank = blank && w == ""
	}
	if line != "" {
		x.line(line)
	}
}

// maxWord is how much without a space may stand in a line.
const maxWord = 900

// guard takes out what no header may have, control characters above all. It is the
// last guard: values are encoded before, but for addresses and ids that are not ASCII
// themselves (RFC 6532).
func guard(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case control(r):
			return -1
		}
		return r
	}, s)
}

// unstructured encodes a text where it has to be (RFC 2047).
func unstructured(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 && !strings.Contains(s, "=?") && !strings.Contains(s, "  ") && longest(s) < 900 {
		return s
	}
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 { // mime leaves ASCII as it is
		var out []string
		for s != "" {
			piece := clip(s, 45)
			out, s = append(out, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(piece))+"?="), s[len(piece):]
		}
		return strings.Join(out, " ")
	}
	return mime.BEncoding.Encode("utf-8", s)
}

func longest(s string) int {
	n := 0
	for w := range strings.SplitSeq(s, " ") {
		n = max(n, len(w))
	}
	return n
}

// formatAddresses makes a list. A name that is no plain text is quoted or encoded, and
// an address never ends its angle brackets.
func formatAddresses(list []address) string {
	out := make([]string, 0, len(list))
	for _, a := range list {
		name, addr := clean(a.name), strings.Map(noAngles, clean(a.addr))
		switch {
		case addr == "" && name == "":
			continue
		case addr == "":
			out = append(out, phrase(name)+" <>")
		case name == "" || name == addr:
			out = append(out, "<"+addr+">")
		default:
			out = append(out, phrase(name)+" <"+addr+">")
		}
	}
	return strings.Join(out, ", ")
}

// phrase writes a name: an encoded word where it is not ASCII, in quotes otherwise.
func phrase(s string) string {
	if e := unstructured(s); e != s {
		return e
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// param writes a value with one parameter: in quotes, or by RFC 2231 where it is not
// ASCII or too long for a line.
func param(value, name, v string) string {
	v = clean(v)
	if len(v) <= 60 && strings.IndexFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) < 0 && !strings.Contains(v, "=?") {
		return value + "; " + name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
	}
	var out strings.Builder
	out.WriteString(value)
	escaped := "utf-8''"
	for _, c := range []byte(v) {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-' || c == '_' {
			escaped += string(rune(c))
		} else {
			escaped += fmt.Sprintf("%%%02X", c)
		}
	}
	if len(escaped) <= 60 {
		return value + "; " + name + "*=" + escaped
	}
	for i := 0; escaped != ""; i++ {
		n := min(60, len(escaped))
		for k := 1; k <= 2 && n < len(escaped); k++ { // no escape is cut
			if escaped[n-k] == '%' {
				n -= k
				break
			}
		}
		fmt.Fprintf(&out, "; %s*%d*=%s", name, i, escaped[:n])
		escaped = escaped[n:]
	}
	return out.String()
}
