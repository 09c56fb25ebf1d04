package reader

import (
	"encoding/binary"
	"errors"
	"fmt"

	"keepwatch/pst"
)

var (
	errNoNode   = errors.New("no such node")
	errNoBlock  = errors.New("no such block")
	errReserved = errors.New("a kind of heap that is reserved")
)

// internal tells whether a block is one of the format's own, which is never encoded
// ([MS-PST] 2.2.2.2).
func internal(bid uint64) bool { return bid&2 != 0 }

// block gives the decoded data of a block, which nobody may change.
func (f *File) block(bid uint64) ([]byte, error) {
	bid &^= 1
	f.mu.Lock()
	b, ok := f.blocks.get(bid)
	f.mu.Unlock()
	if ok {
		return b, nil
	}
	b, err := f.loadBlock(bid, nil)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.blocks.put(bid, b)
	f.mu.Unlock()
	return b, nil
}

// blockAt says where a block lies and how many bytes it holds.
func (f *File) blockAt(bid uint64) (ref, int, error) {
	var at ref
	var cb int
	if f.found != nil {
		b, ok := f.found.block(bid &^ 1)
		if !ok {
			return ref{}, 0, &Damage{Text: fmt.Sprintf("the file has no block %#x", bid), Err: errNoBlock}
		}
		at, cb = ref{b.bid, b.ib}, int(b.cb)
	} else {
		e, err := f.lookup(f.bbt, blockPage, bid&^1)
		if err != nil {
			return ref{}, 0, err
		}
		if e == nil {
			return ref{}, 0, &Damage{Text: fmt.Sprintf("the file has no block %#x", bid), Err: errNoBlock}
		}
		at, cb = f.l.ref(e), int(binary.LittleEndian.Uint16(e[2*f.l.word:]))
	}
	if cb > f.l.payload {
		return ref{}, 0, damaged(at.ib, "block %#x is said to hold %d bytes", bid, cb)
	}
	return at, cb, nil
}

// loadBlock reads a block, into buf where that is long enough, and proves it. After a
// Rescue a checksum that does not fit is let pass.
func (f *File) loadBlock(bid uint64, buf []byte) ([]byte, error) {
	return f.readBlock(bid, buf, f.found == nil)
}

func (f *File) readBlock(bid uint64, buf []byte, strict bool) ([]byte, error) {
	at, cb, err := f.blockAt(bid)
	if err != nil {
		return nil, err
	}
	n := (cb + f.l.trailer + 63) &^ 63
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if err := f.readSmall(buf, at.ib); err != nil {
		return nil, fmt.Errorf("block %#x: %w", bid, err)
	}
	return f.prove(buf, at, cb, strict)
}

// prove checks the trailer of a block ([MS-PST] 2.2.2.8.1) and decodes the data.
func (f *File) prove(buf []byte, at ref, cb int, strict bool) ([]byte, error) {
	t := buf[len(buf)-f.l.trailer:]
	crc, id := trailerOf(f.l, t)
	switch {
	case id&^1 != at.bid&^1:
		return nil, damaged(at.ib, "the block there is %#x, and %#x is wanted", id, at.bid)
	case int(binary.LittleEndian.Uint16(t)) != cb:
		return nil, damaged(at.ib, "block %#x gives its length as %d, and the tree of blocks as %d", id, binary.LittleEndian.Uint16(t), cb)
	case pst.Signature(uint64(at.ib), id) != binary.LittleEndian.Uint16(t[2:]):
		return nil, damaged(at.ib, "the signature of block %#x does not fit", id)
	case strict && pst.Checksum(buf[:cb]) != crc:
		return nil, damaged(at.ib, "the checksum of block %#x does not fit", id)
	}
	buf = buf[:cb]
	if !internal(id) {
		f.header.Crypt.Decode(buf, id)
	}
	return buf, nil
}

// windowSize is how many bytes are read at once where small pieces are wanted:
// blocks and pages that are used together lie together.
const windowSize = 64 << 10

// window is the piece of the file that was read last.
type window struct {
	off int64
	b   []byte
}

// readSmall is readAt through the window.
func (f *File) readSmall(b []byte, off int64) error {
	if off < 0 || off > f.size-int64(len(b)) || len(b) > windowSize/2 {
		return f.readAt(b, off)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if w := &f.window; off < w.off || off+int64(len(b)) > w.off+int64(len(w.b)) {
		// Backwards and at random only what is asked for: a window there is read for
		// nothing.
		if next := w.off + int64(len(w.b)); w.b != nil && (off < w.off || off > next+windowSize) {
			w.off, w.b = off, w.b[:0]
			return f.readAt(b, off)
		}
		if cap(w.b) < windowSize {
			w.b = make([]byte, windowSize)
		}
		w.off, w.b = off, w.b[:min(windowSize, f.size-off)]
		if f.readAt(w.b, off) != nil {
			w.b = w.b[:0] // only what is asked for has to be readable
			return f.readAt(b, off)
		}
	}
	copy(b, f.window.b[off-f.window.off:])
	return nil
}
