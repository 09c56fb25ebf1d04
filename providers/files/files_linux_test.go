package files

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/providertest"
	"keepwatch/pst/psttest"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	return name
}

func folder(path string) keepwatch.Source {
	return keepwatch.Source{Name: "notes", Kind: keepwatch.KindFiles, Path: path}
}

func fetch(t *testing.T, p *Provider, s keepwatch.Source, parts ...string) (*providertest.Sink, error) {
	t.Helper()
	var sink providertest.Sink
	err := p.Fetch(t.Context(), providers.Job{Source: s, Parts: parts, Report: func(keepwatch.Progress) {}}, &sink)
	for _, b := range sink.Broken {
		t.Error(b)
	}
	return &sink, err
}

func paths(s *providertest.Sink) string {
	var list []string
	for _, e := range s.Entries {
		list = append(list, e.Path)
	}
	return strings.Join(list, " ")
}

func noted(s *providertest.Sink, kind keepwatch.NoteKind) string {
	var list []string
	for _, n := range s.Notes {
		if n.Kind == kind {
			list = append(list, n.Path)
		}
	}
	return strings.Join(list, " ")
}

func TestContract(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.txt"), "a")
	write(t, filepath.Join(dir, "sub", "deep", "b.txt"), "bb")
	if err := os.Symlink("a.txt", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	providertest.Run(t, providertest.Case{Provider: New(Config{}), Source: folder(dir), Missing: folder(filepath.Join(dir, "gone")), Parts: []string{"a.txt", "sub", "sub/deep"}})
}

func TestSingleFileContract(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "letter.txt"), "Dear Alis")
	providertest.Run(t, providertest.Case{Provider: New(Config{}), Source: folder(name), Missing: folder(name + "x")})
	s, err := fetch(t, New(Config{}), folder(name))
	if err != nil || !slices.Equal(s.Singles, []string{"letter.txt"}) || s.Contents["letter.txt"] != "Dear Alis" {
		t.Errorf("%+v %v", s, err)
	}
}

// TestEverySortOfFile has one of each that a file system can hold.
func TestEverySortOfFile(t *testing.T) {
	dir := t.TempDir()
	then := time.Date(2020, 2, 29, 1, 2, 3, 456789, time.UTC)
	name := write(t, filepath.Join(dir, "file"), "content")
	hostile := write(t, filepath.Join(dir, "new\nline \xff <!channel>"), "x")
	sparse := filepath.Join(dir, "sparse")
	f, err := os.Create(sparse)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = errors.Join(f.Truncate(10<<20), f.Close(), os.Chmod(name, 0o751|os.ModeSetuid), os.Chtimes(name, then, then), os.Symlink("/etc/passwd", filepath.Join(dir, "link")), os.Symlink("nowhere", filepath.Join(dir, "dangling")),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644), os.Link(name, filepath.Join(dir, "second name")), os.Mkdir(filepath.Join(dir, "empty"), 0o1777), os.Chmod(filepath.Join(dir, "empty"), 0o777|os.ModeSticky))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, os.ModeSetgid|0o750); err != nil {
		t.Fatal(err)
	}
	s, err := fetch(t, New(Config{}), folder(dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Tops) != 1 || s.Tops[0].Mode != 0o2750 {
		t.Errorf("the folder itself: %+v", s.Tops)
	}
	if want := "dangling empty file link " + filepath.Base(hostile) + " second name sparse"; paths(s) != want {
		t.Errorf("%q, want %q", paths(s), want)
	}
	if got := noted(s, keepwatch.NoteSpecial); got != "pipe socket" {
		t.Errorf("special: %q", got)
	}
	if got := noted(s, keepwatch.NoteSparse); got != "sparse" {
		t.Errorf("sparse: %q", got)
	}
	if !slices.ContainsFunc(s.Notes, func(n keepwatch.Note) bool {
		return n.Kind == keepwatch.NoteHardLink && strings.HasPrefix(n.Text, "2 files")
	}) {
		t.Errorf("hard links: %+v", s.Notes)
	}
	for _, e := range s.Entries {
		switch {
		case e.Path == "file" && (e.Mode != 0o4751 || !e.ModTime.Equal(then) || e.Size != 7 || e.UID != os.Getuid()):
			t.Errorf("%+v", e)
		case e.Path == "link" && (e.Type != keepwatch.EntryLink || e.Link != "/etc/passwd"):
			t.Errorf("%+v", e)
		case e.Path == "empty" && (e.Type != keepwatch.EntryFolder || e.Mode != 0o1777):
			t.Errorf("%+v", e)
		}
	}
}

