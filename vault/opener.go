package vault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync/atomic"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"keepwatch"
)

// opener reads one sealed file back. Reading and hashing the disk, decrypting,
// and unpacking each have a goroutine of their own.
type opener struct {
	file  *os.File // nil: it is a seeker's
	sum   hash.Hash
	size  int64
	chunk int
	count func(int) // told of every byte read from disk
	ctx   context.Context
	disk  *failure // of reading the disk, or the end of ctx

	raw   *readAhead   // the sealed bytes; nil: it reads from the middle
	after []*readAhead // the stages behind it
	// decrypted counts the bytes that age has given; after damage, it is where
	// that begins.
	decrypted atomic.Int64
	zstd      *zstd.Decoder
	plain     io.Reader // nil: not opened, only hashed
}

// maxWindow bounds the memory that a sealed file may ask for when it is opened.
// RFC 8878 recommends that every decoder can do 8 MiB.
const maxWindow = 8 << 20

// openSealed opens the file path, whose bytes are then taken from the disk and
// not from what the system keeps of it in memory. With no identities they are
// only hashed: read them with drain. An opener that comes with an error can be
// drained too. watch is shown what was decrypted, in order; nil: nobody is.
func openSealed(ctx context.Context, path string, ids []age.Identity, compressed bool, count func(int), watch *frameWatch) (*opener, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	forget(f)
	o := &opener{file: f, sum: sha256.New(), count: count, ctx: ctx, disk: &failure{}, chunk: chunk}
	if info, err := f.Stat(); err == nil && info.Size() < chunk/8 {
		o.chunk = chunk / 16 // a small file needs no large buffers
	}
	o.raw = newReadAhead(readerFunc(o.read), o.chunk)
	if len(ids) == 0 {
		return o, nil
	}
	plain, err := age.Decrypt(o.raw, ids...)
	if err != nil {
		return o, err
	}
	o.plain = o.ahead(readerFunc(func(p []byte) (int, error) {
		n, err := plain.Read(p)
		o.decrypted.Add(int64(n))
		if watch != nil {
			_, _ = watch.Write(p[:n])
		}
		return n, err
	}))
	if compressed {
		err = o.unpack(o.plain)
	}
	return o, err
}

// unpack puts the decompressor behind what was decrypted.
func (o *opener) unpack(src io.Reader) (err error) {
	o.zstd, err = zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err == nil {
		o.plain = o.ahead(o.zstd)
	}
	return err
}

// openRegular opens a file for reading, and nothing but a file: opening a named
// pipe would wait for ever.
func openRegular(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is a %s and no file", kindOfFile(info.Mode()))
	}
	return os.Open(path)
}

func kindOfFile(m os.FileMode) string {
	switch {
	case m.IsDir():
		return "folder"
	case m&os.ModeSymlink != 0:
		return "symbolic link"
	}
	return "special file"
}

// ahead puts a goroutine behind a stage.
func (o *opener) ahead(src io.Reader) io.Reader {
	r := newReadAhead(src, o.chunk)
	o.after = append(o.after, r)
	return r
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// read takes sealed bytes from the disk.
func (o *opener) read(p []byte) (int, error) {
	err := context.Cause(o.ctx)
	n := 0
	if err == nil {
		n, err = o.file.Read(p)
		o.sum.Write(p[:n])
		o.size += int64(n)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		o.disk.set(err)
	}
	if n > 0 {
		o.count(n)
	}
	return n, err
}

func (o *opener) Read(p []byte) (int, error) { return o.plain.Read(p) }

// rest reads what is left of the plain text and reports whether that is nothing
// but zeros, as a tar has them behind its end.
func (o *opener) rest() (zeros bool, n int64, err error) {
	zeros = true
	n, err = io.Copy(writerFunc(func(p []byte) (int, error) {
		for _, c := range p {
			zeros = zeros && c == 0
		}
		return len(p), nil
	}), onlyReader{o.plain})
	return zeros, n, err
}

// drain reads the sealed bytes to their end, so that the hash is of the whole
// file. The plain text cannot be read any more.
func (o *opener) drain() error {
	o.stopAfter()
	_, err := io.Copy(io.Discard, onlyReader{o.raw})
	return err
}

// stopAfter ends the stages behind the disk, the last one first.
func (o *opener) stopAfter() {
	for i := len(o.after) - 1; i >= 0; i-- {
		o.after[i].stop()
	}
	o.after, o.plain = nil, nil
	if o.zstd != nil {
		o.zstd.Close()
		o.zstd = nil
	}
}

// sealed says what was read. It is true after drain.
func (o *opener) sealed() keepwatch.SealedFile {
	return keepwatch.SealedFile{Size: o.size, SHA256: hex.EncodeToString(o.sum.Sum(nil))}
}

func (o *opener) Close() error {
	o.stopAfter()
	if o.raw == nil {
		return nil
	}
	o.raw.stop()
	return o.file.Close()
}

// readAhead reads its source in a goroutine of its own.
type readAhead struct {
	ch    chan []byte
	err   error // set before ch is closed
	cur   []byte
	whole []byte // the chunk that cur is a part of
	ret   chan []byte
	size  int // of a chunk
	end   chan struct{}
	ended atomic.Bool
}

var errStopped = errors.New("vault: the reader was stopped")

func newReadAhead(src io.Reader, size int) *readAhead {
	r := &readAhead{size: size, ch: make(chan []byte, depth), ret: make(chan []byte, depth), end: make(chan struct{})}
	go r.run(src)
	return r
}

func (r *readAhead) run(src io.Reader) {
	defer close(r.ch)
	for spare := depth; ; {
		var b []byte
		select {
		case b = <-r.ret:
		case <-r.end:
			r.err = errStopped
			return
		default:
			if spare > 0 {
				b = make([]byte, r.size)
				spare--
				break
			}
			select {
			case b = <-r.ret:
			case <-r.end:
				r.err = errStopped
				return
			}
		}
		n, err := readChunk(src, b)
		if n > 0 {
			select {
			case r.ch <- b[:n]:
			case <-r.end:
				r.err = errStopped
				return
			}
		}
		if err != nil {
			r.err = err
			return
		}
	}
}

// readChunk is fill for a goroutine of ours.
func readChunk(src io.Reader, b []byte) (n int, err error) {
	defer caught(&err)
	return fill(src, b)
}

// fill reads until b is full, so that what is handed on is a whole chunk, or until
// an error. Unlike io.ReadFull it gives the error as it came: a connection that was
// cut (io.ErrUnexpectedEOF) is not taken for a short file.
func fill(src io.Reader, b []byte) (n int, err error) {
	for idle := 0; n < len(b) && err == nil; {
		var m int
		m, err = src.Read(b[n:])
		n += m
		if m == 0 && err == nil {
			if idle++; idle > 100 {
				return n, io.ErrNoProgress
			}
		}
	}
	return n, err
}

// stop ends the goroutine, wherever it is, and waits for it. It may be called
// again.
func (r *readAhead) stop() {
	if !r.ended.Swap(true) {
		close(r.end)
	}
	for range r.ch { // until it is closed
	}
}

func (r *readAhead) Read(p []byte) (int, error) {
	for len(r.cur) == 0 {
		if r.whole != nil {
			r.ret <- r.whole
			r.whole = nil
		}
		b, ok := <-r.ch
		if !ok {
			return 0, r.err
		}
		r.cur, r.whole = b, b[:cap(b)]
	}
	n := copy(p, r.cur)
	r.cur = r.cur[n:]
	return n, nil
}
