package restore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// heldInMemory is up to how many bytes the file of an item is held in memory.
const heldInMemory = 4 << 20

// putLanes is how many items are put back at once where a Restorer does not say: the most
// that Exchange serves for one app and mailbox (learn.microsoft.com/graph/throttling-limits).
const putLanes = 4

// itemFile is the file of an item.
type itemFile struct {
	io.ReaderAt
	size int64
	file *os.File // nil: in memory
}

// take reads the file of an item, of about size bytes: into memory, or, a large one, into a file of the run's
// scratch folder that has no name as soon as the system allows that.
func (e *errand) take(body io.Reader, size int64) (*itemFile, error) {
	var small bytes.Buffer
	small.Grow(int(min(max(size, 0), heldInMemory)) + 2*bytes.MinRead) // else it is held twice as it grows
	n, err := io.Copy(&small, io.LimitReader(body, heldInMemory+1))
	if err != nil {
		return nil, err
	}
	if n <= heldInMemory {
		return &itemFile{ReaderAt: bytes.NewReader(small.Bytes()), size: n}, nil
	}
	return e.takeLarge(&small, body)
}

func (e *errand) takeLarge(begin, rest io.Reader) (*itemFile, error) {
	if e.scratch == "" { // it is emptied when it is asked for, and others may lie in it by now
		dir, err := e.cfg.Spools.Scratch(e.job.Run)
		if err != nil {
			return nil, fmt.Errorf("make room for a large item: %w", err)
		}
		e.scratch = dir
	}
	f, err := os.CreateTemp(e.scratch, "item-*")
	if err != nil {
		return nil, fmt.Errorf("make room for a large item: %w", err)
	}
	_ = os.Remove(f.Name()) // where the system does not allow that, release does it
	h := &itemFile{ReaderAt: f, file: f}
	in := &watchedReader{r: io.MultiReader(begin, rest)}
	if h.size, err = io.Copy(f, in); err == nil {
		return h, nil
	}
	h.release()
	if in.err != nil {
		return nil, in.err
	}
	return nil, keepwatch.Errorf(keepwatch.KindAttention, "A large item of %s could not be written to %s on the machine that runs Keepwatch, which has to hold it while it is sent. See that there is room; Retry goes on where it stopped.", keepwatch.Printable(e.item.Part), e.scratch).Because(err)
}

// watchedReader remembers what went wrong with reading, so that it is not taken for a full disk.
type watchedReader struct {
	r   io.Reader
	err error
}

func (s *watchedReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// release gives up the file.
func (h *itemFile) release() {
	if h.file != nil {
		_ = h.file.Close()
		_ = os.Remove(h.file.Name())
	}
}

// hands put several items back at once. The first error ends all of them.
type hands struct {
	*errand
	ctx    context.Context
	cancel context.CancelCauseFunc
	free   chan struct{}
	busy   sync.WaitGroup
	once   sync.Once
	err    error // the first
}

func newHands(ctx context.Context, e *errand) *hands {
	n := putLanes
	if s, ok := e.cfg.Restorer.(interface{ Lanes() int }); ok {
		n = max(1, s.Lanes())
	}
	h := &hands{errand: e, free: make(chan struct{}, n)}
	h.ctx, h.cancel = context.WithCancelCause(ctx)
	return h
}

// give has items put back that share a file. It waits for a hand.
func (h *hands) give(list []waiting, c *itemFile) error {
	select {
	case h.free <- struct{}{}:
	case <-h.ctx.Done():
		c.release()
		return context.Cause(h.ctx)
	}
	if h.ctx.Err() != nil { // both were ready
		<-h.free
		c.release()
		return context.Cause(h.ctx)
	}
	h.busy.Go(func() {
		defer func() { <-h.free }()
		defer c.release()
		for _, w := range list {
			if err := h.put(w, c); err != nil {
				h.once.Do(func() { h.err = err; h.cancel(err) })
				return
			}
		}
	})
	return nil
}

// wait waits for all that was given, and gives the first thing that went wrong, or else
// err.
func (h *hands) wait(err error) error {
	if err != nil {
		h.cancel(err)
	}
	h.busy.Wait()
	h.cancel(nil)
	if h.err != nil {
		return h.err
	}
	return err
}

// put writes one item.
func (h *hands) put(w waiting, c *itemFile) error {
	if h.held && w.line.MessageID != "" {
		h.mu.Lock()
		h.ours[h.hash(w.line.MessageID)] = true
		h.mu.Unlock()
	}
	got, err := h.cfg.Restorer.Put(h.ctx, h.item.Mailbox, h.target, w.line.Item, outlook.Mark{Run: h.job.Run, Item: w.line.ID, State: changeMark(w.line.Change)}, c, c.size)
	h.cfg.Crash("outlook.return.put")
	switch {
	case err != nil && h.ctx.Err() != nil:
		return context.Cause(h.ctx)
	case err != nil && !errors.Is(err, outlook.ErrPoison):
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.refused++
		text := keepwatch.Sentence(err)
		if text == "" {
			text = err.Error()
		}
		h.say(w.head, "not put back. "+text)
	} else {
		h.tally.put++
		h.restored(w.head, got)
	}
	h.job.Report(keepwatch.Progress{Items: h.tally.put + h.there + h.same + h.refused + h.damaged, TotalItems: h.in.Count, Bytes: h.bytes, TotalBytes: h.item.Bytes})
	return nil
}
