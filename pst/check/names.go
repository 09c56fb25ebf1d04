package check

import (
	"strings"

	"keepwatch/pst"
)

// names is what the name-to-id map says: which ids from 0x8000 on mean something.
type names struct {
	read bool
	ids  [0x8000]bool
}

// named checks that a property from 0x8000 on is in the name-to-id map.
func (c *checker) named(o *object, id uint16, at int64) {
	if id >= 0x8000 && c.names.read && !c.names.ids[id-0x8000] {
		o.report(RuleNameUnknown, at, "the property %04X is not in the name-to-id map", id)
	}
}

// nameMap checks the name-to-id map, [MS-PST] 2.4.7.
type nameMap struct {
	*context
	guids, entries, strings []byte
	at                      int64 // of the entries
	hash                    []uint32
	found                   []int // in buckets
}

func (c *checker) nameToID() {
	n, ok := c.node(pst.NIDNameMap)
	if !ok {
		return
	}
	o, ok := c.open(n.nid, "The name-to-id map", n.data, n.sub)
	if !ok {
		return
	}
	p, ok := o.context()
	if !ok {
		return
	}
	m := nameMap{context: p}
	for _, s := range []struct {
		to   *[]byte
		tag  pst.Tag
		each int
		most int
	}{
		{&m.guids, pst.PidTagNameidStreamGuid, 16, 16 * 0x8000},
		{&m.entries, pst.PidTagNameidStreamEntry, 8, 8 * 0x8000},
		{&m.strings, pst.PidTagNameidStreamString, 4, 0x8000 * longestName},
	} {
		*s.to, ok = m.stream(s.tag, s.most)
		if !ok || len(*s.to) == 0 || len(*s.to)%s.each != 0 {
			m.report(RuleNameStream, m.start(), "the stream %v has %d bytes; it must be there, with whole records", s.tag, len(*s.to))
			return
		}
	}
	count, _ := m.number(pst.PidTagNameidBucketCount)
	if count != 251 {
		m.report(RuleNameBuckets, m.start(), "there are %d buckets; Outlook has 251", count)
	}
	m.list()
	if count > 0 {
		m.buckets(count)
	}
	c.names.read = true
}

// start is where the map begins in the file.
func (m *nameMap) start() int64 { return m.blocks[m.context.list[0]].ib() }

// longestName is more bytes than a name has.
const longestName = 2048

// stream reads a stream, of which no more than so many bytes can mean anything: there are 32,768 ids.
func (m *nameMap) stream(t pst.Tag, most int) ([]byte, bool) {
	v, ok := m.get(t.ID())
	if !ok || v.kind != t.Type() {
		return nil, false
	}
	if t == pst.PidTagNameidStreamEntry {
		m.at = v.at
	}
	if v.raw&0x1F == 0 {
		return m.content(v.kind, v.raw)
	}
	s, ok := m.sub(pst.NID(v.raw))
	if !ok {
		return nil, false
	}
	return m.prefix(s.data, most)
}

// list checks the entries.
func (m *nameMap) list() {
	seen := map[string]bool{}
	sets := map[string]bool{}
	for i := 0; i+16 <= len(m.guids); i += 16 {
		if g := string(m.guids[i : i+16]); sets[g] {
			m.report(RuleNameGUID, m.at, "the property set %v is there twice", pst.GUID(m.guids[i:i+16]))
		} else {
			sets[g] = true
		}
	}
	for i := 0; i+8 <= len(m.entries); i += 8 {
		id, kind, index := u32(m.entries, i), u16(m.entries, i+4), int(u16(m.entries, i+6))
		m.hash, m.found = append(m.hash, id), append(m.found, 0)
		if index != i/8 {
			m.report(RuleNameIndex, m.at, "the entry %d has the index %d", i/8, index)
		}
		if index < len(m.names.ids) {
			m.names.ids[index] = true
		}
		key := string(m.entries[i : i+6])
		if set := int(kind >> 1); set >= 3 && 16*(set-3) >= len(m.guids) {
			m.report(RuleNameGUID, m.at, "the entry %d is of the property set %d of %d", i/8, set-3, len(m.guids)/16)
		}
		if kind&1 != 0 {
			name, ok := m.text(id)
			if !ok {
				m.report(RuleNameString, m.at, "the name of the entry %d at %d of the strings is damaged", i/8, id)
				continue
			}
			m.hash[i/8] = pst.Checksum(name)
			key = string(m.entries[i+4:i+6]) + strings.ToLower(pst.FromUTF16(name))
		}
		if seen[key] {
			m.report(RuleNameTwice, m.at, "the entry %d has the name of another", i/8)
		}
		seen[key] = true
	}
}

// text gives a name, in UTF-16.
func (m *nameMap) text(at uint32) ([]byte, bool) {
	if int64(at)+4 > int64(len(m.strings)) || at%4 != 0 {
		return nil, false
	}
	n := int64(u32(m.strings, int(at)))
	if n == 0 || n > longestName || n%2 != 0 || int64(at)+4+n > int64(len(m.strings)) {
		return nil, false
	}
	return m.strings[at+4 : int64(at)+4+n], true
}

// buckets checks that each entry is in the bucket where it is looked for, and once.
func (m *nameMap) buckets(count uint32) {
	for i := range m.props {
		v := &m.props[i]
		if v.id < 0x1000 {
			continue
		}
		b, ok := m.content(v.kind, v.raw)
		if !ok || len(b)%8 != 0 {
			m.report(RuleNameBucket, v.at, "the bucket %04X has %d bytes", v.id, len(b))
			continue
		}
		for k := 0; k < len(b); k += 8 {
			m.bucket(v, b[k:k+8], count)
		}
	}
	for i, n := range m.found {
		if n != 1 {
			m.report(RuleNameBucket, m.at, "the entry %d is in %d buckets", i, n)
		}
	}
}

// bucket checks one record of a bucket.
func (m *nameMap) bucket(v *prop, b []byte, count uint32) {
	hash, kind, index := u32(b, 0), u16(b, 4), int(u16(b, 6))
	if index >= len(m.hash) || u16(m.entries, 8*index+4) != kind {
		m.report(RuleNameBucket, v.at, "a record of the bucket %04X is none of the entry %d", v.id, index)
		return
	}
	if m.found[index]++; m.hash[index] != hash {
		m.report(RuleNameHash, v.at, "the entry %d has the hash %#x in a bucket and should have %#x", index, hash, m.hash[index])
	}
	if want := 0x1000 + (hash^uint32(kind))%count; want != uint32(v.id) {
		m.report(RuleNameBucket, v.at, "the entry %d is in the bucket %04X and belongs into %04X", index, v.id, want)
	}
}
