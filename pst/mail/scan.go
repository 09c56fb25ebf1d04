package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// What a mail may have before reading it by parts stops. No real mail comes near;
// they bound time and memory for one that was made to hurt.
const (
	maxHeader     = 2 << 20   // bytes of the header of a mail that are read
	maxPartHeader = 128 << 10 // bytes of the header of a part
	maxParts      = 5000      // of one mail, on all levels
	maxNesting    = 64        // multiparts in multiparts
	maxBoundary   = 1000      // bytes; RFC 2046 5.1.1 allows 70
	maxLine       = 64 << 10  // bytes of a line that are looked at together
)

// part is a leaf or a multipart of a mail: where it lies, and what its header says
// of it. Nothing of its content is held.
type part struct {
	start, body, end int64 // of its header, its body, and the first byte behind it
	content
	kids   []*part
	closed bool  // a multipart whose closing boundary was seen
	pre    int64 // bytes that are no blank before its first boundary
}

// multipart tells whether it was read as one: it has a boundary that was found.
func (p *part) multipart() bool { return len(p.kids) > 0 }

// scanner goes through a mail once, line by line, and finds where its parts lie.
type scanner struct {
	lines lines
	root  *part
	head  header  // of the root
	open  []*part // the multiparts that the current line lies in
	cur   *part   // what the line belongs to; nil behind a closing boundary
	parts int
	text  int64 // bytes that are no blank before the first boundary and behind the last
	notes notes
}

// scan reads the structure of a mail.
func scan(r io.ReaderAt, size int64) (*scanner, error) {
	s := &scanner{lines: newLines(r, size)}
	s.root = &part{}
	s.cur, s.parts = s.root, 1
	s.envelope()
	s.head = s.header(s.root, maxHeader)
	s.enter(s.root)
	for s.lines.next() {
		s.line()
	}
	if err := s.lines.err; err != nil {
		return nil, fmt.Errorf("read the mail: %w", err)
	}
	s.finish(0, s.lines.end(), false)
	s.eightBit()
	if s.text > maxIgnored {
		s.notes.lose("there is text before the first part or behind the last one")
	}
	return s, nil
}

// maxIgnored is how much text outside of the parts is ignored, as RFC 2046 5.1.1
// says: "This is a multi-part message in MIME format", or the footer of a list.
const maxIgnored = 1000

// envelope skips the line that an mbox file has before each mail (RFC 4155), and
// what a program that quotes it has made of it.
func (s *scanner) envelope() {
	s.lines.skipBOM()
	for s.lines.next() {
		if l := s.lines.text; !bytes.HasPrefix(l, []byte("From ")) && !bytes.HasPrefix(l, []byte(">From ")) {
			s.lines.again()
			break
		}
	}
	s.root.start = s.lines.start
}

// header reads a header and says what it holds. It ends with an empty line, with a
// boundary, or with a line that cannot be of a header: there the body begins.
func (s *scanner) header(p *part, limit int) header {
	p.start = s.lines.end()
	h := header{limit: limit}
	for s.lines.next() {
		if len(s.lines.trimmed()) == 0 && !s.lines.goesOn {
			p.body = s.lines.end()
			break
		}
		if _, _, is := s.boundary(); is || !h.add(&s.lines) {
			if !is {
				s.notes.add("the header ends without an empty line")
			}
			s.lines.again()
			p.body = s.lines.start
			break
		}
		p.body = s.lines.end()
	}
	h.done()
	if h.cut {
		s.notes.lose("the header is longer than what is read of it")
	}
	p.end = p.body
	p.content = h.content()
	return h
}

// enter makes a part the current one, and opens it where it is a multipart.
func (s *scanner) enter(p *part) {
	s.cur = p
	if p.top() != "multipart" {
		return
	}
	switch {
	case p.boundary == "" || len(p.boundary) > maxBoundary:
		s.notes.add("a multipart without a boundary is taken as one part")
	case len(s.open) >= maxNesting:
		s.notes.lose("parts lie deeper in one another than what is read")
	default:
		s.open = append(s.open, p)
	}
}

// line looks at one line of a body.
func (s *scanner) line() {
	i, last, is := s.boundary()
	if !is {
		if s.cur == nil {
			s.text += int64(len(bytes.TrimSpace(s.lines.text)))
		} else if len(s.open) > 0 && s.cur == s.open[len(s.open)-1] {
			s.cur.pre += int64(len(bytes.TrimSpace(s.lines.text)))
		}
		return
	}
	s.finish(i+1, s.lines.start-int64(s.lines.before), last)
	p := s.open[i]
	if last {
		p.closed, s.cur = true, nil
		return
	}
	if s.parts == maxParts {
		s.notes.lose(fmt.Sprintf("there are more than %d parts", maxParts))
	}
	if s.parts >= maxParts {
		s.cur = nil
		return
	}
	s.parts++
	if len(p.kids) == 0 {
		s.text += p.pre
	}
	kid := &part{}
	p.kids = append(p.kids, kid)
	kidHead := s.header(kid, maxPartHeader)
	if kidHead.fields == nil && p.media == "multipart/digest" {
		kid.media = "message/rfc822" // RFC 2046 5.1.5
	}
	s.enter(kid)
}

