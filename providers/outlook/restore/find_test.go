package restore

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// content gives the file of an item other content.
func (a *archives) content(path, data string, err error) {
	for ref, files := range a.files {
		for i, f := range files {
			if f.path == path {
				a.files[ref][i] = archived{path: path, data: []byte(data), err: err}
			}
		}
	}
}

// told gives what was found, in a line.
func told(hits keepwatch.MailHits) string {
	var words []string
	for _, h := range hits.Hits {
		words = append(words, fmt.Sprintf("%s#%d %s", h.Folder, h.Item.Number, h.Where))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// letters is an archive with what people look for in each place, and one of changes to it.
func letters(a *archives) (whole, changes providers.Set) {
	raw := func(l outlook.Line, text string) outlook.Line {
		l.Raw = json.RawMessage(text)
		return l
	}
	person, event, plain := line("people", "p", "Carol"), line("days", "e", "Lunch"), line("in", "c", "to all")
	person.Kind, event.Kind = outlook.Contacts, outlook.Calendar
	person.Path, event.Path = "contacts/Carol.vcf", "calendar/Lunch.ics"
	plain.Categories = []string{"Harvest"}
	whole = a.add("alis-mail/2026-11-20", outlook.State{Folders: []outlook.FolderState{folder("in", outlook.Mail, true, "Inbox"), folder("people", outlook.Contacts, true, "Contacts"), folder("days", outlook.Calendar, true, "Calendar")}}, []outlook.Line{
		line("in", "a", "one"), line("in", "b", "two"), raw(plain, `{"toRecipients":[{"emailAddress":{"name":"Dave","address":"dave@fabrikam.example"}}],"bccRecipients":[{"emailAddress":{"address":"erin@fabrikam.example"}}],"id":"hidden-id"}`),
		line("in", "d", "broken"), line("in", "f", "damaged"),
		raw(person, `{"displayName":"Carol","mobilePhone":"+44 555 0100","id":"hidden-id","homeAddress":{"city":"Melin Wen"}}`),
		raw(event, `{"location":{"displayName":"Neuadd y Dref"},"attendees":[{"emailAddress":{"address":"gwen@contoso.example"}}]}`)})
	a.content("mail/in/a.eml", "Subject: one\r\nContent-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+base64.StdEncoding.EncodeToString([]byte("Der Preis für Äpfel"))+"\r\n", nil)
	a.content("mail/in/b.eml", "To: Hew <hew@contoso.example>\r\nSubject: two\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee there\r\n--b\r\nContent-Type: application/pdf; name=ledger.pdf\r\n\r\nx\r\n--b--\r\n", nil)
	a.content("mail/in/c.eml", "Subject: to all\r\n\r\nIt is.\r\n", nil)
	a.content("mail/in/d.eml", "no header, and the quince in it", nil)
	a.content("mail/in/f.eml", "Subject: damaged\r\n\r\nthe quin", keepwatch.Errorf(keepwatch.KindAttention, "Damaged.").Because(keepwatch.ErrDamaged))
	a.content("calendar/Lunch.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261124T120000Z\r\nSUMMARY:Lunch\r\nATTACH;FMTTYPE=text/plain;VALUE=BINARY;ENCODING=BASE64;X-FILENAME=menu.txt:eA==\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", nil)
	late := line("in", "a", "one again")
	late.Path = "mail/in/later a.eml"
	gone := outlook.Item{ID: "b", Folder: "in", Kind: outlook.Mail, Removed: "deleted"}
	changes = a.add("alis-mail/2026-11-21", outlook.State{Base: whole.Archive.Ref(), Folders: []outlook.FolderState{folder("in", outlook.Mail, false, "Inbox")}}, []outlook.Line{late}, gone)
	a.content("mail/in/later a.eml", "Subject: one again\r\n\r\nThe plum.\r\n", nil)
	return whole, changes
}

// TestFindLooksInside: a text is found wherever people remember it; what is broken or damaged hides
// nothing, and is counted. A restore of what is found names exactly that.
func TestFindLooksInside(t *testing.T) {
	for _, c := range []struct {
		text, want string
		shuffle    bool
		changes    bool
		broken     int64
	}{
		{text: "FÜR a\u0308pfel", want: "Inbox#1 body", broken: 2},
		{text: "für Äpfel", want: "Inbox#1 body", shuffle: true, broken: 2},
		{text: "HEW@", want: "Inbox#2 recipients", broken: 2},
		{text: "ledger.pdf", want: "Inbox#2 attachments", broken: 2},
		{text: "dave", want: "Inbox#3 recipients", broken: 2}, {text: "erin@fabrikam", want: "Inbox#3 recipients", broken: 2},
		{text: "harvest", want: "Inbox#3 details", broken: 2},
		{text: "555 0100", want: "Contacts#1 details", broken: 2}, {text: "melin wen", want: "Contacts#1 details", broken: 2},
		{text: "neuadd", want: "Calendar#1 details", broken: 2}, {text: "gwen", want: "Calendar#1 recipients", broken: 2}, {text: "menu.txt", want: "Calendar#1 attachments", broken: 2},
		{text: "quince", want: "Inbox#4 body", broken: 1},
		{text: "hidden-id", broken: 2}, {text: "no such words", broken: 2},
		{text: "plum", want: "Inbox#4 body", changes: true, broken: 2}, // numbers count what is there, the older archive first
		{text: "äpfel", changes: true, broken: 2}, {text: "ledger", changes: true, broken: 2}, {text: "dave", want: "Inbox#1 recipients", changes: true, broken: 2},
	} {
		for _, single := range []bool{false, true} {
			a := &archives{shuffle: c.shuffle, single: single}
			set, changes := letters(a)
			if c.changes {
				set = changes
			}
			hits, err := NewIndex(a, time.Now).Find(t.Context(), set.Archive, "", keepwatch.MailQuery{Text: c.text}, 1, 10)
			if err != nil || told(hits) != c.want || hits.Broken != c.broken || hits.Looked != hits.Of || hits.Many || hits.Late {
				t.Errorf("%q: %v %q, want %q; %+v", c.text, err, told(hits), c.want, hits)
			}
			if !single && a.walks > 2 {
				t.Errorf("%q: %d walks", c.text, a.walks)
			}
			p, _ := bench(t, &exchange{})
			plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Parts: []string{"find:" + c.text}})
			if err != nil || plan.Found != hits.Total || len(plan.Mind) == 0 || len(plan.Items) != len(hits.Hits) {
				t.Errorf("%q: %v %+v", c.text, err, plan)
			}
		}
	}
}

// TestFoundIsPutBack: exactly what a search has found is put back, and the archive is not
// searched again for it, or when the plan is confirmed.
func TestFoundIsPutBack(t *testing.T) {
	a, x := &archives{}, &exchange{}
	set, _ := letters(a)
	p, _ := bench(t, x)
	ask := keepwatch.ReturnAsk{Parts: []string{"Inbox", "find:für äpfel"}}
	plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, ask)
	if err != nil {
		t.Fatal(err)
	}
	walks := a.walks
	if again, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, ask); err != nil || a.walks != walks || fmt.Sprint(again) != fmt.Sprint(plan) {
		t.Errorf("confirmed: %v %d walks", err, a.walks-walks)
	}
	carry(t, p, plan, a)
	if got := x.in(t, "Restored 2026-11-23/Inbox"); len(got) != 1 || !strings.HasPrefix(got[0], "one=") {
		t.Errorf("%q", got)
	}
}

