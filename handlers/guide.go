package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// guideCommands are those about checklists: procedures that only a person can go
// through, one message and one action a step.
func (r *Router) guideCommands() []Command {
	anew := Option{Name: "anew", Type: TypeSwitch, Flag: true, Summary: "begin anew, and leave what was begun before"}
	guide := func(group, name, option, what, summary string, examples ...string) Command {
		return Command{
			Group: group, Name: name, Role: keepwatch.RoleViewer, run: r.guide, Summary: summary, Examples: examples,
			Options: []Option{{Name: option, Type: TypeTopic, Summary: what}, anew},
		}
	}
	return []Command{
		guide("authenticator", "guide", "platform", "the phone, or what is to be set up", "Set up Authenticator's backup or a second way in, step by step",
			"authenticator guide ios", "authenticator guide"),
		guide("authenticator", "recover", "platform", "the new phone, or from which to which", "Get back in after a phone was lost or replaced, step by step",
			"authenticator recover ios-to-android", "authenticator recover lost-admin"),
		r.drillCommand(),
		guide("backup", "guide", "topic", "what is to be backed up", "Make a backup that only a person can make, step by step",
			"backup guide outlook-pst", "backup guide"),
	}
}

// stepCommands are those that go on in a checklist.
func (r *Router) stepCommands() []Command {
	return []Command{
		{
			Group: "keepwatch", Name: "step", Role: keepwatch.RoleViewer, run: r.step, InPlace: true, Guarded: true, Private: true,
			Summary: "Go on in a checklist; its buttons do this",
			Options: []Option{
				{Name: "walk", Type: TypeText, Required: true, Summary: "which checklist: l12"},
				{Name: "rev", Type: TypeText, Required: true, Summary: "which state of it the message shows"},
				{Name: "action", Type: TypeText, Required: true, Summary: "done, out, problem, pass, skip, lost, back or stop"},
				{Name: "value", Type: TypeText, Variadic: true, Summary: "the answer, or what happened"},
			},
			Examples: []string{"keepwatch step l12 3 done", "keepwatch step l12 3 problem no code arrived"},
		},
		{
			Group: "keepwatch", Name: "steps", Role: keepwatch.RoleViewer, run: r.steps, InPlace: true, Private: true,
			Summary:  "List the checklists that you are in the middle of, or go on with one",
			Options:  []Option{{Name: "walk", Type: TypeText, Summary: "which one: l12"}},
			Examples: []string{"keepwatch steps", "keepwatch steps l12"},
		},
	}
}

// hasWalks says that there are no checklists, where that is so.
func (r *Router) hasWalks() error {
	if r.cfg.Duties.Walks == nil || len(r.cfg.Duties.Checklists) == 0 {
		return keepwatch.Errorf(keepwatch.KindNotFound, "This Keepwatch has no checklists.")
	}
	return nil
}

// guide begins a checklist, or goes on with it.
func (r *Router) guide(_ context.Context, c *call) (keepwatch.Message, error) {
	if err := r.hasWalks(); err != nil {
		return keepwatch.Message{}, err
	}
	word := c.args.one(c.cmd.Options[0].Name)
	if word == "" {
		return r.topics(c), nil
	}
	list, err := r.checklist(c.cmd.Title(), word)
	if err != nil {
		return keepwatch.Message{}, err
	}
	w, err := r.beginWalk(list, c.person.Name)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if w.Revision > 0 && c.args.has("anew") {
		if _, _, err := r.move(c, list, w, move{action: "stop"}); err != nil {
			return keepwatch.Message{}, err
		}
		if w, err = r.beginWalk(list, c.person.Name); err != nil {
			return keepwatch.Message{}, err
		}
	}
	if w.Revision > 0 { // of one that was only begun there is nothing to go on with
		return r.resume(list, w), nil
	}
	return r.walkMessage(c, list, w, ""), nil
}

