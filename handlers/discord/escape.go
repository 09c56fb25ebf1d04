package discord

import (
	"strings"
	"unicode/utf16"

	"keepwatch"
)

// size is the length that Discord counts: no fewer than its characters. UTF-16
// units are counted, because some of its limits are checked in clients that do.
func size(s string) int {
	n := 0
	for _, c := range s {
		n += utf16.RuneLen(c)
	}
	return n
}

// cut shortens a plain text to at most n, and marks it.
func cut(s string, n int) string {
	if size(s) <= n {
		return s
	}
	used := 0
	for i, c := range s {
		if used += utf16.RuneLen(c); used > n-1 {
			return strings.TrimRight(s[:i], " \n") + "…"
		}
	}
	return s
}

// escape makes markdown that shows a plain text as it stands: it formats
// nothing, links nothing, mentions nobody. Discord takes a backslash before any
// character that is no letter, digit or blank (support article "Markdown Text
// 101"; the reference of message formatting lists what begins with "<").
func escape(text string) string {
	text = keepwatch.Clean(text)
	var b strings.Builder
	begin := true // nothing but blanks so far in this line
	digits := false
	for i, c := range text {
		switch {
		case strings.ContainsRune("\\*_~`|<[]", c):
			b.WriteByte('\\')
		case begin && strings.ContainsRune("#>-+", c), digits && (c == '.' || c == ')'):
			b.WriteByte('\\')
		case c == '/' && strings.HasSuffix(text[:i], ":"): // https:// makes a link by itself
			b.WriteByte('\\')
		}
		b.WriteRune(c)
		if c == '@' && (strings.HasPrefix(text[i+1:], "everyone") || strings.HasPrefix(text[i+1:], "here")) {
			b.WriteRune('\u200b') // allowed_mentions keeps it from pinging; this keeps it from looking so
		}
		digit := c >= '0' && c <= '9'
		digits = digit && (begin || digits)
		begin = c == '\n' || begin && c == ' '
	}
	return b.String()
}

// fence makes a block of literal text. Backticks in it cannot end it.
func fence(text string) string {
	text = strings.ReplaceAll(keepwatch.Clean(text), "```", "`\u200b`\u200b`")
	return "```\n" + text + "\n```"
}
