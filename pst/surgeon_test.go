package pst_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"keepwatch/pst"
)

// surgeon cuts into a Unicode file and closes it again: [surgeon.close] puts right every
// checksum and signature there is, so that what is found is what was cut and not
// how. It was written from [MS-PST] alone, apart from [patch], so that a
// misunderstanding in one of them shows in the other.
type surgeon struct {
	testing.TB
	b      []byte
	pages  map[uint64]bool // offsets of the pages of both trees
	nodes  map[pst.NID]uint64
	blocks map[uint64]uint64 // offsets of entries
	order  []uint64          // BIDs
}

func num(b []byte, at uint64) uint64   { return binary.LittleEndian.Uint64(b[at:]) }
func dword(b []byte, at uint64) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
func word(b []byte, at uint64) uint64  { return uint64(binary.LittleEndian.Uint16(b[at:])) }

func operate(t testing.TB, data []byte) *surgeon {
	s := &surgeon{TB: t, b: bytes.Clone(data), pages: map[uint64]bool{}, nodes: map[pst.NID]uint64{}, blocks: map[uint64]uint64{}}
	s.tree(num(s.b, 0xE0), func(at uint64) { s.nodes[pst.NID(dword(s.b, at))] = at }, 32)
	s.tree(num(s.b, 0xF0), func(at uint64) { s.blocks[num(s.b, at)] = at; s.order = append(s.order, num(s.b, at)) }, 24)
	return s
}

func (s *surgeon) tree(page uint64, leaf func(at uint64), size uint64) {
	s.pages[page] = true
	for i := range uint64(s.b[page+488]) {
		if s.b[page+491] > 0 {
			s.tree(num(s.b, page+24*i+16), leaf, size)
		} else {
			leaf(page + size*i)
		}
	}
}

// extent gives where a block lies and its length.
func (s *surgeon) extent(bid uint64) (ib, cb uint64) {
	at, ok := s.blocks[bid]
	if !ok {
		s.Fatalf("no block %#x", bid)
	}
	return num(s.b, at+8), word(s.b, at+16)
}

func (s *surgeon) bidData(n pst.NID) uint64 { return num(s.b, s.at(n)+8) }
func (s *surgeon) bidSub(n pst.NID) uint64  { return num(s.b, s.at(n)+16) }
func (s *surgeon) at(n pst.NID) uint64 {
	at, ok := s.nodes[n]
	if !ok {
		s.Fatalf("no node %v", n)
	}
	return at
}

// read decodes a block.
func (s *surgeon) read(bid uint64) []byte {
	ib, cb := s.extent(bid)
	b := bytes.Clone(s.b[ib : ib+cb])
	if bid&2 == 0 {
		pst.Crypt(s.b[513]).Decode(b, bid)
	}
	return b
}

// write puts a block of the same number of 64-byte slots back.
func (s *surgeon) write(bid uint64, b []byte) {
	ib, cb := s.extent(bid)
	if (cb+16+63)/64 != (uint64(len(b))+16+63)/64 {
		s.Fatalf("block %#x had %d bytes, and %d do not fit", bid, cb, len(b))
	}
	b = bytes.Clone(b)
	if bid&2 == 0 {
		pst.Crypt(s.b[513]).Encode(b, bid)
	}
	copy(s.b[ib:], b)
	binary.LittleEndian.PutUint16(s.b[s.blocks[bid]+16:], uint16(len(b)))
}

// edit changes the first data block of a node.
func (s *surgeon) edit(bid uint64, do func(b []byte)) {
	b := s.read(bid)
	do(b)
	s.write(bid, b)
}

// close computes every checksum and signature anew.
func (s *surgeon) close() []byte {
	for at := range s.pages {
		s.closePage(at, num(s.b, at+504))
	}
	for n, at := 0, uint64(0x4400); at+512 <= uint64(len(s.b)); n, at = n+1, at+253952 {
		s.closePage(at, 0)
		if n%8 == 0 {
			s.closePage(at+512, 0)
		}
		if n >= 128 && (n-128)%496 == 0 || n >= 8192 && (n-8192)%31744 == 0 {
			s.closePage(at+1024, 0)
		}
	}
	for _, bid := range s.order {
		s.closeBlock(bid)
	}
	binary.LittleEndian.PutUint32(s.b[524:], pst.Checksum(s.b[8:524]))
	binary.LittleEndian.PutUint32(s.b[4:], pst.Checksum(s.b[8:479]))
	return s.b
}

// closePage signs a page; a map has no signature, which is that of no bid.
func (s *surgeon) closePage(at, bid uint64) {
	if bid != 0 {
		binary.LittleEndian.PutUint16(s.b[at+498:], pst.Signature(at, bid))
	}
	binary.LittleEndian.PutUint32(s.b[at+500:], pst.Checksum(s.b[at:at+496]))
}

