package pst_test

import (
	"fmt"
	"slices"

	"keepwatch/pst"
)

// mark is a byte of a file: what it is a part of.
type mark struct {
	bid   uint64 // the block that it lies in, or 0
	page  uint64 // or the page, plus 1, or 0
	off   uint64 // in the decoded block, or in the file
	class string
}

// marks says of each byte that is used what it is a part of.
func (s *surgeon) marks() []mark {
	all := headerMarks()
	for at := range s.pages {
		for i := range uint64(512) {
			all = append(all, mark{page: at + 1, off: at + i, class: s.pageByte(at, i)})
		}
	}
	for n, at := 0, uint64(0x4400); at+512 <= uint64(len(s.b)); n, at = n+1, at+253952 {
		for i := range uint64(512) {
			c := "amap bits"
			if i >= 496 {
				c = "amap trailer"
			}
			all = append(all, mark{page: at + 1, off: at + i, class: c})
			if n%8 == 0 {
				all = append(all, mark{page: at + 513, off: at + 512 + i, class: "pmap"})
			}
		}
	}
	done := map[uint64]bool{}
	for n := range s.nodes {
		s.markNode(fmt.Sprintf("%02x", n.Type()), n, s.bidData(n), s.bidSub(n), done, &all)
	}
	return all
}

// headerMarks are those of the header, [MS-PST] 2.2.2.6.
func headerMarks() (all []mark) {
	for _, f := range []struct {
		to    uint64
		class string
	}{
		{4, "header"}, {8, "header crc"}, {16, "header"}, {24, "header other"}, {32, "header bidUnused"}, {40, "header other"}, {44, "header dwUnique"},
		{172, "header rgnid"}, {180, "header qwUnused"}, {256, "header root"}, {512, "header maps"}, {516, "header"}, {524, "header other"},
		{528, "header crc"}, {564, "header rgbReserved"},
	} {
		for uint64(len(all)) < f.to {
			all = append(all, mark{off: uint64(len(all)), class: f.class})
		}
	}
	return all
}

// pageByte says what a byte of a page of a tree is.
func (s *surgeon) pageByte(at, i uint64) string {
	each := uint64(s.b[at+490])
	kind := "bbt"
	if s.b[at+496] == 0x81 {
		kind = "nbt"
	}
	switch {
	case i < uint64(s.b[at+488])*each:
		return fmt.Sprintf("%s entry lvl%d byte %02d", kind, min(s.b[at+491], 1), i%each)
	case i < 488:
		return "page unused"
	case i < 496:
		return fmt.Sprintf("page meta %d", i-488)
	}
	return "page trailer"
}

func (s *surgeon) markNode(label string, n pst.NID, data, sub uint64, done map[uint64]bool, all *[]mark) {
	if data != 0 && !done[data] {
		done[data] = true
		s.markData(label, n, data, done, all)
	}
	if sub != 0 && !done[sub] {
		done[sub] = true
		s.markSub(label, n, sub, done, all)
	}
}

// markSub marks the blocks of a tree of subnodes.
func (s *surgeon) markSub(label string, n pst.NID, bid uint64, done map[uint64]bool, all *[]mark) {
	b := s.read(bid)
	each := uint64(24)
	if b[1] == 1 {
		each = 16
	}
	for i := range uint64(len(b)) {
		class := fmt.Sprintf("sl%d block head byte %d", b[1], i)
		if i >= 8 {
			class = fmt.Sprintf("sl%d block entry byte %d", b[1], (i-8)%each)
		}
		*all = append(*all, mark{bid: bid, off: i, class: class})
	}
	for i := range word(b, 2) {
		if b[1] == 1 {
			s.markSub(label, n, num(b, 16+16*i), done, all)
			continue
		}
		at := 8 + 24*i
		sn := pst.NID(dword(b, at))
		s.markNode(label+"/"+fmt.Sprintf("%02x", sn.Type()), sn, num(b, at+8), num(b, at+16), done, all)
	}
}

// markLists marks XBLOCKs and XXBLOCKs.
func (s *surgeon) markLists(bid uint64, all *[]mark) {
	if bid&2 == 0 {
		return
	}
	b := s.read(bid)
	for i := range uint64(len(b)) {
		*all = append(*all, mark{bid: bid, off: i, class: fmt.Sprintf("xblock lvl%d", b[1])})
	}
	for i := range word(b, 2) {
		s.markLists(num(b, 8+8*i), all)
	}
}

