package handlers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// fewAnswers is how many answers of a step are buttons; more are chosen in a form.
const fewAnswers = 5

// walkMessage shows where a walk is: its step, or how it ended. note is said first.
func (r *Router) walkMessage(c *call, list keepwatch.Checklist, w keepwatch.Walk, note string) keepwatch.Message {
	switch {
	case !w.Ended.IsZero() && list.Group == drillGroup:
		msg := r.drillMessage(list, w)
		if w.Outcome != keepwatch.AttestedStopped && list.Done != "" {
			msg.Blocks = append(msg.Blocks, keepwatch.Text(list.Done))
		}
		return noted(msg, note)
	case !w.Ended.IsZero():
		return noted(r.endMessage(list, w), note)
	case len(list.Steps) == 0:
		return keepwatch.Message{
			Title: "The checklist " + w.Checklist + " is not there any more", Tone: keepwatch.ToneWarn,
			Blocks:  []keepwatch.Block{keepwatch.Text("Its file was removed. What you have done in it is kept.")},
			Buttons: []keepwatch.Button{{Label: "Stop it", Command: stepCommand(w, "stop")}},
		}
	}
	msg := noted(r.stepMessage(list, w, c.req.Local), note)
	if w.Person != c.person.Name {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("This is the checklist of "+w.Person+"."))
		if c.person.Role < keepwatch.RoleAdmin {
			msg.Buttons = nil
		}
	}
	return msg
}

func noted(msg keepwatch.Message, note string) keepwatch.Message {
	if note != "" {
		msg.Blocks = slices.Insert(msg.Blocks, 0, keepwatch.Text(note))
	}
	return msg
}

// stepCommand is the command of a button at a step. It knows the state that the
// message shows, so that a second press moves nothing.
func stepCommand(w keepwatch.Walk, action string, value ...string) string {
	words := append([]string{"keepwatch", "step", w.ID, strconv.Itoa(w.Revision), action}, value...)
	return Quote(words...)
}

// stepMessage shows one step. local: whoever reads it sits at a terminal, where there
// are no forms.
func (r *Router) stepMessage(list keepwatch.Checklist, w keepwatch.Walk, local bool) keepwatch.Message {
	at := atStep(list, w)
	step, trouble := list.Steps[at], hasProblem(w, at)
	msg := keepwatch.Message{Title: fmt.Sprintf("Step %d of %d: %s", at+1, len(list.Steps), step.Title)}
	if at == 0 && !trouble {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(list.Title+"\n"+list.Intro))
	}
	if trouble {
		msg.Tone = keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, r.troubleBlocks(list, w, at)...)
		msg.Blocks = append(msg.Blocks, keepwatch.Text("The step was: "+step.Text))
	} else {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(step.Text))
	}
	if step.Ask != nil && w.Answers[step.Ask.Name] != "" {
		msg.Blocks = append(msg.Blocks, keepwatch.Field{Name: "Your answer before", Value: w.Answers[step.Ask.Name]}.Block())
	}
	if local && step.Ask != nil && !few(*step.Ask) {
		how := "Write the answer behind this:"
		if len(step.Ask.Choices) > 0 {
			how = "Write one of these behind it: " + strings.Join(step.Ask.Choices, ", ") + "."
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Text(how), keepwatch.Code("/"+stepCommand(w, "done")))
	}
	if at == 0 && list.Checked != "" && !trouble && list.Group != drillGroup {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(comparedText(list)))
	} else if at > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(list.Title))
	}
	msg.Buttons = r.stepButtons(list, w, at, trouble, local)
	return msg
}

// answerName is what an answer stands behind. Where something is recorded is answered
// with "in the safe" as well as with "team vault", so "recorded in" is too much.
func answerName(ask keepwatch.ChecklistAsk) string {
	return sentence(strings.TrimSuffix(ask.Name, " in"))
}

// comparedText says how fresh a checklist is. A team's own has no vendor.
func comparedText(list keepwatch.Checklist) string {
	if len(list.Sources) == 0 {
		return "Last checked on " + written(list.Checked) + "."
	}
	return "Last compared with its sources on " + written(list.Checked) + "."
}

// troubleBlocks say what usually helps at a step, and where to read more.
func (r *Router) troubleBlocks(list keepwatch.Checklist, w keepwatch.Walk, at int) []keepwatch.Block {
	text := list.Steps[at].Trouble
	if text == "" {
		text = "Nothing is known that helps here. Write what happened, and go on if you can; somebody will read it."
	}
	blocks := []keepwatch.Block{keepwatch.Text(text)}
	var wrote []string
	for _, p := range w.Problems {
		if p.Step == at && p.Text != "" && !p.Solved {
			wrote = append(wrote, p.Text)
		}
	}
	if len(wrote) > 0 {
		blocks = append(blocks, keepwatch.Field{Name: "Noted", Value: strings.Join(wrote, "; ")}.Block())
	}
	if len(list.Sources) > 0 && list.Group != drillGroup {
		blocks = append(blocks, keepwatch.Text("Sources:"), keepwatch.Code(strings.Join(list.Sources, "\n")))
	}
	return blocks
}

// few reports whether the answers of a step are buttons.
func few(ask keepwatch.ChecklistAsk) bool {
	return ask.Type == keepwatch.FieldChoice && len(ask.Choices) <= fewAnswers
}

