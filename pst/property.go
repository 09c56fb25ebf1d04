package pst

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Type is the type of a property's value, [MS-OXCDATA] 2.11.1.
type Type uint16

// The types that a file can hold, with the Go type of the value ([Property.Value]).
const (
	Integer16  Type = 0x0002 // int16
	Integer32  Type = 0x0003 // int32
	Float32    Type = 0x0004 // float32
	Float64    Type = 0x0005 // float64
	Currency   Type = 0x0006 // int64, in ten-thousandths
	FloatTime  Type = 0x0007 // float64, days since 1899-12-30
	ErrorCode  Type = 0x000A // int32
	Boolean    Type = 0x000B // bool
	Object     Type = 0x000D // Ref: only PidTagAttachDataObject of an attachment
	Integer64  Type = 0x0014 // int64
	String8    Type = 0x001E // string: the reader gives it as String
	String     Type = 0x001F // string, any valid UTF-8 without U+0000
	Time       Type = 0x0040 // time.Time, in steps of 100 ns since 1601, UTC
	Guid       Type = 0x0048 // GUID
	Binary     Type = 0x0102 // []byte
	Integer16s Type = 0x1002 // []int16
	Integer32s Type = 0x1003 // []int32
	Float32s   Type = 0x1004 // []float32
	Float64s   Type = 0x1005 // []float64
	Currencies Type = 0x1006 // []int64
	FloatTimes Type = 0x1007 // []float64
	Integer64s Type = 0x1014 // []int64
	String8s   Type = 0x101E // []string: the reader gives it as Strings
	Strings    Type = 0x101F // []string
	Times      Type = 0x1040 // []time.Time
	Guids      Type = 0x1048 // []GUID
	Binaries   Type = 0x1102 // [][]byte
)

// Multiple tells whether a value is a list.
func (t Type) Multiple() bool { return t&0x1000 != 0 }

// Size is the length in bytes of a value of fixed length, and 0 of any other.
func (t Type) Size() int {
	switch t {
	case Boolean:
		return 1
	case Integer16:
		return 2
	case Integer32, Float32, ErrorCode:
		return 4
	case Float64, Currency, FloatTime, Integer64, Time:
		return 8
	case Guid:
		return 16
	}
	return 0
}

// Tag names a property by its number: the id in the upper 16 bits, the type in
// the lower. Ids from 0x8000 on mean another property in each file, so that they
// are no names; see [Named].
type Tag uint32

// NewTag joins an id and a type.
func NewTag(id uint16, t Type) Tag { return Tag(id)<<16 | Tag(t) }

// ID is the upper half.
func (t Tag) ID() uint16 { return uint16(t >> 16) }

// Type is the lower half.
func (t Tag) Type() Type { return Type(t) }

func (t Tag) String() string { return fmt.Sprintf("0x%08X", uint32(t)) }

// GUID is a globally unique identifier as it lies in a file: the first three
// fields little-endian ([MS-DTYP] 2.3.4.2).
type GUID [16]byte

// ParseGUID reads the usual text form, 00062002-0000-0000-C000-000000000046, with
// or without braces.
func ParseGUID(s string) (GUID, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(s, "{}"), "-", ""))
	if err != nil || len(b) != 16 {
		return GUID{}, fmt.Errorf("%q is no GUID", s)
	}
	var g GUID
	binary.LittleEndian.PutUint32(g[0:], binary.BigEndian.Uint32(b[0:]))
	binary.LittleEndian.PutUint16(g[4:], binary.BigEndian.Uint16(b[4:]))
	binary.LittleEndian.PutUint16(g[6:], binary.BigEndian.Uint16(b[6:]))
	copy(g[8:], b[8:])
	return g, nil
}

func (g GUID) String() string {
	return strings.ToUpper(fmt.Sprintf("%08x-%04x-%04x-%x-%x",
		binary.LittleEndian.Uint32(g[0:]), binary.LittleEndian.Uint16(g[4:]), binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:]))
}

// Named names a property that has a name of its own in a property set: by a number
// (a LID), or by a text where Name is not empty. Each file gives it an id from
// 0x8000 on ([MS-PST] 2.4.7); nobody outside a file sees that.
type Named struct {
	Set  GUID
	LID  uint32
	Name string // compared without regard to upper and lower case
	Type Type
}

func (n Named) String() string {
	if n.Name != "" {
		return fmt.Sprintf("%v/%s", n.Set, n.Name)
	}
	return fmt.Sprintf("%v/0x%04X", n.Set, n.LID)
}

// Key is a Tag or a Named.
type Key interface {
	split() (Tag, Named)
}

func (t Tag) split() (Tag, Named)   { return t, Named{} }
func (n Named) split() (Tag, Named) { return NewTag(0, n.Type), n }

// Property is one property and its value.
type Property struct {
	Tag   Tag   // of a named property only the type half: its id is 0
	Named Named // the zero value for a property that is known by its tag
	Value any   // of the Go type that its Type says
}

// P makes a Property.
func P(k Key, value any) Property {
	tag, named := k.split()
	return Property{Tag: tag, Named: named, Value: value}
}

// IsNamed tells whether it is known by a name and not by a tag.
func (p Property) IsNamed() bool { return p.Named != Named{} }

// Is tells whether it is that property, with whatever type.
func (p Property) Is(k Key) bool {
	tag, named := k.split()
	if !p.IsNamed() {
		return named == Named{} && p.Tag.ID() == tag.ID()
	}
	return p.Named.Set == named.Set && p.Named.LID == named.LID && strings.EqualFold(p.Named.Name, named.Name)
}

// Properties are those of one object, each at most once.
type Properties []Property

// Set gives a property its value, in the place of an earlier one.
func (ps *Properties) Set(k Key, value any) {
	p := P(k, value)
	for i := range *ps {
		if (*ps)[i].Is(k) {
			(*ps)[i] = p
			return
		}
	}
	*ps = append(*ps, p)
}

// Get gives a value, and whether there is one.
func (ps Properties) Get(k Key) (any, bool) {
	for i := range ps {
		if ps[i].Is(k) {
			return ps[i].Value, true
		}
	}
	return nil, false
}

// Text gives a String, or "" where there is none.
func (ps Properties) Text(k Key) string { return get[string](ps, k) }

// Texts gives Strings, or none.
func (ps Properties) Texts(k Key) []string { return get[[]string](ps, k) }

// Bytes gives a Binary, or nil.
func (ps Properties) Bytes(k Key) []byte { return get[[]byte](ps, k) }

// Bool gives a Boolean, or false.
func (ps Properties) Bool(k Key) bool { return get[bool](ps, k) }

// Time gives a Time, or the zero time.
func (ps Properties) Time(k Key) time.Time { return get[time.Time](ps, k) }

// Int gives an integer of any size, or 0.
func (ps Properties) Int(k Key) int64 {
	v, _ := ps.Get(k)
	switch v := v.(type) {
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case int64:
		return v
	}
	return 0
}

func get[T any](ps Properties, k Key) T {
	v, _ := ps.Get(k)
	t, _ := v.(T)
	return t
}
