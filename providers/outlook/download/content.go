package download

import (
	"context"
	"errors"
	"io"
	"sync"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// whyListed is why an item is missing that a folder lists to the end.
const whyListed = "Microsoft 365 lists it and does not give it"

// item downloads an item, and judges what came of that.
func (p *pool) item(ctx context.Context, item outlook.Item) {
	err := p.fetch(ctx, item)
	had := err == nil
	if had || errors.Is(err, errMissed) {
		err = p.d.saved()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if had {
		p.d.good = outlook.Item{ID: item.ID, Folder: item.Folder, Kind: item.Kind, Change: item.Change}
	}
	k := keyOf(item)
	delete(p.busy, k)
	if p.passed {
		p.pages, p.passed = p.pages+1, false
	}
	switch {
	case err == nil:
		p.streak = 0
	case ctx.Err() != nil:
		p.fail(context.Cause(ctx))
	case errors.Is(err, outlook.ErrGone): // the next reading of its folder takes it out
		p.d.left[k] = struct{}{}
	case keepwatch.KindOf(err) == keepwatch.KindTransient:
		p.d.left[k], p.d.why = struct{}{}, err
		if p.streak++; p.streak >= outage*max(1, p.d.p.cfg.Server.Lanes()) && !p.answers(ctx, false) {
			p.fail(err)
		}
	default:
		p.fail(err)
	}
	p.notify()
}

// answers reports whether the server gives what it gave before: then those that it does not
// give are at fault, and not the server, and as many of them as there are must not keep a
// mailbox from ever being backed up. Where it has given nothing yet, none is what it says.
// p.mu is held, but not while it asks; nobody else asks for anything meanwhile.
func (p *pool) answers(ctx context.Context, none bool) bool {
	item := p.d.good
	p.streak, p.doubt = 0, true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.doubt = false
		p.notify()
	}()
	if item.ID == "" {
		var err error
		if item, err = p.d.hadBefore(); err != nil || item.ID == "" {
			return err == nil && none
		}
	}
	c, err := p.d.p.cfg.Server.Content(ctx, p.d.job.Source.Mailbox, item)
	if err != nil {
		return false
	}
	_ = c.Body.Close() // that there is one is enough
	return true
}

// isSure finds out, once, that the server answers, before the first item is given up that
// fails as if it were for a while: an outage at the end must not make gaps.
func (p *pool) isSure(ctx context.Context) bool {
	p.surely.Do(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sure = p.answers(ctx, true)
	})
	return p.sure
}

// hadBefore gives an item that an earlier call has brought here, if there is one.
func (d *download) hadBefore() (outlook.Item, error) {
	folders, err := d.spool.Folders()
	if err != nil {
		return outlook.Item{}, err
	}
	for _, f := range folders {
		for r, err := range d.spool.Records(f.ID) {
			if err != nil {
				return outlook.Item{}, err
			}
			if r.Missing == "" && !r.Pending {
				return outlook.Item{ID: r.ID, Folder: r.Folder, Kind: r.Kind, Change: r.Change}, nil
			}
		}
	}
	return outlook.Item{}, nil
}

// errMissed says that an item was saved as missing.
var errMissed = errors.New("the item is missing")

// fetch asks for an item and saves it, or why it cannot be had.
func (p *pool) fetch(ctx context.Context, item outlook.Item) error {
	err := p.put(ctx, item)
	why := ""
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.Is(err, outlook.ErrPoison):
		why = sentenceOf(err)
	case p.last && errors.Is(err, outlook.ErrGone):
		why = whyListed
	case p.last && keepwatch.KindOf(err) == keepwatch.KindTransient && p.d.kept.Late >= patience && p.isSure(ctx):
		why = "it could not be had however often it was tried: " + sentenceOf(err)
	default:
		return err
	}
	p.d.p.cfg.Log.Warn("an item cannot be had", "run", p.d.job.Run, "item", item.ID, "err", err)
	if err := p.d.spool.Miss(item, why); err != nil {
		return err
	}
	return errMissed
}

// put brings an item into the spool.
func (p *pool) put(ctx context.Context, item outlook.Item) error {
	c, err := p.d.p.cfg.Server.Content(ctx, p.d.job.Source.Mailbox, item)
	if err != nil {
		return err
	}
	body := &body{ctx: ctx, from: c.Body}
	stop := context.AfterFunc(ctx, func() { _ = body.Close() }) // a read may hang
	_, _, err = p.d.spool.Put(completed(item, c.Item), outlook.Note{Rebuilt: c.Rebuilt, Notes: c.Notes}, body)
	stop()
	_ = body.Close() // its end was read
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case body.err != nil:
		return body.err
	}
	return err
}

// completed is an item with what its content tells more of it. It stays the one that was
// asked for.
func completed(item, with outlook.Item) outlook.Item {
	if with.ID != item.ID {
		return item
	}
	with.Folder, with.Kind, with.Change, with.Removed = item.Folder, item.Kind, item.Change, ""
	return with
}

// body is a content that is being read. It remembers what the server says of it, whatever
// the spool makes of that, and ends with ctx.
type body struct {
	ctx  context.Context
	from io.ReadCloser
	err  error // of the server
	once sync.Once
}

func (b *body) Read(data []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	n, err := b.from.Read(data)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// Close closes it once.
func (b *body) Close() (err error) {
	b.once.Do(func() { err = b.from.Close() })
	return err
}
