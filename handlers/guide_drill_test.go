package handlers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// drilled goes through a drill that was posted, and cannot do the steps that are
// named. It gives the last message.
func (s *school) drillThrough(t *testing.T, who string, cannot ...int) keepwatch.Message {
	t.Helper()
	msg := s.posted[len(s.posted)-1].Message
	for n := 1; strings.HasPrefix(msg.Title, "Step "); n++ {
		s.now = s.now.Add(time.Duration(n) * 10 * time.Second)
		no := false
		for _, c := range cannot {
			no = no || c == n
		}
		if !no {
			msg = s.press(t, who, msg, "I could")
			continue
		}
		msg = s.press(t, who, msg, "I could not")
		if n == 2 {
			msg = s.press(t, who, msg, "What was missing…", "the security key is at home")
		}
		msg = s.press(t, who, msg, "Go on")
	}
	return msg
}

func TestDrill(t *testing.T) {
	s := newSchool(t)
	golden(t, "drill-begun", plain(s.says("slack:U1", "authenticator drill Bethan")))
	if len(s.posted) != 1 {
		t.Fatalf("posted: %+v", s.posted)
	}
	out := s.posted[0]
	if out.Channel != "slack:@U4" || out.Lane != out.Channel || out.Topic != "walk/l1" || len(out.ID) != keepwatch.MessageID || out.Made.IsZero() {
		t.Errorf("posted: %+v", out)
	}
	golden(t, "drill-first", plain(out.Message))
	golden(t, "drill-could-not", plain(s.press(t, "slack:U4", out.Message, "I could not")))
	s.posted[0].Message = s.press(t, "slack:U4", s.says("slack:U4", "keepwatch steps l1"), "I could after all")
	s.posted[0].Message = s.press(t, "slack:U4", s.posted[0].Message, "Back")
	last := s.drillThrough(t, "slack:U4", 2, 7)
	golden(t, "drill-end", plain(last))
	if len(s.posted) != 2 || s.posted[1].Channel != "slack:@U1" {
		t.Fatalf("whoever asked is told: %+v", s.posted)
	}
	golden(t, "drill-report", plain(s.posted[1].Message))
	a := s.words[len(s.words)-1]
	if a.Subject != "drill/bethan" || a.State != keepwatch.AttestedProblem || a.Person != "Bethan" || a.By != "Bethan" ||
		!strings.Contains(a.Remarks, "step 2, Sign in as administrator without it: the security key is at home; step 7, Sign in at your DNS host") || !strings.HasPrefix(a.Remarks, "took 2") {
		t.Errorf("attested: %+v", a)
	}
}

func TestDrillThatNothingIsMissingIn(t *testing.T) {
	s := newSchool(t)
	s.says("slack:U1", "authenticator drill Bethan")
	if last := s.drillThrough(t, "slack:U4"); last.Tone != keepwatch.ToneGood || !strings.HasPrefix(last.Title, "Drill of Bethan: nothing was missing, in ") {
		t.Errorf("it ends with:\n%s", plain(last))
	}
	if a := s.words[0]; a.State != keepwatch.AttestedDone {
		t.Errorf("attested: %+v", a)
	}
}

// TestWhoIsDrilled: without a name it is whoever has gone longest without a drill.
func TestWhoIsDrilled(t *testing.T) {
	s := newSchool(t)
	s.words = []keepwatch.Attestation{{ID: "a", Subject: "drill/alis", Said: noon.AddDate(0, -6, 0)}}
	for _, want := range []string{"slack:@U4", "slack:@U1", "slack:@U4"} {
		req := ask("authenticator drill", "slack:U1")
		req.Channel, req.Due = "slack:C0OPS", "5@2026-11-24T12:00" // a rule asks
		if msg := s.Handle(context.Background(), req); msg.Failed {
			t.Fatal(plain(msg))
		}
		out := s.posted[len(s.posted)-1]
		if out.Channel != want {
			t.Fatalf("drilled is %s, want %s", out.Channel, want)
		}
		s.drillThrough(t, strings.Replace(want, ":@", ":", 1))
		if told := s.posted[len(s.posted)-1]; told.Channel != "slack:C0OPS" || !strings.HasPrefix(told.Message.Title, "Drill of") {
			t.Fatalf("what a rule asked for is told in its channel: %+v", told)
		}
	}
}

