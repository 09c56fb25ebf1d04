package reader_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"unicode/utf16"

	"keepwatch/pst"
	"keepwatch/pst/reader"
)

// mini makes small files by hand, whole ones and such as no program writes. It
// shares nothing with the reader: its sizes are from [MS-PST] 2.2.2.
type mini struct {
	ansi   bool
	nodes  []miniNode
	blocks map[uint64][]byte                              // data by BID; an internal block has bit 1 set
	page   func(kind byte, level int, at int64, p []byte) // changes a page before its checksum
}

type miniNode struct{ nid, data, sub, parent uint64 }

func (m *mini) word() int {
	if m.ansi {
		return 4
	}
	return 8
}

// num appends a BID or an offset.
func (m *mini) num(b []byte, v uint64) []byte {
	if m.ansi {
		return binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return binary.LittleEndian.AppendUint64(b, v)
}

func (m *mini) trailer(off int, head []byte, bid uint64, crc uint32) []byte {
	sig := pst.Signature(uint64(off), bid)
	head = binary.LittleEndian.AppendUint16(head, sig)
	if m.ansi {
		return binary.LittleEndian.AppendUint32(m.num(head, bid), crc)
	}
	return m.num(binary.LittleEndian.AppendUint32(head, crc), bid)
}

// tree writes the pages of a B-tree with few entries in each, and gives the root.
func (m *mini) tree(out *[]byte, kind byte, entries [][]byte) (bid uint64, ib int64) {
	level := 0
	next := uint64(kind) << 8
	for {
		per := 4
		var up [][]byte
		for len(entries) > 0 || up == nil {
			n := min(per, len(entries))
			for len(*out)%512 != 0 {
				*out = append(*out, 0)
			}
			off := len(*out)
			p := slices.Concat(entries[:n]...)
			cb := 24
			if m.ansi {
				cb = 12
			}
			if n > 0 {
				cb = len(entries[0])
			}
			end := 488
			if m.ansi {
				end = 496
			}
			p = append(p, make([]byte, end-len(p))...)
			p = append(p, byte(n), byte(end/cb), byte(cb), byte(level))
			p = append(p, make([]byte, 512-2*m.word()-len(p))...)
			if m.ansi {
				p = p[:500]
			}
			next++
			if m.page != nil {
				m.page(kind, level, int64(off), p)
			}
			*out = append(*out, m.trailer(off, append(p, kind, kind), next, pst.Checksum(p))...)
			var e []byte
			if n > 0 {
				e = append(e, entries[0][:m.word()]...)
			}
			up = append(up, m.num(m.num(e, next), uint64(off)))
			entries = entries[n:]
		}
		if len(up) == 1 {
			return next, int64(len(*out) - 512)
		}
		entries, level = up, level+1
	}
}

// bytes makes the file.
func (m *mini) bytes() []byte {
	out := make([]byte, 1024)
	var blobs [][]byte
	bids := make([]uint64, 0, len(m.blocks))
	for bid := range m.blocks {
		bids = append(bids, bid)
	}
	slices.Sort(bids)
	for _, bid := range bids {
		data := m.blocks[bid]
		for len(out)%64 != 0 {
			out = append(out, 0)
		}
		off := len(out)
		t := 16
		if m.ansi {
			t = 12
		}
		n := (len(data) + t + 63) &^ 63
		out = append(out, data...)
		out = append(out, make([]byte, n-t-len(data))...)
		out = append(out, m.trailer(off, binary.LittleEndian.AppendUint16(nil, uint16(len(data))), bid, pst.Checksum(data))...)
		e := m.num(m.num(nil, bid), uint64(off))
		e = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(e, uint16(len(data))), 2)
		if !m.ansi {
			e = append(e, 0, 0, 0, 0)
		}
		blobs = append(blobs, e)
	}
	var nodes [][]byte
	for _, n := range m.nodes {
		e := m.num(m.num(m.num(nil, n.nid), n.data), n.sub)
		e = binary.LittleEndian.AppendUint32(e, uint32(n.parent))
		if !m.ansi {
			e = append(e, 0, 0, 0, 0)
		}
		nodes = append(nodes, e)
	}
	nb, ni := m.tree(&out, 0x81, nodes)
	bb, bi := m.tree(&out, 0x80, blobs)
	m.header(out, [4]uint64{nb, uint64(ni), bb, uint64(bi)})
	return out
}

func (m *mini) header(out []byte, roots [4]uint64) {
	copy(out, "!BDN")
	copy(out[8:], "SM")
	le := binary.LittleEndian
	if m.ansi {
		out[10], out[460] = 14, 0x80
		le.PutUint32(out[168:], uint32(len(out)))
		for i, v := range roots {
			le.PutUint32(out[184+4*i:], uint32(v))
		}
	} else {
		out[10], out[512] = 23, 0x80
		le.PutUint64(out[184:], uint64(len(out)))
		for i, v := range roots {
			le.PutUint64(out[216+8*i:], v)
		}
		le.PutUint32(out[524:], pst.Checksum(out[8:8+516]))
	}
	le.PutUint32(out[4:], pst.Checksum(out[8:8+471]))
}

