package pst

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// oneOffProvider is the provider of a one-off entry id, [MS-OXCDATA] 2.2.5.1.
var oneOffProvider = [16]byte{0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02}

// OneOff is the entry id of somebody who is in no address book: a name, the
// type of the address (SMTP), and the address, in Unicode ([MS-OXCDATA] 2.2.5.1).
// Outlook writes the flags 0x8001: MAPI_ONE_OFF_NO_RICH_INFO is not set.
func OneOff(name, kind, address string) []byte {
	b := make([]byte, 0, 28+2*(len(name)+len(kind)+len(address)))
	b = append(b, 0, 0, 0, 0)
	b = append(b, oneOffProvider[:]...)
	b = append(b, 0, 0, 0x01, 0x80)
	for _, s := range []string{name, kind, address} {
		b = append(AppendUTF16(b, s), 0, 0)
	}
	return b
}

// ParseOneOff reads a one-off entry id in Unicode or in 8 bits; ok is false for
// any other.
func ParseOneOff(b []byte) (name, kind, address string, ok bool) {
	if len(b) < 24 || [16]byte(b[4:20]) != oneOffProvider {
		return "", "", "", false
	}
	wide := b[23]&0x80 != 0
	b = b[24:]
	for _, to := range []*string{&name, &kind, &address} {
		if *to, b, ok = cutString(b, wide); !ok {
			return "", "", "", false
		}
	}
	return name, kind, address, true
}

// cutString takes a string that ends with a zero off b.
func cutString(b []byte, wide bool) (string, []byte, bool) {
	if !wide {
		s, rest, ok := strings.Cut(string(b), "\x00")
		return s, []byte(rest), ok
	}
	for i := 0; i+1 < len(b); i += 2 {
		if b[i] == 0 && b[i+1] == 0 {
			return FromUTF16(b[:i]), b[i+2:], true
		}
	}
	return "", nil, false
}

// StoreEntryID is the entry id of a node of a file, [MS-PST] 2.4.3.2: four zero
// bytes, the record key of the file, the NID.
func StoreEntryID(recordKey GUID, n NID) []byte {
	b := make([]byte, 24)
	copy(b[4:], recordKey[:])
	binary.LittleEndian.PutUint32(b[20:], uint32(n))
	return b
}

// SearchKey is PidTagSearchKey of an address: its type and itself in upper case,
// ended by a zero byte ([MS-OXCDATA], [MS-OXPROPS]).
func SearchKey(kind, address string) []byte {
	return append([]byte(strings.ToUpper(kind+":"+address)), 0)
}

// AppendUTF16 appends a text in UTF-16, little-endian, without an ending zero.
// What is no valid UTF-8 becomes U+FFFD.
func AppendUTF16(b []byte, s string) []byte {
	for _, r := range s {
		if r < 0x10000 {
			b = append(b, byte(r), byte(r>>8))
			continue
		}
		hi, lo := utf16.EncodeRune(r)
		b = append(b, byte(hi), byte(hi>>8), byte(lo), byte(lo>>8))
	}
	return b
}

// FromUTF16 reads UTF-16, little-endian. A lone surrogate becomes U+FFFD, an odd
// last byte is left out.
func FromUTF16(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}
