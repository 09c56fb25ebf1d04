package mailbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/psttest"
)

// TestListRealFiles: what real Outlook wrote is counted as Outlook shows it.
func TestListRealFiles(t *testing.T) {
	for name, want := range map[string]struct {
		format, title, kinds string
		folders, items       int64
	}{
		"ms-Empty.pst":              {"Unicode", "UNICODE1", "", 1, 0},
		"java-libpst-dist-list.pst": {"Unicode", "Personal Folders", "1 appointment, 2 contacts", 12, 3},
		"go-pst-32-bit-ansi.pst":    {"ANSI", "Personal Folders", "1 appointment", 2, 1},
	} {
		data := psttest.Outlook(t, name)
		m, err := Lister{}.List(context.Background(), bytes.NewReader(data), int64(len(data)))
		if err != nil || m.Hurt() || m.Format != want.format || m.Count != want.folders || m.Items != want.items || keepwatch.CountKinds(m.Kinds) != want.kinds || m.Name == "" {
			t.Errorf("%s: %v %+v", name, err, m)
		}
	}
}

// TestListDamage: whatever is broken of a file, it is listed as far as it goes, and what
// is damaged is said.
func TestListDamage(t *testing.T) {
	good := psttest.Outlook(t, "java-libpst-dist-list.pst")
	silent, told := 0, 0
	for at := 0x4400; at < len(good); at += 9 * 0x200 {
		bad := bytes.Clone(good)
		for i := range 0x200 {
			bad[at+i] ^= 0x5a
		}
		m, err := Lister{}.List(context.Background(), bytes.NewReader(bad), int64(len(bad)))
		if err != nil {
			t.Fatalf("%#x: %v", at, err)
		}
		switch {
		case m.Hurt():
			told++
			for _, d := range m.Damage {
				if !strings.HasSuffix(d.Text, ".") || strings.Contains(d.Text, "\n") {
					t.Errorf("%#x: %q is no sentence", at, d.Text)
				}
			}
		case m.Items == 3 && m.Count == 12:
			silent++ // a part that is not needed for a list
		default:
			t.Errorf("%#x: %d items and %d folders, and nothing is said to be damaged", at, m.Items, m.Count)
		}
	}
	if told < 3 {
		t.Errorf("damage was told of %d times, and %d times nothing was lost", told, silent)
	}
}

// TestListOfWhatCannotBeRead: of a whole file of a kind that nobody can look into, and of
// one that is wrecked behind its header, that is said, and nothing is called whole.
func TestListOfWhatCannotBeRead(t *testing.T) {
	good := psttest.Outlook(t, listFile)
	newer, wrecked := bytes.Clone(good), bytes.Clone(good)
	newer[10] = 36
	binary.LittleEndian.PutUint32(newer[4:], pst.Checksum(newer[8:8+471]))
	binary.LittleEndian.PutUint32(newer[524:], pst.Checksum(newer[8:8+516]))
	clear(wrecked[0x4400:])
	for _, c := range []struct {
		data         []byte
		format, want string
		worst        keepwatch.MailWorst
		checked      bool
	}{
		{newer, "Unicode 4K", "It is of a kind that Keepwatch cannot look into", "", false},
		{wrecked, "Unicode", "", keepwatch.MailRuined, true},
		{good[:1000], "", "It is cut off", "", false},
	} {
		m, err := Lister{}.List(context.Background(), bytes.NewReader(c.data), int64(len(c.data)))
		if err != nil || m.Format != c.format || !strings.Contains(m.Trouble, c.want) || (m.Check != nil) != c.checked || c.checked && (m.Check.Worst != c.worst || m.Damaged == 0) {
			t.Errorf("%v %+v %+v", err, m, m.Check)
		}
	}
}

// TestListIsStopped: a stop is an error, and no damage.
func TestListIsStopped(t *testing.T) {
	data := psttest.Outlook(t, "java-libpst-dist-list.pst")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if m, err := (Lister{}).List(ctx, bytes.NewReader(data), int64(len(data))); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v %v", m, err)
	}
}

const listFile = "java-libpst-dist-list.pst"

