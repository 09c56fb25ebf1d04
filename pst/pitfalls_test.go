package pst_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/writer"
)

// pitfall is one reason for which Outlook or scanpst refuse or mend files of others.
type pitfall struct {
	name    string
	rule    check.Rule
	section string
	cut     func(s *surgeon) uint64         // gives where it must be found
	after   func(s *surgeon, offset uint64) // what is done when the checksums are right
}

// smallBox is a file with little in it, of every sort: a data tree, a message in a message,
// categories, recipients, folders.
func smallBox(t testing.TB, w *writer.Writer) {
	in := child(t, w.Root(), "Inbox")
	addTo(t, in, 12, func(i int, s pst.Sink) error {
		s.Set(pst.P(pst.PidTagSubject, "Cyfarfod"), pst.P(pst.PidTagBody, "text text"), pst.P(pst.PidTagMessageFlags, int32(i%2)),
			pst.P(pst.PidNameKeywords, []string{"Gwaith", fmt.Sprint(i)}))
		s.Recipient(toPerson(i))
		switch i {
		case 3:
			return attach(s, "a.txt", 30_000)
		case 4:
			return s.Embed(pst.Properties{}, func(s pst.Sink) error {
				s.Set(pst.P(pst.PidTagSubject, "within"))
				return attach(s, "x", 100)
			})
		}
		return nil
	})
	child(t, in, "Many")
}

// at writes a little-endian number of so many bytes.
func (s *surgeon) put(at uint64, v uint64, n int) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	copy(s.b[at:], b[:n])
	return at
}

// headerField puts a value into the header.
func headerField(at, v uint64, n int) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 { return s.put(at, v, n) }
}

// mails are the messages of the file, of which the fourth has a large attachment and the fifth
// a message in it.
func (s *surgeon) mail(i int) pst.NID { return s.messages(pst.NIDRecipients)[i] }

// lose gives a property an id that it cannot have, and the offset of the heap.
func lose(n func(s *surgeon) (data uint64), id uint64) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 {
		data := n(s)
		other := uint16(id + 1)
		if s.has(data, id+1) {
			other = uint16(id - 1)
		}
		s.property(data, id, func(r []byte) { binary.LittleEndian.PutUint16(r, other) })
		ib, _ := s.extent(s.leafBlocks(data)[0])
		return ib
	}
}

func dataOf(n pst.NID) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 { return s.bidData(n) }
}
func mailData(i int) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 { return s.bidData(s.mail(i)) }
}
func theInbox(s *surgeon) pst.NID { return s.parent(s.mail(0)) }

// attachmentOf is the properties of the first attachment of a mail.
func attachmentOf(i int) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 {
		data, _ := s.inside(s.mail(i), pst.NewNID(pst.NodeAttachment, 0x401))
		return data
	}
}

// entryOf is where the BBT entry of a block is.
func (s *surgeon) entryOf(bid uint64) uint64 { return s.blocks[bid] }

// contentBlock is a block of the large attachment, and xblock the list of them.
func (s *surgeon) list() (xblock uint64, blocks []uint64) {
	for _, bid := range s.order {
		if bid&2 != 0 && s.read(bid)[0] == 1 {
			return bid, s.leafBlocks(bid)
		}
	}
	s.Fatal("no XBLOCK")
	return 0, nil
}

// blockEnd is where the trailer of a block is.
func (s *surgeon) blockEnd(bid uint64) uint64 {
	ib, cb := s.extent(bid)
	return ib + (cb+16+63)/64*64 - 16
}

// heapByte edits the first block of the heap of a node, and gives the offset of a byte in it.
func heapByte(n func(s *surgeon) uint64, at uint64, do func(b []byte)) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 {
		bid := s.leafBlocks(n(s))[0]
		s.edit(bid, do)
		ib, _ := s.extent(bid)
		return ib + at
	}
}

// rowAt edits a row of a table in its heap, and gives where a byte of it is.
func rowAt(n func(s *surgeon) uint64, row, at uint64, do func(r []byte)) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 {
		data := n(s)
		info := s.bytes(s.alloc(data, s.userRoot(data)))
		size := word(info, 8)
		p := s.alloc(data, dword(info, 14))
		s.change(data, dword(info, 14), func(b []byte) { do(b[row*size : (row+1)*size]) })
		ib, _ := s.extent(p.bid)
		return ib + p.from + row*size + at
	}
}

