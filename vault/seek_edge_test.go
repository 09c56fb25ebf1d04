package vault

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keepwatch"
)

// edges is a tree whose entries lie at the edges of what a seek table speaks of.
func edges() []thing {
	const heads = 3 * tarBlock // a header, and that of PAX before it
	nested := forgedEntry("dir/same", "the same length 1")
	return []thing{
		folder("dir"),
		file("dir/empty", ""),
		file("fills", string(noise(frameSize-3*heads, 1))), // what comes next may begin where a frame does
		file("at a frame", "first of its frame"),
		file("is a frame", string(noise(frameSize, 2))),
		file("a frame and its heads", string(noise(frameSize-heads, 3))),
		file("ends one before", string(noise(frameSize-heads-1, 4))),
		file("ends one behind", string(noise(frameSize-heads+1, 5))),
		file("zeros", string(make([]byte, 5<<20))),
		file("empty", ""),
		file("holds a tar", string(nested)),
		file("dir/same", "the same length 1"),
		symlink("dir/link", strings.Repeat("far/", 60)+"away"),
		file("dir/same", "the same length 2"),
		file(strings.Repeat("n", 100), "a name of 100"),
		file(strings.Repeat("folder/", 40)+"long", "a name of 284"),
		alone("single", "on its own"),
		file("ünïcode", "not ASCII"),
		file("a\nline", "a path with a new line"),
		file("<&>", "what JSON may escape"),
		file(`,"at":7`, "what looks like a place"),
		folder("void"),
		file("end", ""),
	}
}

// forgedEntry packs one file as Writer does.
func forgedEntry(path, data string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	h := header(file(path, data).Entry)
	if err := w.WriteHeader(h); err != nil {
		panic(err)
	}
	_, _ = w.Write([]byte(data))
	_ = w.Close()
	return b.Bytes()
}

