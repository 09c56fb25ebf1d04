package keepwatch

import (
	"fmt"
	"strings"
	"time"
)

// RunFacts gives what is wrong with the runs that a rule of commands asks for: the
// newest one was missed, has not started in time, is not over when it should be, or
// the newest ones failed. occurrences are the rule's, newest first; some dozens will
// do. A later one that went well ends it, one that somebody has skipped does not. Of
// a rule that is paused nothing is said: somebody has decided that.
func RunFacts(rule Rule, occurrences []Occurrence, now time.Time, loc *time.Location) []Fact {
	if rule.Kind != RuleCommand || rule.Paused {
		return nil
	}
	for _, o := range occurrences {
		switch o.State {
		case OccurrenceDue, OccurrenceRunning:
			if late(rule, o, now) {
				return []Fact{lateFact(rule, o, now, loc)}
			}
		case OccurrenceMissed, OccurrenceFailed:
			return []Fact{rowFact(rule, o, occurrences, now, loc)}
		case OccurrenceDone:
			return nil
		}
	}
	return nil
}

// late reports whether an occurrence should have been over by now: the next one is
// due, or the time has passed in which it is caught up.
func late(rule Rule, o Occurrence, now time.Time) bool {
	grace := rule.Grace
	if grace == 0 {
		grace = DefaultGrace
	}
	next := rule.Next.After(o.At) && !now.Before(rule.Next)
	return next || now.Sub(o.At) > grace
}

// runName is what a rule is about, for a key and for a title: the source of a
// schedule, and otherwise its number.
func runName(rule Rule) (key, title string) {
	if name, ok := strings.CutPrefix(rule.ID, "schedule:"); ok {
		return name, name
	}
	return "rule-" + NameFrom(rule.ID), "Rule " + rule.ID
}

func lateFact(rule Rule, o Occurrence, now time.Time, loc *time.Location) Fact {
	key, name := runName(rule)
	f := Fact{Key: "missed/" + key, Kind: FactMissed, Tone: ToneWarn, To: rule.To, Buttons: runButtons(rule, o)}
	at := moment(o.At, now, loc)
	if o.State == OccurrenceDue {
		f.Title = fmt.Sprintf("%s: what was due on %s has not started", name, at)
		f.Text = fmt.Sprintf("It is to carry out “%s”, and the time for that has passed. Look whether something else is under way that it waits for.", rule.Command)
		return f
	}
	f.Title = fmt.Sprintf("%s: what was begun on %s is still not over", name, at)
	f.Text = fmt.Sprintf("It carries out “%s”, and should have ended before the next time. Look at it: it may be slow, or wait for somebody. While it goes on, no other can begin.", rule.Command)
	return f
}

// rowFact is about the newest occurrences, which were missed or failed without one
// between them that went well.
func rowFact(rule Rule, newest Occurrence, occurrences []Occurrence, now time.Time, loc *time.Location) Fact {
	key, name := runName(rule)
	first, n := newest, int64(0)
	for _, o := range occurrences {
		if o.State == OccurrenceDone {
			break
		}
		if o.State == OccurrenceMissed || o.State == OccurrenceFailed {
			first = o
			n += 1 + int64(o.Earlier)
		}
	}
	f := Fact{Kind: FactMissed, Key: "missed/" + key, Tone: ToneWarn, To: rule.To, Buttons: runButtons(rule, underWay(newest, occurrences))}
	row := ""
	if n > 1 {
		row = fmt.Sprintf("Nothing has gone well since %s, %d times in a row.", moment(first.At, now, loc), n)
	}
	said := ""
	if len(newest.Log) > 0 {
		said = sentence(newest.Log[len(newest.Log)-1].What)
	}
	if newest.State == OccurrenceMissed {
		f.Title = fmt.Sprintf("%s: what was due on %s was missed", name, moment(newest.At, now, loc))
		f.Text = paragraph(fmt.Sprintf("“%s” was not carried out, and is not caught up any more.", rule.Command), upper(said), row, "Start it now, or wait for the next time.")
		return f
	}
	f.Key, f.Kind, f.Tone = "failing/"+key, FactFailing, ToneBad
	f.Title = fmt.Sprintf("%s: scheduled runs have failed since %s", name, moment(first.At, now, loc))
	if n == 1 {
		f.Title = fmt.Sprintf("%s: the run of %s failed", name, moment(newest.At, now, loc))
	}
	f.Text = paragraph(fmt.Sprintf("“%s” was tried again as long as there was time, and failed.", rule.Command), upper(said), row, "The details say why; it is tried again at the next time.")
	return f
}

// underWay gives the occurrence that is being carried out, where one was missed
// because of that, and otherwise the one that was missed.
func underWay(newest Occurrence, occurrences []Occurrence) Occurrence {
	for _, o := range occurrences {
		if o.State == OccurrenceRunning {
			return o
		}
	}
	return newest
}

// upper writes what a log says as a sentence of its own.
func upper(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func runButtons(rule Rule, o Occurrence) []Button {
	var list []Button
	if o.Run > 0 {
		list = append(list, Button{Label: "Details", Command: fmt.Sprintf("backup status %d", o.Run), Style: StylePrimary})
	}
	if o.State != OccurrenceRunning && strings.HasPrefix(rule.Command, "backup start ") {
		list = append(list, Button{Label: "Start it now", Command: rule.Command})
	}
	return list
}
