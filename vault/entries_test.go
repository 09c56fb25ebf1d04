package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"keepwatch"
)

// walked gives what a walk reads of the files that are wanted, and what it says of each.
func walked(v *Vault, ref string, want func(string) bool) (order []string, got map[string][]byte, wrong map[string]error, err error) {
	got, wrong = map[string][]byte{}, map[string]error{}
	err = v.WalkEntries(context.Background(), ref, want, func(e keepwatch.Entry, body io.Reader) error {
		data, err := io.ReadAll(body)
		order = append(order, e.Path)
		got[e.Path], wrong[e.Path] = data, err
		return nil
	})
	return order, got, wrong, err
}

func TestWalkEntries(t *testing.T) {
	v := newVault(t)
	ref := seal(t, v, 1, several()...).Ref()
	order, got, wrong, err := walked(v, ref, func(path string) bool { return path != "d/text" && path != "d" })
	if err != nil || !slices.Equal(order, []string{"d/first", "d/big", "empty", "inbox.pst", "site.tar.gz", "none", "last"}) {
		t.Errorf("%v %v", order, err)
	}
	for _, th := range several() {
		if data, ok := got[th.Path]; ok && (!bytes.Equal(data, th.data) || wrong[th.Path] != nil) {
			t.Errorf("%s: %d bytes, %v", th.Path, len(data), wrong[th.Path])
		}
	}
	enough := errors.New("enough")
	seen := 0
	err = v.WalkEntries(t.Context(), ref, func(string) bool { return true }, func(keepwatch.Entry, io.Reader) error {
		seen++
		return enough
	})
	if !errors.Is(err, enough) || seen != 1 {
		t.Errorf("it goes on after it was told to end: %d, %v", seen, err)
	}
	stop := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	err = v.WalkEntries(ctx, ref, func(string) bool { return true }, func(_ keepwatch.Entry, body io.Reader) error {
		cancel(stop)
		_, err := io.Copy(io.Discard, body)
		return err
	})
	if !errors.Is(err, stop) {
		t.Errorf("it goes on after its context has ended: %v", err)
	}
	want(t, v.WalkEntries(t.Context(), "notes/2026-01-01T000000Z", nil, nil), keepwatch.KindNotFound)
}

// TestWalkEntriesOfDamage: what is damaged says so, and what is not is read all the same.
func TestWalkEntriesOfDamage(t *testing.T) {
	v := newVault(t)
	for i, c := range []struct {
		name string
		at   func(size int) int
		bad  []string
	}{
		{"site.tar.gz.age", func(n int) int { return n / 2 }, []string{"site.tar.gz"}},
		{"notes.tar.zst.age", func(n int) int { return n / 2 }, []string{"d/big"}},
		{"notes.tar.zst.age", func(int) int { return 400 }, []string{"d/first"}},
	} {
		ref := seal(t, v, int64(i+1), several()...).Ref()
		path := filepath.Join(v.Path(ref), c.name)
		data := []byte(read(t, path))
		data[c.at(len(data))] ^= 1
		write(t, path, string(data))
		order, got, wrong, err := walked(v, ref, func(string) bool { return true })
		if err != nil || len(order) != 8 {
			t.Errorf("%s: %v %v", c.name, order, err)
		}
		for _, th := range several() {
			switch bad := wrong[th.Path]; {
			case slices.Contains(c.bad, th.Path):
				if !errors.Is(bad, keepwatch.ErrDamaged) {
					t.Errorf("%s: %s: %v", c.name, th.Path, bad)
				}
			case th.Path == "last" && (bad != nil || !bytes.Equal(got["last"], th.data)):
				t.Errorf("%s: %s, which is whole: %v", c.name, th.Path, bad)
			case bad == nil && th.Type == keepwatch.EntryFile && !bytes.Equal(got[th.Path], th.data):
				t.Errorf("%s: %s has other content, and nobody says so", c.name, th.Path)
			}
		}
	}
	ref := seal(t, v, 9, several()...).Ref()
	if err := os.Remove(filepath.Join(v.Path(ref), contentsName)); err != nil {
		t.Fatal(err)
	}
	if order, _, _, err := walked(v, ref, func(string) bool { return true }); !errors.Is(err, keepwatch.ErrDamaged) || len(order) > 0 {
		t.Errorf("without a list: %v %v", order, err)
	}
}

// TestReadingStops: wherever a context ends, that is what is said, and nothing is called
// damaged.
func TestReadingStops(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, shelf(2)...)
	stop := errors.New("stopped")
	do := map[string]func(context.Context, *Folder) error{
		"a walk": func(ctx context.Context, f *Folder) error {
			return f.WalkEntries(ctx, func(path string) bool { return path == "f1/1" || path == "index" || path == "last" }, func(e keepwatch.Entry, body io.Reader) error {
				if _, err := io.Copy(io.Discard, body); err != nil && !errors.Is(err, stop) {
					t.Errorf("%s: %v", e.Path, err)
				}
				return nil
			})
		},
		"one entry": func(ctx context.Context, f *Folder) error {
			_, r, err := f.OpenEntry(ctx, "f1/3")
			if err == nil {
				_, err = io.Copy(io.Discard, r)
				err = errors.Join(err, r.Close())
			}
			return err
		},
		"one on its own": func(ctx context.Context, f *Folder) error {
			_, r, err := f.OpenEntry(ctx, "index")
			if err == nil {
				_, err = io.Copy(io.Discard, r)
				err = errors.Join(err, r.Close())
			}
			return err
		},
		"a part": func(ctx context.Context, f *Folder) error {
			_, err := f.Extract(ctx, keepwatch.Run{ID: 1, Ask: keepwatch.Ask{To: filepath.Join(t.TempDir(), "out"), Parts: []string{"f0"}}}, nil)
			return err
		},
	}
	for _, old := range []bool{false, true} {
		if old {
			older(t, v, a.Ref())
		}
		for what, do := range do {
			for at := 0; stopAt(t, v, a.Ref(), at, stop, do); at++ {
				if t.Failed() {
					t.Fatalf("old %t, %s, stopped at read %d", old, what, at)
				}
			}
		}
	}
}

// stopAt reads an archive with a context that ends with a read of the disk, 0 for before the
// first, and reports whether it came to that.
func stopAt(t *testing.T, v *Vault, ref string, at int, stop error, do func(context.Context, *Folder) error) bool {
	t.Helper()
	f, err := v.open(ref)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var reads atomic.Int64
	f.read = func(int) {
		if reads.Add(1) == int64(at) {
			cancel(stop)
		}
	}
	if at == 0 {
		cancel(stop)
	}
	err = do(ctx, f)
	ended := reads.Load() >= int64(at)
	if err != nil && !errors.Is(err, stop) || errors.Is(err, keepwatch.ErrDamaged) || err != nil && !ended {
		t.Errorf("%v", err)
	}
	return ended
}
