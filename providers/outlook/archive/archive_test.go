package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// archFolders are those of a small mailbox.
func archFolders() []outlook.Folder {
	return []outlook.Folder{
		{ID: "in", Kind: outlook.Mail, Path: []string{"Inbox"}, WellKnown: "inbox", Items: 5},
		{ID: "proj", Parent: "in", Kind: outlook.Mail, Path: []string{"Inbox", "Projects: a/b"}, Items: -1},
		{ID: "del", Kind: outlook.Mail, Path: []string{"Gelöschte Elemente"}, WellKnown: "deleteditems"},
		{ID: "con", Kind: outlook.Contacts, Path: []string{"Contacts"}, Default: true, Items: 1},
		{ID: "cal", Kind: outlook.Calendar, Path: []string{"Calendar"}, Default: true, Items: 1},
		{ID: "old", Kind: outlook.Mail, Path: []string{"Archive", "2019"}},
	}
}

// archSmall has one of each, and what goes wrong.
func archSmall() *archSpool {
	s := newArchSpool(archFolders()...)
	at := archTime("2026-11-23 09:30")
	s.put("in",
		archMade(outlook.Item{ID: "AAA", Folder: "in", Kind: outlook.Mail, Subject: "Subject of it", At: at, Read: true, Flag: "flagged", Categories: []string{"Blue"}}, archMail("Subject of it")),
		archMade(outlook.Item{ID: "BBB", Folder: "in", Kind: outlook.Mail, Subject: "subject OF it", At: at}, archMail("subject OF it")),
		archMade(outlook.Item{ID: "CCC", Folder: "in", Kind: outlook.Mail, Subject: "", At: at}, "no mail at all"),
		archItem{Record: outlook.Record{Item: outlook.Item{ID: "DDD", Folder: "in", Kind: outlook.Mail, Subject: "Poison", At: at}, Missing: "the server cannot convert it"}},
	)
	rebuilt := archMade(outlook.Item{ID: "EEE", Folder: "proj", Kind: outlook.Mail, Subject: "Re: CON", At: at}, archMail("Re: CON"))
	rebuilt.Rebuilt, rebuilt.Notes = "the server cannot convert it to MIME", []string{"the file x.doc is a link"}
	s.put("proj", rebuilt)
	s.put("del", archMade(outlook.Item{ID: "FFF", Folder: "del", Kind: outlook.Mail, Subject: "Gone", At: at}, archMail("Gone")))
	s.put("con", archMade(outlook.Item{ID: "GGG", Folder: "con", Kind: outlook.Contacts, Subject: "Alis Jones", At: at}, archCard))
	s.put("cal", archMade(outlook.Item{ID: "HHH", Folder: "cal", Kind: outlook.Calendar, Subject: "Weekly meeting", At: archTime("2026-11-23 09:00")}, archEvent))
	return s
}

func TestArchiveLaysOutAMailbox(t *testing.T) {
	w, sink := newArchWorld(t, archSmall(), "eml"), &archSink{}
	w.mustFetch(t, sink)
	want := []string{
		"mail", "mail/Inbox", "mail/Inbox/Projects a-b", "mail/Gelöschte Elemente", "contacts", "contacts/Contacts", "calendar", "calendar/Calendar", "mail/Archive", "mail/Archive/2019",
		"mail/Inbox/2026-11-23 0930 Subject of it.eml", "mail/Inbox/2026-11-23 0930 subject OF it (3tnx).eml", "mail/Inbox/2026-11-23 0930 no subject.eml",
		"mail/Inbox/Projects a-b/2026-11-23 0930 Re CON.eml", "mail/Gelöschte Elemente/2026-11-23 0930 Gone.eml",
		"contacts/Contacts/Alis Jones.vcf", "calendar/Calendar/2026-11-23 Weekly meeting.ics", outlook.StatePath, outlook.IndexPath,
	}
	if d := cmp.Diff(want, sink.paths()); d != "" {
		t.Error(d)
	}
	for _, e := range sink.entries {
		if mode := map[keepwatch.EntryType]uint32{keepwatch.EntryFile: 0o600, keepwatch.EntryFolder: 0o700}[e.Type]; e.Mode != mode || e.ModTime.IsZero() {
			t.Errorf("%s has the mode %o and the time %v", e.Path, e.Mode, e.ModTime)
		}
	}
	lines := sink.lines(t, outlook.IndexPath)
	if len(lines) != 8 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines {
		if l.Missing == "" && (l.SHA256 == "" || int64(len(sink.texts[l.Path])) != l.Bytes) {
			t.Errorf("the line of %s: %+v", l.ID, l)
		}
	}
	if l := lines[3]; l.Missing != "the server cannot convert it" || l.Path != "" {
		t.Errorf("what is missing: %+v", l)
	}
	if l := lines[4]; l.Rebuilt == "" || len(l.Notes) != 1 || !slices.Equal(l.In, []string{"Inbox", "Projects: a/b"}) {
		t.Errorf("what was rebuilt: %+v", l)
	}
	if d := cmp.Diff([]string{"mail/Inbox/2026-11-23 0930 Poison.eml: the server cannot convert it"}, sink.noted(keepwatch.NoteUnreadable)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{
		"mail/Inbox/2026-11-23 0930 no subject.eml: it has no header, and could not be read as a mail: it is kept as it came",
		"mail/Inbox/Projects a-b/2026-11-23 0930 Re CON.eml: it was put together from its parts: the server cannot convert it to MIME; the file x.doc is a link",
	}, sink.noted(keepwatch.NoteInfo)); d != "" {
		t.Error(d)
	}
	var state outlook.State
	if err := json.Unmarshal([]byte(sink.texts[outlook.StatePath]), &state); err != nil {
		t.Fatal(err)
	}
	if s := state.Folders[0]; s.Kept != 3 || s.Missing != 1 || !s.Whole || s.State != "state of in" || state.Mailbox != "alis@contoso.example" || !state.Taken.Equal(w.kept.Taken) {
		t.Errorf("%+v of %+v", s, state)
	}
	if d := cmp.Diff(map[keepwatch.ItemKind]int64{keepwatch.ItemMail: 5, keepwatch.ItemContact: 1, keepwatch.ItemEvent: 1}, w.found.Items); d != "" {
		t.Error(d)
	}
	if w.found.Files != 9 || w.found.Bytes != sink.bytes || w.base != "" {
		t.Errorf("found %+v; changes of %q", w.found, w.base)
	}
}