func (s *surgeon) closeBlock(bid uint64) {
	ib, cb := s.extent(bid)
	end := ib + (cb+16+63)/64*64 - 16
	if ib%64 != 0 || end+16 > uint64(len(s.b)) || cb > 8176 {
		return
	}
	binary.LittleEndian.PutUint16(s.b[end:], uint16(cb))
	binary.LittleEndian.PutUint16(s.b[end+2:], pst.Signature(ib, num(s.b, end+8)))
	binary.LittleEndian.PutUint32(s.b[end+4:], pst.Checksum(s.b[ib:ib+cb]))
}

// leafBlocks are the data blocks below a BID.
func (s *surgeon) leafBlocks(bid uint64) (list []uint64) {
	if bid&2 == 0 {
		return []uint64{bid}
	}
	b := s.read(bid)
	for i := range word(b, 2) {
		list = append(list, s.leafBlocks(num(b, 8+8*i))...)
	}
	return list
}

// span is a piece of a heap: of which block, and from where to where in it.
type span struct {
	bid      uint64
	from, to uint64
}

// alloc finds a heap item.
func (s *surgeon) alloc(data uint64, hid uint32) span {
	bid := s.leafBlocks(data)[hid>>16]
	b := s.read(bid)
	m := word(b, 0) + 4 + 2*uint64(hid>>5&0x7FF)
	return span{bid, word(b, m-2), word(b, m)}
}

func (s *surgeon) bytes(p span) []byte { return s.read(p.bid)[p.from:p.to] }

// change edits a heap item.
func (s *surgeon) change(data uint64, hid uint32, do func(b []byte)) {
	p := s.alloc(data, hid)
	s.edit(p.bid, func(b []byte) { do(b[p.from:p.to]) })
}

// userRoot is hidUserRoot.
func (s *surgeon) userRoot(data uint64) uint32 { return dword(s.read(s.leafBlocks(data)[0]), 4) }

// records are the leaf items of a BTH.
func (s *surgeon) records(data uint64, head uint32) (list []span) {
	h := s.bytes(s.alloc(data, head))
	var below func(hid uint32, level byte)
	below = func(hid uint32, level byte) {
		p := s.alloc(data, hid)
		if level == 0 {
			list = append(list, p)
			return
		}
		for b := s.bytes(p); len(b) > 0; b = b[int(h[1])+4:] {
			below(dword(b, uint64(h[1])), level-1)
		}
	}
	if root := dword(h, 4); root != 0 {
		below(root, h[3])
	}
	return list
}

// property edits the record of a property: id, type at 2, value at 4.
func (s *surgeon) property(data uint64, id uint64, do func(r []byte)) {
	for _, p := range s.records(data, s.userRoot(data)) {
		b := s.read(p.bid)
		for at := p.from; at < p.to; at += 8 {
			if word(b, at) == id {
				do(b[at : at+8])
				s.write(p.bid, b)
				return
			}
		}
	}
	s.Fatalf("no property %04X", id)
}

// has tells whether there is a property.
func (s *surgeon) has(data, id uint64) bool {
	for _, p := range s.records(data, s.userRoot(data)) {
		for b := s.bytes(p); len(b) > 0; b = b[8:] {
			if word(b, 0) == id {
				return true
			}
		}
	}
	return false
}

// tableColumn finds a column in TCINFO: where its description begins in the item.
func (s *surgeon) tableColumn(data uint64, tag uint32) uint64 {
	b := s.bytes(s.alloc(data, s.userRoot(data)))
	for at := uint64(22); at < uint64(len(b)); at += 8 {
		if dword(b, at) == tag {
			return at
		}
	}
	s.Fatalf("no column %#x", tag)
	return 0
}

// sub finds a subnode in an SLBLOCK or SIBLOCK: its block, and where its entry is.
func (s *surgeon) sub(bid uint64, n pst.NID) (uint64, uint64) {
	b := s.read(bid)
	for i := range word(b, 2) {
		if b[1] == 1 {
			if leaf, at := s.sub(num(b, 16+16*i), n); at > 0 {
				return leaf, at
			}
		} else if at := 8 + 24*i; dword(b, at) == uint32(n) {
			return bid, at
		}
	}
	return 0, 0
}

// inside gives bidData and bidSub of a subnode.
func (s *surgeon) inside(n pst.NID, path ...pst.NID) (data, sub uint64) {
	data, sub = s.bidData(n), s.bidSub(n)
	for _, p := range path {
		bid, at := s.sub(sub, p)
		if at == 0 {
			s.Fatalf("no subnode %v", p)
		}
		b := s.read(bid)
		data, sub = num(b, at+8), num(b, at+16)
	}
	return data, sub
}

// messages are the messages with a subnode, by id.
func (s *surgeon) messages(with pst.NID) (list []pst.NID) {
	for n := range s.nodes {
		if n.Type() == pst.NodeMessage && s.bidSub(n) != 0 {
			if _, at := s.sub(s.bidSub(n), with); at > 0 {
				list = append(list, n)
			}
		}
	}
	slices.Sort(list)
	return list
}

// parent is the folder of a message, by its node.
func (s *surgeon) parent(n pst.NID) pst.NID { return pst.NID(dword(s.b, s.at(n)+24)) }
