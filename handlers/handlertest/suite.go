package handlertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
)

// Seen is a message as a person sees it.
type Seen struct {
	Text    string   // everything in it, as plain text
	Buttons []string // the labels of its buttons
	Choices []string // the labels of the options of its menus
	Private bool     // only this person sees it
	// Pictures are what its pictures show in words, as those hear who do not see them.
	Pictures []string
	ID       string // whatever the stage needs to find it again
}

// Stage is a platform with a person at each of its accounts, and with the bot on
// it. Its methods are called from several goroutines. What it cannot do it says
// with errors.ErrUnsupported.
type Stage interface {
	// Say asks for a command, such as "backup start notes1", as the platform's
	// own commands do. It returns when the platform was answered that the
	// request has arrived; an error means that it was told that it has not.
	Say(ctx context.Context, who, text string) error
	// Mention asks by a mention of the bot, or whatever is nearest to it.
	Mention(ctx context.Context, who, text string) error
	// Direct asks as Mention does, in direct messages with the bot.
	Direct(ctx context.Context, who, text string) error
	// Press presses a button of a message, or picks an option of its menus.
	Press(ctx context.Context, who string, on Seen, label string) error
	// Submit fills in the form that was opened for a person, by the labels of
	// its fields, and sends it.
	Submit(ctx context.Context, who string, values map[string]string) error
	// Double has the platform deliver the next request twice at once.
	Double(ctx context.Context) error
	// Again has the platform deliver the last request of a person once more.
	Again(ctx context.Context, who string) error
	// See waits until a person sees a message that fits, newest first.
	See(ctx context.Context, who string, fits func(Seen) bool) (Seen, error)
	// Pings gives whom messages of the bot have pinged.
	Pings() []string
	// Violations gives what the platform found wrong with what the bot sent.
	Violations() []string
}

// Run runs the contract. newStage makes a stage and connects the bot on it to the
// world that it makes with [NewWorld].
func Run(t *testing.T, newStage func(t *testing.T) (Stage, *World)) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *stage)
	}{
		{"a command is answered", answered},
		{"a mention is answered", mentioned},
		{"a stranger is refused, told whom to ask, and audited", stranger},
		{"a role that is too low is refused", denied},
		{"a run has one card, which follows it", card},
		{"a run that is taken up again keeps its card", retried},
		{"a button is a command", button},
		{"a button that answers in its place does so where only the asker sees it", inPlace},
		{"a picture comes with its message, for all to see", pictured},
		{"what is missing is asked for", missing},
		{"a slip is corrected", slip},
		{"a delivery that comes twice is done once", twice},
		{"what cannot be recorded is not done, and said", unrecorded},
		{"a fault ends one request only", fault},
		{"hostile text does nothing", hostile},
		{"a long list turns over", pages},
		{"a form asks before anything is done", form},
		{"a day is picked in a form", day},
		{"a run is watched and cancelled by another", elsewhere},
		{"many at once are each answered once", many},
	} {
		t.Run(c.name, func(t *testing.T) {
			inner, w := newStage(t)
			s := &stage{Stage: inner, w: w, t: t}
			c.test(t, s)
			for _, v := range inner.Violations() {
				t.Errorf("the platform found: %s", v)
			}
			if p := inner.Pings(); len(p) > 0 {
				t.Errorf("somebody was pinged: %v", p)
			}
		})
	}
}

// patience is how long a person waits for anything.
const patience = 20 * time.Second

// stage is a Stage that fails the test by itself.
type stage struct {
	Stage
	w *World
	t *testing.T
}

func (s *stage) ctx() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	s.t.Cleanup(cancel)
	return ctx
}

func (s *stage) must(what string, err error) {
	s.t.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		s.t.Skipf("this platform has no such thing: %s", what)
	}
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

func (s *stage) say(who, text string) {
	s.t.Helper()
	s.must("say "+text, s.Say(s.ctx(), who, text))
}

func (s *stage) press(who string, on Seen, label string) {
	s.t.Helper()
	s.must("press "+label, s.Press(s.ctx(), who, on, label))
}

// see waits for a message with all the words in it.
func (s *stage) see(who string, words ...string) Seen {
	s.t.Helper()
	seen, err := s.See(s.ctx(), who, func(m Seen) bool {
		for _, w := range words {
			if !strings.Contains(m.Text, w) {
				return false
			}
		}
		return true
	})
	if err != nil {
		s.t.Fatalf("%s does not see %q: %v", who, words, err)
	}
	return seen
}

func answered(_ *testing.T, s *stage) {
	s.say(Viewer, "backup sources")
	s.see(Viewer, "3 sources", "notes1", "/srv/notes3")
}

func mentioned(_ *testing.T, s *stage) {
	s.must("mention", s.Mention(s.ctx(), Viewer, "backup sources"))
	s.see(Viewer, "3 sources", "notes2")
}

