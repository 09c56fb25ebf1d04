package handlers

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// editReminder shows what a rule would become, and changes it when that is
// confirmed.
func (r *Router) editReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	rule, err := r.ruleOf(c)
	if err == nil {
		err = notFixed(rule)
	}
	if err != nil {
		return keepwatch.Message{}, err
	}
	next := rule
	if err := r.amend(c, &next); err != nil {
		return keepwatch.Message{}, err
	}
	changes := r.changes(c, rule, next)
	if len(changes) == 0 {
		return r.nothingToChange(c, rule), nil
	}
	if !c.confirmed(planOf(next)) {
		return r.showEdit(c, rule, next, changes), nil
	}
	rule, err = r.cfg.Duties.Rules.ChangeRule(rule.ID, func(now *keepwatch.Rule) error {
		changed := *now
		if err := r.amend(c, &changed); err != nil {
			return err
		}
		if !c.confirmed(planOf(changed)) {
			return keepwatch.Errorf(keepwatch.KindConflict, "Reminder %s was changed by somebody else just now. Look at it again, and confirm what it would become.", now.ID)
		}
		*now = changed
		return nil
	})
	if err != nil {
		return keepwatch.Message{}, err
	}
	msg := r.ruleCard(c, rule)
	msg.Title, msg.Tone = "Reminder "+rule.ID+" is changed", keepwatch.ToneGood
	return msg, nil
}

// nothingToChange answers an edit that changes nothing: because nothing was said,
// or because it is so already, as after a confirmation that was pressed twice.
func (r *Router) nothingToChange(c *call, rule keepwatch.Rule) keepwatch.Message {
	msg := r.ruleCard(c, rule)
	switch {
	case c.args.has("confirm"):
		msg.Title, msg.Tone = "Reminder "+rule.ID+" is so already", keepwatch.ToneGood
	case len(c.args) == 1:
		msg.Title, msg.Tone, msg.Failed, msg.Refused = "What is to be changed of reminder "+rule.ID+"?", keepwatch.ToneWarn, true, keepwatch.KindInvalid
		msg.Blocks = append([]keepwatch.Block{keepwatch.Text("For example:"), keepwatch.Code("/reminder edit " + rule.ID + ` --when "every weekday at 8:30"`)}, msg.Blocks...)
	default:
		msg.Title = "Nothing would change: reminder " + rule.ID + " is so already"
	}
	return msg
}

// amend makes a rule what the options of "edit" say. It may be called more than
// once.
func (r *Router) amend(c *call, rule *keepwatch.Rule) error {
	rule.Chain = slices.Clone(rule.Chain)
	if word := c.args.one("channel"); word != "" {
		if err := r.setPlace(c, rule, word); err != nil {
			return err
		}
	}
	if err := r.amendWhen(c, rule); err != nil {
		return err
	}
	if c.args.has("text") {
		if err := r.setText(c, rule, c.args["text"]); err != nil {
			return err
		}
		if rule.Kind == keepwatch.RuleCommand {
			rule.Repeat, rule.Times, rule.Chain = 0, 0, nil
		}
	}
	if rule.Kind == keepwatch.RuleText && c.args.one("when") != "" {
		if err := r.notTooOften(*rule); err != nil {
			return err
		}
	}
	return r.setTerms(c, rule)
}

func (r *Router) amendWhen(c *call, rule *keepwatch.Rule) error {
	text, name := c.args.one("when"), c.args.one("zone")
	before := rule.When
	switch {
	case text != "":
	case name != "" && before.Cron != "":
		text = before.Cron
	case name != "":
		return keepwatch.Errorf(keepwatch.KindInvalid, "With --zone say --when too: by which clock it goes matters only together with a time of day.")
	default:
		return nil
	}
	if err := r.setWhen(c, rule, text); err != nil {
		return err
	}
	if c.args.one("when") == "" {
		rule.When.Said = before.Said
	}
	same := rule.When
	if same.Said = before.Said; same == before { // said in other words
		rule.When = before
	}
	rule.Skip = ""
	return nil
}

// changes lists what is different, before and after.
func (r *Router) changes(c *call, from, to keepwatch.Rule) [][]string {
	if code(planOf(from)) == code(planOf(to)) {
		return nil
	}
	before, after := r.ruleFields(c, from), r.ruleFields(c, to)
	value := func(fields []keepwatch.Field, name string) string {
		if i := slices.IndexFunc(fields, func(f keepwatch.Field) bool { return f.Name == name }); i >= 0 {
			return fields[i].Value
		}
		return "–"
	}
	var rows [][]string
	seen := map[string]bool{}
	for _, f := range slices.Concat(before, after) {
		a, b := value(before, f.Name), value(after, f.Name)
		if !seen[f.Name] && a != b {
			rows = append(rows, []string{f.Name, a, b})
		}
		seen[f.Name] = true
	}
	if len(rows) == 0 { // what the words for people leave out
		rows = append(rows, []string{"Time zone", from.When.Zone, to.When.Zone})
	}
	return rows
}