// TestRestoreFolder: a whole file, a folder, an item, in new folders that appear whole.
func TestRestoreFolder(t *testing.T) {
	w := seal(t, map[string][]byte{"in/list.pst": psttest.Outlook(t, listFile), "notes.txt": []byte("no data file")})
	to := filepath.Join(w.dir, "out")
	plan, result, err := w.restore(t, to, "in/list.pst/")
	if err != nil || plan.To != to || plan.Items != 3 || result.Items != 3 || keepwatch.CountKinds(result.Kinds) != "1 appointment, 2 contacts" {
		t.Fatalf("%v %+v %+v", err, plan, result)
	}
	want := []string{"Keepwatch report.txt", "list/Calendar/2016-08-02 Test appointment #1.ics", "list/Contacts/2014-05-25 contact name 1 #2.eml", "list/Contacts/2014-05-25 test dist list #1.eml"}
	if diff := cmp.Diff(want, listed(t, to)); diff != "" {
		t.Error(diff)
	}
	if result.Counts[keepwatch.NoteHalf] != 2 || !strings.Contains(result.Notes[0].Text, "it could not be written as vcf (it has no name), so it is a mail") {
		t.Errorf("%+v", result.Notes)
	}
	report, err := os.ReadFile(filepath.Join(to, reportName))
	if err != nil || !strings.Contains(string(report), "in/list.pst/Contacts/#2 is here in part: it could not be written as vcf") || !strings.Contains(string(report), "Written: 1 appointment, 2 contacts") {
		t.Errorf("%v %s", err, report)
	}
	// the folder is there now: another one is made in it
	plan, result, err = w.restore(t, to, "in/list.pst/calendar", "in/list.pst/Contacts/#2")
	if err != nil || plan.To != filepath.Join(to, "list (2)") || result.Items != 2 {
		t.Fatalf("%v %+v %+v", err, plan, result)
	}
	if diff := cmp.Diff([]string{"2014-05-25 contact name 1 #2.eml", "Calendar/2016-08-02 Test appointment #1.ics", "Keepwatch report.txt"}, listed(t, plan.To)); diff != "" {
		t.Error(diff)
	}
	if len(plan.What) != 2 || plan.What[0].Part != "in/list.pst/Calendar" || plan.What[1].Subject != "contact name 1" {
		t.Errorf("%+v", plan.What)
	}
}

// TestRefusals: what is not there is said, with the way to what is.
func TestRefusals(t *testing.T) {
	w := seal(t, map[string][]byte{"list.pst": psttest.Outlook(t, listFile), "notes.txt": []byte("no data file")})
	file := filepath.Join(w.dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		part, to, want string
		kind           keepwatch.Kind
	}{
		{"list.pst/Inbx", "", "there is no folder Inbx", keepwatch.KindNotFound},
		{"list.pst/Contacts/#3", "", "There is no item 3 in it: there are 2 items.", keepwatch.KindNotFound},
		{"list.pst/Contacts/#0", "", "there is no folder Contacts/#0", keepwatch.KindNotFound},
		{"notes.txt/Inbox", "", "It does not begin with !BDN", keepwatch.KindInvalid},
		{"other.pst/Inbox", "", "holds no Outlook data file", keepwatch.KindNotFound},
		{"list.pst/Inbox", file, "is a file", keepwatch.KindConflict},
		{"list.pst/Inbox", filepath.Join(w.dir, "vault", "x"), "Keepwatch's own", keepwatch.KindConflict},
	} {
		to := c.to
		if to == "" {
			to = filepath.Join(w.dir, "new")
		}
		_, err := w.Plan(context.Background(), w.ref, keepwatch.Ask{Archive: w.ref, Parts: []string{c.part}, To: to}, keepwatch.MailQuery{})
		if keepwatch.KindOf(err) != c.kind || !strings.Contains(keepwatch.Sentence(err), c.want) {
			t.Errorf("%s: %v", c.part, err)
		}
	}
	if _, err := w.Extract(context.Background(), w.task(w.dir, "list.pst/Inbox")); keepwatch.KindOf(err) != keepwatch.KindConflict {
		t.Errorf("into a folder that is there: %v", err)
	}
}

// TestNoRoom: what does not fit is refused before it is tried, with the figures.
func TestNoRoom(t *testing.T) {
	w := seal(t, map[string][]byte{"list.pst": psttest.Outlook(t, listFile)}).older(t)
	w.cfg.Free = func(string) (int64, error) { return 1 << 20, nil }
	_, err := w.Page(context.Background(), w.ref, "list.pst/Inbox", 1, 10)
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(err.Error(), "and 1.0 MiB are free") {
		t.Errorf("%v", err)
	}
}

