package writer

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"keepwatch/pst"
)

// errTooLong is what a value says that no file can hold.
var errTooLong = errors.New("it is longer than 4 GB, which is the most that one value of an Outlook data file can be")

// Places of a block that names others, 2.2.2.8.3.
const (
	blockHead = 8                           // btype, cLevel, cEnt, lcbTotal or padding
	maxBIDs   = (maxBlock - blockHead) / 8  // of an XBLOCK or XXBLOCK: 1,021
	maxLeaf   = (maxBlock - blockHead) / 24 // of an SLBLOCK: 340
	maxIndex  = (maxBlock - blockHead) / 16 // of an SIBLOCK: 510
	maxSubs   = maxLeaf * maxIndex          // subnodes of one node: 173,400
	typeData  = 0x01                        // btype of XBLOCK and XXBLOCK
	typeSubs  = 0x02                        // btype of SLBLOCK and SIBLOCK
	levelX    = 1
	levelXX   = 2
	levelSL   = 0
	levelSI   = 1
)

// dataWriter writes the data of one node, of any length: one block, an XBLOCK
// above up to 1,021 of them, or an XXBLOCK above up to 1,021 of those (2.2.2.8.3).
// All blocks but the last are full.
type dataWriter struct {
	v    *volume
	bids []uint64 // of blocks that no XBLOCK names yet; 0 for one that is held back
	held int      // how many of these are held back
	xs   []uint64 // XBLOCKs
	n    int      // blocks in all
	size int64    // bytes in all
}

// stream begins the data of a node.
func (v *volume) stream() *dataWriter { return &dataWriter{v: v} }

// block adds one whole block: 8,176 bytes, or fewer for the last.
func (w *dataWriter) block(data []byte) error {
	if w.size += int64(len(data)); w.size > maxDataBytes {
		return errTooLong
	}
	return w.add(data)
}

// all adds as many whole blocks as there are, and what is left as the last.
func (w *dataWriter) all(data []byte) error {
	for b := range slices.Chunk(data, maxBlock) {
		if err := w.block(b); err != nil {
			return err
		}
	}
	return nil
}

// hold keeps the place of a block that is full and comes later, with put. It
// gives the number of the block.
func (w *dataWriter) hold() int {
	w.bids = append(w.bids, 0)
	w.held++
	w.n++
	return w.n - 1
}

// put gives the block that was held back. If it is the last of all it may be
// shorter than a full one.
func (w *dataWriter) put(at int, data []byte) error {
	if w.size += int64(len(data)); w.size > maxDataBytes {
		return errTooLong
	}
	bid, err := w.v.block(data)
	if err != nil {
		return err
	}
	w.bids[at-len(w.xs)*maxBIDs] = bid
	w.held--
	return w.index(false)
}

func (w *dataWriter) add(data []byte) error {
	bid, err := w.v.block(data)
	if err != nil {
		return err
	}
	w.bids = append(w.bids, bid)
	w.n++
	return w.index(false)
}

// index writes XBLOCKs above the blocks that are there: full ones while the stream
// goes on, and above all that is left at its end. A full one is only written when
// there is a block behind it, because one alone needs no XXBLOCK.
func (w *dataWriter) index(end bool) error {
	for len(w.bids) > maxBIDs || end && len(w.bids) > 0 {
		list := w.bids[:min(maxBIDs, len(w.bids))]
		if w.held > 0 && slices.Contains(list, 0) {
			return nil
		}
		// Every block but the last of all is full, and the last is in the last list.
		total := int64(len(list)) * maxBlock
		if end && len(list) == len(w.bids) {
			total = w.size - int64(len(w.xs))*maxBIDs*maxBlock
		}
		bid, err := w.v.xblock(levelX, list, total)
		if err != nil {
			return err
		}
		w.xs = append(w.xs, bid)
		w.bids = append(w.bids[:0], w.bids[len(list):]...)
	}
	return nil
}

// finish ends the data. It gives the block that stands for all of it, or 0 for
// none, and how many bytes it is.
func (w *dataWriter) finish() (uint64, int64, error) {
	switch {
	case w.held > 0:
		return 0, 0, errors.New("a block that was held back never came")
	case w.n == 0:
		return 0, 0, nil
	case w.n == 1:
		return w.bids[0], w.size, nil
	}
	if err := w.index(true); err != nil {
		return 0, 0, err
	}
	if len(w.xs) == 1 {
		return w.xs[0], w.size, nil
	}
	bid, err := w.v.xblock(levelXX, w.xs, w.size)
	return bid, w.size, err
}

// xblock writes an XBLOCK or XXBLOCK, 2.2.2.8.3.2.
func (v *volume) xblock(level byte, bids []uint64, total int64) (uint64, error) {
	if len(bids) > maxBIDs {
		return 0, errTooLong
	}
	b := v.head(typeData, level, len(bids), uint32(total))
	for _, bid := range bids {
		b = binary.LittleEndian.AppendUint64(b, bid)
	}
	return v.put(b, internal)
}

// head begins a block that names others. It is good until the next one is begun.
func (v *volume) head(kind, level byte, entries int, total uint32) []byte {
	b := append(v.names[:0], kind, level)
	b = binary.LittleEndian.AppendUint16(b, uint16(entries))
	return binary.LittleEndian.AppendUint32(b, total)
}

// subnode is a node below a node: its data and its own subnodes.
type subnode struct {
	nid       pst.NID
	data, sub uint64
}

// subnodes writes the subnode tree of a node, 2.2.2.8.3.3: an SLBLOCK, or an
// SIBLOCK above several. It sorts the list. None gives 0.
func (v *volume) subnodes(list []subnode) (uint64, error) {
	if len(list) == 0 {
		return 0, nil
	}
	if len(list) > maxSubs {
		return 0, errors.New("it has more than 173,400 parts, which is the most that one item of an Outlook data file can have")
	}
	slices.SortFunc(list, func(a, b subnode) int { return cmp.Compare(a.nid, b.nid) })
	var first []pst.NID
	var leaves []uint64
	for leaf := range slices.Chunk(list, maxLeaf) {
		b := v.head(typeSubs, levelSL, len(leaf), 0)
		for _, s := range leaf {
			b = binary.LittleEndian.AppendUint64(b, uint64(s.nid))
			b = binary.LittleEndian.AppendUint64(b, s.data)
			b = binary.LittleEndian.AppendUint64(b, s.sub)
			v.used(s.nid)
		}
		bid, err := v.put(b, internal)
		if err != nil {
			return 0, err
		}
		first, leaves = append(first, leaf[0].nid), append(leaves, bid)
	}
	if len(leaves) == 1 {
		return leaves[0], nil
	}
	b := v.head(typeSubs, levelSI, len(leaves), 0)
	for i := range leaves {
		b = binary.LittleEndian.AppendUint64(b, uint64(first[i]))
		b = binary.LittleEndian.AppendUint64(b, leaves[i])
	}
	return v.put(b, internal)
}
