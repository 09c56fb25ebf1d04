package reader

import (
	"encoding/binary"
	"fmt"
	"sort"

	"keepwatch/pst"
)

const pageSize = 512

// The types of the pages of the two B-trees, [MS-PST] 2.2.2.7.1.
const (
	blockPage byte = 0x80 // ptypeBBT
	nodePage  byte = 0x81 // ptypeNBT
)

// maxLevel is how deep a B-tree of pages can be, [MS-PST] 2.2.2.7.7.
const maxLevel = 8

// page is a BTPAGE, [MS-PST] 2.2.2.7.7.1.
type page struct {
	off   int64
	data  []byte
	kind  byte
	level int
	n     int // entries
	cb    int // bytes of one
	bid   uint64
}

// key is the first field of every entry. That of a block has a reserved bit, which
// readers leave out ([MS-PST] 2.2.2.2).
func (p *page) key(l layout, i int) uint64 {
	k := l.get(p.data[i*p.cb:])
	if p.kind == blockPage {
		k &^= 1
	}
	return k
}

func (p *page) entry(i int) []byte { return p.data[i*p.cb : (i+1)*p.cb] }

// page reads one page of a tree, and proves it.
func (f *File) page(at ref, kind byte) (*page, error) {
	f.mu.Lock()
	p, ok := f.pages.get(at.ib)
	f.mu.Unlock()
	if !ok {
		var err error
		if p, err = f.loadPage(at); err != nil {
			return nil, err
		}
		f.mu.Lock()
		f.pages.put(at.ib, p)
		f.mu.Unlock()
	}
	if p.bid != at.bid {
		return nil, damaged(at.ib, "the page there is %#x, and %#x is wanted", p.bid, at.bid)
	}
	if p.kind != kind {
		return nil, damaged(at.ib, "the page there is of type %#x, and %#x is wanted", p.kind, kind)
	}
	return p, nil
}

func (f *File) loadPage(at ref) (*page, error) {
	b := make([]byte, pageSize)
	if err := f.readSmall(b, at.ib); err != nil {
		return nil, fmt.Errorf("page %#x: %w", at.bid, err)
	}
	p, err := f.parsePage(b, at.ib)
	if err == nil && !f.l.pageSum(b) {
		err = damaged(at.ib, "the checksum of the page does not fit")
	}
	return p, err
}

// pageSum tells whether the checksum of a page fits.
func (l layout) pageSum(b []byte) bool {
	crc, _ := trailerOf(l, b[pageSize-l.trailer:])
	return pst.Checksum(b[:pageSize-l.trailer]) == crc
}

// parsePage proves all of a page but its checksum ([MS-PST] 2.2.2.7.1).
func (f *File) parsePage(b []byte, ib int64) (*page, error) {
	at := ref{ib: ib}
	t := b[pageSize-f.l.trailer:]
	_, bid := trailerOf(f.l, t)
	switch {
	case t[0] != t[1]:
		return nil, damaged(at.ib, "the page gives its type as %#x and %#x", t[0], t[1])
	case pst.Signature(uint64(at.ib), bid) != binary.LittleEndian.Uint16(t[2:]):
		return nil, damaged(at.ib, "the signature of the page does not fit")
	}
	h := b[f.l.entries:]
	p := &page{off: at.ib, data: b, kind: t[0], level: int(h[3]), n: int(h[0]), cb: int(h[2]), bid: bid}
	least := f.l.innerEn
	if p.level == 0 && p.kind == nodePage {
		least = f.l.nodeEnt
	} else if p.level == 0 {
		least = f.l.blobEnt
	}
	if p.level > maxLevel || p.cb < least || p.n*p.cb > f.l.entries {
		return nil, damaged(at.ib, "the page gives %d entries of %d bytes at level %d", p.n, p.cb, p.level)
	}
	return p, nil
}

