package writer

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"keepwatch/pst"
)

func newTestVolume(t *testing.T) *volume {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "t.pst"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return newVolume(f, pst.CryptPermute)
}

// putNode writes the data of a node, in pieces of one to three blocks.
func putNode(t *testing.T, v *volume, nid pst.NID, data []byte) {
	t.Helper()
	w := v.stream()
	for rest := data; len(rest) > 0; {
		n := min(len(rest), maxBlock*(1+len(rest)%3))
		if err := w.all(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	bid, size, err := w.finish()
	if err != nil || size != int64(len(data)) {
		t.Fatalf("%d bytes were written as %d: %v", len(data), size, err)
	}
	sub, err := v.subnodes([]subnode{{nid: 0x8025, data: bid}})
	if err != nil {
		t.Fatal(err)
	}
	v.node(nid, bid, sub, 0)
}

func finished(t *testing.T, v *volume) []byte {
	t.Helper()
	want := v.size()
	if err := v.finish(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(v.f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) > want || want > int64(len(data))+3*regionSize {
		t.Errorf("size said %d, it is %d", want, len(data))
	}
	return data
}

// TestRollback: a file from which something was taken back is the file in which it
// never was.
func TestRollback(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}
	a, c := bytesOf(300_000), bytesOf(40_000)
	for _, n := range []int{1, 64, 8176, 200_000, 3_000_000, 9_000_000} {
		with, without := newTestVolume(t), newTestVolume(t)
		for _, v := range []*volume{with, without} {
			putNode(t, v, 0x200024, a)
		}
		m := with.mark()
		putNode(t, with, 0x200044, bytesOf(n))
		if err := with.rollback(m); err != nil {
			t.Fatal(err)
		}
		for _, v := range []*volume{with, without} {
			putNode(t, v, 0x200064, c)
		}
		if !bytes.Equal(finished(t, with), finished(t, without)) {
			t.Errorf("%d bytes that were taken back left a trace", n)
		}
	}
}

// TestHeldBack: blocks that come late lie at their place.
func TestHeldBack(t *testing.T) {
	v := newTestVolume(t)
	w := v.stream()
	first := w.hold()
	full := bytes.Repeat([]byte{7}, maxBlock)
	for range 2100 {
		if err := w.block(full); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.finish(); err == nil {
		t.Fatal("it was finished without the block that was held back")
	}
	if len(w.xs) != 0 {
		t.Fatal("an XBLOCK was written above a block that is not there")
	}
	if err := w.put(first, full); err != nil {
		t.Fatal(err)
	}
	bid, size, err := w.finish()
	if err != nil || size != 2101*maxBlock || len(w.xs) != 3 {
		t.Fatalf("%d %d %d %v", bid, size, len(w.xs), err)
	}
}

func TestFreeSlots(t *testing.T) {
	for _, c := range []struct {
		bits          []byte
		free, longest uint16
	}{
		{[]byte{0xFF, 0xFF}, 0, 0},
		{[]byte{0, 0}, 16, 16},
		{[]byte{0xF0, 0x0F}, 8, 4 + 4},
		{[]byte{0xFE, 0xFF, 0x7F}, 2, 1},
		{[]byte{0x80, 0x01}, 14, 14},
	} {
		if free, longest := freeSlots(c.bits); free != c.free || longest != c.longest {
			t.Errorf("%x: %d %d", c.bits, free, longest)
		}
	}
}

func TestTreePages(t *testing.T) {
	for n, want := range map[int]int{0: 1, 1: 1, 20: 1, 21: 3, 400: 21, 401: 21 + 3, 8000: 421, 8001: 401 + 21 + 2 + 1} {
		if got := treePages(n, 20); got != want {
			t.Errorf("%d entries: %d pages, want %d", n, got, want)
		}
	}
}
