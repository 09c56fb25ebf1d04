package vault

import (
	"io"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A compressed file is a row of zstd frames (RFC 8878 section 3), each of them
// made from frameSize bytes and independent of the others. The zstd program
// reads that as one stream. It lets every core compress a frame of its own, is
// faster than one long stream even on one core, and bounds the memory of both
// sides; on text it costs 4 % of size against one long stream.
const (
	frameSize = 1 << 20
	listFrame = 256 << 10 // of the list of contents, which is small
	maxCores  = 4         // more would need more memory than they are worth
)

// newEncoder makes the encoder that all compressors of a vault share.
func newEncoder() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(cores()),
		zstd.WithWindowSize(frameSize), zstd.WithZeroFrames(true), zstd.WithLowerEncoderMem(true))
}

func cores() int { return min(runtime.GOMAXPROCS(0), maxCores) }

// frame is one frame on its way.
type frame struct {
	in, out []byte
	done    chan struct{} // gets a value once out is filled
}

// compressor makes zstd frames of what is written to it, several at a time, and
// writes them to dst in order, from a goroutine of its own.
type compressor struct {
	enc   *zstd.Encoder
	dst   io.Writer
	size  int
	cur   *frame
	spare int         // how many more frames may be made
	free  chan *frame // those that can be filled again
	work  chan *frame // to the goroutines that compress
	order chan *frame // to the goroutine that writes
	fail  failure
	all   sync.WaitGroup
	wrote bool
	table *tableWriter // of the frames, which ends the file; nil: it gets none
}

func newCompressor(enc *zstd.Encoder, dst io.Writer, size int) *compressor {
	workers := cores()
	if size < frameSize {
		workers = 1
	}
	depth := workers + 2 // one is being filled and one written
	c := &compressor{enc: enc, dst: dst, size: size, spare: depth,
		free: make(chan *frame, depth), work: make(chan *frame, depth), order: make(chan *frame, depth)}
	for range workers {
		c.all.Go(c.compress)
	}
	c.all.Go(c.write)
	return c
}

func (c *compressor) compress() {
	for f := range c.work {
		c.fail.set(c.encode(f))
		f.done <- struct{}{}
	}
}

func (c *compressor) encode(f *frame) (err error) {
	defer caught(&err)
	f.out = c.enc.EncodeAll(f.in, f.out[:0])
	return nil
}

func (c *compressor) write() {
	for f := range c.order {
		<-f.done
		if c.fail.get() == nil {
			c.fail.set(writeTo(c.dst, f.out))
			if c.table != nil {
				c.table.add(len(f.out), len(f.in))
			}
		}
		f.in = f.in[:0]
		c.free <- f
	}
}

// next gives a frame to fill.
func (c *compressor) next() *frame {
	select {
	case f := <-c.free:
		return f
	default:
	}
	if c.spare > 0 {
		c.spare--
		return &frame{in: make([]byte, 0, c.size), done: make(chan struct{}, 1)}
	}
	return <-c.free
}

// Write takes p in. An error of dst comes back from a later Write, or from Close.
func (c *compressor) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if c.cur == nil {
			if err := c.fail.get(); err != nil {
				return 0, err
			}
			c.cur = c.next()
		}
		take := min(c.size-len(c.cur.in), len(p))
		c.cur.in = append(c.cur.in, p[:take]...)
		p = p[take:]
		if len(c.cur.in) == c.size {
			c.hand()
		}
	}
	return n, nil
}

// hand gives the frame that is filled to the others.
func (c *compressor) hand() {
	f := c.cur
	c.cur, c.wrote = nil, true
	c.order <- f
	c.work <- f
}

// Close hands over what is left and waits until dst has it all. Nothing at all
// becomes one empty frame, because the zstd program refuses an empty file.
func (c *compressor) Close() error {
	if c.cur == nil && !c.wrote {
		c.cur = c.next()
	}
	if c.cur != nil {
		c.hand()
	}
	close(c.work)
	close(c.order)
	c.all.Wait()
	if c.table != nil && c.fail.get() == nil {
		c.fail.set(c.table.writeTo(c.dst))
	}
	return c.fail.get()
}

// failure keeps the first error that is not nil of a goroutine for another one.
type failure struct {
	mu  sync.Mutex
	err error
}

func (f *failure) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil { // nil stays nil
		f.err = err
	}
}

func (f *failure) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
