package handlers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestReminderAnswers holds every answer to the text that was read and found good.
func TestReminderAnswers(t *testing.T) {
	const occ = "12@2026-11-24T09:00"
	for _, c := range []struct {
		name, text, who string
		set             func(k *keeper)
	}{
		{name: "add", text: `/reminder add "every weekday at 9" default Look at last night's backups --repeat 2h --times 2 --then escalation,@Alis`, who: "slack:U2", set: func(k *keeper) { k.rules = nil }},
		{name: "add-once", text: "/reminder add in 2 hours me Ring the hosting company", who: "slack:U2"},
		{name: "add-quiet", text: `/reminder add "every day at 23" slack:C0QUIET Lock the door`, who: "slack:U2"},
		{name: "add-every", text: `/reminder add "every 90 minutes" here Drink something`, who: "terminal:alis"},
		{name: "add-command", text: `/reminder add "every weekday at 9" here /backup start notes --changes`, who: "slack:U2"},
		{name: "add-same", text: `/reminder add "0 9 * * 1-5" default Look at last night’s backups`, who: "slack:U2"},
		{name: "add-nothing", text: "/reminder add", who: "slack:U2"},
		{name: "add-no-channel", text: `/reminder add "every weekday at 9"`, who: "slack:U2"},
		{name: "add-no-text", text: `/reminder add "every weekday at 9" here --zone UTC`, who: "slack:U2"},
		{name: "add-impossible", text: `/reminder add "0 0 30 2 *" here Wait`, who: "slack:U2"},
		{name: "add-never", text: `/reminder add never here Wait`, who: "slack:U2"},
		{name: "add-often", text: `/reminder add "every minute" here Wait`, who: "slack:U2"},
		{name: "edit-often", text: `/reminder edit 12 --when "every minute"`, who: "slack:U2"},
		{name: "add-ambiguous", text: `/reminder add 03/04 here Wait`, who: "slack:U2"},
		{name: "add-not-understood", text: "/reminder add every blursday at 9 here Wait", who: "slack:U2"},
		{name: "add-zone", text: `/reminder add "every weekday at 9" here Wait --zone Europe/Lodnon`, who: "slack:U2"},
		{name: "add-channel", text: `/reminder add "every weekday at 9" escalatoin Wait`, who: "slack:U2"},
		{name: "add-channel-name", text: `/reminder add "every weekday at 9" #ops Wait`, who: "slack:U2"},
		{name: "add-channel-left-out", text: `/reminder add every weekday at 9 Wait for it`, who: "slack:U2"},
		{name: "add-not-connected", text: `/reminder add "every weekday at 9" reports Wait`, who: "slack:U2"},
		{name: "add-person", text: `/reminder add "every weekday at 9" here Wait --to Vaughn`, who: "slack:U2"},
		{name: "add-too-long", text: `/reminder add "every weekday at 9" here ` + strings.Repeat("x", mostReminder+1), who: "slack:U2"},
		{name: "add-denied", text: `/reminder add "every weekday at 9" here Wait`, who: "slack:U3"},
		{name: "add-command-admin", text: `/reminder add "every weekday at 9" here /backup prune notes`, who: "slack:U1"},
		{name: "add-command-drill", text: `/reminder add "every weekday at 9" here /authenticator drill`, who: "slack:U1"},
		{name: "add-command-drill-operator", text: `/reminder add "every weekday at 9" here /authenticator drill`, who: "slack:U2"},
		{name: "add-command-unknown", text: `/reminder add "every weekday at 9" here /etc is full`, who: "slack:U2"},
		{name: "add-command-source", text: `/reminder add "every weekday at 9" here /backup start ntoes`, who: "slack:U2"},
		{name: "list", text: "/reminder list", who: "slack:U2"},
		{name: "list-all", text: "/reminder list --all", who: "slack:U3"},
		{name: "list-none", text: "/reminder list --mine", who: "slack:U1"},
		{name: "list-due", text: "/reminder list --due", who: "slack:U2"},
		{name: "list-due-none", text: "/reminder list --due", who: "slack:U2", set: func(k *keeper) { k.due = k.due[:1] }},
		{name: "show", text: "/reminder show 12", who: "slack:U2"},
		{name: "show-viewer", text: "/reminder show #12", who: "slack:U3"},
		{name: "show-fixed", text: "/reminder show schedule:notes", who: "slack:U2"},
		{name: "show-due", text: "/reminder show " + occ, who: "slack:U2"},
		{name: "show-unknown", text: "/reminder show 99", who: "slack:U2"},
		{name: "edit", text: `/reminder edit 12 --when "every weekday at 8:30" --channel @Vaughan --text "Look at the backups" --repeat 1h`, who: "slack:U2"},
		{name: "edit-nothing", text: "/reminder edit 12", who: "slack:U2"},
		{name: "edit-same", text: "/reminder edit 12 --channel default", who: "slack:U2"},
		{name: "edit-fixed", text: `/reminder edit schedule:notes --when "every day"`, who: "slack:U2"},
		{name: "pause", text: "/reminder pause 12", who: "slack:U2"},
		{name: "resume", text: "/reminder resume 12", who: "slack:U2", set: func(k *keeper) { k.rules[2].Paused, k.rules[2].PausedBy = true, "Alis" }},
		{name: "remove", text: "/reminder remove 12", who: "slack:U2"},
		{name: "remove-fixed", text: "/reminder remove ask:device/vaughan-iphone", who: "slack:U2"},
		{name: "run", text: "/reminder now 12", who: "slack:U2"},
		{name: "run-command", text: "/reminder run schedule:notes", who: "slack:U2"},
		{name: "skip", text: "/reminder skip 12", who: "slack:U2"},
		{name: "skip-due", text: "/reminder skip " + occ, who: "slack:U2"},
		{name: "ack", text: "/reminder ack 12 all three are there, and it isn't odd", who: "slack:U2"},
		{name: "ack-which", text: "/reminder done", who: "slack:U2"},
		{name: "ack-asked", text: "/reminder ack ask:device/vaughan-iphone", who: "slack:U3"},
		{name: "ack-settled", text: "/reminder snooze 12@2026-11-23T09:00 1h", who: "slack:U2"},
		{name: "ack-not-yours", text: "/reminder ack " + occ, who: "slack:U3"},
		{name: "snooze", text: "/reminder snooze " + occ + " tomorrow", who: "slack:U2"},
		{name: "snooze-when", text: "/reminder snooze " + occ, who: "slack:U2"},
		{name: "snooze-past", text: "/reminder snooze " + occ + " 2020-01-01 10:00", who: "slack:U2"},
		{name: "snooze-far", text: "/reminder snooze " + occ + " in two years", who: "slack:U2"},
		{name: "assign", text: "/reminder assign " + occ + " alis", who: "slack:U2"},
		{name: "assign-which", text: "/reminder assign " + occ, who: "slack:U2"},
		{name: "due-unknown", text: "/reminder ack 12@2020-01-01T09:00", who: "slack:U2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKeeper()
			if c.set != nil {
				c.set(k)
			}
			msg := newWorld().timed(t, k).Handle(t.Context(), from(c.text, c.who))
			if msg.Refused == keepwatch.KindInternal && msg.Failed {
				t.Error("an internal error")
			}
			golden(t, "reminder-"+c.name, all(msg))
		})
	}
}

