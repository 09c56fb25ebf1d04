package archive

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keepwatch/providers/outlook"
)

// archBox is a mailbox in which something happens between archives: by the ID of a folder,
// the changes of the items in it.
type archBox map[string]map[string]int

func (b archBox) clone() archBox {
	c := archBox{}
	for id, items := range b {
		c[id] = maps.Clone(items)
	}
	return c
}

func archKind(folder string) outlook.Kind {
	if strings.HasPrefix(folder, "c") {
		return outlook.Calendar
	}
	return outlook.Mail
}

func archFolder(id string) outlook.Folder {
	return outlook.Folder{ID: id, Kind: archKind(id), Path: []string{strings.ToUpper(id)}}
}

// happens lets people work.
func (b archBox) happens(r *rand.Rand, made *int) {
	folders := slices.Sorted(maps.Keys(b))
	f := folders[r.IntN(len(folders))]
	items := slices.Sorted(maps.Keys(b[f]))
	switch what := r.IntN(20); {
	case what < 7 || len(items) == 0:
		*made++
		b[f][fmt.Sprint("item", *made)] = 1
	case what < 10:
		b[f][items[r.IntN(len(items))]]++
	case what < 13:
		delete(b[f], items[r.IntN(len(items))])
	case what < 17:
		to, id := folders[r.IntN(len(folders))], items[r.IntN(len(items))]
		if archKind(to) == archKind(f) && to != f {
			b[to][id] = b[f][id]
			delete(b[f], id)
		}
	case what == 17 && f != "m":
		delete(b, f)
	default:
		*made++
		b[fmt.Sprint([]string{"c", "m"}[r.IntN(2)], *made)] = map[string]int{}
	}
}

// spool is what a download brings, after one of before.
func (b archBox) spool(r *rand.Rand, before archBox) *archSpool {
	var folders []outlook.Folder
	for _, id := range slices.Sorted(maps.Keys(b)) {
		folders = append(folders, archFolder(id))
	}
	s := newArchSpool(folders...)
	for _, f := range folders {
		had, known := before[f.ID]
		whole := !known || f.Kind == outlook.Calendar || r.IntN(6) == 0
		if !whole {
			s.at[f.ID] = outlook.Position{State: "later"}
		}
		for _, id := range slices.Sorted(maps.Keys(b[f.ID])) {
			if whole || had[id] != b[f.ID][id] {
				it := archItem{Record: outlook.Record{Item: outlook.Item{ID: id, Folder: f.ID, Kind: f.Kind, Subject: id}, Missing: "it cannot be had"}}
				if r.IntN(3) > 0 && f.Kind == outlook.Mail {
					it = archMade(it.Item, archMail(id))
				}
				s.put(f.ID, it)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(had)) {
			if _, is := b[f.ID][id]; !is && !whole {
				s.gone[f.ID] = append(s.gone[f.ID], outlook.Item{ID: id, Folder: f.ID, Kind: f.Kind, Removed: b.why(f.ID, id)})
			}
		}
	}
	return s
}

// why says why an item is no longer in a folder.
func (b archBox) why(folder, id string) string {
	for other, items := range b {
		if _, is := items[id]; is && archKind(other) == archKind(folder) {
			return whyMoved
		}
	}
	return whyDeleted
}

// TestChainsOfChanges: whatever happens to a mailbox, each archive of a chain lists what is
// gone since the one before, once, and nothing else.
func TestChainsOfChanges(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 4))
		b, made, older := archBox{"m": {}, "n": {}, "c": {}}, 0, archOlder{}
		var before archBox
		for run := range 12 {
			for range r.IntN(25) {
				b.happens(r, &made)
			}
			base := ""
			if run > 0 && r.IntN(10) > 0 {
				base = fmt.Sprint("alis-mail/", run)
			} else {
				before = nil
			}
			seen := b.clone() // but for folders that are not among the parts for a while
			maps.DeleteFunc(seen, func(id string, _ map[string]int) bool { return id != "m" && r.IntN(15) == 0 })
			w, sink := newArchWorld(t, seen.spool(r, before)), &archSink{}
			w.cfg.Older, w.kept.Base = older, base
			var want, got []string
			for _, id := range slices.Sorted(maps.Keys(before)) {
				if _, is := b[id]; !is {
					w.kept.Gone = append(w.kept.Gone, archFolder(id))
				} else if seen[id] == nil {
					continue
				}
				for item := range before[id] {
					if _, is := seen[id][item]; !is {
						want = append(want, id+" "+item+" "+seen.why(id, item))
					}
				}
			}
			w.mustFetchHolding(t, sink, []int{0, 1, 7}[r.IntN(3)])
			for _, l := range sink.lines(t, outlook.RemovedPath) {
				got = append(got, l.Folder+" "+l.ID+" "+l.Removed)
				if l.Subject != l.ID || strings.Join(l.In, "/") != strings.ToUpper(l.Folder) {
					t.Errorf("%+v", l)
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("seed %d, run %d: %s", seed, run, d)
			}
			for _, path := range []string{outlook.StatePath, outlook.IndexPath, outlook.RemovedPath} {
				if _, is := sink.names[foldedName(path)]; is {
					older[fmt.Sprint("alis-mail/", run+1, "/", path)] = sink.texts[path]
				}
			}
			before = seen
		}
	}
}
