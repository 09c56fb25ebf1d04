package handlers

import (
	"strings"

	"keepwatch"
)

// reminderCommands are those about rules and about what came due of them.
func (r *Router) reminderCommands() []Command {
	return append(r.ruleCommands(), r.dueCommands()...)
}

// termOptions are what "add" and "edit" have in common.
func termOptions() []Option {
	return []Option{
		{Name: "zone", Type: TypeZone, Flag: true, Summary: "the time zone whose clock it goes by (the channel's)"},
		{Name: "repeat", Type: TypeDuration, Flag: true, Summary: "ask again after this long when nobody answers: 30m, 2h; off"},
		{Name: "times", Type: TypeCount, Flag: true, Summary: "ask again so many times at the most (3)"},
		{Name: "then", Type: TypePlaces, Flag: true, Summary: "pass it on to these, one after the other: escalation,Alis; none"},
		{Name: "grace", Type: TypeDuration, Flag: true, Summary: "how late a missed one is still caught up (24h)"},
		{Name: "to", Type: TypePerson, Flag: true, Summary: "the person whom it concerns; none"},
		{Name: "confirm", Type: TypeText, Flag: true, Summary: "the code that confirms what was shown"},
	}
}

func (r *Router) ruleCommands() []Command {
	which := Option{Name: "reminder", Type: TypeRule, Required: true, Summary: "the number of a reminder"}
	return []Command{
		{
			Group: "reminder", Name: "add", Role: keepwatch.RoleOperator, run: r.addReminder, arrange: r.arrangeAdd, form: r.formForMissing,
			Summary: "Make a reminder, or have a command carried out at a time",
			Options: append([]Option{
				{Name: "when", Type: TypeWhen, Required: true, Summary: "a cron expression or plain words: every weekday at 9"},
				{Name: "channel", Type: TypeChannel, Required: true, Summary: "here, default, escalation, reports, slack:C0123, or a person"},
				{Name: "text", Type: TypeText, Required: true, Variadic: true, Summary: "what to say; a /command is carried out"},
			}, termOptions()...),
			Examples: []string{
				`reminder add "every weekday at 9" here Look at last night's backups`, `reminder add "first Monday of the month 10:00" default Test a restore --repeat 2h --then escalation`,
				`reminder add "0 3 * * SUN" here /backup start notes`, `reminder add in 2 hours me Ring the hosting company`,
			},
		},
		{
			Group: "reminder", Name: "list", Role: keepwatch.RoleViewer, run: r.listReminders,
			Summary: "Show the reminders, or what is open now",
			Options: []Option{
				{Name: "all", Type: TypeSwitch, Flag: true, Summary: "those from keepwatch.yaml too, and those that are over"},
				{Name: "mine", Type: TypeSwitch, Flag: true, Summary: "those that you made or that concern you"},
				{Name: "due", Type: TypeSwitch, Flag: true, Summary: "what came due and nobody has answered"},
				{Name: "after", Type: TypeText, Flag: true, Summary: "go on behind this one, where there are more than one message shows"},
			},
			Examples: []string{"reminder list", "reminder list --due"},
		},
		{
			Group: "reminder", Name: "show", Role: keepwatch.RoleViewer, run: r.showReminder,
			Summary:  "Show one reminder, or one that came due, with what happened",
			Options:  []Option{{Name: "reminder", Type: TypeEither, Required: true, Summary: "the number of a reminder, or of one that came due"}},
			Examples: []string{"reminder show 12", "reminder show 12@2026-11-26T09:00"},
		},
		{
			Group: "reminder", Name: "edit", Role: keepwatch.RoleOperator, run: r.editReminder,
			Summary: "Change when a reminder comes due, what it says, or where",
			Options: append([]Option{which,
				{Name: "when", Type: TypeWhen, Flag: true, Summary: "when it comes due"},
				{Name: "channel", Type: TypeChannel, Flag: true, Summary: "where it is posted"},
				{Name: "text", Type: TypeText, Flag: true, Summary: "what it says"},
			}, termOptions()...),
			Examples: []string{`reminder edit 12 --when "every weekday at 8:30"`, `reminder edit 12 --text "Look at the backups" --repeat 1h`},
		},
		r.onRule("pause", "Have a reminder not come due until it is resumed", r.pauseReminder),
		r.onRule("resume", "Have a paused reminder come due again", r.resumeReminder),
		{
			Group: "reminder", Name: "remove", Role: keepwatch.RoleOperator, run: r.removeReminder,
			Summary:  "Remove a reminder for good",
			Options:  []Option{which, {Name: "confirm", Type: TypeText, Flag: true, Summary: "the code that confirms what was shown"}},
			Examples: []string{"reminder remove 12"},
		},
		{
			Group: "reminder", Name: "run", aliases: []string{"now"}, Role: keepwatch.RoleOperator, run: r.runReminder,
			Summary: "Have a reminder come due now, beside its times", Options: []Option{which}, Examples: []string{"reminder run 12"},
		},
	}
}

