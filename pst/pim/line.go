package pim

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// maxLine bounds one content line after unfolding, in bytes. Pictures and
// attachments lie in lines, so that it is wide.
const maxLine = 32 << 20

// A line is one content line of vCard or iCalendar (RFC 5545 3.1, RFC 6350 3.3):
//
//	group.NAME;PARAM=value,"quoted":value
//
// It is unfolded, and its parameters are decoded. The value is as the text has it,
// still escaped, except that quoted-printable of vCard 2.1 is decoded.
type line struct {
	Number int    // of the line of the text where it begins, from 1
	Group  string // of vCard, with its letters as they came
	Name   string // in upper case
	Params []param
	Value  string
}

// A param is a parameter of a line. Bare ones of vCard 2.1 (TEL;WORK;VOICE) have
// the name that 3.0 gives them: ENCODING, VALUE, else TYPE.
type param struct {
	Name   string // in upper case
	Values []string
}

// param gives the first value of a parameter, or "".
func (l *line) param(name string) string {
	for _, p := range l.Params {
		if p.Name == name && len(p.Values) > 0 {
			return p.Values[0]
		}
	}
	return ""
}

// params gives all values of a parameter, also where it is repeated.
func (l *line) params(name string) []string {
	var all []string
	for _, p := range l.Params {
		if p.Name == name {
			all = append(all, p.Values...)
		}
	}
	return all
}

// has tells whether a parameter has a value, without regard to upper and lower
// case.
func (l *line) has(name, value string) bool {
	for _, v := range l.params(name) {
		if strings.EqualFold(v, value) {
			return true
		}
	}
	return false
}

// text is the value without its escapes.
func (l *line) text() string { return unescape(l.Value) }

// bytes decodes a value in Base64, which writers break and pad as they like.
func (l *line) bytes() ([]byte, error) {
	s := strings.TrimRight(strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n', '\\':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, l.Value), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, &LineError{l.Number, fmt.Sprintf("%s is no Base64: %v", l.Name, err)}
	}
	return b, nil
}

// LineError is what is wrong with one line of a text.
type LineError struct {
	Number int // of the line, from 1
	Text   string
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Number, e.Text) }

// errTooLong is an error that ends the reading: what follows cannot be trusted.
var errTooLong = errors.New("the line is too long")

// A lineReader reads content lines. Lines may end with CRLF, LF or a lone CR; the
// text may begin with a byte order mark, and is UTF-8, UTF-16 with that mark, or
// line by line what Windows-1252 says where it is no UTF-8.
type lineReader struct {
	r       *bufio.Reader
	number  int    // of the line that was read last
	ahead   string // a line that was read too far
	isAhead bool
	limit   int // bytes of a content line
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{limit: maxLine, r: bufio.NewReaderSize(transform.NewReader(r, unicode.BOMOverride(transform.Nop)), 64<<10)}
}

// next gives the next content line. A *LineError says that this one cannot be read;
// the next call goes on behind it. Any other error ends it, io.EOF at the end.
func (r *lineReader) next() (line, error) {
	for {
		raw, number, err := r.unfolded()
		if err != nil {
			return line{}, err
		}
		if strings.TrimSpace(raw) == "" {
			continue
		}
		l, err := parseLine(raw, number)
		if err != nil {
			return line{Number: number, Value: raw}, err
		}
		return l, r.finish(&l)
	}
}

// unfolded joins the physical lines of a content line.
func (r *lineReader) unfolded() (string, int, error) {
	first, err := r.physical()
	if err != nil {
		return "", 0, err
	}
	number := r.number
	b := strings.Builder{}
	b.WriteString(first)
	for {
		s, err := r.physical()
		if err != nil {
			return b.String(), number, r.unlessEnd(err)
		}
		if s == "" || s[0] != ' ' && s[0] != '\t' {
			r.unread(s)
			return b.String(), number, nil
		}
		if b.Len()+len(s) > r.limit {
			return "", number, fmt.Errorf("line %d: %w", number, errTooLong)
		}
		b.WriteString(s[1:])
	}
}

