package reader_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
	"keepwatch/pst/reader"
)

// crafted is a file made to hold a reader up.
type crafted struct {
	name  string
	craft func(m *mini)
	want  string // in one of the errors
}

// craftedTrees are wrong in the trees of pages, folders and blocks.
func craftedTrees() []crafted {
	return []crafted{
		{"folder below itself", func(m *mini) { m.folder(inbox, 0x8022, "Inbox", []uint32{0x8022}, nil) }, "second time"},
		{"folder in itself", func(m *mini) { m.folder(inbox, 0x8022, "Inbox", []uint32{inbox}, nil) }, "second time"},
		{"root page below itself", func(m *mini) {
			m.page = func(kind byte, level int, at int64, p []byte) {
				if kind == 0x81 && level == 1 {
					m.num(p[m.word()*2:m.word()*2], uint64(at)) // the first child is the page itself
				}
			}
		}, "and"},
		{"keys out of order", func(m *mini) {
			m.page = func(kind byte, level int, _ int64, p []byte) {
				if kind == 0x81 && level == 0 {
					copy(p[m.word()*4:], p[:m.word()])
				}
			}
		}, "no such node"},
		{"a level too many", func(m *mini) {
			m.page = func(kind byte, level int, _ int64, p []byte) {
				if kind == 0x80 && level == 1 {
					p[len(p)-1-4*(1-btoi(m.ansi))] = 7
				}
			}
		}, "level"},
		{"list of blocks that lists itself", func(m *mini) {
			m.blocks[0x1002] = m.listOf(2, 100, 0x1002, 0x1002)
			m.node(mailOne).data = 0x1002
		}, "should list data blocks"},
		{"list of a million times the same block", func(m *mini) {
			same := make([]uint64, 1000)
			for i := range same {
				same[i] = bid(mailTwo)
			}
			m.blocks[0x1006] = m.listOf(1, 100_000, same...)
			for i := range same {
				same[i] = 0x1006
			}
			m.blocks[0x100A] = m.listOf(2, 100, same...)
			m.attach(mailOne, contextOf(cell{0x37010102, 0x1F}, cell{0x37050003, 1}), 0x100E)
			m.blocks[0x100E] = m.subsOf(miniNode{nid: 0x1F, data: 0x100A})
		}, "more blocks than the file"},
		{"more data than the file has", func(m *mini) {
			m.blocks[0x1002] = m.listOf(1, 0xFFFFFFF0, bid(mailOne))
			m.node(mailOne).data = 0x1002
		}, "more data than the file"},
		{"subnodes below themselves", func(m *mini) {
			m.blocks[0x1002] = m.num(m.num(m.subsHead(1, 1), 0), 0x1002)
			m.node(mailTwo).sub = 0x1002
		}, "subnodes only"},
	}
}

