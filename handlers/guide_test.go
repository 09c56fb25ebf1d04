package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// fits holds a message against what platforms show: Slack's header of 150 characters,
// button of 75 and block of 3,000, and tokens that need not be kept.
func fits(t *testing.T, msg keepwatch.Message) {
	t.Helper()
	if n := len([]rune(msg.Title)); n > 150 {
		t.Errorf("a title of %d characters: %s", n, msg.Title)
	}
	for _, b := range msg.Blocks {
		if len(b.Text) > 3000 {
			t.Errorf("a block of %d bytes in %q", len(b.Text), msg.Title)
		}
	}
	if len(msg.Buttons) > 25 {
		t.Errorf("%d buttons in %q", len(msg.Buttons), msg.Title)
	}
	for _, b := range msg.Buttons {
		if len([]rune(b.Label)) > 75 || len(b.Command) > 95 {
			t.Errorf("a button that does not fit: %q → %q", b.Label, b.Command)
		}
		if fault := commandFault(Table(), b.Command); fault != "" {
			t.Errorf("%q → %q: %s", b.Label, b.Command, fault)
		}
		if f := b.Form; f != nil && (len([]rune(f.Title)) > 24 || len(f.Fields) > 0 && len([]rune(f.Fields[0].Label)) > 45) {
			t.Errorf("the form of %q in %q does not fit", b.Label, msg.Title)
		}
	}
}

// TestEveryChecklistCanBeWalked presses the button that goes on from the first step to
// the end, and, a second time, Problem at each step.
func TestEveryChecklistCanBeWalked(t *testing.T) {
	lists := newSchool(t).lists
	for _, list := range lists {
		begin := list.Group + " " + list.Topic
		if list.Group == drillGroup {
			begin = "authenticator drill Alis"
		}
		for _, way := range []string{"done", "problem"} {
			t.Run(list.ID+"/"+way, func(t *testing.T) {
				s := newSchool(t)
				msg := s.says("slack:U1", begin)
				for n := range list.Steps {
					if want := fmt.Sprintf("Step %d of %d: %s", n+1, len(list.Steps), list.Steps[n].Title); msg.Title != want {
						t.Fatalf("%q, want %q", msg.Title, want)
					}
					fits(t, msg)
					if way == "done" {
						label, value := forward(msg)
						msg = s.press(t, "slack:U1", msg, label, value)
						continue
					}
					no, remark, pass := "Problem", "Write what happened…", "Go on without it"
					if list.Group == drillGroup {
						no, remark, pass = "I could not", "What was missing…", "Go on"
					}
					msg = s.press(t, "slack:U1", msg, no)
					fits(t, msg)
					if trouble := list.Steps[n].Trouble; trouble != "" && !strings.Contains(plain(msg), trouble) {
						t.Errorf("step %d does not say what helps", n+1)
					}
					msg = s.press(t, "slack:U1", msg, remark, "it was not there")
					fits(t, msg)
					msg = s.press(t, "slack:U1", msg, pass)
				}
				fits(t, msg)
				w, want := s.walks[0], keepwatch.AttestedDone
				if way == "problem" {
					want = keepwatch.AttestedProblem
				}
				last := s.words[len(s.words)-1]
				if w.Outcome != want || w.Ended.IsZero() || last.State != want || last.Person != "Alis" || last.By != "Alis" || len(w.Times) != len(list.Steps) {
					t.Errorf("it ended as %+v, attested as %+v", w, last)
				}
				if open := len(openProblems(w)); way == "problem" && open != len(list.Steps) || way == "done" && open != 0 {
					t.Errorf("%d problems are open", open)
				}
			})
		}
	}
}

func TestBuiltinCommandsExist(t *testing.T) {
	lists := newSchool(t).lists
	if err := CheckChecklists(lists); err != nil {
		t.Error(err)
	}
	for command, want := range map[string]string{
		"backup strat notes": "there is no such command", "backup list a b": `"b" is one word too many`, "backup start {where}": "{where} stands for an answer", "backup list --deep": "has no option --deep",
	} {
		err := CheckChecklists([]keepwatch.Checklist{{ID: "team", Steps: []keepwatch.ChecklistStep{{Command: "backup sources"}, {Command: command}}}})
		if err == nil || !strings.Contains(keepwatch.Sentence(err), want) || !strings.Contains(err.Error(), "team") || keepwatch.KindOf(err) != keepwatch.KindInvalid {
			t.Errorf("%s: %v, want %q", command, err, want)
		}
	}
}

