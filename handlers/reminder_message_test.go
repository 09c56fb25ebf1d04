package handlers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

func happened(o keepwatch.Occurrence, after time.Duration, by, what string) keepwatch.Occurrence {
	o.Log = append(slices.Clone(o.Log), keepwatch.Happening{At: o.At.Add(after), By: by, What: what})
	return o
}

// TestOccurrenceMessages holds what came due in each of its states.
func TestOccurrenceMessages(t *testing.T) {
	k := newKeeper()
	r := newWorld().timed(t, k)
	rule := textRule()
	rule.Repeat, rule.Times, rule.Chain = time.Hour, 1, []string{"slack:C0ESC", "slack:@U1"}
	base := occurrenceOf(rule, noon.Add(-3*time.Hour))
	with := func(change func(o *keepwatch.Occurrence)) keepwatch.Occurrence {
		o := base
		o.Places, o.Log = slices.Clone(o.Places), slices.Clone(o.Log)
		change(&o)
		return o
	}
	long := "Look at the backups of all three servers, at what they say of themselves, at how long they took, and at whether anything is missing that was there before\nThen write it into the book."
	command := base
	command.Kind, command.Command, command.Text = keepwatch.RuleCommand, "backup start notes", ""
	device, err := k.Rule("ask:device/vaughan-iphone")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]keepwatch.Occurrence{
		"posted": base,
		"long":   with(func(o *keepwatch.Occurrence) { o.Text, o.To = long, "Vaughan" }),
		"late":   happened(with(func(o *keepwatch.Occurrence) { o.Earlier = 2; o.Log = nil }), 3*time.Hour, "", "caught up 3 h late"),
		"snoozed": happened(with(func(o *keepwatch.Occurrence) {
			o.State, o.Until = keepwatch.OccurrenceSnoozed, noon.Add(time.Hour)
		}), time.Hour, "Olwen", "snoozed"),
		"assigned":     happened(with(func(o *keepwatch.Occurrence) { o.Assignee = "Alis" }), time.Hour, "Olwen", "assigned to Alis"),
		"repeated":     happened(with(func(o *keepwatch.Occurrence) { o.Posted = 2 }), time.Hour, "", "nobody has answered: asked again"),
		"snoozed-over": happened(happened(with(func(o *keepwatch.Occurrence) { o.Posted = 2 }), time.Hour, "Olwen", "snoozed"), 2*time.Hour, "", "asked again, as it was put off until now"),
		"escalated-digest": happened(with(func(o *keepwatch.Occurrence) {
			o.State, o.Step, o.Digest = keepwatch.OccurrenceEscalated, 1, "abc"
		}), time.Hour, "Olwen", "assigned to Alis"),
		"escalated": happened(happened(with(func(o *keepwatch.Occurrence) {
			o.State, o.Posted, o.Step, o.Places = keepwatch.OccurrenceEscalated, 2, 2, append(o.Places, "slack:C0ESC", "slack:@U1")
		}), time.Hour, "", "nobody has answered: asked again"), 2*time.Hour, "", "nobody has answered: passed on to slack:C0ESC"),
		"done":    happened(with(func(o *keepwatch.Occurrence) { o.State = keepwatch.OccurrenceAcknowledged }), time.Hour, "Olwen", "done: all three are there"),
		"skipped": happened(with(func(o *keepwatch.Occurrence) { o.State = keepwatch.OccurrenceSkipped }), time.Hour, "Olwen", "skipped"),
		"passed":  happened(with(func(o *keepwatch.Occurrence) { o.State = keepwatch.OccurrencePassed }), 24*time.Hour, "", "nobody had answered when the next one came"),
		"missed":  with(func(o *keepwatch.Occurrence) { o.State = keepwatch.OccurrenceMissed }),
		"many":    manyHappenings(base),
		"ask":     occurrenceOf(device, noon.Add(-2*time.Hour)),
		"ask-done": happened(func() keepwatch.Occurrence {
			o := occurrenceOf(device, noon.Add(-2*time.Hour))
			o.State = keepwatch.OccurrenceAcknowledged
			return o
		}(), time.Hour, "Vaughan", "it shows 23 November"),
		"command-running": func() keepwatch.Occurrence {
			o := command
			o.State, o.Run, o.Tries = keepwatch.OccurrenceRunning, 42, 2
			return o
		}(),
		"command-failed": happened(func() keepwatch.Occurrence { o := command; o.State, o.Run = keepwatch.OccurrenceFailed, 42; return o }(), time.Hour, "", "run 42 failed"),
	} {
		made := rule
		if o.Kind == keepwatch.RuleAsk {
			made = device
		}
		msg := r.OccurrenceMessage(o, made)
		golden(t, "occurrence-"+name, all(msg))
		if o.State.Settled() && o.Kind != keepwatch.RuleCommand && len(msg.AllButtons()) > 0 {
			t.Errorf("%s: buttons that do nothing any more", name)
		}
		if msg.Fingerprint() != r.OccurrenceMessage(o, made).Fingerprint() {
			t.Errorf("%s: made twice it is another message", name)
		}
		for _, b := range msg.AllButtons() {
			if _, kept := b.Token(); kept && b.Form == nil {
				t.Errorf("%s: %q does not fit into a button", name, b.Command)
			}
		}
	}
	golden(t, "occurrence-removed", all(r.OccurrenceMessage(base, keepwatch.Rule{ID: "12"})))
}

