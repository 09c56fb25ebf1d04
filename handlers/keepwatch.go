package handlers

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// keepwatchCommands are those about the bot.
func (r *Router) keepwatchCommands() []Command {
	return []Command{
		{
			Group: "keepwatch", Name: "help", Role: keepwatch.RoleViewer, run: r.help,
			Summary:  "Show what you may do here, or one command in full",
			Options:  []Option{{Name: "command", Type: TypeCommand, Variadic: true, Summary: "a command"}},
			Examples: []string{"keepwatch help", "help backup restore"},
		},
		{
			Group: "keepwatch", Name: "whoami", Role: keepwatch.RoleViewer, run: r.whoami,
			Summary: "Say who I take you for, and what you may do",
		},
		{
			Group: "keepwatch", Name: "audit", Role: keepwatch.RoleAdmin, run: r.audits,
			Summary: "Show who asked for what, and what became of it",
			Options: []Option{
				{Name: "person", Type: TypePerson, Flag: true, Summary: "only what this person asked for"},
				{Name: "source", Type: TypeSource, Flag: true, Summary: "only what was about this source"},
				{Name: "since", Type: TypeTime, Flag: true, Summary: "from then on: 2026-11-24, 2026-11-24T10:00, 24h, 7d"},
				{Name: "until", Type: TypeTime, Flag: true, Summary: "up to then"},
				{Name: "limit", Type: TypeCount, Flag: true, Summary: "at most so many, the newest (50)"},
			},
			Examples: []string{"keepwatch audit --since 7d", "keepwatch audit --person Alis --source ruthin-web"},
		},
		{
			Group: "keepwatch", Name: "check", Role: keepwatch.RoleViewer, run: r.check,
			Summary: "Look at configuration, disk, key and sources, and say what to fix",
		},
		{
			Group: "keepwatch", Name: "exit", Role: keepwatch.RoleNone, Local: true, run: r.exit,
			Summary: "Leave the terminal chat; runs are taken up at the next start",
		},
	}
}

func (r *Router) exit(context.Context, *call) (keepwatch.Message, error) {
	return keepwatch.Message{Quit: true}, nil
}

// help lists what this person may run; nothing else is named.
func (r *Router) help(_ context.Context, c *call) (keepwatch.Message, error) {
	words := c.args["command"]
	if len(words) > 0 {
		if cmd, _, ok := r.find(append([]string{strings.TrimPrefix(words[0], "/")}, words[1:]...)); ok && (len(words) > 1 || cmd.Name != "help" || strings.EqualFold(words[0], "help")) && r.may(c, cmd) {
			return helpOf(cmd), nil
		}
	}
	msg := keepwatch.Message{Title: "What you may do here"}
	table := keepwatch.Table{Head: []string{"Command", "Does"}}
	for _, cmd := range r.commands {
		if r.may(c, cmd) && (len(words) == 0 || strings.EqualFold(cmd.Group, words[0])) {
			table.Rows = append(table.Rows, []string{"/" + cmd.Title(), cmd.Summary})
		}
	}
	if len(table.Rows) == 0 {
		return r.unknown(words, c.person, c.req)
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	if c.req.Local {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Tab completes, a number presses a button, and a path will do as a source: /backup start ./docs"))
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text("For one in full: /keepwatch help backup status"))
	return msg, nil
}

// may reports whether whoever asks may run a command here.
func (r *Router) may(c *call, cmd Command) bool {
	return c.person.Role >= cmd.Role && (c.req.Local || !cmd.Local)
}

func helpOf(cmd Command) keepwatch.Message {
	msg := keepwatch.Message{Title: "/" + cmd.Title(), Blocks: []keepwatch.Block{keepwatch.Text(cmd.Summary + "."), keepwatch.Code("/" + cmd.Usage())}}
	var fields []keepwatch.Field
	for _, o := range cmd.Options {
		name := strings.ToUpper(o.Name)
		if o.Flag {
			name = "--" + o.Name
		}
		fields = append(fields, keepwatch.Field{Name: name, Value: o.Summary})
	}
	if len(fields) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: fields})
	}
	if len(cmd.Examples) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("For example:"), keepwatch.Code("/"+strings.Join(cmd.Examples, "\n/")))
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text("For people with the role "+cmd.Role.String()+" or above."))
	return msg
}

func (r *Router) whoami(_ context.Context, c *call) (keepwatch.Message, error) {
	fields := []keepwatch.Field{
		{Name: "Role", Value: c.person.Role.String()},
		{Name: "Account", Value: c.req.Account.Platform + ":" + c.req.Account.ID},
	}
	for _, g := range r.cfg.Groups {
		if slices.Contains(c.req.Groups, g.ID) {
			fields = append(fields, keepwatch.Field{Name: "Group", Value: g.ID + ", which gives the role " + g.Role.String()})
		}
	}
	return keepwatch.Message{Title: "You are " + c.person.Name, Blocks: []keepwatch.Block{{Fields: fields}}}, nil
}

var agoPattern = regexp.MustCompile(`^(\d{1,5})(m|h|d|w)$`)

