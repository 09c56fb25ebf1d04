package reader

import (
	"encoding/binary"
)

// What is built on a heap, bClientSig ([MS-PST] 2.3.1.2).
const (
	heapOfTable   byte = 0x7C // bTypeTC
	heapOfTree    byte = 0xB5 // bTypeBTH
	heapOfContext byte = 0xBC // bTypePC
	heapReserved  byte = 0xAC // bTypeReserved5: the table of a search folder that Outlook keeps for itself
)

// hid names an item of a heap ([MS-PST] 2.3.1.1): type, index, block.
type hid uint32

// isHeap tells it from the id of a subnode ([MS-PST] 2.3.3.2).
func (h hid) isHeap() bool { return h&0x1F == 0 }

// heap is a heap on a node ([MS-PST] 2.3.1).
type heap struct {
	t    *tree
	sub  subs
	root hid // hidUserRoot
}

// heap opens the heap in the data of a node.
func (f *File) heap(n node, client byte) (*heap, error) {
	t, err := f.tree(n.data)
	if err != nil {
		return nil, err
	}
	b, err := t.block(0)
	if err != nil {
		return nil, err
	}
	if len(b) >= 12 && b[2] == 0xEC && b[3] == heapReserved && client == heapOfTable {
		return nil, &Damage{Text: "its table is of a kind that is reserved", Err: errReserved}
	}
	if len(b) < 12 || b[2] != 0xEC || b[3] != client {
		return nil, t.bad("its data is no heap of the kind %#x", client)
	}
	return &heap{t: t, sub: subs{f, n.sub}, root: hid(binary.LittleEndian.Uint32(b[4:]))}, nil
}

// bad is a damage in the data of a node, at its first block.
func (t *tree) bad(format string, args ...any) error {
	bid, _, _ := t.bid(0)
	at, _, _ := t.f.blockAt(bid)
	return damaged(at.ib, format, args...)
}

// item gives an item of the heap, which nobody may change.
func (h *heap) item(id hid) ([]byte, error) {
	i := int(id >> 5 & 0x7FF)
	if !id.isHeap() || i == 0 {
		return nil, h.t.bad("%#x names no item of a heap", uint32(id))
	}
	b, err := h.t.block(int(id >> 16))
	if err != nil {
		return nil, err
	}
	if len(b) < 2 {
		return nil, h.t.bad("block %d of the heap is empty", id>>16)
	}
	at := int(binary.LittleEndian.Uint16(b))
	if at+4 > len(b) {
		return nil, h.t.bad("the page map of block %d of the heap lies outside of it", id>>16)
	}
	n := int(binary.LittleEndian.Uint16(b[at:]))
	if i > n || at+4+2*(n+1) > len(b) {
		return nil, h.t.bad("block %d of the heap has no item %d", id>>16, i)
	}
	from := int(binary.LittleEndian.Uint16(b[at+2+2*i:]))
	to := int(binary.LittleEndian.Uint16(b[at+4+2*i:]))
	if from > to || to > len(b) {
		return nil, h.t.bad("item %d in block %d of the heap lies outside of it", i, id>>16)
	}
	return b[from:to], nil
}

// value gives what an HNID names, an item of the heap or a subnode ([MS-PST]
// 2.3.3.2). Nobody may change it. That of 0 is empty.
func (h *heap) value(id hid, limit int64) ([]byte, error) {
	if id == 0 {
		return nil, nil
	}
	if id.isHeap() {
		b, err := h.item(id)
		if err == nil && int64(len(b)) > limit {
			err = ErrTooLong
		}
		return b, err
	}
	t, err := h.subtree(id)
	if err != nil {
		return nil, err
	}
	return t.all(limit)
}

// subtree opens the data of a subnode.
func (h *heap) subtree(id hid) (*tree, error) {
	n, ok, err := h.sub.find(nidOf(id))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, h.t.bad("it has no subnode %#x", uint32(id))
	}
	return h.t.f.tree(n.data)
}