// stepButtons are those of a step, the most likely first.
func (r *Router) stepButtons(list keepwatch.Checklist, w keepwatch.Walk, at int, trouble, local bool) []keepwatch.Button {
	step, drill := list.Steps[at], list.Group == drillGroup
	done, problem, remark, pass := "Done", "Problem", "Write what happened…", "Go on without it"
	switch {
	case drill && trouble:
		done, remark, pass = "I could after all", "What was missing…", "Go on"
	case drill:
		done, problem = "I could", "I could not"
	case trouble:
		done = "It works now"
	case step.Out != "":
		done = "Go on"
	}
	var buttons []keepwatch.Button
	if step.Ask != nil {
		buttons = answerButtons(*step.Ask, w, trouble, local)
	} else {
		buttons = append(buttons, keepwatch.Button{Label: done, Command: stepCommand(w, "done"), Style: keepwatch.StylePrimary})
	}
	if step.Out != "" {
		buttons = append(buttons, keepwatch.Button{Label: step.Out, Command: stepCommand(w, "out")})
	}
	if trouble {
		buttons = append(buttons, keepwatch.Button{Label: remark, Command: stepCommand(w, "problem"), Form: remarkForm(drill)}, keepwatch.Button{Label: pass, Command: stepCommand(w, "pass")})
	} else {
		buttons = append(buttons, keepwatch.Button{Label: problem, Command: stepCommand(w, "problem")})
	}
	buttons = append(buttons, r.commandButtons(step, w)...)
	if at > 0 {
		buttons = append(buttons, keepwatch.Button{Label: "Back", Command: stepCommand(w, "back")})
	}
	return append(buttons, keepwatch.Button{Label: "Stop", Command: stepCommand(w, "stop"), Style: keepwatch.StyleDanger, Form: &keepwatch.Form{
		Title: "Stop here?", Submit: "Stop", Text: "It is recorded as stopped. To go on later, even after days, you need not do anything: it waits, and /keepwatch steps finds it.",
	}})
}

// answerButtons are those of a step that asks something.
func answerButtons(ask keepwatch.ChecklistAsk, w keepwatch.Walk, trouble, local bool) (buttons []keepwatch.Button) {
	switch {
	case few(ask):
		for _, choice := range ask.Choices {
			buttons = append(buttons, keepwatch.Button{Label: choice, Command: stepCommand(w, "done", choice)})
		}
	case !local:
		buttons = append(buttons, keepwatch.Button{Label: "Answer…", Command: stepCommand(w, "done"), Style: keepwatch.StylePrimary, Form: &keepwatch.Form{
			Title: "Your answer", Submit: "Save", Fields: []keepwatch.FormField{{
				Name: "value", Label: ask.Label, Hint: ask.Hint, Type: ask.Type, Choices: ask.Choices, Required: true, Value: w.Answers[ask.Name],
			}},
		}})
	}
	none := ask.None
	if none == "" && ask.Custody == "" {
		none = "Skip"
	}
	if none != "" {
		buttons = append(buttons, keepwatch.Button{Label: none, Command: stepCommand(w, "skip")})
	}
	if ask.Custody != "" && !trouble {
		buttons = append(buttons, keepwatch.Button{Label: "I do not know", Command: stepCommand(w, "lost")})
	}
	return buttons
}

func remarkForm(drill bool) *keepwatch.Form {
	title, label := "What happened?", "What happened, in your words"
	if drill {
		title, label = "What was missing?", "What was missing, or did not work"
	}
	return &keepwatch.Form{Title: title, Submit: "Save", Fields: []keepwatch.FormField{{Name: "value", Label: label, Hint: "Never a password or a code", Type: keepwatch.FieldText, Required: true}}}
}

// endMessage shows how a walk ended, and what comes next.
func (r *Router) endMessage(list keepwatch.Checklist, w keepwatch.Walk) keepwatch.Message {
	msg := keepwatch.Message{Title: "Done: " + list.Title, Tone: keepwatch.ToneGood}
	open := openProblems(w)
	switch {
	case w.Outcome == keepwatch.AttestedStopped:
		msg.Title, msg.Tone = fmt.Sprintf("Stopped at step %d of %d: %s", atStep(list, w)+1, max(len(list.Steps), 1), list.Title), keepwatch.ToneInfo
	case len(open) > 0:
		msg.Title, msg.Tone = fmt.Sprintf("Ended, with %s open: %s", keepwatch.FormatCount(int64(len(open)), "problem"), list.Title), keepwatch.ToneWarn
	}
	if w.Outcome != keepwatch.AttestedStopped && list.Done != "" {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(list.Done))
	}
	if len(open) > 0 {
		lines := []string{"What did not work:"}
		for _, p := range open {
			lines = append(lines, "• "+sentence(problemText(list, p)))
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Text(strings.Join(lines, "\n")))
	}
	var fields []keepwatch.Field
	for _, step := range list.Steps {
		if step.Ask != nil && w.Answers[step.Ask.Name] != "" {
			fields = append(fields, keepwatch.Field{Name: answerName(*step.Ask), Value: w.Answers[step.Ask.Name]})
		}
	}
	fields = append(fields, keepwatch.Field{Name: "Recorded", Value: w.Person + ", " + r.day(w.Ended)})
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: fields})
	if w.Outcome == keepwatch.AttestedStopped {
		if list.Topic != "" {
			msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Begin anew", Command: list.Group + " " + list.Topic})
		}
		return msg
	}
	for i := len(list.Steps) - 1; i >= 0; i-- {
		if list.Steps[i].Command != "" {
			msg.Buttons = r.commandButtons(list.Steps[i], w)
			break
		}
	}
	if len(msg.Buttons) > 0 {
		msg.Buttons[0].Style = keepwatch.StylePrimary
	}
	return msg
}

// sentence begins a text with a capital letter.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	runes := []rune(text)
	return strings.ToUpper(string(runes[:1])) + string(runes[1:])
}

// written writes a date of a file for people.
func written(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.Format("2 January 2006")
}