// TestUnreadable: what cannot be opened or read is noted, and the rest goes on.
// Root can read everything, so the opening is made to fail.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"a", "denied", "gone", "swapped", "z"} {
		write(t, filepath.Join(dir, n), n)
	}
	p := New(Config{})
	p.open = func(at place) (*os.File, error) {
		name := filepath.Join(dir, at.name)
		switch at.name {
		case "denied":
			return nil, &os.PathError{Op: "open", Path: name, Err: syscall.EACCES}
		case "gone":
			return nil, &os.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
		case "swapped": // for a pipe, after it was listed
			if err := errors.Join(os.Remove(name), syscall.Mkfifo(name, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		return openQuietly(at)
	}
	s, err := fetch(t, p, folder(dir))
	if err != nil || paths(s) != "a z" || noted(s, keepwatch.NoteUnreadable) != "denied" || noted(s, keepwatch.NoteVanished) != "gone" || noted(s, keepwatch.NoteSpecial) != "swapped" {
		t.Errorf("%q %+v %v", paths(s), s.Notes, err)
	}
	only := New(Config{})
	only.open = func(at place) (*os.File, error) {
		return nil, &os.PathError{Op: "open", Path: at.name, Err: syscall.EACCES}
	}
	if s, err := fetch(t, only, folder(dir)); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Errorf("nothing could be read, and it gives %q, %v", paths(s), err)
	}
}

// TestSwappedForALink: a folder or a file that is replaced by a link while its
// source is read leads nowhere.
func TestSwappedForALink(t *testing.T) {
	top := t.TempDir()
	write(t, filepath.Join(top, "secret", "b"), "TOP SECRET")
	src := filepath.Join(top, "src")
	for _, n := range []string{"d/a", "d/b", "e/b", "f", "g"} {
		write(t, filepath.Join(src, n), "x")
	}
	swap := func(name, target string) {
		t.Helper()
		if err := errors.Join(os.Rename(filepath.Join(src, name), filepath.Join(top, "old-"+name)), os.Symlink(target, filepath.Join(src, name))); err != nil {
			t.Fatal(err)
		}
	}
	p := New(Config{})
	opened := 0
	p.open = func(at place) (*os.File, error) {
		switch opened++; opened {
		case 2: // within d
			swap("d", filepath.Join(top, "secret"))
			swap("e", filepath.Join(top, "secret"))
		case 3:
			swap("f", filepath.Join(top, "secret", "b"))
			swap("g", "d")
		}
		return openQuietly(at)
	}
	sink, err := fetch(t, p, folder(src))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range sink.Entries {
		if e.Size == int64(len("TOP SECRET")) {
			t.Errorf("%s has the content of a file outside of the source", e.Path)
		}
	}
	if got := paths(sink); got != "d d/a d/b e g" {
		t.Errorf("%q, %+v", got, sink.Notes)
	}
}

// TestSwappedBeside: a file that is replaced by a link to another file of its
// folder once it was listed is not read in its stead; one that was saved anew is.
func TestSwappedBeside(t *testing.T) {
	src := t.TempDir()
	for _, n := range []string{"link", "other", "saved"} {
		write(t, filepath.Join(src, n), "old "+n)
	}
	p := New(Config{})
	p.open = func(at place) (*os.File, error) {
		name := filepath.Join(src, at.name)
		switch at.name {
		case "link":
			if err := errors.Join(os.Remove(name), os.Symlink("other", name)); err != nil {
				t.Fatal(err)
			}
		case "saved":
			if err := os.Rename(write(t, filepath.Join(t.TempDir(), "x"), "new"), name); err != nil {
				t.Fatal(err)
			}
		}
		return openQuietly(at)
	}
	sink, err := fetch(t, p, folder(src))
	if err != nil || paths(sink) != "other saved" || noted(sink, keepwatch.NoteVanished) != "link" {
		t.Errorf("%q, %+v, %v", paths(sink), sink.Notes, err)
	}
}

// TestDeepFolders: a deep tree needs few open files, and on the way back up
// nothing of it is missed.
func TestDeepFolders(t *testing.T) {
	const depth = 120
	src, at := t.TempDir(), ""
	for range depth {
		at = filepath.Join(at, "d")
		write(t, filepath.Join(src, at, "z"), "x")
	}
	files := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	p, before, most := New(Config{}), files(), 0
	p.open = func(at place) (*os.File, error) {
		most = max(most, files()-before)
		return openQuietly(at)
	}
	sink, err := fetch(t, p, folder(src))
	if err != nil || len(sink.Entries) != 2*depth || len(sink.Notes) > 0 {
		t.Errorf("%d entries, %+v, %v", len(sink.Entries), sink.Notes, err)
	}
	if most > 2*heldOpen {
		t.Errorf("%d files were open", most)
	}
	if left := files(); left > before {
		t.Errorf("%d files are still open", left-before)
	}
}

// TestSwappedFarAbove: a folder that was closed on the way down and is another one
// on the way back is not walked on, and what is left of it is told of.
func TestSwappedFarAbove(t *testing.T) {
	top := t.TempDir()
	src, deep := filepath.Join(top, "src"), "a/b"
	for range 2 * heldOpen {
		deep += "/d"
	}
	write(t, filepath.Join(src, deep, "low"), "x")
	write(t, filepath.Join(src, "a/b/z"), "x")
	write(t, filepath.Join(src, "y"), "x")
	write(t, filepath.Join(top, "secret", "b", "z"), "TOP SECRET")
	p, swapped := New(Config{}), false
	p.open = func(at place) (*os.File, error) {
		if !swapped {
			swapped = true
			if err := errors.Join(os.Rename(filepath.Join(src, "a"), filepath.Join(top, "old")), os.Rename(filepath.Join(top, "secret"), filepath.Join(src, "a"))); err != nil {
				t.Fatal(err)
			}
		}
		return openQuietly(at)
	}
	sink, err := fetch(t, p, folder(src))
	got := paths(sink)
	if err != nil || strings.Contains(got, "a/b/z") || !strings.HasSuffix(got, deep+"/low y") || noted(sink, keepwatch.NoteUnreadable) != "a/b/z" {
		t.Errorf("%q, %+v, %v", got, sink.Notes, err)
	}
}

func TestChangedWhileRead(t *testing.T) {
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "log"), strings.Repeat("x", 100))
	var s providertest.Sink
	j := providers.Job{Source: folder(dir), Report: func(pr keepwatch.Progress) {
		if pr.Bytes == 100 { // all of it was read: now somebody writes
			later := time.Now().Add(time.Hour)
			_ = os.Chtimes(name, later, later)
		}
	}}
	if err := New(Config{}).Fetch(t.Context(), j, &s); err != nil || noted(&s, keepwatch.NoteChanged) != "log" {
		t.Errorf("%+v %v", s.Notes, err)
	}
}

