package spool_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/spool"
)

// world does one thing after the other to a spool and to its model.
type world struct {
	t   *testing.T
	sp  outlook.Spool
	m   *model
	rnd *rand.Rand
	n   int // of pages
}

func newWorld(t *testing.T, sp outlook.Spool, seed uint64) *world {
	return &world{t: t, sp: sp, m: newModel(), rnd: rand.New(rand.NewPCG(seed, 7))}
}

// body is the content that a version has, whoever puts it: of any size, a few around the
// bounds of frames.
func body(i outlook.Item) []byte {
	h := 0
	for _, c := range version(i) {
		h = (h*31 + int(c)) & 0x7fffffff
	}
	size := h % 5000
	switch h % 29 {
	case 0:
		size = 256<<10 + h%3 - 1
	case 1:
		size = 512<<10 + h%3 - 1
	case 2:
		size = 0
	}
	return bytes.Repeat([]byte(version(i)+"\n"), size/len(version(i))+1)[:size]
}

func (w *world) someItem() outlook.Item {
	return item(fmt.Sprintf("item-%d", w.rnd.IntN(25)), fmt.Sprintf("change-%d", w.rnd.IntN(3)))
}

func (w *world) someFolder() string {
	return w.m.Folders[w.rnd.IntN(len(w.m.Folders))].ID
}

func (w *world) setFolders() {
	ids := []string{"a", "b", "c", "d"}
	w.rnd.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	var folders []outlook.Folder
	for _, id := range ids[:2+w.rnd.IntN(3)] {
		folders = append(folders, folder(id))
	}
	must(w.t, w.sp.SetFolders(folders))
	w.m.SetFolders(folders)
}

// page reads a page as a server may give it: with items twice, removed before and after
// they are listed, those of other folders, and an end at some time.
func (w *world) page() {
	id := w.someFolder()
	var items []outlook.Item
	for range w.rnd.IntN(12) {
		i := w.someItem()
		if w.rnd.IntN(5) == 0 {
			i = outlook.Item{ID: i.ID, Kind: i.Kind, Removed: "deleted"}
		}
		items = append(items, i)
	}
	w.n++
	before := w.m.In[id].At
	at := outlook.Position{Full: before.Full || before == outlook.Position{}, Next: fmt.Sprintf("next %d", w.n)}
	if w.rnd.IntN(40) == 0 {
		at.Full = true
	}
	if w.rnd.IntN(3) == 0 {
		at.Next, at.State = "", fmt.Sprintf("state %d", w.n)
	}
	must(w.t, w.sp.Page(id, items, at))
	w.m.Page(id, items, at)
}

func (w *world) put() {
	i := w.someItem()
	if waiting := w.m.see().Pending; len(waiting) > 0 && w.rnd.IntN(4) > 0 {
		i = waiting[w.rnd.IntN(len(waiting))]
	}
	note := outlook.Note{}
	if len(body(i))%2 == 0 {
		i.Size, note.Rebuilt, note.Notes = 77, "it was poison", []string{"a note"} // it is completed
	}
	put(w.t, w.sp, i, note, body(i))
	w.m.Put(i, note, body(i))
}

func (w *world) step() {
	switch n := w.rnd.IntN(40); {
	case n < 13:
		w.page()
	case n < 32:
		w.put()
	case n < 35:
		i := w.someItem()
		must(w.t, w.sp.Miss(i, "poison"))
		w.m.Miss(i, "poison")
	case n < 36:
		must(w.t, w.sp.Retry())
		w.m.Retry()
	case n < 38:
		id, from := w.someFolder(), ""
		if w.rnd.IntN(2) == 0 {
			from = "an older state"
		}
		must(w.t, w.sp.Restart(id, from))
		w.m.Restart(id, from)
	case n < 39:
		w.setFolders()
	default:
		must(w.t, w.sp.Sync())
	}
}

// TestRandom does thousands of things in any order, with ends and beginnings of the
// process in between, and compares with the model.
func TestRandom(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cfg := spool.Config{Dir: t.TempDir()}
			w := newWorld(t, open(t, cfg), seed)
			w.setFolders()
			for n := range 200 {
				w.step()
				if n%10 == 0 {
					check(t, w.sp, w.m, fmt.Sprintf("after %d steps", n))
				}
				if n%50 == 49 {
					must(t, w.sp.Close())
					w.sp = open(t, cfg)
					check(t, w.sp, w.m, fmt.Sprintf("after %d steps and a new beginning", n))
				}
			}
		})
	}
}

// TestKilled copies the folder whenever something could have been cut off there, as a kill
// leaves it. Each copy is as before what was being done, or as after it.
func TestKilled(t *testing.T) {
	dir, points := t.TempDir(), map[string]int{}
	var copies []string
	cfg := spool.Config{Dir: dir, Crash: func(point string) {
		points[point]++
		if points[point] > 12 { // of each
			return
		}
		copies = append(copies, copyFolder(t, dir))
	}}
	w := newWorld(t, open(t, cfg), 3)
	created := len(copies)
	w.setFolders()
	w.check(copies[:created], newModel().see().String())
	before := newModel().see().String()
	for range 250 {
		after := w.m.see().String()
		w.check(copies[created:], before, after)
		copies, created, before = nil, 0, after
		w.step()
	}
	must(t, w.sp.Close())
	for _, point := range []string{"spool.create.before-init", "spool.create.before-rename", "spool.create.before-folder-sync", "spool.put.before-write", "spool.put.after-write", "spool.put.after-queue", "spool.flush.before-sync",
		"spool.flush.before-commit", "spool.flush.after-commit", "spool.page.before-commit", "spool.page.after-commit", "spool.restart.after-commit", "spool.retry.after-commit", "spool.folders.after-commit"} {
		if points[point] == 0 {
			t.Errorf("nothing passed %s", point)
		}
	}
}

func (w *world) check(copies []string, allowed ...string) {
	w.t.Helper()
	for _, dir := range copies {
		for range 2 { // what was found again is there the next time too
			sp, err := spool.New(spool.Config{Dir: dir}).Open(1, key(0))
			must(w.t, err)
			got, err := see(sp, w.m)
			must(w.t, err)
			must(w.t, sp.Close())
			if !slices.Contains(allowed, got.String()) {
				w.t.Fatalf("it is\n%s\nand should be one of\n%s", got, allowed)
			}
		}
	}
}
