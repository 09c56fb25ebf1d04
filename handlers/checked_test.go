package handlers

import (
	"fmt"
	"reflect"
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