func manyHappenings(o keepwatch.Occurrence) keepwatch.Occurrence {
	for i := range 9 {
		o = happened(o, time.Duration(i)*time.Hour, "", fmt.Sprintf("line %d", i))
	}
	return o
}

// TestDigests holds the message for many at once.
func TestDigests(t *testing.T) {
	k := newKeeper()
	r := newWorld().timed(t, k)
	d := keepwatch.Digest{ID: "abcdefghijklmnopqrst", Channel: "slack:C0OPS", At: noon}
	var due []keepwatch.Occurrence
	for i := range 5 {
		rule := textRule()
		rule.ID, rule.Text = fmt.Sprint(30+i), fmt.Sprintf("Look at server %d and at what it says of itself", i)
		o := occurrenceOf(rule, noon)
		o.Digest = d.ID
		due = append(due, o)
	}
	due[1].To, due[2].Assignee = "Vaughan", "Alis"
	golden(t, "digest", all(r.DigestMessage(d, due)))
	due[0].State = keepwatch.OccurrenceAcknowledged
	due[0] = happened(due[0], time.Hour, "Olwen", "done")
	golden(t, "digest-some", all(r.DigestMessage(d, due)))
	due[1].Digest = "a later one"
	golden(t, "digest-again", all(r.DigestMessage(d, due)))
	var many []keepwatch.Occurrence
	for i := range 120 {
		o := due[3]
		o.ID = fmt.Sprintf("%d@2026-11-24T09:00", i)
		many = append(many, o)
	}
	m := r.DigestMessage(d, many)
	if len(m.Blocks[0].Table.Rows) != digestRows || !strings.Contains(all(m), "and 95 more") || len(m.Menus[0].Options) > mostChoices || len([]rune(m.Title)) > titleLetters {
		t.Errorf("%s", all(m))
	}
	for i := range due {
		due[i].State = keepwatch.OccurrenceAcknowledged
	}
	if m := r.DigestMessage(d, due); len(m.AllButtons()) > 0 || m.Tone != keepwatch.ToneGood {
		t.Errorf("%s", all(m))
	}
}

// TestAllOfADigest: one press answers what may be answered so, and no more.
func TestAllOfADigest(t *testing.T) {
	k := newKeeper()
	for i := range k.due {
		k.due[i].Digest = "abc"
	}
	other := k.due[1]
	other.ID, other.Digest = "13@2026-11-24T09:00", ""
	yours := other
	yours.ID, yours.Digest, yours.To = "14@2026-11-24T09:00", "abc", "Vaughan"
	k.due = append(k.due, other, yours)
	r := newWorld().timed(t, k)
	m := r.Handle(t.Context(), from("/reminder ack --all abc", "slack:U3"))
	golden(t, "digest-ack-viewer", all(m))
	m = r.Handle(t.Context(), from("/reminder ack --all abc looked at them", "slack:U2"))
	golden(t, "digest-ack", all(m))
	for i, want := range []keepwatch.OccurrenceState{keepwatch.OccurrenceAcknowledged, keepwatch.OccurrenceAcknowledged, keepwatch.OccurrencePosted, keepwatch.OccurrencePosted, keepwatch.OccurrenceAcknowledged} {
		if k.due[i].State != want {
			t.Errorf("%s is %s", k.due[i].ID, k.due[i].State)
		}
	}
	if a := k.answers[len(k.answers)-1]; a.Note != "looked at them" || a.By != "Olwen" {
		t.Errorf("%+v", a)
	}
	if m := r.Handle(t.Context(), from("/reminder ack --all nothing", "slack:U2")); m.Failed || !strings.Contains(m.Title, "open any more") {
		t.Errorf("%s", all(m))
	}
}

