package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keepwatch"
)

// copied is an archive in a vault and a place for its copy.
func copied(t *testing.T) (v *Vault, a keepwatch.Archive, place string) {
	t.Helper()
	v = newVault(t)
	return v, sample(t, v, 1), t.TempDir()
}

// flip turns one bit in the middle of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	data := []byte(read(t, path))
	data[len(data)/2] ^= 4
	write(t, path, string(data))
}

func quiet(keepwatch.Progress) {}

// TestCopy: the copy opens like the archive itself, and is made once.
func TestCopy(t *testing.T) {
	v, a, place := copied(t)
	if err := v.CopyTo(t.Context(), a, place, true, quiet); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{manifestName, sumsName, a.Sealed[0].Name} {
		want, err1 := os.ReadFile(filepath.Join(v.Path(a.Ref()), name))
		got, err2 := os.ReadFile(filepath.Join(place, a.Ref(), name))
		if err1 != nil || err2 != nil || string(want) != string(got) {
			t.Errorf("%s differs: %v, %v", name, err1, err2)
		}
	}
	info, err := os.Stat(filepath.Join(place, a.Ref(), manifestName))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.CopyTo(t.Context(), a, place, false, quiet); err != nil {
		t.Errorf("copied again: %v", err)
	}
	again, err := os.Stat(filepath.Join(place, a.Ref(), manifestName))
	if err != nil || !again.ModTime().Equal(info.ModTime()) {
		t.Errorf("the copy was written anew: %v", err)
	}
}

// TestCopyNoticesDamage: neither what is damaged in the vault is copied, nor is a
// damaged copy taken for one.
func TestCopyNoticesDamage(t *testing.T) {
	v, a, place := copied(t)
	if err := v.CopyTo(t.Context(), a, place, true, quiet); err != nil {
		t.Fatal(err)
	}
	flip(t, filepath.Join(place, a.Ref(), a.Sealed[0].Name))
	if err := v.CopyTo(t.Context(), a, place, false, quiet); err == nil || !strings.Contains(keepwatch.Sentence(err), "is not what was sealed") {
		t.Errorf("a damaged copy gives %v", err)
	}
	other := t.TempDir()
	flip(t, filepath.Join(v.Path(a.Ref()), a.Sealed[0].Name))
	if err := v.CopyTo(t.Context(), a, other, true, quiet); !errors.Is(err, keepwatch.ErrDamaged) {
		t.Errorf("what is damaged in the vault gives %v", err)
	}
	if _, err := os.Stat(filepath.Join(other, a.Ref())); !errors.Is(err, os.ErrNotExist) {
		t.Error("what is damaged was copied")
	}
}

// TestCopyPlace: a place whose disk is not mounted is neither made nor filled.
func TestCopyPlace(t *testing.T) {
	v, a, place := copied(t)
	for _, tc := range []struct {
		place string
		fresh bool
		want  string
	}{
		{filepath.Join(place, "gone"), true, "is not there"},
		{place, false, "is not the one that the copies lie in"},
		{v.dir, true, "lies in the vault"},
		{filepath.Join(v.dir, "deep"), true, "lies in the vault"},
		{filepath.Dir(v.dir), true, "lies in the vault"},
	} {
		if err := v.CopyTo(t.Context(), a, tc.place, tc.fresh, quiet); err == nil || !strings.Contains(keepwatch.Sentence(err), tc.want) {
			t.Errorf("%s gives %v", tc.place, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := v.CopyTo(ctx, a, place, true, quiet); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, it gives %v", err)
	}
	if err := v.CopyTo(t.Context(), a, place, false, quiet); err != nil { // it is marked since
		t.Error(err)
	}
}

// TestCopyKilled: killed at any point, the next attempt makes the copy whole.
func TestCopyKilled(t *testing.T) {
	for _, point := range []string{"vault.copy.written", "vault.copy.renamed"} {
		v, a, place := copied(t)
		v.crash = func(p string) {
			if p == point {
				panic(point)
			}
		}
		func() {
			defer func() { _ = recover() }()
			_ = v.CopyTo(t.Context(), a, place, true, quiet)
			t.Errorf("%s was not passed", point)
		}()
		v.crash = func(string) {}
		if err := v.CopyTo(t.Context(), a, place, true, quiet); err != nil {
			t.Errorf("after %s: %v", point, err)
		}
	}
}
