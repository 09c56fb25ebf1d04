package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// notesOf gives all notes of an archive, from its sealed list.
func notesOf(t *testing.T, v *Vault, ref string) []keepwatch.Note {
	t.Helper()
	var notes []keepwatch.Note
	err := v.Contents(context.Background(), ref, func(keepwatch.Entry) error { return nil }, func(n keepwatch.Note) error { notes = append(notes, n); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return notes
}

// uneven are contents that are not as long as they were said to be.
func uneven() []struct {
	what    string
	size    int64
	content io.Reader
	stored  string
	note    keepwatch.NoteKind
} {
	disk := &fs.PathError{Op: "read", Path: "x", Err: syscall.EIO}
	text := func(s string) io.Reader { return strings.NewReader(s) }
	return []struct {
		what    string
		size    int64
		content io.Reader
		stored  string
		note    keepwatch.NoteKind
	}{
		{"as it said", 5, text("12345"), "12345", ""},
		{"in single bytes", 5, iotest.OneByteReader(text("12345")), "12345", ""},
		{"with its end at once", 5, iotest.DataErrReader(text("12345")), "12345", ""},
		{"shorter", 8, text("12345"), "12345\x00\x00\x00", keepwatch.NoteHalf},
		{"gone", 3, text(""), "\x00\x00\x00", keepwatch.NoteHalf},
		{"longer", 3, text("12345"), "123", keepwatch.NoteChanged},
		{"longer than nothing", 0, text("12345"), "", keepwatch.NoteChanged},
		{"unreadable in the middle", 8, io.MultiReader(text("123"), iotest.ErrReader(disk)), "123\x00\x00\x00\x00\x00", keepwatch.NoteHalf},
		{"unreadable at once", 2, iotest.ErrReader(disk), "\x00\x00", keepwatch.NoteHalf},
		{"unreadable behind its end", 2, io.MultiReader(text("12"), iotest.ErrReader(disk)), "12", ""},
		{"much shorter", 1 << 20, text("12345"), "12345" + strings.Repeat("\x00", 1<<20-5), keepwatch.NoteHalf},
	}
}

// TestContentThatIsNotAsLongAsItSaid is stored at the length that was announced,
// and noted.
func TestContentThatIsNotAsLongAsItSaid(t *testing.T) {
	for _, single := range []bool{false, true} {
		v := newVault(t)
		w, err := v.Begin(newRun(1))
		if err != nil {
			t.Fatal(err)
		}
		var noted []keepwatch.Note
		for _, c := range uneven() {
			f := file(c.what, "")
			f.Size = c.size
			add := w.Add
			if single {
				add = w.Single
			}
			if err := add(f.Entry, c.content); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			if c.note != "" {
				noted = append(noted, keepwatch.Note{Kind: c.note, Path: c.what})
			}
		}
		run := newRun(1)
		if run.Result, err = w.Close(); err != nil {
			t.Fatal(err)
		}
		a, err := v.Publish(run, archiveOf(run))
		if err != nil {
			t.Fatal(err)
		}
		if got := verify(t, v, a.Ref()); !got.OK() {
			t.Errorf("problems: %v", got.Problems)
		}
		to := filepath.Join(t.TempDir(), "out")
		mustExtract(t, v, a.Ref(), to, keepwatch.Ask{})
		for _, c := range uneven() {
			if got := read(t, filepath.Join(to, c.what)); got != c.stored {
				t.Errorf("single %v, %s: stored %.20q (%d bytes), want %.20q", single, c.what, got, len(got), c.stored)
			}
		}
		got := notesOf(t, v, a.Ref())
		for i := range got {
			got[i].Text = ""
		}
		if diff := cmp.Diff(noted, got); diff != "" {
			t.Errorf("single %v: notes: %s", single, diff)
		}
		if n := run.Result.Counts; n[keepwatch.NoteChanged] != 2 || n[keepwatch.NoteHalf] != 5 {
			t.Errorf("counts: %v", n)
		}
	}
}

// TestContentThatEndsTheBackup: an error that is not one of the source's disk
// comes back, and nothing can be made of the archive any more.
func TestContentThatEndsTheBackup(t *testing.T) {
	stop := errors.New("the connection broke")
	for _, cause := range []error{stop, context.Canceled, &fs.PathError{Op: "read", Path: "x", Err: context.Canceled}, keepwatch.Errorf(keepwatch.KindCancelled, "Stopped by alis.")} {
		for _, single := range []bool{false, true} {
			v := newVault(t)
			w, err := v.Begin(newRun(1))
			if err != nil {
				t.Fatal(err)
			}
			f := file("a", "123456789")
			add := w.Add
			if single {
				add = w.Single
			}
			if err := add(f.Entry, io.MultiReader(strings.NewReader("1234567"), iotest.ErrReader(cause))); !errors.Is(err, cause) {
				t.Errorf("got %v, want %v", err, cause)
			}
			if err := w.Add(file("b", "").Entry, strings.NewReader("")); !errors.Is(err, cause) {
				t.Errorf("then got %v", err)
			}
			if _, err := w.Close(); !errors.Is(err, cause) {
				t.Errorf("Close: %v", err)
			}
			if err := w.Abort(); err != nil {
				t.Errorf("Abort: %v", err)
			}
			if _, err := os.Stat(v.staging(1)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("it left its staging folder: %v", err)
			}
		}
	}
}

// TestAnyNumberOfNotes are in the sealed list; the result keeps the first ones
// and counts them all.
func TestAnyNumberOfNotes(t *testing.T) {
	v := newVault(t)
	w, err := v.Begin(newRun(1))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		kind := keepwatch.NoteSparse
		if i%3 == 0 {
			kind = keepwatch.NoteSpecial
		}
		if err := w.Note(keepwatch.Note{Kind: kind, Path: fmt.Sprintf("p%d\xff", i), Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	run := newRun(1)
	if run.Result, err = w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(run.Result.Notes) != keepwatch.MaxNotes || run.Result.Counts[keepwatch.NoteSparse] != 200 || run.Result.Counts[keepwatch.NoteSpecial] != 100 {
		t.Errorf("%d notes, counts %v", len(run.Result.Notes), run.Result.Counts)
	}
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	if got := notesOf(t, v, a.Ref()); len(got) != 300 || got[299].Path != "p299\xff" {
		t.Errorf("%d notes, the last %q", len(got), got[len(got)-1].Path)
	}
}

// TestPartsAreNamedInTheSealedListOnly because they may be names of folders.
func TestPartsAreNamedInTheSealedListOnly(t *testing.T) {
	v := newVault(t)
	run := newRun(1)
	run.Ask.Parts = []string{"letters-to-bank"}
	run = staged(t, v, run, file("letters-to-bank/one", "x"))
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(read(t, filepath.Join(v.Path(a.Ref()), manifestName)), "letters") {
		t.Error("the manifest has a name from inside")
	}
	if notes := notesOf(t, v, a.Ref()); len(notes) != 1 || !strings.Contains(notes[0].Text, "letters-to-bank") {
		t.Errorf("notes: %v", notes)
	}
	if list, err := v.List(); err != nil || len(list) != 1 || len(list[0].Parts) != 1 {
		t.Errorf("listed: %+v, %v", list, err)
	}
}

// TestEntriesThatCannotBeStored are refused, and the archive goes on.
func TestEntriesThatCannotBeStored(t *testing.T) {
	v := newVault(t)
	w, err := v.Begin(newRun(1))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, e := range []keepwatch.Entry{
		{Path: "", Type: keepwatch.EntryFile}, {Path: "/a", Type: keepwatch.EntryFile}, {Path: "a/", Type: keepwatch.EntryFolder},
		{Path: "a/../b", Type: keepwatch.EntryFile}, {Path: "./a", Type: keepwatch.EntryFile}, {Path: "a//b", Type: keepwatch.EntryFile},
		{Path: "a\x00b", Type: keepwatch.EntryFile}, {Path: "a", Type: "socket"}, {Path: "a"}, {Path: "a", Type: keepwatch.EntryFile, Size: -1},
		{Path: "a", Type: keepwatch.EntryFolder, Size: 1}, {Path: "a", Type: keepwatch.EntryLink}, {Path: "a", Type: keepwatch.EntryLink, Link: "x\x00"},
	} {
		if err := w.Add(e, strings.NewReader("")); err == nil {
			t.Errorf("%+v was taken", e)
		}
		e.Size *= 2 // -1 says that nobody knows it
		if err := w.Single(e, strings.NewReader("")); err == nil {
			t.Errorf("%+v was taken on its own", e)
		}
	}
	if err := w.Single(folder("d").Entry, nil); err == nil {
		t.Error("a folder was taken on its own")
	}
	put(t, w, file("a", "x"))
	if r, err := w.Close(); err != nil || r.Items != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestTimesBeyondTheFormat are stored as of 1970, and noted.
func TestTimesBeyondTheFormat(t *testing.T) {
	v := newVault(t)
	far, none := file("far", "x"), file("none", "x")
	far.ModTime, none.ModTime = time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}
	a := seal(t, v, 1, far, none)
	if got := verify(t, v, a.Ref()); !got.OK() {
		t.Errorf("problems: %v", got.Problems)
	}
	if notes := notesOf(t, v, a.Ref()); len(notes) != 1 || notes[0].Path != "far" {
		t.Errorf("notes: %v", notes)
	}
}

func TestNamesOfSingleFiles(t *testing.T) {
	const zst, gz, zip = "\x28\xb5\x2f\xfd more", "\x1f\x8b\x08 more", "PK\x03\x04 more"
	v := newVault(t)
	things := []thing{
		alone("a/inbox.pst", "!BDN"), alone("b/inbox.pst", "!BDN"), alone("INBOX.pst", "!BDN"),
		alone("site.tar.gz", gz), alone("site.tar.zst", zst), alone("x.zst", zst), alone("plain.tar", "not compressed"), alone("letter.docx", zip),
		alone("notes.tar", "has the name of the tree"), alone("contents.jsonl", "has the name of the list"), alone("manifest.json", "{}"), alone("SHA256SUMS", ""),
		alone(".hidden", "x"), alone("-rf", "x"), alone("a\nb:c*d", "x"), alone("\xff\xfe", "x"), alone("Grüße.pst", "x"), alone("...", "x"),
		alone(strings.Repeat("ü", 120)+".pst", "x"), alone("100-x.zst", zst), alone("zst", zst), alone("empty.gz", ""),
		file("in-the-tree", "x"),
	}
	a := seal(t, v, 1, things...)
	var got []string
	for _, s := range a.Sealed {
		if !plainName(s.Name) || len(s.Name) > 255 {
			t.Errorf("%q is no plain name", s.Name)
		}
		got = append(got, s.Name)
	}
	wanted := []string{
		"notes.tar.zst.age", "inbox.pst.zst.age", "2-inbox.pst.zst.age", "3-INBOX.pst.zst.age",
		"site.tar.gz.age", "site.tar.zst.age", "x.zst.age", "plain.tar.zst.age", "letter.docx.age",
		"2-notes.tar.zst.age", "2-contents.jsonl.zst.age", "manifest.json.zst.age", "SHA256SUMS.zst.age",
		"hidden.zst.age", "rf.zst.age", "a_b_c_d.zst.age", "file.zst.age", "Grüße.pst.zst.age", "2-file.zst.age",
		strings.Repeat("ü", 88) + ".pst.zst.age", "100-x.zst.age", "zst.age", "empty.gz.zst.age", "contents.jsonl.zst.age",
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
	if got := verify(t, v, a.Ref()); !got.OK() {
		t.Errorf("problems: %v", got.Problems)
	}
	to := filepath.Join(t.TempDir(), "out")
	mustExtract(t, v, a.Ref(), to, keepwatch.Ask{})
	for _, th := range things {
		checkRestored(t, to, th)
	}
}

// TestBeginAnew: what a cut-off try has left is not in the archive.
func TestBeginAnew(t *testing.T) {
	v := newVault(t)
	write(t, filepath.Join(v.staging(1), "left-over"), "x")
	run := staged(t, v, newRun(1), file("a", "x"))
	if got, err := v.VerifyStaged(context.Background(), run, nil); err != nil || !got.OK() {
		t.Errorf("%v, %v", got.Problems, err)
	}
	_, err := v.Begin(keepwatch.Run{ID: 2, Source: "../x"})
	want(t, err, keepwatch.KindInvalid, "../x")
}

// TestModesOfWhatIsWritten: nobody else may read the vault.
func TestModesOfWhatIsWritten(t *testing.T) {
	v := newVault(t)
	sample(t, v, 1)
	err := filepath.WalkDir(v.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && tooOpen(info.Mode()) {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestMemoryIsFlat seals and verifies two sizes and compares the most that was
// live in each: it must not grow with size. What the collector has yet to take
// is no part of it, so it runs before each look.
func TestMemoryIsFlat(t *testing.T) {
	v := openVault(t, Config{Dir: filepath.Join(memoryDir(t), "vault"), IdentityFile: newVault(t).keys.file})
	small, text := noise(1<<20, 3), bytes.Repeat([]byte("some text that compresses well. "), 1<<15)
	peak := func(mib int64, data []byte, files int) uint64 {
		most := uint64(0)
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		look := func() {
			runtime.GC()
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
		}
		const looks = 8
		size := mib << 20 / int64(files)
		read := &watched{every: mib << 20 / looks, watch: look}
		l := load{"", files, size, func(int) io.Reader { return read.over(&varied{cycle: cycle{data: data}}) }, false}
		run := l.fill(t, v, 1)
		n := int64(0)
		got, err := v.VerifyStaged(context.Background(), run, func(p keepwatch.Progress) {
			if p.Bytes >= n*read.every {
				n++
				look()
			}
		})
		if err != nil || !got.OK() {
			t.Fatal(err, got.Problems)
		}
		if n < 1 || read.next < 2*read.every {
			t.Fatalf("looked up to %d bytes of sealing and %d times at verifying", read.next, n)
		}
		return most
	}
	const slack = 6 << 20 // buffers on their way between goroutines
	for name, data := range map[string][]byte{"incompressible": small, "compressible": text} {
		a, b := peak(16, data, 1), peak(128, data, 1)
		t.Logf("%s: %d MiB at 16 MiB, %d MiB at 128 MiB", name, a>>20, b>>20)
		if b > a+slack {
			t.Errorf("%s: the heap grew from %d to %d bytes", name, a, b)
		}
	}
	a, b := peak(2, text, 1000), peak(16, text, 20_000)
	t.Logf("small files: %d MiB with 1,000, %d MiB with 20,000", a>>20, b>>20)
	if b > a+slack {
		t.Errorf("small files: the heap grew from %d to %d bytes", a, b)
	}
}

// watched calls watch each time that so many bytes more have been read through
// it, of however many files.
type watched struct {
	every, read, next int64
	watch             func()
}

func (w *watched) over(r io.Reader) io.Reader { return watchedReader{r, w} }

type watchedReader struct {
	io.Reader
	*watched
}

func (w watchedReader) Read(p []byte) (int, error) {
	if w.read >= w.next {
		w.next += w.every
		w.watch()
	}
	n, err := w.Reader.Read(p)
	w.read += int64(n)
	return n, err
}
