package writer

import (
	"bytes"
	"encoding/binary"

	"keepwatch/pst"
)

// maxSubject is the length of a subject in UTF-16: Outlook shows and searches no more.
const maxSubject = 255

// maxPrefix keeps the length of a prefix in ASCII: readers take it for one byte.
const maxPrefix = 100

// subject brings PidTagSubject into the form that Outlook writes, 2.5.3.1.1: it
// begins with U+0001 and the length of its prefix, such as "RE: ", and 1. Without
// these two a subject is good, too, but pffexport of libpff takes the first letter
// off one that begins with a letter beyond ASCII. An empty subject stays empty.
// Control characters become spaces, and what is beyond 255 characters is cut. A
// subject that is given in the form of a file stays in it.
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
	if head == 0 && len(text) > 0 {
		at := len(m.bag.arena)
		m.bag.arena = append(m.bag.arena, 1, 0, byte(m.prefix(text)+1), 0)
		m.bag.arena = append(m.bag.arena, text...)
		v.at, text = at, m.bag.arena[at:]
	}
	v.n = uint32(len(text))
}

func unit(text []byte, i int) uint16 { return binary.LittleEndian.Uint16(text[2*i:]) }

// prefix is how long the prefix of a subject is, in UTF-16: the one that was given
// as PidTagSubjectPrefix, or one that is seen by the rule of 2.5.3.1.1.2: one to
// three characters that are neither spaces nor digits, a colon, spaces. One of more
// than 100 is none.
func (m *message) prefix(text []byte) int {
	if p := m.bag.find(pst.PidTagSubjectPrefix.ID()); p != nil && p.typ == pst.String {
		if given := m.bag.bytes(p); len(given) <= 2*maxPrefix && bytes.HasPrefix(text, given) {
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
	for i++; i < n && i < maxPrefix && unit(text, i) == ' '; {
		i++
	}
	return i
}