// TestOnlyDataFilesAreUnpacked: a file that is none, such as the full backup of an
// account, is not unpacked to find that out, and no room is asked for.
func TestOnlyDataFilesAreUnpacked(t *testing.T) {
	w := seal(t, map[string][]byte{"backup.tar.gz": bytes.Repeat([]byte("home/mail.pst "), 1<<18), "tiny.pst": []byte("!BDN"), "empty.pst": nil, "copy": bytes.Repeat([]byte("home/mail.pst "), 1<<10)})
	w.cfg.Free = func(string) (int64, error) { return 0, nil }
	w.crash = func(point string) { t.Errorf("reached %s", point) }
	for _, part := range []string{"backup.tar.gz/home/mail.pst", "tiny.pst", "empty.pst", "copy"} {
		_, err := w.Page(context.Background(), w.ref, part, 1, 10)
		if keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(err.Error(), "cannot be looked into") {
			t.Errorf("%s: %v", part, err)
		}
	}
}

// TestPage: items are listed with their numbers, and folders below.
func TestPage(t *testing.T) {
	w := seal(t, map[string][]byte{"list.pst": psttest.Outlook(t, listFile)})
	page, err := w.Page(context.Background(), w.ref, "list.pst/CONTACTS", 2, 10)
	if err != nil || page.Total != 2 || page.Folder.Path != "Contacts" || len(page.Items) != 1 || page.Items[0].Number != 2 || page.Items[0].Subject != "contact name 1" || page.Items[0].Kind != keepwatch.ItemContact {
		t.Errorf("%v %+v", err, page)
	}
	page, err = w.Page(context.Background(), w.ref, "list.pst/", 1, 10)
	if err != nil || page.Total != 0 || len(page.Below) != 12 {
		t.Errorf("%v %+v", err, page)
	}
	page, err = w.Page(context.Background(), w.ref, "list.pst/Contacts/#1", 1, 10)
	if err != nil || len(page.Items) != 1 || page.Items[0].Subject != "test dist list" {
		t.Errorf("%v %+v", err, page)
	}
	if page, err = w.Page(context.Background(), w.ref, "list.pst/Contacts", 99, 10); err != nil || len(page.Items) != 1 {
		t.Errorf("behind the end: %v %+v", err, page)
	}
}

// TestUnpackedOnce: a file stays unpacked while somebody looks at it, encrypted, and is
// removed when nobody has for a while.
func TestUnpackedOnce(t *testing.T) {
	data := psttest.Outlook(t, listFile)
	w := seal(t, map[string][]byte{"a.pst": data, "b.pst": data}).older(t)
	unpacked := 0
	w.crash = func(point string) {
		if point == "mailbox.unpack.done" {
			unpacked++
		}
	}
	look := func(part string) {
		t.Helper()
		if _, err := w.Page(context.Background(), w.ref, part, 1, 5); err != nil {
			t.Fatal(err)
		}
	}
	left := func() []string {
		names, _ := filepath.Glob(filepath.Join(w.dir, "opened", "*"))
		return names
	}
	look("a.pst/Contacts")
	look("a.pst/Calendar")
	if unpacked != 1 || len(left()) != 1 {
		t.Errorf("unpacked %d times, %d files lie there", unpacked, len(left()))
	}
	info, err := os.Stat(left()[0])
	raw, readErr := os.ReadFile(left()[0])
	if err != nil || readErr != nil || info.Mode().Perm() != 0o600 || bytes.Contains(raw, []byte("!BDN")) || int64(len(raw)) != int64(len(data)) {
		t.Errorf("the file: %v %v %v, as it is: %v", err, readErr, info.Mode(), bytes.Contains(raw, []byte("!BDN")))
	}
	w.idle[0]() // the first look's time is up, but it was used since
	if len(left()) != 1 {
		t.Error("a file that was used since is gone")
	}
	look("b.pst/Contacts")
	if unpacked != 2 || len(left()) != 1 {
		t.Errorf("of two files %d lie unpacked", len(left()))
	}
	w.idle[len(w.idle)-1]()
	if len(left()) != 0 {
		t.Errorf("after a while there is still %q", left())
	}
}