// heapOf makes a heap of one block; item i has the id 0x20*i, from 1 on. The first is
// what the root names.
func heapOf(client byte, items ...[]byte) []byte {
	b := []byte{0, 0, 0xEC, client, 0x20, 0, 0, 0, 0, 0, 0, 0}
	at := []uint16{12}
	for _, it := range items {
		b = append(b, it...)
		at = append(at, uint16(len(b)))
	}
	if len(b)%2 != 0 {
		b = append(b, 0)
	}
	binary.LittleEndian.PutUint16(b, uint16(len(b)))
	b = append(b, byte(len(items)), byte(len(items)>>8), 0, 0)
	for _, a := range at {
		b = binary.LittleEndian.AppendUint16(b, a)
	}
	return b
}

func bthOf(key, ent, levels byte, root uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0xB5, key, ent, levels}, root)
}

// cell is a property of a property context: its tag, and a number, or bytes.
type cell struct {
	tag   pst.Tag
	value any
}

// contextOf makes a property context of one block.
func contextOf(cells ...cell) []byte {
	items := [][]byte{bthOf(2, 6, 0, 0x40), nil}
	if len(cells) == 0 {
		return heapOf(0xBC, bthOf(2, 6, 0, 0))
	}
	for _, c := range cells {
		v := uint32(0)
		switch x := c.value.(type) {
		case int:
			v = uint32(x)
		case []byte:
			items = append(items, x)
			v = uint32(len(items)) << 5
		case string:
			items = append(items, utf16of(x))
			v = uint32(len(items)) << 5
		}
		items[1] = binary.LittleEndian.AppendUint16(items[1], c.tag.ID())
		items[1] = binary.LittleEndian.AppendUint16(items[1], uint16(c.tag.Type()))
		items[1] = binary.LittleEndian.AppendUint32(items[1], v)
	}
	return heapOf(0xBC, items...)
}

func utf16of(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// tableOf makes a table whose only columns are the two of every table, and rows with
// these ids, which lie in the heap.
func (m *mini) tableOf(ids ...uint32) []byte {
	head := []byte{0x7C, 2, 8, 0, 8, 0, 8, 0, 9, 0, 0x40, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0,
		0x03, 0, 0xF2, 0x67, 0, 0, 4, 0, 0x03, 0, 0xF3, 0x67, 4, 0, 4, 1}
	var index, rows []byte
	ent := byte(4)
	if m.ansi {
		ent = 2
	}
	for i, id := range ids {
		index = binary.LittleEndian.AppendUint32(index, id)
		if m.ansi {
			index = binary.LittleEndian.AppendUint16(index, uint16(i))
		} else {
			index = binary.LittleEndian.AppendUint32(index, uint32(i))
		}
		rows = binary.LittleEndian.AppendUint32(rows, id)
		rows = append(rows, byte(i), 0, 0, 0, 0xC0)
	}
	if len(ids) == 0 {
		binary.LittleEndian.PutUint32(head[14:], 0)
		return heapOf(0x7C, head, bthOf(4, ent, 0, 0))
	}
	return heapOf(0x7C, head, bthOf(4, ent, 0, 0x60), index, rows)
}

// subsOf makes an SLBLOCK.
func (m *mini) subsOf(nodes ...miniNode) []byte {
	b := []byte{2, 0, byte(len(nodes)), byte(len(nodes) >> 8)}
	if !m.ansi {
		b = append(b, 0, 0, 0, 0)
	}
	for _, n := range nodes {
		b = m.num(m.num(m.num(b, n.nid), n.data), n.sub)
	}
	return b
}

// listOf makes an XBLOCK or an XXBLOCK.
func (m *mini) listOf(level byte, total uint32, bids ...uint64) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{1, level, byte(len(bids)), byte(len(bids) >> 8)}, total)
	for _, bid := range bids {
		b = m.num(b, bid)
	}
	return b
}

// Ids of the mailbox that mailbox makes.
const (
	inbox   = 0x8082
	mailOne = 0x200024
	mailTwo = 0x200044
)

// mailbox is a whole file: root folder, IPM subtree, Inbox with two mails, of which
// the second has an attachment, and a name-to-id map.
func mailbox(ansi bool) *mini {
	m := &mini{ansi: ansi, blocks: map[uint64][]byte{}}
	m.set(0x21, 0, contextOf(cell{pst.PidTagDisplayName, "made by hand"}))
	m.set(0x61, 0, contextOf(cell{pst.PidTagNameidBucketCount, 251}, cell{pst.PidTagNameidStreamGuid, []byte{}},
		cell{pst.PidTagNameidStreamEntry, []byte{0, 0, 0, 0, 5, 0, 0, 0}}, cell{pst.PidTagNameidStreamString, append([]byte{8, 0, 0, 0}, utf16of("name")...)}))
	m.folder(0x122, 0x122, "", []uint32{0x8022}, nil)
	m.folder(0x8022, 0x122, "Top", []uint32{inbox}, nil)
	m.folder(inbox, 0x8022, "Inbox", nil, []uint32{mailOne, mailTwo})
	m.set(mailOne, inbox, contextOf(cell{0x001A001F, "IPM.Note"}, cell{0x0037001F, "one"}, cell{0x8000001F, "named"}))
	m.set(mailTwo, inbox, contextOf(cell{0x001A001F, "IPM.Note"}, cell{0x0037001F, "two"}, cell{0x1000001F, "body"}))
	m.attach(mailTwo, contextOf(cell{0x37010102, []byte("content")}, cell{0x37050003, 1}), 0)
	return m
}

