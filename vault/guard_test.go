package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"keepwatch"
)

// TestNoRestoreOverKeepwatchItself: an archive may hold files that are named like
// the key and the state. They replace neither, whichever way leads there.
func TestNoRestoreOverKeepwatchItself(t *testing.T) {
	top := t.TempDir()
	data, key := filepath.Join(top, "data"), filepath.Join(top, "data", "age-identity.txt")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := NewIdentity(key); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(data, "state.db"), "state")
	restored := filepath.Join(data, "restored")
	v := openVault(t, Config{Dir: filepath.Join(top, "vault"), IdentityFile: key, Own: Own{Paths: []string{data, filepath.Join(data, "state.db")}, Free: []string{restored}}})
	plain := seal(t, v, 1, file("age-identity.txt", "mine"), file("state.db", "mine"))
	deep := seal(t, v, 2, folder("data"), file("data/age-identity.txt", "mine"), file("other", "x"))
	linked := seal(t, v, 3, file("way/state.db", "mine"))
	inVault := seal(t, v, 4, file("vault/notes/stranger", "mine"))
	back := seal(t, v, 5, file("data/restored/a", "mine"))
	for name, target := range map[string]string{"way": data, "toVault": v.dir, "toNotes": filepath.Join(v.dir, "notes")} {
		if err := os.Symlink(target, filepath.Join(top, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Remove(filepath.Join(top, "way")), os.Symlink("data", filepath.Join(top, "way"))); err != nil {
		t.Fatal(err)
	}
	before := onDisk(t, top)
	for _, c := range []struct {
		a    keepwatch.Archive
		to   string
		free bool
	}{
		{a: plain, to: data}, {a: plain, to: filepath.Join(data, "new")}, {a: plain, to: key}, {a: plain, to: filepath.Join(top, "way")},
		{a: plain, to: v.dir}, {a: plain, to: v.Path(deep.Ref())}, {a: plain, to: filepath.Join(v.dir, "x", "y")},
		{a: plain, to: filepath.Join(top, "toVault")}, {a: plain, to: filepath.Join(top, "toNotes", "x")},
		{a: deep, to: top}, {a: linked, to: top}, {a: inVault, to: top},
		{a: plain, to: filepath.Join(top, "elsewhere"), free: true},
		{a: plain, to: restored, free: true}, {a: plain, to: filepath.Join(restored, "notes"), free: true},
		{a: back, to: top, free: true},
	} {
		ask := keepwatch.Ask{To: c.to, Overwrite: true}
		_, planErr := v.PlanExtract(context.Background(), c.a.Ref(), ask)
		if c.free {
			if planErr != nil {
				t.Errorf("%s to %s: %v", c.a.Ref(), c.to, planErr)
			}
			continue
		}
		want(t, planErr, keepwatch.KindConflict, "Keepwatch's own")
		_, err := extract(v, c.a.Ref(), c.to, ask)
		want(t, err, keepwatch.KindConflict, "Keepwatch's own")
	}
	f, err := OpenFolder(v.Path(plain.Ref()), key, Own{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Plan(context.Background(), keepwatch.Ask{To: v.Path(plain.Ref())})
	want(t, err, keepwatch.KindConflict, "Keepwatch's own")
	after := onDisk(t, top)
	for name, content := range before {
		if after[name] != content {
			t.Errorf("%s was changed", name)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d things became %d", len(before), len(after))
	}
	mustExtract(t, v, plain.Ref(), filepath.Join(restored, "notes"), keepwatch.Ask{})
	mustExtract(t, v, back.Ref(), top, keepwatch.Ask{})
}