// lookup finds the leaf entry with a key. It is nil where there is none.
func (f *File) lookup(root ref, kind byte, key uint64) ([]byte, error) {
	p, err := f.page(root, kind)
	for err == nil {
		i := sort.Search(p.n, func(i int) bool { return p.key(f.l, i) > key }) - 1
		if p.level == 0 {
			if i < 0 || p.key(f.l, i) != key {
				return nil, nil
			}
			return p.entry(i), nil
		}
		if i < 0 {
			return nil, nil
		}
		level := p.level
		at := f.l.ref(p.entry(i)[f.l.word:])
		if p, err = f.page(at, kind); err == nil && p.level != level-1 {
			err = damaged(at.ib, "the page is of level %d below one of level %d", p.level, level)
		}
	}
	return nil, err
}

// each gives every leaf entry of a tree in the order of the keys, from a key on. A
// page that is damaged is told, and the next goes on. Since the keys of a page
// have to lie between those of its parent and rise, no page is gone through twice.
func (f *File) each(root ref, kind byte, from uint64, yield func(entry []byte, err error) bool) {
	p, err := f.page(root, kind)
	if err != nil {
		yield(nil, err)
		return
	}
	f.eachBelow(p, from, 0, ^uint64(0), yield)
}

// eachBelow goes through a page whose keys have to be from low to high.
func (f *File) eachBelow(p *page, from, low, high uint64, yield func([]byte, error) bool) bool {
	for i := range p.n {
		k, next := p.key(f.l, i), high
		if i+1 < p.n {
			next = min(high, p.key(f.l, i+1)-1)
		}
		if k < low || k > high || i+1 < p.n && p.key(f.l, i+1) <= k {
			return yield(nil, damaged(p.off, "the keys of the page are out of order at entry %d", i))
		}
		low = k + 1
		if next < from {
			continue
		}
		if p.level == 0 {
			if k >= from && !yield(p.entry(i), nil) {
				return false
			}
			continue
		}
		at := f.l.ref(p.entry(i)[f.l.word:])
		c, err := f.page(at, p.kind)
		if err == nil && (c.level != p.level-1 || c.n == 0) {
			err = damaged(at.ib, "the page is of level %d with %d entries below one of level %d", c.level, c.n, p.level)
		}
		if err != nil {
			if !yield(nil, err) || !isDamage(err) {
				return false
			}
			continue
		}
		if !f.eachBelow(c, from, k, next, yield) {
			return false
		}
	}
	return true
}

// node is an NBTENTRY, or the SLENTRY of a subnode.
type node struct {
	nid    pst.NID
	data   uint64 // BID
	sub    uint64 // BID
	parent pst.NID
}

func (f *File) parseNode(e []byte) node {
	w := f.l.word
	return node{
		nid:    pst.NID(binary.LittleEndian.Uint32(e)),
		data:   f.l.get(e[w:]),
		sub:    f.l.get(e[2*w:]),
		parent: pst.NID(binary.LittleEndian.Uint32(e[3*w:])),
	}
}

// node finds a node. Where there is none, that is a damage.
func (f *File) node(n pst.NID) (node, error) {
	if f.found != nil {
		if e, ok := f.found.node(n); ok {
			return e, nil
		}
		return node{}, &Damage{Node: n, Text: "the file has no such node", Err: errNoNode}
	}
	e, err := f.lookup(f.nbt, nodePage, uint64(n))
	if err != nil {
		return node{}, of(n, err)
	}
	if e == nil {
		return node{}, &Damage{Node: n, Text: "the file has no such node", Err: errNoNode}
	}
	return f.parseNode(e), nil
}

// nodes gives every node of the file from one on, in the order of their ids.
func (f *File) nodes(from pst.NID, yield func(node, error) bool) {
	if f.found != nil {
		f.found.each(from, yield)
		return
	}
	f.each(f.nbt, nodePage, uint64(from), func(e []byte, err error) bool {
		if err != nil {
			return yield(node{}, err)
		}
		return yield(f.parseNode(e), nil)
	})
}