// TestMissedInOneLine: what was missed is one line, however much it is.
func TestMissedInOneLine(t *testing.T) {
	r := newWorld().timed(t, newKeeper())
	rule := textRule()
	one := occurrenceOf(rule, noon.AddDate(0, 0, -3))
	more := one
	more.Earlier = 1500
	golden(t, "missed", all(r.MissedMessage(rule, []keepwatch.Occurrence{one}))+all(r.MissedMessage(rule, []keepwatch.Occurrence{more, one})))
}

// TestTextsOfPeople: whatever somebody writes stays a text: no command and no form
// is made of it, and a title is one short line.
func TestTextsOfPeople(t *testing.T) {
	const evil = "<!channel> @everyone \u202egnp.exe\n--all /backup prune \"x\" `y` <https://a.example|b>"
	k := newKeeper()
	k.rules[2].Text, k.due[1].Text, k.rules[2].By = evil, evil, evil
	r := newWorld().timed(t, k)
	messages := []keepwatch.Message{
		r.OccurrenceMessage(k.due[1], k.rules[2]), r.MissedMessage(k.rules[2], k.due[1:2]), r.DigestMessage(keepwatch.Digest{ID: "abc"}, k.due),
		r.Handle(t.Context(), from("/reminder list --due", "slack:U2")), r.Handle(t.Context(), from("/reminder list", "slack:U2")), r.Handle(t.Context(), from("/reminder ack", "slack:U2")),
	}
	for _, m := range messages {
		if strings.Contains(m.Title, "\n") || len([]rune(m.Title)) > 240 {
			t.Errorf("title %q", m.Title)
		}
		for _, b := range m.AllButtons() {
			if strings.Contains(b.Command, "channel") || strings.Contains(b.Command, "prune") {
				t.Errorf("a text is a command: %q", b.Command)
			}
		}
		for _, b := range m.Blocks {
			if strings.Contains(b.Code, "everyone") {
				t.Errorf("a text is code: %q", b.Code)
			}
		}
	}
}

// TestWhoAnswers: a viewer answers what was sent or assigned to them, an operator
// any; nobody answers a command.
func TestWhoAnswers(t *testing.T) {
	for _, c := range []struct {
		who     string
		set     func(o *keepwatch.Occurrence)
		allowed bool
	}{
		{"slack:U3", func(*keepwatch.Occurrence) {}, false},
		{"slack:U3", func(o *keepwatch.Occurrence) { o.To = "Vaughan" }, true},
		{"slack:U3", func(o *keepwatch.Occurrence) { o.Assignee = "Vaughan" }, true},
		{"slack:U3", func(o *keepwatch.Occurrence) { o.Channel = "slack:@U3" }, true},
		{"slack:U3", func(o *keepwatch.Occurrence) { o.Places = []string{"slack:C0OPS", "slack:@U3"} }, true},
		{"slack:U3", func(o *keepwatch.Occurrence) { o.To, o.Channel = "Alis", "slack:@U1" }, false},
		{"slack:U2", func(o *keepwatch.Occurrence) { o.To = "Alis" }, true},
		{"slack:U999", func(*keepwatch.Occurrence) {}, false},
	} {
		for _, line := range []string{"ack %s", "snooze %s 1h", "assign %s Olwen", "skip %s"} {
			k := newKeeper()
			c.set(&k.due[1])
			m := newWorld().timed(t, k).Handle(t.Context(), from("/reminder "+fmt.Sprintf(line, k.due[1].ID), c.who))
			if m.Failed == c.allowed || (len(k.answers) == 1) != c.allowed {
				t.Errorf("%s, %s: %s", c.who, line, all(m))
			}
		}
	}
	for line, allowed := range map[string]bool{"ack %s": false, "snooze %s 1h": false, "assign %s Olwen": false, "skip %s": true} {
		k := newKeeper()
		k.due[1].Kind, k.due[1].Command = keepwatch.RuleCommand, "backup start notes"
		m := newWorld().timed(t, k).Handle(t.Context(), from("/reminder "+fmt.Sprintf(line, k.due[1].ID), "slack:U2"))
		if m.Failed == allowed || (len(k.answers) == 1) != allowed {
			t.Errorf("%s of a command: %s", line, all(m))
		}
	}
	for _, line := range []string{"pause 12", "resume 12", "remove 12 --confirm yes", "run 12", "skip 12", "edit 12 --text x --confirm yes", `add "every day" here x --confirm yes`} {
		k := newKeeper()
		m := newWorld().timed(t, k).Handle(t.Context(), from("/reminder "+line, "slack:U3"))
		if !m.Failed || m.Refused != keepwatch.KindDenied || len(k.rules) != 3 || k.rules[2].Text != textRule().Text || k.rules[2].Paused || k.rules[2].Skip != "" || len(k.due) != 3 {
			t.Errorf("%s by a viewer: %s", line, all(m))
		}
	}
}

