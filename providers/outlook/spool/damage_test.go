package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/spool"
)

// small makes a spool with two folders and what can be in them, and gives all that was ever
// seen of it.
func small(t *testing.T) (dir string, m *model, were map[string]bool) {
	t.Helper()
	cfg := spool.Config{Dir: t.TempDir()}
	w := newWorld(t, open(t, cfg), 11)
	were = map[string]bool{}
	did := func() { were[w.m.see().String()] = true }
	folders := []outlook.Folder{folder("a"), folder("b")}
	must(t, w.sp.SetFolders(folders))
	w.m.SetFolders(folders)
	did()
	var items []outlook.Item
	for n := range 6 {
		items = append(items, item(fmt.Sprintf("item-%d", n), "1"))
	}
	for _, p := range []struct {
		folder string
		items  []outlook.Item
		at     outlook.Position
	}{
		{"a", items, outlook.Position{Full: true, State: "s"}},
		{"b", items[3:], outlook.Position{Next: "n"}},
		{"b", []outlook.Item{{ID: items[4].ID, Removed: "deleted"}}, outlook.Position{State: "t"}},
	} {
		must(t, w.sp.Page(p.folder, p.items, p.at))
		w.m.Page(p.folder, p.items, p.at)
		did()
	}
	for n, i := range items[:4] {
		b := bytes.Repeat([]byte{byte(n)}, 100)
		put(t, w.sp, i, outlook.Note{}, b)
		w.m.Put(i, outlook.Note{}, b)
		must(t, w.sp.Sync())
		did()
	}
	must(t, w.sp.Miss(items[5], "poison"))
	w.m.Miss(items[5], "poison")
	did()
	must(t, w.sp.Close())
	return cfg.Dir, w.m, were
}

// sees opens a spool that was tampered with, and fails where it shows what never was.
func sees(t *testing.T, dir string, m *model, were map[string]bool, when string) (lost bool) {
	t.Helper()
	var got seen
	sp, err := spool.New(spool.Config{Dir: dir}).Open(1, key(0))
	if err == nil {
		got, err = see(sp, m)
		must(t, sp.Close())
	}
	switch {
	case err == nil && !were[got.String()]:
		t.Fatalf("%s: it is what it never was:\n%s", when, got)
	case err != nil && (!errors.Is(err, outlook.ErrLost) || errors.Is(err, errWrong)):
		t.Fatalf("%s: %v", when, err)
	}
	return err != nil
}

// TestFlips changes a byte, at one place after the other in each file of a small spool. It
// is what it was then, or it is lost; it is never something else.
func TestFlips(t *testing.T) {
	dir, m, were := small(t)
	stride := 101
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		stride = 1
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, path := range files(t, dir, "*") {
		whole, err := os.ReadFile(path)
		must(t, err)
		step := stride
		if filepath.Ext(path) == ".seg" {
			step = max(1, stride/20)
		}
		losses := 0
		for at := rnd.IntN(step); at < len(whole); at += step {
			if step > 1 && filepath.Ext(path) == ".db" && blank(whole, at) && rnd.IntN(8) > 0 {
				continue // most of a small index is empty
			}
			b := bytes.Clone(whole)
			b[at] ^= byte(1 + rnd.IntN(255))
			must(t, os.WriteFile(path, b, 0o600))
			if sees(t, dir, m, were, fmt.Sprintf("byte %d of %s", at, path)) {
				losses++
			}
			must(t, os.WriteFile(path, whole, 0o600))
		}
		if losses == 0 {
			t.Errorf("no change in %s was seen", path)
		}
		t.Logf("%s: %d bytes, %d changes were seen", filepath.Base(path), len(whole), losses)
	}
	if sees(t, dir, m, were, "at the end") {
		t.Error("it is not as it was at the end")
	}
}

// blank reports whether nothing is near a byte.
func blank(b []byte, at int) bool {
	return len(bytes.Trim(b[max(0, at-64):min(len(b), at+64)], "\x00")) == 0
}

// TestStructure changes the numbers by which bbolt finds its way, at each page.
func TestStructure(t *testing.T) {
	dir, m, were := small(t)
	path := files(t, dir, "index.db")[0]
	whole, err := os.ReadFile(path)
	must(t, err)
	for page := 0; page < len(whole); page += os.Getpagesize() {
		for _, at := range []int{0, 8, 10, 12, 13, 14, 15, 16, 17, 20, 24, 28, 32, 48} {
			for _, to := range []byte{0, 1, 2, 3, 0x10, 0xff} {
				b := bytes.Clone(whole)
				if b[page+at] == to {
					continue
				}
				b[page+at] = to
				must(t, os.WriteFile(path, b, 0o600))
				sees(t, dir, m, were, fmt.Sprintf("byte %d of page %d is %d", at, page/os.Getpagesize(), to))
			}
		}
	}
}