// TestFindEnds: a search that takes too long, or finds too much, says so, a restore of it is
// refused, and one that is called off ends.
func TestFindEnds(t *testing.T) {
	a := &archives{}
	set, _ := letters(a)
	at, step := time.Unix(0, 0), 25*time.Second
	now := func() time.Time { at = at.Add(step); return at }
	x := NewIndex(a, now)
	q := keepwatch.MailQuery{Text: "für äpfel"}
	hits, err := x.Find(t.Context(), set.Archive, "", q, 1, 10)
	if err != nil || !hits.Late || hits.Looked >= hits.Of || hits.Of != 7 || told(hits) != "Inbox#1 body" {
		t.Errorf("%v %+v", err, hits)
	}
	if again, err := x.Find(t.Context(), set.Archive, "", q, 2, 10); err != nil || !again.Late {
		t.Errorf("the page is of another list: %v %+v", err, again)
	}
	p, _ := bench(t, &exchange{})
	p.finder.now = now
	if _, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Parts: []string{"find:äpfel"}}); keepwatch.KindOf(err) != keepwatch.KindConflict || !strings.Contains(err.Error(), "takes too long") {
		t.Errorf("%v", err)
	}
	step = 0
	if hits, err = x.Find(t.Context(), set.Archive, "", q, 1, 10); err != nil || hits.Late {
		t.Errorf("asked again: %v %+v", err, hits)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Find(ctx, set.Archive, "", keepwatch.MailQuery{Text: "other"}, 1, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
	var lines []outlook.Line
	for i := range keepwatch.MaxMailHits + 1 {
		lines = append(lines, line("in", fmt.Sprintf("m%05d", i), "mail"))
	}
	set = a.add("alis-mail/2026-11-22", outlook.State{Folders: []outlook.FolderState{folder("in", outlook.Mail, true, "Inbox")}}, lines)
	for _, text := range []string{"bob@", "1-22 mail"} { // in the index, and in the files
		if hits, err := x.Find(t.Context(), set.Archive, "", keepwatch.MailQuery{Text: text}, 1, 10); err != nil || !hits.Many || hits.Total != keepwatch.MaxMailHits || len(hits.Hits) != 10 {
			t.Errorf("%s: %v %+v", text, err, hits)
		}
		p, _ := bench(t, &exchange{})
		if _, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Parts: []string{"find:" + text}}); keepwatch.KindOf(err) != keepwatch.KindConflict || !strings.Contains(err.Error(), "More than 1,000 items fit") {
			t.Errorf("%v", err)
		}
	}
}