// clickOn carries out what a button of a message says.
func clickOn(t *testing.T, r *Router, m keepwatch.Message, label, who string) keepwatch.Message {
	t.Helper()
	for _, b := range m.AllButtons() {
		if b.Label == label {
			req := from("/"+b.Command, who)
			req.Channel = "slack:C0OTHER" // wherever it is pressed
			req.ID = "press"
			return r.Handle(t.Context(), req)
		}
	}
	t.Fatalf("no button %q in\n%s", label, all(m))
	return m
}

// TestConfirmedRules: what was shown is what is made, wherever and by whichever
// words it was asked for.
func TestConfirmedRules(t *testing.T) {
	for line, want := range map[string]keepwatch.Rule{
		`"every weekday at 9" here Look "twice" and don't --wait`:                     {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * 1-5"}, Channel: "slack:C0OPS", Text: ""},
		`"every weekday at 9" here Look "twice" and don't wait`:                       {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * 1-5"}, Channel: "slack:C0OPS", Text: "Look twice and don't wait"},
		`every weekday at 9 escalation Look --zone paris --to me`:                     {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * 1-5", Zone: "Europe/Paris"}, Channel: "slack:C0ESC", Text: "Look", To: "Olwen"},
		`0 9 * * 1-5 here Look`:                                                       {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * 1-5"}, Channel: "slack:C0OPS", Text: "Look"},
		`@daily <#C123|ops> Look`:                                                     {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 0 * * *"}, Channel: "slack:C123", Text: "Look"},
		`every day slack:@U3 Look here`:                                               {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * *"}, Channel: "slack:@U3", Text: "Look here", To: "Vaughan"},
		`every day <@U3> Look here --to none`:                                         {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * *"}, Channel: "slack:@U3", Text: "Look here"},
		`every day here Ask slack:@U3, <@445566> and slack:@U9`:                       {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * *"}, Channel: "slack:C0OPS", Text: "Ask Vaughan, Alis and slack:@U9"},
		`in 40 seconds here Look`:                                                     {Kind: keepwatch.RuleText, When: keepwatch.When{}, Channel: "slack:C0OPS", Text: "Look"},
		`in 2 hours @alis Look`:                                                       {Kind: keepwatch.RuleText, When: keepwatch.When{}, Channel: "slack:@U1", Text: "Look", To: "Alis"},
		`every day default Look --repeat 2h`:                                          {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * *"}, Channel: "slack:C0OPS", Text: "Look", Repeat: 2 * usualRepeat, Times: usualTimes},
		`every day default Look --then escalation,alis --grace 2d`:                    {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * *"}, Channel: "slack:C0OPS", Text: "Look", Repeat: usualRepeat, Chain: []string{"slack:C0ESC", "slack:@U1"}, Grace: 48 * usualRepeat},
		`--zone UTC every day here /backup start notes --changes`:                     {Kind: keepwatch.RuleCommand, When: keepwatch.When{Cron: "0 9 * * *", Zone: "UTC"}, Channel: "slack:C0OPS", Command: "backup start notes --changes"},
		`"every day" here "/backup start notes --changes" --zone UTC`:                 {Kind: keepwatch.RuleCommand, When: keepwatch.When{Cron: "0 9 * * *", Zone: "UTC"}, Channel: "slack:C0OPS", Command: "backup start notes --changes"},
		`every day here Look into /srv/notes --zone UTC`:                              {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * *", Zone: "UTC"}, Channel: "slack:C0OPS", Text: "Look into /srv/notes"},
		"“every day” here “<!channel> @everyone \u202e \n two lines”":                 {Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * *"}, Channel: "slack:C0OPS", Text: "<!channel> @everyone \u202e \n two lines"},
		`"every 90 minutes" here Look`:                                                {Kind: keepwatch.RuleText, When: keepwatch.When{Every: 90 * usualRepeat / 60}, Channel: "slack:C0OPS", Text: "Look"},
		`"2026-12-03 14:00" here Look --zone Australia/Sydney --repeat 30m --times 0`: {Kind: keepwatch.RuleText, When: keepwatch.When{Zone: "Australia/Sydney"}, Channel: "slack:C0OPS", Text: "Look", Repeat: usualRepeat / 2},
	} {
		k := &keeper{}
		r := newWorld().timed(t, k)
		shown := r.Handle(t.Context(), from("/reminder add "+line, "slack:U2"))
		if len(k.rules) != 0 {
			t.Fatalf("%s: made before it was confirmed", line)
		}
		if want.Text == "" && want.Command == "" {
			if !shown.Failed {
				t.Errorf("%s: not refused:\n%s", line, all(shown))
			}
			continue
		}
		made := clickOn(t, r, shown, "Make it", "slack:U2")
		if made.Failed || len(k.rules) != 1 {
			t.Errorf("%s:\n%s\n%s", line, all(shown), all(made))
			continue
		}
		got := k.rules[0]
		if want.When.Zone == "" {
			want.When.Zone = "Europe/London"
		}
		if got.By != "Olwen" || got.Account.ID != "U2" || got.Request != "press" || got.Made.IsZero() {
			t.Errorf("%s: whose it is: %+v", line, got)
		}
		if want.When.Cron == "" && want.When.Every == 0 {
			want.When.At = got.When.At
			if got.When.At.Second() != 0 || !got.When.At.After(noon) {
				t.Errorf("%s: %s", line, got.When.At)
			}
		}
		want.When.Said = got.When.Said
		keep := keepwatch.Rule{Kind: got.Kind, When: got.When, Channel: got.Channel, Text: got.Text, Command: got.Command, To: got.To, Repeat: got.Repeat, Times: got.Times, Chain: got.Chain, Grace: got.Grace}
		if d := cmp.Diff(want, keep); d != "" {
			t.Errorf("%s: %s", line, d)
		}
		again := clickOn(t, r, shown, "Make it", "slack:U2")
		if again.Failed || len(k.rules) != 1 || !strings.Contains(again.Title, "is made") && !strings.Contains(again.Title, "already") {
			t.Errorf("%s: pressed twice it made another one: %s", line, all(again))
		}
	}
}

// TestACodeIsOfOneRule: the code of one rule makes no other.
func TestACodeIsOfOneRule(t *testing.T) {
	k := &keeper{}
	r := newWorld().timed(t, k)
	plan := planOf(textRule())
	plan.ID = ""
	for line, made := range map[string]int{`"every weekday at 9" default Look elsewhere`: 0, `"every weekday at 9" default Look at last night's backups`: 1} {
		m := r.Handle(t.Context(), from("/reminder add "+line+" --confirm "+code(plan), "slack:U2"))
		if k.rules = nil; m.Failed != (made == 0) || made == 0 && m.Refused != keepwatch.KindConflict {
			t.Errorf("%s: %s", line, all(m))
		}
	}
}

// TestCommandsDisturbNobody: quiet hours are for messages.
func TestCommandsDisturbNobody(t *testing.T) {
	for line, waits := range map[string]bool{"/backup start notes": false, "Lock the door": true} {
		m := newWorld().timed(t, &keeper{}).Handle(t.Context(), from(`/reminder add "every day at 23" slack:C0QUIET `+line, "slack:U2"))
		if m.Failed || strings.Contains(all(m), "have these wait") != waits {
			t.Errorf("%s: %s", line, all(m))
		}
	}
}

// TestARuleIsMadeOnce: a request that is carried out again after a crash makes no
// second rule, even where the first was changed meanwhile.
func TestARuleIsMadeOnce(t *testing.T) {
	k := &keeper{}
	r := newWorld().timed(t, k)
	req := from(`/reminder add "every day" here Look --confirm yes`, "slack:U2")
	r.Handle(t.Context(), req)
	k.rules[0].Text = "Look twice"
	req.Again = true
	if m := r.Handle(t.Context(), req); m.Failed || len(k.rules) != 1 || m.Title != "Reminder 20 is made" {
		t.Errorf("%s\n%+v", all(m), k.rules)
	}
	req = from("/reminder run 20", "slack:U2")
	for range 2 {
		r.Handle(t.Context(), req)
	}
	if len(k.due) != 1 {
		t.Errorf("run twice by one request: %+v", k.due)
	}
	gone := r.Handle(t.Context(), from("/reminder remove 20", "slack:U2"))
	for _, b := range gone.Buttons {
		if b.Label == "Remove it" {
			req = from("/"+b.Command, "slack:U2")
		}
	}
	r.Handle(t.Context(), req)
	req.Again = true
	if m := r.Handle(t.Context(), req); m.Failed || len(k.rules) != 0 {
		t.Errorf("%s\n%+v", all(m), k.rules)
	}
}

// TestAChangedRuleIsConfirmedAnew: a code confirms what was shown and nothing else.
func TestAChangedRuleIsConfirmedAnew(t *testing.T) {
	k := newKeeper()
	r := newWorld().timed(t, k)
	shown := r.Handle(t.Context(), from(`/reminder edit 12 --when "every weekday at 8:30"`, "slack:U2"))
	k.rules[2].Text = "Something else"
	if m := clickOn(t, r, shown, "Change it", "slack:U2"); !m.Failed || m.Refused != keepwatch.KindConflict || k.rules[2].When.Cron != "0 9 * * 1-5" {
		t.Errorf("changed unseen: %s", all(m))
	}
	shown = r.Handle(t.Context(), from(`/reminder edit 12 --when "every weekday at 8:30"`, "slack:U2"))
	k.beforeSet = func(rule *keepwatch.Rule) { rule.Text = "Changed at the last moment" }
	if m := clickOn(t, r, shown, "Change it", "slack:U2"); !m.Failed || m.Refused != keepwatch.KindConflict || k.rules[2].When.Cron != "0 9 * * 1-5" {
		t.Errorf("changed although it is another one now: %s", all(m))
	}
	k.beforeSet = nil
	shown = r.Handle(t.Context(), from(`/reminder edit 12 --when "every weekday at 8:30"`, "slack:U2"))
	for range 2 {
		if m := clickOn(t, r, shown, "Change it", "slack:U2"); m.Failed || k.rules[2].When.Cron != "30 8 * * 1-5" {
			t.Errorf("%s", all(m))
		}
	}
	shown = r.Handle(t.Context(), from("/reminder remove 12", "slack:U2"))
	k.rules[2].Text = "Something else again"
	if m := clickOn(t, r, shown, "Remove it", "slack:U2"); !m.Failed || len(k.rules) != 3 {
		t.Errorf("removed unseen: %s", all(m))
	}
}
