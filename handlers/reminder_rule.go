package handlers

import (
	"cmp"
	"context"
	"strings"

	"keepwatch"
)

// ruleOf gives the rule that a command names: its number, or something that came
// due of it.
func (r *Router) ruleOf(c *call) (keepwatch.Rule, error) {
	rules, _, err := r.rules()
	if err != nil {
		return keepwatch.Rule{}, err
	}
	word := strings.TrimPrefix(c.args.one("reminder"), "#")
	id := word
	if rule, _, ok := keepwatch.SplitOccurrence(word); ok {
		id = rule
	}
	rule, err := rules.Rule(id)
	if keepwatch.KindOf(err) == keepwatch.KindNotFound {
		err = noRule(id)
	}
	return rule, err
}

func noRule(id string) error {
	return hinted{
		keepwatch.Errorf(keepwatch.KindNotFound, "There is no reminder %q. `/reminder list` shows those that there are.", keepwatch.Printable(id)),
		[]keepwatch.Button{{Label: "List", Command: "reminder list"}},
	}
}

// notFixed refuses to change what comes from the configuration.
func notFixed(rule keepwatch.Rule) error {
	if !rule.Fixed {
		return nil
	}
	where := "Change it there, under the name of what it is about"
	if source, ok := strings.CutPrefix(rule.ID, "schedule:"); ok {
		where = "Change the schedule of the source " + source + " there"
	} else if rule.Kind == keepwatch.RuleAsk {
		where = "Change there how often " + rule.Ask + " is looked at again (recheck)"
	}
	return hinted{
		keepwatch.Errorf(keepwatch.KindInvalid, "%s comes from keepwatch.yaml. %s, and restart Keepwatch. Here it can be paused, skipped and run now.", rule.ID, where),
		[]keepwatch.Button{{Label: "Show it", Command: "reminder show " + Quote(rule.ID)}},
	}
}

// over reports whether a rule comes due no more.
func (r *Router) over(rule keepwatch.Rule) bool {
	return rule.Next.IsZero() && !rule.Paused && rule.Kind != keepwatch.RuleAsk && !rule.When.At.IsZero()
}

// nextWord says in a table when a rule comes due next.
func (r *Router) nextWord(rule keepwatch.Rule) string {
	switch {
	case rule.Paused:
		return "paused by " + cmp.Or(rule.PausedBy, "somebody")
	case rule.Next.IsZero() && rule.Kind == keepwatch.RuleAsk:
		return "waits for an answer"
	case rule.Next.IsZero():
		return "not any more"
	case rule.Skip != "" && rule.Skip == rule.NextWall:
		return inZone(rule.Next, r.ruleZone(rule)) + ", which is left out"
	}
	return inZone(rule.Next, r.ruleZone(rule))
}

func (r *Router) showReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	if _, _, ok := keepwatch.SplitOccurrence(c.args.one("reminder")); ok {
		return r.showOccurrence(c)
	}
	rule, err := r.ruleOf(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	return r.ruleCard(c, rule), nil
}

func (r *Router) showOccurrence(c *call) (keepwatch.Message, error) {
	if r.cfg.Duties.Occurrences == nil {
		return keepwatch.Message{}, absent("reminders")
	}
	o, err := r.occurrence(c.args.one("reminder"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	rule, err := r.ruleOf(c)
	if err != nil && keepwatch.KindOf(err) != keepwatch.KindNotFound {
		return keepwatch.Message{}, err
	}
	refused := r.mayAnswer(c, o)
	if refused != nil && o.Kind == keepwatch.RuleAsk { // it shows what is known of another's phone
		return keepwatch.Message{}, refused
	}
	msg := r.OccurrenceMessage(o, rule)
	if refused != nil {
		msg.Buttons, msg.Menus = nil, nil // they would be refused
	}
	if rule.ID != "" {
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Its reminder", Command: "reminder show " + Quote(rule.ID)})
	}
	return msg, nil
}

// historyShown is how many of those that came due the card of a rule shows.
const historyShown = 5

// ruleCard is all that is known of a rule, with what may be done with it.
func (r *Router) ruleCard(c *call, rule keepwatch.Rule) keepwatch.Message {
	msg := keepwatch.Message{Title: "Reminder " + rule.ID + ": " + oneLine(ruleSays(rule), 80)}
	fields := r.ruleFields(c, rule)
	switch {
	case rule.Fixed:
		fields = append(fields, keepwatch.Field{Name: "Made by", Value: "keepwatch.yaml"})
	case rule.By != "":
		fields = append(fields, keepwatch.Field{Name: "Made by", Value: rule.By}, keepwatch.Field{Name: "Made", Time: rule.Made})
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: fields})
	switch {
	case rule.Paused:
		msg.Tone = keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text("It is paused by "+cmp.Or(rule.PausedBy, "somebody")+", and does not come due until it is resumed. What it misses meanwhile is not caught up."))
	case rule.Kind == keepwatch.RuleAsk && rule.Next.IsZero():
		msg.Blocks = append(msg.Blocks, keepwatch.Text("It waits for an answer, and asks again after that."))
	case r.over(rule):
		msg.Blocks = append(msg.Blocks, keepwatch.Text("It came due, and does not any more."))
	default:
		msg.Blocks = append(msg.Blocks, r.comingBlocks(c, rule)...)
	}
	if b, ok := r.history(rule); ok {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("What came of the last ones:"), b)
	}
	if c.person.Role >= keepwatch.RoleOperator {
		msg.Buttons = r.ruleButtons(c, rule)
	}
	return msg
}

// history is what came of the newest ones that came due of a rule.
func (r *Router) history(rule keepwatch.Rule) (keepwatch.Block, bool) {
	if r.cfg.Duties.Occurrences == nil {
		return keepwatch.Block{}, false
	}
	past, err := r.cfg.Duties.Occurrences.Occurrences(rule.ID, historyShown)
	if err != nil {
		r.cfg.Log.Error("what came due of a reminder cannot be read", "rule", rule.ID, "err", err)
		return keepwatch.Text("It cannot be read just now."), true
	}
	table := keepwatch.Table{Head: []string{"Due", "State"}}
	loc := r.ruleZone(rule)
	for _, o := range past {
		table.Rows = append(table.Rows, []string{inZone(o.At, loc), r.stateWords(o, loc)})
	}
	return keepwatch.Block{Table: &table}, len(past) > 0
}

func (r *Router) ruleButtons(c *call, rule keepwatch.Rule) []keepwatch.Button {
	id := Quote(rule.ID)
	var list []keepwatch.Button
	if !rule.Fixed {
		list = append(list, r.editButton(c, rule))
	}
	switch {
	case rule.Paused:
		list = append(list, keepwatch.Button{Label: "Resume", Command: "reminder resume " + id, Style: keepwatch.StylePrimary})
	case !rule.Next.IsZero() && rule.Skip == rule.NextWall:
		list = append(list, keepwatch.Button{Label: "Pause", Command: "reminder pause " + id}, keepwatch.Button{Label: "Do not skip", Command: "reminder skip --off " + id})
	case !rule.Next.IsZero():
		list = append(list, keepwatch.Button{Label: "Pause", Command: "reminder pause " + id}, keepwatch.Button{Label: "Skip the next", Command: "reminder skip " + id})
	}
	list = append(list, keepwatch.Button{Label: "Run now", Command: "reminder run " + id})
	if !rule.Fixed {
		list = append(list, keepwatch.Button{Label: "Remove…", Command: "reminder remove " + id, Style: keepwatch.StyleDanger})
	}
	return list
}
