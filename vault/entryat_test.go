package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"keepwatch"
)

const aloneName = "mail.pst.zst.age"

// half is a file of which every second MiB cannot be made smaller.
func half(n int) []byte {
	data := noise(n, 9)
	for at := 1 << 20; at < n; at += 2 << 20 {
		copy(data[at:min(at+1<<20, n)], bytes.Repeat([]byte("again and again "), 1<<16))
	}
	return data
}

func entryAt(t testing.TB, v *Vault, ref, path string) *EntryAt {
	t.Helper()
	_, r, err := v.OpenEntryAt(context.Background(), ref, path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestEntryAt: a file on its own and one of the tree are read at any place, from several
// sides at once, and little is unpacked for little.
func TestEntryAt(t *testing.T) {
	data := half(20<<20 + 77)
	v := newVault(t)
	things := []thing{file("before", "x"), file("in/tree.pst", string(data)), alone("mail.pst", string(data)), alone("empty", ""), alone("small", "a small one"), alone("zip", "PK\x03\x04 and more")}
	a := seal(t, v, 1, things...)
	if got := verify(t, v, a.Ref()); !got.OK() {
		t.Fatalf("%+v", got.Problems)
	}
	for _, path := range []string{"in/tree.pst", "mail.pst"} {
		r := entryAt(t, v, a.Ref(), path)
		var b [512]byte
		if n, err := r.ReadAt(b[:], 10<<20); n != 512 || err != nil || !bytes.Equal(b[:], data[10<<20:10<<20+512]) || r.Unpacked() > 3<<20 {
			t.Errorf("%s: %d bytes, %v, %d unpacked", path, n, err, r.Unpacked())
		}
		var all sync.WaitGroup
		for seed := range 4 {
			all.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(seed), 1))
				for range 60 {
					at, p := rng.IntN(len(data)), make([]byte, rng.IntN(1<<21))
					n, err := r.ReadAt(p, int64(at))
					if rest := len(data) - at; !bytes.Equal(p[:n], data[at:at+n]) || n != min(len(p), rest) || (n < len(p)) != errors.Is(err, io.EOF) {
						t.Errorf("%s at %d: %d of %d bytes, %v", path, at, n, len(p), err)
					}
				}
			})
		}
		all.Wait()
		if len(r.frames) > keptFrames {
			t.Errorf("%d frames are kept", len(r.frames))
		}
		if got, err := io.ReadAll(io.NewSectionReader(r, 0, 1<<40)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if _, err := r.ReadAt(b[:], 0); !errors.Is(err, errClosed) {
			t.Errorf("closed: %v", err)
		}
	}
	for _, path := range []string{"empty", "small"} {
		r := entryAt(t, v, a.Ref(), path)
		if got, err := io.ReadAll(io.NewSectionReader(r, 0, 100)); err != nil || int64(len(got)) != r.Size() {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if _, _, err := v.OpenEntryAt(t.Context(), a.Ref(), "zip"); !errors.Is(err, ErrFrontToBack) {
		t.Errorf("%v", err)
	}
	if _, _, err := v.OpenEntryAt(t.Context(), a.Ref(), "none"); keepwatch.KindOf(err) != keepwatch.KindNotFound {
		t.Errorf("%v", err)
	}
}

// TestEntryAtIsNotBelieved: whatever is wrong with a table, the frames or the sealed file, no
// other bytes are given than those of the file, and verification names what is damage.
func TestEntryAtIsNotBelieved(t *testing.T) {
	data := half(3<<20 + 100) // the last frame does not say what it holds
	size := uint32(len(data))
	for _, c := range []struct {
		what    string
		change  func(frames, table []byte) []byte
		damaged bool // as verification has it, by the table alone
	}{
		{"no table", func(f, _ []byte) []byte { return f }, false},
		{"huge counts", func(f, _ []byte) []byte {
			tab := tableOf()
			return append(append(f, tab[:tableHead]...), appendFooter(nil, 1<<27)...)
		}, true},
		{"one frame", func(f, _ []byte) []byte { return append(f, tableOf(uint32(len(f)), size)...) }, true},
		{"a frame of 4 GiB", func(f, _ []byte) []byte { return append(f, tableOf(uint32(len(f)), 1<<32-1)...) }, true},
		{"sizes moved", func(f, tab []byte) []byte {
			tab[tableHead+4] -= 8
			tab[tableHead+tableEntry+4] += 8
			return append(f, tab...)
		}, true},
		{"what frames hold swapped", func(f, tab []byte) []byte {
			first, last := tab[tableHead+4:tableHead+8], tab[len(tab)-tableFooter-4:len(tab)-tableFooter]
			keep := bytes.Clone(first)
			copy(first, last)
			copy(last, keep)
			return append(f, tab...)
		}, true},
		{"last frame longer", func(f, tab []byte) []byte { tab[len(tab)-tableFooter-4]++; return append(f, tab...) }, true},
		{"of another file", func(f, _ []byte) []byte {
			_, other := ofTable(t, compressed(t, half(3<<20+101), frameSize))
			return append(f, other...)
		}, true},
	} {
		v := newVault(t)
		a := seal(t, v, 1, alone("mail.pst", string(data)))
		path := filepath.Join(v.Path(a.Ref()), aloneName)
		frames, table := ofTable(t, decrypted(t, v, path))
		reseal(t, v, path, c.change(bytes.Clone(frames), bytes.Clone(table)))
		f, err := v.open(a.Ref())
		if err != nil {
			t.Fatal(err)
		}
		f.manifest, f.sealed[0].Size, f.sealed[1].Size = nil, -1, -1 // nor is the length of the file known
		p := &proof{report: func(keepwatch.Progress) {}}
		if err := f.prove(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if names(p.v.Problems, aloneName) != c.damaged {
			t.Errorf("%s: verification says %+v", c.what, p.v.Problems)
		}
		_, r, err := f.OpenEntryAt(t.Context(), "mail.pst")
		if err != nil {
			if !errors.Is(err, ErrFrontToBack) {
				t.Errorf("%s: %v", c.what, err)
			}
			one(t, f, alone("mail.pst", string(data)))
			continue
		}
		wrong := false
		for at := 0; at < len(data); at += 1 << 19 {
			b := make([]byte, 100)
			n, err := r.ReadAt(b, int64(at))
			wrong = wrong || errors.Is(err, ErrFrontToBack)
			if !bytes.Equal(b[:n], data[at:at+n]) {
				t.Errorf("%s: other bytes at %d", c.what, at)
			}
		}
		if !wrong {
			t.Errorf("%s: it was believed", c.what)
		}
	}
}

// TestEntryAtOfDamage: of a file with one byte flipped the rest is read as it was; one that
// was cut off is not read so at all, and neither is one that was changed or removed while it
// was open.
func TestEntryAtOfDamage(t *testing.T) {
	data := half(40<<20 + 5)
	v := newVault(t)
	a := seal(t, v, 1, alone("mail.pst", string(data)))
	path := filepath.Join(v.Path(a.Ref()), aloneName)
	good := read(t, path)
	bad := []byte(good)
	bad[len(bad)/2] ^= 1
	write(t, path, string(bad))
	r, told := entryAt(t, v, a.Ref(), "mail.pst"), 0
	for at := 0; at < len(data); at += 1 << 20 {
		b := make([]byte, 1)
		if n, err := r.ReadAt(b, int64(at)); errors.Is(err, ErrFrontToBack) && !errors.Is(err, io.EOF) {
			told++
		} else if n != 1 || b[0] != data[at] {
			t.Errorf("at %d: %d, %v", at, n, err)
		}
	}
	if told == 0 || told > 4 { // a chunk of age has parts of several
		t.Errorf("%d of the frames are told of", told)
	}
	for _, n := range []int{1, 16, 100, 1000, ageChunk, len(good) / 2} {
		write(t, path, good[:len(good)-n])
		if _, _, err := v.OpenEntryAt(t.Context(), a.Ref(), "mail.pst"); !errors.Is(err, ErrFrontToBack) {
			t.Errorf("cut by %d: %v", n, err)
		}
	}
	write(t, path, good)
	r = entryAt(t, v, a.Ref(), "mail.pst")
	b := make([]byte, 1)
	if _, err := r.ReadAt(b, 0); err != nil {
		t.Error(err)
	}
	write(t, path+".new", good)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(b, 30<<20); !errors.Is(err, ErrFrontToBack) || !strings.Contains(err.Error(), "another file") {
		t.Errorf("%v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(b, 20<<20); !errors.Is(err, ErrFrontToBack) {
		t.Errorf("%v", err)
	}
}

// TestEntryAtForOthers: age and zstd read a file with a table as it came.
func TestEntryAtForOthers(t *testing.T) {
	peer(t, "age", "zstd", "sh")
	data := half(3<<20 + 100)
	v := newVault(t)
	a := seal(t, v, 1, alone("mail.pst", string(data)))
	decrypted := decrypted(t, v, filepath.Join(v.Path(a.Ref()), aloneName))
	if _, table := ofTable(t, decrypted); len(table) == 0 {
		t.Error("it has no table")
	}
	cmd := exec.Command("sh", "-ec", `age -d -i "$KEY" `+aloneName+` | zstd -d`)
	cmd.Dir, cmd.Env = v.Path(a.Ref()), append(os.Environ(), "KEY="+v.keys.file)
	if out, err := cmd.Output(); err != nil || !bytes.Equal(out, data) {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}
