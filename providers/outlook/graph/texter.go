package graph

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"strconv"
)

// pieceOfText is how much of a long text is decoded at once, in bytes as it is written.
const pieceOfText = 32 << 10

// texter decodes a string of JSON piece by piece. Each piece is decoded by encoding/json, so
// that what comes out is what it would make of the whole: it is cut between characters only.
type texter struct {
	raw  []byte // what was not decoded yet, behind a quotation mark
	cut  int    // up to where it may be decoded
	size int64
	sum  hash.Hash

	escape int  // how many bytes of an escape are to come; -1: the next one says
	begun  int  // where the escape begins
	high   bool // the last character is the first half of a pair (RFC 8259 7)
	inner  int  // bytes since one that begins a character
}

func newTexter() *texter {
	return &texter{raw: []byte{'"'}, cut: 1, sum: sha256.New()}
}

// full reports whether there is enough for a piece.
func (t *texter) full() bool { return len(t.raw) >= pieceOfText }

// add takes a byte, and reports whether it is the quotation mark at the end.
func (t *texter) add(c byte) (over bool) {
	at := len(t.raw)
	switch {
	case t.escape == -1:
		t.escape = 0
		if c == 'u' {
			t.escape = 4
		} else {
			t.cut, t.high = t.begun, false
		}
	case t.escape > 0:
		if t.escape--; t.escape == 0 {
			n, _ := strconv.ParseUint(string(t.raw[at-3:])+string(c), 16, 32) // what is no number is found when it is decoded
			if !t.high || n < 0xdc00 || n > 0xdfff {
				t.cut, t.high = t.begun, n >= 0xd800 && n < 0xdc00
			} else {
				t.high = false
			}
		}
	case c == '"':
		return true
	case c == '\\':
		t.escape, t.begun, t.inner = -1, at, 0
	case c&0xc0 == 0x80 && t.inner < 3: // within a character of UTF-8, which has four bytes at most
		t.inner++
		t.high = false
	default:
		t.cut, t.high, t.inner = at, false, 0
	}
	t.raw = append(t.raw, c)
	return false
}

// take decodes what may be decoded, all of it at the end.
func (t *texter) take(over bool) ([]byte, error) {
	if over {
		t.cut = len(t.raw)
	}
	rest := append([]byte(nil), t.raw[t.cut:]...)
	var piece string
	if err := json.Unmarshal(append(t.raw[:t.cut], '"'), &piece); err != nil {
		return nil, fmt.Errorf("a long text cannot be read: %w", err)
	}
	t.raw, t.begun, t.cut = append(t.raw[:1], rest...), t.begun-t.cut+1, 1
	t.size += int64(len(piece))
	t.sum.Write([]byte(piece))
	return []byte(piece), nil
}

// known is the text, once it was read to its end.
func (t *texter) known() Text {
	k := Text{Size: t.size}
	t.sum.Sum(k.Sum[:0])
	return k
}
