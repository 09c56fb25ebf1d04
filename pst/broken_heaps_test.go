package pst_test

import (
	"keepwatch/pst"
	"keepwatch/pst/check"
)

// storeHeap edits the first block of the message store.
func storeHeap(edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.block(p.data(pst.NIDStore), edit) }
}

// storeMap edits the page map of the message store: cAlloc, cFree at 2, offsets from 4 on.
func storeMap(edit func(b []byte)) func(p *patch) {
	return storeHeap(func(b []byte) { edit(b[le.Uint16(b):]) })
}

// storeTree edits the BTHHEADER of the message store.
func storeTree(edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.item(p.data(pst.NIDStore), p.user(p.data(pst.NIDStore)), edit) }
}

// contents is the contents table of the folder that the writer made first, with 460 messages.
const contents pst.NID = 0x80AE

var brokenHeaps = []broken{
	{name: "folder without data", rule: check.RuleHeapMissing, file: empty, also: []check.Rule{check.RuleUnreferenced},
		do: func(p *patch) { p.node(pst.NIDStore, put64(8, 0)) }},
	{name: "heap signature", rule: check.RuleHeapSig, file: empty, do: storeHeap(put8(2, 0xED))},
	{name: "heap not encoded", rule: check.RuleHeapSig, file: empty, do: storeHeap(func(b []byte) { pst.CryptPermute.Decode(b, 0) })},
	{name: "heap client signature", rule: check.RuleHeapClient, file: empty, do: storeHeap(put8(3, 0x7C))},
	{name: "odd page map", rule: check.RuleHeapAlign, file: empty, do: storeHeap(func(b []byte) { b[0]++ })},
	{name: "page map outside the block", rule: check.RuleHeapMap, file: empty, do: storeHeap(put16(0, 0xFF00))},
	{name: "too many heap items", rule: check.RuleHeapCount, file: empty, do: storeMap(put16(0, 3000))},
	{name: "heap items not in order", rule: check.RuleHeapItems, file: empty, do: storeMap(put16(6, 0x200))},
	{name: "heap item too large", rule: check.RuleHeapItemSize, file: "few", many: true, do: func(p *patch) {
		bid := p.tree(p.data(contents))[1]
		p.block(bid, func(b []byte) {
			m := int(le.Uint16(b))
			for k := 1; k < int(le.Uint16(b[m:])); k++ {
				le.PutUint16(b[m+4+2*k:], 2)
			}
		})
	}},
	{name: "free count", rule: check.RuleHeapFree, file: empty, do: storeMap(put16(2, 1))},
	{name: "gap before the page map", rule: check.RuleHeapGap, file: empty, also: []check.Rule{check.RuleStore, check.RuleEntryID}, do: storeMap(func(b []byte) {
		at := 4 + 2*int(le.Uint16(b))
		le.PutUint16(b[at:], le.Uint16(b[at:])-2)
	})},
	{name: "fill level", rule: check.RuleHeapFill, file: empty, do: storeHeap(put8(8, 5))},
	{name: "fill level of a later block", rule: check.RuleHeapFill, file: "few", do: func(p *patch) {
		p.block(p.tree(p.data(contents))[8], func(b []byte) { b[2] = b[2]&0xF0 | (b[2]&15^1)&15 | 2 })
	}},
	{name: "fill level of no block", rule: check.RuleHeapFill, file: empty, do: storeHeap(put8(11, 0xF0))},
	{name: "tree header", rule: check.RuleTreeHead, file: empty, do: storeTree(put8(0, 0))},
	{name: "tree record sizes", rule: check.RuleTreeSizes, file: empty, do: storeTree(put8(2, 5))},
	{name: "tree levels", rule: check.RuleTreeLevel, file: empty, do: storeTree(put8(3, 9))},
	{name: "tree item not there", rule: check.RuleTreeItem, file: empty, do: storeTree(put32(4, 0x7E0))},
	{name: "circle in a tree", rule: check.RuleTreeOrder, file: "few", many: true, do: func(p *patch) {
		data := p.data(contents)
		root := p.word(data, p.word(data, p.user(data), 10), 4)
		p.item(data, root, put32(4, root))
	}},
	{name: "tree key", rule: check.RuleTreeKey, file: "few", many: true, do: func(p *patch) {
		data := p.data(contents)
		p.item(data, p.word(data, p.word(data, p.user(data), 10), 4), func(b []byte) { b[8]++ })
	}},
	{name: "tree order", rule: check.RuleTreeOrder, file: empty, do: func(p *patch) {
		data := p.data(pst.NIDStore)
		p.item(data, p.word(data, p.user(data), 4), func(b []byte) { swap(b, 0, 8, 8) })
	}},
}

