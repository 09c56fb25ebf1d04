package check

import (
	"cmp"
	"slices"

	"keepwatch/pst"
)

// block is an entry of the BBT and what is known of its block: 24 bytes each.
type block struct {
	bid   uint64
	slot  uint32 // its offset in the file by 64
	cb    uint16
	cref  uint16 // as the entry says
	refs  uint16 // as counted; it stops at 65,535
	flags uint16
}

func (b block) ib() int64      { return int64(b.slot) * slotSize }
func (b block) internal() bool { return b.bid&2 != 0 }

// What a block is, and what it is referred to as.
const (
	isX     = 1 << iota // an XBLOCK
	isXX                // an XXBLOCK
	isSL                // an SLBLOCK
	isSI                // an SIBLOCK
	asData              // bidData of a node or subnode
	asSub               // bidSub of a node or subnode
	asLeaf              // of an XBLOCK
	asX                 // of an XXBLOCK
	asSL                // of an SIBLOCK
	outside             // it does not lie in the file as a block must: it is not read
	broken              // an internal block that makes no sense: it is not followed
)

// node is an entry of the NBT: 20 bytes each.
type node struct {
	nid, parent pst.NID
	data, sub   uint32 // where in blocks, plus 1; 0 for none; missing
	flags       uint8
}

// missing is the index of a block that is not in the BBT.
const missing = ^uint32(0)

const listed = 1 // a table lists this folder or message

// page is a page of one of the B-trees.
type page struct {
	ib   int64
	kind byte
}

// tree is one walk over a B-tree.
type tree struct {
	*checker
	kind    byte
	size    int // of a leaf entry
	seen    map[int64]bool
	last    uint64 // the key before
	started bool
	leaf    func(at int64, b []byte) // one leaf entry
}

// trees reads both B-trees.
func (c *checker) trees() {
	seen := map[int64]bool{}
	t := tree{checker: c, kind: pageBBT, size: c.bbt, seen: seen, leaf: c.blockEntry}
	t.root(c.head.bbt)
	byBID := func(a, b block) int { return cmp.Compare(a.bid, b.bid) }
	if !slices.IsSortedFunc(c.blocks, byBID) {
		slices.SortStableFunc(c.blocks, byBID)
	}
	t = tree{checker: c, kind: pageNBT, size: c.nbt, seen: seen, leaf: c.nodeEntry}
	t.root(c.head.nbt)
	byNID := func(a, b node) int { return cmp.Compare(a.nid, b.nid) }
	if !slices.IsSortedFunc(c.nodes, byNID) {
		slices.SortStableFunc(c.nodes, byNID)
	}
	c.rep.Pages, c.rep.Blocks, c.rep.Nodes = int64(len(c.pages)), int64(len(c.blocks)), int64(len(c.nodes))
}

// root walks the whole tree. [MS-PST] 2.2.2.7.7 allows 8 levels of inner pages.
func (t *tree) root(r bref) {
	var b [pageSize]byte
	level := 8
	if t.read(b[:], r.ib) {
		level = int(b[t.entries+3])
	}
	if level > 8 {
		t.find(RulePageLevel, r.ib, 0, "The root page of the %s has the level %d; 8 is the highest.", t.name(), level)
		return
	}
	t.walk(r, level, 0, 1<<63)
}

func (t *tree) name() string {
	if t.kind == pageBBT {
		return "block tree"
	}
	return "node tree"
}

// walk checks the page at r and those below it. A page that cannot be where r says is
// found where the reference lies. Its keys should begin with from
// and stay below to.
func (t *tree) walk(r bref, level int, from, to uint64) {
	if t.over() {
		return
	}
	if r.ib < firstAMap || r.ib%pageSize != 0 {
		t.find(RulePageAlign, r.at, 0, "A page of the %s lies at %#x, which is no multiple of 512 in the data section.", t.name(), uint64(r.ib))
		return
	}
	if t.seen[r.ib] {
		t.find(RulePageTwice, r.ib, 0, "A page of the %s is referred to twice.", t.name())
		return
	}
	b := make([]byte, pageSize)
	if !t.read(b, r.ib) {
		t.find(RulePageMissing, r.at, 0, "A page of the %s lies at %#x, outside the file.", t.name(), uint64(r.ib))
		return
	}
	t.seen[r.ib] = true
	t.pages = append(t.pages, page{r.ib, t.kind})
	if !t.trailer(b, r) {
		return
	}
	count, each, ok := t.counts(b, r.ib, level)
	if !ok {
		return
	}
	if count == 0 && len(t.pages) > 1 && to != 1<<63 {
		t.find(RulePageCount, r.ib, 0, "A page of the %s below the root has no entry.", t.name())
	}
	for i := range count {
		e := b[i*each : (i+1)*each]
		at := r.ib + int64(i*each)
		key := t.id(e, 0)
		t.key(at, key, i == 0, from, to)
		if level == 0 {
			t.last, t.started = key, true
			t.leaf(at, e)
			continue
		}
		next := to
		if i+1 < count {
			next = t.id(b, (i+1)*each)
		}
		t.walk(bref{t.id(e, t.word), int64(t.id(e, 2*t.word)), at + int64(t.word)}, level-1, key, next)
	}
}

