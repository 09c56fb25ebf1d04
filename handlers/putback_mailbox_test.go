package handlers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// outlook adds a mailbox with two archives to a world.
func outlook(w *world) *returner {
	w.known = append(w.known, keepwatch.Source{Name: "alis-mail", Kind: keepwatch.KindOutlook, Mailbox: "alis@contoso.example"})
	for _, day := range []int{22, 15} {
		started := time.Date(2026, 11, day, 3, 0, 0, 0, time.UTC)
		w.archives = append(w.archives, keepwatch.Archive{Source: "alis-mail", Stamp: keepwatch.StampOf(started), Kind: keepwatch.KindOutlook, Run: int64(day), Started: started, Items: 3, Bytes: 2 << 30, SealedBytes: 2 << 30,
			Sealed: []keepwatch.SealedFile{{Name: "alis-mail.tar.zst.age", Size: 2 << 30}}, Recipients: []string{"age1qqqq"}, Verified: []keepwatch.Verification{proof(started)}})
	}
	newer, older := w.archives[len(w.archives)-2], w.archives[len(w.archives)-1]
	item := func(name, folder string, bytes int64) keepwatch.ReturnItem {
		return keepwatch.ReturnItem{Name: name, Archive: newer.Ref(), With: []string{older.Ref()}, At: newer.Started, Path: "index.jsonl", Part: "Inbox", Bytes: bytes,
			Into: "alis@contoso.example/" + folder, Mailbox: "alis@contoso.example", Present: "skip"}
	}
	return &returner{plan: keepwatch.ReturnPlan{Found: 23,
		Items: []keepwatch.ReturnItem{item("Inbox, 1,312 mails", "Restored 2026-11-24/Inbox", 1<<30), item("Inbox/Projects, 1 mail", "Restored 2026-11-24/Inbox/Projects", 5000)},
		Known: []string{"mail", "Inbox", "Inbox/Projects"},
	}}
}

// into changes a plan to another mailbox.
func (r *returner) into(mailbox string) {
	for i := range r.plan.Items {
		item := &r.plan.Items[i]
		item.Into, item.Mailbox = mailbox+strings.TrimPrefix(item.Into, item.Mailbox), mailbox
	}
	r.plan.Mind = []string{"It goes into another mailbox: whoever reads " + mailbox + " can read all of it."}
}

func TestMailboxReturnAnswers(t *testing.T) {
	for _, c := range []struct {
		name, text, who string
		set             func(w *world, r *returner)
	}{
		{name: "plan", text: "/backup restore alis-mail Inbox --to mailbox"},
		{name: "plan-other", text: "/backup restore alis-mail Inbox --to bob@contoso.example", set: func(_ *world, r *returner) { r.into("bob@contoso.example") }},
		{name: "plan-found", text: "/backup restore alis-mail Inbox --find minutes --since 2026-03-01 --to mailbox"},
		{name: "plan-copy", text: "/backup restore alis-mail --to original --present copy", set: func(_ *world, r *returner) {
			for i := range r.plan.Items {
				r.plan.Items[i].Present = "copy"
			}
			r.plan.Not = []string{"Bob is a calendar of others, which is theirs to change."}
		}},
		{name: "plan-many", text: "/backup restore alis-mail --to mailbox", set: func(_ *world, r *returner) {
			for i := range 40 {
				item := r.plan.Items[1]
				item.Name = fmt.Sprintf("Folder %d, 1 mail", i)
				r.plan.Items = append(r.plan.Items, item)
			}
		}},
		{name: "yes", text: "/backup restore alis-mail --to mailbox --confirm yes"},
		{name: "found-none", text: "/backup restore alis-mail --find minuets --to mailbox", set: func(_ *world, r *returner) { r.plan.Items = nil }},
		{name: "nothing", text: "/backup restore alis-mail Drafts --to mailbox", set: func(_ *world, r *returner) { r.plan.Items = nil }},
		{name: "overwrite", text: "/backup restore alis-mail --to mailbox --overwrite"},
		{name: "present-folder", text: "/backup restore alis-mail --to ./back --present skip"},
		{name: "account", text: "/backup restore alis-mail --to account"},
		{name: "of-files", text: "/backup restore notes --to mailbox"},
		{name: "denied", text: "/backup restore alis-mail --to mailbox", who: "slack:U2"},
		{name: "no-archive", text: "/backup restore alis-mial --to mailbox"},
		{name: "show", text: "/backup show alis-mail"},
		{name: "find-on-disk", text: "/backup restore alis-mail --find minutes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			ret := outlook(w)
			if c.set != nil {
				c.set(w, ret)
			}
			r := w.hosting(t, hosted(w), ret)
			r.cfg.Mailboxes = &post{world: w}
			who := c.who
			if who == "" {
				who = "slack:U1"
			}
			golden(t, "return-"+c.name, plain(r.Handle(t.Context(), ask(c.text, who))))
		})
	}
}

