package keepwatch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The functions in facts*.go compute what somebody is to be warned of out of what is
// known, and do nothing else. What they say changes only where something has
// changed: nothing in it counts the days, so that no message is edited every hour.

// dayText writes a date for a sentence, with its year where that is not this one's.
func dayText(t, now time.Time, loc *time.Location) string {
	t = t.In(loc)
	if t.Year() != now.In(loc).Year() {
		return t.Format("2 January 2006")
	}
	return t.Format("2 January")
}

// moment writes a date and time for a sentence.
func moment(t, now time.Time, loc *time.Location) string {
	return dayText(t, now, loc) + ", " + t.In(loc).Format("15:04")
}

// sentence gives text as a whole sentence; the empty one stays empty.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

// paragraph puts sentences behind each other, and leaves out those that are empty.
func paragraph(sentences ...string) string {
	return strings.Join(slices.DeleteFunc(sentences, func(s string) bool { return s == "" }), " ")
}

// Urgent is how long before a credential runs out that is no longer a matter of
// planning.
const Urgent = 7 * 24 * time.Hour

// horizon is how long before something comes true it is a fact at all: the longest
// step of the ladder.
func horizon() time.Duration { return time.Duration(Ladder()[0]) * 24 * time.Hour }

// ExpiryFacts gives the credentials that run out within the longest step of Ladder,
// and those that have run out, the soonest first. Those without a date are left out.
func ExpiryFacts(credentials []Credential, now time.Time, loc *time.Location) []Fact {
	var facts []Fact
	for _, c := range credentials {
		if c.Expires.IsZero() || now.Before(c.Expires.Add(-horizon())) {
			continue
		}
		on := dayText(c.Expires, now, loc)
		f := Fact{
			Key: "expiry/" + NameFrom(c.Name), Kind: FactExpiry, Tone: ToneWarn, To: c.Owner, Until: c.Expires,
			Title: fmt.Sprintf("%s runs out on %s", c.Name, on),
			Text:  fmt.Sprintf("What needs it stops working on %s, %s.", on, c.Expires.In(loc).Format("15:04 MST")),
			// A new date makes another fact of it, an hour's correction does not.
			Urge:    c.Expires.UTC().Format(time.DateOnly),
			Buttons: []Button{{Label: "Check now", Command: "keepwatch check"}},
		}
		if !now.Before(c.Expires.Add(-Urgent)) {
			f.Tone = ToneBad
		}
		if !now.Before(c.Expires) {
			f.Title = fmt.Sprintf("%s ran out on %s", c.Name, on)
			f.Text = fmt.Sprintf("What needs it has not worked since %s, %s.", on, c.Expires.In(loc).Format("15:04 MST"))
		}
		how := "Renew it"
		if c.How != "" {
			how = sentence(c.How) + " Then"
		} else {
			how += ", then"
		}
		f.Text = paragraph(f.Text, how+" write its new date into keepwatch.yaml, so that this is over.")
		facts = append(facts, f)
	}
	slices.SortStableFunc(facts, func(a, b Fact) int { return a.Until.Compare(b.Until) })
	return facts
}