var headerPitfalls = []pitfall{
	{name: "dwCRCPartial", rule: check.RuleHeaderCRC, section: "2.2.2.6", cut: func(*surgeon) uint64 { return 4 }, after: flip},
	{name: "dwCRCFull", rule: check.RuleHeaderCRC, section: "2.2.2.6", cut: func(*surgeon) uint64 { return 524 }, after: flip},
	{name: "wVer by the text", rule: check.RuleVersion, section: "2.2.2.6", cut: headerField(10, 24, 2)},
	{name: "wVerClient", rule: check.RuleVersionClient, section: "2.2.2.6", cut: headerField(12, 23, 2)},
	{name: "platform", rule: check.RulePlatform, section: "2.2.2.6", cut: headerField(14, 0, 2)},
	{name: "rgnid below the subnodes", rule: check.RuleNIDs, section: "2.2.2.6", cut: headerField(44+4*0x1F, 0x400, 4)},
	{name: "rgnid below the messages", rule: check.RuleNIDs, section: "2.2.2.6", cut: headerField(44+4*4, 0x10000, 4)},
	{name: "rgbFM", rule: check.RuleHeaderMaps, section: "2.2.2.6", cut: func(s *surgeon) uint64 { s.put(300, 0, 1); return 256 }},
	{name: "sentinel of the header", rule: check.RuleSentinel, section: "2.2.2.6", cut: headerField(512, 0, 1)},
	{name: "ibFileEof", rule: check.RuleEOF, section: "2.2.2.5", cut: headerField(184, 300_000, 8)},
	{name: "ibAMapLast", rule: check.RuleLastAMap, section: "2.2.2.5", cut: headerField(192, 0x4600, 8)},
	{name: "cbAMapFree", rule: check.RuleAMapFree, section: "2.2.2.5", cut: headerField(200, 64, 8)},
	{name: "cbPMapFree", rule: check.RulePMapFree, section: "2.2.2.5", cut: headerField(208, 512, 8)},
	{name: "fAMapValid", rule: check.RuleMapsValid, section: "2.2.2.5", cut: headerField(248, 0, 1)},
	{name: "bidNextP", rule: check.RuleNextP, section: "2.2.2.6", cut: func(s *surgeon) uint64 { s.put(32, 1, 8); return num(s.b, 0xF0) + 496 }},
	{name: "bidNextB", rule: check.RuleNextB, section: "2.2.2.6", cut: func(s *surgeon) uint64 { s.put(516, 8, 8); return s.entryOf(8) }},
	{name: "length of the file", rule: check.RuleLength, section: "2.6.1.1.2", cut: func(s *surgeon) uint64 {
		s.b = append(s.b, make([]byte, 512)...)
		s.put(184, uint64(len(s.b)), 8)
		return 0
	}},
}

// flip is what a checksum is damaged with.
func flip(s *surgeon, offset uint64) { s.b[offset] ^= 1 }

var spacePitfalls = []pitfall{
	{name: "no AMap at 0x4400", rule: check.RuleAMap, section: "2.2.2.7.2", cut: func(s *surgeon) uint64 { clear(s.b[0x4400:0x4600]); return 0x4400 + 496 }},
	{name: "BID of an AMap", rule: check.RuleMapBID, section: "2.2.2.7.1", cut: func(s *surgeon) uint64 { s.put(0x4400+504, 5, 8); return 0x4400 + 496 }},
	{name: "signature of an AMap", rule: check.RuleMapSig, section: "2.2.2.7.1", cut: func(s *surgeon) uint64 { return s.put(0x4400+498, 5, 2) }},
	{name: "checksum of an AMap", rule: check.RuleMapCRC, section: "2.2.2.7.1", cut: func(*surgeon) uint64 { return 0x4400 + 496 }, after: func(s *surgeon, at uint64) { s.b[at+4] ^= 1 }},
	{name: "no PMap at 0x4600", rule: check.RulePMap, section: "2.2.2.7.3", cut: func(s *surgeon) uint64 { s.put(0x4600+496, 0, 2); return 0x4600 + 496 }},
	{name: "AMap that marks used space free", rule: check.RuleUsedFree, section: "2.2.2.7.2", cut: func(s *surgeon) uint64 {
		ib, _ := s.extent(s.bidData(pst.NIDStore))
		s.b[0x4400+(ib-0x4400)/512] &^= 0x80 >> ((ib - 0x4400) / 64 % 8)
		return ib
	}},
	{name: "AMap that marks free space used", rule: check.RuleFreeUsed, section: "2.2.2.7.2", cut: func(s *surgeon) uint64 {
		s.b[0x4400+495] |= 1
		return 0x4400 + 253952 - 64
	}},
	{name: "misaligned page", rule: check.RulePageAlign, section: "2.2.2.7", cut: func(s *surgeon) uint64 {
		root := num(s.b, 0xE0)
		s.put(root+16, num(s.b, root+16)+64, 8)
		return root + 8 // the reference; where it leads nothing can be
	}},
	{name: "signature of a page", rule: check.RulePageSig, section: "2.2.2.7.1", cut: func(s *surgeon) uint64 { return num(s.b, 0xE0) + 498 }, after: flip},
	{name: "checksum of a page", rule: check.RulePageCRC, section: "2.2.2.7.1", cut: func(s *surgeon) uint64 { return num(s.b, 0xE0) + 496 }, after: func(s *surgeon, at uint64) { s.b[at+4] ^= 1 }},
	{name: "BID of a page", rule: check.RulePageBID, section: "2.2.2.7.1", cut: func(s *surgeon) uint64 { s.put(0xD8, 3, 8); return num(s.b, 0xE0) + 496 }},
	{name: "cEntMax", rule: check.RulePageMax, section: "2.2.2.7.7.1", cut: func(s *surgeon) uint64 { return s.put(num(s.b, 0xE0)+489, 15, 1) }},
	{name: "btkey that is not the first key", rule: check.RuleKeyFirst, section: "2.2.2.7.7.2", cut: func(s *surgeon) uint64 {
		root := num(s.b, 0xE0)
		s.put(root+24, num(s.b, root+24)-1, 8)
		return num(s.b, root+24+16)
	}},
	{name: "BID bit 0", rule: check.RuleBIDBit, section: "2.2.2.2", cut: func(s *surgeon) uint64 {
		at := s.entryOf(s.bidData(pst.NIDStore))
		delete(s.blocks, s.bidData(pst.NIDStore))
		s.order = nil // the trailers stay as they are
		s.b[at] |= 1
		return at
	}},
	{name: "cRef 1", rule: check.RuleCRef, section: "2.2.2.7.7.3.1", cut: func(s *surgeon) uint64 {
		bid := s.bidData(pst.NIDStore)
		s.put(s.entryOf(bid)+18, 1, 2)
		ib, _ := s.extent(bid)
		return ib
	}},
	{name: "block across an AMap", rule: check.RuleBlockCrosses, section: "2.6.1.1.1", cut: func(s *surgeon) uint64 {
		at := s.entryOf(s.bidData(pst.NIDStore))
		s.put(at+8, 0x4400+253952-64, 8)
		s.order = nil
		s.b = append(s.b, make([]byte, 253952)...)
		return at
	}},
	{name: "signature of a block", rule: check.RuleBlockSig, section: "2.2.2.8.1", cut: func(s *surgeon) uint64 { return s.blockEnd(s.bidData(pst.NIDStore)) + 2 }, after: flip},
	{name: "BID of a block", rule: check.RuleBlockBID, section: "2.2.2.8.1", cut: func(s *surgeon) uint64 {
		end := s.blockEnd(s.bidData(pst.NIDStore))
		s.put(end+8, 4, 8)
		return end
	}},
	{name: "checksum of a block with its padding", rule: check.RuleBlockCRC, section: "2.2.2.8.1", cut: func(s *surgeon) uint64 { return s.blockEnd(s.bidData(pst.NIDStore)) }, after: func(s *surgeon, end uint64) {
		ib, _ := s.extent(s.bidData(pst.NIDStore))
		s.put(end+4, uint64(pst.Checksum(s.b[ib:end])), 4)
	}},
	{name: "checksum of a block before encoding", rule: check.RuleBlockCRC, section: "2.2.2.8.1", cut: func(s *surgeon) uint64 { return s.blockEnd(s.bidData(pst.NIDStore)) }, after: func(s *surgeon, end uint64) {
		s.put(end+4, uint64(pst.Checksum(s.read(s.bidData(pst.NIDStore)))), 4)
	}},
	{name: "XBLOCK that is encoded", rule: check.RuleInternalEncoded, section: "2.2.2.8.3.1.1", cut: func(s *surgeon) uint64 {
		x, _ := s.list()
		s.edit(x, func(b []byte) { pst.CryptPermute.Encode(b, x) })
		ib, _ := s.extent(x)
		return ib
	}},
	{name: "block that is not full", rule: check.RuleNotFull, section: "2.2.2.8.3.2", cut: func(s *surgeon) uint64 {
		x, blocks := s.list()
		s.put(s.entryOf(blocks[1])+16, 8170, 2)
		ib, _ := s.extent(x)
		return ib + 16
	}},
	{name: "lcbTotal", rule: check.RuleTotal, section: "2.2.2.8.3.2.1", cut: func(s *surgeon) uint64 {
		x, _ := s.list()
		s.edit(x, func(b []byte) { b[4]++ })
		ib, _ := s.extent(x)
		return ib + 4
	}},
}

// TestPitfalls cuts each pitfall into a file that is clean, and wants the right finding: rule,
// section, and the offset of what is wrong.
func TestPitfalls(t *testing.T) {
	base := written(t, writer.Options{}, smallBox)
	for _, c := range slices.Concat(headerPitfalls, spacePitfalls, heapPitfalls, mandatoryPitfalls(), messagePitfalls) {
		t.Run(c.name, func(t *testing.T) {
			s := operate(t, base)
			offset := c.cut(s)
			s.close()
			if c.after != nil {
				c.after(s, offset)
			}
			report := findings(t, s.b)
			for _, f := range report.Findings {
				if f.Rule == c.rule && f.Section == c.section && f.Offset == int64(offset) {
					return
				}
			}
			t.Errorf("no %q of %s at %#x among %v", c.rule, c.section, offset, report.Findings)
		})
	}
}
