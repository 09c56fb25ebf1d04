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
// hyphen, the zero width space, the word joiner, the byte order mark, and the marks of
// direction of UAX #9 that programs put around numbers and names) is left out.
func Fold(s string) string {
	f := folding{out: make([]byte, 0, len(s))}
	last, before := 0, f // the rune before, and what there was before it
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		if !simple(r) { // it may change what is before it
			end := complexEnd(s, i)
			f.blank, f.out = before.blank, f.out[:len(before.out)]
			for _, r := range foldWhole(s[last:end]) {
				f.add(r)
			}
			i, last, before = end, end, f
			continue
		}
		last, before = i, f
		f.add(r)
		i += n
	}
	return string(f.out)
}

// folding is a text that is made comparable.
type folding struct {
	out   []byte
	blank bool // the last of it is one
}

// add takes a rune that is folded already or simple.
func (f *folding) add(r rune) {
	switch {
	case r >= 'a' && r <= 'z':
		f.out = append(f.out, byte(r))
	case r == ' ' || r >= '\t' && r <= '\r' || r >= utf8.RuneSelf && unicode.IsSpace(r):
		if !f.blank {
			f.out = append(f.out, ' ')
		}
		f.blank = true
		return
	case r < utf8.RuneSelf:
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		f.out = append(f.out, byte(r))
	case r == 'ß':
		f.out = append(f.out, "ss"...)
	case r == 'İ' || r == 'ı':
		f.out = append(f.out, 'i')
	case simple(r):
		f.out = utf8.AppendRune(f.out, unicode.ToLower(r))
	default:
		f.out = utf8.AppendRune(f.out, r)
	}
	f.blank = false
}

// simple reports whether a rune is in NFC wherever it is, changes none before it, and is
// folded by itself: ASCII, most letters of Latin and Cyrillic, and what has no case of
// Chinese and Japanese.
func simple(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return true
	case r <= 'ž':
		return r >= '\u00A0' && r != '\u00AD' && r != 'µ' && r != 'ŉ'
	case r <= '\u047F':
		return r >= '\u0400'
	case r <= '\u2027':
		return r >= '\u2010'
	case r <= '\u3096':
		return r >= '\u3041'
	}
	return r >= '\u30A1' && r <= '\u30FA' || r >= '\u4E00' && r <= '\u9FFF'
}

// complexEnd finds the end of a stretch that is folded as a whole: it ends between two
// simple runes, behind several, so that a text of many stretches does not take longer.
func complexEnd(s string, i int) int {
	const several = 16
	count, at := 0, i
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		at = i
		if i += n; !simple(r) {
			count = 0
		} else if count++; count == several {
			return at
		}
	}
	return len(s)
}

// foldWhole folds case, and writes accents in one way.
func foldWhole(s string) string {
	s = strings.Map(unseen, norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")))
	return norm.NFC.String(cases.Fold().String(s))
}

// unseen takes out what nobody sees, and makes one letter of the Turkish ones.
func unseen(r rune) rune {
	switch {
	case r == '\u00AD', r == '\u200B', r == '\u2060', r == '\uFEFF',
		r == '\u061C', r == '\u200E', r == '\u200F', r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069':
		return -1
	case r == 'İ', r == 'ı':
		return 'i'
	}
	return r
}

// HTMLText takes the tags out of HTML, well enough to look for words in it. It goes
// forward only: what is not closed is looked for once. A "<" that begins no tag is a
// text, as in browsers (HTML, 13.2.5.6).
func HTMLText(s string) string {
	var b strings.Builder
	unclosed := [3]bool{}
	for {
		text, rest, ok := strings.Cut(s, "<")
		b.WriteString(text)
		if !ok {
			break
		}
		if s = rest; !beginsTag(rest) {
			b.WriteByte('<')
			continue
		}
		for i, skip := range [3][2]string{{"!--", "-->"}, {"style", "</style"}, {"script", "</script"}} {
			if unclosed[i] || len(rest) < len(skip[0]) || !strings.EqualFold(rest[:len(skip[0])], skip[0]) {
				continue
			}
			if end := indexFold(rest[1:], skip[1]); end >= 0 { // <!--> is a comment
				s = rest[1+end+2:]
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

// beginsTag reports whether what stands behind a "<" makes a tag of it, or a comment.
func beginsTag(s string) bool {
	if s == "" {
		return false
	}
	c := s[0] | 0x20
	return c >= 'a' && c <= 'z' || s[0] == '/' || s[0] == '!' || s[0] == '?'
}

// indexFold finds the end of something, of which the first two bytes have no case.
func indexFold(s, end string) int {
	for at := 0; ; at++ {
		i := strings.Index(s[at:], end[:2])
		if i < 0 || len(s)-at-i < len(end) {
			return -1
		}
		if at += i; strings.EqualFold(s[at:at+len(end)], end) {
			return at
		}
	}
}

// inlineTag tells of a tag that does not part words.
func inlineTag(tag string) bool {
	tag = strings.TrimPrefix(tag, "/")
	end := strings.IndexFunc(tag, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if end < 0 {
		return false
	}
	switch strings.ToLower(tag[:end]) {
	case "b", "i", "u", "em", "strong", "span", "font", "a", "small", "big", "sub", "sup", "mark", "wbr", "ins", "del", "s", "strike", "code", "abbr":
		return true
	}
	return false
}
