package pst_test

import (
	"keepwatch/pst"
	"keepwatch/pst/check"
)

// Nodes whose content means nothing to the check, so that their blocks can be damaged alone.
const (
	some    pst.NID = 0x6B6
	another pst.NID = 0x6D7
)

// entryOf edits the entry of the block of a node that means nothing.
func entryOf(edit func(e []byte)) func(p *patch) {
	return func(p *patch) { p.blockEntry(p.data(some), edit) }
}

// trailerOf edits the trailer of that block.
func trailerOf(edit func(b []byte)) func(p *patch) {
	return func(p *patch) { edit(p.trailer(p.data(some))) }
}

var brokenBlocks = []broken{
	{name: "reserved bit of a BID", rule: check.RuleBIDBit, file: empty, do: entryOf(func(e []byte) { e[0] |= 1 })},
	{name: "reserved bit of a reference", rule: check.RuleBIDBit, file: empty, do: func(p *patch) { p.node(some, func(e []byte) { e[8] |= 1 }) }},
	{name: "block of no bytes", rule: check.RuleBlockSize, file: empty, many: true, do: entryOf(put16(16, 0))},
	{name: "block of too many bytes", rule: check.RuleBlockSize, file: empty, many: true, do: entryOf(put16(16, 8177))},
	{name: "block at no multiple of 64", rule: check.RuleBlockAlign, file: empty, also: []check.Rule{check.RuleFreeUsed}, do: entryOf(plus64(8, 8))},
	{name: "block outside the file", rule: check.RuleBlockPlace, file: empty, also: []check.Rule{check.RuleFreeUsed}, do: entryOf(put64(8, 1<<40))},
	{name: "block before the data section", rule: check.RuleBlockPlace, file: empty, also: []check.Rule{check.RuleFreeUsed}, do: entryOf(put64(8, 0x400))},
	{name: "block across an AMap", rule: check.RuleBlockCrosses, file: "few", many: true, do: entryOf(put64(8, 0x4400+253952-64))},
	{name: "block not in the tree", rule: check.RuleBlockMissing, file: empty, also: []check.Rule{check.RuleUnreferenced},
		do: func(p *patch) { p.node(some, put64(8, 0x7FFF0)) }},
	{name: "byte count of a block", rule: check.RuleBlockCB, file: empty, do: trailerOf(put16(0, 5))},
	{name: "BID of a block", rule: check.RuleBlockBID, file: empty, do: func(p *patch) {
		ib, _ := p.place(p.data(some))
		b := p.trailer(p.data(some))
		le.PutUint64(b[8:], 0x7FFF0)
		le.PutUint16(b[2:], pst.Signature(uint64(ib), 0x7FFF0))
	}},
	{name: "signature of a block", rule: check.RuleBlockSig, file: empty, do: trailerOf(func(b []byte) { b[2] ^= 1 })},
	{name: "checksum of a block", rule: check.RuleBlockCRC, file: empty, do: trailerOf(func(b []byte) { b[4] ^= 1 })},
	{name: "checksum before encoding", rule: check.RuleBlockCRC, file: empty, do: trailerOfData(func(p *patch, b []byte) {
		le.PutUint32(b[4:], pst.Checksum(p.read(p.data(some))))
	})},
	{name: "checksum with the padding", rule: check.RuleBlockCRC, file: empty, do: trailerOfData(func(p *patch, b []byte) {
		ib, cb := p.place(p.data(some))
		p.b[ib+int64(cb)] ^= 1
		le.PutUint32(b[4:], pst.Checksum(p.b[ib:ib+int64(cb+16+63)/64*64-16]))
	})},
	{name: "unreferenced block", rule: check.RuleUnreferenced, file: empty, do: func(p *patch) { p.node(some, put64(8, 0)) }},
	{name: "reference count 1", rule: check.RuleCRef, file: empty, do: entryOf(put16(18, 1))},
	{name: "reference count 3", rule: check.RuleCRef, file: empty, do: entryOf(put16(18, 3))},
	{name: "NID of more than 32 bits", rule: check.RuleNodeWide, file: empty, also: []check.Rule{check.RuleKeyRange, check.RuleKeyOrder},
		do: func(p *patch) { p.node(some, put8(5, 1)) }},
}

