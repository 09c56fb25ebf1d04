package writer

import (
	"cmp"
	"encoding/binary"
	"slices"

	"keepwatch/pst"
)

// parts are the subnodes of a node. Their ids need only differ within the node;
// Outlook counts from 0x401 on in each.
type parts struct {
	v    *volume
	list []subnode
	last uint32
}

func (p *parts) begin(v *volume) {
	p.v, p.list, p.last = v, p.list[:0], 0x400
}

// next gives an id that is not in use.
func (p *parts) next(t pst.NodeType) pst.NID {
	p.last++
	return pst.NewNID(t, p.last)
}

// add enters a subnode.
func (p *parts) add(nid pst.NID, data, sub uint64) {
	p.list = append(p.list, subnode{nid, data, sub})
}

// long writes a value into a subnode.
func (p *parts) long(data []byte) (pst.NID, error) {
	var bid uint64
	var err error
	if len(data) <= maxBlock {
		bid, err = p.v.block(data)
	} else {
		w := dataWriter{v: p.v}
		if err = w.all(data); err == nil {
			bid, _, err = w.finish()
		}
	}
	if err != nil {
		return 0, err
	}
	nid := p.next(pst.NodeLTP)
	p.add(nid, bid, 0)
	return nid, nil
}

// place puts a value of variable size where it belongs, 2.3.3.2: into the heap, or
// where it has more than 3,580 bytes into a subnode. It gives the HNID.
func (p *parts) place(h *heap, v *value, arena []byte) (uint32, error) {
	switch {
	case v.typ == pst.Object:
		id, to, err := h.room(8)
		if err != nil {
			return 0, err
		}
		binary.LittleEndian.PutUint32(to, uint32(v.nid))
		binary.LittleEndian.PutUint32(to[4:], v.n)
		return uint32(id), nil
	case v.bid != 0:
		return uint32(v.nid), nil
	case v.n > maxAlloc:
		nid, err := p.long(arena[v.at : v.at+int(v.n)])
		return uint32(nid), err
	}
	id, err := h.add(arena[v.at : v.at+int(v.n)])
	return uint32(id), err
}

// propertySize is a record of a property context: id, type, value or HNID.
const propertySize = 8

// sorted puts the properties into the order of their ids.
func (b *bag) sorted() {
	slices.SortFunc(b.vals, func(a, b value) int { return cmp.Compare(a.id, b.id) })
}

// properties writes a property context, 2.3.3, of a sorted bag. Its long values
// become subnodes. It gives the data block and how many bytes the heap has.
func (p *parts) properties(h *heap, b *bag) (uint64, int64, error) {
	h.begin(p.v, heapProperties)
	if _, _, err := h.room(8); err != nil {
		return 0, 0, err
	}
	// One item of records comes before the values, as Outlook has it. It is filled
	// when the places of these are known. More than one would push each other out of
	// the first block, so that they come behind.
	var leaf hid
	if n := len(b.vals); n > 0 && n <= maxAlloc/propertySize {
		id, _, err := h.room(n * propertySize)
		if err != nil {
			return 0, 0, err
		}
		leaf = id
	}
	for i := range b.vals {
		v := &b.vals[i]
		var hnid uint32
		var err error
		switch size := v.typ.Size(); {
		case size > 0 && size <= 4:
			continue
		case size == 8:
			var id hid
			var to []byte
			if id, to, err = h.room(8); err == nil {
				binary.LittleEndian.PutUint64(to, v.num)
			}
			hnid = uint32(id)
		default:
			hnid, err = p.place(h, v, b.arena)
		}
		if err != nil {
			return 0, 0, err
		}
		v.hnid = hnid
	}
	put := func(to []byte, i int) { b.vals[i].record(to) }
	if leaf != 0 {
		for i, to := 0, h.fixed(leaf); i < len(b.vals); i++ {
			put(to[i*propertySize:], i)
		}
		h.treeHeader(2, 6, 0, leaf)
	} else if err := h.tree(2, 6, len(b.vals), put); err != nil {
		return 0, 0, err
	}
	return h.finish(treeHead)
}

// record writes the record of a property, 2.3.3.3.
func (v *value) record(to []byte) {
	binary.LittleEndian.PutUint16(to, v.id)
	binary.LittleEndian.PutUint16(to[2:], uint16(v.typ))
	last := v.hnid
	if v.inline() && v.typ.Size() <= 4 {
		last = uint32(v.num)
	}
	binary.LittleEndian.PutUint32(to[4:], last)
}

// object writes a property context with its subnodes, and gives both blocks.
func (p *parts) object(h *heap, b *bag) (data, sub uint64, err error) {
	b.sorted()
	if data, _, err = p.properties(h, b); err != nil {
		return 0, 0, err
	}
	sub, err = p.v.subnodes(p.list)
	return data, sub, err
}
