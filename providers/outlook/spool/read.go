package spool

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"

	"keepwatch/providers/outlook"
)

// content is one that is being read.
type content struct {
	stream
	file  *os.File
	bytes int64
	b     []byte // of one frame
}

// find opens the segment of a record.
func (s *spool) find(r outlook.Record) (*content, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	c := &content{stream: stream{keys: s.keys}, bytes: r.Bytes}
	if n, err := fmt.Sscanf(r.Place, "%d.%d", &c.segment, &c.start); n != 2 || err != nil || r.Bytes < 0 {
		return nil, fmt.Errorf("the record of %q has no content", r.Subject)
	}
	file, err := os.Open(s.segmentPath(c.segment))
	if errors.Is(err, os.ErrNotExist) {
		return nil, lost("%w", err)
	}
	if err != nil {
		return nil, s.fault(s.dir, err)
	}
	c.file = file
	if _, err := file.ReadAt(c.salt[:], c.start); err != nil {
		return nil, errors.Join(lost("%w", err), file.Close())
	}
	c.b = make([]byte, frameMore+min(frameBytes, c.bytes))
	return c, nil
}

// frame reads one of the content's frames. What it gives is overwritten by the next.
func (c *content) frame(index int64) ([]byte, error) {
	n := min(frameBytes, c.bytes-index*frameBytes)
	b := c.b[:frameMore+n]
	if _, err := c.file.ReadAt(b, c.start+saltBytes+index*(frameMore+frameBytes)); err != nil {
		return nil, lost("%w", err)
	}
	if int64(binary.BigEndian.Uint32(b)) != n {
		return nil, lost("frame %d of a content has another length", index)
	}
	text, err := c.open(b, uint32(index), false)
	if err != nil {
		return nil, lost("frame %d of a content: %w", index, err)
	}
	return text, nil
}

func (c *content) Close() error { return c.file.Close() }

// Open reads the content of a record. Its sum is compared at its end.
func (s *spool) Open(r outlook.Record) (io.ReadCloser, error) {
	c, err := s.find(r)
	if err != nil {
		return nil, err
	}
	return &sequence{content: c, sum: r.SHA256, hash: sha256.New()}, nil
}

// sequence reads a content from its beginning to its end.
type sequence struct {
	*content
	sum  string
	hash hash.Hash
	at   int64 // where what is read next begins
	text []byte
	err  error
}

func (q *sequence) Read(p []byte) (int, error) {
	if len(q.text) == 0 && q.err == nil {
		q.next()
	}
	if len(q.text) == 0 {
		return 0, q.err
	}
	n := copy(p, q.text)
	q.text = q.text[n:]
	return n, nil
}

func (q *sequence) next() {
	if q.at == q.bytes {
		q.err = io.EOF
		if hex.EncodeToString(q.hash.Sum(nil)) != q.sum {
			q.err = lost("a content has another sum")
		}
		return
	}
	if q.text, q.err = q.frame(q.at / frameBytes); q.err == nil {
		q.at += int64(len(q.text))
		q.hash.Write(q.text)
	}
}

// OpenAt reads a content here and there. The frame that was read last is kept.
func (s *spool) OpenAt(r outlook.Record) (outlook.Reader, error) {
	c, err := s.find(r)
	if err != nil {
		return nil, err
	}
	return &anywhere{content: c, index: -1}, nil
}

type anywhere struct {
	*content
	mu    sync.Mutex
	index int64 // of the frame that text is; -1: none
	text  []byte
}

func (a *anywhere) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("read before the beginning of a content")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for n < len(p) {
		if off >= a.bytes {
			return n, io.EOF
		}
		if index := off / frameBytes; index != a.index {
			a.index = -1
			if a.text, err = a.frame(index); err != nil {
				return n, err
			}
			a.index = index
		}
		m := copy(p[n:], a.text[off%frameBytes:])
		n, off = n+m, off+int64(m)
	}
	return n, nil
}