// prop edits a property's record of a node.
func prop(n pst.NID, id uint16, edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.prop(p.data(n), id, edit) }
}

// group is the distribution list of the sample.
const group pst.NID = 0x200024

var brokenProperties = []broken{
	{name: "property type", rule: check.RuleType, file: empty, do: prop(pst.NIDStore, 0x6633, put16(2, 0x0099))},
	{name: "boolean 7", rule: check.RuleBoolean, file: empty, do: prop(pst.NIDStore, 0x6633, put32(4, 7))},
	{name: "value in no heap item", rule: check.RuleValueItem, file: list, do: prop(group, 0x0C1A, put32(4, 0xFFE0)), also: []check.Rule{check.RuleContentsRow}},
	{name: "value in no subnode", rule: check.RuleValueNode, file: list, also: []check.Rule{check.RuleValueUnused}, do: prop(appointment, 0x1009, put32(4, 0x9FFF))},
	{name: "value in an attachment", rule: check.RuleValueType, file: list, also: []check.Rule{check.RuleValueUnused}, do: prop(appointment, 0x1009, put32(4, 0x80A5))},
	{name: "value of no property", rule: check.RuleValueUnused, file: list, do: prop(appointment, 0x1009, put32(4, 0))},
	{name: "time of 6 bytes", rule: check.RuleValueSize, file: list, also: []check.Rule{check.RuleContentsRow, check.RuleHeapShared}, do: func(p *patch) {
		var hid uint32
		p.prop(p.data(group), 0x0C1E, func(b []byte) { hid = le.Uint32(b[4:]) })
		p.prop(p.data(group), 0x3007, func(b []byte) { le.PutUint32(b[4:], hid) })
	}},
	{name: "two texts in one item", rule: check.RuleHeapShared, file: list, also: []check.Rule{check.RuleContentsRow}, do: func(p *patch) {
		var hid uint32
		p.prop(p.data(group), 0x0C1E, func(b []byte) { hid = le.Uint32(b[4:]) })
		p.prop(p.data(group), 0x0064, func(b []byte) { le.PutUint32(b[4:], hid) })
	}},
	{name: "item of no value", rule: check.RuleHeapUnused, file: list, do: prop(group, 0x0064, put32(4, 0))},
	{name: "time of nothing", rule: check.RuleValueSize, file: list, also: []check.Rule{check.RuleContentsRow}, do: prop(group, 0x3007, put32(4, 0))},
	{name: "lone surrogate", rule: check.RuleText, file: list, also: []check.Rule{check.RuleContentsRow}, do: func(p *patch) {
		p.value(p.data(group), 0x0C1A, put16(0, 0xD800))
	}},
	{name: "list with a wrong count", rule: check.RuleList, file: list, do: func(p *patch) { p.value(p.data(group), 0x8090, put32(0, 0xFFFF)) }},
	{name: "list with a wrong offset", rule: check.RuleList, file: list, do: func(p *patch) { p.value(p.data(group), 0x8090, put32(8, 0)) }},
}

// deletedTable is a table with 13 columns and no rows, rootTable one with four rows.
const (
	deletedTable pst.NID = 0x806D
	rootTable    pst.NID = 0x12D
)

// info edits TCINFO of a table without rows.
func info(edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.info(p.data(deletedTable), edit) }
}

// columnAt edits a column of it.
func columnAt(tag pst.Tag, edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.column(p.data(deletedTable), tag, edit) }
}

// cellAt edits a cell of the root folder's hierarchy table.
func cellAt(row int, tag pst.Tag, edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.cell(p.data(rootTable), row, tag, edit) }
}

// indexAt edits its RowIndex.
func indexAt(edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.index(p.data(rootTable), edit) }
}

var lost = []check.Rule{check.RuleOrphanFolder}

