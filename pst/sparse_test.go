package pst_test

import (
	"bytes"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/psttest"
)

const region = 253_952

// sparse is a file with real data at its beginning, and behind that regions that are empty but for
// their maps.
type sparse struct {
	begin []byte
	pages map[int64][]byte // 512 bytes each
	size  int64
}

func (s *sparse) ReadAt(b []byte, at int64) (int, error) {
	clear(b)
	if at < int64(len(s.begin)) {
		copy(b, s.begin[at:])
	}
	end := at + int64(len(b))
	for n := max(0, (at-amap)/region); amap+n*region < end; n++ {
		for k := range int64(3) {
			from := amap + n*region + 512*k
			if p, ok := s.pages[from]; ok && from < end && from+512 > at {
				copy(b[max(0, from-at):], p[max(0, at-from):])
			}
		}
	}
	return len(b), nil
}

// mapPage makes a map page.
func mapPage(at int64, kind byte, fill byte) []byte {
	b := bytes.Repeat([]byte{fill}, 512)
	clear(b[496:])
	b[496], b[497] = kind, kind
	le.PutUint64(b[504:], uint64(at))
	seal(b)
	return b
}

// seal puts the checksum of a map page right.
func seal(b []byte) { le.PutUint32(b[500:], pst.Checksum(b[:496])) }

// vast is a file of 2.08 GB, just long enough for its first FPMap page, at 0x7C004800.
func vast(t *testing.T) *sparse {
	const regions = 8193
	s := &sparse{begin: bytes.Clone(psttest.Outlook(t, empty)), pages: map[int64][]byte{}, size: amap + regions*region}
	free := uint64(0)
	for n := int64(1); n < regions; n++ {
		at := amap + n*region
		a := mapPage(at, 0x84, 0)
		used := 1
		if n%8 == 0 {
			s.pages[at+512] = mapPage(at+512, 0x83, 0xFF)
			used = 2
		}
		if n >= 128 && (n-128)%496 == 0 {
			s.pages[at+1024] = mapPage(at+1024, 0x82, 0xFF)
			used = 3
		}
		if n == 8192 {
			s.pages[at+1024] = mapPage(at+1024, 0x85, 0xFF)
			used = 3
		}
		copy(a, bytes.Repeat([]byte{0xFF}, used))
		seal(a)
		s.pages[at] = a
		free += uint64(region - used*512)
	}
	p := &patch{t, s.begin, pst.CryptPermute}
	p.header(func(b []byte) {
		le.PutUint64(b[184:], uint64(s.size))
		le.PutUint64(b[192:], uint64(amap+(regions-1)*region))
		le.PutUint64(b[200:], le.Uint64(b[200:])+free)
	})
	return s
}

// TestFPMaps breaks what only files of more than 2 GB have.
func TestFPMaps(t *testing.T) {
	s := vast(t)
	fpmap := s.pages[0x7C004800]
	for _, c := range []struct {
		rule check.Rule
		do   func(b []byte)
	}{
		{"", func([]byte) {}},
		{check.RuleFPMap, put8(496, 0x82)},
		{check.RuleFPMapBit, put8(0, 0x7F)},
	} {
		page := bytes.Clone(fpmap)
		c.do(page)
		seal(page)
		s.pages[0x7C004800] = page
		report, err := check.File(s, s.size, check.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c.rule == "" && len(report.Findings) > 0 || c.rule != "" && (len(report.Findings) != 1 || report.Findings[0].Rule != c.rule) {
			t.Errorf("%q: %v", c.rule, report.Findings)
		}
	}
}
