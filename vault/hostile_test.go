package vault

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// forge makes an archive whose tree and list of contents are given as they are,
// as somebody with the public key could.
func forge(t testing.TB, v *Vault, id int64, tree []byte, list string) keepwatch.Archive {
	t.Helper()
	run := newRun(id)
	dir := v.staging(id)
	if err := errors.Join(os.RemoveAll(dir), makeDirs(dir)); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"notes.tar.zst.age": tree, contentsName: []byte(list)} {
		s, err := newSealer(filepath.Join(dir, name), name, v.keys.recipients, v.zstd, listFrame, v.crash)
		if err == nil {
			_, err = s.Write(data)
		}
		if err = errors.Join(err, s.close()); err != nil {
			t.Fatal(err)
		}
		run.Result.Sealed = append(run.Result.Sealed, s.sealed())
	}
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// forgedTar packs headers as they are, each with the content "evil" where it is
// a file.
func forgedTar(t testing.TB, headers ...*tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = 4
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte("evil")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// listOf makes the lines of a list of contents that fits forgedTar.
func listOf(t testing.TB, entries ...keepwatch.Entry) string {
	t.Helper()
	var b strings.Builder
	for _, e := range entries {
		if e.In == "" {
			e.In = "notes.tar.zst.age"
		}
		if e.Type == keepwatch.EntryFile {
			e.Size, e.SHA256 = 4, sumText("evil")
		}
		data, err := json.Marshal(line{Entry: &e, RawPath: raw(e.Path), RawLink: raw(e.Link)})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", data)
	}
	return b.String()
}

func plainEntry(path string) keepwatch.Entry {
	return keepwatch.Entry{Path: path, Type: keepwatch.EntryFile, Mode: 0o644, ModTime: start}
}

func plainHeader(name string) *tar.Header {
	return &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, ModTime: start, Format: tar.FormatPAX}
}

