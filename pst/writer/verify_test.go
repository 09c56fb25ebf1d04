package writer

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"keepwatch/pst"
)

// verified takes a file apart and holds its parts against each other: rows against
// property contexts, counts against tables, heaps against their own page maps. The
// package pst/check does more; this is about what this package writes.
func verified(t testing.TB, path string) *parsed {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pst.ReadHeader(bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatal(err)
	}
	p := parse(t, data)
	for nid, n := range p.nodes {
		switch nid.Type() {
		case pst.NodeFolder:
			verifyFolder(t, p, nid)
		case pst.NodeMessage, pst.NodeAssociated:
			verifyMessage(t, p, n)
		}
		if blocks := p.leaves(n.data); nid != pst.NIDSearchActivity && len(blocks) > 0 {
			verifyHeap(t, nid, blocks)
		}
	}
	return p
}

// verifyFolder: rows repeat what they list, and the counts are those of the rows.
func verifyFolder(t testing.TB, p *parsed, nid pst.NID) {
	t.Helper()
	props := p.values(t, p.nodes[nid])
	count := func(tag pst.Tag) int { return int(binary.LittleEndian.Uint32(props[tag])) }
	unread := 0
	rows := p.rows(t, p.nodes[nid.As(pst.NodeContents)])
	for _, r := range rows {
		pc := verifyRow(t, p, r, nid)
		if pc[pst.PidTagMessageFlags][0]&pst.FlagRead == 0 {
			unread++
		}
	}
	if count(pst.PidTagContentCount) != len(rows) || count(pst.PidTagContentUnreadCount) != unread {
		t.Errorf("%v: it says %d items, %d unread; it has %d, %d", nid, count(pst.PidTagContentCount), count(pst.PidTagContentUnreadCount), len(rows), unread)
	}
	children := p.rows(t, p.nodes[nid.As(pst.NodeHierarchy)])
	for _, r := range children {
		verifyRow(t, p, r, nid)
	}
	if has := props[pst.PidTagSubfolders][0] == 1; has != (len(children) > 0) {
		t.Errorf("%v: it says %v of having subfolders; it has %d", nid, has, len(children))
	}
	for _, r := range p.rows(t, p.nodes[nid.As(pst.NodeFAIContents)]) {
		if verifyRow(t, p, r, nid); pst.NID(r.id).Type() != pst.NodeAssociated {
			t.Errorf("%v: the hidden item %#x is none", nid, r.id)
		}
	}
}

// verifyRow: each cell that is there is the value of what the row lists.
func verifyRow(t testing.TB, p *parsed, r row, parent pst.NID) map[pst.Tag][]byte {
	t.Helper()
	n, ok := p.nodes[pst.NID(r.id)]
	if !ok || n.parent != parent {
		t.Fatalf("the row %#x of %v lists a node of %v", r.id, parent, n.parent)
	}
	props := p.values(t, n)
	for tag, v := range r.cells {
		switch tag {
		case pst.PidTagLtpRowId:
			if binary.LittleEndian.Uint32(v) != r.id {
				t.Errorf("row %#x: its id is %x", r.id, v)
			}
		case pst.PidTagLtpRowVer:
		default:
			if want, ok := props[tag]; !ok || !bytes.Equal(want, v) {
				t.Errorf("row %#x, %v: %x, the object has %x", r.id, tag, v, want)
			}
		}
	}
	for _, tag := range contentsColumns[2:] {
		if _, ok := props[tag]; ok && pst.NID(r.id).Type() == pst.NodeMessage && r.cells[tag] == nil && len(props[tag]) > 0 {
			t.Errorf("row %#x: %v is missing", r.id, tag)
		}
	}
	return props
}

