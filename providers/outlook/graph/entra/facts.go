package entra

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// Facts makes facts for warnings of what runs out and of what was found; of what was
// found only that which needs somebody. The credentials are those that run out within the
// longest step of [keepwatch.Ladder].
func Facts(credentials []Credential, findings []Finding, now time.Time, loc *time.Location) []keepwatch.Fact {
	var facts []keepwatch.Fact
	check := []keepwatch.Button{{Label: "Check now", Command: "keepwatch check"}}
	for _, c := range credentials {
		if now.Before(c.At.AddDate(0, 0, -keepwatch.Ladder()[0])) {
			continue
		}
		on := c.At.In(loc).Format("2 January 2006")
		f := keepwatch.Fact{
			Key: "entra-expiry/" + c.App + "/" + cmp.Or(c.ID, "own"), Kind: keepwatch.FactExpiry, Tone: keepwatch.ToneWarn, Until: c.At, Urge: c.At.UTC().Format(time.DateOnly),
			Title: fmt.Sprintf("%s runs out on %s", upper(c.Name), on), Buttons: check,
			Text: fmt.Sprintf("What signs in with it stops working on %s, %s. %s", on, c.At.In(loc).Format("15:04 MST"), c.How),
		}
		if c.Own {
			f.Text = "Then no mailbox is backed up any more. " + f.Text
		}
		if !now.Before(c.At.Add(-keepwatch.Urgent)) {
			f.Tone = keepwatch.ToneBad
		}
		if !now.Before(c.At) {
			f.Title = fmt.Sprintf("%s ran out on %s", upper(c.Name), on)
			f.Text = fmt.Sprintf("What signs in with it has not worked since %s, %s. %s", on, c.At.In(loc).Format("15:04 MST"), c.How)
		}
		facts = append(facts, f)
	}
	for _, p := range findings {
		tone := keepwatch.ToneBad
		switch p.Status {
		case keepwatch.ProbeWarn:
			tone = keepwatch.ToneWarn
		case keepwatch.ProbeBad:
		default:
			continue
		}
		head, text := divided(p)
		facts = append(facts, keepwatch.Fact{Key: "entra/" + p.Key, Kind: keepwatch.FactReady, Tone: tone, Title: head, Text: text, Buttons: check})
	}
	return facts
}

// divided makes a title of the first clause of a finding.
func divided(p Finding) (head, text string) {
	at := strings.IndexAny(p.Text, ":.")
	for at >= 0 && at+1 < len(p.Text) && p.Text[at+1] != ' ' { // within a name
		next := strings.IndexAny(p.Text[at+1:], ":.")
		if next < 0 {
			return p.Text, p.Next
		}
		at += 1 + next
	}
	if at < 0 {
		return p.Text, p.Next
	}
	rest := strings.TrimSpace(p.Text[at+1:])
	return p.Text[:at], strings.TrimSpace(upper(rest) + " " + p.Next)
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
