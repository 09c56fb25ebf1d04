package mailbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/mail"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
)

// made writes a file with folders, and so many mails in each. Those of subjects are
// taken in turn.
func made(t testing.TB, folders [][]string, count int, subjects ...string) []byte {
	t.Helper()
	begin := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "made.pst")
	w, err := writer.Create(path, writer.Options{Now: func() time.Time { return begin }, RecordKey: func() pst.GUID { return pst.GUID{1} }})
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range folders {
		f := w.Root()
		for _, name := range names {
			if f, err = f.Folder(name, "IPF.Note"); err != nil {
				t.Fatal(err)
			}
		}
		for i := range count {
			at := begin.Add(time.Duration(i) * time.Minute)
			eml := bethans(at, subjects[i%len(subjects)], fmt.Sprintf("Text %d of %s", i, names[len(names)-1]), strings.Repeat("attached ", 3000))
			err := f.Add(func(s pst.Sink) error {
				_, err := mail.Import(s, strings.NewReader(eml), int64(len(eml)), mail.Options{Received: at})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
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

// bethans is a mail with a text and a text file attached.
func bethans(at time.Time, subject, text, attached string) string {
	return fmt.Sprintf("From: Bethan <b@contoso.example>\r\nTo: a@contoso.example\r\nDate: %s\r\nSubject: %s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n%s\r\n--x\r\nContent-Disposition: attachment; filename=a.txt\r\nContent-Type: text/plain\r\n\r\n%s\r\n--x--\r\n",
		at.Format(time.RFC1123Z), subject, text, attached)
}

// madeOf makes a data file with one folder, which holds these items.
func madeOf(t testing.TB, o writer.Options, folder, class string, items ...func(pst.Sink) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.pst")
	w, err := writer.Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	f, err := w.Root().Folder(folder, class)
	if err != nil {
		t.Fatal(err)
	}
	for _, fill := range items {
		if err := f.Add(fill); err != nil {
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

// TestListSweeps: damage inside of an item, which no list shows, is found, and said with
// the folder and the day of the item; its subject is for admins, and on no card.
func TestListSweeps(t *testing.T) {
	good := made(t, [][]string{{"Inbox", "2024"}}, 3, "Minutes")
	m, err := Lister{}.List(context.Background(), bytes.NewReader(good), int64(len(good)))
	if err != nil || m.Hurt() || m.Check.Worst != keepwatch.MailSound || m.Items != 3 {
		t.Fatalf("%v %+v %+v", err, m, m.Check)
	}
	named := 0
	for at := 0x4600; at < len(good); at += 0x1000 {
		bad := bytes.Clone(good)
		bad[at+7] ^= 1
		m, err := Lister{}.List(context.Background(), bytes.NewReader(bad), int64(len(bad)))
		if err != nil {
			t.Fatal(err)
		}
		if m.Damaged > 0 && m.Check.Worst != keepwatch.MailRuined {
			t.Errorf("%#x: %d parts are damaged, and the check says %q", at, m.Damaged, m.Check.Worst)
		}
		for _, d := range m.Damage {
			if d.Where == "Inbox/2024" && strings.HasPrefix(d.Text, "An item (mail) of 1 January 2024: ") && d.Offset > 0 {
				named++
			}
			if strings.Contains(d.Text, "Minutes") {
				t.Errorf("a card would show the subject: %s", d.Text)
			}
		}
	}
	if named < 3 {
		t.Errorf("damage was said with the item that it is in %d times", named)
	}
}

// TestAttachmentIsLost: of a mail with a damaged attachment the rest comes, and that is
// said.
func TestAttachmentIsLost(t *testing.T) {
	good := made(t, [][]string{{"Inbox"}}, 1, "Minutes")
	half := 0
	for at := 0x4600; at < len(good); at += 0x1400 {
		bad := bytes.Clone(good)
		bad[at+7] ^= 1
		w := seal(t, map[string][]byte{"mail.pst": bad})
		w.cfg.Forms[keepwatch.ItemMail] = Form{".eml", mail.Export}
		_, result, err := w.restore(t, filepath.Join(w.dir, "out"), "mail.pst/")
		if err == nil && result.Items == 1 && result.Counts[keepwatch.NoteHalf] == 1 && strings.Contains(result.Notes[0].Text, "attachment") {
			half++
			names, _ := filepath.Glob(filepath.Join(w.dir, "out", "mail", "Inbox", "*.eml"))
			data, err := os.ReadFile(names[0])
			if err != nil || !strings.Contains(string(data), "Text 0 of Inbox") || !strings.Contains(string(data), "a.txt") {
				t.Errorf("%#x: %v %s", at, err, data)
			}
		}
	}
	if half == 0 {
		t.Error("no damage was in the attachment alone")
	}
}

// TestManyAlike: names that a disk would take for one another, and names that no disk
// takes, are files and folders of their own.
func TestManyAlike(t *testing.T) {
	long := strings.Repeat("long ", 40)
	w := seal(t, map[string][]byte{"mail.pst": made(t, [][]string{{"Inbox"}, {"Team/A"}, {"Team:A"}, {"Team", "A"}, {"CON"}, {long + "1"}, {long + "2"}}, 4, "Same", "same", "..", "a/b")})
	to := filepath.Join(w.dir, "out")
	_, result, err := w.restore(t, to, "mail.pst/")
	if err != nil || result.Items != 28 || len(result.Notes) > 0 {
		t.Fatalf("%v %+v", err, result)
	}
	got := listed(t, to)
	if len(got) != 29 {
		t.Errorf("%q", got)
	}
	for _, want := range []string{"mail/Inbox/2024-01-01 Same #4.eml", "mail/Inbox/2024-01-01 same #3.eml", "mail/Team_A/2024-01-01 no subject #2.eml", "mail/Team_A (2)/2024-01-01 a_b #1.eml", "mail/Team/A/2024-01-01 a_b #1.eml", "mail/_CON/2024-01-01 a_b #1.eml"} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
	page, err := w.Page(context.Background(), w.ref, "mail.pst/team/a (2)", 1, 10)
	if err != nil || page.Total != 4 {
		t.Errorf("a folder of a name that there is twice: %v %+v", err, page)
	}
}

// TestAttachmentsOfOthers: an appointment with an attachment is written as a mail too,
// because an .ics has no place for it.
func TestAttachmentsOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made.pst")
	w, err := writer.Create(path, writer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := w.Root().Folder("Calendar", "IPF.Appointment")
	if err != nil {
		t.Fatal(err)
	}
	for i, attached := range []string{"", "agenda.txt", "original.ics"} {
		err := f.Add(func(s pst.Sink) error {
			s.Set(pst.P(pst.PidTagMessageClass, "IPM.Appointment"), pst.P(pst.PidTagSubject, fmt.Sprintf("Meeting %d", i)))
			if attached == "" {
				return nil
			}
			return s.Attach(pst.Properties{pst.P(pst.PidTagAttachLongFilename, attached)}, strings.NewReader("text"))
		})
		if err != nil {
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
	x := seal(t, map[string][]byte{"cal.pst": data})
	_, result, err := x.restore(t, filepath.Join(x.dir, "out"), "cal.pst/Calendar")
	var endings []string
	for _, name := range listed(t, filepath.Join(x.dir, "out", "Calendar")) {
		endings = append(endings, name[strings.LastIndex(name, "Meeting"):len("Meeting 0")+strings.LastIndex(name, "Meeting")]+filepath.Ext(name))
	}
	if err != nil || result.Items != 3 || keepwatch.CountKinds(result.Kinds) != "3 appointments" || strings.Join(endings, " ") != "Meeting 0.ics Meeting 1.eml Meeting 1.ics Meeting 2.ics" {
		t.Errorf("%v %+v %q", err, result, endings)
	}
}

// TestPartial: an item of which its form says that a part cannot be read is kept as far
// as it goes, and that is said.
func TestPartial(t *testing.T) {
	data := madeOf(t, writer.Options{}, "Tasks", "IPF.Task", func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagMessageClass, "IPM.Task"), pst.P(pst.PidTagSubject, "Write it down"))
		return nil
	})
	x := seal(t, map[string][]byte{"tasks.pst": data})
	_, result, err := x.restore(t, filepath.Join(x.dir, "out"), "tasks.pst/Tasks/#1")
	if err != nil || result.Items != 1 || len(result.Notes) != 1 || result.Notes[0].Kind != keepwatch.NoteHalf || !strings.Contains(result.Notes[0].Text, "its recurrence is torn") {
		t.Errorf("%v %+v", err, result)
	}
	if got := listed(t, filepath.Join(x.dir, "out")); len(got) != 2 || !strings.HasSuffix(got[0], "Write it down #1.ics") {
		t.Errorf("%q", got)
	}
}

// TestCardsQuoteNothing: what an error repeats of an item is in the report, which lies
// with what was restored, and not in the result, which is shown in a channel.
func TestCardsQuoteNothing(t *testing.T) {
	w := seal(t, map[string][]byte{"mail.pst": made(t, [][]string{{"Inbox"}}, 1, "Minutes")})
	w.cfg.Forms[keepwatch.ItemMail] = Form{".eml", func(out io.Writer, _ pst.Item) error {
		return &Partial{fmt.Errorf("write the embedded message %q: its zone %q is torn", `The "dismissal" of \`, "")}
	}}
	to := filepath.Join(w.dir, "out")
	_, result, err := w.restore(t, to, "mail.pst/Inbox")
	if err != nil || len(result.Notes) != 1 {
		t.Fatalf("%v %+v", err, result)
	}
	report, err := os.ReadFile(filepath.Join(to, reportName))
	if want := `write the embedded message "…": its zone "…" is torn`; result.Notes[0].Text != want || err != nil || !strings.Contains(string(report), "dismissal") {
		t.Errorf("the card says %s, want %s; the report %v %s", result.Notes[0].Text, want, err, report)
	}
}

// TestItemBreaksUs: an item on which our own code breaks is left out and noted, and the
// others come.
func TestItemBreaksUs(t *testing.T) {
	w := seal(t, map[string][]byte{"mail.pst": made(t, [][]string{{"Inbox"}}, 3, "Minutes", "Hostile", "Offer")})
	write := w.cfg.Forms[keepwatch.ItemMail].Write
	w.cfg.Forms[keepwatch.ItemMail] = Form{".eml", func(out io.Writer, it pst.Item) error {
		if ps, err := it.Properties(); err == nil && strings.Contains(ps.Text(pst.PidTagSubject), "Hostile") {
			panic("index out of range")
		}
		return write(out, it)
	}}
	_, result, err := w.restore(t, filepath.Join(w.dir, "out"), "mail.pst/Inbox")
	if err != nil || result.Items != 2 || len(result.Notes) != 1 || result.Notes[0].Path != "mail.pst/Inbox/#2" || result.Notes[0].Kind != keepwatch.NoteUnreadable {
		t.Errorf("%v %+v", err, result)
	}
}

// TestRescueIsFound: of a file whose header or root is damaged, or that is cut off, what is left
// is found and brought out; the plan says that parts are lost. One of which nothing is
// left says that it was looked through.
func TestRescueIsFound(t *testing.T) {
	good := made(t, [][]string{{"Inbox"}, {"Inbox", "2024"}}, 3, "Minutes", "Offer")
	header, roots, tail := bytes.Clone(good), bytes.Clone(good), bytes.Clone(good)
	header[100] ^= 1
	at := binary.LittleEndian.Uint64(good[224:]) // BREFNBT.ib of the ROOT ([MS-PST] 2.2.2.6 and 2.2.2.5)
	clear(roots[at : at+512])
	for name, data := range map[string][]byte{"header.pst": header, "roots.pst": roots, "cut.pst": tail[:len(tail)-512]} {
		w := seal(t, map[string][]byte{name: data})
		found, err := w.Find(t.Context(), w.ref, name, keepwatch.MailQuery{Text: "minutes"}, 1, 10)
		if err != nil || found.Total != 4 {
			t.Errorf("%s: %v %+v", name, err, found)
		}
		if page, err := w.Page(t.Context(), w.ref, name+"/Inbox", 1, 10); err != nil || page.Total != 3 || !page.Left {
			t.Errorf("%s: %v %+v", name, err, page)
		}
		plan, result, err := w.restore(t, filepath.Join(w.dir, "out"), name+"/")
		if err != nil || result.Items != 6 || plan.Lost == 0 {
			t.Errorf("%s: %v %+v %+v", name, err, plan, result)
		}
	}
	w := seal(t, map[string][]byte{"none.pst": good[:0x4400]})
	if _, err := w.Page(t.Context(), w.ref, "none.pst", 1, 10); keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(err.Error(), "It is cut off") || !strings.Contains(err.Error(), "All of it was looked through") {
		t.Errorf("%v", err)
	}
}

// TestRescueOfLostFolders: folders that nothing leads to any more are listed too, with
// what is in them.
func TestRescueOfLostFolders(t *testing.T) {
	good := made(t, [][]string{{"Inbox"}, {"Inbox", "2024"}, {"Other"}}, 2, "Minutes")
	good[100] ^= 1 // the header
	lost := 0
	for at := 0x4800; at+0x200 <= len(good); at += 0x200 {
		bad := bytes.Clone(good)
		clear(bad[at : at+0x200])
		if f, err := reader.Rescue(t.Context(), bytes.NewReader(bad), int64(len(bad)), reader.Options{}); err == nil {
			var names []string
			for d := range f.Lost() {
				names = append(names, d.Name())
			}
			tree, err := grow(t.Context(), bytes.NewReader(bad), int64(len(bad)))
			if len(names) > 0 && err == nil {
				lost++
				var paths []string
				for _, b := range tree.folders {
					paths = append(paths, b.dir.Name())
				}
				for _, name := range names {
					if !slices.Contains(paths, name) {
						t.Errorf("%#x: %q is lost, and the list has %q", at, name, paths)
					}
				}
			}
		}
	}
	if lost == 0 {
		t.Error("no folder was lost")
	}
}
