package mail

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// words decodes the encoded words of a header (RFC 2047) and 8-bit text beside them.
// It is more tolerant than mime.WordDecoder, and reads what that makes rubbish of: a
// character that is cut in two by the end of a word, as many mailers do, words with
// a space or a missing padding in them, and a language (RFC 2231 5). Whatever is no
// word stays as it is.
func words(s string) string {
	if !strings.Contains(s, "=?") {
		return readText(s)
	}
	var out strings.Builder
	var run []byte // the bytes of words that follow one another
	var charset string
	flush := func() {
		if len(run) > 0 {
			text, _ := decodeText(run, charset)
			out.WriteString(text)
			run = run[:0]
		}
	}
	after := false // right behind a word
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		cs, data, n, ok := word(s[i:])
		if !ok {
			flush()
			out.WriteString(readText(s[:i+2]))
			s, after = s[i+2:], false
			continue
		}
		// White space between two words is none (RFC 2047 6.2).
		if between := s[:i]; !after || strings.TrimSpace(between) != "" {
			flush()
			out.WriteString(readText(between))
		}
		if !strings.EqualFold(cs, charset) {
			flush()
			charset = cs
		}
		run = append(run, data...)
		s, after = s[i+n:], true
	}
	flush()
	out.WriteString(readText(s))
	return out.String()
}

// word reads an encoded word at the beginning of s, and gives its length.
func word(s string) (charset string, data []byte, n int, ok bool) {
	cs, rest, ok := strings.Cut(s[2:], "?")
	if !ok || cs == "" || len(cs) > 60 || strings.ContainsAny(cs, " \t=<>\"") {
		return "", nil, 0, false
	}
	kind, rest, ok := strings.Cut(rest, "?")
	if !ok || len(kind) != 1 {
		return "", nil, 0, false
	}
	text, _, ok := strings.Cut(rest, "?=")
	if !ok || len(text) > 10_000 {
		return "", nil, 0, false
	}
	n = 2 + len(cs) + 1 + len(kind) + 1 + len(text) + 2
	cs, _, _ = strings.Cut(cs, "*")
	switch kind {
	case "b", "B":
		data, ok = wordBase64(text)
	case "q", "Q":
		data = wordQuoted(text)
	default:
		ok = false
	}
	return cs, data, n, ok
}

func wordBase64(s string) ([]byte, bool) {
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '=' {
			return -1
		}
		return r
	}, s)
	if len(s)%4 == 1 { // a character too many, seen with words that were cut
		s = s[:len(s)-1]
	}
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil
}

func wordQuoted(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			b = append(b, ' ')
		case s[i] == '=' && i+2 < len(s):
			d, err := hex.DecodeString(s[i+1 : i+3])
			if err != nil {
				b = append(b, '=')
				continue
			}
			b, i = append(b, d...), i+2
		default:
			b = append(b, s[i])
		}
	}
	return b
}
