package check

import (
	"bytes"
	"slices"
	"unicode/utf16"

	"keepwatch/pst"
)

// prop is a property of a PC, [MS-PST] 2.3.3.3.
type prop struct {
	id   uint16
	kind pst.Type
	raw  uint32
	at   int64
}

// context is a Property Context.
type context struct {
	*heap
	props []prop // by id
	sum   int64  // bytes of all values
}

// context checks a Property Context, [MS-PST] 2.3.3.
func (o *object) context() (*context, bool) {
	h, ok := o.heap(heapProperties)
	if !ok {
		return nil, false
	}
	p := &context{heap: h}
	ok = h.tree(h.root, 2, 6, func(at int64, b []byte) {
		p.props = append(p.props, prop{u16(b, 0), pst.Type(u16(b, 2)), u32(b, 4), at})
	})
	for i := range p.props {
		if o.over() {
			return nil, false
		}
		p.check(&p.props[i])
	}
	if ok {
		o.unused()
		h.unclaimed()
	}
	return p, ok
}

// known are the types that a file can hold, [MS-OXCDATA] 2.11.1.
func known(t pst.Type) bool {
	switch t &^ 0x1000 {
	case pst.Integer16, pst.Integer32, pst.Float32, pst.Float64, pst.Currency, pst.FloatTime, pst.Integer64,
		pst.String8, pst.String, pst.Time, pst.Guid, pst.Binary:
		return true
	}
	return t == pst.ErrorCode || t == pst.Boolean || t == pst.Object
}

// check checks one property's value.
func (p *context) check(v *prop) {
	if !known(v.kind) {
		p.report(RuleType, v.at+2, "the property %04X has the type %#x, which is none", v.id, uint16(v.kind))
		return
	}
	if p.top != pst.NIDNameMap {
		p.named(p.object, v.id, v.at)
	}
	if n := v.kind.Size(); n > 0 && n <= 4 && !v.kind.Multiple() {
		p.sum += int64(n)
		if v.kind == pst.Boolean && v.raw > 1 {
			p.report(RuleBoolean, v.at+4, "the boolean %04X is %#x", v.id, v.raw)
		}
		return
	}
	n, ok := p.value(v.id, v.kind, v.raw, v.at+4)
	if ok {
		p.sum += n
	}
}

// value checks a value that an HNID points to, and gives its length in bytes.
func (h *heap) value(id uint16, kind pst.Type, raw uint32, at int64) (int64, bool) {
	var n int64
	var data []byte
	switch {
	case raw == 0:
		if kind.Size() > 0 && !kind.Multiple() || kind == pst.Object {
			h.report(RuleValueSize, at, "the property %04X of a fixed size has no value", id)
			return 0, false
		}
		return 0, true
	case raw&0x1F == 0:
		b, _, ok := h.take(hid(raw))
		if !ok {
			h.report(RuleValueItem, at, "the property %04X lies in the heap item %#x, which is not there", id, raw)
			return 0, false
		}
		data, n = b, int64(len(b))
	default:
		s, ok := h.sub(pst.NID(raw))
		if !ok {
			h.report(RuleValueNode, at, "the property %04X lies in the subnode %#x, which is not there", id, raw)
			return 0, false
		}
		if s.nid.Type() != pst.NodeLTP {
			h.report(RuleValueType, at, "the property %04X lies in the subnode %#x, which is not of the type 0x1F", id, raw)
		}
		if n, ok = h.length(s.data); !ok {
			return 0, false // what is wrong with its blocks was reported before
		}
	}
	return h.shape(id, kind, data, n, raw, at)
}

// shape checks the length of a value and what it must hold. data is nil for one in a subnode.
func (h *heap) shape(id uint16, kind pst.Type, data []byte, n int64, raw uint32, at int64) (int64, bool) {
	base := pst.Type(kind &^ 0x1000)
	size := int64(base.Size())
	wrong := false
	switch {
	case kind == pst.Object:
		return h.reference(id, data, at)
	case kind.Multiple() && size > 0:
		wrong = n%size != 0
	case kind.Multiple():
		h.several(id, kind, data, n, raw, at)
	case size > 0:
		wrong = n != size
	case kind == pst.String:
		if wrong = n%2 != 0; !wrong && !h.text(data) {
			h.report(RuleText, at, "the text %04X is not whole UTF-16", id)
		}
	}
	if wrong {
		h.report(RuleValueSize, at, "the property %04X of the type %#x has %d bytes", id, uint16(kind), n)
	}
	return n, !wrong
}

