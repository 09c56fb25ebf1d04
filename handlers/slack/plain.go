package slack

import (
	"fmt"
	"strings"

	"keepwatch"
)

// plain writes a message as text alone: for notifications, for readers aloud,
// and for the case that Slack refuses the blocks. It is not escaped.
func plain(m keepwatch.Message) string {
	var lines []string
	if title := line(m.Title); title != "" {
		lines = append(lines, toneMark[m.Tone&3]+title)
	}
	for _, b := range m.Blocks {
		switch {
		case b.Text != "":
			lines = append(lines, clean(b.Text))
		case b.Code != "":
			lines = append(lines, clean(b.Code))
		case b.Progress != nil:
			lines = append(lines, spoken(*b.Progress))
		case b.Table != nil:
			for _, row := range b.Table.Rows {
				lines = append(lines, strings.Join(cells(row), " · "))
			}
		}
		for _, f := range b.Fields {
			value := clean(f.Value)
			if !f.Time.IsZero() {
				value = utc(f.Time)
			}
			lines = append(lines, line(f.Name)+": "+value)
		}
	}
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	if text == "" {
		return "Keepwatch has nothing to add."
	}
	return text
}

// spoken is a progress without its bar, which is no use when it is read aloud.
func spoken(p keepwatch.Progress) string {
	parts := figures(p)
	if f, known := p.Fraction(); known {
		parts = append([]string{fmt.Sprintf("%d %%", int(max(f, 0)*100))}, parts...)
	}
	return strings.Join(parts, ", ")
}

// bare is a message for Slack without any block, with the commands of its
// buttons written out.
func bare(m keepwatch.Message) string {
	var commands []string
	for _, b := range m.AllButtons() {
		commands = append(commands, "/"+line(b.Command))
	}
	tail := ""
	if len(commands) > 0 {
		tail = clip("\nNext: "+strings.Join(commands, "  "), maxText/4)
	}
	return escape(clip(plain(m), maxText-length(tail)) + tail)
}
