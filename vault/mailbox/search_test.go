package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/mail"
	"keepwatch/pst/psttest"
	"keepwatch/pst/writer"
)

// minutes gives a query of the minutes of the made mails.
func minutes(from, to int) keepwatch.MailQuery {
	begin := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)
	return keepwatch.MailQuery{From: begin.Add(time.Duration(from) * time.Minute), To: begin.Add(time.Duration(to) * time.Minute)}
}

// TestFind: text is found wherever it may stand, in the folder that is named and below
// it, and what is found is called as in the list of its folder.
func TestFind(t *testing.T) {
	w := seal(t, map[string][]byte{"old/Mail.PST": made(t, [][]string{{"Inbox"}, {"Inbox", "Deep"}, {"Other"}}, 3, "Minutes", "Übung", "Offer")})
	for _, c := range []struct {
		part  string
		q     keepwatch.MailQuery
		where string
		want  int
	}{
		{"old/Mail.PST", keepwatch.MailQuery{Text: "MINUTES"}, "subject", 3},
		{"old/Mail.PST/", keepwatch.MailQuery{Text: "übung"}, "subject", 3},
		{"old/Mail.PST/", keepwatch.MailQuery{Text: "U\u0308BUNG"}, "subject", 3}, // the accent by itself
		{"OLD/mail.pst/inbox", keepwatch.MailQuery{Text: "minutes"}, "subject", 2},
		{"old/Mail.PST/Inbox/Deep", keepwatch.MailQuery{Text: "minutes"}, "subject", 1},
		{"old/Mail.PST", keepwatch.MailQuery{Text: "bethan"}, "sender", 9},
		{"old/Mail.PST/Other", keepwatch.MailQuery{Text: "a@contoso"}, "recipients", 3},
		{"old/Mail.PST", keepwatch.MailQuery{Text: "text 1 OF deep"}, "body", 1},
		{"old/Mail.PST", keepwatch.MailQuery{Text: "A.TXT"}, "attachments", 9},
		{"old/Mail.PST", keepwatch.MailQuery{Text: "no such words"}, "", 0},
		{"old/Mail.PST", minutes(1, 2), "", 3},
		{"old/Mail.PST", keepwatch.MailQuery{From: minutes(1, 0).From}, "", 6},
		{"old/Mail.PST", keepwatch.MailQuery{Text: "minutes", From: minutes(1, 0).From}, "", 0},
	} {
		found, err := w.Find(t.Context(), w.ref, c.part, c.q, 1, 100)
		if err != nil || len(found.Hits) != c.want || found.Total != int64(c.want) || found.Looked != found.Of || found.Of == 0 || found.Many || found.Late || found.Broken > 0 {
			t.Errorf("%s %+v: %v %+v", c.part, c.q, err, found)
		}
		for i, hit := range found.Hits {
			page, err := w.Page(t.Context(), w.ref, keepwatch.MailPart(found.File, hit.Folder, hit.Item.Number), 1, 1)
			if err != nil || len(page.Items) != 1 || page.Items[0] != hit.Item || hit.Where != c.where {
				t.Errorf("%s %+v: found %+v, and the list has %v %+v", c.part, c.q, hit, err, page.Items)
			}
			if i > 0 && hit.Item.At.After(found.Hits[i-1].Item.At) {
				t.Errorf("%s %+v: an older one comes before %s", c.part, c.q, hit.Item.At)
			}
		}
	}
	page, err := w.Find(t.Context(), w.ref, "old/Mail.PST", keepwatch.MailQuery{Text: "minutes"}, 3, 2)
	if err != nil || len(page.Hits) != 1 || page.Total != 3 {
		t.Errorf("the second page: %v %+v", err, page)
	}
	if page, err = w.Find(t.Context(), w.ref, "old/Mail.PST", keepwatch.MailQuery{Text: "minutes"}, 99, 2); err != nil || len(page.Hits) != 1 {
		t.Errorf("behind the end: %v %+v", err, page)
	}
	for part, want := range map[string]string{"old/Mail.PST/Inbox/#1": "is one item", "old/Mail.PST/Outbox": "no folder Outbox", "old": "no Outlook data file"} {
		if _, err := w.Find(t.Context(), w.ref, part, keepwatch.MailQuery{Text: "x"}, 1, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", part, err, want)
		}
	}
}