func TestSecondPressMovesNothing(t *testing.T) {
	s := newSchool(t)
	first := s.says("slack:U1", "authenticator guide ios")
	second := s.press(t, "slack:U1", first, "Done")
	again := s.press(t, "slack:U1", first, "Done")
	if again.Title != second.Title || !strings.Contains(plain(again), "That button was from before.") || s.walks[0].At != 1 || s.walks[0].Revision != 1 {
		t.Errorf("after a second press:\n%s\n%+v", plain(again), s.walks[0])
	}
	req := ask(first.Buttons[0].Command, "slack:U1")
	req.Again = true // the same press, carried out again after a crash
	if msg := s.Handle(context.Background(), req); msg.Title != second.Title || strings.Contains(plain(msg), "from before") || s.walks[0].At != 1 {
		t.Errorf("carried out again:\n%s", plain(msg))
	}
	s.between = func() { s.Handle(context.Background(), ask(second.Buttons[0].Command, "slack:U1")) }
	if msg := s.press(t, "slack:U1", second, "Done"); s.walks[0].At != 2 || s.walks[0].Revision != 2 || !strings.HasPrefix(msg.Title, "Step 3 of 10") {
		t.Errorf("two presses at once moved it to %+v:\n%s", s.walks[0], plain(msg))
	}
}

func TestBackAndProblemsThatWereSolved(t *testing.T) {
	s := newSchool(t)
	msg := s.press(t, "slack:U1", s.says("slack:U1", "authenticator guide ios"), "Done")
	msg = s.press(t, "slack:U1", msg, "Problem")
	if msg.Tone != keepwatch.ToneWarn {
		t.Errorf("a problem looks like this:\n%s", plain(msg))
	}
	msg = s.press(t, "slack:U1", msg, "It works now")
	msg = s.press(t, "slack:U1", msg, "Back")
	w := s.walks[0]
	if msg.Title != "Step 2 of 10: Update Authenticator" || msg.Tone != keepwatch.ToneInfo || w.At != 1 || len(w.Times) != 1 || !w.Problems[0].Solved {
		t.Errorf("after Back:\n%s\n%+v", plain(msg), w)
	}
}

func TestAWayOut(t *testing.T) {
	s := newSchool(t)
	msg := s.press(t, "slack:U1", s.says("slack:U1", "authenticator recover lost-admin"), "Problem")
	msg = s.press(t, "slack:U1", msg, "I am in again")
	if msg.Title != "Step 11 of 11: Make sure that it never happens again" || len(s.walks[0].Times) != 10 || len(openProblems(s.walks[0])) != 0 {
		t.Errorf("out it goes to:\n%s\n%+v", plain(msg), s.walks[0])
	}
	if got := s.says("slack:U1", "keepwatch step l1 2 out"); !strings.Contains(plain(got), "There is no way out at this step.") {
		t.Errorf("out where there is no way out:\n%s", plain(got))
	}
}

func TestResumeAndBeginAnew(t *testing.T) {
	s := newSchool(t)
	s.press(t, "slack:U1", s.says("slack:U1", "authenticator guide ios"), "Done")
	s.now = s.now.AddDate(0, 0, 12)
	s.open(t)
	msg := s.says("slack:U1", "authenticator guide ios")
	if on := s.press(t, "slack:U1", msg, "Go on"); on.Title != "Step 2 of 10: Update Authenticator" {
		t.Errorf("it goes on at:\n%s", plain(on))
	}
	for range 2 { // pressed twice, it is begun anew once
		if anew := s.press(t, "slack:U1", msg, "Begin anew"); !strings.HasPrefix(anew.Title, "Step 1 of 10") {
			t.Errorf("anew it begins at:\n%s", plain(anew))
		}
	}
	if len(s.walks) != 2 || s.walks[0].Outcome != keepwatch.AttestedStopped || len(s.words) != 1 || s.words[0].State != keepwatch.AttestedStopped || s.words[0].Remarks != "stopped at step 2 of 10" {
		t.Errorf("walks %+v, words %+v", s.walks, s.words)
	}
}

