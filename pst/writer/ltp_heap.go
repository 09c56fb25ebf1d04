package writer

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Sizes of a heap, 2.3.1.
const (
	maxAlloc     = 3580 // bytes of one item; a longer value is a subnode
	maxAllocs    = 2047 // items of one block: hidIndex has 11 bits
	maxHeapBlock = 65535
	heapHead     = 12 // HNHDR, of the first block
	pageHead     = 2  // HNPAGEHDR
	bitmapHead   = 66 // HNBITMAPHDR, of the blocks 8, 136, 264 …
	firstLevels  = 8  // blocks whose fill level the first block tells
	bitmapLevels = 128
)

// Client signatures of a heap, 2.3.1.2.
const (
	heapTable      = 0x7C // bTypeTC
	heapTree       = 0xB5 // bTypeBTH
	heapProperties = 0xBC // bTypePC
)

// hid names an item of a heap, 2.3.1.1. 0 stands for an empty value: no item of
// length 0 is ever made, because Outlook makes none.
type hid uint32

// errHeapFull is what a heap says that has 65,536 blocks.
var errHeapFull = errors.New("a table or item has more than 512 MB of small values, which is the most that an Outlook data file can hold")

// heap is a heap-on-node, 2.3.1. Blocks go out as they fill. The first block
// stays in memory until the end, because its items are changed until then, and so
// does the last block that has a fill level map, for the levels of those behind it.
type heap struct {
	v      *volume
	w      dataWriter
	first  heapBlock
	cur    heapBlock // the block that fills, where it is not the first
	held   heapBlock // the last block with a fill level map, if it is done
	heldAt int       // its number
	index  int       // of the block that fills
	size   int64     // bytes of the blocks that went out
}

// heapBlock is one block: its data, and where its items begin.
type heapBlock struct {
	data  []byte
	items []uint16
}

// begin empties the heap for a new node, and keeps its memory.
func (h *heap) begin(v *volume, client byte) {
	h.v = v
	h.w = dataWriter{v: v, bids: h.w.bids[:0], xs: h.w.xs[:0]}
	h.first.data = append(h.first.data[:0], 0, 0, 0xEC, client, 0, 0, 0, 0, 0, 0, 0, 0)
	h.first.items = h.first.items[:0]
	h.cur.data, h.cur.items = h.cur.data[:0], h.cur.items[:0]
	h.index, h.heldAt, h.size = 0, 0, 0
}

// room makes an item of n bytes, which the caller fills at once. An item of the
// first block may be filled later, too: see fixed.
func (h *heap) room(n int) (hid, []byte, error) {
	if n == 0 {
		return 0, nil, nil
	}
	b := &h.cur
	if h.index == 0 {
		b = &h.first
	}
	if !b.fits(n) {
		if err := h.next(b); err != nil {
			return 0, nil, err
		}
		b = &h.cur
	}
	at := len(b.data)
	b.items = append(b.items, uint16(at))
	b.data = slices.Grow(b.data, n)[:at+n]
	return hid(h.index)<<16 | hid(len(b.items))<<5, b.data[at:], nil
}

// add makes an item.
func (h *heap) add(data []byte) (hid, error) {
	id, to, err := h.room(len(data))
	copy(to, data)
	return id, err
}

// fixed is an item of the first block.
func (h *heap) fixed(id hid) []byte {
	at := h.first.items[id>>5-1]
	end := len(h.first.data)
	if int(id>>5) < len(h.first.items) {
		end = int(h.first.items[id>>5])
	}
	return h.first.data[at:end]
}

// fits tells whether there is room for one more item of n bytes and its place in
// the page map.
func (b *heapBlock) fits(n int) bool {
	return len(b.items) < maxAllocs && len(b.data)+n+1+4+2*(len(b.items)+2) <= maxBlock
}

