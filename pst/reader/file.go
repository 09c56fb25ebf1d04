package reader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"keepwatch/pst"
)

// Options are how a file is read. The zero value is good.
type Options struct {
	// MaxValue is how many bytes of one value are held in memory, and half of how
	// many of all values of one object. The default is 64 MiB. A longer one is an
	// error that is ErrTooLong; the other properties come all the same.
	MaxValue int64

	// Codepage is that of 8-bit texts where the file names none, by its Windows
	// number. The default is 1252, Western European.
	Codepage int

	// Truncated opens a file too that is cut off, where its trees lie before the cut:
	// what lies behind it is damage. Without it Open says that the file is cut off.
	Truncated bool
}

const defaultMaxValue = 64 << 20

// File is an open Outlook data file. It may be used by several goroutines.
type File struct {
	r      io.ReaderAt
	size   int64
	o      Options
	header pst.Header
	l      layout
	nbt    ref // the root pages
	bbt    ref
	found  *index // of Rescue, instead of the trees
	wrong  []*Damage

	mu       sync.Mutex
	pages    cache[int64, *page]
	blocks   cache[uint64, []byte]
	window   window
	names    map[uint16]pst.Named // loaded on first use
	children []child              // built on first use
}

// layout is what differs between Unicode and ANSI ([MS-PST] 2.2.2).
type layout struct {
	word    int // bytes of a BID or an offset
	trailer int // bytes of the trailer of a page or a block
	entries int // bytes of a B-tree page for its entries
	nodeEnt int // bytes of an NBTENTRY
	blobEnt int // bytes of a BBTENTRY
	innerEn int // bytes of a BTENTRY
	subHead int // bytes before the entries of an SLBLOCK or SIBLOCK
	rowID   int // bytes of dwRowIndex in the row index of a table
	payload int // bytes that a block holds at most
}

// The two layouts.
var (
	wide   = layout{word: 8, trailer: 16, entries: 488, nodeEnt: 32, blobEnt: 24, innerEn: 24, subHead: 8, rowID: 4, payload: 8176}
	narrow = layout{word: 4, trailer: 12, entries: 496, nodeEnt: 16, blobEnt: 12, innerEn: 12, subHead: 4, rowID: 2, payload: 8180}
)

// get reads a BID or an offset.
func (l layout) get(b []byte) uint64 {
	if l.word == 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return uint64(binary.LittleEndian.Uint32(b))
}

// ref is a BREF: an id and an offset.
type ref struct {
	bid uint64
	ib  int64
}

func (l layout) ref(b []byte) ref {
	return ref{l.get(b), int64(l.get(b[l.word:]))}
}

// Offsets of BREFNBT within the header, [MS-PST] 2.2.2.5 and 2.2.2.6; BREFBBT
// follows it.
const (
	wideRoots   = 216
	narrowRoots = 184
)

// Open opens a file of size bytes. Its error is a *pst.HeaderError where it is no
// whole Outlook data file, one that is ErrUnsupported, or one of r.
func Open(r io.ReaderAt, size int64, o Options) (*File, error) {
	h, err := pst.ReadHeader(r, size)
	if e, ok := errors.AsType[*pst.HeaderError](err); ok && e.Rule == pst.RuleTruncated && o.Truncated {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	switch {
	case h.Format == pst.Unicode4K:
		return nil, fmt.Errorf("%w: it has the pages of offline folders of Outlook 2013 and later (version %d)", ErrUnsupported, h.Version)
	case h.Crypt == pst.CryptEDP:
		return nil, fmt.Errorf("%w: it is %v", ErrUnsupported, h.Crypt)
	}
	f := newFile(r, size, o, h)
	roots := make([]byte, 4*f.l.word)
	if err := f.readAt(roots, f.rootsAt()); err != nil {
		return nil, err
	}
	f.nbt, f.bbt = f.l.ref(roots), f.l.ref(roots[2*f.l.word:])
	return f, nil
}

func newFile(r io.ReaderAt, size int64, o Options, h pst.Header) *File {
	if o.MaxValue <= 0 {
		o.MaxValue = defaultMaxValue
	}
	if o.Codepage == 0 {
		o.Codepage = 1252
	}
	f := &File{r: r, size: size, o: o, header: h, l: wide}
	if h.Format == pst.ANSI {
		f.l = narrow
	}
	f.pages.max, f.blocks.max = maxPages, maxBlocks
	return f
}

func (f *File) rootsAt() int64 {
	if f.header.Format == pst.ANSI {
		return narrowRoots
	}
	return wideRoots
}

// Header is what the first bytes of the file say.
func (f *File) Header() pst.Header { return f.header }

// readAt fills b from an offset, which has to lie in the file with its end.
func (f *File) readAt(b []byte, off int64) error {
	if off < 0 || off > f.size-int64(len(b)) {
		return damaged(max(off, 0), "it should lie at offset %#x, outside the file of %d bytes", uint64(off), f.size)
	}
	n, err := f.r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return damaged(off, "the file ends within it")
	}
	return fmt.Errorf("read %d bytes at %#x: %w", len(b), off, err)
}

// Bounds of the caches: 512 KiB of pages and at most 4 MiB of blocks, twice.
const (
	maxPages  = 1024
	maxBlocks = 512
)

// cache keeps between max and twice max of what was used last, in two
// generations: when the young one is full, the old one goes.
type cache[K comparable, V any] struct {
	max        int
	young, old map[K]V
}

func (c *cache[K, V]) get(k K) (V, bool) {
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		c.put(k, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(k K, v V) {
	if c.young == nil || len(c.young) >= c.max {
		c.old, c.young = c.young, make(map[K]V, c.max)
	}
	c.young[k] = v
}
