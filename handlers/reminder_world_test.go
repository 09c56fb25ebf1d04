package handlers

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"keepwatch"
)

// clockFake reads the few phrases that the tests use.
type clockFake struct{}

func bad(text string) error {
	return keepwatch.Errorf(keepwatch.KindInvalid, "I do not understand %q as a time. For example: every weekday at 9.", text)
}

func (clockFake) Parse(text string, zone *time.Location, now time.Time) (keepwatch.When, error) {
	cron := map[string]string{"every weekday at 9": "0 9 * * 1-5", "0 9 * * 1-5": "0 9 * * 1-5", "every weekday at 8:30": "30 8 * * 1-5", "every day at 23": "0 23 * * *", "every day": "0 9 * * *", "@daily": "0 0 * * *", "never": "0 0 30 2 *", "every minute": "* * * * *"}
	if expr, ok := cron[strings.ToLower(text)]; ok {
		return keepwatch.When{Cron: expr, Zone: zone.String(), Said: text}, nil
	}
	if strings.HasPrefix(text, "0 0 30 2") {
		return keepwatch.When{}, keepwatch.Errorf(keepwatch.KindInvalid, "%q can never come due: February has no 30th.", text)
	}
	if text == "every 90 minutes" {
		return keepwatch.When{Every: 90 * time.Minute, Said: text}, nil
	}
	at, err := clockFake{}.Moment(text, zone, now)
	if err != nil {
		return keepwatch.When{}, err
	}
	return keepwatch.When{At: at, Zone: zone.String(), Said: text}, nil
}

func (clockFake) Moment(text string, zone *time.Location, now time.Time) (time.Time, error) {
	local := now.In(zone)
	nine := time.Date(local.Year(), local.Month(), local.Day(), 9, 0, 0, 0, zone)
	switch text {
	case "in 2 hours":
		return now.Add(2*time.Hour + 27*time.Second), nil
	case "in 40 seconds":
		return now.Add(40 * time.Second), nil
	case "1h":
		return now.Add(time.Hour), nil
	case "tomorrow", "tomorrow at 9":
		return nine.AddDate(0, 0, 1), nil
	case "in two years":
		return now.AddDate(2, 0, 0), nil
	case "03/04":
		return time.Time{}, keepwatch.Errorf(keepwatch.KindInvalid, "03/04 can be 3 April or 4 March. Write 3 April or 4 March.")
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at, nil
		}
	}
	return time.Time{}, bad(text)
}

func (clockFake) Next(when keepwatch.When, after time.Time, _ string) (keepwatch.Due, bool) {
	zone, err := time.LoadLocation(when.Zone)
	if err != nil {
		panic(err)
	}
	due := func(at time.Time) (keepwatch.Due, bool) {
		return keepwatch.Due{At: at, Wall: at.In(zone).Format(keepwatch.WallLayout)}, at.After(after)
	}
	switch {
	case !when.At.IsZero():
		return due(when.At)
	case when.Every > 0:
		return due(after.Add(when.Every))
	}
	if when.Cron == "* * * * *" {
		return due(after.Truncate(time.Minute).Add(time.Minute))
	}
	f := strings.Fields(when.Cron)
	minute, _ := strconv.Atoi(f[0])
	hour, _ := strconv.Atoi(f[1])
	if f[2] == "30" {
		return keepwatch.Due{}, false
	}
	day := after.In(zone)
	for range 8 {
		at := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, zone)
		week := at.Weekday()
		if at.After(after) && (f[4] == "*" || week != time.Saturday && week != time.Sunday) {
			return due(at)
		}
		day = day.AddDate(0, 0, 1)
	}
	return keepwatch.Due{}, false
}

func (clockFake) Describe(when keepwatch.When) string {
	switch {
	case when.Every > 0:
		return "every " + keepwatch.FormatDuration(when.Every)
	case when.Cron == "0 9 * * 1-5":
		return "every weekday at 09:00, " + when.Zone + " time"
	}
	return "by cron " + strconv.Quote(when.Cron) + ", " + when.Zone + " time"
}

// keeper keeps rules and what came due of them, in memory.
type keeper struct {
	rules     []keepwatch.Rule
	due       []keepwatch.Occurrence
	fired     map[string]keepwatch.Occurrence
	answers   []keepwatch.Answer
	beforeSet func(*keepwatch.Rule) // somebody else changes the rule just before
}

