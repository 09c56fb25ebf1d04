package reader

import (
	"encoding/binary"
)

// bth is a B-tree on a heap ([MS-PST] 2.3.2).
type bth struct {
	h      *heap
	key    int // bytes
	ent    int // bytes
	levels int
	root   hid
}

// maxBTH is how many levels of index a tree may have: three hold more than a heap.
const maxBTH = 8

func (h *heap) bth(id hid) (*bth, error) {
	b, err := h.item(id)
	if err != nil {
		return nil, err
	}
	if len(b) < 8 || b[0] != heapOfTree {
		return nil, h.t.bad("it should have a tree in its heap")
	}
	t := &bth{h: h, key: int(b[1]), ent: int(b[2]), levels: int(b[3]), root: hid(binary.LittleEndian.Uint32(b[4:]))}
	if k := t.key; k != 2 && k != 4 && k != 8 && k != 16 || t.ent == 0 || t.ent > 32 || t.levels > maxBTH {
		return nil, h.t.bad("the tree in its heap has keys of %d bytes, values of %d and %d levels", t.key, t.ent, t.levels)
	}
	return t, nil
}

// number reads a key of 2, 4 or 8 bytes.
func number(b []byte) uint64 {
	switch len(b) {
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// each gives the entries until yield says false. Keys have to rise, so that no
// item of the heap is gone through twice.
func (t *bth) each(yield func(key uint64, value []byte) bool) error {
	if t.root == 0 {
		return nil
	}
	w := bthWalk{bth: t, yield: yield, last: -1}
	return w.item(t.root, t.levels)
}

type bthWalk struct {
	*bth
	yield func(uint64, []byte) bool
	last  int64
	done  bool
}

func (w *bthWalk) item(id hid, level int) error {
	b, err := w.h.item(id)
	if err != nil {
		return err
	}
	cb := w.key + w.ent
	if level > 0 {
		cb = w.key + 4
	}
	if len(b) == 0 || len(b)%cb != 0 {
		return w.h.t.bad("an item of the tree in its heap has %d bytes, for entries of %d", len(b), cb)
	}
	for ; len(b) > 0 && !w.done; b = b[cb:] {
		k := number(b[:w.key])
		if int64(k) <= w.last {
			return w.h.t.bad("the keys of the tree in its heap are out of order")
		}
		if level > 0 {
			if err := w.item(hid(binary.LittleEndian.Uint32(b[w.key:])), level-1); err != nil {
				return err
			}
			continue
		}
		w.last = int64(k)
		w.done = !w.yield(k, b[w.key:cb])
	}
	return nil
}
