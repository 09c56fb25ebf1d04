package box

import (
	"encoding/base64"
	"io"
	"sync"
)

// A part is a piece of a text that is being put together: what is there already, or what is
// opened when it comes to it.
type part struct {
	text []byte
	open func() (io.ReadCloser, error)
	far  bool  // what is opened is to be had from the server
	near int64 // how many bytes of it are in memory
	// Of what is opened, in base64: bytes in a line, and what stands before each. 0: as it is.
	line   int
	prefix string
}

func text(s string) part { return part{text: []byte(s)} }

// sequence reads parts one after the other, and has at most one of them open. It may be
// closed while it is being read.
type sequence struct {
	parts []part // of whoever reads

	mu    sync.Mutex // of what follows
	now   io.Reader
	close func() error
	err   error
}

// Read opens the next part where one has ended.
func (s *sequence) Read(p []byte) (int, error) {
	for {
		s.mu.Lock()
		now, err := s.now, s.err
		s.mu.Unlock()
		if err != nil {
			return 0, err
		}
		if now == nil {
			s.end(s.next())
			continue
		}
		n, err := now.Read(p)
		if err == io.EOF {
			err = s.shut()
		}
		s.end(err)
		if n > 0 {
			return n, nil
		}
	}
}

// end keeps the first error.
func (s *sequence) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

func (s *sequence) next() error {
	if len(s.parts) == 0 {
		return io.EOF
	}
	x := s.parts[0]
	s.parts = s.parts[1:]
	if x.open == nil {
		return s.begin(&rest{x.text}, nil)
	}
	r, err := x.open()
	if err != nil {
		return err
	}
	if x.line > 0 {
		return s.begin(&inBase64{from: r, prefix: x.prefix, raw: make([]byte, x.line)}, r.Close)
	}
	return s.begin(r, r.Close)
}

// begin has a part read, unless all was closed meanwhile.
func (s *sequence) begin(now io.Reader, shut func() error) error {
	s.mu.Lock()
	over := s.err != nil
	if !over {
		s.now, s.close = now, shut
	}
	s.mu.Unlock()
	if over && shut != nil {
		return shut()
	}
	return nil
}

func (s *sequence) shut() error {
	s.mu.Lock()
	shut := s.close
	s.now, s.close = nil, nil
	s.mu.Unlock()
	if shut == nil {
		return nil
	}
	return shut()
}

// Close ends the part that is open.
func (s *sequence) Close() error {
	s.end(io.ErrClosedPipe)
	return s.shut()
}

// rest is what is left of a text.
type rest struct{ text []byte }

func (r *rest) Read(p []byte) (int, error) {
	n := copy(p, r.text)
	if r.text = r.text[n:]; n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// inBase64 reads what it is given in lines of base64 that end with CR LF.
type inBase64 struct {
	from   io.Reader
	prefix string
	raw    []byte
	out    []byte // of the line that is being read
	err    error
}

// Read encodes.
func (b *inBase64) Read(p []byte) (int, error) {
	for len(b.out) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		n, err := 0, error(nil) // not io.ReadFull, which makes one error of an end and of a break
		for m := 0; n < len(b.raw) && err == nil; n += m {
			m, err = b.from.Read(b.raw[n:])
		}
		b.err = err
		if n > 0 {
			b.out = append(b.out[:0], b.prefix...)
			b.out = base64.StdEncoding.AppendEncode(b.out, b.raw[:n])
			b.out = append(b.out, '\r', '\n')
		}
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}
