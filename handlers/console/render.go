package console

import (
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// style is how messages look: in colour with a bar at the left on a terminal,
// as plain lines elsewhere.
type style struct {
	width  int  // columns; 0: lines are not broken
	first  int  // how many buttons are numbered before those of this message
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
	for i := range body {
		body[i] = prefix + body[i]
	}
	for _, b := range m.Blocks {
		before := prefix
		if b.Code != "" {
			before = "" // so that a line that is copied is the command alone
		}
		for _, l := range inner.block(b) {
			body = append(body, before+l)
		}
	}
	for _, l := range inner.buttons(numbered(m)) {
		body = append(body, prefix+l)
	}
	for i := range body {
		body[i] = strings.TrimRight(body[i], " ")
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

// fewOptions is how many options of a menu are shown as buttons; where there are
// more, Tab completes.
const fewOptions = 8

// numbered gives what a number presses: the buttons, and the options of short menus.
func numbered(m keepwatch.Message) []keepwatch.Button {
	all := m.Buttons
	for _, menu := range m.Menus {
		if len(menu.Options) > fewOptions {
			continue
		}
		for _, o := range menu.Options {
			o.Label = strings.TrimSuffix(menu.Label, "…") + ": " + o.Label
			all = append(all[:len(all):len(all)], o)
		}
	}
	return all
}

// buttons numbers the buttons, and says what each does.
func (s style) buttons(buttons []keepwatch.Button) []string {
	if len(buttons) == 0 {
		return nil
	}
	if !s.bar { // for those who read a log
		var lines []string
		for i, b := range buttons {
			lines = append(lines, fmt.Sprintf("  %d) %s: %s", s.first+i+1, clean(b.Label), clean(lineOf(b))))
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
		cells = append(cells, s.paint("\x1b[36m", fmt.Sprintf("[%d]", s.first+i+1))+" "+label)
	}
	lines, line, used := []string{}, "", 0
	for i, cell := range cells {
		w := width(fmt.Sprintf("[%d] ", s.first+i+1) + clean(buttons[i].Label))
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

// value writes a field's value; a time in the reader's zone and as how long ago
// it is, or in how long it will be.
func (s style) value(f keepwatch.Field) string {
	if f.Time.IsZero() {
		return clean(f.Value)
	}
	now := s.now()
	form := "2 Jan 15:04"
	if f.Time.In(s.loc).Year() != now.In(s.loc).Year() {
		form = "2 Jan 2006 15:04"
	}
	text := f.Time.In(s.loc).Format(form)
	switch d := now.Sub(f.Time); {
	case d <= -time.Minute:
		return text + ", in " + keepwatch.FormatDuration(-d.Truncate(time.Minute))
	case d < -30*time.Second: // clocks differ a little
		return text + ", in less than a minute"
	case d < time.Minute:
		return text + ", just now"
	default:
		return text + ", " + keepwatch.FormatDuration(d.Truncate(time.Minute)) + " ago"
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
