package handlers

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// What people may ask for. engine/remind has the same limits.
const (
	mostReminder  = 3000 // characters of a text
	mostAgain     = 20   // times that it is asked again
	mostChain     = 10   // places that it is passed on to
	leastRepeat   = 5 * time.Minute
	leastDistance = 5 * time.Minute // of two reminders: below it a channel is flooded
	mostRepeat    = 30 * 24 * time.Hour
	mostGrace     = 30 * 24 * time.Hour
	usualTimes    = 3         // --repeat alone
	usualRepeat   = time.Hour // --times or --then alone
	mostSnooze    = 366 * 24 * time.Hour
	momentLayout  = "2006-01-02T15:04Z07:00" // how a confirmation writes a moment
	mostWhenWords = 14
	shownNext     = 5
)

var durationPattern = regexp.MustCompile(`^(\d{1,5}) ?(m|min|minutes?|h|hours?|d|days?|w|weeks?)$`)

// span reads a distance of time: 30m, 2h, 1d, 90 minutes.
func span(option, text string, least, most time.Duration) (time.Duration, error) {
	m := durationPattern.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil {
		return 0, keepwatch.Errorf(keepwatch.KindInvalid, "--%s takes a distance of time, and %q is none. For example: --%s 30m, --%s 2h, --%s 1d.", option, keepwatch.Printable(text), option, option, option)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, err
	}
	d := time.Duration(n) * map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[m[2][0]]
	if d < least || d > most {
		return 0, keepwatch.Errorf(keepwatch.KindInvalid, "--%s takes from %s to %s; %s is outside of that.", option, keepwatch.FormatDuration(least), keepwatch.FormatDuration(most), text)
	}
	return d, nil
}

// spanWord writes a distance as span reads it.
func spanWord(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	}
	return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
}

// soonest is how near a moment has to be to be rounded up to the minute and not down.
const soonest = 10 * time.Minute

// parseWhen reads when a rule comes due. A moment is kept to the minute, because that
// is what clocks on walls show, and a confirmation writes it so.
func (r *Router) parseWhen(text string, loc *time.Location) (keepwatch.When, error) {
	text = strings.Join(strings.Fields(text), " ")
	now := r.cfg.Now()
	if at, err := time.Parse(momentLayout, text); err == nil {
		if !at.After(now) {
			return keepwatch.When{}, keepwatch.Errorf(keepwatch.KindInvalid, "That moment is past: %s. Say another one, for example: tomorrow 9:00.", inZone(at, loc))
		}
		return keepwatch.When{At: at.UTC(), Zone: loc.String()}, nil
	}
	when, err := r.cfg.Duties.Times.Parse(text, loc, now)
	if err != nil {
		return when, err
	}
	if !when.At.IsZero() {
		at := when.At.Truncate(time.Minute)
		if at.Before(when.At) && at.Sub(now) < soonest { // "in 1 minute" is no less, and there is time to confirm it
			at = at.Add(time.Minute)
		}
		when.At = at
		when.At, when.Said = when.At.UTC(), "" // "tomorrow" is another day tomorrow
	}
	if when.Zone == "" {
		when.Zone = loc.String()
	}
	if when.Said != "" { // without what was added to it, so that it can be read again
		when.Said = text
	}
	return when, localZone(&when, now)
}

// localZone sees to it that a rule's zone has a name: that of the machine, which is
// used where the configuration names none, has none that could be kept.
func localZone(when *keepwatch.When, now time.Time) error {
	if when.Zone != time.Local.String() {
		return nil
	}
	if name, offset := now.In(time.Local).Zone(); when.Cron == "" || name == "UTC" && offset == 0 {
		when.Zone = "UTC" // a moment is the same in every zone
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindInvalid, "By which clock? Neither keepwatch.yaml nor BOT_TIMEZONE names a time zone, so say it: --zone Europe/London.")
}

// whenText writes a When so that parseWhen reads the same.
func whenText(when keepwatch.When) string {
	switch {
	case !when.At.IsZero():
		return when.At.UTC().Format(momentLayout)
	case when.Said != "":
		return when.Said
	case when.Cron != "":
		return when.Cron
	}
	return "every " + strconv.FormatInt(int64(when.Every/time.Minute), 10) + " minutes"
}

// setPlace takes where a rule posts. A person's direct messages concern the person.
func (r *Router) setPlace(c *call, rule *keepwatch.Rule, word string) error {
	at, err := r.reachable(c, word)
	if err != nil {
		return err
	}
	if before, direct := r.ownerOf(rule.Channel); direct && rule.To == before {
		rule.To = "" // it went with the place
	}
	rule.Channel = at.channel
	if at.person != "" {
		rule.To = at.person
	}
	return nil
}

// ownerOf gives the person whose direct messages a channel is.
func (r *Router) ownerOf(channel string) (name string, direct bool) {
	platform, id, ok := strings.Cut(channel, ":@")
	for _, p := range r.cfg.People {
		if ok && id != "" && p.Accounts[platform] == id {
			return p.Name, true
		}
	}
	return "", false
}

