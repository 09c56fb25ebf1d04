package handlers

import (
	"cmp"
	"context"

	"keepwatch"
)

// What one answer gives of a list, and how much it looks through for that: there may
// be a hundred thousand. Platforms show a part in pages; see paged.
const (
	partRows   = 60 * pageRows
	lookedAt   = 2000
	readAtOnce = 500
)

// part is some of a long list.
type part struct {
	table  keepwatch.Table
	looked int
	last   string // what was looked at last
	more   bool   // there is something behind it
}

// add shows a row, and reports whether there is room for another.
func (p *part) add(row []string) bool {
	p.table.Rows = append(p.table.Rows, row)
	return len(p.table.Rows) < partRows
}

// partOf goes through a list from behind a place on, until the part is full or enough
// was looked at. look is told of each, and reports whether to go on.
func partOf[T any](p *part, read func(after string, limit int) ([]T, error), id func(T) string, look func(T) bool) error {
	for on := true; on; {
		some, err := read(p.last, readAtOnce)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, x := range some {
			if !on {
				p.more = true
				return nil
			}
			p.last = id(x)
			p.looked++
			on = look(x) && p.looked < lookedAt
		}
	}
	behind, err := read(p.last, 1)
	p.more = len(behind) > 0
	return err
}

// title says how many there are, or that these are a part.
func (p *part) title(c *call, one, many string) string {
	n := int64(len(p.table.Rows))
	switch {
	case !p.more && !c.args.has("after"):
		return keepwatch.FormatCount(n, one, many)
	case n == 0 && p.more:
		return "None among the next " + keepwatch.FormatCount(int64(p.looked), "")
	case c.args.has("after"):
		return "The next " + keepwatch.FormatCount(n, one, many)
	}
	return "The first " + keepwatch.FormatCount(n, one, many)
}

// moreButton shows what is behind a part.
func (p *part) moreButton(c *call) []keepwatch.Button {
	if !p.more {
		return nil
	}
	words := []string{"reminder", "list"}
	for _, flag := range []string{"all", "mine", "due"} {
		if c.args.has(flag) {
			words = append(words, "--"+flag)
		}
	}
	return []keepwatch.Button{{Label: "The next ones", Command: Quote(append(words, "--after", p.last)...)}}
}

func (r *Router) listReminders(_ context.Context, c *call) (keepwatch.Message, error) {
	rules, _, err := r.rules()
	if err != nil {
		return keepwatch.Message{}, err
	}
	if c.args.has("due") {
		return r.listOpen(c)
	}
	p, hidden, err := r.rulePart(c, rules)
	if err != nil {
		return keepwatch.Message{}, err
	}
	msg := keepwatch.Message{Title: p.title(c, "reminder", "reminders")}
	switch {
	case len(p.table.Rows) > 0:
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &p.table})
	case p.more: // the title says it
	case c.args.has("all") || c.args.has("mine") || c.args.has("after"):
		msg.Blocks = append(msg.Blocks, keepwatch.Text("There is none of that kind."))
	default:
		msg.Blocks = append(msg.Blocks, keepwatch.Text("None was made by chat."))
	}
	msg.Buttons = p.moreButton(c)
	if hidden > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(keepwatch.FormatCount(hidden, "more comes", "more come")+" from keepwatch.yaml, or came due for the last time."))
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Show all", Command: "reminder list --all"})
	}
	msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "What is open", Command: "reminder list --due"})
	if c.person.Role >= keepwatch.RoleOperator {
		msg.Buttons = append(msg.Buttons, r.newReminder(c, "New reminder…", keepwatch.Rule{}))
	}
	return msg, nil
}

// rulePart gives the rules that somebody asks for: those of the configuration first,
// which are few, then those that have a number.
func (r *Router) rulePart(c *call, rules Rules) (p part, hidden int64, err error) {
	p = part{table: keepwatch.Table{Head: []string{"Reminder", "When", "Where", "What", "Next"}}, last: c.args.one("after")}
	look := func(rule keepwatch.Rule) bool {
		mine := rule.By == c.person.Name || rule.To == c.person.Name
		if c.args.has("mine") && !mine {
			return true
		}
		if !c.args.has("all") && !c.args.has("mine") && (rule.Fixed || r.over(rule)) {
			hidden++
			return true
		}
		return p.add([]string{rule.ID, r.whenWords(rule), r.whereName(c, rule.Channel), oneLine(ruleSays(rule), 80), r.nextWord(rule)})
	}
	if p.last == "" {
		fixed, err := rules.FixedRules()
		if err != nil {
			return p, 0, err
		}
		for _, rule := range fixed {
			look(rule)
		}
	}
	numbered := func(after string, limit int) ([]keepwatch.Rule, error) {
		some, err := rules.RulesAfter(after, limit)
		for i, rule := range some {
			if rule.Fixed { // these come last, and stood in front
				return some[:i], err
			}
		}
		return some, err
	}
	err = partOf(&p, numbered, func(rule keepwatch.Rule) string { return rule.ID }, look)
	return p, hidden, err
}

// listOpen shows what came due and is not settled.
func (r *Router) listOpen(c *call) (keepwatch.Message, error) {
	due := r.cfg.Duties.Occurrences
	if due == nil {
		return keepwatch.Message{}, absent("reminders")
	}
	p := part{table: keepwatch.Table{Head: []string{"What", "Due", "Where", "For", "State"}}, last: c.args.one("after")}
	var shown []keepwatch.Occurrence
	err := partOf(&p, due.OpenAfter, func(o keepwatch.Occurrence) string { return o.ID }, func(o keepwatch.Occurrence) bool {
		if c.args.has("mine") && !r.concerns(c.person, o) {
			return true
		}
		shown = append(shown, o)
		loc := r.channelZone(o.Channel)
		return p.add([]string{oneLine(saysWhat(o.Kind, o.Text, o.Command, o.Ask), 80), inZone(o.At, loc), r.whereName(c, o.Channel), cmp.Or(o.To, "anybody"), r.stateWords(o, loc)})
	})
	if err != nil {
		return keepwatch.Message{}, err
	}
	if len(shown) == 0 && !p.more {
		return keepwatch.Message{Title: "Nothing is open", Tone: keepwatch.ToneGood, Blocks: []keepwatch.Block{keepwatch.Text("Whatever came due is answered.")}}, nil
	}
	msg := keepwatch.Message{Title: p.title(c, "reminder is open", "reminders are open"), Tone: keepwatch.ToneWarn, Buttons: p.moreButton(c)}
	if p.more || c.args.has("after") {
		all, err := due.CountOpen()
		if err != nil {
			return keepwatch.Message{}, err
		}
		msg.Title = p.title(c, "reminder", "reminders") + " of " + keepwatch.FormatCount(all, "") + " that are open"
	}
	if len(shown) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &p.table})
	}
	msg.Menus = r.pickMenus(shown, func(o keepwatch.Occurrence) bool { return r.mayAnswer(c, o) == nil })
	return msg, nil
}