// bid is the data block that set gives to a node.
func bid(nid uint64) uint64 { return nid<<8 | 4 }

// set adds a node, or gives it other data.
func (m *mini) set(nid, parent uint64, data []byte) {
	m.blocks[bid(nid)] = data
	i, found := slices.BinarySearchFunc(m.nodes, nid, func(n miniNode, id uint64) int { return int(n.nid) - int(id) })
	if !found {
		m.nodes = slices.Insert(m.nodes, i, miniNode{nid, bid(nid), 0, parent})
	}
}

func (m *mini) node(nid uint64) *miniNode {
	i := slices.IndexFunc(m.nodes, func(n miniNode) bool { return n.nid == nid })
	return &m.nodes[i]
}

func (m *mini) folder(nid, parent uint64, name string, folders, items []uint32) {
	m.set(nid, parent, contextOf(cell{0x3001001F, name}, cell{0x36020003, len(items)}))
	m.set(nid+0x0B, 0, m.tableOf(folders...))
	m.set(nid+0x0C, 0, m.tableOf(items...))
	m.set(nid+0x0D, 0, m.tableOf())
}

// attach gives a message one attachment.
func (m *mini) attach(nid uint64, data []byte, sub uint64) {
	b := bid(nid)
	m.blocks[b+0x10] = m.tableOf(0x8025)
	m.blocks[b+0x20] = data
	m.blocks[b+0x32] = m.subsOf(miniNode{nid: 0x671, data: b + 0x10}, miniNode{nid: 0x8025, data: b + 0x20, sub: sub})
	m.node(nid).sub = b + 0x32
}

func (m *mini) open(t testing.TB) *reader.File {
	t.Helper()
	return open(t, m.bytes())
}

// subjects are those of all mails, in order, and the errors between them.
func subjects(t testing.TB, f *reader.File) (out []string, errs []error) {
	t.Helper()
	err := f.Walk(func(d *reader.Folder, err error) error {
		if err != nil {
			errs = append(errs, err)
		}
		if d == nil {
			return nil
		}
		for m, err := range d.Messages() {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			ps, err := m.Properties()
			if err != nil {
				errs = append(errs, err)
			}
			out = append(out, ps.Text(pst.PidTagSubject))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, errs
}

func TestMadeByHand(t *testing.T) {
	for _, ansi := range []bool{false, true} {
		f := mailbox(ansi).open(t)
		got, errs := subjects(t, f)
		if !slices.Equal(got, []string{"one", "two"}) || errs != nil {
			t.Errorf("ANSI %v: %q %v", ansi, got, errs)
		}
		if items, damages, err := everything(f); err != nil || damages != 0 || items < 4 {
			t.Errorf("ANSI %v: %d items, %d damages, %v", ansi, items, damages, err)
		}
		m, err := f.Message(mailOne)
		if err != nil {
			t.Fatal(err)
		}
		ps, err := m.Properties()
		if v := ps.Text(pst.Named{Set: pst.PSPublicStrings, Name: "NAME", Type: pst.String}); v != "named" || err != nil {
			t.Errorf("ANSI %v: %v %v", ansi, ps, err)
		}
		if s := deep(t, mailbox(ansi).bytes()); s.Items != 2 || s.Orphans != 0 || len(s.Damage) != 0 || s.Name != "made by hand" {
			t.Errorf("ANSI %v: %+v", ansi, s)
		}
	}
}

// FuzzOpen: whatever of a small file is changed, going through it ends, and tells
// nothing but damage. The changes are made with checksums that fit. Each takes five
// bytes: the part, the place within it, and the value.
func FuzzOpen(f *testing.F) {
	files := [][]byte{mailbox(false).bytes(), mailbox(true).bytes()}
	f.Add(false, []byte{})
	f.Add(true, []byte{3, 0, 0, 20, 0xFF, 7, 1, 0, 4, 1})
	f.Fuzz(func(t *testing.T, ansi bool, edits []byte) {
		whole := files[0]
		if ansi {
			whole = files[1]
		}
		data := bytes.Clone(whole)
		all := parts(data, ansi)
		for ; len(edits) >= 5; edits = edits[5:] {
			p := all[int(edits[0])%len(all)]
			page := p.page(data)
			data[p.off+(int(edits[1])|int(edits[2])<<8|int(edits[3]))%p.n] = edits[4]
			p.mend(data, page)
		}
		r, err := reader.Open(bytes.NewReader(data), int64(len(data)), reader.Options{MaxValue: 1 << 20})
		if err != nil {
			return
		}
		if _, _, err := everything(r); err != nil {
			t.Error(err)
		}
	})
}
