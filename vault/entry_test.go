package vault

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"keepwatch"
)

// several is an archive with files in the tree and files that lie alone.
func several() []thing {
	return []thing{
		folder("d"), file("d/first", "one"), file("d/big", string(noise(3<<20+5, 3))), file("d/text", strings.Repeat("again and again\n", 100_000)), file("empty", ""), symlink("l", "d"),
		alone("inbox.pst", "!BDN"+strings.Repeat("x", 300_000)), alone("site.tar.gz", "\x1f\x8b\x08"+string(noise(2<<20, 4))), alone("none", ""), file("last", "the last"),
	}
}

func TestOpenEntry(t *testing.T) {
	v := newVault(t)
	things := several()
	ref := seal(t, v, 1, things...).Ref()
	for _, th := range things {
		e, r, err := v.OpenEntry(t.Context(), ref, th.Path)
		if th.Type != keepwatch.EntryFile {
			want(t, err, keepwatch.KindInvalid, th.Path, string(th.Type))
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", th.Path, err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, th.data) || e.Size != int64(len(th.data)) || e.SHA256 != sumText(string(th.data)) {
			t.Errorf("%s: %d bytes, %+v, %v", th.Path, len(got), e, err)
		}
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Errorf("%s: %v", th.Path, err)
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%s can be read when it is closed: %d %v", th.Path, n, err)
		}
	}
	_, _, err := v.OpenEntry(t.Context(), ref, "d/nothing")
	want(t, err, keepwatch.KindNotFound, "d/nothing")
	_, _, err = v.OpenEntry(t.Context(), "notes/2026-01-01T000000Z", "d")
	want(t, err, keepwatch.KindNotFound)
	_, _, err = v.OpenEntry(t.Context(), "../x", "d")
	want(t, err, keepwatch.KindInvalid)
}

// TestOpenEntryEnds: what is closed in the middle, or whose context ends, leaves
// neither a goroutine nor an open file. The bubble of synctest fails on goroutines.
func TestOpenEntryEnds(t *testing.T) {
	v := newVault(t)
	ref := seal(t, v, 1, several()...).Ref()
	stop := keepwatch.Errorf(keepwatch.KindCancelled, "Stopped by alis.")
	open := openFiles(t)
	for _, path := range []string{"d/big", "site.tar.gz", "d/first"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			_, r, err := v.OpenEntry(ctx, ref, path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(r, make([]byte, 2)); err != nil {
				t.Error(err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			_, r, err = v.OpenEntry(ctx, ref, path)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // the walk waits for its reader
			cancel(stop)
			synctest.Wait() // or a short file may be over before
			if _, err := io.Copy(io.Discard, r); !errors.Is(err, stop) {
				t.Errorf("%s: %v", path, err)
			}
			synctest.Wait()
			if n := openFiles(t); n != open {
				t.Errorf("%d files are open, and were %d", n, open)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if _, _, err := v.OpenEntry(ctx, ref, path); !errors.Is(err, stop) {
				t.Errorf("%s, ended before: %v", path, err)
			}
		})
	}
}

// openFiles counts the open files of this process, where the system tells.
func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	return len(names)
}

// TestOpenEntryOfDamage: damage is told of in place of the end, and what it does not
// touch is read.
func TestOpenEntryOfDamage(t *testing.T) {
	v := newVault(t)
	things := several()
	flip := func(name string, at func(size int) int) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			data := []byte(read(t, filepath.Join(dir, name)))
			data[at(len(data))] ^= 1
			write(t, filepath.Join(dir, name), string(data))
		}
	}
	remove := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	middle := func(n int) int { return n / 2 }
	for i, c := range []struct {
		what   string
		damage func(t *testing.T, dir string)
		bad    []string // which say so
		fine   []string
		word   string
	}{
		{"a byte of a single file", flip("site.tar.gz.age", middle), []string{"site.tar.gz"}, []string{"d/big", "inbox.pst", "last"}, "site.tar.gz.age is damaged"},
		{"the end of a single file", flip("inbox.pst.zst.age", func(n int) int { return n - 1 }), []string{"inbox.pst"}, []string{"site.tar.gz"}, "inbox.pst.zst.age is damaged"},
		{"a missing single file", remove("site.tar.gz.age"), []string{"site.tar.gz"}, []string{"d/big", "last"}, "site.tar.gz.age is missing"},
		{"a byte of the tree", flip("notes.tar.zst.age", middle), []string{"d/big"}, []string{"d/first", "site.tar.gz"}, "notes.tar.zst.age is damaged"},
		{"the beginning of the tree", flip("notes.tar.zst.age", func(int) int { return 400 }), []string{"d/first"}, []string{"last", "inbox.pst"}, "notes.tar.zst.age is damaged"},
		{"a missing tree", remove("notes.tar.zst.age"), []string{"d/first", "last"}, []string{"site.tar.gz"}, "notes.tar.zst.age is missing"},
		{"the list of contents", flip(contentsName, middle), []string{"d/first", "site.tar.gz"}, nil, "list of contents"},
		{"a missing list", remove(contentsName), []string{"d/first", "site.tar.gz"}, nil, "is missing"},
		{"the manifest", flip(manifestName, middle), nil, []string{"d/first", "site.tar.gz"}, ""},
	} {
		ref := seal(t, v, int64(i+1), things...).Ref()
		c.damage(t, v.Path(ref))
		for _, path := range c.bad {
			err := readEntry(v, ref, path, nil)
			if !errors.Is(err, keepwatch.ErrDamaged) {
				t.Errorf("%s: %s: %v", c.what, path, err)
				continue
			}
			want(t, err, keepwatch.KindAttention, c.word)
		}
		for _, path := range c.fine {
			var got bytes.Buffer
			if err := readEntry(v, ref, path, &got); err != nil {
				t.Errorf("%s: %s: %v", c.what, path, err)
			}
			for _, th := range things {
				if th.Path == path && !bytes.Equal(th.data, got.Bytes()) {
					t.Errorf("%s: %s has other content", c.what, path)
				}
			}
		}
	}
}

