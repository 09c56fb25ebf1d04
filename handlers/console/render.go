package console

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/rivo/uniseg"

	"keepwatch"
)

// style is how messages look: in colour with a bar at the left on a terminal,
// as plain lines elsewhere.
type style struct {
	width  int  // columns; 0: lines are not broken
	colour bool // escape sequences for colour may be used
	bar    bool // cards have a bar at their left
	loc    *time.Location
	now    func() time.Time
}

// SGR codes, ECMA-48 8.3.117. Only the eight colours that every terminal's owner
// has chosen for reading are used.
const (
	reset = "\x1b[0m"
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
)

var toneColour = [...]string{keepwatch.ToneInfo: "\x1b[36m", keepwatch.ToneGood: "\x1b[32m", keepwatch.ToneWarn: "\x1b[33m", keepwatch.ToneBad: "\x1b[31m"}
var toneMark = [...]string{keepwatch.ToneInfo: "•", keepwatch.ToneGood: "✓", keepwatch.ToneWarn: "!", keepwatch.ToneBad: "✗"}

// paint wraps text in a code, where colour is wanted.
func (s style) paint(code, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return code + text + reset
}

// render gives the lines of a message, without line ends. Nothing in the
// message can reach the terminal as a control sequence.
func (s style) render(m keepwatch.Message) []string {
	inner := s
	prefix := ""
	if s.bar {
		prefix = s.paint(toneColour[m.Tone], "▌") + " "
		if s.width > 0 {
			inner.width = max(s.width-2, 8)
		}
	}
	var body []string
	if m.Title != "" {
		for i, l := range inner.wrap(toneMark[m.Tone]+" "+clean(m.Title), 2) {
			if i == 0 {
				l = s.paint(toneColour[m.Tone], toneMark[m.Tone]) + s.paint(bold, strings.TrimPrefix(l, toneMark[m.Tone]))
			} else {
				l = s.paint(bold, l)
			}
			body = append(body, l)
		}
	}
	for _, b := range m.Blocks {
		body = append(body, inner.block(b)...)
	}
	body = append(body, inner.buttons(m.Buttons)...)
	for i := range body {
		body[i] = strings.TrimRight(prefix+body[i], " ")
	}
	return body
}

func (s style) block(b keepwatch.Block) []string {
	switch {
	case b.Text != "":
		var lines []string
		for _, l := range strings.Split(b.Text, "\n") {
			lines = append(lines, s.wrap(clean(l), 0)...)
		}
		return lines
	case b.Code != "":
		var lines []string
		for _, l := range strings.Split(b.Code, "\n") { // never broken: it is to be copied
			lines = append(lines, "  "+s.paint("\x1b[36m", clean(l)))
		}
		return lines
	case len(b.Fields) > 0:
		return s.fields(b.Fields)
	case b.Table != nil:
		return s.table(*b.Table)
	case b.Progress != nil:
		return []string{s.progress(*b.Progress, s.width)}
	}
	return nil
}

// buttons numbers the buttons, and says what each does.
func (s style) buttons(buttons []keepwatch.Button) []string {
	if len(buttons) == 0 {
		return nil
	}
	if !s.bar { // for those who read a log
		var lines []string
		for i, b := range buttons {
			lines = append(lines, fmt.Sprintf("  %d) %s: /%s", i+1, clean(b.Label), clean(b.Command)))
		}
		return lines
	}
	var cells []string
	for i, b := range buttons {
		label := clean(b.Label)
		switch b.Style {
		case keepwatch.StylePrimary:
			label = s.paint(bold, label)
		case keepwatch.StyleDanger:
			label = s.paint("\x1b[31m", label)
		}
		cells = append(cells, s.paint("\x1b[36m", fmt.Sprintf("[%d]", i+1))+" "+label)
	}
	lines, line, used := []string{}, "", 0
	for i, cell := range cells {
		w := width(fmt.Sprintf("[%d] ", i+1) + clean(buttons[i].Label))
		if line != "" && s.width > 0 && used+3+w > s.width {
			lines, line, used = append(lines, line), "", 0
		}
		if line != "" {
			line, used = line+"   ", used+3
		}
		line, used = line+cell, used+w
	}
	return append(lines, line)
}

// value writes a field's value; a time also as how long ago it is.
func (s style) value(f keepwatch.Field) string {
	if f.Time.IsZero() {
		return clean(f.Value)
	}
	text := f.Time.In(s.loc).Format("2 Jan 2006 15:04")
	switch d := s.now().Sub(f.Time); {
	case d < 0:
		return text
	case d < time.Minute:
		return text + " (just now)"
	default:
		return text + " (" + keepwatch.FormatDuration(d.Truncate(time.Minute)) + " ago)"
	}
}

// fields sets names and values in two columns, or one below the other where
// there is no room.
func (s style) fields(fields []keepwatch.Field) []string {
	left := 0
	for _, f := range fields {
		left = max(left, width(clean(f.Name)))
	}
	var lines []string
	for _, f := range fields {
		name, value := clean(f.Name), s.value(f)
		if s.width > 0 && s.width < left+20 {
			lines = append(lines, s.wrap(name+": "+value, 2)...)
			continue
		}
		for i, l := range s.column(value, left+2) {
			if i == 0 {
				l = s.paint(faint, name) + strings.Repeat(" ", left+2-width(name)) + l
			} else {
				l = strings.Repeat(" ", left+2) + l
			}
			lines = append(lines, l)
		}
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
			case i == 0 || i >= len(t.Head) || t.Head[i] == "":
				lines = append(lines, s.wrap(cell, 2)...)
			default:
				for _, l := range inner.wrap(t.Head[i]+": "+cell, 2) {
					lines = append(lines, "  "+l)
				}
			}
		}
	}
	return lines
}

// progress writes a bar with what is known: part, amount, rate, time left. It
// fits into width columns, by leaving out the least important first.
func (s style) progress(p keepwatch.Progress, width int) string {
	var parts []string
	f, known := p.Fraction()
	if known {
		parts = append(parts, fmt.Sprintf("%3d %%", int(f*100)))
	}
	switch {
	case p.TotalBytes > 0:
		parts = append(parts, keepwatch.FormatBytes(p.Bytes)+" of "+keepwatch.FormatBytes(p.TotalBytes))
	case p.Bytes > 0:
		parts = append(parts, keepwatch.FormatBytes(p.Bytes))
	case p.Items > 0:
		parts = append(parts, keepwatch.FormatCount(p.Items, "item"))
	}
	if r := p.Rate(); r > 0 {
		parts = append(parts, keepwatch.FormatBytes(int64(r))+"/s")
	}
	if left, ok := p.Left(); ok {
		parts = append(parts, keepwatch.FormatDuration(left)+" left")
	}
	if len(parts) == 0 {
		return "…"
	}
	text := strings.Join(parts, ", ")
	for width > 0 && len(parts) > 1 && uniseg.StringWidth(text) > width {
		if n := len(parts); n >= 3 && known { // the time left says more than the amount
			parts = append(parts[:1], parts[2:]...)
		} else {
			parts = parts[:n-1]
		}
		text = strings.Join(parts, ", ")
	}
	room := min(width-uniseg.StringWidth(text)-1, 30)
	if !known || room < 6 {
		return text
	}
	full := int(f * float64(room))
	return s.paint("\x1b[36m", strings.Repeat("█", full)) + s.paint(faint, strings.Repeat("░", room-full)) + " " + text
}

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