func (r *Router) showEdit(c *call, from, to keepwatch.Rule, changes [][]string) keepwatch.Message {
	msg := keepwatch.Message{Title: "Not changed yet: reminder " + from.ID, Tone: keepwatch.ToneWarn}
	c.wrongCode(&msg, "changed")
	msg.Blocks = append(msg.Blocks, keepwatch.Text("This is what I understood. The reminder is changed when you confirm it."),
		keepwatch.Block{Table: &keepwatch.Table{Head: []string{"", "Now", "Then"}, Rows: changes}})
	msg.Blocks = append(msg.Blocks, r.comingBlocks(c, anew(to))...)
	msg.Buttons = []keepwatch.Button{{Label: "Change it", Command: r.editLine(c, to), Style: keepwatch.StylePrimary}, r.editButton(c, from)}
	return msg
}

// anew is a rule of which it is not worked out yet when it comes due.
func anew(rule keepwatch.Rule) keepwatch.Rule {
	rule.Next, rule.NextWall = time.Time{}, ""
	return rule
}

// editLine is the command that makes of a rule what was shown, wherever it is
// given.
func (r *Router) editLine(c *call, rule keepwatch.Rule) string {
	words := []string{"reminder", "edit", rule.ID}
	if c.args.has("channel") {
		words = append(words, "--channel", rule.Channel)
	}
	if c.args.has("when") || c.args.has("zone") {
		words = append(words, "--when", whenText(rule.When), "--zone", rule.When.Zone)
	}
	if c.args.has("text") {
		text := rule.Text
		if rule.Kind == keepwatch.RuleCommand {
			text = "/" + rule.Command
		}
		words = append(words, "--text", text)
	}
	for _, name := range []string{"repeat", "times", "grace", "to"} {
		if c.args.has(name) {
			words = append(words, "--"+name, c.args.one(name))
		}
	}
	if c.args.has("then") {
		words = append(words, "--then", cmp.Or(strings.Join(rule.Chain, ","), "none"))
	}
	return Quote(append(words, "--confirm", code(planOf(rule)))...)
}

func (r *Router) pauseReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	return r.changeState(c, "is paused", keepwatch.ToneWarn, func(rule *keepwatch.Rule) error {
		if !rule.Paused {
			rule.Paused, rule.PausedBy = true, c.person.Name
		}
		return nil
	})
}

func (r *Router) resumeReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	return r.changeState(c, "goes on", keepwatch.ToneGood, func(rule *keepwatch.Rule) error {
		rule.Paused, rule.PausedBy = false, ""
		return nil
	})
}

// changeState changes a rule, and says what it is now. Done twice it is done.
func (r *Router) changeState(c *call, now string, tone keepwatch.Tone, change func(*keepwatch.Rule) error) (keepwatch.Message, error) {
	rule, err := r.ruleOf(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if rule, err = r.cfg.Duties.Rules.ChangeRule(rule.ID, change); err != nil {
		return keepwatch.Message{}, err
	}
	msg := r.ruleCard(c, rule)
	msg.Title, msg.Tone = "Reminder "+rule.ID+" "+now, tone
	return msg, nil
}

func (r *Router) removeReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	rule, err := r.ruleOf(c)
	if c.req.Again && keepwatch.KindOf(err) == keepwatch.KindNotFound {
		return removed(c.args.one("reminder")), nil
	}
	if err == nil {
		err = notFixed(rule)
	}
	if err != nil {
		return keepwatch.Message{}, err
	}
	plan := []any{"remove", planOf(rule)}
	if !c.confirmed(plan) {
		msg := keepwatch.Message{Title: "Not removed yet: reminder " + rule.ID, Tone: keepwatch.ToneWarn}
		c.wrongCode(&msg, "removed")
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: r.ruleFields(c, rule)},
			keepwatch.Text("It would not come due any more, and what it was cannot be brought back. To have it rest, pause it."))
		msg.Buttons = []keepwatch.Button{
			{Label: "Remove it", Command: "reminder remove " + Quote(rule.ID, "--confirm", code(plan)), Style: keepwatch.StyleDanger},
			{Label: "Pause it instead", Command: "reminder pause " + Quote(rule.ID)},
		}
		return msg, nil
	}
	if err := r.cfg.Duties.Rules.RemoveRule(rule.ID); err != nil {
		return keepwatch.Message{}, err
	}
	return removed(rule.ID), nil
}

func removed(id string) keepwatch.Message {
	return keepwatch.Message{Title: "Reminder " + id + " is removed", Tone: keepwatch.ToneGood, Blocks: []keepwatch.Block{keepwatch.Text("It does not come due any more.")}}
}

func (r *Router) runReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	rule, err := r.ruleOf(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if r.cfg.Duties.Occurrences == nil {
		return keepwatch.Message{}, absent("reminders")
	}
	o, err := r.cfg.Duties.Occurrences.FireNow(rule.ID, c.person.Name, c.req.ID)
	if err != nil {
		return keepwatch.Message{}, err
	}
	msg := keepwatch.Message{Title: "Reminder " + rule.ID + " comes due now", Tone: keepwatch.ToneGood, Buttons: []keepwatch.Button{{Label: "Show it", Command: "reminder show " + Quote(o.ID)}}}
	text := "It is posted: " + r.whereName(c, o.Channel) + "."
	if o.Kind == keepwatch.RuleCommand {
		text = "/" + o.Command + " is carried out, with the rights of " + r.accountName(rule.Account) + "."
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(text+" When it comes due by itself stays as it is."))
	return msg, nil
}
