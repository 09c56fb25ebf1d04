package check

import (
	"math"

	"keepwatch/pst"
)

// firstIndex is the lowest index of a NID that is not given by the format.
const firstIndex = 0x400

// internal checks an internal block ([MS-PST] 2.2.2.8.3), each once, and counts its references.
func (c *checker) internal(i int, data []byte) {
	b := &c.blocks[i]
	if len(data) < 8+c.word {
		c.find(RuleInternal, b.ib(), 0, "The internal block %#x has only %d bytes.", b.bid, len(data))
		b.flags |= broken
		return
	}
	kind, level, count := data[0], data[1], int(u16(data, 2))
	switch {
	case kind == 1 && (level == 1 || level == 2):
		c.xblock(b, data, level, count)
	case kind == 2 && level <= 1:
		c.slblock(b, data, level, count)
	default:
		b.flags |= broken
		plain := append([]byte(nil), data...)
		c.head.crypt.Decode(plain, b.bid)
		if (plain[0] == 1 || plain[0] == 2) && plain[1] <= 2 && c.head.crypt != pst.CryptNone {
			c.find(RuleInternalEncoded, b.ib(), 0, "The internal block %#x is encoded.", b.bid)
			return
		}
		c.find(RuleInternal, b.ib(), 0, "The internal block %#x has the type %d and the level %d, which no block has.", b.bid, kind, level)
	}
}

// xblock checks an XBLOCK or XXBLOCK.
func (c *checker) xblock(b *block, data []byte, level byte, count int) {
	fits := (c.payload - 8) / c.word
	if count == 0 || count > fits || len(data) != 8+count*c.word {
		c.find(RuleXCount, b.ib()+2, 0, "The block %#x has %d bytes and says that it has %d entries; 1 to %d can be.", b.bid, len(data), count, fits)
		b.flags |= broken
		return
	}
	as := uint16(asLeaf)
	b.flags |= isX
	if level == 2 {
		b.flags ^= isX | isXX
		as = asX
		c.forest = append(c.forest, c.index(b))
	}
	var total int64
	for i := range count {
		at := b.ib() + 8 + int64(i*c.word)
		bid := c.id(data, 8+i*c.word)
		if bid == 0 {
			c.find(RuleBlockMissing, at, 0, "An entry of the block %#x is 0.", b.bid)
			continue
		}
		j := c.refer(bid, as, at, 0)
		if level == 2 || j == missing {
			continue
		}
		cb := int(c.blocks[j-1].cb)
		total += int64(cb)
		if i+1 < count && cb != c.payload {
			c.find(RuleNotFull, at, 0, "The block %#x within a data tree has %d bytes; all but the last have %d.", bid, cb, c.payload)
		}
	}
	if got := u32(data, 4); level == 1 && total <= math.MaxUint32 && int64(got) != total {
		c.find(RuleTotal, b.ib()+4, 0, "lcbTotal of the XBLOCK %#x is %d, its blocks have %d bytes.", b.bid, got, total)
	}
}

// index gives the index of a block that lies in blocks.
func (c *checker) index(b *block) uint32 {
	i, _ := search(c.blocks, b.bid)
	return uint32(i)
}

// slblock checks an SLBLOCK or SIBLOCK.
func (c *checker) slblock(b *block, data []byte, level byte, count int) {
	each, most := c.sl, (c.payload-c.slHead)/c.sl
	if level == 1 {
		each, most = c.si, (c.payload-c.slHead)/c.si
	}
	if count == 0 || count > most || len(data) != c.slHead+count*each {
		c.find(RuleSLCount, b.ib()+2, 0, "The block %#x has %d bytes and says that it has %d entries; 1 to %d can be.", b.bid, len(data), count, most)
		b.flags |= broken
		return
	}
	if !c.ansi && u32(data, 4) != 0 {
		c.find(RulePadding, b.ib()+4, 0, "dwPadding of the block %#x is %#x and should be 0.", b.bid, u32(data, 4))
	}
	b.flags |= isSL
	if level == 1 {
		b.flags ^= isSL | isSI
		c.twigs = append(c.twigs, c.index(b))
	}
	var last uint64
	for i := range count {
		e := data[c.slHead+i*each:]
		at := b.ib() + int64(c.slHead+i*each)
		key := c.id(e, 0) & math.MaxUint32 // Outlook leaves anything in the upper half
		if i > 0 && key <= last {
			c.find(RuleSLOrder, at, 0, "The subnode %#x comes after %#x in the block %#x.", key, last, b.bid)
		}
		last = key
		if level == 1 {
			c.refer(c.id(e, c.word), asSL, at, 0)
			continue
		}
		n := pst.NID(key)
		c.local[n.Type()] = max(c.local[n.Type()], n.Index())
		// Outlook sets the reserved bit of a BID here now and then, and only here.
		c.refer(c.id(e, c.word)&^1, asData, at, 0)
		c.refer(c.id(e, 2*c.word)&^1, asSub, at, 0)
	}
}

