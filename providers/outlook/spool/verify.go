package spool

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"io"
	"os"
)

// How bbolt lays out its file (internal/common of go.etcd.io/bbolt v1.5.0: page.go, meta.go,
// bucket.go), in the machine's byte order. Each page has a header: its number (8 bytes),
// what it is (2), how many elements (2), how many pages it goes on for (4). Pages 0 and 1
// describe the file, and the one of the later transaction counts.
const (
	pageHeader   = 16
	pageElement  = 16
	pageBranch   = 0x01
	pageLeaf     = 0x02
	pageFreelist = 0x10
	magic        = 0xED0CDAED
	noFreelist   = ^uint64(0)
	bucketHeader = 16   // page of its root (8; 0: it is in the element itself), a counter (8)
	mostDepth    = 64   // of pages in pages: a file cannot have as many
	mostRun      = 1024 // 4 KiB pages; values are some kilobytes
	maxPage      = 64 << 10
)

// description is what pages 0 and 1 say.
type description struct {
	page           int64 // bytes of one
	root, freelist uint64
	high           uint64 // the first page behind the last
	tx             uint64
}

// describe reads the pages 0 and 1.
func describe(r io.ReaderAt, size int64) (best description, err error) {
	order := binary.NativeEndian
	for _, at := range []int64{0, 4096, 8192, 16384, 32768, 65536} { // the second, whatever the size of pages
		b := make([]byte, 80)
		if _, err := r.ReadAt(b, at); err != nil {
			break
		}
		sum := fnv.New64a()
		sum.Write(b[16:72])
		d := description{page: int64(order.Uint32(b[24:])), root: order.Uint64(b[32:]), freelist: order.Uint64(b[48:]), high: order.Uint64(b[56:]), tx: order.Uint64(b[64:])}
		if order.Uint32(b[16:]) != magic || order.Uint64(b[72:]) != sum.Sum64() || at != 0 && at != d.page {
			continue
		}
		if best.page == 0 || d.tx > best.tx {
			best = d
		}
	}
	if best.page < 1024 || best.page > maxPage || best.high > uint64(size/best.page) || best.root >= best.high {
		return best, lost("it does not begin as one, or is cut short")
	}
	return best, nil
}

// walker goes through all pages of an index.
type walker struct {
	r    io.ReaderAt
	d    description
	seen []uint64 // a bit for each page: it is in use
	row  func(path, key, value []byte) error
}

// verifyIndex sees that an index is whole: every page is where the others say, none is in
// two places, and row accepts every row. So bbolt, which maps the file and believes it,
// can neither leave it nor go round in it, and no row is missing. Its memory is a bit for
// each page.
func verifyIndex(file *os.File, row func(path, key, value []byte) error) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	d, err := describe(file, info.Size())
	if err != nil {
		return err
	}
	// In order first, so that the walk, which is not, finds the pages in memory.
	if _, err := io.Copy(io.Discard, io.NewSectionReader(file, 0, info.Size())); err != nil {
		return err
	}
	w := &walker{r: file, d: d, seen: make([]uint64, d.high/64+1), row: row}
	if err := w.tree(nil, d.root, nil, nil, 0); err != nil {
		return err
	}
	return w.freelist()
}

// page reads one with the pages that it goes on for.
func (w *walker) page(id uint64) ([]byte, error) {
	if id < 2 || id >= w.d.high {
		return nil, lost("page %d of %d", id, w.d.high)
	}
	b := make([]byte, w.d.page)
	if _, err := w.r.ReadAt(b, int64(id)*w.d.page); err != nil {
		return nil, err
	}
	more := uint64(binary.NativeEndian.Uint32(b[12:]))
	if binary.NativeEndian.Uint64(b) != id || id+more >= w.d.high || more > mostRun && binary.NativeEndian.Uint16(b[8:]) != pageFreelist {
		return nil, lost("page %d is another, or goes on for %d more", id, more)
	}
	for p := id; p <= id+more; p++ {
		if w.seen[p/64]&(1<<(p%64)) != 0 {
			return nil, lost("page %d is in two places", p)
		}
		w.seen[p/64] |= 1 << (p % 64)
	}
	if more == 0 {
		return b, nil
	}
	b = make([]byte, w.d.page*int64(more+1))
	_, err := w.r.ReadAt(b, int64(id)*w.d.page)
	return b, err
}

