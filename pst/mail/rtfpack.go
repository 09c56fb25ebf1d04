package mail

import (
	"encoding/binary"
	"errors"
)

// rtfDictionary is what the dictionary of LZFu begins with, [MS-OXRTFCP] 2.1.2.1.
const rtfDictionary = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"

// maxRTF is how much of a body in RTF is unpacked.
const maxRTF = 64 << 20

var errRTF = errors.New("the compressed RTF is damaged")

// decompressRTF reads PidTagRtfCompressed, [MS-OXRTFCP]: LZFu, or MELA, which is not
// compressed. Its checksum is not looked at: what is there of a damaged text is better
// than nothing.
func decompressRTF(b []byte) ([]byte, error) {
	if len(b) < 16 {
		return nil, errRTF
	}
	raw := int(min(binary.LittleEndian.Uint32(b[4:]), maxRTF))
	kind := string(b[8:12])
	b = b[16:]
	switch kind {
	case "MELA":
		return b[:min(raw, len(b))], nil
	case "LZFu":
		return unpackLZFu(b, raw), nil
	}
	return nil, errRTF
}

// unpackLZFu goes through runs of eight tokens, each with a byte that says which of
// them are references: 12 bits of an offset into the dictionary, 4 of a length less 2
// ([MS-OXRTFCP] 2.1.3.1.4). A reference to the place that is written next is the end.
func unpackLZFu(b []byte, raw int) []byte {
	var dict [4096]byte
	at := copy(dict[:], rtfDictionary)
	out := make([]byte, 0, min(raw, 16*len(b)))
	put := func(c byte) {
		out = append(out, c)
		dict[at] = c
		at = (at + 1) % len(dict)
	}
	for len(b) > 0 && len(out) < raw {
		control := b[0]
		b = b[1:]
		for bit := 0; bit < 8 && len(out) < raw; bit++ {
			if control>>bit&1 == 0 {
				if len(b) < 1 {
					return out
				}
				put(b[0])
				b = b[1:]
				continue
			}
			if len(b) < 2 {
				return out
			}
			ref := int(b[0])<<8 | int(b[1])
			b = b[2:]
			from, n := ref>>4, ref&0xF+2
			if from == at {
				return out
			}
			for ; n > 0 && len(out) < raw; n-- {
				put(dict[from])
				from = (from + 1) % len(dict)
			}
		}
	}
	return out
}
