package handlers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// drillGroup is the command of the checklists that are drills.
const drillGroup = "authenticator drill"

func (r *Router) drillCommand() Command {
	return Command{
		Group: "authenticator", Name: "drill", Role: keepwatch.RoleAdmin, run: r.drill, Timed: true,
		Summary: "Rehearse a lock-out: phone gone, no second administrator; timed",
		Options: []Option{
			{Name: "person", Type: TypePerson, Summary: "who; otherwise whoever has gone longest without one"},
			{Name: "at", Type: TypeText, Flag: true, Summary: "not now but then: \"tomorrow 9:00\", \"3 December at 14:00\""},
		},
		Examples: []string{"authenticator drill", "authenticator drill Alis --at \"tomorrow 9:00\""},
	}
}

// drill begins the lock-out drill of a global administrator, in their direct messages.
// It is a command like any other, so that a rule can do this each quarter.
func (r *Router) drill(_ context.Context, c *call) (keepwatch.Message, error) {
	if err := r.hasWalks(); err != nil {
		return keepwatch.Message{}, err
	}
	i := slices.IndexFunc(r.cfg.Duties.Checklists, func(l keepwatch.Checklist) bool { return l.Group == drillGroup })
	if i < 0 {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindNotFound, "This Keepwatch has no drill.")
	}
	list := r.cfg.Duties.Checklists[i]
	person, err := r.drilled(c.args.one("person"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	if c.args.has("at") {
		return r.drillLater(c, person)
	}
	now := r.cfg.Now().UTC()
	w, err := r.cfg.Duties.Walks.StartWalk(keepwatch.Walk{Checklist: list.ID, Person: person.Name, Begun: now, Changed: now, Step: list.Steps[0].Title, By: c.person.Name, Channel: r.reportTo(c)})
	if err != nil {
		return keepwatch.Message{}, fmt.Errorf("begin the drill of %s: %w", person.Name, err)
	}
	if w.Person == c.person.Name && c.req.Due == "" { // who drills themselves begins here
		return r.walkMessage(c, list, w, ""), nil
	}
	return r.sendDrill(c, list, w, person), nil
}

// drilled gives the person who is drilled: the one who is named, or of those who have a
// global administrator's device the one whose last drill is the longest ago.
func (r *Router) drilled(name string) (keepwatch.Person, error) {
	var best *keepwatch.Person
	var last time.Time
	var names []string
	known := false
	for i, p := range r.cfg.People {
		known = known || strings.EqualFold(p.Name, name)
		if !slices.ContainsFunc(p.Devices, func(d keepwatch.Device) bool { return d.GlobalAdmin }) {
			continue
		}
		if name != "" && strings.EqualFold(p.Name, name) {
			return p, nil
		}
		names = append(names, p.Name)
		at, err := r.lastDrill(p.Name)
		if err != nil {
			return keepwatch.Person{}, err
		}
		if best == nil || at.Before(last) {
			best, last = &r.cfg.People[i], at
		}
	}
	switch {
	case best == nil:
		return keepwatch.Person{}, keepwatch.Errorf(keepwatch.KindNotFound, "Nobody in keepwatch.yaml has a global administrator's device. Write global_admin: true at the device of each person who is one.")
	case name == "":
		return *best, nil
	case known:
		return keepwatch.Person{}, keepwatch.Errorf(keepwatch.KindInvalid, "%s has no device with global_admin: true in keepwatch.yaml, so there is nothing to be locked out of. There are: %s.", name, strings.Join(names, ", "))
	}
	h := hinted{error: keepwatch.Errorf(keepwatch.KindNotFound, "There is nobody named %q. Global administrators are: %s.", name, strings.Join(names, ", "))}
	if near := nearest(name, names); near != "" {
		h.buttons = append(h.buttons, keepwatch.Button{Label: "Drill " + near, Command: "authenticator drill " + Quote(near)})
	}
	return keepwatch.Person{}, h
}

// lastDrill gives when somebody last went through a drill; zero: never.
func (r *Router) lastDrill(person string) (time.Time, error) {
	if r.cfg.Duties.Attestations == nil {
		return time.Time{}, nil
	}
	const looked = 20 // one that was stopped is none
	found, err := r.cfg.Duties.Attestations.Attestations(keepwatch.DrillSubject(person), looked)
	i := slices.IndexFunc(found, func(a keepwatch.Attestation) bool { return a.State != keepwatch.AttestedStopped })
	if err != nil || i < 0 {
		return time.Time{}, err
	}
	return found[i].Said, nil
}

// drillLater makes a rule that begins the drill at a time.
func (r *Router) drillLater(c *call, person keepwatch.Person) (keepwatch.Message, error) {
	duties := r.cfg.Duties
	if duties.Times == nil || duties.Rules == nil {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindNotFound, "This Keepwatch keeps no times. Leave --at out, and the drill begins now.")
	}
	at, err := duties.Times.Moment(c.args.one("at"), r.cfg.Location, c.req.At)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if err := r.mayThen(c, c.cmd); err != nil {
		return keepwatch.Message{}, err
	}
	rule := keepwatch.Rule{
		Kind: keepwatch.RuleCommand, When: keepwatch.When{At: at.UTC(), Said: c.args.one("at")}, Channel: c.req.Channel,
		Command: "authenticator drill " + Quote(person.Name), By: c.person.Name, Account: c.req.Account, Made: r.cfg.Now().UTC(),
	}
	like, err := duties.Rules.RulesLike(rule)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if len(like) > 0 {
		rule = like[0] // the request is carried out again, or somebody had the same thought
	} else if rule, err = duties.Rules.AddRule(rule); err != nil {
		return keepwatch.Message{}, err
	}
	return keepwatch.Message{
		Title: "The drill of " + person.Name + " is set", Tone: keepwatch.ToneGood,
		Blocks: []keepwatch.Block{
			{Fields: []keepwatch.Field{{Name: "Begins", Time: at}, {Name: "Rule", Value: rule.ID}}},
			keepwatch.Text("They are not told before. It begins in their direct messages."),
		},
		Buttons: []keepwatch.Button{{Label: "Take it back", Command: "reminder remove " + Quote(rule.ID), Style: keepwatch.StyleDanger}},
	}, nil
}

