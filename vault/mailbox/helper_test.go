package mailbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/vault"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// world is a vault with one archive in it, and who looks into it.
type world struct {
	*Mailboxes
	vault *vault.Vault
	dir   string
	ref   string
	idle  []func()
	crash func(string)
}

// stop satisfies Stop.
type stop struct{ stopped *bool }

func (s stop) Stop() bool { *s.stopped = true; return true }

// memoryDir gives a folder that lies in memory where the system has one: each restore
// syncs a whole file system.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "keepwatch-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// seal makes a world whose archive holds some files.
func seal(t testing.TB, files map[string][]byte) *world {
	t.Helper()
	return sealWith(t, files, (*vault.Writer).Add)
}

// alone is seal with each of the files on its own.
func alone(t testing.TB, files map[string][]byte) *world {
	t.Helper()
	return sealWith(t, files, (*vault.Writer).Single)
}

func sealWith(t testing.TB, files map[string][]byte, add func(*vault.Writer, keepwatch.Entry, io.Reader) error) *world {
	t.Helper()
	w := &world{dir: memoryDir(t), crash: func(string) {}}
	key := filepath.Join(w.dir, "key.txt")
	if _, err := vault.NewIdentity(key); err != nil {
		t.Fatal(err)
	}
	crash := func(point string) { w.crash(point) }
	var err error
	if w.vault, err = vault.Open(vault.Config{Dir: filepath.Join(w.dir, "vault"), IdentityFile: key, Now: func() time.Time { return noon }, Crash: crash}); err != nil {
		t.Fatal(err)
	}
	run := keepwatch.Run{ID: 1, Source: "drop", Started: noon}
	pack, err := w.vault.Begin(run)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		e := keepwatch.Entry{Path: name, Type: keepwatch.EntryFile, Size: int64(len(data)), Mode: 0o600, ModTime: noon}
		if err := add(pack, e, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
	}
	if run.Result, err = pack.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := w.vault.Publish(run, keepwatch.Archive{Source: run.Source, Started: run.Started, Items: run.Result.Items, Bytes: run.Result.Bytes, Verified: []keepwatch.Verification{{At: noon}}})
	if err != nil {
		t.Fatal(err)
	}
	w.ref = a.Ref()
	w.Mailboxes = New(Config{Vault: w.vault, Dir: filepath.Join(w.dir, "opened"), Forms: forms(), Now: func() time.Time { return noon }, Crash: crash,
		After: func(_ time.Duration, f func()) Stop {
			stopped := new(bool)
			w.idle = append(w.idle, func() {
				if !*stopped {
					f()
				}
			})
			return stop{stopped}
		}})
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(w.dir, "opened", "*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	})
	return w
}

// forms writes the subject of items, and that of contacts cannot be written.
func forms() map[keepwatch.ItemKind]Form {
	write := func(w io.Writer, it pst.Item) error {
		ps, err := it.Properties()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", subject(ps))
		for range it.Recipients() {
		}
		for a, err := range it.Attachments() {
			if err != nil {
				return err
			}
			if r, _, err := a.Open(); err == nil {
				if _, err := io.Copy(w, r); err != nil {
					return err
				}
			}
		}
		return err
	}
	return map[keepwatch.ItemKind]Form{
		keepwatch.ItemMail: {".eml", write}, keepwatch.ItemEvent: {".ics", write},
		keepwatch.ItemTask: {".ics", func(w io.Writer, it pst.Item) error {
			return &Partial{errors.Join(write(w, it), errors.New("its recurrence is torn"))}
		}},
		keepwatch.ItemContact: {".vcf", func(io.Writer, pst.Item) error { return errors.New("it has no name") }},
	}
}

// restore plans and carries out a restore.
func (w *world) restore(t testing.TB, to string, parts ...string) (keepwatch.MailPlan, keepwatch.Result, error) {
	t.Helper()
	plan, err := w.Plan(context.Background(), w.ref, keepwatch.Ask{Archive: w.ref, Parts: parts, To: to}, keepwatch.MailQuery{})
	if err != nil {
		return plan, keepwatch.Result{}, err
	}
	result, err := w.Extract(context.Background(), w.task(plan.To, parts...))
	return plan, result, err
}

func (w *world) task(to string, parts ...string) keepwatch.Task {
	run := keepwatch.Run{ID: 7, Kind: keepwatch.RunRestore, Source: "drop", Created: noon, Ask: keepwatch.Ask{Archive: w.ref, Parts: parts, To: to, Inside: true}}
	return keepwatch.Task{Run: run, Step: "extract", Report: func(keepwatch.Progress) {}}
}

// tree lists what is below a folder.
func listed(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			list = append(list, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// older makes the archive one of a version that wrote no seek tables.
func (w *world) older(t testing.TB) *world {
	t.Helper()
	w.resealed(t, func(name string, plain []byte) []byte {
		frames := int64(binary.LittleEndian.Uint32(plain[len(plain)-9:]))
		return plain[:int64(len(plain))-9-8*frames-8]
	})
	return w
}

// resealed changes what age holds in the sealed files, but for the list of contents.
func (w *world) resealed(t testing.TB, change func(name string, plain []byte) []byte) {
	t.Helper()
	ids, err := os.Open(filepath.Join(w.dir, "key.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer ids.Close()
	keys, err := age.ParseIdentities(ids)
	if err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(filepath.Join(w.vault.Path(w.ref), "*.age"))
	for _, path := range paths {
		if strings.Contains(path, "contents.jsonl") {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := age.Decrypt(bytes.NewReader(data), keys...)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var sealed bytes.Buffer
		to, err := age.Encrypt(&sealed, keys[0].(*age.X25519Identity).Recipient())
		if err != nil {
			t.Fatal(err)
		}
		_, err = to.Write(change(filepath.Base(path), plain))
		if err = errors.Join(err, to.Close(), os.WriteFile(path, sealed.Bytes(), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}
