package check

import "keepwatch/pst"

// The client signatures of heaps that are checked, [MS-PST] 2.3.1.2.
const (
	heapTable      = 0x7C
	heapTree       = 0xB5
	heapProperties = 0xBC
	heapSignature  = 0xEC
)

// Limits of a heap, [MS-PST] 2.3.1 and what real files keep to.
const (
	heapItemMax  = 3580
	heapItems    = 2047
	heapHead     = 12 // HNHDR
	heapPageHead = 2  // HNPAGEHDR
	heapMapHead  = 66 // HNBITMAPHDR
)

// hid is a heap item's id, [MS-PST] 2.3.1.1.
type hid uint32

func (h hid) index() int { return int(h>>5) & 0x7FF }
func (h hid) block() int { return int(h >> 16) }

// heap is a Heap-on-Node, [MS-PST] 2.3.1. Its blocks are loaded as they are needed.
type heap struct {
	*object
	list []uint32
	root hid
	base []int  // how many items the blocks before have
	seen []bool // which items something refers to
}

// heap checks a whole heap; false means that nothing on it can be read.
func (o *object) heap(client byte) (*heap, bool) {
	list, ok := o.leaves(o.data)
	if !ok {
		return nil, false // what is wrong with its blocks was reported before
	}
	if len(list) == 0 {
		o.report(RuleHeapMissing, 0, "it has no data")
		return nil, false
	}
	h := &heap{object: o, list: list}
	first, ok := o.load(list[0])
	at := o.blocks[list[0]].ib()
	if !ok || len(first) < heapHead {
		o.report(RuleHeapMissing, at, "the first block is too short for a heap")
		return nil, false
	}
	if first[2] != heapSignature {
		o.report(RuleHeapSig, at+2, "the signature of the heap is %#x and should be 0xEC%s", first[2], o.plain(list[0]))
		return nil, false
	}
	if first[3] != client {
		o.report(RuleHeapClient, at+3, "the heap is of the kind %#x and should be of %#x", first[3], client)
		return nil, false
	}
	h.root = hid(u32(first, 4))
	var levels []byte
	good := true
	for i, b := range list {
		data, ok := o.load(b)
		if !ok {
			return nil, false
		}
		good = h.page(i, data, &levels) && good
	}
	return h, good
}

// plain tells of a block that was not encoded though the header says so.
func (o *object) plain(i uint32) string {
	b := o.blocks[i]
	raw := make([]byte, b.cb)
	if o.head.crypt != pst.CryptNone && o.read(raw, b.ib()) && raw[2] == heapSignature {
		return ": the block is not encoded, and the header says that it is"
	}
	return ""
}

// page checks one block of a heap. levels are the fill levels of the header before.
func (h *heap) page(i int, data []byte, levels *[]byte) bool {
	at, size := h.blocks[h.list[i]].ib(), headSize(i)
	if len(data) < size {
		h.report(RuleHeapMap, at, "block %d of the heap has only %d bytes", i, len(data))
		return false
	}
	switch {
	case i == 0:
		*levels = data[8:12]
	case size == heapMapHead:
		*levels = data[2:66]
	}
	m := int(u16(data, 0))
	if m%2 != 0 {
		h.report(RuleHeapAlign, at, "ibHnpm of block %d is %d, which is odd", i, m)
		return false
	}
	if m < size || m+6 > len(data) {
		h.report(RuleHeapMap, at, "ibHnpm of block %d is %d, the block has %d bytes", i, m, len(data))
		return false
	}
	count := int(u16(data, m))
	if count > heapItems || m+6+2*count > len(data) {
		h.report(RuleHeapCount, at+int64(m), "block %d has %d heap items in a map at %d of %d bytes", i, count, m, len(data))
		return false
	}
	h.base = append(h.base, len(h.seen))
	h.seen = append(h.seen, make([]bool, count)...)
	ok := h.items(i, data, m, count)
	if ok {
		h.fill(i, data, m, count, *levels)
	}
	if i == len(h.list)-1 {
		h.rest(i, *levels)
	}
	return ok
}

// headSize is how many bytes lie before the items of a block.
func headSize(i int) int {
	switch {
	case i == 0:
		return heapHead
	case i%128 == 8:
		return heapMapHead
	}
	return heapPageHead
}

