package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// warningCommands are those about what somebody is warned of.
func (r *Router) warningCommands() []Command {
	return []Command{
		{
			Group: "keepwatch", Name: "warnings", Role: keepwatch.RoleViewer, run: r.warnings,
			Summary: "Show what needs somebody, the most pressing first",
			Options: []Option{
				{Name: "warning", Type: TypeWarning, Summary: "one of them, with all that happened to it"},
				{Name: "all", Type: TypeSwitch, Flag: true, Summary: "those too that somebody has seen and that rest"},
			},
			Examples: []string{"keepwatch warnings", "keepwatch warnings w12", "keepwatch warnings --all"},
		},
		{
			// Whoever a warning is addressed to may answer it, whatever their role.
			Group: "keepwatch", Name: "ack", Role: keepwatch.RoleViewer, run: r.ackWarning,
			Summary: "Say that you have seen a warning, so that it rests for a while",
			Options: []Option{
				{Name: "warning", Type: TypeWarning, Required: true, Summary: "which one"},
				{Name: "note", Type: TypeText, Variadic: true, Summary: "what is being done about it"},
				{Name: "until", Type: TypeText, Flag: true, Summary: "when it is told of again: tomorrow 9:00, 3 December, in 5 days"},
			},
			Examples: []string{"keepwatch ack w12", `keepwatch ack w12 --until "3 December" the new secret is ordered`},
		},
	}
}

// keptWarnings gives what keeps warnings.
func (r *Router) keptWarnings() (Warnings, error) {
	if r.cfg.Duties.Warnings == nil {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "This Keepwatch keeps no warnings. An admin finds out why with `/keepwatch check`.")
	}
	return r.cfg.Duties.Warnings, nil
}

func (r *Router) warnings(_ context.Context, c *call) (keepwatch.Message, error) {
	kept, err := r.keptWarnings()
	if err != nil {
		return keepwatch.Message{}, err
	}
	if c.args.has("warning") {
		w, err := kept.Warning(c.args.one("warning"))
		if err != nil {
			return keepwatch.Message{}, err
		}
		if err := r.seesInside(c, w); err != nil {
			return keepwatch.Message{}, err
		}
		return r.warningDetails(c, w), nil
	}
	list, err := kept.Warnings()
	if err != nil {
		return keepwatch.Message{}, err
	}
	var resting int64
	if !c.args.has("all") {
		list = slices.DeleteFunc(slices.Clone(list), func(w keepwatch.Warning) bool {
			if !r.rests(w) {
				return false
			}
			resting++
			return true
		})
	}
	msg := keepwatch.Message{Title: "Nothing needs anybody", Tone: keepwatch.ToneGood}
	if len(list) > 0 {
		msg.Title, msg.Tone = keepwatch.FormatCount(int64(len(list)), "thing needs", "things need")+" somebody", worst(list)
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: r.warningTable(list)})
	}
	if resting > 0 {
		if len(list) == 0 {
			msg.Title = "Nothing new needs anybody"
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Text("And "+keepwatch.FormatCount(resting, "that somebody has seen and that rests", "that somebody has seen and that rest")+"."))
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Show those too", Command: "keepwatch warnings --all"})
	}
	if !c.req.Local { // in the terminal Tab completes
		msg.Menus = warningMenus(slices.DeleteFunc(slices.Clone(list), func(w keepwatch.Warning) bool { return !mayAck(c.person, w) || r.rests(w) }))
	}
	return msg, nil
}

// rests reports whether somebody has seen a warning and it is not told of for now.
func (r *Router) rests(w keepwatch.Warning) bool {
	return w.AckedBy != "" && r.cfg.Now().Before(w.Quiet)
}

// mayAck reports whether somebody may acknowledge a warning.
func mayAck(p keepwatch.Person, w keepwatch.Warning) bool {
	return p.Role >= keepwatch.RoleOperator || w.Fact.To != "" && p.Name == w.Fact.To
}

// seesInside gives an error where what a warning says is not for whoever asks: what a
// lock-out would meet is for admins, as `/authenticator ready` is, and what is of one
// person for them and for operators.
func (r *Router) seesInside(c *call, w keepwatch.Warning) error {
	role := keepwatch.RoleViewer
	switch w.Fact.Kind {
	case keepwatch.FactReady:
		role = keepwatch.RoleAdmin
	case keepwatch.FactStale, keepwatch.FactBackupOff, keepwatch.FactCustody:
		role = keepwatch.RoleOperator
	}
	if c.person.Role >= role || w.Fact.To != "" && w.Fact.To == c.person.Name {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindDenied, "What %s says is for whom it concerns, and for the role %s or above; yours is %s. Ask %s.", w.ID, role, c.person.Role, r.admins(c.req.Account.Platform))
}

// worst gives the tone of the worst of some warnings.
func worst(list []keepwatch.Warning) keepwatch.Tone {
	tone := keepwatch.ToneInfo
	for _, w := range list {
		if _, over := w.Over(); !over {
			tone = max(tone, w.Fact.Tone)
		}
	}
	return tone
}

func (r *Router) warningTable(list []keepwatch.Warning) *keepwatch.Table {
	table := keepwatch.Table{Head: []string{"", "What", "By when", "Told", "State"}}
	for _, w := range list {
		by, state := "now", w.Fact.Tone.String()
		if !w.Fact.Until.IsZero() {
			by = r.instantWord(w.Fact.Until)
		}
		if w.Fact.To != "" {
			state += ", for " + w.Fact.To
		}
		if r.rests(w) {
			state = "seen by " + w.AckedBy + ", rests until " + r.instantWord(w.Quiet)
		}
		if w.Wider {
			state += ", passed on"
		}
		table.Rows = append(table.Rows, []string{w.ID, w.Fact.Title, by, toldText(w), state})
	}
	return &table
}