// beginWalk saves a new walk, or gives the one that is under way.
func (r *Router) beginWalk(list keepwatch.Checklist, person string) (keepwatch.Walk, error) {
	now := r.cfg.Now().UTC()
	w, err := r.cfg.Duties.Walks.StartWalk(keepwatch.Walk{Checklist: list.ID, Person: person, Begun: now, Changed: now, Step: list.Steps[0].Title})
	if err != nil {
		return w, fmt.Errorf("begin checklist %s for %s: %w", list.ID, person, err)
	}
	return w, nil
}

// topics lists the checklists of a command, with a button for each.
func (r *Router) topics(c *call) keepwatch.Message {
	msg := keepwatch.Message{Title: "Which one?"}
	table := keepwatch.Table{Head: []string{"Topic", "Is about"}}
	menu := keepwatch.Menu{Label: msg.Title}
	for _, list := range r.cfg.Duties.Checklists {
		if list.Group == c.cmd.Title() {
			table.Rows = append(table.Rows, []string{list.Topic, list.Title})
			menu.Options = append(menu.Options, keepwatch.Button{Label: list.Topic, Command: list.Group + " " + list.Topic})
		}
	}
	if len(table.Rows) == 0 {
		msg.Title = "There is no checklist of this kind"
		return msg
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	if len(menu.Options) <= fewChoices || c.req.Local {
		msg.Buttons = menu.Options
	} else {
		menu.Options = menu.Options[:min(len(menu.Options), mostChoices)]
		msg.Menus = append(msg.Menus, menu)
	}
	return msg
}

// topicsOf gives what the word after a command may be completed to.
func (r *Router) topicsOf(group string) []Candidate {
	var found []Candidate
	for _, list := range r.cfg.Duties.Checklists {
		if list.Group == group {
			found = append(found, Candidate{list.Topic, list.Title, true})
		}
	}
	return found
}

// checklist finds the one that a word names under a command. Whoever asks for it under
// another command is given what they mean.
func (r *Router) checklist(group, word string) (keepwatch.Checklist, error) {
	var others []keepwatch.Checklist
	var names []string
	for _, list := range r.cfg.Duties.Checklists {
		switch same := strings.EqualFold(list.Topic, word); {
		case same && list.Group == group:
			return list, nil
		case same && list.Group != drillGroup:
			others = append(others, list)
		case list.Group == group:
			names = append(names, list.Topic)
		}
	}
	if len(others) > 0 {
		return others[0], nil
	}
	h := hinted{error: keepwatch.Errorf(keepwatch.KindNotFound, "There is no checklist %q here. `/%s` lists those that there are.", word, group)}
	if near := nearest(word, names); near != "" {
		h.error = keepwatch.Errorf(keepwatch.KindNotFound, "There is no checklist %q. Did you mean %s?", word, near)
		h.buttons = append(h.buttons, keepwatch.Button{Label: "Yes, " + near, Command: group + " " + near})
	}
	h.buttons = append(h.buttons, keepwatch.Button{Label: "List", Command: group})
	return keepwatch.Checklist{}, h
}

// listOf gives the checklist of a walk. One that came from a file may be gone, and one
// whose file was changed may be shorter than it was.
func (r *Router) listOf(w keepwatch.Walk) (keepwatch.Checklist, bool) {
	i := slices.IndexFunc(r.cfg.Duties.Checklists, func(l keepwatch.Checklist) bool { return l.ID == w.Checklist })
	if i < 0 {
		return keepwatch.Checklist{ID: w.Checklist, Title: w.Checklist}, false
	}
	return r.cfg.Duties.Checklists[i], true
}

// resume offers to go on with what was begun, or to begin anew.
func (r *Router) resume(list keepwatch.Checklist, w keepwatch.Walk) keepwatch.Message {
	at := atStep(list, w)
	return keepwatch.Message{
		Title: fmt.Sprintf("You are at step %d of %d: %s", at+1, len(list.Steps), list.Steps[at].Title),
		Blocks: []keepwatch.Block{
			keepwatch.Text(list.Title + ". You have begun this before."),
			{Fields: []keepwatch.Field{{Name: "Begun", Time: w.Begun}, {Name: "Last step", Time: w.Changed}}},
		},
		Buttons: []keepwatch.Button{
			{Label: "Go on", Command: "keepwatch steps " + w.ID, Style: keepwatch.StylePrimary},
			{Label: "Begin anew", Command: list.Group + " " + list.Topic + " --anew"},
		},
	}
}

// mostWalks is how many checklists are looked through for those that are open.
const mostWalks = 500

// steps lists the checklists that are under way, one's own or, for operators, those of
// everybody; or shows one of them.
func (r *Router) steps(_ context.Context, c *call) (keepwatch.Message, error) {
	if err := r.hasWalks(); err != nil {
		return keepwatch.Message{}, err
	}
	if id := c.args.one("walk"); id != "" {
		w, err := r.cfg.Duties.Walks.Walk(strings.ToLower(id))
		if err != nil {
			return keepwatch.Message{}, err
		}
		if w.Person != c.person.Name && c.person.Role < keepwatch.RoleOperator {
			return keepwatch.Message{}, notYours(w)
		}
		list, _ := r.listOf(w)
		if w.Person == c.person.Name && w.Ended.IsZero() && strayed(list, w) {
			return r.relocate(c, list, w)
		}
		return r.walkMessage(c, list, w, ""), nil
	}
	person := c.person.Name
	all := c.person.Role >= keepwatch.RoleOperator
	if all {
		person = ""
	}
	walks, err := r.cfg.Duties.Walks.Walks(person, mostWalks)
	if err != nil {
		return keepwatch.Message{}, err
	}
	walks = slices.DeleteFunc(slices.Clone(walks), func(w keepwatch.Walk) bool { return !w.Ended.IsZero() })
	if len(walks) == 0 {
		return keepwatch.Message{
			Title:   "No checklist is under way",
			Blocks:  []keepwatch.Block{keepwatch.Text("There are guides for setting up Authenticator, for getting back in, and for backups that only a person can make.")},
			Buttons: []keepwatch.Button{{Label: "Authenticator", Command: "authenticator guide"}, {Label: "Getting back in", Command: "authenticator recover"}, {Label: "Backups", Command: "backup guide"}},
		}, nil
	}
	return r.openWalks(c, walks, all), nil
}

func (r *Router) openWalks(c *call, walks []keepwatch.Walk, all bool) keepwatch.Message {
	msg := keepwatch.Message{Title: keepwatch.FormatCount(int64(len(walks)), "checklist") + " under way"}
	table := keepwatch.Table{Head: []string{"Which", "About", "At", "Since"}}
	if all {
		table.Head = append(table.Head, "Who")
	}
	for _, w := range walks {
		list, known := r.listOf(w)
		at := "its file is gone"
		if known {
			n := atStep(list, w)
			at = fmt.Sprintf("step %d of %d: %s", n+1, len(list.Steps), list.Steps[n].Title)
		}
		row := []string{w.ID, list.Title, at, r.day(w.Changed)}
		if all {
			row = append(row, w.Person)
		}
		table.Rows = append(table.Rows, row)
		if w.Person == c.person.Name && len(msg.Buttons) < fewChoices {
			msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: cutLabel("Go on: " + list.Title), Command: "keepwatch steps " + w.ID})
		}
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	return msg
}

// cutLabel keeps a label within what Slack shows on a button: 75 characters (Block
// Kit, button element).
func cutLabel(label string) string {
	if runes := []rune(label); len(runes) > 75 {
		return string(runes[:74]) + "…"
	}
	return label
}

// day writes a date for people: 26 November 2026.
func (r *Router) day(t time.Time) string { return t.In(r.cfg.Location).Format("2 January 2006") }

func notYours(w keepwatch.Walk) error {
	return keepwatch.Errorf(keepwatch.KindDenied, "That is the checklist of %s. Only they and an admin may go on with it.", w.Person)
}
