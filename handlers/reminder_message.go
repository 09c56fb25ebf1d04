package handlers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// titleLetters is how much of a text a title takes: what a locked phone shows of it
// and a little more.
const titleLetters = 120

// happeningsShown is how many lines of what happened a message shows.
const happeningsShown = 6

// OccurrenceMessage is what came due, as it stands now, with the buttons that make
// sense in this state. It depends on nothing but its arguments and the
// configuration, so that it may be made within a transaction that runs more than
// once. rule may be one that knows no more than its ID, where it was removed.
func (r *Router) OccurrenceMessage(o keepwatch.Occurrence, rule keepwatch.Rule) keepwatch.Message {
	if o.Kind == keepwatch.RuleCommand {
		return r.commandMessage(o, rule)
	}
	text := saysWhat(o.Kind, o.Text, o.Command, o.Ask)
	msg := keepwatch.Message{Title: oneLine(text, titleLetters)}
	if o.Kind == keepwatch.RuleAsk && !o.State.Settled() { // what to do is of no use to anybody afterwards
		msg = r.question(o)
	} else if msg.Title != text {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(text))
	}
	loc := r.channelZone(o.Channel)
	msg.Blocks = append(msg.Blocks, r.stateBlocks(o, rule, loc)...)
	if o.State.Settled() {
		msg.Title, msg.Tone = settledTitle(o, msg.Title)
		return msg
	}
	if o.State == keepwatch.OccurrenceEscalated || o.Posted > 1 {
		msg.Tone = keepwatch.ToneWarn
	}
	if o.Kind != keepwatch.RuleAsk {
		msg.Buttons = []keepwatch.Button{
			{Label: "Done", Command: "reminder ack " + Quote(o.ID), Style: keepwatch.StylePrimary}, r.assignButton(o),
			{Label: "Skip this one", Command: "reminder skip " + Quote(o.ID)},
		}
	}
	msg.Menus = append(msg.Menus, keepwatch.Menu{Label: "Snooze…", Options: snoozeButtons(o)})
	return msg
}

// settledTitle says before the text what became of it.
func settledTitle(o keepwatch.Occurrence, title string) (string, keepwatch.Tone) {
	switch o.State {
	case keepwatch.OccurrenceAcknowledged, keepwatch.OccurrenceDone:
		return "Done: " + title, keepwatch.ToneGood
	case keepwatch.OccurrenceSkipped:
		return "Left out: " + title, keepwatch.ToneInfo
	case keepwatch.OccurrencePassed:
		return "Not answered: " + title, keepwatch.ToneWarn
	case keepwatch.OccurrenceMissed:
		return "Missed: " + title, keepwatch.ToneWarn
	}
	return "Failed: " + title, keepwatch.ToneBad
}

// snoozeButtons put something off, or ask until when.
func snoozeButtons(o keepwatch.Occurrence) []keepwatch.Button {
	command := "reminder snooze " + Quote(o.ID)
	var list []keepwatch.Button
	for i, label := range []string{"1 hour", "3 hours", "Tomorrow", "Next week"} {
		list = append(list, keepwatch.Button{Label: label, Command: command + " " + usualMoments()[i]})
	}
	return append(list, keepwatch.Button{Label: "Pick a day…", Command: command, Form: &keepwatch.Form{
		Title: "Ask again when?", Submit: "Snooze", Fields: []keepwatch.FormField{
			{Name: "day", Label: "Day", Type: keepwatch.FieldDate, Required: true},
			{Name: "time", Label: "Time of day", Hint: "14:00. Left empty: 9:00"},
		},
	}})
}

// assignButton asks who sees to it.
func (r *Router) assignButton(o keepwatch.Occurrence) keepwatch.Button {
	var names []string
	for _, p := range r.cfg.People {
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	return keepwatch.Button{Label: "Assign…", Command: "reminder assign " + Quote(o.ID), Form: &keepwatch.Form{
		Title: "Who sees to it?", Submit: "Assign", Fields: []keepwatch.FormField{
			{Name: "person", Label: "Person", Type: keepwatch.FieldChoice, Choices: names[:min(len(names), mostPicks)], Required: true},
		},
	}}
}

// stateBlocks says how something that came due stands, the most pressing first.
func (r *Router) stateBlocks(o keepwatch.Occurrence, rule keepwatch.Rule, loc *time.Location) []keepwatch.Block {
	var blocks []keepwatch.Block
	say := func(text string) { blocks = append(blocks, keepwatch.Text(text)) }
	switch {
	case o.State == keepwatch.OccurrenceEscalated:
		say("Nobody has answered since " + inZone(lastAnswer(o), loc) + r.passedOn(o, rule) + ".")
	case o.State == keepwatch.OccurrenceSnoozed && !o.Until.IsZero():
		say("Put off until " + inZone(o.Until, loc) + byWord(o) + ".")
	case o.State == keepwatch.OccurrencePosted && o.Posted > 1 && byWord(o) != "": // it was put off, or assigned
		say(fmt.Sprintf("It is asked for the %s time.", ordinal(o.Posted)))
	case o.State == keepwatch.OccurrencePosted && o.Posted > 1:
		say(fmt.Sprintf("Nobody has answered yet: this is the %s time that it is asked.", ordinal(o.Posted)))
	}
	if o.Assignee != "" && !o.State.Settled() {
		say(o.Assignee + " sees to it.")
	}
	if o.Earlier > 0 {
		say(keepwatch.FormatCount(int64(o.Earlier), "earlier one was", "earlier ones were") + " missed, and " + isAre(o.Earlier) + " not asked again.")
	}
	fields := []keepwatch.Field{{Name: "Due", Time: o.At}}
	if o.To != "" {
		fields = append(fields, keepwatch.Field{Name: "For", Value: o.To})
	}
	if from := r.fromWhom(rule); from != "" {
		fields = append(fields, keepwatch.Field{Name: "From", Value: from})
	}
	blocks = append(blocks, keepwatch.Block{Fields: fields})
	if lines := r.happenings(o, rule, loc); lines != "" {
		say(lines)
	}
	return blocks
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func ordinal(n int) string {
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			return fmt.Sprintf("%dst", n)
		case 2:
			return fmt.Sprintf("%dnd", n)
		case 3:
			return fmt.Sprintf("%drd", n)
		}
	}
	return fmt.Sprintf("%dth", n)
}

