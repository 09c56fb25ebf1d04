package spool

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"keepwatch/providers/outlook"
)

// A content lies in a segment as 16 random bytes and frames. A frame is its length (4
// bytes, big-endian, of the plain text; the highest bit says that it is the last) and the
// sealed text. All but the last two have frameBytes; the last is a tail.
//
// Frames are sealed as in STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-
// Encryption and its Nonce-Reuse Misuse-Resistance, 2015): the nonce is the random bytes,
// the number of the frame (4 bytes), and whether it is the last (4 bytes), so that none can
// be left out, moved, or be that of an earlier attempt at the same place. Segment, start
// and length are authenticated with it.
const (
	frameBytes = 256 << 10
	saltBytes  = 16
	frameHead  = 4
	frameMore  = frameHead + chacha20poly1305.Overhead // what a frame has beside its text
	lastBit    = 1 << 31
	mostTail   = 64 << 20 // bytes; it holds the server's JSON of an item
)

// tail ends a content, and says enough to state it in the index.
type tail struct {
	ID      []byte `json:"id"`
	Version []byte `json:"v"`
	Bytes   int64  `json:"n"`
	SHA256  string `json:"h"`
	outlook.Note
	Missing string          `json:"m,omitempty"` // it is none, and why
	Item    json.RawMessage `json:"i,omitempty"`
}

// stream seals or opens the frames of one content, one after the other or here and there.
type stream struct {
	keys    *keys
	segment uint32
	start   int64
	salt    [saltBytes]byte
}

func (s *stream) nonce(index uint32, last bool) []byte {
	n := append(make([]byte, 0, chacha20poly1305.NonceSizeX), s.salt[:]...)
	n = binary.BigEndian.AppendUint32(n, index)
	if last {
		return append(n, 0, 0, 0, 1)
	}
	return append(n, 0, 0, 0, 0)
}

// bound is what a frame of a head is authenticated with.
func (s *stream) bound(head []byte) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 16), s.segment)
	b = binary.BigEndian.AppendUint64(b, uint64(s.start))
	return append(b, head...)
}

// seal appends a frame.
func (s *stream) seal(to []byte, index uint32, last bool, text []byte) []byte {
	n := uint32(len(text))
	if last {
		n |= lastBit
	}
	head := binary.BigEndian.AppendUint32(nil, n)
	return s.keys.frames.Seal(append(to, head...), s.nonce(index, last), text, s.bound(head))
}

// open opens the frame at the beginning of b, in its place. b is that frame and no more.
func (s *stream) open(b []byte, index uint32, last bool) ([]byte, error) {
	sealed := b[frameHead:]
	return s.keys.frames.Open(sealed[:0], s.nonce(index, last), sealed, s.bound(b[:frameHead]))
}

// writer writes a content to the end of a segment.
type writer struct {
	stream
	to    io.WriterAt
	end   int64
	index uint32
	out   []byte // sealed and not written
	hash  hash.Hash
	bytes int64
	crash func(string)
}

func newWriter(k *keys, g *segment, crash func(string)) *writer {
	w := &writer{stream: stream{keys: k, segment: g.no, start: g.end}, to: g.file, end: g.end, hash: sha256.New(), crash: crash}
	_, _ = rand.Read(w.salt[:]) // it never fails (crypto/rand)
	w.out = append(g.out[:0], w.salt[:]...)
	return w
}

// frame adds a part of the content. All but the last one have frameBytes.
func (w *writer) frame(text []byte) error {
	w.hash.Write(text)
	w.bytes += int64(len(text))
	w.out = w.seal(w.out, w.index, false, text)
	w.index++
	if len(text) < frameBytes {
		return nil // the last one, which is written with the tail
	}
	return w.write()
}

// finish ends it.
func (w *writer) finish(t tail) (sum string, err error) {
	sum = hex.EncodeToString(w.hash.Sum(nil))
	t.Bytes, t.SHA256 = w.bytes, sum
	text, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	if len(text) > mostTail {
		return "", errors.New("the item is larger than any that a server gives")
	}
	w.out = w.seal(w.out, w.index, true, text)
	return sum, w.write()
}

func (w *writer) write() error {
	w.crash("spool.put.before-write")
	n, err := w.to.WriteAt(w.out, w.end)
	w.end += int64(n)
	w.out = w.out[:0]
	w.crash("spool.put.after-write")
	return err
}