// items checks the page map of a block.
func (h *heap) items(i int, data []byte, m, count int) bool {
	at := h.blocks[h.list[i]].ib() + int64(m)
	last, empty := headSize(i), 0
	for k := range count + 1 {
		v := int(u16(data, m+4+2*k))
		if k == 0 && v != last || v < last || v > m {
			h.report(RuleHeapItems, at+4+int64(2*k), "heap item %d of block %d begins at %d, after %d, with the page map at %d", k+1, i, v, last, m)
			return false
		}
		if k > 0 && v == last {
			empty++
		}
		if k > 0 && v-last > heapItemMax {
			h.report(RuleHeapItemSize, at+4+int64(2*k), "heap item %d of block %d has %d bytes; 3,580 can be", k, i, v-last)
		}
		last = v
	}
	if free := int(u16(data, m+2)); free != empty {
		h.report(RuleHeapFree, at+2, "cFree of block %d is %d, %d items are empty", i, free, empty)
	}
	if m-last > 1 {
		h.report(RuleHeapGap, at, "the page map of block %d begins %d bytes behind the last item", i, m-last)
	}
	return true
}

// fill checks the fill level of a block, [MS-PST] 2.3.1.2.
func (h *heap) fill(i int, data []byte, m, count int, levels []byte) {
	k := i
	if i >= 8 {
		k = (i - 8) % 128
	}
	if k/2 >= len(levels) {
		return
	}
	got := int(levels[k/2]>>(4*(k%2))) & 15
	free := h.payload - (m + 6 + 2*count)
	// Outlook leaves 0 for a later block now and then. Whether the end of a range
	// belongs to it the text leaves open.
	if want := fillLevel(free); got != want && got != fillLevel(free-1) && (got != 0 || i == 0) {
		h.report(RuleHeapFill, h.blocks[h.list[i]].ib(), "the fill level of block %d is %d and should be %d, for %d bytes free", i, got, want, free)
	}
}

// rest checks that the levels of blocks behind the last, i, are 0.
func (h *heap) rest(i int, levels []byte) {
	if i >= 8 {
		i = (i - 8) % 128
	}
	for k := i + 1; k < 2*len(levels); k++ {
		if levels[k/2]>>(4*(k%2))&15 != 0 {
			h.report(RuleHeapFill, h.blocks[h.list[0]].ib()+8, "a block that is not there has a fill level")
			return
		}
	}
}

// fillLevel is the level of a block with so many bytes free.
func fillLevel(free int) int {
	for i, least := range []int{3584, 2560, 2048, 1792, 1536, 1280, 1024, 768, 512, 256, 128, 64, 32, 16, 8} {
		if free >= least {
			return i
		}
	}
	return 15
}

// item gives a heap item and where it lies in the file.
func (h *heap) item(id hid) ([]byte, int64, bool) {
	i, k := id.block(), id.index()
	if id&0x1F != 0 || i >= len(h.list) || k == 0 {
		return nil, 0, false
	}
	data, ok := h.load(h.list[i])
	if !ok || len(data) < 2 {
		return nil, 0, false
	}
	m := int(u16(data, 0))
	if m+4 > len(data) || k > int(u16(data, m)) || m+6+2*k > len(data) {
		return nil, 0, false
	}
	from, to := int(u16(data, m+2+2*k)), int(u16(data, m+4+2*k))
	if from > to || to > m {
		return nil, 0, false
	}
	return data[from:to], h.blocks[h.list[i]].ib() + int64(from), true
}

// take is item for something that refers to it, of which each item has one.
func (h *heap) take(id hid) ([]byte, int64, bool) {
	b, at, ok := h.item(id)
	if ok && id.block() < len(h.base) {
		if i := h.base[id.block()] + id.index() - 1; i < len(h.seen) {
			if h.seen[i] && len(b) > 0 {
				h.report(RuleHeapShared, at, "two parts of it lie in the heap item %#x", uint32(id))
			}
			h.seen[i] = true
		}
	}
	return b, at, ok
}

// unclaimed finds heap items that nothing refers to.
func (h *heap) unclaimed() {
	for i, from := range h.base {
		to := len(h.seen)
		if i+1 < len(h.base) {
			to = h.base[i+1]
		}
		for k := from; k < to; k++ {
			if h.seen[k] {
				continue
			}
			id := hid(i<<16 | (k-from+1)<<5)
			if b, at, ok := h.item(id); ok && len(b) > 0 {
				h.report(RuleHeapUnused, at, "nothing refers to the heap item %#x of %d bytes", uint32(id), len(b))
			}
		}
	}
}
