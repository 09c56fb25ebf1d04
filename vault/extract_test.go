package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestExtractIntoAFolderThatExists adds what is not there, leaves what is the
// same, and refuses to touch what differs.
func TestExtractIntoAFolderThatExists(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, folder("docs"), file("docs/a.txt", "from the archive"), file("docs/b.txt", "bee"), symlink("docs/l", "a.txt"))
	to := t.TempDir()
	write(t, filepath.Join(to, "docs", "mine.txt"), "mine")
	before, err := os.Stat(filepath.Join(to, "docs"))
	if err != nil {
		t.Fatal(err)
	}
	mustExtract(t, v, a.Ref(), to, keepwatch.Ask{})
	whole := map[string]string{"docs/": "", "docs/a.txt": "from the archive", "docs/b.txt": "bee", "docs/l -> a.txt": "", "docs/mine.txt": "mine"}
	if diff := cmp.Diff(whole, onDisk(t, to)); diff != "" {
		t.Error(diff)
	}
	if after, err := os.Stat(filepath.Join(to, "docs")); err != nil || after.Mode() != before.Mode() {
		t.Errorf("a folder that existed got the mode %v (%v)", after.Mode(), err)
	}

	// once more: everything is there
	plan, err := v.PlanExtract(context.Background(), a.Ref(), keepwatch.Ask{To: to})
	if err != nil || plan.Same != 4 || plan.New != 0 || plan.Replaced != 0 {
		t.Errorf("plan: %+v, %v", plan, err)
	}
	if r := mustExtract(t, v, a.Ref(), to, keepwatch.Ask{}); r.Items != 4 {
		t.Errorf("result: %+v", r)
	}

	// somebody changed one and removed another
	write(t, filepath.Join(to, "docs", "a.txt"), "changed by somebody")
	if err := os.Remove(filepath.Join(to, "docs", "b.txt")); err != nil {
		t.Fatal(err)
	}
	_, err = extract(v, a.Ref(), to, keepwatch.Ask{})
	want(t, err, keepwatch.KindConflict, "docs/a.txt", "another place", "1 item")
	delete(whole, "docs/b.txt")
	whole["docs/a.txt"] = "changed by somebody"
	if diff := cmp.Diff(whole, onDisk(t, to)); diff != "" {
		t.Errorf("refused, and yet: %s", diff)
	}
	mustExtract(t, v, a.Ref(), to, keepwatch.Ask{Overwrite: true})
	whole["docs/a.txt"], whole["docs/b.txt"] = "from the archive", "bee"
	if diff := cmp.Diff(whole, onDisk(t, to)); diff != "" {
		t.Error(diff)
	}
}

// TestExtractNeverReplacesWhatLooksTheSame: size and time say that a file is
// there already, and its content says that it is not.
func TestExtractNeverReplacesWhatLooksTheSame(t *testing.T) {
	v := newVault(t)
	f := file("a", "right")
	a := seal(t, v, 1, f, file("b", "bee"))
	to := t.TempDir()
	path := filepath.Join(to, "a")
	write(t, path, "wrong")
	if err := os.Chtimes(path, f.ModTime, f.ModTime); err != nil {
		t.Fatal(err)
	}
	r, err := extract(v, a.Ref(), to, keepwatch.Ask{})
	want(t, err, keepwatch.KindAttention, `"a" could not be restored`)
	if read(t, path) != "wrong" || read(t, filepath.Join(to, "b")) != "bee" || len(r.Findings) != 1 {
		t.Errorf("findings %v, on disk %v", r.Findings, onDisk(t, to))
	}
	mustExtract(t, v, a.Ref(), to, keepwatch.Ask{Overwrite: true})
	if read(t, path) != "right" {
		t.Error("told to, it did not replace")
	}
}

