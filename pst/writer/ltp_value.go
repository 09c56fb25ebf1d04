package writer

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"keepwatch/pst"
)

// value is one property as a file has it.
type value struct {
	id  uint16
	typ pst.Type
	n   uint32 // bytes of the value
	num uint64 // a value of at most 8 bytes
	at  int    // where a longer one, or a text, lies in the arena of its bag
	nid pst.NID
	bid uint64 // of a value that is in the file already, under nid

	hnid uint32 // where the property context has it
}

// inline tells whether num is the value.
func (v *value) inline() bool { s := v.typ.Size(); return s > 0 && s <= 8 }

// tag is the property's tag in this file.
func (v *value) tag() pst.Tag { return pst.NewTag(v.id, v.typ) }

// bag holds the properties of one object, encoded. Its memory is used again.
type bag struct {
	vals  []value
	arena []byte
}

// How much memory a bag keeps for the next object, in bytes and in properties.
const (
	keepArena = 1 << 20
	keepVals  = 1 << 14
)

func (b *bag) reset() {
	if cap(b.vals) > keepVals {
		b.vals = nil
	}
	b.vals = b.vals[:0]
	if cap(b.arena) > keepArena {
		b.arena = nil
	}
	b.arena = b.arena[:0]
}

// find gives a property by its id, or nil.
func (b *bag) find(id uint16) *value {
	for i := range b.vals {
		if b.vals[i].id == id {
			return &b.vals[i]
		}
	}
	return nil
}

func (b *bag) has(t pst.Tag) bool { return b.find(t.ID()) != nil }

// put enters a property in the place of an earlier one.
func (b *bag) put(v value) {
	if old := b.find(v.id); old != nil {
		*old = v
		return
	}
	b.vals = append(b.vals, v)
}

// remove takes a property away.
func (b *bag) remove(t pst.Tag) {
	for i := range b.vals {
		if b.vals[i].id == t.ID() {
			b.vals[i] = b.vals[len(b.vals)-1]
			b.vals = b.vals[:len(b.vals)-1]
			return
		}
	}
}

// bytes is a value that lies in the arena.
func (b *bag) bytes(v *value) []byte { return b.arena[v.at : v.at+int(v.n)] }

// number enters a value of fixed size.
func (b *bag) number(t pst.Tag, num uint64) {
	b.put(value{id: t.ID(), typ: t.Type(), n: uint32(t.Type().Size()), num: num})
}

// text enters a String.
func (b *bag) text(t pst.Tag, s string) {
	at := len(b.arena)
	b.arena = appendText(b.arena, s)
	b.put(value{id: t.ID(), typ: pst.String, at: at, n: uint32(len(b.arena) - at)})
}

// data enters a Binary.
func (b *bag) data(t pst.Tag, p []byte) {
	at := len(b.arena)
	b.arena = append(b.arena, p...)
	b.put(value{id: t.ID(), typ: t.Type(), at: at, n: uint32(len(p))})
}

// total is how many bytes the values have together: what Outlook writes as the
// size of an object.
func (b *bag) total() int64 {
	var n int64
	for i := range b.vals {
		n += int64(b.vals[i].n)
	}
	return n
}

// appendText appends a text in UTF-16. What a file cannot hold, which is invalid
// UTF-8 and U+0000, becomes U+FFFD.
func appendText(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf && c != 0 {
			b = append(b, c, 0)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r == 0:
			b = append(b, 0xFD, 0xFF)
		case r < 0x10000:
			b = append(b, byte(r), byte(r>>8))
		default:
			r -= 0x10000
			hi, lo := 0xD800|r>>10, 0xDC00|r&0x3FF
			b = append(b, byte(hi), byte(hi>>8), byte(lo), byte(lo>>8))
		}
	}
	return b
}

// set enters a property under the id that it has in this file.
func (b *bag) set(id uint16, p *pst.Property) error {
	t := p.Tag.Type()
	v := value{id: id, typ: t, n: uint32(t.Size()), at: len(b.arena)}
	ok := true
	switch t {
	case pst.String8:
		v.typ = pst.String
	case pst.String8s:
		v.typ = pst.Strings
	}
	switch {
	case v.inline():
		v.num, ok = number(t, p.Value)
	case t.Multiple():
		ok = b.appendList(p.Value, v.typ)
	default:
		ok = b.appendOne(p.Value, v.typ)
	}
	if !ok {
		b.arena = b.arena[:v.at]
		return fmt.Errorf("the property %s has a value of the Go type %T, which is not that of its type 0x%04X", nameOf(p), p.Value, uint16(t))
	}
	if !v.inline() {
		n := len(b.arena) - v.at
		if n > math.MaxInt32 {
			return fmt.Errorf("the property %s has %d bytes; a value has at most 2 GB", nameOf(p), n)
		}
		v.n = uint32(n)
	}
	b.put(v)
	return nil
}

