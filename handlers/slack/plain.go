package slack

import (
	"fmt"
	"strings"

	"keepwatch"
)

// plain writes a message as text alone, at most so long: for notifications, for
// readers aloud, and for the case that Slack refuses the blocks. It is not
// escaped.
func plain(m keepwatch.Message, most int) string {
	var b strings.Builder
	room := most
	add := func(text string) bool {
		b.WriteString(text + "\n")
		room -= length(text) + 1
		return room > 0 // the rest would be cut off
	}
	if title := line(m.Title); title != "" {
		add(toneMark[m.Tone&3] + title)
	}
	for _, block := range m.Blocks {
		if room <= 0 {
			break
		}
		plainBlock(block, add)
	}
	if blankText(b.String()) {
		return "Keepwatch has nothing to add."
	}
	return clip(strings.TrimSpace(b.String()), most)
}

// plainBlock hands the lines of a block to add until that wants no more.
func plainBlock(b keepwatch.Block, add func(text string) bool) {
	switch {
	case b.Text != "":
		add(clean(b.Text))
	case b.Code != "":
		add(clean(b.Code))
	case b.Progress != nil:
		add(spoken(*b.Progress))
	case b.Table != nil:
		for _, row := range b.Table.Rows {
			if !add(strings.Join(cells(row), " · ")) {
				return
			}
		}
	}
	for _, f := range b.Fields {
		value := clean(f.Value)
		if !f.Time.IsZero() {
			value = utc(f.Time)
		}
		if !add(line(f.Name) + ": " + value) {
			return
		}
	}
}

// spoken is a progress without its bar, which is no use when it is read aloud.
func spoken(p keepwatch.Progress) string {
	text := figures(p)
	if f, known := p.Fraction(); known {
		text = fmt.Sprintf("%d %%, %s", int(max(f, 0)*100), text)
	}
	return text
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
	return escape(plain(m, maxText-length(tail)) + tail)
}
