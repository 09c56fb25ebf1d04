package writer

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"keepwatch/pst"
)

// pageType is ptype of a page, 2.2.2.7.1.
type pageType byte

const (
	pageBBT   pageType = 0x80
	pageNBT   pageType = 0x81
	pageFMap  pageType = 0x82
	pagePMap  pageType = 0x83
	pageAMap  pageType = 0x84
	pageFPMap pageType = 0x85
	pageDList pageType = 0x86
)

// Entries of a page of a B-tree, 2.2.2.7.7.
const (
	nbtLeaf  = 15 // NBTENTRY of 32 bytes
	bbtLeaf  = 20 // BBTENTRY of 24 bytes
	treeNode = 20 // BTENTRY of 24 bytes
	btEntry  = 24
	btMeta   = 488 // where cEnt lies in a page
)

// bref is where a page lies, 2.2.2.4, and the first key below it.
type bref struct {
	key uint64
	bid uint64
	ib  int64
}

// seal writes the trailer of a page, 2.2.2.7.1.
func seal(page []byte, t pageType, bid uint64, sig uint16) {
	page[496], page[497] = byte(t), byte(t)
	binary.LittleEndian.PutUint16(page[498:], sig)
	binary.LittleEndian.PutUint32(page[500:], pst.Checksum(page[:pageData]))
	binary.LittleEndian.PutUint64(page[504:], bid)
}

// treePages is how many pages a B-tree of n entries has.
func treePages(n, leaf int) int {
	level := max(1, (n+leaf-1)/leaf)
	pages := level
	for level > 1 {
		level = (level + treeNode - 1) / treeNode
		pages += level
	}
	return pages
}

// treePage writes one page of a B-tree.
func (v *volume) treePage(t pageType, level, entries, most, size int, fill func(page []byte)) (bref, error) {
	page, ib, err := v.room(pageSize, pageSize)
	if err != nil {
		return bref{}, err
	}
	fill(page)
	page[btMeta], page[btMeta+1], page[btMeta+2], page[btMeta+3] = byte(entries), byte(most), byte(size), byte(level)
	bid := v.nextPage
	v.nextPage++
	seal(page, t, bid, pst.Signature(uint64(ib), bid))
	return bref{binary.LittleEndian.Uint64(page), bid, ib}, nil
}

// tree writes a B-tree bottom-up: n entries of size bytes, which put writes.
func (v *volume) tree(t pageType, n, leaf, size int, put func(to []byte, i int)) (bref, error) {
	var below []bref
	for from := 0; from == 0 || from < n; from += leaf {
		entries := min(leaf, n-from)
		ref, err := v.treePage(t, 0, entries, leaf, size, func(page []byte) {
			for i := range entries {
				put(page[i*size:(i+1)*size], from+i)
			}
		})
		if err != nil {
			return bref{}, err
		}
		below = append(below, ref)
	}
	for level := 1; len(below) > 1; level++ {
		var above []bref
		for children := range slices.Chunk(below, treeNode) {
			ref, err := v.treePage(t, level, len(children), treeNode, btEntry, func(page []byte) {
				for i, c := range children {
					to := page[i*btEntry:]
					binary.LittleEndian.PutUint64(to, c.key)
					binary.LittleEndian.PutUint64(to[8:], c.bid)
					binary.LittleEndian.PutUint64(to[16:], uint64(c.ib))
				}
			})
			if err != nil {
				return bref{}, err
			}
			above = append(above, ref)
		}
		below = above
	}
	return below[0], nil
}

// blockTree writes the BBT, 2.2.2.7.7.3. Ids were given in rising order: the bit
// of internal blocks does not change it. Every block has one reference besides that
// of the BBT, so that cRef is 2.
func (v *volume) blockTree() (bref, error) {
	return v.tree(pageBBT, v.blocks.len(), bbtLeaf, 24, func(to []byte, i int) {
		b := v.blocks.at(i)
		binary.LittleEndian.PutUint64(to, blockID(i, b.kind))
		binary.LittleEndian.PutUint64(to[8:], uint64(b.slot)*slotSize)
		binary.LittleEndian.PutUint16(to[16:], b.cb)
		binary.LittleEndian.PutUint16(to[18:], 2)
	})
}

// nodeTree writes the NBT, 2.2.2.7.7.4.
func (v *volume) nodeTree() (bref, error) {
	order := make([]uint32, v.nodes.len())
	for i := range order {
		order[i] = uint32(i)
	}
	nid := func(i uint32) pst.NID { return v.nodes.at(int(i)).nid }
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(nid(a), nid(b)) })
	for i := 1; i < len(order); i++ {
		if nid(order[i-1]) == nid(order[i]) {
			return bref{}, fmt.Errorf("two nodes have the id %v", nid(order[i]))
		}
	}
	return v.tree(pageNBT, len(order), nbtLeaf, 32, func(to []byte, i int) {
		n := v.nodes.at(int(order[i]))
		binary.LittleEndian.PutUint64(to, uint64(n.nid))
		binary.LittleEndian.PutUint64(to[8:], n.data)
		binary.LittleEndian.PutUint64(to[16:], n.sub)
		binary.LittleEndian.PutUint32(to[24:], uint32(n.parent))
	})
}