var brokenTables = []broken{
	{name: "table signature", rule: check.RuleTableHead, file: empty, do: info(put8(0, 0))},
	{name: "column count", rule: check.RuleTableHead, file: empty, do: info(put8(1, 20))},
	{name: "hidIndex", rule: check.RuleTableIndex, file: empty, do: info(put32(18, 0x20))},
	{name: "levels of nothing", rule: check.RuleTreeLevel, file: empty, do: func(p *patch) {
		p.item(p.data(deletedTable), p.word(p.data(deletedTable), p.user(p.data(deletedTable)), 10), put8(3, 1))
	}},
	{name: "table that Outlook keeps for itself", rule: check.RuleColumnSize, file: empty, do: func(p *patch) {
		p.column(p.data(pst.NIDReplTable), pst.PidTagLtpRowVer, put8(6, 2))
	}},
	{name: "criteria of a search", rule: check.RuleType, file: empty, do: prop(pst.NIDSpamSearch.As(pst.NodeSearchCrit), 0x660B, put16(2, 0x99))},
	{name: "rgib", rule: check.RuleTableEnds, file: empty, do: info(put16(2, 60))},
	{name: "bitmap size", rule: check.RuleTableBits, file: empty, do: info(put16(8, 56))},
	{name: "first columns", rule: check.RuleTableFirst, file: empty, do: info(func(b []byte) {
		columnOf(nil, b, pst.PidTagLtpRowId)[7], columnOf(nil, b, pst.PidTagLtpRowVer)[7] = 1, 0
	})},
	{name: "columns not sorted", rule: check.RuleColumnOrder, file: empty, do: info(func(b []byte) { swap(b, 22, 30, 8) })},
	{name: "column size", rule: check.RuleColumnSize, file: empty, do: columnAt(pst.PidTagContentCount, put8(6, 2))},
	{name: "column among the bytes", rule: check.RuleColumnPlace, file: empty, do: columnAt(pst.PidTagContentCount, put16(4, 50))},
	{name: "column on another", rule: check.RuleColumnOverlap, file: empty, do: columnAt(pst.PidTagContentCount, put16(4, 8))},
	{name: "bit of another column", rule: check.RuleColumnBit, file: empty, do: columnAt(pst.PidTagContentCount, put8(7, 0))},
	{name: "column of a template missing", rule: check.RuleColumnMissing, file: empty, do: func(p *patch) {
		p.column(p.data(pst.NIDHierarchyTemplate), pst.PidTagContainerClass, put16(2, 0x3614))
	}},
	{name: "column of a template of another type", rule: check.RuleColumnType, file: empty, do: func(p *patch) {
		p.column(p.data(pst.NIDHierarchyTemplate), pst.PidTagContainerClass, put16(0, 0x0102))
	}},
	{name: "rows not there", rule: check.RuleMatrix, file: empty, also: lost, do: func(p *patch) { p.info(p.data(rootTable), put32(14, 0x7E0)) }},
	{name: "rows in no subnode", rule: check.RuleMatrix, file: empty, also: lost, do: func(p *patch) { p.info(p.data(rootTable), put32(14, 0x801F)) }},
	{name: "row not indexed", rule: check.RuleRowCount, file: empty, also: []check.Rule{check.RuleTreeItem}, do: func(p *patch) {
		data := p.data(rootTable) // an index without its root has no records
		p.item(data, p.word(data, p.user(data), 10), put32(4, 0))
	}},
	{name: "row number 99", rule: check.RuleRowIndex, file: empty, do: indexAt(put32(4, 99))},
	{name: "row ids exchanged", rule: check.RuleRowID, file: empty, do: indexAt(func(b []byte) { swap(b, 4, 12, 4) })},
	{name: "row version twice", rule: check.RuleRowVer, file: empty, do: func(p *patch) {
		p.rows(p.data(rootTable), func(b []byte, size int) { copy(b[4:8], b[size+4:]) })
	}},
	{name: "bit of no column", rule: check.RuleRowBits, file: empty, do: func(p *patch) {
		p.rows(p.data(rootTable), func(b []byte, size int) { b[size-1] |= 1 })
	}},
	{name: "boolean of a row", rule: check.RuleBoolean, file: empty, also: []check.Rule{check.RuleHierarchyRow}, do: cellAt(0, pst.PidTagSubfolders, put8(0, 9))},
	{name: "row without LtpRowId", rule: check.RuleRowBits, file: empty, do: func(p *patch) { p.unset(p.data(rootTable), 1, pst.PidTagLtpRowId) }},
	{name: "value of a row not there", rule: check.RuleValueItem, file: empty, do: cellAt(0, pst.PidTagDisplayName, put32(0, 0xFFE0))},
	{name: "rows across blocks", rule: check.RuleRowID, file: "few", many: true, do: func(p *patch) {
		bid, at := p.subnode(p.sub(contents), pst.NID(p.word(p.data(contents), p.user(p.data(contents)), 14)))
		leaves := p.tree(le.Uint64(p.read(bid)[at+8:]))
		size := int(p.word(p.data(contents), p.user(p.data(contents)), 8) & 0xFFFF)
		first, second := leaves[0], leaves[1]
		spare := 8176 % size
		next := p.read(second)
		p.block(first, func(b []byte) { copy(b[8176-spare:], next) })
		p.block(second, func(b []byte) { copy(b, b[spare:]) })
	}},
}