func (k *keeper) RulesAfter(id string, limit int) (list []keepwatch.Rule, err error) {
	ordered := slices.Clone(k.rules)
	slices.SortStableFunc(ordered, func(a, b keepwatch.Rule) int {
		x, errX := strconv.Atoi(a.ID)
		y, errY := strconv.Atoi(b.ID)
		if errX != nil || errY != nil {
			return strings.Compare(a.ID, b.ID) // a name is behind each number
		}
		return x - y
	})
	at := slices.IndexFunc(ordered, func(r keepwatch.Rule) bool { return r.ID == id })
	ordered = ordered[at+1:]
	return ordered[:min(limit, len(ordered))], nil
}

func (k *keeper) matching(is func(keepwatch.Rule) bool) ([]keepwatch.Rule, error) {
	return slices.DeleteFunc(slices.Clone(k.rules), func(r keepwatch.Rule) bool { return !is(r) }), nil
}

func (k *keeper) FixedRules() ([]keepwatch.Rule, error) {
	return k.matching(func(r keepwatch.Rule) bool { return r.Fixed })
}

func (k *keeper) RequestRules(request string) ([]keepwatch.Rule, error) {
	return k.matching(func(r keepwatch.Rule) bool { return request != "" && r.Request == request })
}

func (k *keeper) RulesLike(rule keepwatch.Rule) ([]keepwatch.Rule, error) {
	return k.matching(func(r keepwatch.Rule) bool {
		return !r.Fixed && r.Kind == rule.Kind && r.Text == rule.Text && r.Command == rule.Command && r.When.Cron == rule.When.Cron && r.When.Every == rule.When.Every && r.When.At.Equal(rule.When.At)
	})
}

func (k *keeper) at(id string) (int, error) {
	i := slices.IndexFunc(k.rules, func(r keepwatch.Rule) bool { return r.ID == id })
	if i < 0 {
		return i, keepwatch.Errorf(keepwatch.KindNotFound, "no rule %s", id)
	}
	return i, nil
}

func (k *keeper) Rule(id string) (keepwatch.Rule, error) {
	i, err := k.at(id)
	if err != nil {
		return keepwatch.Rule{}, err
	}
	return k.rules[i], nil
}

func next(rule *keepwatch.Rule) {
	due, ok := clockFake{}.Next(rule.When, noon, "")
	if !ok || rule.Paused {
		due = keepwatch.Due{}
	}
	rule.Next, rule.NextWall = due.At, due.Wall
}

func (k *keeper) AddRule(rule keepwatch.Rule) (keepwatch.Rule, error) {
	rule.ID = strconv.Itoa(20 + len(k.rules))
	next(&rule)
	k.rules = append(k.rules, rule)
	return rule, nil
}

func (k *keeper) ChangeRule(id string, change func(*keepwatch.Rule) error) (keepwatch.Rule, error) {
	i, err := k.at(id)
	if err != nil {
		return keepwatch.Rule{}, err
	}
	if k.beforeSet != nil {
		k.beforeSet(&k.rules[i])
	}
	for range 2 { // as a transaction may that runs more than once
		rule := k.rules[i]
		if err := change(&rule); err != nil {
			return rule, err
		}
	}
	rule := k.rules[i]
	if err := change(&rule); err != nil {
		return rule, err
	}
	next(&rule)
	k.rules[i] = rule
	return rule, nil
}

func (k *keeper) RemoveRule(id string) error {
	i, err := k.at(id)
	if err == nil {
		k.rules = slices.Delete(k.rules, i, i+1)
	}
	return err
}

func (k *keeper) Occurrence(id string) (keepwatch.Occurrence, error) {
	for _, o := range k.due {
		if o.ID == id {
			return o, nil
		}
	}
	return keepwatch.Occurrence{}, keepwatch.Errorf(keepwatch.KindNotFound, "no occurrence %s", id)
}

func (k *keeper) Occurrences(rule string, limit int) ([]keepwatch.Occurrence, error) {
	var list []keepwatch.Occurrence
	for _, o := range slices.Backward(k.due) {
		if o.Rule == rule && len(list) < limit {
			list = append(list, o)
		}
	}
	return list, nil
}

