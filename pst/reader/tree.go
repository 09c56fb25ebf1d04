package reader

import (
	"encoding/binary"
	"io"
)

// tree is the data of a node: one block, or many below an XBLOCK or an XXBLOCK
// ([MS-PST] 2.2.2.8.3.2).
type tree struct {
	f    *File
	size int64    // bytes in all, as the tree says
	one  uint64   // the only block, where there is no XBLOCK
	x    []uint64 // the XBLOCKs
	ends []int    // how many data blocks there are up to the end of each XBLOCK, as far as they were read
}

// xblock is a parsed XBLOCK or XXBLOCK.
type xblock struct {
	level int
	total int64
	bids  []byte
}

func (f *File) xblock(bid uint64) (xblock, error) {
	b, err := f.block(bid)
	if err != nil {
		return xblock{}, err
	}
	if len(b) < 8 || b[0] != 1 {
		return xblock{}, f.bad(bid, "it should be a list of blocks (XBLOCK)")
	}
	x := xblock{level: int(b[1]), total: int64(binary.LittleEndian.Uint32(b[4:])), bids: b[8:]}
	n := int(binary.LittleEndian.Uint16(b[2:])) * f.l.word
	if n > len(x.bids) {
		return xblock{}, f.bad(bid, "it lists more blocks than it has room for")
	}
	x.bids = x.bids[:n]
	return x, nil
}

// bad is a damage of a block that was read.
func (f *File) bad(bid uint64, text string) error {
	at, _, _ := f.blockAt(bid)
	return damaged(at.ib, "block %#x: %s", bid, text)
}

// tree opens the data of a node.
func (f *File) tree(bid uint64) (*tree, error) {
	t := &tree{f: f}
	if bid == 0 {
		return t, nil
	}
	if !internal(bid) {
		_, n, err := f.blockAt(bid)
		t.one, t.size = bid, int64(n)
		return t, err
	}
	x, err := f.xblock(bid)
	if err != nil {
		return nil, err
	}
	switch t.size = x.total; x.level {
	case 1:
		t.x = []uint64{bid}
	case 2:
		for i := 0; i < len(x.bids); i += f.l.word {
			t.x = append(t.x, f.l.get(x.bids[i:]))
		}
	default:
		return nil, f.bad(bid, "it should be a list of blocks (XBLOCK)")
	}
	if t.size > f.size {
		return nil, f.bad(bid, "it lists more data than the file has")
	}
	return t, nil
}

// xAt gives the XBLOCK with a number, and counts its blocks.
func (t *tree) xAt(i int) (xblock, error) {
	x, err := t.f.xblock(t.x[i])
	if err != nil {
		return xblock{}, err
	}
	if x.level != 1 {
		return xblock{}, t.f.bad(t.x[i], "it should list data blocks")
	}
	if i == len(t.ends) {
		before := 0
		if i > 0 {
			before = t.ends[i-1]
		}
		t.ends = append(t.ends, before+len(x.bids)/t.f.l.word)
	}
	if int64(t.ends[i]) > t.f.size/64 {
		return xblock{}, t.f.bad(t.x[i], "the list has more blocks than the file")
	}
	return x, nil
}

// bid gives the id of data block i; ok is false behind the last.
func (t *tree) bid(i int) (bid uint64, ok bool, err error) {
	if t.one != 0 {
		return t.one, i == 0, nil
	}
	before := 0
	for k := range t.x {
		if k < len(t.ends) && i >= t.ends[k] {
			before = t.ends[k]
			continue
		}
		x, err := t.xAt(k)
		if err != nil {
			return 0, false, err
		}
		if i < t.ends[k] {
			bid = t.f.l.get(x.bids[(i-before)*t.f.l.word:])
			if internal(bid) {
				return 0, false, t.f.bad(t.x[k], "it lists a block that holds no data")
			}
			return bid, true, nil
		}
		before = t.ends[k]
	}
	return 0, false, nil
}

// block gives data block i.
func (t *tree) block(i int) ([]byte, error) {
	bid, ok, err := t.bid(i)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, damaged(0, "its data has no block %d", i)
	}
	return t.f.block(bid)
}

// all gives the data whole, where it is not longer than max.
func (t *tree) all(limit int64) ([]byte, error) {
	if t.size > limit {
		return nil, ErrTooLong
	}
	if t.one != 0 {
		return t.f.block(t.one)
	}
	b := make([]byte, t.size)
	_, err := io.ReadFull(t.reader(), b)
	if err == io.ErrUnexpectedEOF || err == io.EOF && t.size == 0 {
		err = nil
	}
	return b, err
}

// reader streams the data. It holds one block.
func (t *tree) reader() io.Reader { return &stream{t: t, left: t.size} }

type stream struct {
	t    *tree
	next int
	left int64
	buf  []byte
	rest []byte
	err  error
}

func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 && s.err == nil {
		s.fill()
	}
	if len(s.rest) == 0 {
		return 0, s.err
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// fill reads the next block.
func (s *stream) fill() {
	bid, ok, err := s.t.bid(s.next)
	switch {
	case err != nil:
		s.err = err
	case !ok && s.left != 0:
		s.err = damaged(0, "its data ends %d bytes early", s.left)
	case !ok:
		s.err = io.EOF
	default:
		s.buf, s.err = s.t.f.loadBlock(bid, s.buf)
	}
	if s.err != nil {
		return
	}
	s.next++
	s.rest = s.buf
	if s.left -= int64(len(s.rest)); s.left < 0 {
		s.rest, s.err = nil, damaged(0, "its data is longer than the list of its blocks says")
	}
}
