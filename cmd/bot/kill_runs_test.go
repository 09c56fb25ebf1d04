package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keepwatch"
)

// scene is a run of another kind than a first backup, and what leads up to it.
type scene struct {
	name   string
	before []string // lines, one program each; "\n1" behind one presses its first button
	crash  string   // where the last of those is killed; empty: it is not
	line   string   // which is killed at every point that it passes
	passed []string // points that it must pass among others, so that the scene is what it says
	check  func(t *testing.T, b bench, a after)
}

// keepOne has the whole path of the source, since a copy of the scene that had its
// own would be of another path, whose archives count apart.
const keepOne = "sources:\n  - {name: notes, kind: files, path: %q}\nvault:\n  keep: {last: 1}\n"

func scenes() []scene {
	// overwriting is a restore that replaces a file, in a folder that exists
	const overwriting = "/backup restore notes --to out --overwrite --confirm yes"
	return []scene{
		{
			name: "a backup that prunes", before: []string{"/backup start notes", "/backup prune notes\n1"}, line: "/backup start notes",
			passed: []string{"providers.prune.marked", "vault.remove.before-rename", "vault.remove.after-rename", "providers.prune.before-record", "providers.prune.after-record"},
			check:  func(t *testing.T, b bench, a after) { b.wantArchives(a, 1) },
		},
		{
			name: "a prune", before: []string{"/backup start notes", "/backup start notes", "/backup start notes"}, line: "/backup prune notes\n1",
			passed: []string{"providers.prune.marked", "vault.remove.after-rename", "providers.prune.before-record"},
			check: func(t *testing.T, b bench, a after) {
				left := 3 // killed before it was saved, it never was
				for _, r := range a.runs {
					if r.Kind == keepwatch.RunPrune {
						left = 1
						if len(r.Result.Removed) != 2 {
							t.Errorf("it says that it removed %v", r.Result.Removed)
						}
					}
				}
				b.wantArchives(a, left)
			},
		},
		{
			name: "a verification", before: []string{"/backup start notes"}, line: "/backup verify notes",
			passed: []string{"engine.verify.begun", "engine.verify.before-save"},
			check: func(t *testing.T, b bench, a after) {
				b.wantArchives(a, 1)
				for _, r := range a.runs {
					if r.Kind == keepwatch.RunVerify && len(a.archives[0].Verified) < 2 {
						t.Error("it is done, and the archive does not know of it")
					}
				}
			},
		},
		{
			name: "a restore to a new place", before: []string{"/backup start notes"}, line: "/backup restore notes --to out --confirm yes",
			passed: []string{"vault.extract.begun", "vault.extract.before-rename", "vault.extract.after-rename"},
			check:  func(t *testing.T, b bench, a after) { b.wantRestored(a, keepwatch.RunDone) },
		},
		{
			name: "a restore that replaces", before: []string{"/backup start notes"}, line: overwriting,
			passed: []string{"vault.extract.before-place", "vault.extract.after-place", "vault.extract.after-sync"},
			check: func(t *testing.T, b bench, a after) {
				for _, r := range a.runs {
					if r.Kind != keepwatch.RunRestore {
						continue
					}
					if r.State == keepwatch.RunAttention { // a person looks, and says go on
						if out, err := b.command("/backup retry 2").CombinedOutput(); err != nil {
							t.Errorf("retry: %v\n%s", err, out)
						}
					}
					b.wantRestored(b.look(), keepwatch.RunDone)
				}
			},
		},
		{
			name: "a cancel of a restore that was cut off", before: []string{"/backup start notes", overwriting}, crash: "vault.extract.before-place#3",
			line:  "/backup cancel 2 wrong folder",
			check: func(t *testing.T, b bench, a after) { b.wantCancelled(a) },
		},
		{
			name: "a cancel between the rename and the record", before: []string{"/backup start notes", "/backup start notes"}, crash: "providers.seal.before-record",
			line: "/backup cancel 2 wrong folder",
			check: func(t *testing.T, b bench, a after) {
				b.wantCancelled(a)
				b.wantArchives(a, 1)
			},
		},
	}
}

// TestEveryKindOfRunKilled kills runs of every kind, and cancels, at the named
// points that they pass, starts the program again, and holds the promises. With
// KEEPWATCH_SOAK it is every passing of every point; without, of all but cancels
// the first only.
func TestEveryKindOfRunKilled(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			model := s.prepare(t)
			copied := model.clone(t)
			points := copied.points(s.line)
			s.wantPassed(t, points)
			kills := 0
			for _, point := range points {
				if os.Getenv("KEEPWATCH_SOAK") == "" && !model.cancelled && !strings.HasSuffix(point, "#1") {
					continue
				}
				t.Run(point, func(t *testing.T) {
					b := model.clone(t)
					var out bytes.Buffer
					cmd := b.command(s.line, "KEEPWATCH_TEST_CRASH="+point)
					cmd.Stdout, cmd.Stderr = &out, &out
					switch err := cmd.Run(); {
					case killed(err):
						kills++
					case err == nil && (model.cancelled || sometimes(point)): // the cancel came before the run that was taken up had got there
						t.Logf("not passed this time")
					default:
						t.Fatalf("not killed: %v\n%s", err, out.Bytes())
					}
					b.unlockKey()
					a := b.restart()
					if !b.cancelled { // who cancels a run that waits has a reason of their own
						b.checkPromises(a, point)
					}
					s.check(t, b, a)
				})
			}
			if kills < 3 {
				t.Errorf("it was killed %d times only", kills)
			}
		})
	}
}

