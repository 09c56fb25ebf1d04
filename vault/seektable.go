package vault

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A sealed tree, and each file that is compressed and sealed on its own but for the
// list of contents, ends with a seek table as in Zstandard's seekable format
// (github.com/facebook/zstd, contrib/seekable_format, version 0.1.0): a
// skippable frame, which every decoder passes over, with the compressed and the
// plain size of each frame, and a footer by which it is found from the end. All
// numbers are little-endian. Ours has no checksums: age has its own.
const (
	tableMagic    = 0x184D2A5E // of the skippable frame
	seekableMagic = 0x8F92EAB1 // the last four bytes of the footer
	tableHead     = 8          // magic and size of the skippable frame
	tableEntry    = 8          // compressed size, plain size
	tableFooter   = 9          // number of frames, descriptor, magic
	mostFrames    = 0x8000000  // ZSTD_SEEKABLE_MAXFRAMES
)

// tableWriter gathers what a seek table says: four bytes for each frame, four
// MiB for a terabyte. All frames hold as much as the first one, but for the last.
type tableWriter struct {
	sizes []uint32
	each  uint32 // plain size of the first
	last  uint32 // plain size of the last
}

// add takes in the next frame.
func (t *tableWriter) add(compressed, plain int) {
	if len(t.sizes) == 0 {
		t.each = uint32(plain)
	}
	t.sizes, t.last = append(t.sizes, uint32(compressed)), uint32(plain)
}

// writeTo writes the table. More frames than the format allows have none, and
// are read from the beginning.
func (t *tableWriter) writeTo(dst io.Writer) error {
	if len(t.sizes) > mostFrames {
		return nil
	}
	out := bufio.NewWriterSize(dst, 32<<10) // it keeps an error until Flush
	var b [tableEntry]byte
	put := func(x, y uint32) {
		binary.LittleEndian.PutUint32(b[:], x)
		binary.LittleEndian.PutUint32(b[4:], y)
		_, _ = out.Write(b[:])
	}
	put(tableMagic, uint32(len(t.sizes)*tableEntry+tableFooter))
	for i, size := range t.sizes {
		plain := t.each
		if i == len(t.sizes)-1 {
			plain = t.last
		}
		put(size, plain)
	}
	_, _ = out.Write(appendFooter(nil, uint32(len(t.sizes))))
	return out.Flush()
}

func appendFooter(b []byte, frames uint32) []byte {
	b = append(binary.LittleEndian.AppendUint32(b, frames), 0)
	return binary.LittleEndian.AppendUint32(b, seekableMagic)
}

// seekTable is a table as it lies at the end of a decrypted file. It is read from
// there each time, so that a forged one takes no memory: what is kept of it is a place
// for each 4,096 frames, 24 bytes for 4 GiB and less than a megabyte at the most.
type seekTable struct {
	r      io.ReaderAt
	begin  int64 // where the skippable frame begins, and the others end
	frames int64
	plain  int64 // bytes in all the frames

	marks []tablePlace // of each frame whose number is a multiple of markEach
	at    tablePlace   // the place that was found last
}

// markEach is how many frames there are from one place that is kept to the next: so
// much of a table is read at once.
const markEach = 4096

// tablePlace is where a frame begins.
type tablePlace struct {
	frame      int64 // its number, from 0
	compressed int64
	plain      int64
}

// errNoTable says that a file has no seek table, as those of older versions.
var errNoTable = errors.New("vault: no seek table")

// readSeekTable looks for a table at the end of a decrypted file and sees that
// its sizes add up. It says nothing yet of whether frames begin there.
func readSeekTable(r io.ReaderAt, size int64) (*seekTable, error) {
	var footer [tableFooter]byte
	if size < tableHead+tableFooter {
		return nil, errNoTable
	}
	if err := readAt(r, footer[:], size-tableFooter); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(footer[5:]) != seekableMagic {
		return nil, errNoTable
	}
	frames := int64(binary.LittleEndian.Uint32(footer[:]))
	t := &seekTable{r: r, frames: frames, begin: size - tableFooter - frames*tableEntry - tableHead}
	if footer[4] != 0 || frames > mostFrames || t.begin < 0 {
		return nil, fmt.Errorf("its seek table cannot have %d frames (descriptor %#x)", frames, footer[4])
	}
	var head [tableHead]byte
	if err := readAt(r, head[:], t.begin); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(head[:]) != tableMagic || int64(binary.LittleEndian.Uint32(head[4:])) != frames*tableEntry+tableFooter {
		return nil, errors.New("its seek table has no beginning")
	}
	t.marks = []tablePlace{{}}
	end, err := t.walk(tablePlace{}, func(behind tablePlace) bool {
		if behind.frame%markEach == 0 {
			t.marks = append(t.marks, behind)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	if end.compressed != t.begin {
		return nil, fmt.Errorf("its seek table speaks of %d bytes in frames, and there are %d", end.compressed, t.begin)
	}
	t.plain = end.plain
	return t, nil
}

// walk goes through the table from a place on, as long as next says so of the
// place behind each frame, and gives the place that it has come to. The sums
// cannot overflow: there are mostFrames of less than four GiB.
func (t *seekTable) walk(at tablePlace, next func(behind tablePlace) bool) (tablePlace, error) {
	from := t.begin + tableHead + at.frame*tableEntry
	in := bufio.NewReaderSize(io.NewSectionReader(t.r, from, (t.frames-at.frame)*tableEntry), 32<<10)
	var b [tableEntry]byte
	for at.frame < t.frames {
		if _, err := io.ReadFull(in, b[:]); err != nil {
			return at, err
		}
		size := int64(binary.LittleEndian.Uint32(b[:]))
		if size == 0 {
			return at, fmt.Errorf("its seek table says that frame %d is empty", at.frame+1)
		}
		behind := tablePlace{at.frame + 1, at.compressed + size, at.plain + int64(binary.LittleEndian.Uint32(b[4:]))}
		if !next(behind) {
			return at, nil
		}
		at = behind
	}
	return at, nil
}

// find gives the frame that holds a byte of the plain text.
func (t *seekTable) find(plain int64) (tablePlace, error) {
	at, _, err := t.span(plain)
	return at, err
}

// span is find, and gives the place behind the frame too.
func (t *seekTable) span(plain int64) (at, behind tablePlace, err error) {
	if plain < 0 || plain >= t.plain {
		return at, behind, fmt.Errorf("it has no byte %d", plain)
	}
	i, exact := slices.BinarySearchFunc(t.marks, plain, func(p tablePlace, plain int64) int { return cmp.Compare(p.plain, plain) })
	if !exact {
		i--
	}
	from := t.marks[i]
	if t.at.plain <= plain && t.at.frame > from.frame {
		from = t.at
	}
	at, err = t.walk(from, func(b tablePlace) bool {
		behind = b
		return b.plain <= plain
	})
	if err == nil {
		t.at = at
	}
	return at, behind, err
}

// readAt fills b from a place.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == nil:
		return io.ErrUnexpectedEOF
	}
	return err
}
