package archive

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// lineFile takes the lines of a file of the archive (JSON, one object a line) before
// anybody knows how long it gets, which the archive has to know first. They name people
// and subjects: what lies on the disk is encrypted with a key that only the memory of this
// process has, and is worth nothing after it.
type lineFile struct {
	f     *os.File
	block cipher.Block
	w     *bufio.Writer
	sum   hash.Hash
	size  int64
}

// newLineFile begins one.
func newLineFile(dir, name string) (*lineFile, error) {
	var key [32]byte
	rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	l := &lineFile{f: f, block: block, sum: sha256.New()}
	l.w = bufio.NewWriterSize(cipher.StreamWriter{S: l.stream(), W: f}, 64<<10)
	return l, nil
}

// stream is the key stream from the beginning on. The key is used for one file, and that
// is written once.
func (l *lineFile) stream() cipher.Stream {
	return cipher.NewCTR(l.block, make([]byte, aes.BlockSize))
}

// add writes a line.
func (l *lineFile) add(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write a line of %s: %w", filepath.Base(l.f.Name()), err)
	}
	line = append(line, '\n')
	l.size += int64(len(line))
	l.sum.Write(line)
	_, err = l.w.Write(line)
	return err
}

// read gives what was added, through fn, and sees that it is that. Nothing is added after it.
func (l *lineFile) read(fn func(r io.Reader, size int64) error) error {
	if err := l.w.Flush(); err != nil {
		return err
	}
	if _, err := l.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	back := sha256.New()
	r := io.TeeReader(cipher.StreamReader{S: l.stream(), R: bufio.NewReaderSize(l.f, 64<<10)}, back)
	if err := fn(r, l.size); err != nil {
		return err
	}
	if string(back.Sum(nil)) != string(l.sum.Sum(nil)) {
		return fmt.Errorf("%s is not what was written a moment ago", filepath.Base(l.f.Name()))
	}
	return nil
}

// remove closes and removes it.
func (l *lineFile) remove() error {
	if l == nil {
		return nil
	}
	err := errors.Join(l.f.Close(), os.Remove(l.f.Name()))
	if errors.Is(err, os.ErrClosed) { // it was removed before
		return nil
	}
	return err
}