func TestDrillsThatAreRefused(t *testing.T) {
	s := newSchool(t)
	for text, want := range map[string]string{
		"authenticator drill Olwen":              "Olwen has no device with global_admin: true",
		"authenticator drill Betan":              `There is nobody named "Betan". Global administrators are: Alis, Bethan.`,
		"authenticator drill Alis --at whenever": `"whenever" is no moment.`,
	} {
		if got := s.says("slack:U1", text); !got.Failed || !strings.Contains(plain(got), want) {
			t.Errorf("%s:\n%s", text, plain(got))
		}
	}
	s.people[0].Devices, s.people[1].Devices = nil, nil
	s.open(t)
	if got := s.says("slack:U1", "authenticator drill"); got.Refused != keepwatch.KindNotFound || !strings.Contains(plain(got), "Write global_admin: true") {
		t.Errorf("nobody to drill:\n%s", plain(got))
	}
	if len(s.walks)+len(s.posted)+len(s.rules) != 0 {
		t.Errorf("something was begun: %+v %+v %+v", s.walks, s.posted, s.rules)
	}
}

func TestDrillLater(t *testing.T) {
	s := newSchool(t)
	for range 2 { // carried out again, it makes one rule
		golden(t, "drill-later", plain(s.Handle(context.Background(), func() keepwatch.Request {
			req := ask(`authenticator drill --at "tomorrow 9:00"`, "slack:U1")
			req.At = noon
			return req
		}())))
	}
	if len(s.rules) != 1 || len(s.walks) != 0 {
		t.Fatalf("rules %+v, walks %+v", s.rules, s.walks)
	}
	rule := s.rules[0]
	if rule.Kind != keepwatch.RuleCommand || rule.Command != "authenticator drill Alis" || !rule.When.At.Equal(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)) || rule.By != "Alis" || rule.Account.ID != "U1" || rule.Channel != "here" {
		t.Errorf("%+v", rule)
	}
}

// TestDrillLaterByAGroup: when the time comes nobody looks into the group from which an
// admin's role comes, so it is refused now.
func TestDrillLaterByAGroup(t *testing.T) {
	s := newSchool(t)
	s.Router.cfg.Groups = []keepwatch.Group{{ID: "slack:S1", Role: keepwatch.RoleAdmin}}
	req := ask(`authenticator drill --at "tomorrow 9:00"`, "slack:U77")
	req.At, req.Groups = noon, []string{"slack:S1"}
	if got := s.Handle(t.Context(), req); !got.Failed || len(s.rules) > 0 || !strings.Contains(plain(got), "Your role comes from a group") {
		t.Errorf("%s, %+v", plain(got), s.rules)
	}
}

// TestDrillThatCannotBeSent: somebody who cannot be written to is told by whoever asks.
func TestDrillThatCannotBeSent(t *testing.T) {
	for name, set := range map[string]func(*school){"not connected": func(s *school) { s.mute = true }, "not saved": func(s *school) { s.postErr = errors.New("disk full") }} {
		s := newSchool(t)
		set(s)
		msg := s.says("slack:U1", "authenticator drill Bethan")
		if msg.Tone != keepwatch.ToneWarn || !strings.Contains(plain(msg), "/keepwatch steps l1") || strings.Contains(plain(msg), "disk full") {
			t.Errorf("%s:\n%s", name, plain(msg))
		}
		if got := s.says("slack:U4", "keepwatch steps l1"); len(got.Buttons) == 0 {
			t.Errorf("%s: what they are to type shows:\n%s", name, plain(got))
		}
	}
}

// TestDrillTwiceAtOnce: a second request for it begins no second one, and shows where
// the first is; the message is the same one.
func TestDrillTwiceAtOnce(t *testing.T) {
	s := newSchool(t)
	s.says("slack:U1", "authenticator drill Bethan")
	s.says("slack:U1", "authenticator drill Bethan")
	if len(s.walks) != 1 || s.posted[0].ID != s.posted[1].ID {
		t.Errorf("walks %+v, posted %s and %s", s.walks, s.posted[0].ID, s.posted[1].ID)
	}
	s.press(t, "slack:U4", s.posted[0].Message, "I could")
	msg := s.says("slack:U1", "authenticator drill Bethan")
	if msg.Title != "A drill of Bethan is under way, at step 2 of 10" || s.posted[2].ID == s.posted[0].ID {
		t.Errorf("asked for again later:\n%s", plain(msg))
	}
	if got := s.press(t, "slack:U1", msg, "Stop it"); !strings.HasPrefix(got.Title, "Drill of Bethan: stopped at step 2 of 10, after ") || s.words[0].State != keepwatch.AttestedStopped || s.words[0].By != "Alis" {
		t.Errorf("stopped by an admin:\n%s\n%+v", plain(got), s.words)
	}
}

func TestDrillOfOneself(t *testing.T) {
	s := newSchool(t)
	if msg := s.says("slack:U1", "authenticator drill Alis"); !strings.HasPrefix(msg.Title, "Step 1 of 10") || len(s.posted) != 0 {
		t.Errorf("who drills themselves begins with:\n%s\n%+v", plain(msg), s.posted)
	}
}
