package check

import "keepwatch/pst"

// checkFMaps compares the bytes of FMaps with the AMaps. The text wants the longest run of free
// slots; other writers whose files Outlook opens put down how many are free. Either will do.
func (s *space) checkFMaps() {
	for k, m := range s.fmaps {
		for i, v := range m {
			n := firstFMap + k*fmapEvery + i
			if n >= len(s.slots) {
				break
			}
			if v != uint8(min(s.slots[n], 255)) && v != uint8(min(s.runs[n], 255)) {
				at := firstAMap + int64(firstFMap+k*fmapEvery)*regionSize + 2*pageSize + int64(s.mapStart+i)
				s.find(RuleFMapByte, at, 0, "The FMap says %d of region %d, which has %d slots free.", v, n, s.slots[n])
			}
		}
	}
}

// checkFPMaps compares the bits of FPMaps with the PMaps.
func (s *space) checkFPMaps() {
	for k, m := range s.fpmaps {
		for i := range mapBytes * 8 {
			n := (firstFPMap+k*fpmapEvery)/pmapEvery + i
			if n >= len(s.full) || len(m) == 0 {
				break
			}
			if full := m[i/8]&(0x80>>(i%8)) != 0; full != s.full[n] {
				at := firstAMap + int64(firstFPMap+k*fpmapEvery)*regionSize + 2*pageSize + int64(i/8)
				s.find(RuleFPMapBit, at, 0, "The FPMap says that PMap %d is full: %v; it is: %v.", n, full, s.full[n])
			}
		}
	}
}

// densityList checks the DList where it is one: it is optional, and may be overwritten by anything,
// so that only one with a good checksum counts ([MS-PST] 2.2.2.7.4). How many slots it says are
// free is stale in real files.
func (s *space) densityList() {
	b := make([]byte, pageSize)
	if !s.read(b, densityList) {
		return
	}
	x := s.readTrailer(b)
	if x.kind != pageDList || x.repeat != pageDList || x.crc != pst.Checksum(b[:pageSize-s.layout.trailer]) {
		return
	}
	count := min(int(b[1]), (pageSize-s.layout.trailer-8)/4)
	for i := range count {
		at := 8 + 4*i
		if n := int(u32(b, at) & 0xFFFFF); n >= len(s.slots) {
			s.find(RuleDList, int64(densityList+at), 0, "The density list names the AMap %d of %d.", n, len(s.slots))
		}
	}
}
