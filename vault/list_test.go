package vault

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMissing(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("a", "content"))
	dir := v.Path(a.Ref())
	if got := v.Missing(a); got != "" {
		t.Fatalf("of a whole archive: %s", got)
	}
	tree := filepath.Join(dir, a.Sealed[0].Name)
	if err := os.Truncate(tree, 3); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ remove, want string }{
		{"", "3 bytes"}, {tree, a.Sealed[0].Name + " is not there"}, {filepath.Join(dir, manifestName), manifestName + " is not there"}, {dir, "Its folder"},
	} {
		if step.remove != "" {
			if err := os.RemoveAll(step.remove); err != nil {
				t.Fatal(err)
			}
		}
		if got := v.Missing(a); !strings.Contains(got, step.want) {
			t.Errorf("without %s: %q", step.remove, got)
		}
	}
}

// TestALookMakesNothing: who only wants to see leaves no folder behind.
func TestALookMakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "vault")
	v := openVault(t, Config{Dir: dir, IdentityFile: newVault(t).keys.file, Look: true})
	if !v.CanOpen() {
		t.Error("the key was not read")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder was made")
	}
}