func stranger(t *testing.T, s *stage) {
	s.say(Stranger, "backup sources")
	seen := s.see(Stranger, "I do not know you yet", Admin)
	if strings.Contains(seen.Text, "notes1") {
		t.Error("a stranger is told what there is")
	}
	if e := s.w.Audited(s.ctx(), "backup sources"); len(e) != 1 || e[0].Outcome != keepwatch.OutcomeDenied || e[0].Account.ID == "" {
		t.Errorf("audited: %+v", e)
	}
}

func denied(t *testing.T, s *stage) {
	s.say(Viewer, "backup start notes1")
	s.see(Viewer, "Not allowed", "operator")
	if s.w.RunCount() != 0 {
		t.Error("a viewer started a run")
	}
}

func card(t *testing.T, s *stage) {
	s.say(Operator, "backup start notes1")
	begun := s.see(Operator, "Run 1", "backup of notes1")
	if begun.Private {
		t.Error("the card of a run is for one person only")
	}
	s.w.EndRun(1)
	done := s.see(Operator, "Run 1: backup of notes1 is done")
	if begun.ID != "" && done.ID != begun.ID {
		t.Errorf("the end of the run stands in another message: %s and %s", begun.ID, done.ID)
	}
}

func retried(t *testing.T, s *stage) {
	s.say(Operator, "backup start notes1")
	begun := s.see(Operator, "Run 1: backup of notes1 is under way")
	s.w.change(1, keepwatch.RunAttention)
	waits := s.see(Operator, "Run 1: backup of notes1 needs attention")
	s.press(Operator, waits, "Retry")
	if begun.ID == "" {
		s.see(Operator, "Run 1: backup of notes1 is under way")
	} else { // whoever pressed is told so aside
		s.see(Operator, "Run 1: backup of notes1 is under way", "Its card in the channel")
	}
	s.w.EndRun(1)
	done := s.see(Operator, "Run 1: backup of notes1 is done")
	if begun.ID != "" && (waits.ID != begun.ID || done.ID != begun.ID) {
		t.Errorf("one run has the messages %s, %s and %s", begun.ID, waits.ID, done.ID)
	}
}

func button(t *testing.T, s *stage) {
	s.say(Operator, "backup start notes1")
	on := s.see(Operator, "Run 1: backup of notes1 is under way")
	s.press(Operator, on, "Cancel")
	s.see(Operator, "Run 1: backup of notes1 was cancelled", Operator)
	if e := s.w.Audited(s.ctx(), "backup cancel 1"); len(e) != 1 || e[0].Person != Operator || e[0].Outcome != keepwatch.OutcomeDone {
		t.Errorf("audited: %+v", e)
	}
}

func inPlace(t *testing.T, s *stage) {
	s.must("write directly", s.Direct(s.ctx(), Viewer, "backup lits"))
	on := s.see(Viewer, "There is no command", "Did you mean this?")
	s.press(Viewer, on, "Help")
	beside := s.see(Viewer, "What you may do here")
	if on.ID != "" && beside.ID == on.ID {
		t.Error("the answer of a command that is to be answered by itself took the message's place")
	}
	if on.ID == "" {
		return // a terminal shows one answer below the other
	}
	s.press(Viewer, on, "Yes")
	if turned := s.see(Viewer, "1 archive"); turned.ID != on.ID || turned.Private {
		t.Errorf("the answer stands in the message %s (for one only: %t), not in %s", turned.ID, turned.Private, on.ID)
	}
	s.must("mention", s.Mention(s.ctx(), Viewer, "backup lits"))
	open := s.see(Viewer, "There is no command", "Did you mean this?")
	s.press(Viewer, open, "Yes")
	s.see(Viewer, "1 archive")
	s.say(Operator, "backup sources")
	s.see(Operator, "3 sources")
	if still := s.see(Viewer, "Did you mean this?"); still.ID != open.ID {
		t.Error("the answer for one took the place of a message that all see")
	}
}

func pictured(t *testing.T, s *stage) {
	s.say(Viewer, "keepwatch report")
	seen := s.see(Viewer, "Backups in ")
	if seen.Private {
		t.Error("a report is for one person alone")
	}
	if seen.ID == "" {
		s.see(Viewer, "notes1: 1 good") // a terminal says what it shows
		return
	}
	if len(seen.Pictures) != 1 || !strings.Contains(seen.Pictures[0], "notes1: 1 good") {
		t.Errorf("it has the pictures %q", seen.Pictures)
	}
}

func missing(_ *testing.T, s *stage) {
	s.must("mention", s.Mention(s.ctx(), Operator, "backup start"))
	on := s.see(Operator, "Which source?")
	s.press(Operator, on, "notes2")
	s.see(Operator, "Run 1", "backup of notes2")
	s.w.EndRun(1)
}

func slip(_ *testing.T, s *stage) {
	s.must("mention", s.Mention(s.ctx(), Viewer, "backup sorces"))
	on := s.see(Viewer, "There is no command", "Did you mean this?")
	s.press(Viewer, on, "Yes")
	s.see(Viewer, "3 sources")
}