func TestLeftOut(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "sub", "data")
	for _, n := range []string{"a.txt", "b.tmp", "cache/x", "sub/cache/y", "sub/data/vault/z", "sub/keep", "logs/old/1", "logs/new/1"} {
		write(t, filepath.Join(dir, n), n)
	}
	src := folder(dir)
	src.Exclude = []string{"*.tmp", "cache", "logs/old"}
	s, err := fetch(t, New(Config{Avoid: []string{own, filepath.Join(dir, "not there")}}), src)
	if err != nil || paths(s) != "a.txt logs logs/new logs/new/1 sub sub/keep" || noted(s, keepwatch.NoteExcluded) != "b.tmp cache logs/old sub/cache sub/data" {
		t.Errorf("%q, left out %q, %v", paths(s), noted(s, keepwatch.NoteExcluded), err)
	}
}

// TestTheKeyIsInNoArchive: neither its folder nor the file is a source, and by
// whatever name it lies in one, it is left out.
func TestTheKeyIsInNoArchive(t *testing.T) {
	dir := t.TempDir()
	key := write(t, filepath.Join(dir, "data", "key.txt"), "secret")
	write(t, filepath.Join(dir, "data", "restored", "x"), "x")
	write(t, filepath.Join(dir, "notes", "a"), "a")
	if err := errors.Join(os.Link(key, filepath.Join(dir, "notes", "second name")), os.Symlink("data", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	p := New(Config{Avoid: []string{filepath.Join(dir, "data")}, Keys: []string{key, filepath.Join(dir, "not there")}})
	for _, own := range []string{"data", "link", "data/key.txt"} {
		if s, err := fetch(t, p, folder(filepath.Join(dir, own))); keepwatch.KindOf(err) != keepwatch.KindInvalid || len(s.Entries) > 0 {
			t.Errorf("%s: %q, %v", own, paths(s), err)
		}
	}
	if s, err := fetch(t, p, folder(filepath.Join(dir, "notes"))); err != nil || paths(s) != "a" || noted(s, keepwatch.NoteExcluded) != "second name" {
		t.Errorf("%q, %+v, %v", paths(s), s.Notes, err)
	}
	if s, err := fetch(t, p, folder(filepath.Join(dir, "data", "restored"))); err != nil || paths(s) != "x" {
		t.Errorf("%q, %v", paths(s), err)
	}
}

func TestOtherFileSystemIsNotedOnce(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must run as root")
		}
		t.Skip("needs root to mount")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "a")
	mount := filepath.Join(dir, "mount")
	if err := errors.Join(os.Mkdir(mount, 0o755), unix.Mount("tmpfs", mount, "tmpfs", 0, "size=1m")); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Unmount(mount, unix.MNT_DETACH) }()
	write(t, filepath.Join(mount, "x", "y", "z"), "z")
	s, err := fetch(t, New(Config{}), folder(dir))
	if err != nil || noted(s, keepwatch.NoteMount) != "mount" || paths(s) != "a mount mount/x mount/x/y mount/x/y/z" {
		t.Errorf("%q %+v %v", paths(s), s.Notes, err)
	}
}