// TestHoldOfLongMails: of a mail that is too long for the memory the texts and the names of
// attachments are kept.
func TestHoldOfLongMails(t *testing.T) {
	row := strings.Repeat("QUJD", 19) + "\r\n"
	part := func(name string, n int) string {
		return "--b\r\nContent-Type: application/pdf; name=" + name + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat(row, n/len(row))
	}
	long := "Subject: long\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + part("first.pdf", 6<<20) + part("second.pdf", 6<<20) + "--b\r\nContent-Type: text/plain\r\n\r\nthe last words\r\n--b--\r\n"
	data, cut, err := hold(strings.NewReader(long), beginsPart)
	if err != nil || !cut || len(data) > mostHeld {
		t.Fatalf("%v, cut: %v, %d bytes", err, cut, len(data))
	}
	for word, where := range map[string]string{"second.pdf": "attachments", "the last words": "body"} {
		m := newMatch([]string{word})
		if whole, err := m.file("x.eml", strings.NewReader(long)); err != nil || !whole || m.where != where {
			t.Errorf("%s: %v %v in %q", word, err, whole, m.where)
		}
	}
}

// TestOldStepsStillFind: a step that an older version has planned says what it looks for in
// lower case alone.
func TestOldStepsStillFind(t *testing.T) {
	for _, text := range []string{"hauptstraße", "u\u0308bung", "a  b"} {
		h := head{Subject: "Hauptstraße, U\u0308bung, A  B"}
		if !(search{Texts: []string{text}}).fits(h) {
			t.Errorf("%s is not found", text)
		}
	}
}