// key checks the order of the keys, and that the first is that of the parent's entry.
func (t *tree) key(at int64, key uint64, first bool, from, to uint64) {
	switch {
	case first && from != 0 && key != from:
		t.find(RuleKeyFirst, at, 0, "A page of the %s begins with the key %#x, its entry above says %#x.", t.name(), key, from)
	case key >= to:
		t.find(RuleKeyRange, at, 0, "The key %#x of the %s belongs to the next page, from %#x on.", key, t.name(), to)
	case t.started && key == t.last:
		t.find(RuleKeyTwice, at, 0, "The key %#x is in the %s twice.", key, t.name())
	case t.started && key < t.last:
		t.find(RuleKeyOrder, at, 0, "The key %#x of the %s comes after %#x.", key, t.name(), t.last)
	}
}

// trailer checks the trailer of a page; false means that it is none of this tree.
func (t *tree) trailer(b []byte, r bref) bool {
	x := t.readTrailer(b)
	end := r.ib + pageSize - int64(t.checker.layout.trailer)
	if x.kind != t.kind {
		t.find(RulePageType, end, 0, "A page of the %s has the type %#x and should have %#x.", t.name(), x.kind, t.kind)
		return false
	}
	if x.repeat != x.kind {
		t.find(RulePageRepeat, end+1, 0, "A page of the %s repeats its type as %#x.", t.name(), x.repeat)
	}
	if x.bid != r.bid {
		t.find(RulePageBID, end, 0, "A page of the %s says that it is %#x, and is referred to as %#x.", t.name(), x.bid, r.bid)
	}
	if want := signed(r.ib, x.bid); x.sig != want {
		t.find(RulePageSig, end+2, 0, "The signature of a page of the %s is %#x and should be %#x.", t.name(), x.sig, want)
	}
	if want := pst.Checksum(b[:pageSize-t.checker.layout.trailer]); x.crc != want {
		t.find(RulePageCRC, end, 0, "The checksum of a page of the %s is %#x and should be %#x.", t.name(), x.crc, want)
	}
	if x.bid >= t.head.nextP {
		t.find(RuleNextP, end, 0, "A page has the BID %#x, bidNextP is %#x.", x.bid, t.head.nextP)
	}
	return true
}

// counts checks the numbers behind the entries of a page.
func (t *tree) counts(b []byte, ib int64, level int) (count, each int, ok bool) {
	at := ib + int64(t.entries)
	each = t.inner
	if level == 0 {
		each = t.size
	}
	count = int(b[t.entries])
	if got := int(b[t.entries+3]); got != level {
		t.find(RulePageLevel, at+3, 0, "A page of the %s has the level %d and should have %d.", t.name(), got, level)
		return 0, 0, false
	}
	if got := int(b[t.entries+2]); got != each {
		t.find(RulePageEntry, at+2, 0, "A page of the %s has entries of %d bytes and should have %d.", t.name(), got, each)
		return 0, 0, false
	}
	if got, want := int(b[t.entries+1]), t.entries/each; got != want {
		t.find(RulePageMax, at+1, 0, "cEntMax of a page of the %s is %d and should be %d.", t.name(), got, want)
	}
	if !t.ansi && u32(b, t.entries+4) != 0 {
		t.find(RulePadding, at+4, 0, "dwPadding of a page of the %s is %#x and should be 0.", t.name(), u32(b, t.entries+4))
	}
	if count > t.entries/each {
		t.find(RulePageCount, at, 0, "A page of the %s has %d entries, %d fit.", t.name(), count, t.entries/each)
		return 0, 0, false
	}
	return count, each, true
}

