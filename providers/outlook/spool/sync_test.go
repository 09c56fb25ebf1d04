package spool

import (
	"bytes"
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
	if err != nil {
		t.Fatal(err)
	}
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
	if err := s.SetFolders([]outlook.Folder{{ID: "a"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Page("a", items, outlook.Position{State: "s", Full: true}); err != nil {
		t.Fatal(err)
	}
	put(items[0])
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	put(items[1])
	put(items[2])
	if got := pending(); got != "" {
		t.Errorf("%q are pending", got)
	}
	if err := s.idle[0].file.Close(); err != nil { // as a disk that is gone
		t.Fatal(err)
	}
	if err := s.Sync(); keepwatch.KindOf(err) != keepwatch.KindAttention {
		t.Errorf("a sync that fails: %v", err)
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
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Totals(); err != nil || got.Done < 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
