package writer

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"keepwatch/pst"
)

// layout is the form of the rows of a table, 2.3.4.1 and 2.3.4.4.
type layout struct {
	columns []column // in the order of their tags
	info    []byte   // TCINFO, still without the places of the row index and the rows
	size    int      // bytes of a row
	bits    int      // where its cell existence bitmap begins
}

// column is a column of a table, 2.3.4.2.
type column struct {
	tag pst.Tag
	at  int // in the row
	cb  int // bytes
	bit int // in the cell existence bitmap
}

// maxColumns of a table: cCols and iBit are bytes.
const maxColumns = 255

// infoHead is the length of TCINFO before its columns.
const infoHead = 22

// newLayout makes the layout of a table. Outlook gives columns their bits in the
// order in which they came to be, and lays out those of 8 and 4 bytes in the order
// of their bits, without gaps; then those of 2 bytes, then those of 1. The tables of
// all real files follow from this.
func newLayout(tags []pst.Tag) (*layout, error) {
	if len(tags) > maxColumns {
		return nil, fmt.Errorf("the rows of a table have %d different properties; %d is the most", len(tags), maxColumns)
	}
	l := &layout{columns: make([]column, len(tags))}
	var ends [4]int
	at := 0
	for group, width := range [3]int{4, 2, 1} {
		for i, t := range tags {
			cb := cellSize(t.Type())
			if min(cb, 4) == width {
				l.columns[i] = column{tag: t, at: at, cb: cb, bit: i}
				at += cb
			}
		}
		ends[group] = at
	}
	l.bits, l.size = at, at+(len(tags)+7)/8
	ends[3] = l.size
	slices.SortFunc(l.columns, func(a, b column) int { return cmp.Compare(a.tag, b.tag) })
	l.info = append(make([]byte, 0, infoHead+8*len(tags)), heapTable, byte(len(tags)))
	for _, end := range ends {
		l.info = binary.LittleEndian.AppendUint16(l.info, uint16(end))
	}
	l.info = append(l.info, byte(treeHead), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, c := range l.columns {
		l.info = binary.LittleEndian.AppendUint32(l.info, uint32(c.tag))
		l.info = binary.LittleEndian.AppendUint16(l.info, uint16(c.at))
		l.info = append(l.info, byte(c.cb), byte(c.bit))
	}
	return l, nil
}

// cellSize is how many bytes a cell has: those of its value, or of an HNID.
func cellSize(t pst.Type) int {
	if s := t.Size(); s > 0 && s <= 8 {
		return s
	}
	return 4
}

// each calls do for the cells of a row that the sorted values have.
func (l *layout) each(vals []value, do func(c *column, v *value) error) error {
	i := 0
	for k := range l.columns {
		c := &l.columns[k]
		for i < len(vals) && vals[i].tag() < c.tag {
			i++
		}
		if i < len(vals) && vals[i].tag() == c.tag {
			if err := do(c, &vals[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// weight is how many bytes a row of these values takes.
func (l *layout) weight(vals []value) int {
	n := l.size + 10
	l.each(vals, func(c *column, v *value) error {
		if !v.inline() {
			n += int(v.n) + 2
		}
		return nil
	})
	return n
}