// heapMarks say what the bytes of the blocks of a heap are.
type heapMarks struct {
	*surgeon
	data uint64
	of   map[uint64][]string
}

func (h heapMarks) set(p span, class string) {
	for i := p.from; i < p.to; i++ {
		h.of[p.bid][i] = class
	}
}

// named marks the item that a HID names, if it names one.
func (h heapMarks) named(hid uint32, class string) {
	if hid != 0 && hid&0x1F == 0 {
		h.set(h.alloc(h.data, hid), class)
	}
}

// markData marks a data tree, by what lies on it.
func (s *surgeon) markData(label string, n pst.NID, data uint64, _ map[uint64]bool, all *[]mark) {
	s.markLists(data, all)
	list := s.leafBlocks(data)
	h := heapMarks{s, data, map[uint64][]string{}}
	first := s.read(list[0])
	isHeap := len(first) >= 12 && first[2] == 0xEC && n.Type() != pst.NodeLTP
	for k, bid := range list {
		h.of[bid] = slices.Repeat([]string{"raw data"}, len(s.read(bid)))
		if isHeap {
			h.block(k, bid)
		}
	}
	if isHeap && first[3] == 0xBC {
		h.context()
	} else if isHeap {
		h.table()
	}
	for bid, c := range h.of {
		for i, class := range c {
			*all = append(*all, mark{bid: bid, off: uint64(i), class: label + " " + class})
		}
	}
}

// block marks block k of the heap.
func (h heapMarks) block(k int, bid uint64) {
	b := h.read(bid)
	m, head := word(b, 0), uint64(2)
	if k == 0 {
		head = 12
	}
	h.set(span{bid, 0, uint64(len(b))}, "heap map")
	h.set(span{bid, head, m}, "heap item")
	h.set(span{bid, 0, head}, "heap head")
}

// tree marks a BTH and gives its leaf items.
func (h heapMarks) tree(head uint32, class string) []span {
	h.named(head, class+" head")
	return h.records(h.data, head)
}

// context marks a property context.
func (h heapMarks) context() {
	for _, p := range h.tree(h.userRoot(h.data), "pc tree") {
		b := h.read(p.bid)
		for at := p.from; at < p.to; at += 8 {
			h.set(span{p.bid, at, at + 2}, "pc id")
			h.set(span{p.bid, at + 2, at + 4}, "pc type")
			h.set(span{p.bid, at + 4, at + 8}, "pc HNID")
			if typ := pst.Type(word(b, at+2)); typ.Size() > 0 && typ.Size() <= 4 {
				h.set(span{p.bid, at + 4, at + 8}, "pc inline")
			} else {
				h.named(dword(b, at+4), "pc value")
			}
		}
	}
}

// table marks a table whose rows lie in its heap.
func (h heapMarks) table() {
	root := h.userRoot(h.data)
	h.named(root, "tcinfo")
	info := h.bytes(h.alloc(h.data, root))
	for _, p := range h.tree(dword(info, 10), "row index") {
		h.set(p, "row index")
	}
	rows, size, bits := dword(info, 14), word(info, 8), word(info, 6)
	if rows == 0 || rows&0x1F != 0 {
		return
	}
	p := h.alloc(h.data, rows)
	b := h.bytes(p)
	for r := uint64(0); r+size <= uint64(len(b)); r += size {
		h.set(span{p.bid, p.from + r, p.from + r + bits}, "row unset")
		h.set(span{p.bid, p.from + r + bits, p.from + r + size}, "row bits")
		for at := uint64(22); at < uint64(len(info)); at += 8 {
			from, n, bit := r+word(info, at+4), uint64(info[at+6]), uint64(info[at+7])
			if b[r+bits+bit/8]&(0x80>>(bit%8)) == 0 {
				continue
			}
			h.set(span{p.bid, p.from + from, p.from + from + n}, "row cell")
			if typ := pst.Type(dword(info, at)); typ.Size() == 0 || typ.Size() > 8 {
				h.named(dword(b, from), "row value")
			}
		}
	}
}
