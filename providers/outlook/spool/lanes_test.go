package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/spool"
)

// fill lists as many items in folder "a", in pages of a thousand.
func fill(t testing.TB, sp outlook.Spool, many int, of func(n int) outlook.Item) {
	t.Helper()
	must(t, sp.SetFolders([]outlook.Folder{folder("a")}))
	var page []outlook.Item
	for n := range many {
		page = append(page, of(n))
		if len(page) == 1000 || n == many-1 {
			at := outlook.Position{Full: true, Next: fmt.Sprint(n)}
			if n == many-1 {
				at = outlook.Position{Full: true, State: "s"}
			}
			must(t, sp.Page("a", page, at))
			page = page[:0]
		}
	}
}

// download puts a content for each pending item, in lanes, and gives how often each was
// handed out.
func download(t testing.TB, sp outlook.Spool, lanes int, of func(outlook.Item) io.Reader) map[string]int {
	t.Helper()
	out := map[string]int{}
	lanesOf(t, sp, lanes, of, func(i outlook.Item) { out[i.ID]++ })
	return out
}

// lanesOf is download for whoever keeps no list of what was handed out.
func lanesOf(t testing.TB, sp outlook.Spool, lanes int, of func(outlook.Item) io.Reader, handed func(outlook.Item)) {
	t.Helper()
	work := make(chan outlook.Item)
	var all sync.WaitGroup
	for range lanes {
		all.Go(func() {
			for i := range work {
				if _, _, err := sp.Put(i, outlook.Note{}, of(i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i, err := range sp.Pending() {
		if err != nil {
			t.Error(err)
			break
		}
		handed(i)
		work <- i
	}
	close(work)
	all.Wait()
}

// TestLanes downloads in eight lanes while somebody looks at it, through several commits of
// the index. Each item is handed out once, also by a second Pending, and there are as many
// segments as lanes.
func TestLanes(t *testing.T) {
	cfg := spool.Config{Dir: t.TempDir()}
	sp := open(t, cfg)
	const many = 5000
	fill(t, sp, many, func(n int) outlook.Item { return item(fmt.Sprint(n), "1") })
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		last := int64(0)
		for {
			select {
			case <-stop:
				return
			default:
			}
			now, err := sp.Totals()
			if err != nil || now.Done < last || now.Items != many {
				t.Errorf("%+v after %d: %v", now, last, err)
			}
			last = now.Done
		}
	}()
	content := func(i outlook.Item) io.Reader { return strings.NewReader("content of " + i.ID) }
	for _, n := range download(t, sp, 8, content) {
		if n != 1 {
			t.Errorf("an item was handed out %d times", n)
		}
	}
	close(stop)
	<-watched
	if again := download(t, sp, 8, content); len(again) > 0 {
		t.Errorf("%d were pending a second time", len(again))
	}
	got, err := sp.Totals()
	if want := (outlook.Totals{Items: many, Done: many, Bytes: got.Bytes}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	n := 0
	for r, err := range sp.Records("a") {
		must(t, err)
		if r.ID != fmt.Sprint(n) {
			t.Fatalf("%s comes as number %d", r.ID, n)
		}
		if n++; n%50 == 0 {
			must(t, compare(sp, r, []byte("content of "+r.ID)))
		}
	}
	must(t, sp.Close())
	if all := files(t, cfg.Dir, "*.seg"); n != many || len(all) > 8 {
		t.Errorf("%d records in %d segments", n, len(all))
	}
}

// TestUnsaved: contents that no commit has stated are there after a kill, more than one
// commit holds too, and the segments are written on.
func TestUnsaved(t *testing.T) {
	dir := ""
	cfg := spool.Config{Dir: t.TempDir()}
	cfg.Crash = func(point string) {
		if point == "spool.flush.before-sync" && dir == "" {
			dir = copyFolder(t, cfg.Dir)
		}
	}
	sp := open(t, cfg)
	const many = 1500
	fill(t, sp, many, func(n int) outlook.Item { return item(fmt.Sprint(n), "1") })
	content := func(i outlook.Item) io.Reader { return strings.NewReader("content of " + i.ID) }
	first := 0
	for i, err := range sp.Pending() {
		must(t, err)
		if _, _, err := sp.Put(i, outlook.Note{}, content(i)); err != nil {
			t.Fatal(err)
		}
		if first++; dir != "" {
			break
		}
	}
	again := open(t, spool.Config{Dir: dir})
	out := download(t, again, 2, content)
	if len(out) != many-first+1 {
		t.Errorf("%d are downloaded after a kill behind %d of %d", len(out), first-1, many)
	}
	must(t, again.Close())
	if all := files(t, dir, "*.seg"); len(all) > 2 {
		t.Errorf("there are %d segments", len(all))
	}
}

// TestRotation: contents that go through several segments, one larger than a segment is.
func TestRotation(t *testing.T) {
	cfg := spool.Config{Dir: t.TempDir()}
	sp := open(t, cfg)
	fill(t, sp, 5, func(n int) outlook.Item { return item(fmt.Sprint(n), "1") })
	content := func(id string) []byte { return bytes.Repeat([]byte(id+" "), 18<<20) }
	large := func(i outlook.Item) []byte {
		if i.ID == "2" {
			return bytes.Repeat(content(i.ID), 2)
		}
		return content(i.ID)
	}
	download(t, sp, 1, func(i outlook.Item) io.Reader { return bytes.NewReader(large(i)) })
	must(t, sp.Close())
	sp = open(t, cfg)
	if all := files(t, cfg.Dir, "*.seg"); len(all) != 3 {
		t.Errorf("there are %v", all)
	}
	for r, err := range sp.Records("a") {
		must(t, err)
		must(t, compare(sp, r, large(r.Item)))
		at, err := sp.OpenAt(r)
		must(t, err)
		want := large(r.Item)
		for _, off := range []int64{0, 1, 256<<10 - 3, 256 << 10, r.Bytes - 5} {
			got := make([]byte, 10)
			n, err := at.ReadAt(got, off)
			if left := r.Bytes - off; !bytes.Equal(got[:n], want[off:min(off+10, r.Bytes)]) || (err == io.EOF) != (left < 10) {
				t.Errorf("%d bytes at %d: %v", n, off, err)
			}
		}
		if n, err := at.ReadAt(make([]byte, 1), r.Bytes); n != 0 || err != io.EOF {
			t.Errorf("%d bytes at the end: %v", n, err)
		}
		must(t, at.Close())
	}
}

// TestBodyFails: what was written of a content that ends with an error is taken back.
func TestBodyFails(t *testing.T) {
	cfg := spool.Config{Dir: t.TempDir()}
	sp := open(t, cfg)
	fill(t, sp, 2, func(n int) outlook.Item { return item(fmt.Sprint(n), "1") })
	for range 5 {
		_, _, err := sp.Put(item("0", "1"), outlook.Note{}, &failing{b: make([]byte, 1<<20)})
		if !errors.Is(err, errBody) {
			t.Fatal(err)
		}
	}
	put(t, sp, item("1", "1"), outlook.Note{}, []byte("body"))
	path := files(t, cfg.Dir, "*.seg")
	info, err := os.Stat(path[0])
	if err != nil || len(path) != 1 || info.Size() > 2000 {
		t.Errorf("%v in %v: %v", info.Size(), path, err)
	}
	if got, err := sp.Totals(); err != nil || got != (outlook.Totals{Items: 2, Done: 1, Bytes: 4}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := sp.Page("z", nil, outlook.Position{}); err == nil {
		t.Error("a page of a folder that is not there is taken")
	}
	if err := sp.SetFolders([]outlook.Folder{folder("b"), folder("b")}); err == nil {
		t.Error("a folder is taken twice")
	}
	if all, err := sp.Folders(); err != nil || len(all) != 1 || all[0].ID != "a" {
		t.Errorf("%v, %v", all, err)
	}
	must(t, sp.Close())
	if _, err := sp.Totals(); err == nil {
		t.Error("a closed spool answers")
	}
	if err := sp.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpools: what is there, who has it, and how it goes.
func TestSpools(t *testing.T) {
	dir := t.TempDir() + "/made/later"
	all := spool.New(spool.Config{Dir: dir})
	must(t, all.Sweep(func(int64) bool { return false }))
	must(t, all.Remove(1))
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is made before it is needed")
	}
	if n, err := all.Free(); err != nil || n <= 0 {
		t.Errorf("%d bytes are free: %v", n, err)
	}
	sp, err := all.Open(1, key(0))
	must(t, err)
	_, err = all.Open(1, key(0))
	if keepwatch.KindOf(err) != keepwatch.KindConflict || !strings.Contains(keepwatch.Sentence(err), "Another Keepwatch") {
		t.Errorf("a second one: %v", err)
	}
	must(t, sp.Close())
	scratch, err := all.Scratch(1)
	must(t, err)
	must(t, os.WriteFile(scratch+"/file.pst", []byte("x"), 0o600))
	scratch, err = all.Scratch(1)
	must(t, err)
	left, err := os.ReadDir(scratch)
	info, err2 := os.Stat(scratch)
	if err != nil || len(left) > 0 || err2 != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("in the scratch folder is %v, %v, %v", left, err, err2)
	}
	for _, run := range []int64{2, 3} {
		sp, err := all.Open(run, key(0))
		must(t, err)
		must(t, sp.Close())
	}
	must(t, os.MkdirAll(dir+"/removed-cut-off/spool", 0o700))
	must(t, os.MkdirAll(dir+"/run-x", 0o700))
	must(t, os.MkdirAll(dir+"/run-007", 0o700))
	scratch, err = all.Scratch(2)
	must(t, err)
	must(t, os.WriteFile(scratch+"/file.pst", []byte("what everybody can read"), 0o600))
	must(t, all.Sweep(func(run int64) bool { return run == 2 }))
	if _, err := os.Stat(scratch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a PST stays in clear text after a kill: %v", err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"run-007", "run-2", "run-x"}) {
		t.Errorf("there are %v", got)
	}
	must(t, all.Remove(2))
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("there are %v", got)
	}
}

// TestRemoveKilled: a removal that is cut off leaves no spool, damaged or not.
func TestRemoveKilled(t *testing.T) {
	dir := ""
	cfg := spool.Config{Dir: t.TempDir()}
	cfg.Crash = func(point string) {
		if point == "spool.remove.renamed" {
			dir = copyFolder(t, cfg.Dir)
		}
	}
	sp := open(t, cfg)
	fill(t, sp, 1, func(int) outlook.Item { return item("1", "1") })
	must(t, sp.Close())
	must(t, spool.New(cfg).Remove(1))
	sp = open(t, spool.Config{Dir: dir})
	if got, err := sp.Totals(); err != nil || got.Items != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	must(t, spool.New(spool.Config{Dir: dir}).Sweep(func(int64) bool { return true }))
	if got := names(t, dir); !slices.Equal(got, []string{"run-1"}) {
		t.Errorf("there are %v", got)
	}
}

func names(t testing.TB, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}