func TestPSTs(t *testing.T) {
	dir := t.TempDir()
	fake := write(t, filepath.Join(dir, "mail.PST"), "I am only text")
	_, err := fetch(t, New(Config{}), folder(fake))
	if keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), "!BDN") {
		t.Errorf("a handed-in file that is not what its name says: %v", err)
	}
	s, err := fetch(t, New(Config{}), folder(dir))
	if err != nil || paths(s) != "mail.PST" || noted(s, keepwatch.NoteInfo) != "mail.PST" {
		t.Errorf("in a folder it is kept and noted: %q %+v %v", paths(s), s.Notes, err)
	}
	real := psttest.Outlook(t, "ms-Empty.pst")
	for name, want := range map[string]string{"ok.pst": "Outlook data file (Unicode, version 23, 265.0 KiB, permuted)", "ok.dat": "; its name does not say so"} {
		s, err := fetch(t, New(Config{}), folder(write(t, filepath.Join(t.TempDir(), name), string(real))))
		if err != nil || len(s.Notes) != 1 || !strings.Contains(s.Notes[0].Text, want) {
			t.Errorf("%s: %+v %v", name, s.Notes, err)
		}
	}
	cut := string(real[:200_000])
	for name, c := range map[string]struct{ broken, refused string }{
		"cut off":                       {cut, "cut off"},
		"cut off, and damaged":          {cut[:300] + "\x01" + cut[301:], "damaged"},
		"no header, and nothing behind": {strings.Repeat("x", 200_000), "!BDN"},
		"a header alone":                {string(real[:564]) + strings.Repeat("\x00", len(real)-564), ""}, // it is whole, and the listing says what is missing
		"its length is damaged":         {string(real[:190]) + "\x01" + string(real[191:]), ""},
		"its length is a bit longer":    {string(real[:186]) + "\x05" + string(real[187:]), ""},
		"its magic is damaged":          {"?" + string(real[1:]), ""},
		"its header is overwritten":     {strings.Repeat("x", 564) + string(real[564:]), ""},
	} {
		s, err := fetch(t, New(Config{}), folder(write(t, filepath.Join(t.TempDir(), "x.pst"), c.broken)))
		if c.refused != "" && (keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), c.refused)) {
			t.Errorf("%s: %v", name, err)
		}
		if c.refused == "" && (err != nil || paths(s) != "x.pst" || noted(s, keepwatch.NoteInfo)+noted(s, keepwatch.NoteMailbox) != "x.pst") {
			t.Errorf("%s: %v %+v", name, err, s)
		}
	}
}

// drops is what a Watcher talks to.
type drops struct {
	seen    map[string]bool
	tries   map[string]keepwatch.DropTry
	runs    []keepwatch.Run
	ends    keepwatch.Run // what the next runs come to
	started []string
	refuse  error
}

func newDrops() *drops {
	return &drops{seen: map[string]bool{}, tries: map[string]keepwatch.DropTry{}, ends: keepwatch.Run{State: keepwatch.RunDone}}
}