// TestArchiveIsTheSameAgain: what a kill cut off comes out byte by byte the same.
func TestArchiveIsTheSameAgain(t *testing.T) {
	var sums []string
	for range 2 {
		w, sink := newArchWorld(t, archSmall(), "eml", "pst"), &archSink{}
		ctx, cancel := context.WithCancel(t.Context())
		sink.before = func(path string) {
			if path == outlook.IndexPath {
				cancel()
			}
		}
		if err := w.fetch(ctx, t, sink); !errors.Is(err, context.Canceled) {
			t.Fatalf("cut off: %v", err)
		}
		sink = &archSink{}
		w.mustFetch(t, sink)
		var b strings.Builder
		for _, e := range sink.entries {
			fmt.Fprintf(&b, "%+v\n", e)
		}
		sums = append(sums, b.String())
	}
	if d := cmp.Diff(sums[0], sums[1]); d != "" {
		t.Error(d)
	}
}

func TestArchiveCountsWhatTheMailboxCounted(t *testing.T) {
	s := archSmall()
	s.folders[4].Items = 3
	w, sink := newArchWorld(t, s), &archSink{}
	w.mustFetch(t, sink)
	if got := sink.noted(keepwatch.NoteInfo); !slices.ContainsFunc(got, func(n string) bool {
		return strings.HasPrefix(n, "calendar/Calendar: the mailbox counted 3 items in this folder, and 1 were there")
	}) {
		t.Error(got)
	}
}

func TestArchiveRefusesWhatIsNotWhatWasDownloaded(t *testing.T) {
	long := strings.Repeat("x", maxSpare+10)
	for name, text := range map[string]string{"short": "abc", "long": archMail("a") + long} {
		for how, other := range map[string]string{"shorter": text[:len(text)-1], "longer": text + "x", "another": text[:len(text)-1] + "?"} {
			t.Run(name+" "+how, func(t *testing.T) {
				s := newArchSpool(archFolders()...)
				it := archMade(outlook.Item{ID: "A", Folder: "in", Kind: outlook.Mail}, text)
				it.open = func() archContent { return strings.NewReader(other) }
				s.put("in", it)
				w := newArchWorld(t, s)
				err := w.fetch(t.Context(), t, &archSink{loose: true})
				if !errors.Is(err, outlook.ErrLost) || keepwatch.KindOf(err) != keepwatch.KindAttention {
					t.Errorf("it gave %v", err)
				}
			})
		}
	}
}

// TestArchiveStopsWhereTheDiskFails: a vault would fill up with zeros what the disk of a
// source does not give, and that disk is ours.
func TestArchiveStopsWhereTheDiskFails(t *testing.T) {
	for _, size := range []int{10, maxSpare + 10} {
		s := newArchSpool(archFolders()...)
		it := archMade(outlook.Item{ID: "A", Folder: "in", Kind: outlook.Mail}, strings.Repeat("x", size))
		it.open = func() archContent { return archFailing{strings.NewReader("")} }
		s.put("in", it)
		w := newArchWorld(t, s)
		if err := w.fetch(t.Context(), t, &archSink{loose: true}); !errors.Is(err, syscall.EIO) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// archFailing is on a disk that fails.
type archFailing struct{ *strings.Reader }

func (archFailing) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: "spool", Err: syscall.EIO}
}

func (archFailing) WriteTo(io.Writer) (int64, error) { return 0, syscall.EIO }