// fromWhom says who made the rule, and which it is.
func (r *Router) fromWhom(rule keepwatch.Rule) string {
	switch {
	case rule.Fixed:
		return "keepwatch.yaml (" + rule.ID + ")"
	case rule.By != "":
		return rule.By + " (reminder " + rule.ID + ")"
	case rule.ID != "":
		return "reminder " + rule.ID
	}
	return ""
}

// passedOn names where something was passed on to.
func (r *Router) passedOn(o keepwatch.Occurrence, rule keepwatch.Rule) string {
	var names []string
	places := o.Places
	if len(places) < 2 { // posted in digests, which are no places of its own
		places = rule.Chain[:min(o.Step, len(rule.Chain))]
	}
	for _, channel := range places {
		if channel != o.Channel {
			names = append(names, r.placeName(channel))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": passed on to " + strings.Join(names, ", then to ")
}

// lastAnswer is since when nobody has answered: since it was due, or since somebody
// put it off or assigned it.
func lastAnswer(o keepwatch.Occurrence) time.Time {
	for _, h := range slices.Backward(o.Log) {
		if h.By != "" {
			return h.At
		}
	}
	return o.At
}

// byWord says who gave the newest answer.
func byWord(o keepwatch.Occurrence) string {
	for _, h := range slices.Backward(o.Log) {
		if h.By != "" {
			return " by " + h.By
		}
	}
	return ""
}

// happenings are the newest lines of what happened. That it was posted for the
// first time is seen.
func (r *Router) happenings(o keepwatch.Occurrence, rule keepwatch.Rule, loc *time.Location) string {
	var lines []string
	for _, h := range o.Log {
		if h.What == "posted" && h.By == "" {
			continue
		}
		what := h.What
		for _, place := range slices.Concat(o.Places, rule.Chain) {
			if rest, ok := strings.CutSuffix(what, " "+place); ok {
				what = rest + " " + r.placeName(place)
			}
		}
		if h.By != "" {
			what = h.By + ": " + what
		}
		lines = append(lines, inZone(h.At, loc)+" · "+what)
	}
	if more := len(lines) - happeningsShown; more > 0 {
		lines = append([]string{fmt.Sprintf("… %d earlier", more)}, lines[more:]...)
	}
	return strings.Join(lines, "\n")
}

// commandMessage is a command that came due.
func (r *Router) commandMessage(o keepwatch.Occurrence, rule keepwatch.Rule) keepwatch.Message {
	loc := r.channelZone(o.Channel)
	msg := keepwatch.Message{Title: "/" + o.Command + " is being carried out"}
	switch o.State {
	case keepwatch.OccurrenceDue:
		msg.Title = "/" + o.Command + " is due"
	case keepwatch.OccurrenceDone, keepwatch.OccurrenceAcknowledged:
		msg.Title, msg.Tone = "/"+o.Command+" is done", keepwatch.ToneGood
	case keepwatch.OccurrenceFailed:
		msg.Title, msg.Tone = "/"+o.Command+" failed", keepwatch.ToneBad
	case keepwatch.OccurrenceSkipped:
		msg.Title = "/" + o.Command + " was left out"
	case keepwatch.OccurrenceMissed:
		msg.Title, msg.Tone = "/"+o.Command+" was missed", keepwatch.ToneWarn
	}
	if o.Tries > 1 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("It was carried out %d times.", o.Tries)))
	}
	msg.Blocks = append(msg.Blocks, r.stateBlocks(o, rule, loc)...)
	if o.Run > 0 {
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: fmt.Sprintf("Run %d", o.Run), Command: fmt.Sprintf("backup status %d", o.Run)})
	}
	return msg
}

// MissedMessage says in one line what a rule has missed and does not catch up:
// missed, oldest first, each with how many before it were missed too.
func (r *Router) MissedMessage(rule keepwatch.Rule, missed []keepwatch.Occurrence) keepwatch.Message {
	n, text := int64(len(missed)), oneLine(ruleSays(rule), 80)
	for _, o := range missed {
		n += int64(o.Earlier)
	}
	title := "Missed, and too late to catch up: " + text
	if n > 1 {
		title = fmt.Sprintf("Missed %s times, and too late to catch up: %s", keepwatch.FormatCount(n, ""), text)
	}
	if len(missed) > 0 {
		title += " (due " + inZone(missed[len(missed)-1].At, r.ruleZone(rule))
		if n > 1 {
			title = strings.Replace(title, " (due ", " (the last one due ", 1)
		}
		title += ")"
	}
	msg := keepwatch.Message{Title: title, Tone: keepwatch.ToneWarn}
	if rule.ID != "" {
		msg.Buttons = []keepwatch.Button{{Label: "Show it", Command: "reminder show " + Quote(rule.ID)}, {Label: "Run now", Command: "reminder run " + Quote(rule.ID)}}
	}
	return msg
}