func key(source, path string, size int64, mtime time.Time) string {
	return strings.Join([]string{source, path, mtime.String(), string(rune(size))}, "|")
}

func (d *drops) Seen(source, path string, size int64, mtime time.Time) (bool, error) {
	return d.seen[key(source, path, size, mtime)], nil
}

func (d *drops) MarkSeen(source, path string, size int64, mtime time.Time) error {
	d.seen[key(source, path, size, mtime)] = true
	return nil
}

func (d *drops) Try(source, path string) (keepwatch.DropTry, error) {
	return d.tries[source+"|"+path], nil
}

func (d *drops) SaveTry(source string, try keepwatch.DropTry) error {
	d.tries[source+"|"+try.Path] = try
	return nil
}

func (d *drops) Run(id int64) (keepwatch.Run, error) {
	if int(id) > len(d.runs) {
		return keepwatch.Run{}, keepwatch.Errorf(keepwatch.KindNotFound, "none")
	}
	return d.runs[id-1], nil
}

func (d *drops) start(_ context.Context, source, part string) (int64, error) {
	if d.refuse != nil {
		return 0, d.refuse
	}
	d.started = append(d.started, source+":"+part)
	d.runs = append(d.runs, d.ends)
	return int64(len(d.runs)), nil
}

// TestWhatWasNotTakenIsTriedAgain: a file is taken once its run is done. One that
// failed is tried again when it was touched, and after a while; one that runs or
// waits for a person is left to that; one that was cancelled is left.
func TestWhatWasNotTakenIsTriedAgain(t *testing.T) {
	dir, now, d := t.TempDir(), time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), newDrops()
	watcher := func() *Watcher {
		return NewWatcher(WatchConfig{Seen: d, Start: d.start, Now: func() time.Time { return now }, Sources: func() ([]keepwatch.Source, error) {
			return []keepwatch.Source{{Name: "drop", Kind: keepwatch.KindFiles, Path: dir, Drop: true, Settle: time.Second}}, nil
		}})
	}
	w := watcher()
	begins := func(after time.Duration, want int) {
		t.Helper()
		now = now.Add(after)
		d.started = nil
		w.Look(t.Context())
		if len(d.started) != want {
			t.Errorf("after %v it begins %v, want %d", after, d.started, want)
		}
	}
	failed := func(kind keepwatch.Kind) keepwatch.Run {
		return keepwatch.Run{State: keepwatch.RunFailed, Failure: &keepwatch.Failure{Kind: kind}}
	}
	name := write(t, filepath.Join(dir, "a"), "x")

	d.ends = failed(keepwatch.KindInternal)
	begins(0, 0)
	begins(time.Second, 1)
	begins(4*time.Minute, 0)
	w = watcher() // the bot was started again
	begins(30*time.Second, 0)
	begins(time.Minute, 1)
	begins(6*time.Minute, 0) // the pause grows
	begins(5*time.Minute, 1)
	for range 20 {
		begins(24*time.Hour, 1) // and never beyond a day
	}

	d.ends = failed(keepwatch.KindInvalid)
	begins(24*time.Hour, 1)
	begins(12*time.Hour, 0)
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	begins(time.Minute, 1) // somebody mends its mode
	begins(time.Minute, 0)
	away := filepath.Join(t.TempDir(), "a")
	for moved := false; !moved; { // until the clock of the file system has moved on too
		before, _ := os.Stat(name)
		if err := errors.Join(os.Rename(name, away), os.Rename(away, name)); err != nil {
			t.Fatal(err)
		}
		after, _ := os.Stat(name)
		moved = !changedAt(after).Equal(changedAt(before))
	}
	d.ends = keepwatch.Run{State: keepwatch.RunRunning}
	begins(time.Minute, 1) // somebody drops it again
	begins(48*time.Hour, 0)
	d.runs[len(d.runs)-1].State = keepwatch.RunAttention
	begins(48*time.Hour, 0)
	d.runs[len(d.runs)-1].State = keepwatch.RunFailed
	d.ends = keepwatch.Run{State: keepwatch.RunDone}
	begins(48*time.Hour, 1)
	begins(48*time.Hour, 0)
	if len(d.seen) != 1 {
		t.Errorf("done and not remembered: %v", d.seen)
	}

	d.ends = keepwatch.Run{State: keepwatch.RunCancelled}
	write(t, filepath.Join(dir, "b"), "x")
	begins(0, 0)
	begins(time.Minute, 1)
	begins(48*time.Hour, 0)
	begins(48*time.Hour, 0)
}

