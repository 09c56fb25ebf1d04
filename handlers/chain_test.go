package handlers

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// mailWorld has a mailbox with a whole archive of long ago and one of four days ago, and
// archives of changes after both.
func mailWorld() *world {
	w := newWorld()
	w.known = append(w.known, keepwatch.Source{Name: "alis-mail", Kind: keepwatch.KindOutlook, Mailbox: "alis@contoso.example"})
	base := ""
	for _, a := range []struct {
		days    int
		changes bool
	}{{30, false}, {29, true}, {4, false}, {3, true}, {2, true}, {1, true}} {
		started := noon.AddDate(0, 0, -a.days).Add(-9 * time.Hour)
		x := keepwatch.Archive{Source: "alis-mail", Stamp: keepwatch.StampOf(started), Kind: keepwatch.KindOutlook, Run: int64(40 - a.days), Started: started, Items: 45, Bytes: 9 << 20, SealedBytes: 4 << 20,
			Sealed:     []keepwatch.SealedFile{{Name: "alis-mail.tar.zst.age", Size: 4 << 20}, {Name: "contents.jsonl.zst.age", Size: 900}},
			Recipients: []string{"age1qqqq"}, Verified: []keepwatch.Verification{proof(started)}}
		if a.changes {
			x.Base = base
		}
		base = x.Ref()
		w.archives = append(w.archives, x)
	}
	return w
}

// TestChainAnswers holds every answer about archives of changes to the text that was read
// and found good.
func TestChainAnswers(t *testing.T) {
	lost := func(w *world) { w.gone = map[string]string{"alis-mail/2026-11-20T030000Z": "Its folder is not there."} }
	pinned := func(w *world) { w.archives[len(w.archives)-5].Pinned = "before the move" }
	for _, c := range []struct {
		name, text, who string
		set             func(w *world)
	}{
		{name: "chain-start", text: "/backup start alis-mail Inbox --changes", who: "slack:U2"},
		{name: "chain-start-web", text: "/backup start ruthin-web home --changes", who: "slack:U2"},
		{name: "chain-start-path", text: "/backup start ./docs --changes", who: "terminal:alis"},
		{name: "chain-start-path-elsewhere", text: "/backup start ./docs --changes", who: "slack:U2"},
		{name: "chain-list", text: "/backup list alis-mail", who: "slack:U3"},
		{name: "chain-list-lost", text: "/backup list alis-mail", who: "slack:U3", set: lost},
		{name: "chain-show", text: "/backup show alis-mail", who: "slack:U3"},
		{name: "chain-show-lost", text: "/backup show alis-mail", who: "slack:U3", set: lost},
		{name: "chain-restore", text: "/backup restore alis-mail --to /back", who: "slack:U1", set: func(w *world) {
			w.plan = keepwatch.RestorePlan{Items: 40, Bytes: 9 << 20, New: 40, Free: 1 << 40}
		}},
		{name: "chain-prune", text: "/backup prune alis-mail", who: "slack:U1", set: pinned},
		{name: "chain-prune-lost", text: "/backup prune alis-mail", who: "slack:U1", set: lost},
		{name: "chain-rotation", text: "/backup rotation alis-mail", who: "slack:U3"},
		{name: "chain-rotation-all-kept", text: "/backup rotation alis-mail", who: "slack:U3", set: pinned},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := mailWorld()
			if c.set != nil {
				c.set(w)
			}
			before := len(w.known)
			golden(t, c.name, plain(w.router(t).Handle(t.Context(), ask(c.text, c.who))))
			if len(w.known) != before {
				t.Error("what was refused made a source")
			}
			for _, run := range w.runs {
				if !run.Ask.Changes || !slices.Equal(run.Ask.Parts, []string{"Inbox"}) {
					t.Errorf("%+v", run.Ask)
				}
			}
		})
	}
}

