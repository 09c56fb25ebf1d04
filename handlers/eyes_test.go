package handlers

import (
	"slices"
	"strings"
	"testing"

	"keepwatch"
)

// TestCompletionsAreOnesOwn: whoever may speak for their own phone alone is not given
// the names of everybody's, nor of what others keep where.
func TestCompletionsAreOnesOwn(t *testing.T) {
	r := newDuty().router(t, newWorld())
	texts := func(who, text string) (list []string) {
		for _, c := range r.Complete(t.Context(), ask(text, who), len(text)) {
			list = append(list, c.Text)
		}
		return list
	}
	for _, c := range []struct{ who, text, want string }{
		{"slack:U3", "/authenticator checked ", "vaughan-s-pixel"},
		{"slack:U2", "/authenticator checked ", "alis-iphone alis-spare vaughan-s-pixel"},
		{"slack:U3", "/authenticator custody ", "vaughan-microsoft"},
		{"slack:U1", "/authenticator custody ", "alis-icloud vault-key vaughan-microsoft"},
	} {
		if got := strings.Join(texts(c.who, c.text), " "); got != c.want {
			t.Errorf("%s for %s: %s, want %s", c.text, c.who, got, c.want)
		}
	}
}

// TestStepsAreNotForTheChannel: the answers of a checklist say where passwords are
// recorded, so what is asked in a channel is answered to whoever asks alone.
func TestStepsAreNotForTheChannel(t *testing.T) {
	r := newDuty().router(t, newWorld())
	for _, text := range []string{"keepwatch steps l1", "keepwatch step l1 3 done in the safe", "authenticator custody"} {
		if !r.private(ask(text, "slack:U1")) {
			t.Errorf("%s is answered for all to see", text)
		}
	}
}

// TestWarningsOfOthers: all may see that there is a warning; what it says of a lock-out
// or of where a key lies is for those who may ask for that.
func TestWarningsOfOthers(t *testing.T) {
	w := newWorld()
	r := w.router(t)
	fact := func(kind keepwatch.FactKind, to string) keepwatch.Fact {
		return keepwatch.Fact{Kind: kind, Title: "title", Text: "the inside of it", To: to}
	}
	r.cfg.Duties.Warnings = &watchman{list: []keepwatch.Warning{
		{ID: "w1", Fact: fact(keepwatch.FactReady, "")}, {ID: "w2", Fact: fact(keepwatch.FactCustody, "Alis")}, {ID: "w3", Fact: fact(keepwatch.FactBackupOff, "Vaughan")},
		{ID: "w4", Fact: fact(keepwatch.FactOld, "")},
	}}
	for who, want := range map[string][]string{"slack:U1": {"w1", "w2", "w3", "w4"}, "slack:U2": {"w2", "w3", "w4"}, "slack:U3": {"w3", "w4"}} {
		var seen []string
		for _, id := range []string{"w1", "w2", "w3", "w4"} {
			if strings.Contains(plain(r.Handle(t.Context(), ask("/keepwatch warnings "+id, who))), "the inside of it") {
				seen = append(seen, id)
			}
		}
		if !slices.Equal(seen, want) {
			t.Errorf("%s sees the inside of %v, want %v", who, seen, want)
		}
	}
}

// TestReportNamesNoPlace: a report is for a whole channel. It says that somebody has
// said where a key is, and neither where, nor which account it opens.
func TestReportNamesNoPlace(t *testing.T) {
	w, l := emptyWorld()
	l.people()
	l.custody[0].Custody.What = "the key of the emergency account bg1@contoso.onmicrosoft.com"
	l.custody[0].Last.Remarks = "behind the clock"
	got := plain(w.reporter(t, l).Handle(t.Context(), ask("/keepwatch report", "slack:U1")))
	for _, hidden := range []string{"in the safe", "behind the clock", "bg1@"} {
		if strings.Contains(got, hidden) {
			t.Errorf("%q is in the report:\n%s", hidden, got)
		}
	}
	if !strings.Contains(got, "vault-key: recorded, said by Alis") {
		t.Error(got)
	}
}

// TestQuestionsOfOthers: what is asked about somebody's phone shows what is known of
// it, which a viewer is not shown of others'.
func TestQuestionsOfOthers(t *testing.T) {
	for who, want := range map[string]bool{"slack:U1": true, "slack:U2": true, "slack:U3": false} {
		k, d := newKeeper(), newDuty()
		o := k.due[0]
		o.ID, o.Kind, o.Ask, o.To, o.Channel, o.Places, o.State = "ask@2026-11-24T12:00", keepwatch.RuleAsk, "device/alis-iphone", "Alis", "slack:@U1", nil, keepwatch.OccurrencePosted
		k.due = append(k.due, o)
		r := newWorld().timed(t, k)
		r.cfg.Duties.Authenticator = d
		if got := all(r.Handle(t.Context(), from("/reminder show "+o.ID, who))); strings.Contains(got, "19 November 2026") != want {
			t.Errorf("%s is shown:\n%s", who, got)
		}
	}
}
