package box

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strconv"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// Content gives one item. Its Body holds at most one of the mailbox's calls at a time, and
// a mail that broke off is an error of its Read. Items of which much has to be held in memory
// are given one at a time: the next one waits until the Body of the one before is closed.
func (b *Box) Content(ctx context.Context, mailbox string, item outlook.Item) (outlook.Content, error) {
	t := &turn{client: b.client}
	out, err := b.content(ctx, mailbox, item, t)
	if err != nil {
		t.over()
		return out, err
	}
	out.Body = &given{out.Body, t}
	return out, nil
}

func (b *Box) content(ctx context.Context, mailbox string, item outlook.Item, t *turn) (outlook.Content, error) {
	if item.Kind != outlook.Mail && len(item.Raw) > smallItem {
		if err := t.large(ctx); err != nil {
			return outlook.Content{}, err
		}
	}
	switch item.Kind {
	case outlook.Contacts:
		return b.contact(ctx, mailbox, item, t)
	case outlook.Calendar:
		return b.event(ctx, mailbox, item, t)
	}
	return b.mail(ctx, mailbox, item, t)
}

// mail gives a message as Exchange writes it, or rebuilds it.
func (b *Box) mail(ctx context.Context, mailbox string, item outlook.Item, t *turn) (outlook.Content, error) {
	out := outlook.Content{Form: outlook.EML, Item: item}
	path := of(mailbox, "messages", item.ID, "$value")
	body, err := b.open(ctx, mailbox, path)
	if err == nil {
		out.Body = body
		return out, nil
	}
	if errors.Is(err, errEmpty) {
		return b.rebuild(ctx, mailbox, out, "Microsoft 365 gives an empty text for it", t)
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
	return b.rebuild(ctx, mailbox, out, "Microsoft 365 cannot convert it ("+why(err)+")", t)
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
