package box

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// Content gives one item. Its Body holds at most one of the mailbox's calls at a time, and
// a mail that broke off is an error of its Read.
func (b *Box) Content(ctx context.Context, mailbox string, item outlook.Item) (outlook.Content, error) {
	switch item.Kind {
	case outlook.Contacts:
		return b.contact(ctx, mailbox, item)
	case outlook.Calendar:
		return b.event(ctx, mailbox, item)
	}
	return b.mail(ctx, mailbox, item)
}

// mail gives a message as Exchange writes it, or rebuilds it.
func (b *Box) mail(ctx context.Context, mailbox string, item outlook.Item) (outlook.Content, error) {
	out := outlook.Content{Form: outlook.EML, Item: item}
	path := of(mailbox, "messages", item.ID, "$value")
	body, err := b.open(ctx, mailbox, path)
	if err == nil {
		out.Body = body
		return out, nil
	}
	if errors.Is(err, errEmpty) {
		return b.rebuild(ctx, mailbox, out, "Microsoft 365 gives an empty text for it")
	}
	fate := b.itemError(ctx, mailbox, item, err)
	if !errors.Is(fate, outlook.ErrPoison) {
		return outlook.Content{}, give(fate, err)
	}
	if !errors.Is(err, graph.ErrUnconvertible) { // a fault without a name may have been one of the moment
		if body, again := b.open(ctx, mailbox, path); again == nil {
			out.Body = body
			return out, nil
		}
	}
	return b.rebuild(ctx, mailbox, out, "Microsoft 365 cannot convert it ("+why(err)+")")
}

// errEmpty: the answer is one of success, and has nothing in it.
var errEmpty = errors.New("the answer is empty")

// open begins to read what is at a path.
func (b *Box) open(ctx context.Context, mailbox, path string) (*whole, error) {
	r, err := b.client.Do(ctx, mailbox, graph.Request{URL: path})
	if err != nil {
		return nil, err
	}
	w := &whole{under: r.Body, left: -1}
	if n, err := strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64); err == nil {
		w.left = n
	}
	w.Reader = bufio.NewReader(counted{w})
	if _, err := w.Peek(1); err != nil {
		_ = w.Close() // nothing of it is used
		if err == io.EOF {
			err = errEmpty
		}
		return nil, err
	}
	return w, nil
}

// whole is the body of an answer whose end is one only where all of it came: a proxy that
// ends a connection neatly must not make a short mail of a long one.
type whole struct {
	*bufio.Reader
	under io.ReadCloser
	left  int64 // bytes to come; -1: nobody said
}

// Close gives the call's place back.
func (w *whole) Close() error { return w.under.Close() }

type counted struct{ w *whole }

// Read counts.
func (c counted) Read(p []byte) (int, error) {
	n, err := c.w.under.Read(p)
	if c.w.left >= 0 {
		c.w.left = max(c.w.left-int64(n), 0)
		if err == io.EOF && c.w.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// read gives the JSON of an item.
func (b *Box) read(ctx context.Context, mailbox, path string) (json.RawMessage, error) {
	var raw json.RawMessage
	err := b.client.JSON(ctx, mailbox, graph.Request{URL: path, Limit: mostItem}, &raw)
	return raw, err
}

// mostItem is how long the JSON of one item may be: a body, without attachments.
const mostItem = 48 << 20