// references checks what can only be known after all blocks were seen.
func (c *checker) references() {
	for _, i := range c.forest {
		c.xxblock(i)
	}
	for _, i := range c.twigs {
		c.siblock(i)
	}
	for i := range c.blocks {
		if c.over() {
			return
		}
		c.uses(&c.blocks[i])
	}
	c.counters()
}

// uses checks how a block is referred to, and how often.
func (c *checker) uses(b *block) {
	if b.flags&broken == 0 && b.flags&outside == 0 {
		if b.flags&asData != 0 && b.internal() && b.flags&(isX|isXX) == 0 ||
			b.flags&asSub != 0 && b.flags&(isSL|isSI) == 0 ||
			b.flags&asLeaf != 0 && b.internal() ||
			b.flags&asX != 0 && b.flags&isX == 0 ||
			b.flags&asSL != 0 && b.flags&isSL == 0 {
			c.find(RuleBlockKind, b.ib(), 0, "The block %#x is of another kind than it is referred to as.", b.bid)
		}
	}
	switch {
	case b.refs == 0 && b.cref <= 1:
		// Outlook lets go of a block and frees its room later ([MS-PST] 2.6.1.1.7): real files have such.
	case b.refs == 0:
		c.find(RuleUnreferenced, b.ib(), 0, "Nothing refers to the block %#x.", b.bid)
	case b.refs < 1<<16-1 && b.cref != b.refs+1:
		c.find(RuleCRef, b.ib(), 0, "cRef of the block %#x is %d; %d references and the entry itself make %d.", b.bid, b.cref, b.refs, b.refs+1)
	}
}

// xxblock checks what is below an XXBLOCK: all XBLOCKs but the last are full.
func (c *checker) xxblock(i uint32) {
	b := c.blocks[i]
	data, ok := c.load(i)
	if !ok {
		return
	}
	count := int(u16(data, 2))
	full := int64((c.payload-8)/c.word) * int64(c.payload)
	var total int64
	for k := range count {
		j, ok := search(c.blocks, c.id(data, 8+k*c.word)&^1)
		if !ok || c.blocks[j].flags&isX == 0 {
			return
		}
		x, ok := c.load(uint32(j))
		if !ok {
			return
		}
		part := int64(u32(x, 4))
		if k+1 < count && part != full {
			c.find(RuleNotFull, b.ib()+8+int64(k*c.word), 0, "An XBLOCK within a data tree has %d bytes; all but the last have %d.", part, full)
		}
		total += part
	}
	// lcbTotal has 32 bits: of more than 4 GB it can say only the rest.
	if got := u32(data, 4); got != uint32(total) {
		c.find(RuleTotal, b.ib()+4, 0, "lcbTotal of the XXBLOCK %#x is %d, its blocks have %d bytes.", b.bid, got, total)
	}
}

// siblock checks the keys of an SIBLOCK: each is the first of its SLBLOCK, and they go up.
func (c *checker) siblock(i uint32) {
	b := c.blocks[i]
	data, ok := c.load(i)
	if !ok {
		return
	}
	var last uint64
	for k := range int(u16(data, 2)) {
		e := data[c.slHead+k*c.si:]
		at := b.ib() + int64(c.slHead+k*c.si)
		j, ok := search(c.blocks, c.id(e, c.word)&^1)
		if !ok || c.blocks[j].flags&isSL == 0 {
			continue
		}
		x, ok := c.load(uint32(j))
		if !ok {
			return
		}
		key, count := c.id(e, 0)&math.MaxUint32, int(u16(x, 2))
		first := c.id(x, c.slHead) & math.MaxUint32
		if key != first {
			c.find(RuleSIKey, at, 0, "The block %#x says that subnodes from %#x on follow; the first is %#x.", b.bid, key, first)
		}
		if k > 0 && first <= last {
			c.find(RuleSLOrder, at, 0, "The subnode %#x comes after %#x below the block %#x.", first, last, b.bid)
		}
		last = c.id(x, c.slHead+(count-1)*c.sl) & math.MaxUint32
	}
}

// counters checks rgnid: no NID of a node or a subnode has a higher index, but those that are
// given by the format, all below 0x400. The text calls its elements NIDs; they are indexes.
func (c *checker) counters() {
	top := c.local
	for _, n := range c.nodes {
		top[n.nid.Type()] = max(top[n.nid.Type()], n.nid.Index())
	}
	for t, index := range top {
		if got := c.head.rgnid[t]; index >= firstIndex && index > uint32(got) {
			c.find(RuleNIDs, int64(c.head.places.rgnid+4*t), pst.NewNID(pst.NodeType(t), index), "rgnid of the type %#x is %#x; the file has a NID with the index %#x.", t, uint32(got), index)
		}
	}
}