// TestCut has the last content cut at every byte, the one before it at some, or never written from there on, as a
// power cut leaves what was not synced. What is whole counts, and all that was synced.
func TestCut(t *testing.T) {
	cfg := spool.Config{Dir: t.TempDir()}
	sp, m := open(t, cfg), newModel()
	var items []outlook.Item
	for n := range 4 {
		items = append(items, item(fmt.Sprint(n), "1"))
	}
	must(t, sp.SetFolders([]outlook.Folder{folder("a")}))
	m.SetFolders([]outlook.Folder{folder("a")})
	must(t, sp.Page("a", items, outlook.Position{State: "s", Full: true}))
	m.Page("a", items, outlook.Position{State: "s", Full: true})
	var ends []int64
	var states []string
	for n, i := range items {
		if n == 2 {
			must(t, sp.Sync())
		}
		put(t, sp, i, outlook.Note{}, []byte("content of "+i.ID))
		m.Put(i, outlook.Note{}, []byte("content of "+i.ID))
		info, err := os.Stat(files(t, cfg.Dir, "*.seg")[0])
		must(t, err)
		ends, states = append(ends, info.Size()), append(states, m.see().String())
	}
	dir := copyFolder(t, cfg.Dir)
	segment, index := files(t, dir, "*.seg")[0], files(t, dir, "index.db")[0]
	whole, err := os.ReadFile(segment)
	must(t, err)
	stated, err := os.ReadFile(index)
	must(t, err)
	try := func(content []byte, want string, when string) {
		t.Helper()
		must(t, errors.Join(os.WriteFile(segment, content, 0o600), os.WriteFile(index, stated, 0o600)))
		sp, err := spool.New(spool.Config{Dir: dir}).Open(1, key(0))
		must(t, err)
		got, err := see(sp, m)
		must(t, err)
		must(t, sp.Close())
		if got.String() != want {
			t.Fatalf("%s: it is\n%s\nand should be\n%s", when, got, want)
		}
	}
	for at := ends[1]; at < ends[3]; at++ {
		if at < ends[2]-20 && at%5 > 0 && os.Getenv("KEEPWATCH_SOAK") == "" {
			continue
		}
		n := 1
		for ends[n+1] <= at {
			n++
		}
		try(whole[:at], states[n], fmt.Sprintf("cut at %d", at))
		if at%4 == 0 && whole[at] != 0 {
			blank := append(bytes.Clone(whole[:at]), make([]byte, len(whole)-int(at))...)
			try(blank, states[n], fmt.Sprintf("blank from %d on", at))
		}
	}
	must(t, os.WriteFile(index, stated, 0o600))
	takeSynced(t, dir, segment, whole[:ends[1]-1])
}

// takeSynced: a power cut cannot take what was synced; a disk that does is met.
func takeSynced(t *testing.T, dir, segment string, left []byte) {
	t.Helper()
	must(t, os.WriteFile(segment, left, 0o600))
	if _, err := spool.New(spool.Config{Dir: dir}).Open(1, key(0)); !errors.Is(err, outlook.ErrLost) {
		t.Errorf("without what was synced: %v", err)
	}
	must(t, os.Remove(segment))
	if _, err := spool.New(spool.Config{Dir: dir}).Open(1, key(0)); !errors.Is(err, outlook.ErrLost) {
		t.Errorf("without its segment: %v", err)
	}
}

