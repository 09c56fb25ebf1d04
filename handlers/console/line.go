package console

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// line is the line being typed. The cursor stands between grapheme clusters, so
// that a letter with its accent, or a family of emoji, is one step.
type line struct {
	text   string
	at     int    // the cursor, in bytes
	killed string // what Ctrl-Y brings back
}

// set replaces the whole line and goes to its end.
func (l *line) set(text string) { l.text, l.at = text, len(text) }

// insert types a text at the cursor. It reports false, and does nothing, where
// the line would become longer than a line may be.
func (l *line) insert(text string) bool {
	if len(l.text)+len(text) > maxLine {
		return false
	}
	l.text = l.text[:l.at] + text + l.text[l.at:]
	l.at += len(text)
	return true
}

// before gives the start of the cluster before the cursor.
func (l *line) before() int {
	start := 0
	for rest, state := l.text[:l.at], -1; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		start = l.at - len(rest) - len(cluster)
	}
	return start
}

// after gives the end of the cluster behind the cursor.
func (l *line) after() int {
	cluster, _, _, _ := uniseg.FirstGraphemeClusterInString(l.text[l.at:], -1)
	return l.at + len(cluster)
}

// wordBefore gives the start of the word before the cursor.
func (l *line) wordBefore() int {
	return strings.LastIndexByte(strings.TrimRight(l.text[:l.at], " "), ' ') + 1
}

// wordAfter gives the end of the word behind the cursor.
func (l *line) wordAfter() int {
	rest := l.text[l.at:]
	blanks := len(rest) - len(strings.TrimLeft(rest, " "))
	if n := strings.IndexByte(rest[blanks:], ' '); n >= 0 {
		return l.at + blanks + n
	}
	return len(l.text)
}

// cut removes what is between two places, and goes there.
func (l *line) cut(from, to int) {
	l.text = l.text[:from] + l.text[to:]
	l.at = from
}

// kill is a cut that Ctrl-Y undoes.
func (l *line) kill(from, to int) {
	if from < to {
		l.killed = l.text[from:to]
	}
	l.cut(from, to)
}

// edit carries out the keys that only move or change the line; it reports
// whether this was one.
func (l *line) edit(c code) bool {
	switch c {
	case keyLeft:
		l.at = l.before()
	case keyRight:
		l.at = l.after()
	case keyWordLeft:
		l.at = l.wordBefore()
	case keyWordRight:
		l.at = l.wordAfter()
	case keyHome:
		l.at = 0
	case keyLast:
		l.at = len(l.text)
	case keyBackspace:
		l.cut(l.before(), l.at)
	case keyDelete:
		l.cut(l.at, l.after())
	case keyKillWord:
		l.kill(l.wordBefore(), l.at)
	case keyKillNextWord:
		l.kill(l.at, l.wordAfter())
	case keyKillBefore:
		l.kill(0, l.at)
	case keyKillAfter:
		l.kill(l.at, len(l.text))
	case keyYank:
		l.insert(l.killed)
	default:
		return false
	}
	return true
}

// typeable makes a text fit to be in a line: a tab is a blank, other control
// characters are left out.
func typeable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
}

// lay breaks the prompt and the line into rows of at most width columns, and
// gives the row and the column of the cursor.
func (l *line) lay(prompt string, columns int) (rows []string, row, col int) {
	var b strings.Builder
	b.WriteString(prompt)
	used, at := width(prompt), 0
	for rest := l.text; rest != ""; {
		c, _ := cell(rest)
		rest = rest[len(c):]
		shown := clean(c)
		for shown != "" { // an escaped character may need more than one row
			head, tail := cut(shown, max(columns-used, 0))
			if w := width(head); used > 0 && used+w > columns {
				rows = append(rows, b.String())
				b.Reset()
				used = 0
				continue
			}
			if at == l.at && len(shown) == len(clean(c)) {
				row, col = len(rows), used
			}
			b.WriteString(head)
			used, shown = used+width(head), tail
		}
		at += len(c)
	}
	if l.at == len(l.text) {
		row, col = len(rows), used
	}
	return append(rows, b.String()), row, col
}