// craftedItems are wrong in what lies in nodes.
func craftedItems() []crafted {
	return []crafted{
		{"tree in a heap below itself", func(m *mini) {
			loop := binary.LittleEndian.AppendUint32([]byte{1, 0}, 0x40)
			m.set(mailOne, inbox, heapOf(0xBC, bthOf(2, 6, 8, 0x40), loop))
		}, "tree in its heap"},
		{"tree in a heap of 200 levels", func(m *mini) { m.set(mailOne, inbox, heapOf(0xBC, bthOf(2, 6, 200, 0x40), []byte{1, 0})) }, "200 levels"},
		{"message that contains itself", func(m *mini) {
			m.attach(mailTwo, contextOf(cell{0x3701000D, binary.LittleEndian.AppendUint32([]byte{4, 1, 0, 0}, 10)}, cell{0x37050003, 5}), bid(mailTwo)+0x42)
			m.blocks[bid(mailTwo)+0x42] = m.subsOf(miniNode{nid: 0x104, data: bid(mailTwo), sub: bid(mailTwo) + 0x32})
		}, "contains itself"},
		{"messages in messages in messages", func(m *mini) {
			// Two attachments, each a message with data of its own and the same subnodes.
			m.attach(mailTwo, contextOf(cell{0x3701000D, binary.LittleEndian.AppendUint32([]byte{4, 1, 0, 0}, 10)}, cell{0x37050003, 5}), bid(mailTwo)+0x42)
			b := bid(mailTwo)
			m.blocks[b+0x10] = m.tableOf(0x8025, 0x8045)
			m.blocks[b+0x32] = m.subsOf(miniNode{nid: 0x671, data: b + 0x10}, miniNode{nid: 0x8025, data: b + 0x20, sub: b + 0x42}, miniNode{nid: 0x8045, data: b + 0x20, sub: b + 0x42})
			for i := range uint64(40) {
				m.blocks[0x5000+i*8] = m.blocks[b]
				m.blocks[0x6002+i*8] = m.subsOf(miniNode{nid: 0x104, data: 0x5000 + i*8, sub: 0x7002 + i*8})
				m.blocks[0x7002+i*8] = m.subsOf(miniNode{nid: 0x671, data: b + 0x10}, miniNode{nid: 0x8025, data: b + 0x20, sub: 0x600A + i*8}, miniNode{nid: 0x8045, data: b + 0x20, sub: 0x600A + i*8})
			}
			m.blocks[b+0x42] = m.blocks[0x6002]
		}, "more messages lie in one another"},
		{"a property with a length of 4 GB", func(m *mini) {
			m.set(mailOne, inbox, contextOf(cell{0x6000101F, []byte{0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}}))
		}, "length of its type"},
		{"all properties the same long value", func(m *mini) {
			m.blocks[0x1004] = make([]byte, 8000)
			m.blocks[0x1006] = m.listOf(1, 8000, 0x1004)
			cells := make([]cell, 300)
			for i := range cells {
				cells[i] = cell{pst.NewTag(uint16(0x6000+i), pst.Binary), 0x3F}
			}
			m.set(mailOne, inbox, contextOf(cells...))
			m.blocks[0x100E] = m.subsOf(miniNode{nid: 0x3F, data: 0x1006})
			m.node(mailOne).sub = 0x100E
		}, "longer than what is held"},
		{"table row outside of the table", func(m *mini) {
			b := m.tableOf(mailOne, mailTwo)
			i := bytes.Index(b, binary.LittleEndian.AppendUint32(nil, mailTwo))
			b[i+4] = 0xEE
			m.set(inbox+0x0C, 0, b)
		}, "no row 238"},
		{"map of names outside of itself", func(m *mini) {
			m.set(0x61, 0, contextOf(cell{pst.PidTagNameidStreamEntry, bytes.Repeat([]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0}, 100)}))
		}, "map of names"},
		{"the same table of many folders", func(m *mini) {
			ids := make([]uint32, 300)
			for i := range ids {
				ids[i] = 0x9002 + uint32(i)<<5
				m.set(uint64(ids[i]), 0x8022, contextOf(cell{0x3001001F, "folder"}))
				for j := range uint64(3) {
					n := uint64(ids[i]) + 0x0B + j
					m.set(n, 0, nil)
					delete(m.blocks, bid(n))
					m.node(n).data = bid(0x9002+0x0B) + 0x100*j
				}
			}
			m.blocks[bid(0x9002+0x0B)], m.blocks[bid(0x9002+0x0D)] = m.tableOf(), m.tableOf()
			m.blocks[bid(0x9002+0x0C)] = m.tableOf(ids...)
			m.set(0x8022+0x0B, 0, m.tableOf(ids...))
		}, "than it has room for"},
		{"no root folder", func(m *mini) { m.nodes = slices.DeleteFunc(m.nodes, func(n miniNode) bool { return n.nid == 0x122 }) }, "no such node"},
	}
}

