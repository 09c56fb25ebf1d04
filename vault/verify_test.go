package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keepwatch"
)

// sample is a small archive with a tree and both sorts of single file.
func sample(t testing.TB, v *Vault, id int64) keepwatch.Archive {
	return seal(t, v, id, folder("docs"), file("docs/a.txt", strings.Repeat("some words. ", 3000)+string(noise(10, byte(id)))),
		symlink("docs/link", "a.txt"), file("b.bin", string(noise(100_000, byte(id)))),
		alone("mail.pst", string(noise(70_000, byte(id+1)))), alone("site.zip", "PK\x03\x04"+string(noise(70_000, byte(id+2)))))
}

var sampleFiles = []string{"SHA256SUMS", "contents.jsonl.zst.age", "mail.pst.zst.age", "manifest.json", "notes.tar.zst.age", "record.json", "site.zip.age"}

// TestEveryFlippedBitIsFound flips bits at every offset of the small files of an
// archive and at many of the large ones: each is found, and it is the right file
// that is named, and no other. With the key it is one bit of each byte in
// turn, without it the one that changes the case of letters.
func TestEveryFlippedBitIsFound(t *testing.T) {
	v := openVault(t, Config{Dir: filepath.Join(memoryDir(t), "vault"), IdentityFile: newVault(t).keys.file})
	keyless := openVault(t, Config{Dir: v.dir, Recipients: v.Recipients()})
	a := sample(t, v, 1)
	if got := verify(t, v, a.Ref()); !got.OK() {
		t.Fatalf("before: %v", got.Problems)
	}
	for _, name := range sampleFiles {
		path := filepath.Join(v.Path(a.Ref()), name)
		whole := []byte(read(t, path))
		step := 1
		if len(whole) > 5000 {
			step = 4987 // the header, each chunk of age and the end are met
		}
		for at := 0; at < len(whole); at += step {
			for _, try := range []struct {
				v   *Vault
				bit byte
			}{{keyless, 'a' ^ 'A'}, {v, 1 << (at % 8)}} {
				bad := slices.Clone(whole)
				bad[at] ^= try.bit
				if err := os.WriteFile(path, bad, 0o600); err != nil {
					t.Fatal(err)
				}
				checkBlame(t, verify(t, try.v, a.Ref()), name, at, try.bit)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := verify(t, v, a.Ref()); !got.OK() {
		t.Errorf("after: %v", got.Problems)
	}
}

// checkBlame sees that the problems name one file of the sample and no other.
func checkBlame(t *testing.T, got keepwatch.Verification, name string, at int, bit byte) {
	t.Helper()
	if got.OK() || !strings.Contains(got.Problems[0].Text, name) {
		t.Fatalf("bit %#x of byte %d of %s: %v", bit, at, name, got.Problems)
	}
	for _, p := range got.Problems {
		if p.What != name && slices.Contains(sampleFiles, p.What) {
			t.Fatalf("bit %#x of byte %d of %s is blamed on %s: %v", bit, at, name, p.What, got.Problems)
		}
	}
}

// TestEveryChangeIsFound changes an archive's folder in ways that are more than
// a bit.
func TestEveryChangeIsFound(t *testing.T) {
	cut := func(name string, n int) func(t *testing.T, dir, other string) {
		return func(t *testing.T, dir, _ string) {
			path := filepath.Join(dir, name)
			info, err := os.Stat(path)
			if err = errors.Join(err, os.Truncate(path, info.Size()-int64(n))); err != nil {
				t.Fatal(err)
			}
		}
	}
	grow := func(name, with string) func(t *testing.T, dir, other string) {
		return func(t *testing.T, dir, _ string) {
			path := filepath.Join(dir, name)
			write(t, path, read(t, path)+with)
		}
	}
	swap := func(names ...string) func(t *testing.T, dir, other string) {
		return func(t *testing.T, dir, other string) {
			for _, name := range names {
				write(t, filepath.Join(dir, name), read(t, filepath.Join(other, name)))
			}
		}
	}
	edit := func(name, old, new string) func(t *testing.T, dir, other string) {
		return func(t *testing.T, dir, _ string) {
			path := filepath.Join(dir, name)
			text := read(t, path)
			if !strings.Contains(text, old) {
				t.Fatalf("%s has no %q", name, old)
			}
			write(t, path, strings.Replace(text, old, new, 1))
		}
	}
	type change struct {
		what  string
		do    func(t *testing.T, dir, other string)
		named string
		rule  string
	}
	cases := []change{
		{"a file too many", func(t *testing.T, dir, _ string) { write(t, filepath.Join(dir, "stray"), "") }, "stray", "stranger"},
		{"a folder too many", func(t *testing.T, dir, _ string) { write(t, filepath.Join(dir, "sub", "x"), "") }, "sub", "stranger"},
		{"a sealed file too many", swapIn("extra.zst.age"), "extra.zst.age", "stranger"},
		{"a folder instead of a file", func(t *testing.T, dir, _ string) {
			path := filepath.Join(dir, "mail.pst.zst.age")
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, "mail.pst.zst.age", "unreadable"},
		{"a link instead of a file", func(t *testing.T, dir, _ string) {
			path := filepath.Join(dir, "mail.pst.zst.age")
			if err := errors.Join(os.Rename(path, dir+"-moved"), os.Symlink(dir+"-moved", path)); err != nil {
				t.Fatal(err)
			}
		}, "mail.pst.zst.age", "unreadable"},
		{"the folder is gone", func(t *testing.T, dir, _ string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}, "notes/", "missing"},
		{"the folder is empty", func(t *testing.T, dir, _ string) {
			if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, "notes/", "missing"},
		{"another manifest", swap(manifestName), manifestName, ""},
		{"other sums", swap(sumsName), sumsName, "hash"},
		{"another manifest and other sums", swap(manifestName, sumsName), manifestName, ""},
		{"another whole archive", swap(sampleFiles...), manifestName, "content"},
		{"a newer format", edit(manifestName, `"format": 1`, `"format": 2`), manifestName, "damaged"},
		{"white space in the manifest", edit(manifestName, "\n  ", "\n\t"), manifestName, "damaged"},
		{"a case in the manifest", edit(manifestName, `"run"`, `"Run"`), manifestName, "damaged"},
		{"a field too many", edit(manifestName, "{\n", "{\n  \"x\": 1,\n"), manifestName, "damaged"},
		{"a repeated field", edit(manifestName, `"run": 1,`, `"run": 2, "run": 1,`), manifestName, "damaged"},
		{"a time", edit(manifestName, "2026-11-23T04:01", "2026-11-23T05:01"), manifestName, "hash"},
		{"a name that leads outside", edit(manifestName, "site.zip.age", "../zip.age"), manifestName, "damaged"},
		{"a count", edit(manifestName, `"items": 6`, `"items": 7`), manifestName, ""},
		{"lines of the sums", func(t *testing.T, dir, _ string) {
			path := filepath.Join(dir, sumsName)
			lines := strings.SplitAfter(read(t, path), "\n")
			lines[0], lines[1] = lines[1], lines[0]
			write(t, path, strings.Join(lines, ""))
		}, sumsName, "hash"},
		{"all the sums", func(t *testing.T, dir, _ string) { write(t, filepath.Join(dir, sumsName), "") }, sumsName, "hash"},
		{"upper case in the sums", func(t *testing.T, dir, _ string) {
			path := filepath.Join(dir, sumsName)
			text := read(t, path)
			write(t, path, strings.ToUpper(text[:64])+text[64:])
		}, sumsName, "hash"},
	}
	for _, name := range sampleFiles {
		rule := "hash"
		if name == manifestName {
			rule = "damaged"
		}
		sized := rule
		if strings.HasSuffix(name, ".age") {
			sized = "size"
		}
		cases = append(cases,
			change{name + " without its last byte", cut(name, 1), name, sized},
			change{name + " with a byte too many", grow(name, "\n"), name, sized},
			change{name + " twice", func(t *testing.T, dir, _ string) { grow(name, read(t, filepath.Join(dir, name)))(t, dir, "") }, name, sized},
			change{name + " empty", func(t *testing.T, dir, _ string) { write(t, filepath.Join(dir, name), "") }, name, sized})
		if name == recordName { // archives without it are whole, and the next start writes it anew
			continue
		}
		cases = append(cases,
			change{name + " gone", func(t *testing.T, dir, _ string) {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}, name, "missing"})
		if strings.HasSuffix(name, ".age") {
			cases = append(cases, change{name + " of another archive", swap(name), name, ""})
		}
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			v := newVault(t)
			a, other := sample(t, v, 1), sample(t, v, 4)
			c.do(t, v.Path(a.Ref()), v.Path(other.Ref()))
			got := verify(t, v, a.Ref())
			ok := slices.ContainsFunc(got.Problems, func(p keepwatch.Finding) bool {
				return (p.What == c.named || strings.Contains(p.Text, c.named)) && (c.rule == "" || p.Rule == c.rule)
			})
			if !ok {
				t.Errorf("no problem names %s by the rule %q: %v", c.named, c.rule, got.Problems)
			}
			if got := verify(t, v, other.Ref()); !got.OK() {
				t.Errorf("the other archive: %v", got.Problems)
			}
		})
	}
}

// swapIn puts a sealed file of the same key into the folder under another name.
func swapIn(name string) func(t *testing.T, dir, other string) {
	return func(t *testing.T, dir, other string) {
		write(t, filepath.Join(dir, name), read(t, filepath.Join(other, "mail.pst.zst.age")))
	}
}

// TestDamageNamesTheFileInside flips bits in the tree: the file that lies there
// is named as well as the tree.
func TestDamageNamesTheFileInside(t *testing.T) {
	v := newVault(t)
	var things []thing
	for i, name := range []string{"first", "second", "third"} {
		things = append(things, file(name, string(noise(3<<20, byte(i)))))
	}
	a := seal(t, v, 1, things...)
	path := filepath.Join(v.Path(a.Ref()), "notes.tar.zst.age")
	data := []byte(read(t, path))
	data[len(data)/2] ^= 4
	write(t, path, string(data))
	got := verify(t, v, a.Ref())
	if !names(got.Problems, "notes.tar.zst.age") || !names(got.Problems, `"second"`) || names(got.Problems, "first") {
		t.Errorf("problems: %v", got.Problems)
	}
}

// TestVerifyWithoutAKey proves what can be proved when only recipients are
// configured: the sealed bytes, and says that this is all.
func TestVerifyWithoutAKey(t *testing.T) {
	with := newVault(t)
	v := openVault(t, Config{Dir: with.dir, Recipients: with.Recipients(), IdentityFile: filepath.Join(t.TempDir(), "none")})
	if v.CanOpen() {
		t.Error("it says that it can open archives")
	}
	run := staged(t, v, newRun(1), file("a", "x"))
	got, err := v.VerifyStaged(context.Background(), run, nil)
	if err != nil || !got.OK() || got.Level != keepwatch.LevelSealed || got.Files != 0 || got.Sealed == 0 {
		t.Fatalf("staged: %+v, %v", got, err)
	}
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		t.Fatal(err)
	}
	if got := verify(t, v, a.Ref()); !got.OK() || got.Level != keepwatch.LevelSealed || got.Sealed != a.SealedBytes {
		t.Errorf("sealed: %+v", got)
	}
	if got := verify(t, with, a.Ref()); !got.OK() || got.Level != keepwatch.LevelOpened {
		t.Errorf("with the key: %+v", got)
	}
	path := filepath.Join(v.Path(a.Ref()), "notes.tar.zst.age")
	data := []byte(read(t, path))
	data[len(data)-1] ^= 1
	write(t, path, string(data))
	if got := verify(t, v, a.Ref()); got.OK() || got.Problems[0].What != "notes.tar.zst.age" {
		t.Errorf("damaged: %+v", got)
	}
	_, err = extract(v, a.Ref(), filepath.Join(t.TempDir(), "out"), keepwatch.Ask{})
	want(t, err, keepwatch.KindAttention, "no key")
}

// TestWrongKey tells which key is needed.
func TestWrongKey(t *testing.T) {
	one, two := newVault(t), newVault(t)
	a := sample(t, one, 1)
	v := openVault(t, Config{Dir: one.dir, IdentityFile: two.keys.file})
	_, err := v.Verify(context.Background(), a.Ref(), nil)
	want(t, err, keepwatch.KindAttention, one.Recipients()[0], two.keys.file)
	err = v.Contents(context.Background(), a.Ref(), func(keepwatch.Entry) error { return nil }, nil)
	want(t, err, keepwatch.KindAttention, one.Recipients()[0])
	_, err = extract(v, a.Ref(), filepath.Join(t.TempDir(), "out"), keepwatch.Ask{})
	want(t, err, keepwatch.KindAttention, one.Recipients()[0])

	f, err := OpenFolder(one.Path(a.Ref()), two.keys.file, Own{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Verify(context.Background(), nil)
	want(t, err, keepwatch.KindAttention, one.Recipients()[0])

	// a flipped bit in the header looks like a wrong key to age, and is none
	path := filepath.Join(one.Path(a.Ref()), contentsName)
	data := []byte(read(t, path))
	data[60] ^= 1
	write(t, path, string(data))
	err = one.Contents(context.Background(), a.Ref(), func(keepwatch.Entry) error { return nil }, nil)
	want(t, err, keepwatch.KindAttention, "damaged", contentsName)
}

// TestVerifyStops obeys its context within a chunk.
func TestVerifyStops(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("big", string(noise(8<<20, 1))))
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	reports := 0
	_, err := v.Verify(ctx, a.Ref(), func(p keepwatch.Progress) {
		if reports++; reports == 3 {
			cancel(stop)
		}
	})
	if !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if reports > 20 {
		t.Errorf("%d reports after it was stopped", reports)
	}
}

// TestVerifyTellsProgress ends at the whole.
func TestVerifyTellsProgress(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("big", string(noise(4<<20, 1))))
	var last keepwatch.Progress
	n := 0
	_, err := v.Verify(context.Background(), a.Ref(), func(p keepwatch.Progress) {
		if n++; p.Bytes < last.Bytes {
			t.Errorf("it went back from %d to %d", last.Bytes, p.Bytes)
		}
		last = p
	})
	if err != nil || n < 10 || last.Bytes != a.SealedBytes || last.TotalBytes != a.SealedBytes || last.Items != 1 {
		t.Errorf("%d reports, the last %+v, of %d bytes: %v", n, last, a.SealedBytes, err)
	}
}

// TestVerifyStagedFindsDamage before anything is published.
func TestVerifyStagedFindsDamage(t *testing.T) {
	v := newVault(t)
	for _, name := range []string{"notes.tar.zst.age", contentsName} {
		run := staged(t, v, newRun(1), file("a", strings.Repeat("x", 10_000)))
		path := filepath.Join(v.staging(1), name)
		data := []byte(read(t, path))
		data[len(data)-20] ^= 1
		write(t, path, string(data))
		got, err := v.VerifyStaged(context.Background(), run, nil)
		if err != nil || !names(got.Problems, name) {
			t.Errorf("%s: %v, %v", name, got.Problems, err)
		}
	}
	run := staged(t, v, newRun(1), file("a", "x"))
	write(t, filepath.Join(v.staging(1), "left-over"), "")
	if got, err := v.VerifyStaged(context.Background(), run, nil); err != nil || !names(got.Problems, "left-over") {
		t.Errorf("left-over: %v, %v", got.Problems, err)
	}
	if err := v.Discard(1); err != nil {
		t.Fatal(err)
	}
	_, err := v.VerifyStaged(context.Background(), run, nil)
	want(t, err, keepwatch.KindAttention, "run 1")
}

func TestVerifyRefusesWhatIsNoArchive(t *testing.T) {
	v := newVault(t)
	for _, ref := range []string{"", "notes", "../etc/passwd", "notes/..", "notes/2026-11-23T030000Z/x", "Notes/2026-11-23T030000Z"} {
		_, err := v.Verify(context.Background(), ref, nil)
		want(t, err, keepwatch.KindInvalid, "no archive")
		if err := v.Remove(ref); keepwatch.KindOf(err) != keepwatch.KindInvalid {
			t.Errorf("remove %q: %v", ref, err)
		}
	}
}

// TestPlacesBehindStrangers: a stranger in the tree is named, and not the places of what
// lies behind it.
func TestPlacesBehindStrangers(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("a", "a"), file("stranger", strings.Repeat("x", 2000)), file("b", "b"))
	relist(t, v, a.Ref(), func(list string) string {
		lines := strings.SplitAfter(list, "\n")
		return strings.Join(slices.Delete(lines, 1, 2), "")
	})
	problems := verify(t, v, a.Ref()).Problems
	if !names(problems, "stranger") {
		t.Errorf("%q", problems)
	}
	for _, p := range problems {
		if strings.Contains(p.Text, "begins at byte") {
			t.Errorf("%s", p.Text)
		}
	}
}
