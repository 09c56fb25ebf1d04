package pst_test

import (
	"keepwatch/pst"
	"keepwatch/pst/check"
)

// nameStream edits a stream of the name-to-id map.
func nameStream(id uint16, edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.value(p.data(pst.NIDNameMap), id, edit) }
}

const (
	guids   = 2
	entries = 3
	texts   = 4
)

var brokenNames = []broken{
	{name: "no strings", rule: check.RuleNameStream, file: empty, do: prop(pst.NIDNameMap, texts, put32(4, 0))},
	{name: "strings of another type", rule: check.RuleNameStream, file: empty, do: prop(pst.NIDNameMap, texts, put16(2, 0x1F))},
	{name: "bucket count", rule: check.RuleNameBuckets, file: empty, also: []check.Rule{check.RuleNameBucket}, do: prop(pst.NIDNameMap, 1, put32(4, 250))},
	{name: "property set not there", rule: check.RuleNameGUID, file: empty, also: []check.Rule{check.RuleNameBucket}, do: nameStream(entries, put16(4, 50<<1))},
	{name: "property set twice", rule: check.RuleNameGUID, file: empty, do: nameStream(guids, func(b []byte) { copy(b[:16], b[16:32]) })},
	{name: "index does not count up", rule: check.RuleNameIndex, file: empty, do: nameStream(entries, put16(6, 99))},
	{name: "string not there", rule: check.RuleNameString, file: empty, also: []check.Rule{check.RuleNameHash}, do: nameStream(entries, func(b []byte) {
		for i := 0; i < len(b); i += 8 {
			if b[i+4]&1 != 0 {
				le.PutUint32(b[i:], 0xFFFFF0)
				return
			}
		}
	})},
	{name: "number twice", rule: check.RuleNameTwice, file: empty, also: []check.Rule{check.RuleNameHash}, do: nameStream(entries, func(b []byte) { copy(b[8:14], b[:6]) })},
	{name: "text twice but for its case", rule: check.RuleNameTwice, file: "few", many: true, do: func(p *patch) {
		p.value(p.data(pst.NIDNameMap), entries, func(b []byte) {
			for i := 0; i+8 < len(b); i += 8 {
				copy(b[i+8:i+14], b[i:i+6])
			}
		})
	}},
	{name: "hash of a name", rule: check.RuleNameHash, file: empty, do: nameStream(0x1000, func(b []byte) { b[0]++ }), also: []check.Rule{check.RuleNameBucket}},
	{name: "record of no entry in a bucket", rule: check.RuleNameBucket, file: empty, do: nameStream(0x1000, put16(6, 999))},
	{name: "named property that is not in the map", rule: check.RuleNameUnknown, file: list, do: prop(appointment, 0x814C, put16(0, 0x8FFF))},
}

// entryID edits the entry id of a folder in the store.
func entryID(id uint16, edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.value(p.data(pst.NIDStore), id, edit) }
}

// rename gives a node another NID.
func rename(from, to pst.NID) func(p *patch) {
	return func(p *patch) { p.node(from, put32(0, uint32(to))) }
}

var brokenStores = []broken{
	{name: "no outgoing queue", rule: check.RuleMandatory, file: empty, do: rename(pst.NIDOutgoingQueue, 0x64B)},
	{name: "reserved NID of a folder", rule: check.RuleReserved, file: list, many: true, do: rename(0x2223, 0x2222)},
	{name: "no finder", rule: check.RuleStore, file: empty, do: prop(pst.NIDStore, 0x35E7, put16(0, 0x35E8))},
	{name: "record key of another size", rule: check.RuleStore, file: empty, also: []check.Rule{check.RuleEntryID, check.RuleHeapShared}, do: func(p *patch) {
		var hid uint32
		p.prop(p.data(pst.NIDStore), 0x35E0, func(b []byte) { hid = le.Uint32(b[4:]) })
		p.prop(p.data(pst.NIDStore), 0x0FF9, put32(4, hid))
	}},
	{name: "entry id of no folder", rule: check.RuleEntryID, file: empty, do: entryID(0x35E3, put32(20, 0x9062))},
	{name: "entry id of another file", rule: check.RuleEntryID, file: empty, do: entryID(0x35E3, func(b []byte) { b[4]++ })},
	{name: "search activity of no folder", rule: check.RuleActivity, file: empty, do: func(p *patch) { p.block(p.data(pst.NIDSearchActivity), put32(0, 0x2243)) }},
	{name: "search activity list empty", rule: check.RuleActivity, file: empty, also: []check.Rule{check.RuleUnreferenced},
		do: func(p *patch) { p.node(pst.NIDSearchActivity, put64(8, 0)) }},
	{name: "receive folder not there", rule: check.RuleReceive, file: empty, do: func(p *patch) { p.cell(p.data(pst.NIDReceiveFolders), 0, 0x66050003, put32(0, 0x9122)) }},
	{name: "no row for the empty class", rule: check.RuleReceive, file: empty, do: func(p *patch) { p.unset(p.data(pst.NIDReceiveFolders), 0, pst.PidTagMessageClass) }},
	{name: "template with rows", rule: check.RuleTemplateRows, file: empty, also: []check.Rule{check.RuleUnreferenced, check.RuleCRef},
		do: func(p *patch) { p.node(pst.NIDHierarchyTemplate, put64(8, p.data(rootTable))) }},
}

