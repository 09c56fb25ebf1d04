package cpanel

import (
	"errors"
	"io"
)

// chunk is how much is handed from one stage of a prover to the next at once, and
// depth how many chunks there are between two stages: enough for unpacking, walking
// and the download to go on side by side, little enough for memory to stay small.
const (
	chunk = 256 << 10
	depth = 4
)

// errAbandoned says that a prover is not needed any more.
var errAbandoned = errors.New("the proof was abandoned")

// ring hands bytes from one goroutine to another. One writes and closes it, the other
// reads; a writer waits while all chunks are full, a reader while all are empty, and
// both give up with errAbandoned as soon as quit is closed.
type ring struct {
	free, full chan []byte
	quit       <-chan struct{}
	spare      int    // chunks that may still be made
	filling    []byte // of the writer
	whole, cur []byte // of the reader: a chunk, and what is left of it
}

func newRing(quit <-chan struct{}) *ring {
	return &ring{free: make(chan []byte, depth), full: make(chan []byte, depth), quit: quit, spare: depth}
}

// room gives the empty part of the chunk that is being filled, which is never none.
func (r *ring) room() ([]byte, error) {
	select {
	case <-r.quit:
		return nil, errAbandoned
	default:
	}
	if len(r.filling) < cap(r.filling) {
		return r.filling[len(r.filling):cap(r.filling)], nil
	}
	if err := r.flush(); err != nil {
		return nil, err
	}
	select {
	case r.filling = <-r.free:
	default:
		if r.spare > 0 {
			r.spare--
			r.filling = make([]byte, 0, chunk)
			break
		}
		select {
		case r.filling = <-r.free:
		case <-r.quit:
			return nil, errAbandoned
		}
	}
	return r.filling[:cap(r.filling)], nil
}

// filled says that n bytes were put into what room gave.
func (r *ring) filled(n int) { r.filling = r.filling[:len(r.filling)+n] }

// flush hands over what has been filled.
func (r *ring) flush() error {
	if len(r.filling) == 0 {
		return nil
	}
	select {
	case r.full <- r.filling:
		r.filling = nil
		return nil
	case <-r.quit:
		return errAbandoned
	}
}

func (r *ring) Write(b []byte) (int, error) {
	total := len(b)
	for len(b) > 0 {
		room, err := r.room()
		if err != nil {
			return total - len(b), err
		}
		n := copy(room, b)
		r.filled(n)
		b = b[n:]
	}
	return total, nil
}

// close hands over the last bytes; the reader meets the end behind them. It is called
// once, by the writer.
func (r *ring) close() {
	_ = r.flush() // abandoned: the reader knows it from quit
	close(r.full)
}

// Read gives io.EOF after close, and never together with bytes.
func (r *ring) Read(p []byte) (int, error) {
	select {
	case <-r.quit:
		return 0, errAbandoned
	default:
	}
	if len(r.cur) == 0 {
		if r.whole != nil {
			r.free <- r.whole[:0] // has room for all that were made
			r.whole = nil
		}
		select {
		case b, ok := <-r.full:
			if !ok {
				return 0, io.EOF
			}
			r.whole, r.cur = b, b
		case <-r.quit:
			return 0, errAbandoned
		}
	}
	n := copy(p, r.cur)
	r.cur = r.cur[n:]
	return n, nil
}
