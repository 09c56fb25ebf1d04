package check_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/psttest"
)

// mend puts the checksums of the header and of all pages right, so that what was changed is not found
// by them alone. It takes a Unicode file of any length.
func mend(b []byte) {
	if len(b) < 564 {
		return
	}
	copy(b, "!BDN")
	copy(b[8:], "SM\x17\x00")
	binary.LittleEndian.PutUint64(b[184:], uint64(len(b)))
	binary.LittleEndian.PutUint32(b[524:], pst.Checksum(b[8:8+516]))
	binary.LittleEndian.PutUint32(b[4:], pst.Checksum(b[8:8+471]))
}

// FuzzFile changes real files in a few places: pairs of an offset and a byte.
func FuzzFile(f *testing.F) {
	var bases [][]byte
	for _, name := range []string{"ms-Empty.pst", "java-libpst-dist-list.pst", "go-pst-32-bit-ansi.pst"} {
		bases = append(bases, psttest.Outlook(f, name))
	}
	f.Add(byte(0), uint32(271360), []byte{0, 4, 0x44, 0, 1, 9})
	f.Add(byte(1), uint32(200_000), []byte{0, 0x60, 0x22, 0xFF})
	f.Add(byte(4), uint32(200_247), []byte{0, 0xAD, 0x37, 0xE2}) // the page of a tree at a negative offset
	f.Add(byte(2), uint32(65536), []byte{0, 0x70, 0x22, 0xFF})
	f.Fuzz(func(t *testing.T, which byte, length uint32, changes []byte) {
		b := bytes.Clone(bases[int(which)%len(bases)])
		b = b[:min(int(length), len(b))]
		for ; len(changes) >= 4; changes = changes[4:] {
			if at := int(changes[0])<<16 | int(changes[1])<<8 | int(changes[2]); at < len(b) {
				b[at] = changes[3]
			}
		}
		if which%2 == 0 {
			mend(b)
		}
		start := time.Now()
		report, err := check.File(bytes.NewReader(b), int64(len(b)), check.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
		for _, x := range report.Findings {
			if x.Offset < 0 || x.Section == "" || x.Text == "" {
				t.Errorf("%+v", x)
			}
		}
	})
}

// FuzzStructures changes the decoded data of blocks, whose checksums nobody then trusts.
func FuzzStructures(f *testing.F) {
	base := psttest.Outlook(f, "java-libpst-dist-list.pst")
	f.Add(uint16(3), uint16(2), byte(0x7C))
	f.Add(uint16(30), uint16(20), byte(0))
	f.Fuzz(func(t *testing.T, slot, at uint16, v byte) {
		b := bytes.Clone(base)
		i := 0x4800 + int(slot)*64 + int(at)
		if i >= len(b) {
			return
		}
		one := []byte{v}
		pst.CryptPermute.Encode(one, 0)
		b[i] = one[0]
		if _, err := check.File(bytes.NewReader(b), int64(len(b)), check.Options{}); err != nil {
			t.Fatal(err)
		}
	})
}