// setText takes what a rule says, or does.
func (r *Router) setText(c *call, rule *keepwatch.Rule, words []string) error {
	text := strings.TrimSpace(strings.Join(words, " "))
	if strings.HasPrefix(text, "/") {
		command, err := r.dueCommand(c, words)
		if err != nil {
			return err
		}
		if command != rule.Command {
			rule.Account = keepwatch.Account{Platform: c.req.Account.Platform, ID: c.req.Account.ID}
		}
		rule.Kind, rule.Command, rule.Text = keepwatch.RuleCommand, command, ""
		return nil
	}
	if text == "" {
		return keepwatch.Errorf(keepwatch.KindInvalid, "The reminder says nothing. Write what it is about behind the channel: /%s", c.cmd.Examples[0])
	}
	text = r.withNames(text)
	if n := len([]rune(text)); n > mostReminder {
		return keepwatch.Errorf(keepwatch.KindInvalid, "The text is too long for a reminder: %s characters, and at most %s fit. Put the details into a document, and its address into the reminder.", keepwatch.FormatCount(int64(n), ""), keepwatch.FormatCount(mostReminder, ""))
	}
	rule.Kind, rule.Text, rule.Command = keepwatch.RuleText, text, ""
	return r.notTooOften(*rule)
}

var mentionInText = regexp.MustCompile(`\b(slack|discord):@([A-Za-z0-9]+)|<@!?([0-9]+)>`)

// withNames gives a text with the names of the people whom it mentions: as text an
// account's id says nothing, and a mention does not ring in it.
func (r *Router) withNames(text string) string {
	return mentionInText.ReplaceAllStringFunc(text, func(found string) string {
		m := mentionInText.FindStringSubmatch(found)
		platform, id := m[1], m[2]
		if id == "" {
			platform, id = "discord", m[3]
		}
		for _, p := range r.cfg.People {
			if p.Accounts[platform] == id {
				return p.Name
			}
		}
		return found
	})
}

// setTerms takes the options that "add" and "edit" have in common, but for the
// zone.
func (r *Router) setTerms(c *call, rule *keepwatch.Rule) error {
	if err := r.setRepeat(c, rule); err != nil {
		return err
	}
	if c.args.has("grace") {
		d, err := span("grace", c.args.one("grace"), time.Minute, mostGrace)
		if err != nil {
			return err
		}
		if rule.Grace = d; d == keepwatch.DefaultGrace {
			rule.Grace = 0
		}
	}
	if word := c.args.one("to"); strings.EqualFold(word, "none") {
		rule.To = ""
	} else if word != "" {
		p, err := r.personNamed(c, word)
		if err != nil {
			return err
		}
		rule.To = p.Name
	}
	return nil
}

func (r *Router) setRepeat(c *call, rule *keepwatch.Rule) (err error) {
	repeat, times, then := c.args.one("repeat"), c.args.one("times"), c.args.one("then")
	off := strings.EqualFold(repeat, "off")
	if rule.Kind == keepwatch.RuleCommand && (repeat != "" && !off || times != "" || then != "" && !strings.EqualFold(then, "none")) {
		return keepwatch.Errorf(keepwatch.KindInvalid, "A command needs no answer, so --repeat, --times and --then are for reminders in words. One that fails is tried again by itself, and warned of.")
	}
	if then != "" {
		if rule.Chain, err = r.chain(c, then); err != nil {
			return err
		}
	}
	if times != "" {
		if rule.Times, err = strconv.Atoi(times); err != nil || rule.Times < 0 || rule.Times > mostAgain {
			return keepwatch.Errorf(keepwatch.KindInvalid, "--times takes a number from 0 to %d: how often it is asked again.", mostAgain)
		}
	}
	switch {
	case off || rule.Kind == keepwatch.RuleCommand:
		rule.Repeat, rule.Times, rule.Chain = 0, 0, nil
		return nil
	case repeat != "":
		if rule.Repeat, err = span("repeat", repeat, leastRepeat, mostRepeat); err != nil {
			return err
		}
	case rule.Repeat == 0 && (rule.Times > 0 || len(rule.Chain) > 0):
		rule.Repeat = usualRepeat
	}
	if rule.Repeat > 0 && rule.Times == 0 && times == "" && len(rule.Chain) == 0 {
		rule.Times = usualTimes
	}
	return nil
}

// chain reads where a reminder is passed on to.
func (r *Router) chain(c *call, text string) ([]string, error) {
	if strings.EqualFold(text, "none") {
		return nil, nil
	}
	var list []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		at, err := r.reachable(c, word)
		if err != nil {
			return nil, err
		}
		list = append(list, at.channel)
	}
	if len(list) == 0 || len(list) > mostChain {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "--then takes from 1 to %d places with commas between them: --then escalation,%s. --then none takes them away.", mostChain, r.somebody())
	}
	return list, nil
}