func TestExtractParts(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, folder("a"), folder("a/deep"), file("a/deep/x.docx", "1"), file("a/deep/y.txt", "2"), file("ab", "3"), folder("b"), file("b/z.docx", "4"),
		alone("mail/in.pst", "5"), alone("mail/out.pst", "6"), file("odd[1]", "7"))
	cases := []struct {
		parts []string
		want  []string
	}{
		{[]string{"a"}, []string{"a/", "a/deep/", "a/deep/x.docx", "a/deep/y.txt"}},
		{[]string{"a/"}, []string{"a/", "a/deep/", "a/deep/x.docx", "a/deep/y.txt"}},
		{[]string{"./a/deep/y.txt"}, []string{"a/", "a/deep/", "a/deep/y.txt"}},
		{[]string{"*.docx"}, []string{"a/", "a/deep/", "a/deep/x.docx", "b/", "b/z.docx"}},
		{[]string{"*/deep"}, []string{"a/", "a/deep/", "a/deep/x.docx", "a/deep/y.txt"}},
		{[]string{"b", "ab"}, []string{"ab", "b/", "b/z.docx"}},
		{[]string{"mail/in.pst"}, []string{"mail/", "mail/in.pst"}},
		{[]string{"odd[1]"}, []string{"odd[1]"}},
		{[]string{"/"}, []string{"a/", "a/deep/", "a/deep/x.docx", "a/deep/y.txt", "ab", "b/", "b/z.docx", "mail/", "mail/in.pst", "mail/out.pst", "odd[1]"}},
	}
	for _, c := range cases {
		to := filepath.Join(t.TempDir(), "out")
		mustExtract(t, v, a.Ref(), to, keepwatch.Ask{Parts: c.parts})
		var got []string
		for name := range onDisk(t, to) {
			got = append(got, name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: %s", c.parts, diff)
		}
	}
	to := filepath.Join(t.TempDir(), "out")
	_, err := extract(v, a.Ref(), to, keepwatch.Ask{Parts: []string{"a", "nothing", "*.odt"}})
	want(t, err, keepwatch.KindNotFound, "nothing", "*.odt")
	if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("refused, and yet something was made: %v", err)
	}
}

// TestExtractGivesFoldersTheirTimes although things were written into them, and
// although only a part was asked for.
func TestExtractGivesFoldersTheirTimes(t *testing.T) {
	v := newVault(t)
	things := []thing{folder("a"), folder("a/b"), file("a/b/c", "x"), file("a/d", "y"), symlink("a/e", "d")}
	a := seal(t, v, 1, things...)
	for _, parts := range [][]string{nil, {"a/b/c"}} {
		to := filepath.Join(t.TempDir(), "out")
		mustExtract(t, v, a.Ref(), to, keepwatch.Ask{Parts: parts})
		checkRestored(t, to, things[0])
		checkRestored(t, to, things[1])
		checkRestored(t, to, things[2])
	}
	to := t.TempDir() // one that exists
	mustExtract(t, v, a.Ref(), to, keepwatch.Ask{})
	for _, th := range things {
		checkRestored(t, to, th)
	}
}

// TestExtractGivesOwnersBack as root, and leaves them alone otherwise.
func TestExtractGivesOwnersBack(t *testing.T) {
	v := newVault(t)
	f := file("a", "x")
	f.UID, f.GID, f.Mode = 12345, 54321, 0o4711
	a := seal(t, v, 1, f)
	to := filepath.Join(t.TempDir(), "out")
	mustExtract(t, v, a.Ref(), to, keepwatch.Ask{})
	info, err := os.Stat(filepath.Join(to, "a"))
	if err != nil {
		t.Fatal(err)
	}
	uid, gid, ok := ownerOf(info)
	wantUID, wantGID := 12345, 54321
	if os.Geteuid() != 0 {
		wantUID, wantGID = os.Geteuid(), os.Getegid()
	}
	if ok && (uid != wantUID || gid != wantGID) {
		t.Errorf("it belongs to %d:%d, want %d:%d", uid, gid, wantUID, wantGID)
	}
	checkRestored(t, to, f) // setuid is still there
}