// finish ends all parts that lie deeper than a level. The line break before a
// boundary belongs to it (RFC 2046 5.1.1).
func (s *scanner) finish(level int, end int64, closing bool) {
	for i := level; i < len(s.open); i++ {
		p := s.open[i]
		p.end = max(end, p.body)
		if len(p.kids) > 0 && !p.closed {
			s.notes.add("the closing boundary of a multipart is missing")
		}
	}
	if s.cur != nil {
		s.cur.end = max(end, s.cur.body)
	}
	s.open = s.open[:level]
	if level == 0 {
		s.root.end = max(end, s.root.body)
	}
}

// boundary tells whether the line is a boundary of one of the open multiparts, the
// innermost first, and whether it is the closing one.
func (s *scanner) boundary() (level int, last, is bool) {
	if s.lines.goesOn || len(s.open) == 0 || !bytes.HasPrefix(s.lines.text, []byte("--")) {
		return 0, false, false
	}
	l := bytes.TrimRight(s.lines.text[2:], " \t\r\n\v\f")
	for i := len(s.open) - 1; i >= 0; i-- {
		b := s.open[i].boundary
		if !bytes.HasPrefix(l, []byte(b)) {
			continue
		}
		switch rest := l[len(b):]; {
		case len(rest) == 0:
			return i, false, true
		case string(rest) == "--":
			return i, true, true
		}
	}
	return 0, false, false
}

// lines reads lines of whatever length, and knows where they are.
type lines struct {
	r      io.ReaderAt
	size   int64
	sep    byte   // ends a line: LF, or CR in a mail that has no LF at its beginning
	buf    []byte // what was read
	at     int64  // where buf lies
	off    int    // the next line in buf
	text   []byte // the line with its end; of a very long one a piece
	start  int64  // where text lies
	before int    // the length of the line end before it
	goesOn bool   // text goes on with the line that the text before it began
	partly bool   // the line is longer than text
	stay   bool   // next gives the same line again
	err    error
}

func newLines(r io.ReaderAt, size int64) lines {
	l := lines{r: r, size: max(size, 0), sep: '\n', buf: make([]byte, 0, min(maxLine, max(size, 0)+1))}
	l.fill()
	if bytes.IndexByte(l.buf, '\n') < 0 && bytes.IndexByte(l.buf, '\r') >= 0 {
		l.sep = '\r'
	}
	return l
}

// fill moves what is left to the front and reads on.
func (l *lines) fill() {
	n := copy(l.buf[:cap(l.buf)], l.buf[l.off:])
	l.at += int64(l.off)
	l.off = 0
	to := l.buf[:cap(l.buf)]
	want := min(int64(len(to)-n), l.size-l.at-int64(n))
	m, err := l.r.ReadAt(to[n:int64(n)+want], l.at+int64(n))
	if err != nil && int64(m) < want {
		if errors.Is(err, io.EOF) {
			l.size = l.at + int64(n+m) // shorter than was said
		} else {
			l.err = err
		}
	}
	l.buf = to[:n+m]
}

// skipBOM passes over the mark of UTF-8 that editors of Windows put before a text.
func (l *lines) skipBOM() {
	if bytes.HasPrefix(l.buf, []byte("\xEF\xBB\xBF")) {
		l.off = 3
	}
}

// end is where the next line begins.
func (l *lines) end() int64 {
	if l.stay {
		return l.start
	}
	return l.at + int64(l.off)
}

// again gives the same line once more.
func (l *lines) again() { l.stay = true }

// next goes to the next line.
func (l *lines) next() bool {
	if l.stay {
		l.stay = false
		return true
	}
	if l.err != nil {
		return false
	}
	goesOn := l.partly
	if !goesOn {
		l.before = len(l.text) - len(l.trimmed())
	}
	i := bytes.IndexByte(l.buf[l.off:], l.sep)
	if i < 0 && l.at+int64(len(l.buf)) < l.size {
		l.text = nil
		l.fill()
		if l.err != nil {
			return false
		}
		i = bytes.IndexByte(l.buf[l.off:], l.sep)
	}
	n := i + 1
	if i < 0 {
		n = len(l.buf) - l.off
	}
	if n == 0 {
		l.start, l.text = l.end(), nil
		return false
	}
	l.goesOn, l.partly = goesOn, i < 0
	l.start = l.at + int64(l.off)
	l.text = l.buf[l.off : l.off+n]
	l.off += n
	return true
}

// trimmed is the line without its end. CR CR LF, which some gateways make, is one.
// bytes.TrimRight would take a twentieth of the time that a mail takes.
func (l *lines) trimmed() []byte {
	n := len(l.text)
	for n > 0 && (l.text[n-1] == '\n' || l.text[n-1] == '\r') {
		n--
	}
	return l.text[:n]
}