// TestCrafted: files that are made to hold a reader up. Each walk ends, takes little
// memory, and tells what is wrong.
func TestCrafted(t *testing.T) {
	for _, c := range append(craftedTrees(), craftedItems()...) {
		for _, ansi := range []bool{false, true} {
			m := mailbox(ansi)
			c.craft(m)
			data := m.bytes()
			f, err := reader.Open(bytes.NewReader(data), int64(len(data)), reader.Options{MaxValue: 1 << 20})
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			errs, err := allErrors(f)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Errorf("%s, ANSI %v: %v", c.name, ansi, err)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 100<<20 {
				t.Errorf("%s, ANSI %v: %d bytes were allocated for a file of %d", c.name, ansi, n, len(data))
			}
			if !slices.ContainsFunc(errs, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("%s, ANSI %v: %q", c.name, ansi, errs)
			}
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// subsHead is the head of an SIBLOCK or SLBLOCK.
func (m *mini) subsHead(level, n byte) []byte {
	b := []byte{2, level, n, 0}
	if !m.ansi {
		b = append(b, 0, 0, 0, 0)
	}
	return b
}

// allErrors goes through everything and gives the texts of all damage.
func allErrors(f *reader.File) (texts []string, err error) {
	w := walker{f: f, tell: func(err error) { texts = append(texts, err.Error()) }}
	err = w.all()
	s, wrong := f.Summary(context.Background(), reader.SummaryOptions{Deep: true})
	if wrong != nil {
		return texts, errors.Join(err, wrong)
	}
	for _, d := range s.Damage {
		texts = append(texts, d.Error())
	}
	return texts, err
}

// TestDamagedStaysLocal: what is damaged is named with node and offset, and all the
// rest comes.
func TestDamagedStaysLocal(t *testing.T) {
	spoil := func(m *mini, b uint64) (data []byte, at int) {
		// The block is found by its content, and one byte of it is changed.
		data = m.bytes()
		at = bytes.Index(data, m.blocks[b])
		data[at+12] ^= 1
		return data, at
	}
	for _, c := range []struct {
		name string
		bid  uint64
		node pst.NID
		want []string
	}{
		{"message", bid(mailOne), mailOne, []string{"two"}},
		{"table of contents", bid(inbox + 0x0C), inbox + 0x0C, []string{"one", "two"}},
		{"table of folders", bid(0x8022 + 0x0B), 0x8022 + 0x0B, []string{"one", "two"}},
		{"folder", bid(inbox), inbox, []string{"one", "two"}},
		{"root folder", bid(0x122), 0x122, []string{"one", "two"}},
		{"map of names", bid(0x61), 0x61, []string{"one", "two"}},
	} {
		for _, ansi := range []bool{false, true} {
			m := mailbox(ansi)
			data, at := spoil(m, c.bid)
			got, errs := subjects(t, open(t, data))
			if c.node == 0x61 {
				_, err := open(t, data).Names()
				errs = append(errs, err)
			}
			var d *reader.Damage
			if len(errs) != 1 || !errors.As(errs[0], &d) || d.Node != c.node || int(d.Offset) != at {
				t.Errorf("%s, ANSI %v: %v", c.name, ansi, errs)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, ANSI %v: %q comes", c.name, ansi, got)
			}
			s := deep(t, data)
			if s.Items != 2 || len(s.Damage) != 1 || s.Damage[0].Offset != d.Offset {
				t.Errorf("%s, ANSI %v: %d items, %v", c.name, ansi, s.Items, s.Damage)
			}
		}
	}
}

func TestOrphans(t *testing.T) {
	m := mailbox(false)
	m.folder(inbox, 0x8022, "Inbox", nil, []uint32{mailOne, 0x200064})
	m.folder(0x80A2, 0x8022, "lost", nil, nil)
	var got []reader.Orphan
	for o, err := range m.open(t).Orphans() {
		if err != nil {
			t.Error(err)
		}
		got = append(got, o)
	}
	want := []reader.Orphan{{Node: 0x80A2, Folder: 0x8022}, {Node: mailTwo, Folder: inbox}, {Node: 0x200064, Folder: inbox, Missing: true}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for range m.open(t).Orphans() {
		break // ends without being asked for more
	}
}

// failing is a file whose disk gives up.
type failing struct {
	io.ReaderAt
	after int
}

var errDisk = errors.New("the disk is gone")

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(p, off)
}

// TestFailingDisk: an error of the file below is no damage. It ends everything, and
// comes out as it is.
func TestFailingDisk(t *testing.T) {
	data := psttest.Outlook(t, "java-libpst-dist-list.pst")
	met := 0
	for after := range 40 {
		f, err := reader.Open(&failing{bytes.NewReader(data), after}, int64(len(data)), reader.Options{})
		if err == nil {
			_, err = f.Summary(context.Background(), reader.SummaryOptions{Deep: true})
		}
		if err != nil {
			met++
			if !errors.Is(err, errDisk) {
				t.Errorf("after %d reads: %v", after, err)
			}
		}
	}
	if met < 3 {
		t.Errorf("the disk failed %d times only", met)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := mailbox(false).open(t).Summary(ctx, reader.SummaryOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestUnsupported(t *testing.T) {
	data := mailbox(false).bytes()
	for _, c := range []struct {
		at    int
		value byte
	}{{10, 36}, {513, 0x10}} {
		b := bytes.Clone(data)
		b[c.at] = c.value
		put(b[4:], pst.Checksum(b[8:8+471]))
		put(b[524:], pst.Checksum(b[8:8+516]))
		if _, err := reader.Open(bytes.NewReader(b), int64(len(b)), reader.Options{}); !errors.Is(err, reader.ErrUnsupported) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	var h *pst.HeaderError
	if _, err := reader.Open(strings.NewReader("text"), 4, reader.Options{}); !errors.As(err, &h) {
		t.Error(err)
	}
}

// TestLongValues: a value that is too long for memory is an error, the others come,
// and it can be streamed.
func TestLongValues(t *testing.T) {
	m := mailbox(false)
	m.blocks[0x1004] = bytes.Repeat([]byte{'x', 0}, 4000)
	m.blocks[0x1006] = m.listOf(1, 16000, 0x1004, 0x1004)
	m.set(mailOne, inbox, contextOf(cell{0x0037001F, "one"}, cell{0x1000001F, 0x3F}))
	m.blocks[0x100E] = m.subsOf(miniNode{nid: 0x3F, data: 0x1006})
	m.node(mailOne).sub = 0x100E
	data := m.bytes()
	f, err := reader.Open(bytes.NewReader(data), int64(len(data)), reader.Options{MaxValue: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	one, err := f.Message(mailOne)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := one.Properties()
	if !errors.Is(err, reader.ErrTooLong) || ps.Text(pst.PidTagSubject) != "one" {
		t.Errorf("%v %v", ps, err)
	}
	r, n, err := one.Open(pst.PidTagBody)
	if err != nil || n != 16000 {
		t.Fatalf("%d %v", n, err)
	}
	if b, err := io.ReadAll(r); err != nil || len(b) != 16000 {
		t.Errorf("%d %v", len(b), err)
	}
	if _, _, err := one.Open(pst.PidTagHtml); !errors.Is(err, pst.ErrNoContent) {
		t.Error(err)
	}
}