// verifyMessage: what every message has is there, and what hangs on it fits.
func verifyMessage(t testing.TB, p *parsed, n node) {
	t.Helper()
	props, subs := p.values(t, n), p.subnodes(n.sub)
	for _, tag := range []pst.Tag{
		pst.PidTagMessageClass, pst.PidTagMessageFlags, pst.PidTagMessageSize, pst.PidTagMessageStatus,
		pst.PidTagCreationTime, pst.PidTagLastModificationTime, pst.PidTagSearchKey,
	} {
		if len(props[tag]) == 0 {
			t.Errorf("a message has no %v", tag)
		}
	}
	recipients := p.rows(t, subs[pst.NIDRecipients])
	var sum int
	for _, r := range recipients {
		for tag, v := range r.cells {
			if tag != pst.PidTagLtpRowId && tag != pst.PidTagLtpRowVer {
				sum += len(v)
			}
		}
	}
	has := props[pst.PidTagMessageFlags][0]&pst.FlagHasAttach != 0
	if table, ok := subs[pst.NIDAttachments]; ok != has {
		t.Errorf("there are attachments: %v, and the flags say %v", ok, has)
	} else if ok {
		sum += verifyAttachments(t, p, table, subs)
	}
	for _, v := range props {
		sum += len(v)
	}
	if got := int(binary.LittleEndian.Uint32(props[pst.PidTagMessageSize])); got != sum {
		t.Errorf("a message of %d bytes says %d", sum, got)
	}
}

func verifyAttachments(t testing.TB, p *parsed, table node, subs map[pst.NID]node) (sum int) {
	t.Helper()
	rows, n := p.rows(t, table), 0
	for _, r := range rows {
		a := subs[pst.NID(r.id)]
		props := p.values(t, a)
		for tag, v := range r.cells {
			if tag != pst.PidTagLtpRowId && tag != pst.PidTagLtpRowVer && !bytes.Equal(props[tag], v) {
				t.Errorf("attachment %#x, %v: the row has %x and it has %x", r.id, tag, v, props[tag])
			}
		}
		size := 0
		for tag, v := range props {
			size += len(v)
			if tag == pst.PidTagAttachDataObject {
				nid := pst.NID(binary.LittleEndian.Uint32(v))
				e := p.subnodes(a.sub)[nid]
				verifyMessage(t, p, e)
				inner := p.values(t, e)[pst.PidTagMessageSize]
				if !bytes.Equal(inner, v[4:]) {
					t.Errorf("an embedded message of %x bytes is said to have %x", inner, v[4:])
				}
				size += int(binary.LittleEndian.Uint32(inner)) - len(v)
			}
		}
		if got := int(binary.LittleEndian.Uint32(props[pst.PidTagAttachSize])); got != size {
			t.Errorf("an attachment of %d bytes says %d", size, got)
		}
		sum += size
	}
	for nid := range subs {
		if nid.Type() == pst.NodeAttachment {
			n++
		}
	}
	if n != len(rows) {
		t.Errorf("%d attachments and %d rows", n, len(rows))
	}
	return sum
}

// verifyHeap: blocks are full but the last, items are neither empty nor too long,
// and the fill levels are what the page maps say.
func verifyHeap(t testing.TB, nid pst.NID, blocks [][]byte) {
	t.Helper()
	le := binary.LittleEndian
	levels := blocks[0][8:12]
	for i, b := range blocks {
		if i < len(blocks)-1 && len(b) != maxBlock {
			t.Errorf("%v: block %d of %d has %d bytes", nid, i, len(blocks), len(b))
		}
		at := i
		if i >= 8 {
			if at = (i - 8) % 128; at == 0 {
				levels = b[2:66]
			}
		}
		head := []int{heapHead, pageHead, bitmapHead}[min(i, 1)]
		if i >= 8 && at == 0 {
			head = bitmapHead
		}
		m := int(le.Uint16(b))
		count := int(le.Uint16(b[m:]))
		end := m + 6 + 2*count
		if m%2 != 0 || le.Uint16(b[m+2:]) != 0 || int(le.Uint16(b[m+4:])) != head || m-int(le.Uint16(b[end-2:])) > 1 {
			t.Errorf("%v: the page map of block %d is %x at %d", nid, i, b[m:end], m)
		}
		for k := range count {
			if n := int(le.Uint16(b[m+6+2*k:])) - int(le.Uint16(b[m+4+2*k:])); n < 1 || n > maxAlloc {
				t.Errorf("%v: item %d of block %d has %d bytes", nid, k+1, i, n)
			}
		}
		if got, want := levels[at/2]>>(4*(at%2))&0xF, levelOf(maxBlock-end); got != want {
			t.Errorf("%v: the fill level of block %d is %d, it should be %d", nid, i, got, want)
		}
	}
}

// levelOf is the table of 2.3.1.2 from its other side.
func levelOf(free int) (level byte) {
	for _, from := range []int{3584, 2560, 2048, 1792, 1536, 1280, 1024, 768, 512, 256, 128, 64, 32, 16, 8} {
		if free < from {
			level++
		}
	}
	return level
}
