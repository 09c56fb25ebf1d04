package handlers

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// post is a vault in which an archive holds an Outlook data file, and who looks into it.
type post struct {
	*world
	boxes   []keepwatch.Mailbox
	ask     keepwatch.Ask
	page    keepwatch.MailPage
	plan    keepwatch.MailPlan
	pageErr error
	planErr error
	from, n int
	part    string
	query   keepwatch.MailQuery
	found   keepwatch.MailHits
}

func (p *post) Contents(_ context.Context, _ string, entry func(keepwatch.Entry) error, note func(keepwatch.Note) error) error {
	for _, m := range p.boxes {
		if err := entry(keepwatch.Entry{Path: m.Path, Type: keepwatch.EntryFile, Size: m.Size}); err != nil {
			return err
		}
		if note == nil {
			continue
		}
		for _, part := range m.Seal() {
			if err := note(keepwatch.Note{Kind: keepwatch.NoteMailbox, Path: m.Path, Mailbox: &part}); err != nil {
				return err
			}
		}
	}
	return entry(keepwatch.Entry{Path: "letters/one.txt", Type: keepwatch.EntryFile, Size: 4})
}

func (p *post) Page(_ context.Context, _, part string, from, n int) (keepwatch.MailPage, error) {
	p.part, p.from, p.n = part, from, n
	return p.page, p.pageErr
}

func (p *post) Find(_ context.Context, _, part string, q keepwatch.MailQuery, from, n int) (keepwatch.MailHits, error) {
	p.part, p.query, p.from, p.n = part, q, from, n
	return p.found, p.pageErr
}

func (p *post) Plan(_ context.Context, ref string, ask keepwatch.Ask, q keepwatch.MailQuery) (keepwatch.MailPlan, error) {
	p.ask, p.query = ask, q
	plan := p.plan
	plan.Ref = ref
	if plan.To == "" {
		plan.To = ask.To
	}
	return plan, p.planErr
}

// of2024 gives a day of 2024 at noon.
func of2024(n int) time.Time { return time.Date(2024, 1, n, 12, 0, 0, 0, time.UTC) }

// largeMailbox is one with so many folders.
func largeMailbox(path string, folders int) keepwatch.Mailbox {
	m := keepwatch.Mailbox{Path: path, Name: "Alis", Format: "Unicode", Size: 3 << 30, First: of2024(1), Last: of2024(400), Kinds: map[keepwatch.ItemKind]int64{keepwatch.ItemContact: 20}}
	for i := range folders {
		f := keepwatch.MailFolder{Path: fmt.Sprintf("Inbox/Project %d", i), Items: int64(i * 7), First: of2024(i), Last: of2024(i + 9)}
		if i == 0 {
			f = keepwatch.MailFolder{Path: "Inbox"}
		}
		m.Items += f.Items
		m.Folders = append(m.Folders, f)
	}
	m.Kinds[keepwatch.ItemMail] = m.Items - 20
	m.Check = &keepwatch.MailCheck{}
	m.Sum()
	return m
}

func newPost() *post {
	p := &post{world: newWorld()}
	p.boxes = []keepwatch.Mailbox{largeMailbox("mail.pst", 40)}
	p.page = keepwatch.MailPage{File: "mail.pst", Folder: keepwatch.MailFolder{Path: "Inbox"}, Below: []keepwatch.MailFolder{{Path: "Inbox/Project 1", Items: 7}}, Total: 40}
	for i := range 15 {
		p.page.Items = append(p.page.Items, keepwatch.MailItem{Number: int64(i + 1), Kind: keepwatch.ItemMail, At: of2024(40 - i), From: "Bethan <!channel>", Subject: fmt.Sprintf("Minutes of meeting %d\nforged line", i), Bytes: 2048})
	}
	p.plan = keepwatch.MailPlan{Items: 41, Bytes: 3 << 20, Free: 1 << 40, Kinds: map[keepwatch.ItemKind]int64{keepwatch.ItemMail: 40, keepwatch.ItemEvent: 1},
		What: []keepwatch.MailChoice{{Part: "mail.pst/Inbox", Items: 40, Folders: 2}, {Part: "mail.pst/Calendar/#3", Items: 1, At: of2024(3), Subject: "Dentist", From: "Bethan"}}}
	p.settle()
	return p
}

