package check

import (
	"cmp"
	"slices"

	"keepwatch/pst"
)

// window reads the file in its order, in large pieces.
type window struct {
	c   *checker
	buf []byte
	at  int64
	n   int
}

const windowSize = 1 << 20

// get gives n bytes at an offset; the slice is good until the next call.
func (w *window) get(at int64, n int) ([]byte, bool) {
	if at < w.at || at+int64(n) > w.at+int64(w.n) {
		w.at, w.n = at, int(min(windowSize, w.c.size-at))
		if w.n < n || !w.c.read(w.buf[:w.n], at) {
			w.n = 0
			return nil, false
		}
	}
	return w.buf[at-w.at:][:n], true
}

// extent is what takes room: a block or a page.
type extent struct {
	from, to int64
	block    int // in blocks, or -1
}

// space is the pass over the file: the maps, the blocks with their checksums, and
// whether the maps say what is used.
type space struct {
	*checker
	window
	order  []uint32 // blocks by offset
	pages  []page   // by offset
	end    int64    // of the extent before
	free   uint64   // bytes, by the AMaps
	slots  []uint16 // free slots of each region
	runs   []uint16 // the longest run of free slots of each region
	fmaps  [][]byte
	fpmaps [][]byte
	full   []bool // of each PMap: no page of it is free
	pmap   []byte // the PMap that the region belongs to
	kept   uint64 // bytes that the PMaps keep for pages to come
}

func (c *checker) space() {
	s := space{checker: c, window: window{c: c, buf: make([]byte, windowSize)}, pages: c.pages}
	slices.SortFunc(s.pages, func(a, b page) int { return cmp.Compare(a.ib, b.ib) })
	for i, b := range c.blocks {
		if b.flags&outside == 0 {
			s.order = append(s.order, uint32(i))
		}
	}
	slices.SortFunc(s.order, func(a, b uint32) int { return cmp.Compare(c.blocks[a].slot, c.blocks[b].slot) })
	for n, at := int64(0), int64(firstAMap); at < c.size && !c.over(); n, at = n+1, at+regionSize {
		s.region(n, at)
	}
	if c.over() {
		return
	}
	if s.free != c.head.free {
		c.find(RuleAMapFree, int64(c.head.places.free), 0, "cbAMapFree is %d, the AMaps have %d bytes free.", c.head.free, s.free)
	}
	if v := c.head.freePMap; v != s.kept {
		c.find(RulePMapFree, int64(c.head.places.freePMap), 0, "cbPMapFree is %d, the PMaps have %d bytes free.", v, s.kept)
	}
	s.checkFMaps()
	s.checkFPMaps()
	s.densityList()
}

// region checks what one AMap maps.
func (s *space) region(n, at int64) {
	amap := s.mapPage(at, pageAMap, RuleAMap, "AMap")
	var used [mapBytes]byte
	s.take(&used, at, extent{at, at + pageSize, -1})
	if n%pmapEvery == 0 {
		p := s.mapPage(at+pageSize, pagePMap, RulePMap, "PMap")
		s.pmap = p
		s.full = append(s.full, !slices.ContainsFunc(p, func(v byte) bool { return v != 0xFF }))
		s.take(&used, at, extent{at + pageSize, at + 2*pageSize, -1})
	}
	if n >= firstFMap && (n-firstFMap)%fmapEvery == 0 {
		s.fmaps = append(s.fmaps, s.mapPage(at+2*pageSize, pageFMap, RuleFMap, "FMap"))
		s.take(&used, at, extent{at + 2*pageSize, at + 3*pageSize, -1})
	}
	if n >= firstFPMap && (n-firstFPMap)%fpmapEvery == 0 && !s.ansi {
		s.fpmaps = append(s.fpmaps, s.mapPage(at+2*pageSize, pageFPMap, RuleFPMap, "FPMap"))
		s.take(&used, at, extent{at + 2*pageSize, at + 3*pageSize, -1})
	}
	for {
		e, ok := s.next(at + regionSize)
		if !ok || s.over() {
			break
		}
		s.take(&used, at, e)
		if e.block >= 0 {
			s.block(e)
		}
	}
	s.keep(n, at, &used)
	if amap == nil {
		amap = used[:]
	}
	s.compare(at, amap, used[:])
}

// keep marks as used what the PMap keeps for pages to come: older versions of Outlook took eight pages
// at once from an AMap, and their files have them marked there. Files of later versions, and those
// of other programs, have nothing but ones in their PMaps.
func (s *space) keep(n, at int64, used *[mapBytes]byte) {
	for i := range regionSize / pageSize {
		bit := int(n%pmapEvery)*(regionSize/pageSize) + i
		if bit/8 >= len(s.pmap) || s.pmap[bit/8]&(0x80>>(bit%8)) != 0 {
			continue
		}
		if used[i] != 0 {
			s.find(RulePMapUsed, at+int64(i)*pageSize, 0, "The page at %#x is in use, and free by the PMap.", at+int64(i)*pageSize)
		}
		used[i] = 0xFF
		s.kept += pageSize
	}
}

// next gives the next block or page that begins before an offset.
func (s *space) next(before int64) (extent, bool) {
	e := extent{from: before, block: -1}
	if len(s.pages) > 0 && s.pages[0].ib < e.from {
		e.from, e.to = s.pages[0].ib, s.pages[0].ib+pageSize
	}
	if len(s.order) > 0 && s.checker.blocks[s.order[0]].ib() < e.from {
		b := s.checker.blocks[s.order[0]]
		e = extent{b.ib(), b.ib() + int64(s.span(int(b.cb))), int(s.order[0])}
	}
	switch {
	case e.block >= 0:
		s.order = s.order[1:]
	case e.to > 0:
		s.pages = s.pages[1:]
	default:
		return e, false
	}
	return e, true
}