var brokenFolders = []broken{
	{name: "folder property", rule: check.RuleFolder, file: empty, also: []check.Rule{check.RuleHierarchyRow}, do: prop(pst.NIDDeletedItems, 0x360A, put16(0, 0x360B))},
	{name: "one of the four nodes", rule: check.RuleFolderNodes, file: empty, also: []check.Rule{check.RuleNIDs}, do: rename(0x808F, 0x8090)},
	{name: "table without a folder", rule: check.RuleOrphanTable, file: empty, also: []check.Rule{check.RuleFolderNodes, check.RuleNIDs}, do: rename(0x808F, 0x80AF)},
	{name: "parent of a folder", rule: check.RuleParent, file: empty, do: func(p *patch) { p.node(pst.NIDDeletedItems, put32(24, 0x122)) }},
	{name: "parent of the root folder", rule: check.RuleParent, file: empty, do: func(p *patch) { p.node(pst.NIDRoot, put32(24, 0)) }},
	{name: "parent of a table", rule: check.RuleParent, file: empty, do: func(p *patch) { p.node(0x806E, put32(24, 0x8062)) }},
	{name: "subfolders", rule: check.RuleSubfolders, file: empty, also: []check.Rule{check.RuleHierarchyRow}, do: prop(pst.NIDDeletedItems, 0x360A, put32(4, 1))},
	{name: "content count", rule: check.RuleContentCount, file: empty, also: []check.Rule{check.RuleHierarchyRow}, do: prop(pst.NIDDeletedItems, 0x3602, put32(4, 5))},
	{name: "unread count", rule: check.RuleUnread, file: empty, also: []check.Rule{check.RuleHierarchyRow}, do: prop(pst.NIDDeletedItems, 0x3603, put32(4, 5))},
	{name: "hierarchy row", rule: check.RuleHierarchyRow, file: empty, do: cellAt(0, pst.PidTagContentUnreadCount, put32(0, 3))},
	{name: "row of no folder", rule: check.RuleRowDangling, file: empty, also: lost, do: func(p *patch) {
		p.rows(p.data(rootTable), func(b []byte, size int) { le.PutUint32(b[3*size:], 0x80A2) })
		p.index(p.data(rootTable), func(b []byte) { le.PutUint32(b[len(b)-8:], 0x80A2) })
	}},
	{name: "messages in an associated contents table", rule: check.RuleRowType, file: list, many: true, do: func(p *patch) {
		data := p.data(0x814E)
		p.node(0x814E, put64(8, p.data(0x814F)))
		p.node(0x814F, put64(8, data))
	}},
	{name: "folder listed twice", rule: check.RuleListedTwice, file: empty, many: true, do: func(p *patch) {
		p.node(0x804D, put64(8, p.data(rootTable)))
	}},
	{name: "message not listed", rule: check.RuleOrphan, file: list, many: true, do: func(p *patch) {
		p.node(0x814E, put64(8, p.data(0x806E)))
	}},
	{name: "folder not listed", rule: check.RuleOrphanFolder, file: empty, many: true, do: func(p *patch) {
		p.node(0x802D, put64(8, p.data(0x806D)))
	}},
	{name: "folders in a circle", rule: check.RuleCircle, file: "few", also: []check.Rule{check.RuleParent}, do: func(p *patch) {
		p.node(0x80A2, put32(24, 0x80C2))
	}},
}
