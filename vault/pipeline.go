package vault

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"sync"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"keepwatch"
)

// chunk is how much is handed from one stage of the pipeline to the next at
// once, and depth how many chunks may wait: enough to keep both cores busy,
// little enough for memory to be small and constant.
const (
	chunk = 256 << 10
	depth = 4
)

var chunks = sync.Pool{New: func() any { b := make([]byte, 0, chunk); return &b }}

// stage hands what is written to it to dst in a goroutine of its own. An error
// of dst comes back from a later Write or from Close.
type stage struct {
	dst  io.Writer
	cur  *[]byte
	ch   chan *[]byte
	done chan struct{}

	mu  sync.Mutex
	err error
}

func newStage(dst io.Writer) *stage {
	s := &stage{dst: dst, ch: make(chan *[]byte, depth), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *stage) run() {
	defer close(s.done)
	for b := range s.ch {
		if s.failure() == nil {
			if _, err := s.dst.Write(*b); err != nil {
				s.mu.Lock()
				s.err = err
				s.mu.Unlock()
			}
		}
		*b = (*b)[:0]
		chunks.Put(b)
	}
}

func (s *stage) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *stage) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if s.cur == nil {
			s.cur = chunks.Get().(*[]byte)
		}
		room := chunk - len(*s.cur)
		take := min(room, len(p))
		*s.cur = append(*s.cur, p[:take]...)
		p = p[take:]
		if len(*s.cur) == chunk {
			if err := s.failure(); err != nil {
				return 0, err
			}
			s.ch <- s.cur
			s.cur = nil
		}
	}
	return n, nil
}

// Close hands over what is left and waits until dst has it all.
func (s *stage) Close() error {
	if s.cur != nil {
		s.ch <- s.cur
		s.cur = nil
	}
	close(s.ch)
	<-s.done
	return s.err
}

// sealer writes one sealed file: zstd (unless the content is compressed
// already), age, SHA-256, disk; each in a goroutine of its own.
type sealer struct {
	name string
	file *os.File
	sum  hash.Hash
	size int64

	closers []io.Closer // from the outside in
	in      io.Writer
}

