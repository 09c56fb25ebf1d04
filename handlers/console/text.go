package console

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// wrap breaks a text at blanks into lines that fit; what follows the first is
// indented. A word that is longer than a line is broken.
func (s style) wrap(text string, indent int) []string {
	if s.width <= 0 || width(text) <= s.width {
		return []string{text}
	}
	var lines []string
	line, used := "", 0
	pad := strings.Repeat(" ", min(indent, max(s.width-6, 0)))
	flush := func() {
		lines = append(lines, strings.TrimRight(line, " "))
		line, used = pad, len(pad)
	}
	for _, word := range strings.SplitAfter(text, " ") {
		w := width(strings.TrimRight(word, " "))
		if used > len(pad) && used+w > s.width {
			flush()
		}
		for w > s.width-used { // longer than a line
			head, tail := cut(word, max(s.width-used, 1))
			line += head
			flush()
			word, w = tail, width(strings.TrimRight(tail, " "))
		}
		line, used = line+word, used+width(word)
	}
	if strings.TrimSpace(line) != "" {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// column breaks a text for what is left of the width.
func (s style) column(text string, taken int) []string {
	if s.width == 0 {
		return []string{text}
	}
	s.width -= taken
	return s.wrap(text, 0)
}

// cut splits a text after at most w columns, between grapheme clusters, and
// after at least one of them.
func cut(text string, w int) (head, tail string) {
	g := uniseg.NewGraphemes(text)
	end, used := 0, 0
	for g.Next() {
		if used += g.Width(); used > w && end > 0 {
			break
		}
		_, end = g.Positions()
	}
	return text[:end], text[end:]
}

func width(text string) int { return uniseg.StringWidth(text) }

// clean makes control characters, and those that turn the direction of text,
// visible, so that no file name can move the cursor or hide what follows.
func clean(text string) string {
	if strings.IndexFunc(text, hidden) < 0 && strings.ToValidUTF8(text, "") == text {
		return text
	}
	var b strings.Builder
	for i, c := range text {
		switch {
		case c == '\t':
			b.WriteString("  ")
		case c == unicode.ReplacementChar && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case hidden(c) && c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		case hidden(c):
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// hidden: C0, C1, line separators, and the bidirectional controls of Unicode
// UAX 9.
func hidden(c rune) bool {
	return unicode.IsControl(c) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f
}