// settle makes the archive's record of what is inside.
func (p *post) settle() {
	a := &p.archives[0]
	a.Mailboxes, a.Counts = nil, map[keepwatch.NoteKind]int64{keepwatch.NoteMailbox: int64(len(p.boxes))}
	for _, m := range p.boxes[:min(len(p.boxes), keepwatch.MaxMailboxes)] {
		a.Mailboxes = append(a.Mailboxes, m.Short())
	}
}

func (p *post) router(t *testing.T) *Router {
	r := p.world.router(t)
	r.cfg.Vault, r.cfg.Mailboxes = p, p
	return r
}

// hurt makes a mailbox a damaged one.
func hurt(m *keepwatch.Mailbox) {
	m.Damaged = 5
	m.Damage = []keepwatch.MailDamage{{Where: "Inbox/Project 3", Offset: 0x7200, Text: "The block's checksum does not fit."}, {Offset: -1, Text: "A page of the node tree is missing."}, {Where: "a\nb", Offset: 12, Text: "The item has\nno properties."}}
	m.Check = &keepwatch.MailCheck{Findings: 12, Worst: keepwatch.MailRuined, Text: "The checksum of the block at 0x7200 does not fit."}
}

// lose makes a mailbox one of which two folders list what is gone.
func lose(m *keepwatch.Mailbox) {
	m.Gone, m.Folders[1].Gone, m.Folders[39].Gone = 17, 2, 15
	m.Sum()
}