// take marks an extent as used in the region at an offset, and reports one that is taken already.
func (s *space) take(used *[mapBytes]byte, at int64, e extent) {
	if e.from < s.end {
		what := "A page"
		if e.block >= 0 {
			what = "A block"
		}
		s.find(RuleOverlap, e.from, 0, "%s at %#x lies on another that ends at %#x.", what, e.from, s.end)
	}
	s.end = max(s.end, e.to)
	for i := (e.from - at) / slotSize; i < (e.to-at)/slotSize && i < mapBytes*8; i++ {
		used[i/8] |= 0x80 >> (i % 8)
	}
}

// mapPage checks the trailer of a map page, and gives its bits; nil where it is no such page.
func (s *space) mapPage(at int64, kind byte, rule Rule, name string) []byte {
	b, ok := s.get(at, pageSize)
	if !ok {
		s.find(rule, at, 0, "The file ends before the %s that belongs at %#x.", name, at)
		return nil
	}
	x := s.readTrailer(b)
	end := at + pageSize - int64(s.layout.trailer)
	if x.kind != kind || x.repeat != kind {
		s.find(rule, end, 0, "At %#x an %s belongs; the types there are %#x and %#x.", at, name, x.kind, x.repeat)
		return nil
	}
	if x.sig != 0 {
		s.find(RuleMapSig, end+2, 0, "The signature of an %s is %#x and should be 0.", name, x.sig)
	}
	if x.bid != uint64(at) {
		s.find(RuleMapBID, end, 0, "The BID of an %s is %#x and should be its offset, %#x.", name, x.bid, at)
	}
	if want := pst.Checksum(b[:pageSize-s.layout.trailer]); x.crc != want {
		s.find(RuleMapCRC, end, 0, "The checksum of an %s is %#x and should be %#x.", name, x.crc, want)
	}
	return slices.Clone(b[s.mapStart : s.mapStart+mapBytes])
}

// compare finds what the AMap of a region says and what is not so. Bits behind the end of
// an ANSI file, which need not be whole regions, are set.
func (s *space) compare(at int64, amap, used []byte) {
	free, run, longest := 0, 0, 0
	last := RuleNone
	for i := 0; i < mapBytes*8 && at+int64(i)*slotSize < s.size; i++ {
		if v := amap[i/8]; i%8 == 0 && v == used[i/8] && (v == 0 || v == 0xFF) && at+int64(i+8)*slotSize <= s.size {
			i, last = i+7, RuleNone
			if run += 8; v != 0 {
				run = 0
			} else {
				free += 8
			}
			longest = max(longest, run)
			continue
		}
		bit := byte(0x80) >> (i % 8)
		says, is := amap[i/8]&bit != 0, used[i/8]&bit != 0
		run++
		if says {
			run = 0
		} else {
			free++
		}
		longest = max(longest, run)
		rule := RuleNone
		switch {
		case is && !says:
			rule = RuleUsedFree
		case says && !is:
			rule = RuleFreeUsed
		}
		if from := at + int64(i)*slotSize; rule != RuleNone && rule != last {
			s.find(rule, from, 0, "From %#x on the AMap at %#x is wrong: used %v, marked %v.", from, at, is, says)
		}
		last = rule
	}
	s.free += uint64(free) * slotSize
	s.slots, s.runs = append(s.slots, uint16(free)), append(s.runs, uint16(longest))
}

// block checks the trailer of a block, and follows an internal one.
func (s *space) block(e extent) {
	b := &s.checker.blocks[e.block]
	raw, ok := s.get(e.from, int(e.to-e.from))
	if !ok {
		b.flags |= outside
		return
	}
	x := s.readTrailer(raw)
	end := e.to - int64(s.layout.trailer)
	data := raw[:b.cb]
	if x.cb != b.cb {
		s.find(RuleBlockCB, end, 0, "The block %#x says that it has %d bytes, the block tree says %d.", b.bid, x.cb, b.cb)
	}
	if x.bid != b.bid {
		s.find(RuleBlockBID, end, 0, "The block %#x says that it is %#x.", b.bid, x.bid)
	}
	if want := signed(e.from, x.bid); x.sig != want {
		s.find(RuleBlockSig, end+2, 0, "The signature of the block %#x is %#x and should be %#x.", b.bid, x.sig, want)
	}
	if want := pst.Checksum(data); x.crc != want {
		s.find(RuleBlockCRC, end, 0, "The checksum of the block %#x is %#x and should be %#x%s.", b.bid, x.crc, want, s.why(b, raw, x.crc))
	}
	if b.internal() {
		s.internal(e.block, data)
	}
}

// why names the usual reasons of a wrong checksum.
func (s *space) why(b *block, raw []byte, crc uint32) string {
	if crc == pst.Checksum(raw[:len(raw)-s.layout.trailer]) {
		return ": it is that of the data with its padding"
	}
	plain := slices.Clone(raw[:b.cb])
	s.head.crypt.Decode(plain, b.bid)
	if !b.internal() && crc == pst.Checksum(plain) {
		return ": it is that of the data before encoding"
	}
	return ""
}
