package check

import (
	"encoding/binary"

	"keepwatch/pst"
)

// The places of the maps, [MS-PST] 2.2.2.7.2 to 2.2.2.7.6.
const (
	pageSize    = 512
	slotSize    = 64                      // what one bit of an AMap stands for
	mapBytes    = 496                     // of an AMap, PMap, FMap or FPMap page
	regionSize  = mapBytes * 8 * slotSize // what one AMap maps: 253,952 bytes
	firstAMap   = 0x4400
	densityList = 0x4200
	pmapEvery   = 8     // regions
	firstFMap   = 128   // the region that has the first FMap
	fmapEvery   = 496   // regions
	firstFPMap  = 8192  // the region that has the first FPMap
	fpmapEvery  = 31744 // regions
)

// The types of pages, [MS-PST] 2.2.2.7.1.
const (
	pageBBT   = 0x80
	pageNBT   = 0x81
	pageFMap  = 0x82
	pagePMap  = 0x83
	pageAMap  = 0x84
	pageFPMap = 0x85
	pageDList = 0x86
)

// layout is what differs between the Unicode and the ANSI variant.
type layout struct {
	ansi     bool
	word     int // bytes of a BID or of an offset
	trailer  int // bytes of the trailer of a page or a block
	entries  int // bytes for entries in a B-tree page
	payload  int // the most bytes that a block can hold
	nbt, bbt int // bytes of a leaf entry
	inner    int // bytes of an inner entry
	mapStart int // where the bits of a map page begin
	sl, si   int // bytes of an SLENTRY and of an SIENTRY
	slHead   int // bytes before the entries of SLBLOCK and SIBLOCK
	rowID    int // bytes of the value of a RowIndex record
}

var (
	unicodeLayout = layout{word: 8, trailer: 16, entries: 488, payload: 8176, nbt: 32, bbt: 24, inner: 24, sl: 24, si: 16, slHead: 8, rowID: 4}
	ansiLayout    = layout{ansi: true, word: 4, trailer: 12, entries: 496, payload: 8180, nbt: 16, bbt: 12, inner: 12, mapStart: 4, sl: 12, si: 8, slHead: 4, rowID: 2}
)

func u16(b []byte, at int) uint16 { return binary.LittleEndian.Uint16(b[at:]) }
func u32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
func u64(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

// id reads a BID or an offset.
func (l layout) id(b []byte, at int) uint64 {
	if l.ansi {
		return uint64(u32(b, at))
	}
	return u64(b, at)
}

// trailer is a page trailer or, with cb in the place of the type, a block trailer.
type trailer struct {
	kind, repeat byte
	cb           uint16
	sig          uint16
	crc          uint32
	bid          uint64
}

// readTrailer reads the trailer at the end of b. The ANSI variant has the last two
// fields the other way round.
func (l layout) readTrailer(b []byte) trailer {
	b = b[len(b)-l.trailer:]
	t := trailer{kind: b[0], repeat: b[1], cb: u16(b, 0), sig: u16(b, 2)}
	if l.ansi {
		t.bid, t.crc = uint64(u32(b, 4)), u32(b, 8)
	} else {
		t.crc, t.bid = u32(b, 4), u64(b, 8)
	}
	return t
}

// span is how many bytes a block of cb bytes takes with its trailer.
func (l layout) span(cb int) int {
	return (cb + l.trailer + slotSize - 1) / slotSize * slotSize
}

// signed is the signature that a page or block should have.
func signed(ib int64, bid uint64) uint16 { return pst.Signature(uint64(ib), bid) }

// blank tells whether all bytes are zero.
func blank(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}
