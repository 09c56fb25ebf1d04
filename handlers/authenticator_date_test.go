package handlers

import (
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// TestShownBy reads what people write of the date that a phone shows, on Tuesday 24
// November 2026.
func TestShownBy(t *testing.T) {
	r := newWorld().router(t)
	for text, want := range map[string]string{
		"today": "2026-11-24", "Today": "2026-11-24", "today at 9:14": "2026-11-24", "Today, 09:14": "2026-11-24", "yesterday": "2026-11-23", "Yesterday 10:15 PM": "2026-11-23",
		"this week": "2026-11-23", "monday": "2026-11-23", "Tue": "2026-11-24", "wednesday": "2026-11-18", "on Friday": "2026-11-20",
		"3 days ago": "2026-11-21", "a week ago": "2026-11-17", "2 weeks ago": "2026-11-10", "0 days ago": "2026-11-24",
		"2026-11-20": "2026-11-20", "2026-1-2": "2026-01-02", "20 Nov": "2026-11-20", "20 November": "2026-11-20", "20 nov 2025": "2025-11-20", "Nov 20": "2026-11-20", "November 20, 2026": "2026-11-20",
		"20th November": "2026-11-20", "the 20th": "", "1st of December": "2025-12-01", "25 Nov": "2026-11-25", "26 Nov": "2025-11-26", "24 Dec": "2025-12-24", "Fri 20 Nov 2026": "2026-11-20", "Fri, 20 Nov": "2026-11-20",
		"2 Sept 2026": "2026-09-02", "20 Nov 2026, 10:15": "2026-11-20", "20 Nov 2026 at 10:15 am": "2026-11-20", "29 Feb": "2024-02-29",
		"20/11/2026": "2026-11-20", "11/20/2026": "2026-11-20", "20/11/26": "2026-11-20", "20.11.2026": "2026-11-20", "3.4.2026": "2026-04-03", "20.11.": "2026-11-20", "4/4/2026": "2026-04-04", "24/12": "2025-12-24",
		"off": "off", "Backup is off": "off", "never": "never", "not found": "not found", "I can’t find it": "not found", "new phone": "new phone", "new": "new phone",
		"": "", "soon": "", "31 Feb": "", "2026-02-30": "", "31.2.2026": "", "32/13/2026": "", "next week": "", "3 months": "", "-3 days ago": "", "99999 days ago": "", "20 Nov 2026 or so": "",
	} {
		got, err := r.shownBy(text, noon)
		said := ""
		switch {
		case err != nil:
			if keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), "2026-11-20") {
				t.Errorf("%q: %v", text, err)
			}
		case got.state == keepwatch.AttestedOn:
			said = got.seen.Format("2006-01-02")
		default:
			said = string(got.state)
		}
		if said != want {
			t.Errorf("%q is read as %q, want %q", text, said, want)
		}
	}
	for text, want := range map[string]string{
		"31 feb": "February has no day 31; its last day is 29.", "Feb 31st": "February has no day 31", "29 February 2026": "February 2026 has no day 29; its last day is 28.", "0 Nov": "November has no day 0", "31 Nov": "November has no day 31; its last day is 30.",
	} {
		if _, err := r.shownBy(text, noon); !strings.Contains(keepwatch.Sentence(err), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, both := range map[string][2]string{"03/04/2026": {"3 April", "4 March"}, "3/4": {"3 April", "4 March"}, "12-11-2026": {"12 November", "11 December"}} {
		_, err := r.shownBy(text, noon)
		if s := keepwatch.Sentence(err); !strings.Contains(s, both[0]) || !strings.Contains(s, both[1]) || !strings.Contains(s, "in letters") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestShownByZone: today is what the asker's own calendar shows.
func TestShownByZone(t *testing.T) {
	d := newDuty()
	r := d.router(t, newWorld())
	for i := range r.cfg.People {
		r.cfg.People[i].Hours.Zone = "Pacific/Auckland"
	}
	r.Handle(t.Context(), ask("/authenticator checked alis-iphone today", "slack:U1"))
	if len(d.said) != 1 || !d.said[0].Seen.Equal(dayOf(11, 25)) {
		t.Errorf("at noon UTC on the 24th it is the 25th in Auckland: %+v", d.said)
	}
	r.cfg.People[0].Hours.Zone = "Nowhere/At_All"
	r.Handle(t.Context(), ask("/authenticator checked alis-iphone today", "slack:U1"))
	if !d.said[1].Seen.Equal(dayOf(11, 24)) {
		t.Errorf("%+v", d.said[1])
	}
}

// future is a Times that reads what lies ahead.
type future struct{ Times }

func (future) Moment(text string, _ *time.Location, now time.Time) (time.Time, error) {
	if text == "next monday" {
		return now.AddDate(0, 0, 6), nil
	}
	return now, keepwatch.Errorf(keepwatch.KindInvalid, "What is %q?", text)
}

// TestShownByMoment: what only the words of reminders know is handed on, so that it is
// refused as being in the future.
func TestShownByMoment(t *testing.T) {
	r := newWorld().router(t)
	r.cfg.Duties.Times = future{}
	if got, err := r.shownBy("next monday", noon); err != nil || !got.seen.Equal(dayOf(11, 30)) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := r.shownBy("soonish", noon); !strings.Contains(keepwatch.Sentence(err), "I cannot read") {
		t.Error(err)
	}
}