// TestHostileArchives restores archives that try to write outside of their
// destination. Nothing outside changes, each attempt is named, and good.txt
// around it is restored where the archive can be read on.
func TestHostileArchives(t *testing.T) {
	link := func(name, target string) *tar.Header {
		return &tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeSymlink, Mode: 0o777, ModTime: start, Format: tar.FormatPAX}
	}
	linkEntry := func(path, target string) keepwatch.Entry {
		return keepwatch.Entry{Path: path, Link: target, Type: keepwatch.EntryLink, Mode: 0o777, ModTime: start}
	}
	other := func(name string, kind byte, target string) *tar.Header {
		return &tar.Header{Name: name, Linkname: target, Typeflag: kind, Mode: 0o644, ModTime: start, Devmajor: 1, Devminor: 3, Format: tar.FormatPAX}
	}
	type files map[string]string
	cases := []struct {
		what    string
		headers []*tar.Header
		list    []keepwatch.Entry
		named   string
		whole   files // what is restored; nil: nothing, not even the folder
	}{
		{"only the tar: ..", []*tar.Header{plainHeader("../evil"), plainHeader("good.txt")}, []keepwatch.Entry{plainEntry("good.txt")}, "../evil", files{"good.txt": "evil"}},
		{"only the tar: absolute", []*tar.Header{plainHeader("good.txt"), plainHeader("/tmp/evil")}, []keepwatch.Entry{plainEntry("good.txt")}, "/tmp/evil", files{"good.txt": "evil"}},
		{"in the place of another", []*tar.Header{plainHeader("../evil"), plainHeader("good.txt")}, []keepwatch.Entry{plainEntry("a"), plainEntry("good.txt")}, "../evil", files{"good.txt": "evil"}},
		{"both: ..", []*tar.Header{plainHeader("../evil"), plainHeader("good.txt")}, []keepwatch.Entry{plainEntry("../evil"), plainEntry("good.txt")}, "../evil", nil},
		{"both: .. inside", []*tar.Header{plainHeader("a/../../evil")}, []keepwatch.Entry{plainEntry("a/../../evil")}, "a/../../evil", nil},
		{"both: absolute", []*tar.Header{plainHeader("/tmp/evil")}, []keepwatch.Entry{plainEntry("/tmp/evil")}, "/tmp/evil", nil},
		{"both: empty part", []*tar.Header{plainHeader("a//evil")}, []keepwatch.Entry{plainEntry("a//evil")}, "a//evil", nil},
		{"a link, then through it", []*tar.Header{link("out", ".."), plainHeader("out/evil"), plainHeader("good.txt")},
			[]keepwatch.Entry{linkEntry("out", ".."), plainEntry("out/evil"), plainEntry("good.txt")}, `"out"`, files{"out/": "", "out/evil": "evil", "good.txt": "evil"}},
		{"an absolute link, then through it", []*tar.Header{link("out", "/tmp"), plainHeader("out/evil")},
			[]keepwatch.Entry{linkEntry("out", "/tmp"), plainEntry("out/evil")}, `"out"`, files{"out/": "", "out/evil": "evil"}},
		{"a link in the place of a file, then that", []*tar.Header{link("x", "../evil"), plainHeader("x")}, []keepwatch.Entry{linkEntry("x", "../evil"), plainEntry("x")}, `"x"`, files{"x": "evil"}},
		{"a file twice", []*tar.Header{plainHeader("x"), plainHeader("x")}, []keepwatch.Entry{plainEntry("x"), plainEntry("x")}, `"x"`, files{"x": "evil"}},
		{"a file as a folder", []*tar.Header{plainHeader("x"), plainHeader("x/y")}, []keepwatch.Entry{plainEntry("x"), plainEntry("x/y")}, `"x/y"`, files{"x": "evil"}},
		{"a hard link", []*tar.Header{other("h", tar.TypeLink, "/etc/passwd"), plainHeader("good.txt")}, []keepwatch.Entry{plainEntry("h"), plainEntry("good.txt")}, `"h"`, files{"good.txt": "evil"}},
		{"a device", []*tar.Header{other("d", tar.TypeChar, ""), plainHeader("good.txt")}, []keepwatch.Entry{plainEntry("d"), plainEntry("good.txt")}, `"d"`, files{"good.txt": "evil"}},
		{"a pipe", []*tar.Header{plainHeader("good.txt"), other("p", tar.TypeFifo, "")}, []keepwatch.Entry{plainEntry("good.txt"), plainEntry("p")}, `"p"`, files{"good.txt": "evil"}},
		{"a device that the list calls one", []*tar.Header{other("d", tar.TypeChar, "")}, []keepwatch.Entry{{Path: "d", Type: "device"}}, `"d"`, nil},
		{"another mode", []*tar.Header{{Name: "x", Typeflag: tar.TypeReg, Mode: 0o4755, ModTime: start, Format: tar.FormatPAX}, plainHeader("good.txt")}, []keepwatch.Entry{plainEntry("x"), plainEntry("good.txt")}, `"x"`, files{"good.txt": "evil"}},
		{"our own temporary name", []*tar.Header{plainHeader(partial(keepwatch.Run{ID: 77}) + "/file")}, []keepwatch.Entry{plainEntry(partial(keepwatch.Run{ID: 77}) + "/file")}, "", files{partial(keepwatch.Run{ID: 77}) + "/": "", partial(keepwatch.Run{ID: 77}) + "/file": "evil"}},
		{"another folder's sealed file", nil, []keepwatch.Entry{{Path: "x", Type: keepwatch.EntryFile, In: "../../../evil.tar.zst.age"}}, "evil.tar.zst.age", files{}},
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			v := newVault(t)
			a := forge(t, v, 1, forgedTar(t, c.headers...), listOf(t, c.list...))
			if got := verify(t, v, a.Ref()); got.OK() {
				// such an archive is consistent, and only dangerous to restore
				t.Logf("verifies: %+v", got)
			}
			above := t.TempDir()
			write(t, filepath.Join(above, "evil"), "untouched")
			r, err := extract(v, a.Ref(), filepath.Join(above, "out"), keepwatch.Ask{})
			got := onDisk(t, above)
			wanted := files{"evil": "untouched"}
			if c.whole != nil {
				wanted["out/"] = ""
			}
			for name, data := range c.whole {
				wanted["out/"+name] = data
			}
			if diff := cmp.Diff(map[string]string(wanted), got); diff != "" {
				t.Errorf("on disk: %s", diff)
			}
			if c.named == "" {
				return
			}
			if err == nil || keepwatch.KindOf(err) != keepwatch.KindAttention {
				t.Errorf("got the error %v", err)
			}
			if !names(r.Findings, c.named) && !strings.Contains(fmt.Sprint(err), c.named) {
				t.Errorf("nothing names %s: %v, %v", c.named, err, r.Findings)
			}
		})
	}
}

// TestNamesOfOurTemporaryFolder: into a folder that exists, what an archive holds
// under the names of an earlier version's temporary folders comes through, and
// what it holds under ours is told of: it would be removed with them.
func TestNamesOfOurTemporaryFolder(t *testing.T) {
	ours := partial(keepwatch.Run{ID: 77})
	v := newVault(t)
	a := seal(t, v, 1, folder(".keepwatch-partial-77"), file(".keepwatch-partial-77/precious", "hello"), folder(ours), file(ours+"/file", "x"), symlink(ours+"/link", "x"))
	to := t.TempDir()
	r, err := extract(v, a.Ref(), to, keepwatch.Ask{})
	want(t, err, keepwatch.KindAttention, ours)
	if diff := cmp.Diff(map[string]string{".keepwatch-partial-77/": "", ".keepwatch-partial-77/precious": "hello"}, onDisk(t, to)); diff != "" || r.Items != 2 || len(r.Findings) != 3 {
		t.Errorf("%d items, %v, on disk: %s", r.Items, r.Findings, diff)
	}
	for _, other := range []keepwatch.Run{{ID: 78}, {ID: 77, Created: start}, {ID: 77, Created: start.Add(1)}} {
		if name := partial(other); name == ours {
			t.Errorf("%+v has the same name, %s", other, name)
		}
	}
}

