package reader

import (
	"encoding/binary"
	"fmt"
	"io"

	"keepwatch/pst"
)

func nidOf(id hid) pst.NID { return pst.NID(id) }

// props is a property context ([MS-PST] 2.3.3): the properties of one object.
type props struct {
	h       *heap
	node    pst.NID // that a damage names
	entries []entry
}

// entry is a record of a property context.
type entry struct {
	id    uint16
	typ   pst.Type
	value [4]byte
}

func (e entry) hid() hid { return hid(binary.LittleEndian.Uint32(e.value[:])) }

// context opens the properties of a node. The name is that which a damage names.
func (f *File) context(n node, name pst.NID) (*props, error) {
	h, err := f.heap(n, heapOfContext)
	if err != nil {
		return nil, of(name, err)
	}
	t, err := h.bth(h.root)
	if err == nil && (t.key != 2 || t.ent != 6) {
		err = h.t.bad("its properties have keys of %d bytes and values of %d", t.key, t.ent)
	}
	c := &props{h: h, node: name}
	if err == nil {
		err = t.each(func(key uint64, v []byte) bool {
			c.entries = append(c.entries, entry{id: uint16(key), typ: pst.Type(binary.LittleEndian.Uint16(v)), value: [4]byte(v[2:])})
			return true
		})
	}
	return c, of(name, err)
}

// find gives the entry of a property by its id.
func (c *props) find(id uint16) (entry, bool) {
	for _, e := range c.entries {
		if e.id == id {
			return e, true
		}
	}
	return entry{}, false
}

// number gives an integer that lies in the entry itself, or 0.
func (c *props) number(t pst.Tag) int64 {
	e, ok := c.find(t.ID())
	if !ok || e.typ != t.Type() {
		return 0
	}
	return int64(int32(binary.LittleEndian.Uint32(e.value[:])))
}

// raw gives the bytes of a value, which nobody may change. Those of an empty one are
// none.
func (c *props) raw(e entry, limit int64) ([]byte, error) {
	if inline(e.typ) {
		return e.value[:], nil
	}
	return c.h.value(e.hid(), limit)
}

// value decodes one property.
func (c *props) value(e entry, codepage int) (pst.Property, error) {
	t, _ := typeOf(e.typ)
	p := c.h.t.f.property(e.id, t)
	b, err := c.raw(e, c.h.t.f.o.MaxValue)
	if err == nil {
		p.Value, err = decode(e.typ, b, codepage)
	}
	if err != nil {
		err = c.wrong(e, err)
	}
	return p, err
}

// wrong names the property in an error.
func (c *props) wrong(e entry, err error) error {
	text := fmt.Sprintf("property %v: %v", pst.NewTag(e.id, e.typ), err)
	d := Damage{Node: c.node, Text: text, Err: err}
	if inner, ok := asDamage(err); ok {
		d.Offset, d.Text = inner.Offset, fmt.Sprintf("property %v: %s", pst.NewTag(e.id, e.typ), inner.Text)
	}
	return &d
}

// properties decodes all but those that skip tells. It gives what can be read also
// beside the first error.
func (c *props) properties(codepage int, skip func(entry) bool) (pst.Properties, error) {
	var first error
	ps := make(pst.Properties, 0, len(c.entries))
	left := 2 * c.h.t.f.o.MaxValue
	for _, e := range c.entries {
		if _, known := typeOf(e.typ); !known || skip != nil && skip(e) {
			continue
		}
		if !inline(e.typ) && e.typ.Size() > 0 && e.hid() == 0 {
			continue // a value of fixed length that is not there
		}
		n, err := c.length(e)
		if err == nil && n > left {
			err = c.wrong(e, fmt.Errorf("with the others it is %w", ErrTooLong))
		}
		p := pst.Property{}
		if err == nil {
			p, err = c.value(e, codepage)
		}
		if err == nil {
			left -= n
			ps = append(ps, p)
		} else if first == nil {
			first = err
		}
		if err != nil && !isDamage(err) {
			break
		}
	}
	return ps, first
}

// length is how many bytes a value has in the file.
func (c *props) length(e entry) (int64, error) {
	if inline(e.typ) || e.hid() == 0 {
		return 4, nil
	}
	if e.hid().isHeap() {
		b, err := c.h.item(e.hid())
		if err != nil {
			err = c.wrong(e, err)
		}
		return int64(len(b)), err
	}
	t, err := c.h.subtree(e.hid())
	if err != nil {
		return 0, c.wrong(e, err)
	}
	return t.size, nil
}

// open streams the bytes of a value, and says how many they are.
func (c *props) open(e entry) (io.Reader, int64, error) {
	if inline(e.typ) || e.hid() == 0 || e.hid().isHeap() {
		b, err := c.raw(e, c.h.t.f.size)
		if err != nil {
			return nil, 0, c.wrong(e, err)
		}
		return &stream{rest: b, err: io.EOF}, int64(len(b)), nil
	}
	t, err := c.h.subtree(e.hid())
	if err != nil {
		return nil, 0, c.wrong(e, err)
	}
	return &named{t.reader(), c, e}, t.size, nil
}

// named puts the property into the errors of a stream.
type named struct {
	io.Reader
	c *props
	e entry
}

func (n *named) Read(p []byte) (int, error) {
	k, err := n.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = n.c.wrong(n.e, err)
	}
	return k, err
}

// codepage is that of the 8-bit texts of an object: its own, or the one given.
func (c *props) codepage(outer int) int {
	if n := c.number(pst.PidTagMessageCodepage); n > 0 {
		return int(n)
	}
	return outer
}