// text tells whether a text has no lone surrogate.
func (h *heap) text(b []byte) bool {
	for i := 0; i+1 < len(b); i += 2 {
		r := rune(u16(b, i))
		if !utf16.IsSurrogate(r) {
			continue
		}
		if i+3 >= len(b) || utf16.DecodeRune(r, rune(u16(b, i+2))) == '\uFFFD' {
			return false
		}
		i += 2
	}
	return true
}

// reference checks a PtypObject, [MS-PST] 2.3.3.5, and gives the length of what it refers to.
func (h *heap) reference(id uint16, data []byte, at int64) (int64, bool) {
	if len(data) != 8 {
		h.report(RuleValueSize, at, "the object %04X has %d bytes and should have 8", id, len(data))
		return 0, false
	}
	n := pst.NID(u32(data, 0))
	if _, ok := h.sub(n); !ok {
		h.report(RuleValueNode, at, "the object %04X lies in the subnode %v, which is not there", id, n)
		return 0, false
	}
	return int64(u32(data, 4)), true
}

// several checks a list of values of variable size, [MS-PST] 2.3.3.4.2.
func (h *heap) several(id uint16, kind pst.Type, data []byte, n int64, raw uint32, at int64) {
	if data == nil && n > 0 {
		s, _ := h.sub(pst.NID(raw))
		data, _ = h.prefix(s.data, 1<<16)
	}
	if n == 0 {
		return
	}
	count := int64(0)
	if len(data) >= 4 {
		count = int64(u32(data, 0))
	}
	if len(data) < 4 || 4+4*count > n {
		h.report(RuleList, at, "the list %04X of %d bytes says that it has %d values", id, n, count)
		return
	}
	last := 4 + 4*count
	for i := range count {
		if 8+4*i > int64(len(data)) {
			return
		}
		off := int64(u32(data, int(4+4*i)))
		if i == 0 && off != last || off < last || off > n {
			h.report(RuleList, at, "value %d of the list %04X begins at %d of %d bytes, after %d", i, id, off, n, last)
			return
		}
		if kind == pst.Strings && i > 0 && (off-last)%2 != 0 {
			h.report(RuleList, at, "value %d of the list %04X has an odd length", i, id)
			return
		}
		last = off
	}
}

// get finds a property by its id.
func (p *context) get(id uint16) (*prop, bool) {
	i, ok := slices.BinarySearchFunc(p.props, id, func(v prop, k uint16) int { return int(v.id) - int(k) })
	if !ok {
		return nil, false
	}
	return &p.props[i], true
}

// has tells whether a property is there with its type.
func (p *context) has(t pst.Tag) bool {
	v, ok := p.get(t.ID())
	return ok && v.kind == t.Type()
}

// number gives an inline value.
func (p *context) number(t pst.Tag) (uint32, bool) {
	v, ok := p.get(t.ID())
	if !ok || v.kind != t.Type() {
		return 0, false
	}
	return v.raw, true
}

// bytes gives a value of variable size, or as much of it as is compared.
func (p *context) bytes(t pst.Tag) ([]byte, bool) {
	v, ok := p.get(t.ID())
	if !ok || v.kind != t.Type() {
		return nil, false
	}
	return p.content(v.kind, v.raw)
}

// enough is how much of a value is compared.
const enough = 1 << 16

// content gives the bytes of a value that an HNID or the property itself holds.
func (h *heap) content(kind pst.Type, raw uint32) ([]byte, bool) {
	if n := kind.Size(); n > 0 && n <= 4 && !kind.Multiple() {
		return []byte{byte(raw), byte(raw >> 8), byte(raw >> 16), byte(raw >> 24)}[:n], true
	}
	switch {
	case raw == 0:
		return nil, true
	case raw&0x1F == 0:
		b, _, ok := h.item(hid(raw))
		return b, ok
	}
	s, ok := h.sub(pst.NID(raw))
	if !ok {
		return nil, false
	}
	return h.prefix(s.data, enough)
}

// same compares values.
func same(a, b []byte) bool { return bytes.Equal(a, b) }
