package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"runtime/debug"
	"sync/atomic"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"keepwatch"
)

// chunk is how much is handed from one stage of a pipeline to the next at once,
// and depth how many chunks may wait: enough to keep the cores busy, little
// enough for memory to be small and constant.
const (
	chunk = 256 << 10
	depth = 4
)

// stage hands what is written to it to dst in a goroutine of its own. An error
// of dst comes back from a later Write or from Close.
type stage struct {
	dst   io.Writer
	cur   []byte
	spare int // how many more chunks may be made
	free  chan []byte
	full  chan []byte
	done  chan struct{}
	fail  failure
}

func newStage(dst io.Writer) *stage {
	s := &stage{dst: dst, spare: depth, free: make(chan []byte, depth), full: make(chan []byte, depth), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *stage) run() {
	defer close(s.done)
	for b := range s.full {
		if s.fail.get() == nil {
			s.fail.set(writeTo(s.dst, b))
		}
		s.free <- b[:0]
	}
}

// writeTo is dst.Write in a goroutine of the pipeline. A panic there would end
// the program and not only the run whose archive it is.
func writeTo(dst io.Writer, b []byte) (err error) {
	defer caught(&err)
	_, err = dst.Write(b)
	return err
}

// caught makes an error of a panic.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("vault: panic: %v\n%s", p, debug.Stack())
	}
}

func (s *stage) next() []byte {
	select {
	case b := <-s.free:
		return b
	default:
	}
	if s.spare > 0 {
		s.spare--
		return make([]byte, 0, chunk)
	}
	return <-s.free
}

func (s *stage) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if s.cur == nil {
			if err := s.fail.get(); err != nil {
				return 0, err
			}
			s.cur = s.next()
		}
		take := min(chunk-len(s.cur), len(p))
		s.cur = append(s.cur, p[:take]...)
		p = p[take:]
		if len(s.cur) == chunk {
			s.full <- s.cur
			s.cur = nil
		}
	}
	return n, nil
}

// Close hands over what is left and waits until dst has it all.
func (s *stage) Close() error {
	if s.cur != nil {
		s.full <- s.cur
		s.cur = nil
	}
	close(s.full)
	<-s.done
	return s.fail.get()
}

// sealer writes one sealed file: zstd (unless the content is compressed
// already), age, SHA-256 and disk.
type sealer struct {
	name  string
	file  *os.File
	sum   hash.Hash
	size  atomic.Int64
	begun int64 // up to where the system was asked to write to the disk
	crash func(string)

	in      io.Writer
	plain   int64       // bytes that were written to in
	closers []io.Closer // in the order in which data goes through them
}

// newSealer begins the file path. frame is the size of its zstd frames; 0: it is
// not compressed.
func newSealer(path, name string, to []age.Recipient, enc *zstd.Encoder, frame int, crash func(string)) (*sealer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	s := &sealer{name: name, file: f, sum: sha256.New(), crash: crash}
	disk := newStage(writerFunc(s.write))
	sealed, err := age.Encrypt(disk, to...)
	if err != nil {
		return nil, errors.Join(err, disk.Close(), f.Close())
	}
	var first io.WriteCloser
	if frame > 0 {
		first = newCompressor(enc, sealed, frame)
	} else {
		first = newStage(sealed)
	}
	s.in, s.closers = first, []io.Closer{first, sealed, disk}
	return s, nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// writeback is how much is gathered before the system is asked to begin
// writing it to the disk, so that the sync at the end is short.
const writeback = 16 << 20

// write is the end of the pipeline.
func (s *sealer) write(p []byte) (int, error) {
	s.sum.Write(p)
	n, err := s.file.Write(p)
	size := s.size.Add(int64(n))
	if err == nil && size-s.begun >= writeback {
		beginWriteback(s.file, s.begun, size-s.begun)
		s.begun = size
	}
	return n, err
}

func (s *sealer) Write(p []byte) (int, error) {
	n, err := s.in.Write(p)
	s.plain += int64(n)
	return n, err
}

// addTable has the file end with a seek table. It is called before anything is
// written to a sealer that compresses.
func (s *sealer) addTable() {
	if c, ok := s.in.(*compressor); ok {
		c.table = &tableWriter{}
	}
}

// close ends every stage, syncs the file and closes it.
func (s *sealer) close() error {
	var err error
	for _, c := range s.closers {
		err = errors.Join(err, c.Close())
	}
	s.crash("vault.seal.before-sync")
	if err == nil {
		err = s.file.Sync()
	}
	s.crash("vault.seal.after-sync")
	return errors.Join(err, s.file.Close())
}

// abort ends every stage and closes the file, which nobody wants any more.
func (s *sealer) abort() {
	for _, c := range s.closers {
		_ = c.Close()
	}
	_ = s.file.Close()
}

// written gives the bytes that have reached the file so far.
func (s *sealer) written() int64 { return s.size.Load() }

// sealed says what was written. It is true after close.
func (s *sealer) sealed() keepwatch.SealedFile {
	return keepwatch.SealedFile{Name: s.name, Size: s.size.Load(), SHA256: hex.EncodeToString(s.sum.Sum(nil))}
}
