package vault

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// strange is a tree with everything that an archive must bring back.
func strange() []thing {
	suid := file("bin/suid", "#!/bin/sh\n")
	suid.Mode = 0o4755
	sticky := folder("tmp")
	sticky.Mode = 0o1777
	setgid := folder("shared")
	setgid.Mode = 0o2775
	closed := folder("closed")
	closed.Mode = 0o500
	old := file("old", "before 1970")
	old.ModTime = time.Date(1911, 2, 3, 4, 5, 6, 7, time.UTC)
	late := file("late", "after 2038")
	late.ModTime = time.Date(2242, 2, 3, 4, 5, 6, 999999999, time.UTC)
	return []thing{
		folder("bin"), suid, sticky, setgid, closed, file("closed/inside", "x"), old, late,
		file("empty", ""),
		file("a\nb\tc", "a line feed in a name"),
		file("-rf", "looks like an option"),
		file("Grüße/日本語.txt", "not ASCII"),
		file("latin1-\xe9\xff", "not UTF-8"),
		folder("bad\xf0folder"),
		file("bad\xf0folder/\x80", "in a folder that is not UTF-8"),
		symlink("link-\xfe", "to/\xfd\nthere"),
		symlink("dangling", "/nowhere/at/all"),
		file(strings.Repeat("long/", 60)+strings.Repeat("n", 250), "a path of 550 bytes"),
		file("replacement \uFFFD", "U+FFFD itself"),
		file("big", string(noise(3<<20+17, 1))),
		file("text", strings.Repeat("the same line again and again\n", 200_000)),
	}
}

func TestRoundTrip(t *testing.T) {
	v := newVault(t)
	things := strange()
	a := seal(t, v, 1, things...)
	if got := verify(t, v, a.Ref()); !got.OK() || got.Level != keepwatch.LevelOpened || got.Files != 14 || got.Bytes != a.Bytes || got.Sealed != a.SealedBytes {
		t.Fatalf("verification: %+v, archive %+v", got, a)
	}
	var listed []keepwatch.Entry
	if err := v.Contents(context.Background(), a.Ref(), func(e keepwatch.Entry) error { listed = append(listed, e); return nil }, nil); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "new", "out")
	result := mustExtract(t, v, a.Ref(), to, keepwatch.Ask{})
	if result.Items != int64(len(things)) || result.Bytes != a.Bytes || len(result.Findings) > 0 {
		t.Errorf("result: %+v", result)
	}
	for i, th := range things {
		want := th.Entry
		want.In = "notes.tar.zst.age"
		if want.Type == keepwatch.EntryFile {
			want.SHA256 = sumText(string(th.data))
		}
		if diff := cmp.Diff(want, listed[i]); diff != "" {
			t.Errorf("entry %d in the list of contents: %s", i, diff)
		}
		checkRestored(t, to, th)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(to), "*")); len(left) != 1 {
		t.Errorf("beside the destination: %q", left)
	}
}

// checkRestored compares what was restored with what was sealed.
func checkRestored(t *testing.T, to string, th thing) {
	t.Helper()
	path := filepath.Join(to, th.Path)
	info, err := os.Lstat(path)
	if err != nil {
		t.Error(err)
		return
	}
	switch th.Type {
	case keepwatch.EntryLink:
		if target, err := os.Readlink(path); err != nil || target != th.Link {
			t.Errorf("%q leads to %q (%v), want %q", th.Path, target, err, th.Link)
		}
	case keepwatch.EntryFile:
		if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, th.data) {
			t.Errorf("%q has other content (%v)", th.Path, err)
		}
		fallthrough
	default:
		if info.Mode() != fileMode(th.Mode)|info.Mode().Type() {
			t.Errorf("%q has mode %v, want %o", th.Path, info.Mode(), th.Mode)
		}
	}
	if !info.ModTime().Equal(th.ModTime) {
		t.Errorf("%q has time %v, want %v", th.Path, info.ModTime(), th.ModTime)
	}
}

// peer gives a program that archives must open with. In CI it must be there.
func peer(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("CI must have %s: %v", name, err)
			}
			t.Skipf("needs %s", name)
		}
	}
}

// TestOpensWithoutUs opens archives with nothing but age, zstd, tar and
// sha256sum.
func TestOpensWithoutUs(t *testing.T) {
	peer(t, "age", "zstd", "tar", "sha256sum", "sh")
	v := newVault(t)
	things := strange()
	gz := "\x1f\x8b\x08 something that gzip made"
	a := seal(t, v, 1, append(things, alone("mail/inbox.pst", "!BDN and so on"), alone("site.tar.gz", gz), alone("nothing", ""))...)
	out := t.TempDir()
	sh := func(script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-e", "-c", script)
		cmd.Dir = v.Path(a.Ref())
		cmd.Env = append(os.Environ(), "KEY="+v.keys.file, "OUT="+out, "LC_ALL=C")
		data, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, data)
		}
		return string(data)
	}
	if got := sh("sha256sum -c --strict SHA256SUMS"); strings.Count(got, ": OK\n") != 6 {
		t.Errorf("sha256sum says:\n%s", got)
	}
	sh(`age -d -i "$KEY" notes.tar.zst.age | zstd -d | tar x -p -C "$OUT"`)
	for _, th := range things {
		checkRestored(t, out, th)
	}
	if got := sh(`age -d -i "$KEY" inbox.pst.zst.age | zstd -d`); got != "!BDN and so on" {
		t.Errorf("the single file holds %q", got)
	}
	if got := sh(`age -d -i "$KEY" site.tar.gz.age`); got != gz {
		t.Errorf("the compressed file holds %q", got)
	}
	if got := sh(`age -d -i "$KEY" nothing.zst.age | zstd -d`); got != "" {
		t.Errorf("the empty file holds %q", got)
	}
	if got := sh(`age -d -i "$KEY" contents.jsonl.zst.age | zstd -d`); strings.Count(got, "\n") != len(things)+3 || !strings.Contains(got, `"path":"big"`) {
		t.Errorf("the list of contents:\n%s", got)
	}
}
