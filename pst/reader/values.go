package reader

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"keepwatch/pst"
)

var errShape = errors.New("the value does not have the length of its type")

// inline tells whether a value lies in the four bytes of an entry of a property
// context and not elsewhere ([MS-PST] 2.3.3.3).
func inline(t pst.Type) bool { return t.Size() > 0 && t.Size() <= 4 }

// typeOf is the type that a value is given with: 8-bit texts become Unicode.
// Three types that no list of the format has are nothing but bytes: PtypServerId,
// PtypRestriction and PtypRuleAction ([MS-OXCDATA] 2.11.1). Any other is unknown.
func typeOf(t pst.Type) (pst.Type, bool) {
	switch t {
	case pst.String8:
		return pst.String, true
	case pst.String8s:
		return pst.Strings, true
	case 0x00FB, 0x00FD, 0x00FE:
		return pst.Binary, true
	case pst.String, pst.Binary, pst.Object, pst.Strings, pst.Binaries:
		return t, true
	}
	return t, (t&^0x1000).Size() > 0 && t != pst.Boolean|0x1000 && t != pst.ErrorCode|0x1000
}

// decode makes the Go value of a property from its bytes, which it does not keep.
func decode(t pst.Type, b []byte, codepage int) (any, error) {
	if n := t.Size(); n > 0 {
		if len(b) < n {
			return nil, errShape
		}
		return fixed(t, b[:n]), nil
	}
	switch t {
	case pst.String:
		return utf16Text(b), nil
	case pst.String8:
		return codepageText(b, codepage), nil
	case pst.Object:
		if len(b) < 8 {
			return nil, errShape
		}
		return pst.Ref{Node: pst.NID(binary.LittleEndian.Uint32(b)), Size: binary.LittleEndian.Uint32(b[4:])}, nil
	case pst.Strings, pst.String8s, pst.Binaries:
		return variable(t, b, codepage)
	case pst.Integer16s, pst.Integer32s, pst.Float32s, pst.Float64s, pst.Currencies, pst.FloatTimes, pst.Integer64s, pst.Times, pst.Guids:
		return several(t, b)
	}
	return append([]byte{}, b...), nil
}

func fixed(t pst.Type, b []byte) any {
	switch t {
	case pst.Boolean:
		return b[0] != 0
	case pst.Integer16:
		return int16(binary.LittleEndian.Uint16(b))
	case pst.Integer32, pst.ErrorCode:
		return int32(binary.LittleEndian.Uint32(b))
	case pst.Float32:
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	case pst.Float64, pst.FloatTime:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	case pst.Time:
		return pst.FromFiletime(binary.LittleEndian.Uint64(b))
	case pst.Guid:
		return pst.GUID(b)
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// several decodes a list of values of fixed length ([MS-PST] 2.3.3.4.1).
func several(t pst.Type, b []byte) (any, error) {
	one := t &^ 0x1000
	n := one.Size()
	if len(b)%n != 0 {
		return nil, errShape
	}
	switch t {
	case pst.Integer16s:
		return values[int16](one, n, b), nil
	case pst.Integer32s:
		return values[int32](one, n, b), nil
	case pst.Float32s:
		return values[float32](one, n, b), nil
	case pst.Float64s, pst.FloatTimes:
		return values[float64](one, n, b), nil
	case pst.Times:
		return values[time.Time](one, n, b), nil
	case pst.Guids:
		return values[pst.GUID](one, n, b), nil
	}
	return values[int64](one, n, b), nil
}

func values[T any](t pst.Type, n int, b []byte) []T {
	out := make([]T, 0, len(b)/n)
	for ; len(b) > 0; b = b[n:] {
		out = append(out, fixed(t, b[:n]).(T))
	}
	return out
}

// variable decodes a list of values of any length: how many there are, where each
// begins, and they themselves ([MS-PST] 2.3.3.4.2).
func variable(t pst.Type, b []byte, codepage int) (any, error) {
	var texts []string
	var blobs [][]byte
	if len(b) > 0 {
		if len(b) < 4 {
			return nil, errShape
		}
		n := int64(binary.LittleEndian.Uint32(b))
		if n > int64(len(b)-4)/4 {
			return nil, errShape
		}
		for i := range int(n) {
			from, to := int64(binary.LittleEndian.Uint32(b[4+4*i:])), int64(len(b))
			if i+1 < int(n) {
				to = int64(binary.LittleEndian.Uint32(b[8+4*i:]))
			}
			if from > to || to > int64(len(b)) {
				return nil, errShape
			}
			switch v := b[from:to]; t {
			case pst.Strings:
				texts = append(texts, utf16Text(v))
			case pst.String8s:
				texts = append(texts, codepageText(v, codepage))
			default:
				blobs = append(blobs, bytes.Clone(v))
			}
		}
	}
	if t == pst.Binaries {
		return blobs, nil
	}
	return texts, nil
}
