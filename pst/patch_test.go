package pst_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"keepwatch/pst"
)

var le = binary.LittleEndian

// patch is a file that is to be damaged: below what is damaged all is put right again,
// checksums and signatures too. It reads Unicode files that are in order.
type patch struct {
	testing.TB
	b     []byte
	crypt pst.Crypt
}

func newPatch(t testing.TB, data []byte) *patch {
	return &patch{t, bytes.Clone(data), pst.Crypt(data[513])}
}

// header edits the header and puts its checksums right.
func (p *patch) header(edit func(b []byte)) {
	edit(p.b)
	le.PutUint32(p.b[524:], pst.Checksum(p.b[8:8+516]))
	le.PutUint32(p.b[4:], pst.Checksum(p.b[8:8+471]))
}

// page edits a page; its checksum follows.
func (p *patch) page(at int64, edit func(b []byte)) {
	b := p.b[at : at+512]
	edit(b)
	le.PutUint32(b[500:], pst.Checksum(b[:496]))
}

// root gives where the root page of a tree is: 'n' or 'b'.
func (p *patch) root(tree byte) int64 {
	if tree == 'n' {
		return int64(le.Uint64(p.b[224:]))
	}
	return int64(le.Uint64(p.b[240:]))
}

// leaves gives the leaf pages of a tree.
func (p *patch) leaves(tree byte) (list []int64) {
	var walk func(at int64)
	walk = func(at int64) {
		b := p.b[at : at+512]
		if b[491] == 0 {
			list = append(list, at)
			return
		}
		for i := range int(b[488]) {
			walk(int64(le.Uint64(b[24*i+16:])))
		}
	}
	walk(p.root(tree))
	return list
}

// entry finds the entry of a node or a block: its page, and where it begins in it.
func (p *patch) entry(tree byte, key uint64) (page int64, at int) {
	size := map[byte]int{'n': 32, 'b': 24}[tree]
	for _, page := range p.leaves(tree) {
		for i := range int(p.b[page+488]) {
			if le.Uint64(p.b[page+int64(size*i):])&^1 == key&^1 {
				return page, size * i
			}
		}
	}
	p.Fatalf("nothing has the key %#x", key)
	return 0, 0
}

// node edits the entry of a node: NID, bidData at 8, bidSub at 16, parent at 24.
func (p *patch) node(n pst.NID, edit func(e []byte)) {
	page, at := p.exact(n)
	p.page(page, func(b []byte) { edit(b[at : at+32]) })
}

// exact finds a node whose NID is odd.
func (p *patch) exact(n pst.NID) (int64, int) {
	for _, page := range p.leaves('n') {
		for i := range int(p.b[page+488]) {
			if le.Uint64(p.b[page+int64(32*i):]) == uint64(n) {
				return page, 32 * i
			}
		}
	}
	p.Fatalf("there is no node %v", n)
	return 0, 0
}

// blockEntry edits the entry of a block: BID, offset at 8, cb at 16, cRef at 18.
func (p *patch) blockEntry(bid uint64, edit func(e []byte)) {
	page, at := p.entry('b', bid)
	p.page(page, func(b []byte) { edit(b[at : at+24]) })
}

// data gives bidData of a node.
func (p *patch) data(n pst.NID) uint64 { return p.field(n, 8) }

// sub gives bidSub of a node.
func (p *patch) sub(n pst.NID) uint64 { return p.field(n, 16) }

func (p *patch) field(n pst.NID, at int) uint64 {
	page, i := p.exact(n)
	return le.Uint64(p.b[page+int64(i+at):])
}

// place gives where a block lies and how long its data are.
func (p *patch) place(bid uint64) (ib int64, cb int) {
	page, at := p.entry('b', bid)
	e := p.b[page+int64(at):]
	return int64(le.Uint64(e[8:])), int(le.Uint16(e[16:]))
}

// trailer gives the trailer of a block: cb, signature at 2, checksum at 4, BID at 8.
func (p *patch) trailer(bid uint64) []byte {
	ib, cb := p.place(bid)
	end := ib + int64(cb+16+63)/64*64
	return p.b[end-16 : end]
}

// read gives the data of a block, decoded.
func (p *patch) read(bid uint64) []byte {
	ib, cb := p.place(bid)
	b := bytes.Clone(p.b[ib : ib+int64(cb)])
	if bid&2 == 0 {
		p.crypt.Decode(b, bid)
	}
	return b
}

// block edits the data of a block; encoding and checksum follow.
func (p *patch) block(bid uint64, edit func(b []byte)) {
	b := p.read(bid)
	edit(b)
	if bid&2 == 0 {
		p.crypt.Encode(b, bid)
	}
	ib, _ := p.place(bid)
	copy(p.b[ib:], b)
	le.PutUint32(p.trailer(bid)[4:], pst.Checksum(b))
}

// tree gives the data blocks below a BID.
func (p *patch) tree(bid uint64) (list []uint64) {
	if bid&2 == 0 {
		return []uint64{bid}
	}
	b := p.read(bid)
	for i := range int(le.Uint16(b[2:])) {
		list = append(list, p.tree(le.Uint64(b[8+8*i:]))...)
	}
	return list
}

