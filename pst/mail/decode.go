package mail

import (
	"bytes"
	"io"
)

// defects is what a decoder met that is not of its encoding.
type defects struct {
	junk  int64 // characters that are none of the alphabet
	short bool  // the end of it is missing
}

// base64Reader decodes base64 as mail has it, with lines of any length. Unlike
// encoding/base64 it goes on after whatever is wrong: it passes over characters that
// are none (RFC 2045 6.8 says to), takes padding in the middle, where two encodings
// were put together, and what is there of an end that was cut.
type base64Reader struct {
	r   io.Reader
	d   *defects
	in  []byte // not decoded yet
	buf []byte
	acc uint32 // of an unfinished group of four
	n   int
	err error

	tiny [4]byte // for a reader that wants less than a group gives
	left []byte  // of tiny
}

// invalid marks what is no character of base64.
const invalid = 1 << 31

// base64Values are the values of the characters of base64.
var base64Values = base64Table()

func base64Table() (t [256]uint32) {
	for i := range t {
		t[i] = invalid
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = uint32(i)
	}
	return t
}

func newBase64(r io.Reader, size int64, d *defects) *base64Reader {
	return &base64Reader{r: r, d: d, buf: make([]byte, min(16<<10, size+1))}
}

func (b *base64Reader) Read(p []byte) (int, error) {
	if len(b.left) == 0 && len(p) >= len(b.tiny) {
		return b.read(p)
	}
	if len(b.left) == 0 && len(p) > 0 {
		n, err := b.read(b.tiny[:])
		if n == 0 {
			return 0, err
		}
		b.left = b.tiny[:n]
	}
	n := copy(p, b.left)
	b.left = b.left[n:]
	return n, nil
}

// read decodes into at least four bytes.
func (b *base64Reader) read(p []byte) (int, error) {
	for {
		if n := b.decode(p); n > 0 {
			return n, nil
		}
		if b.err != nil {
			return b.flush(p), b.err
		}
		b.fill()
	}
}

func (b *base64Reader) fill() {
	n, err := b.r.Read(b.buf)
	b.in, b.err = b.buf[:n], err
}

// decode fills p from what was read.
func (b *base64Reader) decode(p []byte) int {
	t := &base64Values
	n := 0
	in := b.in
	for len(p)-n >= 3 && len(in) > 0 {
		if b.n == 0 {
			for len(in) >= 4 && len(p)-n >= 3 {
				v0, v1, v2, v3 := t[in[0]], t[in[1]], t[in[2]], t[in[3]]
				if (v0|v1|v2|v3)&invalid != 0 {
					break
				}
				v := v0<<18 | v1<<12 | v2<<6 | v3
				p[n], p[n+1], p[n+2] = byte(v>>16), byte(v>>8), byte(v)
				n += 3
				in = in[4:]
			}
			if len(in) == 0 || len(p)-n < 3 {
				break
			}
		}
		n += b.slow(in[0], p[n:])
		in = in[1:]
	}
	b.in = in
	return n
}

// slow takes one character.
func (b *base64Reader) slow(c byte, p []byte) int {
	v := base64Values[c]
	switch {
	case v&invalid == 0:
		b.acc, b.n = b.acc<<6|v, b.n+1
		if b.n == 4 {
			p[0], p[1], p[2] = byte(b.acc>>16), byte(b.acc>>8), byte(b.acc)
			b.acc, b.n = 0, 0
			return 3
		}
	case c == '=':
		return b.flush(p)
	case c != '\r' && c != '\n' && c != ' ' && c != '\t':
		b.d.junk++
	}
	return 0
}

// flush gives what is there of an unfinished group.
func (b *base64Reader) flush(p []byte) int {
	n := 0
	switch b.n {
	case 1:
		b.d.short = true
	case 2:
		p[0], n = byte(b.acc>>4), 1
	case 3:
		p[0], p[1], n = byte(b.acc>>10), byte(b.acc>>2), 2
	}
	b.acc, b.n = 0, 0
	return n
}

// quotedReader decodes quoted-printable (RFC 2045 6.7). An = that begins nothing
// stays as it is, so that nothing is lost of a text that was never encoded.
type quotedReader struct {
	r    io.Reader
	in   []byte
	buf  []byte
	out  []byte
	line []byte // what is there of a line
	done bool
	err  error
}

func newQuoted(r io.Reader, size int64) *quotedReader {
	return &quotedReader{r: r, buf: make([]byte, min(16<<10, size+1))}
}

