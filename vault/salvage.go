package vault

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// A damaged byte in the tree costs the chunk of age that it is in (64 KiB) and
// the frame of zstd that this is in (frameSize). What lies behind can be read
// again: age opens every chunk on its own, a frame can be found by how it
// begins, and in what it holds a tar header, because the tree is packed in
// blocks of 512 bytes and every frame begins at one. Which entry that is, the
// list of contents says; its SHA-256 says whether all went well.

// ageChunk is how much plain text age seals at once (age-encryption.org/v1,
// "Payload").
const ageChunk = 64 << 10

// frameMagic is how a frame of zstd begins (RFC 8878 section 3.1.1).
var frameMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// tarBlock is the unit of a tar.
const tarBlock = 512

// salvager reads a tree from behind its damage.
type salvager struct {
	file  *os.File
	r     io.ReaderAt // the decrypted tree, still compressed
	size  int64
	at    int64 // what Read gives next
	tried int64 // where the last frame was thought to begin
	clear int64 // behind the damage that was met last
	dec   *zstd.Decoder
	block [tarBlock]byte

	numbers map[uint64]int64 // of the entries of the tree in the list of contents, by what their headers say
	seed    maphash.Seed
}

// salvage looks for the next header behind the damage that the list of contents
// knows, of an entry of the number next or one behind it, and has the walk go on from
// there.
func (w *walker) salvage(next int64) {
	if w.behind == nil {
		s, err := w.newSalvager()
		if err != nil {
			return // what lies behind is lost
		}
		w.behind = s
	}
	s := w.behind
	for s.nextFrame(w.ctx.Err) {
		for w.ctx.Err() == nil {
			r, h, err := s.nextHeader()
			if err != nil {
				break // this frame is damaged too, or none at all
			}
			if n := s.numbers[s.key(h)]; n >= next {
				w.tar, w.header, w.resumeAt = r, h, n
				return
			}
		}
	}
}

// newSalvager opens the tree anew, and learns what its headers should be. That
// takes some 40 bytes an entry, and only where there is damage.
func (w *walker) newSalvager() (*salvager, error) {
	f, err := openRegular(filepath.Join(w.f.dir, w.treeName))
	if err != nil {
		return nil, err
	}
	s := &salvager{file: f, tried: -1, seed: maphash.MakeSeed(), numbers: map[uint64]int64{}}
	s.clear = nextChunk(w.tree.decrypted.Load())
	if err := s.open(w.ids); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	n := int64(0)
	err = w.f.list(w.ctx, func(e listed) error {
		if n++; e.form == formTree {
			s.numbers[s.key(header(e.Entry))] = n
		}
		return nil
	}, nil)
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *salvager) open(ids []age.Identity) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	if s.r, s.size, err = age.DecryptReaderAt(s.file, info.Size(), ids...); err != nil {
		return err
	}
	s.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	return err
}

func (s *salvager) close() {
	s.dec.Close()
	_ = s.file.Close()
}

// key sums up what a header says.
func (s *salvager) key(h *tar.Header) uint64 {
	return maphash.String(s.seed, fmt.Sprint(h.Typeflag, h.Size, h.Mode, h.ModTime.UnixNano(), h.Uid, h.Gid, len(h.Name), h.Name, h.Linkname))
}

// nextChunk gives where the chunk of age behind the one at a place begins.
func nextChunk(at int64) int64 { return (at/ageChunk + 1) * ageChunk }

// Read gives the decrypted bytes from s.at on. Damage ends it.
func (s *salvager) Read(p []byte) (int, error) {
	if s.at >= s.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), nextChunk(s.at)-s.at, s.size-s.at)]
	n, err := s.r.ReadAt(p, s.at)
	s.at += int64(n)
	if n > 0 {
		return n, nil
	}
	s.clear = nextChunk(s.at)
	return 0, err
}

// nextFrame finds the next place behind the damage at which a frame may begin,
// and begins to decompress there.
func (s *salvager) nextFrame(stop func() error) bool {
	buf := make([]byte, ageChunk+len(frameMagic)-1)
	for from := max(s.tried+1, s.clear); from < s.size && stop() == nil; {
		n, err := s.r.ReadAt(buf[:min(int64(len(buf)), s.size-from)], from)
		if at := bytes.Index(buf[:n], frameMagic); at >= 0 {
			s.tried = from + int64(at)
			s.at = s.tried
			if s.dec.Reset(bufio.NewReaderSize(readerFunc(s.Read), ageChunk)) == nil {
				return true
			}
			from = s.tried + 1
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			from = nextChunk(from + int64(n)) // that one is damaged too
		} else {
			from += int64(max(n-len(frameMagic)+1, 1))
		}
	}
	return false
}

// nextHeader goes to the next block that is a tar header and gives it, with a
// reader that goes on behind it.
func (s *salvager) nextHeader() (*tar.Reader, *tar.Header, error) {
	for {
		if _, err := io.ReadFull(s.dec, s.block[:]); err != nil {
			return nil, nil, err
		}
		if !isHeader(s.block[:]) {
			continue
		}
		r := tar.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(s.block[:])), s.dec))
		if h, err := r.Next(); err == nil || errors.Is(err, tar.ErrInsecurePath) {
			return r, h, nil
		}
	}
}

// isHeader reports whether a block is a header of a POSIX tar: its magic and its
// checksum (POSIX.1-2001, pax, "ustar Interchange Format") are right.
func isHeader(b []byte) bool {
	if string(b[257:263]) != "ustar\x00" {
		return false
	}
	want, err := strconv.ParseInt(strings.Trim(string(b[148:156]), " \x00"), 8, 64)
	sum := int64(8 * ' ')
	for i, c := range b[:tarBlock] {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	return err == nil && sum == want
}
