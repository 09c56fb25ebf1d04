package mail

import (
	"encoding/base64"
	"errors"
	"io"
	"mime/quotedprintable"
	"strings"
)

func (x *exporter) text(s string) {
	s = crlf(strings.ReplaceAll(s, "\x00", ""))
	x.body("text/plain", "utf-8", []byte(s))
}

// html writes the bytes as they are with the name of their charset; in a code page
// that mail has no name for they become UTF-8, as good as they are.
func (x *exporter) html(b []byte, page int32) {
	name := "utf-8"
	switch {
	case page == 0:
		if c := metaCharset(b); c != "" {
			name = c
		}
	case page != utf8Page:
		name = pageName(page)
	}
	if _, _, ok := lookup(name); !ok {
		b, name = []byte(readText(string(b))), "utf-8"
	}
	x.body("text/html", name, b)
}

// body writes a text in the encoding that keeps its bytes: 7bit or quoted-printable
// for lines that end with CR LF, base64 for all others.
func (x *exporter) body(media, charset string, b []byte) {
	kind := bodyEncoding(b)
	if kind == "7bit" && charset == "utf-8" {
		charset = "us-ascii"
	}
	x.line("Content-Type: " + media + "; charset=\"" + charset + "\"")
	switch kind {
	case "7bit":
		x.line("Content-Transfer-Encoding: 7bit\r\n")
		x.w.Write(b)
	case "quoted-printable":
		x.line("Content-Transfer-Encoding: quoted-printable\r\n")
		q := quotedprintable.NewWriter(x.w)
		q.Write(b)
		q.Close()
	default:
		x.base64(strings.NewReader(string(b)))
	}
}

func bodyEncoding(b []byte) string {
	odd, line, long := 0, 0, false
	for i, c := range b {
		switch {
		case c == '\n':
			if i == 0 || b[i-1] != '\r' {
				return "base64"
			}
			line = 0
			if i >= 2 && (b[i-2] == ' ' || b[i-2] == '\t') { // lost on the way
				long = true
			}
			continue
		case c == '\r':
			if i+1 == len(b) || b[i+1] != '\n' {
				return "base64"
			}
			continue
		case c >= 0x7F, c < ' ' && c != '\t':
			odd++
		}
		if line++; line > 900 {
			long = true
		}
		// "From " and boundaries at the beginning of a line are left to the encodings.
		if line == 5 && (string(b[i-4:i+1]) == "From " || b[i-4] == '-' && b[i-3] == '-' && b[i-2] == '=') {
			long = true
		}
	}
	switch {
	case odd*4 > len(b):
		return "base64"
	case odd > 0 || long || len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t'):
		return "quoted-printable"
	}
	return "7bit"
}

// base64 writes the last field of a part and its content, in lines of 76 characters.
func (x *exporter) base64(r io.Reader) error {
	x.line("Content-Transfer-Encoding: base64\r\n")
	const line = 57 // bytes that make 76 characters
	in := make([]byte, line*256)
	out := make([]byte, 78*256)
	for {
		n, err := io.ReadFull(r, in)
		k := 0
		for i := 0; i < n; i += line {
			piece := in[i:min(i+line, n)]
			base64.StdEncoding.Encode(out[k:], piece)
			k += base64.StdEncoding.EncodedLen(len(piece))
			k += copy(out[k:], "\r\n")
		}
		if _, werr := x.w.Write(out[:k]); werr != nil {
			return werr
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// crlfWriter makes each bare LF a CR LF.
type crlfWriter struct {
	w    io.Writer
	last byte
}

func (c *crlfWriter) Write(p []byte) (int, error) {
	from := 0
	for i, b := range p {
		if b == '\n' && c.last != '\r' {
			if _, err := c.w.Write(p[from:i]); err != nil {
				return 0, err
			}
			if _, err := c.w.Write([]byte{'\r'}); err != nil {
				return 0, err
			}
			from = i
		}
		c.last = b
	}
	if _, err := c.w.Write(p[from:]); err != nil {
		return 0, err
	}
	return len(p), nil
}
