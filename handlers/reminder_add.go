package handlers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// addReminder shows what it has understood, and saves it when that is confirmed.
func (r *Router) addReminder(_ context.Context, c *call) (keepwatch.Message, error) {
	rules, _, err := r.rules()
	if err != nil {
		return keepwatch.Message{}, err
	}
	rule, err := r.draft(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	line := r.addLine(rule)
	if len(line) > maxText {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "That is too long: with all that belongs to it it takes %s bytes, and a command has at most %s. Shorten the text.", keepwatch.FormatCount(int64(len(line)), ""), keepwatch.FormatCount(maxText, ""))
	}
	same, found, err := r.sameRule(c, rule)
	switch {
	case err != nil:
		return keepwatch.Message{}, err
	case !c.confirmed(planOf(rule)):
		return r.showDraft(c, rule, line, same, found), nil
	case found:
		msg := r.ruleCard(c, same)
		if msg.Title = "Reminder " + same.ID + " does that already, so no second one was made"; same.Request == c.req.ID {
			msg.Title = "Reminder " + same.ID + " is made"
		}
		return msg, nil
	}
	if rule, err = rules.AddRule(rule); err != nil {
		return keepwatch.Message{}, err
	}
	msg := r.ruleCard(c, rule)
	msg.Title, msg.Tone = "Reminder "+rule.ID+" is made", keepwatch.ToneGood
	return msg, nil
}

// draft makes the rule that was asked for.
func (r *Router) draft(c *call) (keepwatch.Rule, error) {
	rule := keepwatch.Rule{
		By: c.person.Name, Account: keepwatch.Account{Platform: c.req.Account.Platform, ID: c.req.Account.ID},
		Made: r.cfg.Now().UTC(), Request: c.req.ID,
	}
	if err := r.setPlace(c, &rule, c.args.one("channel")); err != nil {
		if keepwatch.KindOf(err) == keepwatch.KindNotFound && strings.Contains(c.args.one("when"), " ") {
			err = keepwatch.Errorf(keepwatch.KindNotFound, "%s (I read %q as the time, and what stands behind it as the channel.)", keepwatch.Sentence(err), c.args.one("when"))
		}
		return rule, err
	}
	if err := r.setWhen(c, &rule, c.args.one("when")); err != nil {
		return rule, err
	}
	if err := r.setText(c, &rule, c.args["text"]); err != nil {
		return rule, err
	}
	return rule, r.setTerms(c, &rule)
}

// setWhen takes when a rule comes due, by the zone that was named, or by its own,
// or by its channel's.
func (r *Router) setWhen(c *call, rule *keepwatch.Rule, text string) (err error) {
	loc := r.ruleZone(*rule)
	if name := c.args.one("zone"); name != "" {
		if loc, err = r.zoneNamed(name); err != nil {
			return err
		}
	}
	when, err := r.parseWhen(text, loc)
	if err != nil {
		return err
	}
	if rule.When = when; len(r.upcoming(*rule, 1)) == 0 {
		return keepwatch.Errorf(keepwatch.KindInvalid, "%q can never come due. Say another time, for example: every weekday at 9.", text)
	}
	return nil
}

// rulePlan is what somebody confirms: all that a rule will do.
type rulePlan struct {
	ID, Kind, Cron, At, Zone, Channel, Text, Command, To string
	Every, Repeat, Grace                                 time.Duration
	Times                                                int
	Chain                                                []string
}

func planOf(rule keepwatch.Rule) rulePlan {
	p := rulePlan{
		ID: rule.ID, Kind: string(rule.Kind), Cron: rule.When.Cron, Every: rule.When.Every, Zone: rule.When.Zone, Channel: rule.Channel, Text: rule.Text, Command: rule.Command, To: rule.To,
		Repeat: rule.Repeat, Times: rule.Times, Chain: append([]string{}, rule.Chain...), Grace: rule.Grace,
	}
	if !rule.When.At.IsZero() {
		p.At = rule.When.At.UTC().Format(time.RFC3339)
	}
	return p
}

// sameRule finds a rule that does the same already, or that this very request has
// made: a button that is pressed twice, and a request that is carried out again
// after a crash, make one rule.
func (r *Router) sameRule(c *call, rule keepwatch.Rule) (same keepwatch.Rule, found bool, err error) {
	if c.req.Again {
		made, err := r.cfg.Duties.Rules.RequestRules(c.req.ID)
		if err != nil {
			return same, false, err
		}
		if len(made) > 0 {
			return made[0], true, nil
		}
	}
	like, err := r.cfg.Duties.Rules.RulesLike(rule)
	if err != nil {
		return same, false, err
	}
	plan := code(planOf(rule))
	i := slices.IndexFunc(like, func(x keepwatch.Rule) bool {
		x.ID = ""
		return code(planOf(x)) == plan
	})
	if i < 0 {
		return same, false, nil
	}
	return like[i], true, nil
}

