package writer

import (
	"encoding/binary"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"keepwatch/pst"
)

var day = time.Date(2026, 11, 26, 8, 30, 0, 0, time.UTC)

// options make every run write the same bytes.
func options() Options {
	return Options{
		Now: func() time.Time { return day },
		RecordKey: func() pst.GUID {
			return pst.GUID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
		},
	}
}

// create begins a file that does not outlive the test.
func create(t testing.TB, o Options) (*Writer, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mail.pst")
	w, err := Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Abort() })
	return w, path
}

// inbox gives a folder of a Writer.
func inbox(t testing.TB, w *Writer, name string) *Folder {
	t.Helper()
	f, err := w.Root().Folder(name, "IPF.Note")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// closed closes a Writer that has one volume.
func closed(t testing.TB, w *Writer) Volume {
	t.Helper()
	v, err := w.Close()
	if err != nil || len(v) != 1 {
		t.Fatalf("%d volumes: %v", len(v), err)
	}
	return v[0]
}

// text is a message with nothing but a subject and a body.
func text(subject string) func(pst.Sink) error {
	return func(s pst.Sink) error {
		s.Set(pst.P(pst.PidTagSubject, subject), pst.P(pst.PidTagBody, "Bore da.\r\n"))
		return nil
	}
}

// parsed is a file taken apart as far as tests need it: which nodes there are, and
// the data of those that have one block.
type parsed struct {
	data   []byte
	crypt  pst.Crypt
	blocks map[uint64][]byte // as they lie in the file, decoded if they are external
	nodes  map[pst.NID]node
}

type node struct {
	data, sub uint64
	parent    pst.NID
}

func parse(t testing.TB, data []byte) *parsed {
	t.Helper()
	p := &parsed{data: data, crypt: pst.Crypt(data[513]), blocks: map[uint64][]byte{}, nodes: map[pst.NID]node{}}
	le := binary.LittleEndian
	p.walk(le.Uint64(data[240:]), func(e []byte) {
		bid, ib, n := le.Uint64(e), le.Uint64(e[8:]), le.Uint16(e[16:])
		b := slices.Clone(data[ib : ib+uint64(n)])
		if bid&2 == 0 {
			p.crypt.Decode(b, bid)
		}
		p.blocks[bid&^1] = b
	})
	p.walk(le.Uint64(data[224:]), func(e []byte) {
		p.nodes[pst.NID(le.Uint32(e))] = node{le.Uint64(e[8:]) &^ 1, le.Uint64(e[16:]) &^ 1, pst.NID(le.Uint32(e[24:]))}
	})
	return p
}

// walk calls do with the leaves of a B-tree of pages.
func (p *parsed) walk(ib uint64, do func(entry []byte)) {
	page := p.data[ib : ib+512]
	count, size, level := int(page[488]), int(page[490]), page[491]
	for i := range count {
		e := page[i*size : (i+1)*size]
		if level > 0 {
			p.walk(binary.LittleEndian.Uint64(e[16:]), do)
			continue
		}
		do(e)
	}
}

// subnodes gives those of a node; there is one SLBLOCK.
func (p *parsed) subnodes(bid uint64) map[pst.NID]node {
	out := map[pst.NID]node{}
	b := p.blocks[bid]
	for i := 8; i+24 <= len(b); i += 24 {
		e := b[i:]
		out[pst.NID(binary.LittleEndian.Uint32(e))] = node{data: binary.LittleEndian.Uint64(e[8:]) &^ 1, sub: binary.LittleEndian.Uint64(e[16:]) &^ 1}
	}
	return out
}

// leaves gives the data blocks of a node.
func (p *parsed) leaves(bid uint64) [][]byte {
	b := p.blocks[bid]
	if bid&2 == 0 {
		if b == nil {
			return nil
		}
		return [][]byte{b}
	}
	var out [][]byte
	for i := 8; i+8 <= len(b); i += 8 {
		out = append(out, p.leaves(binary.LittleEndian.Uint64(b[i:])&^1)...)
	}
	return out
}

// item gives an item of a heap.
func item(blocks [][]byte, id uint32) []byte {
	if id == 0 {
		return nil
	}
	b := blocks[id>>16]
	at := binary.LittleEndian.Uint16(b) + 4 + uint16(id>>5&0x7FF-1)*2
	return b[binary.LittleEndian.Uint16(b[at:]):binary.LittleEndian.Uint16(b[at+2:])]
}

// records gives those of a BTH, in order.
func records(blocks [][]byte, id uint32) [][]byte {
	head := item(blocks, id)
	size, key := int(head[1])+int(head[2]), int(head[1])
	var out [][]byte
	var down func(id uint32, level byte)
	down = func(id uint32, level byte) {
		b := item(blocks, id)
		if level == 0 {
			for r := range slices.Chunk(b, size) {
				out = append(out, r)
			}
			return
		}
		for r := range slices.Chunk(b, key+4) {
			down(binary.LittleEndian.Uint32(r[key:]), level-1)
		}
	}
	if root := binary.LittleEndian.Uint32(head[4:]); root != 0 {
		down(root, head[3])
	}
	return out
}

// values gives the properties of a node: the bytes of each, or nil where there are none.
func (p *parsed) values(t testing.TB, n node) map[pst.Tag][]byte {
	t.Helper()
	blocks, subs := p.leaves(n.data), p.subnodes(n.sub)
	if len(blocks) == 0 || blocks[0][3] != heapProperties {
		t.Fatal("no property context")
	}
	out := map[pst.Tag][]byte{}
	for _, r := range records(blocks, binary.LittleEndian.Uint32(blocks[0][4:])) {
		tag := pst.NewTag(binary.LittleEndian.Uint16(r), pst.Type(binary.LittleEndian.Uint16(r[2:])))
		id := binary.LittleEndian.Uint32(r[4:])
		switch size := tag.Type().Size(); {
		case size > 0 && size <= 4:
			out[tag] = r[4 : 4+size]
		case id&0x1F != 0:
			out[tag] = slices.Concat(p.leaves(subs[pst.NID(id)].data)...)
		default:
			out[tag] = item(blocks, id)
		}
	}
	return out
}

// row is one of a table: its cells that are there.
type row struct {
	id    uint32
	cells map[pst.Tag][]byte
}

// rows gives those of a table, in the order of their ids.
func (p *parsed) rows(t testing.TB, n node) []row {
	t.Helper()
	blocks, subs := p.leaves(n.data), p.subnodes(n.sub)
	if len(blocks) == 0 || blocks[0][3] != heapTable {
		t.Fatal("no table")
	}
	le := binary.LittleEndian
	info := item(blocks, le.Uint32(blocks[0][4:]))
	size, bits, matrix := int(le.Uint16(info[8:])), int(le.Uint16(info[6:])), le.Uint32(info[14:])
	var data [][]byte
	if matrix&0x1F != 0 {
		data = p.leaves(subs[pst.NID(matrix)].data)
	} else {
		data = [][]byte{item(blocks, matrix)}
	}
	var out []row
	for _, r := range records(blocks, le.Uint32(info[10:])) {
		id, n := le.Uint32(r), int(le.Uint32(r[4:]))
		per := maxBlock / size
		raw := data[n/per][n%per*size:][:size]
		cells := map[pst.Tag][]byte{}
		for c := range slices.Chunk(info[22:], 8) {
			tag, at, bit := pst.Tag(le.Uint32(c)), int(le.Uint16(c[4:])), int(c[7])
			if raw[bits+bit/8]&(0x80>>(bit%8)) == 0 {
				continue
			}
			v := raw[at : at+int(c[6])]
			if s := tag.Type().Size(); s == 0 || s > 8 {
				if id := le.Uint32(v); id&0x1F != 0 {
					v = slices.Concat(p.leaves(subs[pst.NID(id)].data)...)
				} else {
					v = item(blocks, id)
				}
			}
			cells[tag] = v
		}
		out = append(out, row{id, cells})
	}
	return out
}
