package handlers

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// TestThisWeekIsNoStepBack: whoever has said Monday's successor, and then presses
// "This week", does not say that the date went back.
func TestThisWeekIsNoStepBack(t *testing.T) {
	for _, c := range []struct{ known, want time.Time }{
		{dayOf(11, 24), dayOf(11, 24)}, // noon is a Tuesday
		{dayOf(11, 23), dayOf(11, 23)},
		{dayOf(11, 19), dayOf(11, 23)},
	} {
		d := newDuty()
		d.devices[0].Seen = c.known
		d.router(t, newWorld()).Handle(t.Context(), ask("/authenticator checked alis-iphone this week", "slack:U1"))
		if len(d.said) != 1 || !d.said[0].Seen.Equal(c.want) || d.said[0].State != keepwatch.AttestedOn {
			t.Errorf("%s is known: %+v", c.known.Format(time.DateOnly), d.said)
		}
	}
}

// TestSaidOnceMoreAfterACrash: the answer of a step was saved, and the process ended
// before the question about it could be settled. Carried out again, it is settled.
func TestSaidOnceMoreAfterACrash(t *testing.T) {
	s := newSchool(t)
	msg := s.says("slack:U1", "authenticator guide ios --anew")
	for range 12 {
		label, value := forward(msg)
		if value == "in the safe, blue folder" {
			break
		}
		msg = s.press(t, "slack:U1", msg, label, value)
	}
	w := s.walks[0]
	req := ask(stepCommand(w, "done", "in", "the", "safe"), "slack:U1")
	s.Handle(t.Context(), req)
	first := s.said
	s.said = nil
	req.Again = true
	s.Handle(t.Context(), req)
	if len(first) != 1 || first[0].Where != "in the safe" || !reflect.DeepEqual(first, s.said) {
		t.Errorf("first %+v, then %+v", first, s.said)
	}
	s.said = nil
	again := s.says("slack:U1", stepCommand(w, "done", "somewhere", "else")) // an old button
	if len(s.said) != 0 || s.walks[0].Revision != w.Revision+1 {
		t.Errorf("an old button says something: %+v\n%s", s.said, plain(again))
	}
}

// TestSecretAsAProblem: at the step that asks where a password is, somebody writes the
// password itself into the field for what went wrong.
func TestSecretAsAProblem(t *testing.T) {
	s := newSchool(t)
	msg := s.says("slack:U1", "authenticator guide ios")
	for range 12 {
		label, value := forward(msg)
		if value == "in the safe, blue folder" {
			break
		}
		msg = s.press(t, "slack:U1", msg, label, value)
	}
	got := s.says("slack:U1", stepCommand(s.walks[0], "problem", "hunter2XYZ99"))
	if !got.Failed || len(s.walks[0].Problems) != 0 || strings.Contains(fmt.Sprint(s.audit), "hunter2") {
		t.Errorf("%+v\n%s", s.walks[0].Problems, plain(got))
	}
	if got = s.says("slack:U1", stepCommand(s.walks[0], "problem", "nobody", "remembers")); got.Failed || len(s.walks[0].Problems) != 1 {
		t.Errorf("%+v\n%s", s.walks[0].Problems, plain(got))
	}
}

// TestStoppedDrillIsNone: whoever stops a drill at its first step is drilled next, and
// not whoever did one last year.
func TestStoppedDrillIsNone(t *testing.T) {
	s := newSchool(t)
	s.words = []keepwatch.Attestation{
		{ID: "a", Subject: "drill/alis", Said: noon.AddDate(-2, 0, 0), State: keepwatch.AttestedDone}, {ID: "b", Subject: "drill/bethan", Said: noon.AddDate(-1, 0, 0), State: keepwatch.AttestedDone},
		{ID: "c", Subject: "drill/alis", Said: noon.AddDate(0, -1, 0), State: keepwatch.AttestedStopped},
	}
	s.says("slack:U4", "authenticator drill")
	if len(s.walks) != 1 || s.walks[0].Person != "Alis" {
		t.Errorf("%+v", s.walks)
	}
}