// TestFindsTextsApart: of several texts one may be in the index, and the other in the file.
func TestFindsTextsApart(t *testing.T) {
	for _, single := range []bool{false, true} {
		a := &archives{single: single}
		set, _ := letters(a)
		for parts, want := range map[[2]string]int64{{"find:harvest", "find:it is"}: 1, {"find:it is", "find:dave"}: 1, {"find:harvest", "find:quince"}: 0} {
			p, _ := bench(t, &exchange{})
			plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{set}, keepwatch.ReturnAsk{Parts: parts[:]})
			if err != nil || plan.Found != want {
				t.Errorf("%q: %v %d", parts, err, plan.Found)
			}
		}
	}
}

// TestFindsInLargeEvents: what is attached to an event, and the picture of a contact, may
// be longer than what is held, and hide nothing.
func TestFindsInLargeEvents(t *testing.T) {
	data := "QUJD\r\n" + strings.Repeat(" "+strings.Repeat("QUJD", 18)+"QU\r\n "+"JD"+strings.Repeat("QUJD", 18)+"\r\n", 40_000) // as RFC 5545 folds
	event := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261124T120000Z\r\n" +
		"ATTACH;VALUE=BINARY;ENCODING=BASE64;X-FILENAME=menu.txt:" + data + "ATTACH;VALUE=BINARY;ENCODING=BASE64;X-FILENAME=wine.txt:" + data + "SUMMARY:Lunch\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	card := "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Carol\r\nPHOTO;ENCODING=b;TYPE=JPEG:" + data + "NOTE:the quince\r\nEND:VCARD\r\n"
	for _, c := range []struct{ name, data, word string }{{"a.ics", event, "lunch"}, {"a.ics", event, "menu.txt"}, {"a.ics", event, "wine.txt"}, {"a.vcf", card, "the quince"}, {"a.ics", event, "no such words"}} {
		m := newMatch([]string{c.word})
		if whole, err := m.file(c.name, strings.NewReader(c.data)); err != nil || !whole || m.done() != (c.word != "no such words") {
			t.Errorf("%s: %v, whole: %v, found: %v", c.word, err, whole, m.done())
		}
	}
}

// TestFindStopsAtTooMany: where the index alone has too many, no file is read.
func TestFindStopsAtTooMany(t *testing.T) {
	var lines []outlook.Line
	for i := range 2*keepwatch.MaxMailHits + 2 {
		lines = append(lines, line("in", fmt.Sprintf("m%05d", i), "plum"))
	}
	lines[0].Subject, lines[1].Subject = "other", "another"
	a := &archives{}
	set := a.add("alis-mail/2026-11-22", outlook.State{Folders: []outlook.FolderState{folder("in", outlook.Mail, true, "Inbox")}}, lines)
	hits, err := NewIndex(a, time.Now).Find(t.Context(), set.Archive, "", keepwatch.MailQuery{Text: "plum"}, 1, 10)
	if err != nil || !hits.Many || a.walks != 0 {
		t.Errorf("%v %+v, %d walks", err, hits, a.walks)
	}
}

// TestPlanOfASearchIsTheSameAfterARestart: what is confirmed is what was shown, or it is
// shown again: after a restart the same, and another plan where the archive that it goes
// on from is gone.
func TestPlanOfASearchIsTheSameAfterARestart(t *testing.T) {
	a := &archives{}
	whole, changes := letters(a)
	a.content("mail/in/d.eml", "Subject: four\r\n\r\nThe plum.\r\n", nil)
	ask := keepwatch.ReturnAsk{Parts: []string{"find:plum"}}
	plan := func() keepwatch.ReturnPlan {
		p, _ := bench(t, &exchange{})
		plan, err := p.PlanReturn(t.Context(), alis, []providers.Set{changes}, ask)
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	shown := plan()
	a.shuffle = true
	if again := plan(); shown.Found != 2 || fmt.Sprint(again) != fmt.Sprint(shown) {
		t.Errorf("%+v, and before %+v", again, shown)
	}
	delete(a.files, whole.Archive.Ref())
	if pruned := plan(); pruned.Found != 1 || fmt.Sprint(pruned) == fmt.Sprint(shown) {
		t.Errorf("%+v", pruned)
	}
}
