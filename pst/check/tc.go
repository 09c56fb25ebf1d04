package check

import (
	"slices"

	"keepwatch/pst"
)

// column is a TCOLDESC, [MS-PST] 2.3.4.2.
type column struct {
	tag  pst.Tag
	from int // ibData
	size int // cbData
	bit  int // iBit
}

// table is a Table Context, [MS-PST] 2.3.4.
type table struct {
	*heap
	cols  []column
	ends  [4]int   // rgib
	ids   []uint32 // LtpRowId of each row of the matrix
	vers  []uint32 // LtpRowVer of each row
	index int      // records of the RowIndex
}

// row is a row of the matrix.
type row struct {
	*table
	data []byte
	at   int64
}

// id is LtpRowId: the NID of what the row stands for.
func (r row) id() pst.NID { return pst.NID(u32(r.data, 0)) }

// set tells whether a cell exists, [MS-PST] 2.3.4.4.3.
func (r row) set(c column) bool {
	return r.data[r.ends[2]+c.bit/8]&(0x80>>(c.bit%8)) != 0
}

// inline tells whether a cell holds the value itself.
func (c column) inline() bool {
	n := c.tag.Type().Size()
	return n > 0 && n <= 8 && !c.tag.Type().Multiple()
}

// cell gives the value of a cell, and whether there is one that can be read.
func (r row) cell(c column) ([]byte, bool) {
	if !r.set(c) {
		return nil, false
	}
	b := r.data[c.from : c.from+c.size]
	if c.inline() {
		return b, true
	}
	return r.content(c.tag.Type(), u32(b, 0))
}

// value gives the value of a cell by its tag.
func (r row) value(t pst.Tag) ([]byte, bool) {
	i, ok := r.column(t)
	if !ok {
		return nil, false
	}
	return r.cell(r.cols[i])
}

// column finds a column.
func (t *table) column(tag pst.Tag) (int, bool) {
	return slices.BinarySearchFunc(t.cols, tag, func(c column, k pst.Tag) int { return int(int64(c.tag) - int64(k)) })
}

// table checks a Table Context and shows each row of its matrix.
func (o *object) table(show func(r row)) (*table, bool) {
	h, ok := o.heap(heapTable)
	if !ok {
		return nil, false
	}
	t := &table{heap: h}
	b, at, ok := h.take(h.root)
	if !ok || len(b) < 22 || b[0] != heapTable || len(b) != 22+8*int(b[1]) {
		o.report(RuleTableHead, at, "the head of the table is damaged")
		return nil, false
	}
	for i := range t.ends {
		t.ends[i] = int(u16(b, 2+2*i))
	}
	if v := u32(b, 18); v != 0 {
		o.report(RuleTableIndex, at+18, "hidIndex of the table is %#x and should be 0", v)
	}
	if !t.columns(b[22:], at) {
		return nil, false
	}
	list, ok := t.matrix(u32(b, 14), at+14)
	if !ok {
		return t, false
	}
	t.rows(list, show)
	t.rowIndex(hid(u32(b, 10)))
	t.versions()
	t.unused()
	t.unclaimed()
	return t, !o.over()
}

// columns checks the columns and the layout of the rows.
func (t *table) columns(b []byte, at int64) bool {
	count := len(b) / 8
	for i := range 3 {
		if t.ends[i] > t.ends[i+1] {
			t.report(RuleTableEnds, at+2, "rgib is %d, which does not go up", t.ends)
			return false
		}
	}
	if got, want := t.ends[3]-t.ends[2], (count+7)/8; got != want || t.ends[3] > t.payload {
		t.report(RuleTableBits, at+8, "the cell existence bitmap has %d bytes for %d columns and should have %d", got, count, want)
		return false
	}
	cells, bits := make([]bool, t.ends[3]), make([]bool, 8*(t.ends[3]-t.ends[2]))
	good := true
	for i := range count {
		c := column{pst.Tag(u32(b, 8*i)), int(u16(b, 8*i+4)), int(b[8*i+6]), int(b[8*i+7])}
		good = t.add(c, at+22+int64(8*i), cells, bits) && good
	}
	for i, tag := range []pst.Tag{pst.PidTagLtpRowId, pst.PidTagLtpRowVer} {
		k, ok := t.column(tag)
		if !ok || t.cols[k].from != 4*i || t.cols[k].bit != i {
			t.report(RuleTableFirst, at, "the column %v is not at the offset %d with the bit %d", tag, 4*i, i)
			return false
		}
	}
	return good
}

