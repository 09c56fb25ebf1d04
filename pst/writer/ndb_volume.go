package writer

import (
	"encoding/binary"
	"fmt"
	"os"

	"keepwatch/pst"
)

// Sizes of the node database of a Unicode file, in bytes.
const (
	slotSize     = 64               // what one bit of an AMap stands for, 2.2.2.7.2
	pageSize     = 512              // 2.2.2.7
	pageData     = 496              // of a page, before its trailer
	firstRegion  = 0x4400           // where the first AMap lies, 2.2.2.7.2
	regionSize   = 496 * 8 * 64     // what one AMap maps: itself and what follows, 253,952
	regionSlots  = regionSize / 64  // 3,968
	maxBlock     = 8192 - blockTail // data of one block, 2.2.2.8
	blockTail    = 16               // BLOCKTRAILER, 2.2.2.8.1
	pmapEvery    = 8                // regions: a PMap page in each eighth, 2.2.2.7.3
	fmapFirst    = 128              // the first region with an FMap page, 2.2.2.7.5 and 1.3.2.7
	fmapEvery    = 496              // an FMap has a byte for each region
	fpmapFirst   = 8192             // the first region with an FPMap page, 2.2.2.7.6 and 1.3.2.8
	fpmapEvery   = 496 * 8 * 8      // an FPMap has a bit for each PMap
	maxDataBytes = 1<<32 - 1        // lcbTotal of an XXBLOCK has 32 bits, 2.2.2.8.3.2.2
)

// volume is one file while it is written, append-only: its node database. Blocks
// go out in the order in which they come; what must be known at the end is kept
// small: 8 bytes a block, 24 bytes a node and 2 bytes a region.
type volume struct {
	f     *os.File
	crypt pst.Crypt

	// The region that is being filled, whole, from its AMap page on.
	region int
	buf    [regionSize]byte
	filled int // bytes of buf that are in use, or left free for good

	names [maxBlock]byte // memory of the block that names others

	free    []uint16 // of each region that is done: its free slots
	longest []uint16 // of each region that is done: its longest run of free slots

	blocks   chunked[blockEntry]
	nodes    chunked[nodeEntry]
	lastNID  [32]uint32 // rgnid: the highest index of each type that is in use
	nextPage uint64     // the id of the next page
}

// blockEntry is what the BBT will say of a block. Its id follows from its place
// in the list: see blockID.
type blockEntry struct {
	slot uint32 // where it lies, in slots of 64 bytes from the beginning of the file
	cb   uint16 // bytes of data
	kind uint16 // 1 for internal blocks
}

const internal = 1

// blockID is the id of the nth block, 2.2.2.2: the lowest bit is reserved and
// must be 0, the next tells internal blocks.
func blockID(n int, kind uint16) uint64 { return uint64(n+1)<<2 | uint64(kind)<<1 }

// nodeEntry is what the NBT will say of a node.
type nodeEntry struct {
	nid, parent pst.NID
	data, sub   uint64
}

// newVolume begins a file. Until finish the file has no header, so that nobody
// takes it for a whole one.
func newVolume(f *os.File, crypt pst.Crypt) *volume {
	v := &volume{f: f, crypt: crypt, nextPage: 1}
	// What Outlook begins to count at, in the headers of real files.
	for t := range v.lastNID {
		v.lastNID[t] = 0x400
	}
	v.lastNID[pst.NodeSearchFolder] = 0x4000
	v.lastNID[pst.NodeMessage] = 0x10000
	v.lastNID[pst.NodeAssociated] = 0x8000
	v.begin(0)
	return v
}

// begin starts a region with the places of its map pages.
func (v *volume) begin(region int) {
	v.region = region
	clear(v.buf[:])
	v.filled = v.maps() * pageSize
}

// maps is how many map pages the region begins with: an AMap always, then a PMap,
// an FMap, an FPMap at their intervals.
func (v *volume) maps() int {
	n := 1
	for _, has := range []bool{hasPMap(v.region), hasFMap(v.region), hasFPMap(v.region)} {
		if has {
			n++
		}
	}
	return n
}

func hasPMap(region int) bool  { return region%pmapEvery == 0 }
func hasFMap(region int) bool  { return region >= fmapFirst && (region-fmapFirst)%fmapEvery == 0 }
func hasFPMap(region int) bool { return region >= fpmapFirst && (region-fpmapFirst)%fpmapEvery == 0 }

// regionOffset is where a region lies in the file.
func regionOffset(region int) int64 { return firstRegion + int64(region)*regionSize }

// offset is where the next byte goes.
func (v *volume) offset() int64 { return regionOffset(v.region) + int64(v.filled) }

// room gives n bytes of the region at a multiple of align, all zero, and where
// they lie in the file. What does not fit any more goes into the next region:
// nothing crosses an AMap page.
func (v *volume) room(n, align int) ([]byte, int64, error) {
	at := (v.filled + align - 1) &^ (align - 1)
	if at+n > regionSize {
		if err := v.next(); err != nil {
			return nil, 0, err
		}
		at = (v.filled + align - 1) &^ (align - 1)
	}
	v.occupy(at, n)
	v.filled = at + n
	return v.buf[at : at+n], regionOffset(v.region) + int64(at), nil
}

// occupy sets the bits of the AMap, which lies at the beginning of the region, for
// n bytes from at on, both multiples of a slot. The highest bit is the first.
func (v *volume) occupy(at, n int) {
	for s := at / slotSize; s < (at+n)/slotSize; s++ {
		v.buf[s/8] |= 0x80 >> (s % 8)
	}
}