// TestAssignedIsTold: the answer says whether whoever is to see to it was told, and
// where nothing leads to them that somebody has to.
func TestAssignedIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		accounts    map[string]string
		places      []string
		to          string
		tone        keepwatch.Tone
		where, want string
	}{
		"told":          {map[string]string{"slack": "U8"}, nil, "Mair", keepwatch.ToneGood, "slack:@U8", "Mair is told by a direct message on Slack."},
		"has it":        {map[string]string{"slack": "U8"}, []string{"slack:@U8"}, "Mair", keepwatch.ToneGood, "slack:@U8", "already, which says so now"},
		"no account":    {nil, nil, "Mair", keepwatch.ToneWarn, "", "Nobody has told Mair: keepwatch.yaml names no account"},
		"terminal only": {map[string]string{"terminal": "mair"}, nil, "Mair", keepwatch.ToneWarn, "", "Tell Mair yourself."},
		"not connected": {map[string]string{"discord": "88"}, nil, "Mair", keepwatch.ToneWarn, "", "Keepwatch is not connected to Discord. Tell Mair yourself."},
		"oneself":       {nil, nil, "Olwen", keepwatch.ToneGood, "", "Olwen sees to it: "},
	} {
		k := newKeeper()
		k.due[1].Places = c.places
		r := newWorld().timed(t, k)
		r.cfg.People = append(slices.Clone(r.cfg.People), keepwatch.Person{Name: "Mair", Accounts: c.accounts})
		m := r.Handle(t.Context(), from("/reminder assign "+k.due[1].ID+" "+c.to, "slack:U2"))
		if m.Failed || m.Tone != c.tone || !strings.Contains(all(m), c.want) || len(k.answers) != 1 || k.answers[0].Where != c.where {
			t.Errorf("%s: %+v\n%s", name, k.answers, all(m))
		}
		if c.to == "Olwen" && strings.Contains(all(m), "told") {
			t.Errorf("%s: %s", name, all(m))
		}
	}
}

// TestCommandsThatCannotWait: what nobody would be there to confirm, or nobody may
// do then, is refused now.
func TestCommandsThatCannotWait(t *testing.T) {
	for line, want := range map[string]string{
		"/reminder add \"every day\" here x": "confirmation", "/reminder run 12": "soon nobody understands", "/reminder list --due": "", "/keepwatch exit": "", "/backup restore notes": "",
		"/backup verify": "needs a ARCHIVE", "/backup start": "needs a SOURCE", "/backup list --nothing": "no option", "/keepwatch help": "", "/": "no command",
	} {
		k := &keeper{}
		m := newWorld().timed(t, k).Handle(t.Context(), from(`/reminder add "every weekday at 9" here `+line, "slack:U2"))
		got := all(m)
		switch {
		case want != "" && (!m.Failed || !strings.Contains(got, want)):
			t.Errorf("%s: %s", line, got)
		case want == "" && m.Failed == (line == "/reminder list --due" || line == "/keepwatch help"):
			t.Errorf("%s: %s", line, got)
		}
	}
	k := &keeper{}
	req := from(`/reminder add "every weekday at 9" here /backup start notes`, "slack:U77")
	req.Groups = []string{"slack:S1"} // an operator by a group alone
	if m := newWorld().timed(t, k).Handle(t.Context(), req); !m.Failed || !strings.Contains(all(m), "group") {
		t.Errorf("%s", all(m))
	}
}

