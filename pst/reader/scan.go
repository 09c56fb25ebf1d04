package reader

import (
	"cmp"
	queue "container/heap"
	"context"
	"encoding/binary"
	"slices"

	"keepwatch/pst"
)

// place says where a block lies.
type place struct {
	bid uint64
	ib  int64
	cb  uint16
}

// leaf is a leaf page of the node tree that was found: the newest one that has a key in
// its range knows whether there is such a node.
type leaf struct {
	first, last pst.NID
	age         uint64 // its BID: a newer page has a higher one; the highest of all where the tree has it
}

// aged is a node with the age of its page.
type aged struct {
	node
	age uint64
}

// index is what was found in the whole file. It stands for the two trees.
type index struct {
	nodes  []node
	blocks []place
}

// scan is the pass over the file.
type scan struct {
	f        *File
	blocks   []place
	sum      int64   // bytes that were summed up
	doubtful []place // their checksums do not fit
	nodes    []aged
	leaves   []leaf
	whole    bool // the node tree is
}

const scanWindow = 1 << 20

// run looks at the end of each 64 bytes, where the trailer of a block or page may be.
func (s *scan) run(ctx context.Context) error {
	f := s.f
	buf := make([]byte, min(8192+scanWindow, f.size))
	for at := int64(0); at < f.size; at += scanWindow {
		if err := ctx.Err(); err != nil {
			return err
		}
		from := max(0, at-8192)
		b := buf[:min(int64(len(buf)), f.size-from, at+scanWindow-from)]
		if err := f.readAt(b, from); err != nil && !isDamage(err) {
			return err
		}
		for end := at + 64; end <= from+int64(len(b)); end += 64 {
			if end%pageSize == 0 && end-pageSize >= from && s.page(b[end-pageSize-from:end-from], end-pageSize) {
				continue
			}
			s.block(b[:end-from], end)
		}
	}
	return nil
}

// block takes a block that ends at an offset, where b ends, if there is one.
func (s *scan) block(b []byte, end int64) {
	l := s.f.l
	t := b[len(b)-l.trailer:]
	cb := int(binary.LittleEndian.Uint16(t))
	n := (cb + l.trailer + 63) &^ 63
	if cb == 0 || cb > l.payload || n > len(b) {
		return
	}
	crc, bid := trailerOf(l, t)
	ib := end - int64(n)
	if bid == 0 || pst.Signature(uint64(ib), bid) != binary.LittleEndian.Uint16(t[2:]) {
		return
	}
	// Blocks of a hostile file may lie on one another, and each would be summed up.
	if s.sum += int64(cb); s.sum > 4*s.f.size+moreValues {
		return
	}
	if at := (place{bid &^ 1, ib, uint16(cb)}); pst.Checksum(b[len(b)-n:][:cb]) == crc {
		s.blocks = append(s.blocks, at)
	} else {
		s.doubtful = append(s.doubtful, at)
	}
}

// trailerOf reads the two fields that the variants have the other way round.
func trailerOf(l layout, t []byte) (crc uint32, bid uint64) {
	if l.word == 4 {
		return binary.LittleEndian.Uint32(t[8:]), l.get(t[4:])
	}
	return binary.LittleEndian.Uint32(t[4:]), l.get(t[8:])
}

// page takes a leaf page of the node tree; other pages it only knows.
func (s *scan) page(b []byte, ib int64) bool {
	l := s.f.l
	t := b[pageSize-l.trailer:]
	if t[0] != t[1] || t[0] != nodePage && t[0] != blockPage {
		return false
	}
	_, bid := trailerOf(l, t)
	p, err := s.f.parsePage(b, ib)
	if err != nil {
		return false
	}
	if p.kind != nodePage || p.level != 0 || p.n == 0 || s.whole {
		return true
	}
	// One that is damaged in itself has nodes that are good, and no say on what was deleted.
	if l.pageSum(b) {
		s.leaves = append(s.leaves, leaf{first: pst.NID(p.key(l, 0)), last: pst.NID(p.key(l, p.n-1)), age: bid})
	}
	for i := range p.n {
		s.nodes = append(s.nodes, aged{s.f.parseNode(p.entry(i)), bid})
	}
	return true
}

// newest is a heap of leaf pages by age.
type newest []leaf

func (h newest) Len() int           { return len(h) }
func (h newest) Less(i, j int) bool { return h[i].age > h[j].age }
func (h newest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *newest) Push(x any)        { *h = append(*h, x.(leaf)) }
func (h *newest) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// choose gives each node as the newest page that could have it has it. One that it does not
// have is deleted.
func (s *scan) choose() []node {
	slices.SortStableFunc(s.nodes, func(a, b aged) int { return cmp.Or(cmp.Compare(a.nid, b.nid), cmp.Compare(b.age, a.age)) })
	slices.SortFunc(s.leaves, func(a, b leaf) int { return cmp.Compare(a.first, b.first) })
	var out []node
	var open newest
	pages := s.leaves
	for _, n := range s.nodes {
		for ; len(pages) > 0 && pages[0].first <= n.nid; pages = pages[1:] {
			queue.Push(&open, pages[0])
		}
		for len(open) > 0 && open[0].last < n.nid {
			queue.Pop(&open)
		}
		twice := len(out) > 0 && out[len(out)-1].nid == n.nid
		if !twice && (n.age == ^uint64(0) || len(open) == 0 || open[0].age <= n.age) {
			out = append(out, n.node)
		}
	}
	return out
}

// places gives the blocks by id, each once: as the tree has it, or else as it was found.
func (s *scan) places() []place {
	s.blocks = append(s.blocks, s.doubtful...)
	slices.SortStableFunc(s.blocks, func(a, b place) int { return cmp.Compare(a.bid, b.bid) })
	return slices.CompactFunc(s.blocks, func(a, b place) bool { return a.bid == b.bid })
}

// node finds a node.
func (x *index) node(n pst.NID) (node, bool) {
	i, ok := slices.BinarySearchFunc(x.nodes, n, func(a node, k pst.NID) int { return cmp.Compare(a.nid, k) })
	if !ok {
		return node{}, false
	}
	return x.nodes[i], true
}

// block finds a block.
func (x *index) block(bid uint64) (place, bool) {
	i, ok := slices.BinarySearchFunc(x.blocks, bid, func(a place, k uint64) int { return cmp.Compare(a.bid, k) })
	if !ok {
		return place{}, false
	}
	return x.blocks[i], true
}

// each gives the nodes from an id on.
func (x *index) each(from pst.NID, yield func(node, error) bool) {
	i, _ := slices.BinarySearchFunc(x.nodes, from, func(a node, k pst.NID) int { return cmp.Compare(a.nid, k) })
	for _, n := range x.nodes[i:] {
		if !yield(n, nil) {
			return
		}
	}
}