func (q *quotedReader) Read(p []byte) (int, error) {
	for len(q.out) == 0 {
		if q.done {
			return 0, q.err
		}
		q.next()
	}
	n := copy(p, q.out)
	q.out = q.out[n:]
	return n, nil
}

// next decodes up to the next end of a line, or a piece of a very long one.
func (q *quotedReader) next() {
	if len(q.in) == 0 && q.err == nil {
		n, err := q.r.Read(q.buf)
		q.in, q.err = q.buf[:n], err
	}
	if len(q.in) == 0 {
		if q.err != nil {
			q.done = true
			q.out = decodeQuoted(q.line, true)
		}
		return
	}
	i := bytes.IndexByte(q.in, '\n')
	whole := i >= 0
	if !whole {
		i = len(q.in) - 1
	}
	q.line = append(q.line, q.in[:i+1]...)
	q.in = q.in[i+1:]
	switch {
	case whole:
		q.out = decodeQuoted(q.line, true)
		q.line = q.line[:0]
	case len(q.line) > maxLine:
		// A piece of it, up to where no escape and no white space is cut.
		k := len(q.line) - 3
		for k > 0 && bytes.IndexByte([]byte("= \t\r"), q.line[k-1]) >= 0 {
			k--
		}
		if k == 0 {
			k = len(q.line)
		}
		rest := bytes.Clone(q.line[k:])
		q.out = decodeQuoted(q.line[:k], false)
		q.line = rest
	}
}

// decodeQuoted decodes a line in place.
func decodeQuoted(l []byte, end bool) []byte {
	body := bytes.TrimRight(l, "\r\n")
	eol := l[len(body):]
	if end {
		body = bytes.TrimRight(body, " \t") // added on the way
		if n := len(body); n > 0 && body[n-1] == '=' {
			body, eol = body[:n-1], nil
		}
	}
	n := 0
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c == '=' && i+2 < len(body) {
			hi, lo := unhex(body[i+1]), unhex(body[i+2])
			if hi >= 0 && lo >= 0 {
				c, i = byte(hi<<4|lo), i+2
			}
		}
		body[n] = c
		n++
	}
	n += copy(l[n:], eol)
	return l[:n]
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// uuReader decodes uuencode, which has no specification but POSIX, uuencode(1). The
// lines in front of "begin" and behind "end" are passed over.
type uuReader struct {
	lines lines
	out   []byte
	in    bool
	d     *defects
}

func newUU(r io.ReaderAt, size int64, d *defects) *uuReader {
	return &uuReader{lines: newLines(r, size), d: d}
}

func (u *uuReader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if !u.lines.next() {
			if u.lines.err != nil {
				return 0, u.lines.err
			}
			u.d.short = u.d.short || u.in || u.lines.size == 0
			return 0, io.EOF
		}
		u.out = u.line(u.lines.trimmed())
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

func (u *uuReader) line(l []byte) []byte {
	switch {
	case !u.in:
		u.in = bytes.HasPrefix(l, []byte("begin "))
		if !u.in {
			u.d.junk += int64(len(bytes.TrimSpace(l)))
		}
		return nil
	case string(bytes.TrimSpace(l)) == "end":
		u.in = false
		return nil
	case len(l) == 0:
		return nil
	}
	n := int(l[0]-' ') & 63
	out := make([]byte, 0, 64)
	for l = l[1:]; len(out) < n; l = l[min(4, len(l)):] {
		var v [4]byte
		for i := range v {
			if i < len(l) { // trailing spaces are cut by some
				v[i] = (l[i] - ' ') & 63
			}
		}
		out = append(out, v[0]<<2|v[1]>>4, v[1]<<4|v[2]>>2, v[2]<<6|v[3])
	}
	return out[:n]
}

// decoder gives the content of a part. An encoding that nobody knows is none: the
// bytes are kept as they are.
func decoder(r io.ReaderAt, p *part, d *defects) (io.Reader, bool) {
	section := io.NewSectionReader(r, p.body, p.end-p.body)
	switch p.encoding {
	case "base64":
		return newBase64(section, section.Size(), d), true
	case "quoted-printable":
		return newQuoted(section, section.Size()), true
	case "x-uuencode", "x-uue", "uuencode":
		return newUU(section, section.Size(), d), true
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit":
		return section, true
	}
	return section, false
}