// TestSwapped puts frames and segments in each other's places.
func TestSwapped(t *testing.T) {
	cfg := spool.Config{Dir: t.TempDir()}
	sp := open(t, cfg)
	must(t, sp.SetFolders([]outlook.Folder{folder("a")}))
	items := []outlook.Item{item("1", "1"), item("2", "1")}
	must(t, sp.Page("a", items, outlook.Position{State: "s", Full: true}))
	const frame = 256<<10 + 20
	for _, i := range items {
		put(t, sp, i, outlook.Note{}, bytes.Repeat([]byte(i.ID), 768<<10))
	}
	must(t, sp.Close())
	path := files(t, cfg.Dir, "*.seg")[0]
	whole, err := os.ReadFile(path)
	must(t, err)
	half := len(whole) / 2
	for name, swap := range map[string]func(b []byte){
		"two frames":      func(b []byte) { copy(b[16:], whole[16+frame:16+2*frame]); copy(b[16+frame:], whole[16:16+frame]) },
		"two contents":    func(b []byte) { copy(b, whole[half:]); copy(b[half:], whole[:half]) },
		"another's frame": func(b []byte) { copy(b[16:16+frame], whole[half+16:]) },
	} {
		b := bytes.Clone(whole)
		swap(b)
		must(t, os.WriteFile(path, b, 0o600))
		sp := open(t, cfg)
		for r, err := range sp.Records("a") {
			must(t, err)
			err = compare(sp, r, bytes.Repeat([]byte(r.ID), 768<<10))
			if r.ID == "1" && !errors.Is(err, outlook.ErrLost) || errors.Is(err, errWrong) {
				t.Errorf("%s: %v", name, err)
			}
		}
		must(t, sp.Close())
	}
}

// TestKeys: another key, or another run's folder, is no way in, and changes nothing.
func TestKeys(t *testing.T) {
	dir, m, were := small(t)
	all := spool.New(spool.Config{Dir: dir})
	if _, err := all.Open(1, key(1)); !errors.Is(err, outlook.ErrLost) {
		t.Errorf("another key: %v", err)
	}
	if _, err := all.Open(1, []byte("short")); err == nil || errors.Is(err, outlook.ErrLost) {
		t.Errorf("no key: %v", err)
	}
	must(t, os.CopyFS(filepath.Join(dir, "run-2"), os.DirFS(filepath.Join(dir, "run-1"))))
	if _, err := all.Open(2, key(0)); !errors.Is(err, outlook.ErrLost) {
		t.Errorf("another run's: %v", err)
	}
	must(t, os.Remove(filepath.Join(dir, "run-2", "index.db")))
	if _, err := all.Open(2, key(0)); !errors.Is(err, outlook.ErrLost) {
		t.Errorf("without an index: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "run-2", "index.db"), nil, 0o600))
	if _, err := all.Open(2, key(0)); !errors.Is(err, outlook.ErrLost) {
		t.Errorf("with an empty index: %v", err)
	}
	if sees(t, dir, m, were, "afterwards") {
		t.Error("it is lost")
	}
}

// TestNoPlainText looks for what was saved in all files, names and modes included.
func TestNoPlainText(t *testing.T) {
	cfg := spool.Config{Dir: t.TempDir()}
	sp := open(t, cfg)
	const secret = "PRIVATE-WORDS"
	i := outlook.Item{ID: secret + "-id", Change: secret + "-change", Kind: outlook.Mail, Subject: secret, From: secret, Raw: []byte(`"` + secret + `"`)}
	gone := outlook.Item{ID: secret + "-gone", Removed: "deleted"}
	missed := outlook.Item{ID: secret + "-missed", Subject: secret}
	must(t, sp.SetFolders([]outlook.Folder{{ID: secret, Path: []string{secret}}}))
	must(t, sp.Page(secret, []outlook.Item{i, gone, missed}, outlook.Position{Next: secret}))
	put(t, sp, i, outlook.Note{Rebuilt: secret, Notes: []string{secret}}, bytes.Repeat([]byte(secret), 50_000))
	must(t, sp.Miss(missed, secret))
	_, _, err := sp.Put(i, outlook.Note{}, &failing{b: []byte(strings.Repeat(secret, 50_000))})
	if !errors.Is(err, errBody) {
		t.Errorf("a body that fails: %v", err)
	}
	must(t, sp.Close())
	all := files(t, cfg.Dir, "*")
	if len(all) < 2 {
		t.Fatalf("there is only %v", all)
	}
	for _, path := range all {
		b, err := os.ReadFile(path)
		must(t, err)
		info, err := os.Stat(path)
		must(t, err)
		for _, part := range []string{secret, "PRIVATE", "deleted", "mail", "subject"} {
			if bytes.Contains(b, []byte(part)) || strings.Contains(path, part) {
				t.Errorf("%q is in %s", part, path)
			}
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v", path, info.Mode())
		}
	}
}

var errBody = errors.New("the connection was cut")

// failing is a body that ends with an error.
type failing struct{ b []byte }

func (f *failing) Read(p []byte) (int, error) {
	if len(f.b) == 0 {
		return 0, errBody
	}
	n := copy(p, f.b)
	f.b = f.b[n:]
	return n, nil
}