func nameOf(p *pst.Property) string {
	if p.IsNamed() {
		return p.Named.String()
	}
	return p.Tag.String()
}

// number encodes a value of at most 8 bytes.
func number(t pst.Type, v any) (num uint64, ok bool) {
	switch t {
	case pst.Integer16:
		n, ok := v.(int16)
		return uint64(uint16(n)), ok
	case pst.Integer32, pst.ErrorCode:
		n, ok := v.(int32)
		return uint64(uint32(n)), ok
	case pst.Boolean:
		b, ok := v.(bool)
		if b {
			num = 1
		}
		return num, ok
	case pst.Integer64, pst.Currency:
		n, ok := v.(int64)
		return uint64(n), ok
	case pst.Float32:
		f, ok := v.(float32)
		return uint64(math.Float32bits(f)), ok
	case pst.Float64, pst.FloatTime:
		f, ok := v.(float64)
		return math.Float64bits(f), ok
	case pst.Time:
		t, ok := v.(time.Time)
		return pst.Filetime(t), ok
	}
	return 0, false
}

// appendOne encodes one value of variable size, or a GUID.
func (b *bag) appendOne(v any, t pst.Type) bool {
	switch v := v.(type) {
	case string:
		b.arena = appendText(b.arena, v)
		return t == pst.String
	case []byte:
		b.arena = append(b.arena, v...)
		return t == pst.Binary
	case pst.GUID:
		b.arena = append(b.arena, v[:]...)
		return t == pst.Guid
	}
	return false
}

// appendList encodes a list: 2.3.3.4.1 for elements of fixed size, 2.3.3.4.2 for
// others. The texts of a list have no ending zero, as no other has.
func (b *bag) appendList(v any, t pst.Type) bool {
	switch v := v.(type) {
	case []int16:
		return appendNumbers(b, v, t == pst.Integer16s, 2, func(n int16) uint64 { return uint64(n) })
	case []int32:
		return appendNumbers(b, v, t == pst.Integer32s, 4, func(n int32) uint64 { return uint64(n) })
	case []int64:
		return appendNumbers(b, v, t == pst.Integer64s || t == pst.Currencies, 8, func(n int64) uint64 { return uint64(n) })
	case []float32:
		return appendNumbers(b, v, t == pst.Float32s, 4, func(n float32) uint64 { return uint64(math.Float32bits(n)) })
	case []float64:
		return appendNumbers(b, v, t == pst.Float64s || t == pst.FloatTimes, 8, math.Float64bits)
	case []time.Time:
		return appendNumbers(b, v, t == pst.Times, 8, pst.Filetime)
	case []pst.GUID:
		for i := range v {
			b.arena = append(b.arena, v[i][:]...)
		}
		return t == pst.Guids
	case []string:
		return appendItems(b, v, t == pst.Strings, appendText)
	case [][]byte:
		return appendItems(b, v, t == pst.Binaries, func(to, p []byte) []byte { return append(to, p...) })
	}
	return false
}

func appendNumbers[T any](b *bag, list []T, fits bool, size int, bits func(T) uint64) bool {
	for _, n := range list {
		at := len(b.arena)
		b.arena = binary.LittleEndian.AppendUint64(b.arena, bits(n))[:at+size]
	}
	return fits
}

func appendItems[T any](b *bag, list []T, fits bool, item func([]byte, T) []byte) bool {
	start := len(b.arena)
	b.arena = binary.LittleEndian.AppendUint32(b.arena, uint32(len(list)))
	for range list {
		b.arena = append(b.arena, 0, 0, 0, 0)
	}
	for i, v := range list {
		binary.LittleEndian.PutUint32(b.arena[start+4+4*i:], uint32(len(b.arena)-start))
		b.arena = item(b.arena, v)
	}
	return fits
}
