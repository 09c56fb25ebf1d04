package writer

import (
	"bytes"
	"encoding/binary"

	"keepwatch/pst"
)

// maxSubject is the length of a subject in UTF-16: Outlook shows and searches no more.
const maxSubject = 255

// subject brings PidTagSubject into the form that a file has, 2.5.3.1.1: if it has
// a prefix, such as "RE: ", it begins with U+0001 and the length of the prefix and
// 1. Control characters become spaces, and what is beyond 255 characters is cut. A
// subject that is given in that form stays in it.
func (m *message) subject() {
	v := m.bag.find(pst.PidTagSubject.ID())
	if v == nil || v.typ != pst.String {
		return
	}
	text := m.bag.bytes(v)
	head := 0
	if len(text) >= 4 && unit(text, 0) == 1 {
		head = 2
	}
	for i := head; i < len(text)/2; i++ {
		if c := unit(text, i); c < ' ' || c == 0x7F {
			binary.LittleEndian.PutUint16(text[2*i:], ' ')
		}
	}
	if most := head + maxSubject; len(text) > 2*most {
		if unit(text, most-1)&0xFC00 == 0xD800 {
			most-- // not half of a character
		}
		text = text[:2*most]
	}
	if head == 0 {
		if n := m.prefix(text); n > 0 {
			at := len(m.bag.arena)
			m.bag.arena = append(m.bag.arena, 1, 0)
			m.bag.arena = binary.LittleEndian.AppendUint16(m.bag.arena, uint16(n+1))
			m.bag.arena = append(m.bag.arena, text...)
			v.at, text = at, m.bag.arena[at:]
		}
	}
	v.n = uint32(len(text))
}

func unit(text []byte, i int) uint16 { return binary.LittleEndian.Uint16(text[2*i:]) }

// prefix is how long the prefix of a subject is, in UTF-16: the one that was given
// as PidTagSubjectPrefix, or one that is seen by the rule of 2.5.3.1.1.2: one to
// three characters that are neither spaces nor digits, a colon, spaces.
func (m *message) prefix(text []byte) int {
	if p := m.bag.find(pst.PidTagSubjectPrefix.ID()); p != nil && p.typ == pst.String {
		if given := m.bag.bytes(p); bytes.HasPrefix(text, given) {
			return len(given) / 2
		}
	}
	n := len(text) / 2
	i := 0
	for i < n && i < 4 && unit(text, i) != ':' {
		if c := unit(text, i); c == ' ' || c >= '0' && c <= '9' {
			return 0
		}
		i++
	}
	if i == 0 || i > 3 || i == n {
		return 0
	}
	for i++; i < n && unit(text, i) == ' '; {
		i++
	}
	return i
}
