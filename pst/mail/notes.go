package mail

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// notes is what was out of order in a mail. Each is told once.
type notes struct {
	list []string
	lost bool // something would be lost without the mail as it came
}

func (n *notes) add(s string) {
	if len(n.list) < 50 && !slices.Contains(n.list, s) {
		n.list = append(n.list, s)
	}
}

func (n *notes) lose(s string) {
	n.add(s)
	n.lost = true
}

// clean makes a text of one line: no control characters, no ends of lines, no more
// than one space in their place. A name with CR LF in it cannot make a header.
func clean(s string) string {
	if !strings.ContainsFunc(s, control) {
		return strings.TrimSpace(s)
	}
	s = strings.Map(func(r rune) rune {
		if control(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// control tells which characters a line of text must not have: C0, C1, and the line
// and paragraph separators.
func control(r rune) bool {
	return r < ' ' || r >= 0x7F && r < 0xA0 || r == 0x2028 || r == 0x2029
}

// clip cuts a text to a number of bytes, at the end of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// clip16 cuts a text to a number of UTF-16 units, which is how Outlook counts.
func clip16(s string, n int) string {
	units := 0
	for i, r := range s {
		units++
		if r > 0xFFFF {
			units++
		}
		if units > n {
			return s[:i]
		}
	}
	return s
}
