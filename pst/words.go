package pst

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold makes texts comparable for whoever looks for words in them: of two that are the
// same to people, the results are the same. Upper and lower case do not count (full case
// folding of Unicode, chapter 3.13: ß is ss), nor does how an accent is written (NFC,
// UAX #15). The Turkish İ and ı are both i, since few have them on their keyboard. White
// space, also several of it and ends of lines, is one blank. What is not seen (the soft
// hyphen, the zero width space, the word joiner, the byte order mark) is left out.
func Fold(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] < utf8.RuneSelf
	}
	if !plain {
		s = strings.Map(unseen, norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")))
		s = norm.NFC.String(cases.Fold().String(s))
	}
	b := make([]byte, 0, len(s))
	blank := false
	for i := 0; i < len(s); {
		c, n := rune(s[i]), 1
		if c >= utf8.RuneSelf {
			c, n = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case c == ' ' || c >= '\t' && c <= '\r' || c >= utf8.RuneSelf && unicode.IsSpace(c):
			if !blank {
				b = append(b, ' ')
			}
			blank = true
			i += n
			continue
		case c >= 'A' && c <= 'Z':
			b = append(b, byte(c)+'a'-'A')
		default:
			b = append(b, s[i:i+n]...)
		}
		blank = false
		i += n
	}
	return string(b)
}

// unseen takes out what nobody sees, and makes one letter of the Turkish ones.
func unseen(r rune) rune {
	switch r {
	case '\u00AD', '\u200B', '\u2060', '\uFEFF':
		return -1
	case 'İ', 'ı':
		return 'i'
	}
	return r
}

// HTMLText takes the tags out of HTML, well enough to look for words in it. It goes
// forward only: what is not closed is looked for once.
func HTMLText(s string) string {
	var b strings.Builder
	unclosed := [3]bool{}
	for {
		text, rest, ok := strings.Cut(s, "<")
		b.WriteString(text)
		if !ok {
			break
		}
		s = rest
		for i, skip := range [3][2]string{{"!--", "--"}, {"style", "</style"}, {"script", "</script"}} {
			if unclosed[i] || len(rest) < len(skip[0]) || !strings.EqualFold(rest[:len(skip[0])], skip[0]) {
				continue
			}
			if _, after, ok := strings.Cut(rest[len(skip[0]):], skip[1]); ok {
				s = after
			} else {
				unclosed[i] = true
			}
		}
		if _, s, ok = strings.Cut(s, ">"); !ok {
			break
		}
		if !inlineTag(rest) {
			b.WriteByte(' ')
		}
	}
	return html.UnescapeString(b.String())
}

// inlineTag tells of a tag that does not part words.
func inlineTag(tag string) bool {
	tag = strings.TrimPrefix(tag, "/")
	end := strings.IndexFunc(tag, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if end < 0 {
		return false
	}
	switch strings.ToLower(tag[:end]) {
	case "b", "i", "u", "em", "strong", "span", "font", "a", "small", "big", "sub", "sup", "mark":
		return true
	}
	return false
}