// TestDatesInAChecklist: a date that somebody has seen lies behind them, and is read by
// their own calendar.
func TestDatesInAChecklist(t *testing.T) {
	s := newSchool(t)
	s.people[0].Hours.Zone = "Pacific/Auckland"
	s.open(t)
	msg := s.says("slack:U1", "authenticator guide ios")
	for range s.lists {
		if label, value := forward(msg); value != "2026-11-20" {
			msg = s.press(t, "slack:U1", msg, label, value)
		}
	}
	w := s.walks[0]
	s.now = time.Date(2026, 11, 24, 22, 0, 0, 0, time.UTC) // the 25th in Auckland
	for text, want := range map[string]string{"today": "2026-11-25", "yesterday": "2026-11-24", "30 Nov": "2025-11-30", "20.11.2026": "2026-11-20", "2026-11-20": "2026-11-20"} {
		s.walks[0], s.words = w, nil
		if got := s.says("slack:U1", stepCommand(w, "done", strings.Fields(text)...)); got.Failed || s.walks[0].Answers["date"] != want {
			t.Errorf("%q is kept as %q, want %q\n%s", text, s.walks[0].Answers["date"], want, plain(got))
		}
	}
	for text, want := range map[string]string{"03/04/2026": "two ways", "off": "no date", "2026-12-24": "in the future", "soonish": "no date"} {
		s.walks[0], s.words = w, nil
		if got := plain(s.says("slack:U1", stepCommand(w, "done", text))); s.walks[0].At != w.At || !strings.Contains(got, want) {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// brokenWalks cannot be changed.
type brokenWalks struct{ *school }

func (brokenWalks) ChangeWalk(string, func(*keepwatch.Walk) error, func(keepwatch.Walk) []keepwatch.Attestation) (keepwatch.Walk, error) {
	return keepwatch.Walk{}, errors.New("the disk is full")
}

// TestTheWayBackFromAFailure: in direct messages the answer stands where the step
// stood, so that it leads back there, whatever went wrong.
func TestTheWayBackFromAFailure(t *testing.T) {
	s := newSchool(t)
	s.says("slack:U1", "authenticator guide ios")
	s.cfg.Duties.Walks = brokenWalks{s}
	got := s.says("slack:U1", stepCommand(s.walks[0], "done"))
	if !got.Failed || len(got.Buttons) != 1 || got.Buttons[0].Command != "keepwatch steps l1" || strings.Contains(plain(got), "disk is full") {
		t.Error(plain(got))
	}
}

// TestPeopleOfOtherAlphabets: what is said in a checklist is said of what the bot asks
// about, whatever alphabet the person's name has, and of nobody else's.
func TestPeopleOfOtherAlphabets(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"Иван", "Пётр", "张伟", "Юрий 2", "Пётр 2", "Alis B.", "Jürgen Öz"} {
		list := keepwatch.Checklist{Steps: []keepwatch.ChecklistStep{{Ask: &keepwatch.ChecklistAsk{Name: "x", Custody: "{person}-icloud"}}}}
		said := attested(keepwatch.Walk{Person: name, At: 1}, list, move{"done", "in the safe"}, name)
		if len(said) != 1 || said[0].Subject != keepwatch.CustodySubject(keepwatch.PersonWord(name)+"-icloud") {
			t.Errorf("%s: %+v", name, said)
			continue
		}
		for _, subject := range []string{said[0].Subject, keepwatch.DrillSubject(name)} {
			if other := seen[subject]; other != "" {
				t.Errorf("%s and %s are both %s", name, other, subject)
			}
			seen[subject] = name
		}
	}
}

// TestAStepThatMoved: while somebody is at the step that asks where a password is, a
// step before it is taken out of the file. What they answer is not taken for the answer
// to another question, and the step is found where it stands now.
func TestAStepThatMoved(t *testing.T) {
	ask := func(title, custody string) keepwatch.ChecklistStep {
		return keepwatch.ChecklistStep{Title: title, Text: "x", Ask: &keepwatch.ChecklistAsk{Name: title, Label: "x", Type: keepwatch.FieldText, Custody: custody}}
	}
	list := keepwatch.Checklist{ID: "team", Group: "backup guide", Topic: "team", Title: "Team", Steps: []keepwatch.ChecklistStep{{Title: "One", Text: "x"}, {Title: "Two", Text: "x"}, ask("Safe", "{person}-icloud"), ask("Tape", "{person}-tape")}}
	s := newSchool(t)
	s.lists = []keepwatch.Checklist{list}
	s.open(t)
	msg := s.press(t, "slack:U1", s.press(t, "slack:U1", s.says("slack:U1", "backup guide team"), "Done"), "Done")
	list.Steps = slices.Delete(slices.Clone(list.Steps), 0, 1)
	s.lists = []keepwatch.Checklist{list}
	s.open(t)
	msg = s.press(t, "slack:U1", msg, "Answer…", "in the safe") // the third step is Tape now
	if len(s.words) != 0 || msg.Title != "Step 2 of 3: Safe" || !strings.Contains(plain(msg), "changed meanwhile") {
		t.Fatalf("%+v\n%s", s.words, plain(msg))
	}
	msg = s.press(t, "slack:U1", msg, "Answer…", "in the safe")
	if len(s.words) != 1 || s.words[0].Subject != "custody/alis-icloud" || msg.Title != "Step 3 of 3: Tape" {
		t.Fatalf("%+v\n%s", s.words, plain(msg))
	}
	list.Steps[2].Title = "Cassette" // another word for it is seen before anything is pressed
	s.lists = []keepwatch.Checklist{list}
	s.open(t)
	if msg = s.says("slack:U1", "keepwatch steps l1"); msg.Title != "Step 3 of 3: Cassette" || !strings.Contains(plain(msg), "changed meanwhile") {
		t.Fatal(plain(msg))
	}
	list.Steps = list.Steps[:1] // and now all that was left is gone
	s.lists = []keepwatch.Checklist{list}
	s.open(t)
	msg = s.press(t, "slack:U1", msg, "Answer…", "on the shelf")
	if msg.Title != "Step 1 of 1: Two" || len(s.words) != 1 {
		t.Fatalf("%+v\n%s", s.words, plain(msg))
	}
	if msg = s.press(t, "slack:U1", msg, "Done"); s.walks[0].Outcome != keepwatch.AttestedDone {
		t.Errorf("%+v\n%s", s.walks[0], plain(msg))
	}
}