// TestMailboxReturnAsks: what is typed is what is asked for.
func TestMailboxReturnAsks(t *testing.T) {
	for _, c := range []struct {
		text string
		refs string
		want keepwatch.ReturnAsk
	}{
		{"alis-mail --to mailbox", "22", keepwatch.ReturnAsk{}},
		{`alis-mail "Inbox/My projects" Inbox/#12 mail --to mailbox --present copy`, "22", keepwatch.ReturnAsk{Parts: []string{"Inbox/My projects", "Inbox/#12", "mail"}, Present: "copy"}},
		{`alis-mail --to "mailbox/Some Folder"`, "22", keepwatch.ReturnAsk{Into: "/Some Folder"}},
		{`alis-mail --to "alis@contoso.example/Some Folder"`, "22", keepwatch.ReturnAsk{Into: "alis@contoso.example/Some Folder"}},
		{"alis-mail/2026-11-15 alis-mail/2026-11-22 Inbox --to original", "15 22", keepwatch.ReturnAsk{Parts: []string{"Inbox"}, Into: "original"}},
		{"alis-mail Inbox --to mailbox --find minutes --since 2026-03-01 --until 2026-03-31", "22", keepwatch.ReturnAsk{Parts: []string{"Inbox", "find:minutes", "since:2026-03-01T00:00:00Z", "until:2026-03-31T23:59:59.999999999Z"}}},
		{"alis-mail --to mailbox -- -odd", "22", keepwatch.ReturnAsk{Parts: []string{"-odd"}}},
	} {
		w := newWorld()
		ret := outlook(w)
		r := w.hosting(t, hosted(w), ret)
		shown := r.Handle(t.Context(), ask("/backup restore "+c.text, "slack:U1"))
		var refs []string
		for _, day := range strings.Fields(c.refs) {
			refs = append(refs, "alis-mail/2026-11-"+day+"T030000Z")
		}
		if d := cmp.Diff(c.want, ret.ask) + cmp.Diff(refs, ret.refs); d != "" || shown.Failed || len(w.runs) > 0 {
			t.Errorf("%s: %s%s", c.text, d, plain(shown))
			continue
		}
		ret.ask = keepwatch.ReturnAsk{}
		msg := r.Handle(t.Context(), ask(shown.Buttons[0].Command, "slack:U1"))
		if d := cmp.Diff(c.want, ret.ask); d != "" || msg.Failed || len(w.runs) != 1 || !slices.Equal(w.runs[1].Ask.Parts, c.want.Parts) || len(w.runs[1].Ask.Return) != 2 {
			t.Errorf("%s is not what is confirmed by %s: %s%s", c.text, shown.Buttons[0].Command, d, plain(msg))
		}
		if again := r.Handle(t.Context(), ask(shown.Buttons[0].Command, "slack:U1")); len(w.runs) != 1 || !strings.Contains(plain(again), "Run 1 was told to put the same there") {
			t.Errorf("pressed twice: %s", plain(again))
		}
	}
}

// TestMailboxWordsAreFolders: where no mailbox is meant, they are names of folders as
// they always were.
func TestMailboxWordsAreFolders(t *testing.T) {
	for _, c := range []struct{ archive, to string }{{"notes", "bob@contoso.example"}, {"notes", "original"}, {"notes", "./mailbox"}, {"alis-mail", "./bob@contoso.example"}, {"alis-mail", "/x/mailbox"}, {"alis-mail", "~/a@b"}} {
		w := newWorld()
		ret := outlook(w)
		r := w.hosting(t, hosted(w), ret)
		if msg := r.Handle(t.Context(), ask("/backup restore "+c.archive+" --to "+c.to, "slack:U1")); msg.Failed || ret.refs != nil || !strings.HasPrefix(msg.Title, "Restore "+c.archive+"/") {
			t.Errorf("%v: %s", c, plain(msg))
		}
	}
}