// addLine is the command that makes a rule, wherever it is given.
func (r *Router) addLine(rule keepwatch.Rule) string {
	text := rule.Text
	if rule.Kind == keepwatch.RuleCommand {
		text = "/" + rule.Command
	}
	words := []string{"reminder", "add", "--zone", rule.When.Zone}
	words = append(words, r.termWords(rule)...)
	return Quote(append(words, "--confirm", code(planOf(rule)), "--", whenText(rule.When), rule.Channel, text)...)
}

// termWords writes a rule's terms as options.
func (r *Router) termWords(rule keepwatch.Rule) []string {
	var words []string
	if rule.Repeat > 0 {
		words = append(words, "--repeat", spanWord(rule.Repeat), "--times", strconv.Itoa(rule.Times))
	}
	if len(rule.Chain) > 0 {
		words = append(words, "--then", strings.Join(rule.Chain, ","))
	}
	if rule.Grace > 0 {
		words = append(words, "--grace", spanWord(rule.Grace))
	}
	switch owner, direct := r.ownerOf(rule.Channel); {
	case direct && rule.To == owner:
	case rule.To != "":
		words = append(words, "--to", rule.To)
	case direct:
		words = append(words, "--to", "none")
	}
	return words
}

// showDraft asks for the confirmation of a new rule.
func (r *Router) showDraft(c *call, rule keepwatch.Rule, line string, same keepwatch.Rule, found bool) keepwatch.Message {
	msg := keepwatch.Message{Title: "Not made yet: " + r.whenWords(rule), Tone: keepwatch.ToneWarn}
	c.wrongCode(&msg, "made")
	if found {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Reminder "+same.ID+" does exactly that already, so there is nothing to confirm."))
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Show it", Command: "reminder show " + Quote(same.ID), Style: keepwatch.StylePrimary})
	} else {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("This is what I understood. The reminder is made when you confirm it."))
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Make it", Command: line, Style: keepwatch.StylePrimary})
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: r.ruleFields(c, rule)})
	msg.Blocks = append(msg.Blocks, r.comingBlocks(c, rule)...)
	msg.Buttons = append(msg.Buttons, r.newReminder(c, "Change it…", rule))
	return msg
}

// whenWords says when a rule comes due.
func (r *Router) whenWords(rule keepwatch.Rule) string {
	if !rule.When.At.IsZero() {
		return "once, on " + inZone(rule.When.At, r.ruleZone(rule))
	}
	if t := r.cfg.Duties.Times; t != nil {
		if words := t.Describe(rule.When); words != "" {
			return words
		}
	}
	return whenText(rule.When)
}

// ruleFields is what a rule is and does.
func (r *Router) ruleFields(c *call, rule keepwatch.Rule) []keepwatch.Field {
	fields := []keepwatch.Field{{Name: "When", Value: r.whenWords(rule)}, {Name: "Where", Value: r.whereName(c, rule.Channel)}}
	switch rule.Kind {
	case keepwatch.RuleCommand:
		fields = append(fields, keepwatch.Field{Name: "Carries out", Value: "/" + rule.Command}, keepwatch.Field{Name: "With the rights of", Value: r.accountName(rule.Account)})
	case keepwatch.RuleAsk:
		fields = append(fields, keepwatch.Field{Name: "Asks for", Value: strings.TrimSpace(rule.Text + " (" + rule.Ask + ")")})
	default:
		fields = append(fields, keepwatch.Field{Name: "Text", Value: rule.Text})
	}
	if rule.To != "" {
		fields = append(fields, keepwatch.Field{Name: "For", Value: rule.To})
	}
	if rule.Repeat > 0 {
		fields = append(fields, keepwatch.Field{Name: "If nobody answers", Value: r.unanswered(rule)})
	}
	grace := rule.Grace
	if grace == 0 {
		grace = keepwatch.DefaultGrace
	}
	return append(fields, keepwatch.Field{Name: "If missed", Value: "caught up once, up to " + keepwatch.FormatDuration(grace) + " late; after that only reported"})
}

// accountName is whose account it is.
func (r *Router) accountName(a keepwatch.Account) string {
	for _, p := range r.cfg.People {
		if a.ID != "" && p.Accounts[a.Platform] == a.ID {
			return p.Name
		}
	}
	if a == keepwatch.ConfigAccount() || a.ID == "" {
		return "keepwatch.yaml"
	}
	return a.Platform + ":" + a.ID
}

// unanswered says what happens when nobody answers.
func (r *Router) unanswered(rule keepwatch.Rule) string {
	every := keepwatch.FormatDuration(rule.Repeat)
	var text string
	switch {
	case rule.Times == 1:
		text = "asked again once, after " + every
	case rule.Times > 1:
		text = fmt.Sprintf("asked again every %s, %d times", every, rule.Times)
	}
	if len(rule.Chain) == 0 {
		return text
	}
	var names []string
	for _, channel := range rule.Chain {
		names = append(names, r.placeName(channel))
	}
	if text != "" {
		text += "; then "
	}
	alone := text == ""
	text += "passed on to " + strings.Join(names, ", then to ")
	switch {
	case len(names) > 1:
		return text + ", each after another " + every
	case alone:
		return text + " after " + every
	}
	return text + " after another " + every
}