// wantPassed sees that the points are those of the scene.
func (s scene) wantPassed(t *testing.T, points []string) {
	t.Helper()
	for _, p := range s.passed {
		if !slices.Contains(points, p+"#1") {
			t.Errorf("%s is not passed: %v", p, points)
		}
	}
}

// prepare makes the data folder that the line of the scene meets.
func (s scene) prepare(t *testing.T) bench {
	t.Helper()
	b := newBench(t, 6, 2000)
	b.cancelled = strings.Contains(s.line, "cancel")
	files := map[string]string{"keepwatch.yaml": fmt.Sprintf(keepOne, filepath.Join(b.root, "notes"))}
	if strings.Contains(s.name, "replaces") || strings.Contains(s.name, "cut off") {
		files["out/mine"] = "mine"
	}
	for name, text := range files {
		path := filepath.Join(b.root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for i, line := range s.before {
		var env []string
		if dies := s.crash != "" && i == len(s.before)-1; dies {
			env = append(env, "KEEPWATCH_TEST_CRASH="+s.crash)
		}
		out, err := b.command(line, env...).CombinedOutput()
		if died := killed(err); died != (env != nil) || !died && err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	if b.cancelled { // without the key nothing goes on by itself, so that there is something to cancel
		if err := os.Rename(b.key(), b.key()+".away"); err != nil {
			t.Fatal(err)
		}
		out, err := b.command("/backup status").CombinedOutput()
		if !strings.Contains(string(out), "needs attention") {
			t.Fatalf("nothing waits: %v\n%s", err, out)
		}
	}
	return b
}

func (b bench) key() string { return filepath.Join(b.data(), "age-identity.txt") }

// unlockKey puts the key back where a scene has moved it away.
func (b bench) unlockKey() { _ = os.Rename(b.key()+".away", b.key()) }

// clone copies everything into a folder of its own.
func (b bench) clone(t *testing.T) bench {
	t.Helper()
	c := bench{t: t, root: t.TempDir(), thinned: map[int64]bool{}, cancelled: b.cancelled}
	if err := os.CopyFS(c.root, os.DirFS(b.root)); err != nil {
		t.Fatal(err)
	}
	if err := filepath.WalkDir(c.data(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o600) // a key that others may read is refused
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

// wantArchives sees that as many archives are left as the rules keep.
func (b bench) wantArchives(a after, n int) {
	b.t.Helper()
	if len(a.archives) != n {
		b.t.Errorf("%d archives are left, want %d", len(a.archives), n)
	}
	for _, x := range a.archives {
		if !x.IsVerified() {
			b.t.Errorf("%s is not verified", x.Ref())
		}
	}
}

// wantRestored sees that a restore, if it was ever saved, has come to this end,
// with every file as it was and nothing half beside them.
func (b bench) wantRestored(a after, state keepwatch.RunState) {
	b.t.Helper()
	for _, r := range a.runs {
		if r.Kind != keepwatch.RunRestore {
			continue
		}
		if r.State != state {
			b.t.Errorf("the restore is %s: %+v", r.State, r.Failure)
		}
		err := filepath.WalkDir(filepath.Join(b.root, "notes"), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, _ := filepath.Rel(filepath.Join(b.root, "notes"), path)
			want, err := os.ReadFile(path)
			got, gotErr := os.ReadFile(filepath.Join(b.root, "out", rel))
			if !bytes.Equal(want, got) {
				b.t.Errorf("%s is not restored: %v", rel, gotErr)
			}
			return err
		})
		if err != nil {
			b.t.Error(err)
		}
	}
	b.wantNothingHalf()
}

// wantNothingHalf sees that no restore has left what is not whole.
func (b bench) wantNothingHalf() {
	b.t.Helper()
	_ = filepath.WalkDir(b.root, func(path string, d fs.DirEntry, err error) error {
		if strings.Contains(filepath.Base(path), "keepwatch-partial") {
			b.t.Errorf("left behind: %s", path)
		}
		return err
	})
}

// wantCancelled sees that the run is cancelled, or was never asked to be, and
// that nothing half is left of it then.
func (b bench) wantCancelled(a after) {
	b.t.Helper()
	for _, r := range a.runs {
		if r.ID != 2 || r.State == keepwatch.RunCancelled {
			continue
		}
		if out, err := b.command("/backup cancel 2 wrong folder").CombinedOutput(); err != nil {
			b.t.Errorf("cancelled again: %v\n%s", err, out)
		}
	}
	b.wantNothingHalf()
	b.checkPromises(b.look(), "cancelled")
}