// blockEntry takes a BBTENTRY.
func (c *checker) blockEntry(at int64, b []byte) {
	e := block{bid: c.id(b, 0), cb: u16(b, 2*c.word), cref: u16(b, 2*c.word+2)}
	ib := c.id(b, c.word)
	if e.bid&1 != 0 {
		c.find(RuleBIDBit, at, 0, "The block %#x has the reserved bit set in its BID.", e.bid)
		e.bid &^= 1
	}
	if e.bid >= c.head.nextB {
		c.find(RuleNextB, at, 0, "The block %#x is not below bidNextB, %#x.", e.bid, c.head.nextB)
	}
	if e.cb == 0 || int(e.cb) > c.payload {
		c.find(RuleBlockSize, at, 0, "The block %#x has %d bytes; 1 to %d can be.", e.bid, e.cb, c.payload)
		e.flags |= outside
	}
	end := int64(ib) + int64(c.span(int(e.cb)))
	switch {
	case ib%slotSize != 0:
		c.find(RuleBlockAlign, at, 0, "The block %#x lies at %#x, which is no multiple of 64.", e.bid, ib)
		e.flags |= outside
	case ib < firstAMap+pageSize || ib > uint64(c.size) || end > c.size || ib/slotSize >= 1<<32:
		c.find(RuleBlockPlace, at, 0, "The block %#x at %#x lies outside the data section of the file.", e.bid, ib)
		e.flags |= outside
	case (int64(ib)-firstAMap)/regionSize != (end-1-firstAMap)/regionSize:
		c.find(RuleBlockCrosses, at, 0, "The block %#x at %#x crosses an AMap page.", e.bid, ib)
	}
	if e.flags&outside == 0 {
		e.slot = uint32(ib / slotSize)
	}
	c.blocks = append(c.blocks, e)
}

// nodeEntry takes an NBTENTRY.
func (c *checker) nodeEntry(at int64, b []byte) {
	n := node{nid: pst.NID(c.id(b, 0)), parent: pst.NID(u32(b, 3*c.word))}
	if c.id(b, 0)>>32 != 0 {
		c.find(RuleNodeWide, at, n.nid, "The NID %#x has more than 32 bits.", c.id(b, 0))
	}
	n.data = c.refer(c.id(b, c.word), asData, at, n.nid)
	n.sub = c.refer(c.id(b, 2*c.word), asSub, at, n.nid)
	c.nodes = append(c.nodes, n)
}

// refer counts a reference to a block, and gives its index plus 1: 0 for the BID 0,
// missing for a block that is not there.
func (c *checker) refer(bid uint64, as uint16, at int64, n pst.NID) uint32 {
	if bid == 0 {
		return 0
	}
	if bid&1 != 0 {
		c.find(RuleBIDBit, at, n, "A reference to the block %#x has the reserved bit set.", bid)
		bid &^= 1
	}
	i, ok := search(c.blocks, bid)
	if !ok {
		c.find(RuleBlockMissing, at, n, "The block %#x that is referred to is not in the block tree.", bid)
		return missing
	}
	b := &c.blocks[i]
	b.flags |= as
	if b.refs < 1<<16-1 {
		b.refs++
	}
	return uint32(i) + 1
}

// where gives the offset of a node's entry in the node tree, or of the page where it belongs. The
// tree was checked before; what is wrong with it ends the search.
func (c *checker) where(n pst.NID) int64 {
	at := c.head.nbt.ib
	var b [pageSize]byte
	for range 9 {
		if !c.read(b[:], at) {
			return 0
		}
		size := c.inner
		if b[c.entries+3] == 0 {
			size = c.nbt
		}
		count := min(int(b[c.entries]), c.entries/size)
		k := 0
		for k+1 < count && c.id(b[:], (k+1)*size) <= uint64(n) {
			k++
		}
		if b[c.entries+3] == 0 {
			return at + int64(k*size)
		}
		next := int64(c.id(b[:], k*size+2*c.word))
		if next < firstAMap || next > c.size-pageSize {
			return at
		}
		at = next
	}
	return at
}

// node finds a node.
func (c *checker) node(n pst.NID) (*node, bool) {
	i, ok := slices.BinarySearchFunc(c.nodes, n, func(x node, k pst.NID) int { return cmp.Compare(x.nid, k) })
	if !ok {
		return nil, false
	}
	return &c.nodes[i], true
}
