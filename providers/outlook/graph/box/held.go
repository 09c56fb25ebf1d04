package box

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// How much of an item is held in memory. What is made of its JSON takes up to ten times as
// much, and a backup is to take less than 128 MiB, whatever is in the mailbox.
const (
	smallItem = 128 << 10 // bytes of JSON that each lane may hold
	mostItem  = 4 << 20   // that one of all the lanes may hold, without long texts
	mostRaw   = 1 << 20   // that are kept with an item
	// mostAnswer is how long the JSON of an item may be with its long texts: a message of
	// Exchange Online has at most 150 MB.
	mostAnswer = 512 << 20

	longText  = 64 << 10 // bytes of a text from where on it stays at the server until it is written
	longPlan  = 1 << 20  // likewise of an event, whose texts are rewritten in memory
	longNotes = 3 << 20  // bytes of what a contact may have in one field
	shortPlan = 32 << 10 // likewise of a series of which too much would be held otherwise
)

// turn is what one call of Content may hold. Without large it is what each lane may.
type turn struct {
	client *graph.Client
	leave  func()
}

// large waits until the call is the only one that holds much, until over. Nothing of the
// server may be open meanwhile.
func (t *turn) large(ctx context.Context) (err error) {
	if t.leave == nil {
		t.leave, err = t.client.Large(ctx)
	}
	return err
}

func (t *turn) over() {
	if t.leave != nil {
		t.leave()
	}
}

// given is the body of an item.
type given struct {
	io.ReadCloser
	turn *turn
}

// Read gives an error that says no more than that this item is to be asked for again, or has
// gone: it was there, and could be read, when its content was asked for.
func (g *given) Read(p []byte) (int, error) {
	n, err := g.ReadCloser.Read(p)
	switch {
	case err == nil, err == io.EOF, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case gone(err):
		err = &told{err, outlook.ErrGone}
	case keepwatch.KindOf(err) != keepwatch.KindTransient && keepwatch.KindOf(err) != keepwatch.KindAttention:
		err = keepwatch.Errorf(keepwatch.KindTransient, "An item of the mailbox cannot be read to its end, or became another one while it was read. The run goes on later.").Because(err)
	}
	return n, err
}

// Close lets the next one have its turn.
func (g *given) Close() error {
	err := g.ReadCloser.Close()
	g.turn.over()
	return err
}

// held is the JSON of an item with marks in the place of long texts, which are had from the
// server when they are written.
type held struct {
	raw     json.RawMessage
	name    string // how each mark begins; nobody knows it beforehand
	longest int
	texts   []graph.Text
	again   func() (io.ReadCloser, error) // the same JSON once more
}

// mark is valid base64 too, for what is that.
func (h *held) mark(n int) string { return fmt.Sprintf("%s%08d", h.name, n) }

const nameOfMark, lengthOfMark = 24, 32

// read gives the JSON of an item, of which so much may be held.
func (b *Box) read(ctx context.Context, mailbox, path string, longest int, most int64) (*held, error) {
	r := graph.Request{URL: path, Limit: mostAnswer}
	h := &held{name: rand.Text()[:nameOfMark], longest: longest}
	err := b.client.Read(ctx, mailbox, r, func(answer io.Reader) error {
		s := graph.Shorten(answer, longest, h.mark)
		h.raw = nil
		err := json.NewDecoder(graph.Bounded(s, most)).Decode(&h.raw)
		h.texts = s.Texts()
		return err
	})
	h.again = func() (io.ReadCloser, error) {
		answer, err := b.client.Do(ctx, mailbox, r)
		if err != nil {
			return nil, err
		}
		return answer.Body, nil
	}
	return h, err
}

// readItem is read of as much as may be held at all, in its turn where it is much.
func (b *Box) readItem(ctx context.Context, mailbox, path string, longest int, t *turn) (*held, error) {
	if t.leave == nil {
		h, err := b.read(ctx, mailbox, path, longest, smallItem)
		if !errors.Is(err, graph.ErrTooLarge) {
			return h, err
		}
		if err := t.large(ctx); err != nil {
			return nil, err
		}
	}
	return b.read(ctx, mailbox, path, longest, mostItem)
}

// content tells the texts that have a place where they can be streamed.
var content = regexp.MustCompile(`"content(?:Bytes)?"\s*:\s*"$`)

// tidy takes out the marks of other texts, which are lost then, and says so.
func (h *held) tidy() (notes []string) {
	kept, rest := h.raw[:0], h.raw // in place: nothing is written before it was read
	for n := range h.texts {
		i := bytes.Index(rest, []byte(h.mark(n)))
		if i < 0 {
			continue
		}
		after := i + lengthOfMark
		known := content.Match(rest[max(0, i-40):i])
		if known {
			i = after
		} else {
			notes = []string{fmt.Sprintf("What is longer than %s in one of its fields is not in it", keepwatch.FormatBytes(int64(h.longest)))}
		}
		kept, rest = append(kept, rest[:i]...), rest[after:]
	}
	h.raw = append(kept, rest...)
	return notes
}

// whole is all of the JSON, nil where that is more than what is kept.
func (h *held) whole() json.RawMessage {
	if len(h.texts) > 0 || len(h.raw) > mostRaw {
		return nil
	}
	return compact(h.raw)
}

// seed is the beginning of a JSON, the same each time.
func (h *held) seed(raw json.RawMessage) string {
	s := string(raw[:min(len(raw), 4096)])
	if i := strings.Index(s, h.name); i >= 0 {
		return s[:i]
	}
	return s
}

// open gives what opens the text that a mark stands for; nil where it is none.
func (h *held) open(mark string) func() (io.ReadCloser, error) {
	number, is := strings.CutPrefix(mark, h.name)
	n, err := strconv.Atoi(number)
	if !is || err != nil || len(mark) != lengthOfMark || n < 0 || n >= len(h.texts) {
		return nil
	}
	return func() (io.ReadCloser, error) {
		r, err := h.again()
		if err != nil {
			return nil, err
		}
		return &rereading{graph.PluckText(r, h.longest, n, h.texts[n]), r}, nil
	}
}

// openBytes is open of bytes that came in base64.
func (h *held) openBytes(mark []byte) func() (io.ReadCloser, error) {
	open := h.open(base64.StdEncoding.EncodeToString(mark))
	if open == nil {
		return nil
	}
	return func() (io.ReadCloser, error) {
		r, err := open()
		if err != nil {
			return nil, err
		}
		return &rereading{base64.NewDecoder(base64.StdEncoding, r), r}, nil
	}
}

// rereading reads a text for the second time.
type rereading struct {
	io.Reader
	io.Closer
}
