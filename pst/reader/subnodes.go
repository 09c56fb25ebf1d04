package reader

import (
	"encoding/binary"

	"keepwatch/pst"
)

// subs is the tree of the subnodes of a node ([MS-PST] 2.2.2.8.3.3).
type subs struct {
	f   *File
	bid uint64 // 0 where there are none
}

// list is a parsed SLBLOCK or SIBLOCK.
type list struct {
	level   int
	n, cb   int
	entries []byte
}

func (s subs) list(bid uint64) (list, error) {
	f := s.f
	if !internal(bid) {
		return list{}, f.bad(bid, "it should be a list of subnodes")
	}
	b, err := f.block(bid)
	if err != nil {
		return list{}, err
	}
	if len(b) < f.l.subHead || b[0] != 2 || b[1] > 1 {
		return list{}, f.bad(bid, "it should be a list of subnodes (SLBLOCK or SIBLOCK)")
	}
	l := list{level: int(b[1]), n: int(binary.LittleEndian.Uint16(b[2:])), cb: 3 * f.l.word, entries: b[f.l.subHead:]}
	if l.level == 1 {
		l.cb = 2 * f.l.word
	}
	if l.n*l.cb > len(l.entries) {
		return list{}, f.bad(bid, "it lists more subnodes than it has room for")
	}
	return l, nil
}

func (l list) entry(i int) []byte { return l.entries[i*l.cb : (i+1)*l.cb] }
func (l list) nid(i int) pst.NID  { return pst.NID(binary.LittleEndian.Uint32(l.entry(i))) }
func (s subs) leaf(e []byte) node { return s.f.parseSub(e) }
func (f *File) parseSub(e []byte) node {
	return node{nid: pst.NID(binary.LittleEndian.Uint32(e)), data: f.l.get(e[f.l.word:]), sub: f.l.get(e[2*f.l.word:])}
}

// find gives a subnode; ok is false where there is none.
func (s subs) find(n pst.NID) (found node, ok bool, err error) {
	if s.bid == 0 {
		return node{}, false, nil
	}
	l, err := s.list(s.bid)
	if err == nil && l.level == 1 {
		bid := uint64(0)
		for i := 0; i < l.n && l.nid(i) <= n; i++ {
			bid = s.f.l.get(l.entry(i)[s.f.l.word:])
		}
		if bid == 0 {
			return node{}, false, nil
		}
		if l, err = s.list(bid); err == nil && l.level != 0 {
			err = s.f.bad(bid, "it should list subnodes only")
		}
	}
	if err != nil {
		return node{}, false, err
	}
	for i := range l.n {
		if l.nid(i) == n {
			return s.leaf(l.entry(i)), true, nil
		}
	}
	return node{}, false, nil
}

// each gives the subnodes in the order of their ids, which have to rise.
func (s subs) each(yield func(node, error) bool) {
	if s.bid == 0 {
		return
	}
	last := int64(-1)
	leaves := func(bid uint64, l list) bool {
		for i := range l.n {
			n := s.leaf(l.entry(i))
			if int64(n.nid) <= last {
				yield(node{}, s.f.bad(bid, "the subnodes are out of order"))
				return false
			}
			last = int64(n.nid)
			if !yield(n, nil) {
				return false
			}
		}
		return true
	}
	top, err := s.list(s.bid)
	if err != nil {
		yield(node{}, err)
		return
	}
	if top.level == 0 {
		leaves(s.bid, top)
		return
	}
	for i := range top.n {
		bid := s.f.l.get(top.entry(i)[s.f.l.word:])
		l, err := s.list(bid)
		if err == nil && (l.level != 0 || l.n == 0) {
			err = s.f.bad(bid, "it should list subnodes only")
		}
		if err != nil {
			if !yield(node{}, err) || !isDamage(err) {
				return
			}
			continue
		}
		if !leaves(bid, l) {
			return
		}
	}
}
