package remind

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"keepwatch"
)

const (
	maxText  = 3000    // characters of a text
	maxRules = 100_000 // made by chat, that can still come due
	maxChain = 10      // places that a rule goes along
	maxTimes = 20      // how often one occurrence is asked again in its channel
	// shortest is the least distance of a text rule: below it a channel is flooded.
	shortest = 5 * time.Minute
)

// MaxChain is how many places a rule goes along.
const MaxChain = 10

// check refuses a rule that cannot be kept, and gives when it comes due first.
func (s *Scheduler) check(rule keepwatch.Rule, now time.Time) (keepwatch.Due, error) {
	if err := s.complete(rule); err != nil {
		return keepwatch.Due{}, err
	}
	if zone := rule.When.Zone; zone != "" {
		if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
			return keepwatch.Due{}, keepwatch.Errorf(keepwatch.KindInvalid, "There is no time zone %q. Write one such as Europe/London or America/New_York.", zone)
		}
	}
	due, ok := s.cfg.Clock.Next(rule.When, now, "")
	switch {
	case !ok && !rule.When.At.IsZero():
		return due, keepwatch.Errorf(keepwatch.KindInvalid, "%s has passed already. Name a moment ahead, such as \"tomorrow at 9\".", s.moment(rule.When.At))
	case !ok:
		return due, keepwatch.Errorf(keepwatch.KindInvalid, "This never comes due: there is no such date, or no such time. Write for example \"every weekday at 9\".")
	}
	if rule.Kind == keepwatch.RuleText && s.tooOften(rule.When, due) {
		return due, keepwatch.Errorf(keepwatch.KindInvalid, "That is more often than every 5 minutes, which would drown the channel. Write for example \"every 30 minutes\".")
	}
	return due, nil
}

// tooOften looks at the next sixty times that a rule comes due: as many as there are
// minutes in an hour, by which a cron expression repeats itself.
func (s *Scheduler) tooOften(when keepwatch.When, due keepwatch.Due) bool {
	if when.Every > 0 {
		return when.Every < shortest
	}
	for range 60 {
		next, ok := s.cfg.Clock.Next(when, due.At, due.Wall)
		if !ok {
			return false
		}
		if next.At.Sub(due.At) < shortest {
			return true
		}
		due = next
	}
	return false
}

// complete refuses a rule that does not say what is to be done, where, or how often it
// is to be asked again.
func (s *Scheduler) complete(rule keepwatch.Rule) error {
	switch n := utf8.RuneCountInString(rule.Text); {
	case rule.Channel == "":
		return keepwatch.Errorf(keepwatch.KindInvalid, "Say where it is to be posted: /reminder add \"every weekday at 9\" here Look at the backups")
	case !place(rule.Channel) || slices.ContainsFunc(rule.Chain, func(p string) bool { return !place(p) }):
		return keepwatch.Errorf(keepwatch.KindInvalid, "A place is written as slack:C0OPS, as discord:@445566 for a direct message, or as terminal.")
	case rule.Kind == keepwatch.RuleText && n == 0:
		return keepwatch.Errorf(keepwatch.KindInvalid, "Say what it is to remind of: /reminder add \"every weekday at 9\" here Look at the backups")
	case n > maxText:
		return keepwatch.Errorf(keepwatch.KindInvalid, "The text has %s, and %s are the most. Write a shorter one that links to the rest.", keepwatch.FormatCount(int64(n), "character"), keepwatch.FormatCount(maxText, ""))
	case rule.Kind == keepwatch.RuleCommand && rule.Command == "":
		return keepwatch.Errorf(keepwatch.KindInvalid, "Say which command is to be carried out: /reminder add \"every day at 3\" here \"/backup start notes\"")
	case rule.Kind == keepwatch.RuleAsk && rule.Ask == "":
		return keepwatch.Errorf(keepwatch.KindInvalid, "A rule that asks has to say what for.")
	case rule.Repeat != 0 && rule.Repeat < shortest:
		return keepwatch.Errorf(keepwatch.KindInvalid, "Asking again sooner than after 5 minutes would drown the channel. Write for example --repeat 30m.")
	case rule.Times < 0 || rule.Times > maxTimes:
		return keepwatch.Errorf(keepwatch.KindInvalid, "It can be asked again %d times at the most. Write for example --times 3.", maxTimes)
	case len(rule.Chain) > MaxChain:
		return keepwatch.Errorf(keepwatch.KindInvalid, "It can be passed on along %d places at the most.", MaxChain)
	case rule.Grace < 0:
		return keepwatch.Errorf(keepwatch.KindInvalid, "How late it is still caught up cannot be negative. Write for example --grace 6h.")
	}
	return nil
}

// place reports whether something can be the name of a channel, which becomes a part
// of keys.
func place(channel string) bool {
	return channel != "" && len(channel) <= 200 && !strings.ContainsFunc(channel, func(c rune) bool { return c <= ' ' || c == '/' || c == 0x7f })
}
