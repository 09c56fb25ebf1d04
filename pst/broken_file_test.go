package pst_test

import (
	"keepwatch/pst"
	"keepwatch/pst/check"
)

const (
	empty = "ms-Empty.pst"
	list  = "java-libpst-dist-list.pst"
)

// head damages the header, and puts its checksums right again.
func head(edit func(b []byte)) func(p *patch) { return func(p *patch) { p.header(edit) } }

func put16(at int, v uint16) func(b []byte) { return func(b []byte) { le.PutUint16(b[at:], v) } }
func put32(at int, v uint32) func(b []byte) { return func(b []byte) { le.PutUint32(b[at:], v) } }
func put64(at int, v uint64) func(b []byte) { return func(b []byte) { le.PutUint64(b[at:], v) } }
func put8(at int, v byte) func(b []byte)    { return func(b []byte) { b[at] = v } }

// plus64 adds to eight bytes.
func plus64(at int, v int64) func(b []byte) {
	return func(b []byte) { le.PutUint64(b[at:], le.Uint64(b[at:])+uint64(v)) }
}

// swap exchanges n bytes.
func swap(b []byte, i, j, n int) {
	for k := range n {
		b[i+k], b[j+k] = b[j+k], b[i+k]
	}
}

var brokenHeaders = []broken{
	{name: "magic", rule: check.RuleMagic, file: empty, do: head(put8(0, 'X'))},
	{name: "cut in the header", rule: check.RuleShort, file: empty, do: func(p *patch) { p.b = p.b[:300] }},
	{name: "cut in the Unicode header", rule: check.RuleShort, file: empty, do: func(p *patch) { p.b = p.b[:530] }},
	{name: "client magic", rule: check.RuleMagicClient, file: empty, do: head(put8(8, 'X'))},
	{name: "version", rule: check.RuleVersion, file: empty, do: head(put16(10, 24))},
	{name: "pages of 4K", rule: check.RuleVersion, file: empty, do: head(put16(10, 36))},
	{name: "client version", rule: check.RuleVersionClient, file: empty, do: head(put16(12, 20))},
	{name: "platform", rule: check.RulePlatform, file: empty, do: head(put8(15, 0))},
	{name: "partial checksum", rule: check.RuleHeaderCRC, file: empty, do: func(p *patch) { p.b[4] ^= 1 }},
	{name: "full checksum", rule: check.RuleHeaderCRC, file: empty, do: func(p *patch) { p.b[524] ^= 1 }},
	{name: "reserved bytes", rule: check.RuleHeaderReserved, file: empty, do: head(put8(514, 1))},
	{name: "deprecated maps", rule: check.RuleHeaderMaps, file: empty, do: head(put8(300, 0))},
	{name: "sentinel", rule: check.RuleSentinel, file: empty, do: head(put8(512, 0x81))},
	{name: "crypt method", rule: check.RuleCrypt, file: empty, do: head(put8(513, 9))},
	{name: "end of file", rule: check.RuleEOF, file: empty, do: head(plus64(184, 64))},
	{name: "half a region more", rule: check.RuleLength, file: empty, also: []check.Rule{check.RuleAMap, check.RuleLastAMap, check.RuleAMapFree},
		do: func(p *patch) { p.b = append(p.b, make([]byte, 1024)...); p.header(plus64(184, 1024)) }},
	{name: "ends before its first AMap", rule: check.RuleLength, file: empty, do: func(p *patch) { p.b = p.b[:0x4400]; p.header(put64(184, 0x4400)) }},
	{name: "last AMap", rule: check.RuleLastAMap, file: empty, do: head(put64(192, 0x4600))},
	{name: "free bytes", rule: check.RuleAMapFree, file: empty, do: head(plus64(200, 64))},
	{name: "free bytes of PMaps", rule: check.RulePMapFree, file: empty, do: head(put64(208, 512))},
	{name: "maps not valid", rule: check.RuleMapsValid, file: empty, do: head(put8(248, 0))},
	{name: "next page BID", rule: check.RuleNextP, file: empty, do: head(put64(32, 1))},
	{name: "next block BID", rule: check.RuleNextB, file: empty, do: head(put64(516, 8))},
	{name: "last folder", rule: check.RuleNIDs, file: empty, do: head(put32(44+4*int(pst.NodeFolder), 0x403))},
	{name: "last subnode", rule: check.RuleNIDs, file: list, do: head(put32(44+4*int(pst.NodeLTP), 0x400))},
}

const amap = 0x4400