func trailerOfData(edit func(p *patch, b []byte)) func(p *patch) {
	return func(p *patch) { edit(p, p.trailer(p.data(some))) }
}

// appointment is the message of the sample that has subnodes, and attachments with messages in them.
const appointment pst.NID = 0x2000C4

// subs edits its block of subnodes.
func subs(edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.block(p.sub(appointment), edit) }
}

// tall gives the first block of that btype and level.
func tall(p *patch, kind, level byte) uint64 {
	for _, page := range p.leaves('b') {
		for i := range int(p.b[page+488]) {
			bid := le.Uint64(p.b[page+int64(24*i):])
			if bid&2 == 0 {
				continue
			}
			if b := p.read(bid); b[0] == kind && b[1] == level {
				return bid
			}
		}
	}
	p.Fatalf("no block has the type %d and the level %d", kind, level)
	return 0
}

// inTall edits it.
func inTall(kind, level byte, edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.block(tall(p, kind, level), edit) }
}

var brokenTrees = []broken{
	{name: "padding of a subnode block", rule: check.RulePadding, file: list, do: subs(put8(4, 1))},
	{name: "internal block of no type", rule: check.RuleInternal, file: list, many: true, do: subs(put8(0, 7))},
	{name: "internal block encoded", rule: check.RuleInternalEncoded, file: list, many: true, do: subs(func(b []byte) { pst.CryptPermute.Encode(b, 0) })},
	{name: "data where subnodes belong", rule: check.RuleBlockKind, file: empty, also: []check.Rule{check.RuleCRef},
		do: func(p *patch) { p.node(some, put64(16, p.data(some))) }},
	{name: "subnodes where data belong", rule: check.RuleBlockKind, file: list, many: true, do: func(p *patch) {
		p.node(some, put64(8, p.sub(appointment)))
	}},
	{name: "count of an XBLOCK", rule: check.RuleXCount, file: "few", many: true, do: inTall(1, 1, put16(2, 2000))},
	{name: "XBLOCK of nothing", rule: check.RuleBlockMissing, file: "few", many: true, do: inTall(1, 1, put64(8, 0))},
	{name: "short block in a data tree", rule: check.RuleNotFull, file: "few", many: true, do: inTall(1, 1, func(b []byte) {
		swap(b, 8, len(b)-8, 8)
	})},
	{name: "short XBLOCK in a data tree", rule: check.RuleNotFull, file: "large", do: inTall(1, 2, func(b []byte) {
		swap(b, 8, len(b)-8, 8)
	})},
	{name: "length of an XBLOCK", rule: check.RuleTotal, file: "few", many: true, do: inTall(1, 1, func(b []byte) { b[4]++ })},
	{name: "length of an XXBLOCK", rule: check.RuleTotal, file: "large", also: []check.Rule{check.RuleAttachSize}, do: inTall(1, 2, func(b []byte) { b[4]++ })},
	{name: "count of an SLBLOCK", rule: check.RuleSLCount, file: list, many: true, do: subs(func(b []byte) { b[2]++ })},
	{name: "subnodes not sorted", rule: check.RuleSLOrder, file: list, many: true, do: subs(func(b []byte) { swap(b, 8, 32, 24) })},
	{name: "key of an SIBLOCK", rule: check.RuleSIKey, file: "few", do: inTall(2, 1, func(b []byte) { b[8]-- })},
	{name: "SLBLOCKs not sorted", rule: check.RuleSLOrder, file: "few", many: true, do: inTall(2, 1, func(b []byte) { swap(b, 8, 24, 16) })},
	{name: "one tree for all messages", rule: check.RuleShared, file: "large", many: true, do: func(p *patch) {
		shared := tall(p, 1, 2)
		for i := range 400 {
			p.node(pst.NewNID(pst.NodeMessage, 0x10001+uint32(i)), put64(8, shared))
		}
	}},
}