// unlessEnd keeps the end of the text for the next call.
func (r *lineReader) unlessEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

func (r *lineReader) unread(s string) {
	r.ahead, r.isAhead = s, true
	r.number--
}

// physical reads a line up to its end.
func (r *lineReader) physical() (string, error) {
	if r.isAhead {
		r.isAhead = false
		r.number++
		return r.ahead, nil
	}
	var b []byte
	for {
		c, err := r.r.ReadByte()
		if err == io.EOF && len(b) > 0 {
			r.number++
			return string(b), nil
		}
		if err != nil {
			return "", err
		}
		if c == '\r' {
			if next, err := r.r.Peek(1); err == nil && next[0] == '\n' {
				continue
			}
			c = '\n'
		}
		if c == '\n' {
			r.number++
			return string(b), nil
		}
		if b = append(b, c); len(b) > r.limit {
			return "", fmt.Errorf("line %d: %w", r.number+1, errTooLong)
		}
	}
}

// finish reads what vCard 2.1 has in lines that are not folded: the soft breaks of
// quoted-printable, and Base64 that is not indented.
func (r *lineReader) finish(l *line) error {
	switch {
	case l.has("ENCODING", "QUOTED-PRINTABLE"):
		for strings.HasSuffix(l.Value, "=") {
			s, err := r.physical()
			if err != nil {
				return r.unlessEnd(err)
			}
			if len(l.Value)+len(s) > r.limit {
				return fmt.Errorf("line %d: %w", l.Number, errTooLong)
			}
			l.Value = l.Value[:len(l.Value)-1] + strings.TrimLeft(s, " \t")
		}
		l.Value = decodeQuoted(l.Value, l.param("CHARSET"))
	case l.has("ENCODING", "BASE64") || l.has("ENCODING", "B"):
		return r.unindented(l)
	}
	return nil
}

// unindented reads lines of Base64 that are not indented. A value without any is not copied:
// it may be a large attachment.
func (r *lineReader) unindented(l *line) error {
	var b strings.Builder
	for {
		s, err := r.physical()
		if err != nil || s == "" || strings.Trim(s, base64Letters) != "" {
			if b.Len() > 0 {
				l.Value = b.String()
			}
			if err != nil {
				return r.unlessEnd(err)
			}
			r.unread(s)
			return nil
		}
		if b.Len() == 0 {
			b.WriteString(l.Value)
		}
		if b.Len()+len(s) > r.limit {
			return fmt.Errorf("line %d: %w", l.Number, errTooLong)
		}
		b.WriteString(s)
	}
}

const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

// decodeQuoted undoes quoted-printable (RFC 2045 6.7) in a character set, which is
// UTF-8 or Windows-1252 where none is named. What is no such code stays.
func decodeQuoted(s, charset string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi >= 0 && lo >= 0 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return decodeCharset(b, charset)
}

// decodeCharset reads a text in a character set. What is UTF-8 is taken as that,
// whatever it is said to be.
func decodeCharset(b []byte, charset string) string {
	if charset != "" && !utf8.Valid(b) || strings.HasPrefix(strings.ToLower(charset), "iso-2022") {
		if e, err := htmlindex.Get(charset); err == nil {
			if t, err := e.NewDecoder().Bytes(b); err == nil {
				return clean(string(t))
			}
		}
	}
	return clean(string(b))
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

// clean makes a text valid UTF-8 without U+0000, which no item can hold.
func clean(s string) string {
	if !utf8.ValidString(s) {
		var b strings.Builder
		for i := range len(s) {
			r := charmap.Windows1252.DecodeByte(s[i])
			if r == utf8.RuneError {
				r = rune(s[i]) // 81, 8D, 8F, 90, 9D: C1, so that each can be told from the others
			}
			b.WriteRune(r)
		}
		s = b.String()
	}
	return strings.ReplaceAll(s, "\x00", "")
}