// tree goes through a page and those below it, whose keys are from low up to high; nil is
// no bound.
func (w *walker) tree(path []byte, id uint64, low, high []byte, depth int) error {
	if depth > mostDepth {
		return lost("pages lie in pages without an end")
	}
	b, err := w.page(id)
	if err != nil {
		return err
	}
	return w.elements(path, b, low, high, depth)
}

// elements goes through those of a page.
func (w *walker) elements(path, b, low, high []byte, depth int) error {
	order := binary.NativeEndian
	kind, count := order.Uint16(b[8:]), int(order.Uint16(b[10:]))
	if kind != pageBranch && kind != pageLeaf || pageHeader+count*pageElement > len(b) || kind == pageBranch && count == 0 {
		return lost("a page of kind %d with %d elements", kind, count)
	}
	var last []byte
	for i := range count {
		at := pageHeader + i*pageElement
		key, value, ok := element(b, at, kind)
		switch {
		case !ok:
			return lost("an element lies outside of its page")
		case i > 0 && bytes.Compare(last, key) >= 0, low != nil && bytes.Compare(key, low) < 0, high != nil && bytes.Compare(key, high) >= 0:
			return lost("rows are not in order")
		}
		last = key
		var err error
		switch flags := order.Uint32(b[at:]); {
		case kind == pageBranch:
			to := high
			if i+1 < count {
				if to, _, ok = element(b, at+pageElement, kind); !ok {
					return lost("an element lies outside of its page")
				}
			}
			err = w.tree(path, order.Uint64(b[at+8:]), key, to, depth+1)
		case flags == 0:
			err = w.row(path, key, value)
		case flags == 1:
			err = w.bucket(path, key, value, depth)
		default:
			err = lost("an element of kind %d", flags)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket goes through one that lies in path. The path of those at the top ends with a zero
// byte, as a table's.
func (w *walker) bucket(path, key, value []byte, depth int) error {
	if len(value) < bucketHeader {
		return lost("a bucket of %d bytes", len(value))
	}
	inner := append(append([]byte{}, path...), key...)
	if len(path) == 0 {
		inner = append(inner, 0)
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return w.tree(inner, root, nil, nil, depth+1)
	}
	if len(value) < bucketHeader+pageHeader || depth > mostDepth || binary.NativeEndian.Uint16(value[bucketHeader+8:]) != pageLeaf {
		return lost("a bucket of %d bytes", len(value))
	}
	return w.elements(inner, value[bucketHeader:], nil, nil, depth+1)
}

// element gives the key and the value of the one that is described at a byte of a page.
func element(b []byte, at int, kind uint16) (key, value []byte, ok bool) {
	order := binary.NativeEndian
	pos, keys, values := order.Uint32(b[at:]), order.Uint32(b[at+4:]), uint32(0)
	if kind == pageLeaf {
		pos, keys, values = order.Uint32(b[at+4:]), order.Uint32(b[at+8:]), order.Uint32(b[at+12:])
	}
	from := int64(at) + int64(pos)
	to := from + int64(keys) + int64(values)
	if keys == 0 || pos < pageElement || to > int64(len(b)) {
		return nil, nil, false
	}
	return b[from : from+int64(keys)], b[from+int64(keys) : to], true
}

// freelist sees that no page is given out as free that is in use.
func (w *walker) freelist() error {
	if w.d.freelist == noFreelist {
		return nil
	}
	b, err := w.page(w.d.freelist)
	if err != nil {
		return err
	}
	order := binary.NativeEndian
	count, ids := uint64(order.Uint16(b[10:])), b[pageHeader:]
	if count == 0xFFFF {
		count, ids = order.Uint64(ids), ids[8:]
	}
	if order.Uint16(b[8:]) != pageFreelist || count > uint64(len(ids)/8) {
		return lost("a list of %d free pages", count)
	}
	for i := range count {
		id := order.Uint64(ids[i*8:])
		if id < 2 || id >= w.d.high || w.seen[id/64]&(1<<(id%64)) != 0 {
			return lost("page %d is not free", id)
		}
		w.seen[id/64] |= 1 << (id % 64)
	}
	return nil
}
