package handlers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// occurrence finds what came due: by its whole name, or the newest of a rule that
// is open.
func (r *Router) occurrence(word string) (keepwatch.Occurrence, error) {
	store := r.cfg.Duties.Occurrences
	if store == nil {
		return keepwatch.Occurrence{}, absent("reminders")
	}
	word = strings.TrimPrefix(word, "#")
	if _, _, ok := keepwatch.SplitOccurrence(word); ok {
		o, err := store.Occurrence(word)
		if keepwatch.KindOf(err) == keepwatch.KindNotFound {
			return o, noOccurrence("Nothing came due under " + keepwatch.Printable(word) + ".")
		}
		return o, err
	}
	open, err := store.OpenOf(word)
	if err != nil {
		return keepwatch.Occurrence{}, err
	}
	if n := len(open); n > 0 {
		return open[n-1], nil
	}
	past, err := store.Occurrences(word, 1)
	if err != nil || len(past) == 0 {
		return keepwatch.Occurrence{}, noOccurrence("Nothing of a reminder " + keepwatch.Printable(word) + " is open.")
	}
	return keepwatch.Occurrence{}, hinted{
		keepwatch.Errorf(keepwatch.KindConflict, "Nothing of reminder %s is open. The last one, of %s: %s.", word, inZone(past[0].At, r.channelZone(past[0].Channel)), r.stateWords(past[0], r.channelZone(past[0].Channel))),
		[]keepwatch.Button{{Label: "Show it", Command: "reminder show " + Quote(past[0].ID)}},
	}
}

func noOccurrence(what string) error {
	return hinted{keepwatch.Errorf(keepwatch.KindNotFound, "%s `/reminder list --due` shows what is open.", what), []keepwatch.Button{{Label: "What is open", Command: "reminder list --due"}}}
}

// concerns reports whether something that came due is meant for a person: sent to
// them, or assigned to them.
func (r *Router) concerns(p keepwatch.Person, o keepwatch.Occurrence) bool {
	if p.Name != "" && (o.To == p.Name || o.Assignee == p.Name) {
		return true
	}
	return slices.ContainsFunc(append(slices.Clone(o.Places), o.Channel), func(channel string) bool {
		platform, id, direct := strings.Cut(channel, ":@")
		return direct && id != "" && p.Accounts[platform] == id
	})
}

// mine is occurrence for somebody who is going to answer it.
func (r *Router) mine(c *call, word string) (keepwatch.Occurrence, error) {
	o, err := r.occurrence(word)
	if err != nil {
		return o, err
	}
	if err := r.mayAnswer(c, o); err != nil {
		return o, err
	}
	return o, nil
}

func (r *Router) mayAnswer(c *call, o keepwatch.Occurrence) error {
	if c.person.Role >= keepwatch.RoleOperator || r.concerns(c.person, o) {
		return nil
	}
	whose := "is not meant for you"
	if who := cmp.Or(o.Assignee, o.To, ""); who != "" {
		whose = "is meant for " + who
	}
	return keepwatch.Errorf(keepwatch.KindDenied, "This %s. A viewer may answer what was sent or assigned to them; yours is the role %s. Ask %s.", whose, c.person.Role, r.admins(c.req.Account.Platform))
}

// answered saves an answer. One that came too late leads to what happened.
func (r *Router) answered(o keepwatch.Occurrence, a keepwatch.Answer) (keepwatch.Occurrence, error) {
	o, err := r.cfg.Duties.Occurrences.Answer(o.ID, a)
	if keepwatch.KindOf(err) == keepwatch.KindConflict && o.ID != "" {
		err = hinted{err, []keepwatch.Button{{Label: "Show it", Command: "reminder show " + Quote(o.ID)}}}
	}
	return o, err
}

// answerable is mine for an answer that a command does not take.
func (r *Router) answerable(c *call, word string) (keepwatch.Occurrence, error) {
	o, err := r.mine(c, word)
	if err == nil && o.Kind == keepwatch.RuleCommand && !o.State.Settled() {
		err = keepwatch.Errorf(keepwatch.KindConflict, "/%s is carried out by itself, so it asks for no answer. `/backup status` shows how it goes; `/reminder skip %s` gives it up while it waits to be tried again.", o.Command, o.ID)
	}
	return o, err
}

