package console

import (
	"strings"

	"keepwatch"
	"keepwatch/handlers"
)

// menu is what a word may be completed to, below the prompt. It goes with the
// next key that is no tab.
type menu struct {
	found []handlers.Candidate
	pick  int // the one that is in the line; -1: none yet
	start int // of the word
	rest  string
}

// tab completes the word before the cursor as far as all candidates agree, and
// shows them where they do not; further tabs go through them, Shift-Tab back.
func (s *session) tab(c code) {
	if m := s.menu; m != nil {
		step := 1
		if c == keyBackTab {
			step = len(m.found) - 1
			if m.pick < 0 {
				step = len(m.found)
			}
		}
		m.pick = (m.pick + step) % len(m.found)
		s.take(m, m.found[m.pick].Text)
		return
	}
	found := s.c.cfg.Chat.Complete(s.ctx, s.c.request(s.line.text), s.line.at)
	if len(found) == 0 {
		return
	}
	head := s.line.text[:s.line.at]
	m := &menu{found: found, pick: -1, start: handlers.WordStart(head), rest: s.line.text[s.line.at:]}
	text := agreed(found)
	if len(found) == 1 {
		if found[0].Space && !strings.HasPrefix(m.rest, " ") {
			text += " "
		}
		s.take(m, text)
		return
	}
	s.menu = m
	if len(text) > len(head)-m.start {
		s.take(m, text)
	}
}

// take puts a text in the place of the word.
func (s *session) take(m *menu, text string) {
	line := s.line.text[:m.start] + typeable(text)
	s.line.text, s.line.at = line+m.rest, len(line)
}

// agreed gives what all candidates begin with.
func agreed(found []handlers.Candidate) string {
	common := found[0].Text
	for _, f := range found[1:] {
		for !strings.HasPrefix(f.Text, common) {
			common = common[:len(common)-1]
		}
	}
	return strings.ToValidUTF8(common, "")
}

// rows draws the menu in at most room rows: those around the one that is picked.
func (m *menu) rows(st style, room int) []string {
	if m == nil || room < 1 {
		return nil
	}
	first, last := window(len(m.found), max(m.pick, 0), room)
	left := 0
	for _, f := range m.found[first:last] {
		left = max(left, width(clean(f.Text)))
	}
	left = min(left, st.width-2)
	var rows []string
	for i, f := range m.found[first:last] {
		mark, code := "  ", ""
		if first+i == m.pick {
			mark, code = "› ", bold
		}
		name := truncate(clean(f.Text), left)
		row := mark + st.paint(code, name)
		if more := st.width - 2 - left - 2; more >= 8 && f.Summary != "" {
			row += strings.Repeat(" ", left-width(name)+2) + st.paint(faint, truncate(clean(f.Summary), more))
		}
		rows = append(rows, row)
	}
	return rows
}

// window gives the part of n things, at most room of them, that has the one at
// the place in it.
func window(n, at, room int) (first, last int) {
	first = min(max(at-room/2, 0), max(n-room, 0))
	return first, min(first+room, n)
}

// foot draws what stands at the foot of the terminal: the runs that are shown,
// the line, and the menu.
func (s *session) foot(columns, rows int) foot {
	st := s.style()
	st.width = columns - 1
	room := rows - 1
	f := foot{rows: s.status(st, room-1)}
	room -= len(f.rows)
	if s.busy { // the prompt comes back with the answer
		f.rows = append(f.rows, "")
		f.row = len(f.rows) - 1
		return f
	}
	typed, row, col := s.line.lay(prompt, st.width)
	typed[0] = st.paint(toneColour[keepwatch.ToneInfo], prompt) + strings.TrimPrefix(typed[0], prompt)
	below := s.menu.rows(st, min(room-1, max(rows/2, 3)))
	first, last := window(len(typed), row, max(room-len(below), 1))
	f.row, f.col = len(f.rows)+row-first, col
	f.rows = append(append(f.rows, typed[first:last]...), below...)
	return f
}
