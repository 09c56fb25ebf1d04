package check

import (
	"slices"

	"keepwatch/pst"
)

// header is what the rest of the check needs of the header.
type header struct {
	crypt        pst.Crypt
	nextP, nextB uint64
	rgnid        [32]pst.NID
	eof          int64
	lastAMap     int64
	free         uint64 // cbAMapFree
	freePMap     uint64
	nbt, bbt     bref
	places       places
}

// bref is a BREF, [MS-PST] 2.2.2.4, and where in the file it lies itself.
type bref struct {
	bid uint64
	ib  int64
	at  int64
}

// places are the offsets of fields of the header, [MS-PST] 2.2.2.6.
type places struct {
	size, nextP, nextB, rgnid, root, lastAMap, free, freePMap, nbt, bbt, valid, maps, sentinel int
	zero                                                                                       [][2]int // from, to: bytes that are zero
}

var (
	unicodePlaces = places{564, 32, 516, 44, 180, 192, 200, 208, 216, 232, 248, 256, 512, [][2]int{{180, 184}, {249, 256}, {514, 516}}}
	ansiPlaces    = places{512, 28, 24, 36, 164, 172, 176, 180, 184, 192, 200, 204, 460, [][2]int{{462, 476}}}
)

// header checks the header and reads it. False means that nothing can be checked
// after it.
func (c *checker) header() bool {
	b := make([]byte, min(c.size, unicodePlaces.size64()))
	if c.size < 0 || !c.read(b, 0) {
		return false
	}
	if len(b) < 4 || string(b[:4]) != "!BDN" {
		c.find(RuleMagic, 0, 0, "The file does not begin with !BDN.")
		return false
	}
	if len(b) < ansiPlaces.size {
		c.find(RuleShort, 0, 0, "The file ends after %d bytes, within its header.", len(b))
		return false
	}
	if string(b[8:10]) != "SM" {
		c.find(RuleMagicClient, 8, 0, "The header says %q where SM belongs.", b[8:10])
	}
	if !c.version(u16(b, 10)) {
		return false
	}
	if len(b) < c.head.places.size {
		c.find(RuleShort, 0, 0, "The file ends after %d bytes, within its header.", len(b))
		return false
	}
	c.checksums(b)
	c.fields(b)
	return c.root(b)
}

func (p places) size64() int64 { return int64(p.size) }

// version picks the layout. The text wants more than 23 for Unicode; all real files
// have 23.
func (c *checker) version(v uint16) bool {
	switch v {
	case 14, 15:
		c.rep.Format, c.layout, c.head.places = pst.ANSI, ansiLayout, ansiPlaces
	case 23:
		c.rep.Format, c.layout, c.head.places = pst.Unicode, unicodeLayout, unicodePlaces
	case 36, 37:
		c.rep.Format = pst.Unicode4K
		fallthrough
	default:
		c.find(RuleVersion, 10, 0, "The version is %d; only 14, 15 and 23 are checked.", v)
		return false
	}
	return true
}

func (c *checker) checksums(b []byte) {
	if got, want := u32(b, 4), pst.Checksum(b[8:8+471]); got != want {
		c.find(RuleHeaderCRC, 4, 0, "dwCRCPartial is %#x and should be %#x.", got, want)
	}
	if c.ansi {
		return
	}
	if got, want := u32(b, 524), pst.Checksum(b[8:8+516]); got != want {
		c.find(RuleHeaderCRC, 524, 0, "dwCRCFull is %#x and should be %#x.", got, want)
	}
}

func (c *checker) fields(b []byte) {
	p := c.head.places
	if v := u16(b, 12); v != 19 {
		c.find(RuleVersionClient, 12, 0, "The version of the client is %d and should be 19.", v)
	}
	if b[14] != 1 || b[15] != 1 {
		c.find(RulePlatform, 14, 0, "The platforms are %d and %d and should be 1.", b[14], b[15])
	}
	for _, z := range p.zero {
		if !blank(b[z[0]:z[1]]) {
			c.find(RuleHeaderReserved, int64(z[0]), 0, "Reserved bytes are %x and should be zero.", b[z[0]:z[1]])
		}
	}
	if slices.ContainsFunc(b[p.maps:p.maps+256], func(v byte) bool { return v != 0xFF }) && c.id(b, p.freePMap) == 0 {
		// Older versions of Outlook, which keep free pages in their PMaps, do use these bytes.
		c.find(RuleHeaderMaps, int64(p.maps), 0, "rgbFM and rgbFP are not filled with 0xFF.")
	}
	if b[p.sentinel] != 0x80 {
		c.find(RuleSentinel, int64(p.sentinel), 0, "The sentinel is %#x and should be 0x80.", b[p.sentinel])
	}
	c.head.crypt = pst.Crypt(b[p.sentinel+1])
	switch c.head.crypt {
	case pst.CryptNone, pst.CryptPermute, pst.CryptCyclic:
	default:
		c.blind = true
		c.find(RuleCrypt, int64(p.sentinel)+1, 0, "bCryptMethod is %d: what is encoded cannot be checked.", b[p.sentinel+1])
	}
	c.head.nextP, c.head.nextB = c.id(b, p.nextP), c.id(b, p.nextB)
	for i := range c.head.rgnid {
		c.head.rgnid[i] = pst.NID(u32(b, p.rgnid+4*i))
	}
}

// root checks the ROOT, [MS-PST] 2.2.2.5.
func (c *checker) root(b []byte) bool {
	p := c.head.places
	h := &c.head
	h.eof, h.lastAMap = int64(c.id(b, p.lastAMap-c.word)), int64(c.id(b, p.lastAMap))
	h.free, h.freePMap = c.id(b, p.free), c.id(b, p.freePMap)
	h.nbt = bref{c.id(b, p.nbt), int64(c.id(b, p.nbt+c.word)), int64(p.nbt)}
	h.bbt = bref{c.id(b, p.bbt), int64(c.id(b, p.bbt+c.word)), int64(p.bbt)}
	if h.eof != c.size {
		c.find(RuleEOF, int64(p.lastAMap-c.word), 0, "ibFileEof is %d, the file has %d bytes.", h.eof, c.size)
	}
	if c.size < firstAMap+pageSize {
		c.find(RuleLength, 0, 0, "The file has %d bytes: it ends before its first AMap.", c.size)
		return false
	}
	// Outlook 97 to 2002 let ANSI files grow in smaller steps.
	if (c.size-firstAMap)%regionSize != 0 && !c.ansi {
		c.find(RuleLength, 0, 0, "The file has %d bytes; 0x4400 and a multiple of 253,952 are needed.", c.size)
	}
	if want := firstAMap + (c.size-firstAMap-1)/regionSize*regionSize; h.lastAMap != want {
		c.find(RuleLastAMap, int64(p.lastAMap), 0, "ibAMapLast is %#x, the last AMap belongs at %#x.", h.lastAMap, want)
	}
	if v := b[p.valid]; v != 2 && !(c.ansi && v == 1) {
		c.find(RuleMapsValid, int64(p.valid), 0, "fAMapValid is %d and should be 2: Outlook builds all AMaps anew.", v)
	}
	return true
}
