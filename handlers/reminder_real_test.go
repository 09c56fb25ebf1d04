package handlers

import (
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/engine/when"
)

// TestRealTimes: with what really reads times, quoted or not, the same rule is
// understood, and what was confirmed is what was shown.
func TestRealTimes(t *testing.T) {
	for text, want := range map[string]string{
		"every weekday at 9": "0 9 * * MON-FRI", "weekdays at 9:00": "", "every Monday and Thursday at 14:00": "", "first Monday of the month 10:00": "", "last Friday of the month at 16:00": "",
		"0 9 * * 1-5": "", "0 9 * * MON#1": "", "@daily": "", "daily 09:30": "", "every 2 hours": "", "hourly": "", "in 30 min": "", "tomorrow at 9": "", "on 3 December at 14:00": "", "2026-12-03 14:00": "", "2026-12-03T14:00": "",
		"next Monday at 10": "", "last day of the month 18:00": "", "yearly on 3 December at 9": "", "every weekday": "", "on the 1st and 15th at 8": "",
	} {
		for _, quote := range []string{"", `"`} {
			for _, place := range []string{"here", "escalation", "@Alis", "slack:C0123", "<#C0123|ops>"} {
				k := &keeper{}
				r := newWorld().timed(t, k)
				r.cfg.Duties.Times = when.New()
				shown := r.Handle(t.Context(), from("/reminder add "+quote+text+quote+" "+place+" Look at 3 backups here", "slack:U2"))
				if shown.Failed {
					t.Errorf("%s%s %s: %s", quote, text, place, all(shown))
					continue
				}
				made := clickOn(t, r, shown, "Make it", "slack:U2")
				if made.Failed || len(k.rules) != 1 || k.rules[0].Text != "Look at 3 backups here" || strings.Contains(place, "C0123") && k.rules[0].Channel != "slack:C0123" {
					t.Errorf("%s%s %s: %s\n%s", quote, text, place, all(shown), all(made))
					continue
				}
				if got := k.rules[0].When; want != "" && got.Cron != want || got.At.IsZero() && got.Cron == "" && got.Every == 0 {
					t.Errorf("%s: %+v", text, got)
				}
			}
		}
	}
}

// TestRealRefusals: what cannot be read has a sentence of its own, also where it is
// not quoted.
func TestRealRefusals(t *testing.T) {
	for _, text := range []string{"03/04", "every blursday at 9", "0 0 30 2 *", "30 February at 9", "tonight", "next weekend", "yesterday at 9", "every day at 25:00", "61 * * * *", "* * * * * * *"} {
		for _, quote := range []string{"", `"`} {
			k := &keeper{}
			r := newWorld().timed(t, k)
			r.cfg.Duties.Times = when.New()
			m := r.Handle(t.Context(), from("/reminder add "+quote+text+quote+" here Look", "slack:U2"))
			if !m.Failed || m.Refused != keepwatch.KindInvalid {
				t.Errorf("%s%s: %s", quote, text, all(m))
			}
			t.Logf("%s → %s", text, m.Blocks[0].Text)
		}
	}
	r := newWorld().timed(t, newKeeper())
	r.cfg.Duties.Times = when.New()
	for _, choice := range append(usualWhens(), usualMoments()...) {
		_, ruleErr := r.parseWhen(choice, time.UTC)
		_, momentErr := r.cfg.Duties.Times.Moment(choice, time.UTC, noon)
		if ruleErr != nil && momentErr != nil {
			t.Errorf("%q is offered and not understood: %v, %v", choice, ruleErr, momentErr)
		}
	}
	for _, form := range []string{"2026-12-03 14:00", "2026-12-03"} { // as the form of a snooze gives it
		if at, err := r.cfg.Duties.Times.Moment(form, time.UTC, noon); err != nil || at.Day() != 3 {
			t.Errorf("%s: %s, %v", form, at, err)
		}
	}
}
