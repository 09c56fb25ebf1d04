package vault

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"keepwatch"
)

// ErrFrontToBack says that a file of an archive cannot be read here and there, but only
// from front to back: there is no seek table, or none that fits what it speaks of.
// OpenEntry reads such a file, or says what is wrong with it.
var ErrFrontToBack = errors.New("vault: the file can be read from front to back only")

// What is kept of a file that is read here and there. A frame of ours holds frameSize
// bytes, and where they cannot be made smaller is a little longer.
const (
	keptFrames = 16 // each frameSize
	mostPacked = frameSize + frameSize/16
)

// KeptAt is how many bytes of a file that is read here and there are kept unpacked.
const KeptAt = keptFrames * frameSize

// EntryAt is a file of an archive that is read here and there, of which nothing is ever
// unpacked but what is asked for. It satisfies io.ReaderAt; its methods may be called from any
// goroutine. It takes some 20 MiB of memory at the most, whatever the file says of
// itself, and holds no file open while nobody reads.
//
// What is read was proven by age to be that part of the sealed file, which was not cut
// off. Its frame had a checksum, and was as long as all are. It is not held against the
// SHA-256 of the whole file in the list of contents: that takes reading all of it.
type EntryAt struct {
	name string // of the sealed file
	size int64
	base int64 // where in what is sealed the file begins

	mu       sync.Mutex
	s        *seeker
	info     os.FileInfo // of the sealed file, as it was opened
	zstd     *zstd.Decoder
	packed   []byte
	frames   []keptFrame
	clock    int64 // counts uses
	unpacked int64
	closed   bool
}

// keptFrame is a frame that was unpacked.
type keptFrame struct {
	begin int64 // in the plain text
	data  []byte
	used  int64
}

// OpenEntryAt opens one file of an archive for reading here and there: one that lies on
// its own and was compressed, or one of the tree. The error is ErrFrontToBack where that
// cannot be done, for whatever reason. EntryAt.ReadAt gives it too, where a part of the
// file turns out not to be what the table says.
func (v *Vault) OpenEntryAt(ctx context.Context, ref, path string) (keepwatch.Entry, *EntryAt, error) {
	f, err := v.open(ref)
	if err != nil {
		return keepwatch.Entry{}, nil, err
	}
	return f.OpenEntryAt(ctx, path)
}

// OpenEntryAt is Vault.OpenEntryAt for an archive's folder.
func (f *Folder) OpenEntryAt(ctx context.Context, path string) (keepwatch.Entry, *EntryAt, error) {
	e, err := f.find(ctx, path)
	if err != nil {
		return keepwatch.Entry{}, nil, err
	}
	r, err := f.entryAt(ctx, e)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		err = cause
	} else if err != nil {
		err = frontToBack(e.In, err)
	}
	return e.Entry, r, err
}

// frontToBack is ErrFrontToBack with a reason. That is told and not passed on: nobody may
// take an end of something inside for the end of the file.
func frontToBack(name string, err error) error {
	return fmt.Errorf("%w: %s: %v", ErrFrontToBack, name, err)
}

func (f *Folder) entryAt(ctx context.Context, e listed) (*EntryAt, error) {
	want, ok := f.expect(e.In)
	if !ok || !plainName(e.In) || e.form == formPlain || e.form == formTree && e.at == nowhere {
		return nil, errNoTable
	}
	s, err := newSeeker(ctx, filepath.Join(f.dir, e.In), f.keys.opening(f.to), f.read)
	if err != nil {
		return nil, err
	}
	defer s.file.Close()
	info, err := s.file.Stat()
	if err != nil {
		return nil, err
	}
	if want.Size >= 0 && info.Size() != want.Size {
		return nil, fmt.Errorf("it has %d bytes and should have %d", info.Size(), want.Size)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(frameSize), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	r := &EntryAt{name: e.In, size: s.table.plain, s: s, info: info, zstd: dec}
	if e.form == formTree {
		r.base, err = r.behindHeader(e)
	} else if r.size != e.Size {
		err = fmt.Errorf("its frames hold %d bytes, and the file has %d", r.size, e.Size)
	}
	if err == nil && e.Size > s.table.plain-r.base {
		err = errors.New("it ends before the file does")
	}
	if err != nil {
		dec.Close()
		return nil, err
	}
	r.size, s.ctx = e.Size, context.Background()
	return r, nil
}

// behindHeader gives where the content of a file of the tree begins. The header must be
// the one that the list of contents speaks of.
func (r *EntryAt) behindHeader(e listed) (int64, error) {
	in := &counting{io.NewSectionReader(readerAtFunc(r.ReadAt), e.at, max(r.size-e.at, 0)), e.at}
	h, err := tar.NewReader(in).Next()
	want := header(e.Entry)
	switch {
	case errors.Is(err, tar.ErrInsecurePath): // it is compared with the list of contents
	case err != nil:
		return 0, err
	}
	if h.Name != want.Name || differs(h, want) != "" {
		return 0, errAnew
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse") { // its content does not lie there as it is
			return 0, errAnew
		}
	}
	return in.n, nil
}

