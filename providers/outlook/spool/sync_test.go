package spool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// TestSyncFails: what a disk has not taken is pending again, and not thought to be there
// because a second sync says nothing. What follows goes to another segment.
func TestSyncFails(t *testing.T) {
	all := New(Config{Dir: t.TempDir()})
	key := bytes.Repeat([]byte("k"), keyBytes)
	opened, err := all.Open(1, key)
	must(t, err)
	s := opened.(*spool)
	items := []outlook.Item{{ID: "1"}, {ID: "2"}, {ID: "3"}}
	put := func(i outlook.Item) {
		t.Helper()
		if _, _, err := s.Put(i, outlook.Note{}, strings.NewReader(i.ID)); err != nil {
			t.Fatal(err)
		}
	}
	pending := func() (ids string) {
		for i, err := range s.Pending() {
			if err != nil {
				t.Fatal(err)
			}
			ids += i.ID
		}
		return ids
	}
	must(t, s.SetFolders([]outlook.Folder{{ID: "a"}}))
	must(t, s.Page("a", items, outlook.Position{State: "s", Full: true}))
	put(items[0])
	must(t, s.Sync())
	put(items[1])
	put(items[2])
	if got := pending(); got != "" {
		t.Errorf("%q are pending", got)
	}
	must(t, s.idle[0].file.Close()) // as a disk that is gone
	if err := s.Sync(); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Errorf("a sync that fails: %v", err)
	}
	if s.bytes != 0 || s.held != 0 {
		t.Errorf("%d bytes wait, and %d are held for them", s.bytes, s.held)
	}
	if got := pending(); got != "23" {
		t.Errorf("%q are pending", got)
	}
	put(items[1])
	if err := s.Sync(); err != nil {
		t.Error(err)
	}
	if got, err := s.Totals(); err != nil || got != (outlook.Totals{Items: 3, Done: 2, Bytes: 2}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	again, err := all.Open(1, key)
	must(t, err)
	if got, err := again.Totals(); err != nil || got.Done < 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestMuchIsHeld: what is known of items that wait for the index is in memory, so that few of
// them wait where it is much.
func TestMuchIsHeld(t *testing.T) {
	opened, err := New(Config{Dir: t.TempDir()}).Open(1, bytes.Repeat([]byte("k"), keyBytes))
	must(t, err)
	s := opened.(*spool)
	raw := json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)
	var items []outlook.Item
	for n := range 10 {
		items = append(items, outlook.Item{ID: fmt.Sprint(n), Raw: raw})
	}
	must(t, s.SetFolders([]outlook.Folder{{ID: "a"}}))
	must(t, s.Page("a", items, outlook.Position{State: "s", Full: true}))
	for n, i := range items {
		_, _, err := s.Put(i, outlook.Note{}, strings.NewReader("x"))
		must(t, err)
		if want := n%4 + 1; len(s.queue) != want || s.held < int64(want*len(raw)) || s.held > int64(want*(len(raw)+200)) {
			t.Errorf("%d items wait after %d, and %d bytes are held for them", len(s.queue), n+1, s.held)
		}
	}
	must(t, s.Sync())
	if s.held != 0 {
		t.Errorf("%d bytes are held for nothing", s.held)
	}
	must(t, s.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