// TestNobodyGuessesOurTemporaryFolder: its name cannot be told from that of
// another run, nor from the number of its own.
func TestNobodyGuessesOurTemporaryFolder(t *testing.T) {
	const base, digits = ".keepwatch-partial-", 16
	one, next := partial(keepwatch.Run{ID: 77, Created: start}), partial(keepwatch.Run{ID: 77, Created: start.Add(1)})
	same := 0
	for i := range digits {
		if len(one) != len(base)+digits || len(next) != len(one) || !isHex(one[len(base):]) {
			t.Fatalf("%q, %q", one, next)
		}
		if one[len(base)+i] == next[len(base)+i] {
			same++
		}
	}
	if same > digits/2 || strings.Contains(one, "77") {
		t.Errorf("%q follows from the number of the run, or %q from it", one, next)
	}
}

// TestExtractThroughLinksThatStandThere: the destination has links that lead
// outside. Nothing is written through them.
func TestExtractThroughLinksThatStandThere(t *testing.T) {
	for _, overwrite := range []bool{false, true} {
		v := newVault(t)
		a := seal(t, v, 1, folder("d"), file("d/evil", "from the archive"), file("good", "good"), symlink("d/l", "x"))
		above := t.TempDir()
		to := filepath.Join(above, "out")
		write(t, filepath.Join(above, "outside", "evil"), "untouched")
		if err := errors.Join(os.Mkdir(to, 0o755), os.Symlink("../outside", filepath.Join(to, "d"))); err != nil {
			t.Fatal(err)
		}
		_, err := extract(v, a.Ref(), to, keepwatch.Ask{Overwrite: overwrite})
		want(t, err, keepwatch.KindConflict, "d")
		wanted := map[string]string{"outside/": "", "outside/evil": "untouched", "out/": "", "out/d -> ../outside": ""}
		if diff := cmp.Diff(wanted, onDisk(t, above)); diff != "" {
			t.Errorf("overwrite %v: %s", overwrite, diff)
		}
	}
}

// TestFalseSumsInTheList: the list of contents has another SHA-256 than the
// content. That file is removed and named, and the rest goes on.
func TestFalseSumsInTheList(t *testing.T) {
	v := newVault(t)
	list := listOf(t, plainEntry("a"), plainEntry("b"), plainEntry("c"))
	lines := strings.SplitAfter(list, "\n")
	lines[1] = strings.Replace(lines[1], sumText("evil"), sumText("good"), 1)
	a := forge(t, v, 1, forgedTar(t, plainHeader("a"), plainHeader("b"), plainHeader("c")), strings.Join(lines, ""))
	if got := verify(t, v, a.Ref()); !names(got.Problems, `"b"`) || names(got.Problems, `"c"`) {
		t.Errorf("problems: %v", got.Problems)
	}
	for _, exists := range []bool{false, true} {
		to := filepath.Join(t.TempDir(), "out")
		if exists {
			if err := os.Mkdir(to, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		r, err := extract(v, a.Ref(), to, keepwatch.Ask{})
		want(t, err, keepwatch.KindAttention, `"b"`, "2 of 3 items")
		if diff := cmp.Diff(map[string]string{"a": "evil", "c": "evil"}, onDisk(t, to)); diff != "" || !names(r.Findings, `"b"`) {
			t.Errorf("%s, findings %v", diff, r.Findings)
		}
	}
}

// TestBrokenTars are found by verification.
func TestBrokenTars(t *testing.T) {
	good := forgedTar(t, plainHeader("a"), plainHeader("b"))
	list := listOf(t, plainEntry("a"), plainEntry("b"))
	junk := append(bytes.Clone(good), bytes.Repeat([]byte("more"), 600)...)
	for what, c := range map[string]struct {
		tree  []byte
		list  string
		named string
	}{
		"something behind the end": {junk, list, "behind its end"},
		"cut off in a header":      {good[:3500], list, `"b"`},
		"cut off in a file":        {good[:1538], list, `"a"`},
		"empty":                    {nil, list, `"a"`},
		"one file too many":        {good, listOf(t, plainEntry("a")), `"b"`},
		"one file too few":         {good, listOf(t, plainEntry("a"), plainEntry("b"), plainEntry("c")), `"c"`},
		"two exchanged":            {good, listOf(t, plainEntry("b"), plainEntry("a")), `"b"`},
		"an empty list":            {good, "", "notes.tar.zst.age"},
		"a list that is cut off":   {good, list[:len(list)-3], contentsName},
		"a list with a bad line":   {good, "{}\n" + list, contentsName},
		"a list of nonsense":       {good, "nonsense\n", contentsName},
		"a line that is too long":  {good, `{"path":"` + strings.Repeat("x", maxLine) + `"}` + "\n", contentsName},
	} {
		v := newVault(t)
		a := forge(t, v, 1, c.tree, c.list)
		if got := verify(t, v, a.Ref()); !names(got.Problems, c.named) {
			t.Errorf("%s: nothing names %s: %v", what, c.named, got.Problems)
		}
	}
}