// TestMailboxAnswers holds what is said of mailboxes to the text that was read and found
// good.
func TestMailboxAnswers(t *testing.T) {
	for _, c := range []struct {
		name, text, who string
		set             func(p *post)
	}{
		{name: "mail-show", text: "backup show notes", who: "slack:U3"},
		{name: "mail-show-damaged", text: "backup show notes", who: "slack:U3", set: func(p *post) { hurt(&p.boxes[0]); p.settle() }},
		{name: "mail-show-cut", text: "backup show notes", who: "slack:U3", set: func(p *post) {
			p.boxes[0] = keepwatch.Mailbox{Path: "old/cut.pst", Size: 1 << 20, Cut: true, Trouble: "It is no whole Outlook data file. It is cut off."}
			p.settle()
		}},
		{name: "mail-show-wrecked", text: "backup show notes", who: "slack:U3", set: func(p *post) {
			p.boxes[0] = keepwatch.Mailbox{Path: "mail.pst", Format: "Unicode", Size: 1 << 30}
			hurt(&p.boxes[0])
			p.settle()
		}},
		{name: "mail-show-several", text: "backup show notes", who: "slack:U3", set: func(p *post) {
			for i := range 5 {
				p.boxes = append(p.boxes, largeMailbox(fmt.Sprintf("old/%d.pst", i), i))
			}
			p.boxes[1].Trouble, p.boxes[1].Folders, p.boxes[1].Biggest, p.boxes[1].Items, p.boxes[1].Count, p.boxes[1].Check = "It is so damaged that its folders cannot be found.", nil, nil, 0, 0, nil
			hurt(&p.boxes[5])
			p.boxes[2].Check = &keepwatch.MailCheck{Findings: 1, Worst: keepwatch.MailRepair, Text: "The free space is counted wrong."}
			p.settle()
		}},
		{name: "mail-show-state-lost", text: "backup show notes", who: "slack:U3", set: func(p *post) { p.archives[0].Mailboxes = nil }},
		{name: "mail-folders", text: "backup show notes mail.pst", who: "slack:U3"},
		{name: "mail-folders-admin", text: "backup show notes mail.pst", who: "slack:U1"},
		{name: "mail-folders-more", text: "backup show notes mail.pst --from 31", who: "slack:U3"},
		{name: "mail-folders-terminal", text: "backup show notes mail.pst", who: "terminal:alis", set: func(p *post) { p.boxes[0] = largeMailbox("mail.pst", 120); hurt(&p.boxes[0]) }},
		{name: "mail-folders-lost", text: "backup show notes mail.pst", who: "slack:U3", set: func(p *post) { hurt(&p.boxes[0]); lose(&p.boxes[0]) }},
		{name: "mail-folders-bad-from", text: "backup show notes mail.pst --from x", who: "slack:U3"},
		{name: "mail-items", text: "backup show notes mail.pst/Inbox", who: "slack:U1"},
		{name: "mail-items-terminal", text: "backup show notes mail.pst/Inbox", who: "terminal:alis"},
		{name: "mail-items-denied", text: "backup show notes mail.pst/Inbox", who: "slack:U2"},
		{name: "mail-item", text: "backup show notes mail.pst/Inbox/#2", who: "slack:U1", set: func(p *post) { p.page.Items = p.page.Items[1:2] }},
		{name: "mail-items-empty", text: "backup show notes mail.pst/Inbox", who: "slack:U1", set: func(p *post) { p.page.Items, p.page.Total, p.page.Below = nil, 0, nil }},
		{name: "mail-items-left", text: "backup show notes mail.pst/", who: "slack:U1", set: func(p *post) {
			p.boxes[0] = keepwatch.Mailbox{Path: "mail.pst", Size: 1 << 30, Trouble: "It is cut off."}
			p.page = keepwatch.MailPage{File: "mail.pst", Left: true, Below: []keepwatch.MailFolder{{Path: "Inbox", Items: 7}}}
			p.settle()
		}},
		{name: "mail-not-there", text: "backup show notes other.pst", who: "slack:U1"},
		{name: "mail-restore", text: "backup restore notes mail.pst/inbox mail.pst/Calendar/#3 --to /back", who: "slack:U1"},
		{name: "mail-restore-lost", text: "backup restore notes mail.pst/ --to /back", who: "slack:U1", set: func(p *post) { p.plan.Lost = 2 }},
		{name: "mail-restore-mixed", text: "backup restore notes mail.pst/Inbox letters/one.txt", who: "slack:U1"},
		{name: "mail-restore-overwrite", text: "backup restore notes mail.pst/Inbox --overwrite", who: "slack:U1"},
		{name: "mail-restore-none", text: "backup restore notes mail.pst/Outbox", who: "slack:U1", set: func(p *post) { p.plan = keepwatch.MailPlan{Free: -1} }},
		{name: "mail-restore-full", text: "backup restore notes mail.pst/Inbox --to /back", who: "slack:U1", set: func(p *post) { p.plan.Free = 1 << 20 }},
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

// TestNamesOfFiles: a data file is found in whatever case it is typed, where no other is
// meant; one whose name looks like an option is named by the buttons so that it is none.
func TestNamesOfFiles(t *testing.T) {
	p := newPost()
	p.boxes = []keepwatch.Mailbox{largeMailbox("old/Mail.PST", 3), largeMailbox("old/MAIL.pst", 3), largeMailbox("A.pst", 3), largeMailbox("--odd.pst", 3)}
	p.settle()
	r := p.router(t)
	for text, want := range map[string]string{
		"backup show notes a.PST":                 "A.pst in notes",
		"backup show notes a.PST/":                "A.pst in notes",
		"backup show notes ./A.pst":               "A.pst in notes",
		"backup show notes old/MAIL.pst":          "old/MAIL.pst in notes",
		"backup show notes old/mail.pst":          "holds no old/mail.pst",
		"backup show notes ./--odd.pst":           "--odd.pst in notes",
		"backup restore notes a.pst/Inbox":        "Nothing is restored yet",
		"backup restore notes ./--odd.pst/Inbox":  "Nothing is restored yet",
		"backup restore notes old/mail.pst/Inbox": "0 B in 0 items",
		"backup restore notes A.pst a.pst/Inbox":  "A.pst does not",
		"backup restore notes LETTERS/one.txt/x":  "0 B in 0 items",
		"backup show notes LETTERS/one.txt":       "holds no LETTERS",
	} {
		p.planErr, p.part = nil, ""
		if got := plain(r.Handle(t.Context(), ask(text, "slack:U1"))); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	r.Handle(t.Context(), ask("backup show notes a.PST/Inbox", "slack:U1"))
	if p.part != "A.pst/Inbox" {
		t.Errorf("looked into %q", p.part)
	}
	shown := r.Handle(t.Context(), ask("backup show notes ./--odd.pst", "slack:U1"))
	for _, b := range shown.Buttons {
		if got := r.Handle(t.Context(), ask(Fill(b, map[string]string{"to": "/back"}), "slack:U1")); got.Failed || b.Form != nil && (p.ask.To != "/back" || p.ask.Parts[0] != "--odd.pst/") {
			t.Errorf("%s: %s\n%+v", b.Command, plain(got), p.ask)
		}
	}
}

// TestRestoreOfItemsIsConfirmed: what was shown is what is done, with the parts as they
// are called and into the folder that was named.
func TestRestoreOfItemsIsConfirmed(t *testing.T) {
	p := newPost()
	p.plan.To = "/back/mail"
	r := p.router(t)
	shown := r.Handle(t.Context(), ask("backup restore notes mail.pst/inbox mail.pst/Calendar/#3 --to /back", "slack:U1"))
	if len(shown.Buttons) != 1 || len(p.runs) != 0 {
		t.Fatalf("%s", plain(shown))
	}
	begun := r.Handle(t.Context(), ask(shown.Buttons[0].Command, "slack:U1"))
	run, err := p.Run(begun.Run)
	if err != nil || !run.Ask.Inside || run.Ask.To != "/back/mail" || strings.Join(run.Ask.Parts, " ") != "mail.pst/Inbox mail.pst/Calendar/#3" {
		t.Errorf("%v %+v", err, run.Ask)
	}
	p.plan.Items++
	if msg := r.Handle(t.Context(), ask(shown.Buttons[0].Command, "slack:U1")); msg.Run != 0 || !msg.Failed {
		t.Errorf("another plan was carried out: %s", plain(msg))
	}
}

// TestWhoseMailIsPrivate: names and subjects of a mailbox are never answered into a
// channel; what everybody may see is.
func TestWhoseMailIsPrivate(t *testing.T) {
	r := newPost().router(t)
	for text, want := range map[string]bool{"backup show notes": false, "backup show notes mail.pst/Inbox": true, "/backup show notes mail.pst": true, "backup show": false, "": false, `backup show "`: false} {
		if r.private(ask(text, "slack:U1")) != want {
			t.Errorf("%q: private %v", text, !want)
		}
	}
}

// TestFoldersAreCompleted: folders of a mailbox are offered, also where a name has a
// blank, in the terminal as the word is written.
func TestFoldersAreCompleted(t *testing.T) {
	p := newPost()
	p.boxes = []keepwatch.Mailbox{{Path: "mail.pst", Folders: []keepwatch.MailFolder{{Path: "Inbox", Items: 3}, {Path: "Deleted Items", Items: 1}, {Path: "Inbox/Project 1"}}}}
	r := p.router(t)
	for _, c := range []struct{ who, text, want string }{
		{"slack:U1", "backup restore notes mail.pst/", "mail.pst/Inbox|mail.pst/Deleted Items|mail.pst/Inbox/Project 1"},
		{"slack:U1", "backup show notes mail.pst/In", "mail.pst/Inbox|mail.pst/Inbox/Project 1"},
		{"slack:U1", "backup show notes mai", "mail.pst"},
		{"terminal:alis", "backup show notes mail.pst/D", `mail.pst/Deleted\ Items`},
		{"terminal:alis", `backup show notes "mail.pst/D`, `"mail.pst/Deleted Items"`},
		{"terminal:alis", `backup show notes mail.pst/Deleted\ `, `mail.pst/Deleted\ Items`},
	} {
		var got []string
		for _, x := range r.Complete(t.Context(), ask(c.text, c.who), len(c.text)) {
			got = append(got, x.Text)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
}

// TestMailCards holds the cards of runs that are about mailboxes.
func TestMailCards(t *testing.T) {
	r := newPost().router(t)
	v := proof(noon)
	done := keepwatch.Run{ID: 42, Kind: keepwatch.RunBackup, Source: "notes", State: keepwatch.RunDone, By: "Alis", Where: "terminal", Created: noon, Started: noon, Ended: noon}
	done.Result = keepwatch.Result{Items: 1, Bytes: 3 << 30, Sealed: newWorld().archives[0].Sealed, Verification: &v, Archive: "notes/2026-11-24T120000Z", Counts: map[keepwatch.NoteKind]int64{keepwatch.NoteMailbox: 1}}
	box := largeMailbox("mail.pst", 40)
	done.Result.Mailboxes = []keepwatch.Mailbox{box.Short()}
	golden(t, "card-mail", plain(r.RunMessage(done)))
	hurt(&box)
	done.Result.Mailboxes = []keepwatch.Mailbox{box.Short()}
	golden(t, "card-mail-damaged", plain(r.RunMessage(done)))
	lose(&box)
	done.Result.Mailboxes = []keepwatch.Mailbox{box.Short()}
	golden(t, "card-mail-lost", plain(r.RunMessage(done)))
	done.Result.Mailboxes = []keepwatch.Mailbox{{Path: "old/cut.pst", Size: 1 << 20, Cut: true, Trouble: "It is no whole Outlook data file. It is cut off."}}
	golden(t, "card-mail-cut", plain(r.RunMessage(done)))
	out := keepwatch.Run{ID: 43, Kind: keepwatch.RunRestore, Source: "notes", State: keepwatch.RunDone, Ask: keepwatch.Ask{Archive: "notes/2026-11-24T120000Z", Parts: []string{"mail.pst/Inbox"}, To: "/back/mail", Inside: true},
		Result: keepwatch.Result{Items: 40, Bytes: 3 << 20, Archive: "notes/2026-11-24T120000Z", Kinds: map[keepwatch.ItemKind]int64{keepwatch.ItemMail: 40}}}
	golden(t, "card-mail-restored", plain(r.RunMessage(out)))
	out.Result.Counts = map[keepwatch.NoteKind]int64{keepwatch.NoteUnreadable: 1}
	out.Result.Notes = []keepwatch.Note{{Kind: keepwatch.NoteUnreadable, Path: "mail.pst/Inbox/#17", Text: "the block's checksum does not fit"}}
	golden(t, "card-mail-restored-gaps", plain(r.RunMessage(out)))
}

// TestNoRuleShowsWhoseMail: what is for the eyes of an admin is not posted into a channel
// by a reminder, neither one that is made now nor one that was made before.
func TestNoRuleShowsWhoseMail(t *testing.T) {
	p := newPost()
	r := p.router(t)
	c := &call{req: ask("", "slack:U1"), person: keepwatch.Person{Role: keepwatch.RoleAdmin}}
	for _, text := range []string{"/backup show notes mail.pst/Inbox", "/backup show notes mail.pst", "/backup show notes --find minutes"} {
		if _, err := r.dueCommand(c, []string{text}); keepwatch.KindOf(err) != keepwatch.KindInvalid {
			t.Errorf("%s: %v", text, err)
		}
		req := ask(text, "slack:U1")
		req.Due = "12@2026-11-26T09:00"
		if msg := r.Handle(t.Context(), req); !msg.Failed || msg.Refused != keepwatch.KindDenied {
			t.Errorf("%s was carried out: %s", text, plain(msg))
		}
	}
	if _, err := r.dueCommand(c, []string{"/backup show notes"}); err != nil {
		t.Errorf("%v", err)
	}
}