// TestKilled: a restore that is killed at any point leaves nothing half and nothing in
// the clear, and can be done again to the same end.
func TestKilled(t *testing.T) {
	data := psttest.Outlook(t, listFile)
	type killed struct{ point string }
	for _, point := range []string{"mailbox.unpack.begun", "mailbox.unpack.done", "vault.folder.begun", "mailbox.extract.item", "vault.folder.synced", "vault.folder.renamed"} {
		t.Run(point, func(t *testing.T) {
			w := seal(t, map[string][]byte{"list.pst": data}).older(t)
			to := filepath.Join(w.dir, "deep", "out")
			task := w.task(to, "list.pst/")
			var saved []byte
			task.Checkpoint = func(data json.RawMessage) error { saved = bytes.Clone(data); return nil }
			w.crash = func(at string) {
				if at == point {
					panic(killed{point})
				}
			}
			func() {
				defer func() {
					if p, ok := recover().(killed); !ok || p.point != point {
						t.Fatalf("it was not killed: %v", p)
					}
				}()
				_, _ = w.Extract(context.Background(), task)
			}()
			w.crash = func(string) {}
			if _, err := os.Stat(to); (err == nil) != (point == "vault.folder.renamed") {
				t.Errorf("the folder: %v", err)
			}
			again := New(w.cfg) // another process
			if err := again.Sweep(); err != nil {
				t.Fatal(err)
			}
			if left, _ := filepath.Glob(filepath.Join(w.dir, "opened", "*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			w.kept = nil
			w.Mailboxes = again
			task.Run.Result.Checkpoint = saved
			result, err := again.Extract(context.Background(), task)
			if err != nil || result.Items != 3 || len(result.Checkpoint) > 0 {
				t.Errorf("done again: %v %+v", err, result)
			}
			if got := listed(t, to); len(got) != 4 {
				t.Errorf("restored: %q", got)
			}
			if beside, _ := filepath.Glob(filepath.Join(w.dir, "deep", "*")); len(beside) != 1 {
				t.Errorf("beside it: %q", beside)
			}
		})
	}
}

// TestCancelled: what a restore that is stopped has written is gone.
func TestCancelled(t *testing.T) {
	w := seal(t, map[string][]byte{"list.pst": psttest.Outlook(t, listFile)})
	ctx, cancel := context.WithCancel(context.Background())
	w.crash = func(point string) {
		if point == "mailbox.extract.item" {
			cancel()
		}
	}
	to := filepath.Join(w.dir, "place", "out")
	if _, err := w.Extract(ctx, w.task(to, "list.pst/")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "place", "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestRestoreOfDamage: of a damaged file everything comes that can be read, and the
// report names the rest.
func TestRestoreOfDamage(t *testing.T) {
	good := psttest.Outlook(t, listFile)
	whole, part := 0, 0
	for at := 0x4800; at < len(good); at += 7 * 0x200 {
		if bytes.Count(good[at:at+0x200], []byte{0}) == 0x200 {
			continue
		}
		bad := bytes.Clone(good)
		for i := range 0x200 {
			bad[at+i] ^= 0x5a
		}
		w := seal(t, map[string][]byte{"list.pst": bad})
		to := filepath.Join(w.dir, "out")
		plan, result, err := w.restore(t, to, "list.pst/")
		switch {
		case err != nil && keepwatch.KindOf(err) != keepwatch.KindInvalid:
			t.Errorf("%#x: %v", at, err)
		case err != nil: // nothing of it can be found
		case result.Counts[keepwatch.NoteUnreadable] > 0 || result.Counts[keepwatch.NoteHalf] > 2 || plan.Items < 3: // two contacts always are in part, see forms
			part++
			report, _ := os.ReadFile(filepath.Join(to, reportName))
			if result.Counts[keepwatch.NoteUnreadable] > 0 && !strings.Contains(string(report), "is missing: ") {
				t.Errorf("%#x: the report does not say what is missing: %s", at, report)
			}
		default:
			whole++
			if result.Items != 3 {
				t.Errorf("%#x: %d items, and nothing is said", at, result.Items)
			}
		}
	}
	if part == 0 || whole == 0 {
		t.Errorf("%d times a part was lost, %d times nothing", part, whole)
	}
}

func TestScratch(t *testing.T) {
	data := make([]byte, 100_003)
	for i := range data {
		data[i] = byte(i * 7)
	}
	s, err := newScratch(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.fill(bytes.NewReader(data), make([]byte, 777)); err != nil || s.size != int64(len(data)) {
		t.Fatal(err)
	}
	for _, at := range []int{0, 1, 15, 16, 17, 4095, 65_536, 100_002} {
		for _, n := range []int{1, 15, 16, 33, 5000} {
			got := make([]byte, n)
			read, _ := s.ReadAt(got, int64(at))
			if want := data[at:min(at+n, len(data))]; !slices.Equal(got[:read], want) {
				t.Errorf("%d bytes at %d are not those that were written", n, at)
			}
		}
	}
}