// TestFindReal: mails of a real Outlook are found by a word of their text.
func TestFindReal(t *testing.T) {
	w := seal(t, map[string][]byte{"list.pst": psttest.Outlook(t, listFile)})
	found, err := w.Find(t.Context(), w.ref, "list.pst", keepwatch.MailQuery{Text: "contact NAME 1"}, 1, 10)
	if err != nil || len(found.Hits) == 0 || found.Hits[0].Folder != "Contacts" || found.Hits[0].Item.Number != 2 {
		t.Errorf("%v %+v", err, found)
	}
}

// TestFindTakesLong: a search that is not done in time gives what it has, says how far it
// came, and begins anew when it is asked for again; a page of it is one of the same list.
func TestFindTakesLong(t *testing.T) {
	w := seal(t, map[string][]byte{"mail.pst": made(t, [][]string{{"Inbox"}, {"Other"}}, 4, "Minutes")})
	at, step := noon, 20*time.Second
	w.cfg.Now = func() time.Time { at = at.Add(step); return at }
	q := keepwatch.MailQuery{Text: "minutes"}
	found, err := w.Find(t.Context(), w.ref, "mail.pst", q, 1, 10)
	if err != nil || !found.Late || found.Looked != 2 || found.Of != 8 || len(found.Hits) != 2 || found.Hits[0].Item.Number != 3 {
		t.Errorf("%v %+v", err, found)
	}
	plan, err := w.Plan(t.Context(), w.ref, keepwatch.Ask{Parts: []string{"mail.pst"}, To: filepath.Join(w.dir, "out")}, q)
	if keepwatch.KindOf(err) != keepwatch.KindConflict || !strings.Contains(err.Error(), "takes too long") {
		t.Errorf("a part of what fits would be restored as if it were all: %v %+v", err, plan)
	}
	step = 0
	if found, err = w.Find(t.Context(), w.ref, "mail.pst", q, 2, 10); err != nil || !found.Late || len(found.Hits) != 1 {
		t.Errorf("the page is of another list: %v %+v", err, found)
	}
	if found, err = w.Find(t.Context(), w.ref, "mail.pst", q, 1, 10); err != nil || found.Late || len(found.Hits) != 8 {
		t.Errorf("asked again: %v %+v", err, found)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Find(ctx, w.ref, "mail.pst", keepwatch.MailQuery{Text: "other"}, 1, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// short writes a file with so many mails of a line in one folder.
func short(t testing.TB, count int) []byte {
	t.Helper()
	begin := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "made.pst")
	w, err := writer.Create(path, writer.Options{Now: func() time.Time { return begin }, RecordKey: func() pst.GUID { return pst.GUID{1} }})
	if err != nil {
		t.Fatal(err)
	}
	f, err := w.Root().Folder("Inbox", "IPF.Note")
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		eml := fmt.Sprintf("From: b@contoso.example\r\nSubject: Mail %d\r\n\r\nText\r\n", i)
		if err := f.Add(func(s pst.Sink) error {
			_, err := mail.Import(s, strings.NewReader(eml), int64(len(eml)), mail.Options{Received: begin.Add(time.Duration(i) * time.Second)})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestFindMany: a search ends where there are too many hits, and says so; so many are
// restored in one go, each under its own name, and one more is refused.
func TestFindMany(t *testing.T) {
	w := seal(t, map[string][]byte{"mail.pst": short(t, keepwatch.MaxMailHits+2)})
	found, err := w.Find(t.Context(), w.ref, "mail.pst", keepwatch.MailQuery{Text: "mail"}, 1, 10)
	if err != nil || !found.Many || found.Total != keepwatch.MaxMailHits || found.Looked != keepwatch.MaxMailHits+1 || found.Of != keepwatch.MaxMailHits+2 || found.Hits[0].Item.Number != 3 {
		t.Errorf("%v %d of %d, %d hits, %+v", err, found.Looked, found.Of, found.Total, found.Hits[0])
	}
	ask := keepwatch.Ask{Parts: []string{"mail.pst"}, To: filepath.Join(w.dir, "out")}
	if _, err := w.Plan(t.Context(), w.ref, ask, keepwatch.MailQuery{Text: "mail"}); keepwatch.KindOf(err) != keepwatch.KindConflict || !strings.Contains(err.Error(), "More than 1,000 items fit") {
		t.Errorf("%v", err)
	}
	ask.Parts = []string{"mail.pst", "mail.pst/Inbox"} // nothing twice
	plan, err := w.Plan(t.Context(), w.ref, ask, keepwatch.MailQuery{Text: "mail", From: time.Date(2024, 1, 1, 9, 0, 2, 0, time.UTC)})
	if err != nil || plan.Items != keepwatch.MaxMailHits || len(plan.What) != keepwatch.MaxMailHits {
		t.Fatalf("%v %d", err, plan.Items)
	}
	var parts []string
	for _, what := range plan.What {
		parts = append(parts, what.Part)
	}
	result, err := w.Extract(t.Context(), w.task(plan.To, parts...))
	if err != nil || result.Items != keepwatch.MaxMailHits || len(listed(t, plan.To)) != keepwatch.MaxMailHits+1 {
		t.Errorf("%v %d", err, result.Items)
	}
}

// TestFindInDamage: what of a damaged file can be read is looked through, and how many
// items could not be is said.
func TestFindInDamage(t *testing.T) {
	good := made(t, [][]string{{"Inbox"}}, 3, "Minutes")
	told := 0
	for at := 0x4600; at < len(good); at += 0x200 {
		good[at+7] ^= 1
		if tree, err := grow(t.Context(), bytes.NewReader(good), int64(len(good))); err == nil {
			s := search{folder: -1, query: keepwatch.MailQuery{Text: "no such words"}}
			if err := tree.look(t.Context(), &s, func() bool { return true }); err != nil {
				t.Errorf("%#x: %v", at, err)
			}
			if s.hits.Broken > 0 && s.hits.Looked >= s.hits.Broken {
				told++
			}
		}
		good[at+7] ^= 1
	}
	if told == 0 {
		t.Error("no damage was told of")
	}
}

// TestPartsOfOneFileAreOpenedOnce: while the parts of one file are brought out, another
// person's look into another file does not have the first unpacked for each of them.
func TestPartsOfOneFileAreOpenedOnce(t *testing.T) {
	data := made(t, [][]string{{"Inbox"}}, 4, "Minutes")
	w := seal(t, map[string][]byte{"a.pst": data, "b.pst": data}).older(t)
	unpacked, busy := map[string]int{}, false
	w.crash = func(point string) {
		switch {
		case point == "mailbox.unpack.done":
			unpacked[fmt.Sprint(busy)]++
		case point == "mailbox.extract.item":
			busy = true
			if _, err := w.Page(t.Context(), w.ref, "b.pst/Inbox", 1, 5); err != nil {
				t.Error(err)
			}
			busy = false
		}
	}
	if _, err := w.Extract(t.Context(), w.task(filepath.Join(w.dir, "out"), "a.pst/Inbox/#1", "a.pst/Inbox/#2", "a.pst/Inbox/#3")); err != nil {
		t.Fatal(err)
	}
	if unpacked["false"] != 1 || unpacked["true"] != 1 {
		t.Errorf("unpacked: %v", unpacked)
	}
}

// TestTwoLookAtOnce: several people may list, search and take out of one file at the same
// time; each gets what they asked for, and the file is gone when all have done.
func TestTwoLookAtOnce(t *testing.T) {
	w := seal(t, map[string][]byte{"mail.pst": made(t, [][]string{{"Inbox"}, {"Inbox", "Deep"}}, 20, "Minutes", "Offer")})
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 5 {
				if page, err := w.Page(t.Context(), w.ref, "mail.pst/Inbox", 1, 5); err != nil || page.Total != 20 {
					t.Errorf("%v %+v", err, page)
				}
				text := fmt.Sprintf("text %d of", (i+j)%20)
				if found, err := w.Find(t.Context(), w.ref, "mail.pst", keepwatch.MailQuery{Text: text}, 1, 5); err != nil || found.Total != 2 {
					t.Errorf("%s: %v %+v", text, err, found)
				}
				if plan, err := w.Plan(t.Context(), w.ref, keepwatch.Ask{Parts: []string{"mail.pst/Inbox/#1", "mail.pst/Inbox/Deep"}, To: filepath.Join(w.dir, "out")}, keepwatch.MailQuery{}); err != nil || plan.Items != 21 {
					t.Errorf("%v %+v", err, plan)
				}
			}
		})
	}
	all.Wait()
}