// sendDrill posts the step at which a drill is to whoever is drilled, and says so.
func (r *Router) sendDrill(c *call, list keepwatch.Checklist, w keepwatch.Walk, person keepwatch.Person) keepwatch.Message {
	at := atStep(list, w)
	msg := keepwatch.Message{Title: "The drill of " + person.Name + " has begun"}
	if w.Revision > 0 {
		msg.Title = fmt.Sprintf("A drill of %s is under way, at step %d of %d", person.Name, at+1, len(list.Steps))
	}
	fields := []keepwatch.Field{{Name: "Begun", Time: w.Begun}}
	if w.By != "" {
		fields = append(fields, keepwatch.Field{Name: "Asked for by", Value: w.By})
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: fields})
	to := r.direct(person)
	err := r.post(keepwatch.Outgoing{ID: derivedID("drill", w.ID, fmt.Sprint(w.Revision)), Channel: to, Topic: "walk/" + w.ID, Message: r.stepMessage(list, w, to == terminal)})
	switch {
	case to != "" && err == nil:
		told := "The step was sent to them as a direct message."
		switch {
		case w.Channel == c.req.Channel:
			told += " How it went is told here."
		case r.speaks(w.Channel):
			told += " How it went is told to " + cmp.Or(w.By, "whoever asked") + " directly."
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Text(told))
	default:
		if err != nil {
			r.cfg.Log.Error("the first step of a drill could not be sent", "walk", w.ID, "err", err)
		}
		msg.Tone = keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text("I cannot write to "+person.Name+" directly. Tell them to type this; the time runs:"), keepwatch.Code("/keepwatch steps "+w.ID))
	}
	msg.Buttons = []keepwatch.Button{{Label: "Look", Command: "keepwatch steps " + w.ID}, {Label: "Stop it", Command: stepCommand(w, "stop"), Style: keepwatch.StyleDanger}}
	return msg
}

// reportTo is where whoever asks for a drill is told how it went: a rule in its
// channel, and a person in their direct messages, because it says what is missing.
func (r *Router) reportTo(c *call) string {
	if c.req.Due != "" || c.req.Private {
		return c.req.Channel
	}
	if to := r.direct(c.person); to != "" {
		return to
	}
	return c.req.Channel
}

