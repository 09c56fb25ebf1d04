package pim

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// parseLine takes a content line apart.
func parseLine(raw string, number int) (line, error) {
	raw = decodeCharset([]byte(raw), namedCharset(raw))
	l := line{Number: number}
	i := strings.IndexAny(raw, ":;")
	if i < 0 {
		return line{}, &LineError{number, fmt.Sprintf("%q has no colon", shorten(raw))}
	}
	l.Name = strings.ToUpper(strings.TrimSpace(raw[:i]))
	if dot := strings.LastIndexByte(l.Name, '.'); dot >= 0 {
		l.Group, l.Name = strings.TrimSpace(raw[:i])[:dot], l.Name[dot+1:]
	}
	if l.Name == "" || strings.ContainsAny(l.Name, " \t\",=") {
		return line{}, &LineError{number, fmt.Sprintf("%q is no name of a property", shorten(raw[:i]))}
	}
	rest := raw[i:]
	for rest[0] == ';' {
		p, behind, ok := parseParam(rest[1:])
		if !ok {
			return line{}, &LineError{number, fmt.Sprintf("the parameters of %s do not end with a colon", l.Name)}
		}
		if p.Name != "" {
			l.Params = append(l.Params, p)
		}
		rest = behind
	}
	l.Value = rest[1:]
	return l, nil
}

// namedCharset is the CHARSET of a line whose bytes are in it as they are: telephones of
// Japan write Shift_JIS so, in which the second byte of a character may be a backslash.
func namedCharset(raw string) string {
	if utf8.ValidString(raw) {
		return ""
	}
	head, _, _ := strings.Cut(raw, ":")
	for p := range strings.SplitSeq(head, ";") {
		if name, value, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.TrimSpace(name), "CHARSET") {
			return strings.Trim(value, "\" ")
		}
	}
	return ""
}

// parseParam reads one parameter; what is behind it begins with ';' or ':'.
func parseParam(s string) (param, string, bool) {
	i := strings.IndexAny(s, "=;:")
	if i < 0 {
		return param{}, "", false
	}
	name := strings.ToUpper(strings.TrimSpace(s[:i]))
	if s[i] != '=' {
		return bare(name), s[i:], true
	}
	p := param{Name: name}
	s = s[i+1:]
	for {
		v, behind, ok := paramValue(s)
		if !ok {
			return param{}, "", false
		}
		p.Values = append(p.Values, v)
		if behind[0] != ',' {
			return p, behind, true
		}
		s = behind[1:]
	}
}

// paramValue reads one value, in quotes or not. A quote within a value that does
// not begin with one hides separators all the same, as common writers mean it.
func paramValue(s string) (string, string, bool) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ';' || c == ':'):
			return uncaret(strings.TrimSpace(b.String())), s[i:], true
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// bare names a parameter of vCard 2.1 that is only a value (2.1.2 there).
func bare(value string) param {
	switch value {
	case "":
		return param{}
	case "QUOTED-PRINTABLE", "BASE64", "7BIT", "8BIT", "B":
		return param{Name: "ENCODING", Values: []string{value}}
	case "INLINE", "URL", "CID", "CONTENT-ID":
		return param{Name: "VALUE", Values: []string{value}}
	}
	return param{Name: "TYPE", Values: []string{value}}
}

// uncaret undoes the escapes of parameters, RFC 6868.
func uncaret(s string) string {
	if !strings.Contains(s, "^") {
		return s
	}
	return strings.NewReplacer("^n", "\n", "^^", "^", "^'", `"`).Replace(s)
}

// unescape undoes the escapes of a text (RFC 5545 3.3.11). A backslash before
// another letter stays: it is somebody's path.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'n', 'N':
			b.WriteByte('\n')
		case '\\', ',', ';', ':', '"':
			b.WriteByte(c)
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String()
}

// escape makes a text a value: the reverse of unescape.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(s)
}

// split cuts a value at a separator that is not escaped. The parts are still
// escaped.
func split(s string, sep byte) []string {
	var parts []string
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

// splitText cuts at a separator and undoes the escapes of the parts.
func splitText(s string, sep byte) []string {
	parts := split(s, sep)
	for i := range parts {
		parts[i] = unescape(parts[i])
	}
	return parts
}

// A lineWriter writes content lines, folded at 75 octets between characters, with
// CRLF. The first error stays.
type lineWriter struct {
	w   io.Writer
	err error
}

// line writes a line whose value is escaped already. Of params, each name is
// followed by its value; those with an empty value are left out.
func (w *lineWriter) line(name, value string, params ...string) {
	var b strings.Builder
	b.WriteString(name)
	for i := 0; i+1 < len(params); i += 2 {
		if params[i+1] == "" {
			continue
		}
		b.WriteString(";" + params[i] + "=" + quoteParam(params[i+1]))
	}
	b.WriteString(":" + value)
	w.fold(b.String())
}

// text writes a line whose value is a text, and nothing where that is empty.
func (w *lineWriter) text(name, value string, params ...string) {
	if value != "" {
		w.line(name, escape(value), params...)
	}
}

// fold breaks a line so that no part is longer than 75 octets (RFC 5545 3.1). What
// would end a line or is a control character is left out.
func (w *lineWriter) fold(s string) {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7F {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	var b strings.Builder
	for limit := 75; len(s) > limit; limit = 74 {
		cut := limit
		for cut > 1 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		b.WriteString(s[:cut] + "\r\n ")
		s = s[cut:]
	}
	b.WriteString(s + "\r\n")
	if w.err == nil {
		_, w.err = io.WriteString(w.w, b.String())
	}
}

// quoteParam makes a text a value of a parameter, RFC 6868.
func quoteParam(s string) string {
	s = strings.NewReplacer("^", "^^", "\r\n", "^n", "\n", "^n", `"`, "^'").Replace(s)
	if strings.ContainsAny(s, ":;,") || strings.TrimSpace(s) != s {
		return `"` + s + `"`
	}
	return s
}

// shorten cuts a text for an error.
func shorten(s string) string {
	if len(s) <= 60 {
		return s
	}
	return strings.ToValidUTF8(s[:60], "") + "…"
}

func upperTrim(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }
