package pst_test

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"keepwatch/pst"
	"keepwatch/pst/check"
)

var heapPitfalls = []pitfall{
	{name: "heap signature", rule: check.RuleHeapSig, section: "2.3.1.2", cut: heapByte(dataOf(pst.NIDStore), 2, func(b []byte) { b[2] = 0xED })},
	{name: "page map at an odd offset", rule: check.RuleHeapAlign, section: "2.3.1.5", cut: heapByte(dataOf(pst.NIDStore), 0, func(b []byte) { b[0]-- })},
	{name: "cFree", rule: check.RuleHeapFree, section: "2.3.1.5", cut: func(s *surgeon) uint64 {
		bid := s.bidData(pst.NIDStore)
		m := word(s.read(bid), 0)
		return heapByte(dataOf(pst.NIDStore), m+2, func(b []byte) { b[m+2]++ })(s)
	}},
	{name: "fill level", rule: check.RuleHeapFill, section: "2.3.1.2", cut: heapByte(dataOf(pst.NIDStore), 0, func(b []byte) { b[8] = 3 })},
	{name: "gap before the page map", rule: check.RuleHeapGap, section: "2.3.1.5", cut: func(s *surgeon) uint64 {
		n := s.mail(0)
		bid := s.bidData(n)
		b := s.read(bid)
		m := word(b, 0)
		longer := append(append(bytes.Clone(b[:m]), 0, 0, 0, 0), b[m:]...)
		binary.LittleEndian.PutUint16(longer, uint16(m+4))
		s.write(bid, longer)
		ib, _ := s.extent(bid)
		return ib + m + 4
	}},
	{name: "rgib that does not go up", rule: check.RuleTableEnds, section: "2.3.4.1", cut: tableInfo(theTable(pst.NodeContents), 2, func(b []byte) { binary.LittleEndian.PutUint16(b[2:], 0xFFFF) })},
	{name: "existence bits for too few columns", rule: check.RuleTableBits, section: "2.3.4.4.1", cut: tableInfo(theTable(pst.NodeContents), 8, func(b []byte) { b[8]-- })},
	{name: "columns that are not sorted", rule: check.RuleColumnOrder, section: "2.3.4.1", cut: tableInfo(theTable(pst.NodeContents), 22+8, func(b []byte) {
		swap(b, 22, 30, 8)
	})},
	{name: "row version twice", rule: check.RuleRowVer, section: "real files", cut: func(s *surgeon) uint64 {
		rowAt(theTable(pst.NodeContents), 1, 4, func(r []byte) { copy(r[4:8], []byte{0xFE, 0xFE, 0, 0}) })(s)
		rowAt(theTable(pst.NodeContents), 2, 4, func(r []byte) { copy(r[4:8], []byte{0xFE, 0xFE, 0, 0}) })(s)
		ib, _ := s.extent(s.leafBlocks(s.bidData(theInbox(s).As(pst.NodeContents)))[0])
		return ib
	}},
	{name: "row that is not the message", rule: check.RuleContentsRow, section: "2.4.4.3", cut: func(s *surgeon) uint64 {
		data := s.bidData(theInbox(s).As(pst.NodeContents))
		col := s.bytes(s.alloc(data, s.userRoot(data)))[s.tableColumn(data, uint32(pst.PidTagMessageSize)):]
		return rowAt(theTable(pst.NodeContents), 1, word(col, 4), func(r []byte) { r[word(col, 4)]++ })(s)
	}},
	{name: "hierarchy row that is not the folder", rule: check.RuleHierarchyRow, section: "2.4.4.3", cut: func(s *surgeon) uint64 {
		data := s.bidData(pst.NIDIPMSubtree.As(pst.NodeHierarchy))
		col := s.bytes(s.alloc(data, s.userRoot(data)))[s.tableColumn(data, uint32(pst.PidTagContentCount)):]
		return rowAt(dataOf(pst.NIDIPMSubtree.As(pst.NodeHierarchy)), 0, word(col, 4), func(r []byte) { r[word(col, 4)] += 3 })(s)
	}},
}

// theTable is a table of the folder with the mails.
func theTable(typ pst.NodeType) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 { return s.bidData(theInbox(s).As(typ)) }
}

// tableInfo edits TCINFO; the finding names where the column or the head is.
func tableInfo(n func(s *surgeon) uint64, at uint64, do func(b []byte)) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 {
		data := n(s)
		p := s.alloc(data, s.userRoot(data))
		s.change(data, s.userRoot(data), do)
		ib, _ := s.extent(p.bid)
		return ib + p.from + at
	}
}

// gone takes a node out of the tree by giving it the NID of none. It is missed where it belongs.
func gone(n pst.NID) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 {
		other := uint64(n) ^ 0x1F&^1
		at := s.put(s.at(n), other, 4)
		if at%512 == 0 || other < uint64(n) {
			return at
		}
		return at - 32
	}
}

func mandatoryPitfalls() (all []pitfall) {
	for _, n := range []pst.NID{pst.NIDStore, pst.NIDNameMap, 0x12D, 0x12E, 0x12F, pst.NIDSearchActivity, pst.NIDHierarchyTemplate, pst.NIDContentsTemplate,
		pst.NIDFAITemplate, pst.NIDSearchContents, pst.NIDReceiveFolders, pst.NIDOutgoingQueue, pst.NIDAttachments, pst.NIDRecipients, pst.NIDSearchManagement} {
		all = append(all, pitfall{name: fmt.Sprintf("no node %v", n), rule: check.RuleMandatory, section: "2.7.1", cut: gone(n)})
	}
	for _, id := range []uint64{0x0FF9, 0x3001, 0x35E0, 0x35E3, 0x35E7} {
		all = append(all, pitfall{name: fmt.Sprintf("store without %04X", id), rule: check.RuleStore, section: "2.4.3.1", cut: lose(dataOf(pst.NIDStore), id)})
	}
	for _, id := range []uint64{0x3001, 0x3602, 0x3603, 0x360A} {
		all = append(all, pitfall{name: fmt.Sprintf("folder without %04X", id), rule: check.RuleFolder, section: "2.4.4.1.1", cut: lose(dataOf(pst.NIDDeletedItems), id)})
	}
	for _, id := range []uint64{0x001A, 0x0E07, 0x0E08, 0x3007, 0x3008, 0x300B} {
		all = append(all, pitfall{name: fmt.Sprintf("message without %04X", id), rule: check.RuleMessage, section: "2.4.5.1.1", cut: lose(mailData(0), id)})
	}
	for _, id := range []uint64{0x0E20, 0x3705, 0x370B} {
		all = append(all, pitfall{name: fmt.Sprintf("attachment without %04X", id), rule: check.RuleAttachment, section: "2.4.6.2.1", cut: lose(attachmentOf(3), id)})
	}
	return all
}

