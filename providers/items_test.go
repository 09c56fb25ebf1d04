package providers_test

import (
	"context"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers"
)

// letters brings items out of mailboxes, and says what it was told to.
type letters struct {
	asked keepwatch.Ask
	err   error
}

func (m *letters) Plan(_ context.Context, ref string, ask keepwatch.Ask, _ keepwatch.MailQuery) (keepwatch.MailPlan, error) {
	m.asked = ask
	return keepwatch.MailPlan{Ref: ref, Items: 40, Bytes: 9, Kinds: map[keepwatch.ItemKind]int64{keepwatch.ItemMail: 40}}, m.err
}

func (m *letters) Extract(_ context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	task.Run.Result.Items = 40
	return task.Run.Result, m.err
}

// TestItemsAreBroughtOut: a restore of items plans and writes, each step can be done
// again, and damage that it finds is kept with the archive.
func TestItemsAreBroughtOut(t *testing.T) {
	l := newLab()
	m := &letters{}
	cfg := l.config("")
	cfg.Mailboxes = m
	works, err := providers.NewWorks(cfg)
	if err != nil {
		t.Fatal(err)
	}
	work := works[keepwatch.RunRestore]
	ref := "notes/2026-11-23T030000Z"
	l.archives[ref] = keepwatch.Archive{Source: "notes", Stamp: "2026-11-23T030000Z", Verified: []keepwatch.Verification{{At: noon}}}
	run := keepwatch.Run{ID: 3, Kind: keepwatch.RunRestore, Source: "notes", Ask: keepwatch.Ask{Archive: ref, Parts: []string{"mail.pst/Inbox"}, To: "/back", Inside: true}}
	names, err := work.Steps(t.Context(), run)
	if err != nil || strings.Join(names, " ") != "plan extract" {
		t.Fatalf("%v %q", err, names)
	}
	task := keepwatch.Task{Run: run, Step: "plan", Report: func(keepwatch.Progress) {}}
	result, err := work.Do(t.Context(), task)
	if err != nil || result.Plan.Items != 40 || result.Plan.Text != "40 mails" || result.Archive != ref || m.asked.Parts[0] != "mail.pst/Inbox" {
		t.Errorf("%v %+v", err, result)
	}
	task.Run.Result, task.Step = result, "extract"
	if result, err = work.Do(t.Context(), task); err != nil || result.Items != 40 || !work.Resumable(run, "extract") {
		t.Errorf("%v %+v", err, result)
	}
	m.err = keepwatch.Errorf(keepwatch.KindAttention, "It is torn.").Because(keepwatch.ErrDamaged)
	if _, err := work.Do(t.Context(), task); err == nil || l.archives[ref].IsVerified() {
		t.Errorf("%v, and the archive counts: %v", err, l.archives[ref].IsVerified())
	}
	// without anybody who looks into mailboxes it is refused before it begins
	if _, err := l.works(t, "")[keepwatch.RunRestore].Steps(t.Context(), run); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Errorf("%v", err)
	}
}
