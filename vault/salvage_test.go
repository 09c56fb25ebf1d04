package vault

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keepwatch"
)

// TestDamageCostsLittle damages a tree at several places. What is restored is
// right, and all that does not lie in the damaged chunk or frame is restored.
func TestDamageCostsLittle(t *testing.T) {
	v := newVault(t)
	var inner bytes.Buffer // an archive in the archive, whose headers are none of ours
	inner.Write(forgedTar(t, plainHeader("n000"), plainHeader("n001"), plainHeader("decoy")))
	var things []thing
	for i := range 40 {
		name := fmt.Sprintf("n%03d", i)
		switch i % 4 {
		case 0:
			things = append(things, file(name, string(noise(700_000, byte(i)))))
		case 1:
			things = append(things, file(name, strings.Repeat(inner.String(), 20)))
		case 2:
			things = append(things, file(name, strings.Repeat("text ", 100_000)+string(noise(200_000, byte(i)))))
		default:
			things = append(things, folder(name), file(name+"/"+strings.Repeat("long", 50), "x"), symlink(name+"/l", "x"))
		}
	}
	a := seal(t, v, 1, things...)
	path := filepath.Join(v.Path(a.Ref()), "notes.tar.zst.age")
	whole := []byte(read(t, path))
	cases := map[string]struct {
		do   func(data []byte) []byte
		most int // how many files may be lost
	}{
		"near the beginning": {flipAt(0.02), 4},
		"in the middle":      {flipAt(0.5), 10},
		"in two places":      {func(d []byte) []byte { return flipAt(0.2)(flipAt(0.8)(d)) }, 20},
		"in two chunks":      {func(d []byte) []byte { return flipAt(0.5)(flipAt(0.5 + 66000/float64(len(d)))(d)) }, 12},
		"a block of zeros": {func(d []byte) []byte {
			clear(d[len(d)/3 : len(d)/3+4096])
			return d
		}, 10},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			if err := os.WriteFile(path, c.do(bytes.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(t.TempDir(), "out")
			r, err := extract(v, a.Ref(), to, keepwatch.Ask{})
			want(t, err, keepwatch.KindAttention, "notes.tar.zst.age")
			lost := 0
			for _, th := range things {
				if _, err := os.Lstat(filepath.Join(to, th.Path)); err != nil {
					lost++
					if th.Type != keepwatch.EntryFile {
						t.Errorf("%s is lost, although the list of contents has it", th.Path)
					}
					continue
				}
				checkRestored(t, to, th)
			}
			t.Logf("%d of %d lost: %v", lost, len(things), r.Findings)
			if lost == 0 || lost > c.most {
				t.Errorf("%d are lost", lost)
			}
			if int64(len(things)-lost) != r.Items {
				t.Errorf("%d items are said to be restored, and %d are", r.Items, len(things)-lost)
			}
		})
	}
}

// flipAt flips a bit at a fraction of the whole.
func flipAt(f float64) func([]byte) []byte {
	return func(d []byte) []byte {
		d[int(f*float64(len(d)))] ^= 0x10
		return d
	}
}

// TestDamageInWhatNobodyWants costs nothing of what comes next.
func TestDamageInWhatNobodyWants(t *testing.T) {
	v := newVault(t)
	things := []thing{file("first", "1"), file("hurt", string(noise(3<<20, 1))), file("next", "2"), file("last", "3")}
	a := seal(t, v, 1, things...)
	for _, old := range []bool{false, true} {
		if old {
			older(t, v, a.Ref())
		}
		path := filepath.Join(v.Path(a.Ref()), treeName)
		whole := read(t, path)
		write(t, path, string(flipAt(0.5)([]byte(whole))))
		f, err := v.open(a.Ref())
		if err != nil {
			t.Fatal(err)
		}
		chosen(t, f, things, func(path string) bool { return path != "hurt" })
		one(t, f, things[2])
		r, err := extract(v, a.Ref(), filepath.Join(t.TempDir(), "out"), keepwatch.Ask{Parts: []string{"next", "last"}})
		if r.Items != 2 || old && err == nil || !old && err != nil {
			t.Errorf("old %t: %+v, %v", old, r, err)
		}
		write(t, path, whole)
	}
}