func TestArchiveObeysItsContext(t *testing.T) {
	s := newArchSpool(archFolders()...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	it := archMade(outlook.Item{ID: "A", Folder: "in", Kind: outlook.Mail}, strings.Repeat("x", 8<<20))
	it.open = func() archContent {
		return archHook{strings.NewReader(strings.Repeat("x", 8<<20)), func() {
			if n++; n == 3 {
				cancel()
			}
		}}
	}
	s.put("in", it)
	w := newArchWorld(t, s, "pst")
	if err := w.fetch(ctx, t, &archSink{}); !errors.Is(err, context.Canceled) || n > 4 {
		t.Errorf("%v after %d reads", err, n)
	}
}

// archAt tells of each ReadAt.
type archAt struct {
	*archLong
	readAt func()
}

func (a archAt) ReadAt(p []byte, off int64) (int, error) {
	a.readAt()
	return a.archLong.ReadAt(p, off)
}

// archWatched is a mail that is too long for memory, with a hook.
func archWatched(readAt func()) archItem {
	it := archBig(20 << 20)
	open := it.open
	it.open = func() archContent { return archAt{open().(*archLong), readAt} }
	return it
}

func TestArchiveObeysItsContextWhileItParses(t *testing.T) {
	for _, formats := range [][]string{nil, {"pst"}} {
		s := newArchSpool(archFolders()...)
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		s.put("in", archWatched(func() {
			if n++; n == 5 {
				cancel()
			}
		}))
		w := newArchWorld(t, s, formats...)
		if err := w.fetch(ctx, t, &archSink{}); !errors.Is(err, context.Canceled) || n != 5 {
			t.Errorf("%v after %d reads", err, n)
		}
	}
}

// TestArchiveKeepsWhatBreaksOurOwnCode: one poisonous item costs itself its place in the
// PST, and nothing else.
func TestArchiveKeepsWhatBreaksOurOwnCode(t *testing.T) {
	s := newArchSpool(archFolders()...)
	n := 0
	s.put("in", archWatched(func() {
		if n++; n == 5 {
			panic("a mistake")
		}
	}), archMade(outlook.Item{ID: "B", Folder: "in", Kind: outlook.Mail, Subject: "b"}, archMail("b")))
	w, sink := newArchWorld(t, s, "pst"), &archSink{pst: t.TempDir()}
	w.mustFetch(t, sink)
	lines := sink.lines(t, outlook.IndexPath)
	if len(lines) != 2 || lines[0].Path == "" || len(lines[0].Notes) != 1 || !strings.HasSuffix(lines[0].Notes[0], "it is kept as it came, and not in the PST") {
		t.Errorf("%+v", lines)
	}
	if got := archPST(t, filepath.Join(sink.pst, "alis-mail.pst"))["Inbox IPF.Note"]; !slices.Equal(got, []string{"b IPM.Note"}) {
		t.Errorf("%q", got)
	}
}

// archHook tells of each Read.
type archHook struct {
	*strings.Reader
	read func()
}

func (h archHook) Read(p []byte) (int, error) { h.read(); return h.Reader.Read(p) }

func (h archHook) WriteTo(w io.Writer) (int64, error) { panic("it would not be asked again") }

func TestArchiveSaysWhereItHasNoRoom(t *testing.T) {
	w := newArchWorld(t, archSmall(), "pst")
	w.spools.free = 1 << 20
	err := w.fetch(t.Context(), t, &archSink{})
	if keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), keepwatch.FormatBytes(1<<20)+" are free") {
		t.Errorf("it gave %v", err)
	}
}

func TestArchiveWithoutADownload(t *testing.T) {
	w := newArchWorld(t, archSmall())
	w.kept.Key = nil
	if err := w.fetch(t.Context(), t, &archSink{}); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Errorf("it gave %v", err)
	}
}

// A spool that has gone is begun anew by whoever opens it, and one that is half read has
// fewer items than the mailbox: neither may become an archive that counts as whole.
func TestArchiveRefusesWhatIsNotAllOfADownload(t *testing.T) {
	half := archSmall()
	half.at["proj"] = outlook.Position{Next: "a page", Full: true}
	unread := archSmall()
	unread.at["old"] = outlook.Position{}
	for name, s := range map[string]*archSpool{"gone": newArchSpool(), "half read": half, "a folder that was not read": unread} {
		w := newArchWorld(t, s, "pst")
		err := w.fetch(t.Context(), t, &archSink{})
		if keepwatch.KindOf(err) != keepwatch.KindAttention || !errors.Is(err, outlook.ErrLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestArchiveBoundsItsRemarks(t *testing.T) {
	s := newArchSpool(archFolders()[0])
	for i := range maxRemarks + 20 {
		it := archMade(outlook.Item{ID: fmt.Sprint(i), Folder: "in", Kind: outlook.Mail, Subject: "a"}, archMail("a"))
		it.Rebuilt = "the server cannot"
		s.put("in", it)
	}
	w, sink := newArchWorld(t, s), &archSink{}
	w.mustFetch(t, sink)
	notes := sink.noted(keepwatch.NoteInfo)
	if len(notes) != maxRemarks+1 || !strings.HasPrefix(notes[maxRemarks], "index.jsonl: 20 notes more") {
		t.Errorf("%d notes, the last is %q", len(notes), notes[len(notes)-1])
	}
	if n := len(sink.lines(t, outlook.IndexPath)); n != maxRemarks+20 {
		t.Errorf("%d lines", n)
	}
}
