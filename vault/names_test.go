package vault

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNamesThatCannotBeShown: no name of a sealed file, ours or somebody's, has
// characters that a terminal would obey.
func TestNamesThatCannotBeShown(t *testing.T) {
	const evil = "a\u009b31m\u202egpj\n.pst"
	v := newVault(t)
	a := seal(t, v, 1, alone(evil, "x"))
	if got := a.Sealed[0].Name; got != "a_31m_gpj_.pst.zst.age" {
		t.Errorf("sealed as %q", got)
	}
	if got := verify(t, v, a.Ref()); !got.OK() {
		t.Errorf("%v", got.Problems)
	}
	dir := filepath.Join(t.TempDir(), "forged")
	write(t, filepath.Join(dir, "\u009b31m\u202egpj.age"), "x")
	write(t, filepath.Join(dir, contentsName), "x")
	f, err := OpenFolder(dir, v.keys.file, Own{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Verify(t.Context(), nil)
	if err != nil || got.OK() {
		t.Fatal(got, err)
	}
	for _, p := range got.Problems {
		if strings.ContainsAny(p.Text, "\u009b\u202e") {
			t.Errorf("raw in %q", p.Text)
		}
	}
	_ = os.RemoveAll(dir)
}