func readEntry(v *Vault, ref, path string, to io.Writer) error {
	_, r, err := v.OpenEntry(context.Background(), ref, path)
	if err != nil {
		return err
	}
	if to == nil {
		to = io.Discard
	}
	_, err = io.Copy(to, r)
	return errors.Join(err, r.Close())
}

// TestOpenEntryWithoutKey says what everything says that has no key, or another.
func TestOpenEntryWithoutKey(t *testing.T) {
	v := newVault(t)
	ref := seal(t, v, 1, several()...).Ref()
	blind := openVault(t, Config{Dir: v.dir, Recipients: v.Recipients()})
	_, _, err := blind.OpenEntry(t.Context(), ref, "last")
	if keepwatch.Sentence(err) != keepwatch.Sentence(noKey()) {
		t.Errorf("without a key: %v", err)
	}
	key := filepath.Join(t.TempDir(), "other.txt")
	if _, err := NewIdentity(key); err != nil {
		t.Fatal(err)
	}
	_, _, err = openVault(t, Config{Dir: v.dir, IdentityFile: key}).OpenEntry(t.Context(), ref, "site.tar.gz")
	want(t, err, keepwatch.KindAttention, "does not open this archive", v.Recipients()[0])
	if errors.Is(err, keepwatch.ErrDamaged) {
		t.Error("another key is no damage")
	}
}

// TestSingleOfUnknownSize is stored to its end, and comes back as it came.
func TestSingleOfUnknownSize(t *testing.T) {
	gz := "\x1f\x8b\x08" + string(noise(3<<20+11, 5))
	v := newVault(t)
	w, err := v.Begin(newRun(1))
	if err != nil {
		t.Fatal(err)
	}
	things := []thing{alone("home.tar.gz", gz), alone("site.sql.gz", gz[:1000]), alone("plain.sql", strings.Repeat("INSERT;\n", 100_000)), alone("short", "\x1f"), alone("none", "")}
	for i, th := range things {
		e := th.Entry
		e.Size = -1
		content := io.Reader(bytes.NewReader(th.data))
		switch i {
		case 0:
			content = iotest.HalfReader(content)
		case 1:
			content = iotest.OneByteReader(content)
		case 3:
			content = iotest.DataErrReader(content)
		}
		if err := w.Single(e, content); err != nil {
			t.Fatal(err)
		}
	}
	run := newRun(1)
	if run.Result, err = w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := int64(len(gz) + 1000 + 800_000 + 1); run.Result.Bytes != n || run.Result.Items != 5 || len(run.Result.Notes) > 0 {
		t.Errorf("%+v, want %d bytes", run.Result, n)
	}
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	if got := verify(t, v, a.Ref()); !got.OK() || got.Files != 5 || got.Bytes != run.Result.Bytes {
		t.Errorf("%+v", got)
	}
	names := map[string]bool{}
	for _, s := range a.Sealed {
		names[s.Name] = true
	}
	to := filepath.Join(t.TempDir(), "out")
	mustExtract(t, v, a.Ref(), to, keepwatch.Ask{})
	for i, name := range []string{"home.tar.gz.age", "site.sql.gz.age", "plain.sql.zst.age", "short.zst.age", "none.zst.age"} {
		var got bytes.Buffer
		if err := readEntry(v, a.Ref(), things[i].Path, &got); err != nil || !bytes.Equal(got.Bytes(), things[i].data) || !names[name] {
			t.Errorf("%s: %d bytes, %v, among %v", name, got.Len(), err, names)
		}
		checkRestored(t, to, things[i])
	}
}

