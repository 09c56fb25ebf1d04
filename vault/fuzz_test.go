package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// FuzzManifest: whatever is accepted encodes to the same bytes and leads nowhere
// but into its folder.
func FuzzManifest(f *testing.F) {
	v := newVault(f)
	a := sample(f, v, 1)
	f.Add([]byte(read(f, filepath.Join(v.Path(a.Ref()), manifestName))))
	f.Add([]byte(`{"format":9}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodeManifest(data)
		if err != nil {
			return
		}
		again, err := m.encode()
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("it encodes to %q, %v", again, err)
		}
		for _, s := range m.Sealed {
			if filepath.Base(s.Name) != s.Name || !filepath.IsLocal(s.Name) {
				t.Errorf("a sealed file is named %q", s.Name)
			}
		}
		if said := parseSums(sums(m, data)); len(said) != len(m.Sealed)+1 || said[manifestName] != hexSum(data) {
			t.Errorf("the sums of it do not read back: %v", said)
		}
	})
}

// FuzzRecord: whatever is accepted encodes to the same bytes.
func FuzzRecord(f *testing.F) {
	for _, a := range []keepwatch.Archive{{}, {Path: "/srv/notes", Pinned: "before the move", Findings: []keepwatch.Finding{{Rule: "shrunk", Text: "x"}}, Accepted: "Alis", AcceptedAt: start}} {
		data, err := recordOf(a).encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRecord(data)
		if err != nil {
			return
		}
		if again, err := r.encode(); err != nil || !bytes.Equal(again, data) {
			t.Errorf("it encodes to %q, %v", again, err)
		}
	})
}

// FuzzContents: whatever is accepted has plain paths only, and is the same when
// it is written and read again.
func FuzzContents(f *testing.F) {
	f.Add([]byte(listOf(f, plainEntry("a"), plainEntry("b\xff"))))
	f.Add([]byte(`{"note":{"kind":"sparse","path":"x"},"raw_path":"/w=="}` + "\n"))
	f.Add([]byte(`{"top":{"path":".","type":"folder","mode":493,"mtime":"2026-11-23T03:00:00Z"}}` + "\n"))
	f.Add([]byte(`{"path":"a","type":"symlink","mode":511,"mtime":"2026-11-23T03:00:00Z","link":"x"}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var entries []listed
		var notes []keepwatch.Note
		readAll := func(r io.Reader, entry func(listed), note func(keepwatch.Note)) error {
			list := newContentsReader(r, func(n keepwatch.Note) error { note(n); return nil })
			for {
				e, err := list.next()
				if err != nil {
					return err
				}
				entry(e)
			}
		}
		_ = readAll(bytes.NewReader(data), func(e listed) { entries = append(entries, e) }, func(n keepwatch.Note) { notes = append(notes, n) })
		var b strings.Builder
		w := newContentsWriter(nil)
		w.buf.Reset(&b)
		for _, e := range entries {
			if validPath(e.Path) != nil || !filepath.IsLocal(e.Path) {
				t.Errorf("the path %q was accepted", e.Path)
			}
			if err := w.entry(e); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range notes {
			if err := w.note(n); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.buf.Flush(); err != nil {
			t.Fatal(err)
		}
		var entries2 []listed
		var notes2 []keepwatch.Note
		if err := readAll(strings.NewReader(b.String()), func(e listed) { entries2 = append(entries2, e) }, func(n keepwatch.Note) { notes2 = append(notes2, n) }); !errors.Is(err, io.EOF) {
			t.Fatalf("written again it reads with %v", err)
		}
		if diff := cmp.Diff(entries, entries2, cmp.AllowUnexported(listed{})) + cmp.Diff(notes, notes2); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzExtract restores whatever tar and list of contents somebody can make with
// the public key: nothing is written outside of the destination.
func FuzzExtract(f *testing.F) {
	f.Add(forgedTar(f, plainHeader("a"), plainHeader("../b")), []byte(listOf(f, plainEntry("a"), plainEntry("b"))), false)
	f.Add(forgedTar(f, plainHeader("d/a")), []byte(listOf(f, keepwatch.Entry{Path: "d", Type: keepwatch.EntryLink, Link: "..", ModTime: start}, plainEntry("d/a"))), true)
	f.Add([]byte{}, []byte{}, true)
	v := openVault(f, Config{Dir: filepath.Join(memoryDir(f), "vault"), IdentityFile: newVault(f).keys.file})
	f.Fuzz(func(t *testing.T, tree, list []byte, exists bool) {
		a := forge(t, v, 1, tree, string(list))
		defer func() {
			if err := v.Remove(a.Ref()); err != nil {
				t.Fatal(err)
			}
		}()
		above := memoryDir(t)
		to := filepath.Join(above, "in", "out")
		write(t, filepath.Join(above, "a"), "untouched")
		if exists {
			write(t, filepath.Join(to, "mine"), "mine")
		}
		got, err := v.Verify(context.Background(), a.Ref(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := extract(v, a.Ref(), to, keepwatch.Ask{})
		if err == nil && got.OK() && r.Items < got.Files {
			t.Errorf("%d files were verified and %d items restored", got.Files, r.Items)
		}
		if exists && read(t, filepath.Join(to, "mine")) != "mine" {
			t.Error("a file that existed was changed")
		}
		if err := removeAll(to); err != nil {
			t.Fatal(err)
		}
		wanted := map[string]string{"a": "untouched", "in/": ""}
		if !exists {
			if _, err := os.Stat(filepath.Join(above, "in")); err != nil {
				delete(wanted, "in/") // nothing was restored
			}
		}
		if diff := cmp.Diff(wanted, onDisk(t, above)); diff != "" {
			t.Errorf("outside of the destination: %s", diff)
		}
	})
}
