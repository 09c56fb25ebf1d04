package pst_test

import (
	"bytes"
	"fmt"
	"testing"

	"keepwatch/pst"
)

// TestChecksum: the value that [MS-PST] 5.3 gives for the usual check text, and
// the signature of a page of a real file.
func TestChecksum(t *testing.T) {
	if got := pst.Checksum([]byte("123456789")); got != 0x2DFD2D88 {
		t.Errorf("%#x", got)
	}
	if got := pst.Signature(0x4200, 0x17F); got != 0x437F { // the density list of ms-Empty.pst
		t.Errorf("%#x", got)
	}
}

func TestCodingComesBack(t *testing.T) {
	want := make([]byte, 8176)
	for i := range want {
		want[i] = byte(i * 7)
	}
	for _, c := range []pst.Crypt{pst.CryptNone, pst.CryptPermute, pst.CryptCyclic} {
		b := bytes.Clone(want)
		c.Encode(b, 0x12345674)
		if bytes.Equal(b, want) != (c == pst.CryptNone) {
			t.Errorf("%v did nothing, or too much", c)
		}
		c.Decode(b, 0x12345674)
		if !bytes.Equal(b, want) {
			t.Errorf("%v does not come back", c)
		}
	}
}

func BenchmarkCoding(b *testing.B) {
	block := make([]byte, 8176)
	for i := range block {
		block[i] = byte(i * 7)
	}
	for name, do := range map[string]func(){
		"permute":  func() { pst.CryptPermute.Encode(block, 4) },
		"cyclic":   func() { pst.CryptCyclic.Encode(block, 4) },
		"checksum": func() { pst.Checksum(block) },
	} {
		b.Run(fmt.Sprint(name), func(b *testing.B) {
			b.SetBytes(int64(len(block)))
			for b.Loop() {
				do()
			}
		})
	}
}