// add checks one column.
func (t *table) add(c column, at int64, cells, bits []bool) bool {
	if n := len(t.cols); n > 0 && c.tag <= t.cols[n-1].tag {
		t.report(RuleColumnOrder, at, "the column %v comes after %v", c.tag, t.cols[n-1].tag)
		return false
	}
	t.cols = append(t.cols, c)
	if !known(c.tag.Type()) {
		t.report(RuleType, at, "the column %v has a type that is none", c.tag)
		return false
	}
	t.named(t.object, c.tag.ID(), at)
	size, from, to := 4, 0, t.ends[0]
	if c.inline() {
		size = c.tag.Type().Size()
	}
	switch size {
	case 2:
		from, to = t.ends[0], t.ends[1]
	case 1:
		from, to = t.ends[1], t.ends[2]
	}
	if c.size != size {
		t.report(RuleColumnSize, at+6, "the column %v has %d bytes and should have %d", c.tag, c.size, size)
		return false
	}
	if c.from < from || c.from+c.size > to {
		t.report(RuleColumnPlace, at+4, "the column %v lies at %d, cells of %d bytes lie from %d to %d", c.tag, c.from, size, from, to)
		return false
	}
	for i := c.from; i < c.from+c.size; i++ {
		if cells[i] {
			t.report(RuleColumnOverlap, at+4, "the column %v lies on another", c.tag)
			return false
		}
		cells[i] = true
	}
	if c.bit >= len(bits) || bits[c.bit] {
		t.report(RuleColumnBit, at+7, "the bit %d of the column %v is that of another, or too high", c.bit, c.tag)
		return false
	}
	bits[c.bit] = true
	return true
}

// part is a piece of the matrix: a heap item or a block.
type part struct {
	item  []byte
	at    int64
	block uint32 // plus 1, where there is no item
}

// matrix finds the row matrix, [MS-PST] 2.3.4.4.
func (t *table) matrix(raw uint32, at int64) ([]part, bool) {
	switch {
	case raw == 0:
		return nil, true
	case raw&0x1F == 0:
		b, from, ok := t.take(hid(raw))
		if !ok {
			t.report(RuleMatrix, at, "the rows lie in the heap item %#x, which is not there", raw)
			return nil, false
		}
		return []part{{item: b, at: from}}, true
	}
	s, ok := t.sub(pst.NID(raw))
	if !ok {
		t.report(RuleMatrix, at, "the rows lie in the subnode %#x, which is not there", raw)
		return nil, false
	}
	list, ok := t.leaves(s.data)
	parts := make([]part, 0, len(list))
	for _, i := range list {
		parts = append(parts, part{at: t.blocks[i].ib(), block: i + 1})
	}
	return parts, ok
}

// rows checks the rows of the matrix. Those of a block that is too short were reported with it.
func (t *table) rows(list []part, show func(r row)) {
	size := t.ends[3]
	for i, p := range list {
		b := p.item
		if p.block > 0 {
			var ok bool
			if b, ok = t.load(p.block - 1); !ok {
				return
			}
		}
		if i == len(list)-1 && len(b)%size != 0 {
			t.report(RuleRowCount, p.at, "%d bytes are left behind the last row of %d bytes", len(b)%size, size)
		}
		for k := 0; k+size <= len(b) && !t.over(); k += size {
			r := row{t, b[k : k+size], p.at + int64(k)}
			t.ids, t.vers = append(t.ids, u32(r.data, 0)), append(t.vers, u32(r.data, 4))
			t.cells(r)
			if show != nil {
				show(r)
			}
		}
	}
}

// cells checks the cells of a row.
func (t *table) cells(r row) {
	for _, c := range t.cols {
		if !r.set(c) {
			continue
		}
		b := r.data[c.from : c.from+c.size]
		if c.tag.Type() == pst.Boolean && b[0] > 1 {
			t.report(RuleBoolean, r.at+int64(c.from), "the boolean %v of the row %v is %#x", c.tag, r.id(), b[0])
		}
		if !c.inline() {
			t.heap.value(c.tag.ID(), c.tag.Type(), u32(b, 0), r.at+int64(c.from))
		}
	}
	if b := r.data[t.ends[2]]; b&0xC0 != 0xC0 { // bits 0 and 1, see columns
		t.report(RuleRowBits, r.at+int64(t.ends[2]), "the row %v says that it has no LtpRowId or no LtpRowVer", r.id())
	}
	for i := len(t.cols); i < 8*(t.ends[3]-t.ends[2]); i++ {
		if r.set(column{bit: i}) && !slices.ContainsFunc(t.cols, func(c column) bool { return c.bit == i }) {
			t.report(RuleRowBits, r.at+int64(t.ends[2]), "a bit of the row %v is set that belongs to no column", r.id())
			return
		}
	}
}

// rowIndex checks that the RowIndex and the matrix say the same, [MS-PST] 2.3.4.3.
func (t *table) rowIndex(id hid) {
	ok := t.tree(id, 4, t.rowID, func(at int64, b []byte) {
		t.index++
		n, k := u32(b, 0), int(u32(b, 4))
		switch {
		case k >= len(t.ids):
			t.report(RuleRowIndex, at, "the row %#x is number %d of %d", n, k, len(t.ids))
		case t.ids[k] != n:
			t.report(RuleRowID, at, "row number %d is %#x by the index, and %#x by its LtpRowId", k, n, t.ids[k])
		}
	})
	if ok && t.index != len(t.ids) {
		t.report(RuleRowCount, t.blocks[t.list[0]].ib(), "the index has %d rows, the matrix has %d: rows that lie across blocks are counted otherwise", t.index, len(t.ids))
	}
}

// versions checks that each LtpRowVer is there once.
func (t *table) versions() {
	slices.Sort(t.vers)
	for i := 1; i < len(t.vers); i++ {
		if t.vers[i] == t.vers[i-1] {
			t.report(RuleRowVer, t.blocks[t.list[0]].ib(), "LtpRowVer %#x belongs to two rows", t.vers[i])
			return
		}
	}
	t.vers = nil
}