// direct gives the direct messages of a person: on the first platform that they have
// an account on and that is connected, the terminal last; "" where there is none.
func (r *Router) direct(person keepwatch.Person) string {
	for _, platform := range slices.Sorted(maps.Keys(person.Accounts)) {
		if channel := platform + ":@" + person.Accounts[platform]; platform != terminal && r.speaks(channel) {
			return channel
		}
	}
	if person.Accounts[terminal] != "" && r.speaks(terminal) {
		return terminal
	}
	return ""
}

// terminal is the platform and the channel of whoever sits at the bot's machine.
const terminal = "terminal"

// speaks reports whether a message can be posted in a channel.
func (r *Router) speaks(channel string) bool {
	duties := r.cfg.Duties
	return channel != "" && duties.Post != nil && (duties.Speaks == nil || duties.Speaks(channel))
}

// post saves a message to be posted; nothing happens where its channel is none.
func (r *Router) post(out keepwatch.Outgoing) error {
	if !r.speaks(out.Channel) {
		return nil
	}
	out.Lane, out.Made = out.Channel, r.cfg.Now().UTC()
	return r.cfg.Duties.Post(out)
}

// derivedID makes the ID of a message of what it is about, so that it is the same
// however often it is made.
func derivedID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:keepwatch.MessageID])
}

// reportDrill tells whoever asked for a drill how it went, once it has ended.
func (r *Router) reportDrill(c *call, list keepwatch.Checklist, w keepwatch.Walk) {
	if w.Ended.IsZero() || list.Group != drillGroup || w.Channel == "" || w.Channel == c.req.Channel {
		return // whoever pressed last sees it anyway
	}
	if err := r.post(keepwatch.Outgoing{ID: derivedID("drilled", w.ID), Channel: w.Channel, Topic: "drilled/" + w.ID, Message: r.drillMessage(list, w)}); err != nil {
		r.cfg.Log.Error("how a drill went could not be sent", "walk", w.ID, "channel", w.Channel, "err", err)
	}
}

// drillMessage says how a drill went: how long each step took, what was missing, and
// what to do about it.
func (r *Router) drillMessage(list keepwatch.Checklist, w keepwatch.Walk) keepwatch.Message {
	open := openProblems(w)
	took := keepwatch.FormatDuration(w.Ended.Sub(w.Begun))
	msg := keepwatch.Message{Title: fmt.Sprintf("Drill of %s: nothing was missing, in %s", w.Person, took), Tone: keepwatch.ToneGood}
	switch {
	case w.Outcome == keepwatch.AttestedStopped:
		msg.Title, msg.Tone = fmt.Sprintf("Drill of %s: stopped at step %d of %d, after %s", w.Person, atStep(list, w)+1, max(len(list.Steps), 1), took), keepwatch.ToneWarn
	case len(open) > 0:
		missing := map[int]bool{}
		for _, p := range open {
			missing[p.Step] = true
		}
		msg.Title, msg.Tone = fmt.Sprintf("Drill of %s: %s, in %s", w.Person, keepwatch.FormatCount(int64(len(missing)), "step could not be done", "steps could not be done"), took), keepwatch.ToneBad
	}
	table := keepwatch.Table{Head: []string{"Step", "Took", "Could be done"}}
	from := w.Begun
	for n, at := range w.Times {
		if n >= len(list.Steps) {
			break
		}
		could := "yes"
		if hasProblem(w, n) {
			could = "no"
		}
		table.Rows = append(table.Rows, []string{list.Steps[n].Title, keepwatch.FormatDuration(at.Sub(from)), could})
		from = at
	}
	if len(table.Rows) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	}
	told := map[int]bool{}
	for _, p := range open {
		text := sentence(problemText(list, p)) + "."
		if p.Step < len(list.Steps) && !told[p.Step] && list.Steps[p.Step].Trouble != "" {
			text += "\nTo do: " + list.Steps[p.Step].Trouble
		}
		told[p.Step] = true
		msg.Blocks = append(msg.Blocks, keepwatch.Text(text))
	}
	return msg
}