func TestWatcher(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	d := newDrops()
	watcher := func() *Watcher {
		return NewWatcher(WatchConfig{
			Sources: func() ([]keepwatch.Source, error) {
				return []keepwatch.Source{{Name: "drop", Kind: keepwatch.KindFiles, Path: dir, Drop: true, Settle: time.Minute}, {Name: "not-a-drop", Kind: keepwatch.KindFiles, Path: dir}}, nil
			},
			Seen: d, Now: func() time.Time { return now }, Start: d.start,
		})
	}
	w := watcher()
	look := func(after time.Duration, want string) {
		t.Helper()
		now = now.Add(after)
		d.started = nil
		w.Look(t.Context())
		if got := strings.Join(d.started, " "); got != want {
			t.Errorf("at %s it starts %q, want %q", now.Format("15:04:05"), got, want)
		}
	}
	name := write(t, filepath.Join(dir, "in", "mail.pst"), "x")
	look(0, "")
	look(50*time.Second, "")
	write(t, name, "xy") // it grows
	look(20*time.Second, "")
	look(50*time.Second, "")
	look(10*time.Second, "drop:in/mail.pst")
	look(time.Hour, "")
	w = watcher() // the bot was started again
	look(0, "")
	look(time.Hour, "")
	write(t, name, "xyz") // a new version
	look(0, "")
	d.refuse = keepwatch.Errorf(keepwatch.KindConflict, "busy")
	look(time.Minute, "")
	d.refuse = nil
	look(15*time.Second, "drop:in/mail.pst")
	write(t, filepath.Join(dir, "bad.pst"), "x")
	look(0, "")
	d.refuse = keepwatch.Errorf(keepwatch.KindInvalid, "no")
	look(time.Minute, "")
	d.refuse = nil
	look(time.Minute, "") // refused once, and not asked again at once
	look(5*time.Minute, "drop:bad.pst")
	look(time.Minute, "")
	now = now.Add(-48 * time.Hour)
	write(t, filepath.Join(dir, "late.pst"), "x")
	look(0, "")
	look(time.Minute, "drop:late.pst")
}

// TestABadDropHoldsUpNothing: a file that cannot be read fails its run at once
// and does not wait for a person, and a folder that cannot be looked into is
// told of, once, and passed over.
func TestABadDropHoldsUpNothing(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "denied.txt"), "x")
	p := New(Config{})
	p.open = func(at place) (*os.File, error) {
		return nil, &os.PathError{Op: "open", Path: at.name, Err: syscall.EACCES}
	}
	source := keepwatch.Source{Name: "drop", Kind: keepwatch.KindFiles, Path: dir, Drop: true}
	j := providers.Job{Source: source, Parts: []string{"denied.txt"}, Report: func(keepwatch.Progress) {}}
	if _, err := p.Plan(t.Context(), j); keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), "permission denied") {
		t.Errorf("%v", err)
	}

	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var log strings.Builder
	w := NewWatcher(WatchConfig{
		Sources: func() ([]keepwatch.Source, error) { return []keepwatch.Source{source}, nil },
		Seen:    newDrops(), Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Start: func(context.Context, string, string) (int64, error) {
			return 0, keepwatch.Errorf(keepwatch.KindConflict, "Run 7 is at it.")
		},
	})
	for range 5 {
		w.Look(t.Context())
		now = now.Add(time.Hour)
		visit := w.visit(t.Context(), source, time.Minute, map[string]still{})
		denied := &os.PathError{Op: "open", Path: "sub", Err: syscall.EACCES}
		if err := visit(filepath.Join(dir, "sub"), nil, denied); !errors.Is(err, fs.SkipDir) {
			t.Errorf("a folder that cannot be looked into ends the walk: %v", err)
		}
		if err := visit(dir, nil, denied); !errors.Is(err, syscall.EACCES) {
			t.Errorf("the drop folder itself: %v", err)
		}
	}
	for _, line := range []string{"Run 7 is at it.", "cannot be looked into"} {
		if n := strings.Count(log.String(), line); n != 1 {
			t.Errorf("%q was told %d times:\n%s", line, n, log.String())
		}
	}
}