func (r *Router) ackReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	note := strings.Join(c.args["note"], " ")
	if digest := c.args.one("all"); digest != "" {
		if word := c.args.one("due"); word != "" { // with --all there is only a note
			note = strings.TrimSpace(word + " " + note)
		}
		return r.ackAll(c, digest, note)
	}
	if c.args.one("due") == "" {
		return r.askFor(c, c.cmd.Options[0])
	}
	o, err := r.answerable(c, c.args.one("due"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	if o.Kind == keepwatch.RuleAsk && !o.State.Settled() {
		msg := r.question(o)
		msg.Blocks = append([]keepwatch.Block{keepwatch.Text("This wants to know something that only you can see, so “done” is no answer to it. Press one of these.")}, msg.Blocks...)
		return msg, nil
	}
	if o, err = r.answered(o, keepwatch.Answer{Kind: keepwatch.AnswerDone, By: c.person.Name, Note: note}); err != nil {
		return keepwatch.Message{}, err
	}
	return said("Done: ", o, keepwatch.ToneGood, note), nil
}

// said confirms an answer to whoever gave it; the message of the reminder shows it
// to all.
func said(what string, o keepwatch.Occurrence, tone keepwatch.Tone, note string) keepwatch.Message {
	msg := keepwatch.Message{Title: what + oneLine(saysWhat(o.Kind, o.Text, o.Command, o.Ask), 80), Tone: tone}
	fields := []keepwatch.Field{{Name: "Due", Time: o.At}}
	if note != "" {
		fields = append(fields, keepwatch.Field{Name: "Note", Value: note})
	}
	msg.Blocks = []keepwatch.Block{{Fields: fields}}
	return msg
}

// ackAll answers all that were posted in one message, as far as they are open and
// may be answered so.
func (r *Router) ackAll(c *call, digest, note string) (keepwatch.Message, error) {
	if r.cfg.Duties.Occurrences == nil {
		return keepwatch.Message{}, absent("reminders")
	}
	in, err := r.cfg.Duties.Occurrences.DigestOccurrences(digest)
	if err != nil {
		return keepwatch.Message{}, err
	}
	var done, asks, others int64
	for _, o := range in {
		switch {
		case o.State.Settled() || o.Digest != digest || o.Kind == keepwatch.RuleCommand:
		case o.Kind == keepwatch.RuleAsk:
			asks++
		case r.mayAnswer(c, o) != nil:
			others++
		default:
			_, err := r.answered(o, keepwatch.Answer{Kind: keepwatch.AnswerDone, By: c.person.Name, Note: note})
			if keepwatch.KindOf(err) == keepwatch.KindConflict {
				continue // somebody else was faster
			}
			if err != nil {
				return keepwatch.Message{}, fmt.Errorf("answer %s after %d others: %w", o.ID, done, err)
			}
			done++
		}
	}
	msg := keepwatch.Message{Title: keepwatch.FormatCount(done, "reminder is done", "reminders are done"), Tone: keepwatch.ToneGood}
	if done == 0 {
		msg.Title, msg.Tone = "Nothing of that message is open any more", keepwatch.ToneInfo
		if asks+others > 0 {
			msg.Title, msg.Tone = "Nothing was answered", keepwatch.ToneWarn
		}
	}
	if asks > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(keepwatch.FormatCount(asks, "more wants", "more want")+" to know something, and “done” is no answer to that."))
	}
	if others > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(keepwatch.FormatCount(others, "more is meant for others, and stays open", "more are meant for others, and stay open")+"."))
	}
	if asks+others > 0 {
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "What is open", Command: "reminder list --due"})
	}
	return msg, nil
}

func (r *Router) snoozeReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	o, err := r.answerable(c, c.args.one("due"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	words := strings.TrimSpace(strings.Join(c.args["when"], " "))
	if words == "" {
		return r.askUntil(c, o), nil
	}
	if r.cfg.Duties.Times == nil {
		return keepwatch.Message{}, absent("reminders")
	}
	loc := r.readerZone(c.person, o.Channel)
	now := r.cfg.Now()
	until, err := r.cfg.Duties.Times.Moment(words, loc, now)
	switch {
	case err != nil:
		return keepwatch.Message{}, err
	case !until.After(now):
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "%s is past. Say a moment ahead, for example: 3h, tomorrow, 2026-12-03 14:00.", inZone(until, loc))
	case until.Sub(now) > mostSnooze:
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "%s is more than a year ahead. Say that it is done, and make a reminder for then: /reminder add.", inZone(until, loc))
	}
	if o, err = r.answered(o, keepwatch.Answer{Kind: keepwatch.AnswerSnooze, By: c.person.Name, Until: until}); err != nil {
		return keepwatch.Message{}, err
	}
	msg := said("Put off: ", o, keepwatch.ToneInfo, "")
	msg.Blocks = append(msg.Blocks, keepwatch.Field{Name: "Asked again", Time: until}.Block(), keepwatch.Text("By the clock of "+zoneWord(loc)+". When the reminder itself comes due stays as it is."))
	return msg, nil
}