// TestReminderCompletion: what there is, for the option that is due.
func TestReminderCompletion(t *testing.T) {
	r := newWorld().timed(t, newKeeper())
	for _, c := range []struct{ text, who, want string }{
		{"/reminder pause ", "slack:U2", "12|schedule:notes|ask:device/vaughan-iphone"}, {"/reminder ack 1", "slack:U3", "12@2026-11-24T09:00"},
		{"/reminder show 1", "slack:U3", "12@2026-11-24T09:00|12"}, {`/reminder add "every w`, "terminal:alis", `"every weekday at 9"`}, {"/reminder add every_day ", "slack:U2", "here|default|escalation|reports|@Alis|@Olwen|@Vaughan|@Tegid"},
		{"/reminder add --zone Europe/Lo", "slack:U2", "Europe/London"}, {"/reminder snooze 12 ", "slack:U3", "1h|3h|tomorrow|next week"}, {"/reminder assign 12 V", "slack:U3", "Vaughan"},
		{"/reminder pause ", "slack:U3", ""}, {"/reminder edit 12 --", "slack:U2", "--when|--channel|--text|--zone|--repeat|--times|--then|--grace|--to|--confirm"},
	} {
		var got []string
		for _, f := range r.Complete(t.Context(), from(c.text, c.who), len(c.text)) {
			got = append(got, f.Text)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s completes to %q, want %q", c.text, got, c.want)
		}
	}
}

// TestZones: a zone is found by its name or its city, and what is none has a
// suggestion.
func TestZones(t *testing.T) {
	for text, want := range map[string]string{"Europe/London": "Europe/London", "europe/london": "Europe/London", "London": "Europe/London", "new york": "America/New_York", "UTC": "UTC", "utc": "UTC", "Europe/Kyiv": "Europe/Kyiv", "Asia/Calcutta": "Asia/Calcutta"} {
		if loc, err := zone(text); err != nil || loc.String() != want {
			t.Errorf("%s: %v, %v", text, loc, err)
		}
	}
	for text, want := range map[string]string{"Europe/Lodnon": "Europe/London", "Londn": "Europe/London", "America/Lisbon": "Europe/Lisbon", "EST": "named after a city", "Local": "named after a city", "../../etc/passwd": "no time zone", "": "no time zone"} {
		loc, err := zone(text)
		if err == nil || !strings.Contains(keepwatch.Sentence(err), want) {
			t.Errorf("%s: %v, %v", text, loc, err)
		}
	}
	for _, name := range strings.Fields(zoneNames) {
		if _, err := time.LoadLocation(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWithoutTheirParts: commands whose part of the program is not there say so.
func TestWithoutTheirParts(t *testing.T) {
	r := newWorld().router(t)
	for _, line := range []string{`add "every day" here x`, "list", "list --due", "show 12", "show 12@2026-11-24T09:00", "edit 12", "pause 12", "remove 12", "run 12", "ack 12", "ack --all x", "snooze 12 1h", "assign 12 Alis", "skip 12"} {
		m := r.Handle(t.Context(), ask("/reminder "+line, "slack:U1"))
		if !m.Failed || m.Refused != keepwatch.KindAttention {
			t.Errorf("%s: %s", line, all(m))
		}
	}
}

// TestUnanswered: what happens when nobody answers, in words that are true of a
// reminder that is only passed on too.
func TestUnanswered(t *testing.T) {
	for want, rule := range map[string]keepwatch.Rule{
		"asked again once, after 1 h":         {Repeat: time.Hour, Times: 1},
		"passed on to the terminal after 1 h": {Repeat: time.Hour, Chain: []string{"terminal"}},
		"asked again every 1 h, 2 times; then passed on to the terminal after another 1 h": {Repeat: time.Hour, Times: 2, Chain: []string{"terminal"}},
	} {
		if got := (&Router{}).unanswered(rule); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
