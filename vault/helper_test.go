package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// start is when the archives of the tests begin.
var start = time.Date(2026, 11, 23, 3, 0, 0, 123456789, time.UTC)

// newVault makes a vault with a key of its own.
func newVault(t testing.TB) *Vault {
	t.Helper()
	dir := t.TempDir()
	key := filepath.Join(dir, "age-identity.txt")
	if _, err := NewIdentity(key); err != nil {
		t.Fatal(err)
	}
	return openVault(t, Config{Dir: filepath.Join(dir, "vault"), IdentityFile: key})
}

// memoryDir gives a folder that lies in memory where the system has one, for
// tests that write thousands of times.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "keepwatch-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func openVault(t testing.TB, cfg Config) *Vault {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return start.Add(time.Hour) }
	}
	v, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// thing is an entry and its content; single says that it is sealed on its own.
type thing struct {
	keepwatch.Entry
	data   []byte
	single bool
}

func file(path, data string) thing {
	return thing{Entry: keepwatch.Entry{Path: path, Type: keepwatch.EntryFile, Size: int64(len(data)), Mode: 0o640, ModTime: start.Add(-time.Hour)}, data: []byte(data)}
}

func alone(path, data string) thing {
	f := file(path, data)
	f.single = true
	return f
}

func folder(path string) thing {
	return thing{Entry: keepwatch.Entry{Path: path, Type: keepwatch.EntryFolder, Mode: 0o750, ModTime: start.Add(-2 * time.Hour)}}
}

func symlink(path, target string) thing {
	return thing{Entry: keepwatch.Entry{Path: path, Type: keepwatch.EntryLink, Link: target, Mode: 0o777, ModTime: start.Add(-3 * time.Hour)}}
}

// noise gives incompressible bytes, always the same for a seed.
func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// put adds things to a writer.
func put(t testing.TB, w *Writer, things ...thing) {
	t.Helper()
	for _, th := range things {
		add := w.Add
		if th.single {
			add = w.Single
		}
		if err := add(th.Entry, bytes.NewReader(th.data)); err != nil {
			t.Fatalf("add %q: %v", th.Path, err)
		}
	}
}

// staged seals things without publishing them.
func staged(t testing.TB, v *Vault, run keepwatch.Run, things ...thing) keepwatch.Run {
	t.Helper()
	w, err := v.Begin(run)
	if err != nil {
		t.Fatal(err)
	}
	put(t, w, things...)
	if run.Result, err = w.Close(); err != nil {
		t.Fatal(err)
	}
	return run
}

func newRun(id int64) keepwatch.Run {
	return keepwatch.Run{ID: id, Source: "notes", Started: start.Add(time.Duration(id) * time.Hour)}
}

// archiveOf gives what a provider's seal step hands to Publish.
func archiveOf(run keepwatch.Run) keepwatch.Archive {
	return keepwatch.Archive{Source: run.Source, Kind: keepwatch.KindFiles, Parts: run.Ask.Parts, Started: run.Started, Finished: run.Started.Add(time.Minute),
		Items: run.Result.Items, Bytes: run.Result.Bytes, Counts: run.Result.Counts,
		Verified: []keepwatch.Verification{{At: run.Started.Add(time.Minute), Level: keepwatch.LevelOpened}}}
}

// seal makes an archive of things.
func seal(t testing.TB, v *Vault, id int64, things ...thing) keepwatch.Archive {
	t.Helper()
	run := staged(t, v, newRun(id), things...)
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// verify verifies an archive and wants that to be possible.
func verify(t testing.TB, v *Vault, ref string) keepwatch.Verification {
	t.Helper()
	got, err := v.Verify(context.Background(), ref, nil)
	if err != nil {
		t.Fatalf("verify %s: %v", ref, err)
	}
	return got
}

// names reports whether a problem names a file, as what it is about or in its
// text.
func names(problems []keepwatch.Finding, name string) bool {
	for _, p := range problems {
		if p.What == name || strings.Contains(p.Text, name) {
			return true
		}
	}
	return false
}

// extract restores an archive to a folder.
func extract(v *Vault, ref, to string, ask keepwatch.Ask) (keepwatch.Result, error) {
	ask.To = to
	return v.Extract(context.Background(), ref, keepwatch.Run{ID: 77, Ask: ask}, nil)
}

func mustExtract(t testing.TB, v *Vault, ref, to string, ask keepwatch.Ask) keepwatch.Result {
	t.Helper()
	r, err := extract(v, ref, to, ask)
	if err != nil {
		t.Fatalf("extract: %v", err)
	}
	return r
}

// onDisk gives what lies below a folder: content by path, with "/" behind
// folders and " -> " for links.
func onDisk(t testing.TB, root string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		switch {
		case d.IsDir():
			m[rel+"/"] = ""
		case d.Type()&os.ModeSymlink != 0:
			target, err := os.Readlink(path)
			m[rel+" -> "+target] = ""
			return err
		default:
			data, err := os.ReadFile(path)
			m[rel] = string(data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sumText(data string) string {
	s := sha256.Sum256([]byte(data))
	return hex.EncodeToString(s[:])
}

func write(t testing.TB, path, data string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(data), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// want demands an error of a kind whose sentence holds all the words.
func want(t testing.TB, err error, kind keepwatch.Kind, words ...string) {
	t.Helper()
	if err == nil || keepwatch.KindOf(err) != kind {
		t.Fatalf("got %v (%v), want an error of kind %v", err, keepwatch.KindOf(err), kind)
	}
	for _, word := range words {
		if !strings.Contains(keepwatch.Sentence(err), word) {
			t.Errorf("%q does not say %q", keepwatch.Sentence(err), word)
		}
	}
}