// newSealer begins the file path.
func newSealer(path, name string, to []age.Recipient, compress bool) (*sealer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	s := &sealer{name: name, file: f, sum: sha256.New()}
	disk := newStage(writerFunc(s.write))
	sealed, err := age.Encrypt(disk, to...)
	if err != nil {
		return nil, errors.Join(err, disk.Close(), f.Close())
	}
	inner := newStage(sealed)
	s.in, s.closers = inner, []io.Closer{inner, sealed, disk}
	if compress {
		z, err := zstd.NewWriter(inner, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(2),
			zstd.WithWindowSize(2<<20), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		outer := newStage(z)
		s.in, s.closers = outer, append([]io.Closer{outer, z}, s.closers...)
	}
	return s, nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// write is the end of the pipeline.
func (s *sealer) write(p []byte) (int, error) {
	s.sum.Write(p)
	s.size += int64(len(p))
	return s.file.Write(p)
}

func (s *sealer) Write(p []byte) (int, error) { return s.in.Write(p) }

// close ends every stage, syncs the file and closes it.
func (s *sealer) close() error {
	var err error
	for _, c := range s.closers {
		err = errors.Join(err, c.Close())
	}
	return errors.Join(err, s.file.Sync(), s.file.Close())
}

// sealed says what was written. It is true after close.
func (s *sealer) sealed() keepwatch.SealedFile {
	return keepwatch.SealedFile{Name: s.name, Size: s.size, SHA256: hex.EncodeToString(s.sum.Sum(nil))}
}

// opener reads one sealed file back: disk, SHA-256, age, zstd.
type opener struct {
	file  *os.File
	sum   hash.Hash
	size  int64
	count func(int) // told of every byte read from disk
	raw   *readAhead
	plain io.Reader
	zstd  *zstd.Decoder
}

// maxWindow bounds the memory that a sealed file may ask for when it is opened.
const maxWindow = 64 << 20

// openSealed opens the file path. With no identities its bytes are only hashed:
// read them with drain.
func openSealed(path string, ids []age.Identity, compressed bool, count func(int)) (*opener, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	o := &opener{file: f, sum: sha256.New(), count: count}
	o.raw = newReadAhead(readerFunc(o.read))
	if len(ids) == 0 {
		return o, nil
	}
	if o.plain, err = age.Decrypt(o.raw, ids...); err != nil {
		return o, err
	}
	if compressed {
		o.zstd, err = zstd.NewReader(o.plain, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return o, err
		}
		o.plain = o.zstd
	}
	o.plain = bufio.NewReaderSize(o.plain, chunk)
	return o, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (o *opener) read(p []byte) (int, error) {
	n, err := o.file.Read(p)
	o.sum.Write(p[:n])
	o.size += int64(n)
	o.count(n)
	return n, err
}

func (o *opener) Read(p []byte) (int, error) { return o.plain.Read(p) }

// drain reads what is left to the true end, so that the hash is of the whole
// file, and gives the first error of opening it.
func (o *opener) drain() error {
	var err error
	if o.plain != nil {
		var n int64
		if n, err = io.Copy(io.Discard, o.plain); err == nil && n > 0 {
			err = errors.New("there is more in it than there should be")
		}
	}
	_, rawErr := io.Copy(io.Discard, o.raw)
	return errors.Join(err, rawErr)
}

// compare gives what is wrong with the sealed bytes themselves. Call it after
// drain.
func (o *opener) compare(want keepwatch.SealedFile) (keepwatch.Finding, bool) {
	got := hex.EncodeToString(o.sum.Sum(nil))
	switch {
	case o.size != want.Size:
		return finding("size", want.Name, "%s is %s long and should be %s.", want.Name, keepwatch.FormatCount(o.size, "byte"), keepwatch.FormatCount(want.Size, "byte")), true
	case got != want.SHA256:
		return finding("hash", want.Name, "%s is not as it was written: its SHA-256 is %s and should be %s.", want.Name, got, want.SHA256), true
	}
	return keepwatch.Finding{}, false
}

func (o *opener) Close() error {
	if o.zstd != nil {
		o.zstd.Close()
	}
	o.raw.stop()
	return o.file.Close()
}

// readAhead reads its source in a goroutine, so that hashing and decrypting use
// one core while unpacking uses the other.
type readAhead struct {
	ch  chan []byte
	err error // set before ch is closed
	cur []byte
	buf []byte
	ret chan []byte
	end chan struct{}
}

func newReadAhead(src io.Reader) *readAhead {
	r := &readAhead{ch: make(chan []byte, depth), ret: make(chan []byte, depth+2), end: make(chan struct{})}
	for range depth + 2 {
		r.ret <- make([]byte, chunk)
	}
	go r.run(src)
	return r
}

func (r *readAhead) run(src io.Reader) {
	defer close(r.ch)
	for {
		var b []byte
		select {
		case b = <-r.ret:
		case <-r.end:
			return
		}
		n, err := src.Read(b[:chunk])
		if n > 0 {
			select {
			case r.ch <- b[:n]:
			case <-r.end:
				return
			}
		}
		if err != nil {
			r.err = err
			return
		}
	}
}

// stop ends the goroutine, wherever it is, and waits for it.
func (r *readAhead) stop() {
	close(r.end)
	for range r.ch { // until it is closed
	}
}

func (r *readAhead) Read(p []byte) (int, error) {
	for len(r.cur) == 0 {
		if r.buf != nil {
			r.ret <- r.buf[:chunk]
			r.buf = nil
		}
		b, ok := <-r.ch
		if !ok {
			return 0, r.err
		}
		r.cur, r.buf = b, b[:cap(b)]
	}
	n := copy(p, r.cur)
	r.cur = r.cur[n:]
	return n, nil
}

// skipRest reads the plain text to its end without minding what it is: the
// padding of a tar, or what is left after a walk broke off.
func (o *opener) skipRest() {
	if o.plain != nil {
		_, _ = io.Copy(io.Discard, o.plain)
	}
}
