package console

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// vt is a terminal for tests: it keeps what was written, as a person would see
// it, and notes each control sequence that it does not know. Narrower, it breaks
// lines anew, as most terminals do.
type vt struct {
	w, h     int
	lines    [][]string // cells; the second one of a wide character is ""
	wrapped  []bool     // the line goes on in the next one
	row, col int        // col may be w: the next character wraps
	rest     string     // a sequence that is not all there
	unknown  []string
	colours  int // how many were set
}

func newVT(w, h int) *vt { return &vt{w: w, h: h, lines: [][]string{nil}, wrapped: []bool{false}} }

func (v *vt) Write(p []byte) (int, error) {
	text := v.rest + string(p)
	v.rest = ""
	for text != "" {
		n := v.step(text)
		if n == 0 {
			v.rest = text
			break
		}
		text = text[n:]
	}
	return len(p), nil
}

func (v *vt) step(text string) int {
	switch c := text[0]; {
	case c == '\r':
		v.col = 0
		return 1
	case c == '\n':
		v.down()
		return 1
	case c == 0x1b:
		return v.sequence(text)
	case c < 0x20 || c == 0x7f:
		v.unknown = append(v.unknown, fmt.Sprintf("%q", c))
		return 1
	case !utf8.FullRuneInString(text):
		return 0
	}
	end := strings.IndexFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f })
	if end < 0 {
		end = len(text)
	}
	cluster, _, w, _ := uniseg.FirstGraphemeClusterInString(text[:end], -1)
	if clean(cluster) != cluster {
		v.unknown = append(v.unknown, fmt.Sprintf("%q", cluster))
	}
	v.put(cluster, w)
	return len(cluster)
}

func (v *vt) sequence(text string) int {
	end := strings.IndexFunc(text[min(2, len(text)):], func(r rune) bool { return r >= 0x40 && r <= 0x7e })
	if len(text) < 2 || end < 0 {
		return 0
	}
	params, final := text[2:2+end], text[2+end]
	n := 1
	_, _ = fmt.Sscanf(params, "%d", &n)
	switch {
	case text[1] == '[' && final == 'A':
		v.row, v.col = max(v.row-n, len(v.lines)-v.h, 0), min(v.col, v.w-1)
	case text[1] == '[' && final == 'C':
		v.col = min(v.col+n, v.w-1)
	case text[1] == '[' && final == 'K' && params == "":
		v.erase(v.row)
	case text[1] == '[' && final == 'J' && params == "":
		v.erase(v.row)
		v.lines, v.wrapped = v.lines[:v.row+1], v.wrapped[:v.row+1]
	case text[1] == '[' && final == 'H' && params == "":
		v.row, v.col = max(len(v.lines)-v.h, 0), 0
	case text[1] == '[' && final == 'J' && params == "2":
	case text[1] == '[' && final == 'm':
		v.colours++
	case text[1] == '[' && (final == 'h' || final == 'l') && params == "?2004":
	default:
		v.unknown = append(v.unknown, fmt.Sprintf("%q", text[:3+end]))
	}
	return 3 + end
}

func (v *vt) erase(row int) {
	v.lines[row] = v.lines[row][:min(v.col, len(v.lines[row]))]
	v.wrapped[row] = false
}

func (v *vt) down() {
	v.row++
	if v.row == len(v.lines) {
		v.lines, v.wrapped = append(v.lines, nil), append(v.wrapped, false)
	}
}

func (v *vt) put(cluster string, w int) {
	if w == 0 {
		return
	}
	if v.col+w > v.w {
		v.wrapped[v.row] = true
		v.down()
		v.col = 0
	}
	line := v.lines[v.row]
	for len(line) < v.col+w {
		line = append(line, " ")
	}
	line[v.col] = cluster
	if w == 2 {
		line[v.col+1] = ""
	}
	v.lines[v.row] = line
	v.col += w
}

// resize gives the terminal another size; lines that do not fit are broken, and
// those that were broken are joined.
func (v *vt) resize(w, h int) {
	next := newVT(w, h)
	row, col := 0, 0
	for i, line := range v.lines {
		for j, cell := range line {
			if i == v.row && j == min(v.col, v.w-1) {
				row, col = next.row, next.col
			}
			if cell != "" {
				next.put(cell, uniseg.StringWidth(cell))
			}
		}
		if i == v.row && v.col >= len(line) {
			row, col = next.row+(next.col+v.col-len(line))/w, (next.col+v.col-len(line))%w
		}
		if !v.wrapped[i] && i < len(v.lines)-1 {
			next.down()
			next.col = 0
		}
	}
	for row >= len(next.lines) {
		next.lines, next.wrapped = append(next.lines, nil), append(next.wrapped, false)
	}
	next.row, next.col = row, col
	next.unknown, next.colours, next.rest = v.unknown, v.colours, v.rest
	*v = *next
}

// String gives what is on the terminal, and what has scrolled away, with the
// cursor as "|".
func (v *vt) String() string {
	var b strings.Builder
	for i, line := range v.lines {
		text := strings.Join(line, "")
		if i == v.row {
			var before strings.Builder
			for j := range min(v.col, v.w-1) {
				if j < len(line) {
					before.WriteString(line[j])
				} else {
					before.WriteString(" ")
				}
			}
			text = before.String() + "|" + strings.TrimPrefix(text, before.String())
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return b.String()
}
