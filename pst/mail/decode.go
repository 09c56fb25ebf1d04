package mail

import (
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
