package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// finds fills in what a search gives.
func (p *post) finds(n int) {
	p.found = keepwatch.MailHits{File: "mail.pst", Folder: "", Total: int64(n), Looked: 4020, Of: 4020}
	for i := range min(n, windowChat) {
		hit := keepwatch.MailHit{Folder: "Inbox/Project 1", Where: "body", Item: keepwatch.MailItem{Number: int64(i + 3), Kind: keepwatch.ItemMail, At: of2024(40 - i), From: "Bethan <!channel>", Subject: fmt.Sprintf("`Minutes` %d\u202egpj.exe\nforged line", i), Bytes: 2048}}
		if i%2 == 1 {
			hit.Folder, hit.Where = "Deleted Items", "subject"
		}
		p.found.Hits = append(p.found.Hits, hit)
	}
}

// TestFindAnswers holds what is said of searches in mailboxes to the text that was read
// and found good.
func TestFindAnswers(t *testing.T) {
	several := func(p *post) { p.boxes = append(p.boxes, largeMailbox("old/mail box.pst", 3)); p.settle() }
	for _, c := range []struct {
		name, text, who string
		set             func(p *post)
	}{
		{name: "mail-find", text: "backup show notes mail.pst --find minutes", who: "slack:U1", set: func(p *post) { p.finds(40) }},
		{name: "mail-find-few", text: `backup show notes --find "the \"minutes\"" --since 2024-01-01 --until 2024-03-31`, who: "slack:U1", set: func(p *post) { p.finds(2) }},
		{name: "mail-find-terminal", text: "backup show notes mail.pst --since 2024-01-01", who: "terminal:alis", set: func(p *post) { p.finds(3); p.found.Folder = "Inbox" }},
		{name: "mail-find-none", text: "backup show notes mail.pst/Inbox --find minutes", who: "slack:U1", set: func(p *post) { p.finds(0); p.found.Broken = 1 }},
		{name: "mail-find-late", text: "backup show notes mail.pst --find minutes --from 16", who: "slack:U1", set: func(p *post) {
			p.finds(20)
			p.found.Hits = p.found.Hits[:5]
			p.found.Late, p.found.Looked, p.found.Broken = true, 1200, 3
		}},
		{name: "mail-find-many", text: "backup show notes mail.pst --find e", who: "slack:U1", set: func(p *post) { p.finds(keepwatch.MaxMailHits); p.found.Many = true }},
		{name: "mail-find-denied", text: "backup show notes mail.pst --find minutes", who: "slack:U2"},
		{name: "mail-find-nothing", text: "backup show notes mail.pst --find ''", who: "slack:U1"},
		{name: "mail-find-between", text: "backup show notes mail.pst --since 2024-03-01 --until 2024-02-01", who: "slack:U1"},
		{name: "mail-find-which", text: "backup show notes --find 'a b' --since 7d", who: "slack:U1", set: several},
		{name: "mail-find-no-mailbox", text: "backup restore notes --find minutes", who: "slack:U1", set: func(p *post) { p.boxes = nil; p.settle() }},
		{name: "mail-restore-found", text: "backup restore notes --find minutes --until 2024-02-01 --to /back", who: "slack:U1", set: func(p *post) {
			p.plan.What = p.plan.What[1:]
			for i := range 30 {
				p.plan.What = append(p.plan.What, keepwatch.MailChoice{Part: fmt.Sprintf("mail.pst/Inbox/#%d", i+1), Items: 1, Subject: "Minutes", At: of2024(20)})
			}
		}},
		{name: "mail-restore-found-none", text: "backup restore notes mail.pst/Inbox --find minutes", who: "slack:U1", set: func(p *post) { p.plan = keepwatch.MailPlan{Free: -1} }},
		{name: "mail-restore-found-account", text: "backup restore notes --find minutes --to account", who: "slack:U1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPost()
			if c.set != nil {
				c.set(p)
			}
			golden(t, c.name, withForms(p.router(t).Handle(t.Context(), ask(c.text, c.who))))
		})
	}
}

// TestWhatIsLookedFor: the words of a search reach whoever carries it out, days as whole
// days of the zone of Keepwatch, and a page is one of the same search.
func TestWhatIsLookedFor(t *testing.T) {
	p := newPost()
	p.finds(40)
	r := p.router(t)
	shown := r.Handle(t.Context(), ask(`backup show notes mail.pst/Inbox --find " a  \"b\" " --since 2024-02-01 --until 2024-02-29`, "slack:U1"))
	day := func(month time.Month, n int) time.Time { return time.Date(2024, month, n, 0, 0, 0, 0, r.cfg.Location) }
	if p.part != "mail.pst/Inbox" || p.query.Text != `a  "b"` || !p.query.From.Equal(day(2, 1)) || p.query.To.Before(day(2, 29).Add(23*time.Hour)) || p.query.To.After(day(3, 1)) {
		t.Errorf("%q %+v", p.part, p.query)
	}
	first := p.query
	for _, b := range shown.Buttons {
		p.query = keepwatch.MailQuery{}
		if answer := r.Handle(t.Context(), ask(b.Command, "slack:U1")); b.Label != "All folders" && (answer.Failed || p.query != first) {
			t.Errorf("%s: %s\n%+v", b.Label, plain(answer), p.query)
		}
	}
	if p.from != 16 || !strings.HasPrefix(p.ask.Parts[0], "mail.pst/") {
		t.Errorf("from %d, %q", p.from, p.ask.Parts)
	}
}

// TestRestoreOfWhatIsFoundIsConfirmed: what was shown is what is done, and the run that
// everybody sees names numbers, and not what was looked for.
func TestRestoreOfWhatIsFoundIsConfirmed(t *testing.T) {
	p := newPost()
	p.plan.What = []keepwatch.MailChoice{{Part: "mail.pst/Inbox/#4", Items: 1, Subject: "Secret"}, {Part: "mail.pst/Calendar/#3", Items: 1}}
	r := p.router(t)
	shown := r.Handle(t.Context(), ask("backup restore notes mail.pst --find 'dis missal' --to /back", "slack:U1"))
	if len(shown.Buttons) != 1 || len(p.runs) != 0 {
		t.Fatalf("%s", plain(shown))
	}
	begun := r.Handle(t.Context(), ask(shown.Buttons[0].Command, "slack:U1"))
	run, err := p.Run(begun.Run)
	if err != nil || !run.Ask.Inside || strings.Join(run.Ask.Parts, " ") != "mail.pst/Inbox/#4 mail.pst/Calendar/#3" || p.query.Text != "dis missal" {
		t.Fatalf("%v %+v: %s", err, run.Ask, plain(begun))
	}
	if text := plain(r.RunMessage(run)); strings.Contains(text, "missal") || strings.Contains(text, "Secret") {
		t.Errorf("the card says too much: %s", text)
	}
}
