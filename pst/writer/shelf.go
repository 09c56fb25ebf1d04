package writer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"slices"

	"keepwatch/pst"
)

const (
	// mostAwake is how many tables of folders lie in memory whole, with up to 30 KB each.
	mostAwake = 64
	// leastPlace is the smallest place on a shelf in bytes; others are twice as large,
	// four times and so on.
	leastPlace = 4 << 10
)

// shelf is where the tables of folders lie that had no message for a while: what does
// not fill a block yet, and so cannot go into the volume. It is a file of its own, and
// there is none as long as few folders are in use. What then stays in memory of a table
// does not depend on what is in it, apart from 4 bytes of each row.
type shelf struct {
	path  string   // of the first volume: the shelf lies beside it, on the same disk
	most  int      // tables that are awake
	f     *os.File // nil as long as it is not needed
	left  bool     // its name is still there
	end   int64    // where the next new place begins
	free  map[int][]int64
	awake []*table
	spare []buffers // memory of tables that fell asleep or ended
	uses  uint64
	buf   []byte
}

// buffers are what of a table is either in memory or on the shelf.
type buffers struct {
	first, cur, held heapBlock
	rows             []byte
}

// rest is what a table knows of the shelf.
type rest struct {
	awake bool
	used  uint64 // when it was last in use, as counted by the shelf
	n     int    // bytes that are on the shelf, 0 if it never slept
	sum   uint32 // checksum of these
	at    int64  // its place, which it keeps while it is awake
	size  int    // of that
}

// ready sees that a table is in memory, and sends the one asleep that was not in use for
// longest. An error leaves all as they were.
func (s *shelf) ready(t *table) error {
	s.uses++
	t.rest.used = s.uses
	if t.rest.awake {
		return nil
	}
	if len(s.awake) >= s.most {
		oldest := slices.MinFunc(s.awake, func(a, b *table) int { return int(int64(a.rest.used) - int64(b.rest.used)) })
		if err := s.sleep(oldest); err != nil {
			return fmt.Errorf("put the table of an idle folder aside: %w", err)
		}
	}
	if n := len(s.spare); n > 0 {
		t.take(s.spare[n-1])
		s.spare = s.spare[:n-1]
	}
	if t.rest.n > 0 {
		if err := s.wake(t); err != nil {
			s.spare = append(s.spare, t.give())
			return fmt.Errorf("read the table of an idle folder: %w", err)
		}
	}
	t.rest.awake = true
	s.awake = append(s.awake, t)
	return nil
}

// sleep writes what a table has in memory, and takes the memory.
func (s *shelf) sleep(t *table) error {
	if err := s.open(); err != nil {
		return err
	}
	b := t.give()
	t.take(b)
	s.buf = b.append(s.buf[:0])
	if n := len(s.buf); n > t.rest.size {
		s.release(t)
		t.rest.size = max(leastPlace, 1<<bits.Len(uint(n-1)))
		if free := s.free[t.rest.size]; len(free) > 0 {
			t.rest.at, s.free[t.rest.size] = free[len(free)-1], free[:len(free)-1]
		} else {
			t.rest.at, s.end = s.end, s.end+int64(t.rest.size)
		}
	}
	if _, err := s.f.WriteAt(s.buf, t.rest.at); err != nil {
		return err
	}
	t.rest.n, t.rest.sum = len(s.buf), pst.Checksum(s.buf)
	s.forget(t)
	return nil
}

// wake reads it again.
func (s *shelf) wake(t *table) error {
	s.buf = slices.Grow(s.buf[:0], t.rest.n)[:t.rest.n]
	if _, err := s.f.ReadAt(s.buf, t.rest.at); err != nil {
		return err
	}
	if pst.Checksum(s.buf) != t.rest.sum {
		return errors.New("it is not what was written")
	}
	b := t.give()
	b.read(s.buf)
	t.take(b)
	return nil
}

// forget takes the memory of a table that is not in use for now, or not any more.
func (s *shelf) forget(t *table) {
	t.rest.awake = false
	s.awake = slices.DeleteFunc(s.awake, func(o *table) bool { return o == t })
	s.spare = append(s.spare, t.give())
}

// release gives the place of a table to others.
func (s *shelf) release(t *table) {
	if t.rest.size == 0 {
		return
	}
	if s.free == nil {
		s.free = map[int][]int64{}
	}
	s.free[t.rest.size] = append(s.free[t.rest.size], t.rest.at)
	t.rest.size = 0
}

// open makes the file if it is not there. Where that is possible it loses its name at
// once, so that nothing of it is left whatever happens.
func (s *shelf) open() error {
	if s.f != nil {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".*"+partial)
	if err != nil {
		return err
	}
	s.f, s.left = f, os.Remove(f.Name()) != nil
	return nil
}

// close ends the shelf and all that lies on it.
func (s *shelf) close() error {
	if s.f == nil {
		return nil
	}
	err := s.f.Close()
	if s.left {
		err = errors.Join(err, os.Remove(s.f.Name()))
	}
	*s = shelf{path: s.path, most: s.most}
	return err
}

// take and give move the memory of a table.
func (t *table) take(b buffers) {
	t.heap.first, t.heap.cur, t.heap.held, t.rows = b.first, b.cur, b.held, b.rows
}

func (t *table) give() buffers {
	b := buffers{t.heap.first, t.heap.cur, t.heap.held, t.rows}
	t.take(buffers{})
	return b
}

// append and read are the form on the shelf: of each block and of the rows the length
// and the bytes.
func (b *buffers) append(to []byte) []byte {
	for _, h := range []*heapBlock{&b.first, &b.cur, &b.held} {
		to = appendBytes(to, h.data)
		to = binary.LittleEndian.AppendUint32(to, uint32(len(h.items)))
		for _, at := range h.items {
			to = binary.LittleEndian.AppendUint16(to, at)
		}
	}
	return appendBytes(to, b.rows)
}

func (b *buffers) read(from []byte) {
	for _, h := range []*heapBlock{&b.first, &b.cur, &b.held} {
		h.data, from = readBytes(h.data, from)
		n := binary.LittleEndian.Uint32(from)
		from = from[4:]
		h.items = h.items[:0]
		for range n {
			h.items = append(h.items, binary.LittleEndian.Uint16(from))
			from = from[2:]
		}
	}
	b.rows, _ = readBytes(b.rows, from)
}

func appendBytes(to, data []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(to, uint32(len(data))), data...)
}

func readBytes(into, from []byte) (data, rest []byte) {
	n := binary.LittleEndian.Uint32(from)
	return append(into[:0], from[4:4+n]...), from[4+n:]
}