// TestMailboxReturnCards holds the card of a restore into a mailbox in each of its states.
func TestMailboxReturnCards(t *testing.T) {
	w := newWorld()
	ret := outlook(w)
	r := w.hosting(t, hosted(w), ret)
	const first, second = "1 Inbox, 1,312 mails", "2 Inbox/Projects, 1 mail"
	step := func(name string, state keepwatch.StepState) keepwatch.Step {
		s := keepwatch.Step{Name: name, State: state, Started: noon}
		if state == keepwatch.StepDone {
			s.Ended = noon.Add(3 * time.Minute)
		}
		return s
	}
	run := keepwatch.Run{ID: 42, Kind: keepwatch.RunRestore, Source: "alis-mail", By: "Alis", Where: "terminal", Created: noon, Started: noon, State: keepwatch.RunRunning, Ask: keepwatch.Ask{Archive: "alis-mail/2026-11-22T030000Z", Return: ret.plan.Items}}
	with := func(change func(*keepwatch.Run), steps ...keepwatch.Step) keepwatch.Run {
		run := run
		run.Steps = steps
		change(&run)
		return run
	}
	log := keepwatch.ServerLog{Step: first, Name: "restore", Text: "Plans (2026-03-02 09:00 UTC): not put back. It is too large.\n1,311 mails put into alis@contoso.example/Restored 2026-11-24/Inbox; 1 not taken by the mailbox.", Heed: "1 mail was not put back. Details name them."}
	done := with(func(r *keepwatch.Run) {
		r.State = keepwatch.RunDone
		r.Result.Logs = []keepwatch.ServerLog{log, {Step: second, Name: "restore", Text: "1 mail put into alis@contoso.example/Restored 2026-11-24/Inbox/Projects."}}
	}, step("plan", keepwatch.StepDone), step(first, keepwatch.StepDone), step(second, keepwatch.StepDone))
	half := []keepwatch.Step{step("plan", keepwatch.StepDone), step(first, keepwatch.StepDone), step(second, keepwatch.StepFailed)}
	for name, run := range map[string]keepwatch.Run{
		"running": with(func(r *keepwatch.Run) {
			r.Progress = keepwatch.Progress{Step: second, Items: 1, TotalItems: 1}
		}, step("plan", keepwatch.StepDone), step(first, keepwatch.StepDone), step(second, keepwatch.StepRunning)),
		"done": done,
		"attention": with(func(r *keepwatch.Run) {
			r.State, r.Failure = keepwatch.RunAttention, &keepwatch.Failure{Step: second, Message: "The mailbox is full."}
		}, half...),
		"cancelled": with(func(r *keepwatch.Run) { r.State, r.CancelledBy = keepwatch.RunCancelled, "Olwen" }, half...),
		"cancelled-copy": with(func(r *keepwatch.Run) {
			r.State, r.CancelledBy, r.Ask.Return = keepwatch.RunCancelled, "Olwen", slices.Clone(r.Ask.Return)
			r.Ask.Return[0].Present = "copy"
		}, half...),
	} {
		golden(t, "return-run-"+name, plain(r.RunMessage(run)))
	}
	golden(t, "return-details", plain(r.details(done, keepwatch.RoleAdmin)))
}

func TestCompleteMailboxReturn(t *testing.T) {
	w := newWorld()
	ret := outlook(w)
	r := w.hosting(t, hosted(w), ret)
	for _, c := range []struct{ text, want string }{
		{"/backup restore alis-mail --to ", "mailbox original"}, {"/backup restore notes --to m", ""},
		{"/backup restore alis-mail --to mailbox ", "mail contacts calendar alis-mail/2026-11-15T030000Z"},
		{"/backup restore alis-mail --to=bob@contoso.example c", "contacts calendar"},
		{"/backup restore alis-mail --present ", "skip copy"},
	} {
		var got []string
		for _, f := range r.Complete(t.Context(), ask(c.text, "slack:U1"), len(c.text)) {
			got = append(got, f.Text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s completes to %q, want %q", c.text, got, c.want)
		}
	}
}
