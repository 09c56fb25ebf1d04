package writer

import (
	"cmp"
	"encoding/binary"
	"slices"

	"keepwatch/pst"
)

// table is a table context, 2.3.4. Its rows go out as they fill blocks, and so
// does its heap. Of each row 4 bytes stay in memory, for the row index.
type table struct {
	lay   *layout
	heap  heap
	parts parts
	rows  []byte      // those that do not fill a block yet
	w     *dataWriter // of the row matrix, once it has more than one block
	ids   []uint32    // of all rows
	rest  rest        // of the table of a folder
}

// tableInfo is the second item of the heap of a table: TCINFO.
const tableInfo hid = 2 << 5

// begin makes an empty table.
func (t *table) begin(v *volume, lay *layout) error {
	t.lay, t.rows, t.w, t.ids = lay, t.rows[:0], nil, t.ids[:0]
	t.parts.begin(v)
	t.heap.begin(v, heapTable)
	if _, _, err := t.heap.room(8); err != nil {
		return err
	}
	_, err := t.heap.add(lay.info)
	return err
}

// add appends a row: its id, its version, which differs from that of any other
// row, and those of the sorted values that have a column.
func (t *table) add(id, version uint32, vals []value, arena []byte) error {
	size := t.lay.size
	if len(t.rows)+size > maxBlock {
		if err := t.flush(); err != nil {
			return err
		}
	}
	at := len(t.rows)
	t.rows = slices.Grow(t.rows, size)[:at+size]
	row := t.rows[at:]
	clear(row)
	bits := row[t.lay.bits:]
	bits[0] = 0xC0 // of the id and the version
	binary.LittleEndian.PutUint32(row, id)
	binary.LittleEndian.PutUint32(row[4:], version)
	t.ids = append(t.ids, id)
	return t.lay.each(vals, func(c *column, v *value) error {
		if c.bit < 2 {
			return nil
		}
		bits[c.bit/8] |= 0x80 >> (c.bit % 8)
		num := v.num
		if !v.inline() {
			hnid, err := t.parts.place(&t.heap, v, arena)
			if err != nil {
				return err
			}
			num = uint64(hnid)
		}
		cell := row[c.at : c.at+c.cb]
		for i := range cell {
			cell[i] = byte(num >> (8 * i))
		}
		return nil
	})
}

// flush writes a block of rows. Rows do not cross blocks, 2.3.4.4: what is left
// is filled up.
func (t *table) flush() error {
	if t.w == nil {
		t.w = t.parts.v.stream()
	}
	n := len(t.rows)
	t.rows = slices.Grow(t.rows, maxBlock-n)[:maxBlock]
	clear(t.rows[n:])
	err := t.w.block(t.rows)
	t.rows = t.rows[:0]
	return err
}

// finish ends the table, and gives its data block and its subnodes.
func (t *table) finish() (data, sub uint64, err error) {
	if err := t.index(); err != nil {
		return 0, 0, err
	}
	var matrix uint32
	switch {
	case t.w == nil && len(t.rows) <= maxAlloc:
		id, err := t.heap.add(t.rows)
		if err != nil {
			return 0, 0, err
		}
		matrix = uint32(id)
	case t.w == nil:
		nid, err := t.parts.long(t.rows)
		if err != nil {
			return 0, 0, err
		}
		matrix = uint32(nid)
	default:
		if err := t.w.block(t.rows); err != nil {
			return 0, 0, err
		}
		bid, _, err := t.w.finish()
		if err != nil {
			return 0, 0, err
		}
		nid := t.parts.next(pst.NodeLTP)
		t.parts.add(nid, bid, 0)
		matrix = uint32(nid)
	}
	binary.LittleEndian.PutUint32(t.heap.fixed(tableInfo)[14:], matrix)
	if data, _, err = t.heap.finish(tableInfo); err != nil {
		return 0, 0, err
	}
	sub, err = t.parts.v.subnodes(t.parts.list)
	return data, sub, err
}

// index writes the row index, 2.3.4.3: which row has which id, in the order of the ids.
func (t *table) index() error {
	put := func(to []byte, row int) {
		binary.LittleEndian.PutUint32(to, t.ids[row])
		binary.LittleEndian.PutUint32(to[4:], uint32(row))
	}
	if slices.IsSorted(t.ids) {
		return t.heap.tree(4, 4, len(t.ids), put)
	}
	order := make([]int, len(t.ids))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(t.ids[a], t.ids[b]) })
	return t.heap.tree(4, 4, len(order), func(to []byte, i int) { put(to, order[i]) })
}

// waiting is how many bytes the table will still add to the file.
func (t *table) waiting() int64 {
	blocks := int64(t.heap.index) + int64(len(t.ids)/(maxBlock/t.lay.size)) + 4
	return int64(t.heap.waiting()+len(t.rows)) + 9*int64(len(t.ids)) + 8*blocks + 24*int64(len(t.parts.list)) + 1024
}

// full tells whether the heap has no room for a row of n bytes and the row index
// that follows, or the subnodes none for its long values: each may be one.
func (t *table) full(n int) bool {
	if len(t.parts.list)+len(t.lay.columns)+1 > maxSubs {
		return true
	}
	more := (n+9*len(t.ids))/(maxBlock-maxAlloc) + 8
	return t.heap.index+more > maxHeapBlock
}
