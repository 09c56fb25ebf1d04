package console

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"keepwatch"
)

// wrap breaks a text at blanks into lines that fit; what follows the first is
// indented. A word that is longer than a line is broken.
func (s style) wrap(text string, indent int) []string {
	if s.width <= 0 || fits(text, s.width) {
		return []string{text}
	}
	var lines []string
	line, used := "", 0
	pad := strings.Repeat(" ", min(indent, max(s.width-6, 0)))
	flush := func() {
		lines = append(lines, strings.TrimRight(line, " "))
		line, used = pad, len(pad)
	}
	for _, word := range words(text) {
		bare := strings.TrimRight(word, " ")
		if used > len(pad) && !fits(bare, s.width-used) {
			flush()
		}
		for !fits(bare, s.width-used) { // longer than a line
			head, tail := cut(bare, max(s.width-used, 1))
			line += head
			flush()
			word = word[len(head):]
			bare = tail
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

// words splits a text after its blanks; a figure stays with its unit.
func words(text string) []string {
	all := strings.SplitAfter(text, " ")
	var kept []string
	for _, w := range all {
		if n := len(kept); n > 0 && isUnit(w) && isFigure(kept[n-1]) {
			kept[n-1] += w
			continue
		}
		kept = append(kept, w)
	}
	return kept
}

func isFigure(word string) bool {
	word = strings.TrimLeft(word, "(")
	return strings.HasSuffix(word, " ") && strings.Trim(word, "0123456789., ") == ""
}

func isUnit(word string) bool {
	switch strings.TrimRight(word, " .,;:)") {
	case "B", "KiB", "MiB", "GiB", "TiB", "PiB", "B/s", "KiB/s", "MiB/s", "GiB/s", "%", "s", "min", "h", "d":
		return true
	}
	return false
}

// cut splits a text after at most w columns, between cells, and after at least
// one of them.
func cut(text string, w int) (head, tail string) {
	end, used := 0, 0
	for rest := text; rest != ""; {
		c, columns := cell(rest)
		if used += columns; used > w && end > 0 {
			break
		}
		end += len(c)
		rest = rest[len(c):]
	}
	return text[:end], text[end:]
}

// mostCell bounds what is looked at for one cell, in bytes; the longest emoji
// have about forty.
const mostCell = 256

// cell gives what stands together at the start of a text, and its width: a grapheme
// cluster, or, of a cluster of more than the two columns of an emoji or an
// ideograph, its first character. (Marks that go before a letter, one after the
// other, are a single cluster of any width and length.)
func cell(text string) (first string, columns int) {
	window := text
	if len(window) > mostCell {
		window = window[:mostCell]
		for len(window) > mostCell-utf8.UTFMax && !utf8.RuneStart(text[len(window)]) {
			window = window[:len(window)-1]
		}
	}
	first, _, columns, _ = uniseg.FirstGraphemeClusterInString(window, -1)
	if columns > 2 {
		_, n := utf8.DecodeRuneInString(first)
		first = first[:n]
		columns = uniseg.StringWidth(first)
	}
	return first, columns
}

// width gives the columns of a text.
func width(text string) int {
	used := 0
	for text != "" {
		c, columns := cell(text)
		used += columns
		text = text[len(c):]
	}
	return used
}

// fits reports whether a text has at most w columns; it looks no further than that.
func fits(text string, w int) bool {
	for used := 0; text != ""; {
		c, columns := cell(text)
		if used += columns; used > w {
			return false
		}
		text = text[len(c):]
	}
	return true
}

// truncate shortens a text to w columns; what is left out is marked.
func truncate(text string, w int) string {
	if fits(text, w) {
		return text
	}
	if w < 1 {
		return ""
	}
	head, _ := cut(text, w-1)
	if width(head) > w-1 {
		head = ""
	}
	return head + "…"
}

// clean is what a person may be shown of a text in one line.
func clean(text string) string {
	return strings.ReplaceAll(keepwatch.Clean(text), "\n", `\x0a`)
}
