package check

import (
	"cmp"
	"slices"

	"keepwatch/pst"
)

// search finds a block by its BID.
func search(blocks []block, bid uint64) (int, bool) {
	return slices.BinarySearchFunc(blocks, bid, func(b block, k uint64) int { return cmp.Compare(b.bid, k) })
}

// cache holds the blocks that were read last, decoded.
type cache struct {
	index [cacheSize]uint32 // plus 1
	data  [cacheSize][]byte
}

const cacheSize = 512 // blocks, so that it takes 4 MB at most

// load reads a block and decodes it where it is external. Nobody writes into the slice.
func (c *checker) load(i uint32) ([]byte, bool) {
	at := i % cacheSize
	if c.cache.index[at] == i+1 {
		return c.cache.data[at], true
	}
	b := &c.blocks[i]
	if b.flags&(outside|broken) != 0 {
		return nil, false
	}
	data := make([]byte, b.cb)
	if !c.read(data, b.ib()) {
		return nil, false
	}
	if !b.internal() {
		c.head.crypt.Decode(data, b.bid)
	}
	c.cache.index[at], c.cache.data[at] = i+1, data
	return data, true
}

// spend counts the blocks that the second pass looks at. A file whose parts refer to
// one another again and again would keep it busy for ever.
func (c *checker) spend(n int) bool {
	if c.work -= int64(n); c.work < 0 && !c.rep.Truncated {
		c.find(RuleShared, 0, 0, "Parts of the file refer to one another so often that not all was checked.")
		c.rep.Truncated = true
	}
	return !c.over()
}

// leaves gives the data blocks of a data tree, in order; of a tree that is damaged
// nothing. What is wrong with it was reported before.
func (c *checker) leaves(ref uint32) ([]uint32, bool) {
	if ref == 0 || ref == missing {
		return nil, ref == 0
	}
	i := ref - 1
	if !c.blocks[i].internal() {
		return []uint32{i}, c.blocks[i].flags&outside == 0
	}
	return c.branches(nil, i)
}

func (c *checker) branches(list []uint32, i uint32) ([]uint32, bool) {
	data, ok := c.load(i)
	if !ok || c.blocks[i].flags&(isX|isXX) == 0 || !c.spend(1+int(u16(data, 2))) {
		return nil, false
	}
	deep := c.blocks[i].flags&isXX != 0
	for k := range int(u16(data, 2)) {
		j, ok := search(c.blocks, c.id(data, 8+k*c.word)&^1)
		switch {
		case !ok || deep && c.blocks[j].flags&isX == 0:
			return nil, false
		case !deep && (c.blocks[j].internal() || c.blocks[j].flags&outside != 0):
			return nil, false
		case len(list) > len(c.blocks):
			c.spend(len(list)) // it has more leaves than the file has blocks
			return nil, false
		}
		if !deep {
			list = append(list, uint32(j))
			continue
		}
		if list, ok = c.branches(list, uint32(j)); !ok {
			return nil, false
		}
	}
	return list, true
}

// length is how many bytes a data tree has, without reading its leaves.
func (c *checker) length(ref uint32) (int64, bool) {
	if ref == 0 || ref == missing {
		return 0, ref == 0
	}
	b := &c.blocks[ref-1]
	if !b.internal() {
		return int64(b.cb), true
	}
	data, ok := c.load(ref - 1)
	if !ok || b.flags&(isX|isXX) == 0 {
		return 0, false
	}
	return int64(u32(data, 4)), true
}

// prefix reads the first bytes of a data tree, at most n.
func (c *checker) prefix(ref uint32, n int) ([]byte, bool) {
	list, ok := c.leaves(ref)
	if !ok {
		return nil, false
	}
	var all []byte
	for _, i := range list {
		if len(all) >= n || !c.spend(1) {
			break
		}
		data, ok := c.load(i)
		if !ok {
			return nil, false
		}
		all = append(all, data...)
	}
	return all[:min(n, len(all))], true
}

// subnode is an entry of a subnode tree.
type subnode struct {
	nid       pst.NID
	data, sub uint32 // as in node
	used      bool   // a property or a table has it
}

// subnodes reads a subnode tree: at most 173,400 entries ([MS-PST] 2.2.2.8.3.3).
func (c *checker) subnodes(ref uint32) ([]subnode, bool) {
	if ref == 0 || ref == missing {
		return nil, ref == 0
	}
	i := ref - 1
	data, ok := c.load(i)
	if !ok || !c.spend(1) {
		return nil, false
	}
	switch b := c.blocks[i]; {
	case b.flags&isSL != 0:
		return c.twig(nil, data), true
	case b.flags&isSI == 0:
		return nil, false
	}
	var list []subnode
	for k := range int(u16(data, 2)) {
		j, ok := search(c.blocks, c.id(data, c.slHead+k*c.si+c.word)&^1)
		if !ok || c.blocks[j].flags&isSL == 0 {
			return nil, false
		}
		part, ok := c.load(uint32(j))
		if !ok || !c.spend(1) {
			return nil, false
		}
		list = c.twig(list, part)
	}
	return list, true
}

// twig appends the entries of an SLBLOCK.
func (c *checker) twig(list []subnode, data []byte) []subnode {
	find := func(bid uint64) uint32 {
		if bid == 0 {
			return 0
		}
		if j, ok := search(c.blocks, bid&^1); ok {
			return uint32(j) + 1
		}
		return missing
	}
	for k := range int(u16(data, 2)) {
		e := data[c.slHead+k*c.sl:]
		list = append(list, subnode{pst.NID(c.id(e, 0)), find(c.id(e, c.word)), find(c.id(e, 2*c.word)), false})
	}
	return list
}
