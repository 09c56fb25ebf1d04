package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
)

// frameWatch is shown the compressed bytes of a file on their way to the
// decompressor, and holds the seek table at their end against the frames before
// it. It follows the sizes that frames and blocks say of themselves (RFC 8878
// section 3.1.1), which the decompressor proves, and needs no memory but two sums.
type frameWatch struct {
	need int    // bytes that the next step wants to see
	head []byte // those that have come
	pass int64  // bytes to go past before it
	step func(head []byte)

	begun    int64 // where the frame in hand begins
	at       int64 // bytes that were shown
	plain    int64 // what the frame in hand holds; -1: it does not say
	checksum bool

	sum    int64 // what the frames before hold together
	unsaid bool  // the frame that ended last did not say what it holds

	frames  int64
	said    hash.Hash // of what the table should say
	table   hash.Hash // of what it says; nil: no table was met
	footer  []byte
	entries int64 // bytes of it that are still to come
	odd     bool  // there is something that a table says nothing of
	blind   bool  // a frame does not say what it holds, and is not the last one, so that nobody can judge
}

func newFrameWatch() *frameWatch {
	w := &frameWatch{said: sha256.New()}
	w.await(4, w.magic)
	return w
}

// await has step called with the next n bytes.
func (w *frameWatch) await(n int, step func([]byte)) { w.need, w.step = n, step }

// Write satisfies io.Writer, and never gives an error.
func (w *frameWatch) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if w.pass > 0 {
			k := min(w.pass, int64(len(p)))
			w.pass, w.at, p = w.pass-k, w.at+k, p[k:]
			continue
		}
		if w.entries > 0 {
			k := min(w.entries, int64(len(p)))
			w.table.Write(p[:k])
			w.entries, w.at, p = w.entries-k, w.at+k, p[k:]
			continue
		}
		k := min(w.need-len(w.head), len(p))
		w.head, w.at, p = append(w.head, p[:k]...), w.at+int64(k), p[k:]
		if len(w.head) == w.need {
			head := w.head
			w.head = w.head[:0]
			w.step(head)
		}
	}
	return n, nil
}

// magic begins a frame.
func (w *frameWatch) magic(b []byte) {
	w.begun = w.at - 4
	w.odd = w.odd || w.table != nil // which is the last thing
	switch magic := binary.LittleEndian.Uint32(b); {
	case bytes.Equal(b, frameMagic):
		w.await(1, w.descriptor)
	case magic&^0xf == 0x184D2A50:
		w.await(4, func(b []byte) { w.skippable(magic, int64(binary.LittleEndian.Uint32(b))) })
	default: // the decompressor says what is wrong
		w.odd, w.pass = true, 1<<62
	}
}

// descriptor reads the first byte of a frame's header, which says how long that is.
func (w *frameWatch) descriptor(b []byte) {
	single := b[0]&0x20 != 0
	before := []int{0, 1, 2, 4}[b[0]&3] // the dictionary
	if !single {
		before++ // the window
	}
	size := []int{0, 2, 4, 8}[b[0]>>6]
	if size == 0 && single {
		size = 1
	}
	w.checksum = b[0]&4 != 0
	header := func(b []byte) {
		w.plain = -1
		var wide [8]byte
		if copy(wide[:], b[before:]) > 0 {
			w.plain = int64(binary.LittleEndian.Uint64(wide[:]))
		}
		if size == 2 {
			w.plain += 256
		}
		w.await(3, w.block)
	}
	w.await(before+size, header)
}

// block reads the header of a block and goes past the block.
func (w *frameWatch) block(b []byte) {
	head := int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
	w.pass = head >> 3
	if head>>1&3 == 1 { // one byte, many times
		w.pass = 1
	}
	if head&1 == 0 {
		w.await(3, w.block)
		return
	}
	if w.checksum {
		w.pass += 4
	}
	w.endFrame(w.at + w.pass)
	w.await(4, w.magic)
}

// endFrame takes in a frame.
func (w *frameWatch) endFrame(end int64) {
	size := end - w.begun
	if w.unsaid || w.plain > 1<<32-1 || size > 1<<32-1 {
		w.blind = true
	}
	w.said.Write(binary.LittleEndian.AppendUint32(nil, uint32(size)))
	w.frames++
	if w.unsaid = w.plain < 0; !w.unsaid {
		w.holds(w.plain)
	}
}

// holds takes in what a frame holds.
func (w *frameWatch) holds(plain int64) {
	w.sum += plain
	w.said.Write(binary.LittleEndian.AppendUint32(nil, uint32(plain)))
}

// skippable reads what a decoder passes over.
func (w *frameWatch) skippable(magic uint32, size int64) {
	if magic != tableMagic || size < tableFooter {
		w.odd, w.pass = true, size
		w.await(4, w.magic)
		return
	}
	w.table, w.entries = sha256.New(), size-tableFooter
	w.await(tableFooter, func(b []byte) {
		w.footer = slices.Clone(b)
		w.await(4, w.magic)
	})
}

// wrong says in which way the table is not what the frames say, and gives ""
// where it is, or where there is none. It is asked once, when all is shown. whole is
// what the frames hold together: the last one does not say it of itself where that is
// less than 256 bytes (RFC 8878 section 3.1.1.1.1). Below zero it is not known.
func (w *frameWatch) wrong(whole int64) string {
	if w.unsaid {
		last := whole - w.sum
		w.blind = w.blind || whole < 0
		w.odd = w.odd || last < 0 || last > 1<<32-1
		w.holds(last)
	}
	switch {
	case w.table == nil || w.blind:
		return ""
	case w.odd:
		return "its seek table does not fit what lies beside it"
	case !bytes.Equal(w.footer, appendFooter(nil, uint32(w.frames))):
		return fmt.Sprintf("its seek table should end by saying that there are %d frames, and does not", w.frames)
	case !bytes.Equal(w.table.Sum(nil), w.said.Sum(nil)):
		return "its seek table says other sizes than the frames have"
	}
	return ""
}
