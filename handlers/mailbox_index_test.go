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

// cabinet is the index of an archive of a mailbox.
type cabinet struct {
	folders []keepwatch.MailFolder
	page    keepwatch.MailPage
	hits    keepwatch.MailHits
	part    string // what was asked for last
	err     error
}

func (x *cabinet) Folders(context.Context, keepwatch.Archive) ([]keepwatch.MailFolder, error) {
	return x.folders, x.err
}

func (x *cabinet) Page(_ context.Context, _ keepwatch.Archive, part string, from, n int) (keepwatch.MailPage, error) {
	x.part = part
	page := x.page
	if _, number := keepwatch.CutMailItem(part); number > 0 {
		page.Items = slices.DeleteFunc(slices.Clone(page.Items), func(i keepwatch.MailItem) bool { return i.Number != number })
		return page, x.err
	}
	page.Items = page.Items[min(from-1, len(page.Items)):min(from-1+n, len(page.Items))]
	return page, x.err
}

func (x *cabinet) Find(_ context.Context, _ keepwatch.Archive, part string, q keepwatch.MailQuery, _, _ int) (keepwatch.MailHits, error) {
	x.part = part + "?" + q.Text
	return x.hits, x.err
}

func newCabinet() *cabinet {
	x := &cabinet{folders: []keepwatch.MailFolder{{Path: "Inbox", Items: 20, Gone: 1}, {Path: "Inbox/Projects", Items: 1200}, {Path: "Drafts"}, {Path: "Contacts", Items: 1}}}
	x.page = keepwatch.MailPage{Folder: keepwatch.MailFolder{Path: "Inbox"}, Below: []keepwatch.MailFolder{{Path: "Inbox/Projects", Items: 1200}}, Total: 20}
	for i := range 20 {
		item := keepwatch.MailItem{Number: int64(20 - i), Kind: keepwatch.ItemMail, At: noon.Add(-time.Duration(i) * time.Hour), From: "Bethan <!channel>", Subject: fmt.Sprintf("Minutes %d\nforged line", i), Bytes: 2048}
		if i == 1 {
			item.Bytes, item.Broken = 0, "the server gives no content of it"
		}
		x.page.Items = append(x.page.Items, item)
	}
	x.hits = keepwatch.MailHits{Hits: []keepwatch.MailHit{{Folder: "Inbox", Item: x.page.Items[0], Where: "body"}}, Total: 1, Looked: 1221, Of: 1221}
	return x
}

// TestMailIndexAnswers holds what is said of archives of mailboxes to the text that was
// read and found good.
func TestMailIndexAnswers(t *testing.T) {
	for _, c := range []struct {
		name, text, who string
		set             func(w *world, x *cabinet)
	}{
		{name: "box-show", text: "/backup show alis-mail", who: "slack:U3"},
		{name: "box-show-admin", text: "/backup show alis-mail", who: "slack:U1"},
		{name: "box-show-export", text: "/backup show alis-mail", who: "slack:U1", set: func(_ *world, x *cabinet) {
			x.err = keepwatch.Errorf(keepwatch.KindNotFound, "The archive has no state.json.")
		}},
		{name: "box-items", text: "/backup show alis-mail Inbox", who: "slack:U1"},
		{name: "box-items-terminal", text: "/backup show alis-mail Inbox", who: "terminal:alis"},
		{name: "box-items-more", text: "/backup show alis-mail Inbox --from 16", who: "slack:U1"},
		{name: "box-items-denied", text: "/backup show alis-mail Inbox", who: "slack:U2"},
		{name: "box-item", text: "/backup show alis-mail Inbox/#20", who: "slack:U1"},
		{name: "box-item-missing", text: "/backup show alis-mail Inbox/#19", who: "slack:U1"},
		{name: "box-find", text: "/backup show alis-mail --find minutes", who: "slack:U1"},
		{name: "box-find-denied", text: "/backup show alis-mail --find minutes", who: "slack:U3"},
		{name: "box-start-typo", text: "/backup start alis-mail Inbxo", who: "slack:U2"},
		{name: "box-start-slash", text: "/backup start alis-mail //", who: "slack:U2"},
		{name: "box-start-unknown", text: "/backup start alis-mail Rechnungen", who: "slack:U2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, x := mailWorld(), newCabinet()
			if c.set != nil {
				c.set(w, x)
			}
			r := w.router(t)
			r.cfg.Index = x
			golden(t, c.name, withForms(r.Handle(t.Context(), ask(c.text, c.who))))
		})
	}
}

// TestPartsOfMailboxesAreCompleted: kinds, and the folders of the newest archive; the usual
// ones where there is none.
func TestPartsOfMailboxesAreCompleted(t *testing.T) {
	for _, c := range []struct {
		text, want string
		index      MailIndex
	}{
		{"/backup start alis-mail In", "Inbox|Inbox/Projects", newCabinet()},
		{"/backup start alis-mail c", "contacts|calendar", newCabinet()},
		{"/backup start alis-mail S", "Sent Items", nil},
	} {
		r := mailWorld().router(t)
		r.cfg.Index = c.index
		var got []string
		for _, x := range r.Complete(t.Context(), ask(c.text, "slack:U1"), len(c.text)) {
			got = append(got, x.Text)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
}