func (k *keeper) open() []keepwatch.Occurrence {
	return slices.DeleteFunc(slices.Clone(k.due), func(o keepwatch.Occurrence) bool { return o.State.Settled() })
}

func (k *keeper) OpenAfter(id string, limit int) ([]keepwatch.Occurrence, error) {
	open := k.open()
	open = open[slices.IndexFunc(open, func(o keepwatch.Occurrence) bool { return o.ID == id })+1:]
	return open[:min(limit, len(open))], nil
}

func (k *keeper) NewestOpen(limit int) ([]keepwatch.Occurrence, error) {
	open := k.open()
	slices.Reverse(open)
	return open[:min(limit, len(open))], nil
}

func (k *keeper) CountOpen() (int64, error) { return int64(len(k.open())), nil }

func (k *keeper) OpenOf(rule string) ([]keepwatch.Occurrence, error) {
	return slices.DeleteFunc(k.open(), func(o keepwatch.Occurrence) bool { return o.Rule != rule }), nil
}

func (k *keeper) DigestOccurrences(id string) ([]keepwatch.Occurrence, error) {
	return slices.DeleteFunc(slices.Clone(k.due), func(o keepwatch.Occurrence) bool { return o.Digest != id }), nil
}

func (k *keeper) Answer(id string, a keepwatch.Answer) (keepwatch.Occurrence, error) {
	i := slices.IndexFunc(k.due, func(o keepwatch.Occurrence) bool { return o.ID == id })
	o := &k.due[i]
	if o.State.Settled() {
		if o.State == keepwatch.OccurrenceAcknowledged && a.Kind == keepwatch.AnswerDone {
			return *o, nil
		}
		return *o, keepwatch.Errorf(keepwatch.KindConflict, "Olwen has said at 09:12 that it is done.")
	}
	k.answers = append(k.answers, a)
	switch a.Kind {
	case keepwatch.AnswerDone:
		o.State = keepwatch.OccurrenceAcknowledged
	case keepwatch.AnswerSkip:
		o.State = keepwatch.OccurrenceSkipped
	case keepwatch.AnswerSnooze:
		o.State, o.Until = keepwatch.OccurrenceSnoozed, a.Until
	case keepwatch.AnswerAssign:
		o.Assignee = a.To
	}
	o.Log = append(o.Log, keepwatch.Happening{At: noon, By: a.By, What: string(a.Kind)})
	return *o, nil
}

func (k *keeper) FireNow(rule, by, request string) (keepwatch.Occurrence, error) {
	if o, ok := k.fired[request]; ok {
		return o, nil
	}
	r, err := k.Rule(rule)
	if err != nil {
		return keepwatch.Occurrence{}, err
	}
	o := occurrenceOf(r, noon)
	if k.fired == nil {
		k.fired = map[string]keepwatch.Occurrence{}
	}
	k.fired[request], k.due = o, append(k.due, o)
	return o, nil
}

func occurrenceOf(r keepwatch.Rule, at time.Time) keepwatch.Occurrence {
	wall := at.Format(keepwatch.WallLayout)
	return keepwatch.Occurrence{
		ID: keepwatch.OccurrenceID(r.ID, wall), Rule: r.ID, Kind: r.Kind, At: at, Wall: wall, State: keepwatch.OccurrencePosted, Channel: r.Channel, Places: []string{r.Channel},
		Text: r.Text, Command: r.Command, Ask: r.Ask, To: r.To, Posted: 1, Log: []keepwatch.Happening{{At: at, What: "posted"}},
	}
}

// textRule is a rule as people make it.
func textRule() keepwatch.Rule {
	rule := keepwatch.Rule{
		ID: "12", Kind: keepwatch.RuleText, When: keepwatch.When{Cron: "0 9 * * 1-5", Zone: "Europe/London", Said: "every weekday at 9"}, Channel: "slack:C0OPS",
		Text: "Look at last night's backups", By: "Olwen", Account: keepwatch.Account{Platform: "slack", ID: "U2"}, Made: noon.AddDate(0, 0, -30),
	}
	next(&rule)
	return rule
}