// Size gives the length of the file.
func (r *EntryAt) Size() int64 { return r.size }

// Unpacked gives how many bytes were unpacked up to now, to read what was asked for.
func (r *EntryAt) Unpacked() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unpacked
}

// Close gives up what is kept. A ReadAt that is under way ends before.
func (r *EntryAt) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed, r.frames, r.packed = true, nil, nil
		r.zstd.Close()
	}
	return nil
}

// ReadAt satisfies io.ReaderAt.
func (r *EntryAt) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("vault: %s has no byte %d", r.name, off)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(p) {
		at := off + int64(n)
		if at >= r.size {
			return n, io.EOF
		}
		f, err := r.frame(r.base + at)
		if err != nil {
			return n, err
		}
		k := copy(p[n:], f.data[r.base+at-f.begin:])
		n += int(min(int64(k), r.size-at))
	}
	return n, nil
}

// frame gives the frame that holds a byte. r.mu is held.
func (r *EntryAt) frame(at int64) (*keptFrame, error) {
	if r.closed {
		return nil, errClosed
	}
	r.clock++
	oldest := -1
	for i := range r.frames {
		f := &r.frames[i]
		if f.begin <= at && at < f.begin+int64(len(f.data)) {
			f.used = r.clock
			return f, nil
		}
		if oldest < 0 || f.used < r.frames[oldest].used {
			oldest = i
		}
	}
	if len(r.frames) < keptFrames {
		r.frames = append(r.frames, keptFrame{})
		oldest = len(r.frames) - 1
	}
	f := &r.frames[oldest]
	f.data, f.used = f.data[:0], r.clock // nobody finds a byte in it until it is filled
	err := r.unpack(f, at)
	if err != nil {
		f.data, f.used = nil, 0
		return nil, frontToBack(r.name, err)
	}
	return f, nil
}

// unpack fills a frame.
func (r *EntryAt) unpack(f *keptFrame, at int64) error {
	if err := r.reopen(); err != nil {
		return err
	}
	defer r.s.file.Close()
	from, behind, err := r.s.table.span(at)
	if err != nil {
		return err
	}
	packed, plain := behind.compressed-from.compressed, behind.plain-from.plain
	last := behind.frame == r.s.table.frames
	if packed > mostPacked || plain > frameSize || from.plain != from.frame*frameSize || plain < frameSize && !last {
		return fmt.Errorf("its seek table says that frame %d makes %d bytes of %d, which is none of ours", from.frame+1, plain, packed)
	}
	if r.packed == nil {
		r.packed = make([]byte, mostPacked)
	}
	if err := readAt(r.s.r, r.packed[:packed], from.compressed); err != nil {
		return err
	}
	if f.data == nil {
		f.data = make([]byte, 0, frameSize+64) // the decompressor likes to have some room
	}
	data, err := r.zstd.DecodeAll(r.packed[:packed], f.data[:0])
	if err != nil {
		return err
	}
	if int64(len(data)) != plain {
		return fmt.Errorf("its seek table says that frame %d holds %d bytes, and it holds %d", from.frame+1, plain, len(data))
	}
	f.begin, f.data = from.plain, data
	r.unpacked += plain
	return nil
}

// reopen opens the sealed file again, which must be the one that it was: it may have been
// removed meanwhile, or another one may lie in its place.
func (r *EntryAt) reopen() error {
	f, err := openRegular(r.s.path)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && (!os.SameFile(info, r.info) || info.Size() != r.info.Size() || !info.ModTime().Equal(r.info.ModTime())) {
		err = errors.New("another file lies in its place")
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.s.file = f
	return nil
}
