package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"keepwatch"
)

// smallDisk mounts a tmpfs of a size. In CI that must be allowed.
func smallDisk(t *testing.T, dir, size string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(dir, 0o755), unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size)); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI must be able to mount a small disk: %v", err)
		}
		t.Skipf("needs root to mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

// TestSealOntoAFullDisk says so with its figures, and leaves nothing behind.
func TestSealOntoAFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "disk")
	smallDisk(t, dir, "4m")
	v := openVault(t, Config{Dir: filepath.Join(dir, "vault"), IdentityFile: newVault(t).keys.file})
	for _, single := range []bool{false, true} {
		w, err := v.Begin(newRun(1))
		if err != nil {
			t.Fatal(err)
		}
		add := w.Add
		if single {
			add = w.Single
		}
		f := file("big", "")
		f.Size = 64 << 20
		source := &cycle{data: noise(1<<20+17, 1)}
		err = add(f.Entry, source)
		want(t, err, keepwatch.KindAttention, dir, "full", "MiB had been written", "retry")
		if _, closeErr := w.Close(); keepwatch.Sentence(closeErr) == "" {
			t.Errorf("Close: %v", closeErr)
		}
		if err := w.Abort(); err != nil {
			t.Fatal(err)
		}
		if left := onDisk(t, v.dir); len(left) != 1 {
			t.Errorf("left: %d, %v", len(left), err)
		}
	}
	if a := seal(t, v, 2, file("small", "x")); a.Ref() == "" {
		t.Error("there is room again, and nothing can be sealed")
	}
}

// TestPublishOntoAFullDisk: the manifest finds no room.
func TestPublishOntoAFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "disk")
	smallDisk(t, dir, "1m")
	v := openVault(t, Config{Dir: filepath.Join(dir, "vault"), IdentityFile: newVault(t).keys.file})
	run := staged(t, v, newRun(1), file("a", string(noise(500_000, 1))))
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 4096))
	}
	if !isFull(errors.Join(err, filler.Close())) {
		t.Fatal(err)
	}
	_, err = v.Publish(run, archiveOf(run))
	want(t, err, keepwatch.KindAttention, "full")
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	a, err := v.Publish(run, archiveOf(run)) // somebody made room and pressed Retry
	if err != nil {
		t.Fatal(err)
	}
	checkOnly(t, v, a.Ref(), 1)
}

// TestExtractOntoAFullDisk refuses before it begins where it can, stops with
// the figures where it cannot, and leaves nothing half there.
func TestExtractOntoAFullDisk(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("small", "x"), file("big", string(noise(3<<20, 1))))
	for _, exists := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "disk")
		smallDisk(t, dir, "2m")
		to := filepath.Join(dir, "out")
		if exists {
			if err := os.Mkdir(to, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		_, err := extract(v, a.Ref(), to, keepwatch.Ask{})
		want(t, err, keepwatch.KindAttention, "3.0 MiB are needed", "are free")

		// the room goes away after it was looked at
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=8m"); err != nil {
			t.Fatal(err)
		}
		v.crash = func(point string) {
			if point == "vault.extract.begun" {
				if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=2m"); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, err = extract(v, a.Ref(), to, keepwatch.Ask{})
		v.crash = func(string) {}
		want(t, err, keepwatch.KindAttention, "full", "had been written")
		wanted := map[string]string{}
		if exists {
			wanted = map[string]string{"out/": "", "out/small": "x"}
		}
		if diff := cmp.Diff(wanted, onDisk(t, dir)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestExtractAcrossDisks: a folder of the destination is another disk, so that
// files cannot be renamed into it.
func TestExtractAcrossDisks(t *testing.T) {
	v := newVault(t)
	things := []thing{folder("other"), file("other/a", "from the archive"), file("b", "bee")}
	things[1].Mode = 0o4711
	a := seal(t, v, 1, things...)
	to := t.TempDir()
	smallDisk(t, filepath.Join(to, "other"), "4m")
	mustExtract(t, v, a.Ref(), to, keepwatch.Ask{})
	checkRestored(t, to, things[1])
	write(t, filepath.Join(to, "other", "a"), "changed")
	_, err := extract(v, a.Ref(), to, keepwatch.Ask{})
	want(t, err, keepwatch.KindConflict, "other/a")
	mustExtract(t, v, a.Ref(), to, keepwatch.Ask{Overwrite: true})
	if diff := cmp.Diff(map[string]string{"other/": "", "other/a": "from the archive", "b": "bee"}, onDisk(t, to)); diff != "" {
		t.Error(diff)
	}
}

// TestReadOnlyDisks get a sentence.
func TestReadOnlyDisks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "disk")
	smallDisk(t, dir, "4m")
	key := newVault(t).keys.file
	v := openVault(t, Config{Dir: filepath.Join(dir, "vault"), IdentityFile: key})
	a := sample(t, v, 1)
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	_, err := v.Begin(newRun(2))
	want(t, err, keepwatch.KindAttention, "read-only")
	want(t, v.Remove(a.Ref()), keepwatch.KindAttention, "read-only")
	_, err = extract(v, a.Ref(), filepath.Join(dir, "out"), keepwatch.Ask{})
	want(t, err, keepwatch.KindAttention, "read-only")
	_, err = Open(Config{Dir: filepath.Join(dir, "another"), IdentityFile: key})
	want(t, err, keepwatch.KindAttention, "read-only")
	_, err = NewIdentity(filepath.Join(dir, "key"))
	want(t, err, keepwatch.KindAttention, "read-only")
	if got, err := v.Verify(context.Background(), a.Ref(), nil); err != nil || !got.OK() {
		t.Errorf("a read-only vault can be verified: %v, %v", got.Problems, err)
	}
}

// TestAPipeInsteadOfAFile is named, and not waited for.
func TestAPipeInsteadOfAFile(t *testing.T) {
	v := newVault(t)
	a := sample(t, v, 1)
	path := filepath.Join(v.Path(a.Ref()), "notes.tar.zst.age")
	if err := errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	got := verify(t, v, a.Ref())
	if len(got.Problems) == 0 || got.Problems[0].Rule != "unreadable" || !names(got.Problems, "special file") {
		t.Errorf("problems: %v", got.Problems)
	}
}
