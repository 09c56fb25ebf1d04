package checklists

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"keepwatch"
)

// TestHostile reads what should never be in a folder of checklists: it is refused in
// a short sentence, soon, and without much memory.
func TestHostile(t *testing.T) {
	head := "group: backup guide\ntopic: tape\ntitle: T\nsteps:\n"
	for name, text := range map[string]string{
		"10,000 steps":       head + strings.Repeat("  - {title: a, text: b}\n", 10_000),
		"steps of nothing":   head + strings.Repeat(" - {}\n", 40_000),
		"one line of steps":  "steps: [" + strings.Repeat("{},", 80_000) + "{}]\n",
		"deeply nested":      "steps: " + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"deep maps":          "steps: " + strings.Repeat("{a: ", 60_000),
		"a cycle":            "group: &a\n  b: *a\n",
		"a cycle of steps":   head + "  - &s {title: a, text: *s}\n",
		"laughs":             "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nsteps: [*c, *c, *c]\n",
		"merged":             "x: &x {group: backup guide}\n<<: *x\n",
		"an unknown alias":   "group: *nothing\n",
		"UTF-16":             "\xff\xfeg\x00r\x00o\x00u\x00p\x00",
		"nothing but blanks": " \n\t\n",
		"a tag that runs":    "!!python/object/apply:os.system ['true']\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Load(one(text))
			took := time.Since(start)
			said := keepwatch.Sentence(err)
			if keepwatch.KindOf(err) != keepwatch.KindInvalid || len(said) > 20_000 || took > 5*time.Second {
				t.Errorf("%d bytes of %v, after %s: %.300s", len(said), keepwatch.KindOf(err), took, said)
			}
		})
	}
}

// TestForeignEditors: what other systems' editors write is read.
func TestForeignEditors(t *testing.T) {
	want, err := Load(one(full))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a byte order mark": "\ufeff" + full, "lines of DOS": strings.ReplaceAll(full, "\n", "\r\n"), "both": "\ufeff" + strings.ReplaceAll(full, "\n", "\r\n"), "a marker at the top": "---\n" + full,
	} {
		got, err := Load(one(text))
		if err != nil || len(got) != 1 || len(got[0].Steps) != len(want[0].Steps) || got[0].Steps[0].Text != want[0].Steps[0].Text {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNotAFile: a pipe is not waited for, a link that leads nowhere or to a device is
// named, and a link to a file is as good as the file.
func TestNotAFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no links and pipes that anybody may make")
	}
	load := func(make func(dir string) error) error {
		dir := t.TempDir()
		if err := make(dir); err != nil {
			t.Fatal(err)
		}
		got := soon(func() error { _, err := Load(os.DirFS(dir)); return err })
		select {
		case err := <-got:
			return err
		case <-time.After(10 * time.Second):
			t.Fatal("it is waited for for ever")
			return nil
		}
	}
	for name, target := range map[string]string{"a link to nothing": "gone", "a link to itself": "team.yaml", "a device": "/dev/zero", "a folder": "/"} {
		if err := load(func(dir string) error { return os.Symlink(target, filepath.Join(dir, "team.yaml")) }); keepwatch.KindOf(err) != keepwatch.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := load(func(dir string) error { return pipe(filepath.Join(dir, "team.yaml")) }); keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), "no file") {
		t.Errorf("a pipe: %v", err)
	}
	if err := load(func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "real.txt"), []byte(full), 0o600); err != nil {
			return err
		}
		return os.Symlink("real.txt", filepath.Join(dir, "team.yaml"))
	}); err != nil {
		t.Errorf("a link to a file: %v", err)
	}
}

// soon gives what a function returns, once it does.
func soon(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// TestManyFaults: of a file that is wrong from end to end the first faults are named.
func TestManyFaults(t *testing.T) {
	all := fstest.MapFS{}
	for _, name := range []string{"a.yaml", "b.yaml", "c.yaml"} {
		all[name] = &fstest.MapFile{Data: []byte("steps:\n" + strings.Repeat(" - {}\n", 1000))}
	}
	_, err := Load(all)
	if said := keepwatch.Sentence(err); strings.Count(said, "\n") > 100 || !strings.Contains(said, "a.yaml:2:") || !strings.Contains(said, "c.yaml:") || !strings.Contains(said, "more") {
		t.Errorf("%d lines: %.400s", strings.Count(said, "\n"), said)
	}
}