// newKeeper has a rule in words, a command of the configuration, and something that
// is asked; one of the first is open, and one is for Vaughan.
func newKeeper() *keeper {
	text := textRule()
	schedule := keepwatch.Rule{ID: "schedule:notes", Kind: keepwatch.RuleCommand, When: keepwatch.When{Cron: "0 3 * * *", Zone: "Europe/London"}, Channel: "slack:C0OPS", Command: "backup start notes", Fixed: true}
	next(&schedule)
	device := keepwatch.Rule{ID: "ask:device/vaughan-iphone", Kind: keepwatch.RuleAsk, When: keepwatch.When{Every: 720 * time.Hour, Zone: "Europe/London"}, Channel: "slack:@U3", Text: "Which date does the Authenticator on Vaughan's iPhone show?", Ask: "device/vaughan-iphone", To: "Vaughan", Fixed: true}
	done := occurrenceOf(text, noon.Add(-27*time.Hour))
	done.State, done.Log = keepwatch.OccurrenceAcknowledged, append(done.Log, keepwatch.Happening{At: noon.Add(-26 * time.Hour), By: "Olwen", What: "done"})
	return &keeper{rules: []keepwatch.Rule{schedule, device, text}, due: []keepwatch.Occurrence{done, occurrenceOf(text, noon.Add(-3*time.Hour)), occurrenceOf(device, noon.Add(-2*time.Hour))}}
}

// timed is a Router with rules, times and channels.
func (w *world) timed(t *testing.T, k *keeper) *Router {
	t.Helper()
	r, err := New(Config{
		People: []keepwatch.Person{
			{Name: "Alis", Role: keepwatch.RoleAdmin, Accounts: map[string]string{"terminal": "alis", "slack": "U1", "discord": "445566"}},
			{Name: "Olwen", Role: keepwatch.RoleOperator, Accounts: map[string]string{"slack": "U2"}}, {Name: "Vaughan", Role: keepwatch.RoleViewer, Accounts: map[string]string{"slack": "U3"}},
			{Name: "Tegid", Role: keepwatch.RoleViewer, Accounts: map[string]string{"discord": "8"}},
		},
		Groups: []keepwatch.Group{{ID: "slack:S1", Role: keepwatch.RoleOperator}},
		Runs:   w, Sources: w, History: w, Audit: w, Vault: w, Check: func(context.Context) []keepwatch.Probe { return nil },
		Location: mustZone("Europe/London"),
		Duties: Duties{
			Rules: k, Occurrences: k, Times: clockFake{}, Channels: map[string]string{"default": "slack:C0OPS", "escalation": "slack:C0ESC", "reports": "discord:777"},
			Hours: func(channel string) keepwatch.Hours {
				if channel == "slack:C0QUIET" {
					return keepwatch.Hours{Zone: "America/New_York", QuietFrom: 22 * time.Hour, QuietTo: 7 * time.Hour, Days: []time.Weekday{1, 2, 3, 4, 5}}
				}
				return keepwatch.Hours{}
			},
			Speaks: func(channel string) bool { return !strings.HasPrefix(channel, "discord:") },
		},
		Now: func() time.Time { return noon }, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustZone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return loc
}

// from is ask in a channel of Slack.
func from(text, account string) keepwatch.Request {
	req := ask(text, account)
	req.Channel = "slack:C0OPS"
	if req.Local {
		req.Channel = "terminal"
	}
	return req
}

// all is plain with menus and forms.
func all(m keepwatch.Message) string {
	var b strings.Builder
	b.WriteString(plain(m))
	form := func(bt keepwatch.Button) {
		if bt.Form == nil {
			return
		}
		fmt.Fprintf(&b, "    form %q %s\n", bt.Form.Title, bt.Form.Text)
		for _, f := range bt.Form.Fields {
			fmt.Fprintf(&b, "    %s (%s) [%s] %s\n", f.Label, f.Type, f.Value, strings.Join(f.Choices, " "))
		}
	}
	for _, bt := range m.Buttons {
		form(bt)
	}
	for _, menu := range m.Menus {
		fmt.Fprintf(&b, "menu %s\n", menu.Label)
		for _, o := range menu.Options {
			fmt.Fprintf(&b, "  (%s → %s)\n", o.Label, o.Command)
			form(o)
		}
	}
	return b.String()
}
