package writer

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keepwatch/pst"
)

// threeVolumes is a Writer with as many, not closed.
func threeVolumes(t *testing.T) (*Writer, string) {
	t.Helper()
	o := options()
	o.VolumeSize = MinVolumeSize
	w, path := create(t, o)
	f := inbox(t, w, "Inbox")
	for len(w.done) < 2 {
		if err := f.Add(func(s pst.Sink) error { return s.Attach(nil, bytes.NewReader(noise(400_000))) }); err != nil {
			t.Fatal(err)
		}
	}
	return w, path
}

// TestNamesOfVolumes: the first volume has its name when the others have theirs on the
// disk; where the folder cannot be synced none has.
func TestNamesOfVolumes(t *testing.T) {
	w, path := threeVolumes(t)
	var seen [][]string
	w.syncFolder = func(string) error {
		seen = append(seen, files(t, path))
		return nil
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2 || !slices.Equal(seen[0], []string{"mail-2.pst", "mail-3.pst", "mail.pst.partial"}) || !slices.Equal(seen[1], []string{"mail-2.pst", "mail-3.pst", "mail.pst"}) {
		t.Errorf("%v", seen)
	}
	for fail := range 2 {
		w, path := threeVolumes(t)
		broken := errors.New("broken")
		n := -1
		w.syncFolder = func(string) error {
			if n++; n == fail {
				return broken
			}
			return nil
		}
		if _, err := w.Close(); !errors.Is(err, broken) {
			t.Errorf("%d: %v", fail, err)
		}
		if got := files(t, path); len(got) != 0 {
			t.Errorf("%d: %v is left", fail, got)
		}
		if _, err := w.Close(); !errors.Is(err, ErrEnded) {
			t.Errorf("%d, again: %v", fail, err)
		}
	}
}

// TestVolumeInTheWay: neither the second volume nor a later one is overwritten, and
// nothing of ours is left.
func TestVolumeInTheWay(t *testing.T) {
	for _, name := range []string{"mail-2.pst", "mail-2.pst.partial"} {
		path := filepath.Join(t.TempDir(), "mail.pst")
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Create(path, options()); !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("%v", err)
		}
		if got := files(t, path); !slices.Equal(got, []string{name}) {
			t.Errorf("%v", got)
		}
	}
	for _, name := range []string{"mail.pst", "mail-2.pst", "mail-3.pst", "mail-4.pst"} {
		w, path := threeVolumes(t)
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		f := inbox(t, w, "Inbox")
		var err error
		for i := 0; i < 4 && err == nil; i++ {
			err = f.Add(func(s pst.Sink) error { return s.Attach(nil, bytes.NewReader(noise(400_000))) })
		}
		if err != nil && f.Add(text("later")) == nil {
			t.Errorf("%s: it goes on after %v", name, err)
		}
		if _, err := w.Close(); !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if data, err := os.ReadFile(filepath.Join(filepath.Dir(path), name)); err != nil || string(data) != "precious" || len(files(t, path)) != 1 {
			t.Errorf("%s: %q %v %v", name, data, err, files(t, path))
		}
	}
}