// readerZone is the zone in which somebody says "tomorrow": their own, or that of
// the channel.
func (r *Router) readerZone(p keepwatch.Person, channel string) *time.Location {
	if p.Hours.Zone != "" {
		if loc, err := time.LoadLocation(p.Hours.Zone); err == nil {
			return loc
		}
	}
	return r.channelZone(channel)
}

// askUntil asks until when something is put off.
func (r *Router) askUntil(c *call, o keepwatch.Occurrence) keepwatch.Message {
	if o.State.Settled() {
		return r.OccurrenceMessage(o, keepwatch.Rule{ID: o.Rule})
	}
	msg := keepwatch.Message{Title: "Until when? " + oneLine(saysWhat(o.Kind, o.Text, o.Command, o.Ask), 80), Buttons: snoozeButtons(o)}
	if c.req.Local {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Or in words:"), keepwatch.Code("/reminder snooze "+Quote(o.ID)+" 2026-12-03 14:00"))
	}
	return msg
}

func (r *Router) assignReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	o, err := r.answerable(c, c.args.one("due"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	p, err := r.personNamed(c, c.args.one("person"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	to := keepwatch.Answer{Kind: keepwatch.AnswerAssign, By: c.person.Name, To: p.Name}
	what, told, tone := " sees to it: ", "", keepwatch.ToneGood
	if p.Name != c.person.Name {
		if to.Where, told = r.tells(c, p, o); to.Where == "" {
			what, tone = " is to see to it, and has not been told: ", keepwatch.ToneWarn
		}
	}
	if o, err = r.answered(o, to); err != nil {
		return keepwatch.Message{}, err
	}
	msg := said(p.Name+what, o, tone, "")
	if told != "" {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(told))
	}
	return msg, nil
}

// tells gives where somebody is told that something is assigned to them, and how to
// say so. Where nothing leads to them it is the empty channel, and somebody has to
// tell them.
func (r *Router) tells(c *call, p keepwatch.Person, o keepwatch.Occurrence) (channel, words string) {
	at, err := r.directly(c, p)
	switch {
	case err != nil:
		return "", "Nobody has told " + p.Name + ": keepwatch.yaml names no account on Slack or Discord, so Keepwatch has no way to. Tell " + p.Name + " yourself."
	case !r.connected(at.channel):
		return "", "Nobody has told " + p.Name + ": Keepwatch is not connected to " + platformName(at.channel) + ". Tell " + p.Name + " yourself."
	case at.channel == "terminal":
		return at.channel, "It is shown at this terminal, which is " + p.Name + "'s as well."
	case at.channel == o.Channel || slices.Contains(o.Places, at.channel):
		return at.channel, p.Name + " has it in a direct message on " + platformName(at.channel) + " already, which says so now. That rings nowhere: where it is pressing, say it yourself too."
	}
	return at.channel, p.Name + " is told by a direct message on " + platformName(at.channel) + "."
}

// skipReminder leaves out what came due, or the next one of a rule.
func (r *Router) skipReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	word := c.args.one("reminder")
	if _, _, ok := keepwatch.SplitOccurrence(word); ok {
		o, err := r.mine(c, word)
		if err != nil {
			return keepwatch.Message{}, err
		}
		if o, err = r.answered(o, keepwatch.Answer{Kind: keepwatch.AnswerSkip, By: c.person.Name}); err != nil {
			return keepwatch.Message{}, err
		}
		return said("Left out: ", o, keepwatch.ToneInfo, ""), nil
	}
	if c.person.Role < keepwatch.RoleOperator {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindDenied, "To leave out the next one of a reminder needs the role %s or above; yours is %s. Ask %s.", keepwatch.RoleOperator, c.person.Role, r.admins(c.req.Account.Platform))
	}
	off := c.args.has("off")
	now := "leaves out its next one"
	if off {
		now = "leaves nothing out"
	}
	return r.changeState(c, now, keepwatch.ToneInfo, func(rule *keepwatch.Rule) error {
		switch {
		case off:
			rule.Skip = ""
		case rule.Paused:
			return keepwatch.Errorf(keepwatch.KindConflict, "Reminder %s is paused, so it has no next one to leave out.", rule.ID)
		case rule.Next.IsZero():
			return keepwatch.Errorf(keepwatch.KindConflict, "Reminder %s has no next one to leave out: %s.", rule.ID, r.nextWord(*rule))
		default:
			rule.Skip = rule.NextWall
		}
		return nil
	})
}
