package reader

import (
	"encoding/binary"
	"fmt"

	"keepwatch/pst"
)

// table is a table context ([MS-PST] 2.3.4).
type table struct {
	h       *heap
	node    pst.NID // that a damage names
	columns []column
	index   *bth  // the row index
	row     int   // bytes of a row
	bits    int   // where in a row its cell existence bits begin
	rows    *tree // nil where they lie in the heap
	inHeap  []byte
}

// column is a TCOLDESC ([MS-PST] 2.3.4.2).
type column struct {
	tag pst.Tag
	at  int
	cb  int
	bit int
}

// table opens the table in a node.
func (f *File) table(n node, name pst.NID) (*table, error) {
	h, err := f.heap(n, heapOfTable)
	if err != nil {
		return nil, of(name, err)
	}
	t := &table{h: h, node: name}
	return t, of(name, t.open())
}

func (t *table) open() error {
	b, err := t.h.item(t.h.root)
	if err != nil {
		return err
	}
	if len(b) < 22 || b[0] != heapOfTable || len(b) < 22+8*int(b[1]) {
		return t.h.t.bad("the head of the table is cut off")
	}
	t.bits, t.row = int(binary.LittleEndian.Uint16(b[6:])), int(binary.LittleEndian.Uint16(b[8:]))
	index, rows := hid(binary.LittleEndian.Uint32(b[10:])), hid(binary.LittleEndian.Uint32(b[14:]))
	for c := b[22 : 22+8*int(b[1])]; len(c) > 0; c = c[8:] {
		t.columns = append(t.columns, column{
			tag: pst.Tag(binary.LittleEndian.Uint32(c)),
			at:  int(binary.LittleEndian.Uint16(c[4:])), cb: int(c[6]), bit: int(c[7]),
		})
	}
	if err := t.sane(); err != nil {
		return err
	}
	if t.index, err = t.h.bth(index); err != nil {
		return err
	}
	if t.index.key != 4 || t.index.ent != t.h.t.f.l.rowID {
		return t.h.t.bad("the row index has keys of %d bytes and values of %d", t.index.key, t.index.ent)
	}
	switch {
	case rows == 0:
	case rows.isHeap():
		t.inHeap, err = t.h.item(rows)
	default:
		t.rows, err = t.h.subtree(rows)
	}
	return err
}

// sane checks that each column lies within a row.
func (t *table) sane() error {
	if t.bits > t.row || t.row > t.h.t.f.l.payload || t.row < 4 {
		return t.h.t.bad("a row of the table has %d bytes", t.row)
	}
	for _, c := range t.columns {
		if _, known := typeOf(c.tag.Type()); !known {
			continue
		}
		least := 4
		if n := c.tag.Type().Size(); n > 0 && n <= 8 {
			least = n
		}
		if c.at+c.cb > t.bits || t.bits+c.bit/8 >= t.row || c.cb < least {
			return t.h.t.bad("column %v lies outside of the row", c.tag)
		}
	}
	return nil
}

// each gives the ids of the rows in their order, and where each lies.
func (t *table) each(yield func(id pst.NID, at int) bool) error {
	return of(t.node, t.index.each(func(key uint64, v []byte) bool {
		return yield(pst.NID(key), int(number(v)))
	}))
}

// data gives the bytes of a row, which nobody may change.
func (t *table) data(i int) ([]byte, error) {
	if t.rows == nil {
		if i >= len(t.inHeap)/t.row {
			return nil, t.h.t.bad("the table has no row %d", i)
		}
		return t.inHeap[i*t.row : (i+1)*t.row], nil
	}
	per := t.h.t.f.l.payload / t.row
	b, err := t.rows.block(i / per)
	if err != nil {
		return nil, err
	}
	at := i % per * t.row
	if at+t.row > len(b) {
		return nil, t.rows.bad("the table has no row %d", i)
	}
	return b[at : at+t.row], nil
}

// properties decodes the cells of a row: those whose column want tells, or all. It
// gives what can be read also beside the first error.
func (t *table) properties(i, codepage int, want func(pst.Tag) bool) (pst.Properties, error) {
	row, err := t.data(i)
	if err != nil {
		return nil, of(t.node, err)
	}
	var first error
	ps := make(pst.Properties, 0, len(t.columns))
	left := 2 * t.h.t.f.o.MaxValue
	for _, c := range t.columns {
		typ, known := typeOf(c.tag.Type())
		if !known || row[t.bits+c.bit/8]&(0x80>>(c.bit%8)) == 0 || want != nil && !want(c.tag) {
			continue
		}
		p := t.h.t.f.property(c.tag.ID(), typ)
		b := row[c.at : c.at+c.cb]
		if n := c.tag.Type().Size(); n == 0 || n > 8 {
			b, err = t.h.value(hid(binary.LittleEndian.Uint32(b)), min(left, t.h.t.f.o.MaxValue))
		}
		if err == nil {
			left -= int64(len(b))
			p.Value, err = decode(c.tag.Type(), b, codepage)
		}
		if err == nil {
			ps = append(ps, p)
			continue
		}
		if !isDamage(err) && err != ErrTooLong && err != errShape {
			return ps, err
		}
		if first == nil {
			first = t.wrong(c, err)
		}
		err = nil
	}
	return ps, first
}

// wrong names the column in an error.
func (t *table) wrong(c column, err error) error {
	d := Damage{Node: t.node, Text: fmt.Sprintf("column %v: %v", c.tag, err), Err: err}
	if inner, ok := asDamage(err); ok {
		d.Offset, d.Text = inner.Offset, fmt.Sprintf("column %v: %s", c.tag, inner.Text)
	}
	return &d
}
