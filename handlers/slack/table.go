package slack

import (
	"strings"

	"github.com/rivo/uniseg"
	"github.com/slack-go/slack"

	"keepwatch"
)

// table sets rows in columns where they fit beside each other on a phone, and as
// records otherwise: Slack breaks preformatted lines that are too long, and its
// own table block is one a message and is pushed from side to side on a phone.
func (b *builder) table(t keepwatch.Table) {
	head, rows := cells(t.Head), make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = cells(row)
	}
	if lines, ok := columns(head, rows); ok {
		b.lines(lines, len(head) > 0)
		return
	}
	b.records(head, rows)
}

func cells(row []string) []string {
	out := make([]string, len(row))
	for i, c := range row {
		out[i] = clip(line(c), maxSection/4)
	}
	return out
}

// columns sets rows below each other, and reports false where they are too wide.
func columns(head []string, rows [][]string) (lines []string, ok bool) {
	var widths []int
	for _, row := range append([][]string{head}, rows...) {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(c))
		}
	}
	total := -2
	for _, w := range widths {
		total += w + 2
	}
	if total > phone {
		return nil, false
	}
	for _, row := range append([][]string{head}, rows...) {
		var l strings.Builder
		for i, c := range row {
			l.WriteString(c + strings.Repeat(" ", widths[i]-uniseg.StringWidth(c)+2))
		}
		lines = append(lines, strings.TrimRight(l.String(), " "))
	}
	return lines, true
}

// lines puts the lines of a table into preformatted blocks, each with its head.
func (b *builder) lines(lines []string, headed bool) {
	head, rows := lines[0], lines[1:]
	if !headed {
		head = ""
	}
	for len(rows) > 0 {
		text, n := head, 0
		for n < len(rows) && length(text)+1+length(rows[n]) <= min(maxSection, b.left) {
			text += "\n" + rows[n]
			n++
		}
		text = strings.TrimPrefix(text, "\n")
		if n > 0 && blankText(text) {
			rows = rows[n:]
			continue
		}
		if n == 0 || !b.add(rich(preformatted(text)), length(text)) {
			b.rows += len(rows)
			return
		}
		rows = rows[n:]
	}
}

// records writes each row as its first cell and, below it, the others by name.
func (b *builder) records(head []string, rows [][]string) {
	for len(rows) > 0 {
		var sections []slack.RichTextElement
		n, used := 0, 0
		for n < len(rows) {
			section, size := record(head, rows[n])
			if used+size > min(maxSection, b.left) {
				break
			}
			n++
			if used += size; section != nil {
				sections = append(sections, section)
			}
		}
		if len(sections) == 0 && n > 0 {
			rows = rows[n:]
			continue
		}
		if n == 0 || !b.add(rich(sections...), used) {
			b.rows += len(rows)
			return
		}
		rows = rows[n:]
	}
}

// record gives one row, and how long it is.
func record(head, row []string) (section slack.RichTextElement, size int) {
	first, rest := "", []string{}
	for i, c := range row {
		name := ""
		if i < len(head) {
			name = head[i]
		}
		switch {
		case c == "":
		case i == 0 && strings.Trim(c, "0123456789") == "" && name != "":
			first = name + " " + c // "Run 42": a bare number says little
		case i == 0:
			first = c
		case name == "":
			rest = append(rest, c)
		default:
			rest = append(rest, name+": "+c)
		}
	}
	if first == "" && len(rest) == 0 {
		return nil, 0
	}
	const most = maxSection - 1
	first = clip(first, most/3)
	text := clip(strings.Join(rest, " · "), most/2)
	var elements []slack.RichTextSectionElement
	if first != "" {
		elements = append(elements, bold(first))
	}
	if text != "" {
		if first != "" {
			text = "\n" + text
		}
		elements = append(elements, literal(text))
	}
	elements = append(elements, literal("\n"))
	return slack.NewRichTextSection(elements...), length(first) + length(text) + 1
}
