package console

import (
	"strings"

	"keepwatch"
)

// table sets rows in columns; where they are too wide each row becomes a record
// of its own.
func (s style) table(t keepwatch.Table) []string {
	cols := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i := range min(len(row), len(cols)) {
			cols[i] = max(cols[i], width(clean(row[i])))
		}
	}
	total, last := 0, len(cols)-1
	for i, w := range cols {
		if i < last {
			total += w + 2
		}
	}
	if last < 0 || (s.width > 0 && total+min(cols[last], max(s.width/3, 16)) > s.width) {
		return s.records(t)
	}
	var lines []string
	line := func(row []string, code string) {
		head := ""
		for i := range last {
			cell := ""
			if i < len(row) {
				cell = clean(row[i])
			}
			head += cell + strings.Repeat(" ", cols[i]-width(cell)+2)
		}
		tail := ""
		if last < len(row) {
			tail = clean(row[last])
		}
		for i, part := range s.column(tail, total) {
			if i > 0 {
				head = strings.Repeat(" ", total)
			}
			lines = append(lines, s.paint(code, strings.TrimRight(head+part, " ")))
		}
	}
	line(t.Head, faint)
	for _, row := range t.Rows {
		line(row, "")
	}
	return lines
}

// records writes each row as its first cell and, below it, the others by name.
func (s style) records(t keepwatch.Table) []string {
	var lines []string
	inner := s
	if s.width > 0 {
		inner.width = max(s.width-2, 6)
	}
	for _, row := range t.Rows {
		for i, cell := range row {
			cell = clean(cell)
			switch {
			case cell == "":
			case i == 0:
				for _, l := range s.wrap(cell, 2) {
					lines = append(lines, s.paint(bold, l))
				}
			case i >= len(t.Head) || t.Head[i] == "":
				for _, l := range inner.wrap(cell, 2) {
					lines = append(lines, "  "+l)
				}
			default:
				for _, l := range inner.wrap(clean(t.Head[i])+": "+cell, 2) {
					lines = append(lines, "  "+l)
				}
			}
		}
	}
	return lines
}
