package mail

import (
	"bytes"
	"io"
)

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