func TestWhoMayGoOn(t *testing.T) {
	s := newSchool(t)
	msg := s.press(t, "slack:U3", s.says("slack:U3", "authenticator guide ios"), "Done")
	press := msg.Buttons[0].Command
	for who, may := range map[string]bool{"slack:U2": false, "slack:U1": true} {
		before := s.walks[0].Revision
		if got := s.says(who, press); got.Failed == may || (s.walks[0].Revision > before) != may {
			t.Errorf("%s: %s", who, plain(got))
		}
	}
	if a := s.walks[0]; a.Person != "Vaughan" {
		t.Errorf("an admin who helps takes it over: %+v", a)
	}
	if got := s.says("slack:U2", "keepwatch steps l1"); got.Failed || len(got.Buttons) != 0 || !strings.Contains(plain(got), "This is the checklist of Vaughan.") {
		t.Errorf("an operator who looks sees:\n%s", plain(got))
	}
	s.says("slack:U1", "backup guide outlook-pst")
	if got := s.says("slack:U3", "keepwatch steps l2"); got.Refused != keepwatch.KindDenied {
		t.Errorf("a viewer who looks at another's sees:\n%s", plain(got))
	}
	if got := s.says("slack:U3", "authenticator drill"); got.Refused != keepwatch.KindDenied {
		t.Errorf("a viewer who asks for a drill:\n%s", plain(got))
	}
	if got := plain(s.says("slack:U2", "keepwatch steps")); !strings.Contains(got, "Vaughan") || !strings.Contains(got, "Alis") {
		t.Errorf("an operator sees of everybody:\n%s", got)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	s := newSchool(t)
	msg := s.says("slack:U1", "authenticator guide ios")
	for range 8 {
		msg = s.press(t, "slack:U1", msg, "Done")
	}
	for value, want := range map[string]string{
		"hunter2": "looks like a password or key itself", "the password is hunter2": "looks like a password or key itself", "AGE-SECRET-KEY-1QQPQ": "looks like a password or key itself",
		strings.Repeat("in the safe ", 30): "359 characters long",
	} {
		got := s.press(t, "slack:U1", msg, "Answer…", value)
		if got.Refused != keepwatch.KindInvalid || !strings.Contains(plain(got), want) || !strings.Contains(plain(got), "(Back to the step → keepwatch steps l1)") {
			t.Errorf("%.30q:\n%s", value, plain(got))
		}
		if line := s.audit[len(s.audit)-1].Text; strings.Contains(line, "hunter2") || strings.Contains(line, "AGE-SECRET-KEY") {
			t.Errorf("the audit keeps it: %s", line)
		}
	}
	if len(s.words) != 0 || len(s.walks[0].Answers) != 0 {
		t.Errorf("kept: %+v %+v", s.words, s.walks[0])
	}
	msg = s.press(t, "slack:U1", msg, "Answer…", "in the safe, blue folder")
	for value, want := range map[string]string{"2026-11-27": "is in the future", "soon": `"soon" is no date. Write it like this: 2026-11-24.`} {
		if got := s.press(t, "slack:U1", msg, "Answer…", value); !strings.Contains(plain(got), want) {
			t.Errorf("%q:\n%s", value, plain(got))
		}
	}
	if got := s.press(t, "slack:U1", msg, "Answer…", "20 Nov"); s.walks[0].Answers["date"] != "2026-11-20" {
		t.Errorf("a date in words:\n%s", plain(got))
	}
	s.says("slack:U1", "authenticator recover ios-to-android")
	for command, want := range map[string]string{
		"keepwatch step l2 0 done maybe": `"maybe" is not one of the answers. There are: It works, It is gone.`, "keepwatch step l2 0 jump": `"jump" is nothing that a step takes.`,
		"keepwatch step l2 0 done": "This step asks something.", "keepwatch step l2 0 lost": "This step asks nothing.", "keepwatch step l9 0 done": "There is no walk l9.", "keepwatch step l2 0": "ACTION is missing",
		"keepwatch step l2 0 back now": "This step asks nothing.", "keepwatch step l2 x done": "That button was from before.",
	} {
		if got := plain(s.says("slack:U1", command)); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s\nwant %s", command, got, want)
		}
	}
	if s.walks[1].Revision != 0 {
		t.Errorf("it moved: %+v", s.walks[1])
	}
	if got := s.says("slack:U1", "keepwatch step l2 0 done it is GONE"); s.walks[1].Answers["the old phone"] != "It is gone" {
		t.Errorf("a choice in other letters:\n%s", plain(got))
	}
}