// TestExtractOfADamagedTree restores what lies before the damage, names what is
// lost, and goes on with the files that lie on their own.
func TestExtractOfADamagedTree(t *testing.T) {
	v := newVault(t)
	var things []thing
	for i, name := range []string{"first", "second", "third"} {
		things = append(things, file(name, string(noise(3<<20, byte(i)))))
	}
	things = append(things, folder("empty"), symlink("l", "first"), alone("mail.pst", "whole"))
	a := seal(t, v, 1, things...)
	path := filepath.Join(v.Path(a.Ref()), "notes.tar.zst.age")
	data := []byte(read(t, path))
	data[len(data)/2] ^= 4
	write(t, path, string(data))
	to := filepath.Join(t.TempDir(), "out")
	r, err := extract(v, a.Ref(), to, keepwatch.Ask{})
	want(t, err, keepwatch.KindAttention, "notes.tar.zst.age", "second")
	got := onDisk(t, to)
	for name := range got {
		got[name] = ""
	}
	if _, ok := got["third"]; ok { // restored where the damage allows it
		delete(got, "third")
	} else if !names(r.Findings, "third") {
		t.Errorf("findings: %v", r.Findings)
	}
	if diff := cmp.Diff(map[string]string{"first": "", "empty/": "", "l -> first": "", "mail.pst": ""}, got); diff != "" {
		t.Error(diff)
	}
	if !names(r.Findings, "second") {
		t.Errorf("findings: %v", r.Findings)
	}
}

// TestExtractOfADamagedSingle leaves that one out.
func TestExtractOfADamagedSingle(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("a", "x"), alone("one.pst", strings.Repeat("one", 5000)), alone("two.pst", "two"))
	path := filepath.Join(v.Path(a.Ref()), "one.pst.zst.age")
	data := []byte(read(t, path))
	data[len(data)-9] ^= 4
	write(t, path, string(data))
	to := filepath.Join(t.TempDir(), "out")
	r, err := extract(v, a.Ref(), to, keepwatch.Ask{})
	want(t, err, keepwatch.KindAttention, "one.pst", "2 of 3 items")
	if diff := cmp.Diff(map[string]string{"a": "x", "two.pst": "two"}, onDisk(t, to)); diff != "" {
		t.Error(diff)
	}
	if !names(r.Findings, "one.pst") || r.Items != 2 {
		t.Errorf("result: %+v", r)
	}
}

// TestExtractWithoutItsManifest: what is sealed needs none.
func TestExtractWithoutItsManifest(t *testing.T) {
	for _, damage := range []func(path string) error{os.Remove, func(path string) error { return os.WriteFile(path, []byte("{"), 0o600) }} {
		v := newVault(t)
		a := seal(t, v, 1, file("a", "x"))
		if err := damage(filepath.Join(v.Path(a.Ref()), manifestName)); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), "out")
		r, err := extract(v, a.Ref(), to, keepwatch.Ask{})
		want(t, err, keepwatch.KindAttention, "Everything", manifestName)
		if read(t, filepath.Join(to, "a")) != "x" || !names(r.Findings, manifestName) {
			t.Errorf("findings: %v", r.Findings)
		}
	}
}