// instantWord writes a time that may be still to come.
func (r *Router) instantWord(t time.Time) string {
	return t.In(r.cfg.Location).Format("2 Jan 2006 15:04 MST")
}

func toldText(w keepwatch.Warning) string {
	if w.Told == 0 {
		return "not yet"
	}
	return keepwatch.FormatCount(int64(w.Told), "time")
}

// warningMenus offers warnings to be acknowledged.
func warningMenus(list []keepwatch.Warning) []keepwatch.Menu {
	if len(list) == 0 {
		return nil
	}
	menu := keepwatch.Menu{Label: "Which one have you seen?"}
	for _, w := range list[:min(len(list), mostChoices)] {
		menu.Options = append(menu.Options, keepwatch.Button{Label: clipRunes(w.ID+": "+w.Fact.Title, 70), Command: "keepwatch ack " + w.ID})
	}
	return []keepwatch.Menu{menu}
}

// clipRunes keeps a label from filling a telephone.
func clipRunes(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// warningDetails shows a warning with all that happened to it.
func (r *Router) warningDetails(c *call, w keepwatch.Warning) keepwatch.Message {
	msg := WarningMessage(w)
	if !mayAck(c.person, w) {
		msg.Buttons = slices.DeleteFunc(msg.Buttons, func(b keepwatch.Button) bool { return b.Command == "keepwatch ack "+w.ID })
	}
	table := keepwatch.Table{Head: []string{"When", "Who", "What"}}
	for _, h := range w.Log {
		table.Rows = append(table.Rows, []string{r.when(c, h.At), h.By, h.What})
	}
	if len(table.Rows) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	}
	return msg
}

func (r *Router) ackWarning(_ context.Context, c *call) (keepwatch.Message, error) {
	kept, err := r.keptWarnings()
	if err != nil {
		return keepwatch.Message{}, err
	}
	w, err := kept.Warning(c.args.one("warning"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	if !mayAck(c.person, w) {
		whom := "an operator"
		if w.Fact.To != "" {
			whom = w.Fact.To + ", whom it concerns, or " + whom
		}
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindDenied, "%s is for %s to acknowledge; your role is %s. Ask %s.", w.ID, whom, c.person.Role, r.admins(c.req.Account.Platform))
	}
	var until time.Time
	if c.args.has("until") {
		if until, err = r.restUntil(c, c.args.one("until")); err != nil {
			return keepwatch.Message{}, err
		}
	}
	if w, err = kept.AckWarning(w.ID, c.person.Name, until, strings.Join(c.args["note"], " ")); err != nil {
		return keepwatch.Message{}, err
	}
	return r.seenMessage(w, until), nil
}

// seenMessage answers who has seen a warning: until when it rests, and where that is
// sooner than what was asked for, why.
func (r *Router) seenMessage(w keepwatch.Warning, asked time.Time) keepwatch.Message {
	fields := []keepwatch.Field{{Name: "Seen by", Value: w.AckedBy}, {Name: "Rests until", Time: w.Quiet}}
	if w.Note != "" {
		fields = append(fields, keepwatch.Field{Name: "Note", Value: w.Note})
	}
	msg := keepwatch.Message{Title: "Noted: " + w.Fact.Title, Tone: keepwatch.ToneGood, Blocks: []keepwatch.Block{{Fields: fields}}}
	switch end := w.Fact.Until; {
	case end.IsZero() || w.Quiet.Before(end) || !end.After(w.Acked):
	case asked.After(end):
		msg.Tone = keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text("It does not rest until "+r.instantWord(asked)+", as you asked: what it says comes true on "+r.instantWord(end)+", and it rests until then at the most. Nobody hears of it before that."))
	default:
		msg.Blocks = append(msg.Blocks, keepwatch.Text("What it says comes true on "+r.instantWord(end)+", and nobody hears of it before that."))
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text("It is told of again then, and sooner if it becomes another one. It is over when what it says is no longer so."))
	return msg
}

// restUntil reads when a warning is told of again: as people say it, or how long from
// now, or a date, which means the morning of that day.
func (r *Router) restUntil(c *call, text string) (time.Time, error) {
	zone := r.cfg.Location
	if r.cfg.Duties.Hours != nil {
		name := r.cfg.Duties.Hours(c.req.Channel).Zone
		if loc, err := time.LoadLocation(name); err == nil && name != "" {
			zone = loc
		}
	}
	if r.cfg.Duties.Times != nil {
		return r.cfg.Duties.Times.Moment(text, zone, r.cfg.Now())
	}
	if m := agoPattern.FindStringSubmatch(text); m != nil {
		at, err := r.instant(text, false)
		now := r.cfg.Now()
		return now.Add(now.Sub(at)), err
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return time.Date(day.Year(), day.Month(), day.Day(), 9, 0, 0, 0, zone), nil
	}
	if at, err := time.ParseInLocation("2006-01-02T15:04", text, zone); err == nil {
		return at, nil
	}
	return time.Time{}, keepwatch.Errorf(keepwatch.KindInvalid, "%q is no time that I understand. Write how long it is to rest, or until when: 3d, 12h, 2026-12-03, 2026-12-03T14:00.", text)
}

// warningChoices gives the warnings that hold.
func (r *Router) warningChoices() ([]Candidate, error) {
	if r.cfg.Duties.Warnings == nil {
		return nil, nil
	}
	list, err := r.cfg.Duties.Warnings.Warnings()
	var out []Candidate
	for _, w := range list {
		out = append(out, Candidate{w.ID, clipRunes(w.Fact.Title, 70), true})
	}
	if err != nil {
		return nil, fmt.Errorf("list the warnings: %w", err)
	}
	return out, nil
}
