package cpanel

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"

	"keepwatch"
)

// sniffSize is how much of a file that is no archive is looked at, to say what it is.
const sniffSize = 16 << 10

// reserved is from how many bytes of zero on the end of a file counts as room that was
// reserved and never written. Packed data has no such runs.
const reserved = 512

// gzipEnd is how the unpacking of a file ended.
type gzipEnd struct {
	packed   bool   // it begins as gzip does
	head     []byte // of what is neither
	err      error  // why it stopped; nil: it came to the end
	unpacked int64
	member   uint32 // bytes of the last member that was read, as gzip counts them
	final    bool   // nothing follows that member
	after    int64  // bytes behind the last member that are not of the file
	tail     []byte // the first of them
}

// unpack reads a gzip file from in to its end, writes what is in it to out, and reads
// the rest of in after an error too. Several members behind one another are one file
// (RFC 1952, section 2.2), and zeros behind the last one are padding, as for gunzip.
//
// The reader is that of klauspost/compress, which takes about a sixth less time than
// that of the standard library.
func unpack(in, out *ring) (end gzipEnd) {
	src := bufio.NewReaderSize(in, 64<<10)
	defer func() { _, _ = io.Copy(io.Discard, src) }()
	head, _ := src.Peek(sniffSize)
	if end.packed = bytes.HasPrefix(head, []byte{0x1f, 0x8b}); !end.packed {
		end.head = bytes.Clone(head)
		return end
	}
	var member gzip.Reader
	for {
		if end.err = member.Reset(src); end.err != nil {
			if end.err == io.EOF {
				end.err = io.ErrUnexpectedEOF
			}
			return end
		}
		member.Multistream(false)
		if end.err = end.expand(&member, out); end.err != nil {
			_, err := src.Peek(1)
			end.final = err == io.EOF
			return end
		}
		next, _ := src.Peek(2)
		if !bytes.Equal(next, []byte{0x1f, 0x8b}) {
			break
		}
	}
	end.err = end.rest(src)
	return end
}

// expand writes what is in one member to out.
func (e *gzipEnd) expand(member *gzip.Reader, out *ring) error {
	e.member = 0
	for {
		room, err := out.room()
		if err != nil {
			return err
		}
		n, err := member.Read(room)
		out.filled(n)
		e.unpacked += int64(n)
		e.member += uint32(n)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// rest looks at what follows the last member.
func (e *gzipEnd) rest(src *bufio.Reader) error {
	buf := make([]byte, 4<<10)
	for {
		n, err := src.Read(buf)
		b := buf[:n]
		if e.after == 0 {
			b = bytes.TrimLeft(b, "\x00")
			e.tail = bytes.Clone(b)
		}
		e.after += int64(len(b))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// judgeFile says what is wrong with a file as such, and reports whether all of it was
// unpacked, so that its content can be judged.
func (p *prover) judgeFile(wrong func(rule, text string)) (whole bool) {
	size, unpacked := keepwatch.FormatBytes(p.size), keepwatch.FormatBytes(p.end.unpacked)
	switch {
	case p.size == 0:
		wrong("empty", "is empty: not one byte came. Look at the account's quota and at the disk of the host, and start a new backup.")
		return false
	case !p.end.packed:
		wrong(whatItIs(p.end.head, p.zeros == p.size))
		return false
	case p.want.size > p.size:
		wrong("cut", "was cut off on the way: only "+exact(p.size)+" of "+exact(p.want.size)+" came. What the host holds may be in order: bring it home again.")
		return false
	case p.want.size > 0 && p.size > p.want.size:
		wrong("grown", "is longer than the host said: "+exact(p.size)+" came instead of "+exact(p.want.size)+". The host was still writing it. Wait until it is done, and bring it home again.")
		return false
	case p.end.err == nil && p.end.after > 0:
		wrong("garbage", "is followed by "+exact(p.end.after)+" that do not belong to it ("+quoteBytes(p.end.tail)+"). Two files may have been written into one, by the host or by a download that was taken up at the wrong place. Bring it home again; if they come again, remove it at the host and start a new backup.")
		return true
	case p.end.err == nil:
		return true
	case p.zeros >= reserved:
		wrong("zeros", "ends in "+keepwatch.FormatBytes(p.zeros)+" of nothing but zeros: that room was reserved and never written, on the host's disk or on the way. Look at the account's quota, and bring it home again; if it is so again, remove it at the host and start a new backup.")
	case errors.Is(p.end.err, io.ErrUnexpectedEOF) && !p.seen.odd():
		wrong("cut", p.cutText(size, unpacked))
	case errors.Is(p.end.err, gzip.ErrChecksum) && p.end.final && binary.LittleEndian.Uint32(p.last[4:]) != p.end.member:
		wrong("length", "is damaged: its content is not as long ("+unpacked+") as is written at its end, on the host's disk or on the way. Bring it home again; if it is so again, remove it at the host and start a new backup.")
	case errors.Is(p.end.err, gzip.ErrChecksum):
		wrong("checksum", "is damaged: its checksum is not that of its content ("+unpacked+"), so at least one bit was changed, on the host's disk or on the way. Bring it home again; if it is so again, remove it at the host and start a new backup.")
	default:
		wrong("damaged", "is damaged: after "+unpacked+" of content it cannot be unpacked any further, although "+size+" came. Bytes of it were changed, on the host's disk or on the way. Bring it home again; if it is so again, remove it at the host and start a new backup.")
	}
	return false
}

// exact writes a size to the byte, where two of them are set against one another.
func exact(n int64) string { return keepwatch.FormatCount(n, "byte") }

// cutText says of a file that ends in the middle who has cut it off, as far as that is
// known.
func (p *prover) cutText(size, unpacked string) string {
	text := "ends in the middle, after " + size + " (" + unpacked + " of content)"
	if p.want.size == p.size {
		return text + ", although all came that the host holds: the host did not write it to its end, mostly because the account's quota or the disk was full, or because the backup was ended. Make room, remove it at the host and start a new backup."
	}
	return text + ". It was cut off on the way, or the host did not write it to its end because the account's quota or the disk was full. Bring it home again; if it ends at the same place then, make room, remove it at the host and start a new backup."
}