// TestUnknownSizeOpensWithoutUs: with nothing but age and sha256sum, and by `bot open`,
// which knows no vault.
func TestUnknownSizeOpensWithoutUs(t *testing.T) {
	peer(t, "age", "gzip", "sha256sum", "cmp", "sh")
	v := newVault(t)
	w, err := v.Begin(newRun(1))
	if err != nil {
		t.Fatal(err)
	}
	var gz bytes.Buffer
	z := gzip.NewWriter(&gz)
	_, err = z.Write([]byte(strings.Repeat("INSERT INTO t VALUES (1);\n", 50_000)))
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	e := file("ruthin_wp.sql.gz", "").Entry
	e.Size = -1
	if err := w.Single(e, bytes.NewReader(gz.Bytes())); err != nil {
		t.Fatal(err)
	}
	run := newRun(1)
	if run.Result, err = w.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	came := filepath.Join(t.TempDir(), "came")
	write(t, came, gz.String())
	cmd := exec.Command("sh", "-ec", `sha256sum -c --strict SHA256SUMS; age -d -i "$KEY" ruthin_wp.sql.gz.age | cmp - "$CAME"; age -d -i "$KEY" ruthin_wp.sql.gz.age | gzip -t`)
	cmd.Dir, cmd.Env = v.Path(a.Ref()), append(os.Environ(), "KEY="+v.keys.file, "CAME="+came, "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), ": OK\n") != 3 {
		t.Errorf("%v: %s", err, out)
	}
	f, err := OpenFolder(v.Path(a.Ref()), v.keys.file, Own{})
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "out")
	r, err := f.Extract(t.Context(), keepwatch.Run{ID: 1, Ask: keepwatch.Ask{To: to}}, nil)
	if err != nil || r.Bytes != int64(gz.Len()) || read(t, filepath.Join(to, "ruthin_wp.sql.gz")) != gz.String() {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestSingleOfUnknownSizeThatBreaks: whatever is no end ends the archive, at every
// place, and a connection that was cut is no end.
func TestSingleOfUnknownSizeThatBreaks(t *testing.T) {
	for _, cause := range []error{io.ErrUnexpectedEOF, errors.New("the connection broke"), context.Canceled, &os.PathError{Op: "read", Path: "x", Err: os.ErrInvalid}} {
		for _, text := range []string{"", "\x1f\x8b", "\x1f\x8b\x08 and", strings.Repeat("long", 1<<18)} {
			v := newVault(t)
			w, err := v.Begin(newRun(1))
			if err != nil {
				t.Fatal(err)
			}
			e := file("a.tar.gz", "").Entry
			e.Size = -1
			if err := w.Single(e, io.MultiReader(strings.NewReader(text), iotest.ErrReader(cause))); !errors.Is(err, cause) {
				t.Errorf("%d bytes, then %v: %v", len(text), cause, err)
			}
			if _, err := w.Close(); !errors.Is(err, cause) {
				t.Errorf("Close: %v", err)
			}
			if err := w.Abort(); err != nil {
				t.Error(err)
			}
		}
	}
	v := newVault(t)
	w, err := v.Begin(newRun(1))
	if err != nil {
		t.Fatal(err)
	}
	e := file("a", "").Entry
	e.Size = -1
	if err := w.Add(e, strings.NewReader("x")); err == nil {
		t.Error("a tree took a file of unknown size")
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
}