// TestExtractStops obeys its context and leaves nothing behind.
func TestExtractStops(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("a", "x"), file("big", string(noise(8<<20, 1))), file("z", "x"))
	stop := errors.New("stop")
	for _, exists := range []bool{false, true} {
		above := t.TempDir()
		to := filepath.Join(above, "out")
		if exists {
			write(t, filepath.Join(to, "mine"), "mine")
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		_, err := v.Extract(ctx, a.Ref(), keepwatch.Run{ID: 5, Ask: keepwatch.Ask{To: to}}, func(p keepwatch.Progress) {
			if p.Bytes > 1<<20 {
				cancel(stop)
			}
		})
		cancel(nil)
		if !errors.Is(err, stop) {
			t.Fatalf("got %v", err)
		}
		left := map[string]string{}
		if exists {
			left = map[string]string{"out/": "", "out/mine": "mine", "out/a": "x"}
		}
		if diff := cmp.Diff(left, onDisk(t, above)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestExtractRefusesPlaces that it cannot use.
func TestExtractRefusesPlaces(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("a", "x"))
	_, err := extract(v, a.Ref(), "relative/out", keepwatch.Ask{})
	want(t, err, keepwatch.KindInvalid, "relative/out")
	at := filepath.Join(t.TempDir(), "a-file")
	write(t, at, "x")
	_, err = extract(v, a.Ref(), at, keepwatch.Ask{})
	want(t, err, keepwatch.KindAttention, at)
	_, err = extract(v, "notes/2000-01-01T000000Z", at, keepwatch.Ask{})
	want(t, err, keepwatch.KindNotFound, "no archive")
}

// TestExtractPlansWhatItDoes counts what is new, the same and replaced.
func TestExtractPlansWhatItDoes(t *testing.T) {
	v := newVault(t)
	same := file("same", "s")
	a := seal(t, v, 1, folder("d"), same, file("d/new", "nn"), file("differs", "d"), symlink("l", "x"), symlink("m", "y"))
	to := t.TempDir()
	write(t, filepath.Join(to, "same"), "s")
	write(t, filepath.Join(to, "differs"), "other")
	if err := errors.Join(os.Chtimes(filepath.Join(to, "same"), same.ModTime, same.ModTime), os.Symlink("x", filepath.Join(to, "l")), os.Symlink("z", filepath.Join(to, "m"))); err != nil {
		t.Fatal(err)
	}
	got, err := v.PlanExtract(context.Background(), a.Ref(), keepwatch.Ask{To: to})
	if err != nil || got.Free <= 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	got.Free = 0
	if diff := cmp.Diff(keepwatch.RestorePlan{Ref: a.Ref(), To: to, Items: 6, Bytes: 4, Need: 3, New: 2, Same: 2, Replaced: 2, Clashes: []string{"differs", "m"}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestExtractedFilesAreNeverReplacedInARace: somebody makes a file between the
// plan and the moment at which it would be placed.
func TestExtractedFilesAreNeverReplacedInARace(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("a", "from the archive"), file("b", "bee"))
	to := t.TempDir()
	v.crash = func(point string) {
		if path := filepath.Join(to, "a"); point == "vault.extract.before-place" {
			if _, err := os.Stat(path); err != nil {
				write(t, path, "made meanwhile")
			}
		}
	}
	_, err := extract(v, a.Ref(), to, keepwatch.Ask{})
	want(t, err, keepwatch.KindAttention, `"a" could not be restored`, "left as it is")
	if diff := cmp.Diff(map[string]string{"a": "made meanwhile", "b": "bee"}, onDisk(t, to)); diff != "" {
		t.Error(diff)
	}

	// and a whole destination
	to = filepath.Join(t.TempDir(), "out")
	v.crash = func(point string) {
		if point == "vault.extract.after-sync" {
			write(t, filepath.Join(to, "theirs"), "made meanwhile")
		}
	}
	_, err = extract(v, a.Ref(), to, keepwatch.Ask{})
	want(t, err, keepwatch.KindConflict, to)
	if diff := cmp.Diff(map[string]string{"theirs": "made meanwhile"}, onDisk(t, to)); diff != "" {
		t.Error(diff)
	}
}

// TestExtractReplacesLinksAndNotWhatTheyLeadTo with Overwrite.
func TestExtractReplacesLinksAndNotWhatTheyLeadTo(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("a", "from the archive"), symlink("l", "a"), symlink("m", "new"))
	above := t.TempDir()
	to := filepath.Join(above, "out")
	write(t, filepath.Join(above, "outside"), "outside")
	write(t, filepath.Join(to, "m"), "a file in the place of a link")
	if err := errors.Join(os.Symlink("../outside", filepath.Join(to, "a")), os.Symlink("../outside", filepath.Join(to, "l"))); err != nil {
		t.Fatal(err)
	}
	mustExtract(t, v, a.Ref(), to, keepwatch.Ask{Overwrite: true})
	if diff := cmp.Diff(map[string]string{"outside": "outside", "out/": "", "out/a": "from the archive", "out/l -> a": "", "out/m -> new": ""}, onDisk(t, above)); diff != "" {
		t.Error(diff)
	}
}

// TestOpenFolder opens an archive with nothing but its folder and the key.
func TestOpenFolder(t *testing.T) {
	v := newVault(t)
	a := sample(t, v, 1)
	f, err := OpenFolder(v.Path(a.Ref()), v.keys.file, Own{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Verify(context.Background(), nil)
	if err != nil || !got.OK() || got.Level != keepwatch.LevelOpened || got.At.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	to := filepath.Join(t.TempDir(), "out")
	if _, err := f.Extract(context.Background(), keepwatch.Run{Ask: keepwatch.Ask{To: to}}, nil); err != nil {
		t.Fatal(err)
	}
	if read(t, filepath.Join(to, "mail.pst")) != string(noise(70_000, 2)) {
		t.Error("mail.pst is not right")
	}
	_, err = OpenFolder(v.Path(a.Ref()), filepath.Join(to, "none"), Own{})
	want(t, err, keepwatch.KindNotFound, "key file")
	_, err = OpenFolder(filepath.Join(to, "none"), v.keys.file, Own{})
	want(t, err, keepwatch.KindNotFound, "no archive")
	_, err = OpenFolder(to, v.keys.file, Own{})
	want(t, err, keepwatch.KindNotFound, "no archive")
}

// TestTheTopFolderComesBack with its mode and time, where the destination is new;
// one that exists is somebody else's.
func TestTheTopFolderComesBack(t *testing.T) {
	for _, mode := range []uint32{0o755, 0o2770, 0o555, 0} {
		v := newVault(t)
		run := newRun(1)
		w, err := v.Begin(run)
		if err != nil {
			t.Fatal(err)
		}
		top := keepwatch.Entry{Path: ".", Type: keepwatch.EntryFolder, Mode: mode, ModTime: start.Add(-time.Hour), UID: os.Getuid(), GID: os.Getgid()}
		if err := w.Top(top); err != nil {
			t.Fatal(err)
		}
		put(t, w, file("a", "x"), folder("d"))
		if run.Result, err = w.Close(); err != nil {
			t.Fatal(err)
		}
		a, err := v.Publish(run, archiveOf(run))
		if err != nil {
			t.Fatal(err)
		}
		if got := verify(t, v, a.Ref()); !got.OK() || a.Items != 2 {
			t.Errorf("%d items, %v", a.Items, got.Problems)
		}
		to := filepath.Join(t.TempDir(), "out")
		mustExtract(t, v, a.Ref(), to, keepwatch.Ask{})
		info, err := os.Stat(to)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != fileMode(mode)|os.ModeDir || !info.ModTime().Equal(top.ModTime) {
			t.Errorf("%v of %v, want %v", info.Mode(), info.ModTime(), fileMode(mode))
		}
		exists := t.TempDir()
		before, _ := os.Stat(exists)
		mustExtract(t, v, a.Ref(), exists, keepwatch.Ask{})
		if after, err := os.Stat(exists); err != nil || after.Mode() != before.Mode() {
			t.Errorf("one that existed: %v", after.Mode())
		}
		_ = os.Chmod(to, 0o700)
	}
	w, err := newVault(t).Begin(newRun(1))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, e := range []keepwatch.Entry{{Path: "a", Type: keepwatch.EntryFolder}, {Path: ".", Type: keepwatch.EntryFile}} {
		if err := w.Top(e); err == nil {
			t.Errorf("%+v is taken for the top folder", e)
		}
	}
}

// TestWhatNoRestoreReplaces is refused before anything is touched, and the plan
// promises nothing about it.
func TestWhatNoRestoreReplaces(t *testing.T) {
	for _, c := range []struct {
		name, blocked string
		stand         func(to string) error
	}{
		{"a folder in the place of a file", "a", func(to string) error { return os.Mkdir(filepath.Join(to, "a"), 0o755) }},
		{"a file in the place of a folder", "d d/b", func(to string) error { return os.WriteFile(filepath.Join(to, "d"), nil, 0o644) }},
		{"a link that leads outside", "d d/b", func(to string) error { return os.Symlink("/", filepath.Join(to, "d")) }},
		{"a link that leads nowhere", "d", func(to string) error { return os.Symlink("nowhere", filepath.Join(to, "d")) }},
	} {
		v := newVault(t)
		arch := seal(t, v, 1, file("a", "x"), folder("d"), file("d/b", "y"))
		to := t.TempDir()
		if err := c.stand(to); err != nil {
			t.Fatal(err)
		}
		before := onDisk(t, to)
		plan, err := v.PlanExtract(t.Context(), arch.Ref(), keepwatch.Ask{To: to, Overwrite: true})
		if err != nil || strings.Join(plan.Blocked, " ") != c.blocked || plan.Replaced != 0 {
			t.Errorf("%s: %+v, %v", c.name, plan, err)
		}
		_, err = extract(v, arch.Ref(), to, keepwatch.Ask{Overwrite: true})
		want(t, err, keepwatch.KindConflict, "stands in the way")
		if diff := cmp.Diff(before, onDisk(t, to)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
