package handlers

import (
	"slices"
	"strings"

	"keepwatch"
)

// WarningMessage gives the message that tells people of a warning, as it is now. Its
// title says what it is about, since a locked telephone shows no more. It is the same
// for the same warning, whenever it is made.
func WarningMessage(w keepwatch.Warning) keepwatch.Message {
	f := w.Fact
	if since, over := w.Over(); over {
		msg := keepwatch.Message{Title: "Over: " + f.Title, Tone: keepwatch.ToneGood, Blocks: []keepwatch.Block{
			{Fields: []keepwatch.Field{{Name: "Noticed", Time: w.First}, {Name: "Resolved", Time: since}}},
			keepwatch.Text("It does not hold any more: it was mended, or what it is about was paused, changed or taken out of keepwatch.yaml."),
		}}
		if strings.HasPrefix(f.Key, "rotation/") { // whether that is good nobody can say here
			msg.Tone = keepwatch.ToneInfo
			msg.Blocks[1] = keepwatch.Text("It is not ahead any more: the backup was brought home, the host has removed it, or the host is looked at no longer. The button shows what the host holds now.")
			msg.Buttons = slices.DeleteFunc(slices.Clone(f.Buttons), func(b keepwatch.Button) bool { return !strings.HasPrefix(b.Command, "backup rotation ") })
		}
		return msg
	}
	msg := keepwatch.Message{Title: f.Title, Tone: f.Tone}
	if f.Text != "" {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(f.Text))
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: warningFields(w)})
	if text := passedOnText(w); text != "" {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(text))
	}
	msg.Buttons = slices.Clone(f.Buttons)
	if w.AckedBy == "" {
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Seen, remind me later", Command: "keepwatch ack " + w.ID})
	}
	return msg
}

// passedOnText says to whom a warning was passed on and why; "": to nobody, or somebody
// has seen it since.
func passedOnText(w keepwatch.Warning) string {
	if !w.Wider || w.AckedBy != "" {
		return ""
	}
	for _, h := range slices.Backward(w.Log) {
		if strings.HasPrefix(h.What, "passed on") {
			return "It was " + h.What + "."
		}
	}
	return ""
}

func warningFields(w keepwatch.Warning) []keepwatch.Field {
	var fields []keepwatch.Field
	if !w.Fact.Until.IsZero() {
		fields = append(fields, keepwatch.Field{Name: "By when", Time: w.Fact.Until})
	}
	fields = append(fields, keepwatch.Field{Name: "Noticed", Time: w.First})
	if w.Told > 1 {
		fields = append(fields, keepwatch.Field{Name: "Told", Value: toldText(w)})
	}
	if w.Fact.To != "" {
		fields = append(fields, keepwatch.Field{Name: "For", Value: w.Fact.To})
	}
	if w.AckedBy != "" {
		fields = append(fields, keepwatch.Field{Name: "Seen by", Value: w.AckedBy}, keepwatch.Field{Name: "Rests until", Time: w.Quiet})
	}
	if w.Note != "" {
		fields = append(fields, keepwatch.Field{Name: "Note", Value: w.Note})
	}
	return append(fields, keepwatch.Field{Name: "Warning", Value: w.ID})
}

// mostListed is how many warnings one message lists.
const mostListed = 20

// WarningsMessage gives the message for many warnings that people are told of at
// once, as they are now, the most pressing first.
func WarningsMessage(_ keepwatch.Digest, list []keepwatch.Warning) keepwatch.Message {
	var open []keepwatch.Warning
	for _, w := range list {
		if _, over := w.Over(); !over {
			open = append(open, w)
		}
	}
	msg := keepwatch.Message{Title: keepwatch.FormatCount(int64(len(open)), "thing needs", "things need") + " somebody", Tone: worst(open)}
	if len(open) < len(list) {
		msg.Title = keepwatch.FormatCount(int64(len(open)), "") + " of " + keepwatch.FormatCount(int64(len(list)), "thing needs", "things need") + " somebody still"
	}
	if len(open) == 0 {
		return keepwatch.Message{Title: "Over: all " + keepwatch.FormatCount(int64(len(list)), "thing") + " that needed somebody", Tone: keepwatch.ToneGood}
	}
	table := keepwatch.Table{Head: []string{"", "What", "State"}}
	for _, w := range list[:min(len(list), mostListed)] {
		state := w.Fact.Tone.String()
		if w.AckedBy != "" {
			state = "seen by " + w.AckedBy
		}
		if _, over := w.Over(); over {
			state = "over"
		}
		table.Rows = append(table.Rows, []string{w.ID, w.Fact.Title, state})
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	if more := len(list) - mostListed; more > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("And "+keepwatch.FormatCount(int64(more), "")+" more."))
	}
	msg.Buttons = []keepwatch.Button{{Label: "Show all", Command: "keepwatch warnings", Style: keepwatch.StylePrimary}}
	msg.Menus = warningMenus(slices.DeleteFunc(open, func(w keepwatch.Warning) bool { return w.AckedBy != "" }))
	return msg
}
