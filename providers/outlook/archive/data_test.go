package archive

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/mail"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
)

// archLister gives a fixed answer.
type archLister struct{ asked []int64 }

func (l *archLister) List(_ context.Context, r io.ReaderAt, size int64) (keepwatch.Mailbox, error) {
	l.asked = append(l.asked, size)
	return keepwatch.Mailbox{Items: 6, Count: 5, Kinds: map[keepwatch.ItemKind]int64{keepwatch.ItemMail: 6}}, nil
}

// archPST is what a PST holds: by folder, "subject|class" of each item.
func archPST(t *testing.T, path string) map[string][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	report, err := check.File(f, info.Size(), check.Options{})
	if err != nil || !report.Clean() {
		t.Errorf("the check: %v %v", report.Findings, err)
	}
	file, err := reader.Open(f, info.Size(), reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	if err := file.Walk(func(d *reader.Folder, err error) error {
		if err != nil {
			return err
		}
		if path := d.Path(); !d.IsSearch() && len(path) > 1 && path[0] == "Top of Outlook data file" {
			key := strings.Join(path[1:], "|") + " " + d.Class()
			got[key] = nil
			for m, err := range d.Messages() {
				if err != nil {
					return err
				}
				ps, err := m.Properties()
				if err != nil {
					return err
				}
				got[key] = append(got[key], mail.Subject(ps)+" "+ps.Text(pst.PidTagMessageClass))
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestArchiveMakesAPST(t *testing.T) {
	w, sink, lister := newArchWorld(t, archSmall(), "eml", "pst"), &archSink{pst: t.TempDir()}, &archLister{}
	w.cfg.Lister = lister
	w.mustFetch(t, sink)
	got := archPST(t, filepath.Join(sink.pst, "alis-mail.pst"))
	want := map[string][]string{
		"Inbox IPF.Note":               {"Subject of it IPM.Note", "subject OF it IPM.Note", " IPM.Note"},
		"Inbox|Projects: a/b IPF.Note": {"Re: CON IPM.Note"},
		"Deleted Items ":               {"Gone IPM.Note"},
		"Archive IPF.Note":             nil,
		"Archive|2019 IPF.Note":        nil,
		"Contacts IPF.Contact":         {"Alis Jones IPM.Contact"},
		"Calendar IPF.Appointment":     {"Weekly meeting IPM.Appointment"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	notes := sink.noted(keepwatch.NoteMailbox)
	if len(notes) != 1 || !strings.HasPrefix(notes[0], "alis-mail.pst: ") || len(lister.asked) != 1 {
		t.Errorf("it was asked about %v; the notes are %q", lister.asked, notes)
	}
}

// TestArchivePSTKeepsWhatTheServerKnows: what a mail does not say of itself.
func TestArchivePSTKeepsWhatTheServerKnows(t *testing.T) {
	s := newArchSpool(archFolders()[0])
	it := outlook.Item{ID: "A", Folder: "in", Kind: outlook.Mail, Subject: "a", At: archTime("2020-02-03 04:05"), Created: archTime("2020-02-03 04:06"), Modified: archTime("2021-01-01 00:00"), Read: true, Flag: "flagged", Categories: []string{"Blue", "Red"}}
	s.put("in", archMade(it, archMail("a")))
	w, sink := newArchWorld(t, s, "pst"), &archSink{pst: t.TempDir()}
	w.mustFetch(t, sink)
	data, err := os.ReadFile(filepath.Join(sink.pst, "alis-mail.pst"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := reader.Open(bytes.NewReader(data), int64(len(data)), reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := file.Find("Inbox")
	if err != nil || d == nil {
		t.Fatal(d, err)
	}
	for m, err := range d.Messages() {
		if err != nil {
			t.Fatal(err)
		}
		ps, err := m.Properties()
		if err != nil {
			t.Fatal(err)
		}
		flags := ps.Int(pst.PidTagMessageFlags)
		flag := ps.Int(pst.PidTagFlagStatus)
		received := ps.Time(pst.PidTagMessageDeliveryTime)
		if flags&pst.FlagRead == 0 || flags&pst.FlagUnsent != 0 || flag != int64(mail.Flagged) || !received.Equal(it.At) {
			t.Errorf("flags %x, flag %d, received %v", flags, flag, received)
		}
		if all := fmt.Sprint(ps); !strings.Contains(all, "[Blue Red]") {
			t.Error("its categories are not there")
		}
	}
}

// TestArchiveWithoutAGoodPST: one that is not good is left out, and the card will say so.
func TestArchiveWithoutAGoodPST(t *testing.T) {
	a := map[string]tally{"inbox": {2, 7}, "sent": {}}
	for name, got := range map[string]map[string]tally{
		`it has no folder "sent"`: {"inbox": {2, 7}}, `its folder "inbox" has 1 item, and 2 were put into it`: {"inbox": {1, 7}, "sent": {}},
		`the subjects in its folder "inbox" are not those of what was put into it`: {"inbox": {2, 8}, "sent": {}}, `its folder "more" has 1 item, and 0 were put into it`: {"inbox": {2, 7}, "sent": {}, "more": {1, 1}}, "": a,
	} {
		if why := differ(a, got); why != name {
			t.Errorf("%v: %q", got, why)
		}
	}

	w, sink := newArchWorld(t, archSmall(), "pst"), &archSink{pst: t.TempDir()}
	w.cfg.Crash = func(point string) {
		if point != "outlook.fetch.pst-made" {
			return
		}
		f, err := os.OpenFile(filepath.Join(w.spools.dir, "run-7", "alis-mail.pst"), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte("a disk that fails"), 0x5000); err != nil {
			t.Fatal(err)
		}
	}
	w.mustFetch(t, sink)
	notes := sink.noted(keepwatch.NoteUnreadable)
	if len(notes) != 2 || !strings.HasPrefix(notes[1], "alis-mail.pst: this archive has no PST, since the one that was made is not good: alis-mail.pst: ") {
		t.Errorf("%q", notes)
	}
	if slices.Contains(sink.paths(), "alis-mail.pst") || !slices.Contains(sink.paths(), outlook.IndexPath) {
		t.Errorf("it stored %q", sink.paths())
	}
}

// TestArchiveNamesWhatIsNotInThePST: an item that a PST cannot hold is in the archive, and
// the index says so.
func TestArchiveNamesWhatIsNotInThePST(t *testing.T) {
	s := newArchSpool(archFolders()...)
	s.put("con", archMade(outlook.Item{ID: "A", Folder: "con", Kind: outlook.Contacts, Subject: "Nobody"}, "this is no card"))
	s.put("cal", archMade(outlook.Item{ID: "B", Folder: "cal", Kind: outlook.Calendar, Subject: "Nothing"}, "this is no calendar"),
		archMade(outlook.Item{ID: "C", Folder: "cal", Kind: outlook.Calendar, Subject: "Long"}, strings.Replace(archEvent, "SUMMARY", "ATTACH;ENCODING=BASE64;VALUE=BINARY:"+strings.Repeat("QUJD\r\n ", maxParsed/7)+"\r\nSUMMARY", 1)))
	w, sink := newArchWorld(t, s, "pst"), &archSink{pst: t.TempDir()}
	w.mustFetch(t, sink)
	lines := sink.lines(t, outlook.IndexPath)
	for i, want := range []string{"it could not be read as a vCard: it is kept as it came, and not in the PST", "it could not be read as a calendar: the text is no iCalendar: it has no VCALENDAR, no event and no task; it is kept as it came, and not in the PST",
		"what is attached to it is in its file, and too long for the PST"} {
		if !slices.Contains(lines[i].Notes, want) || lines[i].Path == "" {
			t.Errorf("%q is not among %q", want, lines[i].Notes)
		}
		if !slices.ContainsFunc(sink.noted(keepwatch.NoteInfo), func(n string) bool { return strings.HasPrefix(n, lines[i].Path+": "+want) }) {
			t.Errorf("no note of %s", lines[i].Path)
		}
	}
	if got := archPST(t, filepath.Join(sink.pst, "alis-mail.pst")); !slices.Equal(got["Calendar IPF.Appointment"], []string{"Weekly meeting IPM.Appointment"}) {
		t.Errorf("%q", got)
	}
}

func TestUnattachedPassesOverAttachments(t *testing.T) {
	long := strings.Repeat("QUJD", 40_000)
	text := "BEGIN:VEVENT\r\nATTACH;VALUE=BINARY:" + long + "\r\n " + long + "\r\n\tQUJD\r\nSUMMARY:" + long + "\r\n on\r\nattach:x\r\nATTACHED:no\r\nATTACH:y"
	got, err := io.ReadAll(&unattached{r: bufio.NewReaderSize(strings.NewReader(text), 64<<10)})
	if want := "BEGIN:VEVENT\r\nSUMMARY:" + long + "\r\n on\r\nATTACHED:no\r\n"; err != nil || string(got) != want {
		t.Errorf("%d bytes and not %d: %v", len(got), len(want), err)
	}
}

// archSamples are real mails, cards and calendars, as a mailbox has them.
func archSamples(t *testing.T) *archSpool {
	s := newArchSpool(archFolders()...)
	root := psttest.Sample(t, "mail")
	kinds := map[string]struct {
		folder string
		kind   outlook.Kind
	}{".eml": {"in", outlook.Mail}, ".raw": {"in", outlook.Mail}, ".vcf": {"con", outlook.Contacts}, ".ics": {"cal", outlook.Calendar}}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		at, known := kinds[filepath.Ext(path)]
		if err != nil || d.IsDir() || !known {
			return err
		}
		data, err := os.ReadFile(path)
		s.put(at.folder, archMade(outlook.Item{ID: path, Folder: at.folder, Kind: at.kind, Subject: d.Name(), At: archTime("2026-11-23 09:30")}, string(data)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestArchiveOfRealItems: every item of the samples is in the archive as it came, and in the
// PST or named; other readers count in that as many as ours.
func TestArchiveOfRealItems(t *testing.T) {
	s := archSamples(t)
	w, sink := newArchWorld(t, s, "eml", "pst"), &archSink{pst: t.TempDir()}
	w.mustFetch(t, sink)
	lines := sink.lines(t, outlook.IndexPath)
	if int64(len(lines)) != s.totals.Items {
		t.Errorf("%d lines of %d items", len(lines), s.totals.Items)
	}
	if n := sink.noted(keepwatch.NoteUnreadable); len(n) > 0 {
		t.Errorf("%q", n)
	}
	mails, absent := 0, map[outlook.Kind]int{}
	for _, l := range lines {
		if l.Kind == outlook.Mail {
			mails++
		}
		if slices.ContainsFunc(l.Notes, func(n string) bool {
			return strings.HasSuffix(n, "not in the PST") || strings.HasPrefix(n, "it is not in the PST")
		}) {
			absent[l.Kind]++
		}
	}
	path := filepath.Join(sink.pst, "alis-mail.pst")
	got := archPST(t, path)
	if n := len(got["Inbox IPF.Note"]); n != mails-absent[outlook.Mail] || absent[outlook.Mail] > 0 {
		t.Errorf("%d mails in the PST of %d, without %d", n, mails, absent[outlook.Mail])
	}
	t.Logf("%d mails, %d contacts, %d events in the PST; not in it %v", mails, len(got["Contacts IPF.Contact"]), len(got["Calendar IPF.Appointment"]), absent)
	archReadpst(t, path, mails)
	archPython(t, sink, lines)
}

// archProgram gives a program. Without it a test is left out, or fails where CI is set.
func archProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// archReadpst counts with readpst. -j 0: its default loses items.
func archReadpst(t *testing.T, path string, mails int) {
	t.Run("readpst", func(t *testing.T) {
		out := t.TempDir()
		if said, err := exec.CommandContext(t.Context(), archProgram(t, "readpst"), "-j", "0", "-e", "-t", "eajc", "-q", "-o", out, path).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		n := 0
		if err := filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(path) == ".eml" && strings.Contains(path, "Inbox") {
				n++
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if n != mails {
			t.Errorf("readpst finds %d mails of %d", n, mails)
		}
	})
	t.Run("pffexport", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "out")
		if said, err := exec.CommandContext(t.Context(), archProgram(t, "pffexport"), "-q", "-m", "items", "-t", out, path).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		n, err := filepath.Glob(filepath.Join(out+".export", "Top of Outlook data file", "Inbox", "Message*"))
		if err != nil || len(n) != mails {
			t.Errorf("pffexport finds %d mails of %d: %v", len(n), mails, err)
		}
	})
}

// archPython reads what was stored with Python's email package.
func archPython(t *testing.T, sink *archSink, lines []outlook.Line) {
	t.Run("python", func(t *testing.T) {
		dir, n := t.TempDir(), 0
		for _, l := range lines {
			if text := sink.texts[l.Path]; l.Kind == outlook.Mail && len(text) > 0 {
				n++
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.eml", n)), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		const program = "import sys, glob, email, email.policy\nn = 0\nfor f in glob.glob(sys.argv[1] + '/*.eml'):\n    m = email.message_from_binary_file(open(f, 'rb'), policy=email.policy.compat32)\n    n += len(m.keys()) > 0\nprint(n)\n"
		said, err := exec.CommandContext(t.Context(), archProgram(t, "python3"), "-c", program, dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		headless := 0
		for _, l := range lines {
			if slices.ContainsFunc(l.Notes, func(n string) bool { return strings.HasPrefix(n, "it has no header") }) && l.Bytes > 0 {
				headless++
			}
		}
		if got := strings.TrimSpace(string(said)); got != fmt.Sprint(n-headless) {
			t.Errorf("Python finds a header in %s mails of %d, of which %d have none by our reading", got, n, headless)
		}
	})
}

func TestArchiveBoundsTheItemsOfAVolume(t *testing.T) {
	for _, c := range []struct {
		totals outlook.Totals
		want   int64
	}{
		{outlook.Totals{Items: 1000, Bytes: 50 << 30}, 10 << 30}, {outlook.Totals{Items: 100_000, Bytes: 1 << 30}, 10 << 30},
		{outlook.Totals{Items: 1_000_000, Bytes: 100 << 30}, 10 << 30}, {outlook.Totals{Items: 1_000_000, Bytes: 2_000_000_000}, (2500 + roomOfItem) * 100_000},
	} {
		if got := volumeSize(c.totals); got != c.want {
			t.Errorf("%+v: %d, not %d", c.totals, got, c.want)
		}
	}
}

// TestArchiveOfSeveralVolumes: all of them are proved together, and stored.
func TestArchiveOfSeveralVolumes(t *testing.T) {
	s := archMany(600)
	w, sink, lister := newArchWorld(t, s, "pst"), &archSink{pst: t.TempDir()}, &archLister{}
	w.cfg.Lister = lister
	p, err := New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	a := &archiving{p: p, ctx: t.Context(), job: w.job, sink: sink, k: w.kept, spool: s, volumeSize: 2 << 20, remarks: remarks{sink: sink}}
	if err := a.run(); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	volumes := 0
	for _, path := range sink.paths() {
		if filepath.Ext(path) != ".pst" {
			continue
		}
		volumes++
		for folder, items := range archPST(t, filepath.Join(sink.pst, path)) {
			got[folder] += len(items)
		}
	}
	if volumes < 2 || len(lister.asked) != volumes || len(sink.noted(keepwatch.NoteUnreadable)) > 0 || !slices.Contains(sink.paths(), "alis-mail-2.pst") {
		t.Errorf("%d volumes, %d looked into; %q", volumes, len(lister.asked), sink.noted(keepwatch.NoteUnreadable))
	}
	if got["Inbox IPF.Note"] != 480 || got["Inbox|Projects: a/b IPF.Note"] != 60 || got["Contacts IPF.Contact"] != 30 || got["Calendar IPF.Appointment"] != 30 {
		t.Errorf("%v", got)
	}
}
