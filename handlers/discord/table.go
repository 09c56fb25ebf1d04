package discord

import (
	"strconv"
	"strings"

	"github.com/rivo/uniseg"

	"keepwatch"
)

// phone is how many columns of a code block a phone shows without breaking
// lines.
const phone = 40

// table writes rows: in columns where a phone shows them so, otherwise as a list
// with one entry for each row.
func (w *writer) table(t keepwatch.Table) {
	rows := make([][]string, 0, len(t.Rows)+1)
	if strings.TrimSpace(strings.Join(t.Head, "")) != "" {
		rows = append(rows, t.Head)
	}
	rows = append(rows, t.Rows...)
	widths, narrow := columns(rows)
	w.gap()
	if w.full {
		w.left = len(t.Rows)
		return
	}
	if narrow {
		w.columns(rows, widths, len(rows)-len(t.Rows))
		return
	}
	for i, row := range t.Rows {
		if !w.entry(t.Head, row) {
			w.left = len(t.Rows) - i
			return
		}
	}
}

// columns measures a table, and reports whether a phone shows it.
func columns(rows [][]string) (widths []int, narrow bool) {
	narrow = true
	for _, row := range rows {
		for i, cell := range row {
			for len(widths) <= i {
				widths = append(widths, 0)
			}
			cell = keepwatch.Clean(cell)
			narrow = narrow && !strings.Contains(cell, "\n") && !strings.Contains(cell, "```")
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	sum := 2 * max(len(widths)-1, 0)
	for _, n := range widths {
		sum += n
	}
	return widths, narrow && sum <= phone
}

// columns writes a narrow table as literal text, as many rows as have room.
func (w *writer) columns(rows [][]string, widths []int, head int) {
	var lines []string
	length := len("```\n\n```")
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			cell = keepwatch.Clean(cell)
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell)+2))
			}
		}
		line := strings.TrimRight(b.String(), " ")
		if length+size(line)+1 > min(maxDescription, w.room)-8 {
			break
		}
		length += size(line) + 1
		lines = append(lines, line)
	}
	if len(lines) > head && !w.full {
		w.line(fence(strings.Join(lines, "\n")))
	}
	if len(lines) < len(rows) {
		w.left = len(rows) - max(len(lines), head)
		w.full = true
	}
}

// entry writes a row as an entry of a list: the first cell is its name, the
// others follow with the heads of their columns.
func (w *writer) entry(head, row []string) bool {
	var name string
	var rest []string
	for i, cell := range row {
		cell = strings.Join(strings.Fields(cell), " ")
		if cell == "" {
			continue
		}
		cell = escape(cut(cell, 500))
		if _, err := strconv.ParseInt(cell, 10, 64); i == 0 && err == nil && len(head) > 0 && strings.TrimSpace(head[0]) != "" {
			cell = escape(cut(head[0], 60)) + " " + cell // a number alone names nothing: "Run 11"
		}
		switch {
		case i == 0:
			name = "**" + cell + "**"
		case i < len(head) && strings.TrimSpace(head[i]) != "":
			rest = append(rest, escape(cut(head[i], 60))+": "+cell)
		default:
			rest = append(rest, cell)
		}
	}
	text := name
	if len(rest) > 0 {
		if text != "" {
			text += "\n"
		}
		text += strings.Join(rest, " · ")
	}
	if size(text) > 1900 {
		text = name
	}
	return text == "" || w.line(text)
}
