package mail

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// parseParams reads Content-Type or Content-Disposition: the value in lower case, and
// its parameters, their names in lower case. mime.ParseMediaType refuses what real
// mails have (a name with spaces and no quotes, one parameter twice, a missing
// semicolon), and then nothing of the value is known. Here the first of two counts,
// and one in the form of RFC 2231 before one that is not.
func parseParams(s string) (string, map[string]string) {
	i := strings.IndexAny(s, "; \t\r\n")
	if i < 0 {
		i = len(s)
	}
	value, s := strings.ToLower(strings.TrimSpace(s[:i])), s[i:]
	params := map[string]string{}
	var long map[string]map[int]piece
	for s != "" && len(params) < 200 {
		var name, v string
		name, v, s = nextParam(s)
		if name == "" {
			continue
		}
		base, n, encoded, ok := splitName(name)
		if !ok {
			if _, twice := params[name]; !twice {
				params[name] = v
			}
			continue
		}
		if long == nil {
			long = map[string]map[int]piece{}
		}
		if long[base] == nil {
			long[base] = map[int]piece{}
		}
		if _, twice := long[base][n]; !twice && len(long[base]) < 1000 {
			long[base][n] = piece{v, encoded}
		}
	}
	for name, pieces := range long {
		if v := joinPieces(pieces); v != "" {
			params[name] = v
		}
	}
	return value, params
}

// nextParam takes a parameter off s: name=value or name="value".
func nextParam(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, "; \t\r\n,")
	i := strings.IndexAny(s, "=;")
	if i < 0 {
		return "", "", ""
	}
	if s[i] == ';' {
		return "", "", s[i+1:]
	}
	name = strings.ToLower(strings.TrimSpace(s[:i]))
	if j := strings.LastIndexAny(name, " \t"); j >= 0 { // what stands before is a value without a name
		name = name[j+1:]
	}
	s = strings.TrimLeft(s[i+1:], " \t\r\n")
	if !strings.HasPrefix(s, `"`) {
		v, rest, _ := strings.Cut(s, ";")
		return name, strings.TrimSpace(v), rest
	}
	var b strings.Builder
	for i = 1; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
			i++
		}
		b.WriteByte(s[i])
	}
	return name, b.String(), s[min(i+1, len(s)):]
}

// piece is a part of a value in the form of RFC 2231.
type piece struct {
	text    string
	encoded bool
}

// splitName takes a name of RFC 2231 apart: title*, title*1, title*1*.
func splitName(name string) (base string, n int, encoded, ok bool) {
	base, rest, ok := strings.Cut(name, "*")
	if !ok || base == "" {
		return "", 0, false, false
	}
	if rest == "" {
		return base, 0, true, true
	}
	rest, encoded = strings.CutSuffix(rest, "*")
	n, err := strconv.Atoi(rest)
	return base, n, encoded, err == nil && n >= 0
}

// joinPieces puts a value together. The first piece may name the charset of all:
// utf-8'en'text. The result is text in UTF-8.
func joinPieces(pieces map[int]piece) string {
	var raw []byte
	charset, anyEncoded := "", false
	for i := 0; i < len(pieces); i++ {
		p, ok := pieces[i]
		if !ok {
			break
		}
		if i == 0 && p.encoded {
			if cs, rest, ok := strings.Cut(p.text, "'"); ok {
				if _, text, ok := strings.Cut(rest, "'"); ok {
					charset, p.text = cs, text
				}
			}
		}
		if p.encoded {
			anyEncoded = true
			raw = append(raw, unpercent(p.text)...)
		} else {
			raw = append(raw, p.text...)
		}
	}
	if !anyEncoded {
		return string(raw)
	}
	text, _ := decodeText(raw, charset)
	return text
}

// unpercent decodes %XX; a percent sign without two digits stays.
func unpercent(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if d, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.WriteByte(d[0])
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