// onRule is a command that takes a rule and nothing else.
func (r *Router) onRule(name, summary string, run handler) Command {
	return Command{
		Group: "reminder", Name: name, Role: keepwatch.RoleOperator, run: run, Summary: summary,
		Options:  []Option{{Name: "reminder", Type: TypeRule, Required: true, Summary: "the number of a reminder"}},
		Examples: []string{"reminder " + name + " 12"},
	}
}

// dueCommands are the answers to what came due. A viewer may answer what is meant
// for them; that is looked at when it is known whose it is.
func (r *Router) dueCommands() []Command {
	due := Option{Name: "due", Type: TypeDue, Required: true, Summary: "what came due: 12@2026-11-26T09:00, or 12 for the newest"}
	return []Command{
		{
			Group: "reminder", Name: "ack", aliases: []string{"done"}, Role: keepwatch.RoleViewer, run: r.ackReminder,
			Summary: "Say that what a reminder asks for is done",
			Options: []Option{
				{Name: "due", Type: TypeDue, Summary: due.Summary},
				{Name: "note", Type: TypeText, Variadic: true, Summary: "what is kept with it"},
				{Name: "all", Type: TypeText, Flag: true, Summary: "all that were posted in this one message, by its number"},
			},
			Examples: []string{"reminder ack 12@2026-11-26T09:00", "reminder ack 12 all three are there"},
		},
		{
			Group: "reminder", Name: "snooze", Role: keepwatch.RoleViewer, run: r.snoozeReminder,
			Summary:  "Be reminded of what came due again later; the reminder's times stay",
			Options:  []Option{due, {Name: "when", Type: TypeMoment, Variadic: true, Summary: "1h, 3h, tomorrow, next week, 2026-12-03 14:00"}},
			Examples: []string{"reminder snooze 12@2026-11-26T09:00 3h", "reminder snooze 12 tomorrow 14:00"},
		},
		{
			Group: "reminder", Name: "assign", Role: keepwatch.RoleViewer, run: r.assignReminder,
			Summary:  "Say who sees to what came due",
			Options:  []Option{due, {Name: "person", Type: TypePerson, Required: true, Summary: "a person from keepwatch.yaml"}},
			Examples: []string{"reminder assign 12@2026-11-26T09:00 Alis"},
		},
		{
			Group: "reminder", Name: "skip", Role: keepwatch.RoleViewer, run: r.skipReminder,
			Summary: "Leave out what came due, or the next one of a reminder",
			Options: []Option{
				{Name: "reminder", Type: TypeEither, Required: true, Summary: "what came due, or the number of a reminder for its next one"},
				{Name: "off", Type: TypeSwitch, Flag: true, Summary: "do not leave out the next one after all"},
			},
			Examples: []string{"reminder skip 12", "reminder skip 12@2026-11-26T09:00"},
		},
	}
}

// absent says that the part of the program that a command needs is not there.
func absent(what string) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "This Keepwatch keeps no %s. An admin finds out why with `/keepwatch check`.", what)
}

// rules gives what keeps the rules, and what reads times.
func (r *Router) rules() (Rules, Times, error) {
	if r.cfg.Duties.Rules == nil || r.cfg.Duties.Times == nil {
		return nil, nil, absent("reminders")
	}
	return r.cfg.Duties.Rules, r.cfg.Duties.Times, nil
}

// oneLine gives the first line of a text, as long as a phone shows of it.
func oneLine(text string, most int) string {
	line, _, more := strings.Cut(strings.TrimSpace(text), "\n")
	line = strings.Join(strings.Fields(line), " ")
	if letters := []rune(line); len(letters) > most {
		return strings.TrimSpace(string(letters[:most-1])) + "…"
	} else if more {
		return line + " …"
	}
	return line
}