// subnode gives the block of subnode entries that has a NID, and where in it the entry is.
func (p *patch) subnode(bid uint64, n pst.NID) (uint64, int) {
	b := p.read(bid)
	for i := range int(le.Uint16(b[2:])) {
		if b[1] == 1 {
			if leaf, at := p.subnode(le.Uint64(b[8+16*i+8:]), n); at > 0 {
				return leaf, at
			}
			continue
		}
		if le.Uint32(b[8+24*i:]) == uint32(n) {
			return bid, 8 + 24*i
		}
	}
	return 0, 0
}

// below gives bidData and bidSub of a subnode, going down.
func (p *patch) below(n pst.NID, path ...pst.NID) (data, sub uint64) {
	data, sub = p.data(n), p.sub(n)
	for _, s := range path {
		bid, at := p.subnode(sub, s)
		if at == 0 {
			p.Fatalf("%v has no subnode %v", n, s)
		}
		b := p.read(bid)
		data, sub = le.Uint64(b[at+8:]), le.Uint64(b[at+16:])
	}
	return data, sub
}

// heapItem finds a heap item: its block, and where in it it lies.
func (p *patch) heapItem(data uint64, hid uint32) (bid uint64, from, to int) {
	bid = p.tree(data)[hid>>16]
	b := p.read(bid)
	m := int(le.Uint16(b)) + 4
	k := int(hid>>5) & 0x7FF
	return bid, int(le.Uint16(b[m+2*k-2:])), int(le.Uint16(b[m+2*k:]))
}

// item edits a heap item.
func (p *patch) item(data uint64, hid uint32, edit func(b []byte)) {
	bid, from, to := p.heapItem(data, hid)
	p.block(bid, func(b []byte) { edit(b[from:to]) })
}

// user gives hidUserRoot of a heap.
func (p *patch) user(data uint64) uint32 { return le.Uint32(p.read(p.tree(data)[0])[4:]) }

// word reads four bytes of a heap item.
func (p *patch) word(data uint64, hid uint32, at int) uint32 {
	bid, from, _ := p.heapItem(data, hid)
	return le.Uint32(p.read(bid)[from+at:])
}

// prop edits the record of a property of a PC with one level: id, type at 2, value at 4.
func (p *patch) prop(data uint64, id uint16, edit func(b []byte)) {
	root := p.word(data, p.user(data), 4)
	found := false
	p.item(data, root, func(b []byte) {
		for i := 0; i < len(b); i += 8 {
			if le.Uint16(b[i:]) == id {
				edit(b[i : i+8])
				found = true
			}
		}
	})
	if !found {
		p.Fatalf("there is no property %04X", id)
	}
}

// value edits the value of a property that lies in the heap.
func (p *patch) value(data uint64, id uint16, edit func(b []byte)) {
	var hid uint32
	p.prop(data, id, func(b []byte) { hid = le.Uint32(b[4:]) })
	p.item(data, hid, edit)
}

// info edits TCINFO with the columns behind it.
func (p *patch) info(data uint64, edit func(b []byte)) { p.item(data, p.user(data), edit) }

// column edits a column: tag, ibData at 4, cbData at 6, iBit at 7.
func (p *patch) column(data uint64, tag pst.Tag, edit func(b []byte)) {
	p.info(data, func(b []byte) { edit(columnOf(p, b, tag)) })
}

func columnOf(t testing.TB, info []byte, tag pst.Tag) []byte {
	for i := 22; i < len(info); i += 8 {
		if le.Uint32(info[i:]) == uint32(tag) {
			return info[i : i+8]
		}
	}
	t.Fatalf("there is no column %v", tag)
	return nil
}

// rows edits the rows of a table that lie in its heap, with the length of one.
func (p *patch) rows(data uint64, edit func(b []byte, size int)) {
	size := int(p.word(data, p.user(data), 8) & 0xFFFF)
	p.item(data, p.word(data, p.user(data), 14), func(b []byte) { edit(b, size) })
}

// cell edits a cell of a row of such a table.
func (p *patch) cell(data uint64, row int, tag pst.Tag, edit func(b []byte)) {
	var from, n int
	p.column(data, tag, func(b []byte) { from, n = int(le.Uint16(b[4:])), int(b[6]) })
	p.rows(data, func(b []byte, size int) { edit(b[row*size+from:][:n]) })
}

// unset clears the bit of a cell.
func (p *patch) unset(data uint64, row int, tag pst.Tag) {
	var bit int
	p.column(data, tag, func(b []byte) { bit = int(b[7]) })
	var ends [4]int
	p.info(data, func(b []byte) {
		for i := range ends {
			ends[i] = int(le.Uint16(b[2+2*i:]))
		}
	})
	p.rows(data, func(b []byte, size int) { b[row*size+ends[2]+bit/8] &^= 0x80 >> (bit % 8) })
}

// index edits the records of a RowIndex with one level.
func (p *patch) index(data uint64, edit func(b []byte)) {
	tree := p.word(data, p.user(data), 10)
	p.item(data, p.word(data, tree, 4), edit)
}
