package handlers

import (
	"maps"
	"slices"
	"strings"

	"keepwatch"
)

// usualTimesOfDay are what is offered where somebody has not said when.
func usualWhens() []string {
	return []string{"every weekday at 9", "every Monday at 9", "first Monday of the month 10:00", "every day at 18:00", "tomorrow at 9", "in 2 hours"}
}

func usualMoments() []string { return []string{"1h", "3h", "tomorrow", "next week"} }

// reminderChoices gives what the options about times may be.
func (r *Router) reminderChoices(t OptionType) ([]Candidate, error) {
	var list []Candidate
	add := func(text, summary string) { list = append(list, Candidate{text, summary, true}) }
	switch t {
	case TypeWhen:
		for _, w := range usualWhens() {
			add(w, "")
		}
	case TypeMoment:
		for _, w := range usualMoments() {
			add(w, "")
		}
	case TypeZone:
		for _, name := range strings.Fields(zoneNames) {
			add(name, "")
		}
	case TypeChannel:
		for _, word := range r.placeWords() {
			add(word, "")
		}
	}
	if t == TypeDue || t == TypeEither {
		if err := r.openChoices(add); err != nil {
			return nil, err
		}
	}
	if t == TypeRule || t == TypeEither {
		if err := r.ruleChoices(add); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r *Router) openChoices(add func(text, summary string)) error {
	if r.cfg.Duties.Occurrences == nil {
		return nil
	}
	open, err := r.cfg.Duties.Occurrences.NewestOpen(choicesRead)
	if err != nil {
		return err
	}
	for _, o := range open {
		if o.Kind != keepwatch.RuleCommand {
			add(o.ID, oneLine(saysWhat(o.Kind, o.Text, o.Command, o.Ask), 60))
		}
	}
	return nil
}

func (r *Router) ruleChoices(add func(text, summary string)) error {
	if r.cfg.Duties.Rules == nil {
		return nil
	}
	rules, err := r.cfg.Duties.Rules.RulesAfter("", choicesRead)
	if err != nil {
		return err
	}
	rules = slices.DeleteFunc(rules, func(rule keepwatch.Rule) bool { return rule.Fixed })
	fixed, err := r.cfg.Duties.Rules.FixedRules()
	if err != nil {
		return err
	}
	for _, rule := range append(rules, fixed...) {
		if !r.over(rule) {
			add(rule.ID, oneLine(ruleSays(rule), 60))
		}
	}
	return nil
}

// choicesRead is how many are looked at for what may be meant: it is looked at each
// letter that somebody types. Others can be named all the same.
const choicesRead = 1000

// saysWhat is what a rule or an occurrence is about, for people.
func saysWhat(kind keepwatch.RuleKind, text, command, asks string) string {
	switch {
	case kind == keepwatch.RuleCommand:
		return "/" + command
	case text != "":
		return text
	case asks != "":
		return "asks for " + asks
	}
	return "(no text)"
}

func ruleSays(rule keepwatch.Rule) string {
	return saysWhat(rule.Kind, rule.Text, rule.Command, rule.Ask)
}

// placeWords are the places that can be named without an id.
func (r *Router) placeWords() []string {
	list := append([]string{"here"}, slices.Sorted(maps.Keys(r.cfg.Duties.Channels))...)
	for _, p := range r.cfg.People {
		if word := "@" + p.Name; !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	return list
}

// newReminder is a button with the form of a reminder, filled in with what is
// known of it.
func (r *Router) newReminder(c *call, label string, rule keepwatch.Rule) keepwatch.Button {
	words := append([]string{"reminder", "add"}, r.termWords(rule)...)
	return keepwatch.Button{Label: label, Command: Quote(words...), Form: &keepwatch.Form{
		Title: "New reminder", Submit: "Show it first", Text: "You see what was understood before anything is made.", Fields: r.reminderFields(c, rule, false),
	}}
}

// editButton is a button with the form of a reminder that is there.
func (r *Router) editButton(c *call, rule keepwatch.Rule) keepwatch.Button {
	return keepwatch.Button{Label: "Edit…", Command: "reminder edit " + Quote(rule.ID), Form: &keepwatch.Form{
		Title: "Reminder " + clipTo(rule.ID, 10), Submit: "Show it first", Text: "You see what would change before it does.", Fields: r.reminderFields(c, rule, true),
	}}
}

func clipTo(text string, most int) string {
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return text
}

// reminderFields are the fields of a reminder's form; as options, or in the order
// of the words of "add". The zone comes before the text, because the words behind
// a command belong to it.
func (r *Router) reminderFields(c *call, rule keepwatch.Rule, options bool) []keepwatch.FormField {
	when, zoned, where, text := "", "", "here", rule.Text
	if rule.When != (keepwatch.When{}) {
		when, zoned = whenText(rule.When), rule.When.Zone
		if !rule.When.At.IsZero() {
			when = rule.When.At.In(r.ruleZone(rule)).Format("2006-01-02 15:04")
		}
	}
	if rule.Kind == keepwatch.RuleCommand {
		text = "/" + rule.Command
	}
	words := r.placeWords()
	if rule.Channel != "" {
		where = rule.Channel
		for _, word := range words {
			if at, err := r.place(c, word); err == nil && at.channel == rule.Channel {
				where = word
				break
			}
		}
		if !slices.Contains(words, where) {
			words = append(words, where)
		}
	}
	return []keepwatch.FormField{
		{Name: "when", Flag: options, Label: "When", Hint: "every weekday at 9 · first Monday of the month 10:00 · in 2 hours · 0 9 * * 1-5", Value: when, Required: true},
		{Name: "zone", Flag: true, Label: "Time zone", Hint: "Europe/London. Left empty: the channel's", Value: zoned},
		{Name: "channel", Flag: options, Label: "Where", Type: keepwatch.FieldChoice, Choices: words[:min(len(words), mostPicks)], Value: where, Required: true},
		{Name: "text", Flag: options, Label: "Text", Hint: "What to say. A command such as /backup start notes is carried out.", Value: text, Required: true},
	}
}

// formForMissing asks in a form for what "reminder add" was not told.
func (r *Router) formForMissing(c *call) keepwatch.Button {
	words := []string{"reminder", "add"}
	for _, o := range c.cmd.Options {
		if o.Flag && c.args.has(o.Name) {
			words = append(words, "--"+o.Name, c.args.one(o.Name))
		}
	}
	fields := r.reminderFields(c, keepwatch.Rule{}, false)
	if c.args.has("when") {
		words, fields = append(words, c.args.one("when")), fields[2:]
	}
	if c.args.has("channel") {
		words, fields = append(words, c.args.one("channel")), fields[1:]
	}
	return keepwatch.Button{Label: "Fill in a form…", Command: Quote(words...), Style: keepwatch.StylePrimary, Form: &keepwatch.Form{
		Title: "New reminder", Submit: "Show it first", Text: "You see what was understood before anything is made.", Fields: fields,
	}}
}