// TestMailboxCards holds the cards of runs that back up a mailbox.
func TestMailboxCards(t *testing.T) {
	steps := func(current string, state keepwatch.StepState, names ...string) (list []keepwatch.Step) {
		now := keepwatch.StepDone
		for i, name := range names {
			s := keepwatch.Step{Name: name, State: now, Started: noon.Add(time.Duration(i) * time.Minute), Ended: noon.Add(time.Duration(i+1) * time.Minute), Attempts: 1}
			if name == current {
				s.State, now = state, keepwatch.StepPending
			}
			list = append(list, s)
		}
		return list
	}
	mail := []string{"plan", "download", "fetch", "verify", "seal", "prune"}
	purview := []string{"plan", "request", "wait", "fetch", "verify", "seal", "release", "prune"}
	v := proof(noon)
	base := keepwatch.Run{ID: 42, Kind: keepwatch.RunBackup, Source: "alis-mail", Ask: keepwatch.Ask{Changes: true}, By: "Alis", Where: "terminal", Created: noon, Started: noon, Ended: noon.Add(5 * time.Minute)}
	done := func(change func(*keepwatch.Run)) keepwatch.Run {
		r := base
		r.State, r.Steps = keepwatch.RunDone, steps("", "", mail...)
		r.Result = keepwatch.Result{Items: 45, Bytes: 9 << 20, Sealed: newWorld().archives[0].Sealed, Verification: &v, Archive: "alis-mail/2026-11-24T120000Z", Base: "alis-mail/2026-11-23T030000Z"}
		change(&r)
		return r
	}
	ended := func(state keepwatch.RunState, current string, names []string) keepwatch.Run {
		r := base
		r.State, r.Steps, r.CancelledBy = state, steps(current, keepwatch.StepFailed, names...), "Olwen"
		r.Failure = &keepwatch.Failure{Step: current, Message: "The mailbox is gone."}
		return r
	}
	going := func(current string, names []string) keepwatch.Run {
		r := base
		r.State, r.Steps = keepwatch.RunRunning, steps(current, keepwatch.StepRunning, names...)
		r.Progress = keepwatch.Progress{Step: current, Items: 12_034, TotalItems: 32_500, Bytes: 1288 << 20, Since: noon, At: noon.Add(11 * time.Minute)}
		return r
	}
	paused := going("download", mail)
	paused.Progress.Pause = keepwatch.Pause{Why: "Microsoft 365 asks Keepwatch to wait.", Until: noon.Add(16 * time.Minute)}
	troubled := going("download", mail)
	troubled.Progress.Pause = keepwatch.Pause{Why: "Microsoft 365 does not answer properly, and is tried again. The last error is 504, UnknownError.", Until: noon.Add(13 * time.Minute), Trouble: true}
	for name, run := range map[string]keepwatch.Run{
		"mail-paused": paused, "mail-troubled": troubled, "mail-download": going("download", mail), "mail-purview": going("wait", purview), "mail-purview-fetch": going("fetch", purview), "mail-making": going("fetch", mail),
		"mail-done": done(func(r *keepwatch.Run) {
			r.Result.Inside = &keepwatch.Inside{Files: 48, Bytes: 9 << 20, Items: map[keepwatch.ItemKind]int64{keepwatch.ItemMail: 38, keepwatch.ItemEvent: 1, keepwatch.ItemContact: 1}, Account: "alis@contoso.example"}
			r.Result.Counts = map[keepwatch.NoteKind]int64{keepwatch.NoteUnreadable: 5, keepwatch.NoteMailbox: 1}
			r.Result.Notes = []keepwatch.Note{{Kind: keepwatch.NoteUnreadable, Path: "Inbox/Minutes", Text: "the server gives no content of it"}}
			r.Result.Mailboxes = []keepwatch.Mailbox{{Path: "alis-mail.pst", Format: "Unicode", Items: 40, Kinds: map[keepwatch.ItemKind]int64{keepwatch.ItemMail: 40}, Count: 3}}
		}),
		"mail-whole":             done(func(r *keepwatch.Run) { r.Result.Base = "" }),
		"mail-cancelled":         ended(keepwatch.RunCancelled, "download", mail),
		"mail-cancelled-early":   ended(keepwatch.RunCancelled, "plan", mail),
		"mail-failed":            ended(keepwatch.RunFailed, "fetch", mail),
		"mail-purview-cancelled": ended(keepwatch.RunCancelled, "wait", purview),
		"mail-verified": {ID: 43, Kind: keepwatch.RunVerify, Source: "alis-mail", Ask: keepwatch.Ask{Archive: "alis-mail/2026-11-23T030000Z"}, State: keepwatch.RunDone, Created: noon,
			Result: keepwatch.Result{Verification: &v, Notes: []keepwatch.Note{{Kind: keepwatch.NoteInfo, Text: "it cannot be restored whole."}}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := mailWorld().router(t)
			text := plain(r.RunMessage(run)) + r.stateWord(run) + "\n"
			for _, b := range r.details(run, keepwatch.RoleViewer).Blocks {
				for _, f := range b.Fields {
					if strings.HasPrefix(f.Name, "Step ") {
						text += f.Name + ": " + f.Value + "\n"
					}
				}
			}
			golden(t, "card-"+name, text)
			if strings.Contains(strings.ToLower(text), "host") {
				t.Error("a mailbox has no host")
			}
		})
	}
}

// TestChangesAreOfferedWhereTheyCanBeHad: Tab offers what is not refused.
func TestChangesAreOfferedWhereTheyCanBeHad(t *testing.T) {
	r := mailWorld().router(t)
	for line, want := range map[string]bool{"/backup start alis-mail --": true, "/backup start notes --": false, "/backup start ruthin-web --c": false, "/backup start --": true} {
		list := r.Complete(t.Context(), ask(line, "slack:U2"), len(line))
		if got := slices.ContainsFunc(list, func(c Candidate) bool { return c.Text == "--changes" }); got != want {
			t.Errorf("%s: %v", line, list)
		}
	}
}