// TestSeekAtTheEdges: whatever is taken out with whatever else, it comes, in its order and
// as it was, and each is found by its place alone.
func TestSeekAtTheEdges(t *testing.T) {
	v := newVault(t)
	things := edges()
	a := seal(t, v, 1, things...)
	if got := verify(t, v, a.Ref()); !got.OK() {
		t.Fatal(got.Problems)
	}
	f, err := v.open(a.Ref())
	if err != nil {
		t.Fatal(err)
	}
	if at := placeOf(t, f, "at a frame"); at%frameSize != 0 {
		t.Fatalf("it begins at %d", at)
	}
	for i, th := range things {
		if th.Type == keepwatch.EntryFile && slices.IndexFunc(things, func(o thing) bool { return o.Path == th.Path }) == i {
			one(t, f, th)
		}
		for j := range things[:i+1] {
			pair(t, f, things, th.Path, things[j].Path)
		}
	}
	pair(t, f, things, "no such", "nor this")
	err = f.list(t.Context(), func(e listed) error {
		w := &walker{f: f, ctx: t.Context(), ids: f.keys.opening(f.to), seek: true, tell: func(keepwatch.Finding) {}, tick: func() {}, read: f.read}
		w.prepare()
		if e.form == formTree && (!w.passes(e) || w.seekTo(e) != nil) {
			t.Errorf("%q is not found by its place, %d", e.Path, e.at)
		}
		w.closeTree()
		w.closeSeeker()
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// pair reads the files of two paths.
func pair(t *testing.T, f *Folder, things []thing, x, y string) {
	t.Helper()
	var got, wanted []string
	for _, th := range things {
		if th.Type == keepwatch.EntryFile && (th.Path == x || th.Path == y) {
			wanted = append(wanted, th.Path+"="+sumText(string(th.data)))
		}
	}
	err := f.WalkEntries(context.Background(), func(path string) bool { return path == x || path == y }, func(e keepwatch.Entry, body io.Reader) error {
		data, err := io.ReadAll(body)
		got = append(got, e.Path+"="+sumText(string(data)))
		return err
	})
	if err != nil || !slices.Equal(got, wanted) {
		t.Errorf("%q and %q: read %q, want %q: %v", x, y, got, wanted, err)
	}
}

// placeOf gives where an entry begins.
func placeOf(t *testing.T, f *Folder, path string) int64 {
	t.Helper()
	e, err := f.find(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return e.at
}

// TestSeekInACutTree: a tree that was cut off anywhere, at the border of a chunk too, is
// entered nowhere, and what it has is given out.
func TestSeekInACutTree(t *testing.T) {
	v := newVault(t)
	things := shelf(3)
	a := seal(t, v, 1, things...)
	path := filepath.Join(v.Path(a.Ref()), treeName)
	whole := read(t, path)
	payload := len(whole) - sealedSize(len(decrypted(t, v, path)))
	for _, chunks := range []int{1, 70, 120} {
		for _, more := range []int{0, 1, 16, 17, 1000} {
			write(t, path, whole[:payload+chunks*(ageChunk+16)+more])
			if s, err := newSeeker(t.Context(), path, v.keys.identities, func(int) {}); err == nil {
				_ = s.file.Close()
				t.Errorf("a tree of %d chunks and %d bytes is entered", chunks, more)
			}
			good := 0
			f, _ := reading(t, v, a.Ref())
			err := f.WalkEntries(t.Context(), func(path string) bool { return path == "f0/1" || path == "last" }, func(e keepwatch.Entry, body io.Reader) error {
				data, err := io.ReadAll(body)
				switch {
				case errors.Is(err, keepwatch.ErrDamaged):
				case err != nil:
					t.Error(err)
				case !bytes.Equal(data, things[slices.IndexFunc(things, func(th thing) bool { return th.Path == e.Path })].data):
					t.Errorf("%s is not what it was", e.Path)
				default:
					good++
				}
				return nil
			})
			if has := 1; err != nil || chunks == 1 && good != 0 || chunks > 1 && good != has {
				t.Errorf("%d chunks and %d bytes: %d are right: %v", chunks, more, good, err)
			}
			if verify(t, v, a.Ref()).OK() {
				t.Error("a verification finds nothing wrong")
			}
		}
	}
}

// sealedSize is how many bytes age makes of some.
func sealedSize(plain int) int { return 16 + plain + (plain+ageChunk-1)/ageChunk*16 }

// TestSeekFindsNoLess: with damage anywhere, whatever a walk from the beginning can give is
// given by one that seeks, and nothing is wrong without being called so.
func TestSeekFindsNoLess(t *testing.T) {
	v := newVault(t)
	things := shelf(4)
	a := seal(t, v, 1, things...)
	path := filepath.Join(v.Path(a.Ref()), treeName)
	whole := read(t, path)
	in := func(e keepwatch.Entry) bool {
		return e.Type == keepwatch.EntryFile && (strings.HasPrefix(e.Path, "f1/") || e.Path == "f3/0" || e.Path == "last")
	}
	for at := range 40 {
		write(t, path, string(flipAt(float64(at)/40+0.003)([]byte(whole))))
		var right [2][]string
		for i, seek := range []bool{false, true} {
			f, err := v.open(a.Ref())
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			w := &walker{f: f, ctx: t.Context(), ids: f.keys.opening(f.to), seek: seek, mend: true, tick: func() {}, read: f.read, want: in,
				tell: func(keepwatch.Finding) {}, lost: func(keepwatch.Entry) error { seen++; return nil }}
			err = w.walk(func(e keepwatch.Entry, _ *content) (func(bool) error, error) {
				seen++
				return func(ok bool) error {
					if ok {
						right[i] = append(right[i], e.Path)
					}
					return nil
				}, nil
			})
			if err != nil || seen != 7 {
				t.Errorf("damage at %d of 40, seek %t: %d seen: %v", at, seek, seen, err)
			}
		}
		for _, p := range right[0] {
			if !slices.Contains(right[1], p) {
				t.Errorf("damage at %d of 40: %s is not found: %v", at, p, right)
			}
		}
	}
}