var brokenMaps = []broken{
	{name: "no AMap", rule: check.RuleAMap, file: empty, do: func(p *patch) { p.page(amap, put8(496, 0)) }},
	{name: "no PMap", rule: check.RulePMap, file: empty, do: func(p *patch) { p.page(amap+512, put8(497, 0)) }},
	{name: "no FMap", rule: check.RuleFMap, file: "large", do: func(p *patch) { p.page(0x1F04800, put8(496, 0)) }},
	{name: "signature of an AMap", rule: check.RuleMapSig, file: empty, do: func(p *patch) { p.page(amap, put8(498, 1)) }},
	{name: "BID of an AMap", rule: check.RuleMapBID, file: empty, do: func(p *patch) { p.page(amap, put64(504, 0x4401)) }},
	{name: "BID of a PMap", rule: check.RuleMapBID, file: empty, do: func(p *patch) { p.page(amap+512, put64(504, 7)) }},
	{name: "checksum of an AMap", rule: check.RuleMapCRC, file: empty, do: func(p *patch) { p.b[amap+500] ^= 1 }},
	{name: "used but free", rule: check.RuleUsedFree, file: empty, do: func(p *patch) {
		p.page(amap, func(b []byte) { b[0] &^= 0x80 })
		p.header(plus64(200, 64))
	}},
	{name: "free but used", rule: check.RuleFreeUsed, file: empty, do: func(p *patch) {
		p.page(amap, func(b []byte) { b[495] |= 1 })
		p.header(plus64(200, -64))
	}},
	{name: "two blocks at one place", rule: check.RuleOverlap, file: empty, many: true, do: func(p *patch) {
		ib, _ := p.place(p.data(0x6B6))
		p.blockEntry(p.data(0x6D7), put64(8, uint64(ib)))
	}},
	{name: "FMap byte", rule: check.RuleFMapByte, file: "large", do: func(p *patch) { p.page(0x1F04800, func(b []byte) { b[0] ^= 0x55 }) }},
	{name: "page in use but free", rule: check.RulePMapUsed, file: empty, do: func(p *patch) {
		p.page(amap+512, func(b []byte) { b[0] &^= 0x40 })
		p.header(put64(208, 512))
	}},
	{name: "density list", rule: check.RuleDList, file: empty, do: func(p *patch) {
		p.page(0x4200, func(b []byte) { b[1] = 1; le.PutUint32(b[8:], 5|100<<20); b[496], b[497] = 0x86, 0x86 })
	}},
}

// inner edits the first entry of the root page of the node tree.
func inner(edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.page(p.root('n'), edit) }
}

// leaf edits the second leaf page of the node tree.
func leaf(edit func(b []byte)) func(p *patch) {
	return func(p *patch) { p.page(p.leaves('n')[1], edit) }
}

var brokenPages = []broken{
	{name: "padding of a page", rule: check.RulePadding, file: empty, do: inner(put8(492, 1))},
	{name: "page at no multiple of 512", rule: check.RulePageAlign, file: empty, many: true, do: inner(plus64(24+16, 64))},
	{name: "page twice", rule: check.RulePageTwice, file: empty, many: true, do: inner(func(b []byte) { copy(b[32:48], b[8:24]) })},
	{name: "circle of pages", rule: check.RulePageTwice, file: empty, many: true, do: func(p *patch) {
		p.page(p.root('n'), func(b []byte) { le.PutUint64(b[24+16:], uint64(p.root('n'))) })
	}},
	{name: "page outside the file", rule: check.RulePageMissing, file: empty, many: true, do: inner(put64(24+16, 1<<40))},
	{name: "page type", rule: check.RulePageType, file: empty, many: true, do: leaf(put16(496, 0x8080))},
	{name: "page type repeated", rule: check.RulePageRepeat, file: empty, do: leaf(put8(497, 0x80))},
	{name: "page BID", rule: check.RulePageBID, file: empty, do: func(p *patch) {
		at := p.leaves('n')[1]
		p.page(at, func(b []byte) {
			le.PutUint64(b[504:], le.Uint64(b[504:])^1)
			le.PutUint16(b[498:], pst.Signature(uint64(at), le.Uint64(b[504:])))
		})
	}},
	{name: "page signature", rule: check.RulePageSig, file: empty, do: leaf(put16(498, 0))},
	{name: "page checksum", rule: check.RulePageCRC, file: empty, do: func(p *patch) { p.b[p.leaves('n')[1]+500] ^= 1 }},
	{name: "page level", rule: check.RulePageLevel, file: empty, many: true, do: leaf(put8(491, 1))},
	{name: "root level", rule: check.RulePageLevel, file: empty, many: true, do: inner(put8(491, 9))},
	{name: "size of page entries", rule: check.RulePageEntry, file: empty, many: true, do: leaf(put8(490, 24))},
	{name: "maximum of page entries", rule: check.RulePageMax, file: empty, do: leaf(put8(489, 16))},
	{name: "count of page entries", rule: check.RulePageCount, file: empty, many: true, do: leaf(put8(488, 200))},
	{name: "empty page", rule: check.RulePageCount, file: empty, many: true, do: leaf(put8(488, 0))},
	{name: "first key", rule: check.RuleKeyFirst, file: empty, do: inner(plus64(24, -1))},
	{name: "key of the next page", rule: check.RuleKeyRange, file: empty, many: true, do: func(p *patch) {
		p.page(p.leaves('n')[0], func(b []byte) { le.PutUint32(b[32*(int(b[488])-1):], 0x8061) })
	}},
	{name: "key twice", rule: check.RuleKeyTwice, file: empty, many: true, do: leaf(func(b []byte) { copy(b[64:72], b[32:40]) })},
	{name: "keys not sorted", rule: check.RuleKeyOrder, file: empty, do: leaf(func(b []byte) { swap(b, 32, 64, 32) })},
}
