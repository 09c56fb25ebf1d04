package graph

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"io"
)

// Text is a text that was left out of a JSON, so that it is known again.
type Text struct {
	Size int64 // bytes in UTF-8
	Sum  [sha256.Size]byte
}

// ErrOtherText: what is read of a text for a second time is not what it was.
var ErrOtherText = errors.New("a text of it is another one than a moment ago")

// Shortened reads JSON and passes it on with its short texts alone: in the place of each
// string that has more bytes than are allowed, as it is written, stands a mark. So what is
// held of an answer does not grow with its texts. One that was left out is had by reading
// the same JSON again (PluckText).
type Shortened struct {
	from    *bufio.Reader
	longest int
	mark    func(n int) string
	only    int // the number of the text that alone is passed on; -1: all but the long ones
	texts   []Text

	quoted bool    // the next byte is of a string
	begun  []byte  // what was read of a string that is not known to be long
	text   *texter // a long one that is being read
	out    []byte
	err    error
}

// Shorten reads from. mark gives what stands for the n-th text that is left out, from 0 on;
// it must need no escapes in JSON.
func Shorten(from io.Reader, longest int, mark func(n int) string) *Shortened {
	return &Shortened{from: bufio.NewReaderSize(from, 16<<10), longest: longest, mark: mark, only: -1}
}

// Texts are those that were left out of what was read so far.
func (s *Shortened) Texts() []Text { return s.texts }

// Bounded reads from, and gives ErrTooLarge once there are more than most bytes.
func Bounded(from io.Reader, most int64) io.Reader { return &bounded{from, most} }

type bounded struct {
	from io.Reader
	left int64
}

// Read reads.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

// PluckText reads the n-th of the texts that a Shortened leaves out of the same JSON,
// decoded. Its error is ErrOtherText where that is not want.
func PluckText(from io.Reader, longest, n int, want Text) io.Reader {
	s := Shorten(from, longest, nil)
	s.only = n
	return &plucked{s, want}
}

type plucked struct {
	s    *Shortened
	want Text
}

// Read gives the text, and nothing else.
func (p *plucked) Read(b []byte) (int, error) {
	n, err := p.s.Read(b)
	if err == io.EOF && (len(p.s.texts) <= p.s.only || p.s.texts[p.s.only] != p.want) {
		err = ErrOtherText
	}
	return n, err
}

// Read gives the JSON. Whether that is well formed is for whoever reads it, but for the
// texts that are left out.
func (s *Shortened) Read(b []byte) (int, error) {
	for len(s.out) == 0 {
		if s.err == nil && s.only >= 0 && len(s.texts) > s.only {
			s.err = io.EOF
		}
		if s.err != nil {
			return 0, s.err
		}
		s.err = s.step()
	}
	n := copy(b, s.out)
	s.out = s.out[n:]
	return n, nil
}

// pass gives what is no long text to whoever reads.
func (s *Shortened) pass(b []byte) {
	if s.only < 0 {
		s.out = b
	}
}

// step reads on a little. What it gives is good until the next one.
func (s *Shortened) step() error {
	switch {
	case s.text != nil:
		return s.long()
	case s.quoted:
		return s.short()
	}
	some, err := s.from.ReadSlice('"')
	s.pass(some)
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil
	}
	s.quoted = err == nil
	return err
}

// short reads a string, or as much of it as may be held.
func (s *Shortened) short() error {
	s.begun = s.begun[:0]
	for escaped := false; len(s.begun) <= s.longest; {
		c, err := s.from.ReadByte()
		if err != nil {
			s.pass(s.begun)
			return err
		}
		s.begun = append(s.begun, c)
		if c == '"' && !escaped {
			s.quoted = false
			s.pass(s.begun)
			return nil
		}
		escaped = c == '\\' && !escaped
	}
	s.text = newTexter()
	for _, c := range s.begun {
		s.text.add(c)
	}
	return nil
}

// long reads a piece of a long string.
func (s *Shortened) long() error {
	over := false
	for !over && !s.text.full() {
		c, err := s.from.ReadByte()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		over = s.text.add(c)
	}
	piece, err := s.text.take(over)
	if err != nil {
		return err
	}
	if len(s.texts) == s.only {
		s.out = piece
	}
	if over {
		if s.only < 0 {
			s.out = []byte(s.mark(len(s.texts)) + `"`)
		}
		s.texts = append(s.texts, s.text.known())
		s.quoted, s.text = false, nil
	}
	return nil
}
