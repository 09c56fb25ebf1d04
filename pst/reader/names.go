package reader

import (
	"encoding/binary"

	"keepwatch/pst"
)

// firstNamed is where the ids begin that each file gives to properties with a name.
const firstNamed = 0x8000

// property names a property: by its tag, or as the name-to-id map of the file
// does. An id from 0x8000 on that the map does not have stays as it is.
func (f *File) property(id uint16, t pst.Type) pst.Property {
	if id >= firstNamed {
		if n, ok := f.namesOf()[id]; ok {
			n.Type = t
			return pst.Property{Tag: pst.NewTag(0, t), Named: n}
		}
	}
	return pst.Property{Tag: pst.NewTag(id, t)}
}

// namesOf is the name-to-id map. One that is damaged is as good as far as it can be
// read; [File.Names] says what is wrong with it.
func (f *File) namesOf() map[uint16]pst.Named {
	f.mu.Lock()
	m := f.names
	f.mu.Unlock()
	if m != nil {
		return m
	}
	m, _ = f.loadNames()
	f.mu.Lock()
	f.names = m
	f.mu.Unlock()
	return m
}

// Names are the properties that have a name in this file ([MS-PST] 2.4.7), by the id
// that it gives to them. The type in them is not set. What can be read of a
// damaged map comes beside the error.
func (f *File) Names() (map[uint16]pst.Named, error) { return f.loadNames() }

func (f *File) loadNames() (map[uint16]pst.Named, error) {
	m := map[uint16]pst.Named{}
	n, err := f.node(pst.NIDNameMap)
	if err != nil {
		return m, err
	}
	c, err := f.context(n, pst.NIDNameMap)
	if err != nil {
		return m, err
	}
	var guids, entries, texts []byte
	for _, s := range []struct {
		tag pst.Tag
		to  *[]byte
	}{{pst.PidTagNameidStreamGuid, &guids}, {pst.PidTagNameidStreamEntry, &entries}, {pst.PidTagNameidStreamString, &texts}} {
		e, ok := c.find(s.tag.ID())
		if !ok || e.typ != pst.Binary {
			continue
		}
		b, wrong := c.raw(e, f.o.MaxValue)
		if wrong != nil && err == nil {
			err = c.wrong(e, wrong)
		}
		*s.to = b
	}
	for ; len(entries) >= 8; entries = entries[8:] {
		id, n, ok := nameOf(entries, guids, texts)
		if !ok {
			if err == nil {
				err = of(pst.NIDNameMap, c.h.t.bad("the name of a property lies outside of the map of names"))
			}
			continue
		}
		if _, twice := m[id]; !twice {
			m[id] = n
		}
	}
	return m, err
}

// nameOf reads a NAMEID ([MS-PST] 2.4.7.1).
func nameOf(e, guids, texts []byte) (id uint16, n pst.Named, ok bool) {
	value := binary.LittleEndian.Uint32(e)
	kind := binary.LittleEndian.Uint16(e[4:])
	index := binary.LittleEndian.Uint16(e[6:])
	if index >= 0x8000 {
		return 0, n, false
	}
	id = firstNamed + index
	switch g := int(kind >> 1); {
	case g == 1:
		n.Set = pst.PSMapi
	case g == 2:
		n.Set = pst.PSPublicStrings
	case g >= 3 && (g-3)*16+16 <= len(guids):
		n.Set = pst.GUID(guids[(g-3)*16:])
	case g >= 3:
		return 0, n, false
	}
	if kind&1 == 0 {
		n.LID = value
		return id, n, true
	}
	if int64(value)+4 > int64(len(texts)) {
		return 0, n, false
	}
	texts = texts[value:]
	size := int64(binary.LittleEndian.Uint32(texts))
	if size > int64(len(texts)-4) {
		return 0, n, false
	}
	n.Name = utf16Text(texts[4 : 4+size])
	return id, n, true
}
