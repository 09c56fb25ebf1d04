package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"filippo.io/age"

	"keepwatch"
)

const treeName = "notes.tar.zst.age"

// decrypted gives what age holds in a sealed file.
func decrypted(t testing.TB, v *Vault, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := age.Decrypt(f, v.keys.identities...)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// reseal puts other bytes into a sealed file, as whoever has the public key could.
func reseal(t testing.TB, v *Vault, path string, data []byte) {
	t.Helper()
	var b bytes.Buffer
	w, err := age.Encrypt(&b, v.keys.recipients...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.String())
}

// relist changes the list of contents of an archive.
func relist(t testing.TB, v *Vault, ref string, edit func(string) string) {
	t.Helper()
	path := filepath.Join(v.Path(ref), contentsName)
	o, err := openSealed(context.Background(), path, v.keys.identities, true, func(int) {}, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	reseal(t, v, path, v.zstd.EncodeAll([]byte(edit(string(data))), nil))
}

// placeText is how the list of contents says where an entry begins.
var placeText = regexp.MustCompile(`,"at":\d+`)

// ofTable splits a decrypted tree into its frames and its table.
func ofTable(t testing.TB, data []byte) (frames, table []byte) {
	t.Helper()
	s, err := readSeekTable(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return data[:s.begin], data[s.begin:]
}

// older makes an archive one of a version that wrote neither table nor places.
func older(t testing.TB, v *Vault, ref string) {
	t.Helper()
	path := filepath.Join(v.Path(ref), treeName)
	s, err := newSeeker(context.Background(), path, v.keys.identities, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	defer s.file.Close()
	f, err := os.Create(path + ".new")
	if err != nil {
		t.Fatal(err)
	}
	w, err := age.Encrypt(f, v.keys.recipients...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(w, io.NewSectionReader(s.r, 0, s.table.begin))
	if err = errors.Join(err, w.Close(), f.Close(), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
	relist(t, v, ref, func(list string) string { return placeText.ReplaceAllString(list, "") })
}

// shelf is a tree of folders, of 3.6 MB each.
func shelf(folders int) []thing {
	var things []thing
	for i := range folders {
		dir := fmt.Sprintf("f%d", i)
		things = append(things, folder(dir))
		for j := range 4 {
			things = append(things, file(fmt.Sprintf("%s/%d", dir, j), string(noise(900_000, byte(i*4+j)))))
		}
		things = append(things, file(dir+"/"+strings.Repeat("long", 40), "with headers of PAX "+dir), symlink(dir+"/l", "x"))
	}
	return append(things, alone("index", "alone"), file("latin1-\xe9", "not UTF-8"), file(`say "hi"`, "quoted"), file("last", "the last"))
}

// odd reports the paths that a list of contents has to write in a way of its own.
func odd(path string) bool { return path == "latin1-\xe9" || path == `say "hi"` }

// reading counts what is read of an archive's files.
func reading(t testing.TB, v *Vault, ref string) (*Folder, *atomic.Int64) {
	t.Helper()
	f, err := v.open(ref)
	if err != nil {
		t.Fatal(err)
	}
	n := &atomic.Int64{}
	f.read = func(k int) { n.Add(int64(k)) }
	return f, n
}

// chosen reads the files that are wanted in one pass, and wants them to be right.
func chosen(t testing.TB, f *Folder, things []thing, want func(string) bool) {
	t.Helper()
	var got, wanted []string
	for _, th := range things {
		if th.Type == keepwatch.EntryFile && want(th.Path) {
			wanted = append(wanted, th.Path)
		}
	}
	err := f.WalkEntries(context.Background(), want, func(e keepwatch.Entry, body io.Reader) error {
		data, err := io.ReadAll(body)
		if i := slices.IndexFunc(things, func(th thing) bool { return th.Path == e.Path }); err != nil || !bytes.Equal(data, things[i].data) {
			t.Errorf("%s: %d bytes, %v", e.Path, len(data), err)
		}
		got = append(got, e.Path)
		return nil
	})
	if err != nil || !slices.Equal(got, wanted) {
		t.Errorf("read %v, want %v: %v", got, wanted, err)
	}
}

// one opens an entry of an archive's folder and wants it to be right.
func one(t testing.TB, f *Folder, th thing) {
	t.Helper()
	_, r, err := f.OpenEntry(context.Background(), th.Path)
	if err != nil {
		t.Errorf("%s: %v", th.Path, err)
		return
	}
	data, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(data, th.data) {
		t.Errorf("%s: %d bytes, %v", th.Path, len(data), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func last(things []thing) thing { return things[len(things)-1] }

// TestSeekReadsLittle: what is taken out costs about what it is, and from an archive
// of an older version all that lies before it.
func TestSeekReadsLittle(t *testing.T) {
	v := newVault(t)
	things := shelf(10)
	a := seal(t, v, 1, things...)
	if got := verify(t, v, a.Ref()); !got.OK() {
		t.Fatal(got.Problems)
	}
	in := func(dir string) func(string) bool {
		return func(path string) bool { return strings.HasPrefix(path, dir+"/") }
	}
	some := func(path string) bool {
		return odd(path) || in("f2")(path) || path == "f7/1" || path == "index" || path == "f9/0"
	}
	for _, old := range []bool{false, true} {
		if old {
			older(t, v, a.Ref())
		}
		for _, c := range []struct {
			what string
			most int64 // MiB that are read from an archive that says where things are
			do   func(f *Folder)
		}{
			{"the last file", 3, func(f *Folder) { one(t, f, last(things)) }},
			{"a file in the middle", 5, func(f *Folder) { one(t, f, things[7*5+2]) }},
			{"a folder in the middle", 9, func(f *Folder) { chosen(t, f, things, in("f5")) }},
			{"here and there", 16, func(f *Folder) { chosen(t, f, things, some) }},
			{"part of a restore", 9, func(f *Folder) {
				to := filepath.Join(t.TempDir(), "out")
				r, err := f.Extract(t.Context(), keepwatch.Run{ID: 1, Ask: keepwatch.Ask{To: to, Parts: []string{"f6"}}}, nil)
				if err != nil || r.Items != 7 || len(r.Findings) > 0 {
					t.Errorf("%+v, %v", r, err)
				}
				for _, th := range things {
					if strings.HasPrefix(th.Path, "f6") {
						checkRestored(t, to, th)
					}
				}
			}},
			{"nothing", 1, func(f *Folder) { chosen(t, f, things, func(string) bool { return false }) }},
		} {
			f, n := reading(t, v, a.Ref())
			c.do(f)
			t.Logf("old %t: %s: %d of %d bytes", old, c.what, n.Load(), a.SealedBytes)
			if got := n.Load(); old && got < a.SealedBytes/3 || !old && got > c.most<<20 {
				t.Errorf("old %t: %s: %d of %d bytes were read", old, c.what, got, a.SealedBytes)
			}
		}
	}
}

// tableOf makes a seek table that says what it is told.
func tableOf(sizes ...uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, tableMagic)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(sizes)*4+tableFooter))
	for _, s := range sizes {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	return appendFooter(b, uint32(len(sizes)/2))
}

// TestSeekIsNotBelieved: whatever a table or a list says of places, each file comes out
// right, and a verification tells what is wrong.
func TestSeekIsNotBelieved(t *testing.T) {
	v := newVault(t)
	things := shelf(4)
	edit := func(do func(table []byte)) func([]byte, []byte) []byte {
		return func(frames, table []byte) []byte {
			do(table)
			return slices.Concat(frames, table)
		}
	}
	other := func(make func(frames []byte) []byte) func([]byte, []byte) []byte {
		return func(frames, _ []byte) []byte { return slices.Concat(frames, make(frames)) }
	}
	places := func(say func(at int64) int64) func(string) string {
		return func(list string) string {
			return placeText.ReplaceAllStringFunc(list, func(text string) string {
				at, err := strconv.ParseInt(strings.TrimPrefix(text, `,"at":`), 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf(`,"at":%d`, say(at))
			})
		}
	}
	ref := seal(t, v, 1, things...).Ref()
	path, listPath := filepath.Join(v.Path(ref), treeName), filepath.Join(v.Path(ref), contentsName)
	wholeTree, wholeList := read(t, path), read(t, listPath)
	plain := decrypted(t, v, path)
	for _, c := range []struct {
		what  string
		tree  func(frames, table []byte) []byte
		list  func(string) string
		named string // by a verification; "": it is as it may be
	}{
		{"no table", func(frames, _ []byte) []byte { return frames }, nil, ""},
		{"no places", nil, func(list string) string { return placeText.ReplaceAllString(list, "") }, ""},
		{"a place missing", nil, func(list string) string { return strings.Replace(list, placeText.FindString(list), "", 1) }, ""},
		{"a path written in another way", nil, func(list string) string { return strings.Replace(list, `"path":"last"`, `"path":"l\u0061st"`, 1) }, ""},
		{"a path in bytes", nil, func(list string) string {
			return strings.Replace(list, `"path":"last"`, `"path":"zzz","raw_path":"bGFzdA=="`, 1)
		}, ""},
		{"a negative place", nil, places(func(int64) int64 { return -512 }), ""},
		{"a table of nothing", other(func([]byte) []byte { return tableOf() }), nil, "its seek table"},
		{"sizes that overflow", other(func([]byte) []byte { return tableOf(1<<32-1, 1<<32-1, 1<<32-1, 1<<32-1) }), nil, "its seek table"},
		{"one frame of all", other(func(frames []byte) []byte { return tableOf(uint32(len(frames)), 1<<32-1) }), nil, "its seek table"},
		{"frames of nothing", other(func(frames []byte) []byte { return tableOf(0, 1<<20, uint32(len(frames)), 1<<20) }), nil, "its seek table"},
		{"frames that begin elsewhere", edit(func(table []byte) { table[8]++; table[16]-- }), nil, "its seek table"},
		{"frames that hold more", edit(func(table []byte) { table[12+2]++ }), nil, "its seek table"},
		{"frames in another order", edit(func(table []byte) {
			first := slices.Clone(table[8:16])
			copy(table[8:], table[len(table)-tableFooter-8:len(table)-tableFooter])
			copy(table[len(table)-tableFooter-8:], first)
		}), nil, "its seek table"},
		{"a footer of other frames", edit(func(table []byte) { table[len(table)-tableFooter]-- }), nil, "its seek table"},
		{"a footer of too many", edit(func(table []byte) { table[len(table)-tableFooter+3] = 0xff }), nil, "its seek table"},
		{"a footer of another kind", edit(func(table []byte) { table[len(table)-5] = 0x80 }), nil, "its seek table"},
		{"two tables", func(frames, table []byte) []byte { return slices.Concat(frames, table, table) }, nil, "its seek table"},
		{"a table in front", func(frames, table []byte) []byte { return slices.Concat(table, frames) }, nil, "its seek table"},
		{"all places at the beginning", nil, places(func(int64) int64 { return 0 }), "begins at byte 0"},
		{"places behind the end", nil, places(func(at int64) int64 { return at + 1<<30 }), "begins at byte 1073741824"},
		{"places beyond numbers", nil, places(func(int64) int64 { return math.MaxInt64 }), "begins at byte 9223372036854775807"},
		{"places in the middle of headers", nil, places(func(at int64) int64 { return at + 512 }), "begins at byte 512"},
	} {
		t.Run(c.what, func(t *testing.T) {
			write(t, path, wholeTree)
			write(t, listPath, wholeList)
			if c.tree != nil {
				reseal(t, v, path, c.tree(ofTable(t, bytes.Clone(plain))))
			}
			if c.list != nil {
				relist(t, v, ref, c.list)
			}
			f, err := v.open(ref)
			if err != nil {
				t.Fatal(err)
			}
			one(t, f, last(things))
			one(t, f, things[7*2+3])
			chosen(t, f, things, func(path string) bool {
				return odd(path) || path == "f0/2" || strings.HasPrefix(path, "f2/") || path == "index" || path == "last"
			})
			to := filepath.Join(t.TempDir(), "out")
			if r, err := extract(v, ref, to, keepwatch.Ask{Parts: []string{"f3", "last"}}); err != nil || r.Items != 8 {
				t.Errorf("%+v, %v", r, err)
			}
			var told []string
			for _, p := range verify(t, v, ref).Problems {
				if p.Rule != "hash" && p.Rule != "size" { // of the file, which was sealed anew
					told = append(told, p.Text)
				}
			}
			if c.named == "" && len(told) > 0 || c.named != "" && !strings.Contains(strings.Join(told, "\n"), c.named) {
				t.Errorf("a verification says %q", told)
			}
		})
	}
}

// TestSeekAndDamage: what is damaged before or behind what is wanted does not matter, and
// is not read; in it, it is told of, and what lies behind it comes.
func TestSeekAndDamage(t *testing.T) {
	v := newVault(t)
	things := shelf(10)
	a := seal(t, v, 1, things...)
	path := filepath.Join(v.Path(a.Ref()), treeName)
	whole := read(t, path)
	in := func(path string) bool { return strings.HasPrefix(path, "f5/") }
	for _, at := range []float64{0.01, 0.2, 0.48, 0.8} {
		write(t, path, string(flipAt(at)([]byte(whole))))
		f, n := reading(t, v, a.Ref())
		chosen(t, f, things, in)
		if n.Load() > 9<<20 {
			t.Errorf("damage at %v: %d bytes were read", at, n.Load())
		}
		one(t, f, last(things))
	}
	write(t, path, string(flipAt(0.55)([]byte(whole))))
	f, _ := reading(t, v, a.Ref())
	good, bad := 0, 0
	err := f.WalkEntries(t.Context(), in, func(e keepwatch.Entry, body io.Reader) error {
		data, err := io.ReadAll(body)
		i := slices.IndexFunc(things, func(th thing) bool { return th.Path == e.Path })
		switch {
		case err != nil:
			want(t, err, keepwatch.KindAttention, e.Path)
			if bad++; !errors.Is(err, keepwatch.ErrDamaged) {
				t.Errorf("%s: %v is no damage", e.Path, err)
			}
		case bytes.Equal(data, things[i].data):
			good++
		default:
			t.Errorf("%s is not what it was", e.Path)
		}
		return nil
	})
	if err != nil || bad == 0 || bad > 3 || good+bad != 5 {
		t.Errorf("%d right and %d damaged: %v", good, bad, err)
	}
	write(t, path, whole[:len(whole)-1]) // the end, which has the table, is not what it was
	f, _ = reading(t, v, a.Ref())
	chosen(t, f, things, in)
}

// TestSeekWithAChangedList: what the list of contents has too much is named, and what
// comes next in it is no stranger.
func TestSeekWithAChangedList(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("b", "b"), folder("d"), file("d/a", "a"), file("e", "e"), file("f", "f"), file("d/z", "z"))
	relist(t, v, a.Ref(), func(list string) string {
		lines := strings.SplitAfter(list, "\n")
		return strings.Join(slices.Insert(lines, 3, strings.Replace(lines[2], `"d/a"`, `"d/b"`, 1)), "")
	})
	to := filepath.Join(t.TempDir(), "out")
	r, err := extract(v, a.Ref(), to, keepwatch.Ask{Parts: []string{"d"}})
	want(t, err, keepwatch.KindAttention, "d/b")
	if len(r.Findings) != 2 { // and that it is lost
		t.Errorf("%q", r.Findings)
	}
}