// next writes the region out and begins the one behind it.
func (v *volume) next() error {
	if err := v.flush(); err != nil {
		return err
	}
	v.begin(v.region + 1)
	return nil
}

// flush writes the region with its AMap, and its PMap where it has one. FMap and
// FPMap pages are written by finish.
func (v *volume) flush() error {
	at := regionOffset(v.region)
	v.occupy(0, v.maps()*pageSize)
	free, longest := freeSlots(v.buf[:pageData])
	v.free, v.longest = append(v.free[:v.region], free), append(v.longest[:v.region], longest)
	seal(v.buf[:pageSize], pageAMap, uint64(at), 0)
	if hasPMap(v.region) {
		page := v.buf[pageSize : 2*pageSize]
		fill(page[:pageData], 0xFF)
		seal(page, pagePMap, uint64(at)+pageSize, 0)
	}
	if _, err := v.f.WriteAt(v.buf[:], at); err != nil {
		return fmt.Errorf("write %d bytes at %d: %w", regionSize, at, err)
	}
	return nil
}

// freeSlots counts the bits of an AMap that are 0, and the longest run of them.
func freeSlots(bits []byte) (free, longest uint16) {
	var run uint16
	for _, b := range bits {
		if b == 0xFF {
			run = 0
			continue
		}
		for m := byte(0x80); m != 0; m >>= 1 {
			if b&m != 0 {
				run = 0
				continue
			}
			free, run = free+1, run+1
			longest = max(longest, run)
		}
	}
	return free, longest
}

// block writes one external block of 1 to 8,176 bytes, and gives its id. The data
// is not changed.
func (v *volume) block(data []byte) (uint64, error) { return v.put(data, 0) }

// put writes a block. Only external ones are encoded, 2.2.2.8.
func (v *volume) put(data []byte, kind uint16) (uint64, error) {
	if len(data) == 0 || len(data) > maxBlock {
		return 0, fmt.Errorf("a block of %d bytes: it has 1 to %d", len(data), maxBlock)
	}
	bid := blockID(v.blocks.len(), kind)
	size := (len(data) + blockTail + slotSize - 1) &^ (slotSize - 1)
	to, ib, err := v.room(size, slotSize)
	if err != nil {
		return 0, err
	}
	n := copy(to, data)
	if kind != internal {
		v.crypt.Encode(to[:n], bid)
	}
	tail := to[size-blockTail:]
	binary.LittleEndian.PutUint16(tail[0:], uint16(n))
	binary.LittleEndian.PutUint16(tail[2:], pst.Signature(uint64(ib), bid))
	binary.LittleEndian.PutUint32(tail[4:], pst.Checksum(to[:n]))
	binary.LittleEndian.PutUint64(tail[8:], bid)
	v.blocks.add(blockEntry{slot: uint32(ib / slotSize), cb: uint16(n), kind: kind})
	return bid, nil
}

// node enters a node. A block id of 0 says that there is no data, or no subnodes.
func (v *volume) node(nid pst.NID, data, sub uint64, parent pst.NID) {
	v.nodes.add(nodeEntry{nid: nid, parent: parent, data: data, sub: sub})
	v.used(nid)
}

// used tells that a node id is in use, also one of a subnode: the header names
// the highest index of each type.
func (v *volume) used(nid pst.NID) {
	t := nid.Type()
	v.lastNID[t] = max(v.lastNID[t], nid.Index())
}

// size is how many bytes the file would have if it were finished now, or a little
// more.
func (v *volume) size() int64 {
	pages := treePages(v.nodes.len(), nbtLeaf) + treePages(v.blocks.len(), bbtLeaf)
	rest := int64(pages+1) * pageSize
	return v.offset() + rest + rest/200 + regionSize
}

// mark is a state that rollback can go back to.
type mark struct {
	region, filled, blocks, nodes int
	lastNID                       [32]uint32
}

func (v *volume) mark() mark {
	return mark{v.region, v.filled, v.blocks.len(), v.nodes.len(), v.lastNID}
}

// rollback forgets everything since the mark.
func (v *volume) rollback(m mark) error {
	if v.region != m.region {
		v.begin(m.region)
		at := regionOffset(m.region)
		if _, err := v.f.ReadAt(v.buf[:], at); err != nil {
			return fmt.Errorf("read back %d bytes at %d: %w", regionSize, at, err)
		}
		clear(v.buf[:v.maps()*pageSize])
	}
	clear(v.buf[m.filled:])
	clear(v.buf[:pageSize])
	first := v.maps() * pageSize
	v.occupy(first, m.filled-first) // blocks lie without a gap until a region ends
	v.filled, v.lastNID = m.filled, m.lastNID
	v.blocks.cut(m.blocks)
	v.nodes.cut(m.nodes)
	return nil
}

func fill(b []byte, with byte) {
	for i := range b {
		b[i] = with
	}
}

// chunked is a list that grows without being copied, so that a long one never
// takes twice its memory.
type chunked[T any] struct {
	chunks [][]T
	n      int
}

const chunkLen = 8192

func (c *chunked[T]) len() int { return c.n }

func (c *chunked[T]) add(t T) {
	if c.n == len(c.chunks)*chunkLen {
		c.chunks = append(c.chunks, make([]T, chunkLen))
	}
	c.chunks[c.n/chunkLen][c.n%chunkLen] = t
	c.n++
}

func (c *chunked[T]) at(i int) *T { return &c.chunks[i/chunkLen][i%chunkLen] }

// cut makes the list shorter.
func (c *chunked[T]) cut(n int) {
	c.n = n
	c.chunks = c.chunks[:(n+chunkLen-1)/chunkLen]
}