// seal appends the page map, 2.3.1.5, at an even offset, and gives the fill level.
// Outlook counts as free what lies behind the page map up to 8,176 bytes.
func (b *heapBlock) seal() (level byte) {
	end := uint16(len(b.data))
	if end%2 != 0 {
		b.data = append(b.data, 0)
	}
	binary.LittleEndian.PutUint16(b.data, uint16(len(b.data)))
	b.data = binary.LittleEndian.AppendUint16(b.data, uint16(len(b.items)))
	b.data = append(b.data, 0, 0)
	for _, at := range b.items {
		b.data = binary.LittleEndian.AppendUint16(b.data, at)
	}
	b.data = binary.LittleEndian.AppendUint16(b.data, end)
	return fillLevel(maxBlock - len(b.data))
}

// fillLevel is the table of 2.3.1.2.
func fillLevel(free int) byte {
	for level, least := range [...]int{3584, 2560, 2048, 1792, 1536, 1280, 1024, 768, 512, 256, 128, 64, 32, 16, 8} {
		if free >= least {
			return byte(level)
		}
	}
	return 0xF
}

// hasBitmap tells whether a block begins with a HNBITMAPHDR.
func hasBitmap(index int) bool {
	return index >= firstLevels && (index-firstLevels)%bitmapLevels == 0
}

// next ends the block b and begins another one.
func (h *heap) next(b *heapBlock) error {
	if h.index == maxHeapBlock {
		return errHeapFull
	}
	h.level(b.seal())
	b.data = append(b.data, make([]byte, maxBlock-len(b.data))...)
	h.size += maxBlock
	switch {
	case h.index == 0:
		h.w.hold()
	case hasBitmap(h.index):
		if err := h.release(); err != nil {
			return err
		}
		h.heldAt = h.w.hold()
		h.held, h.cur = h.cur, h.held
	default:
		if err := h.w.block(b.data); err != nil {
			return err
		}
	}
	h.index++
	head := pageHead
	if hasBitmap(h.index) {
		head = bitmapHead
	}
	h.cur.data = slices.Grow(h.cur.data[:0], head)[:head]
	clear(h.cur.data)
	h.cur.items = h.cur.items[:0]
	return nil
}

// release writes the block that was held back for the fill levels of others.
func (h *heap) release() error {
	if h.heldAt == 0 {
		return nil
	}
	at := h.heldAt
	h.heldAt = 0
	return h.w.put(at, h.held.data)
}

// level notes the fill level of the block that fills: four bits, the even block
// of two in the lower half.
func (h *heap) level(level byte) {
	levels, i := h.first.data[8:heapHead], h.index
	if h.index >= firstLevels {
		i = (h.index - firstLevels) % bitmapLevels
		levels = h.held.data
		if i == 0 {
			levels = h.cur.data
		}
		levels = levels[pageHead:bitmapHead]
	}
	levels[i/2] |= level << (4 * (i % 2))
}

// finish ends the heap, of which root is the user root. It gives the block that
// stands for all of it, and how many bytes it has.
func (h *heap) finish(root hid) (uint64, int64, error) {
	binary.LittleEndian.PutUint32(h.first.data[4:], uint32(root))
	if h.index == 0 {
		h.level(h.first.seal())
		bid, err := h.v.block(h.first.data)
		return bid, int64(len(h.first.data)), err
	}
	h.level(h.cur.seal())
	if err := h.w.block(h.cur.data); err != nil {
		return 0, 0, err
	}
	if err := h.w.put(0, h.first.data); err != nil {
		return 0, 0, err
	}
	if err := h.release(); err != nil {
		return 0, 0, err
	}
	return h.w.finish()
}

// waiting is how many bytes are in memory and not yet in the file.
func (h *heap) waiting() int {
	n := len(h.first.data) + 2*len(h.first.items)
	if h.index > 0 {
		n += len(h.cur.data) + 2*len(h.cur.items)
	}
	if h.heldAt > 0 {
		n += len(h.held.data)
	}
	return n
}
