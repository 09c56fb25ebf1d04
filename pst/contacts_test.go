package pst_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/pim"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
)

// sampleCards reads the vCards that lie beside the project.
func sampleCards(t *testing.T) []*pim.Contact {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(psttest.Sample(t, "mail", "ez-vcard-BSD2"), "*.vcf"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*pim.Contact
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for c, err := range pim.ReadCards(bytes.NewReader(text)) {
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			all = append(all, c)
		}
	}
	if len(all) < 20 {
		t.Fatalf("%d cards in %d files", len(all), len(files))
	}
	return all
}

// writtenItems makes a file with items in one folder, and gives its path.
func writtenItems(t *testing.T, folder, class string, items ...func(pst.Sink) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pst")
	w, err := writer.Create(path, writer.Options{})
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
	return path
}

// messages gives all items of a file.
func messages(t *testing.T, f *reader.File) []*reader.Message {
	t.Helper()
	var all []*reader.Message
	err := f.Walk(func(d *reader.Folder, err error) error {
		if err != nil {
			return err
		}
		for m, err := range d.Messages() {
			if err != nil {
				return err
			}
			all = append(all, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// person has all that readpst knows of a contact.
func person() *pim.Contact {
	return &pim.Contact{
		Prefix: "Dr.", Given: "Jöhn", Middle: "James", Surname: "Doe", Suffix: "Sr.", Nickname: "Johny", DisplayName: "Dr. John Doe", FileAs: "Doe (Acme)",
		Company: "Acme Ltd", Department: "R&D", Title: "Money Counter", Profession: "Counting", Office: "3rd floor", Manager: "Big Blue", Assistant: "Little Red", Spouse: "Jane",
		Emails: [3]pim.Email{{Address: "one@example.com"}, {Address: "two@example.com"}, {Address: "three@example.com"}},
		Phones: map[pim.PhoneKind]string{pim.PhoneWork: "101", pim.PhoneWork2: "102", pim.PhoneHome: "103", pim.PhoneHome2: "104", pim.PhoneMobile: "105", pim.PhonePrimary: "106",
			pim.PhoneOther: "107", pim.PhoneCar: "108", pim.PhonePager: "109", pim.PhoneRadio: "110", pim.PhoneISDN: "111", pim.PhoneTelex: "112", pim.PhoneAssistant: "113",
			pim.PhoneCallback: "114", pim.PhoneCompany: "115", pim.PhoneText: "116", pim.FaxWork: "117", pim.FaxHome: "118", pim.FaxPrimary: "119"},
		Home:     pim.Address{Street: "1 Home St", City: "Vienna", State: "W", PostalCode: "1010", Country: "Austria", Box: "7"},
		Work:     pim.Address{Street: "2 Work St", City: "Graz", State: "St", PostalCode: "8010", Country: "Austria", Box: "8"},
		Other:    pim.Address{Street: "3 Other St", City: "Linz", State: "O", PostalCode: "4020", Country: "Austria", Box: "9"},
		HomePage: "http://home.example.com", WorkPage: "http://work.example.com", Birthday: pim.Date{Year: 1980, Month: 2, Day: 29}, Anniversary: pim.Date{Year: 2001, Month: 1, Day: 2},
		Categories: []string{"VIP", "Red"}, Notes: "One\nTwo; three, four", Gender: pim.GenderMale, Languages: []string{"de"}, Hobbies: "chess",
		Photo: []byte("\xff\xd8\xff\xe0 no picture"), Children: []string{"Kim"}, UserFields: [4]string{"u1", "u2", "u3", "u4"}, CustomerID: "C1",
	}
}

func manyTasks() []*pim.Task {
	return []*pim.Task{
		{Subject: "A task", Body: "Body of it", Status: pim.TaskInProgress, Percent: 40, Start: pim.Date{Year: 2026, Month: 3, Day: 1}, Due: pim.Date{Year: 2026, Month: 3, Day: 29},
			Reminder: time.Date(2026, 3, 28, 7, 30, 0, 0, time.UTC), Importance: pim.Important, Owner: "Jane", ActualWork: time.Hour, EstimatedWork: 2 * time.Hour, Categories: []string{"VIP"}},
		{Subject: "Done", Status: pim.TaskComplete, Percent: 100, Completed: pim.Date{Year: 2026, Month: 3, Day: 2}, Importance: pim.Unimportant, Sensitivity: pim.Private},
	}
}

// TestPeopleThroughFile: what goes into a file comes out of it.
func TestPeopleThroughFile(t *testing.T) {
	group := &pim.Contact{Group: true, DisplayName: "All of us", FileAs: "All of us", Members: []pim.Member{{Name: "a", Type: "SMTP", Address: "a@x"}, {Name: "b", Type: "SMTP", Address: "b@x"}}}
	cards := append(sampleCards(t), group)
	tasks := manyTasks()
	note := &pim.Note{Text: "First\nsecond", Color: pim.NotePink, Width: 300, Height: 200, X: 5, Y: 6}
	var fills []func(pst.Sink) error
	for _, c := range cards {
		fills = append(fills, c.Write)
	}
	for _, task := range tasks {
		fills = append(fills, task.Write)
	}
	all := messages(t, opened(t, writtenItems(t, "People", "IPF.Contact", append(fills, note.Write)...)))
	if len(all) != len(fills)+1 {
		t.Fatalf("%d items of %d", len(all), len(fills)+1)
	}
	for i, want := range cards {
		got, err := pim.ContactOf(all[i])
		if err != nil {
			t.Fatal(err)
		}
		w := *want
		w.Created = got.Created // the writer gives one where there is none
		if w.Modified.IsZero() {
			w.Modified = got.Modified
		}
		if d := cmp.Diff(&w, got); d != "" {
			t.Errorf("%s: %s", want.DisplayName, d)
		}
	}
	for i, want := range tasks {
		got, err := pim.TaskOf(all[len(cards)+i])
		if err != nil {
			t.Fatal(err)
		}
		want.Created, want.Modified = got.Created, got.Modified
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	got, err := pim.NoteOf(all[len(fills)])
	if err != nil {
		t.Fatal(err)
	}
	note.Created, note.Modified = got.Created, got.Modified
	if d := cmp.Diff(note, got); d != "" {
		t.Error(d)
	}
}

// TestRealPeople reads the contact and the group of a file that Outlook wrote.
func TestRealPeople(t *testing.T) {
	data := psttest.Outlook(t, "java-libpst-dist-list.pst")
	f, err := reader.Open(bytes.NewReader(data), int64(len(data)), reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []*pim.Contact
	for _, m := range messages(t, f) {
		c, err := pim.ContactOf(m)
		if other := (*pim.ClassError)(nil); errors.As(err, &other) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Created, c.Modified = time.Time{}, time.Time{}
		got = append(got, c)
	}
	want := []*pim.Contact{
		{Group: true, DisplayName: "test dist list", FileAs: "test dist list", Members: []pim.Member{{Name: "contact name 1", Type: "SMTP", Address: "contact1@rjohnson.id.au"},
			{Name: "dist name 1", Type: "SMTP", Address: "dist1@rjohnson.id.au"}, {Name: "dist name 2", Type: "SMTP", Address: "dist2@rjohnson.id.au"}}},
		{Given: "contact", Middle: "name", Surname: "1", DisplayName: "contact name 1", FileAs: "1, contact name", Initials: "c.n.1.",
			Emails: [3]pim.Email{{Name: "contact name 1", Type: "SMTP", Address: "contact1@rjohnson.id.au"}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// export runs a program of others that takes a file apart, and gives the folder of what it
// wrote. CI has the programs.
func export(t *testing.T, program string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// vcf is the vCard that readpst makes of a contact, as its version 0.6.76 does: FN is
// what Outlook files it under, and the other address is "postal".
func vcf(c *pim.Contact) string {
	var b strings.Builder
	esc := strings.NewReplacer("\\", "\\\\", ";", "\\;", ",", "\\,", "\n", "\\n").Replace
	list := func(texts ...string) string {
		for i := range texts {
			texts[i] = esc(texts[i])
		}
		return strings.Join(texts, ";")
	}
	line := func(name, value string) {
		if value != "" {
			b.WriteString(name + ":" + esc(value) + "\n")
		}
	}
	b.WriteString("BEGIN:VCARD\nFN:" + esc(c.FileAs) + "\nN:" + list(c.Surname, c.Given, c.Middle, c.Prefix, c.Suffix) + "\n")
	line("NICKNAME", c.Nickname)
	for _, e := range c.Emails {
		line("EMAIL", e.Address)
	}
	if d := c.Birthday; !d.IsZero() {
		if d.Year == 0 {
			d.Year = 1604
		}
		fmt.Fprintf(&b, "BDAY:%04d-%02d-%02dT11:59:00Z\n", d.Year, d.Month, d.Day)
	}
	for _, p := range []struct {
		name string
		a    pim.Address
	}{{"home", c.Home}, {"work", c.Work}, {"postal", c.Other}} {
		a := p.a
		if a == (pim.Address{}) {
			continue
		}
		if a.Label == "" {
			a.Label = whole(a)
		}
		if p.name == "work" && c.Mailing == pim.PlaceHome {
			// A bug of readpst: its parts of the work address are those of
			// the mailing address.
			a = c.Home
			a.Label = p.a.Label
			if a.Label == "" {
				a.Label = whole(p.a)
			}
		}
		b.WriteString("ADR;TYPE=" + p.name + ":" + list(a.Box, "", a.Street, a.City, a.State, a.PostalCode, a.Country) + "\n")
		line("LABEL;TYPE="+p.name, a.Label)
	}
	for _, p := range []struct {
		kind pim.PhoneKind
		name string
	}{{pim.FaxWork, "work,fax"}, {pim.PhoneWork, "work,voice"}, {pim.PhoneWork2, "work,voice"}, {pim.PhoneCar, "car,voice"}, {pim.FaxHome, "home,fax"},
		{pim.PhoneHome, "home,voice"}, {pim.PhoneHome2, "home,voice"}, {pim.PhoneISDN, "isdn"}, {pim.PhoneMobile, "cell,voice"}, {pim.PhoneOther, "msg"},
		{pim.PhonePager, "pager"}, {pim.FaxPrimary, "fax,pref"}, {pim.PhonePrimary, "phone,pref"}, {pim.PhoneRadio, "pcs"}, {pim.PhoneTelex, "bbs"}} {
		line("TEL;TYPE="+p.name, c.Phones[p.kind])
	}
	line("TITLE", c.Title)
	line("ROLE", c.Profession)
	if c.Assistant != "" || c.Phones[pim.PhoneAssistant] != "" {
		b.WriteString("AGENT:BEGIN:VCARD\n")
		line("FN", c.Assistant)
		line("TEL", c.Phones[pim.PhoneAssistant])
	}
	line("ORG", c.Company)
	line("NOTE", c.Notes)
	return b.String() + "VERSION:3.0\nEND:VCARD\n\n"
}

// whole is an address in lines.
func whole(a pim.Address) string {
	return lines(a.Street, strings.Trim(a.City+", "+strings.TrimSpace(a.State+" "+a.PostalCode), ", "), a.Country)
}

// lines joins the lines that are not empty.
func lines(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), "\n")
}

// TestContactsThroughReadpst compares each field that readpst knows.
func TestContactsThroughReadpst(t *testing.T) {
	cards := append(sampleCards(t), person())
	var fills []func(pst.Sink) error
	for _, c := range cards {
		fills = append(fills, c.Write)
	}
	path, out := writtenItems(t, "People", "IPF.Contact", fills...), t.TempDir()
	export(t, "readpst", "-j", "0", "-S", "-cv", "-o", out, path)
	for i, c := range cards {
		found, err := filepath.Glob(filepath.Join(out, "*", "People", fmt.Sprint(i+1)))
		if err != nil || len(found) != 1 {
			t.Fatalf("%v of the contact %d: %v", found, i+1, err)
		}
		got, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(strings.Split(vcf(c), "\n"), strings.Split(strings.ReplaceAll(string(got), "\r", ""), "\n")); d != "" {
			t.Errorf("%s: %s", c.DisplayName, d)
		}
	}
}

// TestPeopleThroughPffexport compares what libpff shows of a contact, tasks, a note and a
// group, and the photo.
func TestPeopleThroughPffexport(t *testing.T) {
	tasks := manyTasks()
	note := &pim.Note{Text: "First\nsecond", Color: pim.NotePink}
	group := &pim.Contact{Group: true, DisplayName: "All of us", Members: []pim.Member{{Name: "a", Address: "a@x"}}}
	path, out := writtenItems(t, "People", "IPF.Contact", person().Write, tasks[0].Write, tasks[1].Write, note.Write, group.Write), t.TempDir()
	export(t, "pffexport", "-q", "-m", "items", "-t", filepath.Join(out, "x"), path)
	folder := filepath.Join(out, "x.export", "Top of Outlook data file", "People")
	for _, c := range []struct {
		file string
		want string
	}{
		{"Contact00001/Contact.txt", "Display name: Dr. John Doe|Subject: Dr. John Doe|File under: Doe (Acme)|Given name: Jöhn|Initials: J.J.D.|Surname: Doe|Generational abbreviation: Sr.|" +
			"Callback phone number: 114|Primary phone number: 106|Home phone number: 103|Mobile phone number: 105|Company name: Acme Ltd|Job title: Money Counter|Office location: 3rd floor|" +
			"Department name: R&D|Postal address: 2 Work St|Country: Austria|Locality: Graz|Business phone number 1: 101|Business phone number 2: 102|Business fax number: 117|" +
			"Email address 1: one@example.com|Email address 2: two@example.com|Email address 3: three@example.com"},
		{"Task00002/Task.txt", "Subject: A task|Importance: High|Is a reminder: yes|Reminder time: Mar 28, 2026 07:30:00.000000000 UTC|Start date: Mar 01, 2026 00:00:00.000000000 UTC|" +
			"Due date: Mar 29, 2026 00:00:00.000000000 UTC|Status: 0x00000001|Percentage complete: 4.000000e-01|Actual effort: 60 minutes|Total effort: 120 minutes|Is complete: no|Version: 1"},
		{"Task00003/Task.txt", "Subject: Done|Importance: Low|Sensitivity: Private|Is a reminder: no|Is private: yes|Status: 0x00000002|Percentage complete: 1|Is complete: yes"},
		{"Note00004/Note.txt", "Subject: First|second"},
		{"DistributionList00005/DistributionList.txt", "Display name: All of us|Name: All of us"},
	} {
		text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(c.file)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for l := range strings.SplitSeq(string(text), "\n") {
			got = append(got, strings.Join(strings.Fields(l), " "))
		}
		for l := range strings.SplitSeq(c.want, "|") {
			if !slices.Contains(got, l) {
				t.Errorf("%s has no %q:\n%s", c.file, l, text)
			}
		}
	}
	photo, err := os.ReadFile(filepath.Join(folder, "Contact00001", "Attachments", "1_ContactPicture.jpg"))
	if err != nil || !bytes.Equal(photo, person().Photo) {
		t.Errorf("the photo is %q, %v", photo, err)
	}
}
