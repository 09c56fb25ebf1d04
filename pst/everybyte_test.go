package pst_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/writer"
)

// free are the bytes that may be anything, or of which nobody can tell that they were
// others, where the checksum over them is right.
var free = []string{
	"bidUnused", "dwUnique", "qwUnused", "rgbReserved", // of the header, by the text
	"rgnid",               // higher is no harm
	"header other",        // dwReserved1 and 2, and counters: higher is no harm
	"page unused", "pmap", // Outlook leaves anything behind the entries; a PMap of old Outlook has zeros
	"bbt entry lvl0 byte 2", "nbt entry lvl0 byte 28", "nbt entry lvl0 byte 29", "nbt entry lvl0 byte 3", // dwPadding
	"sl0 block entry byte 4", "sl0 block entry byte 5", "sl0 block entry byte 6", "sl0 block entry byte 7", // the upper half of a NID
	"value", "raw data", "inline", "row cell", "row unset", "heap item", // what is said in it
	"pc id", // of a property that need not be there
}

// flipAt makes the file with one byte changed, and makes what is above it right, or nothing.
func (s *surgeon) flipAt(base []byte, m mark, by byte, mend bool) {
	s.b = bytes.Clone(base)
	switch {
	case m.bid != 0 && mend:
		s.edit(m.bid, func(b []byte) { b[m.off] ^= by })
		s.closeBlock(m.bid)
	case m.bid != 0:
		ib, _ := s.extent(m.bid)
		s.b[ib+m.off] ^= by
	default:
		s.b[m.off] ^= by
	}
	switch at := m.page - 1; {
	case !mend:
	case m.page != 0 && m.off < at+496:
		binary.LittleEndian.PutUint32(s.b[at+500:], pst.Checksum(s.b[at:at+496]))
	case m.page == 0 && m.bid == 0 && m.class != "header crc":
		binary.LittleEndian.PutUint32(s.b[524:], pst.Checksum(s.b[8:524]))
		binary.LittleEndian.PutUint32(s.b[4:], pst.Checksum(s.b[8:479]))
	}
}

// TestEveryByte changes bytes of each kind of structure. Without its checksum every one is
// found; and with the checksum made right nearly every one that belongs to a structure.
func TestEveryByte(t *testing.T) {
	each := 2
	if os.Getenv("KEEPWATCH_SOAK") != "" {
		each = 60
	}
	base := written(t, writer.Options{}, smallBox)
	s := operate(t, base)
	kinds := map[string][]mark{}
	for _, m := range s.marks() {
		kinds[m.class] = append(kinds[m.class], m)
	}
	rnd := rand.New(rand.NewPCG(9, 9))
	var tried, found int
	missed := map[string]int{}
	clean := func() bool {
		report, err := check.File(bytes.NewReader(s.b), int64(len(s.b)), check.Options{Max: 1})
		if err != nil {
			t.Fatal(err)
		}
		return len(report.Findings) == 0
	}
	for class, list := range kinds {
		free := slices.ContainsFunc(free, func(part string) bool { return strings.Contains(class, part) })
		for range min(each, 3*len(list)) {
			m, by := list[rnd.IntN(len(list))], byte(1+rnd.IntN(255))
			if s.flipAt(base, m, by, false); clean() && !strings.HasPrefix(class, "header rgbReserved") {
				t.Errorf("%s: a change at %#x of block %#x is not found by its checksum", class, m.off, m.bid)
			}
			if free {
				continue
			}
			tried++
			if s.flipAt(base, m, by, true); clean() {
				missed[class]++
			} else {
				found++
			}
		}
	}
	t.Logf("%d of %d changes with a right checksum are found; not: %v", found, tried, missed)
	if len(kinds) < 200 || found*100 < tried*98 {
		t.Errorf("of %d kinds, %d of %d changes are found; not: %v", len(kinds), found, tried, missed)
	}
}
