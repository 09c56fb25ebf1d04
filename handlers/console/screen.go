package console

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// screen draws the foot of a terminal: a few rows that change in place, above
// which everything else scrolls away. Each change is one write, so that nothing
// flickers, and nothing is drawn that stands there already.
//
// It uses five control sequences (cursor up and right, erase line and display,
// and colour), which every terminal since the VT100 has.
type screen struct {
	out   io.Writer
	size  func() (columns, rows int)
	drawn foot
	width int // of the terminal when it was drawn
	err   error
}

// foot is what stands at the foot of the terminal. Rows have no control sequence
// but colours, and are narrower than the terminal, so that nothing wraps.
type foot struct {
	rows     []string
	row, col int // of the cursor
}

// draw writes lines, which scroll away, and below them the foot that is built for
// the size that the terminal has now.
func (s *screen) draw(lines []string, build func(columns, rows int) foot) {
	columns, rows := s.size()
	next := foot{}
	if build != nil {
		next = build(columns, rows)
	}
	same := columns == s.width && s.drawn.row == next.row && s.drawn.col == next.col && slices.Equal(s.drawn.rows, next.rows)
	if same && len(lines) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("\r")
	move(&b, s.above(columns), 'A')
	if len(lines) > 0 {
		b.WriteString("\x1b[J")
		for _, l := range lines {
			b.WriteString(l + "\r\n")
		}
	}
	for i, row := range next.rows {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(row + "\x1b[K")
	}
	b.WriteString("\x1b[J\r")
	move(&b, max(len(next.rows)-1-next.row, 0), 'A')
	move(&b, next.col, 'C')
	s.drawn, s.width = next, columns
	if s.err == nil {
		_, s.err = io.WriteString(s.out, b.String())
	}
}

// above gives how many rows the cursor is below the first one of the foot. A
// terminal that has become narrower has broken them anew.
func (s *screen) above(columns int) int {
	n := 0
	for _, row := range s.drawn.rows[:min(s.drawn.row, len(s.drawn.rows))] {
		n += max(1, (shownWidth(row)+columns-1)/columns)
	}
	return n + s.drawn.col/columns
}

// clear forgets the foot after the terminal was emptied.
func (s *screen) clear() {
	s.drawn, s.width = foot{}, 0
	if s.err == nil {
		_, s.err = io.WriteString(s.out, "\x1b[H\x1b[2J")
	}
}

func move(b *strings.Builder, n int, direction byte) {
	if n > 0 {
		fmt.Fprintf(b, "\x1b[%d%c", n, direction)
	}
}

// shownWidth is the width of a text that has colours in it.
func shownWidth(text string) int {
	var b strings.Builder
	for {
		head, tail, found := strings.Cut(text, "\x1b[")
		b.WriteString(head)
		if !found {
			return width(b.String())
		}
		_, text, _ = strings.Cut(tail, "m")
	}
}