// instant reads a time of the audit's filter: a date, a date and time in the
// bot's zone, or how long ago.
func (r *Router) instant(text string, endOfDay bool) (time.Time, error) {
	if m := agoPattern.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		unit := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
		return r.cfg.Now().Add(-time.Duration(n) * unit), nil
	}
	if t, err := time.ParseInLocation("2006-01-02", text, r.cfg.Location); err == nil {
		if endOfDay {
			t = t.AddDate(0, 0, 1).Add(-time.Nanosecond)
		}
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, r.cfg.Location); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return time.Time{}, keepwatch.Errorf(keepwatch.KindInvalid, "%q is no time. Write 2026-11-24, 2026-11-24T10:00, or how long ago: 24h, 7d.", text)
}

func (r *Router) audits(_ context.Context, c *call) (keepwatch.Message, error) {
	f := keepwatch.AuditFilter{Person: c.args.one("person"), Source: c.args.one("source")}
	var err error
	if c.args.has("since") {
		if f.Since, err = r.instant(c.args.one("since"), false); err != nil {
			return keepwatch.Message{}, err
		}
	}
	if c.args.has("until") {
		if f.Until, err = r.instant(c.args.one("until"), true); err != nil {
			return keepwatch.Message{}, err
		}
	}
	if c.args.has("limit") {
		if f.Limit, err = strconv.Atoi(c.args.one("limit")); err != nil || f.Limit < 1 || f.Limit > 1000 {
			return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "--limit takes a number from 1 to 1000.")
		}
	}
	entries, err := r.cfg.Audit.Audits(f)
	if err != nil {
		return keepwatch.Message{}, err
	}
	msg := keepwatch.Message{Title: keepwatch.FormatCount(int64(len(entries)), "request")}
	table := keepwatch.Table{Head: []string{"When", "Who", "Where", "What", "Outcome", "Answered in"}}
	for _, e := range entries {
		who := e.Person
		if who == "" {
			who = "unknown (" + e.Account.Platform + ":" + e.Account.ID + ")"
		}
		how := string(e.Outcome)
		if e.Outcome == keepwatch.OutcomeStarted && e.ID != c.req.ID {
			how = "cut off"
		}
		if e.Run > 0 {
			how += fmt.Sprintf(", run %d", e.Run)
			if run, err := r.cfg.Runs.Run(e.Run); err == nil {
				how += ": " + r.stateWord(run)
			}
		}
		table.Rows = append(table.Rows, []string{e.At.In(r.cfg.Location).Format("2 Jan 15:04:05"), who, e.Channel, e.Text, how, keepwatch.FormatDuration(e.Duration)})
	}
	if !c.req.Local { // in the terminal the options are typed
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Choose…", Command: "keepwatch audit", Form: r.auditForm()})
	}
	if len(entries) == 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Nobody asked for anything of that kind."))
		return msg, nil
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	return msg, nil
}

// mostPicks is how many choices a field of a form has: as many as Slack's select.
const mostPicks = 100

// auditForm asks which requests are to be shown.
func (r *Router) auditForm() *keepwatch.Form {
	pick := func(t OptionType) []string {
		choices, err := r.choices(t, keepwatch.Person{})
		if err != nil {
			return nil // then the name is typed
		}
		var names []string
		for _, choice := range choices[:min(len(choices), mostPicks)] {
			names = append(names, choice.Text)
		}
		return names
	}
	return &keepwatch.Form{Title: "Which requests?", Submit: "Show", Text: "What is left empty does not matter.", Fields: []keepwatch.FormField{
		{Name: "person", Flag: true, Label: "Asked by", Type: keepwatch.FieldChoice, Choices: pick(TypePerson)},
		{Name: "source", Flag: true, Label: "About the source", Type: keepwatch.FieldChoice, Choices: pick(TypeSource)},
		{Name: "since", Flag: true, Label: "From this day on", Type: keepwatch.FieldDate},
		{Name: "until", Flag: true, Label: "Up to this day", Type: keepwatch.FieldDate},
	}}
}

func (r *Router) check(ctx context.Context, _ *call) (keepwatch.Message, error) {
	probes := r.cfg.Check(ctx)
	msg := keepwatch.Message{Title: "All is well", Tone: keepwatch.ToneGood}
	var broken int64
	table := keepwatch.Table{Head: []string{"What", "State", "Found"}}
	for _, p := range urgentFirst(probes) {
		switch {
		case p.Status == keepwatch.ProbeBad:
			broken++
			msg.Tone, msg.Failed = keepwatch.ToneBad, true
		case p.Status == keepwatch.ProbeWarn && msg.Tone == keepwatch.ToneGood:
			msg.Title, msg.Tone = "All works; something is worth a look", keepwatch.ToneWarn
		}
		text := p.Text
		if p.Next != "" {
			text += " " + p.Next
		}
		table.Rows = append(table.Rows, []string{p.Name, string(p.Status), text})
	}
	if broken > 0 {
		msg.Title = keepwatch.FormatCount(broken, "thing needs", "things need") + " fixing"
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	return msg, nil
}

// urgentFirst puts problems first, then warnings: on a phone, and on a page of a
// list, what is below is not seen.
func urgentFirst(probes []keepwatch.Probe) []keepwatch.Probe {
	rank := map[keepwatch.ProbeStatus]int{keepwatch.ProbeBad: -2, keepwatch.ProbeWarn: -1}
	sorted := slices.Clone(probes)
	slices.SortStableFunc(sorted, func(a, b keepwatch.Probe) int { return cmp.Compare(rank[a.Status], rank[b.Status]) })
	return sorted
}