func twice(t *testing.T, s *stage) {
	doubled := s.Double(s.ctx())
	s.say(Operator, "backup start notes1")
	s.see(Operator, "Run 1", "backup of notes1")
	again := s.Again(s.ctx(), Operator)
	if errors.Is(doubled, errors.ErrUnsupported) || !errors.Is(again, errors.ErrUnsupported) {
		s.must("deliver again", again)
	}
	s.say(Operator, "backup status")
	s.see(Operator, "1 run is under way")
	if n, e := s.w.RunCount(), s.w.Audited(s.ctx(), "backup start notes1"); n != 1 || len(e) != 1 {
		t.Errorf("%d runs, audited %+v", n, e)
	}
	s.w.EndRun(1)
}

func unrecorded(t *testing.T, s *stage) {
	s.w.RefuseAudit(keepwatch.Errorf(keepwatch.KindAttention, "The disk is full."))
	err := s.Say(s.ctx(), Operator, "backup start notes1")
	if err == nil {
		s.see(Operator, "othing was done")
	}
	s.w.RefuseAudit(nil)
	if s.w.RunCount() != 0 {
		t.Error("a request that could not be recorded was carried out")
	}
	s.say(Operator, "backup start notes2")
	s.see(Operator, "Run 1", "backup of notes2")
	s.w.EndRun(1)
}

func fault(_ *testing.T, s *stage) {
	s.w.Panic()
	s.say(Viewer, "backup sources")
	s.see(Viewer, "Something went wrong inside Keepwatch", "request")
	s.say(Viewer, "backup list")
	s.see(Viewer, "1 archive")
}

func hostile(t *testing.T, s *stage) {
	s.say(Viewer, "backup show notes1")
	seen := s.see(Viewer, "permission denied")
	if strings.ContainsAny(seen.Text, "\x1b\u202e") {
		t.Errorf("a control character came through: %q", seen.Text)
	}
}

func pages(t *testing.T, s *stage) {
	s.w.AddSources(500)
	s.say(Viewer, "backup sources")
	first := s.see(Viewer, "500 sources")
	if len(first.Buttons) == 0 {
		s.see(Viewer, "source-499") // a platform without limits shows all of it
		return
	}
	s.see(Viewer, "page 1 of 34", "notes1")
	s.press(Viewer, first, "More")
	second := s.see(Viewer, "page 2 of 34", "source-015")
	if strings.Contains(second.Text, "notes1") {
		t.Error("the second page shows the first one too")
	}
}

func form(t *testing.T, s *stage) {
	s.say(Admin, "backup show notes1")
	on := s.see(Admin, "notes1/2026-11-23T030000Z")
	s.press(Admin, on, "Restore")
	s.must("fill in the form", s.Submit(s.ctx(), Admin, map[string]string{"Into this folder of Keepwatch's machine": "/srv/back here"}))
	plan := s.see(Admin, "Restore notes1/2026-11-23T030000Z?", "/srv/back here")
	if s.w.RunCount() != 0 {
		t.Fatal("something was restored before it was confirmed")
	}
	s.press(Admin, plan, "Restore")
	s.must("confirm", s.Submit(s.ctx(), Admin, nil))
	s.see(Admin, "Run 1", "restore of notes1/2026-11-23T030000Z")
	s.w.EndRun(1)
}

func day(t *testing.T, s *stage) {
	s.say(Viewer, "backup list")
	s.see(Viewer, "1 archive")
	s.say(Admin, "keepwatch audit")
	on := s.see(Admin, "backup list")
	if !slices.Contains(on.Buttons, "Choose…") {
		return // the terminal has options instead
	}
	s.press(Admin, on, "Choose…")
	s.must("fill in the form", s.Submit(s.ctx(), Admin, map[string]string{"Asked by": Viewer, "From this day on": "2026-11-01"}))
	s.see(Admin, "backup list", Viewer)
	if e := s.w.Audited(s.ctx(), "keepwatch audit --person "+Viewer+" --since 2026-11-01"); len(e) != 1 || e[0].Outcome != keepwatch.OutcomeDone {
		t.Errorf("audited: %+v", e)
	}
}

func elsewhere(_ *testing.T, s *stage) {
	run, err := s.w.Start(s.ctx(), keepwatch.Run{Kind: keepwatch.RunBackup, Source: "notes3", By: "Dilys", Where: "elsewhere:1"})
	s.must("start a run elsewhere", err)
	s.say(Operator, fmt.Sprintf("backup watch %d", run.ID))
	on := s.see(Operator, "Run 1: backup of notes3 is under way")
	s.press(Operator, on, "Cancel")
	s.see(Operator, "Run 1: backup of notes3 was cancelled")
}

func many(t *testing.T, s *stage) {
	const n = 64
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		wg.Go(func() {
			who := []string{Admin, Operator, Viewer}[i%3]
			errs <- s.Say(s.ctx(), who, fmt.Sprintf("backup list no-such-%02d", i))
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	for i := range n {
		s.see([]string{Admin, Operator, Viewer}[i%3], fmt.Sprintf("no-such-%02d", i))
		if e := s.w.Audited(s.ctx(), fmt.Sprintf("backup list no-such-%02d", i)); len(e) != 1 {
			t.Errorf("request %d has %d audit lines", i, len(e))
		}
	}
}