var messagePitfalls = []pitfall{
	{name: "search activity list without 0x2223", rule: check.RuleActivity, section: "2.4.8.4.2", cut: func(s *surgeon) uint64 {
		s.edit(s.bidData(pst.NIDSearchActivity), func(b []byte) { binary.LittleEndian.PutUint32(b, uint32(pst.NIDDeletedItems)) })
		return s.at(pst.NIDSearchActivity)
	}},
	{name: "0E30 as Integer32", rule: check.RuleColumnType, section: "2.4.4", cut: func(s *surgeon) uint64 {
		data := s.bidData(pst.NIDHierarchyTemplate)
		at := s.tableColumn(data, 0x0E300102)
		s.change(data, s.userRoot(data), func(b []byte) { b[at], b[at+1] = 3, 0 })
		ib, _ := s.extent(data)
		return ib
	}},
	{name: "3613 as Binary", rule: check.RuleColumnType, section: "2.4.4", cut: func(s *surgeon) uint64 {
		data := s.bidData(pst.NIDHierarchyTemplate)
		at := s.tableColumn(data, 0x3613001F)
		s.change(data, s.userRoot(data), func(b []byte) { b[at], b[at+1] = 2, 1 })
		ib, _ := s.extent(data)
		return ib
	}},
	{name: "reserved NID of a message", rule: check.RuleReserved, section: "real files", cut: func(s *surgeon) uint64 {
		return s.put(s.at(pst.NIDNameMap), 0x24, 4)
	}},
	{name: "associated message of the type 4", rule: check.RuleRowType, section: "2.2.2.1", cut: func(s *surgeon) uint64 {
		// The contents table in the place of that of the associated ones, and the other way round.
		in := theInbox(s)
		a, b := s.at(in.As(pst.NodeContents)), s.at(in.As(pst.NodeFAIContents))
		swap(s.b, int(a)+8, int(b)+8, 16)
		return rowAt(dataOf(in.As(pst.NodeFAIContents)), 0, 0, func([]byte) {})(s)
	}},
	{name: "message with another parent", rule: check.RuleParent, section: "2.2.2.7.7.4.1", cut: func(s *surgeon) uint64 {
		table := dataOf(theInbox(s).As(pst.NodeContents))
		s.put(s.at(s.mail(0))+24, uint64(pst.NIDDeletedItems), 4)
		return rowAt(table, 0, 0, func([]byte) {})(s)
	}},
	{name: "table with a parent", rule: check.RuleParent, section: "2.2.2.7.7.4.1", cut: func(s *surgeon) uint64 {
		at := s.at(0x806D)
		s.put(at+24, 0x8022, 4)
		return at
	}},
	{name: "attachment size", rule: check.RuleAttachSize, section: "2.4.6.2.1", cut: func(s *surgeon) uint64 {
		data := attachmentOf(3)(s)
		s.property(data, 0x0E20, func(r []byte) { r[4]++ })
		ib, _ := s.extent(data)
		return ib
	}},
	{name: "size of an embedded message", rule: check.RuleEmbeddedSize, section: "2.3.3.5", cut: func(s *surgeon) uint64 {
		data := attachmentOf(4)(s)
		var hid uint32
		s.property(data, 0x3701, func(r []byte) { hid = dword(r, 4) })
		s.change(data, hid, func(b []byte) { b[4]++ })
		ib, _ := s.extent(data)
		return ib
	}},
	{name: "mfHasAttach", rule: check.RuleHasAttach, section: "2.4.6", cut: func(s *surgeon) uint64 {
		data := s.bidData(s.mail(3))
		s.property(data, 0x0E07, func(r []byte) { r[4] &^= 0x10 })
		ib, _ := s.extent(data)
		return ib
	}},
	{name: "unread count", rule: check.RuleUnread, section: "2.4.4.1.1", cut: folderCount(0x3603)},
	{name: "content count", rule: check.RuleContentCount, section: "2.4.4.1.1", cut: folderCount(0x3602)},
	{name: "name hash", rule: check.RuleNameHash, section: "2.4.7.5", cut: bucketOf(func(b []byte) { b[0] ^= 1 })},
	{name: "bucket count", rule: check.RuleNameBuckets, section: "2.4.7.5", cut: func(s *surgeon) uint64 {
		data := s.bidData(pst.NIDNameMap)
		s.property(data, 1, func(r []byte) { r[4]-- })
		ib, _ := s.extent(s.leafBlocks(data)[0])
		return ib
	}},
	{name: "stream of no bytes", rule: check.RuleNameStream, section: "2.4.7", cut: func(s *surgeon) uint64 {
		data := s.bidData(pst.NIDNameMap)
		s.property(data, 4, func(r []byte) { clear(r[4:8]) })
		ib, _ := s.extent(s.leafBlocks(data)[0])
		return ib
	}},
}

func folderCount(id uint64) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 {
		data := s.bidData(theInbox(s))
		s.property(data, id, func(r []byte) { r[4] += 2 })
		ib, _ := s.extent(data)
		return ib
	}
}

// bucketOf edits the first bucket of the name-to-id map that has something, and gives where its
// property is.
func bucketOf(do func(b []byte)) func(s *surgeon) uint64 {
	return func(s *surgeon) uint64 {
		data := s.bidData(pst.NIDNameMap)
		for _, p := range s.records(data, s.userRoot(data)) {
			b := s.read(p.bid)
			for at := p.from; at < p.to; at += 8 {
				if word(b, at) >= 0x1000 && dword(b, at+4) != 0 {
					s.change(data, dword(b, at+4), do)
					ib, _ := s.extent(p.bid)
					return ib + at
				}
			}
		}
		s.Fatal("no bucket")
		return 0
	}
}