func TestWhatIsAttested(t *testing.T) {
	s := newSchool(t)
	msg := s.says("slack:U1", "authenticator guide ios")
	for range 8 {
		msg = s.press(t, "slack:U1", msg, "Done")
	}
	msg = s.press(t, "slack:U1", msg, "I do not know")
	msg = s.press(t, "slack:U1", msg, "Answer…", "in the safe, blue folder")
	s.press(t, "slack:U1", msg, "Answer…", "2026-11-20")
	var got []string
	for _, a := range s.words {
		got = append(got, fmt.Sprintf("%s %s %s of %s by %s: %s%s", a.ID, a.Subject, a.State, a.Person, a.By, a.Where, a.Remarks))
		if a.Said.IsZero() {
			t.Errorf("%s was said at no time", a.ID)
		}
	}
	want := []string{
		"l1-9-custody custody/alis-icloud lost of Alis by Alis: ", "l1-10-custody custody/alis-icloud recorded of Alis by Alis: in the safe, blue folder",
		"l1-11-end checklist/authenticator-ios done of Alis by Alis: date: 2026-11-20",
	}
	if !slices.Equal(got, want) {
		t.Errorf("attested:\n%s", strings.Join(got, "\n"))
	}
	if !slices.Equal(s.said, s.words) {
		t.Errorf("told of %d of %d words", len(s.said), len(s.words))
	}
}

func TestChecklistsThatChangedUnderAWalk(t *testing.T) {
	s := newSchool(t)
	msg := s.says("slack:U1", "authenticator guide ios")
	for range 6 {
		msg = s.press(t, "slack:U1", msg, "Done")
	}
	i := slices.IndexFunc(s.lists, func(l keepwatch.Checklist) bool { return l.ID == "authenticator-ios" })
	s.lists[i].Steps = s.lists[i].Steps[:3]
	s.open(t)
	if msg = s.says("slack:U1", "keepwatch steps l1"); !strings.HasPrefix(msg.Title, "Step 3 of 3") {
		t.Errorf("a checklist that became shorter:\n%s", plain(msg))
	}
	s.lists = slices.Delete(s.lists, i, i+1)
	s.open(t)
	if got := s.press(t, "slack:U1", msg, "Done"); got.Refused != keepwatch.KindNotFound || !strings.Contains(plain(got), "its file was removed") {
		t.Errorf("going on in one that is gone:\n%s", plain(got))
	}
	if got := plain(s.says("slack:U1", "keepwatch steps")); !strings.Contains(got, "its file is gone") {
		t.Errorf("listed:\n%s", got)
	}
	if got := s.press(t, "slack:U1", s.says("slack:U1", "keepwatch steps l1"), "Stop it"); s.walks[0].Outcome != keepwatch.AttestedStopped {
		t.Errorf("stopping it:\n%s", plain(got))
	}
}

func TestNoChecklists(t *testing.T) {
	r := newWorld().router(t)
	for _, text := range []string{"authenticator guide", "backup guide x", "keepwatch steps", "keepwatch step l1 0 done", "authenticator drill"} {
		if got := r.Handle(context.Background(), ask(text, "slack:U1")); got.Refused != keepwatch.KindNotFound || !strings.Contains(plain(got), "This Keepwatch has no checklists.") {
			t.Errorf("%s:\n%s", text, plain(got))
		}
	}
}

func TestTopicsAreCompleted(t *testing.T) {
	s := newSchool(t)
	var got []string
	text := "/authenticator recover ios"
	for _, c := range s.Complete(context.Background(), ask(text, "slack:U3"), len(text)) {
		got = append(got, c.Text)
	}
	if !slices.Equal(got, []string{"ios-to-android", "ios"}) {
		t.Errorf("completed to %v", got)
	}
}

func TestDatesEastOfHere(t *testing.T) {
	s := newSchool(t)
	s.now = time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC) // the 25th in Kiritimati, UTC+14
	if _, err := s.checkDate("2026-11-25", time.UTC); err != nil {
		t.Errorf("a date that it is somewhere is refused: %v", err)
	}
	if _, err := s.checkDate("2026-11-26", time.UTC); err == nil {
		t.Error("a date that it is nowhere is taken")
	}
}
