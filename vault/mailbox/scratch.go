package mailbox

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// scratchPrefix is how the names of temporary files begin. Nothing else lies in their
// folder.
const scratchPrefix = "opened-"

// scratch is a temporary file that is written once from front to back and then read
// anywhere. On the disk it is encrypted with AES-256 in counter mode (NIST SP 800-38A
// 6.5) under a key of its own that is in memory only; each file has another key, so the
// counter begins at 0. It keeps secret and does not authenticate: whoever can change
// the file while it is open can change what is read, and nothing more.
type scratch struct {
	f     *os.File
	block cipher.Block
	size  int64
}

// newScratch makes one in a folder, which is made where it is missing.
func newScratch(dir string) (*scratch, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, scratchPrefix) // with mode 0600
	if err != nil {
		return nil, err
	}
	return &scratch{f: f, block: block}, nil
}

// stream gives the key stream from an offset on.
func (s *scratch) stream(at int64) cipher.Stream {
	var counter [aes.BlockSize]byte
	binary.BigEndian.PutUint64(counter[8:], uint64(at/aes.BlockSize))
	stream := cipher.NewCTR(s.block, counter[:])
	var skip [aes.BlockSize]byte
	n := at % aes.BlockSize
	stream.XORKeyStream(skip[:n], skip[:n])
	return stream
}

// fill writes all of r.
func (s *scratch) fill(r io.Reader, buf []byte) error {
	stream := s.stream(0)
	for {
		n, err := r.Read(buf)
		stream.XORKeyStream(buf[:n], buf[:n])
		if _, err := s.f.Write(buf[:n]); err != nil {
			return &writing{err}
		}
		s.size += int64(n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// writing is an error of the disk of the temporary file.
type writing struct{ error }

func (w *writing) Unwrap() error { return w.error }

// ReadAt satisfies io.ReaderAt.
func (s *scratch) ReadAt(p []byte, at int64) (int, error) {
	n, err := s.f.ReadAt(p, at)
	if n > 0 {
		s.stream(at).XORKeyStream(p[:n], p[:n])
	}
	return n, err
}

// close removes it.
func (s *scratch) close() error {
	return errors.Join(s.f.Close(), os.Remove(s.f.Name()))
}

// sweep removes the temporary files that a killed process has left in a folder.
func sweep(dir string) error {
	names, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, d := range names {
		if strings.HasPrefix(d.Name(), scratchPrefix) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, d.Name())))
		}
	}
	return err
}
