package writer

import (
	"encoding/binary"
	"fmt"

	"keepwatch/pst"
)

// Places of the header of a Unicode file, 2.2.2.6 and 2.2.2.5.
const (
	headerSize = 564
	dlistAt    = 0x4200
)

// finish writes the B-trees, the maps and the header, makes the file as long as it
// says that it is, and syncs it. The header goes last: a file without one is no
// whole file.
func (v *volume) finish() error {
	blocks, err := v.blockTree()
	if err != nil {
		return err
	}
	nodes, err := v.nodeTree()
	if err != nil {
		return err
	}
	if err := v.flush(); err != nil {
		return err
	}
	if err := v.freeMaps(); err != nil {
		return err
	}
	// What lies before the first region, without a hole and for now without the header:
	// the density list, empty as Outlook leaves it. Its id is that of the next page.
	front := make([]byte, firstRegion)
	seal(front[dlistAt:dlistAt+pageSize], pageDList, v.nextPage, pst.Signature(dlistAt, v.nextPage))
	if err := v.writeAt(front, 0); err != nil {
		return err
	}
	if err := v.f.Truncate(regionOffset(v.region + 1)); err != nil {
		return fmt.Errorf("set the length: %w", err)
	}
	if err := v.f.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := v.writeAt(v.header(nodes, blocks), 0); err != nil {
		return err
	}
	if err := v.f.Sync(); err != nil {
		return fmt.Errorf("sync the header: %w", err)
	}
	return nil
}

func (v *volume) writeAt(b []byte, at int64) error {
	if _, err := v.f.WriteAt(b, at); err != nil {
		return fmt.Errorf("write %d bytes at %d: %w", len(b), at, err)
	}
	return nil
}

// freeMaps writes the FMap and FPMap pages. They are deprecated and have to be
// there (2.2.2.7.5, 2.2.2.7.6). A byte of an FMap is the longest run of free slots
// of a region, as far as a byte can say it. The bits of an FPMap are all set, as
// those of the header are: no PMap has a free page.
func (v *volume) freeMaps() error {
	for region := range v.free {
		at := regionOffset(region) + pageSize
		if hasPMap(region) {
			at += pageSize
		}
		var page [pageSize]byte
		switch {
		case hasFMap(region):
			for i := range fmapEvery {
				if region+i < len(v.longest) {
					page[i] = byte(min(v.longest[region+i], 255))
				}
			}
			seal(page[:], pageFMap, uint64(at), 0)
		case hasFPMap(region):
			fill(page[:pageData], 0xFF)
			seal(page[:], pageFPMap, uint64(at), 0)
		default:
			continue
		}
		if err := v.writeAt(page[:], at); err != nil {
			return err
		}
	}
	return nil
}

// header makes the header, 2.2.2.6.
func (v *volume) header(nodes, blocks bref) []byte {
	h := make([]byte, headerSize)
	le := binary.LittleEndian
	copy(h, "!BDN")
	copy(h[8:], "SM")
	le.PutUint16(h[10:], 23) // wVer. The text says "greater than 23"; every real file has 23
	le.PutUint16(h[12:], 19) // wVerClient
	h[14], h[15] = 1, 1      // bPlatformCreate, bPlatformAccess
	le.PutUint64(h[32:], v.nextPage)
	le.PutUint32(h[40:], 1) // dwUnique
	for t, n := range v.lastNID {
		le.PutUint32(h[44+4*t:], n)
	}
	var free uint64
	for _, n := range v.free {
		free += uint64(n) * slotSize
	}
	le.PutUint64(h[184:], uint64(regionOffset(v.region+1))) // ibFileEof
	le.PutUint64(h[192:], uint64(regionOffset(v.region)))   // ibAMapLast
	le.PutUint64(h[200:], free)                             // cbAMapFree; cbPMapFree stays 0
	le.PutUint64(h[216:], nodes.bid)
	le.PutUint64(h[224:], uint64(nodes.ib))
	le.PutUint64(h[232:], blocks.bid)
	le.PutUint64(h[240:], uint64(blocks.ib))
	h[248] = 2 // fAMapValid: VALID_AMAP2
	fill(h[256:512], 0xFF)
	h[512] = 0x80 // bSentinel
	h[513] = byte(v.crypt)
	le.PutUint64(h[516:], blockID(v.blocks.len(), 0)) // bidNextB
	le.PutUint32(h[4:], pst.Checksum(h[8:8+471]))
	le.PutUint32(h[524:], pst.Checksum(h[8:8+516]))
	return h
}
