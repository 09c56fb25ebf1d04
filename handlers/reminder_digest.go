package handlers

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// digestRows is how many of a digest its message shows.
const digestRows = 25

// DigestMessage is one message for many that came due at once: as they stand now,
// with what answers one of them, or all. One whose Digest is another is asked again
// in a later message, and is answered there. Like OccurrenceMessage it depends on
// its arguments alone.
func (r *Router) DigestMessage(d keepwatch.Digest, occurrences []keepwatch.Occurrence) keepwatch.Message {
	loc := r.channelZone(d.Channel)
	var open []keepwatch.Occurrence
	var texts []string
	elsewhere := 0
	table := keepwatch.Table{Head: []string{"What", "For", "State"}}
	for _, o := range occurrences {
		text := saysWhat(o.Kind, o.Text, o.Command, o.Ask)
		texts = append(texts, oneLine(text, 30))
		state := r.stateWords(o, loc)
		switch {
		case o.State.Settled():
		case o.Digest != d.ID:
			state = "asked again in a later message"
			elsewhere++
		default:
			open = append(open, o)
		}
		if len(table.Rows) < digestRows {
			table.Rows = append(table.Rows, []string{oneLine(text, 80), cmp.Or(o.Assignee, o.To, "anybody"), state})
		}
	}
	total := int64(len(occurrences))
	msg := keepwatch.Message{}
	switch {
	case len(open) == 0 && elsewhere > 0:
		msg.Title = keepwatch.FormatCount(total, "reminder") + ": what is open is asked again in a later message"
	case len(open) == 0:
		msg.Title, msg.Tone = keepwatch.FormatCount(total, "reminder")+": none is open any more", keepwatch.ToneGood
	case len(open) < len(occurrences):
		msg.Title = fmt.Sprintf("%s: %d still open", keepwatch.FormatCount(total, "reminder"), len(open))
	default: // what a locked phone shows
		msg.Title = oneLine(keepwatch.FormatCount(total, "reminder is due", "reminders are due")+": "+strings.Join(texts, "; "), titleLetters)
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	if more := len(occurrences) - len(table.Rows); more > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("… and %d more: /reminder list --due shows all that are open.", more)))
	}
	if answerable(open) > 1 {
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: fmt.Sprintf("All %d done", answerable(open)), Command: "reminder ack --all " + Quote(d.ID), Style: keepwatch.StylePrimary})
	}
	msg.Menus = r.pickMenus(open, func(keepwatch.Occurrence) bool { return true })
	return msg
}

// answerable counts those to which "done" is an answer.
func answerable(open []keepwatch.Occurrence) int {
	n := 0
	for _, o := range open {
		if o.Kind == keepwatch.RuleText {
			n++
		}
	}
	return n
}

// pickMenus answer one of several that are open, or show one with all its buttons.
// may says which of them may be answered; the others can be looked at.
func (r *Router) pickMenus(open []keepwatch.Occurrence, may func(keepwatch.Occurrence) bool) []keepwatch.Menu {
	done, show := keepwatch.Menu{Label: "Done with one…"}, keepwatch.Menu{Label: "Open one…"}
	for _, o := range open[:min(len(open), mostChoices)] {
		label := oneLine(saysWhat(o.Kind, o.Text, o.Command, o.Ask), 60)
		show.Options = append(show.Options, keepwatch.Button{Label: label, Command: "reminder show " + Quote(o.ID)})
		if o.Kind == keepwatch.RuleText && may(o) {
			done.Options = append(done.Options, keepwatch.Button{Label: label, Command: "reminder ack " + Quote(o.ID)})
		}
	}
	var menus []keepwatch.Menu
	for _, m := range []keepwatch.Menu{done, show} {
		if len(m.Options) > 0 {
			menus = append(menus, m)
		}
	}
	return menus
}

// stateWords says in a table how something that came due stands.
func (r *Router) stateWords(o keepwatch.Occurrence, loc *time.Location) string {
	text := string(o.State)
	switch o.State {
	case keepwatch.OccurrenceDue:
		text = "not posted yet"
		if !o.Wake.IsZero() {
			text = "waits until " + inZone(o.Wake, loc)
		}
	case keepwatch.OccurrencePosted:
		text = "open"
		if o.Posted > 1 {
			text = fmt.Sprintf("open, asked %d times", o.Posted)
		}
	case keepwatch.OccurrenceSnoozed:
		text = "put off until " + inZone(o.Until, loc) + byWord(o)
	case keepwatch.OccurrenceEscalated:
		text = "nobody has answered; passed on"
	case keepwatch.OccurrenceRunning:
		text = "being carried out"
	case keepwatch.OccurrenceAcknowledged:
		text = "done" + byWord(o)
	case keepwatch.OccurrenceSkipped:
		text = "left out" + byWord(o)
	case keepwatch.OccurrencePassed:
		text = "not answered"
	case keepwatch.OccurrenceMissed:
		text = "missed"
	case keepwatch.OccurrenceDone:
		text = "done"
	}
	if o.Run > 0 {
		text += fmt.Sprintf(" (run %d)", o.Run)
	}
	if o.Assignee != "" && !o.State.Settled() {
		text += ", " + o.Assignee + " sees to it"
	}
	return text
}
