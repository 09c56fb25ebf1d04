package writer

import (
	"bytes"
	"errors"
	"testing"

	"keepwatch/pst"
)

// TestHeapFull: a heap has at most 65,536 blocks, and a table says before that it
// takes no more rows.
func TestHeapFull(t *testing.T) {
	h := heap{}
	h.begin(newTestVolume(t), heapProperties)
	h.index = maxHeapBlock
	item := bytes.Repeat([]byte{1}, maxAlloc)
	var err error
	for range 3 {
		_, err = h.add(item)
	}
	if !errors.Is(err, errHeapFull) {
		t.Errorf("%v", err)
	}
	lay, err := newLayout(contentsColumns)
	if err != nil {
		t.Fatal(err)
	}
	var tab table
	if err := tab.begin(newTestVolume(t), lay); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		index, rows, more int
		full              bool
	}{
		{0, 0, 1000, false},
		{40_000, 1_000_000, 1000, false},
		{63_600, 1_000_000, 1000, true},
		{65_500, 0, 1000, false},
		{65_500, 0, 1_000_000, true},
		{65_530, 0, 1000, true},
	} {
		tab.heap.index, tab.ids = c.index, make([]uint32, c.rows)
		if got := tab.full(c.more); got != c.full {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestTooManyColumns(t *testing.T) {
	w, path := create(t, options())
	f := inbox(t, w, "Inbox")
	for n, ok := range map[int]bool{maxColumns - len(recipientColumns): true, maxColumns - len(recipientColumns) + 1: false} {
		err := f.Add(func(s pst.Sink) error {
			var p pst.Properties
			for i := range n {
				p.Set(pst.NewTag(0x6000+uint16(i), pst.Integer32), int32(i))
			}
			s.Recipient(p)
			return nil
		})
		if ok != (err == nil) {
			t.Errorf("%d columns: %v", n, err)
		}
	}
	closed(t, w)
	verified(t, path)
}

// TestFillLevels holds the two tables of the levels against each other.
func TestFillLevels(t *testing.T) {
	for free := range maxBlock {
		if fillLevel(free) != levelOf(free) {
			t.Fatalf("%d bytes free: %d", free, fillLevel(free))
		}
	}
}
